//! Audit events: the activity of the current user, and all events for admins.

use actix_web::{HttpRequest, HttpResponse, get, web};
use chrono::{DateTime, Utc};
use entity::{AuditAction, audit_events as table};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::api::http::extract::{CurrentUser, Query};
use crate::api::http::field::{Field, Optional as _};
use crate::api::http::paging::{self, Limit, PageQuery, PageReply};
use crate::api::http::problem::Problem;
use crate::domain::records::audit::{self, AuditFilter};
use crate::domain::values::instant::Instant;
use crate::error::Error;
use crate::state::AppState;

/// An audit event.
#[derive(Serialize, ToSchema)]
pub struct AuditEventReply {
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    id: Uuid,
    action: AuditAction,
    /// The account that acted; null for failed log-ins, and for operators on the command line.
    #[schema(required = true, example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a11")]
    actor_id: Option<Uuid>,
    /// The account that the action concerns; null if there is none.
    #[schema(required = true, example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a12")]
    subject_id: Option<Uuid>,
    /// The session or vaccine request that the action concerns.
    #[schema(required = true, example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a13")]
    object_id: Option<Uuid>,
    /// Detail, such as the new role.
    #[schema(required = true, example = "staff")]
    detail: Option<String>,
    /// IP address of the client. Of operations by other users, only admins see it.
    #[schema(required = true, example = "192.0.2.1")]
    ip: Option<String>,
    /// User agent of the client. Of operations by other users, only admins see it.
    #[schema(required = true, example = "curl/8.5.0")]
    user_agent: Option<String>,
    occurred_at: DateTime<Utc>,
}

impl From<table::Model> for AuditEventReply {
    fn from(event: table::Model) -> Self {
        Self {
            id: event.id,
            action: event.action,
            actor_id: event.actor_id,
            subject_id: event.subject_id,
            object_id: event.object_id,
            detail: event.detail,
            ip: event.ip,
            user_agent: event.user_agent,
            occurred_at: event.occurred_at,
        }
    }
}

/// Filter and page of a list of audit events.
#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListAuditEvents {
    /// Only events with this action.
    #[validate(nested)]
    #[param(inline, value_type = Option<AuditAction>)]
    action: Option<Field<AuditAction>>,
    /// Only operations by this account.
    #[validate(nested)]
    #[param(value_type = Option<Uuid>)]
    actor_id: Option<Field<Uuid>>,
    /// Only operations on this account.
    #[validate(nested)]
    #[param(value_type = Option<Uuid>)]
    subject_id: Option<Field<Uuid>>,
    /// Only events at this time or later (RFC 3339).
    #[validate(nested)]
    #[param(inline)]
    occurred_from: Option<Field<Instant>>,
    /// Only events before this time (RFC 3339).
    #[validate(nested)]
    #[param(inline)]
    occurred_before: Option<Field<Instant>>,
    /// Items per page; 20 by default.
    #[validate(nested)]
    #[param(inline, example = 20)]
    limit: Option<Field<Limit>>,
    /// The `next_cursor` of the previous page.
    cursor: Option<String>,
}

impl ListAuditEvents {
    fn filter(self) -> Result<AuditFilter, Error> {
        Ok(AuditFilter {
            action: self.action.value()?,
            actor_id: self.actor_id.value()?,
            subject_id: self.subject_id.value()?,
            occurred_from: self.occurred_from.value()?.map(Instant::time),
            occurred_before: self.occurred_before.value()?.map(Instant::time),
        })
    }
}

/// List the activity of the current user
///
/// Operations by the user and on their account, newest first.
///
/// **Open to:** anyone signed in.
#[utoipa::path(
    operation_id = "list_own_activity", tag = "account", security(("oauth2" = []), ("token" = [])),
    params(PageQuery),
    responses(
        (status = 200, body = PageReply<AuditEventReply>, headers(("Link" = String, description = "The next page"))),
    )
)]
#[get("/me/activity")]
pub async fn list_own(
    state: web::Data<AppState>,
    user: CurrentUser,
    request: HttpRequest,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let events = audit::list_own(&state.db, user.user_id, query.page()?).await?;
    Ok(paging::reply(&request, events, AuditEventReply::from))
}

/// List audit events
///
/// Newest first.
///
/// **Open to:** admins.
#[utoipa::path(
    operation_id = "list_audit_events", tag = "audit", security(("oauth2" = []), ("token" = [])),
    params(ListAuditEvents),
    responses(
        (status = 200, body = PageReply<AuditEventReply>, headers(("Link" = String, description = "The next page"))),
        (status = 403, description = "Needs the role admin"),
    )
)]
#[get("")]
pub async fn list(
    state: web::Data<AppState>,
    user: CurrentUser,
    request: HttpRequest,
    Query(mut query): Query<ListAuditEvents>,
) -> Result<HttpResponse, Problem> {
    let page = paging::page(query.limit.take(), query.cursor.as_deref())?;
    let events = audit::list(&state.db, &user, &query.filter()?, page).await?;
    Ok(paging::reply(&request, events, AuditEventReply::from))
}
