//! Sessions that go on: listing them, ending them, and removing the rows of those that are over.

use chrono::{DateTime, Duration, Utc};
use entity::refresh_tokens::{Column, Entity, Model};
use entity::{AuditAction, users};
use sea_orm::sea_query::{Expr, ExprTrait, LockBehavior, LockType, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    TransactionSession as _, UpdateMany,
};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::auth::context::Auth;
use crate::domain::records::audit::Event;
use crate::domain::values::actor::Actor;
use crate::domain::values::client::Client;
use crate::domain::values::email::Email;
use crate::domain::values::page::{Page, Slice};
use crate::error::{Error, Result};

/// Rows that one statement of the sweep removes, so that it holds up nobody for long.
const SWEEP_BATCH: u64 = 1000;

/// How many of the latest sessions tell where somebody usually signs in from.
const REMEMBERED: u64 = 20;

/// How long after its end the row of a session is kept: longer than any instance may need to learn of it.
const KEEP_ENDED: Duration = Duration::minutes(10);

/// The sessions of an account that go on.
fn live_of(user_id: Uuid, now: DateTime<Utc>) -> Condition {
    Condition::all().add(Column::UserId.eq(user_id)).add(Column::RevokedAt.is_null()).add(Column::ExpiresAt.gt(now))
}

fn end_of(user_id: Uuid, now: DateTime<Utc>) -> UpdateMany<Entity> {
    Entity::update_many().col_expr(Column::RevokedAt, Expr::value(now)).filter(live_of(user_id, now))
}

/// Where the actor is signed in, newest first.
///
/// # Errors
/// Fails when the database does.
pub async fn list(db: &impl ConnectionTrait, auth: &Auth, actor: &Actor, page: Page) -> Result<Slice<Model>> {
    let sessions = Entity::find()
        .filter(live_of(actor.user_id, auth.clock.now()))
        .apply_if(page.after, |sessions, after| sessions.filter(Column::Id.lt(after)))
        .order_by_desc(Column::Id)
        .limit(page.rows())
        .all(db)
        .await?;
    Ok(page.slice(sessions, |session| session.id))
}

/// Whether one of the latest sessions of the account was opened from where the client is.
pub(super) async fn has_been_here(db: &impl ConnectionTrait, email: &Email, client: &Client) -> Result<bool> {
    let owner = users::Entity::find().select_only().column(users::Column::Id);
    let owner = owner.filter(users::Column::Email.eq(email.as_str())).into_tuple::<Uuid>().one(db).await?;
    let Some(owner) = owner else { return Ok(false) };
    let addresses: Vec<Option<String>> = Entity::find()
        .select_only()
        .column(Column::Ip)
        .filter(Column::UserId.eq(owner))
        .order_by_desc(Column::Id)
        .limit(REMEMBERED)
        .into_tuple()
        .all(db)
        .await?;
    let network = |ip: String| Client { address: ip.parse().ok(), user_agent: None }.network();
    Ok(addresses.into_iter().flatten().any(|ip| network(ip) == client.network()))
}

/// Signs the actor out: both tokens are dead at once.
///
/// # Errors
/// Fails when the database does.
pub async fn close(db: &impl Transact, auth: &Auth, actor: &Actor, client: &Client) -> Result<()> {
    let event = Event::own(AuditAction::LoggedOut, actor.user_id);
    end(db, auth, actor.user_id, actor.session_id, event, client).await.map(drop)
}

/// Ends one of the actor's sessions.
///
/// # Errors
/// [`Error::NotFound`] unless it is theirs and goes on.
pub async fn end_one(db: &impl Transact, auth: &Auth, actor: &Actor, client: &Client, id: Uuid) -> Result<()> {
    let event = Event::own(AuditAction::SessionEnded, actor.user_id);
    if end(db, auth, actor.user_id, id, event, client).await? { Ok(()) } else { Err(Error::NotFound) }
}

/// Ends a session and writes down why. Tells whether there was anything to end.
pub(super) async fn end(
    db: &impl Transact,
    auth: &Auth,
    user_id: Uuid,
    session_id: Uuid,
    event: Event<'_>,
    client: &Client,
) -> Result<bool> {
    let now = auth.clock.now();
    let transaction = db.begin().await?;
    let ended = end_of(user_id, now).filter(Column::Id.eq(session_id)).exec(&transaction).await?;
    if ended.rows_affected == 0 {
        return Ok(false);
    }
    event.on(session_id).record(&transaction, client, now).await?;
    transaction.commit().await?;
    auth.revocations.add([session_id], now);
    Ok(true)
}

/// Ends the actor's sessions but this one.
///
/// # Errors
/// Fails when the database does.
pub async fn end_others(db: &impl Transact, auth: &Auth, actor: &Actor, client: &Client) -> Result<()> {
    let now = auth.clock.now();
    let transaction = db.begin().await?;
    let ended = end_all(&transaction, actor.user_id, Some(actor.session_id), now).await?;
    if !ended.is_empty() {
        let event = Event::own(AuditAction::SessionEnded, actor.user_id);
        event.saying("all others").record(&transaction, client, now).await?;
    }
    transaction.commit().await?;
    auth.revocations.add(ended, now);
    Ok(())
}

/// Ends every session of an account, or every one but `kept`, as part of a transaction. The ids must be handed to
/// [`Revocations::add`](crate::domain::auth::revocations::Revocations::add) once it is committed.
///
/// # Errors
/// Fails when the database does.
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

/// Wipes what an account's sessions tell of its owner's devices, as part of the transaction that deletes the account.
///
/// # Errors
/// Fails when the database does.
pub async fn forget_clients(transaction: &impl ConnectionTrait, user_id: Uuid) -> Result<u64> {
    let wiped = Entity::update_many()
        .col_expr(Column::UserAgent, Expr::value(Option::<String>::None))
        .col_expr(Column::Ip, Expr::value(Option::<String>::None))
        .filter(Column::UserId.eq(user_id))
        .exec(transaction)
        .await?;
    Ok(wiped.rows_affected)
}

/// Removes sessions that are over and of which no access token can be in use, a batch at a time. Any instance may do
/// this at any time.
///
/// # Errors
/// Fails when the database does.
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

/// Who may still sign in, or go on being signed in.
pub fn may_sign_in(auth: &Auth) -> Condition {
    let unless = Condition::all().add(Expr::col((users::Entity, users::Column::DisabledAt)).is_null());
    if auth.require_verified_email {
        unless.add(Expr::col((users::Entity, users::Column::EmailVerifiedAt)).is_not_null())
    } else {
        unless
    }
}
