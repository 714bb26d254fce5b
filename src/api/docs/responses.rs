//! Error responses of the OpenAPI document, from the table of problem types: each has an example of every type that it
//! can have. The statuses that any request can have are one shared response, `default`.

use actix_web::http::StatusCode;
use serde_json::{Value, json};
use utoipa::ToSchema as _;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::{
    Components, Content, ContentBuilder, HeaderBuilder, ObjectBuilder, Ref, RefOr, Response, Schema, Type,
};

use crate::api::http::problem::{self, Document, FieldProblem};
use crate::api::http::problem_kind::ProblemKind::{self, *};

/// Problem types that any request can have.
const SHARED: [ProblemKind; 7] =
    [Malformed, RequestTimeout, TooLarge, UnsupportedMediaType, Internal, Busy, Unavailable];

/// Name of the shared response.
const SHARED_RESPONSE: &str = "AnyProblem";

/// Problem types of an operation, by operation id, where they are not the usual ones of the status.
const BY_OPERATION: [(&str, &[ProblemKind]); 45] = [
    ("put_course_schedule", &[PreconditionFailed]),
    ("report_immunization", &[DoseRecorded, TooManyDoses, TooManyPatients]),
    ("enter_immunization_in_error", &[LaterDose, TooLate, RequestOpen]),
    ("check_in", &[RequestStatus, DoseRecorded, NotEligible]),
    ("administer_dose", &[RequestStatus, DoseRecorded, LotRefused, NotEligible, Invalid, IdempotencyKeyReused]),
    ("miss_booking", &[RequestStatus, SlotNotBegun]),
    ("reopen_booking", &[RequestStatus, RequestOpen]),
    (
        "create_walk_in",
        &[RequestOpen, SlotFull, SlotClosed, SlotOver, InvitationRequired, NotEligible, Invalid, IdempotencyKeyReused],
    ),
    ("create_lot", &[LotExists, Invalid, IdempotencyKeyReused]),
    ("update_lot", &[LotBelowUsed]),
    ("register_account", &[RegistrationClosed, EmailTaken]),
    ("log_in", &[WrongCredentials, AccountDisabled, EmailUnverified]),
    ("refresh_token_pair", &[InvalidToken]),
    ("verify_email", &[Unauthenticated, InvalidToken]),
    ("confirm_email_change", &[EmailTaken]),
    ("set_user_email", &[EmailTaken]),
    ("update_user", &[LastAdmin]),
    ("delete_account", &[LastAdmin]),
    ("delete_user", &[LastAdmin]),
    ("verify_nid", &[NidTaken, NidMissing]),
    ("create_vaccine", &[CodeTaken, CourseCodeTaken]),
    ("create_vaccine_request", &[RequestOpen, NotEligible, TooManyPatients, Invalid, IdempotencyKeyReused]),
    ("update_vaccine_request", &[RequestOpen, RequestStatus, NotEligible]),
    ("approve_vaccine_request", &[RequestStatus, NotEligible]),
    ("reject_vaccine_request", &[RequestStatus]),
    ("cancel_vaccine_request", &[RequestStatus, TooLate]),
    ("use_invitation", &[RequestStatus]),
    ("create_course", &[CourseCodeTaken]),
    (
        "book_slot",
        &[
            RequestStatus,
            SlotFull,
            SlotClosed,
            SlotOver,
            InvitationRequired,
            NotEligible,
            Invalid,
            IdempotencyKeyReused,
        ],
    ),
    (
        "move_booking",
        &[
            RequestStatus,
            SlotFull,
            SlotClosed,
            SlotOver,
            InvitationRequired,
            NotEligible,
            TooLate,
            TooManyMoves,
            Invalid,
            IdempotencyKeyReused,
        ],
    ),
    ("unbook_slot", &[RequestStatus, SlotOver, TooLate]),
    ("join_waitlist", &[SlotsFree, AlreadyWaiting, RequestStatus]),
    ("accept_offer", &[OfferOver, SlotClosed, SlotOver, RequestStatus, NotEligible, Invalid, IdempotencyKeyReused]),
    ("decline_offer", &[OfferOver]),
    ("create_slot", &[SlotExists, CentreInactive, Invalid, IdempotencyKeyReused]),
    ("create_calendar", &[CentreInactive, Invalid, IdempotencyKeyReused]),
    ("update_slot", &[CapacityBelowBooked]),
    ("close_slot", &[SlotOver]),
    ("reopen_slot", &[SlotOver]),
    ("update_centre", &[CentreHasSlots]),
    ("add_centre_staff", &[NotStaff]),
    ("delete_contact", &[ContactInUse]),
    ("undo_contact_import", &[ContactInUse]),
    ("import_contacts", &[UnsupportedMediaType]),
    ("import_invitations", &[UnsupportedMediaType]),
];

/// The problem types of a response.
fn kinds(operation_id: &str, status: &str) -> Vec<ProblemKind> {
    let has_status = |kind: &ProblemKind| kind.entry().status.as_str() == status;
    let of_operation = BY_OPERATION.iter().find(|(id, _)| *id == operation_id).map(|(_, kinds)| *kinds);
    let special: Vec<_> = of_operation.unwrap_or_default().iter().copied().filter(has_status).collect();
    if !special.is_empty() {
        return special;
    }
    let usual = [Unauthenticated, InvalidToken, Forbidden, NotFound, Invalid, TooManyRequests];
    usual.into_iter().filter(has_status).collect()
}

/// The responses that operations share, by name.
pub fn shared() -> impl Iterator<Item = (String, RefOr<Response>)> {
    let mut any = Response::new("The request is malformed, or the service failed; see `type`");
    any.content.insert(problem::MEDIA_TYPE.to_owned(), problem_content(&SHARED, &[]).into());
    add_header(&mut any, "Retry-After", "Seconds to wait, with status 503");
    let mut shared = vec![(SHARED_RESPONSE.to_owned(), any.into())];
    shared.extend(STANDARD.iter().filter_map(|standard| {
        let name = standard.component?;
        let mut response = Response::new(standard.description);
        complete("", standard.status, &mut response, &[]);
        Some((name.to_owned(), response.into()))
    }));
    shared.into_iter()
}

/// Response of every operation to which it applies, unless the operation describes the status itself.
struct Standard {
    status: &'static str,
    applies: fn(&Operation, &str) -> bool,
    description: &'static str,
    /// Name of the response, if it is the same for all operations.
    component: Option<&'static str>,
}

const STANDARD: [Standard; 3] = [
    Standard {
        status: "401",
        applies: |operation, _| is_guarded(operation),
        description: "There is no access token, or it is not valid",
        component: Some("Unauthenticated"),
    },
    Standard {
        status: "404",
        applies: |_, path| path.contains('{'),
        description: "The resource does not exist, or the user may not see it",
        component: Some("NotFound"),
    },
    Standard {
        status: "422",
        applies: |operation, path| path.contains('{') || has_json_body(operation) || first_query(operation).is_some(),
        description: "Values are invalid; `errors` lists all of them",
        component: None,
    },
];

/// Adds the error responses of an operation, and completes those that it describes itself.
pub fn add(path: &str, operation: &mut Operation, components: &Components) {
    let id = operation.operation_id.clone().unwrap_or_default();
    let errors = invalid_example(path, operation, components);
    for standard in &STANDARD {
        if (standard.applies)(operation, path) && !operation.responses.responses.contains_key(standard.status) {
            let response = match standard.component {
                Some(name) => RefOr::Ref(Ref::from_response_name(name)),
                None => Response::new(standard.description).into(),
            };
            operation.responses.responses.insert(standard.status.to_owned(), response);
        }
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response {
            complete(&id, status, response, &errors);
        }
    }
    // The OAuth 2.0 endpoints have an error response of their own for each status.
    if !operation.responses.responses.contains_key("500") {
        let shared = RefOr::Ref(Ref::from_response_name(SHARED_RESPONSE));
        operation.responses.responses.insert("default".to_owned(), shared);
    }
}

/// Completes a response: description, body with examples, header.
fn complete(operation_id: &str, status: &str, response: &mut Response, errors: &[FieldProblem]) {
    if response.description.is_empty() {
        let phrase = StatusCode::from_bytes(status.as_bytes()).ok().and_then(|status| status.canonical_reason());
        phrase.unwrap_or("Done").clone_into(&mut response.description);
    }
    if !status.starts_with(['4', '5']) {
        return;
    }
    match response.content.values_mut().next() {
        Some(RefOr::T(content)) => content.example = Some(oauth_example(status)),
        _ => {
            let content = problem_content(&kinds(operation_id, status), errors);
            response.content.insert(problem::MEDIA_TYPE.to_owned(), content.into());
        }
    }
    match status {
        "401" => add_header(response, "WWW-Authenticate", "Challenge (RFC 6750 §3)"),
        "429" | "503" => add_header(response, "Retry-After", "Seconds to wait"),
        _ => {}
    }
}

fn add_header(response: &mut Response, name: &str, description: &str) {
    let text = ObjectBuilder::new().schema_type(Type::String);
    let header = HeaderBuilder::new().schema(Some(text)).description(Some(description)).build();
    response.headers.insert(name.to_owned(), header.into());
}

fn problem_content(kinds: &[ProblemKind], errors: &[FieldProblem]) -> Content {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(Document::name())));
    let example = |kind: &ProblemKind| problem::example(*kind, if *kind == Invalid { errors } else { &[] });
    match kinds {
        [kind] => content.example(Some(example(kind))).build(),
        kinds => {
            let examples = kinds.iter().map(|kind| {
                let entry = kind.entry();
                let summary = format!("{} {}", entry.status.as_u16(), entry.title);
                (entry.code, ExampleBuilder::new().summary(summary).value(Some(example(kind))))
            });
            content.examples_from_iter(examples).build()
        }
    }
}

/// An error response of the OAuth 2.0 endpoints (RFC 6749 §5.2).
fn oauth_example(status: &str) -> Value {
    let (error, description) = match status {
        "400" => ("invalid_grant", "the e-mail or the password is wrong"),
        "408" | "413" => ("invalid_request", "the body could not be read"),
        "429" => ("temporarily_unavailable", "too many requests; wait the number of seconds in the header Retry-After"),
        "503" => ("temporarily_unavailable", "try again in a moment"),
        _ => ("server_error", "try again in a moment"),
    };
    json!({ "error": error, "error_description": description })
}

fn is_guarded(operation: &Operation) -> bool {
    operation.security.as_ref().is_some_and(|security| !security.is_empty())
}

fn has_json_body(operation: &Operation) -> bool {
    matches!(&operation.request_body, Some(RefOr::T(body)) if body.content.keys().any(|kind| kind.ends_with("json")))
}

fn first_query(operation: &Operation) -> Option<(&str, &RefOr<Schema>)> {
    operation.parameters.as_deref().unwrap_or_default().iter().find_map(|parameter| match parameter {
        RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query => {
            Some((parameter.name.as_str(), parameter.schema.as_ref()?))
        }
        _ => None,
    })
}

/// The violation in the example of status 422: by the first member of the body, the first query parameter, or the id.
fn invalid_example(path: &str, operation: &Operation, components: &Components) -> Vec<FieldProblem> {
    let body = match &operation.request_body {
        Some(RefOr::T(body)) => body.content.values().find_map(|content| match content {
            RefOr::T(Content { schema: Some(RefOr::Ref(reference)), .. }) => reference.ref_location.rsplit('/').next(),
            _ => None,
        }),
        _ => None,
    };
    let first_member = match body.and_then(|name| components.schemas.get(name)) {
        Some(RefOr::T(Schema::Object(body))) => body.properties.first().map(|(name, schema)| (name.as_str(), schema)),
        _ => None,
    };
    if let Some((name, schema)) = first_member.or_else(|| first_query(operation)) {
        let (code, message) = violation(schema);
        return vec![FieldProblem::example(name, code, message)];
    }
    let id = path.split(['{', '}']).nth(1).unwrap_or("id");
    vec![FieldProblem::example(id, "type", "must be a UUID")]
}

/// Code and message of a violation by a value with this schema.
fn violation(schema: &RefOr<Schema>) -> (&'static str, String) {
    let RefOr::T(Schema::Object(object)) = schema else { return ("required", "is required".into()) };
    let is = |kind: Type| match &object.schema_type {
        SchemaType::Type(only) => *only == kind,
        SchemaType::Array(kinds) => kinds.contains(&kind),
        SchemaType::AnyValue => false,
    };
    if is(Type::Integer) {
        ("type", "must be a whole number".into())
    } else if is(Type::Boolean) {
        ("type", "must be true or false".into())
    } else if let Some(max) = object.max_length {
        ("length", format!("must be at most {max} characters"))
    } else {
        ("required", "is required".into())
    }
}
