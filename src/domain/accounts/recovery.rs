//! Password recovery: a code is mailed to the account, exchanged for a reset token, and the token sets a new password.

use entity::{AuditAction, CodePurpose};
use sea_orm::TransactionSession as _;

use crate::db::Transact;
use crate::domain::accounts::credentials;
use crate::domain::accounts::own_patient;
use crate::domain::accounts::user_words::{self, Searchable};
use crate::domain::accounts::users as accounts;
use crate::domain::auth::code_attempts::{self, Account, PresentedCode};
use crate::domain::auth::codes;
use crate::domain::auth::context::Auth;
use crate::domain::auth::flow::Flow;
use crate::domain::auth::password::Password;
use crate::domain::auth::reset_tokens::{self, PresentedResetToken, ResetToken};
use crate::domain::auth::throttle::{Action, Attempt};
use crate::domain::records::audit::Event;
use crate::domain::records::outbox;
use crate::domain::values::client::Client;
use crate::domain::values::email::Email;
use crate::domain::values::one_time_code::OneTimeCode;
use crate::error::Result;

/// Requests a code for a password reset. Returns the flow, for every address alike. Whether the address has an account is looked up only when the mail is sent, so
/// neither the response nor the response time depends on it.
///
/// # Errors
/// Returns [`TooMany`](crate::error::Error::TooMany) if the throttle imposes a wait.
pub async fn request(db: &impl Transact, auth: &Auth, email: &Email, client: &Client) -> Result<Flow> {
    let flow = Flow::generate()?;
    let transaction = db.begin().await?;
    Attempt::new(auth, Action::ForgotPassword, Some(email.as_str()), client).count_and_check(&transaction).await?;
    outbox::add_reset(&transaction, email.as_str(), flow.hash(), auth.clock.now()).await?;
    transaction.commit().await?;
    Ok(flow)
}

/// Exchanges a code for a reset token. With the flow of the request, strangers cannot have used up the attempts.
///
/// # Errors
/// Returns a violation in `code`, the same one for an unknown address, or [`TooMany`](crate::error::Error::TooMany).
pub async fn validate(
    db: &impl Transact,
    auth: &Auth,
    (email, code, flow): (&Email, &OneTimeCode, Option<&Flow>),
    client: &Client,
) -> Result<ResetToken> {
    let presented = PresentedCode { account: Account::Of(email), purpose: CodePurpose::ResetPassword, code, flow };
    let code = code_attempts::verify(db, auth, &presented, client).await?;
    let transaction = db.begin().await?;
    accounts::lock(&transaction, code.user_id).await?;
    codes::redeem(&transaction, &code).await?;
    let token = reset_tokens::issue(&transaction, auth, &code).await?;
    transaction.commit().await?;
    Ok(token)
}

/// Sets a new password with a reset token, revokes all sessions and other [grants](crate::domain::auth::grants), and
/// notifies the owner by mail. Because the code was mailed to the address, the address counts as verified. If it was not
/// verified before, the profile is cleared.
///
/// # Errors
/// Returns a violation in `reset_token`, or [`Busy`](crate::error::Error::Busy).
pub async fn reset(
    db: &impl Transact,
    auth: &Auth,
    token: &PresentedResetToken,
    new: Password,
    client: &Client,
) -> Result<()> {
    let token = reset_tokens::find(db, auth, token).await?;
    let hash = auth.hasher.permit().await?.hash(new.clone()).await?;
    let now = auth.clock.now();
    let transaction = db.begin().await?;
    let user = accounts::lock(&transaction, token.user_id).await?.ok_or_else(|| codes::wrong("reset_token"))?;
    credentials::check_new(&new, &user)?;
    reset_tokens::redeem(&transaction, &token).await?;
    let event = Event::own(AuditAction::PasswordReset, user.id, client);
    let ended = credentials::reset(&transaction, auth, &user, hash, event).await?;
    if user.email_verified_at.is_none() && user.email == token.email {
        // Nobody knows whether the profile is that of the owner of the mailbox.
        accounts::without_profile(accounts::set_verified(&user, now), &user).exec(&transaction).await?;
        user_words::replace(&transaction, user.id, Searchable::cleared(&user.email)).await?;
        own_patient::replace(&transaction, user.id, accounts::local_part(&user.email), None, now).await?;
    }
    // The owner has probably failed to log in several times before the reset.
    Attempt::new(auth, Action::LogIn, Some(&user.email), client).clear(&transaction).await?;
    transaction.commit().await?;
    auth.revocations.add(ended, now);
    Ok(())
}
