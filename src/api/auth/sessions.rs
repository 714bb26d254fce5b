//! Sessions of the current user: list, end.

use actix_web::{HttpRequest, HttpResponse, delete, get, web};
use chrono::{DateTime, Utc};
use entity::refresh_tokens as table;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::http::extract::{CurrentUser, Id, Query};
use crate::api::http::paging::{self, PageQuery, PageReply};
use crate::api::http::problem::Problem;
use crate::domain::auth::sessions;
use crate::domain::values::caller::Caller;
use crate::state::AppState;

/// A session: a log-in on one device.
#[derive(Serialize, ToSchema)]
pub struct SessionReply {
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    id: Uuid,
    /// Whether it is the session of this request.
    #[schema(example = true)]
    current: bool,
    created_at: DateTime<Utc>,
    /// Time of the last refresh.
    refreshed_at: DateTime<Utc>,
    /// Time of expiry, unless the session is refreshed.
    expires_at: DateTime<Utc>,
    /// User agent of the client that logged in.
    #[schema(required = true, example = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0")]
    user_agent: Option<String>,
    /// IP address of the client that logged in.
    #[schema(required = true, example = "192.0.2.1")]
    ip: Option<String>,
}

impl SessionReply {
    pub(in crate::api) fn new(session: table::Model, current: Option<Uuid>) -> Self {
        Self {
            id: session.id,
            current: Some(session.id) == current,
            created_at: session.created_at,
            refreshed_at: session.rotated_at,
            expires_at: session.expires_at,
            user_agent: session.user_agent,
            ip: session.ip,
        }
    }
}

/// List the active sessions of the current user
///
/// Newest first.
///
/// **Open to:** anyone signed in.
#[utoipa::path(
    operation_id = "list_sessions", tag = "account", security(("oauth2" = []), ("token" = [])),
    params(PageQuery),
    responses(
        (status = 200, body = PageReply<SessionReply>, headers(("Link" = String, description = "The next page"))),
    )
)]
#[get("/me/sessions")]
pub async fn list(
    state: web::Data<AppState>,
    user: CurrentUser,
    request: HttpRequest,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let page = query.page()?;
    let sessions = sessions::list(&state.db, &state.auth.clock, user.user_id, page).await?;
    Ok(paging::reply(&request, sessions, |session| SessionReply::new(session, Some(user.session_id))))
}

/// End a session
///
/// Both its tokens are rejected from then on.
///
/// **Open to:** anyone signed in.
#[utoipa::path(
    operation_id = "end_session", tag = "account", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 204))
)]
#[delete("/me/sessions/{id}")]
pub async fn end(state: web::Data<AppState>, caller: Caller, id: Id) -> Result<HttpResponse, Problem> {
    sessions::end_one(&state.db, &state.auth, &caller, id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// End all other sessions
///
/// Ends all sessions of the current user except the one of this request.
///
/// **Open to:** anyone signed in.
#[utoipa::path(
    operation_id = "end_other_sessions", tag = "account", security(("oauth2" = []), ("token" = [])),
    responses((status = 204))
)]
#[delete("/me/sessions")]
pub async fn end_others(state: web::Data<AppState>, caller: Caller) -> Result<HttpResponse, Problem> {
    sessions::end_others(&state.db, &state.auth, &caller).await?;
    Ok(HttpResponse::NoContent().finish())
}
