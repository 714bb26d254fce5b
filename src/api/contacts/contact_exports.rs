//! Export of contacts as a file, CSV or vCard.

use actix_web::http::header::{self, Accept, Header as _, Quality};
use actix_web::mime::Mime;
use actix_web::{HttpRequest, HttpResponse, get, web};
use entity::ContactFormat;
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use crate::api::http::extract::{CurrentUser, Query};
use crate::api::http::field::{Field, Optional as _};
use crate::api::http::problem::Problem;
use crate::api::http::streaming::prefetched;
use crate::domain::contacts::address_book::{CardVersion, Cells, WriteOptions};
use crate::domain::contacts::contact_exports;
use crate::state::AppState;

/// Media types of contact files.
pub(in crate::api) const MEDIA_TYPES: &str = "text/csv or text/vcard";

/// Format of an export.
#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ExportContacts {
    /// Format, instead of the preference in the header `Accept`; CSV by default.
    #[validate(nested)]
    #[param(inline)]
    format: Option<Field<ContactFormat>>,
    /// Version of vCards: `4.0` (the default), or `3.0` for programs that read nothing newer, such as Android.
    #[validate(nested)]
    #[param(inline)]
    version: Option<Field<CardVersion>>,
    /// Whether CSV begins with a byte order mark, by which Excel knows UTF-8; false by default.
    #[validate(nested)]
    #[param(inline)]
    bom: Option<Field<bool>>,
    /// Whether cells of CSV that a spreadsheet would take for a formula begin with an apostrophe; false by default. Such a file
    /// is not imported unchanged.
    #[validate(nested)]
    #[param(inline)]
    safe: Option<Field<bool>>,
}

/// Export all contacts
///
/// Returns a file with all contacts of the user, as CSV (RFC 4180) or vCards (RFC 6350, or RFC 2426 with `version=3.0`). Importing
/// it again changes nothing.
///
/// **Open to:** anyone signed in, for themselves.
#[utoipa::path(
    operation_id = "export_contacts", tag = "contacts", security(("oauth2" = []), ("token" = [])),
    params(ExportContacts),
    responses(
        (status = 200, content((String = "text/csv"), (String = "text/vcard")),
            description = "CSV (RFC 4180) or vCards (RFC 6350)"),
    )
)]
#[get("/export")]
pub async fn export(
    state: web::Data<AppState>,
    user: CurrentUser,
    request: HttpRequest,
    Query(query): Query<ExportContacts>,
) -> Result<HttpResponse, Problem> {
    let format = match query.format.value()? {
        Some(format) => format,
        None => preferred_format(&request),
    };
    let (media_type, name) = match format {
        ContactFormat::Csv => ("text/csv; charset=utf-8; header=present", "contacts.csv"),
        ContactFormat::VCard => ("text/vcard; charset=utf-8", "contacts.vcf"),
    };
    let cells = Cells {
        has_byte_order_mark: query.bom.value()?.unwrap_or(false),
        are_safe: query.safe.value()?.unwrap_or(false),
    };
    let options = WriteOptions { format, version: query.version.value()?.unwrap_or_default(), cells };
    let chunks = contact_exports::stream(state.db.clone(), *user, options);
    let mut response = HttpResponse::Ok();
    response.content_type(media_type).insert_header((header::VARY, "Accept"));
    response.insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")));
    Ok(response.streaming(prefetched(chunks).await?))
}

/// The format that the client prefers, or CSV. A header `Accept` with neither of the two is ignored (RFC 9110 §12.5.1).
fn preferred_format(request: &HttpRequest) -> ContactFormat {
    let ranges = Accept::parse(request).map(|accept| accept.0).unwrap_or_default();
    // Of all media ranges that match a media type, the most specific one counts.
    let quality = |format: ContactFormat| {
        let rank = |range: &Mime| match range.essence_str() {
            "*/*" => Some(1),
            "text/*" => Some(2),
            essence => (format_of(essence) == Some(format)).then_some(3),
        };
        let matching = ranges.iter().filter_map(|range| Some((rank(&range.item)?, range.quality)));
        matching.max_by_key(|(rank, _)| *rank).map_or(Quality::ZERO, |(_, quality)| quality)
    };
    let (csv, vcard) = (quality(ContactFormat::Csv), quality(ContactFormat::VCard));
    if vcard > csv { ContactFormat::VCard } else { ContactFormat::Csv }
}

/// The format of a media type.
pub(in crate::api) fn format_of(media_type: &str) -> Option<ContactFormat> {
    match media_type.to_ascii_lowercase().as_str() {
        "text/csv" => Some(ContactFormat::Csv),
        "text/vcard" | "text/x-vcard" | "text/directory" => Some(ContactFormat::VCard),
        _ => None,
    }
}
