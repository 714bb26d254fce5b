//! Waitlist of vaccine requests: wait, leave, accept or decline an offer.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, delete, post, web};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::api::http::extract::{Id, ValidOrEmpty};
use crate::api::http::field::{Field, Optional as _};
use crate::api::http::once::{self, IdempotencyHeader, Key};
use crate::api::http::problem::Problem;
use crate::api::vaccination::bookings::operation;
use crate::api::vaccination::request_replies::{VaccineRequestReply, render};
use crate::domain::records::idempotency::Once;
use crate::domain::vaccination::waitlist::{self, Preferences};
use crate::domain::values::caller::Caller;
use crate::domain::values::local_time::LocalDate;
use crate::state::AppState;

/// Which places fit. Each member narrows them.
#[derive(Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "from_date": "2028-12-01", "to_date": "2028-12-31" }))]
pub struct JoinWaitlist {
    /// The only centre that fits; any by default.
    #[validate(nested)]
    #[schema(value_type = Option<Uuid>)]
    centre_id: Option<Field<Uuid>>,
    /// First day that fits, on the calendar of the centre; today by default.
    #[validate(nested)]
    #[schema(inline)]
    from_date: Option<Field<LocalDate>>,
    /// Last day that fits; none by default.
    #[validate(nested)]
    #[schema(inline)]
    to_date: Option<Field<LocalDate>>,
}

/// Join the waitlist
///
/// The request must be approved, and no free slot may fit. A place that becomes free is held for the first in line whom it
/// fits, for 30 minutes (a setting of the service), and a mail tells them; see `waitlist` of the request.
///
/// **Open to:** the user who made the request.
#[utoipa::path(
    operation_id = "join_waitlist", tag = "waitlist", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    request_body = Option<JoinWaitlist>,
    responses(
        (status = 201, body = VaccineRequestReply),
        (
            status = 409,
            description = "Free slots fit; the request is on the waitlist already; or it is not approved"
        ),
    )
)]
#[post("/{id}/wait")]
pub async fn join(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
    ValidOrEmpty(body): ValidOrEmpty<JoinWaitlist>,
) -> Result<HttpResponse, Problem> {
    let preferences = Preferences {
        centre_id: body.centre_id.value()?,
        from_date: body.from_date.value()?.map(LocalDate::date),
        to_date: body.to_date.value()?.map(LocalDate::date),
    };
    let request = waitlist::wait(&state.db, operation(&state, &caller, id), preferences).await?;
    Ok(HttpResponse::build(StatusCode::CREATED).json(VaccineRequestReply::from(request)))
}

/// Leave the waitlist
///
/// A place that is offered goes to the next in line.
///
/// **Open to:** the user who made the request.
#[utoipa::path(
    operation_id = "leave_waitlist", tag = "waitlist", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 204), (status = 404, description = "There is no such request, or it is not on the waitlist"))
)]
#[delete("/{id}/wait")]
pub async fn leave(state: web::Data<AppState>, caller: Caller, id: Id) -> Result<HttpResponse, Problem> {
    waitlist::leave(&state.db, operation(&state, &caller, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Accept an offer
///
/// Books the place that is held for the request.
///
/// **Open to:** the user who made the request.
#[utoipa::path(
    operation_id = "accept_offer", tag = "waitlist", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path), IdempotencyHeader),
    responses(
        (status = 200, body = VaccineRequestReply),
        (
            status = 409,
            description = "There is no offer, or it has expired; the slot was closed, or has begun; or the rules do not \
                           allow the dose"
        ),
    )
)]
#[post("/{id}/offer/accept")]
pub async fn accept(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
    Key(key): Key,
) -> Result<HttpResponse, Problem> {
    let once = Once { key: key.as_ref(), render };
    Ok(once::respond(waitlist::accept(&state.db, operation(&state, &caller, id), once).await?))
}

/// Decline an offer
///
/// The place goes to the next in line, and the request leaves the waitlist. It stays approved.
///
/// **Open to:** the user who made the request.
#[utoipa::path(
    operation_id = "decline_offer", tag = "waitlist", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = VaccineRequestReply),
        (status = 409, description = "There is no offer, or it has expired"),
    )
)]
#[post("/{id}/offer/decline")]
pub async fn decline(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
) -> Result<web::Json<VaccineRequestReply>, Problem> {
    Ok(web::Json(waitlist::decline(&state.db, operation(&state, &caller, id)).await?.into()))
}
