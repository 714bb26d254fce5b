//! HTTP behaviour of all routes: problem documents and headers.

use reqwest::Method;
use serde_json::json;

use crate::BACKEND;
use crate::support::app::TestApp;

fn post(app: &TestApp, content_type: &str, body: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
    app.request(Method::POST, "/api/v1/auth/register").header("content-type", content_type).body(body)
}

#[tokio::test]
async fn a_body_that_is_not_json_is_malformed() {
    let app = TestApp::start(BACKEND).await;
    for body in ["", "{", "{\"name\": }", "{\"name\": \"Ada\"} trailing", "not json", "{\"name\": \"\u{0}\"}"] {
        app.send(post(&app, "application/json", body)).await.problem(400, "malformed");
    }
    let not_utf8: &[u8] = b"{\"name\": \"\xff\"}";
    app.send(post(&app, "application/json", not_utf8.to_vec())).await.problem(400, "malformed");
}

#[tokio::test]
async fn json_of_the_wrong_shape_names_the_field() {
    let app = TestApp::start(BACKEND).await;
    let (email, password) = (("email", "email"), ("password", "length"));
    let cases = [
        (r#"{"name": 42}"#, vec![email, ("name", "type"), password]),
        (r#"{"birth_date": "yesterday"}"#, vec![("birth_date", "type"), email, ("name", "blank"), password]),
        (r#"{"name": "Ada", "name": "Bob"}"#, vec![("name", "duplicate")]),
        (r#"{"colour": "red"}"#, vec![("colour", "unknown")]),
        (r#"["Ada"]"#, vec![(".", "type")]),
        (r#" []"#, vec![(".", "type")]),
        (r#""Ada""#, vec![(".", "type")]),
        ("null", vec![(".", "type")]),
    ];
    for (body, violations) in cases {
        app.send(post(&app, "application/json", body)).await.violates(&violations);
    }
}

#[tokio::test]
async fn a_body_of_another_media_type_is_415() {
    let app = TestApp::start(BACKEND).await;
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/xml"] {
        app.send(post(&app, content_type, "{}")).await.problem(415, "unsupported-media-type");
    }
    let without = app.request(Method::POST, "/api/v1/auth/register").body("{}");
    app.send(without).await.problem(415, "unsupported-media-type");
    app.send(post(&app, "application/json; charset=utf-8", "{}")).await.problem(422, "invalid");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_413_with_and_without_content_length() {
    let app = TestApp::start(BACKEND).await;
    let large = format!("{{\"name\": \"{}\"}}", "x".repeat(300_000));
    app.send(post(&app, "application/json", large.clone())).await.problem(413, "too-large");
    let chunks = futures_util::stream::iter(vec![Ok::<_, std::io::Error>(large)]);
    app.send(post(&app, "application/json", reqwest::Body::wrap_stream(chunks))).await.problem(413, "too-large");
}

#[tokio::test]
async fn an_unknown_path_is_404_and_an_unknown_method_is_405() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    for path in ["/nope", "/api/v1", "/api/v1/nope", "/api/v1/auth/nope", "/api/v1/vaccines/a/b", "/healthy"] {
        app.get(path).await.problem(404, "not-found");
    }
    patient.get("/users/me/nope").await.problem(404, "not-found");
    for (method, path, allow) in [
        (Method::GET, "/api/v1/auth/login", "POST"),
        (Method::DELETE, "/api/v1/vaccine-requests", "GET, HEAD, POST"),
        (Method::POST, "/api/v1/users/me", "GET, HEAD, PATCH"),
        (Method::PUT, "/api/v1/users/01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10", "GET, HEAD, PATCH"),
        (Method::POST, "/health/live", "GET, HEAD"),
        (Method::DELETE, "/.well-known/jwks.json", "GET, HEAD"),
        (Method::DELETE, "/api/v1/users/me", "GET, HEAD, PATCH"),
        (Method::DELETE, "/api/v1/users/me/deletion", "POST"),
        (Method::POST, "/", "GET, HEAD"),
        (Method::POST, "/problems", "GET, HEAD"),
        (Method::POST, "/docs/", "GET, HEAD"),
        (Method::PUT, "/api-docs/openapi.json", "GET, HEAD"),
        (Method::POST, "/health", "GET, HEAD"),
        (Method::TRACE, "/api/v1/auth/login", "POST"),
    ] {
        let response = app.send(app.request(method, path).bearer_auth(&patient.access_token)).await;
        response.problem(405, "method-not-allowed");
        assert_eq!(response.header("allow"), allow, "{path}");
    }
}

#[tokio::test]
async fn the_same_mistake_in_body_query_and_path_is_the_same_violation() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let body = json!({ "vaccine_id": "seven", "colour": "red" });
    patient.post("/vaccine-requests", body).await.violates(&[("colour", "unknown")]);
    patient.post("/vaccine-requests", json!({ "vaccine_id": "seven" })).await.violates(&[("vaccine_id", "type")]);
    patient.get("/vaccine-requests?vaccine_id=seven").await.violates(&[("vaccine_id", "type")]);
    patient.get("/vaccine-requests?colour=red").await.violates(&[("colour", "unknown")]);
    patient.get("/vaccine-requests?limit=20&limit=20").await.violates(&[("limit", "duplicate")]);
    patient.get("/vaccine-requests/seven").await.violates(&[("id", "type")]);
    let several = patient.get("/vaccine-requests?limit=many&status=lost&created_from=yesterday").await;
    several.violates(&[("created_from", "type"), ("limit", "type"), ("status", "type")]);
    patient.get("/vaccine-requests?limit=101").await.violates(&[("limit", "range")]);
    patient.get("/vaccine-requests?cursor=nonsense").await.violates(&[("cursor", "cursor")]);
}

#[tokio::test]
async fn the_start_page_links_to_the_docs_and_problems_are_listed() {
    let app = TestApp::start(BACKEND).await;
    let start = app.get("/").await;
    assert_eq!(start.is(200).header("content-type"), "text/html; charset=utf-8");
    for link in ["docs/", "api-docs/openapi.json", "problems"] {
        assert!(start.text.contains(&format!("href=\"{link}\"")), "{link} in {}", start.text);
        app.get(&format!("/{link}")).await.is(200);
    }
    let problems = app.get("/problems").await;
    for kind in ["not-found", "too-many-requests", "request-status", "invalid"] {
        assert!(problems.is(200).text.contains(&format!("urn:problem-type:care4u:{kind}<")), "{kind}");
    }
    for page in ["/", "/problems"] {
        let head = app.send(app.request(Method::HEAD, page)).await;
        assert_eq!(head.is(200).text, "");
    }
}

#[tokio::test]
async fn an_unknown_path_leads_a_browser_on_and_is_a_problem_document_for_programs() {
    let app = TestApp::start(BACKEND).await;
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for (path, start) in
        [("/nowhere", "./"), ("/no/where", "../"), ("/api/v2/users", "../../"), ("/docs/nothing.js", "../")]
    {
        let page = app.send(app.request(Method::GET, path).header("accept", browser)).await;
        assert_eq!(page.is(404).header("content-type"), "text/html; charset=utf-8");
        assert!(page.text.contains(&format!("href=\"{start}\"")), "{path}: {}", page.text);
        let problem = app.get(path).await;
        problem.problem(404, "not-found");
        for answer in [&page, &problem] {
            assert_eq!(answer.header("vary"), "Accept");
        }
    }
    app.get("/health").await.ok();
}

#[tokio::test]
async fn without_documentation_its_paths_are_not_found() {
    let app = TestApp::start_with(BACKEND, &[("CARE4U__DOCS__ENABLED", "false")]).await;
    for path in ["/docs", "/docs/", "/docs/page.js", "/api-docs/openapi.json"] {
        app.get(path).await.problem(404, "not-found");
    }
    assert!(!app.get("/").await.is(200).text.contains("docs/"));
}

#[tokio::test]
async fn an_anonymous_request_is_401_before_its_body_is_read() {
    let app = TestApp::start(BACKEND).await;
    let bad = app.request(Method::POST, "/api/v1/vaccine-requests").header("content-type", "text/plain").body("{");
    app.send(bad).await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn head_has_the_headers_of_get_and_no_body() {
    let app = TestApp::start(BACKEND).await;
    let get = app.get("/api/v1/vaccines").await;
    let head = app.send(app.request(Method::HEAD, "/api/v1/vaccines")).await;
    assert_eq!((head.is(200).text.as_str(), head.header("content-length")), ("", get.header("content-length")));
}

#[tokio::test]
async fn every_response_has_a_request_id_and_keeps_a_valid_one_of_the_client() {
    let app = TestApp::start(BACKEND).await;
    let own = app.get("/health/live").await.header("x-request-id").to_owned();
    assert_ne!(app.get("/health/live").await.header("x-request-id"), own);
    let with = |id: &str| app.request(Method::GET, "/nope").header("x-request-id", id);
    let kept = app.send(with("trace_0123-ABC")).await;
    assert_eq!(kept.problem(404, "not-found")["request_id"], "trace_0123-ABC");
    for bad in ["short", "with space in it", "quote\"in-it", &"x".repeat(65)] {
        assert_ne!(app.send(with(bad)).await.header("x-request-id"), bad);
    }
}

#[tokio::test]
async fn private_responses_are_not_cacheable() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    for path in ["/users/me", "/vaccine-requests"] {
        assert_eq!(patient.get(path).await.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn the_health_endpoints_report_the_state() {
    let app = TestApp::start(BACKEND).await;
    assert_eq!(app.get("/health/live").await.ok(), json!({ "status": "ok" }));
    assert_eq!(app.get("/health/ready").await.ok(), json!({ "status": "ok" }));
}
