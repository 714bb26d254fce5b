//! Verification of e-mail addresses: of the one given at registration, and of a new one that replaces it.

use entity::{AuditAction, CodePurpose, MailKind, PasswordHash, users};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, TransactionSession as _};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::accounts::credentials::{self, Failure};
use crate::domain::accounts::own_patient;
use crate::domain::accounts::user_words::{self, Searchable};
use crate::domain::accounts::users as accounts;
use crate::domain::auth::code_attempts::{self, Account, PresentedCode};
use crate::domain::auth::codes;
use crate::domain::auth::context::Auth;
use crate::domain::auth::grants::{self, Cause};
use crate::domain::auth::password::Password;
use crate::domain::auth::reset_tokens::{self, ResetToken};
use crate::domain::auth::sessions;
use crate::domain::auth::throttle::{Action, Attempt};
use crate::domain::records::audit::Event;
use crate::domain::records::outbox;
use crate::domain::values::actor::Actor;
use crate::domain::values::caller::Caller;
use crate::domain::values::client::Client;
use crate::domain::values::email::Email;
use crate::domain::values::one_time_code::OneTimeCode;
use crate::error::{Error, Result, Violation};

/// Proof of who verifies an address, besides the code: the code proves only that they own the mailbox. Password and
/// sessions may be those of someone else who registered the address.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    /// The password of the account.
    pub password: Option<Password>,
    /// Actor of a session.
    pub actor: Option<Actor>,
}

/// Verifies the e-mail address of an account with the code that was mailed to it.
///
/// With the password or from a session of the account, password and session are kept, and all other sessions are ended.
/// With the code alone the account is handed over to the owner of the mailbox: its password, profile, sessions and
/// other [grants] are those of a stranger and become void; a reset token is returned.
///
/// # Errors
/// Returns a violation in `code`, the same one for an unknown address, or in `password`; [`Error::InvalidToken`] if the
/// session has just ended; [`Error::TooMany`], [`Error::Busy`].
pub async fn confirm(
    db: &impl Transact,
    auth: &Auth,
    presented: (&Email, &OneTimeCode),
    proof: Proof,
    client: &Client,
) -> Result<Option<ResetToken>> {
    let (account, purpose) = (Account::Of(presented.0), CodePurpose::VerifyEmail);
    let code =
        code_attempts::verify(db, auth, &PresentedCode { account, purpose, code: presented.1, flow: None }, client)
            .await?;
    let proven = prove(db, auth, code.user_id, proof, client).await?;
    let now = auth.clock.now();
    let transaction = db.begin().await?;
    let user = accounts::lock(&transaction, code.user_id).await?.ok_or_else(|| codes::wrong("code"))?;
    codes::redeem(&transaction, &code).await?;
    let is_stale = user.email_verified_at.is_some() || user.email != code.email;
    if is_stale || proven.password_hash.as_ref().is_some_and(|hash| *hash != user.password_hash) {
        return Err(codes::wrong("code").into());
    }
    if let Some(id) = proven.session
        && !sessions::is_active(&transaction, user.id, id, now).await?
    {
        return Err(Error::InvalidToken);
    }
    let verified = accounts::set_verified(&user, now);
    let (verified, cause) = if proven.is_alone() {
        (accounts::without_owner(verified, &user), Cause::Recovery)
    } else {
        (verified, Cause::Verification { kept: proven.session })
    };
    verified.exec(&transaction).await?;
    if proven.is_alone() {
        user_words::replace(&transaction, user.id, Searchable::cleared(&user.email)).await?;
        own_patient::replace(&transaction, user.id, accounts::local_part(&user.email), None, now).await?;
    }
    let ended = grants::revoke(&transaction, user.id, cause, now).await?;
    let reset_token =
        if proven.is_alone() { Some(reset_tokens::issue(&transaction, auth, &code).await?) } else { None };
    let event = Event::own(AuditAction::EmailVerified, user.id, client);
    let event = if reset_token.is_some() { event.detail("by code alone") } else { event };
    event.record(&transaction, now).await?;
    transaction.commit().await?;
    auth.revocations.add(ended, now);
    Ok(reset_token)
}

/// What a [`Proof`] has proven.
#[derive(Default)]
struct Proven {
    /// Hash of the password that was right. If it has changed since, the address was registered again.
    password_hash: Option<PasswordHash>,
    /// The session of the request, if it belongs to the account.
    session: Option<Uuid>,
}

impl Proven {
    /// Whether only the mailbox is proven.
    fn is_alone(&self) -> bool {
        self.password_hash.is_none() && self.session.is_none()
    }
}

/// Checks the proof for the account of a code. A session of another account proves nothing.
async fn prove(db: &impl Transact, auth: &Auth, user_id: Uuid, proof: Proof, client: &Client) -> Result<Proven> {
    let session = proof.actor.filter(|actor| actor.user_id == user_id).map(|actor| actor.session_id);
    let Some(password) = proof.password else { return Ok(Proven { password_hash: None, session }) };
    let permit = auth.hasher.permit().await?;
    let user = users::Entity::find_by_id(user_id).one(db).await?.ok_or_else(|| codes::wrong("code"))?;
    let event = Event::new(AuditAction::LoginFailed, client).to(user.id);
    credentials::check(db, auth, &permit, &user, password, Failure { field: "password", event, client }).await?;
    Ok(Proven { password_hash: Some(user.password_hash), session })
}

/// Requests another verification code. As in a password recovery, nothing here depends on whether the address has an
/// account.
///
/// # Errors
/// Returns [`Error::TooMany`] if the throttle imposes a wait.
pub async fn resend(db: &impl Transact, auth: &Auth, email: &Email, client: &Client) -> Result<()> {
    let transaction = db.begin().await?;
    Attempt::new(auth, Action::Resend, Some(email.as_str()), client).count_and_check(&transaction).await?;
    outbox::add(&transaction, MailKind::VerifyEmail, email.as_str(), None, auth.clock.now()).await?;
    Ok(transaction.commit().await?)
}

/// Requests a change of the e-mail address: a code is mailed to the new address, and a notification to the current one.
/// Whether the new address belongs to another account is revealed only in the mail to that address.
///
/// # Errors
/// Returns a violation in `current_password` or `email`, [`Error::TooMany`], or [`Error::Busy`].
pub async fn begin_change(
    db: &impl Transact,
    auth: &Auth,
    caller: &Caller,
    email: &Email,
    password: Password,
) -> Result<()> {
    email.check_new()?;
    let user = credentials::confirm(db, auth, caller, password, "current_password").await?;
    if user.email == email.as_str() {
        return Err(Violation::new("email", "same", "is the address of the account already").into());
    }
    let now = auth.clock.now();
    let transaction = db.begin().await?;
    let locked = sessions::lock_active(&transaction, &caller.actor, now).await?;
    if locked.password_hash != user.password_hash {
        return Err(Violation::new("current_password", "wrong", "is not the password of the account").into());
    }
    // Each request sends two mails, one of them to any address that the caller chooses.
    Attempt::new(auth, Action::Resend, Some(&user.email), &caller.client).count_and_check(&transaction).await?;
    codes::begin_change(&transaction, auth, user.id, email).await?;
    outbox::add(&transaction, MailKind::ChangeEmail, email.as_str(), Some(user.id), now).await?;
    outbox::add(&transaction, MailKind::EmailChangeAsked, &user.email, Some(user.id), now).await?;
    Event::own(AuditAction::EmailChangeAsked, user.id, &caller.client).record(&transaction, now).await?;
    transaction.commit().await?;
    Ok(())
}

/// Changes the e-mail address with the code that was mailed to the new address, and notifies the old address. Codes
/// that were mailed to the old address become void.
///
/// # Errors
/// Returns a violation in `code`, a conflict if another account has the address, or [`Error::TooMany`].
pub async fn finish_change(
    db: &impl Transact,
    auth: &Auth,
    caller: &Caller,
    code: &OneTimeCode,
) -> Result<users::Model> {
    let account = Account::Id(caller.actor.user_id);
    let presented = PresentedCode { account, purpose: CodePurpose::ChangeEmail, code, flow: None };
    let code = code_attempts::verify(db, auth, &presented, &caller.client).await?;
    let now = auth.clock.now();
    let transaction = db.begin().await?;
    let old = sessions::lock_active(&transaction, &caller.actor, now).await?;
    codes::redeem(&transaction, &code).await?;
    let changed = users::Entity::update_many()
        .col_expr(users::Column::Email, Expr::value(code.email.as_str()))
        .col_expr(users::Column::EmailVerifiedAt, Expr::value(now))
        .col_expr(users::Column::UpdatedAt, Expr::value(now))
        .filter(users::Column::Id.eq(caller.actor.user_id))
        .exec_with_returning(&transaction)
        .await?;
    user_words::replace(&transaction, old.id, Searchable { email: &code.email, ..Searchable::of(&old) }).await?;
    let ended = grants::revoke(&transaction, old.id, Cause::EmailChange, now).await?;
    outbox::add(&transaction, MailKind::EmailChanged, &old.email, Some(old.id), now).await?;
    Event::own(AuditAction::EmailChanged, old.id, &caller.client).record(&transaction, now).await?;
    transaction.commit().await?;
    auth.revocations.add(ended, now);
    changed.into_iter().next().ok_or(Error::InvalidToken)
}
