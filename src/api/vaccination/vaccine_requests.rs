//! Vaccine requests: create, list, get, update.

use actix_web::{HttpRequest, HttpResponse, get, patch, post, web};
use entity::RequestStatus;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::api::http::extract::{CurrentUser, Id, Query, Valid};
use crate::api::http::field::{Field, Optional as _, Patched as _};
use crate::api::http::once::{self, IdempotencyHeader, Keyed};
use crate::api::http::paging::{self, Limit, PageReply};
use crate::api::http::problem::Problem;
use crate::api::vaccination::request_replies::{RequestCountsReply, VaccineRequestReply, render_created};
use crate::domain::records::idempotency::Once;
use crate::domain::vaccination::catalogue::EXAMPLE_ID;
use crate::domain::vaccination::invitation_codes::InvitationCode;
use crate::domain::vaccination::people::PeopleFilter;
use crate::domain::vaccination::request_list::{self, RequestFilter};
use crate::domain::vaccination::vaccine_requests::{self, NewRequest, RequestChanges, RequestNote};
use crate::domain::vaccination::vaccines::Doses;
use crate::domain::values::caller::Caller;
use crate::domain::values::email::Email;
use crate::domain::values::instant::Instant;
use crate::domain::values::patch::{Patch, not_null};
use crate::domain::values::person::{NationalId, PhoneNumber};
use crate::domain::values::search::SearchText;
use crate::error::Error;
use crate::state::AppState;

/// A new vaccine request.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "vaccine_id": EXAMPLE_ID,
    "dose_number": 1,
    "note": "I am free on Mondays.",
}))]
pub struct CreateVaccineRequest {
    /// A contact of the user; null or absent for the user themselves.
    #[validate(nested)]
    #[schema(value_type = Option<Uuid>)]
    contact_id: Option<Field<Uuid>>,
    /// A vaccine of the catalogue.
    #[serde(default)]
    #[validate(nested)]
    #[schema(value_type = Uuid, required = true)]
    vaccine_id: Field<Uuid>,
    /// Number of the dose in its course; the next one by default.
    #[validate(nested)]
    #[schema(inline)]
    dose_number: Option<Field<Doses>>,
    /// Note to staff.
    #[validate(nested)]
    #[schema(inline)]
    note: Option<Field<RequestNote>>,
    /// Code of an invitation for this course; letter case, spaces and hyphens do not matter.
    #[validate(nested)]
    #[schema(inline)]
    invitation_code: Option<Field<InvitationCode>>,
}

impl TryFrom<CreateVaccineRequest> for NewRequest {
    type Error = Error;

    fn try_from(body: CreateVaccineRequest) -> Result<Self, Error> {
        Ok(Self {
            contact_id: body.contact_id.value()?,
            vaccine_id: body.vaccine_id.value()?,
            dose_number: body.dose_number.value()?,
            note: body.note.value()?,
            invitation_code: body.invitation_code.value()?,
        })
    }
}

/// A JSON merge patch (RFC 7396) of a request: an absent member keeps its value, null clears the note.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "dose_number": 2, "note": "I am free on Tuesdays." }))]
pub struct UpdateVaccineRequest {
    /// A vaccine of the catalogue.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(value_type = Uuid, required = false)]
    vaccine_id: Option<Field<Uuid>>,
    /// Number of the dose in its course.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(inline, value_type = Field<Doses>, required = false)]
    dose_number: Option<Field<Doses>>,
    /// Note to staff.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, value_type = Option<Field<RequestNote>>)]
    note: Patch<Field<RequestNote>>,
}

impl TryFrom<UpdateVaccineRequest> for RequestChanges {
    type Error = Error;

    fn try_from(body: UpdateVaccineRequest) -> Result<Self, Error> {
        Ok(Self {
            vaccine_id: body.vaccine_id.value()?,
            dose_number: body.dose_number.value()?,
            note: body.note.value()?,
        })
    }
}

/// Filter and page of a list of requests.
#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListVaccineRequests {
    /// Only requests with this status.
    #[validate(nested)]
    #[param(inline, value_type = Option<RequestStatus>)]
    status: Option<Field<RequestStatus>>,
    /// Only requests for this vaccine.
    #[validate(nested)]
    #[param(value_type = Option<Uuid>)]
    vaccine_id: Option<Field<Uuid>>,
    /// Only requests of this account; for staff.
    #[validate(nested)]
    #[param(value_type = Option<Uuid>)]
    user_id: Option<Field<Uuid>>,
    /// Only requests for this contact.
    #[validate(nested)]
    #[param(value_type = Option<Uuid>)]
    contact_id: Option<Field<Uuid>>,
    /// Only requests for this patient.
    #[validate(nested)]
    #[param(value_type = Option<Uuid>)]
    patient_id: Option<Field<Uuid>>,
    /// Only requests that are booked in this slot.
    #[validate(nested)]
    #[param(value_type = Option<Uuid>)]
    slot_id: Option<Field<Uuid>>,
    /// Only requests for patients of whose name, for each of these words, a word begins with it; case-insensitive.
    #[validate(nested)]
    #[param(inline)]
    q: Option<Field<SearchText>>,
    /// Only requests of the account with this e-mail.
    #[validate(nested)]
    #[param(inline)]
    email: Option<Field<Email>>,
    /// Only requests of accounts with this telephone number; only its digits matter.
    #[validate(nested)]
    #[param(inline)]
    phone_number: Option<Field<PhoneNumber>>,
    /// Only requests of accounts with this national id.
    #[validate(nested)]
    #[param(inline)]
    nid: Option<Field<NationalId>>,
    /// Only requests created at this time or later (RFC 3339).
    #[validate(nested)]
    #[param(inline)]
    created_from: Option<Field<Instant>>,
    /// Only requests created before this time (RFC 3339).
    #[validate(nested)]
    #[param(inline)]
    created_before: Option<Field<Instant>>,
    /// Items per page; 20 by default.
    #[validate(nested)]
    #[param(inline, example = 20)]
    limit: Option<Field<Limit>>,
    /// The `next_cursor` of the previous page.
    cursor: Option<String>,
}

impl ListVaccineRequests {
    fn filter(self) -> Result<RequestFilter, Error> {
        Ok(RequestFilter {
            status: self.status.value()?,
            vaccine_id: self.vaccine_id.value()?,
            user_id: self.user_id.value()?,
            contact_id: self.contact_id.value()?,
            patient_id: self.patient_id.value()?,
            slot_id: self.slot_id.value()?,
            people: PeopleFilter {
                search: self.q.value()?,
                email: self.email.value()?,
                phone_number: self.phone_number.value()?,
                nid: self.nid.value()?,
            },
            created_from: self.created_from.value()?.map(Instant::time),
            created_before: self.created_before.value()?.map(Instant::time),
        })
    }
}

/// Create a vaccine request
///
/// It is pending until staff approve or reject it; where the rules review requests, that of an eligible person is approved
/// at once.
///
/// An invitation opens slots that can only be booked with one. A person who has used it can use it again for later
/// requests. All invitations that cannot be used get the same response.
///
/// **Open to:** anyone signed in, for themselves and for their contacts.
#[utoipa::path(
    operation_id = "create_vaccine_request", tag = "vaccine-requests", security(("oauth2" = []), ("token" = [])),
    params(IdempotencyHeader),
    request_body = CreateVaccineRequest,
    responses(
        (status = 201, body = VaccineRequestReply, headers(("Location" = String, description = "Path of the request"))),
        (
            status = 409,
            description = "There is an open request for this person, course and dose; they are not eligible; or the \
                           account has too many patients"
        ),
        (status = 429, description = "Too many wrong invitation codes"),
    )
)]
#[post("")]
pub async fn create(
    state: web::Data<AppState>,
    caller: Caller,
    Keyed { body, key }: Keyed<CreateVaccineRequest>,
) -> Result<HttpResponse, Problem> {
    let once = Once { key: key.as_ref(), render: render_created };
    let new = body.try_into()?;
    let response = vaccine_requests::create(&state.db, &state.auth, &state.vaccination, &caller, once, new).await?;
    Ok(once::respond(response))
}

/// List vaccine requests
///
/// Newest first.
///
/// **Open to:** anyone signed in, for their own requests; staff see all requests.
#[utoipa::path(
    operation_id = "list_vaccine_requests", tag = "vaccine-requests", security(("oauth2" = []), ("token" = [])),
    params(ListVaccineRequests),
    responses(
        (status = 200, body = PageReply<VaccineRequestReply>,
            headers(("Link" = String, description = "The next page"))),
    )
)]
#[get("")]
pub async fn list(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    Query(mut query): Query<ListVaccineRequests>,
) -> Result<HttpResponse, Problem> {
    let page = paging::page(query.limit.take(), query.cursor.as_deref())?;
    let requests = request_list::list(&state.db, &state.auth.clock, &caller, &query.filter()?, page).await?;
    Ok(paging::reply(&request, requests, VaccineRequestReply::from))
}

/// Count vaccine requests by status
///
/// Each number is counted to 10,000.
///
/// **Open to:** staff.
#[utoipa::path(
    operation_id = "count_vaccine_requests", tag = "vaccine-requests", security(("oauth2" = []), ("token" = [])),
    responses((status = 200, body = RequestCountsReply), (status = 403, description = "Needs the role staff"))
)]
#[get("/counts")]
pub async fn counts(state: web::Data<AppState>, user: CurrentUser) -> Result<web::Json<RequestCountsReply>, Problem> {
    let counts = request_list::counts(&state.db, &user).await?;
    let of = |status| counts.iter().find(|(counted, _)| *counted == status).map_or(0, |(_, count)| *count);
    Ok(web::Json(RequestCountsReply {
        limit: request_list::MAX_COUNT,
        pending: of(RequestStatus::Pending),
        approved: of(RequestStatus::Approved),
        rejected: of(RequestStatus::Rejected),
        booked: of(RequestStatus::Booked),
        administered: of(RequestStatus::Administered),
        missed: of(RequestStatus::Missed),
        cancelled: of(RequestStatus::Cancelled),
    }))
}

/// Get a vaccine request
///
/// **Open to:** the user who made it, and staff.
#[utoipa::path(
    operation_id = "get_vaccine_request", tag = "vaccine-requests", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 200, body = VaccineRequestReply))
)]
#[get("/{id}")]
pub async fn get(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
) -> Result<web::Json<VaccineRequestReply>, Problem> {
    Ok(web::Json(request_list::get(&state.db, &state.auth.clock, &caller, id.0).await?.into()))
}

/// Update a vaccine request
///
/// Only while it is pending.
///
/// **Open to:** the user who made it.
#[utoipa::path(
    operation_id = "update_vaccine_request", tag = "vaccine-requests", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    request_body(content = UpdateVaccineRequest, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, body = VaccineRequestReply),
        (status = 409, description = "Not pending; another request for this person and dose is open; or they are not eligible"),
    )
)]
#[patch("/{id}")]
pub async fn update(
    state: web::Data<AppState>,
    user: CurrentUser,
    id: Id,
    Valid(body): Valid<UpdateVaccineRequest>,
) -> Result<web::Json<VaccineRequestReply>, Problem> {
    let request = vaccine_requests::update(&state.db, &state.vaccination, &user, id.0, body.try_into()?).await?;
    Ok(web::Json(request.into()))
}
