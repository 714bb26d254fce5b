//! Imports of contacts: reports, dry runs, limits, undo.

use reqwest::Method;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::BACKEND;
use crate::support::actor::Actor;
use crate::support::app::TestApp;
use crate::support::response::TestResponse;

/// Returns all contacts of a user, with only the members that a file contains, sorted by their JSON text.
pub(super) async fn all_contacts(owner: &Actor<'_>) -> Vec<Value> {
    let mut contacts = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = owner.get(&format!("/contacts?limit=100{cursor}")).await.ok();
        for item in page["items"].as_array().expect("a list has items") {
            let mut item = item.clone();
            for name in ["id", "uid", "import_id", "created_at", "updated_at"] {
                item.as_object_mut().unwrap().remove(name);
            }
            contacts.push(item);
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => {
                contacts.sort_by_key(Value::to_string);
                return contacts;
            }
        }
    }
}

pub(super) async fn count(app: &TestApp, owner: &Actor<'_>) -> u64 {
    let own = entity::contacts::Entity::find().filter(entity::contacts::Column::UserId.eq(owner.id));
    own.count(&app.state().db).await.unwrap()
}

/// Returns each violation as (line, field, code).
pub(super) fn errors(report: &Value) -> Vec<(u64, String, String)> {
    let mut found = Vec::new();
    for row in report["errors"].as_array().expect("a report lists the invalid rows") {
        for error in row["errors"].as_array().unwrap() {
            let text = |name: &str| error[name].as_str().unwrap().to_owned();
            found.push((row["line"].as_u64().unwrap(), text("field"), text("code")));
        }
    }
    found
}

/// Returns each warning as (line, field, code).
pub(super) fn warnings(report: &Value) -> Vec<(u64, String, String)> {
    let warnings = report["warnings"].as_array().expect("a report lists the warnings").iter();
    let text = |warning: &Value, name: &str| warning[name].as_str().unwrap().to_owned();
    warnings.map(|warning| (warning["line"].as_u64().unwrap(), text(warning, "field"), text(warning, "code"))).collect()
}

pub(super) fn expected(rows: &[(u64, &str, &str)]) -> Vec<(u64, String, String)> {
    rows.iter().map(|(line, field, code)| (*line, (*field).to_owned(), (*code).to_owned())).collect()
}

pub(super) async fn import_csv(owner: &Actor<'_>, file: impl Into<Vec<u8>>) -> Value {
    owner.upload("/contacts/imports", "text/csv", file).await.created()
}

#[tokio::test]
async fn a_second_concurrent_import_of_a_user_is_503() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let rows = (0..3000)
        .fold("first_name,last_name,email\n".to_owned(), |rows, row| rows + &format!("A,B,b{row}@example.org\n"));
    let file = || ada.upload("/contacts/imports", "text/csv", rows.clone());
    let responses = tokio::join!(file(), file(), file());
    let statuses = [responses.0.status, responses.1.status, responses.2.status];
    let imported = [&responses.0, &responses.1, &responses.2].into_iter().filter(|response| response.status == 201);
    let imported: u64 = imported.map(|response| response.json()["imported"].as_u64().unwrap()).sum();
    assert!(statuses.iter().all(|status| [201, 503].contains(status)) && statuses.contains(&201), "{statuses:?}");
    assert_eq!((imported, count(&app, &ada).await), (3000, 3000));
}

#[tokio::test]
async fn invalid_parts_are_left_out_and_rows_without_a_name_refused() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    ada.post("/contacts", json!({ "first_name": "Old", "last_name": "Friend", "email": "old@example.org" }))
        .await
        .created();
    let file = "last_name,first_name,email,birth_year,birth_month,birth_day,note,shoe_size\r\n\
        King,Byron,byron@example.org,2019,5,12,\"two\nlines\",36\r\n\
        King,,nobody,,13,1,,\r\n\
        King,Ralph\r\n\
        Friend,Other,OLD@example.org,,,,,\r\n\
        King,Anne,byron@example.org,,,,,\r\n\
        King,Cut,cut@example.org,,2,30,,\r\n\
        King,Late,,2999,1,1,,\r\n\r\n\n\
        King,Nul\0,,,,,,\r\n\
        King,Word,,,May,1,,\r\n\
        Noel,Ada,,,,,,\r\n\
        ,,e@example.org,,,,,\r\n";
    let report = import_csv(&ada, file).await;
    assert_eq!((&report["imported"], &report["rejected"], &report["dry_run"]), (&json!(10), &json!(1), &json!(false)));
    assert_eq!(errors(&report), expected(&[(15, "first_name", "required")]));
    assert_eq!(
        warnings(&report),
        expected(&[
            (4, "email", "email"),
            (4, "birth_month", "range"),
            (8, "birth_day", "date"),
            (9, "birth_year", "range"),
            (12, "first_name", "control"),
            (13, "birth_month", "type"),
        ])
    );
    assert_eq!(report["warnings"][0]["value"], "nobody");
    assert_eq!(report["unused"], json!([{ "name": "shoe_size", "values": 1 }]));
    let kept = all_contacts(&ada).await;
    let byron = kept.iter().find(|contact| contact["first_name"] == "Byron").unwrap();
    assert_eq!((kept.len(), &byron["note"]), (11, &json!("two\nlines")));
    // The same rows, if they must be complete.
    let bob = app.patient().await;
    let strict = bob.upload("/contacts/imports?strict=true", "text/csv", file).await.created();
    assert_eq!((&strict["imported"], &strict["rejected"], &strict["warnings"]), (&json!(5), &json!(6), &json!([])));
    let mut refused = warnings(&report);
    refused.extend(errors(&report));
    assert_eq!(errors(&strict), refused);
}

#[tokio::test]
async fn a_file_of_another_format_is_rejected_as_a_whole() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let csv = async |file: &[u8]| ada.upload("/contacts/imports", "text/csv", file.to_vec()).await;
    csv(b"").await.violates(&[(".", "empty")]);
    csv(b"email,note\r\nb@example.org,x\r\n").await.violates(&[("first_name", "column")]);
    csv(b"{\"a\":1}").await.violates(&[("first_name", "column")]);
    csv(b"\xff\xfef\0i\0").await.violates(&[("first_name", "column")]);
    let vcard = async |file: &str| ada.upload("/contacts/imports", "text/vcard", file.to_owned()).await;
    vcard("").await.violates(&[(".", "empty")]);
    vcard("\r\nhello\r\n").await.violates(&[(".", "vcard")]);
    vcard("first_name,last_name\nA,B\n").await.violates(&[(".", "vcard")]);
    let columns = "x,".repeat(600);
    csv(format!("first_name,last_name,{columns}\nA,B\n").as_bytes()).await.violates(&[(".", "length")]);
    assert_eq!(ada.get("/contacts/imports").await.ok()["items"], json!([]));
    for media_type in ["application/json", "image/png", "text/csv; charset=x-unknown", "text/vcard; charset=hz-gb-2312"]
    {
        ada.upload("/contacts/imports", media_type, "first_name,last_name\n")
            .await
            .problem(415, "unsupported-media-type");
    }
    // Files of these types may be of contacts, but these are not.
    for file in ["", "x,y\n1,2\n", "\u{d0}\u{cf}\u{11}\u{e0}", "PK\u{3}\u{4}"] {
        for media_type in ["text/plain", "application/vnd.ms-excel"] {
            ada.upload("/contacts/imports", media_type, file).await.problem(415, "unsupported-media-type");
        }
    }
    // The query parameter does the same, for clients that cannot set the header.
    let other =
        ada.upload("/contacts/imports?format=csv", "application/octet-stream", "first_name,last_name\nA,B\n").await;
    assert_eq!(other.created()["imported"], 1);
    assert_eq!(count(&app, &ada).await, 1);
}

#[tokio::test]
async fn many_invalid_rows_are_reported_with_the_right_lines() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let row = |number: usize| if number.is_multiple_of(3) { ",\n".to_owned() } else { format!("Byron,King{number}\n") };
    let file = (0..2000).fold("first_name,last_name\n".to_owned(), |file, number| file + &row(number));
    let report = import_csv(&ada, file).await;
    assert_eq!((&report["imported"], count(&app, &ada).await), (&json!(1333), 1333));
    let lines: Vec<u64> = errors(&report).into_iter().map(|(line, ..)| line).collect();
    assert_eq!(lines, (0..2000).step_by(3).map(|number| number + 2).collect::<Vec<u64>>());
    assert_eq!(report["rejected"], lines.len());
}

#[tokio::test]
async fn a_dry_run_reports_the_same_and_changes_nothing() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let file = "first_name,last_name,email\nByron,King,b@example.org\nByron,King,b@example.org\n,,x\nRalph,King,x\n";
    let dry = ada.upload("/contacts/imports?dry_run=true", "text/csv", file).await.ok();
    assert_eq!((&dry["id"], &dry["dry_run"]), (&Value::Null, &json!(true)));
    assert_eq!(count(&app, &ada).await, 0);
    assert_eq!(ada.get("/contacts/imports").await.ok()["items"], json!([]));
    let real = import_csv(&ada, file).await;
    for name in ["format", "imported", "updated", "skipped", "rejected", "errors", "warnings", "unused"] {
        assert_eq!(dry[name], real[name], "{name}");
    }
    assert_eq!((&real["skipped"], count(&app, &ada).await), (&json!(1), 2));
}

#[tokio::test]
async fn an_import_can_be_undone() {
    let app = TestApp::start(BACKEND).await;
    let (ada, bob) = (app.patient().await, app.patient().await);
    ada.post("/contacts", json!({ "first_name": "Own", "last_name": "Hand" })).await.created();
    let response = ada.upload("/contacts/imports", "text/csv", "first_name,last_name\nByron,King\nRalph,King\n").await;
    let id = response.created()["id"].as_str().unwrap().to_owned();
    let path = format!("/contacts/imports/{id}");
    assert_eq!(response.header("location"), format!("/api/v1{path}"));
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
async fn a_file_above_the_limits_changes_nothing() {
    let limits = [("CARE4U__CONTACTS__IMPORT_MAX_BYTES", "40000"), ("CARE4U__CONTACTS__IMPORT_MAX_ROWS", "600")];
    let app = TestApp::start_with(BACKEND, &limits).await;
    let ada = app.patient().await;
    let rows = |count: usize| {
        (0..count).fold("first_name,last_name\n".to_owned(), |file, row| format!("{file}Byron,King{row}\n"))
    };
    ada.upload("/contacts/imports", "text/csv", rows(601)).await.violates(&[(".", "rows")]);
    assert_eq!(count(&app, &ada).await, 0);
    ada.upload("/contacts/imports", "text/csv", rows(4000)).await.problem(413, "too-large");
    // Without Content-Length, the limit is detected while the body is read.
    let chunks = (0..50).map(|_| Ok::<_, std::io::Error>("x".repeat(1000)));
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
    let request = ada.request(Method::POST, "/contacts/imports").header("content-type", "text/csv").body(body);
    app.send(request).await.problem(413, "too-large");
    let report = import_csv(&ada, rows(600)).await;
    assert_eq!((&report["imported"], count(&app, &ada).await), (&json!(600), 600));
    assert_eq!(ada.get("/contacts/imports").await.ok()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_aborted_upload_changes_nothing() {
    use tokio::io::AsyncWriteExt as _;
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let address = app.address.trim_start_matches("http://").to_owned();
    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "POST /api/v1/contacts/imports HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\ncontent-type: text/csv\r\n\
         content-length: 100000\r\n\r\nfirst_name,last_name\nByron,King\n",
        ada.access_token
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    drop(stream);
    // A user can have one import at a time: when the next one is accepted, the first one has ended.
    let next = async {
        loop {
            let response = ada.upload("/contacts/imports", "text/csv", "first_name,last_name\nAnne,King\n").await;
            if response.status != 503 {
                return response;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), next)
        .await
        .expect("the import permit is released in time")
        .created();
    assert_eq!(all_contacts(&ada).await.len(), 1);
}

#[tokio::test]
async fn imports_above_the_quota_are_429() {
    let limits = [("CARE4U__THROTTLE__ENABLED", "true"), ("CARE4U__THROTTLE__IMPORTS_PER_HOUR", "2")];
    let app = TestApp::start_with(BACKEND, &limits).await;
    let ada = app.patient().await;
    let file = "first_name,last_name\nByron,King\n";
    import_csv(&ada, file).await;
    import_csv(&ada, file).await;
    // Dry runs have their own quota.
    ada.upload("/contacts/imports?dry_run=true", "text/csv", file).await.ok();
    ada.upload("/contacts/imports?dry_run=true", "text/csv", file).await.ok();
    ada.upload("/contacts/imports?dry_run=true", "text/csv", file).await.problem(429, "too-many-requests");
    let refused: TestResponse = ada.upload("/contacts/imports", "text/csv", file).await;
    refused.problem(429, "too-many-requests");
    refused.header("retry-after");
    assert_eq!(count(&app, &ada).await, 2);
}

#[tokio::test]
async fn all_violations_of_a_row_are_reported_with_their_fields() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let (name, note) = ("x".repeat(101), "x".repeat(2001));
    let head = "first_name,last_name,email,phone_number,birth_year,birth_month,birth_day,note\n";
    let rows = format!(" ,{name},nobody,call me,,2,30,{note}\nByron,King, , ,,,, \n");
    let report = import_csv(&ada, format!("{head}{rows}")).await;
    assert_eq!(
        errors(&report),
        expected(&[
            (2, "last_name", "length"),
            (2, "email", "email"),
            (2, "phone_number", "phone_number"),
            (2, "birth_day", "date"),
            (2, "note", "length"),
            (2, "first_name", "required"),
        ])
    );
    // Optional values may be blank.
    let contact = &all_contacts(&ada).await[0];
    for name in ["email", "phone_number", "birth_day", "note"] {
        assert_eq!(contact[name], Value::Null, "{name}");
    }
}

#[tokio::test]
async fn imports_are_created_in_their_collection_only() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let file = "first_name,last_name\nByron,King\n";
    ada.upload("/contacts/import", "text/csv", file).await.problem(405, "method-not-allowed");
    let dry_run = ada.upload("/contacts/imports?dry_run=true", "text/csv", file).await;
    assert!(dry_run.is(200).headers.get("location").is_none(), "{dry_run:?}");
    ada.upload("/contacts/imports?dry_run=maybe", "text/csv", file).await.violates(&[("dry_run", "type")]);
    let created = ada.upload("/contacts/imports", "text/csv", file).await;
    let id = created.created()["id"].as_str().unwrap().to_owned();
    assert_eq!(created.header("location"), format!("/api/v1/contacts/imports/{id}"));
    ada.get("/contacts/imports/none").await.violates(&[("id", "type")]);
}

fn form(parts: &[(&str, &str, &str, &str)]) -> (String, String) {
    let mut body = String::new();
    for (name, file, media_type, content) in parts {
        let file = if file.is_empty() { String::new() } else { format!("; filename=\"{file}\"") };
        body += &format!(
            "--frontier\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\ncontent-type: {media_type}\r\n\r\n{content}\r\n"
        );
    }
    ("multipart/form-data; boundary=frontier".to_owned(), body + "--frontier--\r\n")
}

#[tokio::test]
async fn a_file_can_be_a_part_of_a_form() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let csv = "first_name,last_name\nByron,King\n";
    let vcard = "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Ralph King\r\nEND:VCARD\r\n";
    let upload = async |parts: &[(&str, &str, &str, &str)]| {
        let (media_type, body) = form(parts);
        ada.upload("/contacts/imports", &media_type, body).await
    };
    // Windows calls CSV a spreadsheet, so the name of the file comes first.
    for (file, media_type, content, format) in [
        ("contacts.csv", "application/vnd.ms-excel", csv, "csv"),
        ("", "text/csv", csv, "csv"),
        ("Contacts.VCF", "application/octet-stream", vcard, "vcard"),
    ] {
        let report = upload(&[("file", file, media_type, content)]).await.created();
        assert_eq!((&report["format"], &report["imported"]), (&json!(format), &json!(1)), "{file}");
    }
    // The content decides where neither name nor type does.
    let report = upload(&[("file", "contacts.txt", "text/plain", vcard)]).await.created();
    assert_eq!((&report["format"], &report["imported"]), (&json!("vcard"), &json!(1)));
    upload(&[("file", "contacts.txt", "text/plain", "Hello!")]).await.problem(415, "unsupported-media-type");
    upload(&[("file", "contacts.pdf", "application/pdf", csv)]).await.problem(415, "unsupported-media-type");
    upload(&[("file", "contacts.csv", "text/csv; charset=x-unknown", csv)])
        .await
        .problem(415, "unsupported-media-type");
    let named = format!(
        "--frontier\r\ncontent-disposition: form-data; name=\"file\"; filename*=UTF-8''Kontakte%20%C3%BC.csv\r\n\r\n{csv}\r\n--frontier--\r\n"
    );
    ada.upload("/contacts/imports?dry_run=true", "multipart/form-data; boundary=frontier", named).await.ok();
    upload(&[]).await.violates(&[("file", "required")]);
    upload(&[("files", "contacts.csv", "text/csv", csv)]).await.violates(&[("files", "unknown")]);
    let twice = ("file", "contacts.csv", "text/csv", csv);
    upload(&[twice, twice]).await.violates(&[("file", "repeated")]);
    let (media_type, body) = form(&[twice]);
    ada.upload("/contacts/imports", &media_type, &body.as_bytes()[..60]).await.problem(400, "malformed");
    ada.upload("/contacts/imports", "multipart/form-data", body.clone()).await.problem(400, "malformed");
    let (query, body) = ("/contacts/imports?dry_run=true&format=csv", body.replace("contacts.csv", "contacts.bin"));
    assert_eq!(ada.upload(query, &media_type, body).await.ok()["imported"], 1);
    assert_eq!(ada.get("/contacts").await.ok()["items"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_file_in_a_form_has_the_same_limit() {
    let app = TestApp::start_with(BACKEND, &[("CARE4U__CONTACTS__IMPORT_MAX_BYTES", "1000")]).await;
    let ada = app.patient().await;
    let file = "first_name,last_name\n".to_owned() + &"Byron,King\n".repeat(200);
    let (media_type, body) = form(&[("file", "contacts.csv", "text/csv", &file)]);
    ada.upload("/contacts/imports", &media_type, body).await.problem(413, "too-large");
    let (media_type, body) = form(&[("file", "contacts.csv", "text/csv", &file[..990])]);
    ada.upload("/contacts/imports", &media_type, body).await.created();
}
