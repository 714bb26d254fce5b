//! The catalogue of vaccines.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, patch, post, web};
use entity::vaccines as table;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::{Validate, ValidationError};

use crate::api::http::extract::{CurrentUser, Id, Query, Valid};
use crate::api::http::paging::{self, PageReply};
use crate::api::http::problem::Problem;
use crate::domain::vaccination::vaccines::{self, Changes, NewVaccine};
use crate::domain::values::patch::{Patch, not_null};
use crate::domain::values::rules::{self, patched};
use crate::state::AppState;

/// The oldest age limit in months: 150 years.
const MAX_AGE_MONTHS: i32 = 1800;

/// A vaccine.
#[derive(Serialize, ToSchema)]
pub struct VaccineReply {
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    id: Uuid,
    #[schema(example = "MMR")]
    code: String,
    #[schema(example = "Measles, mumps and rubella")]
    name: String,
    #[schema(example = "Example Biologics")]
    manufacturer: String,
    /// Doses in a full course.
    #[schema(example = 2, minimum = 1)]
    doses: i32,
    /// Days between two doses, at least.
    #[schema(example = 28, minimum = 0)]
    min_interval_days: i32,
    /// The youngest age.
    #[schema(required = true, example = 9)]
    min_age_months: Option<i32>,
    /// The oldest age.
    #[schema(required = true, example = json!(null))]
    max_age_months: Option<i32>,
    /// Whether it can be asked for.
    active: bool,
}

impl From<table::Model> for VaccineReply {
    fn from(vaccine: table::Model) -> Self {
        Self {
            id: vaccine.id,
            code: vaccine.code,
            name: vaccine.name,
            manufacturer: vaccine.manufacturer,
            doses: vaccine.doses,
            min_interval_days: vaccine.min_interval_days,
            min_age_months: vaccine.min_age_months,
            max_age_months: vaccine.max_age_months,
            active: vaccine.active,
        }
    }
}

/// A vaccine to be added to the catalogue.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddVaccine {
    /// Short and unique.
    #[serde(default)]
    #[validate(length(max = 32), custom(function = rules::line))]
    #[schema(required = true, min_length = 1, max_length = 32, example = "MMR")]
    code: String,
    #[serde(default)]
    #[validate(length(max = 200), custom(function = rules::line))]
    #[schema(required = true, min_length = 1, max_length = 200, example = "Measles, mumps and rubella")]
    name: String,
    #[serde(default)]
    #[validate(length(max = 200), custom(function = rules::line))]
    #[schema(required = true, min_length = 1, max_length = 200, example = "Example Biologics")]
    manufacturer: String,
    /// Doses in a full course.
    #[validate(range(min = 1, max = 20))]
    #[schema(minimum = 1, maximum = 20, example = 2)]
    doses: i32,
    /// Days between two doses, at least.
    #[serde(default)]
    #[validate(range(min = 0, max = 36500))]
    #[schema(minimum = 0, maximum = 36500, example = 28)]
    min_interval_days: i32,
    /// The youngest age.
    #[validate(range(min = 0, max = MAX_AGE_MONTHS))]
    #[schema(minimum = 0, maximum = 1800, example = 9)]
    min_age_months: Option<i32>,
    /// The oldest age; not below the youngest.
    #[validate(range(min = 0, max = MAX_AGE_MONTHS))]
    #[schema(minimum = 0, maximum = 1800, example = 1200)]
    max_age_months: Option<i32>,
}

impl From<AddVaccine> for NewVaccine {
    fn from(body: AddVaccine) -> Self {
        Self {
            code: body.code.trim().to_owned(),
            name: body.name.trim().to_owned(),
            manufacturer: body.manufacturer.trim().to_owned(),
            doses: body.doses,
            min_interval_days: body.min_interval_days,
            min_age_months: body.min_age_months,
            max_age_months: body.max_age_months,
        }
    }
}

/// A JSON merge patch (RFC 7396): absent members stay, null clears an age limit.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeVaccine {
    #[serde(default, deserialize_with = "not_null")]
    #[validate(length(max = 200), custom(function = rules::line))]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 200, example = "MMR vaccine")]
    name: Option<String>,
    #[serde(default, deserialize_with = "not_null")]
    #[validate(length(max = 200), custom(function = rules::line))]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 200, example = "Example Biologics")]
    manufacturer: Option<String>,
    /// Doses in a full course.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(range(min = 1, max = 20))]
    #[schema(value_type = i32, required = false, minimum = 1, maximum = 20, example = 2)]
    doses: Option<i32>,
    /// Days between two doses, at least.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(range(min = 0, max = 36500))]
    #[schema(value_type = i32, required = false, minimum = 0, maximum = 36500, example = 28)]
    min_interval_days: Option<i32>,
    /// The youngest age.
    #[serde(default)]
    #[validate(custom(function = patched_age))]
    #[schema(value_type = Option<i32>, minimum = 0, maximum = 1800, example = 9)]
    min_age_months: Patch<i32>,
    /// The oldest age.
    #[serde(default)]
    #[validate(custom(function = patched_age))]
    #[schema(value_type = Option<i32>, minimum = 0, maximum = 1800, example = 1200)]
    max_age_months: Patch<i32>,
    /// Whether it can be asked for.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(value_type = bool, required = false, example = true)]
    active: Option<bool>,
}

fn patched_age(age: &Patch<i32>) -> Result<(), ValidationError> {
    patched(age, |age| rules::within(*age, 0, MAX_AGE_MONTHS))
}

impl From<ChangeVaccine> for Changes {
    fn from(body: ChangeVaccine) -> Self {
        let trimmed = |text: String| text.trim().to_owned();
        Self {
            name: body.name.map(trimmed),
            manufacturer: body.manufacturer.map(trimmed),
            doses: body.doses,
            min_interval_days: body.min_interval_days,
            min_age_months: body.min_age_months,
            max_age_months: body.max_age_months,
            active: body.active,
        }
    }
}

/// Which vaccines, and which page of them.
#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListVaccines {
    /// Only those that can be asked for, or only those that cannot.
    #[param(example = true)]
    active: Option<bool>,
    /// Items on a page; 20 by default.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, example = 20)]
    limit: Option<u64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The catalogue, in the order in which it was written.
///
/// **Open to:** anyone.
#[utoipa::path(
    operation_id = "list_vaccines", tag = "vaccines",
    params(ListVaccines),
    responses(
        (status = 200, body = PageReply<VaccineReply>, headers(("Link" = String, description = "The next page"))),
    )
)]
#[get("")]
pub async fn list(
    state: web::Data<AppState>,
    request: HttpRequest,
    Query(query): Query<ListVaccines>,
) -> Result<HttpResponse, Problem> {
    let page = paging::page(query.limit.map(Into::into), query.cursor.as_deref())?;
    let catalogue = vaccines::list(&state.db, query.active, page).await?;
    Ok(paging::reply(&request, catalogue, VaccineReply::from))
}

/// One vaccine.
///
/// **Open to:** anyone.
#[utoipa::path(operation_id = "get_vaccine", tag = "vaccines", params(("id" = Uuid, Path)), responses((status = 200, body = VaccineReply)))]
#[get("/{id}")]
pub async fn get(state: web::Data<AppState>, id: Id) -> Result<web::Json<VaccineReply>, Problem> {
    Ok(web::Json(vaccines::get(&state.db, id.0).await?.into()))
}

/// Adds a vaccine to the catalogue.
///
/// **Open to:** admins.
#[utoipa::path(
    operation_id = "add_vaccine", tag = "vaccines", security(("oauth2" = []), ("token" = [])),
    request_body = AddVaccine,
    responses(
        (status = 201, body = VaccineReply, headers(("Location" = String, description = "Path of the vaccine"))),
        (status = 403, description = "Needs the role admin"),
        (status = 409, description = "The code is taken"),
    )
)]
#[post("")]
pub async fn add(
    state: web::Data<AppState>,
    user: CurrentUser,
    Valid(body): Valid<AddVaccine>,
) -> Result<HttpResponse, Problem> {
    let vaccine = vaccines::add(&state.db, &user, body.into()).await?;
    let location = format!("/api/v1/vaccines/{}", vaccine.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(VaccineReply::from(vaccine)))
}

/// Changes a vaccine. Its code stays.
///
/// **Open to:** admins.
#[utoipa::path(
    operation_id = "change_vaccine", tag = "vaccines", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    request_body(content((ChangeVaccine = "application/merge-patch+json"), (ChangeVaccine = "application/json"))),
    responses((status = 200, body = VaccineReply), (status = 403, description = "Needs the role admin"))
)]
#[patch("/{id}")]
pub async fn change(
    state: web::Data<AppState>,
    user: CurrentUser,
    id: Id,
    Valid(body): Valid<ChangeVaccine>,
) -> Result<web::Json<VaccineReply>, Problem> {
    Ok(web::Json(vaccines::change(&state.db, &user, id.0, body.into()).await?.into()))
}
