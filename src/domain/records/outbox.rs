//! The outbox: mails are written in the transaction of what causes them and sent later, so neither is there without the
//! other, and no request waits for a mail server.
//!
//! Whoever sends a mail first claims it for a moment and keeps the claim up while sending. Of several instances one gets
//! it; if that one dies, another takes the mail over when the claim has run out.

use chrono::{DateTime, Duration, Utc};
use entity::MailKind;
use entity::outbox::{self, Column, Model};
use sea_orm::sea_query::{Expr, ExprTrait, LockBehavior, LockType, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Set};
use uuid::Uuid;

use crate::domain::values::backoff::backoff;
use crate::error::Result;

/// How long a claim lasts unless it is kept up.
pub const CLAIM: Duration = Duration::seconds(15);

/// How long sending is tried (RFC 5321 §4.5.4.1).
pub const GIVE_UP_AFTER: Duration = Duration::days(5);

/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::minutes(15);

/// How long mails that were given up are kept for operators to look at.
const KEEP_GIVEN_UP: Duration = Duration::days(30);

/// Puts a mail into the outbox, as part of the transaction that causes it.
///
/// # Errors
/// Fails when the database does.
pub async fn add(
    transaction: &impl ConnectionTrait,
    kind: MailKind,
    recipient: &str,
    user_id: Option<Uuid>,
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
    };
    outbox::Entity::insert(mail).exec_without_returning(transaction).await?;
    Ok(())
}

/// Claims up to `most` mails that are due, oldest first. Of those to one address the oldest alone, and only when none is on
/// its way there: so they arrive in order, and an address that is slow takes up one place.
///
/// # Errors
/// Fails when the database does.
pub async fn claim(db: &impl ConnectionTrait, now: DateTime<Utc>, most: usize) -> Result<Vec<Model>> {
    // An outbox at rest costs a read, not a write.
    let due = || outbox::Entity::find().select_only().column(Column::Id).filter(Column::DueAt.lte(now));
    if due().limit(1).into_tuple::<Uuid>().one(db).await?.is_none() {
        return Ok(Vec::new());
    }
    let older = Query::select()
        .expr(Expr::value(1))
        .from_as(outbox::Entity, "older")
        .and_where(Expr::col(("older", Column::Recipient)).equals((outbox::Entity, Column::Recipient)))
        .and_where(Expr::col(("older", Column::Id)).lt(Expr::col((outbox::Entity, Column::Id))))
        .and_where(Expr::col(("older", Column::DueAt)).lte(now + CLAIM))
        .to_owned();
    let next = Query::select()
        .column(Column::Id)
        .from(outbox::Entity)
        .and_where(Expr::col(Column::DueAt).lte(now))
        .and_where(Expr::exists(older).not())
        .order_by(Column::DueAt, sea_orm::Order::Asc)
        .order_by(Column::Id, sea_orm::Order::Asc)
        .limit(u64::try_from(most).unwrap_or(u64::MAX))
        // What another instance is claiming at this moment is passed over. SQLite has one writer and needs no lock.
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .to_owned();
    let mut claimed = outbox::Entity::update_many()
        .col_expr(Column::DueAt, Expr::value(now + CLAIM))
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
        .filter(Column::Id.in_subquery(next))
        .exec_with_returning(db)
        .await?;
    claimed.sort_by_key(|mail| mail.id);
    Ok(claimed)
}

/// Keeps up the claim to mails that are still being sent.
///
/// # Errors
/// Fails when the database does.
pub async fn keep_claim(db: &impl ConnectionTrait, mails: &[Uuid], now: DateTime<Utc>) -> Result<()> {
    outbox::Entity::update_many()
        .col_expr(Column::DueAt, Expr::value(now + CLAIM))
        .filter(Column::Id.is_in(mails.iter().copied()))
        .filter(Column::DueAt.is_not_null())
        .exec(db)
        .await?;
    Ok(())
}

/// Puts a mail off without counting a try. It stands for the older ones of its kind, which are dropped.
///
/// # Errors
/// Fails when the database does.
pub async fn hold(db: &impl ConnectionTrait, mail: &Model, until: DateTime<Utc>) -> Result<()> {
    outbox::Entity::update_many()
        .col_expr(Column::DueAt, Expr::value(until))
        .col_expr(Column::Attempts, Expr::value(0))
        .filter(Column::Id.eq(mail.id))
        .filter(Column::Attempts.eq(mail.attempts))
        .exec(db)
        .await?;
    outbox::Entity::delete_many()
        .filter(Column::Recipient.eq(mail.recipient.as_str()))
        .filter(Column::Kind.eq(mail.kind))
        .filter(mail.user_id.map_or_else(|| Column::UserId.is_null(), |id| Column::UserId.eq(id)))
        .filter(Column::Id.lt(mail.id))
        .filter(Column::DueAt.is_not_null())
        .exec(db)
        .await?;
    Ok(())
}

/// Removes a mail that was sent, or that nobody needs any more.
///
/// # Errors
/// Fails when the database does.
pub async fn remove(db: &impl ConnectionTrait, id: Uuid) -> Result<()> {
    outbox::Entity::delete_by_id(id).exec(db).await?;
    Ok(())
}

/// What becomes of a mail that could not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is tried again at this time.
    Retry(DateTime<Utc>),
    /// It is kept, but not tried again.
    GivenUp,
}

/// Decides what becomes of a mail that could not be sent, and writes it down.
///
/// # Errors
/// Fails when the database does.
pub async fn postpone(db: &impl ConnectionTrait, mail: &Model, is_refused: bool, now: DateTime<Utc>) -> Result<Fate> {
    let fate = if is_refused || now - mail.created_at > GIVE_UP_AFTER {
        Fate::GivenUp
    } else {
        Fate::Retry(now + wait_after(mail.attempts))
    };
    // Of a deleted account nothing stays, not even the address of its last mail.
    if fate == Fate::GivenUp && mail.kind == MailKind::AccountDeleted {
        remove(db, mail.id).await?;
        return Ok(fate);
    }
    let due_at = if let Fate::Retry(at) = fate { Some(at) } else { None };
    outbox::Entity::update_many()
        .col_expr(Column::DueAt, Expr::value(due_at))
        .filter(Column::Id.eq(mail.id))
        // Otherwise somebody else has claimed it meanwhile.
        .filter(Column::Attempts.eq(mail.attempts))
        .exec(db)
        .await?;
    Ok(fate)
}

/// The wait after a number of failed attempts: one second, then twice as long each time.
fn wait_after(attempts: i32) -> Duration {
    backoff(Duration::seconds(1), LONGEST_WAIT, attempts - 1)
}

/// Withdraws what waits to be sent to or about somebody, as part of the transaction that deletes their account.
///
/// # Errors
/// Fails when the database does.
pub async fn withdraw(transaction: &impl ConnectionTrait, user_id: Uuid, email: &str) -> Result<u64> {
    let mut withdrawn = 0;
    for theirs in [Column::UserId.eq(user_id), Column::Recipient.eq(email)] {
        withdrawn += outbox::Entity::delete_many().filter(theirs).exec(transaction).await?.rows_affected;
    }
    Ok(withdrawn)
}

/// What waits to be sent to or about somebody.
///
/// # Errors
/// Fails when the database does.
pub async fn of(db: &impl ConnectionTrait, user_id: Uuid, email: &str) -> Result<Vec<Model>> {
    let mut mails = outbox::Entity::find().filter(Column::UserId.eq(user_id)).all(db).await?;
    let to_address = outbox::Entity::find().filter(Column::Recipient.eq(email)).all(db).await?;
    mails.extend(to_address.into_iter().filter(|mail| mail.user_id != Some(user_id)));
    mails.sort_by_key(|mail| mail.id);
    Ok(mails)
}

/// Removes mails that were given up long ago.
///
/// # Errors
/// Fails when the database does.
pub async fn sweep(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u64> {
    let given_up =
        outbox::Entity::delete_many().filter(Column::DueAt.is_null()).filter(Column::CreatedAt.lt(now - KEEP_GIVEN_UP));
    Ok(given_up.exec(db).await?.rows_affected)
}
