//! Sessions: signing in, refreshing the token pair without losing anyone, and ending.
//!
//! A session is one row that counts the generations of its refresh token. Whatever ends it sets `revoked_at` on that
//! very row, so a refresh that races with a logout loses.

mod live;

use chrono::{DateTime, Utc};
use entity::{AuditAction, PasswordHash, Role, refresh_tokens, users};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, TransactionSession as _};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::auth::context::Auth;
use crate::domain::auth::password::{Password, Verdict};
use crate::domain::auth::throttle::{Action, Attempt, Standing};
use crate::domain::auth::token::{RefreshClaims, TokenPair};
use crate::domain::records::audit::Event;
use crate::domain::values::client::Client;
use crate::domain::values::email::Email;
use crate::error::{Error, Result};
pub use live::{close, end_all, end_one, end_others, forget_clients, list, may_sign_in, sweep};

/// Signs in. An unknown address takes as long as a wrong password, and gets the same answer.
///
/// # Errors
/// [`Error::WrongCredentials`], [`Error::AccountDisabled`], [`Error::EmailUnverified`], [`Error::TooMany`],
/// [`Error::Busy`].
pub async fn open(
    db: &impl Transact,
    auth: &Auth,
    email: &Email,
    password: Password,
    client: &Client,
) -> Result<TokenPair> {
    let turn = auth.hasher.turn().await?;
    let attempt = Attempt::new(auth, Action::LogIn, Some(email.as_str()), client);
    let standing = attempt.standing(db).await?;
    if standing.admit().is_err() {
        standing.admit_known()?;
        // Others may have made the whole address wait; not for who has signed in from it before.
        if !live::has_been_here(db, email, client).await? {
            standing.admit()?;
        }
    }
    // Twice at most: a sign-in beside this one may have renewed the hash that this one has checked.
    for _ in 0..2 {
        let user = users::Entity::find().filter(users::Column::Email.eq(email.as_str())).one(db).await?;
        let stored = user.as_ref().map(|user| user.password_hash.clone());
        let user_id = user.as_ref().map(|user| user.id);
        let verdict = turn.verify(password.clone(), stored).await?;
        let (Some(user), Verdict::Right { renewed }) = (user, verdict) else {
            return Err(refused(db, &attempt, &standing, client, user_id, Error::WrongCredentials).await?);
        };
        if user.disabled_at.is_some() {
            return Err(refused(db, &attempt, &standing, client, user_id, Error::AccountDisabled).await?);
        }
        if auth.require_verified_email && user.email_verified_at.is_none() {
            // Otherwise one could register with an address and tell from this whether it was taken.
            let hidden = auth.silent_registration;
            let error = if hidden { Error::WrongCredentials } else { Error::EmailUnverified };
            return Err(refused(db, &attempt, &standing, client, user_id, error).await?);
        }
        let transaction = db.begin().await?;
        // First, so that of two sign-ins at once none waits for the other's lock with one of its own.
        let user = match renewed {
            Some(renewed) => renew_hash(&transaction, user, renewed).await?,
            None => Some(user),
        };
        let Some(user) = user else { continue };
        if let Some(session) = insert(&transaction, auth, &user, client).await? {
            let event = Event::own(AuditAction::LoginSucceeded, user.id).on(session.id);
            event.record(&transaction, client, session.created_at).await?;
            if standing.has_failed {
                attempt.forgive(&transaction).await?;
            }
            transaction.commit().await?;
            return auth.tokens.pair(&session, user.role);
        }
    }
    Err(Error::WrongCredentials)
}

/// Counts a refusal, unless the password was right, and writes it down: the same statements whether or not there is such
/// an account.
async fn refused(
    db: &impl Transact,
    attempt: &Attempt<'_>,
    standing: &Standing,
    client: &Client,
    user_id: Option<Uuid>,
    error: Error,
) -> Result<Error> {
    let transaction = db.begin().await?;
    if matches!(error, Error::WrongCredentials) {
        attempt.count(&transaction, standing).await?;
    }
    Event::new(AuditAction::LoginFailed).to(user_id).record(&transaction, client, attempt.time()).await?;
    transaction.commit().await?;
    Ok(error)
}

/// Opens the session unless the account was disabled, or its password or role changed, since it was read.
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
        .cond_where(may_sign_in(auth))
        // Waits for a change that is under way, and looks again. SQLite has one writer and needs no lock.
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

/// Stores the dearer hash of the same password, unless the hash was changed meanwhile: then there is no such account.
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

/// Exchanges a refresh token for the next pair.
///
/// The exchange is one conditional UPDATE. Of requests that come together with the same token one makes the successor
/// and the others, within the grace period, are given the same one. Any older token means that two parties hold the
/// chain: the session ends.
///
/// # Errors
/// [`Error::InvalidToken`] when the token is not one of ours, is used up, or its session has ended.
pub async fn refresh(db: &impl Transact, auth: &Auth, refresh_token: &str, client: &Client) -> Result<TokenPair> {
    let now = auth.clock.now();
    let claims = auth.tokens.verify_refresh(refresh_token, now)?;
    let session = match rotate(db, auth, &claims, now).await? {
        Some(session) => session,
        None => successor(db, auth, &claims, now, client).await?,
    };
    let role = role_of(db, auth, claims.sub).await?.ok_or(Error::InvalidToken)?;
    auth.tokens.pair(&session, role)
}

async fn rotate(
    db: &impl ConnectionTrait,
    auth: &Auth,
    claims: &RefreshClaims,
    now: DateTime<Utc>,
) -> Result<Option<refresh_tokens::Model>> {
    use refresh_tokens::Column;
    let lifetimes = auth.tokens.lifetimes();
    let end = DateTime::from_timestamp(claims.auth_time, 0).ok_or(Error::InvalidToken)? + lifetimes.absolute;
    let expires_at = Ord::min(end, now + lifetimes.idle);
    if expires_at <= now {
        return Err(Error::InvalidToken);
    }
    let rotated = refresh_tokens::Entity::update_many()
        .col_expr(Column::Generation, Expr::col(Column::Generation).add(1))
        .col_expr(Column::RotatedAt, Expr::value(now))
        .col_expr(Column::ExpiresAt, Expr::value(expires_at))
        .filter(Column::Id.eq(claims.sid))
        .filter(Column::UserId.eq(claims.sub))
        .filter(Column::Generation.eq(claims.generation))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .exec_with_returning(db)
        .await?;
    Ok(rotated.into_iter().next())
}

/// The session whose token was replaced a moment ago by a request that ran beside this one.
async fn successor(
    db: &impl Transact,
    auth: &Auth,
    claims: &RefreshClaims,
    now: DateTime<Utc>,
    client: &Client,
) -> Result<refresh_tokens::Model> {
    let session = refresh_tokens::Entity::find_by_id(claims.sid).one(db).await?.ok_or(Error::InvalidToken)?;
    let live = session.revoked_at.is_none() && session.expires_at > now && session.user_id == Some(claims.sub);
    let replaced_once = session.generation == claims.generation + 1;
    let within_grace = now - session.rotated_at <= auth.tokens.lifetimes().grace;
    if live && replaced_once && within_grace {
        return Ok(session);
    }
    if live && session.generation > claims.generation {
        log::warn!("user.id" = claims.sub.to_string(), "session.id" = claims.sid.to_string();
            "a refresh token was used again; its session has been ended");
        // Nobody knows who of the two it was.
        let event = Event::new(AuditAction::RefreshReused).to(claims.sub);
        live::end(db, auth, claims.sub, claims.sid, event, client).await?;
    }
    Err(Error::InvalidToken)
}

async fn role_of(db: &impl ConnectionTrait, auth: &Auth, user_id: Uuid) -> Result<Option<Role>> {
    let role = users::Entity::find_by_id(user_id)
        .select_only()
        .column(users::Column::Role)
        .filter(may_sign_in(auth))
        .into_tuple()
        .one(db)
        .await?;
    Ok(role)
}
