//! What a mail says, found out at the moment when it leaves: whether anybody should still get it, their name, and the
//! code, which is made only then. So a code lies in no queue, and its time begins when it is on its way.

use entity::{CodePurpose, MailKind, outbox, users};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::auth::Auth;
use super::codes::{self, Code};
use super::throttle::Attempt;
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

/// The letter for a mail in the outbox, or nothing when nobody is to get it: the address has no account, is confirmed
/// already, or has been sent too many codes of late. Whoever asked for it is told the same in every case.
///
/// # Errors
/// Fails when the database does.
pub async fn write(db: &impl ConnectionTrait, auth: &Auth, mail: &outbox::Model) -> Result<Option<Letter>> {
    let user = reader(db, mail).await?;
    let letter = |user: Option<users::Model>, code| {
        // Only a reader who is known is called by name: an address that is not confirmed may be a stranger's, and the
        // name whatever somebody wants to tell them.
        let is_known = |user: &users::Model| user.email_verified_at.is_some() && mail.kind != MailKind::ChangeEmail;
        let name = user.filter(is_known).map(|user| user.name);
        Letter { kind: mail.kind, recipient: mail.recipient.clone(), name, code }
    };
    let purpose = match mail.kind {
        MailKind::VerifyEmail => CodePurpose::VerifyEmail,
        MailKind::ChangeEmail => CodePurpose::ChangeEmail,
        MailKind::ResetPassword => CodePurpose::ResetPassword,
        MailKind::AlreadyRegistered => {
            // Without an account by that address it was the national id that was taken.
            let kind = if user.is_some() { mail.kind } else { MailKind::RegistrationRefused };
            let is_admitted = is_admitted(db, auth, mail).await?;
            return Ok(is_admitted.then(|| Letter { kind, ..letter(user, None) }));
        }
        MailKind::RegistrationRefused | MailKind::AccountDeleted => return Ok(Some(letter(None, None))),
        MailKind::EmailChangeAsked | MailKind::EmailChanged | MailKind::PasswordChanged => {
            return Ok(user.map(|user| letter(Some(user), None)));
        }
    };
    let Some(user) = user.filter(|user| is_wanted(mail, user)) else { return Ok(None) };
    if !is_admitted(db, auth, mail).await? {
        return Ok(None);
    }
    let code = match purpose {
        CodePurpose::ChangeEmail => codes::issue_for_change(db, auth, user.id, &mail.recipient).await?,
        purpose => Some(codes::issue(db, auth, user.id, purpose, &mail.recipient).await?),
    };
    Ok(code.map(|code| letter(Some(user), Some(code))))
}

/// Whether the address has not been sent too much of late that strangers can ask for.
async fn is_admitted(db: &impl ConnectionTrait, auth: &Auth, mail: &outbox::Model) -> Result<bool> {
    // A mail that is tried again has been counted.
    if mail.attempts > 1 {
        return Ok(true);
    }
    match Attempt::mail(auth, &mail.recipient).admit(db).await {
        Ok(()) => Ok(true),
        Err(Error::TooMany { .. }) => Ok(false),
        Err(error) => Err(error),
    }
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
