//! The audit trail: one's own part of it, and for admins all.

use actix_web::{HttpRequest, HttpResponse, get, web};
use chrono::{DateTime, Utc};
use entity::{AuditAction, audit_events as table};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::api::http::extract::{CurrentUser, Query};
use crate::api::http::paging::{self, PageQuery, PageReply};
use crate::api::http::problem::Problem;
use crate::domain::records::audit::{self, Filter};
use crate::domain::values::rules;
use crate::state::AppState;

/// Something that was done.
#[derive(Serialize, ToSchema)]
pub struct AuditEventReply {
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    id: Uuid,
    action: AuditAction,
    /// Whose account did it; null for wrong passwords, whoever gave them, and for operators on the command line.
    #[schema(required = true, example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a11")]
    actor_id: Option<Uuid>,
    /// Whose account it was done to; null where there is none.
    #[schema(required = true, example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a12")]
    subject_id: Option<Uuid>,
    /// The session or vaccine request that it is about.
    #[schema(required = true, example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a13")]
    object_id: Option<Uuid>,
    /// A word more, such as the new role.
    #[schema(required = true, example = "staff")]
    detail: Option<String>,
    /// The address that it was done from; of what others did, for admins only.
    #[schema(required = true, example = "192.0.2.1")]
    ip: Option<String>,
    /// The program that it was done with; of what others did, for admins only.
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

/// Which events, and which page of them.
#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListEvents {
    /// Only events of this kind.
    action: Option<AuditAction>,
    /// Only what this account did.
    #[param(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a11")]
    actor_id: Option<Uuid>,
    /// Only what was done to this account.
    #[param(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a12")]
    subject_id: Option<Uuid>,
    /// Only events at this time or later.
    #[validate(custom(function = rules::time))]
    #[param(example = "2026-11-01T00:00:00Z")]
    occurred_from: Option<DateTime<Utc>>,
    /// Only events before this time.
    #[validate(custom(function = rules::time))]
    #[param(example = "2026-12-01T00:00:00Z")]
    occurred_before: Option<DateTime<Utc>>,
    /// Items on a page; 20 by default.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, example = 20)]
    limit: Option<u64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What the caller did, and what was done to their account, newest first.
///
/// **Open to:** anyone signed in.
#[utoipa::path(
    operation_id = "list_activity", tag = "account", security(("oauth2" = []), ("token" = [])),
    params(PageQuery),
    responses(
        (status = 200, body = PageReply<AuditEventReply>, headers(("Link" = String, description = "The next page"))),
    )
)]
#[get("/me/activity")]
pub async fn own(
    state: web::Data<AppState>,
    user: CurrentUser,
    request: HttpRequest,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let page = query.page()?;
    let events = audit::own(&state.db, &user, page).await?;
    Ok(paging::reply(&request, events, AuditEventReply::from))
}

/// Everything that was done, newest first.
///
/// **Open to:** admins.
#[utoipa::path(
    operation_id = "list_audit_events", tag = "audit", security(("oauth2" = []), ("token" = [])),
    params(ListEvents),
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
    Query(query): Query<ListEvents>,
) -> Result<HttpResponse, Problem> {
    let page = paging::page(query.limit.map(Into::into), query.cursor.as_deref())?;
    let filter = Filter {
        action: query.action,
        actor_id: query.actor_id,
        subject_id: query.subject_id,
        occurred_from: query.occurred_from,
        occurred_before: query.occurred_before,
    };
    let events = audit::list(&state.db, &user, &filter, page).await?;
    Ok(paging::reply(&request, events, AuditEventReply::from))
}
