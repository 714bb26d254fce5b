//! Cross-origin requests (CORS) of browsers: which origins may send which requests.

use actix_cors::Cors;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::Next;

use crate::api::http::problem::Problem;

/// Lets pages of other origins send requests. Their requests need no cookies, so credentials are not allowed.
pub fn cors(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::ACCEPT, header::IF_MATCH])
        .allowed_header(header::IF_NONE_MATCH)
        .allowed_header("x-request-id")
        .allowed_header("idempotency-key")
        .expose_headers(["location", "link", "retry-after", "www-authenticate", "x-request-id", "etag"])
        .expose_headers(["idempotency-replayed"])
        .max_age(3600);
    if origins.iter().any(|origin| origin == "*") {
        return cors.allow_any_origin().send_wildcard();
    }
    origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}

/// Replaces the plain text with which [`Cors`] refuses a preflight by a problem document.
pub async fn explain_refused_preflight<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let is_preflight =
        request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let response = next.call(request).await?;
    if !is_preflight || !response.status().is_client_error() {
        return Ok(response.map_into_left_body());
    }
    let problem = Problem::malformed("The origin, method or headers of this cross-origin request are not allowed.");
    Ok(response.into_response(problem.response()).map_into_right_body())
}
