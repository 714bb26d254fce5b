//! Verification of e-mail addresses: of the one given at registration, and of a new one that replaces it.

use entity::{AuditAction, CodePurpose, MailKind, users};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, TransactionSession as _};

use crate::db::Transact;
use crate::domain::accounts::credentials;
use crate::domain::accounts::users as accounts;
use crate::domain::auth::codes::{self, Account, PresentedCode};
use crate::domain::auth::context::Auth;
use crate::domain::auth::password::Password;
use crate::domain::auth::throttle::{Action, Attempt};
use crate::domain::records::audit::Event;
use crate::domain::records::outbox;
use crate::domain::values::caller::Caller;
use crate::domain::values::client::Client;
use crate::domain::values::email::Email;
use crate::domain::values::one_time_code::OneTimeCode;
use crate::error::{Error, Result, Violation};

/// Verifies the e-mail address of an account with the code that was mailed to it.
///
/// # Errors
/// Returns a violation in `code`, the same one for an unknown address, or [`Error::TooMany`].
pub async fn confirm(
    db: &impl Transact,
    auth: &Auth,
    email: &Email,
    code: &OneTimeCode,
    client: &Client,
) -> Result<()> {
    let presented = PresentedCode { account: Account::Of(email), purpose: CodePurpose::VerifyEmail, code };
    let code = codes::verify(db, auth, &presented, client).await?;
    let now = auth.clock.now();
    let transaction = db.begin().await?;
    accounts::lock(&transaction, code.user_id).await?;
    codes::redeem(&transaction, &code).await?;
    let confirmed = users::Entity::update_many()
        .col_expr(users::Column::EmailVerifiedAt, Expr::value(now))
        .col_expr(users::Column::UpdatedAt, Expr::value(now))
        .filter(users::Column::Id.eq(code.user_id))
        .filter(users::Column::Email.eq(code.email))
        .exec(&transaction)
        .await?;
    if confirmed.rows_affected == 0 {
        return Err(codes::wrong("code").into());
    }
    Event::own(AuditAction::EmailVerified, code.user_id, client).record(&transaction, now).await?;
    transaction.commit().await?;
    Ok(())
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
    let user = credentials::confirm(db, auth, caller, password, "current_password").await?;
    if user.email == email.as_str() {
        return Err(Violation::new("email", "same", "is the address of the account already").into());
    }
    let now = auth.clock.now();
    let transaction = db.begin().await?;
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
    let presented = PresentedCode { account, purpose: CodePurpose::ChangeEmail, code };
    let code = codes::verify(db, auth, &presented, &caller.client).await?;
    let now = auth.clock.now();
    let transaction = db.begin().await?;
    let old = accounts::lock(&transaction, caller.actor.user_id).await?.ok_or(Error::InvalidToken)?;
    codes::redeem(&transaction, &code).await?;
    let changed = users::Entity::update_many()
        .col_expr(users::Column::SearchText, Expr::value(accounts::search_text(&old.name, &code.email)))
        .col_expr(users::Column::Email, Expr::value(code.email))
        .col_expr(users::Column::EmailVerifiedAt, Expr::value(now))
        .col_expr(users::Column::UpdatedAt, Expr::value(now))
        .filter(users::Column::Id.eq(caller.actor.user_id))
        .exec_with_returning(&transaction)
        .await?;
    codes::invalidate_resets(&transaction, caller.actor.user_id).await?;
    outbox::add(&transaction, MailKind::EmailChanged, &old.email, Some(old.id), now).await?;
    Event::own(AuditAction::EmailChanged, old.id, &caller.client).record(&transaction, now).await?;
    transaction.commit().await?;
    changed.into_iter().next().ok_or(Error::InvalidToken)
}
