//! Imports of contacts from files, CSV or vCard.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, ContentType};
use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use chrono::{DateTime, Utc};
use entity::{ContactFormat, contact_imports as table};
use futures_util::{Stream, StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::api::contacts::upload::{self, ContactFile, Upload};
use crate::api::http::extract::{CurrentUser, Id, Query};
use crate::api::http::field::{Field, Optional as _};
use crate::api::http::paging::{self, PageQuery, PageReply};
use crate::api::http::problem::{FieldProblem, Problem};
use crate::api::http::streaming::prefetched;
use crate::domain::auth::quota::{self, Quota};
use crate::domain::contacts::contact_imports::{self, Import, Rejected, Report};
use crate::domain::values::caller::Caller;
use crate::error::{Error, Result as DomainResult};
use crate::state::AppState;

/// Skipped rows in one chunk of the response.
const ROWS_PER_CHUNK: usize = 200;

/// Format and mode of an import.
#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ImportContacts {
    /// Format, instead of the header `Content-Type`.
    #[validate(nested)]
    #[param(inline)]
    format: Option<Field<ContactFormat>>,
    /// Whether it is a dry run, which only reports and changes nothing; false by default.
    #[validate(nested)]
    #[param(inline)]
    dry_run: Option<Field<bool>>,
}

/// An import.
#[derive(Serialize, ToSchema)]
pub struct ImportReply {
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    id: Uuid,
    format: ContactFormat,
    /// The number of contacts that were created.
    #[schema(example = 120)]
    imported: i32,
    /// The number of rows that were skipped.
    #[schema(example = 1)]
    rejected: i32,
    created_at: DateTime<Utc>,
}

impl From<table::Model> for ImportReply {
    fn from(import: table::Model) -> Self {
        Self {
            id: import.id,
            format: import.format,
            imported: import.imported,
            rejected: import.rejected,
            created_at: import.created_at,
        }
    }
}

/// Result of an import.
#[derive(Serialize, ToSchema)]
pub struct ImportReport {
    /// Id of the import, which can be undone; null after a dry run.
    #[schema(required = true, example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    id: Option<Uuid>,
    /// Whether it was a dry run, which changed nothing.
    dry_run: bool,
    format: ContactFormat,
    /// The number of contacts that were created.
    #[schema(example = 120)]
    imported: u64,
    /// The number of rows that were skipped.
    #[schema(example = 1)]
    rejected: usize,
    /// The skipped rows.
    errors: Vec<RowProblem>,
}

/// A skipped row.
#[derive(Serialize, ToSchema)]
pub struct RowProblem {
    /// Line of the file on which the row begins, from 1.
    #[schema(example = 17)]
    line: u64,
    /// All violations of the row.
    errors: Vec<FieldProblem>,
}

impl ImportReport {
    /// The report as JSON in chunks: a hundred thousand rows may have been skipped.
    fn chunks(report: Report, format: ContactFormat) -> DomainResult<impl Stream<Item = DomainResult<Vec<u8>>>> {
        let head = Self {
            id: report.import.as_ref().map(|import| import.id),
            dry_run: report.import.is_none(),
            format,
            imported: report.imported,
            rejected: report.rejected.len(),
            errors: Vec::new(),
        };
        // The rows go into the empty array at the end.
        let mut head = serde_json::to_vec(&head).map_err(Error::internal)?;
        let end = head.split_off(head.len().saturating_sub(b"]}".len()));
        let mut rows = report.rejected.into_iter().enumerate();
        let rows = std::iter::from_fn(move || {
            let mut chunk = Vec::new();
            for (number, row) in rows.by_ref().take(ROWS_PER_CHUNK) {
                if number > 0 {
                    chunk.push(b',');
                }
                if let Err(error) = serde_json::to_writer(&mut chunk, &RowProblem::from(row)) {
                    return Some(Err(Error::internal(error)));
                }
            }
            (!chunk.is_empty()).then_some(Ok(chunk))
        });
        let (head, end) = (stream::iter([Ok(head)]), stream::iter([Ok(end)]));
        Ok(head.chain(stream::iter(rows)).chain(end))
    }
}

impl From<Rejected> for RowProblem {
    fn from((line, violations): Rejected) -> Self {
        Self { line, errors: violations.into_iter().map(FieldProblem::from).collect() }
    }
}

/// Import contacts
///
/// Creates contacts from a CSV or vCard file. Invalid rows are skipped, and reported with their line; all others are
/// imported.
///
/// The first line of a CSV file contains the column names: `first_name` and `last_name`, and any of `email`,
/// `phone_number`, `birth_year`, `birth_month`, `birth_day`, `birthday` (`1985-12-10`, or `--12-10` without a year) and
/// `note`. The column names of common address books are recognised. vCards may have any version.
///
/// The file is the body, or the part `file` of a form.
///
/// **Open to:** anyone signed in, for themselves.
#[utoipa::path(
    operation_id = "import_contacts", tag = "contacts", security(("oauth2" = []), ("token" = [])),
    params(ImportContacts),
    request_body(content(
        (ContactFile = "multipart/form-data"),
        (String = "text/csv", example = json!("first_name,last_name,email,birthday\nByron,King,byron@example.org,2019-05-12\n")),
        (String = "text/vcard", example = json!("BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Byron King\r\nN:King;Byron;;;\r\nBDAY:20190512\r\nEND:VCARD\r\n")),
    )),
    responses(
        (status = 200, body = ImportReport, description = "A dry run: nothing was changed"),
        (status = 201, body = ImportReport, headers(("Location" = String, description = "Path of the import"))),
        (status = 415, description = "The format of the file is not CSV or vCard"),
        (status = 422, description = "The file is invalid or has too many contacts; nothing was changed"),
        (status = 429, description = "The quota of imports per hour is used up"),
    )
)]
#[post("/imports")]
pub async fn create(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    Query(query): Query<ImportContacts>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let format = query.format.value()?;
    upload::check_media_type(&request, format)?;
    let is_dry_run = query.dry_run.value()?.unwrap_or(false);
    let limiter = &state.import_limiter;
    let _permit = limiter.upload(caller.actor.user_id)?;
    let quota = if is_dry_run { Quota::DryRuns } else { Quota::Imports };
    quota::consume(&state.db, &state.auth, quota, caller.actor.user_id).await?;
    let Upload { file, format } = upload::receive(&request, body, format, limiter.max_bytes).await?;
    let import = Import { file, format, is_dry_run };
    reply(contact_imports::create(&state.db, &state.auth.clock, limiter, &caller, import).await?, format).await
}

/// The response to an import: 201 with its path; after a dry run 200.
async fn reply(report: Report, format: ContactFormat) -> Result<HttpResponse, Problem> {
    let mut response = HttpResponse::Ok();
    if let Some(import) = &report.import {
        response.status(StatusCode::CREATED);
        response.insert_header((header::LOCATION, format!("/api/v1/contacts/imports/{}", import.id)));
    }
    response.content_type(ContentType::json());
    Ok(response.streaming(prefetched(ImportReport::chunks(report, format)?).await?))
}

/// List imports of contacts
///
/// Newest first.
///
/// **Open to:** anyone signed in, for their own imports.
#[utoipa::path(
    operation_id = "list_contact_imports", tag = "contacts", security(("oauth2" = []), ("token" = [])),
    params(PageQuery),
    responses(
        (status = 200, body = PageReply<ImportReply>, headers(("Link" = String, description = "The next page"))),
    )
)]
#[get("/imports")]
pub async fn list(
    state: web::Data<AppState>,
    user: CurrentUser,
    request: HttpRequest,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let page = query.page()?;
    let imports = contact_imports::list(&state.db, &user, page).await?;
    Ok(paging::reply(&request, imports, ImportReply::from))
}

/// Get an import of contacts
///
/// **Open to:** its owner.
#[utoipa::path(
    operation_id = "get_contact_import", tag = "contacts", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 200, body = ImportReply))
)]
#[get("/imports/{id}")]
pub async fn get(state: web::Data<AppState>, user: CurrentUser, id: Id) -> Result<web::Json<ImportReply>, Problem> {
    Ok(web::Json(contact_imports::get(&state.db, &user, id.0).await?.into()))
}

/// Undo an import of contacts
///
/// Deletes the contacts that it created, with all later changes of them.
///
/// **Open to:** its owner.
#[utoipa::path(
    operation_id = "undo_contact_import", tag = "contacts", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses(
        (status = 204),
        (status = 409, description = "One of its contacts has an open vaccine request; nothing was changed"),
    )
)]
#[delete("/imports/{id}")]
pub async fn undo(state: web::Data<AppState>, caller: Caller, id: Id) -> Result<HttpResponse, Problem> {
    contact_imports::undo(&state.db, &state.auth.clock, &caller, id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
