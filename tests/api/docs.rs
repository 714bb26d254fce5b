//! The OpenAPI document is complete and correct, and Swagger UI is served.
//!
//! Every test compares each response with the document.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use actix_web::introspection::IntrospectionTree;
use actix_web::{App, web};
use serde_json::Value;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::BACKEND;
use crate::support::app::TestApp;
use crate::support::contract::DOCUMENT;

/// Returns each operation of the document as (method, path, operation).
fn operations() -> Vec<(String, String, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object().expect("a document has paths");
    let of = |(path, item): (&String, &'static Value)| {
        let path = path.clone();
        let item = item.as_object().expect("a path has operations");
        item.iter().map(move |(method, operation)| (method.to_uppercase(), path.clone(), operation)).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of).collect()
}

#[actix_web::test]
async fn every_route_is_documented_and_every_documented_route_exists() {
    let seen: Arc<Mutex<BTreeSet<(String, String)>>> = Arc::default();
    let service = actix_web::test::init_service(
        App::new().configure(|config| care4u::api::routes(&mut ServiceConfig::new(config))).service(
            web::resource("/introspection").to({
                let seen = Arc::clone(&seen);
                move |tree: web::Data<IntrospectionTree>| {
                    let report: Value = serde_json::from_str(&tree.report_as_json()).expect("a report is JSON");
                    for route in report.as_array().into_iter().flatten() {
                        let path = route["full_path"].as_str().unwrap_or_default().to_owned();
                        for method in route["methods"].as_array().into_iter().flatten() {
                            let method = method.as_str().unwrap_or_default().to_owned();
                            seen.lock().expect("the lock is not poisoned").insert((method, path.clone()));
                        }
                    }
                    async { "" }
                }
            }),
        ),
    )
    .await;
    let request = actix_web::test::TestRequest::get().uri("/introspection").to_request();
    actix_web::test::call_service(&service, request).await;
    let documented: BTreeSet<_> = operations().into_iter().map(|(method, path, _)| (method, path)).collect();
    let mut served = seen.lock().expect("the lock is not poisoned").clone();
    // The scope itself, which looks like a route because of the guard on its method.
    served.remove(&("GET".to_owned(), "/api/v1/vaccines/".to_owned()));
    assert_eq!(served, documented);
    assert!(served.len() > 20, "{served:?}");
}

#[tokio::test]
async fn every_operation_is_documented_completely() {
    let app = TestApp::start(BACKEND).await;
    let served = app.get("/api-docs/openapi.json").await;
    assert_eq!(served.header("content-type"), "application/json");
    assert_eq!(&served.ok(), &*DOCUMENT);
    assert!(DOCUMENT["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations() {
        let what = format!("{method} {path}");
        let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{what} has no id"));
        assert!(ids.insert(id.to_owned()), "{what}: {id} is the id of two operations");
        assert!(id.contains('_') && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{what}: {id}");
        let tags = operation["tags"].as_array().unwrap();
        assert!(tags.iter().all(|tag| !tag.as_str().unwrap().contains(' ')), "{what}: {tags:?}");
        let summary = operation["summary"].as_str().unwrap();
        assert!(summary.len() <= 60 && !summary.ends_with('.'), "{what}: {summary}");
        assert!(operation["description"].as_str().unwrap_or_default().contains("**Open to:**"), "{what}");
        let guarded = operation["security"].is_array();
        assert_eq!(
            operation["responses"].get("401").is_some(),
            guarded || path.ends_with("/login") || path.ends_with("/refresh"),
            "{what}"
        );
        for (status, response) in operation["responses"].as_object().unwrap() {
            let described = response["description"].as_str().is_some_and(|text| !text.is_empty());
            assert!(described, "{what} does not describe {status}");
            let has_body = response["content"].is_object();
            assert_eq!(has_body, status != "204", "{what} {status}");
        }
    }
}

#[test]
fn the_document_is_valid_openapi_3_1() {
    // From https://spec.openapis.org/oas/3.1/schema/, under the Apache licence 2.0.
    let schema = include_str!("../support/openapi/schema-3.1.json");
    let schema: Value = serde_json::from_str(schema).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("it is a valid JSON Schema");
    let errors: Vec<_> =
        validator.iter_errors(&DOCUMENT).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let mut broken = DOCUMENT.clone();
    broken["paths"]["/api/v1/users/me"]["get"]["responses"] = Value::Null;
    assert!(!validator.is_valid(&broken));
}

#[tokio::test]
async fn every_reference_resolves_and_every_schema_has_examples() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    found.insert(reference.clone());
                }
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    references(&DOCUMENT, &mut found);
    assert!(found.len() > 10);
    for reference in &found {
        let pointer = reference.strip_prefix('#').expect("references are local to the document");
        assert!(DOCUMENT.pointer(pointer).is_some(), "{reference} does not resolve");
    }
    for (name, schema) in DOCUMENT["components"]["schemas"].as_object().unwrap() {
        assert!(found.contains(&format!("#/components/schemas/{name}")), "{name} is not used");
        let Some(properties) = schema["properties"].as_object() else { continue };
        for (property, value) in properties {
            // A request body has one example for all its members.
            if schema["example"].get(property).is_some() {
                continue;
            }
            let is_optional =
                !schema["required"].as_array().is_some_and(|names| names.iter().any(|name| name == property));
            if is_optional && schema["example"].is_object() {
                continue;
            }
            let is_clear = ["example", "$ref", "format", "oneOf", "items"].iter().any(|key| value.get(key).is_some())
                || value["type"] == "boolean";
            assert!(is_clear, "{name}.{property} has no example: {value}");
        }
    }
}

#[tokio::test]
async fn swagger_ui_is_served_with_and_without_the_slash() {
    let app = TestApp::start(BACKEND).await;
    let response = app.get("/docs").await;
    assert_eq!(response.is(307).header("location"), "/docs/");
    assert_eq!(app.get("/docs/").await.is(200).header("content-type"), "text/html");
    app.get("/docs/swagger-ui-bundle.js").await.is(200);
    app.get("/docs/nothing.js").await.is(404);
}

#[test]
fn swagger_ui_authorizes_with_the_token_endpoint() {
    let flow = &DOCUMENT["components"]["securitySchemes"]["oauth2"]["flows"]["password"];
    assert_eq!(flow["tokenUrl"], "/api/v1/auth/token");
    assert!(DOCUMENT["paths"]["/api/v1/auth/token"]["post"].is_object());
}
