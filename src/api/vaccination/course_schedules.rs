//! Schedules of courses: get, put.

use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, put, web};
use chrono::{DateTime, Utc};
use entity::course_schedules as table;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::http::extract::{Id, is_json, parse_json, read_body};
use crate::api::http::problem::Problem;
use crate::api::vaccination::schedule_document::ScheduleDocument;
use crate::domain::vaccination::catalogue::EXAMPLE_ID;
use crate::domain::vaccination::course_schedules;
use crate::domain::values::caller::Caller;
use crate::error::{Error, Result, Violation};
use crate::state::AppState;

/// A version of the schedule of a course.
#[derive(Serialize, ToSchema)]
pub struct ScheduleReply {
    #[schema(example = "01900000-0000-7000-8000-000000000009")]
    course_id: Uuid,
    /// Version; 0 if there is no schedule, so that the rules follow from each vaccine.
    #[schema(example = 3, minimum = 0)]
    version: i32,
    /// The rules; null if there is no schedule.
    #[schema(required = true, value_type = Option<ScheduleDocument>)]
    document: Option<Box<RawValue>>,
    /// When it was put; null if there is no schedule.
    #[schema(required = true)]
    created_at: Option<DateTime<Utc>>,
}

impl ScheduleReply {
    fn new(course_id: Uuid, schedule: Option<table::Model>) -> Result<Self> {
        let version = schedule.as_ref().map_or(0, |schedule| schedule.version);
        let created_at = schedule.as_ref().map(|schedule| schedule.created_at);
        let document = schedule.map(|schedule| RawValue::from_string(schedule.document)).transpose();
        Ok(Self { course_id, version, document: document.map_err(Error::internal)?, created_at })
    }

    fn respond(self) -> HttpResponse {
        let tag = format!("\"{}\"", self.version);
        HttpResponse::Ok().insert_header((header::ETAG, tag)).json(self)
    }
}

/// Get the schedule of a course
///
/// **Open to:** anyone.
#[utoipa::path(
    operation_id = "get_course_schedule", tag = "courses",
    params(("id" = Uuid, Path, example = json!(EXAMPLE_ID))),
    responses((status = 200, body = ScheduleReply, headers(("ETag" = String, description = "The version"))))
)]
#[get("/{id}/schedule")]
pub async fn get(state: web::Data<AppState>, id: Id) -> std::result::Result<HttpResponse, Problem> {
    let schedule = course_schedules::get(&state.db, id.0).await?;
    Ok(ScheduleReply::new(id.0, schedule)?.respond())
}

/// Put the schedule of a course
///
/// The next version. Earlier versions are kept: answers name the one that they used. `If-Match` has the `ETag` of the version
/// that was read, which is `"0"` for a course without a schedule.
///
/// **Open to:** admins.
#[utoipa::path(
    operation_id = "put_course_schedule", tag = "courses", security(("oauth2" = []), ("token" = [])),
    params(
        ("id" = Uuid, Path, example = json!(EXAMPLE_ID)),
        ("If-Match" = String, Header, description = "ETag of the version that was read", example = json!("\"0\"")),
    ),
    request_body = ScheduleDocument,
    responses(
        (status = 200, body = ScheduleReply, headers(("ETag" = String, description = "The version"))),
        (status = 403, description = "Needs the role admin"),
        (status = 412, description = "Another version was put since"),
    )
)]
#[put("/{id}/schedule")]
pub async fn put(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
    request: HttpRequest,
    payload: web::Payload,
) -> std::result::Result<HttpResponse, Problem> {
    if !is_json(&request) {
        return Err(Problem::unsupported_media_type("application/json"));
    }
    let version = if_match(request.headers())?;
    let body = read_body(&request, &mut payload.into_inner()).await?;
    let document = parse_json(&body)?;
    let clock = &state.vaccination.clock;
    let schedule = course_schedules::put(&state.db, clock, &caller, id.0, version, &document).await?;
    Ok(ScheduleReply::new(id.0, Some(schedule))?.respond())
}

/// The version in the header `If-Match`.
fn if_match(headers: &HeaderMap) -> Result<i32> {
    let tag = headers.get(header::IF_MATCH).map(HeaderValue::as_bytes).map(<[u8]>::trim_ascii);
    let tag = tag.ok_or_else(|| Violation::new("If-Match", "required", "is required: the ETag that was read"))?;
    let text = tag.strip_prefix(b"\"").and_then(|tag| tag.strip_suffix(b"\"")).unwrap_or_default();
    let version = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    // No version has another tag.
    version.ok_or(Error::PreconditionFailed)
}
