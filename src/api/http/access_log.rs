//! Access log middleware, the outermost one: sets the request id, `Cache-Control` and the headers that protect
//! browsers, and logs one line per request.

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

/// No guessing of media types, no framing, no address of a page in requests to other sites.
static BROWSER_HEADERS: [(HeaderName, &str); 3] = [
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
];

/// Runs and logs a request, with a request id: the header `X-Request-Id` if it is safe to log, or else a new UUIDv7.
pub async fn log_request<B: MessageBody>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let id = proxy_request_id(&request).unwrap_or_else(|| Uuid::now_v7().to_string());
    let id_header = HeaderValue::from_str(&id);
    let method = request.method().clone();
    // HEAD is handled as GET (RFC 9110 §9.1); the server omits the body.
    if method == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
    telemetry::with_request_id(id, async move {
        let started = Instant::now();
        let mut response = next.call(request).await?;
        let headers = response.headers_mut();
        // At once: growing step by step costs more than the headers.
        headers.reserve(8);
        if let Ok(id) = id_header {
            headers.insert(REQUEST_ID.clone(), id);
        }
        // Most responses contain personal data. A response that may be cached has set the header.
        if !headers.contains_key(header::CACHE_CONTROL) {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        for (name, value) in &BROWSER_HEADERS {
            // A page has set a policy of its own.
            if !headers.contains_key(name) {
                headers.insert(name.clone(), HeaderValue::from_static(value));
            }
        }
        write_log_line(&method, &response, started);
        Ok(response)
    })
    .await
}

/// Logs a request. The route is the pattern, never the path or query, which may contain personal data.
fn write_log_line<B>(method: &Method, response: &ServiceResponse<B>, started: Instant) {
    if !log::log_enabled!(log::Level::Info) {
        return;
    }
    let request = response.request();
    let route = request.match_pattern();
    let route = route.as_deref().unwrap_or("-");
    let status = response.status().as_u16();
    let microseconds = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
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

/// The request id that a proxy has set, if it is safe to log: 8 to 64 letters, digits, `-` or `_`.
fn proxy_request_id(request: &ServiceRequest) -> Option<String> {
    let id = request.headers().get(&REQUEST_ID)?.to_str().ok()?;
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    ((8..=64).contains(&id.len()) && id.bytes().all(is_safe)).then(|| id.to_owned())
}
