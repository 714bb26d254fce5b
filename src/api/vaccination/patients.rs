//! Patients: list, get, update.

use actix_web::{HttpRequest, HttpResponse, get, patch, web};
use chrono::{DateTime, Utc};
use entity::{PatientRelation, patients as table};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::api::http::extract::{Id, Query, Valid};
use crate::api::http::field::{Field, Optional as _, Patched as _};
use crate::api::http::paging::{self, Limit, PageReply};
use crate::api::http::problem::Problem;
use crate::domain::vaccination::patients::{self, PatientChanges};
use crate::domain::vaccination::people::PeopleFilter;
use crate::domain::values::birthday::{BirthDay, BirthMonth};
use crate::domain::values::caller::Caller;
use crate::domain::values::email::Email;
use crate::domain::values::patch::{Patch, not_null};
use crate::domain::values::person::{BirthYear, FullName, NationalId, PhoneNumber};
use crate::domain::values::search::SearchText;
use crate::domain::values::text::Line;
use crate::error::Error;
use crate::state::AppState;

/// A patient.
#[derive(Serialize, ToSchema)]
pub struct PatientReply {
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    id: Uuid,
    /// The account of the patient, or of the user who cares for them.
    #[schema(required = true, example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    user_id: Option<Uuid>,
    /// The contact; null if the patient is the owner of the account, or the contact has been deleted.
    #[schema(required = true, example = json!(null))]
    contact_id: Option<Uuid>,
    /// Relation to the account: its owner, a person in their care, or somebody without an account.
    relation: PatientRelation,
    /// Name for display; null if it is no longer known.
    #[schema(required = true, example = "Ada Lovelace")]
    name: Option<String>,
    #[schema(required = true, example = 1985)]
    birth_year: Option<i16>,
    #[schema(required = true, example = 12, minimum = 1, maximum = 12)]
    birth_month: Option<i16>,
    #[schema(required = true, example = 10, minimum = 1, maximum = 31)]
    birth_day: Option<i16>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<table::Model> for PatientReply {
    fn from(patient: table::Model) -> Self {
        Self {
            id: patient.id,
            user_id: patient.user_id,
            contact_id: patient.contact_id,
            relation: patient.relation,
            name: patient.name,
            birth_year: patient.birth_year,
            birth_month: patient.birth_month,
            birth_day: patient.birth_day,
            created_at: patient.created_at,
            updated_at: patient.updated_at,
        }
    }
}

/// A JSON merge patch (RFC 7396) of a patient: an absent member keeps its value, null clears a part of the birth date.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "birth_year": 1985, "birth_month": 12, "birth_day": 10 }))]
pub struct UpdatePatient {
    /// Name for display.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(inline, value_type = Field<FullName>, required = false)]
    name: Option<Field<FullName>>,
    /// Year of birth.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, value_type = Option<Field<BirthYear>>)]
    birth_year: Patch<Field<BirthYear>>,
    /// Month of birth, from 1.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, value_type = Option<Field<BirthMonth>>)]
    birth_month: Patch<Field<BirthMonth>>,
    /// Day of birth, from 1.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, value_type = Option<Field<BirthDay>>)]
    birth_day: Patch<Field<BirthDay>>,
}

impl TryFrom<UpdatePatient> for PatientChanges {
    type Error = Error;

    fn try_from(body: UpdatePatient) -> Result<Self, Error> {
        Ok(Self {
            name: body.name.value()?,
            birth_year: body.birth_year.value()?.map(BirthYear::get),
            birth_month: body.birth_month.value()?.map(BirthMonth::to_i16),
            birth_day: body.birth_day.value()?.map(BirthDay::to_i16),
        })
    }
}

/// Why staff search.
type Purpose = Line<100>;

/// Search and page of a list of patients.
#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListPatients {
    /// For staff: only patients of whose name, for each of these words, a word begins with it; case-insensitive.
    #[validate(nested)]
    #[param(inline)]
    q: Option<Field<SearchText>>,
    /// For staff: only patients of the account with this e-mail.
    #[validate(nested)]
    #[param(inline)]
    email: Option<Field<Email>>,
    /// For staff: only patients of accounts with this telephone number; only its digits matter.
    #[validate(nested)]
    #[param(inline)]
    phone_number: Option<Field<PhoneNumber>>,
    /// For staff: only patients of accounts with this national id.
    #[validate(nested)]
    #[param(inline)]
    nid: Option<Field<NationalId>>,
    /// Why staff search; required for a search. It is recorded, and shown to those who are found.
    #[validate(nested)]
    #[param(inline)]
    purpose: Option<Field<Purpose>>,
    /// Items per page; 20 by default.
    #[validate(nested)]
    #[param(inline, example = 20)]
    limit: Option<Field<Limit>>,
    /// The `next_cursor` of the previous page.
    cursor: Option<String>,
}

/// List patients
///
/// Those for whom the user has requested vaccines, newest first. Staff search among all, for a purpose.
///
/// **Open to:** anyone signed in, for their own patients; staff search all.
#[utoipa::path(
    operation_id = "list_patients", tag = "patients", security(("oauth2" = []), ("token" = [])),
    params(ListPatients),
    responses(
        (status = 200, body = PageReply<PatientReply>, headers(("Link" = String, description = "The next page"))),
        (status = 403, description = "A search needs the role staff"),
    )
)]
#[get("")]
pub async fn list(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    Query(query): Query<ListPatients>,
) -> Result<HttpResponse, Problem> {
    let page = paging::page(query.limit, query.cursor.as_deref())?;
    let purpose = query.purpose.value()?;
    let people = PeopleFilter {
        search: query.q.value()?,
        email: query.email.value()?,
        phone_number: query.phone_number.value()?,
        nid: query.nid.value()?,
    };
    let found = if people.is_empty() && purpose.is_none() {
        patients::list_own(&state.db, &caller.actor, page).await?
    } else {
        let purpose = purpose.as_ref().map(Purpose::as_str);
        patients::search(&state.db, &state.auth.clock, &caller, &people, purpose, page).await?
    };
    Ok(paging::reply(&request, found, PatientReply::from))
}

/// Get a patient
///
/// **Open to:** the user who made requests for them, and staff.
#[utoipa::path(
    operation_id = "get_patient", tag = "patients", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 200, body = PatientReply))
)]
#[get("/{id}")]
pub async fn get(state: web::Data<AppState>, caller: Caller, id: Id) -> Result<web::Json<PatientReply>, Problem> {
    Ok(web::Json(patients::get(&state.db, &state.auth.clock, &caller, id.0).await?.into()))
}

/// Update a patient
///
/// The profile of the account and the contact stay as they are. A later change of the name or the birth date there is
/// carried over to the patient, unless they were given a dose in a centre of this service. The doses of the patient are
/// judged anew.
///
/// **Open to:** staff, and the user who made requests for them, until a dose was given in a centre of this service.
#[utoipa::path(
    operation_id = "update_patient", tag = "patients", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    request_body(content = UpdatePatient, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, body = PatientReply),
        (status = 403, description = "The patient was given a dose: needs the role staff"),
    )
)]
#[patch("/{id}")]
pub async fn update(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
    Valid(body): Valid<UpdatePatient>,
) -> Result<web::Json<PatientReply>, Problem> {
    Ok(web::Json(patients::update(&state.db, &state.vaccination, &caller, id.0, body.try_into()?).await?.into()))
}
