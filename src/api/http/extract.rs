//! Extractors of handlers: the signed-in user, a validated JSON body, a validated query, the id in the path.
//!
//! Each one rejects an invalid request with a problem document before the handler runs.

use std::future::{Future, Ready, ready};
use std::ops::Deref;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpMessage, HttpRequest, error::PayloadError};
use serde::de::DeserializeOwned;
use serde::de::value::MapDeserializer;
use uuid::Uuid;
use validator::{Validate, ValidationErrors, ValidationErrorsKind};

use crate::api::http::client::client_of;
use crate::api::http::field::{self, QueryValue};
use crate::api::http::problem::Problem;
use crate::domain::values::actor::Actor;
use crate::domain::values::caller::Caller;
use crate::error::{Error, Violation};

/// Maximum size of a body in bytes.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// Timeout for receiving a body; for a file, for receiving the next chunk.
pub(in crate::api) const BODY_TIMEOUT: Duration = Duration::from_secs(15);

/// The signed-in user, which the guard has set. Rejects requests without one with 401.
#[derive(Clone, Copy, Debug)]
pub struct CurrentUser(pub Actor);

impl Deref for CurrentUser {
    type Target = Actor;

    fn deref(&self) -> &Actor {
        &self.0
    }
}

impl FromRequest for CurrentUser {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let user = request.extensions().get::<Self>().copied();
        ready(user.ok_or_else(|| Error::Unauthenticated.into()))
    }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let user = request.extensions().get::<CurrentUser>().copied();
        let caller = |user: CurrentUser| Self { actor: user.0, client: client_of(request) };
        ready(user.map(caller).ok_or_else(|| Error::Unauthenticated.into()))
    }
}

/// A JSON body, parsed and validated.
#[derive(Debug)]
pub struct Valid<T>(pub T);

impl<T: DeserializeOwned + Validate + 'static> FromRequest for Valid<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        if !is_json(request) {
            return Box::pin(ready(Err(Problem::unsupported_media_type("application/json"))));
        }
        let body = read_body(request, payload);
        Box::pin(async move {
            let value: T = parse_json(&body.await?)?;
            value.validate().map_err(|errors| Error::Invalid(violations(&errors)))?;
            Ok(Self(value))
        })
    }
}

/// A JSON body as [`Valid`], which may be absent.
#[derive(Debug)]
pub struct ValidOrEmpty<T>(pub T);

impl<T: DeserializeOwned + Validate + Default + 'static> FromRequest for ValidOrEmpty<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let headers = request.headers();
        // Whatever the Content-Type: many clients send that of JSON with each POST.
        let is_absent = match headers.get(header::CONTENT_LENGTH) {
            Some(length) => length == "0",
            None => !headers.contains_key(header::TRANSFER_ENCODING),
        };
        if is_absent {
            return Box::pin(ready(Ok(Self(T::default()))));
        }
        let valid = Valid::<T>::from_request(request, payload);
        Box::pin(async move { valid.await.map(|valid| Self(valid.0)) })
    }
}

/// A query string, parsed and validated.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + Validate + 'static> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let parse = || {
            let pairs = form_urlencoded::parse(request.query_string().as_bytes());
            let pairs = pairs.map(|(name, value)| (name, QueryValue(value)));
            let value = T::deserialize(MapDeserializer::new(pairs))
                .map_err(|error: serde::de::value::Error| Error::from(serde_violation(".", &error.to_string())))?;
            value.validate().map_err(|errors| Error::Invalid(violations(&errors)))?;
            Ok(Self(value))
        };
        ready(parse())
    }
}

/// The methods of a path without parameters, from the OpenAPI document: `/contacts/export` is no contact with a wrong id.
#[derive(Clone, Copy)]
pub struct LiteralPaths(pub fn(&str) -> Option<&'static str>);

/// The `{id}` in a path.
#[derive(Clone, Copy, Debug)]
pub struct Id(pub Uuid);

impl FromRequest for Id {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(path_id(request, "id").map(Self))
    }
}

/// The `{session_id}` in a path.
#[derive(Clone, Copy, Debug)]
pub struct SessionId(pub Uuid);

impl FromRequest for SessionId {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(path_id(request, "session_id").map(Self))
    }
}

/// The `{user_id}` in a path.
#[derive(Clone, Copy, Debug)]
pub struct UserId(pub Uuid);

impl FromRequest for UserId {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(path_id(request, "user_id").map(Self))
    }
}

fn path_id(request: &HttpRequest, name: &'static str) -> Result<Uuid, Problem> {
    request.match_info().get(name).and_then(|id| Uuid::try_parse(id).ok()).ok_or_else(|| {
        let known = request.app_data::<LiteralPaths>().and_then(|paths| (paths.0)(request.path()));
        known.map_or_else(
            || Error::from(Violation::new(name, "type", "must be a UUID")).into(),
            Problem::method_not_allowed,
        )
    })
}

/// Reads a complete body of at most [`MAX_BODY_BYTES`], within [`BODY_TIMEOUT`]: the timeout of the server covers only
/// the head of the request.
pub(in crate::api) fn read_body(
    request: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = Result<Bytes, Problem>> + use<> {
    let body = Bytes::from_request(request, payload);
    async move {
        match tokio::time::timeout(BODY_TIMEOUT, body).await {
            Ok(Ok(body)) => Ok(body),
            Ok(Err(error)) => match error.as_error::<PayloadError>() {
                Some(PayloadError::Overflow) => Err(Problem::too_large(MAX_BODY_BYTES)),
                _ => Err(Problem::malformed("The body could not be read.")),
            },
            Err(_) => Err(Problem::request_timeout()),
        }
    }
}

pub(in crate::api) fn is_json(request: &HttpRequest) -> bool {
    let content_type = request.content_type();
    content_type.eq_ignore_ascii_case("application/json")
        || content_type.eq_ignore_ascii_case("application/merge-patch+json")
}

/// Parses a JSON body. A syntax error is a malformed request; a value of the wrong type is an invalid field.
pub(in crate::api) fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    // serde would accept an array as a struct, with the members in order.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(Error::from(Violation::new(".", "type", "must be an object")).into());
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let (line, column) = (error.inner().line(), error.inner().column());
        // serde_json reports some wrong types as syntax errors, such as null for an enum.
        if error.inner().is_data() || serde_json::from_slice::<serde_json::Value>(body).is_ok() {
            Error::from(serde_violation(&error.path().to_string(), &error.inner().to_string())).into()
        } else {
            Problem::malformed(format!("The body is not JSON: line {line}, column {column}."))
        }
    })?;
    deserializer.end().map_err(|_| Problem::malformed("The body has more data after its JSON value."))?;
    Ok(value)
}

/// Converts an error message of serde into a violation, without the value, which may be a secret.
fn serde_violation(path: &str, message: &str) -> Violation {
    let quoted = || message.split('`').nth(1).unwrap_or_default().to_owned();
    let within = |field: String| if path == "." { field } else { format!("{path}.{field}") };
    if message.starts_with("missing field") {
        return Violation::new(within(quoted()), "required", "is required");
    }
    if message.starts_with("unknown field") {
        // The path of serde may already end with the unknown field.
        let field = quoted();
        let field = if path.rsplit('.').next() == Some(&field) { path.to_owned() } else { within(field) };
        return Violation::new(field, "unknown", "is not a known field");
    }
    if message.starts_with("duplicate field") {
        return Violation::new(quoted(), "duplicate", "is duplicated");
    }
    if message.starts_with("UUID") {
        return Violation::new(path.to_owned(), "type", "must be a UUID");
    }
    // Dates and times have other messages, without more information.
    let Some((_, expected)) = message.rsplit_once("expected ") else {
        return Violation::new(path.to_owned(), "type", "has the wrong format");
    };
    let expected = match expected.split(" at line").next().unwrap_or(expected) {
        "i16" => "a whole number of at most 16 bits",
        "i32" => "a whole number of at most 32 bits",
        expected => expected,
    };
    Violation::new(path.to_owned(), "type", format!("must be {expected}"))
}

/// Converts the errors of `validator` into violations, without the values, which `validator` keeps in its parameters.
pub(in crate::api) fn violations(errors: &ValidationErrors) -> Vec<Violation> {
    let mut found = Vec::new();
    collect_violations(errors, "", &mut found);
    found.sort_by(|a, b| a.field.cmp(&b.field));
    found
}

fn collect_violations(errors: &ValidationErrors, parent: &str, found: &mut Vec<Violation>) {
    for (name, kind) in errors.errors() {
        let field = match (parent, name.as_ref()) {
            ("", name) => name.to_owned(),
            (parent, field::VALUE) => parent.to_owned(),
            (parent, name) => format!("{parent}.{name}"),
        };
        match kind {
            ValidationErrorsKind::Field(errors) => found.extend(errors.iter().map(|error| {
                // A rule over several members names the member that breaks it.
                let named = error.params.get(field::FIELD).and_then(|name| name.as_str());
                let message = error.message.clone().unwrap_or("is not valid".into());
                Violation::new(named.unwrap_or(&field).to_owned(), error.code.clone(), message)
            })),
            ValidationErrorsKind::Struct(errors) => collect_violations(errors, &field, found),
            ValidationErrorsKind::List(items) => {
                for (index, errors) in items {
                    collect_violations(errors, &format!("{field}[{index}]"), found);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::serde_violation;

    #[test]
    fn messages_of_serde_become_violations_without_the_value() {
        let cases = [
            (".", "missing field `email` at line 1 column 2", "email", "required"),
            ("role", "unknown field `role`, expected one of `name`, `email` at line 1 column 9", "role", "unknown"),
            (".", "unknown field `role`, expected one of `name`, `email` at line 1 column 9", "role", "unknown"),
            (".", "duplicate field `email` at line 1 column 9", "email", "duplicate"),
            ("name", "invalid type: integer `42`, expected a string at line 1 column 9", "name", "type"),
        ];
        for (path, message, field, code) in cases {
            let violation = serde_violation(path, message);
            assert_eq!((&*violation.field, &*violation.code), (field, code), "{message}");
            assert!(!violation.message.contains("42"), "{}", violation.message);
        }
    }
}
