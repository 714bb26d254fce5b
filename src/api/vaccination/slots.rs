//! Slots of centres: get, create, update, close, reopen. [`availability`](super::availability) lists them.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, patch, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::api::http::booking_replies::SlotReply;
use crate::api::http::extract::{Id, Valid, ValidOrEmpty};
use crate::api::http::field::{Field, Optional as _};
use crate::api::http::once::{self, IdempotencyHeader, Keyed};
use crate::api::http::problem::Problem;
use crate::api::vaccination::availability::throttle;
use crate::domain::records::idempotency::{Once, Response};
use crate::domain::vaccination::catalogue::EXAMPLE_ID;
use crate::domain::vaccination::closing::{self, ClosingReason};
use crate::domain::vaccination::slots::{self, Capacity, NewSlot, Slot, SlotChanges};
use crate::domain::values::caller::Caller;
use crate::domain::values::instant::Instant;
use crate::domain::values::local_time::LocalDate;
use crate::domain::values::patch::not_null;
use crate::error::Error;
use crate::state::AppState;

/// Get a slot
///
/// **Open to:** anyone.
#[utoipa::path(
    operation_id = "get_slot", tag = "slots",
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = SlotReply),
        (status = 429, description = "Too many requests from this IP address"),
    )
)]
#[get("/{id}")]
pub async fn get(state: web::Data<AppState>, request: HttpRequest, id: Id) -> Result<web::Json<SlotReply>, Problem> {
    throttle(&state, &request)?;
    Ok(web::Json(slots::get(&state.db, id.0).await?.into()))
}

/// A new slot.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "vaccine_id": EXAMPLE_ID,
    "starts_at": "2028-12-01T08:00:00Z",
    "ends_at": "2028-12-01T08:30:00Z",
    "capacity": 10,
}))]
pub struct CreateSlot {
    /// A vaccine of the catalogue.
    #[serde(default)]
    #[validate(nested)]
    #[schema(value_type = Uuid, required = true)]
    vaccine_id: Field<Uuid>,
    /// Start (RFC 3339).
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    starts_at: Field<Instant>,
    /// End (RFC 3339).
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    ends_at: Field<Instant>,
    /// Number of places.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    capacity: Field<Capacity>,
    /// Whether booking needs an invitation; false by default.
    #[validate(nested)]
    #[schema(inline)]
    invited_only: Option<Field<bool>>,
}

impl TryFrom<CreateSlot> for NewSlot {
    type Error = Error;

    fn try_from(body: CreateSlot) -> Result<Self, Error> {
        Ok(Self {
            vaccine_id: body.vaccine_id.value()?,
            starts_at: body.starts_at.value()?.time(),
            ends_at: body.ends_at.value()?.time(),
            capacity: body.capacity.value()?,
            invited_only: body.invited_only.value()?.unwrap_or(false),
        })
    }
}

fn render_created(slot: &Slot) -> Result<Response, Error> {
    let location = format!("/api/v1/slots/{}", slot.slot.id);
    once::render(StatusCode::CREATED, Some(location), &SlotReply::from(slot.clone()))
}

/// Create a slot
///
/// **Open to:** the staff of the centre, and admins.
#[utoipa::path(
    operation_id = "create_slot", tag = "slots", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path), IdempotencyHeader),
    request_body = CreateSlot,
    responses(
        (status = 201, body = SlotReply, headers(("Location" = String, description = "Path of the slot"))),
        (status = 403, description = "Needs the role staff"),
        (status = 409, description = "The centre has a slot of this vaccine at this time, or is not active"),
    )
)]
#[post("/{id}/slots")]
pub async fn create(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
    Keyed { body, key }: Keyed<CreateSlot>,
) -> Result<HttpResponse, Problem> {
    let once = Once { key: key.as_ref(), render: render_created };
    let new = body.try_into()?;
    Ok(once::respond(slots::create(&state.db, &state.vaccination, &caller, once, id.0, new).await?))
}

/// A JSON merge patch (RFC 7396) of a slot: an absent member keeps its value.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "capacity": 12 }))]
pub struct UpdateSlot {
    /// Number of places; not below those that are taken.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(inline, value_type = Field<Capacity>, required = false)]
    capacity: Option<Field<Capacity>>,
    /// Whether booking needs an invitation.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(inline, value_type = Field<bool>, required = false)]
    invited_only: Option<Field<bool>>,
}

/// Update a slot
///
/// Places that are added are offered to the people on the waitlist first.
///
/// **Open to:** the staff of the centre, and admins.
#[utoipa::path(
    operation_id = "update_slot", tag = "slots", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    request_body(content = UpdateSlot, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, body = SlotReply),
        (status = 403, description = "Needs the role staff"),
        (status = 409, description = "More places are taken"),
    )
)]
#[patch("/{id}")]
pub async fn update(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
    Valid(body): Valid<UpdateSlot>,
) -> Result<web::Json<SlotReply>, Problem> {
    let changes = SlotChanges { capacity: body.capacity.value()?, invited_only: body.invited_only.value()? };
    Ok(web::Json(slots::update(&state.db, &state.vaccination, &caller, id.0, changes).await?.into()))
}

/// The reason for closing a slot.
#[derive(Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "The vaccine was not delivered." }))]
pub struct CloseSlot {
    /// Reason, for those who had booked.
    #[validate(nested)]
    #[schema(inline)]
    reason: Option<Field<ClosingReason>>,
}

/// Close a slot
///
/// Its bookings and offers end: the requests are approved again, and first in line for another place in the centre. Nothing
/// changes if it is closed already.
///
/// **Open to:** the staff of the centre, and admins.
#[utoipa::path(
    operation_id = "close_slot", tag = "slots", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    request_body = Option<CloseSlot>,
    responses(
        (status = 200, body = SlotReply),
        (status = 403, description = "Needs the role staff"),
        (status = 409, description = "The slot has begun"),
    )
)]
#[post("/{id}/close")]
pub async fn close(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
    ValidOrEmpty(body): ValidOrEmpty<CloseSlot>,
) -> Result<web::Json<SlotReply>, Problem> {
    let reason = body.reason.value()?;
    Ok(web::Json(closing::close(&state.db, &state.vaccination, &caller, id.0, reason).await?.into()))
}

/// Reopen a slot
///
/// Nothing changes if it is open. Bookings that ended when it was closed are not restored.
///
/// **Open to:** the staff of the centre, and admins.
#[utoipa::path(
    operation_id = "reopen_slot", tag = "slots", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = SlotReply),
        (status = 403, description = "Needs the role staff"),
        (status = 409, description = "The slot has begun"),
    )
)]
#[post("/{id}/reopen")]
pub async fn reopen(state: web::Data<AppState>, caller: Caller, id: Id) -> Result<web::Json<SlotReply>, Problem> {
    Ok(web::Json(closing::reopen(&state.db, &state.vaccination, &caller, id.0).await?.into()))
}

/// A day to be closed.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "date": "2028-12-25", "reason": "Public holiday" }))]
pub struct CloseDay {
    /// Date, on the calendar of the centre.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    date: Field<LocalDate>,
    /// Reason, for those who had booked.
    #[validate(nested)]
    #[schema(inline)]
    reason: Option<Field<ClosingReason>>,
}

/// Outcome of closing a day.
#[derive(Serialize, ToSchema)]
pub struct ClosedDayReply {
    /// Number of slots that were closed.
    #[schema(example = 24, minimum = 0)]
    closed: usize,
}

/// Close a day of a centre
///
/// Closes all slots that start on that day and have not begun, as closing each of them.
///
/// **Open to:** the staff of the centre, and admins.
#[utoipa::path(
    operation_id = "close_day", tag = "slots", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    request_body = CloseDay,
    responses((status = 200, body = ClosedDayReply), (status = 403, description = "Needs the role staff"))
)]
#[post("/{id}/close-day")]
pub async fn close_day(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
    Valid(body): Valid<CloseDay>,
) -> Result<web::Json<ClosedDayReply>, Problem> {
    let (date, reason) = (body.date.value()?.date(), body.reason.value()?);
    let closed = closing::close_day(&state.db, &state.vaccination, &caller, id.0, date, reason).await?;
    Ok(web::Json(ClosedDayReply { closed }))
}
