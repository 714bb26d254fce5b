//! Everything that can go wrong, in the words of the domain. What it looks like over HTTP is decided in `api::problem`.

use std::borrow::Cow;

use entity::{RequestStatus, Role};
use sea_orm::DbErr;

use crate::db;

/// What every function of the domain returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Values that break a rule: all of them, not just the first.
    #[error("{} value(s) break a rule", .0.len())]
    Invalid(Vec<Violation>),
    /// An unknown e-mail or a wrong password; which of them is not told.
    #[error("wrong e-mail or password")]
    WrongCredentials,
    /// The right password of an account that an admin has disabled.
    #[error("the account is disabled")]
    AccountDisabled,
    /// The right password of an account whose address has not been confirmed, where that is required.
    #[error("the e-mail has not been confirmed")]
    EmailUnverified,
    /// It came too often.
    #[error("too many attempts")]
    TooMany {
        /// How long to wait.
        retry_after: chrono::Duration,
    },
    /// No access token came with the request.
    #[error("not signed in")]
    Unauthenticated,
    /// A token that is malformed, forged, expired, revoked or of the wrong kind.
    #[error("the token is not valid")]
    InvalidToken,
    /// Signed in, but with a lesser role than this.
    #[error("needs the role {0:?}")]
    Forbidden(Role),
    /// Not there, or not visible to whoever asks.
    #[error("not found")]
    NotFound,
    /// In the way of something that is already so.
    #[error("{0}")]
    Conflict(#[from] Conflict),
    /// More passwords are waiting to be hashed, or files to be read, than can be served in time.
    #[error("too much at once")]
    Busy,
    /// The database cannot be reached, or is too busy.
    #[error("the database is unavailable")]
    Unavailable(#[source] DbErr),
    /// A fault of ours.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A state of affairs that stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// Another account has this e-mail.
    #[error("an account with this e-mail exists already")]
    EmailTaken,
    /// Another account has this national id.
    #[error("an account with this national id exists already")]
    NidTaken,
    /// Another vaccine has this code.
    #[error("a vaccine with this code exists already")]
    VaccineCodeTaken,
    /// The same person has an open request for the same vaccine and dose.
    #[error("there is an open request for this person, vaccine and dose already")]
    RequestOpen,
    /// Another contact of the same user has this e-mail.
    #[error("one of your contacts has this e-mail already")]
    ContactEmailTaken,
    /// An open vaccine request is for this contact.
    #[error("a vaccine request for this contact is open; it has to be closed or cancelled first")]
    ContactInUse,
    /// An open vaccine request is for a contact of this import.
    #[error("a vaccine request for a contact of this import is open; it has to be closed or cancelled first")]
    ImportInUse,
    /// Nobody could administer the service any more.
    #[error("this is the last admin who can sign in")]
    LastAdmin,
    /// The request stands where this step does not start from.
    #[error("the request is {} already", .0.as_str())]
    RequestStatus(RequestStatus),
}

/// One value that breaks one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Where it stands in the input, such as `birth_date`.
    pub field: Cow<'static, str>,
    /// The rule, for programs.
    pub code: Cow<'static, str>,
    /// The rule, for people. Never repeats the value.
    pub message: Cow<'static, str>,
}

impl Violation {
    /// A violation of the rule `code` in `field`.
    pub fn new(
        field: impl Into<Cow<'static, str>>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { field: field.into(), code: code.into(), message: message.into() }
    }

    /// A violation of the rule `code` by a value whose place in the input is not known yet.
    pub fn of_value(code: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new("", code, message)
    }

    /// The same violation, by the value in `field`.
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
    /// Wraps a fault that no user can do anything about.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        match db::violated_constraint(&error).as_deref() {
            Some("users_email_key") => Conflict::EmailTaken.into(),
            Some("users_nid_key") => Conflict::NidTaken.into(),
            Some("vaccines_code_key") => Conflict::VaccineCodeTaken.into(),
            Some(
                "vaccine_requests_user_id_vaccine_id_dose_number_key"
                | "vaccine_requests_contact_id_vaccine_id_dose_number_key",
            ) => Conflict::RequestOpen.into(),
            Some("contacts_user_id_email_key") => Conflict::ContactEmailTaken.into(),
            // Removing a contact takes it from the requests for them, which only those that are closed bear.
            Some("vaccine_requests_contact_id_check") => Conflict::ContactInUse.into(),
            Some("vaccine_requests_contact_id_fkey") => {
                Violation::new("contact_id", "unknown", "is not one of your contacts").into()
            }
            Some("contacts_birth_day_check") => {
                Violation::new("birth_day", "date", "must, with birth_month and birth_year, be a day of the calendar")
                    .into()
            }
            Some("vaccines_max_age_months_check") => {
                Violation::new("max_age_months", "order", "must not be below min_age_months").into()
            }
            // Of all references only the one to the acting account can break: it has just been deleted.
            Some(name) if name.ends_with("_user_id_fkey") || name.ends_with("_reviewed_by_fkey") => Self::InvalidToken,
            Some(db::SOME_FOREIGN_KEY) => Self::InvalidToken,
            _ if db::is_unavailable(&error) => Self::Unavailable(error),
            _ => Self::internal(error),
        }
    }
}

/// An error with all its causes, for whoever operates the service.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Some errors repeat their cause.
        let said = error.to_string();
        if !text.ends_with(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}
