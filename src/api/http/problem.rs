//! What goes wrong, over HTTP: `application/problem+json` (RFC 9457). The only table of statuses, and the only place
//! where a failure inside is logged.

use std::borrow::Cow;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::{Conflict, Error, Violation, with_causes};
use crate::telemetry;

/// The media type of every problem document.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// No token was sent (RFC 6750 §3: then no error code).
const CHALLENGE: &str = "Bearer realm=\"care4u\"";
/// A token was sent and not believed (RFC 6750 §3.1).
const CHALLENGE_INVALID: &str = "Bearer realm=\"care4u\", error=\"invalid_token\"";
/// A token was sent, but it does not suffice (RFC 6750 §3.1).
const CHALLENGE_SCOPE: &str = "Bearer realm=\"care4u\", error=\"insufficient_scope\"";

/// A failed request, ready to be answered.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: Cow<'static, str>,
    errors: Vec<FieldProblem>,
    headers: Vec<(header::HeaderName, HeaderValue)>,
}

/// A problem document (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Document<'a> {
    /// A URN that names the kind of problem, for programs.
    #[serde(rename = "type")]
    #[schema(example = "urn:problem-type:care4u:not-found")]
    kind: String,
    /// The kind of problem, for people.
    #[schema(example = "Not found")]
    title: &'a str,
    /// The HTTP status.
    #[schema(example = 404, minimum = 400, maximum = 599)]
    status: u16,
    /// This very problem, for people.
    #[schema(example = "There is nothing here that you may see.")]
    detail: &'a str,
    /// Names the request in the log; also in the header `X-Request-Id`.
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    request_id: Option<String>,
    /// With status 422: every value that breaks a rule.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    errors: &'a [FieldProblem],
}

/// One value that breaks one rule.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Where it stands in the body or query, such as `birth_date`.
    #[schema(value_type = String, example = "email")]
    field: Cow<'static, str>,
    /// The rule, for programs.
    #[schema(value_type = String, example = "email")]
    code: Cow<'static, str>,
    /// The rule, for people.
    #[schema(value_type = String, example = "must be an e-mail address")]
    message: Cow<'static, str>,
}

impl Problem {
    /// A problem that has no more to it than its text.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, code, title, detail: detail.into(), errors: Vec::new(), headers: Vec::new() }
    }

    /// The request cannot be understood.
    pub fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", "Malformed request", detail)
    }

    /// The path is known, the method is not; `allow` lists those that are.
    pub fn method_not_allowed(allow: &str) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "Method not allowed",
            format!("This path answers {allow}."),
        )
        .with_header(header::ALLOW, allow)
    }

    /// None of the media types that the client accepts can be had here.
    pub fn not_acceptable(offered: &str) -> Self {
        Self::new(
            StatusCode::NOT_ACCEPTABLE,
            "not-acceptable",
            "Not acceptable",
            format!("This can be had as {offered}."),
        )
    }

    /// The body is of a type that is not read here.
    pub fn unsupported_media_type(expected: &str) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "Unsupported media type",
            format!("The body must be {expected}."),
        )
    }

    /// The body is larger than is read here.
    pub fn too_large(most_bytes: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            "Body too large",
            format!("The body may have at most {most_bytes} bytes."),
        )
    }

    /// The body did not arrive in time.
    pub fn too_slow() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "Request timeout", "The body did not arrive in time.")
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The document to send.
    pub fn response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        for header in &self.headers {
            response.insert_header(header.clone());
        }
        response.content_type(MEDIA_TYPE).json(Document {
            kind: format!("urn:problem-type:care4u:{}", self.code),
            title: self.title,
            status: self.status.as_u16(),
            detail: &self.detail,
            request_id: telemetry::request_id(),
            errors: &self.errors,
        })
    }

    fn with_header(mut self, name: header::HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }
}

/// The table of statuses.
#[rustfmt::skip]
fn known(error: &Error) -> (StatusCode, &'static str, &'static str, Cow<'static, str>) {
    use StatusCode as S;
    match error {
        Error::Invalid(_)        => (S::UNPROCESSABLE_ENTITY,  "invalid",           "Invalid values",      "Some values break a rule; see errors.".into()),
        Error::WrongCredentials  => (S::UNAUTHORIZED,          "wrong-credentials", "Wrong credentials",   "The e-mail or the password is wrong.".into()),
        Error::Unauthenticated   => (S::UNAUTHORIZED,          "unauthenticated",   "Not signed in",       "This needs an access token: Authorization: Bearer ….".into()),
        Error::InvalidToken      => (S::UNAUTHORIZED,          "invalid-token",     "Invalid token",       "The token is malformed, expired or revoked, or of the wrong kind.".into()),
        Error::AccountDisabled   => (S::FORBIDDEN,             "account-disabled",  "Account disabled",    "This account has been disabled.".into()),
        Error::EmailUnverified   => (S::FORBIDDEN,             "email-unverified",  "E-mail unverified",   "Confirm the e-mail address first, with the code that was mailed to it.".into()),
        Error::TooMany { .. }    => (S::TOO_MANY_REQUESTS,     "too-many-attempts", "Too many attempts",   "This came too often. Wait as long as Retry-After says.".into()),
        Error::Forbidden(role)   => (S::FORBIDDEN,             "forbidden",         "Forbidden",           format!("This needs the role {}.", role.as_str()).into()),
        Error::NotFound          => (S::NOT_FOUND,             "not-found",         "Not found",           "There is nothing here that you may see.".into()),
        Error::Conflict(conflict)=> (S::CONFLICT,              conflict_code(*conflict), "Conflict",       sentence(&conflict.to_string()).into()),
        Error::Busy              => (S::SERVICE_UNAVAILABLE,   "busy",              "Too busy",            "Too many others are at this right now. Try again in a moment.".into()),
        Error::Unavailable(_)    => (S::SERVICE_UNAVAILABLE,   "unavailable",       "Service unavailable", "The service cannot do this right now. Try again in a moment.".into()),
        Error::Internal(_)       => (S::INTERNAL_SERVER_ERROR, "internal",          "Internal error",      "Something went wrong on our side.".into()),
    }
}

fn conflict_code(conflict: Conflict) -> &'static str {
    match conflict {
        Conflict::EmailTaken => "email-taken",
        Conflict::NidTaken => "nid-taken",
        Conflict::VaccineCodeTaken => "code-taken",
        Conflict::ContactEmailTaken => "contact-email-taken",
        Conflict::ContactInUse | Conflict::ImportInUse => "contact-in-use",
        Conflict::LastAdmin => "last-admin",
        Conflict::RequestOpen => "request-open",
        Conflict::RequestStatus(_) => "request-status",
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        log_failure(&error);
        let (status, code, title, detail) = known(&error);
        let problem = Self::new(status, code, title, detail);
        match error {
            Error::Invalid(violations) => {
                Self { errors: violations.into_iter().map(FieldProblem::from).collect(), ..problem }
            }
            Error::Unauthenticated => problem.with_header(header::WWW_AUTHENTICATE, CHALLENGE),
            Error::WrongCredentials => problem.with_header(header::WWW_AUTHENTICATE, CHALLENGE),
            Error::InvalidToken => problem.with_header(header::WWW_AUTHENTICATE, CHALLENGE_INVALID),
            Error::Forbidden(_) => problem.with_header(header::WWW_AUTHENTICATE, CHALLENGE_SCOPE),
            Error::TooMany { retry_after } => {
                problem.with_header(header::RETRY_AFTER, &seconds(retry_after).to_string())
            }
            Error::Busy | Error::Unavailable(_) => problem.with_header(header::RETRY_AFTER, "2"),
            _ => problem,
        }
    }
}

/// Whole seconds, so many that afterwards the wait is over.
pub fn seconds(wait: chrono::Duration) -> i64 {
    wait.num_milliseconds().max(1).div_euclid(1000) + i64::from(wait.num_milliseconds().max(1).rem_euclid(1000) > 0)
}

/// Writes down what the client is not told: the failure with all its causes.
fn log_failure(error: &Error) {
    if !matches!(error, Error::Internal(_) | Error::Unavailable(_)) {
        return;
    }
    log::error!("{}", with_causes(error));
}

impl From<Violation> for FieldProblem {
    fn from(violation: Violation) -> Self {
        Self { field: violation.field, code: violation.code, message: violation.message }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        self.response()
    }
}
