//! Log-in, refresh of the token pair, log-out.

use actix_web::middleware::from_fn;
use actix_web::{HttpResponse, post, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::api::http::extract::Valid;
use crate::api::http::field::Field;
use crate::api::http::guard::signed_in;
use crate::api::http::problem::Problem;
use crate::domain::auth;
use crate::domain::auth::password::PresentedPassword;
use crate::domain::auth::token::{PresentedToken, TokenPair};
use crate::domain::values::caller::Caller;
use crate::domain::values::client::Client;
use crate::domain::values::email::Email;
use crate::state::AppState;

/// E-mail and password.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "email": "ada@example.org", "password": "a long sentence" }))]
pub struct LogIn {
    /// E-mail address of the account; case-insensitive.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    email: Field<Email>,
    /// Password of the account.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    password: Field<PresentedPassword>,
}

/// A refresh token.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "refresh_token": "eyJ0eXAiOiJydCtqd3QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTkzIn0.c2lnbmF0dXJl" }))]
pub struct Refresh {
    /// Refresh token of the latest token pair.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    refresh_token: Field<PresentedToken>,
}

/// Token pair: an access token and a refresh token (RFC 6749 §5.1).
#[derive(Serialize, ToSchema)]
pub struct TokenPairReply {
    /// Access token, for the header `Authorization: Bearer`.
    #[schema(example = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTkzIn0.c2lnbmF0dXJl")]
    access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds until the access token expires.
    #[schema(example = 900)]
    expires_in: i64,
    /// Refresh token, for one refresh.
    #[schema(example = "eyJ0eXAiOiJydCtqd3QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTkzIn0.c2lnbmF0dXJl")]
    refresh_token: String,
    /// Seconds until the refresh token expires.
    #[schema(example = 2_592_000)]
    refresh_expires_in: i64,
}

impl TokenPairReply {
    pub(in crate::api) fn new(pair: TokenPair, now: DateTime<Utc>) -> Self {
        Self {
            access_token: pair.access_token,
            token_type: "Bearer",
            expires_in: pair.access_expires_at.timestamp() - now.timestamp(),
            refresh_token: pair.refresh_token,
            refresh_expires_in: pair.refresh_expires_at.timestamp() - now.timestamp(),
        }
    }
}

/// Log in
///
/// Takes e-mail and password, and returns a token pair. An unknown e-mail gets the same response as a wrong password,
/// after the same time.
///
/// **Open to:** anyone.
#[utoipa::path(
    operation_id = "log_in", tag = "auth",
    request_body = LogIn,
    responses(
        (status = 200, body = TokenPairReply),
        (status = 401, description = "The e-mail or the password is wrong; with silent registration, also if the \
            e-mail is not verified"),
        (status = 403, description = "The account is disabled, or its e-mail must be verified first"),
        (status = 429, description = "Too many failed log-ins from this IP address, to this account or in total"),
    )
)]
#[post("/login")]
pub async fn log_in(
    state: web::Data<AppState>,
    client: Client,
    Valid(body): Valid<LogIn>,
) -> Result<web::Json<TokenPairReply>, Problem> {
    let (email, password) = (body.email.value()?, body.password.value()?.0);
    let pair = auth::log_in::log_in(&state.db, &state.auth, &email, password, &client).await?;
    Ok(web::Json(TokenPairReply::new(pair, state.auth.clock.now())))
}

/// Refresh the token pair
///
/// A refresh token can be used once; for a few seconds, a repeated request gets the same response. Using an older token
/// ends the session, because that token may have been stolen.
///
/// **Open to:** anyone with a refresh token.
#[utoipa::path(
    operation_id = "refresh_token_pair", tag = "auth",
    request_body = Refresh,
    responses(
        (status = 200, body = TokenPairReply),
        (status = 401, description = "The refresh token is not valid, or its session has ended"),
    )
)]
#[post("/refresh")]
pub async fn refresh(
    state: web::Data<AppState>,
    client: Client,
    Valid(body): Valid<Refresh>,
) -> Result<web::Json<TokenPairReply>, Problem> {
    let token = body.refresh_token.value()?;
    let pair = auth::refresh::refresh(&state.db, &state.auth, &token, &client).await?;
    Ok(web::Json(TokenPairReply::new(pair, state.auth.clock.now())))
}

/// Log out
///
/// Ends the current session; both its tokens are rejected from then on.
///
/// **Open to:** anyone signed in.
#[utoipa::path(
    operation_id = "log_out", tag = "auth", security(("oauth2" = []), ("token" = [])),
    responses((status = 204))
)]
#[post("/logout", wrap = "from_fn(signed_in)")]
pub async fn log_out(state: web::Data<AppState>, caller: Caller) -> Result<HttpResponse, Problem> {
    auth::sessions::log_out(&state.db, &state.auth, &caller).await?;
    Ok(HttpResponse::NoContent().finish())
}
