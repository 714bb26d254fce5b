//! How many of a thing a user may make in an hour. A counter in the database starts with the first one and ends an hour
//! later; it holds across instances.

use chrono::{DateTime, Duration, Utc};
use entity::quotas::{self, Column};
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, LockBehavior, LockType, OnConflict, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::domain::auth::context::Auth;
use crate::error::{Error, Result};

const HOUR: Duration = Duration::hours(1);

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    /// Contacts, one by one.
    Contacts,
    /// Files of contacts.
    Imports,
    /// Files of contacts of which is only told what they would bring.
    DryRuns,
}

/// Counts one more, or refuses it, by one statement.
///
/// # Errors
/// [`Error::TooMany`] with the time until the hour is over.
pub async fn consume(db: &impl ConnectionTrait, auth: &Auth, quota: Quota, user_id: Uuid) -> Result<()> {
    let (name, most) = match quota {
        Quota::Contacts => ("contacts", auth.limits.contacts_per_hour),
        Quota::Imports => ("imports", auth.limits.imports_per_hour),
        Quota::DryRuns => ("dry-runs", auth.limits.imports_per_hour),
    };
    if !auth.limits.enabled {
        return Ok(());
    }
    let now = auth.clock.now();
    let key = auth.tokens.keys().id(&[b"quota", name.as_bytes(), user_id.as_bytes()]);
    let count = Query::insert()
        .into_table(quotas::Entity)
        .columns([Column::Key, Column::Used, Column::ResetsAt])
        .values([Expr::value(key), Expr::value(1), Expr::value(now + HOUR)])
        .map_err(Error::internal)?
        .on_conflict(count_one(most, now))
        .returning_col(Column::Key)
        .to_owned();
    if most > 0 && db.query_one(&count).await?.is_some() {
        return Ok(());
    }
    let counter = quotas::Entity::find_by_id(key).one(db).await?;
    let retry_after = counter.map_or(HOUR, |counter| counter.resets_at - now);
    Err(Error::TooMany { retry_after: Ord::max(retry_after, Duration::seconds(1)) })
}

/// The upsert of an existing counter: it starts again when its hour is over, else it counts one more. A full counter stays
/// as it is, and the statement does not return it.
fn count_one(most: u32, now: DateTime<Utc>) -> OnConflict {
    let old = |column| Expr::col((quotas::Entity, column));
    let fresh = |column| Expr::col(("excluded", column));
    let is_over = || old(Column::ResetsAt).lte(now);
    let used = CaseStatement::new().case(is_over(), Expr::value(1)).finally(old(Column::Used).add(1));
    let resets_at = CaseStatement::new().case(is_over(), fresh(Column::ResetsAt)).finally(old(Column::ResetsAt));
    OnConflict::column(Column::Key)
        .value(Column::Used, used)
        .value(Column::ResetsAt, resets_at)
        .action_and_where(old(Column::Used).lt(i32::try_from(most).unwrap_or(i32::MAX)).or(is_over()))
        .to_owned()
}

/// Removes counters whose hour is over.
///
/// # Errors
/// Database errors.
pub async fn sweep(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u64> {
    let over = Query::select()
        .column(Column::Key)
        .from(quotas::Entity)
        .and_where(Expr::col(Column::ResetsAt).lt(now))
        // A counter that a transaction is about to update is skipped, not waited for.
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .to_owned();
    Ok(quotas::Entity::delete_many().filter(Column::Key.in_subquery(over)).exec(db).await?.rows_affected)
}
