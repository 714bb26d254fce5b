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
use crate::domain::contacts::address_book::{DateOrder, ReadOptions, UnusedPart, Warning};
use crate::domain::contacts::contact_imports::{self, Import, LineWarning, OnDuplicate, Rejected, Report};
use crate::domain::values::caller::Caller;
use crate::error::{Error, Result as DomainResult, Violation};
use crate::state::AppState;

/// Items in one chunk of the response.
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
    /// What becomes of contacts that are there already: they have the same UID, or the same name together with the same birthday
    /// or e-mail. `skip` (the default) leaves them as they are, `update` sets what the file has, `add` creates them again.
    #[validate(nested)]
    #[param(inline)]
    on_duplicate: Option<Field<OnDuplicate>>,
    /// Order of day and month in dates such as `1/2/1981`. By default, the other dates of the file tell; if they do not, such
    /// dates are left out.
    #[validate(nested)]
    #[param(inline)]
    dates: Option<Field<DateOrder>>,
    /// Whether rows with a part that must be left out are refused; false by default.
    #[validate(nested)]
    #[param(inline)]
    strict: Option<Field<bool>>,
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
    /// The number of contacts that were updated.
    #[schema(example = 0)]
    updated: i32,
    /// The number of rows of contacts that were there already.
    #[schema(example = 3)]
    skipped: i32,
    /// The number of rows that were refused.
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
            updated: import.updated,
            skipped: import.skipped,
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
    /// The number of contacts that were updated.
    #[schema(example = 0)]
    updated: u64,
    /// The number of rows of contacts that were there already.
    #[schema(example = 3)]
    skipped: u64,
    /// The number of rows that were refused.
    #[schema(example = 1)]
    rejected: usize,
    /// Columns of CSV and properties of vCards that were not used.
    unused: Vec<UnusedReply>,
    /// The number of warnings that are not listed, because there are too many.
    #[schema(example = 0)]
    more_warnings: u64,
    /// Parts of rows that were left out, while the contact was kept; at most 10,000.
    warnings: Vec<WarningReply>,
    /// The refused rows.
    errors: Vec<RowProblem>,
}

/// A column or a property that was not used.
#[derive(Serialize, ToSchema)]
pub struct UnusedReply {
    /// Name, as in the file; empty for values beyond the last column.
    #[schema(example = "Nickname")]
    name: String,
    /// The number of values that are not blank.
    #[schema(example = 12)]
    values: u64,
}

/// A part of a row that was left out.
#[derive(Serialize, ToSchema)]
pub struct WarningReply {
    /// Line of the file on which the row begins, from 1.
    #[schema(example = 21)]
    line: u64,
    /// Field of the contact.
    #[schema(example = "birthday")]
    field: String,
    /// Code of the rule, for programs.
    #[schema(example = "partial")]
    code: String,
    /// The rule, for people.
    #[schema(example = "must have a month and a day")]
    message: String,
    /// The part as it is in the file, at most 100 characters of it.
    #[schema(required = true, example = "1985")]
    value: Option<String>,
}

/// A refused row.
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
            imported: report.created,
            updated: report.updated,
            skipped: report.skipped,
            rejected: report.rejected.len(),
            unused: report.unused.into_iter().map(UnusedReply::from).collect(),
            more_warnings: report.more_warnings,
            warnings: Vec::new(),
            errors: Vec::new(),
        };
        // The items go into the two empty arrays at the end.
        let mut head = serde_json::to_vec(&head).map_err(Error::internal)?;
        head.truncate(head.len().saturating_sub(ARRAYS_END.len()));
        let text = |text: &[u8]| stream::iter([Ok(text.to_vec())]);
        let warnings = json_chunks(report.warnings.into_iter().map(WarningReply::from));
        let rows = json_chunks(report.rejected.into_iter().map(RowProblem::from));
        Ok(text(&head).chain(warnings).chain(text(b"],\"errors\":[")).chain(rows).chain(text(b"]}")))
    }
}

/// End of a report with two empty arrays.
const ARRAYS_END: &[u8] = b"],\"errors\":[]}";

/// The items of a JSON array in chunks.
fn json_chunks<T: Serialize>(items: impl Iterator<Item = T>) -> impl Stream<Item = DomainResult<Vec<u8>>> {
    let mut items = items.enumerate();
    stream::iter(std::iter::from_fn(move || {
        let mut chunk = Vec::new();
        for (number, item) in items.by_ref().take(ROWS_PER_CHUNK) {
            if number > 0 {
                chunk.push(b',');
            }
            if let Err(error) = serde_json::to_writer(&mut chunk, &item) {
                return Some(Err(Error::internal(error)));
            }
        }
        (!chunk.is_empty()).then_some(Ok(chunk))
    }))
}

impl From<UnusedPart> for UnusedReply {
    fn from(part: UnusedPart) -> Self {
        Self { name: part.name, values: part.values }
    }
}

impl From<LineWarning> for WarningReply {
    fn from((line, Warning { violation, value }): LineWarning) -> Self {
        let Violation { field, code, message } = violation;
        Self { line, field: field.into_owned(), code: code.into_owned(), message: message.into_owned(), value }
    }
}

impl From<Rejected> for RowProblem {
    fn from((line, violations): Rejected) -> Self {
        Self { line, errors: violations.into_iter().map(FieldProblem::from).collect() }
    }
}

/// Import contacts
///
/// Creates contacts from a CSV or vCard file. A part of a row that breaks a rule is left out, and reported in `warnings`; a row
/// without a name, or that cannot be decoded, is refused, and reported in `errors`; columns and properties that are not known are
/// reported in `unused`.
///
/// The first line of a CSV file contains the column names: any of `first_name`, `last_name`, `name` and `organization`, and any
/// of `email`, `phone_number`, `birth_year`, `birth_month`, `birth_day`, `birthday` (`1985-12-10`, or `--12-10` without a year),
/// `note` and `uid`. The column names of common address books are recognised in many languages. vCards may have any version.
///
/// The file is the body, or the part `file` of a form. It is UTF-8, UTF-16, or of the `charset` that its media type names.
/// The format of `text/plain` and `application/vnd.ms-excel` is found by the content.
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
    let on_duplicate = query.on_duplicate.value()?.unwrap_or_default();
    let (dates, is_strict) = (query.dates.value()?, query.strict.value()?.unwrap_or(false));
    let limiter = &state.import_limiter;
    let _permit = limiter.upload(caller.actor.user_id)?;
    let quota = if is_dry_run { Quota::DryRuns } else { Quota::Imports };
    quota::consume(&state.db, &state.auth, quota, caller.actor.user_id).await?;
    let Upload { file, format, charset } = upload::receive(&request, body, format, limiter.max_bytes).await?;
    let options = ReadOptions { charset, dates, is_strict };
    let import = Import { file, format, options, on_duplicate, is_dry_run };
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
/// Deletes the contacts that it created, with all later changes of them, and brings back those that it updated as they were
/// before. If a later import has updated such a contact too, it stays, until that import is undone.
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
