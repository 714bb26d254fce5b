//! Pages over HTTP: `?limit=` and an opaque `?cursor=` in, `{items, next_cursor}` and a `Link` header out.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{Datelike as _, NaiveDate};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::http::problem::Problem;
use crate::domain::contacts::birthdays;
use crate::domain::contacts::contacts;
use crate::domain::values::page::{Page, Slice};

/// Items on a page when nobody says otherwise.
const DEFAULT_LIMIT: u64 = 20;

/// Part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct PageReply<T> {
    /// The items, in the order of the list.
    items: Vec<T>,
    /// Goes into `cursor` to get the next page; null on the last one.
    #[schema(required = true, example = "AaH7zRwNczyfiK9Cq7QUOw")]
    next_cursor: Option<String>,
}

/// A position in a list, as a cursor holds it. Clients may send any bytes.
pub trait Position: Sized {
    /// The content of the cursor.
    fn to_bytes(&self) -> Vec<u8>;

    /// The position that a cursor holds, if it holds one.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

impl Position for Uuid {
    fn to_bytes(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::from_slice(bytes).ok()
    }
}

/// The id, then the names on a line each.
impl Position for contacts::Position {
    fn to_bytes(&self) -> Vec<u8> {
        [self.id.as_bytes(), self.last_name.as_bytes(), b"\n", self.first_name.as_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (id, names) = bytes.split_first_chunk::<16>()?;
        let (last_name, first_name) = std::str::from_utf8(names).ok()?.split_once('\n')?;
        // Names have none, and PostgreSQL would stumble over a NUL.
        let is_line = !last_name.contains(char::is_control) && !first_name.contains(char::is_control);
        let (last_name, first_name) = (last_name.to_owned(), first_name.to_owned());
        is_line.then(|| Self { last_name, first_name, id: Uuid::from_bytes(*id) })
    }
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

/// The page that a query asks for.
///
/// # Errors
/// A cursor that is not one of ours is malformed.
pub fn page<P: Position>(limit: Option<u64>, cursor: Option<&str>) -> Result<Page<P>, Problem> {
    let after = cursor.map(read_cursor).transpose()?;
    Ok(Page { limit: limit.unwrap_or(DEFAULT_LIMIT), after })
}

/// The reply that holds a page, with the way to the next one.
pub fn reply<M, T: Serialize, P: Position>(
    request: &HttpRequest,
    slice: Slice<M, P>,
    item: impl Fn(M) -> T,
) -> HttpResponse {
    let next_cursor = slice.next.map(|position| URL_SAFE_NO_PAD.encode(position.to_bytes()));
    let mut response = HttpResponse::Ok();
    if let Some(cursor) = &next_cursor {
        response.insert_header((header::LINK, format!("<{}>; rel=\"next\"", next_url(request, cursor))));
    }
    response.json(PageReply { items: slice.items.into_iter().map(item).collect(), next_cursor })
}

fn read_cursor<P: Position>(cursor: &str) -> Result<P, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    bytes
        .and_then(|bytes| P::from_bytes(&bytes))
        .ok_or_else(|| Problem::malformed("The cursor must be the next_cursor of the page before."))
}

/// The same path and query with another cursor.
fn next_url(request: &HttpRequest, cursor: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let others = form_urlencoded::parse(request.query_string().as_bytes()).filter(|(name, _)| name != "cursor");
    query.extend_pairs(others).append_pair("cursor", cursor);
    format!("{}?{}", request.path(), query.finish())
}
