//! Eligibility: whether a person may have a dose, before it is requested.

use actix_web::{post, web};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::api::http::booking_replies::EligibilityReply;
use crate::api::http::extract::Valid;
use crate::api::http::field::{Field, Optional as _};
use crate::api::http::problem::Problem;
use crate::domain::vaccination::catalogue::EXAMPLE_ID;
use crate::domain::vaccination::eligibility::check::{Person, Question, Wanted, check as check_person};
use crate::domain::vaccination::vaccines::Doses;
use crate::domain::values::caller::Caller;
use crate::domain::values::local_time::LocalDate;
use crate::error::{Error, Violation};
use crate::state::AppState;

/// A dose of a person on a day.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "vaccine_id": EXAMPLE_ID, "dose_number": 1 }))]
pub struct CheckEligibility {
    /// A vaccine of the catalogue; this or `course_id`.
    #[validate(nested)]
    #[schema(value_type = Option<Uuid>)]
    vaccine_id: Option<Field<Uuid>>,
    /// A course. If it has a schedule, any product of it will do; otherwise the answer is that of the vaccine that fits best.
    #[validate(nested)]
    #[schema(value_type = Option<Uuid>)]
    course_id: Option<Field<Uuid>>,
    /// A contact of the user; null or absent for the user themselves.
    #[validate(nested)]
    #[schema(value_type = Option<Uuid>)]
    contact_id: Option<Field<Uuid>>,
    /// A patient of the user, or for staff any patient; not with `contact_id`.
    #[validate(nested)]
    #[schema(value_type = Option<Uuid>)]
    patient_id: Option<Field<Uuid>>,
    /// Number of the dose in its course; the next one by default.
    #[validate(nested)]
    #[schema(inline)]
    dose_number: Option<Field<Doses>>,
    /// Day; today by default.
    #[validate(nested)]
    #[schema(inline)]
    on: Option<Field<LocalDate>>,
}

/// Check eligibility
///
/// Applies the rules to a dose of a person on a day. Nothing is stored, except that staff have looked at a patient.
///
/// **Open to:** anyone signed in, for themselves, their contacts and their patients; staff, for all patients.
#[utoipa::path(
    operation_id = "check_eligibility", tag = "vaccine-requests", security(("oauth2" = []), ("token" = [])),
    request_body = CheckEligibility,
    responses((status = 200, body = EligibilityReply))
)]
#[post("/eligibility")]
pub async fn check(
    state: web::Data<AppState>,
    caller: Caller,
    Valid(body): Valid<CheckEligibility>,
) -> Result<web::Json<EligibilityReply>, Problem> {
    let question = Question {
        wanted: wanted(body.vaccine_id.value()?, body.course_id.value()?).map_err(Error::from)?,
        person: person(body.contact_id.value()?, body.patient_id.value()?).map_err(Error::from)?,
        dose_number: body.dose_number.value()?,
        on: body.on.value()?.map(LocalDate::date),
    };
    Ok(web::Json(check_person(&state.db, &state.vaccination, &caller, &question).await?.into()))
}

fn wanted(vaccine_id: Option<Uuid>, course_id: Option<Uuid>) -> Result<Wanted, Violation> {
    match (vaccine_id, course_id) {
        (Some(id), None) => Ok(Wanted::Vaccine(id)),
        (None, Some(id)) => Ok(Wanted::Course(id)),
        (None, None) => Err(Violation::new("vaccine_id", "required", "is required, or course_id")),
        (Some(_), Some(_)) => Err(Violation::new("course_id", "both", "cannot be combined with vaccine_id")),
    }
}

/// The person whom a body names.
pub fn person(contact_id: Option<Uuid>, patient_id: Option<Uuid>) -> Result<Person, Violation> {
    match (contact_id, patient_id) {
        (None, None) => Ok(Person::Own),
        (Some(id), None) => Ok(Person::Contact(id)),
        (None, Some(id)) => Ok(Person::Patient(id)),
        (Some(_), Some(_)) => Err(Violation::new("patient_id", "both", "cannot be combined with contact_id")),
    }
}
