//! Pages over HTTP: `?limit=` and an opaque `?cursor=` in, `{items, next_cursor}` and a `Link` header out.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::problem::Problem;
use crate::domain::page::{Page, Slice};

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

/// The page that a query asks for.
///
/// # Errors
/// A cursor that is not one of ours is malformed.
pub fn page(limit: Option<u64>, cursor: Option<&str>) -> Result<Page, Problem> {
    let after = cursor.map(read_cursor).transpose()?;
    Ok(Page { limit: limit.unwrap_or(DEFAULT_LIMIT), after })
}

/// The reply that holds a page, with the way to the next one.
pub fn reply<M, T: Serialize>(request: &HttpRequest, slice: Slice<M>, item: impl Fn(M) -> T) -> HttpResponse {
    let next_cursor = slice.next.map(|id| URL_SAFE_NO_PAD.encode(id));
    let mut response = HttpResponse::Ok();
    if let Some(cursor) = &next_cursor {
        response.insert_header((header::LINK, format!("<{}>; rel=\"next\"", next_url(request, cursor))));
    }
    response.json(PageReply { items: slice.items.into_iter().map(item).collect(), next_cursor })
}

fn read_cursor(cursor: &str) -> Result<Uuid, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    bytes
        .and_then(|bytes| Uuid::from_slice(&bytes).ok())
        .ok_or_else(|| Problem::malformed("The cursor must be the next_cursor of the page before."))
}

/// The same path and query with another cursor.
fn next_url(request: &HttpRequest, cursor: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let others = form_urlencoded::parse(request.query_string().as_bytes()).filter(|(name, _)| name != "cursor");
    query.extend_pairs(others).append_pair("cursor", cursor);
    format!("{}?{}", request.path(), query.finish())
}
