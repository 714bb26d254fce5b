//! Courses: list, get, create.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use entity::courses as table;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::api::http::extract::{CurrentUser, Id, Query, Valid};
use crate::api::http::field::Field;
use crate::api::http::paging::{self, PageQuery, PageReply};
use crate::api::http::problem::Problem;
use crate::domain::vaccination::catalogue::EXAMPLE_ID;
use crate::domain::vaccination::courses;
use crate::domain::vaccination::vaccines::{VaccineCode, VaccineName};
use crate::state::AppState;

/// A course: what several doses belong to.
#[derive(Serialize, ToSchema)]
pub struct CourseReply {
    #[schema(example = "01900000-0000-7000-8000-000000000009")]
    id: Uuid,
    #[schema(example = "MMR")]
    code: String,
    #[schema(example = "Measles, mumps, rubella")]
    name: String,
}

impl From<table::Model> for CourseReply {
    fn from(course: table::Model) -> Self {
        Self { id: course.id, code: course.code, name: course.name }
    }
}

/// A new course.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "code": "RSV", "name": "Respiratory syncytial virus" }))]
pub struct CreateCourse {
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
}

/// List courses
///
/// Oldest first.
///
/// **Open to:** anyone.
#[utoipa::path(
    operation_id = "list_courses", tag = "courses",
    params(PageQuery),
    responses((status = 200, body = PageReply<CourseReply>, headers(("Link" = String, description = "The next page"))))
)]
#[get("")]
pub async fn list(
    state: web::Data<AppState>,
    request: HttpRequest,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let courses = courses::list(&state.db, query.page()?).await?;
    Ok(paging::reply(&request, courses, CourseReply::from))
}

/// Get a course
///
/// **Open to:** anyone.
#[utoipa::path(
    operation_id = "get_course", tag = "courses",
    params(("id" = Uuid, Path, example = json!(EXAMPLE_ID))),
    responses((status = 200, body = CourseReply))
)]
#[get("/{id}")]
pub async fn get(state: web::Data<AppState>, id: Id) -> Result<web::Json<CourseReply>, Problem> {
    Ok(web::Json(courses::get(&state.db, id.0).await?.into()))
}

/// Create a course
///
/// **Open to:** admins.
#[utoipa::path(
    operation_id = "create_course", tag = "courses", security(("oauth2" = []), ("token" = [])),
    request_body = CreateCourse,
    responses(
        (status = 201, body = CourseReply, headers(("Location" = String, description = "Path of the course"))),
        (status = 403, description = "Needs the role admin"),
        (status = 409, description = "The code is taken"),
    )
)]
#[post("")]
pub async fn create(
    state: web::Data<AppState>,
    user: CurrentUser,
    Valid(body): Valid<CreateCourse>,
) -> Result<HttpResponse, Problem> {
    let course = courses::create(&state.db, &user, body.code.value()?, body.name.value()?).await?;
    let location = format!("/api/v1/courses/{}", course.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(CourseReply::from(course)))
}
