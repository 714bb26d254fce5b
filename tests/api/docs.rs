//! The OpenAPI document is complete and correct, and Swagger UI is served.
//!
//! Every test compares each response with the document.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use actix_web::introspection::IntrospectionTree;
use actix_web::{App, web};
use reqwest::Method;
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
    // The scopes themselves, which look like routes because of the guard on their method.
    for scope in ["centres", "courses", "slots", "vaccines"] {
        served.remove(&("GET".to_owned(), format!("/api/v1/{scope}/")));
    }
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
        // Open operations say so.
        let is_guarded = !operation["security"].as_array().expect("every operation has a list").is_empty();
        let is_with_optional_token = ["/login", "/refresh", "/verify-email"].iter().any(|end| path.ends_with(end));
        assert_eq!(operation["responses"].get("401").is_some(), is_guarded || is_with_optional_token, "{what}");
        for (status, response) in operation["responses"].as_object().unwrap() {
            let response = resolved(response);
            let described = response["description"].as_str().is_some_and(|text| !text.is_empty());
            assert!(described, "{what} does not describe {status}");
            let has_body = response["content"].is_object();
            assert_eq!(has_body, !["204", "304"].contains(&status.as_str()), "{what} {status}");
        }
    }
}

/// The object, or the one to which it refers.
fn resolved(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => DOCUMENT.pointer(pointer).expect("the reference resolves"),
        None => value,
    }
}

#[test]
fn every_error_response_has_examples_of_its_own_status() {
    let mut shown = BTreeSet::new();
    for (method, path, operation) in operations() {
        let responses = operation["responses"].as_object().unwrap().iter();
        for (status, response) in responses.filter(|(status, _)| *status != "304") {
            let content = &resolved(response)["content"];
            let problem = &content["application/problem+json"];
            if status.starts_with('2') || !problem.is_object() {
                assert!(status.starts_with('2') || content["application/json"]["example"]["error"].is_string());
                continue;
            }
            let several = problem["examples"].as_object().into_iter().flatten().map(|(_, example)| &example["value"]);
            let examples: Vec<_> = problem.get("example").into_iter().chain(several).collect();
            assert!(!examples.is_empty(), "{method} {path} {status}");
            for example in examples {
                assert!(
                    status == "default" || example["status"].as_u64() == status.parse().ok(),
                    "{method} {path} {example}"
                );
                shown.insert(example["type"].as_str().unwrap().to_owned());
                for error in example["errors"].as_array().into_iter().flatten() {
                    let field = error["field"].as_str().unwrap();
                    assert!(
                        operation.to_string().contains(field) || has_member(operation, field),
                        "{method} {path}: {field}"
                    );
                }
            }
        }
    }
    assert!(shown.len() > 20, "{shown:?}");
}

fn has_member(operation: &'static Value, name: &str) -> bool {
    let content = operation["requestBody"]["content"].as_object();
    content.into_iter().flatten().any(|(_, body)| resolved(&body["schema"])["properties"].get(name).is_some())
}

/// Swagger UI fills the form with examples, and sends them.
#[test]
fn optional_parameters_have_no_example_and_bodies_no_default() {
    for (method, path, operation) in operations() {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let has_example = parameter.get("example").or_else(|| parameter["schema"].get("example")).is_some();
            assert!(parameter["required"] == true || !has_example, "{method} {path}: {parameter}");
        }
        let content = operation["requestBody"]["content"].as_object();
        for (media_type, body) in content.into_iter().flatten() {
            assert!(!resolved(&body["schema"]).to_string().contains("\"default\":"), "{method} {path} {media_type}");
        }
        if method == "PATCH" {
            let types: Vec<_> = content.unwrap().keys().collect();
            assert_eq!(types, ["application/merge-patch+json"], "{path}");
        }
    }
}

#[test]
fn the_items_of_lists_are_schemas_with_a_name() {
    let mut lists = 0;
    for (name, schema) in DOCUMENT["components"]["schemas"].as_object().unwrap() {
        if name.starts_with("PageReply_") {
            lists += 1;
            let item = schema["properties"]["items"]["items"]["$ref"].as_str();
            assert_eq!(item, Some(name.replace("PageReply_", "#/components/schemas/").as_str()));
        }
    }
    assert!(lists >= 9, "{lists}");
    let contacts = &DOCUMENT["paths"]["/api/v1/contacts"];
    let of_list = resolved(&contacts["get"]["responses"]["200"]["content"]["application/json"]["schema"]);
    let created = &contacts["post"]["responses"]["201"]["content"]["application/json"]["schema"]["$ref"];
    assert_eq!(&of_list["properties"]["items"]["items"]["$ref"], created);
}

#[test]
fn operations_and_groups_come_in_the_order_of_a_person_s_way() {
    let text = care4u::api::docs::openapi(None).to_json().unwrap();
    let position = |path: &str| text.find(&format!("\"{path}\":")).unwrap();
    assert!(position("/api/v1/auth/register") < position("/api/v1/auth/login"));
    assert!(position("/api/v1/auth/login") < position("/api/v1/auth/forgot-password"));
    let tags: Vec<_> = DOCUMENT["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    assert_eq!(tags[..4], ["auth", "account", "vaccines", "vaccine-requests"]);
}

#[tokio::test]
async fn with_a_public_url_the_document_has_its_addresses() {
    let changes = [("CARE4U__SERVER__PUBLIC_URL", "https://clinic.example/care4u")];
    let document = TestApp::start_with(BACKEND, &changes).await.get("/api-docs/openapi.json").await.ok();
    assert_eq!(document["servers"], serde_json::json!([{ "url": "https://clinic.example/care4u" }]));
    let flow = &document["components"]["securitySchemes"]["oauth2"]["flows"]["password"];
    assert_eq!(flow["tokenUrl"], "https://clinic.example/care4u/api/v1/auth/token");
    assert_eq!(DOCUMENT["servers"], serde_json::json!([{ "url": "/" }]));
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
            let is_clear =
                ["example", "enum", "$ref", "format", "oneOf", "items"].iter().any(|key| value.get(key).is_some())
                    || value["type"] == "boolean";
            assert!(is_clear, "{name}.{property} has no example: {value}");
        }
    }
}

#[tokio::test]
async fn swagger_ui_is_served_with_and_without_the_slash() {
    let app = TestApp::start(BACKEND).await;
    // Relative: a proxy may add a path prefix.
    assert_eq!(app.get("/docs").await.is(308).header("location"), "docs/");
    let page = app.get("/docs/").await;
    assert_eq!(page.is(200).header("content-type"), "text/html; charset=utf-8");
    assert!(page.text.contains("name=\"viewport\"") && page.text.contains("<title>care4u API</title>"));
    assert!(page.header("content-security-policy").contains("script-src 'self';"));
    app.get("/docs/nothing.js").await.problem(404, "not-found");
    app.get("/docs/../Cargo.toml").await.problem(404, "not-found");
}

#[tokio::test]
async fn the_files_of_the_page_are_cached_and_compressed_as_the_client_accepts_it() {
    let app = TestApp::start(BACKEND).await;
    let page = app.get("/docs/").await.text;
    let files: Vec<_> = page.split('"').filter(|part| part.contains("?v=")).collect();
    assert_eq!(files.len(), 5, "{files:?}");
    let get = |path: &str, encoding: &str| app.request(Method::GET, path).header("accept-encoding", encoding);
    for path in files.iter().map(|file| format!("/docs/{file}")).chain(["/api-docs/openapi.json".to_owned()]) {
        let plain = app.get(&path).await;
        let unversioned = app.get(path.split('?').next().unwrap()).await;
        assert_eq!(
            (plain.is(200).text.len(), unversioned.header("cache-control")),
            (unversioned.text.len(), "no-cache")
        );
        let is_immutable = plain.header("cache-control") == "public, max-age=31536000, immutable";
        assert_eq!(is_immutable, path.contains("?v="), "{path}");
        let compressed = get(&path, "br, gzip").send().await.unwrap();
        assert_eq!(compressed.headers()["content-encoding"], "gzip");
        assert_eq!(
            (&compressed.headers()["vary"], plain.header("vary")),
            (&"accept-encoding".parse().unwrap(), "accept-encoding")
        );
        let tag = compressed.headers()["etag"].to_str().unwrap().to_owned();
        assert_ne!(tag, plain.header("etag"));
        assert!(compressed.bytes().await.unwrap().len() * 2 < plain.text.len());
        for none in ["identity", "gzip;q=0", "br"] {
            let response = get(&path, none).send().await.unwrap();
            assert!(!response.headers().contains_key("content-encoding"), "{none}");
        }
        let known = get(&path, "gzip").header("if-none-match", format!("\"other\", {tag}")).send().await.unwrap();
        assert_eq!((known.status().as_u16(), &known.headers()["etag"]), (304, &tag.parse().unwrap()));
        assert_eq!(known.bytes().await.unwrap().len(), 0);
    }
}

#[test]
fn swagger_ui_authorizes_with_the_token_endpoint() {
    let flow = &DOCUMENT["components"]["securitySchemes"]["oauth2"]["flows"]["password"];
    assert_eq!(flow["tokenUrl"], "/api/v1/auth/token");
    assert!(DOCUMENT["paths"]["/api/v1/auth/token"]["post"].is_object());
}
