//! Asymmetric keys: EdDSA and RS256 from files, several keys, and the JWKS endpoint.

use std::path::Path;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::Method;
use serde_json::Value;

use crate::BACKEND;
use crate::support::app::TestApp;

const KEYS: &str = "CARE4U__AUTH__KEYS";

fn pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let lines: Vec<_> = base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// Writes a new Ed25519 key pair. Returns the paths of the private and the public key.
fn ed25519(folder: &Path) -> (String, String) {
    let key = Ed25519KeyPair::generate().unwrap();
    let private: Pkcs8V1Der<'_> = key.as_der().unwrap();
    let public: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
    write(folder, "ed25519", &pem("PRIVATE KEY", private.as_ref()), &pem("PUBLIC KEY", public.as_ref()))
}

fn rsa(folder: &Path, size: KeySize) -> (String, String) {
    let key = aws_lc_rs::rsa::KeyPair::generate(size).unwrap();
    let private: Pkcs8V1Der<'_> = key.as_der().unwrap();
    let public: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
    write(folder, "rsa", &pem("PRIVATE KEY", private.as_ref()), &pem("PUBLIC KEY", public.as_ref()))
}

fn write(folder: &Path, name: &str, private: &str, public: &str) -> (String, String) {
    let file = |kind: &str, content: &str| {
        let path = folder.join(format!("{name}-{kind}.pem"));
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    (file("private", private), file("public", public))
}

async fn jwks(app: &TestApp) -> Vec<Value> {
    app.get("/.well-known/jwks.json").await.ok()["keys"].as_array().unwrap().clone()
}

async fn me(app: &TestApp, token: &str) -> u16 {
    app.send(app.request(Method::GET, "/api/v1/users/me").bearer_auth(token)).await.status
}

#[tokio::test]
async fn with_a_shared_secret_the_key_set_is_empty() {
    let app = TestApp::start(BACKEND).await;
    assert!(jwks(&app).await.is_empty());
}

#[tokio::test]
async fn eddsa_and_rs256_keys_sign_and_their_public_keys_are_published() {
    let folder = tempfile::tempdir().unwrap();
    for (file, algorithm, kind) in
        [(ed25519(folder.path()).0, "EdDSA", "OKP"), (rsa(folder.path(), KeySize::Rsa2048).0, "RS256", "RSA")]
    {
        let app = TestApp::start_with(BACKEND, &[(KEYS, &file)]).await;
        let patient = app.patient().await;
        patient.get("/users/me").await.ok();
        app.refresh(&patient.refresh_token).await.ok();
        let header = jsonwebtoken::decode_header(&patient.access_token).unwrap();
        assert_eq!(format!("{:?}", header.alg), algorithm);

        let keys = jwks(&app).await;
        assert_eq!(keys.len(), 1);
        assert_eq!((&keys[0]["kty"], &keys[0]["alg"]), (&kind.into(), &algorithm.into()));
        assert_eq!((&keys[0]["use"], keys[0]["kid"].as_str()), (&"sig".into(), header.kid.as_deref()));
        assert!(keys[0].get("d").is_none(), "a private key was published");

        // The published key verifies the token.
        let jwk = serde_json::from_value(keys[0].clone()).unwrap();
        let key = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
        let mut validation = jsonwebtoken::Validation::new(header.alg);
        validation.set_audience(&["care4u-api"]);
        jsonwebtoken::decode::<Value>(&patient.access_token, &key, &validation).unwrap();
    }
}

#[tokio::test]
async fn keys_can_be_rotated_without_ending_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let (old, old_public) = ed25519(folder.path());
    let (new, _) = rsa(folder.path(), KeySize::Rsa2048);
    let app = TestApp::start_with(BACKEND, &[(KEYS, &old)]).await;
    let token = app.patient().await.access_token;

    let app = TestApp::start_on(app.database, &[(KEYS, &format!("{new},{old_public}"))]).await;
    assert_eq!(me(&app, &token).await, 200);
    let newer = app.patient().await.access_token;
    assert_eq!(jsonwebtoken::decode_header(&newer).unwrap().alg, Algorithm::RS256);
    assert_eq!(jwks(&app).await.len(), 2);

    let app = TestApp::start_on(app.database, &[(KEYS, &new)]).await;
    assert_eq!(me(&app, &newer).await, 200);
    assert_eq!(me(&app, &token).await, 401, "its key is gone");
}

#[tokio::test]
async fn a_token_signed_with_the_public_key_as_hmac_secret_is_rejected() {
    let folder = tempfile::tempdir().unwrap();
    for (private, public) in [ed25519(folder.path()), rsa(folder.path(), KeySize::Rsa2048)] {
        let app = TestApp::start_with(BACKEND, &[(KEYS, &private)]).await;
        let token = app.patient().await.access_token;
        let claims: Value = jsonwebtoken::dangerous::insecure_decode(&token).unwrap().claims;
        let ours = jsonwebtoken::decode_header(&token).unwrap();
        let pem = std::fs::read(&public).unwrap();
        for secret in [pem.as_slice(), pem.trim_ascii_end()] {
            let header = Header { alg: Algorithm::HS256, ..ours.clone() };
            let forged = encode(&header, &claims, &EncodingKey::from_secret(secret)).unwrap();
            assert_eq!(me(&app, &forged).await, 401);
        }
    }
}

#[tokio::test]
async fn weak_or_unusable_keys_prevent_the_start_with_a_clear_error() {
    use care4u::app::Application;
    use care4u::domain::values::clock::Clock;
    let folder = tempfile::tempdir().unwrap();
    let (_, public) = ed25519(folder.path());
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let cases = [
        (KEYS, public.clone(), "able to sign"),
        (KEYS, file("short", "too short"), "32 bytes"),
        (KEYS, file("odd.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), "neither"),
        (
            KEYS,
            file("noted.pem", &format!("ED25519 Public-Key:\n{}", std::fs::read_to_string(&public).unwrap())),
            "able to sign",
        ),
        (KEYS, file("id.pub", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMoBd ada@laptop"), "SSH form"),
        ("CARE4U__AUTH__SECRET", std::fs::read_to_string(&public).unwrap(), "PEM"),
        (KEYS, file("der", &"\u{1}\u{2}".repeat(30)), "neither"),
        (KEYS, folder.path().join("missing.pem").to_str().unwrap().to_owned(), "missing.pem"),
        ("CARE4U__AUTH__SECRET", "31 bytes are one too few to sign".chars().take(31).collect(), "32 bytes"),
    ];
    let database = crate::support::database::Database::new(BACKEND).await;
    for (setting, value, sentence) in cases {
        let settings = crate::support::app::settings(&database.url(), &[(setting, &value)]);
        let error = Application::build(&settings, Clock::default()).await.unwrap_err().to_string();
        assert!(error.contains(sentence), "{error}");
    }
}
