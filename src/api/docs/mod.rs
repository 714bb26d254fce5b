//! OpenAPI document and Swagger UI. Also the responses to unknown paths (404) and methods (405), because the document has
//! every path and method.

mod assets;
mod openapi;
mod responses;

use std::sync::{LazyLock, OnceLock};

use actix_web::dev::ResourceDef;
use actix_web::guard::{self, Guard};
use actix_web::http::header::{self, Accept, Header as _, HeaderValue};
use actix_web::mime;
use actix_web::web;
use actix_web::{HttpRequest, HttpResponse};
use utoipa::openapi::path::PathItem;

use crate::api::http::extract::LiteralPaths;
use crate::api::http::problem::Problem;
use crate::api::pages;
use crate::error::Error;
use assets::Asset;
pub use openapi::openapi;

/// Path of the OpenAPI document.
const DOCUMENT_PATH: &str = "/api-docs/openapi.json";

/// Documentation that is served.
#[derive(Debug, Default)]
pub struct Docs {
    /// Whether Swagger UI and the OpenAPI document are served.
    pub is_enabled: bool,
    /// Address of the service for clients, such as `https://clinic.example/care4u`, without a slash at the end.
    pub public_url: Option<String>,
    /// Generated at the first request, so that an idle service does not hold it in memory.
    document: OnceLock<Option<Asset>>,
}

impl Docs {
    /// Documentation at an address.
    #[must_use]
    pub fn new(is_enabled: bool, public_url: Option<String>) -> Self {
        Self { is_enabled, public_url, document: OnceLock::new() }
    }

    fn document(&self) -> Option<&Asset> {
        let generate = || {
            let json = openapi(self.public_url.as_deref()).to_json().ok()?;
            Asset::new("application/json", json.as_bytes()).ok()
        };
        self.document.get_or_init(generate).as_ref()
    }
}

/// Each path with its allowed methods; paths without parameters come first.
static METHODS: LazyLock<Vec<(ResourceDef, String)>> = LazyLock::new(|| {
    let mut document = openapi(None);
    let mut methods: Vec<_> =
        document.paths.paths.iter_mut().map(|(path, item)| (path.clone(), allowed_methods(item))).collect();
    methods.sort_by_key(|(path, _)| path.matches('{').count());
    // Served below; they are not operations of the API.
    for path in ["/", "/problems", "/docs", "/docs/{_:.*}", DOCUMENT_PATH] {
        methods.push((path.to_owned(), "GET, HEAD".to_owned()));
    }
    methods.into_iter().map(|(path, methods)| (ResourceDef::new(path.as_str()), methods)).collect()
});

/// Registers the pages, the OpenAPI document, Swagger UI, and the default service for all other paths and methods.
pub fn configure(config: &mut web::ServiceConfig, docs: web::Data<Docs>) {
    let is_enabled = docs.is_enabled;
    let get = || web::route().guard(get_or_head());
    config
        .app_data(LiteralPaths(methods_of_literal_path))
        .app_data(docs)
        .route("/", get().to(pages::start))
        .route("/problems", get().to(pages::problems));
    if is_enabled {
        config
            .route(DOCUMENT_PATH, get().to(document))
            .route("/docs", get().to(add_slash))
            .route("/docs/{file:.*}", get().to(file));
    }
    config.default_service(web::to(default_service));
}

/// Guard for GET and HEAD.
fn get_or_head() -> impl Guard {
    guard::Any(guard::Get()).or(guard::Head())
}

async fn document(request: HttpRequest, docs: web::Data<Docs>) -> Result<HttpResponse, Problem> {
    let document = docs.document().ok_or(Error::NotFound)?;
    Ok(document.response(&request)?)
}

/// Leads to the page, relative to the address, which may have the path prefix of a proxy.
async fn add_slash() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "docs/")).finish()
}

async fn file(request: HttpRequest, name: web::Path<String>) -> Result<HttpResponse, Problem> {
    match assets::find(&name) {
        Some(asset) => Ok(asset.response(&request)?),
        None => Ok(not_found(&request)),
    }
}

/// Default service: 405 for a known path, else 404. Browsers get a page that leads on.
async fn default_service(request: HttpRequest, docs: web::Data<Docs>) -> HttpResponse {
    let is_off = |path: &str| !docs.is_enabled && (path.starts_with("/docs") || path == DOCUMENT_PATH);
    match METHODS.iter().find(|(path, _)| path.is_match(request.path())) {
        Some((_, allowed_methods)) if !is_off(request.path()) => {
            Problem::method_not_allowed(allowed_methods).response()
        }
        _ => not_found(&request),
    }
}

fn not_found(request: &HttpRequest) -> HttpResponse {
    let is_page = prefers_html(request);
    let mut response = if is_page { pages::not_found(request) } else { Problem::from(Error::NotFound).response() };
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Accept"));
    response
}

/// Whether the client is a browser that navigates.
fn prefers_html(request: &HttpRequest) -> bool {
    let accepted = Accept::parse(request).map(|accept| accept.ranked()).unwrap_or_default();
    accepted.first().is_some_and(|first| first.essence_str() == mime::TEXT_HTML.essence_str())
}

/// The methods of a path that the document has literally, without parameters.
fn methods_of_literal_path(path: &str) -> Option<&'static str> {
    METHODS.iter().find(|(known, _)| known.pattern() == Some(path)).map(|(_, methods)| methods.as_str())
}

fn allowed_methods(item: &PathItem) -> String {
    let methods = [
        ("GET, HEAD", item.get.is_some()),
        ("POST", item.post.is_some()),
        ("PUT", item.put.is_some()),
        ("PATCH", item.patch.is_some()),
        ("DELETE", item.delete.is_some()),
    ];
    methods.into_iter().filter(|(_, exists)| *exists).map(|(name, _)| name).collect::<Vec<_>>().join(", ")
}
