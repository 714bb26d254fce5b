//! Verification of the e-mail address of an account.

use actix_web::{HttpResponse, post, web};

use crate::api::accounts::recovery::{AccountEmail, MailedCode};
use crate::api::http::accepted::AcceptedReply;
use crate::api::http::extract::Valid;
use crate::api::http::problem::Problem;
use crate::domain::accounts::verification;
use crate::domain::values::client::Client;
use crate::state::AppState;

/// Verify the e-mail address
///
/// Takes the code that was mailed to it. If the code or the address is wrong, the response is 422, and does not tell
/// which of the two.
///
/// **Open to:** anyone with the code.
#[utoipa::path(
    operation_id = "verify_email", tag = "auth",
    request_body = MailedCode,
    responses((status = 204), (status = 429, description = "Too many wrong codes"))
)]
#[post("")]
pub async fn verify(
    state: web::Data<AppState>,
    client: Client,
    Valid(body): Valid<MailedCode>,
) -> Result<HttpResponse, Problem> {
    let (email, code) = body.values()?;
    verification::confirm(&state.db, &state.auth, &email, &code, &client).await?;
    Ok(HttpResponse::NoContent().finish())
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
#[post("/resend")]
pub async fn resend(
    state: web::Data<AppState>,
    client: Client,
    Valid(body): Valid<AccountEmail>,
) -> Result<HttpResponse, Problem> {
    verification::resend(&state.db, &state.auth, &body.email()?, &client).await?;
    Ok(AcceptedReply::response("If the address has an account to verify, a code is on its way."))
}
