//! Column types with a meaning of their own: closed sets of words, and a secret.

use std::fmt;

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an account may do. Each role may do what the ones before it may.
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
    /// Asks for vaccines.
    Patient,
    /// Reviews requests.
    Staff,
    /// Keeps the catalogue and gives out roles.
    Admin,
}

/// Where a vaccine request stands: `pending → approved → booked → administered`, or one of the other ends.
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

/// What a code sent by mail is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum CodePurpose {
    /// Confirms the address of an account.
    VerifyEmail,
    /// Confirms the address that an account is to have.
    ChangeEmail,
    /// Buys a reset token.
    ResetPassword,
    /// Is a reset token.
    SetPassword,
}

/// What a file of contacts is written in.
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

/// Which mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(32))", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum MailKind {
    /// A code that confirms the address of an account.
    VerifyEmail,
    /// A code that confirms the address that an account is to have.
    ChangeEmail,
    /// Somebody asked to change the address; goes to the present one.
    EmailChangeAsked,
    /// The address was changed; goes to the old one.
    EmailChanged,
    /// A code that lets the password be set anew.
    ResetPassword,
    /// The password was changed.
    PasswordChanged,
    /// Somebody registered with an address that has an account.
    AlreadyRegistered,
    /// A registration that came to nothing for another reason.
    RegistrationRefused,
    /// The account is gone.
    AccountDeleted,
}

/// What was done, as the audit trail has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(32))", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum AuditAction {
    Registered,
    LoginSucceeded,
    LoginFailed,
    LoggedOut,
    SessionEnded,
    /// A refresh token was used a second time; its session was ended.
    RefreshReused,
    EmailVerified,
    EmailChangeAsked,
    EmailChanged,
    PasswordChanged,
    /// With a code sent by mail, or by an operator.
    PasswordReset,
    RoleChanged,
    UserDisabled,
    UserEnabled,
    RequestApproved,
    RequestRejected,
    /// By staff, not by whoever asked.
    RequestCancelled,
    DataExported,
    AccountDeleted,
}

/// A password as it is stored: hashed, and hidden from `Debug`.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

impl Role {
    /// The word in the database and the API.
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
    /// The word in the database and the API.
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
