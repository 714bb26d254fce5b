//! OAuth 2.0 token revocation (RFC 7009): ends the session of a token.

use actix_web::{post, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::auth::token::{Form, OAuthError};
use crate::domain::auth::sessions;
use crate::domain::values::client::Client;
use crate::state::AppState;

/// Parameters of a token revocation.
#[derive(ToSchema)]
#[expect(dead_code, reason = "documents the form, whose parameters are read one by one")]
pub struct RevocationRequest {
    /// Access token or refresh token. It may have expired.
    #[schema(example = "eyJ0eXAiOiJydCtqd3QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTkzIn0.c2lnbmF0dXJl")]
    token: String,
    /// `access_token` or `refresh_token`. It is not needed: the token tells its kind.
    #[schema(example = "refresh_token")]
    token_type_hint: Option<String>,
}

/// Response to a revocation: an empty object, which clients ignore (RFC 7009 §2.2).
#[derive(Serialize, ToSchema)]
pub struct RevocationReply {}

/// Revoke a token (OAuth 2.0)
///
/// Ends the session of the token, which may have expired; both its tokens are rejected from then on. The response to an
/// unknown or invalid token is 200, too, as RFC 7009 §2.2 requires.
///
/// **Open to:** anyone with a token.
#[utoipa::path(
    operation_id = "revoke_token", tag = "auth",
    request_body(content = RevocationRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, body = RevocationReply),
        (status = 400, body = OAuthError, description = "The request is not valid"),
        (status = 408, body = OAuthError, description = "The body did not arrive in time"),
        (status = 413, body = OAuthError, description = "The body is too large"),
        (status = 500, body = OAuthError, description = "Internal error of the service"),
        (status = 503, body = OAuthError, description = "Unavailable; try again after `Retry-After` seconds"),
    )
)]
#[post("/revoke")]
pub async fn revoke(
    state: web::Data<AppState>,
    client: Client,
    mut form: Form,
) -> Result<web::Json<RevocationReply>, OAuthError> {
    sessions::revoke(&state.db, &state.auth, &form.take_value("token")?, &client).await?;
    Ok(web::Json(RevocationReply {}))
}
