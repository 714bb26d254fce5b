//! The outermost middleware: gives each request its id, keeps the answer out of caches, and writes one line
//! about it.

use std::time::Instant;

use actix_web::HttpMessage;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use uuid::Uuid;

use crate::api::http::extract::CurrentUser;
use crate::telemetry;

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Serves a request under an id: the caller's, when it is harmless, or a new one.
pub async fn record<B: MessageBody>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let id = inbound_id(&request).unwrap_or_else(|| Uuid::now_v7().to_string());
    let id_header = HeaderValue::from_str(&id);
    let method = request.method().clone();
    // What answers GET answers HEAD (RFC 9110 §9.1); the server leaves the body out by itself.
    if method == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
    let is_documentation = request.path().starts_with("/docs");
    telemetry::with_request_id(id, async move {
        let begun = Instant::now();
        let mut response = next.call(request).await?;
        let headers = response.headers_mut();
        if let Ok(id) = id_header {
            headers.insert(REQUEST_ID.clone(), id);
        }
        // Most answers are about somebody. What may be kept says so itself, or is documentation.
        if !is_documentation && !headers.contains_key(header::CACHE_CONTROL) {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        write_line(&method, &response, begun);
        Ok(response)
    })
    .await
}

/// The route is the pattern, never the path or query, which may hold personal data.
fn write_line<B>(method: &Method, response: &ServiceResponse<B>, begun: Instant) {
    if !log::log_enabled!(log::Level::Info) {
        return;
    }
    let request = response.request();
    let route = request.match_pattern();
    let route = route.as_deref().unwrap_or("-");
    let status = response.status().as_u16();
    let microseconds = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
    let user = request.extensions().get::<CurrentUser>().map(|user| user.user_id);
    match user {
        Some(user) => log::info!(
            "http.method" = method.as_str(), "http.route" = route, "http.status" = status,
            "duration_us" = microseconds, "user.id":% = user; "request"),
        None => log::info!(
            "http.method" = method.as_str(), "http.route" = route, "http.status" = status,
            "duration_us" = microseconds; "request"),
    }
}

/// An id that a proxy gave, if it can stand in a log line as it is.
fn inbound_id(request: &ServiceRequest) -> Option<String> {
    let id = request.headers().get(&REQUEST_ID)?.to_str().ok()?;
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    ((8..=64).contains(&id.len()) && id.bytes().all(harmless)).then(|| id.to_owned())
}
