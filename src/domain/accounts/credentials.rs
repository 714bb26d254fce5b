//! Password of a signed-in user: confirmation before an operation that cannot be undone, and password change.

use entity::{AuditAction, MailKind, PasswordHash, users};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, TransactionSession as _};

use crate::db::Transact;
use crate::domain::accounts::users as accounts;
use crate::domain::auth::context::Auth;
use crate::domain::auth::grants::{self, Cause};
use crate::domain::auth::hasher::{HashPermit, Verdict};
use crate::domain::auth::password::Password;
use crate::domain::auth::throttle::{Action, Attempt};
use crate::domain::records::audit::Event;
use crate::domain::records::outbox;
use crate::domain::values::caller::Caller;
use crate::domain::values::client::Client;
use crate::error::{Result, Violation};

/// Confirms the password of the actor, and returns the account. Wrong passwords count as failed logins.
///
/// # Errors
/// Returns a violation in `field` if the password is wrong, [`TooMany`](crate::error::Error::TooMany), or
/// [`Busy`](crate::error::Error::Busy).
pub async fn confirm(
    db: &impl Transact,
    auth: &Auth,
    caller: &Caller,
    password: Password,
    field: &'static str,
) -> Result<users::Model> {
    let permit = auth.hasher.permit().await?;
    let user = accounts::get_own(db, &caller.actor).await?;
    let failed = Event::new(AuditAction::LoginFailed, &caller.client).to(user.id).on(caller.actor.session_id);
    check(db, auth, &permit, &user, password, Failure { field, event: failed, client: &caller.client }).await?;
    Ok(user)
}

/// What happens if a password is wrong.
pub(super) struct Failure<'a> {
    /// Field of the violation.
    pub(super) field: &'static str,
    /// Event to be recorded.
    pub(super) event: Event<'a>,
    /// Client, whose failures are counted.
    pub(super) client: &'a Client,
}

/// Checks the password of an account. The throttle is checked while the permit is held, as in a log-in.
pub(super) async fn check(
    db: &impl Transact,
    auth: &Auth,
    permit: &HashPermit,
    user: &users::Model,
    password: Password,
    failure: Failure<'_>,
) -> Result<()> {
    let attempt = Attempt::new(auth, Action::LogIn, Some(&user.email), failure.client);
    let throttle = attempt.state(db).await?;
    throttle.check_account()?;
    if let Verdict::Wrong = permit.verify(password, Some(user.password_hash.clone())).await? {
        let transaction = db.begin().await?;
        attempt.count(&transaction, &throttle).await?;
        failure.event.record(&transaction, attempt.time()).await?;
        transaction.commit().await?;
        return Err(Violation::new(failure.field, "wrong", "is not the password of the account").into());
    }
    if throttle.has_failed {
        attempt.clear(db).await?;
    }
    Ok(())
}

/// Changes the password of the actor, ends their other sessions, and notifies them by mail.
///
/// # Errors
/// Returns a violation in `current_password` if that password is wrong,
/// [`TooMany`](crate::error::Error::TooMany), or [`Busy`](crate::error::Error::Busy).
pub async fn change_password(
    db: &impl Transact,
    auth: &Auth,
    caller: &Caller,
    current: Password,
    new: Password,
) -> Result<()> {
    // At most two attempts: a concurrent login may have rehashed the password. Of two concurrent
    // changes, the second one fails in its second attempt, because its current password is no longer
    // correct.
    for _ in 0..2 {
        let user = confirm(db, auth, caller, current.clone(), "current_password").await?;
        check_new(&new, &user)?;
        let hash = auth.hasher.permit().await?.hash(new.clone()).await?;
        let now = auth.clock.now();
        let transaction = db.begin().await?;
        let changed = users::Entity::update_many()
            .col_expr(users::Column::PasswordHash, Expr::value(hash))
            .col_expr(users::Column::UpdatedAt, Expr::value(now))
            .filter(users::Column::Id.eq(caller.actor.user_id))
            .filter(users::Column::PasswordHash.eq(user.password_hash.clone()))
            .exec(&transaction)
            .await?;
        if changed.rows_affected > 0 {
            let cause = Cause::PasswordChange { kept: caller.actor.session_id };
            let ended = grants::revoke(&transaction, user.id, cause, now).await?;
            let event = Event::own(AuditAction::PasswordChanged, user.id, &caller.client);
            password_changed(&transaction, auth, &user, event).await?;
            transaction.commit().await?;
            auth.revocations.add(ended, now);
            return Ok(());
        }
    }
    Err(Violation::new("current_password", "wrong", "is not your password").into())
}

/// Checks that a new password has nothing to do with its account.
pub(super) fn check_new(new: &Password, user: &users::Model) -> Result<()> {
    new.check_context(&user.email, &user.name).map_err(|violation| violation.in_field("new_password").into())
}

/// Sets a password after its user was authenticated in another way, and revokes all sessions and other
/// [grants], as part of a transaction. Returns the sessions, for
/// [`Revocations::add`](crate::domain::auth::revocations::Revocations::add).
///
/// # Errors
/// Database errors.
pub async fn reset(
    transaction: &impl ConnectionTrait,
    auth: &Auth,
    user: &users::Model,
    hash: PasswordHash,
    event: Event<'_>,
) -> Result<Vec<uuid::Uuid>> {
    let now = auth.clock.now();
    users::Entity::update_many()
        .col_expr(users::Column::PasswordHash, Expr::value(hash))
        .col_expr(users::Column::UpdatedAt, Expr::value(now))
        .filter(users::Column::Id.eq(user.id))
        .exec(transaction)
        .await?;
    password_changed(transaction, auth, user, event).await?;
    grants::revoke(transaction, user.id, Cause::Recovery, now).await
}

/// Follow-up of every password change: notifies the owner by mail, and records the event.
async fn password_changed(
    transaction: &impl ConnectionTrait,
    auth: &Auth,
    user: &users::Model,
    event: Event<'_>,
) -> Result<()> {
    let now = auth.clock.now();
    outbox::add(transaction, MailKind::PasswordChanged, &user.email, Some(user.id), now).await?;
    event.record(transaction, now).await
}
