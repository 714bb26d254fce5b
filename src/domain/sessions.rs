//! Sessions: signing in, refreshing the token pair without losing anyone, and ending.
//!
//! A session is one row that counts the generations of its refresh token. Whatever ends it sets `revoked_at` on that
//! very row, so a refresh that races with a logout loses.

use chrono::{DateTime, Utc};
use entity::{PasswordHash, Role, refresh_tokens, users};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, UpdateMany};
use uuid::Uuid;

use super::actor::Actor;
use super::clock::Clock;
use super::email::Email;
use super::password::{Hasher, Password, Verdict};
use super::revocations::Revocations;
use super::token::{RefreshClaims, TokenPair, Tokens};
use crate::error::{Error, Result};

/// All that signing in and out takes, apart from the database.
#[derive(Debug)]
pub struct Auth {
    /// The time.
    pub clock: Clock,
    /// Hashes passwords.
    pub hasher: Hasher,
    /// Makes and checks tokens.
    pub tokens: Tokens,
    /// Sessions that have ended.
    pub revocations: Revocations,
}

/// Where a session was opened from, for its owner to recognise.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// The `User-Agent` header, cut to 255 characters.
    pub user_agent: Option<String>,
    /// The peer's address.
    pub ip: Option<String>,
}

/// The live sessions of one account: the only way to end them.
fn live_of(user_id: Uuid, now: DateTime<Utc>) -> UpdateMany<refresh_tokens::Entity> {
    refresh_tokens::Entity::update_many()
        .col_expr(refresh_tokens::Column::RevokedAt, Expr::value(now))
        .filter(refresh_tokens::Column::UserId.eq(user_id))
        .filter(refresh_tokens::Column::RevokedAt.is_null())
        .filter(refresh_tokens::Column::ExpiresAt.gt(now))
}

/// Signs in. An unknown address takes as long as a wrong password, and gets the same answer.
///
/// # Errors
/// [`Error::WrongCredentials`], [`Error::AccountDisabled`], [`Error::Busy`].
pub async fn open(
    db: &impl ConnectionTrait,
    auth: &Auth,
    email: &Email,
    password: Password,
    client: Client,
) -> Result<TokenPair> {
    // Twice at most: a sign-in beside this one may have renewed the hash that this one has checked.
    for _ in 0..2 {
        let user = users::Entity::find().filter(users::Column::Email.eq(email.as_str())).one(db).await?;
        let stored = user.as_ref().map(|user| user.password_hash.clone());
        let verdict = auth.hasher.verify(password.clone(), stored).await?;
        let (Some(user), Verdict::Right { renewed }) = (user, verdict) else {
            return Err(Error::WrongCredentials);
        };
        if user.disabled_at.is_some() {
            return Err(Error::AccountDisabled);
        }
        if let Some(session) = insert(db, auth, &user, client.clone()).await? {
            if let Some(renewed) = renewed {
                renew_hash(db, &user, renewed).await?;
            }
            return auth.tokens.pair(&session, user.role);
        }
    }
    Err(Error::WrongCredentials)
}

/// Opens the session unless the account was disabled, or its password or role changed, since it was read.
async fn insert(
    db: &impl ConnectionTrait,
    auth: &Auth,
    user: &users::Model,
    client: Client,
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
        user_agent: client.user_agent,
        ip: client.ip,
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
        .and_where(users::Column::DisabledAt.is_null())
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

/// Stores the dearer hash of the same password, unless the password was changed meanwhile.
async fn renew_hash(db: &impl ConnectionTrait, user: &users::Model, renewed: PasswordHash) -> Result<()> {
    users::Entity::update_many()
        .col_expr(users::Column::PasswordHash, Expr::value(renewed))
        .filter(users::Column::Id.eq(user.id))
        .filter(users::Column::PasswordHash.eq(user.password_hash.clone()))
        .exec(db)
        .await?;
    Ok(())
}

/// Exchanges a refresh token for the next pair.
///
/// The exchange is one conditional UPDATE. Of requests that come together with the same token one makes the successor
/// and the others, within the grace period, are given the same one. Any older token means that two parties hold the
/// chain: the session ends.
///
/// # Errors
/// [`Error::InvalidToken`] when the token is not one of ours, is used up, or its session has ended.
pub async fn refresh(db: &impl ConnectionTrait, auth: &Auth, refresh_token: &str) -> Result<TokenPair> {
    let now = auth.clock.now();
    let claims = auth.tokens.verify_refresh(refresh_token, now)?;
    let session = match rotate(db, auth, &claims, now).await? {
        Some(session) => session,
        None => successor(db, auth, &claims, now).await?,
    };
    let role = role_of(db, claims.sub).await?.ok_or(Error::InvalidToken)?;
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
    db: &impl ConnectionTrait,
    auth: &Auth,
    claims: &RefreshClaims,
    now: DateTime<Utc>,
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
        end(db, auth, claims.sub, claims.sid).await?;
    }
    Err(Error::InvalidToken)
}

async fn role_of(db: &impl ConnectionTrait, user_id: Uuid) -> Result<Option<Role>> {
    let role = users::Entity::find_by_id(user_id)
        .select_only()
        .column(users::Column::Role)
        .filter(users::Column::DisabledAt.is_null())
        .into_tuple()
        .one(db)
        .await?;
    Ok(role)
}

/// Signs the actor out: both tokens are dead at once.
///
/// # Errors
/// Fails when the database does.
pub async fn close(db: &impl ConnectionTrait, auth: &Auth, actor: &Actor) -> Result<()> {
    end(db, auth, actor.user_id, actor.session_id).await
}

async fn end(db: &impl ConnectionTrait, auth: &Auth, user_id: Uuid, session_id: Uuid) -> Result<()> {
    let now = auth.clock.now();
    live_of(user_id, now).filter(refresh_tokens::Column::Id.eq(session_id)).exec(db).await?;
    auth.revocations.add([session_id], now);
    Ok(())
}

/// Ends every session of an account, or every one but `kept`, as part of a transaction. The ids must be handed to
/// [`Revocations::add`] once it is committed.
///
/// # Errors
/// Fails when the database does.
pub async fn end_all(
    transaction: &impl ConnectionTrait,
    user_id: Uuid,
    kept: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>> {
    let ended = live_of(user_id, now)
        .apply_if(kept, |sessions, kept| sessions.filter(refresh_tokens::Column::Id.ne(kept)))
        .exec_with_returning(transaction)
        .await?;
    Ok(ended.into_iter().map(|session| session.id).collect())
}

/// Wipes what an account's sessions tell of its owner's devices, as part of the transaction that deletes the account.
///
/// # Errors
/// Fails when the database does.
pub async fn forget_clients(transaction: &impl ConnectionTrait, user_id: Uuid) -> Result<()> {
    refresh_tokens::Entity::update_many()
        .col_expr(refresh_tokens::Column::UserAgent, Expr::value(Option::<String>::None))
        .col_expr(refresh_tokens::Column::Ip, Expr::value(Option::<String>::None))
        .filter(refresh_tokens::Column::UserId.eq(user_id))
        .exec(transaction)
        .await?;
    Ok(())
}
