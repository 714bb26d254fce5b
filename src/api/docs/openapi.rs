//! OpenAPI 3.1 document, generated from the route table.

use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::schema::ArrayItems;
use utoipa::openapi::security::{Flow, HttpAuthScheme, HttpBuilder, OAuth2, Password, Scopes, SecurityScheme};
use utoipa::openapi::{HeaderBuilder, OpenApi, Ref, RefOr, Required, Schema, Server};
use utoipa::{OpenApi as _, PartialSchema as _, ToSchema as _};
use utoipa_actix_web::AppExt as _;

use super::responses;
use crate::api::http::booking_replies::{EligibilityReply, RuleReply, SlotReply};
use crate::api::http::paging::CURSOR_PATTERN;
use crate::api::http::problem::{Document, FieldProblem};
use crate::api::http::schemas::simplify_members;

/// Path of the token endpoint.
const TOKEN_PATH: &str = "/api/v1/auth/token";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "care4u", description = "Vaccine registration and identity.\n\n\
        Errors are problem documents (RFC 9457); [all types](../problems). Lists are keyset-paged: send the `next_cursor` \
        of a page as `cursor` to get the next page."),
    // In the order in which a person meets them.
    tags(
        (name = "auth", description = "Registration, log-in, token pair, password reset"),
        (name = "account", description = "Current user: profile, password, e-mail, sessions, activity, personal data"),
        (name = "vaccines", description = "Catalogue of vaccines"),
        (name = "vaccine-requests", description = "Vaccine requests, their review, and bookings"),
        (name = "waitlist", description = "Waitlist for places, and offers"),
        (name = "immunizations", description = "Doses that were given, here or elsewhere"),
        (name = "invitations", description = "Invitations to slots that can only be booked with one"),
        (name = "patients", description = "The people who are vaccinated"),
        (name = "centres", description = "Centres and their staff"),
        (name = "slots", description = "Slots of centres, with their places"),
        (name = "door", description = "The day at a centre: who comes, check-in, doses, walk-ins"),
        (name = "lots", description = "Lots of vaccines in stock at a centre"),
        (name = "courses", description = "Courses of doses, and their schedules"),
        (name = "contacts", description = "Contacts, birthdays, imports and exports"),
        (name = "users", description = "All accounts, for staff and admins"),
        (name = "audit", description = "Audit trail, for admins"),
        (name = "operations", description = "Health checks and keys"),
    )
)]
struct Base;

/// Generates the OpenAPI 3.1 document of all routes. `public_url` is the address of the service, if it is known;
/// otherwise all addresses in the document are relative to that of the service.
#[must_use]
pub fn openapi(public_url: Option<&str>) -> OpenApi {
    let routes = super::super::routes;
    let (_, mut document) =
        actix_web::App::new().into_utoipa_app().openapi(Base::openapi()).configure(routes).split_for_parts();
    let mut components = document.components.take().unwrap_or_default();
    for (name, schema) in [
        (Document::name(), Document::schema()),
        (FieldProblem::name(), FieldProblem::schema()),
        (EligibilityReply::name(), EligibilityReply::schema()),
        (RuleReply::name(), RuleReply::schema()),
        (SlotReply::name(), SlotReply::schema()),
    ] {
        components.schemas.insert(name.into_owned(), schema);
    }
    for (name, schema) in &mut components.schemas {
        simplify_members(schema);
        refer_to_items(name, schema);
    }
    let token_url = format!("{}{TOKEN_PATH}", public_url.unwrap_or_default());
    components
        .security_schemes
        .extend([("oauth2".to_owned(), oauth2(&token_url).into()), ("token".to_owned(), bearer().into())]);
    components.responses.extend(responses::shared());
    for (path, item) in &mut document.paths.paths {
        for operation in operations(item) {
            complete(operation);
            responses::add(path, operation, &components);
        }
    }
    document.components = Some(components);
    document.servers = Some(vec![Server::new(public_url.unwrap_or("/"))]);
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

/// Refers to the items of a page by name, and says that no item occurs twice. utoipa inlines the parameter of a generic
/// type.
fn refer_to_items(name: &str, schema: &mut RefOr<Schema>) {
    let Some(item) = name.strip_prefix("PageReply_") else { return };
    let RefOr::T(Schema::Object(page)) = schema else { return };
    if let Some(RefOr::T(Schema::Array(items))) = page.properties.get_mut("items") {
        items.items = ArrayItems::RefOrSchema(Box::new(RefOr::Ref(Ref::from_schema_name(item))));
        items.unique_items = true;
    }
}

fn oauth2(token_url: &str) -> SecurityScheme {
    let flow = Password::with_refresh_url(token_url, Scopes::new(), token_url);
    SecurityScheme::OAuth2(OAuth2::with_description(
        [Flow::Password(flow)],
        "Sign in with e-mail and password. Leave the client fields empty.",
    ))
}

fn bearer() -> SecurityScheme {
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
    SecurityScheme::Http(scheme.description(Some("The access token of a token pair.")).build())
}

/// The operations of a path.
pub fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete].into_iter().flatten()
}

/// Completes an operation: its parameters, and that it is open without a guard.
fn complete(operation: &mut Operation) {
    operation.security.get_or_insert_default();
    if has_idempotency_key(operation) {
        add_replayed_header(operation);
    }
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        without_null(body);
    }
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter {
            complete_parameter(parameter);
            // Swagger UI fills the form with the example of an optional parameter, and would send it.
            if parameter.required == Required::False {
                *parameter = ParameterBuilder::from(std::mem::take(parameter)).example(None).build();
            }
        }
    }
}

/// Describes an optional body by its schema only: it may be absent, but not the value null.
fn without_null(body: &mut RequestBody) {
    for content in body.content.values_mut() {
        let RefOr::T(content) = content else { continue };
        let Some(RefOr::T(Schema::OneOf(one))) = &content.schema else { continue };
        if let [reference @ RefOr::Ref(_), _] = one.items.as_slice() {
            content.schema = Some(reference.clone());
        }
    }
}

/// Whether an operation honours the header `Idempotency-Key`.
fn has_idempotency_key(operation: &Operation) -> bool {
    let is_key = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(one) if one.name == "Idempotency-Key");
    operation.parameters.iter().flatten().any(is_key)
}

/// Describes the header of a stored response.
fn add_replayed_header(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        if let (true, RefOr::T(response)) = (status.starts_with('2'), response) {
            let header = HeaderBuilder::new()
                .description(Some("`true` if it is the stored response of an earlier request with the same key"))
                .build();
            response.headers.insert("Idempotency-Replayed".to_owned(), header.into());
        }
    }
}

fn complete_parameter(parameter: &mut Parameter) {
    let Some(RefOr::T(Schema::Object(schema))) = &mut parameter.schema else { return };
    if parameter.required == Required::False {
        schema.example = None;
    }
    if parameter.parameter_in == ParameterIn::Query && ["cursor", "since"].contains(&parameter.name.as_str()) {
        schema.pattern = Some(CURSOR_PATTERN.to_owned());
    }
}
