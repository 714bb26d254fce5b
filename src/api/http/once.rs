//! Requests with the header `Idempotency-Key`: the extractor, and the response, which may be a stored one.

use std::future::{Future, ready};
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;
use validator::Validate;

use crate::api::http::extract::{is_json, parse_json, read_body, violations};
use crate::api::http::problem::Problem;
use crate::domain::records::idempotency::{RequestKey, Response};
use crate::error::Error;

/// The header with the key.
const KEY: &str = "idempotency-key";

/// The header with the key, for the OpenAPI document.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "documents a header")]
pub struct IdempotencyHeader {
    /// A key that the client chooses for the request, such as a UUID. If the request is sent again with the same key within
    /// 24 hours, it takes effect only once, and gets the same response again.
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255, pattern = "^[!-~]+$")]
    idempotency_key: Option<String>,
}

/// A JSON body as `Valid`, and the idempotency key if there is one.
#[derive(Debug)]
pub struct Keyed<T> {
    /// The body.
    pub body: T,
    /// The key, with the hash of the request.
    pub key: Option<RequestKey>,
}

impl<T: DeserializeOwned + Validate + 'static> FromRequest for Keyed<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        if !is_json(request) {
            return Box::pin(ready(Err(Problem::unsupported_media_type("application/json"))));
        }
        let (body, header) = (read_body(request, payload), KeyHeader::of(request));
        Box::pin(async move {
            let bytes = body.await?;
            let key = header.parse(&bytes)?;
            let body: T = parse_json(&bytes)?;
            body.validate().map_err(|errors| Error::Invalid(violations(&errors)))?;
            Ok(Self { body, key })
        })
    }
}

/// The idempotency key of a request without a body, if there is one.
#[derive(Debug)]
pub struct Key(pub Option<RequestKey>);

impl FromRequest for Key {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (body, header) = (read_body(request, payload), KeyHeader::of(request));
        Box::pin(async move { Ok(Self(header.parse(&body.await?)?)) })
    }
}

/// The header with the key, and what it belongs to.
struct KeyHeader {
    values: Vec<HeaderValue>,
    target: String,
}

impl KeyHeader {
    fn of(request: &HttpRequest) -> Self {
        let values = request.headers().get_all(KEY).cloned().collect();
        Self { values, target: format!("{} {}\n", request.method(), request.path()) }
    }

    fn parse(&self, body: &[u8]) -> Result<Option<RequestKey>, Problem> {
        match self.values.as_slice() {
            [] => Ok(None),
            [key] => Ok(Some(RequestKey::parse(key.as_bytes(), &[self.target.as_bytes(), body]).map_err(Error::from)?)),
            _ => Err(Problem::malformed("The header Idempotency-Key must be sent once.")),
        }
    }
}

/// Renders a reply, to be stored and sent.
pub fn render<T: Serialize>(status: StatusCode, location: Option<String>, reply: &T) -> Result<Response, Error> {
    let body = serde_json::to_string(reply).map_err(Error::internal)?;
    Ok(Response { status: status.as_u16(), location, body, is_replayed: false })
}

/// The HTTP response. A stored one is marked.
pub fn respond(response: Response) -> HttpResponse {
    let status = StatusCode::from_u16(response.status).unwrap_or(StatusCode::OK);
    let mut http = HttpResponse::build(status);
    if let Some(location) = response.location {
        http.insert_header((header::LOCATION, location));
    }
    if response.is_replayed {
        http.insert_header(("Idempotency-Replayed", "true"));
    }
    http.content_type("application/json").body(response.body)
}
