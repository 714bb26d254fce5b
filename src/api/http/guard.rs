//! The middleware that validates the access token of the pair before the handlers of a scope run.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::{HttpMessage, web};

use crate::api::http::extract::CurrentUser;
use crate::api::http::problem::Problem;
use crate::domain::values::actor::Actor;
use crate::error::{Error, Result};
use crate::state::AppState;

/// Lets in whoever bears a valid access token of a session that goes on, as [`CurrentUser`].
pub async fn signed_in<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> std::result::Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    match identify(&request) {
        Ok(actor) => {
            request.extensions_mut().insert(CurrentUser(actor));
            Ok(next.call(request).await?.map_into_left_body())
        }
        Err(error) => Ok(request.into_response(Problem::from(error).response()).map_into_right_body()),
    }
}

fn identify(request: &ServiceRequest) -> Result<Actor> {
    let state = request.app_data::<web::Data<AppState>>().ok_or(Error::Unauthenticated)?;
    let token = bearer(request).ok_or(Error::Unauthenticated)?;
    let auth = &state.auth;
    let actor = auth.tokens.verify_access(token, auth.clock.now())?;
    if auth.revocations.contains(actor.session_id) {
        return Err(Error::InvalidToken);
    }
    Ok(actor)
}

/// The token in `Authorization: Bearer …` (RFC 6750 §2.1). The scheme has no letter case (RFC 9110 §11.1).
fn bearer(request: &ServiceRequest) -> Option<&str> {
    let credentials = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = credentials.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
}
