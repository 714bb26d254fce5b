//! Verification of the e-mail address of an account.

use actix_web::{HttpResponse, post, web};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::api::accounts::recovery::{AccountEmail, ResetTokenReply};
use crate::api::http::accepted::AcceptedReply;
use crate::api::http::extract::Valid;
use crate::api::http::field::{Field, Optional as _};
use crate::api::http::guard::OptionalCaller;
use crate::api::http::problem::Problem;
use crate::domain::accounts::verification::{self, Proof};
use crate::domain::auth::password::PresentedPassword;
use crate::domain::values::client::Client;
use crate::domain::values::email::Email;
use crate::domain::values::one_time_code::OneTimeCode;
use crate::state::AppState;

/// The code that was mailed to the address of an account, and the password of the account.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "email": "ada@example.org", "code": "493021", "password": "a long sentence" }))]
pub struct VerifyEmail {
    /// E-mail address of the account; case-insensitive.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    email: Field<Email>,
    /// Six digits. Only the newest code is valid, for 10 minutes, 5 attempts and one use.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    code: Field<OneTimeCode>,
    /// Password of the account, unless the request has an access token of the account.
    #[validate(nested)]
    #[schema(inline)]
    password: Option<Field<PresentedPassword>>,
}

/// Verify the e-mail address
///
/// Takes the code that was mailed to it. If the code or the address is wrong, the response is 422, and does not tell
/// which of the two.
///
/// With the password of the account, or an access token of one of its sessions, the response is 204. The password and
/// that session are kept; all other sessions end. With neither, only the mailbox is proven, and someone else may have
/// registered its address: all sessions end, the password, profile, codes and birthday feed are deleted, and the
/// response is 200 with a reset token, which sets a new password.
///
/// **Open to:** anyone with the code.
#[utoipa::path(
    operation_id = "verify_email", tag = "auth", security((), ("oauth2" = []), ("token" = [])),
    request_body = VerifyEmail,
    responses(
        (status = 200, body = ResetTokenReply, description = "Verified with the code alone; set a new password"),
        (status = 204, description = "Verified with the password or an access token of the account"),
        (status = 401, description = "The access token is not valid; refresh it and try again"),
        (status = 429, description = "Too many wrong codes or passwords"),
    )
)]
#[post("/verify-email")]
pub async fn verify(
    state: web::Data<AppState>,
    client: Client,
    OptionalCaller(caller): OptionalCaller,
    Valid(body): Valid<VerifyEmail>,
) -> Result<HttpResponse, Problem> {
    let (email, code) = (body.email.value()?, body.code.value()?);
    let password = body.password.value()?.map(|password| password.0);
    let proof = Proof { password, actor: caller.map(|caller| caller.actor) };
    let token = verification::confirm(&state.db, &state.auth, (&email, &code), proof, &client).await?;
    Ok(token.map_or_else(|| HttpResponse::NoContent().finish(), |token| ResetTokenReply::response(&state, token)))
}

/// Resend the verification code
///
/// The response is the same, and takes as long, whether or not the address has an account or is verified already.
///
/// **Open to:** anyone.
#[utoipa::path(
    operation_id = "resend_verification_code", tag = "auth",
    request_body = AccountEmail,
    responses(
        (status = 202, body = AcceptedReply),
        (status = 429, description = "Too many requests for this e-mail address, or from this IP address"),
    )
)]
#[post("/verify-email/resend")]
pub async fn resend(
    state: web::Data<AppState>,
    client: Client,
    Valid(body): Valid<AccountEmail>,
) -> Result<HttpResponse, Problem> {
    verification::resend(&state.db, &state.auth, &body.email()?, &client).await?;
    Ok(AcceptedReply::response("If the address has an account to verify, a code is on its way."))
}
