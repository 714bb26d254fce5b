//! Imports of invitations: report of each row, dry runs, the same file twice, limits.

use care4u::domain::vaccination::invitation_codes;
use chrono::Duration;
use entity::{Role, invitations};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use uuid::Uuid;

use super::clinic::{Clinic, add_centre};
use super::invitations::course;
use crate::BACKEND;
use crate::support::actor::Actor;
use crate::support::app::TestApp;
use crate::support::response::TestResponse;

async fn path(app: &TestApp, query: &str) -> String {
    let until = (app.clock.now() + Duration::days(30)).format("%FT%TZ");
    let course = course(app, "FLU").await;
    format!("/invitations/import?course_id={}&valid_until={until}{query}", course.as_str().unwrap())
}

async fn import(staff: &Actor<'_>, query: &str, file: impl Into<Vec<u8>>) -> TestResponse {
    staff.upload(&path(staff.app, query).await, "text/csv", file).await
}

/// Returns each row as (line, status, codes of its violations).
fn rows(report: &Value) -> Vec<(u64, String, Vec<String>)> {
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let row = |row: &Value| {
        let errors: Vec<_> = row["errors"].as_array().unwrap().iter().map(|error| word(&error["code"])).collect();
        (row["line"].as_u64().unwrap(), word(&row["status"]), errors)
    };
    report["rows"].as_array().unwrap().iter().map(row).collect()
}

fn expected(rows: &[(u64, &str, &[&str])]) -> Vec<(u64, String, Vec<String>)> {
    let owned = |words: &[&str]| -> Vec<String> { words.iter().map(|word| (*word).to_owned()).collect() };
    rows.iter().map(|(line, status, errors)| (*line, (*status).to_owned(), owned(errors))).collect()
}

async fn count(app: &TestApp) -> u64 {
    invitations::Entity::find().count(&app.state().db).await.unwrap()
}

async fn of_address(app: &TestApp, email: &str) -> Vec<invitations::Model> {
    let of_address = invitations::Entity::find().filter(invitations::Column::Email.eq(email));
    of_address.all(&app.state().db).await.unwrap()
}

#[tokio::test]
async fn each_row_of_a_file_is_reported_and_its_code_mailed() {
    let app = TestApp::start(BACKEND).await;
    let (staff, admin) = (app.staff().await, app.admin().await);
    let file = "name,E-Mail,shoe_size\r\n\
        Ada,ada@example.net,36\r\n\
        Bob,nobody,\r\n\r\n\
        Ada,ADA@Example.net,\r\n\
        Kim,kim@localhost,\r\n\
        \"two\nlines\",grace@example.net,\r\n\
        short\r\n";
    let outcome = |first: &'static str| {
        expected(&[
            (2, first, &[]),
            (3, "rejected", &["email"]),
            (5, "rejected", &["duplicate"]),
            (6, "rejected", &["email"]),
            (7, first, &[]),
            (9, "rejected", &["email"]),
        ])
    };
    let dry = import(&staff, "&dry_run=true", file).await.ok();
    assert_eq!(rows(&dry), outcome("created"));
    assert_eq!((&dry["dry_run"], &dry["created"], &dry["rejected"]), (&json!(true), &json!(2), &json!(4)));
    assert!(dry["rows"].as_array().unwrap().iter().all(|row| row["invitation_id"].is_null()));
    assert_eq!(count(&app).await, 0);

    let report = import(&staff, "&label=Nurses", file).await.is(201).json();
    assert_eq!(rows(&report), outcome("created"));
    assert_eq!((&report["dry_run"], &report["created"], &report["existing"]), (&json!(false), &json!(2), &json!(0)));
    let emails: Vec<_> = report["rows"].as_array().unwrap().iter().map(|row| row["email"].as_str()).collect();
    let listed = ["ada@example.net", "nobody", "ada@example.net", "kim@localhost", "grace@example.net", ""];
    assert_eq!(emails, listed.map(Some));
    for (number, email) in [(0_usize, "ada@example.net"), (4, "grace@example.net")] {
        let row = of_address(&app, email).await.remove(0);
        assert_eq!((row.label.as_deref(), row.max_uses, row.centre_id), (Some("Nurses"), 1, None));
        assert_eq!(report["rows"][number]["invitation_id"], json!(row.id));
        let code = invitation_codes::of(app.state().auth.tokens.keys(), &row).unwrap();
        assert!(app.mail.wait_for(email, 1).await.text.contains(&code));
        assert!(!report.to_string().contains(&code));
    }

    // The same file again, and after one of them was used or revoked.
    let again = import(&staff, "", file).await.ok();
    assert_eq!((rows(&again), &again["existing"]), (outcome("existing"), &json!(2)));
    assert_eq!(again["rows"][0]["invitation_id"], report["rows"][0]["invitation_id"]);
    let account = app.account("ada@example.net", Role::Patient).await.unwrap();
    let ada = Actor::log_in(&app, account.id, account.email).await;
    let row = of_address(&app, "ada@example.net").await.remove(0);
    let code = invitation_codes::of(app.state().auth.tokens.keys(), &row);
    let body = json!({ "vaccine_id": app.vaccine("FLU").await, "invitation_code": code });
    ada.post("/vaccine-requests", body).await.created();
    let grace = of_address(&app, "grace@example.net").await.remove(0);
    staff.delete(&format!("/invitations/{}", grace.id)).await.no_content();
    assert_eq!(import(&staff, "", file).await.is(201).json()["created"], 2);
    assert_eq!(count(&app).await, 4);

    let events = admin.get("/audit-events?action=invitations_imported").await.ok();
    let event = &events["items"][0];
    assert_eq!((&event["actor_id"], &event["object_id"]), (&json!(staff.id), &course(&app, "FLU").await));
    assert_eq!((&event["detail"], events["items"].as_array().unwrap().len()), (&json!("2 invitations"), 2));
}

#[tokio::test]
async fn a_file_that_is_sent_twice_at_once_invites_each_address_once() {
    let app = TestApp::start(BACKEND).await;
    let other = app.another_instance().await;
    let (one, two) = (app.staff().await, app.staff().await);
    let two = Actor::log_in(&other, two.id, two.email.clone()).await;
    let file = (0..1200).fold("email\n".to_owned(), |file, row| format!("{file}somebody-{row}@example.net\n"));
    let (first, second) = tokio::join!(import(&one, "", file.clone()), import(&two, "", file));
    let created = |report: &TestResponse| report.json()["created"].as_u64().unwrap();
    assert_eq!((created(&first) + created(&second), count(&app).await), (1200, 1200));
    let statuses = [first.status, second.status];
    assert!(statuses.contains(&201) && statuses.contains(&200), "{statuses:?}");
}

#[tokio::test]
async fn an_address_can_have_an_invitation_for_each_centre() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let staff = app.staff().await;
    let own = add_centre(&clinic.admin, "UTC").await;
    clinic.admin.put_empty(&format!("/centres/{own}/staff/{}", staff.id)).await.no_content();
    let file = "ada@example.net\n";
    for query in [format!("&centre_id={own}"), String::new()] {
        import(&staff, &query, file).await.is(201);
        assert_eq!(rows(&import(&staff, &query, file).await.ok()), expected(&[(1, "existing", &[])]));
    }
    let elsewhere = format!("&centre_id={}", clinic.centre);
    import(&staff, &elsewhere, file).await.violates(&[("centre_id", "unknown")]);
    assert_eq!(count(&app).await, 2);
}

#[tokio::test]
async fn files_of_spreadsheets_and_plain_lists_are_read() {
    let app = TestApp::start(BACKEND).await;
    let staff = app.staff().await;
    let no_errors: &[&str] = &[];
    for (begin, end, lines) in [
        ("\u{feff}email\r\n", "\r\n", [2, 3]),
        ("sep=;\nName;E-mail address\nA;", "\n", [3, 4]),
        ("email\r", "\r", [2, 3]),
        ("", "\n", [1, 2]),
        ("", "", [1, 2]),
    ] {
        let separator = if begin.contains(';') { "\nB;" } else { ["\r", "\n"][usize::from(!begin.ends_with('\r'))] };
        let file = format!("{begin}ada@example.net{separator}eve@example.net{end}");
        let report = import(&staff, "&dry_run=true", file.clone()).await.ok();
        assert_eq!(rows(&report), expected(&lines.map(|line| (line, "created", no_errors))), "{file:?}");
    }
    let form = "--frontier\r\ncontent-disposition: form-data; name=\"file\"; filename=\"list.csv\"\r\n\
        content-type: application/vnd.ms-excel\r\n\r\nemail\r\nada@example.net\r\n--frontier--\r\n";
    let report = staff.upload(&path(&app, "").await, "multipart/form-data; boundary=frontier", form).await;
    assert_eq!(report.is(201).json()["created"], 1);
    // A row that cannot be read.
    let report = import(&staff, "", b"email\n\xe4da@example.net\neve@example.net\n".to_vec()).await.is(201).json();
    assert_eq!(rows(&report), expected(&[(2, "rejected", &["encoding"]), (3, "created", &[])]));
    assert_eq!(report["rows"][0]["email"], Value::Null);
}

#[tokio::test]
async fn a_file_that_is_not_accepted_changes_nothing() {
    let app = TestApp::start(BACKEND).await;
    let (ada, staff) = (app.patient().await, app.staff().await);
    import(&staff, "", "").await.violates(&[(".", "empty")]);
    import(&staff, "", "\u{feff}\n\n").await.violates(&[(".", "empty")]);
    import(&staff, "", "name,phone\nAda,12345\n").await.violates(&[("email", "column")]);
    import(&staff, "", b"\xff\xfee\0".to_vec()).await.violates(&[("email", "column")]);
    let file = (0..=10_000).fold("email\n".to_owned(), |file, row| file + &format!("somebody-{row}@example.net\n"));
    import(&staff, "", file).await.violates(&[(".", "rows")]);
    let file = "email\nada@example.net\n";
    import(&staff, "&valid_from=2999-01-01T00:00:00Z", file).await.violates(&[("valid_until", "order")]);
    import(&staff, "&dry_run=maybe", file).await.violates(&[("dry_run", "type")]);
    let unknown = format!("/invitations/import?course_id={}&valid_until=2999-01-01T00:00:00Z", Uuid::now_v7());
    staff.upload(&unknown, "text/csv", file).await.violates(&[("valid_until", "range")]);
    let until = (app.clock.now() + Duration::days(1)).format("%FT%TZ");
    let unknown = format!("/invitations/import?course_id={}&valid_until={until}", Uuid::now_v7());
    staff.upload(&unknown, "text/csv", file).await.violates(&[("course_id", "unknown")]);
    let missing = [("course_id", "required"), ("valid_until", "required")];
    staff.upload("/invitations/import", "text/csv", file).await.violates(&missing);
    for media_type in ["application/json", "text/vcard", "text/csv; charset=iso-8859-1"] {
        let answer = staff.upload(&path(&app, "").await, media_type, file).await;
        answer.problem(415, "unsupported-media-type");
    }
    import(&ada, "", file).await.problem(403, "forbidden");
    assert_eq!(count(&app).await, 0);
}
