//! One's own account: profile, password, address, data, and leaving.

use actix_web::{HttpResponse, delete, get, patch, post, put, web};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::api::accounts::recovery::AcceptedReply;
use crate::api::accounts::users::UserReply;
use crate::api::http::extract::{CurrentUser, Valid};
use crate::api::http::problem::Problem;
use crate::domain::accounts::credentials;
use crate::domain::accounts::users::{self, Changes};
use crate::domain::accounts::verification;
use crate::domain::auth::password::Password;
use crate::domain::personal_data::{self, Erasure};
use crate::domain::values::client::Client;
use crate::domain::values::email::Email;
use crate::domain::values::patch::{Patch, not_null};
use crate::domain::values::rules::{self, patched};
use crate::domain::values::time_zone::TimeZone;
use crate::error::Error;
use crate::state::AppState;

/// A JSON merge patch (RFC 7396): absent members stay, null clears.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeProfile {
    /// Full name.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(length(max = 200), custom(function = rules::line))]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 200, example = "Ada King")]
    name: Option<String>,
    /// National id, unique among all accounts.
    #[serde(default)]
    #[validate(custom(function = patched_nid))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, example = "19121815-AL")]
    nid: Patch<String>,
    /// For staff to call.
    #[serde(default)]
    #[validate(custom(function = patched_phone_number))]
    #[schema(value_type = Option<String>, min_length = 5, max_length = 32, example = "+44 20 7946 0018")]
    phone_number: Patch<String>,
    /// Postal address.
    #[serde(default)]
    #[validate(custom(function = patched_address))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 500, example = "Ockham Park, Surrey")]
    address: Patch<String>,
    /// From 1900 to today.
    #[serde(default)]
    #[validate(custom(function = patched_birth_date))]
    #[schema(value_type = Option<NaiveDate>, example = "1985-12-10")]
    birth_date: Patch<NaiveDate>,
    /// Where one's day begins: an IANA zone.
    #[serde(default)]
    #[validate(custom(function = patched_time_zone))]
    #[schema(value_type = Option<String>, max_length = 64, example = "Europe/London")]
    time_zone: Patch<String>,
}

fn patched_nid(nid: &Patch<String>) -> Result<(), ValidationError> {
    patched(nid, |nid| rules::at_most(nid, 64).and_then(|()| rules::nid(nid)))
}

fn patched_phone_number(number: &Patch<String>) -> Result<(), ValidationError> {
    patched(number, |number| rules::at_most(number, 32).and_then(|()| rules::phone_number(number)))
}

fn patched_address(address: &Patch<String>) -> Result<(), ValidationError> {
    patched(address, |address| rules::at_most(address, 500).and_then(|()| rules::text(address)))
}

fn patched_birth_date(date: &Patch<NaiveDate>) -> Result<(), ValidationError> {
    patched(date, rules::birth_date)
}

fn patched_time_zone(zone: &Patch<String>) -> Result<(), ValidationError> {
    patched(zone, |zone| rules::time_zone(zone))
}

impl From<ChangeProfile> for Changes {
    fn from(body: ChangeProfile) -> Self {
        let trimmed = |text: String| text.trim().to_owned();
        Self {
            name: body.name.map(trimmed),
            nid: body.nid.map(trimmed),
            phone_number: body.phone_number.map(trimmed),
            address: body.address.map(trimmed),
            birth_date: body.birth_date,
            // As the database of zones spells it.
            time_zone: body.time_zone.map(|name| TimeZone::parse(&name).map_or(name, |zone| zone.name().to_owned())),
        }
    }
}

/// The current password and the next one.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    #[serde(default)]
    #[validate(length(min = 1, max = 1024))]
    #[schema(required = true, format = Password, min_length = 1, max_length = 1024, example = "a long sentence")]
    current_password: String,
    /// 8 characters at least, 71 bytes at most, and not one of the most common.
    #[serde(default)]
    #[validate(custom(function = rules::password))]
    #[schema(required = true, format = Password, min_length = 8, max_length = 71, example = "a longer sentence")]
    new_password: String,
}

/// Another address, and the password.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeEmail {
    /// A code goes there.
    #[serde(default)]
    #[validate(custom(function = rules::email))]
    #[schema(required = true, format = Email, max_length = 254, example = "ada@example.net")]
    email: String,
    #[serde(default)]
    #[validate(length(min = 1, max = 1024))]
    #[schema(required = true, format = Password, min_length = 1, max_length = 1024, example = "a long sentence")]
    current_password: String,
}

/// The code that was mailed to the new address.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmEmail {
    #[serde(default)]
    #[validate(custom(function = rules::code))]
    #[schema(required = true, pattern = "^[0-9]{6}$", example = "493021")]
    code: String,
}

/// The password, because this cannot be undone.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteAccount {
    #[serde(default)]
    #[validate(length(min = 1, max = 1024))]
    #[schema(required = true, format = Password, min_length = 1, max_length = 1024, example = "a long sentence")]
    password: String,
}

/// What became of every trace of the account, in rows.
#[derive(Serialize, ToSchema)]
pub struct ErasureReply {
    erased: Erased,
    anonymised: Anonymised,
    /// What a dose record must keep. This version stores no dose records, so nothing is kept.
    #[schema(example = json!([]))]
    kept: Vec<&'static str>,
}

/// What is gone.
#[derive(Serialize, ToSchema)]
pub struct Erased {
    /// The account itself.
    #[schema(example = 1)]
    account: u64,
    #[schema(example = 2)]
    vaccine_requests: u64,
    /// Contacts, with the records of the files they came from and the secret of the calendar.
    #[schema(example = 40)]
    contacts: u64,
    /// Codes under way.
    #[schema(example = 0)]
    codes: u64,
    /// Mails that had not been sent.
    #[schema(example = 0)]
    mails: u64,
}

/// What names nobody any more.
#[derive(Serialize, ToSchema)]
pub struct Anonymised {
    /// Sessions: ids and times, until they are swept.
    #[schema(example = 3)]
    sessions: u64,
    /// The audit trail: what was done and when, without address and browser; its ids lead to nobody.
    #[schema(example = 9)]
    activity: u64,
    /// Decisions on the requests of others.
    #[schema(example = 0)]
    reviews: u64,
}

impl From<Erasure> for ErasureReply {
    fn from(rows: Erasure) -> Self {
        Self {
            erased: Erased {
                account: 1,
                vaccine_requests: rows.vaccine_requests,
                contacts: rows.contacts,
                codes: rows.codes,
                mails: rows.mails,
            },
            anonymised: Anonymised { sessions: rows.sessions, activity: rows.activity, reviews: rows.reviews },
            kept: Vec::new(),
        }
    }
}

/// The caller's account.
///
/// **Open to:** anyone signed in.
#[utoipa::path(
    tag = "account", security(("oauth2" = []), ("token" = [])),
    responses((status = 200, body = UserReply))
)]
#[get("/me")]
pub async fn me(state: web::Data<AppState>, user: CurrentUser) -> Result<web::Json<UserReply>, Problem> {
    let account = users::own(&state.db, &user).await?;
    Ok(web::Json(account.into()))
}

/// Changes the caller's account.
///
/// **Open to:** anyone signed in.
#[utoipa::path(
    tag = "account", security(("oauth2" = []), ("token" = [])),
    request_body(content((ChangeProfile = "application/merge-patch+json"), (ChangeProfile = "application/json"))),
    responses((status = 200, body = UserReply), (status = 409, description = "The national id is taken"))
)]
#[patch("/me")]
pub async fn change_me(
    state: web::Data<AppState>,
    user: CurrentUser,
    Valid(body): Valid<ChangeProfile>,
) -> Result<web::Json<UserReply>, Problem> {
    let account = users::change(&state.db, &state.auth, &user, body.into()).await?;
    Ok(web::Json(account.into()))
}

/// Deletes the caller's account and erases or anonymises every trace of it.
///
/// The answer says what became of which. A last mail goes to the address; then it is forgotten too.
///
/// **Open to:** anyone signed in.
#[utoipa::path(
    tag = "account", security(("oauth2" = []), ("token" = [])),
    request_body = DeleteAccount,
    responses(
        (status = 200, body = ErasureReply),
        (status = 409, description = "Nobody could administer the service any more"),
        (status = 429, description = "Too many wrong passwords"),
    )
)]
#[delete("/me")]
pub async fn delete_me(
    state: web::Data<AppState>,
    user: CurrentUser,
    client: Client,
    Valid(body): Valid<DeleteAccount>,
) -> Result<web::Json<ErasureReply>, Problem> {
    let password = Password::presented(&body.password);
    let erasure = personal_data::erase(&state.db, &state.auth, &user, &client, password).await?;
    Ok(web::Json(erasure.into()))
}

/// Changes the caller's password, ends their other sessions, and tells them by mail.
///
/// **Open to:** anyone signed in.
#[utoipa::path(
    tag = "account", security(("oauth2" = []), ("token" = [])),
    request_body = ChangePassword,
    responses((status = 204), (status = 429, description = "Too many wrong passwords"))
)]
#[put("/me/password")]
pub async fn change_my_password(
    state: web::Data<AppState>,
    user: CurrentUser,
    client: Client,
    Valid(body): Valid<ChangePassword>,
) -> Result<HttpResponse, Problem> {
    let new = Password::parse(&body.new_password).map_err(Error::from)?;
    let current = Password::presented(&body.current_password);
    credentials::change_password(&state.db, &state.auth, &user, &client, current, new).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Asks for another address.
///
/// A code goes to the new address and word of it to the present one. Nothing changes before the code comes back.
///
/// **Open to:** anyone signed in.
#[utoipa::path(
    tag = "account", security(("oauth2" = []), ("token" = [])),
    request_body = ChangeEmail,
    responses(
        (status = 202, body = AcceptedReply),
        (status = 429, description = "Too many wrong passwords, or changes of address"),
    )
)]
#[put("/me/email")]
pub async fn change_my_email(
    state: web::Data<AppState>,
    user: CurrentUser,
    client: Client,
    Valid(body): Valid<ChangeEmail>,
) -> Result<HttpResponse, Problem> {
    let email = Email::parse(&body.email).map_err(Error::from)?;
    let password = Password::presented(&body.current_password);
    verification::begin_change(&state.db, &state.auth, &user, &client, &email, password).await?;
    Ok(AcceptedReply::saying("A code is on its way to the new address."))
}

/// Confirms the new address with the code that was mailed to it, and so gives it to the account.
///
/// **Open to:** anyone signed in.
#[utoipa::path(
    tag = "account", security(("oauth2" = []), ("token" = [])),
    request_body = ConfirmEmail,
    responses(
        (status = 200, body = UserReply),
        (status = 409, description = "Another account has the address"),
        (status = 429, description = "Too many wrong codes"),
    )
)]
#[post("/me/email/confirm")]
pub async fn confirm_my_email(
    state: web::Data<AppState>,
    user: CurrentUser,
    client: Client,
    Valid(body): Valid<ConfirmEmail>,
) -> Result<web::Json<UserReply>, Problem> {
    let account = verification::finish_change(&state.db, &state.auth, &user, &client, &body.code).await?;
    Ok(web::Json(account.into()))
}
