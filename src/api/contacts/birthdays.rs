//! Whose birthday is near: as a list, as a calendar (RFC 5545), and the secret address of that calendar.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use entity::calendar_feeds as table;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::api::contacts::contacts::ContactReply;
use crate::api::http::extract::{CurrentUser, Query};
use crate::api::http::guard::signed_in;
use crate::api::http::paging::{self, PageReply, Position};
use crate::api::http::problem::Problem;
use crate::api::http::streaming::begun;
use crate::domain::contacts::birthday_calendar;
use crate::domain::contacts::birthdays::{self, Upcoming, Window};
use crate::domain::contacts::calendar_feeds;
use crate::domain::values::birthday::LeapDay;
use crate::domain::values::rules;
use crate::domain::values::time_zone::TimeZone;
use crate::error::Error;
use crate::state::AppState;

/// Days of a window when nobody says otherwise.
const DEFAULT_DAYS: u32 = 7;

/// Days of a calendar when nobody says otherwise: everybody's next birthday.
const CALENDAR_DAYS: u32 = 366;

/// A contact and their next birthday.
#[derive(Serialize, ToSchema)]
pub struct BirthdayReply {
    #[serde(flatten)]
    contact: ContactReply,
    /// When they have their birthday next.
    #[schema(example = "2027-05-12")]
    next_birthday: NaiveDate,
    /// How old they turn; absent when the year of birth is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 8)]
    turns: Option<i32>,
    /// In how many days: 0 is today.
    #[schema(example = 3, minimum = 0)]
    in_days: i64,
}

impl From<Upcoming> for BirthdayReply {
    fn from(upcoming: Upcoming) -> Self {
        Self {
            contact: upcoming.contact.into(),
            next_birthday: upcoming.next_birthday,
            turns: upcoming.turns,
            in_days: upcoming.in_days,
        }
    }
}

/// When those born on 29 February have their birthday in a common year.
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Leap {
    #[default]
    Feb28,
    Mar1,
}

impl From<Leap> for LeapDay {
    fn from(leap: Leap) -> Self {
        match leap {
            Leap::Feb28 => Self::Feb28,
            Leap::Mar1 => Self::Mar1,
        }
    }
}

/// Which birthdays, and which page of them.
#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListBirthdays {
    /// Only those within so many days from today; 7 by default, 0 is today alone.
    #[validate(range(max = 366))]
    #[param(minimum = 0, maximum = 366, example = 7)]
    days: Option<u32>,
    /// Whose today: an IANA time zone; the caller's own by default, or UTC.
    #[validate(custom(function = rules::time_zone))]
    #[param(example = "Europe/London")]
    tz: Option<String>,
    /// When those born on 29 February have their birthday in a common year; `feb28` by default.
    #[param(inline)]
    leap: Option<Leap>,
    /// Items on a page; 20 by default.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, example = 20)]
    limit: Option<u64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Which birthdays a calendar shows.
#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ReadCalendar {
    /// The secret of a feed, instead of an access token.
    #[validate(length(max = 100))]
    #[param(max_length = 100)]
    token: Option<String>,
    /// Only those within so many days from today; 366 by default.
    #[validate(range(max = 366))]
    #[param(minimum = 0, maximum = 366, example = 366)]
    days: Option<u32>,
    /// Whose today: an IANA time zone; the owner's own by default, or UTC.
    #[validate(custom(function = rules::time_zone))]
    #[param(example = "Europe/London")]
    tz: Option<String>,
    /// When those born on 29 February have their birthday in a common year; `feb28` by default.
    #[param(inline)]
    leap: Option<Leap>,
}

fn zone(name: Option<&str>) -> Option<TimeZone> {
    name.and_then(|name| TimeZone::parse(name).ok())
}

/// Contacts whose next birthday is near, soonest first.
///
/// **Open to:** anyone signed in, who sees their own contacts.
#[utoipa::path(
    operation_id = "list_birthdays", tag = "contacts", security(("oauth2" = []), ("token" = [])),
    params(ListBirthdays),
    responses(
        (status = 200, body = PageReply<BirthdayReply>, headers(("Link" = String, description = "The next page"))),
    )
)]
#[get("/birthdays")]
pub async fn list(
    state: web::Data<AppState>,
    user: CurrentUser,
    request: HttpRequest,
    Query(query): Query<ListBirthdays>,
) -> Result<HttpResponse, Problem> {
    let page = paging::page(query.limit.map(Into::into), query.cursor.as_deref())?;
    let zone = zone(query.tz.as_deref());
    let today = birthdays::today(&state.db, &state.auth.clock, user.user_id, zone).await?;
    let leap_day = query.leap.unwrap_or_default().into();
    let window = Window { today, days: query.days.unwrap_or(DEFAULT_DAYS), leap_day };
    let upcoming = birthdays::upcoming(&state.db, user.user_id, window, page).await?;
    Ok(paging::reply(&request, upcoming, BirthdayReply::from))
}

/// Lets in a calendar program with the secret of a feed, which the handler asks about, and otherwise whoever is signed in.
pub async fn with_secret_or_signed_in<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let has_secret = form_urlencoded::parse(request.query_string().as_bytes()).any(|(name, _)| name == "token");
    if has_secret { Ok(next.call(request).await?.map_into_left_body()) } else { signed_in(request, next).await }
}

/// The next birthdays of contacts as a calendar (RFC 5545), for a calendar program to subscribe to.
///
/// **Open to:** anyone signed in, and whoever has the secret address of a feed.
#[utoipa::path(
    operation_id = "birthday_calendar", tag = "contacts", security(("oauth2" = []), ("token" = []), ()),
    params(ReadCalendar),
    responses(
        (status = 200, body = String, content_type = "text/calendar"),
        (status = 404, description = "No feed has this secret"),
    )
)]
#[get("")]
pub async fn calendar(
    state: web::Data<AppState>,
    user: Option<CurrentUser>,
    Query(query): Query<ReadCalendar>,
) -> Result<HttpResponse, Problem> {
    let owner = match (&query.token, user) {
        (Some(secret), _) => calendar_feeds::owner(&state.db, secret).await?,
        (None, Some(user)) => user.user_id,
        (None, None) => return Err(Error::Unauthenticated.into()),
    };
    let clock = &state.auth.clock;
    let today = birthdays::today(&state.db, clock, owner, zone(query.tz.as_deref())).await?;
    let leap_day = query.leap.unwrap_or_default().into();
    let window = Window { today, days: query.days.unwrap_or(CALENDAR_DAYS), leap_day };
    let calendar = birthday_calendar::stream(state.db.clone(), owner, window, clock.now());
    Ok(HttpResponse::Ok().content_type("text/calendar; charset=utf-8").streaming(begun(calendar).await?))
}

/// A feed that has just been opened.
#[derive(Serialize, ToSchema)]
pub struct NewFeedReply {
    /// For the calendar program. It holds the secret and is not shown again. It begins as the address did by which this
    /// service was asked.
    #[schema(
        example = "http://127.0.0.1:8080/api/v1/contacts/birthdays.ics?token=Wd0cNnbWeVVf4DWDCNbN7b1jSvhPpFQbcDNhxTUFrSU"
    )]
    url: String,
    /// The same without the address, for those who know better how this service is reached.
    #[schema(example = "/api/v1/contacts/birthdays.ics?token=Wd0cNnbWeVVf4DWDCNbN7b1jSvhPpFQbcDNhxTUFrSU")]
    path: String,
    created_at: DateTime<Utc>,
}

/// A feed that is open.
#[derive(Serialize, ToSchema)]
pub struct FeedReply {
    created_at: DateTime<Utc>,
}

impl From<table::Model> for FeedReply {
    fn from(feed: table::Model) -> Self {
        Self { created_at: feed.created_at }
    }
}

/// Opens a feed: a secret address under which a calendar program reads the caller's birthdays without signing in. The one
/// before, if any, is closed.
///
/// **Open to:** anyone signed in.
#[utoipa::path(
    operation_id = "open_birthday_feed", tag = "contacts", security(("oauth2" = []), ("token" = [])),
    responses((status = 201, body = NewFeedReply))
)]
#[post("/birthdays/feed")]
pub async fn open_feed(
    state: web::Data<AppState>,
    user: CurrentUser,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let feed = calendar_feeds::open(&state.db, &state.auth.clock, &user).await?;
    let path = format!("/api/v1/contacts/birthdays.ics?token={}", feed.secret);
    // Whatever a client says of the address, it says to itself.
    let address = request.connection_info();
    let url = format!("{}://{}{path}", address.scheme(), address.host());
    Ok(HttpResponse::Created().json(NewFeedReply { url, path, created_at: feed.created_at }))
}

/// Whether a feed is open, and since when.
///
/// **Open to:** anyone signed in.
#[utoipa::path(
    operation_id = "get_birthday_feed", tag = "contacts", security(("oauth2" = []), ("token" = [])),
    responses((status = 200, body = FeedReply), (status = 404, description = "None is open"))
)]
#[get("/birthdays/feed")]
pub async fn get_feed(state: web::Data<AppState>, user: CurrentUser) -> Result<web::Json<FeedReply>, Problem> {
    Ok(web::Json(calendar_feeds::get(&state.db, &user).await?.into()))
}

/// Closes the feed: its address leads nowhere any more.
///
/// **Open to:** anyone signed in.
#[utoipa::path(
    operation_id = "close_birthday_feed", tag = "contacts", security(("oauth2" = []), ("token" = [])),
    responses((status = 204), (status = 404, description = "None is open"))
)]
#[delete("/birthdays/feed")]
pub async fn close_feed(state: web::Data<AppState>, user: CurrentUser) -> Result<HttpResponse, Problem> {
    calendar_feeds::close(&state.db, &user).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The id, month and day of birth, then the number of the day on which the window begins.
impl Position for birthdays::Position {
    fn to_bytes(&self) -> Vec<u8> {
        let small = |number: u32| u8::try_from(number).unwrap_or(u8::MAX);
        let today = self.today.num_days_from_ce().to_be_bytes();
        [self.id.as_bytes().as_slice(), &[small(self.month), small(self.day)], &today].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (id, rest) = bytes.split_first_chunk::<16>()?;
        let ([month, day], today) = rest.split_first_chunk::<2>()?;
        let today = NaiveDate::from_num_days_from_ce_opt(i32::from_be_bytes(today.try_into().ok()?))?;
        let is_usual = (1970..=9999).contains(&today.year());
        is_usual.then(|| Self { today, month: (*month).into(), day: (*day).into(), id: Uuid::from_bytes(*id) })
    }
}
