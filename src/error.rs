//! Errors of the domain. `api::http::problem` maps them to HTTP responses.

use std::borrow::Cow;

use entity::{RequestStatus, Role};
use sea_orm::DbErr;

use crate::db;
use crate::domain::vaccination::eligibility::Eligibility;
use crate::domain::vaccination::lots::LotRefusal;
use crate::domain::vaccination::slots::Slot;

/// Result of domain functions.
pub type Result<T> = std::result::Result<T, Error>;

/// Error of a domain function.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Invalid values: all of them, not just the first.
    #[error("{} invalid value(s)", .0.len())]
    Invalid(Vec<Violation>),
    /// Unknown e-mail or wrong password. The response does not tell which.
    #[error("wrong e-mail or password")]
    WrongCredentials,
    /// Correct password of an account that an admin has disabled.
    #[error("the account is disabled")]
    AccountDisabled,
    /// Correct password of an account whose e-mail is not verified, where `auth.require_verified_email` is set.
    #[error("the e-mail is not verified")]
    EmailUnverified,
    /// Nobody can register.
    #[error("registration is closed")]
    RegistrationClosed,
    /// Too many requests.
    #[error("too many requests")]
    TooMany {
        /// Time to wait before the next attempt.
        retry_after: chrono::Duration,
    },
    /// The request has no access token.
    #[error("not signed in")]
    Unauthenticated,
    /// The token is malformed, forged, expired, revoked or of the wrong kind.
    #[error("the token is not valid")]
    InvalidToken,
    /// The actor does not have this role.
    #[error("requires the role {0:?}")]
    Forbidden(Role),
    /// The resource does not exist, or the actor may not see it.
    #[error("not found")]
    NotFound,
    /// Conflict with the existing state (409).
    #[error("{0}")]
    Conflict(#[from] Conflict),
    /// No place is free in the slot.
    #[error("the slot is full")]
    SlotFull {
        /// Free slots of the same centre and vaccine, nearest first.
        alternatives: Vec<Slot>,
    },
    /// There are free slots that fit, so there is nothing to wait for.
    #[error("there are free slots")]
    SlotsFree {
        /// The first of them, by time.
        alternatives: Vec<Slot>,
    },
    /// The rules do not allow the dose.
    #[error("the patient is not eligible")]
    NotEligible(Box<Eligibility>),
    /// No dose can be taken from the lot.
    #[error("the lot cannot be used: {}", .0.name())]
    LotRefused(LotRefusal),
    /// Another version was put since the one that the client has read.
    #[error("another version was put since")]
    PreconditionFailed,
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The queue of passwords to hash, or of files to import, is full; or the same thing was changed at the same moment.
    #[error("too many concurrent requests")]
    Busy,
    /// The database cannot be reached or is overloaded; a retry may succeed.
    #[error("the database is unavailable")]
    Unavailable(#[source] DbErr),
    /// The list of revoked sessions could not be read for too long, so no access token can be trusted.
    #[error("the list of revoked sessions is out of date")]
    Outdated,
    /// The clock of this instance differs too much from that of the database.
    #[error("the clock differs from that of the database")]
    ClockSkew,
    /// Any other failure; a defect of the service or its environment.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Conflict of an operation with the existing state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// Another account has this e-mail.
    #[error("an account with this e-mail exists already")]
    EmailTaken,
    /// The national id is verified for another account.
    #[error("this national id is verified for another account")]
    NidTaken,
    /// The account has no national id that could be verified.
    #[error("the account has no national id")]
    NidMissing,
    /// Another vaccine has this code.
    #[error("a vaccine with this code exists already")]
    VaccineCodeTaken,
    /// The same person has an open request for the same vaccine and dose.
    #[error("an open request for this person, course and dose exists already")]
    RequestOpen,
    /// An open vaccine request is for this contact.
    #[error("a vaccine request for this contact is open; it must be closed or cancelled first")]
    ContactInUse,
    /// An open vaccine request is for a contact of this import.
    #[error("a vaccine request for a contact of this import is open; it must be closed or cancelled first")]
    ImportInUse,
    /// The operation would leave no admin who can sign in.
    #[error("this is the last admin who can sign in")]
    LastAdmin,
    /// Another course has this code.
    #[error("a course with this code exists already")]
    CourseCodeTaken,
    /// The account has as many patients as it may have.
    #[error("the account has the maximum number of patients already")]
    TooManyPatients,
    /// The account is not staff.
    #[error("the account does not have the role staff")]
    NotStaff,
    /// The time zone of a centre with future slots cannot change.
    #[error("the centre has future slots, so its time zone cannot change")]
    CentreHasSlots,
    /// No slots can be added to the centre.
    #[error("the centre is not active")]
    CentreInactive,
    /// There is a slot of the same centre and vaccine at the same time.
    #[error("a slot of this centre and vaccine at this time exists already")]
    SlotExists,
    /// The slot is closed.
    #[error("the slot is closed")]
    SlotClosed,
    /// The slot has begun, or begins too soon.
    #[error("the slot has begun, or begins too soon")]
    SlotOver,
    /// Booking the slot needs an invitation.
    #[error("this slot can only be booked with an invitation")]
    InvitationRequired,
    /// More places are taken than the capacity would be.
    #[error("the capacity would be below the number of places that are taken")]
    CapacityBelowBooked,
    /// The slot begins too soon to change its booking.
    #[error("the slot begins too soon to change the booking; ask the centre")]
    TooLate,
    /// The booking was moved as often as allowed.
    #[error("the booking was moved too often; ask the centre")]
    TooManyMoves,
    /// The dose of this vaccine on this day is recorded already.
    #[error("a dose of this vaccine on this day is recorded already")]
    DoseRecorded,
    /// The patient has as many doses as can be reported.
    #[error("the patient has the maximum number of doses already")]
    TooManyDoses,
    /// A later dose of the course counts.
    #[error("a later dose of the course counts; it must be undone first")]
    LaterDose,
    /// The time within which a dose can be undone is over.
    #[error("the dose was given too long ago to be undone")]
    UndoTooLate,
    /// The slot has not begun.
    #[error("the slot has not begun yet")]
    SlotNotBegun,
    /// The centre has a lot of this vaccine with this number.
    #[error("the centre has a lot of this vaccine with this number already")]
    LotExists,
    /// More doses of the lot were given and thrown away than were received.
    #[error("more doses of the lot were given and thrown away")]
    LotBelowUsed,
    /// The request is on the waitlist already.
    #[error("the request is on the waitlist already")]
    AlreadyWaiting,
    /// There is no offer, or it has expired.
    #[error("there is no offer, or it has expired")]
    OfferOver,
    /// The status of the vaccine request does not allow this operation.
    #[error("the status of the request is {}, which does not allow this operation", .0.as_str())]
    RequestStatus(RequestStatus),
}

/// Violation of a validation rule by one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Name of the input field, such as `birth_date`.
    pub field: Cow<'static, str>,
    /// Code of the rule, for programs.
    pub code: Cow<'static, str>,
    /// Message for people. It never repeats the value.
    pub message: Cow<'static, str>,
}

impl Violation {
    /// Creates a violation.
    pub fn new(
        field: impl Into<Cow<'static, str>>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { field: field.into(), code: code.into(), message: message.into() }
    }

    /// Creates a violation by a value whose field is not known yet.
    pub fn of_value(code: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new("", code, message)
    }

    /// Sets the field of a violation.
    #[must_use]
    pub fn in_field(self, field: impl Into<Cow<'static, str>>) -> Self {
        Self { field: field.into(), ..self }
    }
}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Self {
        Self::Invalid(vec![violation])
    }
}

impl Error {
    /// Wraps a failure that a user cannot correct.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        match db::violated_constraint(&error).as_deref() {
            Some("users_email_key") => Conflict::EmailTaken.into(),
            Some("users_nid_key_key") => Conflict::NidTaken.into(),
            Some("vaccines_code_key") => Conflict::VaccineCodeTaken.into(),
            Some("courses_code_key") => Conflict::CourseCodeTaken.into(),
            Some("vaccine_requests_patient_id_course_id_dose_number_key") => Conflict::RequestOpen.into(),
            // A random booking code was taken: one in a million million.
            Some("vaccine_requests_code_key") => Self::Busy,
            Some("waitlist_entries_request_id_key") => Conflict::AlreadyWaiting.into(),
            // The code of another invitation has the same letters: one in a million million million.
            Some("invitations_code_hash_key") => Self::Busy,
            Some("immunizations_patient_id_vaccine_id_administered_on_key") => Conflict::DoseRecorded.into(),
            Some("immunizations_patient_id_course_id_dose_number_key" | "immunizations_request_id_key") => {
                Conflict::DoseRecorded.into()
            }
            Some("lots_centre_id_vaccine_id_lot_number_key") => Conflict::LotExists.into(),
            Some("lots_used_check") => Conflict::LotBelowUsed.into(),
            Some("slots_centre_id_vaccine_id_starts_at_key") => Conflict::SlotExists.into(),
            Some("centres_longitude_check") => {
                Violation::new("longitude", "coordinates", "must be given together with latitude").into()
            }
            Some("patients_birth_day_check") => {
                Violation::new("birth_day", "date", "must be a valid date together with birth_month and birth_year")
                    .into()
            }
            Some("patients_contact_id_fkey") => {
                Violation::new("contact_id", "unknown", "is not one of your contacts").into()
            }
            Some("contacts_birth_day_check") => {
                Violation::new("birth_day", "date", "must be a valid date together with birth_month and birth_year")
                    .into()
            }
            Some("vaccines_max_age_months_check") => {
                Violation::new("max_age_months", "order", "must not be below min_age_months").into()
            }
            // Of all foreign keys, only the one to the actor's account can be violated: it has just been deleted.
            Some(name) if name.ends_with("_user_id_fkey") || name.ends_with("_reviewed_by_fkey") => Self::InvalidToken,
            Some(db::UNKNOWN_FOREIGN_KEY) => Self::InvalidToken,
            _ if db::is_unavailable(&error) => Self::Unavailable(error),
            _ => Self::internal(error),
        }
    }
}

/// Formats an error with all its causes, for operators.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Some errors already contain the text of their cause.
        let cause_text = error.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        cause = error.source();
    }
    text
}
