//! Calendars of slots.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, post, web};
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

use crate::api::http::extract::Id;
use crate::api::http::field::{Field, Optional as _, validation_error};
use crate::api::http::once::{self, IdempotencyHeader, Keyed};
use crate::api::http::problem::Problem;
use crate::domain::records::idempotency::{Once, Response};
use crate::domain::vaccination::calendar::Hours;
use crate::domain::vaccination::catalogue::EXAMPLE_ID;
use crate::domain::vaccination::slot_calendars::{self, CalendarReport, NewCalendar};
use crate::domain::vaccination::slots::{Capacity, SlotMinutes};
use crate::domain::values::caller::Caller;
use crate::domain::values::local_time::{LocalDate, TimeOfDay, Weekday};
use crate::error::{Error, Violation};
use crate::state::AppState;

/// Maximum number of breaks of a day.
const MAX_BREAKS: usize = 20;

/// Maximum number of closed days.
const MAX_CLOSED_DAYS: usize = 400;

/// A break in the opening hours.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "break_ends_after_begin"))]
#[schema(example = json!({ "from": "12:00", "to": "13:00" }))]
pub struct Break {
    /// Local begin.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    from: Field<TimeOfDay>,
    /// Local end.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    to: Field<TimeOfDay>,
}

/// A calendar of slots.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "has_valid_lists"), schema(function = "closes_after_opening"))]
#[schema(example = json!({
    "vaccine_id": EXAMPLE_ID,
    "from": "2028-12-01",
    "to": "2028-12-31",
    "weekdays": ["monday", "wednesday"],
    "opens": "09:00",
    "closes": "17:00",
    "breaks": [{ "from": "12:00", "to": "13:00" }],
    "slot_minutes": 30,
    "capacity": 10,
    "closed_days": ["2028-12-25"],
    "dry_run": true,
}))]
pub struct CreateCalendar {
    /// A vaccine of the catalogue.
    #[serde(default)]
    #[validate(nested)]
    #[schema(value_type = Uuid, required = true)]
    vaccine_id: Field<Uuid>,
    /// First date, on the calendar of the centre; not before today.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    from: Field<LocalDate>,
    /// Last date; less than 400 days after the first one.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    to: Field<LocalDate>,
    /// Days of the week on which the centre is open.
    #[serde(default)]
    #[validate(nested)]
    #[schema(value_type = BTreeSet<Weekday>, min_items = 1, max_items = 7, required = true)]
    weekdays: Vec<Field<Weekday>>,
    /// Local opening time.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    opens: Field<TimeOfDay>,
    /// Local closing time.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    closes: Field<TimeOfDay>,
    /// Breaks of each day. Slots that would overlap with one are left out.
    #[serde(default)]
    #[validate(nested)]
    #[schema(required = false, max_items = 20)]
    breaks: Vec<Break>,
    /// Duration of a slot in minutes.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    slot_minutes: Field<SlotMinutes>,
    /// Number of places of each slot.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    capacity: Field<Capacity>,
    /// Whether booking needs an invitation; false by default.
    #[validate(nested)]
    #[schema(inline)]
    invited_only: Option<Field<bool>>,
    /// Dates on which the centre is closed.
    #[serde(default)]
    #[validate(nested)]
    #[schema(value_type = BTreeSet<LocalDate>, required = false, max_items = 400)]
    closed_days: Vec<Field<LocalDate>>,
    /// Whether nothing is changed; false by default.
    #[validate(nested)]
    #[schema(inline)]
    dry_run: Option<Field<bool>>,
}

fn break_ends_after_begin(pause: &Break) -> Result<(), ValidationError> {
    let times = pause.from.as_valid().zip(pause.to.as_valid());
    if times.is_some_and(|(from, to)| to <= from) {
        return Err(validation_error(&Violation::new("breaks.to", "order", "must be after from")));
    }
    Ok(())
}

fn has_valid_lists(body: &CreateCalendar) -> Result<(), ValidationError> {
    let lists = [
        ("weekdays", body.weekdays.len(), 1, 7),
        ("breaks", body.breaks.len(), 0, MAX_BREAKS),
        ("closed_days", body.closed_days.len(), 0, MAX_CLOSED_DAYS),
    ];
    match lists.into_iter().find(|(_, count, min, max)| !(*min..=*max).contains(count)) {
        Some((name, _, min, max)) => {
            let message = format!("must have {min} to {max} items");
            Err(validation_error(&Violation::new(name, "items", message)))
        }
        None => Ok(()),
    }
}

fn closes_after_opening(body: &CreateCalendar) -> Result<(), ValidationError> {
    let times = body.opens.as_valid().zip(body.closes.as_valid());
    if times.is_some_and(|(opens, closes)| closes <= opens) {
        return Err(validation_error(&Violation::new("closes", "order", "must be after opens")));
    }
    Ok(())
}

impl TryFrom<CreateCalendar> for NewCalendar {
    type Error = Error;

    fn try_from(body: CreateCalendar) -> Result<Self, Error> {
        let times = |pause: Break| Ok((pause.from.value()?, pause.to.value()?));
        let hours = Hours {
            from: body.from.value()?.date(),
            to: body.to.value()?.date(),
            weekdays: body.weekdays.into_iter().map(|day| Ok(day.value()?.day())).collect::<Result<_, Error>>()?,
            opens: body.opens.value()?,
            closes: body.closes.value()?,
            breaks: body.breaks.into_iter().map(times).collect::<Result<_, Error>>()?,
            slot: Duration::minutes(body.slot_minutes.value()?.get().into()),
            closed_days: body
                .closed_days
                .into_iter()
                .map(|day| Ok(day.value()?.date()))
                .collect::<Result<_, Error>>()?,
        };
        Ok(Self {
            vaccine_id: body.vaccine_id.value()?,
            hours,
            capacity: body.capacity.value()?,
            invited_only: body.invited_only.value()?.unwrap_or(false),
            is_dry_run: body.dry_run.value()?.unwrap_or(false),
        })
    }
}

/// What a calendar has done, or would do.
#[derive(Serialize, ToSchema)]
pub struct CalendarReply {
    /// Number of new slots.
    #[schema(example = 112, minimum = 0)]
    created: usize,
    /// Number of slots that existed already; they stay as they are.
    #[schema(example = 0, minimum = 0)]
    existing: usize,
    /// Number of those that were closed, and are open again.
    #[schema(example = 0, minimum = 0)]
    reopened: usize,
    /// What was left out.
    skipped: Vec<SkippedReply>,
    /// Opening times and breaks that do not exist on a day, and what became of them.
    #[schema(example = json!(["2027-03-28T02:30 does not exist at the centre; it is 2027-03-28T03:00"]))]
    warnings: Vec<String>,
    /// Start of the first slot.
    #[schema(required = true)]
    first: Option<DateTime<Utc>>,
    /// Start of the last slot.
    #[schema(required = true)]
    last: Option<DateTime<Utc>>,
}

/// Something that was left out.
#[derive(Serialize, ToSchema)]
pub struct SkippedReply {
    /// Local date, or local time of a slot.
    #[schema(example = "2028-12-25")]
    local: String,
    /// `closed_day`, or `past` if it has begun already.
    #[schema(example = "closed_day")]
    why: &'static str,
}

fn render(report: &CalendarReport) -> Result<Response, Error> {
    let calendar = &report.calendar;
    let skipped = calendar.skipped.iter();
    let reply = CalendarReply {
        created: report.created,
        existing: report.existing,
        reopened: report.reopened,
        skipped: skipped.map(|one| SkippedReply { local: one.local.clone(), why: one.why }).collect(),
        warnings: calendar.warnings.clone(),
        first: calendar.slots.first().map(|(start, _)| *start),
        last: calendar.slots.last().map(|(start, _)| *start),
    };
    once::render(StatusCode::OK, None, &reply)
}

/// Create a calendar of slots
///
/// Adds the slots of the opening hours, at most 20,000. It can be sent again: slots that exist stay as they are, and closed
/// ones are opened. Opening and closing times are local; within a day, slots follow each other in elapsed time, so that a
/// day on which the clock is changed has an hour more or less.
///
/// **Open to:** the staff of the centre, and admins.
#[utoipa::path(
    operation_id = "create_calendar", tag = "slots", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path), IdempotencyHeader),
    request_body = CreateCalendar,
    responses(
        (status = 200, body = CalendarReply),
        (status = 403, description = "Needs the role staff"),
        (status = 409, description = "The centre is not active"),
    )
)]
#[post("/{id}/calendar")]
pub async fn create(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
    Keyed { body, key }: Keyed<CreateCalendar>,
) -> Result<HttpResponse, Problem> {
    let once = Once { key: key.as_ref(), render };
    let new = body.try_into()?;
    Ok(once::respond(slot_calendars::add(&state.db, &state.vaccination, &caller, once, id.0, new).await?))
}
