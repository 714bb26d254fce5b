//! Import of each file of `tests/address_books`. Beside each is a JSON document with the contacts that it gives, in the order of
//! the list, and what the report says.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::contact_imports::errors;
use crate::BACKEND;
use crate::support::app::TestApp;

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/address_books");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end != "json")).collect();
    files.sort();
    files
}

/// Whether a value has at least the members of an expected one.
fn has(value: &Value, expected: &Value) -> bool {
    match expected.as_object() {
        Some(members) => members.iter().all(|(name, member)| has(&value[name], member)),
        None => value == expected,
    }
}

#[tokio::test]
async fn each_address_book_gives_the_expected_contacts() {
    let app = TestApp::start(BACKEND).await;
    let mut failures = Vec::new();
    let files = files();
    assert!(files.len() > 50, "{}", files.len());
    for path in files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let expected: Value = serde_json::from_slice(&std::fs::read(path.with_extension("json")).unwrap()).unwrap();
        let by_name = if name.ends_with(".vcf") { "text/vcard" } else { "text/csv" };
        let media_type = expected["content_type"].as_str().unwrap_or(by_name);
        let query = expected["query"].as_str().map(|query| format!("?{query}")).unwrap_or_default();
        let owner = app.patient().await;
        let file = std::fs::read(&path).unwrap();
        let response = owner.upload(&format!("/contacts/imports{query}"), media_type, file).await;
        if response.status != 201 {
            failures.push(format!("{name}: {response:?}"));
            continue;
        }
        let report = response.json();
        let contacts = owner.get("/contacts?limit=100").await.ok();
        let contacts = contacts["items"].as_array().unwrap();
        let wanted = expected["contacts"].as_array().unwrap();
        let are_same =
            contacts.len() == wanted.len() && contacts.iter().zip(wanted).all(|(one, other)| has(one, other));
        let warnings = report["warnings"].as_array().unwrap().iter();
        let warnings: Vec<Value> =
            warnings.map(|warning| json!([warning["line"], warning["field"], warning["code"]])).collect();
        let is_unused = expected.get("unused").is_none_or(|unused| *unused == report["unused"]);
        let is_refused = json!(errors(&report)) == expected["errors"];
        if !(are_same && is_unused && is_refused && json!(warnings) == expected["warnings"]) {
            failures.push(format!("{name}: {report}\n  {}\n  expected {expected}", json!(contacts)));
        }
        assert_eq!(report["imported"], contacts.len(), "{name}");
    }
    assert!(failures.is_empty(), "{} files\n{}", failures.len(), failures.join("\n"));
}
