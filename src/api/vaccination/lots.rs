//! Lots of a vaccine in stock at a centre: list, add, get, update, recall, and the doses that were given from them.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, patch, post, web};
use chrono::{DateTime, NaiveDate, Utc};
use entity::lots as table;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::api::http::extract::{Id, Query, Valid};
use crate::api::http::field::{Field, Optional as _, Patched as _};
use crate::api::http::once::{self, IdempotencyHeader, Keyed};
use crate::api::http::paging::{self, Limit, PageQuery, PageReply};
use crate::api::http::problem::Problem;
use crate::api::vaccination::immunizations::ImmunizationReply;
use crate::domain::records::idempotency::{Once, Response};
use crate::domain::vaccination::catalogue::EXAMPLE_ID;
use crate::domain::vaccination::immunizations::LotNumber;
use crate::domain::vaccination::lots::{self, LotChanges, NewLot, Units};
use crate::domain::values::caller::Caller;
use crate::domain::values::local_time::LocalDate;
use crate::domain::values::patch::{Patch, not_null};
use crate::error::Error;
use crate::state::AppState;

/// A lot of a vaccine in stock at a centre.
#[derive(Serialize, ToSchema)]
pub struct LotReply {
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    id: Uuid,
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    centre_id: Uuid,
    #[schema(example = "01900000-0000-7000-8000-000000000009")]
    vaccine_id: Uuid,
    #[schema(example = "AB1234")]
    lot_number: String,
    /// Last day on which it may be used, on the calendar of the centre.
    expires_on: NaiveDate,
    /// Number of doses received; null if nobody counted them.
    #[schema(required = true, example = 100, minimum = 0)]
    received: Option<i32>,
    /// Number of doses given.
    #[schema(example = 12, minimum = 0)]
    used: i32,
    /// Number of doses thrown away.
    #[schema(example = 1, minimum = 0)]
    wasted: i32,
    /// Number of doses left; null if nobody counted those received.
    #[schema(required = true, example = 87, minimum = 0)]
    left: Option<i32>,
    /// When it was recalled: from then on, no dose can be taken from it.
    #[schema(required = true)]
    recalled_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<table::Model> for LotReply {
    fn from(lot: table::Model) -> Self {
        Self {
            id: lot.id,
            centre_id: lot.centre_id,
            vaccine_id: lot.vaccine_id,
            lot_number: lot.lot_number,
            expires_on: lot.expires_on,
            received: lot.received,
            used: lot.used,
            wasted: lot.wasted,
            left: lot.received.map(|received| received - lot.used - lot.wasted),
            recalled_at: lot.recalled_at,
            created_at: lot.created_at,
            updated_at: lot.updated_at,
        }
    }
}

/// Filter and page of a list of lots.
#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListLots {
    /// Only lots of this vaccine.
    #[validate(nested)]
    #[param(value_type = Option<Uuid>)]
    vaccine_id: Option<Field<Uuid>>,
    /// Items per page; 20 by default.
    #[validate(nested)]
    #[param(inline, example = 20)]
    limit: Option<Field<Limit>>,
    /// The `next_cursor` of the previous page.
    cursor: Option<String>,
}

/// List lots
///
/// Newest first, also those that have expired or were recalled.
///
/// **Open to:** the staff of the centre, and admins.
#[utoipa::path(
    operation_id = "list_lots", tag = "lots", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path), ListLots),
    responses(
        (status = 200, body = PageReply<LotReply>, headers(("Link" = String, description = "The next page"))),
        (status = 403, description = "Needs the role staff"),
    )
)]
#[get("")]
pub async fn list(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    id: Id,
    Query(query): Query<ListLots>,
) -> Result<HttpResponse, Problem> {
    let page = paging::page(query.limit, query.cursor.as_deref())?;
    let lots = lots::list(&state.db, &caller.actor, id.0, query.vaccine_id.value()?, page).await?;
    Ok(paging::reply(&request, lots, LotReply::from))
}

/// A new lot.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "vaccine_id": EXAMPLE_ID, "lot_number": "AB1234", "expires_on": "2029-06-30", "received": 100,
}))]
pub struct CreateLot {
    /// A vaccine of the catalogue.
    #[serde(default)]
    #[validate(nested)]
    #[schema(value_type = Uuid, required = true)]
    vaccine_id: Field<Uuid>,
    /// Number, as the manufacturer has printed it.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    lot_number: Field<LotNumber>,
    /// Last day on which it may be used, on the calendar of the centre.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    expires_on: Field<LocalDate>,
    /// Number of doses received; without it, doses are not counted.
    #[validate(nested)]
    #[schema(inline)]
    received: Option<Field<Units>>,
}

fn render_created(lot: &table::Model) -> Result<Response, Error> {
    let location = format!("/api/v1/lots/{}", lot.id);
    once::render(StatusCode::CREATED, Some(location), &LotReply::from(lot.clone()))
}

/// Add a lot
///
/// **Open to:** the staff of the centre, and admins.
#[utoipa::path(
    operation_id = "create_lot", tag = "lots", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path), IdempotencyHeader),
    request_body = CreateLot,
    responses(
        (status = 201, body = LotReply, headers(("Location" = String, description = "Path of the lot"))),
        (status = 403, description = "Needs the role staff"),
        (status = 409, description = "The centre has a lot of this vaccine with this number"),
    )
)]
#[post("")]
pub async fn create(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
    Keyed { body, key }: Keyed<CreateLot>,
) -> Result<HttpResponse, Problem> {
    let new = NewLot {
        vaccine_id: body.vaccine_id.value()?,
        lot_number: body.lot_number.value()?,
        expires_on: body.expires_on.value()?.date(),
        received: body.received.value()?,
    };
    let once = Once { key: key.as_ref(), render: render_created };
    Ok(once::respond(lots::create(&state.db, &state.vaccination, &caller, once, id.0, new).await?))
}

/// Get a lot
///
/// **Open to:** the staff of the centre, and admins.
#[utoipa::path(
    operation_id = "get_lot", tag = "lots", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 200, body = LotReply), (status = 403, description = "Needs the role staff"))
)]
#[get("/{id}")]
pub async fn get(state: web::Data<AppState>, caller: Caller, id: Id) -> Result<web::Json<LotReply>, Problem> {
    Ok(web::Json(lots::get(&state.db, &caller.actor, id.0).await?.into()))
}

/// A JSON merge patch (RFC 7396) of a lot: an absent member keeps its value, null clears it.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "wasted": 1 }))]
pub struct UpdateLot {
    /// Last day on which it may be used. Doses that were given keep the old one.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(inline, value_type = Field<LocalDate>, required = false)]
    expires_on: Option<Field<LocalDate>>,
    /// Number of doses received; null if nobody counted them.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, value_type = Option<Field<Units>>)]
    received: Patch<Field<Units>>,
    /// Number of doses thrown away, in total.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(inline, value_type = Field<Units>, required = false)]
    wasted: Option<Field<Units>>,
}

/// Update a lot
///
/// **Open to:** the staff of the centre, and admins.
#[utoipa::path(
    operation_id = "update_lot", tag = "lots", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    request_body(content = UpdateLot, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, body = LotReply),
        (status = 403, description = "Needs the role staff"),
        (status = 409, description = "More doses were given and thrown away than were received"),
    )
)]
#[patch("/{id}")]
pub async fn update(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
    Valid(body): Valid<UpdateLot>,
) -> Result<web::Json<LotReply>, Problem> {
    let changes = LotChanges {
        expires_on: body.expires_on.value()?.map(LocalDate::date),
        received: body.received.value()?,
        wasted: body.wasted.value()?,
    };
    Ok(web::Json(lots::update(&state.db, &state.vaccination, &caller, id.0, changes).await?.into()))
}

/// A lot that was recalled, with doses that were given from it.
#[derive(Serialize, ToSchema)]
pub struct RecalledLotReply {
    #[serde(flatten)]
    lot: LotReply,
    /// The first doses that were given from it, at most 100.
    #[schema(max_items = 100)]
    doses: Vec<ImmunizationReply>,
    /// Whether there are more: `GET /lots/{id}/immunizations` lists all.
    has_more_doses: bool,
}

/// Recall a lot
///
/// From then on, no dose can be taken from it. The reply has the doses that were given. Nothing changes if it was recalled
/// already.
///
/// **Open to:** the staff of the centre, and admins.
#[utoipa::path(
    operation_id = "recall_lot", tag = "lots", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 200, body = RecalledLotReply), (status = 403, description = "Needs the role staff"))
)]
#[post("/{id}/recall")]
pub async fn recall(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
) -> Result<web::Json<RecalledLotReply>, Problem> {
    let recalled = lots::recall(&state.db, &state.vaccination, &caller, id.0).await?;
    let (lot, doses) = (recalled.lot.into(), recalled.doses);
    Ok(web::Json(RecalledLotReply {
        lot,
        has_more_doses: doses.next.is_some(),
        doses: doses.items.into_iter().map(ImmunizationReply::from).collect(),
    }))
}

/// List the doses of a lot
///
/// In the order of their records, also those that were recorded by mistake. That staff read them is recorded.
///
/// **Open to:** the staff of the centre, and admins.
#[utoipa::path(
    operation_id = "list_doses_of_lot", tag = "lots", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path), PageQuery),
    responses(
        (status = 200, body = PageReply<ImmunizationReply>, headers(("Link" = String, description = "The next page"))),
        (status = 403, description = "Needs the role staff"),
    )
)]
#[get("/{id}/immunizations")]
pub async fn list_doses(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    id: Id,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let doses = lots::list_doses(&state.db, &state.vaccination, &caller, id.0, query.page()?).await?;
    Ok(paging::reply(&request, doses, ImmunizationReply::from))
}
