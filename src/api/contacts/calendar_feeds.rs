//! Birthday feed: a secret URL of the birthday calendar. Each user has at most one.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, delete, get, put, web};
use chrono::{DateTime, Utc};
use entity::calendar_feeds as table;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::http::extract::CurrentUser;
use crate::api::http::problem::Problem;
use crate::domain::auth::calendar_feeds;
use crate::domain::values::caller::Caller;
use crate::state::AppState;

/// A feed with its secret.
#[derive(Serialize, ToSchema)]
pub struct NewFeedReply {
    /// URL for a calendar program. It contains the secret, which is not returned again. Scheme and host are those of
    /// this request.
    #[schema(
        example = "http://127.0.0.1:8080/api/v1/contacts/birthdays.ics?token=Wd0cNnbWeVVf4DWDCNbN7b1jSvhPpFQbcDNhxTUFrSU"
    )]
    url: String,
    /// Path and query of the URL, for clients that reach the service at another host.
    #[schema(example = "/api/v1/contacts/birthdays.ics?token=Wd0cNnbWeVVf4DWDCNbN7b1jSvhPpFQbcDNhxTUFrSU")]
    path: String,
    created_at: DateTime<Utc>,
}

/// A feed without its secret.
#[derive(Serialize, ToSchema)]
pub struct FeedReply {
    created_at: DateTime<Utc>,
}

impl From<table::Model> for FeedReply {
    fn from(feed: table::Model) -> Self {
        Self { created_at: feed.created_at }
    }
}

/// Create or replace the birthday feed
///
/// Generates a secret URL, at which a calendar program can read the birthdays of the user's contacts without an access
/// token. The previous URL, if there is one, becomes invalid.
///
/// **Open to:** anyone signed in.
#[utoipa::path(
    operation_id = "put_birthday_feed", tag = "contacts", security(("oauth2" = []), ("token" = [])),
    responses(
        (status = 200, body = NewFeedReply, description = "The feed has a new URL"),
        (status = 201, body = NewFeedReply, headers(("Location" = String, description = "Path of the feed"))),
    )
)]
#[put("/birthdays/feed")]
pub async fn put(state: web::Data<AppState>, caller: Caller, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let feed = calendar_feeds::put(&state.db, &state.auth.clock, &caller).await?;
    let path = format!("/api/v1/contacts/birthdays.ics?token={}", feed.secret);
    // The host is not checked: a client that forges it only gets a wrong URL in its own response.
    let connection = request.connection_info();
    let url = format!("{}://{}{path}", connection.scheme(), connection.host());
    let mut response = if feed.is_new { HttpResponse::Created() } else { HttpResponse::Ok() };
    if feed.is_new {
        response.insert_header((header::LOCATION, "/api/v1/contacts/birthdays/feed"));
    }
    Ok(response.json(NewFeedReply { url, path, created_at: feed.created_at }))
}

/// Get the birthday feed
///
/// The response does not contain its secret.
///
/// **Open to:** anyone signed in.
#[utoipa::path(
    operation_id = "get_birthday_feed", tag = "contacts", security(("oauth2" = []), ("token" = [])),
    responses((status = 200, body = FeedReply), (status = 404, description = "There is no feed"))
)]
#[get("/birthdays/feed")]
pub async fn get(state: web::Data<AppState>, user: CurrentUser) -> Result<web::Json<FeedReply>, Problem> {
    Ok(web::Json(calendar_feeds::get(&state.db, &user).await?.into()))
}

/// Delete the birthday feed
///
/// Its URL becomes invalid.
///
/// **Open to:** anyone signed in.
#[utoipa::path(
    operation_id = "delete_birthday_feed", tag = "contacts", security(("oauth2" = []), ("token" = [])),
    responses((status = 204), (status = 404, description = "There is no feed"))
)]
#[delete("/birthdays/feed")]
pub async fn delete(state: web::Data<AppState>, caller: Caller) -> Result<HttpResponse, Problem> {
    calendar_feeds::delete(&state.db, &state.auth.clock, &caller).await?;
    Ok(HttpResponse::NoContent().finish())
}
