//! Birthdays of contacts: as a list, and as a calendar (RFC 5545).

use std::time::SystemTime;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, ContentEncoding, Header as _, IfModifiedSince, LastModified};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, HttpResponse, get, web};
use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::api::contacts::contacts::ContactReply;
use crate::api::http::cached;
use crate::api::http::extract::{CurrentUser, Query};
use crate::api::http::field::{Field, Optional as _};
use crate::api::http::guard::signed_in;
use crate::api::http::paging::{self, Limit, PageReply, Position};
use crate::api::http::problem::Problem;
use crate::api::http::streaming::{gzipped, prefetched};
use crate::domain::auth::calendar_feeds::{self, FeedSecret};
use crate::domain::contacts::birthday_calendar::{self, Span, Validators};
use crate::domain::contacts::birthdays::{self, Upcoming, Window};
use crate::domain::values::birthday::LeapDay;
use crate::domain::values::number::Number;
use crate::domain::values::time_zone::TimeZone;
use crate::error::Error;
use crate::state::AppState;

/// Length of the list in days by default.
const DEFAULT_DAYS: u32 = 7;

/// Days of the window after today.
type Days = Number<0, 366>;

/// A contact and their next birthday.
#[derive(Serialize, ToSchema)]
pub struct BirthdayReply {
    #[serde(flatten)]
    contact: ContactReply,
    /// Date of the next birthday.
    #[schema(example = "2027-05-12")]
    next_birthday: NaiveDate,
    /// Age on the next birthday; absent if the year of birth is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 8)]
    turns: Option<i32>,
    /// Days until the next birthday; 0 is today.
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

/// Filter and page of a list of birthdays.
#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListBirthdays {
    /// Only birthdays within this number of days from today; 7 by default, 0 is today only.
    #[validate(nested)]
    #[param(inline)]
    days: Option<Field<Days>>,
    /// IANA time zone that decides which day is today; by default that of the user's profile, or else UTC.
    #[validate(nested)]
    #[param(inline)]
    time_zone: Option<Field<TimeZone>>,
    /// Birthday in common years of people born on 29 February; `feb28` by default.
    #[validate(nested)]
    #[param(inline)]
    leap: Option<Field<LeapDay>>,
    /// Items per page; 20 by default.
    #[validate(nested)]
    #[param(inline, example = 20)]
    limit: Option<Field<Limit>>,
    /// The `next_cursor` of the previous page.
    cursor: Option<String>,
}

/// Parameters of the birthday calendar. Unknown ones are ignored, because calendar programs add their own.
#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReadCalendar {
    /// Secret of a feed, instead of an access token.
    #[validate(nested)]
    #[param(inline)]
    token: Option<Field<FeedSecret>>,
    /// Only birthdays until this number of days after today; by default until the end of the year after the next one.
    #[validate(nested)]
    #[param(inline)]
    days: Option<Field<Days>>,
    /// IANA time zone that decides which day is today; by default that of the owner's profile, or else UTC.
    #[validate(nested)]
    #[param(inline)]
    time_zone: Option<Field<TimeZone>>,
    /// Birthday in common years of people born on 29 February; `feb28` by default.
    #[validate(nested)]
    #[param(inline)]
    leap: Option<Field<LeapDay>>,
}

/// Window of a query.
fn window(today: NaiveDate, days: Option<Field<Days>>, leap: Option<Field<LeapDay>>) -> Result<Window, Error> {
    let days = days.value()?.map_or(DEFAULT_DAYS, |days| days.get().unsigned_abs());
    Ok(Window { today, days, leap_day: leap.value()?.unwrap_or_default() })
}

/// List upcoming birthdays
///
/// Contacts by their next birthday, soonest first.
///
/// **Open to:** anyone signed in, for their own contacts.
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
    let page = paging::page(query.limit, query.cursor.as_deref())?;
    let today = birthdays::today(&state.db, &state.auth.clock, user.user_id, query.time_zone.value()?).await?;
    let window = window(today, query.days, query.leap)?;
    let upcoming = birthdays::upcoming(&state.db, user.user_id, window, page).await?;
    Ok(paging::reply(&request, upcoming, BirthdayReply::from))
}

/// Guard of the calendar. Passes requests with the secret of a feed to the handler, which checks it; all other requests
/// need an access token.
pub async fn with_secret_or_signed_in<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let has_secret = form_urlencoded::parse(request.query_string().as_bytes()).any(|(name, _)| name == "token");
    if has_secret { Ok(next.call(request).await?.map_into_left_body()) } else { signed_in(request, next).await }
}

/// Get the birthday calendar
///
/// The birthdays of contacts as iCalendar (RFC 5545), for calendar programs to subscribe to: at least a month back, and to the end
/// of the year after the next one.
///
/// **Open to:** anyone signed in, and anyone with the secret URL of a feed.
#[utoipa::path(
    operation_id = "get_birthday_calendar", tag = "contacts", security(("oauth2" = []), ("token" = []), ()),
    params(ReadCalendar),
    responses(
        (status = 200, body = String, content_type = "text/calendar", headers(
            ("ETag" = String, description = "Tag of the calendar"),
            ("Last-Modified" = String, description = "When it has changed"),
        )),
        (status = 304, description = "The calendar is the one with the tag in `If-None-Match`"),
        (status = 404, description = "No feed has this secret"),
    )
)]
#[get("")]
pub async fn calendar(
    state: web::Data<AppState>,
    user: Option<CurrentUser>,
    request: HttpRequest,
    Query(query): Query<ReadCalendar>,
) -> Result<HttpResponse, Problem> {
    let owner = match (query.token.value()?, user) {
        (Some(secret), _) => calendar_feeds::owner(&state.db, &secret).await?,
        (None, Some(user)) => user.user_id,
        (None, None) => return Err(Error::Unauthenticated.into()),
    };
    let clock = &state.auth.clock;
    let today = birthdays::today(&state.db, clock, owner, query.time_zone.value()?).await?;
    let days = query.days.value()?.map(|days| days.get().unsigned_abs());
    let span = Span::around(today, days, query.leap.value()?.unwrap_or_default());
    let validators = birthday_calendar::validators(&state.db, owner, span).await?;
    let mut response = HttpResponse::Ok();
    response.insert_header((header::ETAG, format!("W/\"{}\"", validators.tag)));
    response.insert_header(LastModified(SystemTime::from(validators.changed_at).into()));
    response
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .insert_header((header::VARY, "Accept-Encoding"));
    if is_known(&request, &validators) {
        return Ok(response.status(StatusCode::NOT_MODIFIED).finish());
    }
    response.content_type("text/calendar; charset=utf-8");
    let calendar = birthday_calendar::stream(state.db.clone(), owner, span);
    if cached::accepts_gzip(request.headers()) {
        response.insert_header(ContentEncoding::Gzip);
        return Ok(response.streaming(prefetched(gzipped(calendar)).await?));
    }
    Ok(response.streaming(prefetched(calendar).await?))
}

/// Whether the client has this calendar. A date counts only without a tag (RFC 9110 §13.1.3).
fn is_known(request: &HttpRequest, validators: &Validators) -> bool {
    if request.headers().contains_key(header::IF_NONE_MATCH) {
        return cached::has(request.headers(), format!("\"{}\"", validators.tag).as_bytes());
    }
    let since = IfModifiedSince::parse(request).ok().map(|since| DateTime::<Utc>::from(SystemTime::from(since.0)));
    // Dates of HTTP have whole seconds: of two changes in one second, only the tag tells.
    since.is_some_and(|since| validators.changed_at.timestamp() <= since.timestamp())
}

/// Bytes: the id, the month and day of birth, and the first day of the window as its number from 0001-01-01.
impl Position for birthdays::Position {
    fn to_bytes(&self) -> Vec<u8> {
        let byte = |number: u32| u8::try_from(number).unwrap_or(u8::MAX);
        let today = self.today.num_days_from_ce().to_be_bytes();
        [self.id.as_bytes().as_slice(), &[byte(self.month), byte(self.day)], &today].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (id, rest) = bytes.split_first_chunk::<16>()?;
        let ([month, day], today) = rest.split_first_chunk::<2>()?;
        let today = NaiveDate::from_num_days_from_ce_opt(i32::from_be_bytes(today.try_into().ok()?))?;
        let is_in_range = (1970..=9999).contains(&today.year());
        is_in_range.then(|| Self { today, month: (*month).into(), day: (*day).into(), id: Uuid::from_bytes(*id) })
    }
}
