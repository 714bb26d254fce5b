//! Baseline server: reads and bookings by hand, with the same SQL, token checks and JSON as care4u, on bare actix-web with
//! tokio-postgres or sqlx. It has no logging, request ids or revocation.

mod booking;
mod postgres;
mod reply;
mod sqlite;

use std::rc::Rc;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, NaiveDate, Utc};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::booking::BookSlot;
use self::postgres::Postgres;
use self::reply::Reply;
use self::sqlite::Sqlite;
use super::server::SECRET;

struct Baseline {
    key: DecodingKey,
    database: Database,
}

enum Database {
    Postgres(Box<Postgres>),
    Sqlite(Sqlite),
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
struct Page<'a> {
    items: Vec<Reply<'a>>,
    next_cursor: Option<String>,
}

pub(crate) async fn serve() {
    let url = std::env::var("DATABASE_URL").expect("DATABASE_URL");
    let sqlite = if url.starts_with("sqlite") { Some(Sqlite::connect(&url).await) } else { None };
    let server = HttpServer::new(move || {
        let (url, sqlite) = (url.clone(), sqlite.clone());
        App::new()
            .data_factory(move || connect(url.clone(), sqlite.clone()))
            .route("/api/v1/users/me", web::get().to(me))
            .route("/api/v1/vaccine-requests", web::get().to(requests))
            .route("/api/v1/vaccine-requests/{id}/book", web::post().to(book))
    })
    .bind(("127.0.0.1", 0))
    .expect("a free port");
    println!("http://127.0.0.1:{}", server.addrs()[0].port());
    server.run().await.expect("the server runs");
}

async fn connect(url: String, sqlite: Option<Sqlite>) -> Result<Rc<Baseline>, std::convert::Infallible> {
    let database = match sqlite {
        Some(sqlite) => Database::Sqlite(sqlite),
        None => Database::Postgres(Box::new(Postgres::connect(url).await)),
    };
    Ok(Rc::new(Baseline { key: DecodingKey::from_secret(SECRET.as_bytes()), database }))
}

impl Baseline {
    fn postgres(&self) -> &Postgres {
        match &self.database {
            Database::Postgres(postgres) => postgres,
            Database::Sqlite(_) => panic!("the reads are measured on PostgreSQL only"),
        }
    }

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

async fn me(baseline: web::Data<Rc<Baseline>>, request: HttpRequest) -> HttpResponse {
    let Some(id) = baseline.user_id(&request) else { return HttpResponse::Unauthorized().finish() };
    json(baseline.postgres().me(id).await)
}

async fn requests(baseline: web::Data<Rc<Baseline>>, request: HttpRequest) -> HttpResponse {
    let Some(id) = baseline.user_id(&request) else { return HttpResponse::Unauthorized().finish() };
    json(baseline.postgres().requests(id).await)
}

async fn book(
    baseline: web::Data<Rc<Baseline>>,
    request: HttpRequest,
    id: web::Path<Uuid>,
    wanted: web::Json<BookSlot>,
) -> HttpResponse {
    let Some(user_id) = baseline.user_id(&request) else { return HttpResponse::Unauthorized().finish() };
    let booked = match &baseline.database {
        Database::Postgres(postgres) => postgres.book(user_id, *id, &wanted).await,
        Database::Sqlite(sqlite) => sqlite.book(user_id, *id, &wanted).await,
    };
    booked.map_or_else(|| HttpResponse::Conflict().finish(), json)
}

fn json(body: String) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(body)
}

fn cursor(id: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(id)
}
