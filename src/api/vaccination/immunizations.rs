//! Immunizations: list, report a dose that was given elsewhere, and undo one that was recorded by mistake.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use chrono::{DateTime, NaiveDate, Utc};
use entity::{ImmunizationSource, ImmunizationStatus, immunizations as table};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::api::http::extract::{Id, Query, Valid};
use crate::api::http::field::{Field, Optional as _};
use crate::api::http::paging::{self, Limit, PageReply};
use crate::api::http::problem::Problem;
use crate::api::vaccination::eligibility::person;
use crate::domain::vaccination::catalogue::EXAMPLE_ID;
use crate::domain::vaccination::door::undo;
use crate::domain::vaccination::dose_history::NextDose;
use crate::domain::vaccination::immunizations::{self, LotNumber, NewReport, RecordedDose};
use crate::domain::values::caller::Caller;
use crate::domain::values::local_time::LocalDate;
use crate::error::Error;
use crate::state::AppState;

/// A dose that was given, here or elsewhere.
#[derive(Serialize, ToSchema)]
pub struct ImmunizationReply {
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    id: Uuid,
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    patient_id: Uuid,
    #[schema(example = "01900000-0000-7000-8000-000000000009")]
    course_id: Uuid,
    #[schema(example = "01900000-0000-7000-8000-000000000009")]
    vaccine_id: Uuid,
    administered_on: NaiveDate,
    /// Number of the lot.
    #[schema(required = true, example = "AB1234")]
    lot_number: Option<String>,
    /// Last day on which the lot could be used.
    #[schema(required = true)]
    expires_on: Option<NaiveDate>,
    /// The request for it.
    #[schema(required = true, example = json!(null))]
    request_id: Option<Uuid>,
    /// The centre that gave it; null if it was given elsewhere.
    #[schema(required = true, example = json!(null))]
    centre_id: Option<Uuid>,
    /// The lot; null if it was given elsewhere.
    #[schema(required = true, example = json!(null))]
    lot_id: Option<Uuid>,
    /// Site of the body.
    #[schema(required = true, example = "LA")]
    site: Option<String>,
    /// Route into the body.
    #[schema(required = true, example = "IM")]
    route: Option<String>,
    /// When it was given; null if it was given elsewhere.
    #[schema(required = true)]
    administered_at: Option<DateTime<Utc>>,
    /// The account of the person who gave it; null if it was given elsewhere, or the account has been deleted.
    #[schema(required = true, example = json!(null))]
    performer_id: Option<Uuid>,
    /// Why it was given although a rule asked to wait, or an answer left the decision to staff.
    #[schema(required = true, example = json!(null))]
    override_reason: Option<String>,
    /// The account that reported it; null if it was given here, or the account has been deleted.
    #[schema(required = true, example = json!(null))]
    reported_by: Option<Uuid>,
    /// When staff reported it, who have seen the evidence; null if nobody has, or it was given here.
    #[schema(required = true)]
    verified_at: Option<DateTime<Utc>>,
    source: ImmunizationSource,
    status: ImmunizationStatus,
    /// Whether it counts for its course.
    counts: bool,
    /// Number in its course; null if it does not count.
    #[schema(required = true, example = 1, minimum = 1)]
    dose_number: Option<i32>,
    /// The rule that it breaks; null if there is none. A dose within the grace period of a minimum counts, and breaks it.
    #[schema(required = true, example = json!(null))]
    rule: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<table::Model> for ImmunizationReply {
    fn from(dose: table::Model) -> Self {
        Self {
            id: dose.id,
            patient_id: dose.patient_id,
            course_id: dose.course_id,
            vaccine_id: dose.vaccine_id,
            administered_on: dose.administered_on,
            lot_number: dose.lot_number,
            expires_on: dose.expires_on,
            request_id: dose.request_id,
            centre_id: dose.centre_id,
            lot_id: dose.lot_id,
            site: dose.site,
            route: dose.route,
            administered_at: dose.administered_at,
            performer_id: dose.performer_id,
            override_reason: dose.override_reason,
            reported_by: dose.reported_by,
            verified_at: dose.verified_at,
            source: dose.source,
            status: dose.status,
            counts: dose.dose_number.is_some(),
            dose_number: dose.dose_number,
            rule: dose.broken_rule,
            created_at: dose.created_at,
            updated_at: dose.updated_at,
        }
    }
}

/// A dose that was recorded, and the one that comes next.
#[derive(Serialize, ToSchema)]
pub struct RecordedDoseReply {
    #[serde(flatten)]
    dose: ImmunizationReply,
    /// The next dose of the course; null if the course is complete, or no day is known for it.
    #[schema(required = true)]
    next_dose: Option<NextDoseReply>,
}

/// The dose that comes next in a course.
#[derive(Serialize, ToSchema)]
pub struct NextDoseReply {
    /// Number of the dose in its course.
    #[schema(example = 2, minimum = 1)]
    dose_number: i32,
    /// First day on which all rules pass, which may be past.
    earliest_on: NaiveDate,
    /// Day that the schedule recommends.
    #[schema(required = true)]
    recommended_on: Option<NaiveDate>,
}

impl From<NextDose> for NextDoseReply {
    fn from(next: NextDose) -> Self {
        Self { dose_number: next.dose_number, earliest_on: next.earliest_on, recommended_on: next.recommended_on }
    }
}

impl From<RecordedDose> for RecordedDoseReply {
    fn from(RecordedDose { dose, next }: RecordedDose) -> Self {
        Self { dose: dose.into(), next_dose: next.map(Into::into) }
    }
}

/// A dose that was given elsewhere.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "vaccine_id": EXAMPLE_ID, "administered_on": "2024-05-29" }))]
pub struct ReportDose {
    /// A vaccine of the catalogue, also one that is not offered any more.
    #[serde(default)]
    #[validate(nested)]
    #[schema(value_type = Uuid, required = true)]
    vaccine_id: Field<Uuid>,
    /// A contact of the user; null or absent for the user themselves.
    #[validate(nested)]
    #[schema(value_type = Option<Uuid>)]
    contact_id: Option<Field<Uuid>>,
    /// A patient of the user, or for staff any patient; not with `contact_id`.
    #[validate(nested)]
    #[schema(value_type = Option<Uuid>)]
    patient_id: Option<Field<Uuid>>,
    /// Day; not in the future.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    administered_on: Field<LocalDate>,
    /// Number of the lot.
    #[validate(nested)]
    #[schema(inline)]
    lot_number: Option<Field<LotNumber>>,
}

/// Report a dose
///
/// A dose that was given elsewhere. All doses of the patient are judged anew, in the order of their dates: a dose that does not
/// count stays, with the rule that it breaks.
///
/// **Open to:** anyone signed in, for themselves, their contacts and their patients; staff, for all patients.
#[utoipa::path(
    operation_id = "report_immunization", tag = "immunizations", security(("oauth2" = []), ("token" = [])),
    request_body = ReportDose,
    responses(
        (status = 201, body = RecordedDoseReply, headers(("Location" = String, description = "The list of the patient"))),
        (status = 409, description = "The dose is recorded already, or the patient has too many doses, or the account too many patients"),
    )
)]
#[post("")]
pub async fn report(
    state: web::Data<AppState>,
    caller: Caller,
    Valid(body): Valid<ReportDose>,
) -> Result<HttpResponse, Problem> {
    let new = NewReport {
        person: person(body.contact_id.value()?, body.patient_id.value()?).map_err(Error::from)?,
        vaccine_id: body.vaccine_id.value()?,
        administered_on: body.administered_on.value()?.date(),
        lot_number: body.lot_number.value()?,
    };
    let recorded = immunizations::report(&state.db, &state.vaccination, &caller, new).await?;
    let location = format!("/api/v1/immunizations?patient_id={}", recorded.dose.patient_id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(RecordedDoseReply::from(recorded)))
}

/// Filter and page of a list of doses.
#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListImmunizations {
    /// Only doses of this patient. Staff need it to see those of others.
    #[validate(nested)]
    #[param(value_type = Option<Uuid>)]
    patient_id: Option<Field<Uuid>>,
    /// Items per page; 20 by default.
    #[validate(nested)]
    #[param(inline, example = 20)]
    limit: Option<Field<Limit>>,
    /// The `next_cursor` of the previous page.
    cursor: Option<String>,
}

/// List doses
///
/// Latest record first, also doses that do not count.
///
/// **Open to:** anyone signed in, for their patients; staff, for any patient, which is recorded.
#[utoipa::path(
    operation_id = "list_immunizations", tag = "immunizations", security(("oauth2" = []), ("token" = [])),
    params(ListImmunizations),
    responses(
        (status = 200, body = PageReply<ImmunizationReply>, headers(("Link" = String, description = "The next page"))),
    )
)]
#[get("")]
pub async fn list(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    Query(query): Query<ListImmunizations>,
) -> Result<HttpResponse, Problem> {
    let page = paging::page(query.limit, query.cursor.as_deref())?;
    let patient_id = query.patient_id.value()?;
    let doses = immunizations::list(&state.db, &state.vaccination, &caller, patient_id, page).await?;
    Ok(paging::reply(&request, doses, ImmunizationReply::from))
}

/// Undo a dose
///
/// It was recorded by mistake: its status is `entered_in_error`, and it does not count. If it was given here, its request is
/// open again, and the unit is back in its lot. Nothing changes if it was undone already.
///
/// **Open to:** for a dose that was given here, the staff of the centre and admins, within 12 hours (a setting of the service);
/// for a reported one, staff, and the account of the patient unless staff reported it.
#[utoipa::path(
    operation_id = "enter_immunization_in_error", tag = "immunizations", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = ImmunizationReply),
        (status = 403, description = "Needs the role staff"),
        (
            status = 409,
            description = "A later dose counts, it is too late, or another request for the same dose is open"
        ),
    )
)]
#[post("/{id}/entered-in-error")]
pub async fn enter_in_error(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
) -> Result<web::Json<ImmunizationReply>, Problem> {
    Ok(web::Json(undo::enter_in_error(&state.db, &state.vaccination, &caller, id.0).await?.into()))
}
