//! Registration of an account.

use actix_web::http::header;
use actix_web::{HttpResponse, post, web};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::api::accounts::users::UserReply;
use crate::api::http::accepted::AcceptedReply;
use crate::api::http::extract::Valid;
use crate::api::http::field::{Field, Optional as _};
use crate::api::http::problem::Problem;
use crate::domain::accounts::registration::{self, NewUser};
use crate::domain::auth::password::Password;
use crate::domain::values::client::Client;
use crate::domain::values::email::Email;
use crate::domain::values::person::{BirthDate, FullName, NationalId, PhoneNumber, PostalAddress};
use crate::error::Error;
use crate::state::AppState;

/// A new account. Its role is `patient`.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Ada Lovelace",
    "email": "ada@example.org",
    "password": "a long sentence",
    "nid": "19121815-AL",
    "phone_number": "+44 20 7946 0018",
    "address": "12 St James's Square, London",
    "birth_date": "1985-12-10",
}))]
pub struct RegisterAccount {
    /// Full name.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    name: Field<FullName>,
    /// E-mail address; unique, case-insensitive.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    email: Field<Email>,
    /// 8 to 256 characters; not a common password, and not the e-mail address or the name of the user.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    password: Field<Password>,
    /// National id. It is a claim until staff verify it; several accounts may have the same one.
    #[validate(nested)]
    #[schema(inline)]
    nid: Option<Field<NationalId>>,
    /// Telephone number, for staff.
    #[validate(nested)]
    #[schema(inline)]
    phone_number: Option<Field<PhoneNumber>>,
    /// Postal address.
    #[validate(nested)]
    #[schema(inline)]
    address: Option<Field<PostalAddress>>,
    /// Date of birth, from 1900 to today.
    #[validate(nested)]
    #[schema(inline)]
    birth_date: Option<Field<BirthDate>>,
}

impl TryFrom<RegisterAccount> for NewUser {
    type Error = Error;

    fn try_from(body: RegisterAccount) -> Result<Self, Error> {
        Ok(Self {
            name: body.name.value()?,
            email: body.email.value()?,
            password: body.password.value()?,
            nid: body.nid.value()?,
            phone_number: body.phone_number.value()?,
            address: body.address.value()?,
            birth_date: body.birth_date.value()?,
        })
    }
}

/// Register an account
///
/// The account has the role `patient`; an admin can change it. A code is mailed to the address, for
/// `POST /auth/verify-email`.
///
/// With the setting `registration.mode = "closed"` the response is 403. With `registration.on_duplicate = "silent"` it is
/// 202 whether or not the e-mail is taken; the owner of the address gets the outcome by mail.
///
/// **Open to:** anyone.
#[utoipa::path(
    operation_id = "register_account", tag = "auth",
    request_body = RegisterAccount,
    responses(
        (status = 201, body = UserReply, headers(("Location" = String, description = "Path of the account"))),
        (status = 202, body = AcceptedReply),
        (status = 403, description = "Registration is closed"),
        (status = 409, description = "The e-mail is taken"),
        (status = 429, description = "Too many registrations from this IP address"),
    )
)]
#[post("/register")]
pub async fn register(
    state: web::Data<AppState>,
    client: Client,
    Valid(body): Valid<RegisterAccount>,
) -> Result<HttpResponse, Problem> {
    let new = body.try_into()?;
    if state.auth.registration.is_silent {
        registration::register_silently(&state.db, &state.auth, new, &client).await?;
        return Ok(AcceptedReply::response("A mail with the outcome is on its way to the address."));
    }
    let user = registration::register(&state.db, &state.auth, new, &client).await?;
    let location = format!("/api/v1/users/{}", user.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(UserReply::from(user)))
}
