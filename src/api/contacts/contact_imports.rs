//! Files of contacts, CSV and vCards: bringing one in, and taking it back. Taking contacts along is in `contact_exports`.

use std::fs::File;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, ContentType, Header as _};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, delete, get, post, web};
use chrono::{DateTime, Utc};
use entity::{ContactFormat, contact_imports as table};
use futures_util::{Stream, StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::api::contacts::contact_exports::{OFFERED, format_of};
use crate::api::http::extract::{BODY_TIMEOUT, CurrentUser, Id, Query};
use crate::api::http::paging::{self, PageQuery, PageReply};
use crate::api::http::problem::{FieldProblem, Problem};
use crate::api::http::streaming::begun;
use crate::domain::auth::quota::{self, Quota};
use crate::domain::contacts::contact_imports::{self, Import, Rejected, Report};
use crate::error::{Error, Result as DomainResult};
use crate::state::AppState;

/// How long a file may take to arrive.
const FILE_TIMEOUT: Duration = Duration::from_secs(300);

/// Bad rows that are told at a time.
const ROWS_OF_A_PIECE: usize = 200;

/// What to make of a file.
#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ImportContacts {
    /// Instead of the header `Content-Type`.
    #[param(inline)]
    format: Option<ContactFormat>,
    /// Tell what would happen, and change nothing.
    #[serde(default)]
    #[param(required = false, example = false)]
    dry_run: bool,
}

/// A file that was brought in.
#[derive(Serialize, ToSchema)]
pub struct ImportReply {
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    id: Uuid,
    format: ContactFormat,
    /// Contacts that were added.
    #[schema(example = 120)]
    imported: i32,
    /// Rows that were not.
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

/// What became of a file.
#[derive(Serialize, ToSchema)]
pub struct ImportReport {
    /// To take the import back with; null after a dry run.
    #[schema(required = true, example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    id: Option<Uuid>,
    /// Whether this only tells what would happen.
    dry_run: bool,
    format: ContactFormat,
    /// Contacts that were added.
    #[schema(example = 120)]
    imported: u64,
    /// Rows that were not.
    #[schema(example = 1)]
    rejected: usize,
    /// Each of these rows, and all that is wrong with it.
    errors: Vec<RowProblem>,
}

/// A row that was left out.
#[derive(Serialize, ToSchema)]
pub struct RowProblem {
    /// Where it begins in the file; the first line is 1.
    #[schema(example = 17)]
    line: u64,
    /// All that is wrong with it.
    errors: Vec<FieldProblem>,
}

impl ImportReport {
    /// The report as JSON, in pieces: there may be a hundred thousand bad rows.
    fn pieces(report: Report, format: ContactFormat) -> DomainResult<impl Stream<Item = DomainResult<Vec<u8>>>> {
        let head = Self {
            id: report.import.as_ref().map(|import| import.id),
            dry_run: report.import.is_none(),
            format,
            imported: report.imported,
            rejected: report.rejected.len(),
            errors: Vec::new(),
        };
        // The rows go between the brackets that come last.
        let mut head = serde_json::to_vec(&head).map_err(Error::internal)?;
        let end = head.split_off(head.len().saturating_sub(b"]}".len()));
        let mut rows = report.rejected.into_iter().enumerate();
        let rows = std::iter::from_fn(move || {
            let mut piece = Vec::new();
            for (number, row) in rows.by_ref().take(ROWS_OF_A_PIECE) {
                if number > 0 {
                    piece.push(b',');
                }
                if let Err(error) = serde_json::to_writer(&mut piece, &RowProblem::from(row)) {
                    return Some(Err(Error::internal(error)));
                }
            }
            (!piece.is_empty()).then_some(Ok(piece))
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

/// Brings in a file of contacts. Rows that are not right are left out and told, with their lines; all others are kept.
///
/// A CSV file names its columns in the first line: `first_name` and `last_name`, and any of `email`, `phone_number`,
/// `birth_year`, `birth_month`, `birth_day`, `birthday` (`1985-12-10`, or `--12-10` without a year) and `notes`. The names
/// that widespread address books give these columns are known too. vCards are read from version 2.1 on.
///
/// **Open to:** anyone signed in, for themselves.
#[utoipa::path(
    operation_id = "import_contacts", tag = "contacts", security(("oauth2" = []), ("token" = [])),
    params(ImportContacts),
    request_body(content((String = "text/csv"), (String = "text/vcard"))),
    responses(
        (status = 200, body = ImportReport, description = "A dry run: nothing has changed"),
        (status = 201, body = ImportReport, headers(("Location" = String, description = "Path of the import"))),
        (status = 415, description = "The body is neither CSV nor vCards"),
        (status = 422, description = "It is no such file, or has too many contacts; nothing has changed"),
        (status = 429, description = "The caller has brought in very many in the last hour"),
    )
)]
#[post("/import")]
pub async fn bring_in(
    state: web::Data<AppState>,
    user: CurrentUser,
    request: HttpRequest,
    Query(query): Query<ImportContacts>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let unsupported = || Problem::unsupported_media_type(&format!("{OFFERED}, in UTF-8"));
    let format = query.format.or_else(|| format_of(request.content_type())).filter(|_| is_utf8(&request));
    let format = format.ok_or_else(unsupported)?;
    let desk = &state.import_desk;
    let _place = desk.place(user.user_id)?;
    let quota = if query.dry_run { Quota::DryRuns } else { Quota::Imports };
    quota::admit(&state.db, &state.auth, quota, user.user_id).await?;
    let file = tokio::time::timeout(FILE_TIMEOUT, receive(&request, body, desk.most_bytes)).await;
    let file = file.map_err(|_| Problem::request_timeout())??;
    let import = Import { file, format, is_dry_run: query.dry_run };
    let report = contact_imports::add(&state.db, &state.auth.clock, desk, &user, import).await?;
    let mut response = HttpResponse::Ok();
    if let Some(import) = &report.import {
        response.status(StatusCode::CREATED);
        response.insert_header((header::LOCATION, format!("/api/v1/contacts/imports/{}", import.id)));
    }
    response.content_type(ContentType::json());
    Ok(response.streaming(begun(ImportReport::pieces(report, format)?).await?))
}

fn is_utf8(request: &HttpRequest) -> bool {
    let content_type = header::ContentType::parse(request).ok();
    let charset =
        content_type.and_then(|content_type| content_type.0.get_param("charset").map(|name| name.to_string()));
    charset.is_none_or(|name| ["utf-8", "utf8", "us-ascii"].contains(&name.to_ascii_lowercase().as_str()))
}

/// Keeps the body in a file without a name, which goes with the request.
async fn receive(request: &HttpRequest, mut body: web::Payload, most_bytes: u64) -> Result<File, Problem> {
    let too_large = || Problem::too_large(usize::try_from(most_bytes).unwrap_or(usize::MAX));
    let announced =
        header::ContentLength::parse(request).map_or(0, |length| u64::try_from(*length).unwrap_or(u64::MAX));
    if announced > most_bytes {
        return Err(too_large());
    }
    let file = web::block(tempfile::tempfile).await.map_err(Error::internal)?.map_err(Error::internal)?;
    let mut file = tokio::fs::File::from_std(file);
    let mut bytes = 0;
    loop {
        let chunk = tokio::time::timeout(BODY_TIMEOUT, body.next()).await.map_err(|_| Problem::request_timeout())?;
        let Some(chunk) = chunk else { break };
        let chunk = chunk.map_err(|_| Problem::malformed("The body could not be read."))?;
        bytes += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        if bytes > most_bytes {
            return Err(too_large());
        }
        file.write_all(&chunk).await.map_err(Error::internal)?;
    }
    file.flush().await.map_err(Error::internal)?;
    file.rewind().await.map_err(Error::internal)?;
    Ok(file.into_std().await)
}

/// The caller's imports, newest first.
///
/// **Open to:** anyone signed in, who sees their own.
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

/// One import.
///
/// **Open to:** whoever brought it in.
#[utoipa::path(
    operation_id = "get_contact_import", tag = "contacts", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 200, body = ImportReply))
)]
#[get("/imports/{id}")]
pub async fn get_one(state: web::Data<AppState>, user: CurrentUser, id: Id) -> Result<web::Json<ImportReply>, Problem> {
    Ok(web::Json(contact_imports::get(&state.db, &user, id.0).await?.into()))
}

/// Takes an import back: the contacts that it added are removed, with whatever was changed in them since.
///
/// **Open to:** whoever brought it in.
#[utoipa::path(
    operation_id = "take_back_contact_import", tag = "contacts", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses(
        (status = 204),
        (status = 409, description = "A vaccine request for one of its contacts is open; nothing has changed"),
    )
)]
#[delete("/imports/{id}")]
pub async fn take_back(state: web::Data<AppState>, user: CurrentUser, id: Id) -> Result<HttpResponse, Problem> {
    contact_imports::remove(&state.db, &user, id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
