//! Log-in with e-mail and password.

use entity::{AuditAction, PasswordHash, refresh_tokens, users};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, TransactionSession as _};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::auth::context::Auth;
use crate::domain::auth::hasher::{HashPermit, Verdict};
use crate::domain::auth::password::Password;
use crate::domain::auth::sessions;
use crate::domain::auth::throttle::{Action, Attempt, ThrottleState};
use crate::domain::auth::token::TokenPair;
use crate::domain::records::audit::Event;
use crate::domain::values::client::Client;
use crate::domain::values::email::Email;
use crate::error::{Error, Result};

/// Logs in. An unknown e-mail takes as long as a wrong password, and gets the same response.
///
/// # Errors
/// [`Error::WrongCredentials`], [`Error::AccountDisabled`], [`Error::EmailUnverified`], [`Error::TooMany`],
/// [`Error::Busy`].
pub async fn log_in(
    db: &impl Transact,
    auth: &Auth,
    email: &Email,
    password: Password,
    client: &Client,
) -> Result<TokenPair> {
    let permit = auth.hasher.permit().await?;
    let attempt = Attempt::new(auth, Action::LogIn, Some(email.as_str()), client);
    let throttle = check_throttle(db, &attempt, email, client).await?;
    let failed = throttle.has_failed.then_some(&attempt);
    // Twice at most: a concurrent log-in may have renewed the hash that this one has verified.
    for _ in 0..2 {
        let verified = match check_password(db, auth, &permit, email, password.clone()).await? {
            Ok(verified) => verified,
            Err(failure) => return Err(record_failure(db, client, &attempt, &throttle, failure).await?),
        };
        if let Some(pair) = open_session(db, auth, client, verified, failed).await? {
            return Ok(pair);
        }
    }
    Err(Error::WrongCredentials)
}

/// Checks the throttle. A client whose network the account has logged in from before need not wait for failures of
/// others on the same address.
async fn check_throttle(
    db: &impl ConnectionTrait,
    attempt: &Attempt<'_>,
    email: &Email,
    client: &Client,
) -> Result<ThrottleState> {
    let state = attempt.state(db).await?;
    if state.check().is_err() {
        state.check_account()?;
        if !sessions::is_known_network(db, email, client).await? {
            state.check()?;
        }
    }
    Ok(state)
}

/// An account whose password was right.
struct Verified {
    user: users::Model,
    /// The hash of the same password at the configured cost, if the stored one is cheaper.
    renewed: Option<PasswordHash>,
}

/// A refused log-in.
struct Failure {
    user_id: Option<Uuid>,
    error: Error,
}

/// Verifies the password and the status of the account.
async fn check_password(
    db: &impl ConnectionTrait,
    auth: &Auth,
    permit: &HashPermit,
    email: &Email,
    password: Password,
) -> Result<std::result::Result<Verified, Failure>> {
    let user = users::Entity::find().filter(users::Column::Email.eq(email.as_str())).one(db).await?;
    let stored = user.as_ref().map(|user| user.password_hash.clone());
    let user_id = user.as_ref().map(|user| user.id);
    let failure = |error| Ok(Err(Failure { user_id, error }));
    let (Some(user), Verdict::Right { renewed }) = (user, permit.verify(password, stored).await?) else {
        return failure(Error::WrongCredentials);
    };
    if user.disabled_at.is_some() {
        return failure(Error::AccountDisabled);
    }
    if auth.require_verified_email && user.email_verified_at.is_none() {
        // With silent registration another error would tell that the address had not been taken.
        return failure(if auth.registration.is_silent { Error::WrongCredentials } else { Error::EmailUnverified });
    }
    Ok(Ok(Verified { user, renewed }))
}

/// Records a failed log-in in the audit trail, and counts it if the password was wrong. The statements are the same
/// whether or not the account exists.
async fn record_failure(
    db: &impl Transact,
    client: &Client,
    attempt: &Attempt<'_>,
    throttle: &ThrottleState,
    failure: Failure,
) -> Result<Error> {
    let transaction = db.begin().await?;
    if matches!(failure.error, Error::WrongCredentials) {
        attempt.count(&transaction, throttle).await?;
    }
    Event::new(AuditAction::LoginFailed, client).to(failure.user_id).record(&transaction, attempt.time()).await?;
    transaction.commit().await?;
    Ok(failure.error)
}

/// Opens the session, clears the counters of the failed attempts, and ends the oldest session if there are too many.
/// Returns none if the account has changed since it was read.
async fn open_session(
    db: &impl Transact,
    auth: &Auth,
    client: &Client,
    Verified { user, renewed }: Verified,
    failed: Option<&Attempt<'_>>,
) -> Result<Option<TokenPair>> {
    let transaction = db.begin().await?;
    // The account is locked before the session is inserted, so that concurrent log-ins cannot deadlock.
    let user = match renewed {
        Some(renewed) => renew_hash(&transaction, user, renewed).await?,
        None => Some(user),
    };
    let Some(user) = user else { return Ok(None) };
    let Some(session) = insert(&transaction, auth, &user, client).await? else { return Ok(None) };
    let event = Event::own(AuditAction::LoginSucceeded, user.id, client).on(session.id);
    event.record(&transaction, session.created_at).await?;
    if let Some(attempt) = failed {
        attempt.clear(&transaction).await?;
    }
    let ended = sessions::end_oldest(&transaction, user.id, session.created_at).await?;
    if !ended.is_empty() {
        let event = Event::own(AuditAction::SessionEnded, user.id, client).detail("the oldest of too many");
        event.record(&transaction, session.created_at).await?;
    }
    transaction.commit().await?;
    auth.revocations.add(ended, session.created_at);
    auth.tokens.pair(&session, user.role).map(Some)
}

/// Inserts the session, unless the account was disabled, or its password or role changed, since it was read.
async fn insert(
    db: &impl ConnectionTrait,
    auth: &Auth,
    user: &users::Model,
    client: &Client,
) -> Result<Option<refresh_tokens::Model>> {
    use refresh_tokens::Column;
    let now = auth.clock.now();
    let lifetimes = auth.tokens.lifetimes();
    let session = refresh_tokens::Model {
        id: Uuid::now_v7(),
        user_id: Some(user.id),
        generation: 0,
        rotated_at: now,
        expires_at: now + lifetimes.idle.min(lifetimes.absolute),
        revoked_at: None,
        user_agent: client.user_agent.clone(),
        ip: client.ip(),
        created_at: now,
        seen_generation: 0,
        generation_at: Some(now),
    };
    let unchanged = Query::select()
        .exprs([
            Expr::value(session.id),
            Expr::value(user.id),
            Expr::value(session.generation),
            Expr::value(session.rotated_at),
            Expr::value(session.expires_at),
            Expr::value(session.user_agent.clone()),
            Expr::value(session.ip.clone()),
            Expr::value(session.created_at),
        ])
        .from(users::Entity)
        .and_where(users::Column::Id.eq(user.id))
        .and_where(users::Column::PasswordHash.eq(user.password_hash.clone()))
        .and_where(users::Column::Role.eq(user.role))
        .cond_where(sessions::may_log_in(auth))
        // Waits for a concurrent change of the account and reads its result. SQLite has one writer and needs no lock.
        .lock_shared()
        .to_owned();
    let insert = Query::insert()
        .into_table(refresh_tokens::Entity)
        .columns([
            Column::Id,
            Column::UserId,
            Column::Generation,
            Column::RotatedAt,
            Column::ExpiresAt,
            Column::UserAgent,
            Column::Ip,
            Column::CreatedAt,
        ])
        .select_from(unchanged)
        .map_err(Error::internal)?
        .to_owned();
    let inserted = db.execute(&insert).await?.rows_affected() > 0;
    Ok(inserted.then_some(session))
}

/// Stores the new hash of the same password. Returns none if the hash has changed since it was read.
async fn renew_hash(
    transaction: &impl ConnectionTrait,
    user: users::Model,
    renewed: PasswordHash,
) -> Result<Option<users::Model>> {
    let stored = users::Entity::update_many()
        .col_expr(users::Column::PasswordHash, Expr::value(renewed.clone()))
        .filter(users::Column::Id.eq(user.id))
        .filter(users::Column::PasswordHash.eq(user.password_hash.clone()))
        .exec(transaction)
        .await?;
    Ok((stored.rows_affected > 0).then_some(users::Model { password_hash: renewed, ..user }))
}
