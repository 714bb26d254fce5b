//! Password reset: a mailed code, a reset token, a new password.

use actix_web::{HttpResponse, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::api::http::extract::Valid;
use crate::api::http::field::{Field, Optional as _};
use crate::api::http::problem::Problem;
use crate::domain::accounts::recovery;
use crate::domain::auth::flow::Flow;
use crate::domain::auth::password::Password;
use crate::domain::auth::reset_tokens::{PresentedResetToken, ResetToken};
use crate::domain::values::client::Client;
use crate::domain::values::email::Email;
use crate::domain::values::one_time_code::OneTimeCode;
use crate::error::Error;
use crate::state::AppState;

/// The e-mail address of an account.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "email": "ada@example.org" }))]
pub struct AccountEmail {
    /// E-mail address of the account; case-insensitive.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    email: Field<Email>,
}

impl AccountEmail {
    pub(in crate::api) fn email(self) -> Result<Email, Error> {
        self.email.value()
    }
}

/// The e-mail address of an account, and the code that was mailed to it.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "email": "ada@example.org", "code": "493021", "flow": "Wd0cNnbWeVVf4DWDCNbN7b1jSvhPpFQbcDNhxTUFrSU",
}))]
pub struct MailedCode {
    /// E-mail address of the account; case-insensitive.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    email: Field<Email>,
    /// Six digits. The newest three codes are valid, each for 10 minutes and one use.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    code: Field<OneTimeCode>,
    /// The `flow` of `POST /auth/forgot-password`. There are 5 attempts with it, and 5 without it, which strangers may use
    /// up.
    #[validate(nested)]
    #[schema(inline)]
    flow: Option<Field<Flow>>,
}

/// A password reset was requested.
#[derive(Serialize, ToSchema)]
pub struct ResetRequestReply {
    #[schema(example = "If the address has an account, a code is on its way.")]
    detail: &'static str,
    /// Secret for `POST /auth/validate-code`: with it, strangers cannot use up the attempts to enter the code.
    #[schema(example = "Wd0cNnbWeVVf4DWDCNbN7b1jSvhPpFQbcDNhxTUFrSU")]
    flow: String,
}

/// Reset token: sets a new password, once.
#[derive(Serialize, ToSchema)]
pub struct ResetTokenReply {
    #[schema(example = "AZOdPoxcfFKgo1wdOyt6EHk3c1Q0bXJ2Zk9aN2lXcTlWb1p6c0dYRQ")]
    reset_token: String,
    /// Seconds until the token expires.
    #[schema(example = 600)]
    expires_in: i64,
}

impl ResetTokenReply {
    pub(in crate::api) fn response(state: &AppState, token: ResetToken) -> HttpResponse {
        let expires_in = (token.expires_at - state.auth.clock.now()).num_seconds();
        HttpResponse::Ok().json(Self { reset_token: token.text, expires_in })
    }
}

/// A reset token and the new password.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "reset_token": "AZOdPoxcfFKgo1wdOyt6EHk3c1Q0bXJ2Zk9aN2lXcTlWb1p6c0dYRQ",
    "new_password": "a longer sentence",
}))]
pub struct ResetPassword {
    /// Reset token of `POST /auth/validate-code`.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    reset_token: Field<PresentedResetToken>,
    /// 8 to 256 characters; not a common password, and not the e-mail address or the name of the user.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    new_password: Field<Password>,
}

/// Request a password reset
///
/// Mails a code to the address. The response takes as long, and has a `flow`, whether or not the address has an account.
///
/// **Open to:** anyone.
#[utoipa::path(
    operation_id = "request_password_reset", tag = "auth",
    request_body = AccountEmail,
    responses(
        (status = 202, body = ResetRequestReply),
        (status = 429, description = "Too many requests for this e-mail address, or from this IP address"),
    )
)]
#[post("/forgot-password")]
pub async fn forgot_password(
    state: web::Data<AppState>,
    client: Client,
    Valid(body): Valid<AccountEmail>,
) -> Result<HttpResponse, Problem> {
    let flow = recovery::request(&state.db, &state.auth, &body.email()?, &client).await?.into_string();
    let detail = "If the address has an account, a code is on its way.";
    Ok(HttpResponse::Accepted().json(ResetRequestReply { detail, flow }))
}

/// Exchange a mailed code for a reset token
///
/// If the code or the address is wrong, the response is 422, and does not tell which of the two.
///
/// **Open to:** anyone with the code.
#[utoipa::path(
    operation_id = "validate_reset_code", tag = "auth",
    request_body = MailedCode,
    responses((status = 200, body = ResetTokenReply), (status = 429, description = "Too many wrong codes"))
)]
#[post("/validate-code")]
pub async fn validate_code(
    state: web::Data<AppState>,
    client: Client,
    Valid(body): Valid<MailedCode>,
) -> Result<HttpResponse, Problem> {
    let (email, code, flow) = (body.email.value()?, body.code.value()?, body.flow.value()?);
    let presented = (&email, &code, flow.as_ref());
    let token = recovery::validate(&state.db, &state.auth, presented, &client).await?;
    Ok(ResetTokenReply::response(&state, token))
}

/// Reset the password
///
/// Sets a new password with a reset token, and notifies the owner by mail. All sessions end; codes, a change of the
/// e-mail address under way and the birthday feed are deleted. If the address was not verified before, it is now, and
/// the profile is cleared.
///
/// **Open to:** anyone with a reset token.
#[utoipa::path(
    operation_id = "reset_password", tag = "auth",
    request_body = ResetPassword,
    responses((status = 204))
)]
#[post("/reset-password")]
pub async fn reset_password(
    state: web::Data<AppState>,
    client: Client,
    Valid(body): Valid<ResetPassword>,
) -> Result<HttpResponse, Problem> {
    let (token, new) = (body.reset_token.value()?, body.new_password.value()?);
    recovery::reset(&state.db, &state.auth, &token, new, &client).await?;
    Ok(HttpResponse::NoContent().finish())
}
