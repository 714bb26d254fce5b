//! What a mail says, found out at the moment when it leaves: whether anybody should still get it, their name, and the
//! code, which is made only then. So a code lies in no queue, and its time begins when it is on its way.

use chrono::{DateTime, Utc};
use entity::{CodePurpose, MailKind, outbox, users};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use crate::domain::auth::codes::{self, Code};
use crate::domain::auth::context::Auth;
use crate::domain::auth::throttle::Attempt;
use crate::error::{Error, Result};

/// A mail with all that its text needs.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Which text.
    pub kind: MailKind,
    /// Where it goes.
    pub recipient: String,
    /// Whom it addresses, when that is known.
    pub name: Option<String>,
    /// The code that it brings.
    pub code: Option<Code>,
}

/// What is to be done with a mail in the outbox.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It goes.
    Letter(Letter),
    /// Nobody is to get it: the address has no account, for instance, or is confirmed already.
    Nobody,
    /// The address has been sent too much of late; it goes at this time, unless there is a newer one by then.
    Later(DateTime<Utc>),
}

impl From<Option<Letter>> for Outcome {
    fn from(letter: Option<Letter>) -> Self {
        letter.map_or(Self::Nobody, Self::Letter)
    }
}

/// Decides what is to be done with a mail. Whoever asked for it is told the same in every case.
///
/// # Errors
/// Fails when the database does.
pub async fn write(db: &impl ConnectionTrait, auth: &Auth, mail: &outbox::Model) -> Result<Outcome> {
    let user = reader(db, mail).await?;
    let letter = |user: Option<users::Model>, code| {
        // Only a reader who is known is called by name: an address that is not confirmed may be a stranger's, and the
        // name whatever somebody wants to tell them.
        let name = user.filter(|user| has_confirmed(user, mail)).map(|user| user.name);
        Letter { kind: mail.kind, recipient: mail.recipient.clone(), name, code }
    };
    let purpose = match mail.kind {
        MailKind::VerifyEmail => CodePurpose::VerifyEmail,
        MailKind::ChangeEmail => CodePurpose::ChangeEmail,
        MailKind::ResetPassword => CodePurpose::ResetPassword,
        MailKind::AlreadyRegistered | MailKind::RegistrationRefused => {
            if let Some(time) = put_off(db, auth, mail).await? {
                return Ok(Outcome::Later(time));
            }
            // Without an account by that address it was the national id that was taken.
            let kind = if user.is_some() { mail.kind } else { MailKind::RegistrationRefused };
            return Ok(Outcome::Letter(Letter { kind, ..letter(user, None) }));
        }
        MailKind::AccountDeleted => return Ok(Outcome::Letter(letter(None, None))),
        MailKind::EmailChangeAsked | MailKind::EmailChanged | MailKind::PasswordChanged => {
            // Nobody can cause such mails at will but at an address of their own.
            let is_confirmed = user.as_ref().is_some_and(|user| has_confirmed(user, mail));
            if !is_confirmed && let Some(time) = put_off(db, auth, mail).await? {
                return Ok(Outcome::Later(time));
            }
            return Ok(user.map(|user| letter(Some(user), None)).into());
        }
    };
    let Some(user) = user.filter(|user| is_wanted(mail, user)) else { return Ok(Outcome::Nobody) };
    if let Some(time) = put_off(db, auth, mail).await? {
        return Ok(Outcome::Later(time));
    }
    let code = match purpose {
        CodePurpose::ChangeEmail => codes::issue_for_change(db, auth, user.id, &mail.recipient).await?,
        purpose => Some(codes::issue(db, auth, user.id, purpose, &mail.recipient).await?),
    };
    Ok(code.map(|code| letter(Some(user), Some(code))).into())
}

/// Until when the address is to be left in peace, when it has been sent too much of what strangers can ask for.
async fn put_off(db: &impl ConnectionTrait, auth: &Auth, mail: &outbox::Model) -> Result<Option<DateTime<Utc>>> {
    // A mail that is tried again has been counted.
    if mail.attempts > 1 {
        return Ok(None);
    }
    let attempt = Attempt::mail(auth, &mail.recipient);
    match attempt.count_and_check(db).await {
        Ok(()) => Ok(None),
        Err(Error::TooMany { retry_after }) => Ok(Some(attempt.time() + retry_after)),
        Err(error) => Err(error),
    }
}

/// Whether the mail goes to the address that the account has, and has confirmed.
fn has_confirmed(user: &users::Model, mail: &outbox::Model) -> bool {
    user.email_verified_at.is_some() && user.email == mail.recipient
}

/// Whether the code that the mail brings is still of use.
fn is_wanted(mail: &outbox::Model, user: &users::Model) -> bool {
    user.disabled_at.is_none()
        && match mail.kind {
            MailKind::VerifyEmail => user.email == mail.recipient && user.email_verified_at.is_none(),
            MailKind::ChangeEmail => user.email != mail.recipient,
            _ => user.email == mail.recipient,
        }
}

/// Whom the mail is about: the account that it names, or the one with its address.
async fn reader(db: &impl ConnectionTrait, mail: &outbox::Model) -> Result<Option<users::Model>> {
    let found = match mail.user_id {
        Some(id) => users::Entity::find_by_id(id),
        None => users::Entity::find().filter(users::Column::Email.eq(&mail.recipient)),
    };
    Ok(found.one(db).await?)
}
