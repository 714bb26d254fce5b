//! Pages for people: `/` leads to the documentation, `/problems` lists the problem types.

use std::fmt::Write as _;
use std::sync::LazyLock;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, ContentType};
use actix_web::{HttpRequest, HttpResponse, web};
use strum::VariantArray as _;

use crate::api::docs::Docs;
use crate::api::http::problem_kind::ProblemKind;

/// Content security policy: the pages have no scripts, and only inline styles.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; \
    frame-ancestors 'none'";

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;\
    color-scheme:light dark}table{border-collapse:collapse}th,td{text-align:left;vertical-align:top;\
    padding:.3rem .8rem .3rem 0;border-bottom:1px solid #8884}";

/// Links to the documentation, if it is served.
const DOCS_LINKS: &str = "<li><a href=\"docs/\">Documentation of the API</a>, to read and to try out (Swagger UI)</li>\
    <li><a href=\"api-docs/openapi.json\">OpenAPI document</a></li>";

/// The list of problem types.
static PROBLEMS: LazyLock<String> = LazyLock::new(|| {
    let mut body = String::from(
        "<p>Each error response of the API is a problem document (RFC 9457) of one of these types. \
         <a href=\"./\">Start page</a></p>\
         <table><thead><tr><th>Status</th><th>Type</th><th>Title</th><th>Meaning</th><th>What to do</th></tr></thead>\
         <tbody>",
    );
    for kind in ProblemKind::VARIANTS {
        let entry = kind.entry();
        // Writing to a String does not fail.
        let _ = write!(
            body,
            "<tr id=\"{code}\"><td>{status}</td><td><code>{uri}</code></td><td>{title}</td><td>{meaning}</td>\
             <td>{remedy}</td></tr>",
            code = entry.code,
            status = entry.status.as_u16(),
            uri = kind.uri(),
            title = entry.title,
            meaning = escaped(entry.meaning),
            remedy = escaped(entry.remedy),
        );
    }
    body.push_str("</tbody></table>");
    page("Problem types", &body)
});

fn page(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{title}</title>\
         <style>{STYLE}</style></head><body><h1>{title}</h1>{body}</body></html>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// `GET /`
pub async fn start(docs: web::Data<Docs>) -> HttpResponse {
    let links = if docs.is_enabled { DOCS_LINKS } else { "" };
    let body = format!(
        "<p>Vaccine registration and identity.</p><ul>{links}\
         <li><a href=\"problems\">Problem types</a>: the errors of the API, and what to do</li></ul>"
    );
    html(StatusCode::OK, page("care4u", &body))
}

/// `GET /problems`
pub async fn problems() -> HttpResponse {
    html(StatusCode::OK, PROBLEMS.clone())
}

/// The answer to an unknown path, for a browser. The link is relative, because a proxy may add a path prefix.
pub fn not_found(request: &HttpRequest) -> HttpResponse {
    let depth = request.path().matches('/').count().saturating_sub(1);
    let start = if depth == 0 { "./".to_owned() } else { "../".repeat(depth) };
    let body = format!("<p>There is nothing at this address. <a href=\"{start}\">Start page</a></p>");
    html(StatusCode::NOT_FOUND, page("Not found", &body))
}

fn html(status: StatusCode, page: String) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .content_type(ContentType::html())
        .body(page)
}
