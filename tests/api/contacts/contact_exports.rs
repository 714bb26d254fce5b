//! Exports of contacts: formats, and a round trip through an import.

use reqwest::Method;
use serde_json::json;

use super::contact_imports::{all_contacts, import_csv};
use crate::BACKEND;
use crate::support::app::TestApp;

const CONTACTS: [&str; 6] = [
    r#"{"first_name":"Quoted","last_name":"Printable","phone_number":"+1 (555) 010-0;9,#*x1","birth_month":5,"birth_day":12,"note":"use quoted-printable="}"#,
    r#"{"first_name":"Byron","last_name":"King","email":"byron@example.org","phone_number":"+44 20 7946","birth_month":2,"birth_day":29}"#,
    r#"{"first_name":"Ünï, \"quoted\"; çödé\\","last_name":"=SUM(A1)","birth_month":2,"birth_day":29,"birth_year":2020,"note":"one\ntwo, \"three\"; four\\n\n\nfive"}"#,
    r#"{"first_name":"李","last_name":"雷","note":"a very long note that must be folded when it is written as a vCard, because a line there may have no more than 75 bytes: äöü äöü äöü äöü äöü äöü äöü"}"#,
    r#"{"first_name":"A:B","last_name":"C;D,E","birth_month":12,"birth_day":31,"birth_year":1999}"#,
    r#"{"first_name":"Only","last_name":"Names"}"#,
];

#[tokio::test]
async fn an_export_can_be_imported_unchanged_by_another_user() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    for contact in CONTACTS {
        ada.post("/contacts", serde_json::from_str(contact).unwrap()).await.created();
    }
    let original = all_contacts(&ada).await;
    for (format, media_type, name) in [
        ("csv", "text/csv; charset=utf-8; header=present", "contacts.csv"),
        ("vcard", "text/vcard; charset=utf-8", "contacts.vcf"),
    ] {
        let file = ada.get(&format!("/contacts/export?format={format}")).await;
        assert_eq!(file.is(200).header("content-type"), media_type);
        assert_eq!(file.header("content-disposition"), format!("attachment; filename=\"{name}\""));
        let other = app.patient().await;
        let report = other.upload("/contacts/imports", media_type, file.text.clone()).await.created();
        assert_eq!((&report["imported"], &report["errors"]), (&json!(6), &json!([])));
        assert_eq!(all_contacts(&other).await, original, "{}", file.text);
        // The second export has the same bytes, in formats without ids.
        if format == "csv" {
            assert_eq!(other.get("/contacts/export").await.text, file.text);
        }
    }
    app.get("/api/v1/contacts/export").await.problem(401, "unauthenticated");
    app.send(app.request(Method::POST, "/api/v1/contacts/imports")).await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn an_export_of_many_pages_is_complete() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let rows =
        (0..1203).fold(String::new(), |rows, row| rows + &format!("Byron,King{row},b{row}@example.org,,,5,12,\r\n"));
    let head = "first_name,last_name,email,phone_number,birth_year,birth_month,birth_day,note";
    import_csv(&ada, format!("{head}\r\n{rows}")).await;
    let file = ada.get("/contacts/export").await.is(200).text.clone();
    // In the order of their creation. The columns after these are of organizations, labels and UIDs.
    let columns = |line: &str| line.split(',').take(8).collect::<Vec<_>>().join(",");
    let lines = file.lines().map(columns).collect::<Vec<_>>().join("\r\n");
    assert_eq!(format!("{lines}\r\n"), format!("{head}\r\n{rows}"));
    let vcards = ada.get("/contacts/export?format=vcard").await.is(200).text.clone();
    assert_eq!(vcards.matches("BEGIN:VCARD\r\n").count(), 1203);
    let calendar = ada.get("/contacts/birthdays.ics").await.is(200).text.clone();
    let day = calendar.matches("DTSTART;VALUE=DATE:").count();
    assert!(day >= 2 * 1203 && day % 1203 == 0, "{day}");
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = ada.get(&format!("/contacts?q=KING1+example.org&limit=100{cursor}")).await.ok();
        found.extend(
            page["items"].as_array().unwrap().iter().map(|item| item["last_name"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let mut matching: Vec<String> =
        (0..1203).map(|row| format!("King{row}")).filter(|name| name.starts_with("King1")).collect();
    matching.sort();
    assert_eq!(found, matching);
}

#[tokio::test]
async fn exported_files_follow_their_rfcs() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let contact = ada.post("/contacts", serde_json::from_str(CONTACTS[1]).unwrap()).await.created();
    let uid = contact["uid"].as_str().unwrap();
    let csv = ada.get("/contacts/export").await.text;
    assert_eq!(
        csv,
        format!(
            "first_name,last_name,email,phone_number,birth_year,birth_month,birth_day,note,organization,email_label,\
             phone_number_label,uid\r\nByron,King,byron@example.org,+44 20 7946,,2,29,,,,,{uid}\r\n"
        )
    );
    let vcard = ada.get("/contacts/export?format=vcard").await.text;
    for line in [
        "BEGIN:VCARD",
        "VERSION:4.0",
        "FN:Byron King",
        "N:King;Byron;;;",
        "BDAY:--0229",
        "EMAIL:byron@example.org",
        "END:VCARD",
    ] {
        assert!(vcard.contains(&format!("{line}\r\n")), "{line} in {vcard}");
    }
    // Android reads nothing newer than 3.0 (RFC 2426).
    let vcard = ada.get("/contacts/export?format=vcard&version=3.0").await.text;
    for line in ["VERSION:3.0", "FN:Byron King", "N:King;Byron;;;", "BDAY:--02-29", "TEL:+44 20 7946"] {
        assert!(vcard.contains(&format!("{line}\r\n")), "{line} in {vcard}");
    }
    // Excel knows UTF-8 by the mark, and takes cells that begin so for formulas.
    ada.post("/contacts", json!({ "first_name": "@a", "last_name": "=1+1", "note": "-x", "phone_number": "+1 2" }))
        .await
        .created();
    let csv = ada.get("/contacts/export?format=csv&bom=true&safe=true").await.text;
    assert!(csv.starts_with("\u{feff}first_name,") && csv.contains("\r\n'@a,'=1+1,,'+1 2,,,,'-x,"), "{csv}");
    assert!(!ada.get("/contacts/export?format=csv").await.text.contains('\u{feff}'));
    ada.get("/contacts/export?version=2.1").await.violates(&[("version", "type")]);
    let empty = app.patient().await;
    assert!(empty.get("/contacts/export").await.text.starts_with("first_name,"));
    assert_eq!(empty.get("/contacts/export?format=vcard").await.is(200).text, "");
}

#[tokio::test]
async fn the_accept_header_selects_the_export_format() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    for (accept, expected) in [
        ("text/vcard", "text/vcard"),
        ("text/x-vcard", "text/vcard"),
        ("text/csv", "text/csv"),
        ("*/*", "text/csv"),
        ("text/csv;q=0.5, text/vcard", "text/vcard"),
        ("application/json, text/vcard;q=0.1", "text/vcard"),
        ("text/*", "text/csv"),
        ("text/*, text/csv;q=0", "text/vcard"),
        ("*/*, text/csv;q=0.1", "text/vcard"),
        ("text/vcard;q=0.4, */*;q=0.5", "text/csv"),
        // A header that fits nothing is no reason to refuse.
        ("application/json", "text/csv"),
        ("application/problem+json", "text/csv"),
        ("text/csv;q=0", "text/csv"),
        ("*/*;q=0", "text/csv"),
        ("nonsense;;", "text/csv"),
    ] {
        let request = ada.request(Method::GET, "/contacts/export").header("accept", accept);
        let response = app.send(request).await;
        assert!(response.is(200).header("content-type").starts_with(expected), "{accept}: {response:?}");
    }
    ada.get("/contacts/export?format=xml").await.violates(&[("format", "type")]);
}
