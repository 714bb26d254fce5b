//! Column types: enums, and the password hash.

use std::fmt;
use std::str::FromStr;

use sea_orm::Iterable as _;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Role of an account. Each role includes the rights of the ones before.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Requests vaccines and keeps contacts.
    Patient,
    /// Reviews vaccine requests.
    Staff,
    /// Manages the catalogue and the accounts.
    Admin,
}

/// Status of a vaccine request: `pending → approved → booked → administered`, or `rejected`, `missed` or `cancelled`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum RequestStatus {
    Pending,
    Approved,
    Rejected,
    Booked,
    Administered,
    Missed,
    Cancelled,
}

/// Where a dose was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum ImmunizationSource {
    /// In a centre of this service.
    GivenHere,
    /// Elsewhere, and reported by the patient or by staff.
    Reported,
}

/// Status of a dose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum ImmunizationStatus {
    /// Given.
    Completed,
    /// Recorded by mistake.
    EnteredInError,
}

/// Status of a waitlist entry: `waiting → offered → accepted`, `declined` or `expired`; or `left`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum WaitlistStatus {
    /// In the line.
    Waiting,
    /// A place is held until the offer expires.
    Offered,
    /// The place was booked.
    Accepted,
    /// The place was declined.
    Declined,
    /// The offer has expired.
    Expired,
    /// No longer in the line, without a decision about a place.
    Left,
}

/// Relation of a patient to the account that made requests for them. Its first value is a keyword of Rust, which the
/// derive of the other enums does not support.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveValueType, Serialize, Deserialize, ToSchema)]
#[sea_orm(value_type = "String", column_type = "String(StringLen::N(16))")]
#[serde(rename_all = "snake_case")]
pub enum PatientRelation {
    /// The patient is the owner of the account.
    #[serde(rename = "self")]
    Own,
    /// The owner of the account cares for the patient.
    Dependant,
    /// The patient came to a centre without an account.
    WalkIn,
}

/// Purpose of a mailed code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum CodePurpose {
    /// Verifies the e-mail address of an account.
    VerifyEmail,
    /// Verifies the new e-mail address of an account.
    ChangeEmail,
    /// Can be exchanged for a reset token.
    ResetPassword,
    /// Reset token, which sets a new password.
    SetPassword,
}

/// Format of a contact file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum ContactFormat {
    /// Comma-separated values (RFC 4180).
    Csv,
    /// vCards (RFC 6350).
    #[sea_orm(string_value = "vcard")]
    #[serde(rename = "vcard")]
    VCard,
}

/// Kind of mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(32))", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum MailKind {
    /// Code that verifies the e-mail address of an account.
    VerifyEmail,
    /// Code that verifies the new e-mail address of an account.
    ChangeEmail,
    /// Notice of a requested change of the e-mail address, sent to the current one.
    EmailChangeAsked,
    /// Notice of a changed e-mail address, sent to the old one.
    EmailChanged,
    /// Code to reset the password.
    ResetPassword,
    /// Notice of a changed password.
    PasswordChanged,
    /// Notice of a registration with an e-mail address that already has an account.
    AlreadyRegistered,
    /// Notice of the deleted account.
    AccountDeleted,
    /// A place is booked.
    Booked,
    /// The booking was moved to another slot.
    Moved,
    /// The booking was given back or cancelled.
    Unbooked,
    /// The booked or offered slot was closed.
    Closed,
    /// A place is offered to somebody on the waitlist.
    Offer,
    /// The offer has expired.
    OfferOver,
    /// Reminder of a booking.
    Reminder,
    /// Invitation with its code.
    Invitation,
}

/// Action of an audit event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(32))", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum AuditAction {
    Registered,
    LoginSucceeded,
    LoginFailed,
    LoggedOut,
    SessionEnded,
    /// A used refresh token was used again; its session was ended.
    RefreshReused,
    EmailVerified,
    EmailChangeAsked,
    EmailChanged,
    PasswordChanged,
    /// With a reset token, or by an operator.
    PasswordReset,
    RoleChanged,
    UserDisabled,
    UserEnabled,
    RequestApproved,
    RequestRejected,
    /// By staff, not by the user who made the request.
    RequestCancelled,
    DataExported,
    AccountDeleted,
    /// Name, national id or date of birth.
    ProfileChanged,
    NidVerified,
    /// By staff or an admin, not by its owner.
    AccountRead,
    ContactsImported,
    ImportUndone,
    FeedCreated,
    FeedDeleted,
    /// Name or birth date of a patient, or their requests, by staff.
    PatientRead,
    PatientChanged,
    /// By staff, as the next two.
    RequestBooked,
    RequestMoved,
    RequestUnbooked,
    CentreCreated,
    CentreChanged,
    CentreStaffAdded,
    CentreStaffRemoved,
    CalendarCreated,
    SlotCreated,
    SlotChanged,
    SlotClosed,
    SlotReopened,
    DayClosed,
    InvitationCreated,
    InvitationsImported,
    InvitationRevoked,
    /// A new version of the schedule of a course.
    SchedulePut,
    /// A dose that was given elsewhere, reported by staff.
    DoseReported,
    /// A patient has come to a centre.
    CheckedIn,
    /// A patient has come without a booking.
    WalkedIn,
    /// By staff, as the next ones.
    DoseAdministered,
    /// A dose was given although a rule did not pass; the detail has the rule.
    DoseOverridden,
    DoseEnteredInError,
    RequestMissed,
    RequestReopened,
    /// A request was looked up by its code at a centre.
    ArrivalRead,
    LotCreated,
    LotChanged,
    LotRecalled,
}

impl PatientRelation {
    /// The value in the database and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Own => "self",
            Self::Dependant => "dependant",
            Self::WalkIn => "walk_in",
        }
    }
}

impl fmt::Display for PatientRelation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PatientRelation {
    type Err = DbErr;

    fn from_str(word: &str) -> Result<Self, DbErr> {
        let relation = Self::iter().find(|relation| relation.as_str() == word);
        relation.ok_or_else(|| DbErr::Type(format!("{word} is no relation of a patient")))
    }
}

/// Password hash, as stored. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub struct PasswordHash(pub String);

impl PasswordHash {
    /// Stored value of an account without a password: it matches no password.
    #[must_use]
    pub fn void() -> Self {
        Self("!".to_owned())
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

impl Role {
    /// The value in the database and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Patient => "patient",
            Self::Staff => "staff",
            Self::Admin => "admin",
        }
    }
}

impl RequestStatus {
    /// The value in the database and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Booked => "booked",
            Self::Administered => "administered",
            Self::Missed => "missed",
            Self::Cancelled => "cancelled",
        }
    }
}
