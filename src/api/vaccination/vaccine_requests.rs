//! Requests for a vaccine, and the steps of their review.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, patch, post, web};
use chrono::{DateTime, Utc};
use entity::{RequestStatus, contacts};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::{Validate, ValidationError};

use crate::api::http::extract::{CurrentUser, Id, Query, Valid};
use crate::api::http::paging::{self, PageReply};
use crate::api::http::problem::Problem;
use crate::domain::vaccination::vaccine_requests::{self, Changes, Filter, NewRequest, Request, Step};
use crate::domain::values::client::Client;
use crate::domain::values::patch::{Patch, not_null};
use crate::domain::values::rules::{self, patched};
use crate::state::AppState;

/// A request for a dose of a vaccine.
#[derive(Serialize, ToSchema)]
pub struct VaccineRequestReply {
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    id: Uuid,
    /// The account that asks.
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    user_id: Uuid,
    /// Whether it is for one of the account's contacts, and not for its owner.
    for_contact: bool,
    /// For which contact; null when for the owner, and when they have been removed from the contacts since.
    #[schema(required = true, example = json!(null))]
    contact_id: Option<Uuid>,
    /// Who that is.
    #[schema(required = true)]
    contact: Option<PersonReply>,
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    vaccine_id: Uuid,
    /// Which dose of the course.
    #[schema(example = 1, minimum = 1)]
    dose_number: i32,
    status: RequestStatus,
    /// Anything staff should know.
    #[schema(required = true, example = "I am free on Mondays.")]
    note: Option<String>,
    /// Why it was rejected.
    #[schema(required = true, example = json!(null))]
    reason: Option<String>,
    /// The account of whoever approved or rejected it.
    #[schema(required = true, example = json!(null))]
    reviewed_by: Option<Uuid>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// What of a contact a request for them tells, to staff too: enough to know them and their age.
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
            reviewed_by: request.reviewed_by,
            created_at: request.created_at,
            updated_at: request.updated_at,
        }
    }
}

/// What is asked for.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskForVaccine {
    /// For whom: one of the caller's contacts; for the caller when absent.
    #[schema(example = json!(null))]
    contact_id: Option<Uuid>,
    /// From the catalogue.
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    vaccine_id: Uuid,
    /// Which dose of the course; 1 by default.
    #[serde(default = "first")]
    #[validate(range(min = 1, max = 20))]
    #[schema(minimum = 1, maximum = 20, default = 1, example = 1)]
    dose_number: i32,
    /// Anything staff should know.
    #[validate(length(max = 1000), custom(function = rules::text))]
    #[schema(min_length = 1, max_length = 1000, example = "I am free on Mondays.")]
    note: Option<String>,
}

fn first() -> i32 {
    1
}

impl From<AskForVaccine> for NewRequest {
    fn from(body: AskForVaccine) -> Self {
        Self {
            contact_id: body.contact_id,
            vaccine_id: body.vaccine_id,
            dose_number: body.dose_number,
            note: body.note,
        }
    }
}

/// A JSON merge patch (RFC 7396): absent members stay, null clears the note.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeRequest {
    /// From the catalogue.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(value_type = Uuid, required = false, example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    vaccine_id: Option<Uuid>,
    /// Which dose of the course.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(range(min = 1, max = 20))]
    #[schema(value_type = i32, required = false, minimum = 1, maximum = 20, example = 2)]
    dose_number: Option<i32>,
    /// Anything staff should know.
    #[serde(default)]
    #[validate(custom(function = patched_note))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1000, example = "I am free on Tuesdays.")]
    note: Patch<String>,
}

fn patched_note(note: &Patch<String>) -> Result<(), ValidationError> {
    patched(note, |note| rules::at_most(note, 1000).and_then(|()| rules::text(note)))
}

impl From<ChangeRequest> for Changes {
    fn from(body: ChangeRequest) -> Self {
        Self { vaccine_id: body.vaccine_id, dose_number: body.dose_number, note: body.note }
    }
}

/// Why a request is rejected.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reject {
    /// For whoever asked.
    #[serde(default)]
    #[validate(length(max = 1000), custom(function = rules::text))]
    #[schema(required = true, min_length = 1, max_length = 1000, example = "This dose was given last month.")]
    reason: String,
}

/// Which requests, and which page of them.
#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListRequests {
    /// Only those that stand here.
    #[param(inline)]
    status: Option<RequestStatus>,
    /// Only those for this vaccine.
    vaccine_id: Option<Uuid>,
    /// Only those of this account; of use to staff.
    user_id: Option<Uuid>,
    /// Only those for this contact.
    contact_id: Option<Uuid>,
    /// Only those made at this time or later (RFC 3339).
    #[validate(custom(function = rules::time))]
    #[param(example = "2026-01-01T00:00:00Z")]
    created_from: Option<DateTime<Utc>>,
    /// Only those made before this time (RFC 3339).
    #[validate(custom(function = rules::time))]
    #[param(example = "2027-01-01T00:00:00Z")]
    created_before: Option<DateTime<Utc>>,
    /// Items on a page; 20 by default.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, example = 20)]
    limit: Option<u64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

impl ListRequests {
    fn filter(&self) -> Filter {
        Filter {
            status: self.status,
            vaccine_id: self.vaccine_id,
            user_id: self.user_id,
            contact_id: self.contact_id,
            created_from: self.created_from,
            created_before: self.created_before,
        }
    }
}

/// Asks for a dose of a vaccine.
///
/// **Open to:** anyone signed in, for themselves and for their contacts.
#[utoipa::path(
    operation_id = "ask_for_vaccine", tag = "vaccine requests", security(("oauth2" = []), ("token" = [])),
    request_body = AskForVaccine,
    responses(
        (status = 201, body = VaccineRequestReply, headers(("Location" = String, description = "Path of the request"))),
        (status = 409, description = "There is an open request for this person, vaccine and dose"),
    )
)]
#[post("")]
pub async fn add(
    state: web::Data<AppState>,
    user: CurrentUser,
    Valid(body): Valid<AskForVaccine>,
) -> Result<HttpResponse, Problem> {
    let request = vaccine_requests::add(&state.db, &state.auth.clock, &user, body.into()).await?;
    let location = format!("/api/v1/vaccine-requests/{}", request.request.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(VaccineRequestReply::from(request)))
}

/// Requests, newest first.
///
/// **Open to:** anyone signed in, who sees their own; staff see everybody's.
#[utoipa::path(
    operation_id = "list_vaccine_requests", tag = "vaccine requests", security(("oauth2" = []), ("token" = [])),
    params(ListRequests),
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
    Query(query): Query<ListRequests>,
) -> Result<HttpResponse, Problem> {
    let page = paging::page(query.limit.map(Into::into), query.cursor.as_deref())?;
    let requests = vaccine_requests::list(&state.db, &user, &query.filter(), page).await?;
    Ok(paging::reply(&request, requests, VaccineRequestReply::from))
}

/// One request.
///
/// **Open to:** whoever asked, and staff.
#[utoipa::path(
    operation_id = "get_vaccine_request", tag = "vaccine requests", security(("oauth2" = []), ("token" = [])),
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

/// Changes a request while it is pending.
///
/// **Open to:** whoever asked.
#[utoipa::path(
    operation_id = "change_vaccine_request", tag = "vaccine requests", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    request_body(content((ChangeRequest = "application/merge-patch+json"), (ChangeRequest = "application/json"))),
    responses(
        (status = 200, body = VaccineRequestReply),
        (status = 409, description = "It is no longer pending, or an open request asks for the same"),
    )
)]
#[patch("/{id}")]
pub async fn change(
    state: web::Data<AppState>,
    user: CurrentUser,
    id: Id,
    Valid(body): Valid<ChangeRequest>,
) -> Result<web::Json<VaccineRequestReply>, Problem> {
    let request = vaccine_requests::change(&state.db, &state.auth.clock, &user, id.0, body.into()).await?;
    Ok(web::Json(request.into()))
}

/// Approves a pending request.
///
/// **Open to:** staff.
#[utoipa::path(
    operation_id = "approve_vaccine_request", tag = "vaccine requests", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = VaccineRequestReply),
        (status = 403, description = "Needs the role staff"),
        (status = 409, description = "It is not pending"),
    )
)]
#[post("/{id}/approve")]
pub async fn approve(
    state: web::Data<AppState>,
    user: CurrentUser,
    client: Client,
    id: Id,
) -> Result<web::Json<VaccineRequestReply>, Problem> {
    let request = vaccine_requests::advance(&state.db, &state.auth.clock, &user, &client, id.0, Step::Approve).await?;
    Ok(web::Json(request.into()))
}

/// Rejects a pending request, and says why.
///
/// **Open to:** staff.
#[utoipa::path(
    operation_id = "reject_vaccine_request", tag = "vaccine requests", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    request_body = Reject,
    responses(
        (status = 200, body = VaccineRequestReply),
        (status = 403, description = "Needs the role staff"),
        (status = 409, description = "It is not pending"),
    )
)]
#[post("/{id}/reject")]
pub async fn reject(
    state: web::Data<AppState>,
    user: CurrentUser,
    client: Client,
    id: Id,
    Valid(body): Valid<Reject>,
) -> Result<web::Json<VaccineRequestReply>, Problem> {
    let step = Step::Reject { reason: body.reason };
    let request = vaccine_requests::advance(&state.db, &state.auth.clock, &user, &client, id.0, step).await?;
    Ok(web::Json(request.into()))
}

/// Cancels a request that is pending, approved or booked.
///
/// **Open to:** whoever asked, and staff.
#[utoipa::path(
    operation_id = "cancel_vaccine_request", tag = "vaccine requests", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = VaccineRequestReply),
        (status = 409, description = "It has come to an end already"),
    )
)]
#[post("/{id}/cancel")]
pub async fn cancel(
    state: web::Data<AppState>,
    user: CurrentUser,
    client: Client,
    id: Id,
) -> Result<web::Json<VaccineRequestReply>, Problem> {
    let request = vaccine_requests::advance(&state.db, &state.auth.clock, &user, &client, id.0, Step::Cancel).await?;
    Ok(web::Json(request.into()))
}
