//! Accounts: one's own, and for admins everybody's.

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, put, web};
use chrono::{DateTime, NaiveDate, Utc};
use entity::{Role, users as table};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::{Validate, ValidationError};

use super::extract::{CurrentUser, Id, Query, Valid};
use super::paging::{self, PageReply};
use super::problem::Problem;
use crate::app::AppState;
use crate::domain::email::Email;
use crate::domain::password::Password;
use crate::domain::patch::{Patch, not_null};
use crate::domain::rules::{self, patched};
use crate::domain::users::{self, Changes};
use crate::error::Error;

/// An account.
#[derive(Serialize, ToSchema)]
pub struct UserReply {
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    id: Uuid,
    #[schema(example = "Ada Lovelace")]
    name: String,
    #[schema(example = "ada@example.org")]
    email: String,
    role: Role,
    /// National id.
    #[schema(required = true, example = "19121815-AL")]
    nid: Option<String>,
    #[schema(required = true, example = "+44 20 7946 0018")]
    phone_number: Option<String>,
    #[schema(required = true, example = "12 St James's Square, London")]
    address: Option<String>,
    #[schema(required = true, example = "1985-12-10")]
    birth_date: Option<NaiveDate>,
    /// When the owner of the e-mail confirmed it.
    #[schema(required = true)]
    email_verified_at: Option<DateTime<Utc>>,
    /// Since when signing in is refused.
    #[schema(required = true)]
    disabled_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<table::Model> for UserReply {
    fn from(user: table::Model) -> Self {
        Self {
            id: user.id,
            name: user.name,
            email: user.email,
            role: user.role,
            nid: user.nid,
            phone_number: user.phone_number,
            address: user.address,
            birth_date: user.birth_date,
            email_verified_at: user.email_verified_at,
            disabled_at: user.disabled_at,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

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

impl From<ChangeProfile> for Changes {
    fn from(body: ChangeProfile) -> Self {
        let trimmed = |text: String| text.trim().to_owned();
        Self {
            name: body.name.map(trimmed),
            nid: body.nid.map(trimmed),
            phone_number: body.phone_number.map(trimmed),
            address: body.address.map(trimmed),
            birth_date: body.birth_date,
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

/// What an admin may change of an account.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeUser {
    role: Role,
}

/// Which accounts, and which page of them.
#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListUsers {
    /// Only the account with this e-mail.
    #[validate(custom(function = rules::email))]
    #[param(example = "ada@example.org")]
    email: Option<String>,
    /// Items on a page; 20 by default.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, example = 20)]
    limit: Option<u64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The caller's account.
///
/// **Open to:** anyone signed in.
#[utoipa::path(
    tag = "users", security(("oauth2" = []), ("token" = [])),
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
    tag = "users", security(("oauth2" = []), ("token" = [])),
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

/// Deletes the caller's account with its vaccine requests, and ends its sessions.
///
/// **Open to:** anyone signed in.
#[utoipa::path(tag = "users", security(("oauth2" = []), ("token" = [])), responses((status = 204)))]
#[delete("/me")]
pub async fn delete_me(state: web::Data<AppState>, user: CurrentUser) -> Result<HttpResponse, Problem> {
    users::delete(&state.db, &state.auth, &user).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Changes the caller's password and ends their other sessions.
///
/// **Open to:** anyone signed in.
#[utoipa::path(
    tag = "users", security(("oauth2" = []), ("token" = [])),
    request_body = ChangePassword,
    responses((status = 204))
)]
#[put("/me/password")]
pub async fn change_my_password(
    state: web::Data<AppState>,
    user: CurrentUser,
    Valid(body): Valid<ChangePassword>,
) -> Result<HttpResponse, Problem> {
    let new = Password::parse(&body.new_password).map_err(Error::from)?;
    let current = Password::presented(&body.current_password);
    users::change_password(&state.db, &state.auth, &user, current, new).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Accounts, newest first.
///
/// **Open to:** admins.
#[utoipa::path(
    operation_id = "list_users", tag = "users", security(("oauth2" = []), ("token" = [])),
    params(ListUsers),
    responses(
        (status = 200, body = PageReply<UserReply>, headers(("Link" = String, description = "The next page"))),
        (status = 403, description = "Needs the role admin"),
    )
)]
#[get("")]
pub async fn list(
    state: web::Data<AppState>,
    user: CurrentUser,
    request: HttpRequest,
    Query(query): Query<ListUsers>,
) -> Result<HttpResponse, Problem> {
    let email = query.email.as_deref().map(Email::parse).transpose().map_err(Error::from)?;
    let page = paging::page(query.limit, query.cursor.as_deref())?;
    let accounts = users::list(&state.db, &user, email.as_ref(), page).await?;
    Ok(paging::reply(&request, accounts, UserReply::from))
}

/// One account.
///
/// **Open to:** admins, and to whom it belongs.
#[utoipa::path(
    operation_id = "get_user", tag = "users", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 200, body = UserReply))
)]
#[get("/{id}")]
pub async fn get(state: web::Data<AppState>, user: CurrentUser, id: Id) -> Result<web::Json<UserReply>, Problem> {
    let account = users::get(&state.db, &user, id.0).await?;
    Ok(web::Json(account.into()))
}

/// Gives an account another role and ends its sessions.
///
/// **Open to:** admins.
#[utoipa::path(
    operation_id = "change_user", tag = "users", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    request_body(content((ChangeUser = "application/merge-patch+json"), (ChangeUser = "application/json"))),
    responses((status = 200, body = UserReply), (status = 403, description = "Needs the role admin"))
)]
#[patch("/{id}")]
pub async fn change(
    state: web::Data<AppState>,
    user: CurrentUser,
    id: Id,
    Valid(body): Valid<ChangeUser>,
) -> Result<web::Json<UserReply>, Problem> {
    let account = users::set_role(&state.db, &state.auth, &user, id.0, body.role).await?;
    Ok(web::Json(account.into()))
}
