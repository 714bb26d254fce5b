//! Password and e-mail address of the current user.

use actix_web::{HttpResponse, post, put, web};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::api::accounts::users::UserReply;
use crate::api::http::accepted::AcceptedReply;
use crate::api::http::extract::Valid;
use crate::api::http::field::Field;
use crate::api::http::problem::Problem;
use crate::domain::accounts::{credentials, verification};
use crate::domain::auth::password::{Password, PresentedPassword};
use crate::domain::values::caller::Caller;
use crate::domain::values::email::Email;
use crate::domain::values::one_time_code::OneTimeCode;
use crate::state::AppState;

/// Change of the password.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "current_password": "a long sentence", "new_password": "a longer sentence" }))]
pub struct ChangePassword {
    /// The current password.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    current_password: Field<PresentedPassword>,
    /// 8 to 256 characters; not a common password, and not the e-mail address or the name of the user.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    new_password: Field<Password>,
}

/// Change of the e-mail address.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "email": "ada@example.net", "current_password": "a long sentence" }))]
pub struct ChangeEmail {
    /// The new address; a code is mailed to it.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    email: Field<Email>,
    /// The current password.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    current_password: Field<PresentedPassword>,
}

/// Confirmation of a changed e-mail address.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "code": "493021" }))]
pub struct ConfirmEmailChange {
    /// The six digits that were mailed to the new address.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    code: Field<OneTimeCode>,
}

/// Change the password of the current user
///
/// Ends all other sessions of the account, and notifies the owner by mail.
///
/// **Open to:** anyone signed in.
#[utoipa::path(
    operation_id = "change_password", tag = "account", security(("oauth2" = []), ("token" = [])),
    request_body = ChangePassword,
    responses((status = 204), (status = 429, description = "Too many wrong passwords"))
)]
#[put("/me/password")]
pub async fn change_password(
    state: web::Data<AppState>,
    caller: Caller,
    Valid(body): Valid<ChangePassword>,
) -> Result<HttpResponse, Problem> {
    let (current, new) = (body.current_password.value()?.0, body.new_password.value()?);
    credentials::change_password(&state.db, &state.auth, &caller, current, new).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Request a change of the e-mail address
///
/// A code is mailed to the new address, and a notice to the current one. Nothing changes until the code is confirmed.
///
/// **Open to:** anyone signed in.
#[utoipa::path(
    operation_id = "request_email_change", tag = "account", security(("oauth2" = []), ("token" = [])),
    request_body = ChangeEmail,
    responses(
        (status = 202, body = AcceptedReply),
        (status = 429, description = "Too many wrong passwords, or too many requested changes"),
    )
)]
#[post("/me/email-change")]
pub async fn request_email_change(
    state: web::Data<AppState>,
    caller: Caller,
    Valid(body): Valid<ChangeEmail>,
) -> Result<HttpResponse, Problem> {
    let (email, password) = (body.email.value()?, body.current_password.value()?.0);
    verification::begin_change(&state.db, &state.auth, &caller, &email, password).await?;
    Ok(AcceptedReply::response("A code is on its way to the new address."))
}

/// Confirm a change of the e-mail address
///
/// Takes the code that was mailed to the new address.
///
/// **Open to:** anyone signed in.
#[utoipa::path(
    operation_id = "confirm_email_change", tag = "account", security(("oauth2" = []), ("token" = [])),
    request_body = ConfirmEmailChange,
    responses(
        (status = 200, body = UserReply),
        (status = 409, description = "Another account has the address"),
        (status = 429, description = "Too many wrong codes"),
    )
)]
#[post("/me/email-change/confirm")]
pub async fn confirm_email_change(
    state: web::Data<AppState>,
    caller: Caller,
    Valid(body): Valid<ConfirmEmailChange>,
) -> Result<web::Json<UserReply>, Problem> {
    let code = body.code.value()?;
    let account = verification::finish_change(&state.db, &state.auth, &caller, &code).await?;
    Ok(web::Json(account.into()))
}
