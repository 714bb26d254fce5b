//! Upload of a file, such as one of contacts: as the body of the request, or as the part `file` of a form.

use std::fs::File;
use std::time::Duration;

use actix_multipart::{Field as Part, Multipart, MultipartError};
use actix_web::error::PayloadError;
use actix_web::http::header::{self, Header as _};
use actix_web::mime::Mime;
use actix_web::web::{self, Bytes};
use actix_web::{HttpMessage as _, HttpRequest};
use entity::ContactFormat;
use futures_util::{Stream, StreamExt as _};
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};
use utoipa::ToSchema;

use crate::api::contacts::contact_exports::{MEDIA_TYPES, format_of};
use crate::api::http::extract::BODY_TIMEOUT;
use crate::api::http::problem::Problem;
use crate::domain::contacts::address_book::{self, Encoding};
use crate::error::{Error, Violation};

/// Timeout for the upload of a file.
const FILE_TIMEOUT: Duration = Duration::from_secs(300);

/// Maximum number of bytes of a form around its file.
const MAX_FORM_OVERHEAD: u64 = 64 * 1024;

/// Media type of a form with a file (RFC 7578).
const FORM: &str = "multipart/form-data";

/// A form with a file.
#[derive(ToSchema)]
#[expect(dead_code, reason = "documents the form, which is read as a stream")]
pub struct ContactFile {
    /// The file. Its name ends with `.csv` or `.vcf`, or the part has the media type of one.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// A file that was received, with its format.
pub struct Upload {
    /// The file, at its beginning.
    pub file: File,
    /// Its format.
    pub format: ContactFormat,
    /// Its declared character set.
    pub charset: Option<&'static Encoding>,
}

/// Checks, before the body is read, that its format is known.
///
/// # Errors
/// An unsupported media type.
pub fn check_media_type(request: &HttpRequest, format: Option<ContactFormat>) -> Result<(), Problem> {
    let media_type = request.content_type();
    let is_known = is_form(request) || format.is_some() || format_of(media_type).is_some() || is_generic(media_type);
    let charset = header::ContentType::parse(request).ok().map(|content_type| declared(&content_type.0));
    if is_known && !matches!(charset, Some(Err(_))) { Ok(()) } else { Err(unsupported()) }
}

/// Whether files of a media type may be of contacts: the name that browsers give to CSV where Excel is installed, and plain text.
fn is_generic(media_type: &str) -> bool {
    ["text/plain", "application/vnd.ms-excel", "application/octet-stream"]
        .iter()
        .any(|known| media_type.eq_ignore_ascii_case(known))
}

/// The character set that a media type declares.
fn declared(media_type: &Mime) -> Result<Option<&'static Encoding>, Problem> {
    let Some(name) = media_type.get_param("charset") else { return Ok(None) };
    address_book::charset(name.as_str()).map(Some).ok_or_else(unsupported)
}

/// Checks, before the body is read, that it is a CSV file or a form.
///
/// # Errors
/// An unsupported media type.
pub fn check_csv(request: &HttpRequest) -> Result<(), Problem> {
    let is_csv = is_form(request) || format_of(request.content_type()) == Some(ContactFormat::Csv);
    if is_csv && is_utf8(request) {
        return Ok(());
    }
    Err(Problem::unsupported_media_type(&format!("text/csv, in UTF-8, or {FORM} with a file of this type")))
}

/// Receives a file within its limits of size and time. `format` overrides what the request says.
///
/// # Errors
/// An unsupported media type, a file that is too large or too slow, or a form without exactly one part `file`.
pub async fn receive(
    request: &HttpRequest,
    body: web::Payload,
    format: Option<ContactFormat>,
    max_bytes: u64,
) -> Result<Upload, Problem> {
    let upload = async {
        let too_large = || Problem::too_large(usize::try_from(max_bytes).unwrap_or(usize::MAX));
        let content_length =
            header::ContentLength::parse(request).map_or(0, |length| u64::try_from(*length).unwrap_or(u64::MAX));
        let overhead = if is_form(request) { MAX_FORM_OVERHEAD } else { 0 };
        if content_length > max_bytes.saturating_add(overhead) {
            return Err(too_large());
        }
        if is_form(request) {
            return receive_form(request, body, format, max_bytes).await;
        }
        let content_type = header::ContentType::parse(request).ok();
        let charset = content_type.map_or(Ok(None), |content_type| declared(&content_type.0))?;
        let format = format.or_else(|| format_of(request.content_type()));
        upload(write_to_file(body, max_bytes).await?, format, charset).await
    };
    tokio::time::timeout(FILE_TIMEOUT, upload).await.map_err(|_| Problem::request_timeout())?
}

async fn receive_form(
    request: &HttpRequest,
    body: web::Payload,
    format: Option<ContactFormat>,
    max_bytes: u64,
) -> Result<Upload, Problem> {
    let mut form = Multipart::new(request.headers(), body);
    let required = || Problem::from(Error::from(Violation::new("file", "required", "is required")));
    let part = next_part(&mut form).await?.ok_or_else(required)?;
    check_name(&part)?;
    let charset = part.content_type().map_or(Ok(None), declared)?;
    let format = format.or_else(|| format_of_part(&part));
    if format.is_none() && part.content_type().is_some_and(|media_type| !is_generic(media_type.essence_str())) {
        return Err(unsupported());
    }
    let file = write_to_file(part, max_bytes).await?;
    match next_part(&mut form).await? {
        None => upload(file, format, charset).await,
        Some(other) => {
            check_name(&other)?;
            Err(Error::from(Violation::new("file", "repeated", "must be one file")).into())
        }
    }
}

/// Upload of a received file. Without a declared format, the format is detected from the content.
async fn upload(
    mut file: File,
    format: Option<ContactFormat>,
    charset: Option<&'static Encoding>,
) -> Result<Upload, Problem> {
    if let Some(format) = format {
        return Ok(Upload { file, format, charset });
    }
    let found = web::block(move || address_book::find_format(&mut file, charset).map(|format| (file, format)));
    let (file, format) = found.await.map_err(Error::internal)??;
    Ok(Upload { file, format: format.ok_or_else(unsupported)?, charset })
}

async fn next_part(form: &mut Multipart) -> Result<Option<Part>, Problem> {
    let part = tokio::time::timeout(BODY_TIMEOUT, form.next()).await.map_err(|_| Problem::request_timeout())?;
    part.transpose().map_err(|_| Problem::malformed("The form could not be read."))
}

/// Checks that the part is the file.
fn check_name(part: &Part) -> Result<(), Problem> {
    match part.name() {
        Some("file") => Ok(()),
        Some(name) => Err(Error::from(Violation::new(name.to_owned(), "unknown", "is not known")).into()),
        None => Err(Problem::malformed("A part of the form has no name.")),
    }
}

/// The format of a file, by its name, or else by its media type, which depends on the programs that are installed.
fn format_of_part(part: &Part) -> Option<ContactFormat> {
    let disposition = part.content_disposition();
    let name = disposition.and_then(|disposition| disposition.get_filename());
    // `filename*`, for names that are not ASCII.
    let extended = disposition.and_then(|disposition| disposition.get_filename_ext());
    let extended = extended.map(|name| String::from_utf8_lossy(&name.value).into_owned());
    let name = name.map(str::to_owned).or(extended).unwrap_or_default();
    let (_, extension) = name.rsplit_once('.').unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "csv" => Some(ContactFormat::Csv),
        "vcf" | "vcard" => Some(ContactFormat::VCard),
        _ => format_of(part.content_type()?.essence_str()),
    }
}

fn is_form(request: &HttpRequest) -> bool {
    request.content_type().eq_ignore_ascii_case(FORM)
}

fn is_utf8(request: &HttpRequest) -> bool {
    let content_type = header::ContentType::parse(request).ok();
    let charset =
        content_type.and_then(|content_type| content_type.0.get_param("charset").map(|name| name.to_string()));
    charset.is_none_or(|name| is_utf8_charset(&name))
}

fn is_utf8_charset(name: &str) -> bool {
    ["utf-8", "utf8", "us-ascii"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn unsupported() -> Problem {
    Problem::unsupported_media_type(&format!(
        "{MEDIA_TYPES}, in a known character set, or {FORM} with a file of these types"
    ))
}

/// Error of a stream of bytes.
trait ReadError {
    /// Whether the client has sent something else than the format of the body.
    fn problem(self) -> Problem;
}

impl ReadError for PayloadError {
    fn problem(self) -> Problem {
        Problem::malformed("The body could not be read.")
    }
}

impl ReadError for MultipartError {
    fn problem(self) -> Problem {
        Problem::malformed("The form could not be read.")
    }
}

/// Writes bytes to an unnamed temporary file, which is deleted with the request.
async fn write_to_file<E: ReadError>(
    mut body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    max_bytes: u64,
) -> Result<File, Problem> {
    let file = web::block(tempfile::tempfile).await.map_err(Error::internal)?.map_err(Error::internal)?;
    let mut file = tokio::fs::File::from_std(file);
    let mut bytes = 0;
    loop {
        let chunk = tokio::time::timeout(BODY_TIMEOUT, body.next()).await.map_err(|_| Problem::request_timeout())?;
        let Some(chunk) = chunk else { break };
        let chunk = chunk.map_err(ReadError::problem)?;
        bytes += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        if bytes > max_bytes {
            return Err(Problem::too_large(usize::try_from(max_bytes).unwrap_or(usize::MAX)));
        }
        file.write_all(&chunk).await.map_err(Error::internal)?;
    }
    file.flush().await.map_err(Error::internal)?;
    file.rewind().await.map_err(Error::internal)?;
    Ok(file.into_std().await)
}
