//! Baseline server: two reads by hand, with the same SQL, token checks and JSON as care4u, on bare actix-web and one
//! pipelined tokio-postgres connection per worker. It has no logging, request ids or revocation.

use std::sync::Arc;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, NaiveDate, Utc};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::{Deserialize, Serialize};
use tokio_postgres::{Client, NoTls, Row, Statement};
use uuid::Uuid;

use super::server::SECRET;

const USER: &str = "SELECT id, name, email, password_hash, role, nid, phone_number, address, birth_date, \
    time_zone, email_verified_at, disabled_at, created_at, updated_at, nid_verified_at FROM users WHERE id = $1";
const REQUESTS: &str = "SELECT r.id, r.user_id, r.vaccine_id, r.dose_number, r.status, r.note, r.reason, r.reviewed_by, \
    r.created_at, r.updated_at, p.relation = 'dependant', p.contact_id FROM vaccine_requests r \
    JOIN patients p ON p.id = r.patient_id WHERE r.user_id = $1 ORDER BY r.id DESC LIMIT 21";

struct Baseline {
    key: DecodingKey,
    client: Client,
    user: Statement,
    requests: Statement,
}

#[derive(Deserialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    exp: i64,
    sub: Uuid,
}

#[derive(Serialize)]
struct User<'a> {
    id: Uuid,
    name: &'a str,
    email: &'a str,
    role: &'a str,
    nid: Option<&'a str>,
    nid_verified_at: Option<DateTime<Utc>>,
    phone_number: Option<&'a str>,
    address: Option<&'a str>,
    birth_date: Option<NaiveDate>,
    time_zone: Option<&'a str>,
    email_verified_at: Option<DateTime<Utc>>,
    disabled: bool,
    disabled_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Serialize)]
struct Request<'a> {
    id: Uuid,
    user_id: Uuid,
    for_contact: bool,
    contact_id: Option<Uuid>,
    contact: Option<()>,
    vaccine_id: Uuid,
    dose_number: i32,
    status: &'a str,
    note: Option<&'a str>,
    reason: Option<&'a str>,
    reviewer_id: Option<Uuid>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Serialize)]
struct Page<'a> {
    items: Vec<Request<'a>>,
    next_cursor: Option<String>,
}

pub(crate) async fn serve() {
    let url = std::env::var("DATABASE_URL").expect("DATABASE_URL");
    let server = HttpServer::new(move || {
        let url = url.clone();
        App::new()
            .data_factory(move || connect(url.clone()))
            .route("/api/v1/users/me", web::get().to(me))
            .route("/api/v1/vaccine-requests", web::get().to(requests))
    })
    .bind(("127.0.0.1", 0))
    .expect("a free port");
    println!("http://127.0.0.1:{}", server.addrs()[0].port());
    server.run().await.expect("the server runs");
}

async fn connect(url: String) -> Result<Arc<Baseline>, std::convert::Infallible> {
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.expect("the database responds");
    actix_web::rt::spawn(connection);
    let user = client.prepare(USER).await.expect("valid SQL");
    let requests = client.prepare(REQUESTS).await.expect("valid SQL");
    let key = DecodingKey::from_secret(SECRET.as_bytes());
    Ok(Arc::new(Baseline { key, client, user, requests }))
}

impl Baseline {
    /// Checks the token of the request and returns its user id.
    fn user_id(&self, request: &HttpRequest) -> Option<Uuid> {
        let header = request.headers().get("authorization")?.to_str().ok()?;
        let (message, signature) = header.strip_prefix("Bearer ")?.rsplit_once('.')?;
        if !jsonwebtoken::crypto::verify(signature, message.as_bytes(), &self.key, Algorithm::HS256).ok()? {
            return None;
        }
        let payload = URL_SAFE_NO_PAD.decode(message.split_once('.')?.1).ok()?;
        let claims: Claims<'_> = serde_json::from_slice(&payload).ok()?;
        let valid = claims.iss == "care4u" && claims.aud == "care4u-api" && claims.exp > Utc::now().timestamp();
        valid.then_some(claims.sub)
    }
}

async fn me(baseline: web::Data<Arc<Baseline>>, request: HttpRequest) -> HttpResponse {
    let Some(id) = baseline.user_id(&request) else { return HttpResponse::Unauthorized().finish() };
    let row = baseline.client.query_one(&baseline.user, &[&id]).await.expect("a row");
    HttpResponse::Ok().json(User {
        id: row.get(0),
        name: row.get(1),
        email: row.get(2),
        role: row.get(4),
        nid: row.get(5),
        nid_verified_at: row.get(14),
        phone_number: row.get(6),
        address: row.get(7),
        birth_date: row.get(8),
        time_zone: row.get(9),
        email_verified_at: row.get(10),
        disabled: row.get::<_, Option<DateTime<Utc>>>(11).is_some(),
        disabled_at: row.get(11),
        created_at: row.get(12),
        updated_at: row.get(13),
    })
}

async fn requests(baseline: web::Data<Arc<Baseline>>, request: HttpRequest) -> HttpResponse {
    let Some(id) = baseline.user_id(&request) else { return HttpResponse::Unauthorized().finish() };
    let rows = baseline.client.query(&baseline.requests, &[&id]).await.expect("rows");
    let items: Vec<_> = rows.iter().take(20).map(item).collect();
    let last = if rows.len() > 20 { items.last() } else { None };
    let next_cursor = last.map(|item| URL_SAFE_NO_PAD.encode(item.id));
    HttpResponse::Ok().json(Page { items, next_cursor })
}

fn item(row: &Row) -> Request<'_> {
    Request {
        id: row.get(0),
        user_id: row.get(1),
        for_contact: row.get(10),
        contact_id: row.get(11),
        contact: None,
        vaccine_id: row.get(2),
        dose_number: row.get(3),
        status: row.get(4),
        note: row.get(5),
        reason: row.get(6),
        reviewer_id: row.get(7),
        created_at: row.get(8),
        updated_at: row.get(9),
    }
}
