//! Review of vaccine requests: approve, reject.

use actix_web::{post, web};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::api::http::extract::{Id, Valid};
use crate::api::http::field::Field;
use crate::api::http::problem::Problem;
use crate::api::vaccination::request_replies::VaccineRequestReply;
use crate::domain::vaccination::transitions::{self, Decision};
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
        (status = 409, description = "The request is not pending, or the rules do not allow the dose"),
    )
)]
#[post("/{id}/approve")]
pub async fn approve(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
) -> Result<web::Json<VaccineRequestReply>, Problem> {
    let request = transitions::decide(&state.db, &state.vaccination, &caller, id.0, Decision::Approve).await?;
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
    let decision = Decision::Reject { reason: body.reason.value()? };
    let request = transitions::decide(&state.db, &state.vaccination, &caller, id.0, decision).await?;
    Ok(web::Json(request.into()))
}
