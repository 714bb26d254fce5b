//! Imports of invitations from CSV files of e-mail addresses.

use actix_web::{HttpRequest, HttpResponse, post, web};
use entity::{ContactFormat, Role};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::api::contacts::upload::{self, Upload};
use crate::api::http::extract::Query;
use crate::api::http::field::{Field, Optional as _};
use crate::api::http::problem::{FieldProblem, Problem};
use crate::domain::vaccination::catalogue::EXAMPLE_ID;
use crate::domain::vaccination::invitation_import::{self, Import, MAX_BYTES, Outcome, Report, Row};
use crate::domain::vaccination::invitations::{Label, Terms};
use crate::domain::values::caller::Caller;
use crate::domain::values::instant::Instant;
use crate::error::Error;
use crate::state::AppState;

/// What was done with a row.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowStatus {
    /// An invitation was created, and is mailed.
    Created,
    /// The address has an invitation for the course and the centre that was not used yet.
    Existing,
    /// The row is invalid.
    Rejected,
}

/// A form with a file of addresses.
#[derive(ToSchema)]
#[expect(dead_code, reason = "documents the form, which is read as a stream")]
pub struct InvitationFile {
    /// The CSV file.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// What the invitations of an import are for, and when they can be used.
#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ImportInvitations {
    /// The course for which they can be used.
    #[serde(default)]
    #[validate(nested)]
    #[param(value_type = Uuid, required = true, example = json!(EXAMPLE_ID))]
    course_id: Field<Uuid>,
    /// The only centre in whose slots they count, one in which the actor acts; all centres by default.
    #[validate(nested)]
    #[param(value_type = Option<Uuid>)]
    centre_id: Option<Field<Uuid>>,
    /// Begin (RFC 3339); now by default.
    #[validate(nested)]
    #[param(inline)]
    valid_from: Option<Field<Instant>>,
    /// End, exclusive (RFC 3339); at most 800 days from now.
    #[serde(default)]
    #[validate(nested)]
    #[param(inline, required = true, example = "2028-12-31T23:00:00Z")]
    valid_until: Field<Instant>,
    /// Note of staff.
    #[validate(nested)]
    #[param(inline)]
    label: Option<Field<Label>>,
    /// Whether it is a dry run, which only reports and changes nothing; false by default.
    #[validate(nested)]
    #[param(inline)]
    dry_run: Option<Field<bool>>,
}

impl ImportInvitations {
    fn terms(self) -> Result<Terms, Error> {
        Ok(Terms {
            course_id: self.course_id.value()?,
            centre_id: self.centre_id.value()?,
            valid_from: self.valid_from.value()?.map(Instant::time),
            valid_until: self.valid_until.value()?.time(),
            label: self.label.value()?,
        })
    }
}

/// Result of an import of invitations.
#[derive(Serialize, ToSchema)]
pub struct InvitationReport {
    /// Whether it was a dry run, which changed nothing.
    dry_run: bool,
    /// Number of invitations that were created; of a dry run, that would be created.
    #[schema(example = 120, minimum = 0)]
    created: usize,
    /// Number of addresses that had one already.
    #[schema(example = 3, minimum = 0)]
    existing: usize,
    /// Number of rows that were rejected.
    #[schema(example = 1, minimum = 0)]
    rejected: usize,
    /// All rows, in the order of the file.
    rows: Vec<InvitationRow>,
}

/// A row of a file of addresses.
#[derive(Serialize, ToSchema)]
pub struct InvitationRow {
    /// Line of the file on which the row begins, from 1.
    #[schema(example = 17, minimum = 1)]
    line: u64,
    /// The address; if it is not valid, as it is in the file; null if it cannot be read.
    #[schema(required = true, example = "ada@example.org")]
    email: Option<String>,
    status: RowStatus,
    /// The invitation of the address; null if there is none, also in a dry run.
    #[schema(required = true, example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    invitation_id: Option<Uuid>,
    /// All violations of a rejected row.
    errors: Vec<FieldProblem>,
}

impl From<Report> for InvitationReport {
    fn from(report: Report) -> Self {
        let dry_run = report.is_dry_run;
        let rows: Vec<_> = report.rows.into_iter().map(InvitationRow::from).collect();
        let count = |status| rows.iter().filter(|row| row.status == status).count();
        let (created, existing, rejected) =
            (count(RowStatus::Created), count(RowStatus::Existing), count(RowStatus::Rejected));
        Self { dry_run, created, existing, rejected, rows }
    }
}

impl From<Row> for InvitationRow {
    fn from(row: Row) -> Self {
        let (status, invitation_id, violation) = match row.outcome {
            Outcome::Created(id) => (RowStatus::Created, id, None),
            Outcome::Existing(id) => (RowStatus::Existing, Some(id), None),
            Outcome::Rejected(violation) => (RowStatus::Rejected, None, Some(violation)),
        };
        let errors = violation.into_iter().map(FieldProblem::from).collect();
        Self { line: row.line, email: row.email, status, invitation_id, errors }
    }
}

/// Import invitations
///
/// Creates an invitation for each e-mail address of a CSV file, bound to the address, and mails its code. Invalid and
/// repeated addresses are rejected. An address that has an invitation for this course and centre, which was not used yet,
/// gets no other.
///
/// The first line of the file contains the column names, one of which is `email`; other columns are ignored. A file of
/// addresses alone needs no such line. It has at most 10,000 rows, in UTF-8.
///
/// The file is the body, or the part `file` of a form.
///
/// **Open to:** staff; with a centre, the staff of the centre and admins.
#[utoipa::path(
    operation_id = "import_invitations", tag = "invitations", security(("oauth2" = []), ("token" = [])),
    params(ImportInvitations),
    request_body(content(
        (InvitationFile = "multipart/form-data"),
        (String = "text/csv", example = json!("email\nada@example.org\nbyron@example.org\n")),
    )),
    responses(
        (status = 200, body = InvitationReport, description = "Nothing was changed: a dry run, or nothing to create"),
        (status = 201, body = InvitationReport),
        (status = 403, description = "Needs the role staff"),
        (status = 415, description = "The format of the file is not CSV"),
        (status = 422, description = "The file is invalid or has too many rows; nothing was changed"),
    )
)]
#[post("/import")]
pub async fn import(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    Query(mut query): Query<ImportInvitations>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    // Before the body is read.
    caller.actor.require(Role::Staff)?;
    upload::check_csv(&request)?;
    let is_dry_run = query.dry_run.take().value()?.unwrap_or(false);
    let terms = query.terms()?;
    let _permit = state.import_limiter.upload(caller.actor.user_id)?;
    let Upload { file, .. } = upload::receive(&request, body, Some(ContactFormat::Csv), MAX_BYTES).await?;
    let import = Import { file, terms, is_dry_run };
    let report = InvitationReport::from(invitation_import::import(&state.db, &state.auth, &caller, import).await?);
    let is_created = !report.dry_run && report.created > 0;
    let mut response = if is_created { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(response.json(report))
}
