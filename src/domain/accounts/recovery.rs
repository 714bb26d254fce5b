//! A forgotten password: a code goes to the address of the account, buys a reset token, and that sets the password.

use entity::{AuditAction, CodePurpose, MailKind, users};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, TransactionSession as _};

use crate::db::Transact;
use crate::domain::accounts::credentials;
use crate::domain::accounts::users as accounts;
use crate::domain::auth::codes::{self, Account, PresentedResetToken, ResetToken};
use crate::domain::auth::context::Auth;
use crate::domain::auth::password::Password;
use crate::domain::auth::throttle::{Action, Attempt};
use crate::domain::records::audit::Event;
use crate::domain::records::outbox;
use crate::domain::values::client::Client;
use crate::domain::values::email::Email;
use crate::domain::values::one_time_code::OneTimeCode;
use crate::error::Result;

/// Asks for a code. Whether the address has an account is looked up when the mail is about to leave, so nothing here
/// depends on it: neither the answer nor the time it takes.
///
/// # Errors
/// [`TooMany`](crate::error::Error::TooMany).
pub async fn request(db: &impl Transact, auth: &Auth, email: &Email, client: &Client) -> Result<()> {
    let transaction = db.begin().await?;
    Attempt::new(auth, Action::ForgotPassword, Some(email.as_str()), client).count_and_check(&transaction).await?;
    outbox::add(&transaction, MailKind::ResetPassword, email.as_str(), None, auth.clock.now()).await?;
    Ok(transaction.commit().await?)
}

/// Exchanges the code for a reset token.
///
/// # Errors
/// A violation in `code`, the same for unknown addresses; [`TooMany`](crate::error::Error::TooMany).
pub async fn validate(
    db: &impl Transact,
    auth: &Auth,
    email: &Email,
    code: &OneTimeCode,
    client: &Client,
) -> Result<ResetToken> {
    let (account, purpose) = (Account::Of(email), CodePurpose::ResetPassword);
    let code = codes::present(db, auth, account, purpose, code, client).await?;
    let transaction = db.begin().await?;
    accounts::lock(&transaction, code.user_id).await?;
    codes::redeem(&transaction, &code).await?;
    let token = codes::issue_token(&transaction, auth, &code).await?;
    transaction.commit().await?;
    Ok(token)
}

/// Sets the password, ends every session, and tells the owner by mail. As the code went to it, the address counts as
/// confirmed.
///
/// # Errors
/// A violation in `reset_token`; [`Busy`](crate::error::Error::Busy).
pub async fn reset(
    db: &impl Transact,
    auth: &Auth,
    token: &PresentedResetToken,
    new: Password,
    client: &Client,
) -> Result<()> {
    let token = codes::find_token(db, auth, token).await?;
    let hash = auth.hasher.permit().await?.hash(new).await?;
    let now = auth.clock.now();
    let transaction = db.begin().await?;
    let user = accounts::lock(&transaction, token.user_id).await?.ok_or_else(|| codes::wrong("reset_token"))?;
    codes::redeem_token(&transaction, &token).await?;
    let event = Event::own(AuditAction::PasswordReset, user.id);
    let ended = credentials::reset(&transaction, auth, &user, hash, event, client).await?;
    users::Entity::update_many()
        .col_expr(users::Column::EmailVerifiedAt, Expr::value(now))
        .filter(users::Column::Id.eq(user.id))
        .filter(users::Column::Email.eq(token.email))
        .filter(Expr::col(users::Column::EmailVerifiedAt).is_null())
        .exec(&transaction)
        .await?;
    // Whoever has forgotten it has tried it a few times.
    Attempt::new(auth, Action::LogIn, Some(&user.email), client).clear(&transaction).await?;
    transaction.commit().await?;
    auth.revocations.add(ended, now);
    Ok(())
}
