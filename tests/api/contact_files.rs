//! Contacts as files: taking them out, bringing them in, and taking an import back.

use proptest::prelude::*;
use reqwest::Method;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::BACKEND;
use crate::support::actor::Actor;
use crate::support::answer::Answer;
use crate::support::app::TestApp;

/// Everything about the contacts of a user that a file carries, in the order of the list.
async fn book(owner: &Actor<'_>) -> Vec<Value> {
    let mut book = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = owner.get(&format!("/contacts?limit=100{cursor}")).await.ok();
        for item in page["items"].as_array().expect("a list has items") {
            let mut item = item.clone();
            for name in ["id", "import_id", "created_at", "updated_at"] {
                item.as_object_mut().unwrap().remove(name);
            }
            book.push(item);
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => {
                book.sort_by_key(Value::to_string);
                return book;
            }
        }
    }
}

async fn count(app: &TestApp, owner: &Actor<'_>) -> u64 {
    let own = entity::contacts::Entity::find().filter(entity::contacts::Column::UserId.eq(owner.id));
    own.count(&app.state().db).await.unwrap()
}

/// Each bad row as (line, field, code).
fn errors(report: &Value) -> Vec<(u64, String, String)> {
    let mut found = Vec::new();
    for row in report["errors"].as_array().expect("a report lists bad rows") {
        for error in row["errors"].as_array().unwrap() {
            let text = |name: &str| error[name].as_str().unwrap().to_owned();
            found.push((row["line"].as_u64().unwrap(), text("field"), text("code")));
        }
    }
    found
}

fn expected(rows: &[(u64, &str, &str)]) -> Vec<(u64, String, String)> {
    rows.iter().map(|(line, field, code)| (*line, (*field).to_owned(), (*code).to_owned())).collect()
}

async fn import_csv(owner: &Actor<'_>, file: impl Into<Vec<u8>>) -> Value {
    owner.upload("/contacts/import", "text/csv", file).await.created()
}

async fn import_vcard(owner: &Actor<'_>, file: impl Into<Vec<u8>>) -> Value {
    owner.upload("/contacts/import", "text/vcard", file).await.created()
}

const CONTACTS: [&str; 6] = [
    r#"{"first_name":"Quoted","last_name":"Printable","phone_number":"+1 (555) 010-0;9,#*x1","birth_month":5,"birth_day":12,"notes":"use quoted-printable="}"#,
    r#"{"first_name":"Byron","last_name":"King","email":"byron@example.org","phone_number":"+44 20 7946","birth_month":2,"birth_day":29}"#,
    r#"{"first_name":"Ünï, \"quoted\"; çödé\\","last_name":"=SUM(A1)","birth_month":2,"birth_day":29,"birth_year":2020,"notes":"one\ntwo, \"three\"; four\\n\n\nfive"}"#,
    r#"{"first_name":"李","last_name":"雷","notes":"a very long note that must be folded when it is written as a vCard, because a line there may have no more than 75 bytes: äöü äöü äöü äöü äöü äöü äöü"}"#,
    r#"{"first_name":"A:B","last_name":"C;D,E","birth_month":12,"birth_day":31,"birth_year":1999}"#,
    r#"{"first_name":"Only","last_name":"Names"}"#,
];

#[tokio::test]
async fn what_is_exported_and_imported_elsewhere_is_the_same() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    for contact in CONTACTS {
        ada.post("/contacts", serde_json::from_str(contact).unwrap()).await.created();
    }
    let original = book(&ada).await;
    for (format, media_type, name) in [
        ("csv", "text/csv; charset=utf-8; header=present", "contacts.csv"),
        ("vcard", "text/vcard; charset=utf-8", "contacts.vcf"),
    ] {
        let file = ada.get(&format!("/contacts/export?format={format}")).await;
        assert_eq!(file.is(200).header("content-type"), media_type);
        assert_eq!(file.header("content-disposition"), format!("attachment; filename=\"{name}\""));
        let other = app.patient().await;
        let report = other.upload("/contacts/import", media_type, file.text.clone()).await.created();
        assert_eq!((&report["imported"], &report["errors"]), (&json!(6), &json!([])));
        assert_eq!(book(&other).await, original, "{}", file.text);
        // And again from there, byte by byte where no id is written.
        if format == "csv" {
            assert_eq!(other.get("/contacts/export").await.text, file.text);
        }
    }
    app.get("/api/v1/contacts/export").await.problem(401, "unauthenticated");
    app.send(app.request(Method::POST, "/api/v1/contacts/import")).await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_book_of_many_pages_comes_out_whole() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let rows =
        (0..1203).fold(String::new(), |rows, row| rows + &format!("Byron,King{row},b{row}@example.org,,,5,12,\r\n"));
    let head = "first_name,last_name,email,phone_number,birth_year,birth_month,birth_day,notes\r\n";
    import_csv(&ada, format!("{head}{rows}")).await;
    let file = ada.get("/contacts/export").await.is(200).text.clone();
    // In the order in which they were kept.
    assert_eq!(file, format!("{head}{rows}"));
    let vcards = ada.get("/contacts/export?format=vcard").await.is(200).text.clone();
    assert_eq!(vcards.matches("BEGIN:VCARD\r\n").count(), 1203);
    let calendar = ada.get("/contacts/birthdays.ics").await.is(200).text.clone();
    assert_eq!(calendar.matches("BEGIN:VEVENT\r\n").count(), 1203);
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
async fn two_files_of_one_user_at_once_are_one_too_many() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let rows = (0..3000)
        .fold("first_name,last_name,email\n".to_owned(), |rows, row| rows + &format!("A,B,b{row}@example.org\n"));
    let file = || ada.upload("/contacts/import", "text/csv", rows.clone());
    let answers = tokio::join!(file(), file(), file());
    let statuses = [answers.0.status, answers.1.status, answers.2.status];
    let imported = [&answers.0, &answers.1, &answers.2].into_iter().filter(|answer| answer.status == 201);
    let imported: u64 = imported.map(|answer| answer.json()["imported"].as_u64().unwrap()).sum();
    assert!(statuses.iter().all(|status| [201, 503].contains(status)) && statuses.contains(&201), "{statuses:?}");
    assert_eq!((imported, count(&app, &ada).await), (3000, 3000));
}

#[tokio::test]
async fn files_are_written_as_their_rfcs_say() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    ada.post("/contacts", serde_json::from_str(CONTACTS[1]).unwrap()).await.created();
    let csv = ada.get("/contacts/export").await.text;
    assert_eq!(
        csv,
        "first_name,last_name,email,phone_number,birth_year,birth_month,birth_day,notes\r\n\
         Byron,King,byron@example.org,+44 20 7946,,2,29,\r\n"
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
    let empty = app.patient().await;
    assert!(empty.get("/contacts/export").await.text.starts_with("first_name,"));
    assert_eq!(empty.get("/contacts/export?format=vcard").await.is(200).text, "");
}

#[tokio::test]
async fn the_client_says_which_format_it_accepts() {
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
    ] {
        let request = ada.request(Method::GET, "/contacts/export").header("accept", accept);
        let answer = app.send(request).await;
        assert!(answer.is(200).header("content-type").starts_with(expected), "{accept}: {answer:?}");
    }
    for accept in ["application/json", "text/csv;q=0", "*/*;q=0"] {
        let request = ada.request(Method::GET, "/contacts/export").header("accept", accept);
        app.send(request).await.problem(406, "not-acceptable");
    }
    ada.get("/contacts/export?format=xml").await.problem(400, "malformed");
}

#[tokio::test]
async fn good_rows_are_kept_and_bad_ones_are_told_with_their_lines() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    ada.post("/contacts", json!({ "first_name": "Old", "last_name": "Friend", "email": "old@example.org" }))
        .await
        .created();
    let file = "last_name,first_name,email,birth_year,birth_month,birth_day,notes,shoe_size\r\n\
        King,Byron,byron@example.org,2019,5,12,\"two\nlines\",36\r\n\
        King,,nobody,,13,1,,\r\n\
        King,Ralph\r\n\
        Friend,Other,OLD@example.org,,,,,\r\n\
        King,Anne,byron@example.org,,,,,\r\n\
        King,Cut,cut@example.org,,2,30,,\r\n\
        King,Late,,2999,1,1,,\r\n\r\n\n\
        King,Nul\0,,,,,,\r\n\
        King,Word,,,May,1,,\r\n\
        Noel,Ada,,,,,,\r\n";
    let report = import_csv(&ada, file).await;
    assert_eq!((&report["imported"], &report["rejected"], &report["dry_run"]), (&json!(2), &json!(8), &json!(false)));
    assert_eq!(
        errors(&report),
        expected(&[
            (4, "first_name", "blank"),
            (4, "email", "email"),
            (4, "birth_month", "range"),
            (5, ".", "columns"),
            (6, "email", "taken"),
            (7, "email", "taken"),
            (8, "birth_day", "date"),
            (9, "birth_year", "range"),
            (12, "first_name", "control"),
            (13, "birth_month", "type"),
        ])
    );
    let kept = book(&ada).await;
    let byron = kept.iter().find(|contact| contact["first_name"] == "Byron").unwrap();
    assert_eq!((kept.len(), &byron["notes"]), (3, &json!("two\nlines")));
}

#[tokio::test]
async fn files_of_spreadsheets_and_address_books_are_understood() {
    let app = TestApp::start(BACKEND).await;
    for file in [
        "\u{feff}First Name,Middle Name,Last Name,E-mail 1 - Value,Phone 1 - Value,Birthday,Notes\r\nByron,Noel,King,byron@example.org ::: b@example.org,+44 20 7946 0018,--05-12,x\r\n",
        "Given Name;Family Name;E-mail Address;Mobile Phone;Birthday;Notes\nByron;King;byron@example.org;+44 20 7946 0018;--0512;x\n",
        "first_name\tlast_name\temail\tphone_number\tbirth_month\tbirth_day\tnotes\nByron\tKing\tbyron@example.org\t+44 20 7946 0018\t5\t12\tx",
    ] {
        let ada = app.patient().await;
        let report = import_csv(&ada, file).await;
        assert_eq!((&report["imported"], &report["errors"]), (&json!(1), &json!([])), "{file}");
        let contact = &book(&ada).await[0];
        assert_eq!((&contact["email"], &contact["birth_day"]), (&json!("byron@example.org"), &json!(12)));
        assert_eq!((&contact["phone_number"], &contact["notes"]), (&json!("+44 20 7946 0018"), &json!("x")));
        assert!(contact["first_name"].as_str().unwrap().starts_with("Byron"));
    }
    // What a mail program writes for no birthday at all; and a middle name.
    let ada = app.patient().await;
    import_csv(&ada, "First Name,Middle Name,Last Name,Birthday\nAda,Augusta,Lovelace,0/0/00\n").await;
    let lovelace = &book(&ada).await[0];
    assert_eq!((&lovelace["first_name"], &lovelace["birth_day"]), (&json!("Ada Augusta"), &Value::Null));
}

#[tokio::test]
async fn a_file_that_is_none_is_refused_as_a_whole() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let csv = async |file: &[u8]| ada.upload("/contacts/import", "text/csv", file.to_vec()).await;
    csv(b"").await.violates(&[(".", "empty")]);
    csv(b"first_name,email\r\nByron,b@example.org\r\n").await.violates(&[("last_name", "column")]);
    csv(b"{\"a\":1}").await.violates(&[("first_name", "column"), ("last_name", "column")]);
    csv(b"\xff\xfef\0i\0").await.violates(&[(".", "encoding")]);
    let vcard = async |file: &str| ada.upload("/contacts/import", "text/vcard", file.to_owned()).await;
    vcard("").await.violates(&[(".", "empty")]);
    vcard("\r\nhello\r\n").await.violates(&[(".", "vcard")]);
    vcard("first_name,last_name\nA,B\n").await.violates(&[(".", "vcard")]);
    let columns = "x,".repeat(600);
    csv(format!("first_name,last_name,{columns}\nA,B\n").as_bytes()).await.violates(&[(".", "length")]);
    assert_eq!(ada.get("/contacts/imports").await.ok()["items"], json!([]));
    for media_type in ["application/json", "image/png", "text/csv; charset=iso-8859-1"] {
        ada.upload("/contacts/import", media_type, "first_name,last_name\n")
            .await
            .problem(415, "unsupported-media-type");
    }
    // The query says it too, for clients that cannot.
    let other =
        ada.upload("/contacts/import?format=csv", "application/octet-stream", "first_name,last_name\nA,B\n").await;
    assert_eq!(other.created()["imported"], 1);
    assert_eq!(count(&app, &ada).await, 1);
}

const PHONE_BOOK: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nPRODID:-//Apple Inc.//iPhone OS 17.0//EN\r\nN:Love\r\n lace;Ada;Augusta;;\r\n\
    FN:Ada Augusta Lovelace\r\nitem1.EMAIL;type=INTERNET:second@example.org\r\nEMAIL;type=INTERNET;type=pref:ada@example.org\r\n\
    TEL;type=CELL:\u{202a}+44\u{a0}20 7946\u{202c}\r\nBDAY;VALUE=date:1985-12-10\r\nNOTE:line one\\nline\\, two\r\n\
    PHOTO;ENCODING=b;TYPE=JPEG:AAAA\r\n BBBB\r\nEND:VCARD\r\n\
    BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=\r\n=B6rg;;;\r\n\
    NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:a=0D=0Ab=3D\r\nEND:VCARD\r\n\
    BEGIN:VCARD\r\nVERSION:3.0\r\nN:King;Byron;;;\r\nBDAY;X-APPLE-OMIT-YEAR=1604:1604-02-29\r\nEND:VCARD\r\n\
    \r\nBEGIN:VCARD\r\nVERSION:3.0\r\nFN:Grace Brewster Hopper\r\nBDAY:--12-09\r\nEND:VCARD\r\n\
    BEGIN:VCARD\nVERSION:4.0\nN:Noel;Anne;;;\nBDAY:--0922\nTEL;VALUE=uri:tel:+1-555-0100\nEND:VCARD\n\
    BEGIN:VCARD\nVERSION:3.0\nN:Utc;Iso;;;\nBDAY:1970-01-02T00:00:00Z\nEND:VCARD\n\
    BEGIN:VCARD\nN:Late;Version;;;\nBDAY:1985-12-10\nTEL;CELL:*86\nTEL;HOME;PREF:1-555-0100,,99\nVERSION:4.0\nEND:VCARD\n\
    BEGIN:VCARD\nVERSION:4.0\nN:Date;Four;;;\nBDAY;VALUE=date:1985-12-10\nTEL;VALUE=uri:tel:+1-555-0100;ext=5\n\
    EMAIL:not an address\nEMAIL:four@example.org\nX-MS-CARDPICTURE;ENCODING=b:AAAA\nBBBB=\n  CCCC\nEND:VCARD\n\
    \u{feff}begin:vcard\nversion:3.0\nn:small;letters;;;\nbday;value=date:19851210\norg:x\n\
    email;type=internet;x-label=\"a label that is long enough to be fo\n lded\":small@example.org\nend:vcard";

#[tokio::test]
async fn vcards_of_mainstream_address_books_are_understood() {
    let app = TestApp::start(BACKEND).await;
    for file in [PHONE_BOOK.to_owned(), format!("\u{feff}{PHONE_BOOK}")] {
        let ada = app.patient().await;
        let report = import_vcard(&ada, file).await;
        assert_eq!((&report["imported"], &report["errors"]), (&json!(9), &json!([])), "{report}");
        let book = book(&ada).await;
        let find =
            |name: &str| book.iter().find(|contact| contact["last_name"] == name).unwrap_or_else(|| panic!("{name}"));
        let lovelace = find("Lovelace");
        assert_eq!((&lovelace["first_name"], &lovelace["email"]), (&json!("Ada Augusta"), &json!("ada@example.org")));
        assert_eq!(
            (&lovelace["phone_number"], &lovelace["notes"]),
            (&json!("+44 20 7946"), &json!("line one\nline, two"))
        );
        assert_eq!((&lovelace["birth_year"], &lovelace["birth_day"]), (&json!(1985), &json!(10)));
        assert_eq!((&find("Müller")["first_name"], &find("Müller")["notes"]), (&json!("Jörg"), &json!("a\nb=")));
        let day = |name: &str| {
            let contact = find(name);
            (contact["birth_year"].as_i64(), contact["birth_month"].as_i64(), contact["birth_day"].as_i64())
        };
        assert_eq!(day("King"), (None, Some(2), Some(29)));
        assert_eq!(day("Hopper"), (None, Some(12), Some(9)));
        assert_eq!(day("Noel"), (None, Some(9), Some(22)));
        assert_eq!(day("Utc"), (Some(1970), Some(1), Some(2)));
        assert_eq!((day("Late"), day("Date")), ((Some(1985), Some(12), Some(10)), (Some(1985), Some(12), Some(10))));
        assert_eq!(
            (&find("Late")["phone_number"], &find("Date")["phone_number"]),
            (&json!("1-555-0100,,99"), &json!("+1-555-0100"))
        );
        assert_eq!(find("Date")["email"], "four@example.org");
        assert_eq!(
            (day("small"), &find("small")["email"]),
            ((Some(1985), Some(12), Some(10)), &json!("small@example.org"))
        );
        assert_eq!(
            (&find("Hopper")["first_name"], &find("Noel")["phone_number"]),
            (&json!("Grace Brewster"), &json!("+1-555-0100"))
        );
    }
}

#[tokio::test]
async fn bad_cards_are_told_and_spoil_no_others() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let card = |lines: &str| format!("BEGIN:VCARD\r\nVERSION:4.0\r\n{lines}\r\nEND:VCARD\r\n");
    let file = [
        card("N:King;Byron;;;"),
        "What is this?\r\n".to_owned(),
        card("FN:Mum"),
        card("N:King;Feb;;;\r\nBDAY:20230230"),
        card("N:King;Word;;;\r\nBDAY;VALUE=text:circa 1800"),
        "BEGIN:VCARD\r\nVERSION:4.0\r\nN:King;Cut;;;\r\n".to_owned(),
        card("N:King;Ralph;;;"),
        card("KIND:org\r\nFN:The Analytical Society"),
        card("N:;;;;\r\nFN:Difference Engine Ltd\r\nX-ABShowAs:COMPANY"),
        card(&format!("N:King;Long;;;\r\nNOTE:{}", "x".repeat(100_000))),
        card(&format!("N:King;Photo;;;\r\nPHOTO:{}\r\n {}", "A".repeat(100_000), "B".repeat(100_000))),
        "BEGIN:VCARD\r\nVERSION:4.0\r\nN:King;Half;;;\r\nNOTE:and th".to_owned(),
    ];
    let report = import_vcard(&ada, file.concat()).await;
    assert_eq!(
        errors(&report),
        expected(&[
            (5, ".", "vcard"),
            (6, "first_name", "blank"),
            (6, "last_name", "blank"),
            (10, "birth_day", "date"),
            (15, "birthday", "date"),
            (20, ".", "incomplete"),
            (27, "kind", "kind"),
            (32, "kind", "kind"),
            (38, ".", "length"),
            (49, ".", "incomplete"),
        ])
    );
    assert_eq!((&report["imported"], &report["rejected"]), (&json!(3), &json!(9)));
    let raw = [
        b"BEGIN:VCARD\r\nVERSION:2.1\r\nN:M\xfcller;J;;;\r\nEND:VCARD\r\n".as_slice(),
        card("N:King;Anne;;;").as_bytes(),
    ]
    .concat();
    let report = import_vcard(&ada, raw).await;
    assert_eq!((errors(&report), &report["imported"]), (expected(&[(1, ".", "encoding")]), &json!(1)));
}

#[tokio::test]
async fn a_row_of_any_length_is_told_and_the_next_one_is_read() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let head = "first_name,last_name,notes\n";
    let long = format!("{head}{},King,\nByron,King,\nAnne,{},\nRalph,King,\n", "x".repeat(200_000), ",".repeat(9000));
    let report = import_csv(&ada, long).await;
    assert_eq!(errors(&report), expected(&[(2, ".", "length"), (4, ".", "length")]));
    assert_eq!(report["imported"], 2);
    // Cut off within quotes: not even what is there of it is kept.
    for cut in
        ["Anne,King,\"Allergic to eg", "Anne,King,\"oops\nEve,King,x\nMary,King,y\n", "Anne,a 5\" b,\"cut off\n\n"]
    {
        let report = import_csv(&ada, format!("{head}Ada,King,\"whole\"\n{cut}")).await;
        assert_eq!((errors(&report), &report["imported"]), (expected(&[(3, ".", "incomplete")]), &json!(1)), "{cut}");
    }
    assert_eq!(count(&app, &ada).await, 5);
    // A quote within a field is nothing but a quote.
    let report = import_csv(&ada, format!("{head}Tall,King,5'10\" tall")).await;
    assert_eq!((&report["imported"], &report["errors"]), (&json!(1), &json!([])));
}

#[tokio::test]
async fn lines_are_counted_however_they_end() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    for (file, line) in [
        ("first_name,last_name\rA,B\r,King\r", 3),
        ("sep=;\r\nfirst_name;last_name\r\nA;B\r\n;King\r\n", 4),
        ("\r\n\r\nfirst_name;last_name\r\nA;B\r\n;King", 5),
        ("first_name,last_name\nA,B\n\n\n,King\n", 5),
    ] {
        let report = import_csv(&ada, file).await;
        assert_eq!(
            (errors(&report), &report["imported"]),
            (expected(&[(line, "first_name", "blank")]), &json!(1)),
            "{file:?}"
        );
    }
}

#[tokio::test]
async fn many_bad_rows_among_good_ones_keep_their_places() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let row =
        |number: usize| if number.is_multiple_of(3) { ",King\n".to_owned() } else { format!("Byron,King{number}\n") };
    let file = (0..2000).fold("first_name,last_name\n".to_owned(), |file, number| file + &row(number));
    let report = import_csv(&ada, file).await;
    assert_eq!((&report["imported"], count(&app, &ada).await), (&json!(1333), 1333));
    let lines: Vec<u64> = errors(&report).into_iter().map(|(line, ..)| line).collect();
    assert_eq!(lines, (0..2000).step_by(3).map(|number| number + 2).collect::<Vec<u64>>());
    assert_eq!(report["rejected"], lines.len());
}

#[tokio::test]
async fn a_dry_run_tells_the_same_and_changes_nothing() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let file = "first_name,last_name,email\nByron,King,b@example.org\nRalph,King,b@example.org\n,King,\n";
    let dry = ada.upload("/contacts/import?dry_run=true", "text/csv", file).await.ok();
    assert_eq!((&dry["id"], &dry["dry_run"]), (&Value::Null, &json!(true)));
    assert_eq!(count(&app, &ada).await, 0);
    assert_eq!(ada.get("/contacts/imports").await.ok()["items"], json!([]));
    let real = import_csv(&ada, file).await;
    for name in ["format", "imported", "rejected", "errors"] {
        assert_eq!(dry[name], real[name], "{name}");
    }
    assert_eq!(count(&app, &ada).await, 1);
}

#[tokio::test]
async fn an_import_can_be_taken_back() {
    let app = TestApp::start(BACKEND).await;
    let (ada, bob) = (app.patient().await, app.patient().await);
    ada.post("/contacts", json!({ "first_name": "Own", "last_name": "Hand" })).await.created();
    let answer = ada.upload("/contacts/import", "text/csv", "first_name,last_name\nByron,King\nRalph,King\n").await;
    let id = answer.created()["id"].as_str().unwrap().to_owned();
    let path = format!("/contacts/imports/{id}");
    assert_eq!(answer.header("location"), format!("/api/v1{path}"));
    let import = ada.get(&path).await.ok();
    assert_eq!((&import["imported"], &import["rejected"], &import["format"]), (&json!(2), &json!(0), &json!("csv")));
    import_csv(&ada, "first_name,last_name\nAnne,King\n").await;
    let list = ada.get("/contacts/imports?limit=1").await.ok();
    let next = ada.get(&format!("/contacts/imports?cursor={}", list["next_cursor"].as_str().unwrap())).await.ok();
    assert_eq!(next["items"], json!([import]));
    bob.get(&path).await.problem(404, "not-found");
    bob.delete(&path).await.problem(404, "not-found");

    let kings = ada.get("/contacts?first_name=byron").await.ok();
    assert_eq!(kings["items"][0]["import_id"], id);
    let child = kings["items"][0]["id"].clone();
    let body = json!({ "vaccine_id": app.vaccine("MMR").await, "contact_id": child });
    let request = ada.post("/vaccine-requests", body).await.created();
    ada.delete(&path).await.problem(409, "contact-in-use");
    assert_eq!(count(&app, &ada).await, 4);
    ada.post_empty(&format!("/vaccine-requests/{}/cancel", request["id"].as_str().unwrap())).await.ok();
    ada.delete(&path).await.no_content();
    ada.delete(&path).await.problem(404, "not-found");
    let left = ada.get("/contacts").await.ok();
    assert_eq!((&left["items"][0]["first_name"], &left["items"][1]["first_name"]), (&json!("Own"), &json!("Anne")));
    assert_eq!(count(&app, &ada).await, 2);
    ada.delete(&format!("/contacts/imports/{}", Uuid::now_v7())).await.problem(404, "not-found");
}

#[tokio::test]
async fn a_file_beyond_the_limits_leaves_nothing_behind() {
    let limits = [("CARE4U__CONTACTS__IMPORT_MAX_BYTES", "40000"), ("CARE4U__CONTACTS__IMPORT_MAX_ROWS", "600")];
    let app = TestApp::start_with(BACKEND, &limits).await;
    let ada = app.patient().await;
    let rows = |count: usize| {
        (0..count).fold("first_name,last_name\n".to_owned(), |file, row| format!("{file}Byron,King{row}\n"))
    };
    ada.upload("/contacts/import", "text/csv", rows(601)).await.violates(&[(".", "rows")]);
    assert_eq!(count(&app, &ada).await, 0);
    ada.upload("/contacts/import", "text/csv", rows(4000)).await.problem(413, "too-large");
    // Without a length the limit shows only on the way.
    let chunks = (0..50).map(|_| Ok::<_, std::io::Error>("x".repeat(1000)));
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
    let request = ada.request(Method::POST, "/contacts/import").header("content-type", "text/csv").body(body);
    app.send(request).await.problem(413, "too-large");
    let report = import_csv(&ada, rows(600)).await;
    assert_eq!((&report["imported"], count(&app, &ada).await), (&json!(600), 600));
    assert_eq!(ada.get("/contacts/imports").await.ok()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_nothing_behind() {
    use tokio::io::AsyncWriteExt as _;
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let address = app.address.trim_start_matches("http://").to_owned();
    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "POST /api/v1/contacts/import HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\ncontent-type: text/csv\r\n\
         content-length: 100000\r\n\r\nfirst_name,last_name\nByron,King\n",
        ada.access_token
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    drop(stream);
    // Each user has one file under way: once the next one is taken, the first has come to its end.
    let next = async {
        loop {
            let answer = ada.upload("/contacts/import", "text/csv", "first_name,last_name\nAnne,King\n").await;
            if answer.status != 503 {
                return answer;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), next).await.expect("the place is free again").created();
    assert_eq!(book(&ada).await.len(), 1);
}

#[tokio::test]
async fn who_imports_very_often_is_asked_to_wait() {
    let limits = [("CARE4U__THROTTLE__ENABLED", "true"), ("CARE4U__THROTTLE__IMPORTS_PER_HOUR", "2")];
    let app = TestApp::start_with(BACKEND, &limits).await;
    let ada = app.patient().await;
    let file = "first_name,last_name\nByron,King\n";
    import_csv(&ada, file).await;
    import_csv(&ada, file).await;
    // Whoever tries and mends does not use up what may be written.
    ada.upload("/contacts/import?dry_run=true", "text/csv", file).await.ok();
    ada.upload("/contacts/import?dry_run=true", "text/csv", file).await.ok();
    ada.upload("/contacts/import?dry_run=true", "text/csv", file).await.problem(429, "too-many-attempts");
    let refused: Answer = ada.upload("/contacts/import", "text/csv", file).await;
    refused.problem(429, "too-many-attempts");
    refused.header("retry-after");
    assert_eq!(count(&app, &ada).await, 2);
}

/// Texts that people, or their enemies, may write, as they are stored.
fn text(most: usize) -> impl Strategy<Value = String> {
    let character = prop_oneof![
        4 => proptest::char::range('a', 'z'),
        3 => proptest::sample::select(vec![',', ';', ':', '"', '\'', '\\', '=', ' ', '-', '%', '\u{feff}', '\u{202e}', '\u{301}', '\u{85}']),
        2 => any::<char>(),
    ];
    proptest::collection::vec(character, 1..most).prop_map(|characters| {
        let text: String = characters.into_iter().filter(|c| !c.is_control()).collect();
        let text = text.trim().to_owned();
        if text.is_empty() { "x".to_owned() } else { text }
    })
}

/// Notes of several lines.
fn notes() -> impl Strategy<Value = String> {
    proptest::collection::vec(text(30), 1..4).prop_map(|lines| lines.join("\n").trim().to_owned())
}

#[test]
fn whatever_text_a_contact_has_it_comes_back_from_a_file_exactly() {
    use care4u::domain::address_book::{read, write};
    use care4u::domain::birthday::Birthday;
    use care4u::domain::contacts::{NewContact, row};
    use care4u::domain::email::Email;
    use entity::ContactFormat;

    let latest = care4u::domain::rules::latest_birth_date();
    let mut runner = proptest::test_runner::TestRunner::default();
    let signs = proptest::sample::select("0123456789+ ()-./*#,;x".chars().collect::<Vec<_>>());
    let number = proptest::collection::vec(signs, 0..28);
    let number = number.prop_map(|signs| format!("55{}0", signs.into_iter().collect::<String>()));
    let contact = (
        (text(40), text(40), proptest::option::of(notes()), proptest::option::of(number), proptest::bool::ANY),
        (1_i16..=12, 1_i16..=31, proptest::option::of(1900_i16..2020)),
    );
    runner
        .run(&contact, |((first_name, last_name, notes, phone_number, has_email), (month, day, year))| {
            let birthday = Birthday::parse(Some(month), Some(day), year, latest).ok().flatten();
            let email = has_email.then(|| Email::parse("o'neil+tag@example.org").unwrap());
            let new = NewContact { first_name, last_name, email, phone_number, birthday, notes };
            let kept = row(Uuid::nil(), Uuid::nil(), None, new.clone(), chrono::Utc::now());
            for format in [ContactFormat::Csv, ContactFormat::VCard] {
                let mut file = care4u::domain::address_book::head(format);
                // Between two others, so that it must not leak into them.
                file.extend(write(format, [&kept, &kept, &kept]).unwrap());
                let mut rows = Vec::new();
                read(format, std::io::Cursor::new(&file), |found| {
                    rows.push(found);
                    true
                })
                .unwrap();
                prop_assert_eq!(rows.len(), 3);
                for found in rows {
                    let Ok(back) = found.contact else {
                        return Err(TestCaseError::fail(format!(
                            "{:?} in {:?}",
                            found,
                            String::from_utf8_lossy(&file)
                        )));
                    };
                    prop_assert_eq!(&back.first_name, &new.first_name);
                    prop_assert_eq!(&back.last_name, &new.last_name);
                    prop_assert_eq!(&back.notes, &new.notes);
                    prop_assert_eq!(&back.phone_number, &new.phone_number);
                    prop_assert!(back.email == new.email);
                    prop_assert_eq!(back.birthday, new.birthday);
                }
            }
            Ok(())
        })
        .unwrap();
}
