//! Authentication middleware: verifies the access token before the handlers of a scope run.

use std::future::{Ready, ready};

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};

use crate::api::http::client::client_of;
use crate::api::http::extract::CurrentUser;
use crate::api::http::problem::Problem;
use crate::domain::auth::token::VerifiedAccess;
use crate::domain::values::actor::Actor;
use crate::domain::values::caller::Caller;
use crate::error::Error;
use crate::state::AppState;

/// Requires a valid access token of an active session, and sets [`CurrentUser`]. Rejects other requests with 401.
pub async fn signed_in<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    match authenticate(request.request()) {
        Ok(actor) => {
            request.extensions_mut().insert(CurrentUser(actor));
            Ok(next.call(request).await?.map_into_left_body())
        }
        Err(problem) => Ok(request.into_response(problem.response()).map_into_right_body()),
    }
}

/// The caller of an operation that needs no access token, but makes use of one. An invalid token is rejected with 401.
pub struct OptionalCaller(pub Option<Caller>);

impl FromRequest for OptionalCaller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        if !request.headers().contains_key(header::AUTHORIZATION) {
            return ready(Ok(Self(None)));
        }
        let caller = |actor| Self(Some(Caller { actor, client: client_of(request) }));
        ready(authenticate(request).map(caller))
    }
}

/// Actor of the access token.
///
/// # Errors
/// Returns [`Error::Unauthenticated`] if there is no token, [`Error::InvalidToken`] if it is not valid or its session has
/// been revoked, [`Error::Outdated`] if this cannot be checked, and a malformed request if there are two tokens.
fn authenticate(request: &HttpRequest) -> Result<Actor, Problem> {
    if request.headers().get_all(header::AUTHORIZATION).nth(1).is_some() {
        return Err(Problem::malformed("The header Authorization is repeated."));
    }
    let state = request.app_data::<web::Data<AppState>>().ok_or(Error::Unauthenticated)?;
    let token = bearer_token(request).ok_or(Error::Unauthenticated)?;
    let auth = &state.auth;
    let now = auth.clock.now();
    let VerifiedAccess { actor, generation } = auth.tokens.verify_access(token, now)?;
    if auth.revocations.contains(actor.session_id) {
        return Err(Error::InvalidToken.into());
    }
    auth.revocations.check_age()?;
    auth.seen_generations.note(actor.session_id, generation.unwrap_or_default(), now);
    Ok(actor)
}

/// Bearer token of the header `Authorization` (RFC 6750 §2.1). The scheme is case-insensitive (RFC 9110 §11.1).
fn bearer_token(request: &HttpRequest) -> Option<&str> {
    let credentials = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = credentials.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
}
