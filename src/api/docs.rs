//! OpenAPI document, generated from the route table, and Swagger UI. Also the responses to unknown paths (404) and
//! methods (405), because the document has every path and method.

use std::sync::LazyLock;

use actix_web::dev::ResourceDef;
use actix_web::guard::{self, Guard};
use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse};
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::security::{Flow, HttpAuthScheme, HttpBuilder, OAuth2, Password, Scopes, SecurityScheme};
use utoipa::openapi::{ContentBuilder, HeaderBuilder, ObjectBuilder, OpenApi, Ref, RefOr, Response, Type};
use utoipa::{OpenApi as _, PartialSchema as _, ToSchema as _};
use utoipa_actix_web::AppExt as _;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::api::http::extract::LiteralPaths;
use crate::api::http::problem::{self, Document, FieldProblem, Problem};
use crate::api::http::schemas::simplify_members;
use crate::api::pages;
use crate::error::Error;

/// Path of the token endpoint.
const TOKEN_URL: &str = "/api/v1/auth/token";

/// Path of the OpenAPI document.
const DOCUMENT_PATH: &str = "/api-docs/openapi.json";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "care4u", description = "Vaccine registration and identity.\n\n\
        Press **Authorize** and sign in with e-mail and password. Errors are problem documents (RFC 9457). Lists are \
        keyset-paged: send the `next_cursor` of a page as `cursor` to get the next page."),
    tags(
        (name = "auth", description = "Registration, log-in, token pair, password reset"),
        (name = "account", description = "Current user: profile, password, e-mail, sessions, activity, personal data"),
        (name = "contacts", description = "Contacts, birthdays, imports and exports"),
        (name = "users", description = "All accounts, for admins"),
        (name = "audit", description = "Audit trail, for admins"),
        (name = "vaccines", description = "Catalogue of vaccines"),
        (name = "vaccine-requests", description = "Vaccine requests and their review"),
        (name = "operations", description = "Health checks and keys"),
    )
)]
struct Base;

/// Generates the OpenAPI 3.1 document of all routes.
#[must_use]
pub fn openapi() -> OpenApi {
    let (_, mut document) =
        actix_web::App::new().into_utoipa_app().openapi(Base::openapi()).configure(super::routes).split_for_parts();
    let components = document.components.get_or_insert_default();
    for (name, schema) in [(Document::name(), Document::schema()), (FieldProblem::name(), FieldProblem::schema())] {
        components.schemas.insert(name.into_owned(), schema);
    }
    for schema in components.schemas.values_mut() {
        simplify_members(schema);
    }
    components.security_schemes.extend([("oauth2".to_owned(), oauth2().into()), ("token".to_owned(), bearer().into())]);
    for (path, item) in &mut document.paths.paths {
        for operation in operations(item) {
            complete_operation(path, operation);
        }
    }
    remove_unused_schemas(&mut document);
    document
}

/// Removes schemas without a reference: those of value types, which are inlined into each member with its description.
fn remove_unused_schemas(document: &mut OpenApi) {
    let json = document.to_json().unwrap_or_default();
    if let Some(components) = &mut document.components {
        components.schemas.retain(|name, _| json.contains(&format!("\"#/components/schemas/{name}\"")));
    }
}

fn oauth2() -> SecurityScheme {
    let flow = Password::with_refresh_url(TOKEN_URL, Scopes::new(), TOKEN_URL);
    SecurityScheme::OAuth2(OAuth2::with_description(
        [Flow::Password(flow)],
        "Sign in with e-mail and password. Leave the client fields empty.",
    ))
}

fn bearer() -> SecurityScheme {
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
    SecurityScheme::Http(scheme.description(Some("The access token of a token pair.")).build())
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete].into_iter().flatten()
}

/// Completes an operation: adds the error responses of its extractors and guard, default descriptions, and headers.
fn complete_operation(path: &str, operation: &mut Operation) {
    let has_body = operation.request_body.is_some();
    let is_json = matches!(&operation.request_body, Some(RefOr::T(body))
        if body.content.keys().any(|kind| kind.ends_with("json")));
    let parameters = operation.parameters.as_deref().unwrap_or_default();
    let has_query = parameters
        .iter()
        .any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query));
    let has_id = path.contains('{');
    let touches_database = path.starts_with("/api/") || path.ends_with("/ready");
    let standard = [
        ("400", has_body || operation.security.is_some(), "The request is malformed"),
        ("401", operation.security.is_some(), "There is no access token, or it is not valid"),
        ("404", has_id, "The resource does not exist, or the user may not see it"),
        ("408", has_body, "The body did not arrive in time"),
        ("413", has_body, "The body is too large"),
        ("415", is_json, "The media type of the body is not JSON"),
        ("422", is_json || has_query || has_id, "Values are invalid; `errors` lists all of them"),
        ("500", touches_database, "Internal error of the service"),
        ("503", touches_database, "Try again after `Retry-After` seconds"),
    ];
    for (status, applies, description) in standard {
        if applies && !operation.responses.responses.contains_key(status) {
            let response = Response::new(description);
            operation.responses.responses.insert(status.to_owned(), RefOr::T(response));
        }
    }
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        if response.description.is_empty() {
            let phrase = StatusCode::from_bytes(status.as_bytes()).ok().and_then(|status| status.canonical_reason());
            phrase.unwrap_or("Done").clone_into(&mut response.description);
        }
        if status.starts_with(['4', '5']) && response.content.is_empty() {
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(Document::name()))).build();
            response.content.insert(problem::MEDIA_TYPE.to_owned(), content.into());
        }
        if let Some((name, description)) = standard_header(status) {
            let text = ObjectBuilder::new().schema_type(Type::String);
            let header = HeaderBuilder::new().schema(Some(text)).description(Some(description)).build();
            response.headers.insert(name.to_owned(), header.into());
        }
    }
}

fn standard_header(status: &str) -> Option<(&'static str, &'static str)> {
    match status {
        "401" => Some(("WWW-Authenticate", "Challenge (RFC 6750 §3)")),
        "429" => Some(("Retry-After", "Seconds to wait")),
        "503" => Some(("Retry-After", "Seconds to wait")),
        _ => None,
    }
}

/// Generated at the first request, so that an idle service does not hold it in memory.
static DOCS: LazyLock<Docs> = LazyLock::new(Docs::new);

struct Docs {
    json: Bytes,
    /// Each path with its allowed methods; paths without parameters come first.
    methods: Vec<(ResourceDef, String)>,
}

impl Docs {
    fn new() -> Self {
        let mut document = openapi();
        let json = document.to_json().unwrap_or_default().into();
        let mut methods: Vec<_> = document
            .paths
            .paths
            .iter_mut()
            .map(|(path, item)| (path.clone(), ResourceDef::new(path.as_str()), allowed_methods(item)))
            .collect();
        methods.sort_by_key(|(path, ..)| path.matches('{').count());
        // Served below; they are not operations of the API.
        for path in ["/", "/problems", "/docs", "/docs/{_:.*}", DOCUMENT_PATH] {
            methods.push((path.to_owned(), ResourceDef::new(path), "GET, HEAD".to_owned()));
        }
        Self { json, methods: methods.into_iter().map(|(_, path, allowed_methods)| (path, allowed_methods)).collect() }
    }
}

/// Registers the OpenAPI document, Swagger UI, and the default service for all other paths and methods.
pub fn configure(config: &mut web::ServiceConfig) {
    let settings = Config::from(DOCUMENT_PATH).try_it_out_enabled(true).validator_url("none");
    config
        .app_data(LiteralPaths(methods_of_literal_path))
        .route("/", web::route().guard(get_or_head()).to(pages::start))
        .route("/problems", web::route().guard(get_or_head()).to(pages::problems))
        .route(DOCUMENT_PATH, web::get().to(document))
        .service(web::redirect("/docs", "/docs/"))
        .service(SwaggerUi::new("/docs/{_:.*}").config(settings))
        .default_service(web::to(default_service));
}

/// Guard for GET and HEAD.
fn get_or_head() -> impl Guard {
    guard::Any(guard::Get()).or(guard::Head())
}

async fn document() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(DOCS.json.clone())
}

/// Default service: 405 for a known path, else 404.
async fn default_service(request: HttpRequest) -> HttpResponse {
    match DOCS.methods.iter().find(|(path, _)| path.is_match(request.path())) {
        Some((_, allowed_methods)) => Problem::method_not_allowed(allowed_methods).response(),
        None => Problem::from(Error::NotFound).response(),
    }
}

/// The methods of a path that the document has literally, without parameters.
fn methods_of_literal_path(path: &str) -> Option<&'static str> {
    DOCS.methods.iter().find(|(known, _)| known.pattern() == Some(path)).map(|(_, methods)| methods.as_str())
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
