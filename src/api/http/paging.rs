//! Keyset paging over HTTP: parameters `limit` and `cursor` (opaque), response `{items, next_cursor}`, header `Link`.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::api::http::field::{Field, Optional as _};
use crate::api::http::problem::Problem;
use crate::domain::values::number::Number;
use crate::domain::values::page::{Page, Slice};
use crate::error::{Error, Violation};

/// Regular expression of a cursor: unpadded base64url.
pub const CURSOR_PATTERN: &str = "^[A-Za-z0-9_-]+$";

/// Items per page by default.
const DEFAULT_LIMIT: u64 = 20;

/// Items per page.
pub type Limit = Number<1, 100>;

/// Page of a list without filters.
#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// Items per page; 20 by default.
    #[validate(nested)]
    #[param(inline, example = 20)]
    limit: Option<Field<Limit>>,
    /// The `next_cursor` of the previous page.
    cursor: Option<String>,
}

impl PageQuery {
    /// The page.
    ///
    /// # Errors
    /// A violation in `cursor`.
    pub fn page<P: Position>(self) -> Result<Page<P>, Problem> {
        page(self.limit, self.cursor.as_deref())
    }
}

/// Page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct PageReply<T> {
    /// The items, in the order of the list.
    items: Vec<T>,
    /// Value of `cursor` for the next page; null on the last page.
    #[schema(required = true, example = "AaH7zRwNczyfiK9Cq7QUOw", pattern = "^[A-Za-z0-9_-]+$")]
    next_cursor: Option<String>,
}

/// Content of a keyset cursor: a position in a list. Clients may send any bytes.
pub trait Position: Sized {
    /// Encodes the position.
    fn to_bytes(&self) -> Vec<u8>;

    /// Decodes the position; `None` if the bytes are not a position.
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

/// Page that a query asks for.
///
/// # Errors
/// A violation in `cursor`.
pub fn page<P: Position>(limit: Option<Field<Limit>>, cursor: Option<&str>) -> Result<Page<P>, Problem> {
    let after = after(cursor)?;
    let limit = limit.value()?.map_or(DEFAULT_LIMIT, |limit| limit.get().unsigned_abs().into());
    Ok(Page { limit, after })
}

/// Position after which the page of a cursor starts.
///
/// # Errors
/// A violation in `cursor`.
pub fn after<P: Position>(cursor: Option<&str>) -> Result<Option<P>, Problem> {
    cursor.map(decode_cursor).transpose()
}

/// Cursor of the page that starts after a position.
pub fn encode_cursor<P: Position>(position: &P) -> String {
    URL_SAFE_NO_PAD.encode(position.to_bytes())
}

/// Response with a page, and a `Link` header to the next one.
pub fn reply<M, T: Serialize, P: Position>(
    request: &HttpRequest,
    slice: Slice<M, P>,
    item: impl Fn(M) -> T,
) -> HttpResponse {
    let next_cursor = slice.next.map(|position| encode_cursor(&position));
    let mut response = HttpResponse::Ok();
    if let Some(cursor) = &next_cursor {
        response.insert_header((header::LINK, next_link(request, cursor)));
    }
    response.json(PageReply { items: slice.items.into_iter().map(item).collect(), next_cursor })
}

/// Value of the `Link` header to the page of a cursor.
pub fn next_link(request: &HttpRequest, cursor: &str) -> String {
    format!("<{}>; rel=\"next\"", next_url(request, cursor))
}

/// A [`PageReply`] as JSON, of items that are JSON already.
pub fn write_page(items: &[&[u8]], next_cursor: Option<&str>) -> Vec<u8> {
    let length: usize = items.iter().map(|item| item.len() + 1).sum();
    let mut json = Vec::with_capacity(length + next_cursor.map_or(0, str::len) + 32);
    json.extend_from_slice(br#"{"items":["#);
    for (number, item) in items.iter().enumerate() {
        if number > 0 {
            json.push(b',');
        }
        json.extend_from_slice(item);
    }
    json.extend_from_slice(br#"],"next_cursor":"#);
    // Base64url has nothing to be escaped.
    let next_cursor = next_cursor.map_or("null".to_owned(), |cursor| format!("\"{cursor}\""));
    json.extend_from_slice(next_cursor.as_bytes());
    json.push(b'}');
    json
}

/// Page of a list whose position is in another parameter than `cursor`.
///
/// # Errors
/// A violation in the parameter.
pub fn page_after<P: Position>(
    limit: Option<Field<Limit>>,
    position: Option<&str>,
    parameter: &'static str,
) -> Result<Page<P>, Problem> {
    let invalid = || Violation::new(parameter, "cursor", "must be a token of a reply");
    let decode = |text: &str| decode(text).ok_or_else(|| Error::from(invalid()));
    let after = position.map(decode).transpose()?;
    Ok(Page { after, ..page(limit, None)? })
}

fn decode<P: Position>(text: &str) -> Option<P> {
    URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| P::from_bytes(&bytes))
}

fn decode_cursor<P: Position>(cursor: &str) -> Result<P, Problem> {
    decode(cursor)
        .ok_or_else(|| Error::from(Violation::new("cursor", "cursor", "must be the next_cursor of a page")).into())
}

/// URL of the next page: the same path and query with another cursor.
fn next_url(request: &HttpRequest, cursor: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let others = form_urlencoded::parse(request.query_string().as_bytes()).filter(|(name, _)| name != "cursor");
    query.extend_pairs(others).append_pair("cursor", cursor);
    format!("{}?{}", request.path(), query.finish())
}

#[cfg(test)]
mod tests {
    use super::{PageReply, write_page};

    #[test]
    fn a_page_of_json_is_as_one_of_values() {
        for (items, next_cursor) in [(vec![], None), (vec![1], Some("a-_9")), (vec![1, 22, 333], None)] {
            let texts: Vec<_> = items.iter().map(ToString::to_string).collect();
            let written = write_page(&texts.iter().map(String::as_bytes).collect::<Vec<_>>(), next_cursor);
            let page = PageReply::<u32> { items, next_cursor: next_cursor.map(str::to_owned) };
            assert_eq!(String::from_utf8(written).unwrap(), serde_json::to_string(&page).unwrap());
        }
    }
}
