//! Bookings of vaccine requests: book, move, unbook, cancel.

use actix_web::{HttpResponse, post, web};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::api::http::extract::Id;
use crate::api::http::field::Field;
use crate::api::http::once::{self, IdempotencyHeader, Keyed};
use crate::api::http::problem::Problem;
use crate::api::vaccination::request_replies::{VaccineRequestReply, render};
use crate::domain::records::idempotency::Once;
use crate::domain::vaccination::operation::Operation;
use crate::domain::vaccination::{bookings, cancellations};
use crate::domain::values::caller::Caller;
use crate::state::AppState;

/// A slot to be booked.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "slot_id": "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10" }))]
pub struct BookSlot {
    /// A slot of a vaccine of the same course.
    #[serde(default)]
    #[validate(nested)]
    #[schema(value_type = Uuid, required = true)]
    slot_id: Field<Uuid>,
}

/// An operation of the caller on a request.
pub fn operation<'a>(state: &'a AppState, caller: &'a Caller, id: Id) -> Operation<'a> {
    Operation { context: &state.vaccination, caller, request_id: id.0 }
}

/// Book a slot
///
/// The request must be approved. If the slot is full, the problem document names free ones near it.
///
/// **Open to:** the user who made the request, and the staff of the centre.
#[utoipa::path(
    operation_id = "book_slot", tag = "vaccine-requests", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path), IdempotencyHeader),
    request_body = BookSlot,
    responses(
        (status = 200, body = VaccineRequestReply),
        (
            status = 409,
            description = "The slot is full, closed, over, or needs an invitation; the rules do not allow the dose; or the \
                           request is not approved"
        ),
    )
)]
#[post("/{id}/book")]
pub async fn book(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
    Keyed { body, key }: Keyed<BookSlot>,
) -> Result<HttpResponse, Problem> {
    let once = Once { key: key.as_ref(), render };
    let slot_id = body.slot_id.value()?;
    Ok(once::respond(bookings::book(&state.db, operation(&state, &caller, id), once, slot_id).await?))
}

/// Move a booking
///
/// To another slot. If that is refused, the old place is kept.
///
/// **Open to:** the user who made the request, until 24 hours before the start and three times (settings of the service);
/// the staff of the centres at any time.
#[utoipa::path(
    operation_id = "move_booking", tag = "vaccine-requests", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path), IdempotencyHeader),
    request_body = BookSlot,
    responses(
        (status = 200, body = VaccineRequestReply),
        (
            status = 409,
            description = "The slot is full, closed, over, or needs an invitation; the rules do not allow the dose; it is \
                           too late, or moved too often; or the request is not booked"
        ),
    )
)]
#[post("/{id}/move")]
pub async fn rebook(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
    Keyed { body, key }: Keyed<BookSlot>,
) -> Result<HttpResponse, Problem> {
    let once = Once { key: key.as_ref(), render };
    let slot_id = body.slot_id.value()?;
    Ok(once::respond(bookings::rebook(&state.db, operation(&state, &caller, id), once, slot_id).await?))
}

/// Give a place back
///
/// The request is approved again.
///
/// **Open to:** the user who made the request, until 24 hours before the start (a setting of the service); the staff of the
/// centre at any time.
#[utoipa::path(
    operation_id = "unbook_slot", tag = "vaccine-requests", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = VaccineRequestReply),
        (status = 409, description = "The request is not booked, it is too late, or the slot is over"),
    )
)]
#[post("/{id}/unbook")]
pub async fn unbook(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
) -> Result<web::Json<VaccineRequestReply>, Problem> {
    Ok(web::Json(cancellations::unbook(&state.db, operation(&state, &caller, id)).await?.into()))
}

/// Cancel a vaccine request
///
/// It must be pending, approved or booked. The place of a booking is free again.
///
/// **Open to:** the user who made it, a booked one until 24 hours before the start (a setting of the service); staff, a
/// booked one only in their centres.
#[utoipa::path(
    operation_id = "cancel_vaccine_request", tag = "vaccine-requests", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = VaccineRequestReply),
        (status = 409, description = "The request is already closed, or it is too late"),
    )
)]
#[post("/{id}/cancel")]
pub async fn cancel(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
) -> Result<web::Json<VaccineRequestReply>, Problem> {
    Ok(web::Json(cancellations::cancel(&state.db, operation(&state, &caller, id)).await?.into()))
}
