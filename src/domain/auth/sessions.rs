//! Sessions: list, end, and deletion of old rows. A session is one row of `refresh_tokens`.

use chrono::{DateTime, Duration, Utc};
use entity::refresh_tokens::{Column, Entity, Model};
use entity::{AuditAction, users};
use sea_orm::sea_query::{Expr, ExprTrait, LockBehavior, LockType, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    TransactionSession as _, UpdateMany,
};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::auth::context::Auth;
use crate::domain::auth::token::PresentedToken;
use crate::domain::records::audit::Event;
use crate::domain::values::actor::Actor;
use crate::domain::values::caller::Caller;
use crate::domain::values::client::Client;
use crate::domain::values::clock::Clock;
use crate::domain::values::email::Email;
use crate::domain::values::page::{Page, Slice};
use crate::error::{Error, Result};

/// A session.
pub type Session = Model;

/// Rows that one statement of the sweep deletes, so that its locks are short.
const SWEEP_BATCH: u64 = 1000;

/// Maximum number of active sessions of an account.
const MAX_ACTIVE: u64 = 50;

/// The number of latest sessions whose networks count as known.
const KNOWN_SESSIONS: u64 = 20;

/// Time for which the row of an ended session is kept: longer than any instance needs to read its revocation.
const KEEP_ENDED: Duration = Duration::minutes(10);

/// The condition for the active sessions of an account.
fn active_of(user_id: Uuid, now: DateTime<Utc>) -> Condition {
    Condition::all().add(Column::UserId.eq(user_id)).add(Column::RevokedAt.is_null()).add(Column::ExpiresAt.gt(now))
}

fn end_of(user_id: Uuid, now: DateTime<Utc>) -> UpdateMany<Entity> {
    Entity::update_many().col_expr(Column::RevokedAt, Expr::value(now)).filter(active_of(user_id, now))
}

/// Lists the active sessions of an account, newest first.
///
/// # Errors
/// Database errors.
pub async fn list(db: &impl ConnectionTrait, clock: &Clock, user_id: Uuid, page: Page) -> Result<Slice<Model>> {
    let sessions = Entity::find()
        .filter(active_of(user_id, clock.now()))
        .apply_if(page.after, |sessions, after| sessions.filter(Column::Id.lt(after)))
        .order_by_desc(Column::Id)
        .limit(page.rows())
        .all(db)
        .await?;
    Ok(page.slice(sessions, |session| session.id))
}

/// Whether one of the latest sessions of the account was opened from the network of the client.
pub(super) async fn is_known_network(db: &impl ConnectionTrait, email: &Email, client: &Client) -> Result<bool> {
    let owner = users::Entity::find().select_only().column(users::Column::Id);
    let owner = owner.filter(users::Column::Email.eq(email.as_str())).into_tuple::<Uuid>().one(db).await?;
    let Some(owner) = owner else { return Ok(false) };
    let addresses: Vec<Option<String>> = Entity::find()
        .select_only()
        .column(Column::Ip)
        .filter(Column::UserId.eq(owner))
        .order_by_desc(Column::Id)
        .limit(KNOWN_SESSIONS)
        .into_tuple()
        .all(db)
        .await?;
    let network = |ip: String| Client { address: ip.parse().ok(), user_agent: None }.network();
    Ok(addresses.into_iter().flatten().any(|ip| network(ip) == client.network()))
}

/// Ends the current session of the actor.
///
/// # Errors
/// Database errors.
pub async fn log_out(db: &impl Transact, auth: &Auth, caller: &Caller) -> Result<()> {
    let event = Event::own(AuditAction::LoggedOut, caller.actor.user_id, &caller.client);
    end(db, auth, caller.actor.user_id, caller.actor.session_id, event).await.map(drop)
}

/// Ends the session of a token of either kind (RFC 7009), which may have expired. An unknown token is no error.
///
/// # Errors
/// Database errors.
pub async fn revoke(db: &impl Transact, auth: &Auth, token: &PresentedToken, client: &Client) -> Result<()> {
    let Some((user_id, session_id)) = auth.tokens.session_of(token.as_str(), auth.clock.now()) else { return Ok(()) };
    end(db, auth, user_id, session_id, Event::own(AuditAction::LoggedOut, user_id, client)).await.map(drop)
}

/// Ends a session of the actor.
///
/// # Errors
/// [`Error::NotFound`] unless it is an active session of the actor.
pub async fn end_one(db: &impl Transact, auth: &Auth, caller: &Caller, id: Uuid) -> Result<()> {
    let event = Event::own(AuditAction::SessionEnded, caller.actor.user_id, &caller.client);
    if end(db, auth, caller.actor.user_id, id, event).await? { Ok(()) } else { Err(Error::NotFound) }
}

/// Ends a session and records the event. Returns whether the session was active.
pub(super) async fn end(
    db: &impl Transact,
    auth: &Auth,
    user_id: Uuid,
    session_id: Uuid,
    event: Event<'_>,
) -> Result<bool> {
    let now = auth.clock.now();
    let transaction = db.begin().await?;
    let ended = end_of(user_id, now).filter(Column::Id.eq(session_id)).exec(&transaction).await?;
    if ended.rows_affected == 0 {
        return Ok(false);
    }
    event.on(session_id).record(&transaction, now).await?;
    transaction.commit().await?;
    auth.revocations.add([session_id], now);
    Ok(true)
}

/// Ends all sessions of the actor except the current one.
///
/// # Errors
/// Database errors.
pub async fn end_others(db: &impl Transact, auth: &Auth, caller: &Caller) -> Result<()> {
    let now = auth.clock.now();
    let transaction = db.begin().await?;
    let ended = end_all(&transaction, caller.actor.user_id, Some(caller.actor.session_id), now).await?;
    if !ended.is_empty() {
        let event = Event::own(AuditAction::SessionEnded, caller.actor.user_id, &caller.client);
        event.detail("all others").record(&transaction, now).await?;
    }
    transaction.commit().await?;
    auth.revocations.add(ended, now);
    Ok(())
}

/// Ends one session of an account, as part of a transaction. As [`end_all`] otherwise.
///
/// # Errors
/// Database errors.
pub async fn end_of_account(
    transaction: &impl ConnectionTrait,
    user_id: Uuid,
    session_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>> {
    let ended = end_of(user_id, now).filter(Column::Id.eq(session_id)).exec(transaction).await?;
    Ok(if ended.rows_affected == 0 { Vec::new() } else { vec![session_id] })
}

/// Ends the oldest active sessions of an account beyond [`MAX_ACTIVE`], as part of the transaction that opens one.
/// After the commit the returned ids must be added to
/// [`Revocations`](crate::domain::auth::revocations::Revocations::add).
///
/// # Errors
/// Database errors.
pub(super) async fn end_oldest(
    transaction: &impl ConnectionTrait,
    user_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>> {
    let oldest = Query::select()
        .column(Column::Id)
        .from(Entity)
        .cond_where(active_of(user_id, now))
        .order_by(Column::Id, Order::Desc)
        .limit(MAX_ACTIVE)
        .offset(MAX_ACTIVE)
        .to_owned();
    let ended = end_of(user_id, now).filter(Column::Id.in_subquery(oldest)).exec_with_returning(transaction).await?;
    Ok(ended.into_iter().map(|session| session.id).collect())
}

/// Ends all sessions of an account, except `kept`, as part of a transaction. After the commit the returned ids must be
/// added to [`Revocations`](crate::domain::auth::revocations::Revocations::add).
///
/// # Errors
/// Database errors.
pub async fn end_all(
    transaction: &impl ConnectionTrait,
    user_id: Uuid,
    kept: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>> {
    let ended = end_of(user_id, now)
        .apply_if(kept, |sessions, kept| sessions.filter(Column::Id.ne(kept)))
        .exec_with_returning(transaction)
        .await?;
    Ok(ended.into_iter().map(|session| session.id).collect())
}

/// Whether a session of the account is active, in a transaction that has locked the account.
///
/// # Errors
/// Database errors.
pub async fn is_active(
    transaction: &impl ConnectionTrait,
    user_id: Uuid,
    session_id: Uuid,
    now: DateTime<Utc>,
) -> Result<bool> {
    let session = Entity::find_by_id(session_id).filter(active_of(user_id, now)).one(transaction).await?;
    Ok(session.is_some())
}

/// Locks the account of the actor, and checks that their session is active. An operation that creates a grant begins with
/// this: after a recovery, another instance may accept the access token of an ended session for a second, and must not
/// plant anything in the account.
///
/// # Errors
/// [`Error::InvalidToken`].
pub async fn lock_active(
    transaction: &impl ConnectionTrait,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<users::Model> {
    let user = users::Entity::find_by_id(actor.user_id).lock_exclusive().one(transaction).await?;
    let user = user.ok_or(Error::InvalidToken)?;
    if is_active(transaction, actor.user_id, actor.session_id, now).await? {
        Ok(user)
    } else {
        Err(Error::InvalidToken)
    }
}

/// Deletes user agent and address from the sessions of an account, as part of the transaction that deletes the account.
///
/// # Errors
/// Database errors.
pub async fn erase_clients(transaction: &impl ConnectionTrait, user_id: Uuid) -> Result<u64> {
    let wiped = Entity::update_many()
        .col_expr(Column::UserAgent, Expr::value(Option::<String>::None))
        .col_expr(Column::Ip, Expr::value(Option::<String>::None))
        .filter(Column::UserId.eq(user_id))
        .exec(transaction)
        .await?;
    Ok(wiped.rows_affected)
}

/// Deletes sessions that have ended so long ago that no access token of theirs can be valid, in batches. Several
/// instances may do this at the same time.
///
/// # Errors
/// Database errors.
pub async fn sweep(db: &impl ConnectionTrait, auth: &Auth) -> Result<u64> {
    let horizon = auth.clock.now() - auth.tokens.lifetimes().access - KEEP_ENDED;
    let mut removed = 0;
    for over in [Column::ExpiresAt, Column::RevokedAt] {
        loop {
            let batch = Query::select()
                .column(Column::Id)
                .from(Entity)
                .and_where(Expr::col(over).lt(horizon))
                .limit(SWEEP_BATCH)
                .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
                .to_owned();
            let swept = Entity::delete_many().filter(Column::Id.in_subquery(batch)).exec(db).await?.rows_affected;
            removed += swept;
            if swept < SWEEP_BATCH {
                break;
            }
        }
    }
    Ok(removed)
}

/// Condition for accounts that may log in and refresh their sessions.
pub fn may_log_in(auth: &Auth) -> Condition {
    let unless = Condition::all().add(Expr::col((users::Entity, users::Column::DisabledAt)).is_null());
    if auth.require_verified_email {
        unless.add(Expr::col((users::Entity, users::Column::EmailVerifiedAt)).is_not_null())
    } else {
        unless
    }
}
