//! Problem documents: `application/problem+json` (RFC 9457). This is the only place where an internal error is logged.

use std::borrow::Cow;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::http::booking_replies::{EligibilityReply, SlotReply};
use crate::api::http::problem_kind::ProblemKind;
use crate::domain::vaccination::lots::LotRefusal;
use crate::error::{Conflict, Error, Violation, with_causes};
use crate::telemetry;

/// The media type of every problem document.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// No token was sent (RFC 6750 §3: then no error code).
const CHALLENGE: &str = "Bearer realm=\"care4u\"";
/// A token was sent, but it is not valid (RFC 6750 §3.1).
const CHALLENGE_INVALID: &str = "Bearer realm=\"care4u\", error=\"invalid_token\"";
/// A valid token was sent, but its user does not have the required role (RFC 6750 §3.1).
const CHALLENGE_SCOPE: &str = "Bearer realm=\"care4u\", error=\"insufficient_scope\"";

/// Error response: a problem document and its headers.
#[derive(Debug)]
pub struct Problem {
    kind: ProblemKind,
    detail: Cow<'static, str>,
    errors: Vec<FieldProblem>,
    extension: Option<Extension>,
    headers: Vec<(header::HeaderName, HeaderValue)>,
}

/// A problem document (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Document<'a> {
    /// URI of the problem type, for programs; `GET /problems` lists all types.
    #[serde(rename = "type")]
    #[schema(example = "urn:problem-type:care4u:not-found")]
    kind: String,
    /// Name of the problem type, for people.
    #[schema(example = "Not found")]
    title: &'a str,
    /// The HTTP status.
    #[schema(example = 404, minimum = 400, maximum = 599)]
    status: u16,
    /// Explanation of this problem, for people.
    #[schema(example = "The resource does not exist, or you may not see it.")]
    detail: &'a str,
    /// Id of the request in the log; also in the header `X-Request-Id`.
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    request_id: Option<String>,
    /// With status 422: every value that breaks a rule.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    errors: &'a [FieldProblem],
    /// With the type `slot-full`: free slots of the same centre and vaccine, nearest first. With the type `slots-free`: free
    /// slots that fit, by time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = Vec<SlotReply>)]
    alternatives: Option<&'a serde_json::Value>,
    /// With the type `not-eligible`: the rules and their outcomes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = EligibilityReply)]
    eligibility: Option<&'a serde_json::Value>,
    /// With the type `lot-refused`: `other_centre`, `product`, `recalled`, `expired` or `empty`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = String, example = "expired")]
    reason: Option<&'a str>,
}

/// A member of a problem document that only one type has.
#[derive(Debug)]
enum Extension {
    Alternatives(serde_json::Value),
    Eligibility(serde_json::Value),
    Reason(&'static str),
}

/// One value that breaks one rule.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Name of the field in the body, query or path, such as `birth_date`.
    #[schema(value_type = String, example = "email")]
    field: Cow<'static, str>,
    /// Code of the rule, for programs.
    #[schema(value_type = String, example = "email")]
    code: Cow<'static, str>,
    /// Message, for people.
    #[schema(value_type = String, example = "must be an e-mail address")]
    message: Cow<'static, str>,
}

impl FieldProblem {
    /// An example for the OpenAPI document.
    pub fn example(field: &str, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { field: field.to_owned().into(), code: code.into(), message: message.into() }
    }
}

/// An example of a problem document, for the OpenAPI document.
pub fn example(kind: ProblemKind, errors: &[FieldProblem]) -> serde_json::Value {
    let entry = kind.entry();
    let document = Document {
        kind: kind.uri(),
        title: entry.title,
        status: entry.status.as_u16(),
        detail: &example_error(kind).map_or(entry.meaning.into(), |error| detail(&error)),
        request_id: Some("01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10".to_owned()),
        errors,
        alternatives: None,
        eligibility: None,
        reason: None,
    };
    serde_json::to_value(document).unwrap_or_default()
}

/// An error of a type, if there is one without more data.
fn example_error(kind: ProblemKind) -> Option<Error> {
    Some(match kind {
        ProblemKind::Invalid => Error::Invalid(Vec::new()),
        ProblemKind::WrongCredentials => Error::WrongCredentials,
        ProblemKind::Unauthenticated => Error::Unauthenticated,
        ProblemKind::InvalidToken => Error::InvalidToken,
        ProblemKind::AccountDisabled => Error::AccountDisabled,
        ProblemKind::EmailUnverified => Error::EmailUnverified,
        ProblemKind::RegistrationClosed => Error::RegistrationClosed,
        ProblemKind::Forbidden => Error::Forbidden(entity::Role::Staff),
        ProblemKind::NotFound => Error::NotFound,
        ProblemKind::TooManyRequests => Error::TooMany { retry_after: chrono::Duration::seconds(1) },
        ProblemKind::EmailTaken => Conflict::EmailTaken.into(),
        ProblemKind::NidTaken => Conflict::NidTaken.into(),
        ProblemKind::NidMissing => Conflict::NidMissing.into(),
        ProblemKind::CodeTaken => Conflict::VaccineCodeTaken.into(),
        ProblemKind::ContactInUse => Conflict::ContactInUse.into(),
        ProblemKind::LastAdmin => Conflict::LastAdmin.into(),
        ProblemKind::RequestOpen => Conflict::RequestOpen.into(),
        ProblemKind::RequestStatus => Conflict::RequestStatus(entity::RequestStatus::Cancelled).into(),
        ProblemKind::CourseCodeTaken => Conflict::CourseCodeTaken.into(),
        ProblemKind::TooManyPatients => Conflict::TooManyPatients.into(),
        ProblemKind::NotStaff => Conflict::NotStaff.into(),
        ProblemKind::CentreHasSlots => Conflict::CentreHasSlots.into(),
        ProblemKind::CentreInactive => Conflict::CentreInactive.into(),
        ProblemKind::SlotExists => Conflict::SlotExists.into(),
        ProblemKind::SlotFull => Error::SlotFull { alternatives: Vec::new() },
        ProblemKind::SlotsFree => Error::SlotsFree { alternatives: Vec::new() },
        ProblemKind::AlreadyWaiting => Conflict::AlreadyWaiting.into(),
        ProblemKind::OfferOver => Conflict::OfferOver.into(),
        ProblemKind::SlotClosed => Conflict::SlotClosed.into(),
        ProblemKind::SlotOver => Conflict::SlotOver.into(),
        ProblemKind::InvitationRequired => Conflict::InvitationRequired.into(),
        ProblemKind::CapacityBelowBooked => Conflict::CapacityBelowBooked.into(),
        ProblemKind::TooLate => Conflict::TooLate.into(),
        ProblemKind::TooManyMoves => Conflict::TooManyMoves.into(),
        ProblemKind::DoseRecorded => Conflict::DoseRecorded.into(),
        ProblemKind::TooManyDoses => Conflict::TooManyDoses.into(),
        ProblemKind::LaterDose => Conflict::LaterDose.into(),
        ProblemKind::SlotNotBegun => Conflict::SlotNotBegun.into(),
        ProblemKind::LotRefused => LotRefusal::Expired.into(),
        ProblemKind::LotExists => Conflict::LotExists.into(),
        ProblemKind::LotBelowUsed => Conflict::LotBelowUsed.into(),
        ProblemKind::PreconditionFailed => Error::PreconditionFailed,
        ProblemKind::IdempotencyKeyReused => Error::KeyReused,
        ProblemKind::Busy => Error::Busy,
        _ => return None,
    })
}

impl Problem {
    fn new(kind: ProblemKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, detail: detail.into(), errors: Vec::new(), extension: None, headers: Vec::new() }
    }

    /// The request cannot be parsed.
    pub fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ProblemKind::Malformed, detail)
    }

    /// The path exists, but not with this method; `allow` lists the methods that it supports.
    pub fn method_not_allowed(allow: &str) -> Self {
        let detail = format!("This path supports {allow}.");
        Self::new(ProblemKind::MethodNotAllowed, detail).with_header(header::ALLOW, allow)
    }

    /// The body has a media type that is not accepted.
    pub fn unsupported_media_type(expected: &str) -> Self {
        Self::new(ProblemKind::UnsupportedMediaType, format!("The body must be {expected}."))
    }

    /// The body is larger than the limit.
    pub fn too_large(max_bytes: usize) -> Self {
        Self::new(ProblemKind::TooLarge, format!("The body may have at most {max_bytes} bytes."))
    }

    /// The body did not arrive in time.
    pub fn request_timeout() -> Self {
        Self::new(ProblemKind::RequestTimeout, "The body did not arrive in time.")
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.kind.entry().status
    }

    /// The response with the document.
    pub fn response(&self) -> HttpResponse {
        let entry = self.kind.entry();
        let mut response = HttpResponse::build(entry.status);
        for header in &self.headers {
            response.insert_header(header.clone());
        }
        response.content_type(MEDIA_TYPE).json(Document {
            kind: self.kind.uri(),
            title: entry.title,
            status: entry.status.as_u16(),
            detail: &self.detail,
            request_id: telemetry::request_id(),
            errors: &self.errors,
            alternatives: match &self.extension {
                Some(Extension::Alternatives(slots)) => Some(slots),
                _ => None,
            },
            eligibility: match &self.extension {
                Some(Extension::Eligibility(eligibility)) => Some(eligibility),
                _ => None,
            },
            reason: match &self.extension {
                Some(Extension::Reason(reason)) => Some(reason),
                _ => None,
            },
        })
    }

    fn with_header(mut self, name: header::HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }
}

/// The explanation of an error, for people.
fn detail(error: &Error) -> Cow<'static, str> {
    match error {
        Error::Invalid(_) => "One or more values are invalid; see errors.".into(),
        Error::WrongCredentials => "The e-mail or the password is wrong.".into(),
        Error::Unauthenticated => "This operation needs an access token: Authorization: Bearer <access token>.".into(),
        Error::InvalidToken => "The token is malformed, expired, revoked, or of the wrong kind.".into(),
        Error::AccountDisabled => "This account has been disabled.".into(),
        Error::EmailUnverified => "Verify the e-mail address first, with the code that was mailed to it.".into(),
        Error::RegistrationClosed => "Registration is closed.".into(),
        Error::TooMany { .. } => "Too many requests. Wait the number of seconds in the header Retry-After.".into(),
        Error::Forbidden(role) => format!("This operation needs the role {}.", role.as_str()).into(),
        Error::NotFound => "The resource does not exist, or you may not see it.".into(),
        Error::Conflict(conflict) => sentence(&conflict.to_string()).into(),
        Error::SlotFull { .. } => "No place is free in this slot; alternatives has free ones.".into(),
        Error::SlotsFree { .. } => "There is nothing to wait for: alternatives has free slots that fit.".into(),
        Error::NotEligible(_) => "The rules do not allow this dose; see eligibility.".into(),
        Error::LotRefused(refusal) => refused_lot(*refusal).into(),
        Error::PreconditionFailed => "Another version was put since. Get it, and apply the change to it.".into(),
        Error::KeyReused => "The idempotency key was used for another request.".into(),
        Error::Busy => "The service is busy. Try again in a moment.".into(),
        Error::Unavailable(_) => "The service is unavailable. Try again in a moment.".into(),
        Error::Outdated => "The service cannot check which sessions have ended. Try again in a moment.".into(),
        Error::ClockSkew => "The clock of this instance is wrong.".into(),
        Error::Internal(_) => "Internal error. The operator can find its cause in the log by request_id.".into(),
    }
}

fn refused_lot(refusal: LotRefusal) -> &'static str {
    match refusal {
        LotRefusal::OtherCentre => "The lot is of another centre.",
        LotRefusal::Product => "The vaccine of the lot is not one of those for this dose.",
        LotRefusal::Recalled => "The lot was recalled.",
        LotRefusal::Expired => "The lot has expired, on the calendar of the centre.",
        LotRefusal::Empty => "No dose of the lot is left.",
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        log_failure(&error);
        let problem = Self::new(ProblemKind::from(&error), detail(&error));
        match error {
            Error::Invalid(violations) => {
                Self { errors: violations.into_iter().map(FieldProblem::from).collect(), ..problem }
            }
            Error::SlotFull { alternatives } | Error::SlotsFree { alternatives } => {
                let slots = alternatives.into_iter().map(SlotReply::from).collect::<Vec<_>>();
                let slots = serde_json::to_value(slots).unwrap_or_default();
                Self { extension: Some(Extension::Alternatives(slots)), ..problem }
            }
            Error::NotEligible(eligibility) => {
                let eligibility = serde_json::to_value(EligibilityReply::from(*eligibility)).unwrap_or_default();
                Self { extension: Some(Extension::Eligibility(eligibility)), ..problem }
            }
            Error::LotRefused(refusal) => Self { extension: Some(Extension::Reason(refusal.name())), ..problem },
            Error::Unauthenticated => problem.with_header(header::WWW_AUTHENTICATE, CHALLENGE),
            Error::WrongCredentials => problem.with_header(header::WWW_AUTHENTICATE, CHALLENGE),
            Error::InvalidToken => problem.with_header(header::WWW_AUTHENTICATE, CHALLENGE_INVALID),
            Error::Forbidden(_) => problem.with_header(header::WWW_AUTHENTICATE, CHALLENGE_SCOPE),
            Error::TooMany { retry_after } => {
                problem.with_header(header::RETRY_AFTER, &seconds(retry_after).to_string())
            }
            Error::Busy | Error::Unavailable(_) | Error::Outdated | Error::ClockSkew => {
                problem.with_header(header::RETRY_AFTER, "2")
            }
            _ => problem,
        }
    }
}

/// A wait in whole seconds, rounded up, at least 1.
pub fn seconds(wait: chrono::Duration) -> i64 {
    wait.num_milliseconds().max(1).div_euclid(1000) + i64::from(wait.num_milliseconds().max(1).rem_euclid(1000) > 0)
}

/// Logs an internal failure with all its causes, which the response does not contain.
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
        f.write_str(self.kind.entry().title)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse {
        self.response()
    }
}
