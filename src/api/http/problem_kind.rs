//! The table of problem types: status, code, title, meaning and remedy of every error response.

use actix_web::http::StatusCode;
use strum::VariantArray;

use crate::error::{Conflict, Error};

/// A type of problem document (RFC 9457). Its URI is `urn:problem-type:care4u:<code>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, VariantArray)]
pub enum ProblemKind {
    Malformed,
    Unauthenticated,
    InvalidToken,
    WrongCredentials,
    AccountDisabled,
    EmailUnverified,
    RegistrationClosed,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    RequestTimeout,
    EmailTaken,
    NidTaken,
    NidMissing,
    CodeTaken,
    ContactInUse,
    LastAdmin,
    RequestOpen,
    RequestStatus,
    CourseCodeTaken,
    TooManyPatients,
    NotStaff,
    CentreHasSlots,
    CentreInactive,
    SlotExists,
    SlotFull,
    SlotClosed,
    SlotOver,
    InvitationRequired,
    CapacityBelowBooked,
    SlotsFree,
    AlreadyWaiting,
    OfferOver,
    NotEligible,
    TooLate,
    TooManyMoves,
    DoseRecorded,
    TooManyDoses,
    LaterDose,
    SlotNotBegun,
    LotRefused,
    LotExists,
    LotBelowUsed,
    PreconditionFailed,
    TooLarge,
    UnsupportedMediaType,
    Invalid,
    IdempotencyKeyReused,
    TooManyRequests,
    Internal,
    Busy,
    Unavailable,
}

/// Row of the table of problem types.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The HTTP status.
    pub status: StatusCode,
    /// The last part of the URI, for programs.
    pub code: &'static str,
    /// The name of the type, for people.
    pub title: &'static str,
    /// When it is returned.
    pub meaning: &'static str,
    /// What the client should do.
    pub remedy: &'static str,
}

impl ProblemKind {
    /// The row of the table.
    #[must_use]
    #[rustfmt::skip]
    pub fn entry(self) -> Entry {
        use StatusCode as S;
        let row = |status, code, title, meaning, remedy| Entry { status, code, title, meaning, remedy };
        match self {
            Self::Malformed            => row(S::BAD_REQUEST,            "malformed",              "Malformed request",      "The body is not JSON, or could not be read.",                                "Correct the request."),
            Self::Unauthenticated      => row(S::UNAUTHORIZED,           "unauthenticated",        "Unauthenticated",        "The request has no access token.",                                           "Log in, and send the header Authorization: Bearer <access token>."),
            Self::InvalidToken         => row(S::UNAUTHORIZED,           "invalid-token",          "Invalid token",          "The token is malformed, expired, revoked, or of the wrong kind.",            "Refresh the token pair; if that fails, log in again."),
            Self::WrongCredentials     => row(S::UNAUTHORIZED,           "wrong-credentials",      "Wrong credentials",      "The e-mail or the password of a log-in is wrong.",                           "Ask the user again, or offer a password reset."),
            Self::AccountDisabled      => row(S::FORBIDDEN,              "account-disabled",       "Account disabled",       "An admin has disabled the account.",                                         "Refer the user to the operator of the service."),
            Self::EmailUnverified      => row(S::FORBIDDEN,              "email-unverified",       "E-mail not verified",    "The e-mail address has not been verified, which this service requires.",     "Verify it with the code that was mailed; POST /auth/verify-email/resend sends another one."),
            Self::RegistrationClosed   => row(S::FORBIDDEN,              "registration-closed",    "Registration closed",    "Nobody can register at this service.",                                       "Ask the operator of the service for an account."),
            Self::Forbidden            => row(S::FORBIDDEN,              "forbidden",              "Forbidden",              "The operation needs another role.",                                          "Do not offer the operation to this user."),
            Self::NotFound             => row(S::NOT_FOUND,              "not-found",              "Not found",              "The resource does not exist, or the user may not see it.",                   "Check the URL; the resource may have been deleted."),
            Self::MethodNotAllowed     => row(S::METHOD_NOT_ALLOWED,     "method-not-allowed",     "Method not allowed",     "The path does not support the method.",                                      "Use a method from the header Allow."),
            Self::RequestTimeout       => row(S::REQUEST_TIMEOUT,        "request-timeout",        "Request timeout",        "The body did not arrive in time.",                                           "Send the request again over a faster connection."),
            Self::EmailTaken           => row(S::CONFLICT,               "email-taken",            "E-mail taken",           "Another account has this e-mail address.",                                   "Log in, or use another address."),
            Self::NidTaken             => row(S::CONFLICT,               "nid-taken",              "National id taken",      "The national id is verified for another account.",                           "Find out which of the two people it belongs to."),
            Self::NidMissing           => row(S::CONFLICT,               "nid-missing",            "No national id",         "The account has no national id that could be verified.",                     "Ask the person to enter it."),
            Self::CodeTaken            => row(S::CONFLICT,               "code-taken",             "Vaccine code taken",     "Another vaccine has this code.",                                             "Use another code, or update the existing vaccine."),
            Self::ContactInUse         => row(S::CONFLICT,               "contact-in-use",         "Contact in use",         "The contact, or a contact of the import, has an open vaccine request.",      "Cancel the vaccine request first."),
            Self::LastAdmin            => row(S::CONFLICT,               "last-admin",             "Last admin",             "No admin who can log in would be left.",                                     "Give another account the role admin first."),
            Self::RequestOpen          => row(S::CONFLICT,               "request-open",           "Request already open",   "The person has an open request for the same course and dose.",              "Use the existing request."),
            Self::RequestStatus        => row(S::CONFLICT,               "request-status",         "Request status",         "The status of the vaccine request does not allow the operation.",            "Get the vaccine request, and check its status."),
            Self::CourseCodeTaken      => row(S::CONFLICT,               "course-code-taken",      "Course code taken",      "Another course has this code.",                                              "Use another code, or the existing course."),
            Self::TooManyPatients      => row(S::CONFLICT,               "too-many-patients",      "Too many patients",      "The account has the maximum number of patients.",                            "Delete contacts that have no open request."),
            Self::NotStaff             => row(S::CONFLICT,               "not-staff",              "Not staff",              "The account does not have the role staff.",                                  "Give it the role first."),
            Self::CentreHasSlots       => row(S::CONFLICT,               "centre-has-slots",       "Centre has slots",       "The time zone of a centre with future slots cannot change.",                 "Create another centre."),
            Self::CentreInactive       => row(S::CONFLICT,               "centre-inactive",        "Centre inactive",        "No slots can be added to the centre.",                                       "Activate the centre first."),
            Self::SlotExists           => row(S::CONFLICT,               "slot-exists",            "Slot exists",            "The centre has a slot of this vaccine at this time.",                        "Update the existing slot."),
            Self::SlotFull             => row(S::CONFLICT,               "slot-full",              "Slot full",              "No place is free in the slot.",                                              "Book one of alternatives."),
            Self::SlotClosed           => row(S::CONFLICT,               "slot-closed",            "Slot closed",            "The slot is closed.",                                                        "Book another slot."),
            Self::SlotOver             => row(S::CONFLICT,               "slot-over",              "Slot over",              "The slot has begun, or begins too soon.",                                    "Book another slot."),
            Self::InvitationRequired   => row(S::CONFLICT,               "invitation-required",    "Invitation required",    "The slot can only be booked with an invitation.",                            "Book another slot."),
            Self::CapacityBelowBooked  => row(S::CONFLICT,               "capacity-below-booked",  "Capacity below booked",  "More places are taken than the capacity would be.",                          "Move bookings first, or choose a greater capacity."),
            Self::SlotsFree            => row(S::CONFLICT,               "slots-free",             "Slots free",             "There are free slots that fit, so there is nothing to wait for.",            "Book one of alternatives."),
            Self::AlreadyWaiting       => row(S::CONFLICT,               "already-waiting",        "Already waiting",        "The request is on the waitlist already.",                                    "Get the vaccine request; its waitlist has the place in line."),
            Self::OfferOver            => row(S::CONFLICT,               "offer-over",             "Offer over",             "There is no offer, or it has expired.",                                      "Join the waitlist again, or book a free slot."),
            Self::NotEligible          => row(S::CONFLICT,               "not-eligible",           "Not eligible",           "The rules do not allow the dose; eligibility has the reasons.",              "Choose another day, vaccine or dose."),
            Self::TooLate              => row(S::CONFLICT,               "too-late",               "Too late",               "It is too late to change the booking, or to undo the dose.",                            "Ask the centre."),
            Self::TooManyMoves         => row(S::CONFLICT,               "too-many-moves",         "Too many moves",         "The booking was moved as often as allowed.",                                 "Ask the centre."),
            Self::DoseRecorded         => row(S::CONFLICT,               "dose-recorded",          "Dose recorded",          "The dose is recorded already, or one of this vaccine on this day.",                    "Get the doses of the patient."),
            Self::TooManyDoses         => row(S::CONFLICT,               "too-many-doses",         "Too many doses",         "The patient has the maximum number of doses that can be reported.",            "Undo doses that were recorded by mistake."),
            Self::LaterDose            => row(S::CONFLICT,               "later-dose",             "Later dose",             "A later dose of the course counts.",                                          "Undo the later dose first."),
            Self::SlotNotBegun         => row(S::CONFLICT,               "slot-not-begun",         "Slot not begun",         "The slot has not begun, so nobody has missed it.",                            "Wait for the start of the slot, or cancel the booking."),
            Self::LotRefused           => row(S::CONFLICT,               "lot-refused",            "Lot refused",            "No dose can be taken from the lot; reason says why.",                         "Use another lot."),
            Self::LotExists            => row(S::CONFLICT,               "lot-exists",             "Lot exists",             "The centre has a lot of this vaccine with this number.",                      "Update the existing lot."),
            Self::LotBelowUsed         => row(S::CONFLICT,               "lot-below-used",         "Lot below used",         "More doses of the lot were given and thrown away than were received.",        "Correct the numbers."),
            Self::PreconditionFailed   => row(S::PRECONDITION_FAILED,    "precondition-failed",    "Precondition failed",    "Another version was put since the one in the header If-Match.",              "Get the current version, and apply the change to it."),
            Self::TooLarge             => row(S::PAYLOAD_TOO_LARGE,      "too-large",              "Body too large",         "The body is larger than the limit.",                                         "Send a smaller body; detail has the limit."),
            Self::UnsupportedMediaType => row(S::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Unsupported media type", "The media type in the header Content-Type is not accepted.",                 "Use the media type in detail."),
            Self::Invalid              => row(S::UNPROCESSABLE_ENTITY,   "invalid",                "Invalid values",         "Values in the body, the query or the path are invalid.",                     "Correct every field in errors; each entry has field, code and message."),
            Self::IdempotencyKeyReused => row(S::UNPROCESSABLE_ENTITY,   "idempotency-key-reused", "Idempotency key reused", "The idempotency key was used for another request.",                          "Use a new key for each new request."),
            Self::TooManyRequests      => row(S::TOO_MANY_REQUESTS,      "too-many-requests",      "Too many requests",      "Too many attempts, or a quota is used up.",                                  "Wait the number of seconds in the header Retry-After."),
            Self::Internal             => row(S::INTERNAL_SERVER_ERROR,  "internal",               "Internal error",         "Internal error of the service. Its log has the cause, with request_id.",     "Report request_id to the operator of the service."),
            Self::Busy                 => row(S::SERVICE_UNAVAILABLE,    "busy",                   "Service busy",           "Too many passwords or imports wait, or a change at the same moment interfered.", "Wait the number of seconds in the header Retry-After."),
            Self::Unavailable          => row(S::SERVICE_UNAVAILABLE,    "unavailable",            "Service unavailable",    "The database cannot be reached, or is too busy.",                            "Wait the number of seconds in the header Retry-After."),
        }
    }

    /// The URI of the type.
    #[must_use]
    pub fn uri(self) -> String {
        format!("urn:problem-type:care4u:{}", self.entry().code)
    }
}

impl From<&Error> for ProblemKind {
    fn from(error: &Error) -> Self {
        match error {
            Error::Invalid(_) => Self::Invalid,
            Error::WrongCredentials => Self::WrongCredentials,
            Error::AccountDisabled => Self::AccountDisabled,
            Error::EmailUnverified => Self::EmailUnverified,
            Error::TooMany { .. } => Self::TooManyRequests,
            Error::Unauthenticated => Self::Unauthenticated,
            Error::InvalidToken => Self::InvalidToken,
            Error::RegistrationClosed => Self::RegistrationClosed,
            Error::Forbidden(_) => Self::Forbidden,
            Error::NotFound => Self::NotFound,
            Error::Conflict(conflict) => (*conflict).into(),
            Error::SlotFull { .. } => Self::SlotFull,
            Error::SlotsFree { .. } => Self::SlotsFree,
            Error::NotEligible(_) => Self::NotEligible,
            Error::LotRefused(_) => Self::LotRefused,
            Error::PreconditionFailed => Self::PreconditionFailed,
            Error::KeyReused => Self::IdempotencyKeyReused,
            Error::Busy => Self::Busy,
            Error::Unavailable(_) | Error::Outdated | Error::ClockSkew => Self::Unavailable,
            Error::Internal(_) => Self::Internal,
        }
    }
}

impl From<Conflict> for ProblemKind {
    fn from(conflict: Conflict) -> Self {
        match conflict {
            Conflict::EmailTaken => Self::EmailTaken,
            Conflict::NidTaken => Self::NidTaken,
            Conflict::NidMissing => Self::NidMissing,
            Conflict::VaccineCodeTaken => Self::CodeTaken,
            Conflict::ContactInUse | Conflict::ImportInUse => Self::ContactInUse,
            Conflict::LastAdmin => Self::LastAdmin,
            Conflict::RequestOpen => Self::RequestOpen,
            Conflict::CourseCodeTaken => Self::CourseCodeTaken,
            Conflict::TooManyPatients => Self::TooManyPatients,
            Conflict::NotStaff => Self::NotStaff,
            Conflict::CentreHasSlots => Self::CentreHasSlots,
            Conflict::CentreInactive => Self::CentreInactive,
            Conflict::SlotExists => Self::SlotExists,
            Conflict::SlotClosed => Self::SlotClosed,
            Conflict::SlotOver => Self::SlotOver,
            Conflict::InvitationRequired => Self::InvitationRequired,
            Conflict::CapacityBelowBooked => Self::CapacityBelowBooked,
            Conflict::AlreadyWaiting => Self::AlreadyWaiting,
            Conflict::OfferOver => Self::OfferOver,
            Conflict::DoseRecorded => Self::DoseRecorded,
            Conflict::TooManyDoses => Self::TooManyDoses,
            Conflict::LaterDose => Self::LaterDose,
            Conflict::SlotNotBegun => Self::SlotNotBegun,
            Conflict::LotExists => Self::LotExists,
            Conflict::LotBelowUsed => Self::LotBelowUsed,
            Conflict::TooLate | Conflict::UndoTooLate => Self::TooLate,
            Conflict::TooManyMoves => Self::TooManyMoves,
            Conflict::RequestStatus(_) => Self::RequestStatus,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use strum::VariantArray as _;

    use super::ProblemKind;

    #[test]
    fn codes_are_unique_and_types_are_sorted_by_status() {
        let codes: BTreeSet<_> = ProblemKind::VARIANTS.iter().map(|kind| kind.entry().code).collect();
        assert_eq!(codes.len(), ProblemKind::VARIANTS.len());
        assert!(ProblemKind::VARIANTS.is_sorted_by_key(|kind| kind.entry().status.as_u16()));
    }
}
