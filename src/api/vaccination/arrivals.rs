//! Who comes to a centre: the list of a day, and looking up a booking by its code.

use actix_web::{HttpRequest, HttpResponse, get, web};
use chrono::{DateTime, Datelike as _, Utc};
use entity::RequestStatus;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::api::http::booking_replies::EligibilityReply;
use crate::api::http::extract::{Id, Query};
use crate::api::http::field::{Field, Optional as _};
use crate::api::http::paging::{self, Limit, PageReply};
use crate::api::http::problem::Problem;
use crate::api::vaccination::patients::PatientReply;
use crate::api::vaccination::request_replies::VaccineRequestReply;
use crate::domain::vaccination::booking_codes::BookingCode;
use crate::domain::vaccination::door::arrivals::{self, Arrival};
use crate::domain::vaccination::door::day_list::{self, DayItem, Position};
use crate::domain::vaccination::schedule::Question;
use crate::domain::values::caller::Caller;
use crate::domain::values::local_time::LocalDate;
use crate::domain::values::value::Value as _;
use crate::error::Error;
use crate::state::AppState;

/// A booking or a walk-in on a day of a centre.
#[derive(Serialize, ToSchema)]
pub struct DayItemReply {
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    request_id: Uuid,
    /// Start of the slot; for a walk-in, the time of the check-in.
    time: DateTime<Utc>,
    /// The time on the clock of the centre (RFC 3339, with the offset from UTC).
    #[schema(example = "2026-12-01T09:00:00+01:00", format = DateTime)]
    local_time: String,
    /// The slot; null for a walk-in without one.
    #[schema(required = true, example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    slot_id: Option<Uuid>,
    status: RequestStatus,
    /// When the patient came.
    #[schema(required = true)]
    checked_in_at: Option<DateTime<Utc>>,
    patient: PatientReply,
    #[schema(example = "01900000-0000-7000-8000-000000000009")]
    vaccine_id: Uuid,
    /// Name of the vaccine.
    #[schema(example = "Measles, mumps and rubella")]
    vaccine: String,
    #[schema(example = "01900000-0000-7000-8000-000000000009")]
    course_id: Uuid,
    /// Code of the course.
    #[schema(example = "MMR")]
    course: String,
    /// Number of the dose in its course.
    #[schema(example = 1, minimum = 1)]
    dose_number: i32,
    /// Whether a dose that is recorded, here or elsewhere, makes the booking pointless.
    superseded: bool,
    /// Whether the patient may have the dose on that day; null after it was given, or if nobody came.
    #[schema(required = true)]
    eligibility: Option<EligibilityReply>,
}

impl From<DayItem> for DayItemReply {
    fn from(item: DayItem) -> Self {
        let request = item.request.request;
        Self {
            request_id: request.id,
            time: item.time,
            local_time: item.zone.local_with_offset(item.time).to_rfc3339(),
            slot_id: request.slot_id,
            status: request.status,
            checked_in_at: request.checked_in_at,
            patient: item.request.patient.into(),
            vaccine_id: item.vaccine.id,
            vaccine: item.vaccine.name,
            course_id: item.course.id,
            course: item.course.code,
            dose_number: request.dose_number,
            superseded: item.eligibility.as_ref().is_some_and(|judged| judged.is_superseded()),
            eligibility: item.eligibility.map(Into::into),
        }
    }
}

/// Day and page of the list of a day.
#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListDay {
    /// Day, on the calendar of the centre; today by default.
    #[validate(nested)]
    #[param(inline)]
    date: Option<Field<LocalDate>>,
    /// Items per page; 20 by default.
    #[validate(nested)]
    #[param(inline, example = 20)]
    limit: Option<Field<Limit>>,
    /// The `next_cursor` of the previous page.
    cursor: Option<String>,
}

/// List a day of a centre
///
/// Bookings of its slots, and people who came without one, by time. That staff read the list is recorded for each
/// patient.
///
/// **Open to:** the staff of the centre, and admins.
#[utoipa::path(
    operation_id = "list_day", tag = "door", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path), ListDay),
    responses(
        (status = 200, body = PageReply<DayItemReply>, headers(("Link" = String, description = "The next page"))),
        (status = 403, description = "Needs the role staff"),
    )
)]
#[get("")]
pub async fn day(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    id: Id,
    Query(query): Query<ListDay>,
) -> Result<HttpResponse, Problem> {
    let page = paging::page(query.limit, query.cursor.as_deref())?;
    let date = query.date.value()?.map(LocalDate::date);
    let items = day_list::list(&state.db, &state.vaccination, &caller, id.0, date, page).await?;
    Ok(paging::reply(&request, items, DayItemReply::from))
}

/// Bytes: the time in microseconds, the slot, the request.
impl paging::Position for Position {
    fn to_bytes(&self) -> Vec<u8> {
        let time = self.time.timestamp_micros().to_be_bytes();
        [time.as_slice(), self.slot_id.as_bytes(), self.request_id.as_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (time, ids) = bytes.split_first_chunk::<8>()?;
        let (slot_id, request_id) = ids.split_first_chunk::<16>()?;
        let time = DateTime::from_timestamp_micros(i64::from_be_bytes(*time))?;
        let is_in_range = (1970..=9999).contains(&time.year());
        let request_id = Uuid::from_slice(request_id).ok()?;
        is_in_range.then(|| Self { time, slot_id: Uuid::from_bytes(*slot_id), request_id })
    }
}

/// A question to ask at the centre.
#[derive(Serialize, ToSchema)]
pub struct QuestionReply {
    /// Id in `answers`.
    #[schema(example = "pregnant")]
    id: String,
    #[schema(example = "Are you pregnant?")]
    text: String,
}

impl From<Question> for QuestionReply {
    fn from(question: Question) -> Self {
        Self { id: question.id, text: question.text }
    }
}

/// A booking that was looked up by its code.
#[derive(Serialize, ToSchema)]
pub struct ArrivalReply {
    #[serde(flatten)]
    request: VaccineRequestReply,
    /// Whether the patient may have the dose today.
    eligibility: EligibilityReply,
    /// Questions to ask.
    questions: Vec<QuestionReply>,
}

impl From<Arrival> for ArrivalReply {
    fn from(arrival: Arrival) -> Self {
        Self {
            request: arrival.request.into(),
            eligibility: arrival.eligibility.into(),
            questions: arrival.questions.into_iter().map(Into::into).collect(),
        }
    }
}

/// Look up a booking
///
/// By the code that the patient shows; letter case, spaces and hyphens do not matter. The look-up is recorded, and wrong
/// codes are slowed down.
///
/// **Open to:** the staff of the centre, and admins.
#[utoipa::path(
    operation_id = "find_arrival", tag = "door", security(("oauth2" = []), ("token" = [])),
    params(
        ("id" = Uuid, Path),
        ("code" = String, Path, description = "Code of the booking", example = json!("7KX2M9QD")),
    ),
    responses(
        (status = 200, body = ArrivalReply),
        (status = 403, description = "Needs the role staff"),
        (status = 404, description = "The centre has no booking with this code"),
        (status = 429, description = "Too many wrong codes"),
    )
)]
#[get("/{code}")]
pub async fn find(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    id: Id,
) -> Result<web::Json<ArrivalReply>, Problem> {
    let code = BookingCode::from_text(request.match_info().query("code")).map_err(|_| Error::NotFound)?;
    let (auth, context) = (&state.auth, &state.vaccination);
    Ok(web::Json(arrivals::find(&state.db, auth, context, &caller, id.0, &code).await?.into()))
}
