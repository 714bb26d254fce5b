//! Grants: everything besides the password that gives access to an account or receives its data, in one list. This file
//! decides which of them a recovery, a verification and a change of the password or the address revoke.
//!
//! `docs/decisions/0011-unverified-accounts.md` has the reasons.

use chrono::{DateTime, Utc};
use entity::{CodePurpose, users};
use sea_orm::sea_query::{Query, SelectStatement};
use sea_orm::{ColumnTrait, ConnectionTrait};
use strum::VariantArray;
use uuid::Uuid;

use crate::domain::auth::{calendar_feeds, codes, sessions};
use crate::domain::records::outbox;
use crate::error::Result;

/// Kind of grant. A new kind must be given an answer for every [`Cause`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, VariantArray)]
enum Grant {
    /// Sessions, with their token pairs.
    Session,
    /// The code that verifies the e-mail address.
    VerificationCode,
    /// Codes and reset tokens that set a new password, and codes that are still to be mailed.
    PasswordReset,
    /// A change of the e-mail address under way.
    EmailChange,
    /// The secret URL of the birthday calendar.
    BirthdayFeed,
}

/// Reason to revoke grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Whoever proved that they own the mailbox takes over the account: with a reset token, or with a verification code
    /// alone. Also if an operator sets the password.
    Recovery,
    /// An unverified address was registered again.
    Registration,
    /// The address was verified by someone with the password or a session of the account, who keeps this session.
    Verification {
        /// Session of the request, if it had one.
        kept: Option<Uuid>,
    },
    /// The owner changed the password, in this session.
    PasswordChange {
        /// Session of the request.
        kept: Uuid,
    },
    /// The owner changed the e-mail address.
    EmailChange,
}

impl Grant {
    const fn is_revoked_by(self, cause: Cause) -> bool {
        match (self, cause) {
            (_, Cause::Recovery) => true,
            // Codes were sent to the mailbox: its owner keeps them, whoever registers the address meanwhile.
            (Self::PasswordReset, Cause::Registration) => false,
            (_, Cause::Registration) => true,
            (Self::Session, Cause::Verification { .. } | Cause::PasswordChange { .. }) => true,
            (Self::VerificationCode, Cause::Verification { .. } | Cause::EmailChange) => true,
            (Self::VerificationCode, Cause::PasswordChange { .. }) => false,
            (Self::PasswordReset, Cause::PasswordChange { .. } | Cause::EmailChange) => true,
            (Self::EmailChange, Cause::PasswordChange { .. } | Cause::EmailChange) => true,
            (Self::PasswordReset | Self::EmailChange, Cause::Verification { .. }) => false,
            (Self::Session, Cause::EmailChange) => false,
            // It is read-only, and shown to the owner by `GET /contacts/birthdays/feed`.
            (Self::BirthdayFeed, Cause::Verification { .. } | Cause::PasswordChange { .. } | Cause::EmailChange) => {
                false
            }
        }
    }

    /// The purposes of its rows in the table of codes.
    const fn purposes(self) -> &'static [CodePurpose] {
        match self {
            Self::VerificationCode => &[CodePurpose::VerifyEmail],
            Self::PasswordReset => &[CodePurpose::ResetPassword, CodePurpose::SetPassword],
            Self::EmailChange => &[CodePurpose::ChangeEmail],
            Self::Session | Self::BirthdayFeed => &[],
        }
    }
}

/// Revokes the grants of an account, as part of a transaction that has locked it. After the commit the returned
/// sessions must be added to [`Revocations`](crate::domain::auth::revocations::Revocations::add). The statements
/// depend on the cause only.
///
/// # Errors
/// Database errors.
pub async fn revoke(
    transaction: &impl ConnectionTrait,
    user_id: Uuid,
    cause: Cause,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>> {
    let revoked = || Grant::VARIANTS.iter().filter(|grant| grant.is_revoked_by(cause));
    let purposes = revoked().flat_map(|grant| grant.purposes()).copied();
    codes::delete_of(transaction, user_id, purposes).await?;
    let mut ended = Vec::new();
    for grant in revoked() {
        match grant {
            Grant::Session => ended = sessions::end_all(transaction, user_id, kept(cause), now).await?,
            Grant::BirthdayFeed => calendar_feeds::delete_of(transaction, user_id).await?,
            Grant::PasswordReset => outbox::delete_resets(transaction, email_of(user_id)).await?,
            // Rows of the table of codes.
            Grant::VerificationCode | Grant::EmailChange => {}
        }
    }
    Ok(ended)
}

fn email_of(user_id: Uuid) -> SelectStatement {
    Query::select()
        .column((users::Entity, users::Column::Email))
        .from(users::Entity)
        .and_where(users::Column::Id.eq(user_id))
        .to_owned()
}

const fn kept(cause: Cause) -> Option<Uuid> {
    match cause {
        Cause::Verification { kept } => kept,
        Cause::PasswordChange { kept } => Some(kept),
        Cause::Recovery | Cause::Registration | Cause::EmailChange => None,
    }
}
