//! A forgotten password, and the address of an account: codes that came by mail.

use actix_web::{HttpResponse, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::api::http::extract::Valid;
use crate::api::http::problem::Problem;
use crate::domain::accounts::recovery;
use crate::domain::accounts::verification;
use crate::domain::auth::password::Password;
use crate::domain::values::client::Client;
use crate::domain::values::email::Email;
use crate::domain::values::rules;
use crate::error::Error;
use crate::state::AppState;

/// The address of an account.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// In any letter case.
    #[serde(default)]
    #[validate(custom(function = rules::email))]
    #[schema(required = true, format = Email, max_length = 254, example = "ada@example.org")]
    email: String,
}

/// The address of an account, and the code that was mailed to it.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MailedCode {
    /// In any letter case.
    #[serde(default)]
    #[validate(custom(function = rules::email))]
    #[schema(required = true, format = Email, max_length = 254, example = "ada@example.org")]
    email: String,
    /// Six digits; the newest code alone is valid, for 10 minutes, 5 tries and one use.
    #[serde(default)]
    #[validate(custom(function = rules::code))]
    #[schema(required = true, pattern = "^[0-9]{6}$", example = "493021")]
    code: String,
}

/// The request has been taken; what comes of it is told by mail.
#[derive(Serialize, ToSchema)]
pub struct AcceptedReply {
    #[schema(example = "If the address has an account, a code is on its way.")]
    detail: &'static str,
}

impl AcceptedReply {
    /// An answer that says no more than this, whatever is the case.
    pub(in crate::api) fn saying(detail: &'static str) -> HttpResponse {
        HttpResponse::Accepted().json(Self { detail })
    }
}

/// Lets the password be set anew, once.
#[derive(Serialize, ToSchema)]
pub struct ResetTokenReply {
    #[schema(example = "AZOdPoxcfFKgo1wdOyt6EHk3c1Q0bXJ2Zk9aN2lXcTlWb1p6c0dYRQ")]
    reset_token: String,
    /// Seconds until it ends.
    #[schema(example = 600)]
    expires_in: i64,
}

/// A reset token and the next password.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetPassword {
    /// From `validate-code`.
    #[serde(default)]
    #[validate(length(min = 1, max = 256))]
    #[schema(
        required = true,
        min_length = 1,
        max_length = 256,
        example = "AZOdPoxcfFKgo1wdOyt6EHk3c1Q0bXJ2Zk9aN2lXcTlWb1p6c0dYRQ"
    )]
    reset_token: String,
    /// 8 characters at least, 71 bytes at most, and not one of the most common.
    #[serde(default)]
    #[validate(custom(function = rules::password))]
    #[schema(required = true, format = Password, min_length = 8, max_length = 71, example = "a longer sentence")]
    new_password: String,
}

/// Asks for a code to set a new password.
///
/// The answer is the same, and takes as long, whether or not the address has an account.
///
/// **Open to:** anyone.
#[utoipa::path(
    tag = "auth",
    request_body = Address,
    responses(
        (status = 202, body = AcceptedReply),
        (status = 429, description = "Too many requests from this address"),
    )
)]
#[post("/forgot-password")]
pub async fn forgot_password(
    state: web::Data<AppState>,
    client: Client,
    Valid(body): Valid<Address>,
) -> Result<HttpResponse, Problem> {
    let email = Email::parse(&body.email).map_err(Error::from)?;
    recovery::ask(&state.db, &state.auth, &email, &client).await?;
    Ok(AcceptedReply::saying("If the address has an account, a code is on its way."))
}

/// Exchanges the code for a reset token.
///
/// Whatever is wrong with the code, or the address, the answer is the same: 422.
///
/// **Open to:** anyone with the code.
#[utoipa::path(
    tag = "auth",
    request_body = MailedCode,
    responses((status = 200, body = ResetTokenReply), (status = 429, description = "Too many wrong codes"))
)]
#[post("/validate-code")]
pub async fn validate_code(
    state: web::Data<AppState>,
    client: Client,
    Valid(body): Valid<MailedCode>,
) -> Result<web::Json<ResetTokenReply>, Problem> {
    let email = Email::parse(&body.email).map_err(Error::from)?;
    let token = recovery::validate(&state.db, &state.auth, &email, &body.code, &client).await?;
    let expires_in = (token.expires_at - state.auth.clock.now()).num_seconds();
    Ok(web::Json(ResetTokenReply { reset_token: token.text, expires_in }))
}

/// Sets a new password with a reset token, ends every session, and tells the owner by mail.
///
/// **Open to:** anyone with a reset token.
#[utoipa::path(tag = "auth", request_body = ResetPassword, responses((status = 204)))]
#[post("/reset-password")]
pub async fn reset_password(
    state: web::Data<AppState>,
    client: Client,
    Valid(body): Valid<ResetPassword>,
) -> Result<HttpResponse, Problem> {
    let new = Password::parse(&body.new_password).map_err(Error::from)?;
    recovery::reset(&state.db, &state.auth, &body.reset_token, new, &client).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Confirms the address of an account with the code that was mailed to it.
///
/// **Open to:** anyone with the code.
#[utoipa::path(
    tag = "auth",
    request_body = MailedCode,
    responses((status = 204), (status = 429, description = "Too many wrong codes"))
)]
#[post("")]
pub async fn verify_email(
    state: web::Data<AppState>,
    client: Client,
    Valid(body): Valid<MailedCode>,
) -> Result<HttpResponse, Problem> {
    let email = Email::parse(&body.email).map_err(Error::from)?;
    verification::confirm(&state.db, &state.auth, &email, &body.code, &client).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Asks for another code to confirm the address of an account.
///
/// The answer is the same, and takes as long, whether or not there is such an account or it is confirmed already.
///
/// **Open to:** anyone.
#[utoipa::path(
    tag = "auth",
    request_body = Address,
    responses(
        (status = 202, body = AcceptedReply),
        (status = 429, description = "Too many requests from this address"),
    )
)]
#[post("/resend")]
pub async fn resend_code(
    state: web::Data<AppState>,
    client: Client,
    Valid(body): Valid<Address>,
) -> Result<HttpResponse, Problem> {
    let email = Email::parse(&body.email).map_err(Error::from)?;
    verification::resend(&state.db, &state.auth, &email, &client).await?;
    Ok(AcceptedReply::saying("If the address waits to be confirmed, a code is on its way."))
}
