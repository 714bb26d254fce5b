//! Vaccines: the catalogue.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, patch, post, web};
use entity::vaccines as table;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::api::http::extract::{CurrentUser, Id, Query, Valid};
use crate::api::http::field::{Field, Optional as _, Patched as _};
use crate::api::http::paging::{self, Limit, PageReply};
use crate::api::http::problem::Problem;
use crate::domain::vaccination::catalogue::EXAMPLE_ID;
use crate::domain::vaccination::vaccines::{
    self, AgeMonths, Doses, IntervalDays, NewVaccine, VaccineChanges, VaccineCode, VaccineName,
};
use crate::domain::values::cvx::CvxCode;
use crate::domain::values::patch::{Patch, not_null};
use crate::error::{Error, Violation};
use crate::state::AppState;

/// Maximum number of other courses for which a dose counts.
const MAX_COURSES: usize = 20;

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
    /// Number of doses in a full course.
    #[schema(example = 2, minimum = 1)]
    doses: i32,
    /// Minimum days between two doses.
    #[schema(example = 28, minimum = 0)]
    min_interval_days: i32,
    /// Minimum age in months.
    #[schema(required = true, example = 9)]
    min_age_months: Option<i32>,
    /// Maximum age in months.
    #[schema(required = true, example = json!(null))]
    max_age_months: Option<i32>,
    /// Whether it can be requested.
    active: bool,
    /// Course of which it is a product.
    #[schema(example = "01900000-0000-7000-8000-000000000009")]
    course_id: Uuid,
    /// CVX code of CDC for the product.
    #[schema(required = true, example = "03")]
    cvx_code: Option<String>,
    /// Codes of the other courses for which a dose counts, as of a combination.
    #[schema(example = json!(["VAR"]))]
    also_counts_for: Vec<String>,
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
            course_id: vaccine.course_id,
            cvx_code: vaccine.cvx_code,
            also_counts_for: serde_json::from_str(&vaccine.also_counts_for).unwrap_or_default(),
        }
    }
}

/// A new vaccine.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "code": "MMRV",
    "name": "Measles, mumps, rubella and varicella",
    "manufacturer": "Example Biologics",
    "doses": 2,
    "min_interval_days": 28,
    "min_age_months": 9,
    "max_age_months": 155,
}))]
pub struct CreateVaccine {
    /// Short code; unique.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    code: Field<VaccineCode>,
    /// Name.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    name: Field<VaccineName>,
    /// Manufacturer.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    manufacturer: Field<VaccineName>,
    /// Number of doses in a full course.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    doses: Field<Doses>,
    /// Minimum days between two doses; 0 by default.
    #[validate(nested)]
    #[schema(inline)]
    min_interval_days: Option<Field<IntervalDays>>,
    /// Minimum age in months.
    #[validate(nested)]
    #[schema(inline)]
    min_age_months: Option<Field<AgeMonths>>,
    /// Maximum age in months; not below the minimum.
    #[validate(nested)]
    #[schema(inline)]
    max_age_months: Option<Field<AgeMonths>>,
    /// Course of which it is a product; absent or null for a course of its own.
    #[validate(nested)]
    #[schema(value_type = Option<Uuid>)]
    course_id: Option<Field<Uuid>>,
    /// CVX code of CDC for the product.
    #[validate(nested)]
    #[schema(inline)]
    cvx_code: Option<Field<CvxCode>>,
    /// Codes of the other courses for which a dose counts, as of a combination.
    #[serde(default)]
    #[validate(nested)]
    #[schema(value_type = Vec<String>, required = false, max_items = 20)]
    also_counts_for: Vec<Field<VaccineCode>>,
}

impl TryFrom<CreateVaccine> for NewVaccine {
    type Error = Error;

    fn try_from(body: CreateVaccine) -> Result<Self, Error> {
        if body.also_counts_for.len() > MAX_COURSES {
            let message = format!("must have at most {MAX_COURSES} items");
            return Err(Violation::new("also_counts_for", "length", message).into());
        }
        Ok(Self {
            code: body.code.value()?,
            name: body.name.value()?,
            manufacturer: body.manufacturer.value()?,
            doses: body.doses.value()?,
            min_interval_days: body.min_interval_days.value()?.unwrap_or(IntervalDays::MINIMUM),
            min_age_months: body.min_age_months.value()?,
            max_age_months: body.max_age_months.value()?,
            course_id: body.course_id.value()?,
            cvx_code: body.cvx_code.value()?,
            also_counts_for: body.also_counts_for.into_iter().map(Field::value).collect::<Result<_, _>>()?,
        })
    }
}

/// A JSON merge patch (RFC 7396) of a vaccine: an absent member keeps its value, null clears an age limit.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "max_age_months": null, "active": true }))]
pub struct UpdateVaccine {
    /// Name.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(inline, value_type = Field<VaccineName>, required = false)]
    name: Option<Field<VaccineName>>,
    /// Manufacturer.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(inline, value_type = Field<VaccineName>, required = false)]
    manufacturer: Option<Field<VaccineName>>,
    /// Number of doses in a full course.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(inline, value_type = Field<Doses>, required = false)]
    doses: Option<Field<Doses>>,
    /// Minimum days between two doses.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(inline, value_type = Field<IntervalDays>, required = false)]
    min_interval_days: Option<Field<IntervalDays>>,
    /// Minimum age in months.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, value_type = Option<Field<AgeMonths>>)]
    min_age_months: Patch<Field<AgeMonths>>,
    /// Maximum age in months.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, value_type = Option<Field<AgeMonths>>)]
    max_age_months: Patch<Field<AgeMonths>>,
    /// Whether it can be requested.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(inline, value_type = Field<bool>, required = false)]
    active: Option<Field<bool>>,
}

impl TryFrom<UpdateVaccine> for VaccineChanges {
    type Error = Error;

    fn try_from(body: UpdateVaccine) -> Result<Self, Error> {
        Ok(Self {
            name: body.name.value()?,
            manufacturer: body.manufacturer.value()?,
            doses: body.doses.value()?,
            min_interval_days: body.min_interval_days.value()?,
            min_age_months: body.min_age_months.value()?,
            max_age_months: body.max_age_months.value()?,
            active: body.active.value()?,
        })
    }
}

/// Filter and page of a list of vaccines.
#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListVaccines {
    /// Only vaccines that can be requested, or only those that cannot.
    #[validate(nested)]
    #[param(inline)]
    active: Option<Field<bool>>,
    /// Items per page; 20 by default.
    #[validate(nested)]
    #[param(inline, example = 20)]
    limit: Option<Field<Limit>>,
    /// The `next_cursor` of the previous page.
    cursor: Option<String>,
}

/// List vaccines
///
/// Oldest first.
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
    let page = paging::page(query.limit, query.cursor.as_deref())?;
    let catalogue = vaccines::list(&state.db, query.active.value()?, page).await?;
    Ok(paging::reply(&request, catalogue, VaccineReply::from))
}

/// Get a vaccine
///
/// **Open to:** anyone.
#[utoipa::path(
    operation_id = "get_vaccine", tag = "vaccines",
    params(("id" = Uuid, Path, example = json!(EXAMPLE_ID))),
    responses((status = 200, body = VaccineReply))
)]
#[get("/{id}")]
pub async fn get(state: web::Data<AppState>, id: Id) -> Result<web::Json<VaccineReply>, Problem> {
    Ok(web::Json(vaccines::get(&state.db, id.0).await?.into()))
}

/// Create a vaccine
///
/// **Open to:** admins.
#[utoipa::path(
    operation_id = "create_vaccine", tag = "vaccines", security(("oauth2" = []), ("token" = [])),
    request_body = CreateVaccine,
    responses(
        (status = 201, body = VaccineReply, headers(("Location" = String, description = "Path of the vaccine"))),
        (status = 403, description = "Needs the role admin"),
        (status = 409, description = "The code is taken by another vaccine or course"),
    )
)]
#[post("")]
pub async fn create(
    state: web::Data<AppState>,
    user: CurrentUser,
    Valid(body): Valid<CreateVaccine>,
) -> Result<HttpResponse, Problem> {
    let vaccine = vaccines::create(&state.db, &user, body.try_into()?).await?;
    let location = format!("/api/v1/vaccines/{}", vaccine.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(VaccineReply::from(vaccine)))
}

/// Update a vaccine
///
/// Its code cannot change.
///
/// **Open to:** admins.
#[utoipa::path(
    operation_id = "update_vaccine", tag = "vaccines", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path, example = json!(EXAMPLE_ID))),
    request_body(content = UpdateVaccine, content_type = "application/merge-patch+json"),
    responses((status = 200, body = VaccineReply), (status = 403, description = "Needs the role admin"))
)]
#[patch("/{id}")]
pub async fn update(
    state: web::Data<AppState>,
    user: CurrentUser,
    id: Id,
    Valid(body): Valid<UpdateVaccine>,
) -> Result<web::Json<VaccineReply>, Problem> {
    Ok(web::Json(vaccines::update(&state.db, &user, id.0, body.try_into()?).await?.into()))
}
