//! Vaccine requests: create, list, get, update.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, patch, post, web};
use chrono::{DateTime, Utc};
use entity::{RequestStatus, contacts};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::api::http::extract::{CurrentUser, Id, Query, Valid};
use crate::api::http::field::{Field, Optional as _, Patched as _};
use crate::api::http::paging::{self, Limit, PageReply};
use crate::api::http::problem::Problem;
use crate::domain::vaccination::catalogue::EXAMPLE_ID;
use crate::domain::vaccination::vaccine_requests::{
    self, NewRequest, Request, RequestChanges, RequestFilter, RequestNote,
};
use crate::domain::vaccination::vaccines::Doses;
use crate::domain::values::instant::Instant;
use crate::domain::values::patch::{Patch, not_null};
use crate::error::Error;
use crate::state::AppState;

/// A vaccine request.
#[derive(Serialize, ToSchema)]
pub struct VaccineRequestReply {
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    id: Uuid,
    /// The account that made the request.
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    user_id: Uuid,
    /// Whether the request is for a contact, not for the owner of the account.
    for_contact: bool,
    /// The contact; null if the request is for the owner, or the contact has been deleted.
    #[schema(required = true, example = json!(null))]
    contact_id: Option<Uuid>,
    /// Name and birthday of the contact.
    #[schema(required = true)]
    contact: Option<PersonReply>,
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    vaccine_id: Uuid,
    /// Number of the dose in its course.
    #[schema(example = 1, minimum = 1)]
    dose_number: i32,
    status: RequestStatus,
    /// Note to staff.
    #[schema(required = true, example = "I am free on Mondays.")]
    note: Option<String>,
    /// Reason of a rejection.
    #[schema(required = true, example = json!(null))]
    reason: Option<String>,
    /// The account that approved or rejected it.
    #[schema(required = true, example = json!(null))]
    reviewer_id: Option<Uuid>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// Name and birthday of the contact that a request is for, for staff.
#[derive(Serialize, ToSchema)]
pub struct PersonReply {
    #[schema(example = "Byron")]
    first_name: String,
    #[schema(example = "King")]
    last_name: String,
    #[schema(required = true, example = 5, minimum = 1, maximum = 12)]
    birth_month: Option<i16>,
    #[schema(required = true, example = 12, minimum = 1, maximum = 31)]
    birth_day: Option<i16>,
    #[schema(required = true, example = 2019)]
    birth_year: Option<i16>,
}

impl From<contacts::Model> for PersonReply {
    fn from(contact: contacts::Model) -> Self {
        Self {
            first_name: contact.first_name,
            last_name: contact.last_name,
            birth_month: contact.birth_month,
            birth_day: contact.birth_day,
            birth_year: contact.birth_year,
        }
    }
}

impl From<Request> for VaccineRequestReply {
    fn from(Request { request, contact }: Request) -> Self {
        Self {
            id: request.id,
            user_id: request.user_id,
            for_contact: request.for_contact,
            contact_id: request.contact_id,
            contact: contact.map(Into::into),
            vaccine_id: request.vaccine_id,
            dose_number: request.dose_number,
            status: request.status,
            note: request.note,
            reason: request.reason,
            reviewer_id: request.reviewed_by,
            created_at: request.created_at,
            updated_at: request.updated_at,
        }
    }
}

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
    /// Number of the dose in its course; 1 by default.
    #[validate(nested)]
    #[schema(inline)]
    dose_number: Option<Field<Doses>>,
    /// Note to staff.
    #[validate(nested)]
    #[schema(inline)]
    note: Option<Field<RequestNote>>,
}

impl TryFrom<CreateVaccineRequest> for NewRequest {
    type Error = Error;

    fn try_from(body: CreateVaccineRequest) -> Result<Self, Error> {
        Ok(Self {
            contact_id: body.contact_id.value()?,
            vaccine_id: body.vaccine_id.value()?,
            dose_number: body.dose_number.value()?.unwrap_or(Doses::MINIMUM),
            note: body.note.value()?,
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
            created_from: self.created_from.value()?.map(Instant::time),
            created_before: self.created_before.value()?.map(Instant::time),
        })
    }
}

/// Create a vaccine request
///
/// **Open to:** anyone signed in, for themselves and for their contacts.
#[utoipa::path(
    operation_id = "create_vaccine_request", tag = "vaccine-requests", security(("oauth2" = []), ("token" = [])),
    request_body = CreateVaccineRequest,
    responses(
        (status = 201, body = VaccineRequestReply, headers(("Location" = String, description = "Path of the request"))),
        (status = 409, description = "There is an open request for this person, vaccine and dose"),
    )
)]
#[post("")]
pub async fn create(
    state: web::Data<AppState>,
    user: CurrentUser,
    Valid(body): Valid<CreateVaccineRequest>,
) -> Result<HttpResponse, Problem> {
    let request = vaccine_requests::create(&state.db, &state.auth.clock, &user, body.try_into()?).await?;
    let location = format!("/api/v1/vaccine-requests/{}", request.request.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(VaccineRequestReply::from(request)))
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
    user: CurrentUser,
    request: HttpRequest,
    Query(mut query): Query<ListVaccineRequests>,
) -> Result<HttpResponse, Problem> {
    let page = paging::page(query.limit.take(), query.cursor.as_deref())?;
    let requests = vaccine_requests::list(&state.db, &user, &query.filter()?, page).await?;
    Ok(paging::reply(&request, requests, VaccineRequestReply::from))
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
    user: CurrentUser,
    id: Id,
) -> Result<web::Json<VaccineRequestReply>, Problem> {
    Ok(web::Json(vaccine_requests::get(&state.db, &user, id.0).await?.into()))
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
        (status = 409, description = "Not pending, or another request for this person, vaccine and dose is open"),
    )
)]
#[patch("/{id}")]
pub async fn update(
    state: web::Data<AppState>,
    user: CurrentUser,
    id: Id,
    Valid(body): Valid<UpdateVaccineRequest>,
) -> Result<web::Json<VaccineRequestReply>, Problem> {
    let request = vaccine_requests::update(&state.db, &state.auth.clock, &user, id.0, body.try_into()?).await?;
    Ok(web::Json(request.into()))
}
