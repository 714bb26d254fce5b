//! Verification of access tokens: issued by this service, not expired, of the right kind, and with a header that this
//! service writes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Duration;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::Method;
use serde_json::{Value, json};

use crate::BACKEND;
use crate::support::app::{SECRET, TestApp};

/// Splits a token into its parts.
fn parts(token: &str) -> (Value, Value) {
    let part = |part: &str| {
        let json = URL_SAFE_NO_PAD.decode(part).expect("parts are base64url");
        serde_json::from_slice(&json).expect("parts are JSON")
    };
    let mut all = token.split('.');
    (part(all.next().unwrap()), part(all.next().unwrap()))
}

fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

/// Signs with the secret of the service.
fn signed(header: &Header, claims: &Value) -> String {
    encode(header, claims, &EncodingKey::from_secret(SECRET.as_bytes())).expect("claims can be signed")
}

async fn is_refused(app: &TestApp, token: &str, why: &str) {
    let response = app.send(app.request(Method::GET, "/api/v1/users/me").bearer_auth(token)).await;
    assert_eq!(response.status, 401, "{why}: {}", response.text);
    response.problem(401, "invalid-token");
    assert!(response.header("www-authenticate").contains("error=\"invalid_token\""));
}

#[tokio::test]
async fn an_access_token_follows_rfc_9068() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let (header, claims) = parts(&patient.access_token);
    assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!("HS256")));
    assert!(header["kid"].is_string());
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!("care4u"), &json!("care4u-api")));
    assert_eq!((&claims["sub"], &claims["role"]), (&json!(patient.id.to_string()), &json!("patient")));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 900);
    assert!(claims["sid"].is_string() && claims["jti"].is_string());
    let (header, claims) = parts(&patient.refresh_token);
    assert_eq!(header["typ"], "rt+jwt");
    assert_eq!(claims["generation"], 0);
}

#[tokio::test]
async fn the_bearer_scheme_is_case_insensitive_and_required() {
    let app = TestApp::start(BACKEND).await;
    let token = app.patient().await.access_token;
    let with = |value: String| app.request(Method::GET, "/api/v1/users/me").header("authorization", value);
    app.send(with(format!("bEARER {token}"))).await.ok();
    for other in [format!("Basic {token}"), token, "Bearer".to_owned()] {
        app.send(with(other)).await.problem(401, "unauthenticated");
    }
}

#[tokio::test]
async fn a_token_with_nbf_is_refused_before_that_time() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let (header, mut claims) = parts(&patient.access_token);
    let header: Header = serde_json::from_value(header).unwrap();
    claims["nbf"] = json!((app.clock.now() + Duration::seconds(60)).timestamp());
    let token = signed(&header, &claims);
    is_refused(&app, &token, "a token of the future").await;
    app.clock.advance(Duration::seconds(61));
    app.send(app.request(Method::GET, "/api/v1/users/me").bearer_auth(token)).await.ok();
}

#[tokio::test]
async fn neither_token_is_accepted_for_the_other() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    is_refused(&app, &patient.refresh_token, "a refresh token as access token").await;
    app.refresh(&patient.access_token).await.problem(401, "invalid-token");
}

#[tokio::test]
async fn a_refresh_token_of_100_kilobytes_is_rejected() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    for nonsense in ["x".repeat(100_000), format!("{}{}", patient.refresh_token, "A".repeat(100_000))] {
        app.refresh(&nonsense).await.problem(401, "invalid-token");
    }
    app.refresh(&patient.refresh_token).await.ok();
}

#[tokio::test]
async fn an_access_token_expires_exactly_at_exp() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    app.clock.advance(Duration::seconds(800));
    patient.get("/users/me").await.ok();
    app.clock.advance(Duration::seconds(101));
    is_refused(&app, &patient.access_token, "expired").await;
}

#[tokio::test]
async fn a_modified_token_is_rejected() {
    let app = TestApp::start(BACKEND).await;
    let token = app.patient().await.access_token;
    let (header, mut claims) = parts(&token);
    let signature = token.rsplit('.').next().unwrap();
    claims["role"] = json!("admin");
    is_refused(&app, &format!("{}.{signature}", unsigned(&header, &claims)), "other claims").await;
    let body = token.rsplit_once('.').unwrap().0;
    for (broken, why) in [
        (token[..token.len() - 1].to_owned(), "truncated"),
        (body.to_owned(), "no signature"),
        (format!("{body}."), "an empty signature"),
        (format!("{token}.x"), "four parts"),
        (format!("{token}="), "padding"),
        ("x".repeat(100_000), "100 kB of nothing"),
        (format!("{body}{}.{signature}", "A".repeat(100_000)), "100 kB of claims"),
        ("..".to_owned(), "nothing at all"),
    ] {
        is_refused(&app, &broken, why).await;
    }
}

#[tokio::test]
async fn header_parameters_of_a_token_have_no_effect() {
    let app = TestApp::start(BACKEND).await;
    let token = app.patient().await.access_token;
    let (header, claims) = parts(&token);
    for algorithm in ["none", "None", "HS512", "RS256", "EdDSA"] {
        let mut header = header.clone();
        header["alg"] = json!(algorithm);
        is_refused(&app, &format!("{}.", unsigned(&header, &claims)), algorithm).await;
    }
    let ours = jsonwebtoken::decode_header(&token).unwrap();
    let changed = |change: fn(&mut Header)| {
        let mut header = ours.clone();
        change(&mut header);
        signed(&header, &claims)
    };
    // The same header and key, to show that the change is what is rejected.
    app.send(app.request(Method::GET, "/api/v1/users/me").bearer_auth(changed(|_| {}))).await.ok();
    for (forged, why) in [
        (changed(|header| header.kid = Some("unknown".into())), "unknown kid"),
        (changed(|header| header.kid = None), "no kid"),
        (changed(|header| header.typ = Some("JWT".into())), "another typ"),
        (changed(|header| header.typ = None), "no typ"),
        (changed(|header| header.crit = Some(vec!["exp".into()])), "crit"),
        (changed(|header| header.jku = Some("https://example.org/keys".into())), "jku"),
        (changed(|header| header.alg = Algorithm::HS384), "another hash"),
    ] {
        is_refused(&app, &forged, why).await;
    }
}

#[tokio::test]
async fn a_token_of_another_issuer_or_audience_is_rejected() {
    let app = TestApp::start(BACKEND).await;
    let token = app.patient().await.access_token;
    let (_, claims) = parts(&token);
    let header = jsonwebtoken::decode_header(&token).unwrap();
    for (name, value) in [
        ("iss", json!("somebody else")),
        ("iss", json!({})),
        ("iss", Value::Null),
        ("aud", json!("another api")),
        ("aud", json!(5)),
        ("aud", Value::Null),
        ("sub", json!("not a uuid")),
        ("sub", Value::Null),
        ("sid", Value::Null),
        ("role", json!("root")),
        ("exp", json!(0)),
        ("exp", json!("tomorrow")),
        ("exp", Value::Null),
    ] {
        let mut claims = claims.clone();
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value,
        }
        is_refused(&app, &signed(&header, &claims), name).await;
    }
}
