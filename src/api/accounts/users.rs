//! Account administration: list, get, update.

use actix_web::{HttpRequest, HttpResponse, get, patch, web};
use chrono::{DateTime, NaiveDate, Utc};
use entity::{Role, users as table};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::api::http::extract::{Id, Query, Valid};
use crate::api::http::field::{Field, Optional as _};
use crate::api::http::paging::{self, Limit, PageReply};
use crate::api::http::problem::Problem;
use crate::domain::accounts::administration::{self, AccountChanges, Administrator};
use crate::domain::accounts::users::{self, UserFilter};
use crate::domain::values::caller::Caller;
use crate::domain::values::email::Email;
use crate::domain::values::patch::not_null;
use crate::domain::values::search::SearchText;
use crate::error::Error;
use crate::state::AppState;

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
    /// When staff verified the national id; null while it is a claim.
    #[schema(required = true)]
    nid_verified_at: Option<DateTime<Utc>>,
    #[schema(required = true, example = "+44 20 7946 0018")]
    phone_number: Option<String>,
    #[schema(required = true, example = "12 St James's Square, London")]
    address: Option<String>,
    #[schema(required = true, example = "1985-12-10")]
    birth_date: Option<NaiveDate>,
    /// IANA time zone.
    #[schema(required = true, example = "Europe/London")]
    time_zone: Option<String>,
    /// When the e-mail was verified.
    #[schema(required = true)]
    email_verified_at: Option<DateTime<Utc>>,
    /// Whether the account is disabled, so that its owner cannot log in.
    #[schema(example = false)]
    disabled: bool,
    /// When the account was disabled.
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
            nid_verified_at: user.nid_verified_at,
            phone_number: user.phone_number,
            address: user.address,
            birth_date: user.birth_date,
            time_zone: user.time_zone,
            email_verified_at: user.email_verified_at,
            disabled: user.disabled_at.is_some(),
            disabled_at: user.disabled_at,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

/// A JSON merge patch (RFC 7396) of an account, by an admin.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "role": "staff", "disabled": false }))]
pub struct UpdateUser {
    /// Role.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(value_type = Role, required = false)]
    role: Option<Field<Role>>,
    /// Whether the account is disabled, so that its owner cannot log in.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(inline, value_type = Field<bool>, required = false)]
    disabled: Option<Field<bool>>,
}

/// Filter and page of a list of accounts.
#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListUsers {
    /// Only accounts of which, for each of these words, a word of the name, the e-mail address, or a part of it before the
    /// `@` begins with it; case-insensitive.
    #[validate(nested)]
    #[param(inline)]
    q: Option<Field<SearchText>>,
    /// Only the account with this e-mail.
    #[validate(nested)]
    #[param(inline)]
    email: Option<Field<Email>>,
    /// Only accounts with this role.
    #[validate(nested)]
    #[param(inline, value_type = Option<Role>)]
    role: Option<Field<Role>>,
    /// Only disabled accounts, or only those that are not.
    #[validate(nested)]
    #[param(inline)]
    disabled: Option<Field<bool>>,
    /// Items per page; 20 by default.
    #[validate(nested)]
    #[param(inline, example = 20)]
    limit: Option<Field<Limit>>,
    /// The `next_cursor` of the previous page.
    cursor: Option<String>,
}

impl ListUsers {
    fn filter(self) -> Result<UserFilter, Error> {
        Ok(UserFilter {
            search: self.q.value()?,
            email: self.email.value()?,
            role: self.role.value()?,
            is_disabled: self.disabled.value()?,
        })
    }
}

/// List accounts
///
/// Newest first.
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
    caller: Caller,
    request: HttpRequest,
    Query(mut query): Query<ListUsers>,
) -> Result<HttpResponse, Problem> {
    let page = paging::page(query.limit.take(), query.cursor.as_deref())?;
    let accounts = users::list(&state.db, &state.auth.clock, &caller, &query.filter()?, page).await?;
    Ok(paging::reply(&request, accounts, UserReply::from))
}

/// Get an account
///
/// **Open to:** admins, and its owner.
#[utoipa::path(
    operation_id = "get_user", tag = "users", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 200, body = UserReply))
)]
#[get("/{id}")]
pub async fn get(state: web::Data<AppState>, caller: Caller, id: Id) -> Result<web::Json<UserReply>, Problem> {
    let account = users::get(&state.db, &state.auth.clock, &caller, id.0).await?;
    Ok(web::Json(account.into()))
}

/// Update an account
///
/// Changes the role of the account, or disables or enables it, and ends its sessions.
///
/// **Open to:** admins.
#[utoipa::path(
    operation_id = "update_user", tag = "users", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    request_body(content = UpdateUser, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, body = UserReply),
        (status = 403, description = "Needs the role admin"),
        (status = 409, description = "It is the last admin who can log in"),
    )
)]
#[patch("/{id}")]
pub async fn update(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
    Valid(body): Valid<UpdateUser>,
) -> Result<web::Json<UserReply>, Problem> {
    let changes = AccountChanges { role: body.role.value()?, is_disabled: body.disabled.value()? };
    let admin = Administrator::admin(&caller)?;
    let account = administration::update(&state.db, &state.auth, &admin, id.0, changes).await?;
    Ok(web::Json(account.into()))
}
