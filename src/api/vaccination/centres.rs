//! Centres: list, get, create, update; their staff.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, put, web};
use chrono::{DateTime, Utc};
use entity::centres as table;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::api::http::extract::{CurrentUser, Id, Query, UserId, Valid};
use crate::api::http::field::{Field, Optional as _, Patched as _};
use crate::api::http::paging::{self, Limit, PageQuery, PageReply};
use crate::api::http::problem::Problem;
use crate::domain::vaccination::centres::{self, CentreChanges, CentreName, City, NewCentre, PostalCode};
use crate::domain::values::caller::Caller;
use crate::domain::values::degrees::{Latitude, Longitude};
use crate::domain::values::patch::{Patch, not_null};
use crate::domain::values::person::{PhoneNumber, PostalAddress};
use crate::domain::values::time_zone::TimeZone;
use crate::error::Error;
use crate::state::AppState;

/// A centre: a place where people are vaccinated.
#[derive(Serialize, ToSchema)]
pub struct CentreReply {
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
    /// Whether slots can be added.
    active: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<table::Model> for CentreReply {
    fn from(centre: table::Model) -> Self {
        Self {
            id: centre.id,
            name: centre.name,
            address: centre.address,
            city: centre.city,
            postal_code: centre.postal_code,
            time_zone: centre.time_zone,
            latitude: centre.latitude,
            longitude: centre.longitude,
            phone_number: centre.phone_number,
            active: centre.active,
            created_at: centre.created_at,
            updated_at: centre.updated_at,
        }
    }
}

/// A new centre.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Town hall",
    "address": "1 Market Square",
    "city": "London",
    "postal_code": "SW1Y 4JH",
    "time_zone": "Europe/London",
    "latitude": 51.5074,
    "longitude": -0.1357,
    "phone_number": "+44 20 7946 0018",
}))]
pub struct CreateCentre {
    /// Name.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    name: Field<CentreName>,
    /// Postal address.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    address: Field<PostalAddress>,
    /// City.
    #[validate(nested)]
    #[schema(inline)]
    city: Option<Field<City>>,
    /// Postal code.
    #[validate(nested)]
    #[schema(inline)]
    postal_code: Option<Field<PostalCode>>,
    /// IANA time zone, in which its days begin and its doors open.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    time_zone: Field<TimeZone>,
    /// Degrees north (WGS 84); with the longitude.
    #[validate(nested)]
    #[schema(inline)]
    latitude: Option<Field<Latitude>>,
    /// Degrees east (WGS 84); with the latitude.
    #[validate(nested)]
    #[schema(inline)]
    longitude: Option<Field<Longitude>>,
    /// Telephone number.
    #[validate(nested)]
    #[schema(inline)]
    phone_number: Option<Field<PhoneNumber>>,
}

impl TryFrom<CreateCentre> for NewCentre {
    type Error = Error;

    fn try_from(body: CreateCentre) -> Result<Self, Error> {
        Ok(Self {
            name: body.name.value()?,
            address: body.address.value()?,
            city: body.city.value()?,
            postal_code: body.postal_code.value()?,
            time_zone: body.time_zone.value()?,
            latitude: body.latitude.value()?,
            longitude: body.longitude.value()?,
            phone_number: body.phone_number.value()?,
        })
    }
}

/// A JSON merge patch (RFC 7396) of a centre: an absent member keeps its value, null clears it.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "phone_number": null, "active": true }))]
pub struct UpdateCentre {
    /// Name.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(inline, value_type = Field<CentreName>, required = false)]
    name: Option<Field<CentreName>>,
    /// Postal address.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(inline, value_type = Field<PostalAddress>, required = false)]
    address: Option<Field<PostalAddress>>,
    /// City.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, value_type = Option<Field<City>>)]
    city: Patch<Field<City>>,
    /// Postal code.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, value_type = Option<Field<PostalCode>>)]
    postal_code: Patch<Field<PostalCode>>,
    /// IANA time zone; it cannot change while the centre has future slots.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(inline, value_type = Field<TimeZone>, required = false)]
    time_zone: Option<Field<TimeZone>>,
    /// Degrees north (WGS 84).
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, value_type = Option<Field<Latitude>>)]
    latitude: Patch<Field<Latitude>>,
    /// Degrees east (WGS 84).
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, value_type = Option<Field<Longitude>>)]
    longitude: Patch<Field<Longitude>>,
    /// Telephone number.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, value_type = Option<Field<PhoneNumber>>)]
    phone_number: Patch<Field<PhoneNumber>>,
    /// Whether slots can be added.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(inline, value_type = Field<bool>, required = false)]
    active: Option<Field<bool>>,
}

impl TryFrom<UpdateCentre> for CentreChanges {
    type Error = Error;

    fn try_from(body: UpdateCentre) -> Result<Self, Error> {
        Ok(Self {
            name: body.name.value()?,
            address: body.address.value()?,
            city: body.city.value()?,
            postal_code: body.postal_code.value()?,
            time_zone: body.time_zone.value()?,
            latitude: body.latitude.value()?,
            longitude: body.longitude.value()?,
            phone_number: body.phone_number.value()?,
            active: body.active.value()?,
        })
    }
}

/// Filter and page of a list of centres.
#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListCentres {
    /// Only centres to which slots can be added, or only those to which none can.
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

/// List centres
///
/// Oldest first.
///
/// **Open to:** anyone.
#[utoipa::path(
    operation_id = "list_centres", tag = "centres",
    params(ListCentres),
    responses((status = 200, body = PageReply<CentreReply>, headers(("Link" = String, description = "The next page"))))
)]
#[get("")]
pub async fn list(
    state: web::Data<AppState>,
    request: HttpRequest,
    Query(query): Query<ListCentres>,
) -> Result<HttpResponse, Problem> {
    let page = paging::page(query.limit, query.cursor.as_deref())?;
    let centres = centres::list(&state.db, query.active.value()?, page).await?;
    Ok(paging::reply(&request, centres, CentreReply::from))
}

/// Get a centre
///
/// **Open to:** anyone.
#[utoipa::path(
    operation_id = "get_centre", tag = "centres",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = CentreReply))
)]
#[get("/{id}")]
pub async fn get(state: web::Data<AppState>, id: Id) -> Result<web::Json<CentreReply>, Problem> {
    Ok(web::Json(centres::get(&state.db, id.0).await?.into()))
}

/// Create a centre
///
/// **Open to:** admins.
#[utoipa::path(
    operation_id = "create_centre", tag = "centres", security(("oauth2" = []), ("token" = [])),
    request_body = CreateCentre,
    responses(
        (status = 201, body = CentreReply, headers(("Location" = String, description = "Path of the centre"))),
        (status = 403, description = "Needs the role admin"),
    )
)]
#[post("")]
pub async fn create(
    state: web::Data<AppState>,
    caller: Caller,
    Valid(body): Valid<CreateCentre>,
) -> Result<HttpResponse, Problem> {
    let centre = centres::create(&state.db, &state.vaccination, &caller, body.try_into()?).await?;
    let location = format!("/api/v1/centres/{}", centre.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(CentreReply::from(centre)))
}

/// Update a centre
///
/// **Open to:** admins.
#[utoipa::path(
    operation_id = "update_centre", tag = "centres", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    request_body(content = UpdateCentre, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, body = CentreReply),
        (status = 403, description = "Needs the role admin"),
        (status = 409, description = "The centre has future slots, so its time zone cannot change"),
    )
)]
#[patch("/{id}")]
pub async fn update(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
    Valid(body): Valid<UpdateCentre>,
) -> Result<web::Json<CentreReply>, Problem> {
    Ok(web::Json(centres::update(&state.db, &state.vaccination, &caller, id.0, body.try_into()?).await?.into()))
}

/// A member of the staff of a centre.
#[derive(Serialize, ToSchema)]
pub struct CentreStaffReply {
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    user_id: Uuid,
    #[schema(example = "Grace Hopper")]
    name: String,
}

/// List the staff of a centre
///
/// **Open to:** admins.
#[utoipa::path(
    operation_id = "list_centre_staff", tag = "centres", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path), PageQuery),
    responses(
        (status = 200, body = PageReply<CentreStaffReply>, headers(("Link" = String, description = "The next page"))),
        (status = 403, description = "Needs the role admin"),
    )
)]
#[get("")]
pub async fn list_staff(
    state: web::Data<AppState>,
    user: CurrentUser,
    request: HttpRequest,
    id: Id,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let staff = centres::list_staff(&state.db, &user, id.0, query.page()?).await?;
    Ok(paging::reply(&request, staff, |(user_id, name)| CentreStaffReply { user_id, name }))
}

/// Assign staff to a centre
///
/// They may then act there. Nothing changes if they are assigned already.
///
/// **Open to:** admins.
#[utoipa::path(
    operation_id = "add_centre_staff", tag = "centres", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path), ("user_id" = Uuid, Path)),
    responses(
        (status = 204),
        (status = 403, description = "Needs the role admin"),
        (status = 409, description = "The account is not staff"),
    )
)]
#[put("/{user_id}")]
pub async fn add_staff(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
    user_id: UserId,
) -> Result<HttpResponse, Problem> {
    centres::add_staff(&state.db, &state.auth.clock, &caller, id.0, user_id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Remove staff from a centre
///
/// **Open to:** admins.
#[utoipa::path(
    operation_id = "remove_centre_staff", tag = "centres", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path), ("user_id" = Uuid, Path)),
    responses((status = 204), (status = 403, description = "Needs the role admin"))
)]
#[delete("/{user_id}")]
pub async fn remove_staff(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
    user_id: UserId,
) -> Result<HttpResponse, Problem> {
    centres::remove_staff(&state.db, &state.auth.clock, &caller, id.0, user_id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
