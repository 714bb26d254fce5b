//! Everybody's accounts, for admins.

use actix_web::{HttpRequest, HttpResponse, get, patch, web};
use chrono::{DateTime, NaiveDate, Utc};
use entity::{Role, users as table};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::api::http::extract::{CurrentUser, Id, Query, Valid};
use crate::api::http::paging::{self, PageReply};
use crate::api::http::problem::Problem;
use crate::domain::accounts::administration::{self, Changes};
use crate::domain::accounts::users::{self, Filter};
use crate::domain::values::client::Client;
use crate::domain::values::email::Email;
use crate::domain::values::patch::not_null;
use crate::domain::values::rules;
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
    #[schema(required = true, example = "+44 20 7946 0018")]
    phone_number: Option<String>,
    #[schema(required = true, example = "12 St James's Square, London")]
    address: Option<String>,
    #[schema(required = true, example = "1985-12-10")]
    birth_date: Option<NaiveDate>,
    /// Where their day begins: an IANA zone.
    #[schema(required = true, example = "Europe/London")]
    time_zone: Option<String>,
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
            time_zone: user.time_zone,
            email_verified_at: user.email_verified_at,
            disabled_at: user.disabled_at,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

/// What an admin may change of an account.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeUser {
    #[serde(default, deserialize_with = "not_null")]
    #[schema(value_type = Role, required = false)]
    role: Option<Role>,
    /// Whether signing in is refused.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(value_type = bool, required = false, example = true)]
    disabled: Option<bool>,
}

/// Which accounts, and which page of them.
#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListUsers {
    /// Only accounts whose name or e-mail contains this, whatever the letter case.
    #[validate(length(min = 1, max = 200), custom(function = rules::line))]
    #[param(min_length = 1, max_length = 200, example = "lovelace")]
    q: Option<String>,
    /// Only the account with this e-mail.
    #[validate(custom(function = rules::email))]
    #[param(example = "ada@example.org")]
    email: Option<String>,
    /// Only accounts with this role.
    role: Option<Role>,
    /// Only accounts that are disabled, or only those that are not.
    #[param(example = false)]
    disabled: Option<bool>,
    /// Items on a page; 20 by default.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, example = 20)]
    limit: Option<u64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
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
    let page = paging::page(query.limit.map(Into::into), query.cursor.as_deref())?;
    let email = query.email.as_deref().map(Email::parse).transpose().map_err(Error::from)?;
    let filter = Filter { search: query.q, email, role: query.role, is_disabled: query.disabled };
    let accounts = users::list(&state.db, &user, &filter, page).await?;
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

/// Gives an account another role, disables or enables it, and ends its sessions.
///
/// **Open to:** admins.
#[utoipa::path(
    operation_id = "change_user", tag = "users", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    request_body(content((ChangeUser = "application/merge-patch+json"), (ChangeUser = "application/json"))),
    responses(
        (status = 200, body = UserReply),
        (status = 403, description = "Needs the role admin"),
        (status = 409, description = "This is the last admin who can sign in"),
    )
)]
#[patch("/{id}")]
pub async fn change(
    state: web::Data<AppState>,
    user: CurrentUser,
    client: Client,
    id: Id,
    Valid(body): Valid<ChangeUser>,
) -> Result<web::Json<UserReply>, Problem> {
    let changes = Changes { role: body.role, is_disabled: body.disabled };
    let account = administration::change(&state.db, &state.auth, &user, &client, id.0, changes).await?;
    Ok(web::Json(account.into()))
}
