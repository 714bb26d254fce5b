//! Imports of contacts that are there already: skipped, updated or added, and undone.

use sea_orm::EntityTrait as _;
use serde_json::{Value, json};

use super::contact_imports::import_csv;
use crate::BACKEND;
use crate::support::actor::Actor;
use crate::support::app::TestApp;

async fn import(owner: &Actor<'_>, on_duplicate: &str, file: impl Into<Vec<u8>>) -> [u64; 4] {
    let path = format!("/contacts/imports?on_duplicate={on_duplicate}");
    counts(&owner.upload(&path, "text/csv", file).await.created())
}

fn counts(report: &Value) -> [u64; 4] {
    ["imported", "updated", "skipped", "rejected"].map(|name| report[name].as_u64().unwrap())
}

async fn contacts(owner: &Actor<'_>) -> Vec<Value> {
    owner.get("/contacts?limit=100").await.ok()["items"].as_array().unwrap().clone()
}

/// Creates contacts of every kind.
async fn create_some(owner: &Actor<'_>) {
    for body in [
        json!({ "first_name": "Byron", "last_name": "King", "birth_month": 5, "birth_day": 12, "note": "a, \"b\"\nc;" }),
        json!({ "first_name": "Byron", "last_name": "King" }),
        json!({ "first_name": "Tove Lind" }),
        json!({ "last_name": "van der Berg" }),
        json!({ "organization": "Acme; Sales, Ltd" }),
        json!({
            "first_name": "Ada", "organization": "Acme; Sales, Ltd", "birth_month": 2, "birth_day": 29, "birth_year": 2000,
            "emails": [{ "value": "a@example.org", "label": "work" }, { "value": "b@example.org", "label": "Schloß, x" }],
            "phone_numbers": [{ "value": "+44 1", "label": null }, { "value": "-22", "label": "mobile" }],
        }),
    ] {
        owner.post("/contacts", body).await.created();
    }
}

#[tokio::test]
async fn importing_an_own_export_again_changes_nothing() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    create_some(&ada).await;
    let before = contacts(&ada).await;
    for query in
        ["format=csv", "format=csv&bom=true", "format=vcard", "format=vcard&version=3.0", "format=csv&safe=true"]
    {
        let file = ada.get(&format!("/contacts/export?{query}")).await.is(200).text.clone();
        let media_type = if query.contains("csv") { "text/csv" } else { "text/vcard" };
        for (mode, expected) in [("skip", [0, 0, 6, 0]), ("update", [0, 0, 6, 0])] {
            if mode == "update" && query.contains("safe") {
                continue;
            }
            let path = format!("/contacts/imports?on_duplicate={mode}");
            let report = ada.upload(&path, media_type, file.clone()).await.created();
            let [imported, updated, skipped, rejected] = counts(&report);
            assert_eq!([imported, updated, skipped, rejected], expected, "{query} {mode}: {report}\n{file}");
            assert_eq!((&report["warnings"], &report["unused"]), (&json!([]), &json!([])), "{query}");
        }
        assert_eq!(contacts(&ada).await, before, "{query}");
        // To somebody else they are new, and they keep their UIDs.
        let bob = app.patient().await;
        let path =
            format!("/contacts/imports?{}", if query.contains("safe") { "dry_run=true" } else { "dry_run=false" });
        let report = bob.upload(&path, media_type, file).await;
        assert_eq!(counts(&report.json())[0], 6, "{query}");
        if !query.contains("safe") {
            for (one, other) in contacts(&bob).await.iter().zip(&before) {
                for name in [
                    "uid",
                    "name",
                    "first_name",
                    "last_name",
                    "organization",
                    "emails",
                    "phone_numbers",
                    "note",
                    "birth_year",
                ] {
                    assert_eq!(one[name], other[name], "{query}: {name}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_contact_is_known_by_its_uid_or_its_name_with_a_birthday_or_an_email() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let head = "uid,first_name,last_name,organization,email,birthday\n";
    let file = format!("{head}card-1,Byron,King,,byron@example.org,2019-05-12\n,Ralph,King,,,\n");
    assert_eq!(counts(&import_csv(&ada, file.clone()).await), [2, 0, 0, 0]);
    assert_eq!(contacts(&ada).await[0]["uid"], "card-1");
    // The name alone is not enough.
    assert_eq!(counts(&import_csv(&ada, file).await), [1, 0, 1, 0]);
    for (row, is_known) in [
        ("card-1,Somebody,Else,,,", true),
        ("card-2,BYRON,king,,,2019-05-12", true),
        ("card-2,Byron,King,,BYRON@example.org,", true),
        (",Byron,King,,other@example.org,2019-05-12", true),
        (",Byron,King,,other@example.org,2019-05-13", false),
        (",Byron,King,,,--05-12", false),
        (",Byron,King,Acme,byron@example.org,", true),
        // Father and son, with the address of the household.
        (",Byron,King,,byron@example.org,1950-01-01", false),
        (",,,Byron King,byron@example.org,", false),
        (",Byr,King,,byron@example.org,", false),
    ] {
        let report = ada.upload("/contacts/imports?dry_run=true", "text/csv", format!("{head}{row}\n")).await.ok();
        assert_eq!(counts(&report), if is_known { [0, 0, 1, 0] } else { [1, 0, 0, 0] }, "{row}");
    }
    // Rows of one file are compared as well, in whichever batch they are.
    let many =
        (0..700).fold(head.to_owned(), |file, row| file + &format!(",N{},M,,n{}@example.org,\n", row % 350, row % 350));
    assert_eq!(counts(&import_csv(&ada, many).await), [350, 0, 350, 0]);
    // Nobody else's contacts.
    let bob = app.patient().await;
    assert_eq!(counts(&import_csv(&bob, format!("{head}card-1,Byron,King,,,\n")).await), [1, 0, 0, 0]);
}

#[tokio::test]
async fn an_update_sets_what_the_file_has_and_can_be_undone() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let body = json!({
        "first_name": "Byron", "last_name": "King", "birth_month": 5, "birth_day": 12, "birth_year": 2019, "note": "old",
        "emails": [{ "value": "byron@example.org", "label": "home" }], "phone_number": "1234",
    });
    let before = ada.post("/contacts", body).await.created();
    let (id, uid) = (before["id"].as_str().unwrap(), before["uid"].as_str().unwrap());
    let request = json!({ "vaccine_id": app.vaccine("MMR").await, "contact_id": id });
    let request = ada.post("/vaccine-requests", request).await.created()["id"].as_str().unwrap().to_owned();
    let file = format!(
        "uid,first_name,last_name,note,phone_number\n{uid},Byron,King-Noel,new,\n{uid},,,newer,5678\n,New,One,,\n"
    );
    let path = "/contacts/imports?on_duplicate=update";
    let report = ada.upload(path, "text/csv", file).await.created();
    // The second row has no name, and is refused.
    assert_eq!(counts(&report), [1, 1, 0, 1], "{report}");
    let path = format!("/contacts/{id}");
    let updated = ada.get(&path).await.ok();
    assert_eq!(
        (&updated["last_name"], &updated["note"], &updated["phone_number"]),
        (&json!("King-Noel"), &json!("new"), &json!("1234"))
    );
    assert_eq!((&updated["birth_year"], &updated["emails"]), (&json!(2019), &before["emails"]));
    let patient = async || ada.get(&format!("/vaccine-requests/{request}")).await.ok()["patient"]["name"].clone();
    assert_eq!(patient().await, "Byron King-Noel");
    let import = format!("/contacts/imports/{}", report["id"].as_str().unwrap());
    let stored = ada.get(&import).await.ok();
    assert_eq!((&stored["imported"], &stored["updated"], &stored["skipped"]), (&json!(1), &json!(1), &json!(0)));
    // The same again changes nothing.
    let same = format!("uid,first_name,last_name,note\n{uid},Byron,King-Noel,new\n");
    assert_eq!(import_rows(&ada, &same).await, [0, 0, 1, 0]);
    ada.patch(&path, json!({ "note": "by hand" })).await.ok();
    ada.delete(&import).await.no_content();
    let mut restored = ada.get(&path).await.ok();
    restored["updated_at"] = before["updated_at"].clone();
    assert_eq!(restored, before);
    assert_eq!(patient().await, "Byron King");
    assert_eq!(contacts(&ada).await.len(), 1);
}

async fn import_rows(owner: &Actor<'_>, file: &str) -> [u64; 4] {
    import(owner, "update", file.to_owned()).await
}

#[tokio::test]
async fn add_creates_contacts_again() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let file = "uid,first_name,last_name,email\ncard-1,Byron,King,byron@example.org\n,Ralph,King,ralph@example.org\n";
    assert_eq!(import(&ada, "skip", file).await, [2, 0, 0, 0]);
    assert_eq!(import(&ada, "add", file).await, [2, 0, 0, 0]);
    let mut uids: Vec<String> =
        contacts(&ada).await.iter().map(|contact| contact["uid"].as_str().unwrap().to_owned()).collect();
    uids.sort();
    uids.dedup();
    assert_eq!(uids.len(), 4);
    ada.upload("/contacts/imports?on_duplicate=merge", "text/csv", file).await.violates(&[("on_duplicate", "type")]);
}

#[tokio::test]
async fn an_update_keeps_what_the_row_lacks() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let body = json!({
        "first_name": "Ada", "last_name": "King", "organization": "Zoo", "note": "old",
        "birth_month": 5, "birth_day": 12, "birth_year": 2019,
        "emails": [{ "value": "a@example.org", "label": "work" }, { "value": "b@example.org", "label": "home" }],
    });
    let before = ada.post("/contacts", body).await.created();
    let uid = before["uid"].as_str().unwrap();
    let file = format!("uid,first_name,note,birthday,email\n{uid},Ada,new,--05-12,b@example.org\n");
    assert_eq!(import(&ada, "update", file).await, [0, 1, 0, 0]);
    let contact = &contacts(&ada).await[0];
    for name in ["first_name", "last_name", "organization", "birth_month", "birth_day", "birth_year"] {
        assert_eq!(contact[name], before[name], "{name}");
    }
    assert_eq!((&contact["note"], &contact["email"]), (&json!("new"), &json!("b@example.org")));
    let emails = json!([{ "value": "b@example.org", "label": "home" }, { "value": "a@example.org", "label": "work" }]);
    assert_eq!(contact["emails"], emails);
}

#[tokio::test]
async fn an_update_keeps_the_emails_of_a_full_contact() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let email = |number: usize| json!({ "value": format!("{number}@example.org") });
    let emails: Vec<Value> = (0..20).map(email).collect();
    let before = ada.post("/contacts", json!({ "first_name": "Ada", "emails": emails })).await.created();
    let file =
        format!("uid,first_name,email\n{},Ada,new@example.org ::: 7@example.org\n", before["uid"].as_str().unwrap());
    let report = ada.upload("/contacts/imports?on_duplicate=update", "text/csv", file).await.created();
    let warning = json!({
        "line": 2, "field": "email", "code": "items", "message": "must be at most 20", "value": "new@example.org",
    });
    assert_eq!(report["warnings"], json!([warning]));
    let contact = &contacts(&ada).await[0];
    assert_eq!((&contact["email"], contact["emails"].as_array().unwrap().len()), (&json!("7@example.org"), 20));
}

/// The rows of a file are of the same contacts whether they come in one batch or in several.
#[tokio::test]
async fn a_contact_is_found_by_the_names_of_the_rows_before() {
    let app = TestApp::start(BACKEND).await;
    let rows = [
        "card-1,Byron,King,a@example.org",
        "card-1,Byron,Noel,",
        ",Byron,Noel,a@example.org",
        ",Byron,King,a@example.org",
    ];
    for others in [0, 300] {
        let ada = app.patient().await;
        ada.upload(
            "/contacts/imports",
            "text/csv",
            "uid,first_name,last_name,email\ncard-1,Byron,King,a@example.org\n",
        )
        .await
        .created();
        let others: String = (0..others).map(|number| format!(",Other,Number {number},\n")).collect();
        let rows: Vec<String> = rows.iter().map(|row| format!("{row}\n{others}")).collect();
        let file = format!("uid,first_name,last_name,email\n{}", rows.concat());
        let report = ada.upload("/contacts/imports?on_duplicate=update", "text/csv", file).await.created();
        assert_eq!((&report["updated"], &report["skipped"]), (&json!(1), &json!(2)), "{report}");
        let found = ada.get("/contacts?q=a%40example.org").await.ok();
        let mut names: Vec<&str> =
            found["items"].as_array().unwrap().iter().map(|contact| contact["name"].as_str().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names, ["Byron King", "Byron Noel"]);
    }
}

#[tokio::test]
async fn imports_are_undone_in_any_order() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let before = ada.post("/contacts", json!({ "first_name": "Byron", "note": "0" })).await.created();
    let (id, uid) = (before["id"].as_str().unwrap(), before["uid"].as_str().unwrap());
    let path = format!("/contacts/{id}");
    let note = async || ada.get(&path).await.ok()["note"].clone();
    for order in [[0, 1], [1, 0]] {
        let mut imports = Vec::new();
        for value in ["1", "2"] {
            let file = format!("uid,first_name,note\n{uid},Byron,{value}\n");
            let report = ada.upload("/contacts/imports?on_duplicate=update", "text/csv", file).await.created();
            imports.push(format!("/contacts/imports/{}", report["id"].as_str().unwrap()));
        }
        assert_eq!(note().await, "2");
        ada.delete(&imports[order[0]]).await.no_content();
        assert_eq!(note().await, if order[0] == 0 { "2" } else { "1" });
        ada.delete(&imports[order[1]]).await.no_content();
        assert_eq!(note().await, "0");
    }
    // Each import is undone alone: what another one has set stays.
    let mut imports = Vec::new();
    for (columns, values) in [("note,email", "1,a@example.org"), ("birthday,email", "--05-12,b@example.org")] {
        let file = format!("uid,first_name,{columns}\n{uid},Byron,{values}\n");
        let report = ada.upload("/contacts/imports?on_duplicate=update", "text/csv", file).await.created();
        imports.push(format!("/contacts/imports/{}", report["id"].as_str().unwrap()));
    }
    let values = async || {
        let contact = ada.get(&path).await.ok();
        let emails = contact["emails"].as_array().unwrap().iter();
        let emails: Vec<Value> = emails.map(|email| email["value"].clone()).collect();
        json!([contact["note"], contact["birth_day"], emails])
    };
    assert_eq!(values().await, json!(["1", 12, ["b@example.org", "a@example.org"]]));
    ada.delete(&imports[0]).await.no_content();
    assert_eq!(values().await, json!(["0", 12, ["b@example.org"]]));
    ada.delete(&imports[1]).await.no_content();
    assert_eq!(values().await, json!(["0", null, []]));
    // A contact that is deleted leaves nothing behind.
    let file = format!("uid,first_name,note\n{uid},Byron,3\n");
    assert_eq!(import(&ada, "update", file).await, [0, 1, 0, 0]);
    ada.delete(&path).await.no_content();
    let kept = entity::contact_import_updates::Entity::find().all(&app.state().db).await.unwrap();
    assert!(kept.is_empty(), "{kept:?}");
}

#[tokio::test]
async fn a_change_of_a_patient_by_an_import_is_recorded() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let contact = ada.post("/contacts", json!({ "first_name": "Byron" })).await.created();
    let body = json!({ "vaccine_id": app.vaccine("MMR").await, "contact_id": contact["id"] });
    ada.post("/vaccine-requests", body).await.created();
    let count = async || {
        let events = ada.get("/users/me/activity?limit=100").await.ok();
        let actions = events["items"].as_array().unwrap().iter().map(|event| event["action"].clone());
        actions.filter(|action| *action == "patient_changed").count()
    };
    let uid = contact["uid"].as_str().unwrap();
    for (row, changes) in [("Byron,x", 0), ("Byron Noel,x", 1)] {
        let file = format!("uid,first_name,note\n{uid},{row}\n");
        let report = ada.upload("/contacts/imports?on_duplicate=update", "text/csv", file).await.created();
        assert_eq!((&report["updated"], count().await), (&json!(1), changes), "{row}");
    }
}
