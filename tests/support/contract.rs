//! Contract test: each response in each test must have a status, a media type and a body that the OpenAPI
//! document declares for its operation.

use std::sync::LazyLock;

use reqwest::Method;
use serde_json::{Value, json};

use super::response::TestResponse;

pub static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(care4u::api::docs::openapi(None)).expect("the document is JSON"));

/// Fails the test if the document does not declare this response. Unknown paths and methods can
/// only get 404 and 405.
pub fn check(method: &Method, path: &str, response: &TestResponse) {
    let is_page = path == "/" || path == "/problems";
    if is_page || path.starts_with("/docs") || path.starts_with("/api-docs") {
        return;
    }
    let method = if method == Method::HEAD { "get".to_owned() } else { method.as_str().to_lowercase() };
    let Some((template, operation)) = operation(&method, path) else {
        // The guard of a scope responds before the path is routed.
        assert!([401, 404, 405].contains(&response.status), "{method} {path} is not documented: {response:?}");
        return;
    };
    let what = format!("{method} {template} {}", response.status);
    let responses = &operation["responses"];
    let declared = responses.get(response.status.to_string()).or_else(|| responses.get("default"));
    let declared = declared.unwrap_or_else(|| panic!("{what} is not documented: {}", response.text));
    let declared = match declared["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => DOCUMENT.pointer(pointer).expect("the reference resolves"),
        None => declared,
    };
    check_body(declared, response, &what);
    check_problem(declared, response, &what);
}

/// Fails the test if the document has no example of the problem type of the response.
fn check_problem(declared: &Value, response: &TestResponse, what: &str) {
    let content = &declared["content"]["application/problem+json"];
    if response.text.is_empty() || !content.is_object() {
        return;
    }
    let single = content.get("example");
    let several = content["examples"].as_object().into_iter().flatten().map(|(_, example)| &example["value"]);
    let given = &response.json()["type"];
    let is_documented = single.into_iter().chain(several).any(|example| example["type"] == *given);
    assert!(is_documented, "{what} has no example of {given}");
}

fn operation(method: &str, path: &str) -> Option<(&'static str, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object().expect("a document has paths");
    let mut candidates: Vec<_> = paths.iter().filter(|(template, _)| matches(template, path)).collect();
    candidates.sort_by_key(|(template, _)| template.matches('{').count());
    candidates.iter().find_map(|(template, item)| Some((template.as_str(), item.get(method)?)))
}

fn matches(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template.iter().zip(&path).all(|(part, given)| part.starts_with('{') || part == given)
}

fn check_body(declared: &Value, response: &TestResponse, what: &str) {
    let Some(content) = declared["content"].as_object() else {
        assert!(response.text.is_empty(), "{what} documents no body, but there is one: {}", response.text);
        return;
    };
    if response.text.is_empty() {
        // HEAD
        return;
    }
    let media_type = response.header("content-type").split(';').next().unwrap_or_default();
    let schema = &content.get(media_type).unwrap_or_else(|| panic!("{what} does not document {media_type}"))["schema"];
    if !media_type.ends_with("json") {
        return;
    }
    let root = json!({ "allOf": [schema], "components": DOCUMENT["components"] });
    let validator = jsonschema::validator_for(&root).expect("the schemas are valid");
    let errors: Vec<_> = validator.iter_errors(&response.json()).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{what} breaks its schema: {errors:?} in {}", response.text);
}
