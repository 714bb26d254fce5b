//! Access of other users to their accounts, for admins: e-mail address and sessions.

use actix_web::{HttpRequest, HttpResponse, delete, get, put, web};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::api::accounts::users::UserReply;
use crate::api::auth::sessions::SessionReply;
use crate::api::http::extract::{Id, Query, SessionId, Valid};
use crate::api::http::field::Field;
use crate::api::http::paging::{self, PageQuery, PageReply};
use crate::api::http::problem::Problem;
use crate::domain::accounts::administration::{self, Administrator};
use crate::domain::values::caller::Caller;
use crate::domain::values::email::Email;
use crate::state::AppState;

/// The e-mail address of an account.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "email": "ada@example.net" }))]
pub struct SetEmail {
    /// E-mail address; unique, case-insensitive.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    email: Field<Email>,
}

/// Set the e-mail address of an account
///
/// For someone who has lost access to the account, whose identity was checked. The new address counts as verified, the
/// old one is notified. All sessions end; the password becomes void, codes and the birthday feed are deleted. If the old
/// address was not verified, the profile is cleared. The owner sets a new password with `POST /auth/forgot-password`.
///
/// **Open to:** admins.
#[utoipa::path(
    operation_id = "set_user_email", tag = "users", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    request_body = SetEmail,
    responses(
        (status = 200, body = UserReply),
        (status = 403, description = "Needs the role admin"),
        (status = 409, description = "Another account has the address"),
    )
)]
#[put("/{id}/email")]
pub async fn set_email(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
    Valid(body): Valid<SetEmail>,
) -> Result<web::Json<UserReply>, Problem> {
    let admin = Administrator::admin(&caller)?;
    let email = body.email.value()?;
    Ok(web::Json(administration::set_email(&state.db, &state.auth, &admin, id.0, &email).await?.into()))
}

/// List the active sessions of an account
///
/// Newest first. The owner sees in their activity that the sessions were listed.
///
/// **Open to:** admins.
#[utoipa::path(
    operation_id = "list_user_sessions", tag = "users", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path), PageQuery),
    responses(
        (status = 200, body = PageReply<SessionReply>, headers(("Link" = String, description = "The next page"))),
        (status = 403, description = "Needs the role admin"),
    )
)]
#[get("/{id}/sessions")]
pub async fn list_sessions(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    id: Id,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let admin = Administrator::admin(&caller)?;
    let sessions = administration::list_sessions(&state.db, &state.auth, &admin, id.0, query.page()?).await?;
    Ok(paging::reply(&request, sessions, |session| SessionReply::new(session, None)))
}

/// End all sessions of an account
///
/// **Open to:** admins.
#[utoipa::path(
    operation_id = "end_user_sessions", tag = "users", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 204), (status = 403, description = "Needs the role admin"))
)]
#[delete("/{id}/sessions")]
pub async fn end_sessions(state: web::Data<AppState>, caller: Caller, id: Id) -> Result<HttpResponse, Problem> {
    let admin = Administrator::admin(&caller)?;
    administration::end_sessions(&state.db, &state.auth, &admin, id.0, None).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// End a session of an account
///
/// **Open to:** admins.
#[utoipa::path(
    operation_id = "end_user_session", tag = "users", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path), ("session_id" = Uuid, Path)),
    responses((status = 204), (status = 403, description = "Needs the role admin"))
)]
#[delete("/{id}/sessions/{session_id}")]
pub async fn end_session(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
    session_id: SessionId,
) -> Result<HttpResponse, Problem> {
    let admin = Administrator::admin(&caller)?;
    administration::end_sessions(&state.db, &state.auth, &admin, id.0, Some(session_id.0)).await?;
    Ok(HttpResponse::NoContent().finish())
}
