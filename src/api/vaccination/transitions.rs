//! Transitions of vaccine requests: approve, reject, cancel.

use actix_web::{post, web};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::api::http::extract::{Id, Valid};
use crate::api::http::field::Field;
use crate::api::http::problem::Problem;
use crate::api::vaccination::vaccine_requests::VaccineRequestReply;
use crate::domain::vaccination::transitions::{self, Transition};
use crate::domain::vaccination::vaccine_requests::RequestNote;
use crate::domain::values::caller::Caller;
use crate::state::AppState;

/// The rejection of a request.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "This dose was given last month." }))]
pub struct RejectVaccineRequest {
    /// Reason, for the user.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    reason: Field<RequestNote>,
}

/// Approve a vaccine request
///
/// It must be pending.
///
/// **Open to:** staff.
#[utoipa::path(
    operation_id = "approve_vaccine_request", tag = "vaccine-requests", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = VaccineRequestReply),
        (status = 403, description = "Needs the role staff"),
        (status = 409, description = "The request is not pending"),
    )
)]
#[post("/{id}/approve")]
pub async fn approve(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
) -> Result<web::Json<VaccineRequestReply>, Problem> {
    let transition = Transition::Approve;
    let request = transitions::apply(&state.db, &state.auth.clock, &caller, id.0, transition).await?;
    Ok(web::Json(request.into()))
}

/// Reject a vaccine request
///
/// It must be pending.
///
/// **Open to:** staff.
#[utoipa::path(
    operation_id = "reject_vaccine_request", tag = "vaccine-requests", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    request_body = RejectVaccineRequest,
    responses(
        (status = 200, body = VaccineRequestReply),
        (status = 403, description = "Needs the role staff"),
        (status = 409, description = "The request is not pending"),
    )
)]
#[post("/{id}/reject")]
pub async fn reject(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
    Valid(body): Valid<RejectVaccineRequest>,
) -> Result<web::Json<VaccineRequestReply>, Problem> {
    let transition = Transition::Reject { reason: body.reason.value()? };
    let request = transitions::apply(&state.db, &state.auth.clock, &caller, id.0, transition).await?;
    Ok(web::Json(request.into()))
}

/// Cancel a vaccine request
///
/// It must be pending, approved or booked.
///
/// **Open to:** the user who made it, and staff.
#[utoipa::path(
    operation_id = "cancel_vaccine_request", tag = "vaccine-requests", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = VaccineRequestReply),
        (status = 409, description = "The request is already closed"),
    )
)]
#[post("/{id}/cancel")]
pub async fn cancel(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
) -> Result<web::Json<VaccineRequestReply>, Problem> {
    let transition = Transition::Cancel;
    let request = transitions::apply(&state.db, &state.auth.clock, &caller, id.0, transition).await?;
    Ok(web::Json(request.into()))
}
