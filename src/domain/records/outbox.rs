//! Outbox of mails. A mail is inserted in the transaction of the operation that causes it, and sent later. So neither
//! exists without the other, and no request waits for a mail server.
//!
//! A delivery worker claims a mail for a short time, and renews the claim while it sends the mail. Of several instances
//! only one gets the claim. If that instance crashes, the claim expires and another instance sends the mail.

use chrono::{DateTime, Duration, Utc};
use entity::MailKind;
use entity::outbox::{self, Column, Model};
use sea_orm::sea_query::{Expr, ExprTrait, LockBehavior, LockType, Query, SelectStatement};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Set};
use uuid::Uuid;

use crate::domain::values::backoff::backoff;
use crate::error::Result;

/// Lifetime of a claim that is not renewed.
pub const CLAIM_LIFETIME: Duration = Duration::seconds(15);

/// Time after which sending is given up (RFC 5321 §4.5.4.1).
pub const GIVE_UP_AFTER: Duration = Duration::days(5);

/// Maximum wait between two attempts.
const MAX_WAIT: Duration = Duration::minutes(15);

/// Time for which given-up mails are kept, so that operators can inspect them.
const GIVEN_UP_RETENTION: Duration = Duration::days(30);

/// Maximum number of mails that reset the password and wait for one recipient.
const MAX_POSTPONED_RESETS: usize = 10;

/// Maximum number of mails to one recipient that are read at once.
const MAX_PENDING_READ: u64 = 1000;

/// Adds a mail to the outbox, in the transaction of the operation that causes it.
///
/// # Errors
/// Database errors.
pub async fn add(
    transaction: &impl ConnectionTrait,
    kind: MailKind,
    recipient: &str,
    user_id: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<()> {
    insert(transaction, kind, recipient, user_id, None, now).await
}

/// Adds a mail with a code that resets the password, for the flow of a request.
///
/// # Errors
/// Database errors.
pub async fn add_reset(
    transaction: &impl ConnectionTrait,
    recipient: &str,
    flow_hash: String,
    now: DateTime<Utc>,
) -> Result<()> {
    insert(transaction, MailKind::ResetPassword, recipient, None, Some(flow_hash), now).await
}

async fn insert(
    transaction: &impl ConnectionTrait,
    kind: MailKind,
    recipient: &str,
    user_id: Option<Uuid>,
    flow_hash: Option<String>,
    now: DateTime<Utc>,
) -> Result<()> {
    let mail = outbox::ActiveModel {
        id: Set(Uuid::now_v7()),
        kind: Set(kind),
        recipient: Set(recipient.to_owned()),
        user_id: Set(user_id),
        attempts: Set(0),
        due_at: Set(Some(now)),
        created_at: Set(now),
        flow_hash: Set(flow_hash),
        object_id: Set(None),
        slot_id: Set(None),
    };
    outbox::Entity::insert(mail).exec_without_returning(transaction).await?;
    Ok(())
}

/// Claims up to `max` due mails, oldest first: for each recipient only the oldest one, and only if no other mail to the
/// recipient is being sent. So mails arrive in order, and a slow recipient uses only one slot.
///
/// # Errors
/// Database errors.
pub async fn claim(db: &impl ConnectionTrait, now: DateTime<Utc>, max: usize) -> Result<Vec<Model>> {
    // An outbox without due mails needs one read and no write.
    let due_mails = || outbox::Entity::find().select_only().column(Column::Id).filter(Column::DueAt.lte(now));
    if due_mails().limit(1).into_tuple::<Uuid>().one(db).await?.is_none() {
        return Ok(Vec::new());
    }
    let older = Query::select()
        .expr(Expr::value(1))
        .from_as(outbox::Entity, "older")
        .and_where(Expr::col(("older", Column::Recipient)).equals((outbox::Entity, Column::Recipient)))
        .and_where(Expr::col(("older", Column::Id)).lt(Expr::col((outbox::Entity, Column::Id))))
        .and_where(Expr::col(("older", Column::DueAt)).lte(now + CLAIM_LIFETIME))
        .to_owned();
    let next = Query::select()
        .column(Column::Id)
        .from(outbox::Entity)
        .and_where(Expr::col(Column::DueAt).lte(now))
        .and_where(Expr::exists(older).not())
        .order_by(Column::DueAt, sea_orm::Order::Asc)
        .order_by(Column::Id, sea_orm::Order::Asc)
        .limit(u64::try_from(max).unwrap_or(u64::MAX))
        // Mails that another instance is claiming are skipped. SQLite has one writer and needs no lock.
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .to_owned();
    let mut claimed = outbox::Entity::update_many()
        .col_expr(Column::DueAt, Expr::value(now + CLAIM_LIFETIME))
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
        .filter(Column::Id.in_subquery(next))
        .exec_with_returning(db)
        .await?;
    claimed.sort_by_key(|mail| mail.id);
    Ok(claimed)
}

/// Renews the claims to mails that are still being sent.
///
/// # Errors
/// Database errors.
pub async fn renew_claims(db: &impl ConnectionTrait, mails: &[Uuid], now: DateTime<Utc>) -> Result<()> {
    outbox::Entity::update_many()
        .col_expr(Column::DueAt, Expr::value(now + CLAIM_LIFETIME))
        .filter(Column::Id.is_in(mails.iter().copied()))
        .filter(Column::DueAt.is_not_null())
        .exec(db)
        .await?;
    Ok(())
}

/// Postpones a mail without counting an attempt. It replaces older mails of its kind about the same account or object,
/// which are deleted. Mails that reset the password belong to different requests and do not replace each other: the ten
/// oldest are kept.
///
/// # Errors
/// Database errors.
pub async fn postpone(db: &impl ConnectionTrait, mail: &Model, until: DateTime<Utc>) -> Result<()> {
    outbox::Entity::update_many()
        .col_expr(Column::DueAt, Expr::value(until))
        .col_expr(Column::Attempts, Expr::value(0))
        .filter(Column::Id.eq(mail.id))
        .filter(Column::Attempts.eq(mail.attempts))
        .exec(db)
        .await?;
    let mut pending: Vec<Uuid> = outbox::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::Recipient.eq(mail.recipient.as_str()))
        .filter(Column::Kind.eq(mail.kind))
        .filter(mail.user_id.map_or_else(|| Column::UserId.is_null(), |id| Column::UserId.eq(id)))
        .filter(mail.object_id.map_or_else(|| Column::ObjectId.is_null(), |id| Column::ObjectId.eq(id)))
        .filter(Column::DueAt.is_not_null())
        .limit(MAX_PENDING_READ)
        .into_tuple()
        .all(db)
        .await?;
    pending.sort_unstable();
    let surplus: Vec<Uuid> = if mail.kind == MailKind::ResetPassword {
        pending.into_iter().skip(MAX_POSTPONED_RESETS).collect()
    } else {
        pending.into_iter().filter(|id| *id < mail.id).collect()
    };
    if !surplus.is_empty() {
        outbox::Entity::delete_many().filter(Column::Id.is_in(surplus)).exec(db).await?;
    }
    Ok(())
}

/// The time of a postponed mail that is older than a mail, of the same kind and to the same recipient.
///
/// # Errors
/// Database errors.
pub async fn older_postponed(db: &impl ConnectionTrait, mail: &Model) -> Result<Option<DateTime<Utc>>> {
    let older = outbox::Entity::find()
        .select_only()
        .column(Column::DueAt)
        .filter(Column::Recipient.eq(mail.recipient.as_str()))
        .filter(Column::Kind.eq(mail.kind))
        .filter(Column::Id.lt(mail.id))
        .filter(Column::Attempts.eq(0))
        .filter(Column::DueAt.is_not_null())
        .into_tuple::<DateTime<Utc>>();
    Ok(older.one(db).await?)
}

/// Deletes the unsent mails with codes that reset the password, to the recipients of a query, as part of a transaction.
///
/// # Errors
/// Database errors.
pub async fn delete_resets(transaction: &impl ConnectionTrait, recipients: SelectStatement) -> Result<()> {
    outbox::Entity::delete_many()
        .filter(Column::Kind.eq(MailKind::ResetPassword))
        .filter(Column::Recipient.in_subquery(recipients))
        .filter(Column::DueAt.is_not_null())
        .exec(transaction)
        .await?;
    Ok(())
}

/// Removes a mail that was sent or is no longer needed.
///
/// # Errors
/// Database errors.
pub async fn remove(db: &impl ConnectionTrait, id: Uuid) -> Result<()> {
    remove_all(db, &[id]).await
}

/// Removes mails that were sent or are no longer needed.
///
/// # Errors
/// Database errors.
pub async fn remove_all(db: &impl ConnectionTrait, ids: &[Uuid]) -> Result<()> {
    outbox::Entity::delete_many().filter(Column::Id.is_in(ids.iter().copied())).exec(db).await?;
    Ok(())
}

/// Result of a failed attempt to send a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The next attempt is at this time.
    Retry(DateTime<Utc>),
    /// There is no further attempt; the mail is kept.
    GivenUp,
}

/// Records a failed attempt to send a mail: schedules the next attempt, or gives up.
///
/// # Errors
/// Database errors.
pub async fn record_failure(
    db: &impl ConnectionTrait,
    mail: &Model,
    is_permanent: bool,
    now: DateTime<Utc>,
) -> Result<Failure> {
    let failure = if is_permanent || now - mail.created_at > GIVE_UP_AFTER {
        Failure::GivenUp
    } else {
        Failure::Retry(now + wait_after(mail.attempts))
    };
    // After the deletion of an account nothing is kept, not even the address of its last mail.
    if failure == Failure::GivenUp && mail.kind == MailKind::AccountDeleted {
        remove(db, mail.id).await?;
        return Ok(failure);
    }
    let due_at = if let Failure::Retry(at) = failure { Some(at) } else { None };
    outbox::Entity::update_many()
        .col_expr(Column::DueAt, Expr::value(due_at))
        .filter(Column::Id.eq(mail.id))
        // Unless the claim has expired and another worker has claimed the mail.
        .filter(Column::Attempts.eq(mail.attempts))
        .exec(db)
        .await?;
    Ok(failure)
}

/// Wait after a number of failed attempts: one second, doubled with each further attempt.
fn wait_after(attempts: i32) -> Duration {
    backoff(Duration::seconds(1), MAX_WAIT, attempts - 1)
}

/// Deletes the unsent mails of a user, and to their address, in the transaction that deletes the account. Those about vaccine
/// requests and invitations are deleted with these.
///
/// # Errors
/// Database errors.
pub async fn delete_all(transaction: &impl ConnectionTrait, user_id: Uuid, email: &str) -> Result<u64> {
    let mut deleted = 0;
    for condition in [Column::UserId.eq(user_id), is_to(email)] {
        deleted += outbox::Entity::delete_many().filter(condition).exec(transaction).await?.rows_affected;
    }
    Ok(deleted)
}

/// Whether a mail is to an address, but about no vaccine request or invitation: these mails belong to whom they are about,
/// and the address may be somebody else's.
fn is_to(email: &str) -> Expr {
    Column::Recipient.eq(email).and(Column::ObjectId.is_null())
}

/// Lists the unsent mails of a user, and to their address, except those about vaccine requests and invitations.
///
/// # Errors
/// Database errors.
pub async fn list_all(db: &impl ConnectionTrait, user_id: Uuid, email: &str) -> Result<Vec<Model>> {
    let mut mails = outbox::Entity::find().filter(Column::UserId.eq(user_id)).all(db).await?;
    let to_address = outbox::Entity::find().filter(is_to(email)).all(db).await?;
    mails.extend(to_address.into_iter().filter(|mail| mail.user_id != Some(user_id)));
    mails.sort_by_key(|mail| mail.id);
    Ok(mails)
}

/// Deletes old mails that were given up.
///
/// # Errors
/// Database errors.
pub async fn sweep(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u64> {
    let given_up = outbox::Entity::delete_many()
        .filter(Column::DueAt.is_null())
        .filter(Column::CreatedAt.lt(now - GIVEN_UP_RETENTION));
    Ok(given_up.exec(db).await?.rows_affected)
}
