//! The door of a centre: check in, give a dose, and bookings to which nobody came.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::api::http::extract::{Id, Valid};
use crate::api::http::field::{Field, Optional as _};
use crate::api::http::once::{self, IdempotencyHeader, Keyed};
use crate::api::http::problem::Problem;
use crate::api::vaccination::bookings::operation;
use crate::api::vaccination::immunizations::{ImmunizationReply, NextDoseReply};
use crate::api::vaccination::request_replies::VaccineRequestReply;
use crate::domain::records::idempotency::{Once, Response};
use crate::domain::vaccination::catalogue::EXAMPLE_ID;
use crate::domain::vaccination::door::administration::{self, GivenRequest, NewDose, SiteOrRoute};
use crate::domain::vaccination::door::attendance;
use crate::domain::vaccination::door::check_in::{CheckIn, IdentifiedBy, OverrideReason, check_in as check_patient_in};
use crate::domain::values::caller::Caller;
use crate::error::Error;
use crate::state::AppState;

/// A patient who has come.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "identified_by": "passport" }))]
pub struct CheckInPatient {
    /// How the patient was identified, such as `passport`; not the number of a document.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    identified_by: Field<IdentifiedBy>,
    /// Answers to the questions of the course: whether it is yes, by the id of the question.
    #[schema(value_type = BTreeMap<String, bool>, required = false)]
    answers: Option<BTreeMap<String, bool>>,
    /// Why the patient is received although a rule asks to wait. The rule is recorded in the audit trail, the reason is not; it
    /// is needed again when the dose is given.
    #[validate(nested)]
    #[schema(inline)]
    override_reason: Option<Field<OverrideReason>>,
}

impl TryFrom<CheckInPatient> for CheckIn {
    type Error = Error;

    fn try_from(body: CheckInPatient) -> Result<Self, Error> {
        Ok(Self {
            identified_by: Some(body.identified_by.value()?),
            answers: body.answers.unwrap_or_default(),
            override_reason: body.override_reason.value()?,
        })
    }
}

/// Check a patient in
///
/// The patient has come, was identified, and has answered the questions of the course. What was noted before is replaced.
///
/// **Open to:** the staff of the centre, and admins.
#[utoipa::path(
    operation_id = "check_in", tag = "door", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    request_body = CheckInPatient,
    responses(
        (status = 200, body = VaccineRequestReply),
        (status = 403, description = "Needs the role staff"),
        (
            status = 409,
            description = "The request is not booked, the dose is recorded, or the rules do not allow it today"
        ),
    )
)]
#[post("/{id}/check-in")]
pub async fn check_in(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
    Valid(body): Valid<CheckInPatient>,
) -> Result<web::Json<VaccineRequestReply>, Problem> {
    let new = body.try_into()?;
    Ok(web::Json(check_patient_in(&state.db, operation(&state, &caller, id), new).await?.into()))
}

/// A dose to be given.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "lot_id": EXAMPLE_ID, "site": "LA", "route": "IM" }))]
pub struct AdministerDose {
    /// A lot of the centre.
    #[serde(default)]
    #[validate(nested)]
    #[schema(value_type = Uuid, required = true)]
    lot_id: Field<Uuid>,
    /// Site of the body, such as the code `LA` of HL7 (left arm).
    #[validate(nested)]
    #[schema(inline)]
    site: Option<Field<SiteOrRoute>>,
    /// Route into the body, such as the code `IM` of HL7 (intramuscular).
    #[validate(nested)]
    #[schema(inline)]
    route: Option<Field<SiteOrRoute>>,
    /// Why the dose is given although a rule asks to wait, or an answer leaves the decision to staff. Other rules cannot be
    /// set aside.
    #[validate(nested)]
    #[schema(inline)]
    override_reason: Option<Field<OverrideReason>>,
}

impl TryFrom<AdministerDose> for NewDose {
    type Error = Error;

    fn try_from(body: AdministerDose) -> Result<Self, Error> {
        Ok(Self {
            lot_id: body.lot_id.value()?,
            site: body.site.value()?,
            route: body.route.value()?,
            override_reason: body.override_reason.value()?,
        })
    }
}

/// A vaccine request whose dose was given.
#[derive(Serialize, ToSchema)]
pub struct AdministeredReply {
    #[serde(flatten)]
    request: VaccineRequestReply,
    /// The dose.
    immunization: ImmunizationReply,
    /// The next dose of the course; null if the course is complete, or no day is known for it.
    #[schema(required = true)]
    next_dose: Option<NextDoseReply>,
}

fn render(given: &GivenRequest) -> Result<Response, Error> {
    let GivenRequest { request, dose, next } = given.clone();
    let reply =
        AdministeredReply { request: request.into(), immunization: dose.into(), next_dose: next.map(Into::into) };
    once::render(StatusCode::OK, None, &reply)
}

/// Give a dose
///
/// The request is administered, the lot has one dose less, and the dose is recorded, all at once. A dose that is too early
/// needs `override_reason`; it is recorded with the rule that it breaks, and may not count.
///
/// **Open to:** the staff of the centre, and admins.
#[utoipa::path(
    operation_id = "administer_dose", tag = "door", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path), IdempotencyHeader),
    request_body = AdministerDose,
    responses(
        (status = 200, body = AdministeredReply),
        (status = 403, description = "Needs the role staff"),
        (
            status = 409,
            description = "The dose is recorded, no dose can be taken from the lot, the rules do not allow the dose, or the \
                           request is not booked"
        ),
    )
)]
#[post("/{id}/administer")]
pub async fn administer(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
    Keyed { body, key }: Keyed<AdministerDose>,
) -> Result<HttpResponse, Problem> {
    let once = Once { key: key.as_ref(), render };
    let new = body.try_into()?;
    let operation = operation(&state, &caller, id);
    Ok(once::respond(administration::administer(&state.db, operation, once, new).await?))
}

/// Miss a booking
///
/// Nobody came. The place stays taken; the patient can make another request for the dose.
///
/// **Open to:** the staff of the centre, and admins, once the slot has begun.
#[utoipa::path(
    operation_id = "miss_booking", tag = "door", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = VaccineRequestReply),
        (status = 403, description = "Needs the role staff"),
        (status = 409, description = "The request is not booked, or the slot has not begun"),
    )
)]
#[post("/{id}/miss")]
pub async fn miss(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
) -> Result<web::Json<VaccineRequestReply>, Problem> {
    Ok(web::Json(attendance::miss(&state.db, operation(&state, &caller, id)).await?.into()))
}

/// Reopen a missed booking
///
/// The patient has come after all: the request is booked again, with its place.
///
/// **Open to:** the staff of the centre, and admins.
#[utoipa::path(
    operation_id = "reopen_booking", tag = "door", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = VaccineRequestReply),
        (status = 403, description = "Needs the role staff"),
        (status = 409, description = "The request is not missed, or another request for the dose is open"),
    )
)]
#[post("/{id}/reopen")]
pub async fn reopen(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
) -> Result<web::Json<VaccineRequestReply>, Problem> {
    Ok(web::Json(attendance::reopen(&state.db, operation(&state, &caller, id)).await?.into()))
}
