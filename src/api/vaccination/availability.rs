//! Availability: the open slots of a centre, and the centres with places for a course.

use actix_web::{HttpRequest, HttpResponse, get, web};
use chrono::Datelike as _;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::api::http::booking_replies::SlotReply;
use crate::api::http::cached;
use crate::api::http::client::address_of;
use crate::api::http::extract::{Id, Query};
use crate::api::http::field::{Field, Optional as _};
use crate::api::http::paging::{self, Limit, PageReply};
use crate::api::http::problem::Problem;
use crate::domain::vaccination::availability::ListDays;
use crate::domain::vaccination::availability::replies::{Position, SlotFormat, SlotQuery};
use crate::domain::vaccination::availability::search::{Found, SearchQuery};
use crate::domain::vaccination::catalogue::EXAMPLE_ID;
use crate::domain::vaccination::slots::Slot;
use crate::domain::values::coordinates::Coordinates;
use crate::domain::values::local_time::LocalDate;
use crate::error::Error;
use crate::state::AppState;

/// Days that a list has by default.
const DEFAULT_DAYS: i64 = 7;

/// Centres that a search returns by default.
const DEFAULT_CENTRES: usize = 20;

/// How a list of slots is written.
const SLOT_FORMAT: SlotFormat =
    SlotFormat { slot: write_slot, cursor: paging::encode_cursor::<Position>, page: paging::write_page };

impl paging::Position for Position {
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.starts_at.timestamp_micros().to_be_bytes().to_vec();
        bytes.extend_from_slice(self.id.as_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (time, id) = bytes.split_first_chunk::<8>()?;
        let starts_at = chrono::DateTime::from_timestamp_micros(i64::from_be_bytes(*time))?;
        if !(1970..=9999).contains(&starts_at.year()) {
            return None;
        }
        Some(Self { starts_at, id: Uuid::from_slice(id).ok()? })
    }
}

/// Filter and page of a list of slots.
#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListSlots {
    /// First day, on the calendar of the centre; today by default.
    #[validate(nested)]
    #[param(inline)]
    from: Option<Field<LocalDate>>,
    /// Number of days; 7 by default.
    #[validate(nested)]
    #[param(inline)]
    days: Option<Field<ListDays>>,
    /// Only slots of this vaccine.
    #[validate(nested)]
    #[param(value_type = Option<Uuid>)]
    vaccine_id: Option<Field<Uuid>>,
    /// Items per page; all slots of the days by default.
    #[validate(nested)]
    #[param(inline, example = 20)]
    limit: Option<Field<Limit>>,
    /// The `next_cursor` of the previous page.
    cursor: Option<String>,
}

impl ListSlots {
    fn query(self, centre_id: Uuid) -> Result<SlotQuery, Problem> {
        Ok(SlotQuery {
            centre_id,
            vaccine_id: self.vaccine_id.value()?,
            from: self.from.value()?.map(LocalDate::date),
            days: days_or_default(self.days)?,
            limit: self.limit.value()?.map(|limit| limit.get().unsigned_abs().into()),
            after: paging::after(self.cursor.as_deref())?,
        })
    }
}

/// List the slots of a centre
///
/// By time, all of some days, at most 400 days ahead. Slots that have begun, and closed ones, are not listed. The response
/// may be a second old.
///
/// **Open to:** anyone.
#[utoipa::path(
    operation_id = "list_slots", tag = "slots",
    params(("id" = Uuid, Path), ListSlots),
    responses(
        (status = 200, body = PageReply<SlotReply>, headers(
            ("ETag" = String, description = "Strong entity tag of the body, in its encoding"),
            ("Cache-Control" = String, description = "`public, max-age=1`"),
            ("Link" = String, description = "The next page"),
        )),
        (status = 304, description = "The body is the one with the tag in `If-None-Match`", headers(
            ("ETag" = String, description = "Strong entity tag of the body, in its encoding"),
            ("Cache-Control" = String, description = "`public, max-age=1`"),
        )),
        (status = 429, description = "Too many requests from this IP address"),
    )
)]
#[get("")]
pub async fn list(
    state: web::Data<AppState>,
    request: HttpRequest,
    id: Id,
    Query(query): Query<ListSlots>,
) -> Result<HttpResponse, Problem> {
    throttle(&state, &request)?;
    let query = query.query(id.0)?;
    let vaccination = &state.vaccination;
    let reply = vaccination.availability.slots(&state.db, &vaccination.clock, &query, SLOT_FORMAT).await?;
    let link = reply.next_cursor.as_deref().map(|cursor| paging::next_link(&request, cursor));
    Ok(cached::respond(&request, &reply.representation, link))
}

/// A search for centres with places.
#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SearchSlots {
    /// Course of which a dose is wanted.
    #[serde(default)]
    #[validate(nested)]
    #[param(value_type = Uuid, required = true, example = json!(EXAMPLE_ID))]
    course_id: Field<Uuid>,
    /// First day, on the calendar of each centre; today by default.
    #[validate(nested)]
    #[param(inline)]
    from: Option<Field<LocalDate>>,
    /// Number of days; 7 by default.
    #[validate(nested)]
    #[param(inline)]
    days: Option<Field<ListDays>>,
    /// Latitude and longitude in degrees (WGS 84), such as `52.52,13.405`: sorts by the distance from there.
    #[validate(nested)]
    #[param(inline)]
    near: Option<Field<Coordinates>>,
    /// Maximum number of centres; 20 by default.
    #[validate(nested)]
    #[param(inline, example = 20)]
    limit: Option<Field<Limit>>,
}

impl SearchSlots {
    fn query(self) -> Result<SearchQuery, Problem> {
        let limit = self.limit.value()?.and_then(|limit| usize::try_from(limit.get()).ok());
        Ok(SearchQuery {
            course_id: self.course_id.value()?,
            from: self.from.value()?.map(LocalDate::date),
            days: days_or_default(self.days)?,
            near: self.near.value()?,
            limit: limit.unwrap_or(DEFAULT_CENTRES),
        })
    }
}

/// Centres that were found.
#[derive(Serialize, ToSchema)]
pub struct SlotSearchReply {
    /// The centres, in the order of the search.
    items: Vec<FoundCentreReply>,
}

/// A centre that has slots of the course, and its places.
#[derive(Serialize, ToSchema)]
pub struct FoundCentreReply {
    centre: CentrePlaceReply,
    /// Number of free places in these days that need no invitation.
    #[schema(example = 24, minimum = 0)]
    free: i64,
    /// The first slot with a free place; null if there is none.
    #[schema(required = true)]
    next_slot: Option<SlotReply>,
    /// Distance in kilometres; null without `near`, or if the position of the centre is not known.
    #[schema(required = true, example = 1.234, minimum = 0)]
    distance_km: Option<f64>,
}

/// A centre: its name, its address, its position.
#[derive(Serialize, ToSchema)]
pub struct CentrePlaceReply {
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    id: Uuid,
    #[schema(example = "Town hall")]
    name: String,
    #[schema(example = "1 Market Square")]
    address: String,
    #[schema(required = true, example = "London")]
    city: Option<String>,
    #[schema(required = true, example = "SW1Y 4JH")]
    postal_code: Option<String>,
    /// IANA time zone.
    #[schema(example = "Europe/London")]
    time_zone: String,
    /// Degrees north (WGS 84).
    #[schema(required = true, example = 51.5074, minimum = -90, maximum = 90)]
    latitude: Option<f64>,
    /// Degrees east (WGS 84).
    #[schema(required = true, example = -0.1357, minimum = -180, maximum = 180)]
    longitude: Option<f64>,
    #[schema(required = true, example = "+44 20 7946 0018")]
    phone_number: Option<String>,
}

impl From<&Found<'_>> for FoundCentreReply {
    fn from(found: &Found<'_>) -> Self {
        let centre = found.place.centre.clone();
        Self {
            centre: CentrePlaceReply {
                id: centre.id,
                name: centre.name,
                address: centre.address,
                city: centre.city,
                postal_code: centre.postal_code,
                time_zone: centre.time_zone,
                latitude: centre.latitude,
                longitude: centre.longitude,
                phone_number: centre.phone_number,
            },
            free: found.place.free,
            next_slot: found.place.next_slot.clone().map(SlotReply::from),
            // To the metre.
            distance_km: found.distance_km.map(|distance| (distance * 1000.0).round() / 1000.0),
        }
    }
}

/// Search for slots of a course
///
/// Returns the active centres that have open slots of the course in some days, at most 400 days ahead: by distance, or
/// else by the time of the next free slot. Slots that have begun, and those that need an invitation, do not count. The
/// response may be a second old.
///
/// **Open to:** anyone.
#[utoipa::path(
    operation_id = "search_slots", tag = "slots",
    params(SearchSlots),
    responses(
        (status = 200, body = SlotSearchReply, headers(
            ("ETag" = String, description = "Strong entity tag of the body, in its encoding"),
            ("Cache-Control" = String, description = "`public, max-age=1`"),
        )),
        (status = 304, description = "The body is the one with the tag in `If-None-Match`", headers(
            ("ETag" = String, description = "Strong entity tag of the body, in its encoding"),
            ("Cache-Control" = String, description = "`public, max-age=1`"),
        )),
        (status = 429, description = "Too many requests from this IP address"),
    )
)]
#[get("")]
pub async fn search(
    state: web::Data<AppState>,
    request: HttpRequest,
    Query(query): Query<SearchSlots>,
) -> Result<HttpResponse, Problem> {
    throttle(&state, &request)?;
    let query = query.query()?;
    let vaccination = &state.vaccination;
    let reply = vaccination.availability.search(&state.db, &vaccination.clock, &query, write_search).await?;
    Ok(cached::respond(&request, &reply.representation, None))
}

/// Counts a public read of slots.
pub(super) fn throttle(state: &AppState, request: &HttpRequest) -> Result<(), Error> {
    state.vaccination.availability.reads.count(&state.auth.limits, address_of(request))
}

fn days_or_default(days: Option<Field<ListDays>>) -> Result<ListDays, Error> {
    match days.value()? {
        Some(days) => Ok(days),
        None => Ok(ListDays::parse(DEFAULT_DAYS)?),
    }
}

fn write_slot(slot: &Slot, json: &mut Vec<u8>) -> Result<(), Error> {
    serde_json::to_writer(json, &SlotReply::from(slot.clone())).map_err(Error::internal)
}

fn write_search(found: &[Found<'_>]) -> Result<Vec<u8>, Error> {
    let reply = SlotSearchReply { items: found.iter().map(FoundCentreReply::from).collect() };
    serde_json::to_vec(&reply).map_err(Error::internal)
}
