//! Mail messages about accounts: their content is decided when they are sent. A code is made only then, so that it is in no
//! queue and its lifetime begins when it is sent.

use chrono::{DateTime, Duration, Utc};
use entity::{CodePurpose, MailKind, outbox, users};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use crate::domain::auth::codes::{self, Code};
use crate::domain::auth::context::Auth;
use crate::domain::auth::reset_codes::{self, ResetRequest};
use crate::domain::auth::throttle::Attempt;
use crate::domain::records::outbox as mails;
use crate::error::{Error, Result};

/// Wait of a mail for another one that takes or has just taken the last slot.
const SLOT_RETRY: Duration = Duration::seconds(1);

/// A mail with the data for its text.
#[derive(Clone, Debug)]
pub struct Message<C> {
    /// The text.
    pub kind: MailKind,
    /// E-mail address of the recipient.
    pub recipient: String,
    /// Name of the recipient, if it is known.
    pub name: Option<String>,
    /// What the mail is about.
    pub content: C,
}

/// What to do with a mail of the outbox.
#[derive(Clone, Debug)]
pub enum Outcome<C> {
    /// Send it.
    Send(Message<C>),
    /// Do not send it: the address has no account, for instance, or is verified already.
    Skip,
    /// Send it at this time, because the address has got too many mails.
    Postpone(DateTime<Utc>),
}

impl<C> Outcome<C> {
    /// Changes the content of the mail.
    pub(in crate::domain) fn map<D>(self, change: impl FnOnce(C) -> D) -> Outcome<D> {
        match self {
            Self::Send(Message { kind, recipient, name, content }) => {
                Outcome::Send(Message { kind, recipient, name, content: change(content) })
            }
            Self::Skip => Outcome::Skip,
            Self::Postpone(time) => Outcome::Postpone(time),
        }
    }
}

impl<C> From<Option<Message<C>>> for Outcome<C> {
    fn from(message: Option<Message<C>>) -> Self {
        message.map_or(Self::Skip, Self::Send)
    }
}

/// Prepares a mail about an account, with its code if it has one. The request that caused it got the same response in every
/// case.
///
/// # Errors
/// Database errors.
pub async fn prepare(db: &impl ConnectionTrait, auth: &Auth, mail: &outbox::Model) -> Result<Outcome<Option<Code>>> {
    match mail.kind {
        MailKind::VerifyEmail => prepare_code(db, auth, mail, CodePurpose::VerifyEmail).await,
        MailKind::ChangeEmail => prepare_code(db, auth, mail, CodePurpose::ChangeEmail).await,
        MailKind::ResetPassword => prepare_code(db, auth, mail, CodePurpose::ResetPassword).await,
        _ => prepare_notice(db, auth, mail).await,
    }
}

/// Prepares a mail without a code.
async fn prepare_notice(db: &impl ConnectionTrait, auth: &Auth, mail: &outbox::Model) -> Result<Outcome<Option<Code>>> {
    let user = account_of(db, mail).await?;
    let is_unlimited = match mail.kind {
        MailKind::AccountDeleted => return Ok(Outcome::Send(message(mail, None, None))),
        MailKind::AlreadyRegistered => false,
        // Users can cause such mails at will only to an address that they own.
        MailKind::EmailChangeAsked | MailKind::EmailChanged | MailKind::PasswordChanged => {
            user.as_ref().is_some_and(|user| is_verified(user, mail))
        }
        // About no account.
        _ => return Ok(Outcome::Skip),
    };
    if !is_unlimited && let Some(time) = postponed_until(db, auth, mail, &mail.recipient).await? {
        return Ok(Outcome::Postpone(time));
    }
    Ok(user.map(|user| message(mail, Some(user), None)).into())
}

/// Prepares a mail with a code.
async fn prepare_code(
    db: &impl ConnectionTrait,
    auth: &Auth,
    mail: &outbox::Model,
    purpose: CodePurpose,
) -> Result<Outcome<Option<Code>>> {
    let user = account_of(db, mail).await?;
    let Some(user) = user.filter(|user| is_needed(mail, user)) else { return Ok(Outcome::Skip) };
    let reset = ResetRequest { user_id: user.id, email: &mail.recipient, flow_hash: mail.flow_hash.as_deref() };
    if mail.kind == MailKind::ResetPassword
        && let Some(time) = reset_postponed_until(db, auth, mail, reset).await?
    {
        return Ok(Outcome::Postpone(time));
    }
    if let Some(time) = postponed_until(db, auth, mail, &mail.recipient).await? {
        return Ok(Outcome::Postpone(time));
    }
    let code = match purpose {
        CodePurpose::ChangeEmail => codes::issue_for_change(db, auth, user.id, &mail.recipient).await?,
        CodePurpose::ResetPassword => match reset_codes::issue(db, auth, reset).await? {
            Some(code) => Some(code),
            None => return Ok(Outcome::Postpone(auth.clock.now() + SLOT_RETRY)),
        },
        purpose => Some(codes::issue(db, auth, user.id, purpose, &mail.recipient).await?),
    };
    Ok(code.map(|code| message(mail, Some(user), Some(code))).into())
}

fn message(mail: &outbox::Model, user: Option<users::Model>, code: Option<Code>) -> Message<Option<Code>> {
    // Only the owner of a verified address is addressed by name: others may be strangers, and the name a message that an
    // attacker wants to send to them.
    let name = user.filter(|user| is_verified(user, mail)).map(|user| user.name);
    Message { kind: mail.kind, recipient: mail.recipient.clone(), name, content: code }
}

/// The time until which a mail with a code that resets the password must wait: for older ones to the same recipient, or
/// because all slots are taken.
async fn reset_postponed_until(
    db: &impl ConnectionTrait,
    auth: &Auth,
    mail: &outbox::Model,
    reset: ResetRequest<'_>,
) -> Result<Option<DateTime<Utc>>> {
    if let Some(due_at) = mails::older_postponed(db, mail).await? {
        return Ok(Some(due_at.max(auth.clock.now()) + SLOT_RETRY));
    }
    reset_codes::wait_for_slot(db, auth, reset).await
}

/// The time until which the mail must wait, if the address has got too many mails that strangers can cause.
pub(in crate::domain) async fn postponed_until(
    db: &impl ConnectionTrait,
    auth: &Auth,
    mail: &outbox::Model,
    recipient: &str,
) -> Result<Option<DateTime<Utc>>> {
    // A retry was counted before.
    if mail.attempts > 1 {
        return Ok(None);
    }
    let attempt = Attempt::mail(auth, mail.kind, recipient);
    match attempt.count_and_check(db).await {
        Ok(()) => Ok(None),
        Err(Error::TooMany { retry_after }) => Ok(Some(attempt.time() + retry_after)),
        Err(error) => Err(error),
    }
}

/// Whether the recipient is the verified address of the account.
fn is_verified(user: &users::Model, mail: &outbox::Model) -> bool {
    user.email_verified_at.is_some() && user.email == mail.recipient
}

/// Whether the code in the mail is still needed.
fn is_needed(mail: &outbox::Model, user: &users::Model) -> bool {
    user.disabled_at.is_none()
        && match mail.kind {
            MailKind::VerifyEmail => user.email == mail.recipient && user.email_verified_at.is_none(),
            MailKind::ChangeEmail => user.email != mail.recipient,
            _ => user.email == mail.recipient,
        }
}

/// The account of the mail: the one that it names, or the one with its address.
async fn account_of(db: &impl ConnectionTrait, mail: &outbox::Model) -> Result<Option<users::Model>> {
    let found = match mail.user_id {
        Some(id) => users::Entity::find_by_id(id),
        None => users::Entity::find().filter(users::Column::Email.eq(&mail.recipient)),
    };
    Ok(found.one(db).await?)
}
