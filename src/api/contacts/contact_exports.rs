//! Contacts as a file, CSV or vCards, to take along. Bringing one in is in `contact_imports`.

use actix_web::http::header::{self, Accept, Header as _, Quality};
use actix_web::mime::Mime;
use actix_web::{HttpRequest, HttpResponse, get, web};
use entity::ContactFormat;
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use crate::api::http::extract::{CurrentUser, Query};
use crate::api::http::problem::Problem;
use crate::api::http::streaming::begun;
use crate::domain::contacts::contact_exports;
use crate::state::AppState;

/// What contacts can be had as, in words.
pub(in crate::api) const OFFERED: &str = "text/csv or text/vcard";

/// What to take out.
#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ExportContacts {
    /// Instead of the header `Accept`; CSV when neither says anything.
    #[param(inline)]
    format: Option<ContactFormat>,
}

/// All the caller's contacts as a file.
///
/// **Open to:** anyone signed in, for themselves.
#[utoipa::path(
    operation_id = "export_contacts", tag = "contacts", security(("oauth2" = []), ("token" = [])),
    params(ExportContacts),
    responses(
        (status = 200, content((String = "text/csv"), (String = "text/vcard")),
            description = "CSV (RFC 4180) or vCards (RFC 6350)"),
        (status = 406, description = "Neither of the two is accepted"),
    )
)]
#[get("/export")]
pub async fn export(
    state: web::Data<AppState>,
    user: CurrentUser,
    request: HttpRequest,
    Query(query): Query<ExportContacts>,
) -> Result<HttpResponse, Problem> {
    let format = match query.format {
        Some(format) => format,
        None => accepted(&request).ok_or_else(|| Problem::not_acceptable(OFFERED))?,
    };
    let (media_type, name) = match format {
        ContactFormat::Csv => ("text/csv; charset=utf-8; header=present", "contacts.csv"),
        ContactFormat::VCard => ("text/vcard; charset=utf-8", "contacts.vcf"),
    };
    let pieces = contact_exports::stream(state.db.clone(), *user, format);
    let mut response = HttpResponse::Ok();
    response.content_type(media_type).insert_header((header::VARY, "Accept"));
    response.insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")));
    Ok(response.streaming(begun(pieces).await?))
}

/// The format that a client likes better (RFC 9110 §12.5.1), CSV where it does not matter.
fn accepted(request: &HttpRequest) -> Option<ContactFormat> {
    if !request.headers().contains_key(header::ACCEPT) {
        return Some(ContactFormat::Csv);
    }
    let ranges = Accept::parse(request).ok()?.0;
    // Of the ranges that a media type falls in, the narrowest counts.
    let quality = |format: ContactFormat| {
        let rank = |range: &Mime| match range.essence_str() {
            "*/*" => Some(1),
            "text/*" => Some(2),
            essence => (format_of(essence) == Some(format)).then_some(3),
        };
        let fitting = ranges.iter().filter_map(|range| Some((rank(&range.item)?, range.quality)));
        fitting.max_by_key(|(rank, _)| *rank).map_or(Quality::ZERO, |(_, quality)| quality)
    };
    let (csv, vcard) = (quality(ContactFormat::Csv), quality(ContactFormat::VCard));
    match (csv, vcard) {
        (Quality::ZERO, Quality::ZERO) => None,
        _ if vcard > csv => Some(ContactFormat::VCard),
        _ => Some(ContactFormat::Csv),
    }
}

/// The format that a media type stands for.
pub(in crate::api) fn format_of(media_type: &str) -> Option<ContactFormat> {
    match media_type.to_ascii_lowercase().as_str() {
        "text/csv" => Some(ContactFormat::Csv),
        "text/vcard" | "text/x-vcard" | "text/directory" => Some(ContactFormat::VCard),
        _ => None,
    }
}
