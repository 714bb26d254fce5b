//! Whose address it is: confirming the one given at registration, and changing it for another.

use entity::{AuditAction, CodePurpose, MailKind, users};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, TransactionSession as _};

use crate::db::Transact;
use crate::domain::accounts::credentials;
use crate::domain::accounts::users as accounts;
use crate::domain::auth::codes::{self, Account};
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

/// Confirms the address of an account with the code mailed to it.
///
/// # Errors
/// A violation in `code`, the same for unknown addresses; [`Error::TooMany`].
pub async fn confirm(
    db: &impl Transact,
    auth: &Auth,
    email: &Email,
    code: &OneTimeCode,
    client: &Client,
) -> Result<()> {
    let code = codes::present(db, auth, Account::Of(email), CodePurpose::VerifyEmail, code, client).await?;
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
    Event::own(AuditAction::EmailVerified, code.user_id).record(&transaction, client, now).await?;
    transaction.commit().await?;
    Ok(())
}

/// Asks for another code. As with a forgotten password, nothing here depends on whether the address has an account.
///
/// # Errors
/// [`Error::TooMany`].
pub async fn resend(db: &impl Transact, auth: &Auth, email: &Email, client: &Client) -> Result<()> {
    let transaction = db.begin().await?;
    Attempt::new(auth, Action::Resend, Some(email.as_str()), client).count_and_check(&transaction).await?;
    outbox::add(&transaction, MailKind::VerifyEmail, email.as_str(), None, auth.clock.now()).await?;
    Ok(transaction.commit().await?)
}

/// Asks for another address: a code goes there, and word of it to the present one. Whether the new address has an
/// account of its own is told only to whoever reads its mail.
///
/// # Errors
/// A violation in `current_password` or `email`; [`Error::TooMany`], [`Error::Busy`].
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
    // Each sends two mails, one of them wherever the caller likes.
    Attempt::new(auth, Action::Resend, Some(&user.email), &caller.client).count_and_check(&transaction).await?;
    codes::begin_change(&transaction, auth, user.id, email).await?;
    outbox::add(&transaction, MailKind::ChangeEmail, email.as_str(), Some(user.id), now).await?;
    outbox::add(&transaction, MailKind::EmailChangeAsked, &user.email, Some(user.id), now).await?;
    Event::own(AuditAction::EmailChangeAsked, user.id).record(&transaction, &caller.client, now).await?;
    transaction.commit().await?;
    Ok(())
}

/// Gives the account the other address, with the code mailed there, and tells the old one. Codes that went to the old
/// address are void.
///
/// # Errors
/// A violation in `code`; a conflict when another account has the address; [`Error::TooMany`].
pub async fn finish_change(
    db: &impl Transact,
    auth: &Auth,
    caller: &Caller,
    code: &OneTimeCode,
) -> Result<users::Model> {
    let account = Account::Id(caller.actor.user_id);
    let code = codes::present(db, auth, account, CodePurpose::ChangeEmail, code, &caller.client).await?;
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
    codes::void_resets(&transaction, caller.actor.user_id).await?;
    outbox::add(&transaction, MailKind::EmailChanged, &old.email, Some(old.id), now).await?;
    Event::own(AuditAction::EmailChanged, caller.actor.user_id).record(&transaction, &caller.client, now).await?;
    transaction.commit().await?;
    changed.into_iter().next().ok_or(Error::InvalidToken)
}
