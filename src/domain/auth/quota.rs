//! Quotas: maximum number of things that a user may create in an hour. The counter is a row of the database, shared by
//! all instances. It starts with the first thing and expires an hour later.

use chrono::{DateTime, Duration, Utc};
use entity::quotas::{self, Column};
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, LockBehavior, LockType, OnConflict, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::domain::auth::context::Auth;
use crate::error::{Error, Result};

const HOUR: Duration = Duration::hours(1);

/// Things that are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    /// Contacts that are created one by one.
    Contacts,
    /// Imports of contacts.
    Imports,
    /// Dry runs of imports.
    DryRuns,
}

/// Counts one more thing, unless the quota is used up, by one statement.
///
/// # Errors
/// Returns [`Error::TooMany`] with the time until the counter expires.
pub async fn consume(db: &impl ConnectionTrait, auth: &Auth, quota: Quota, user_id: Uuid) -> Result<()> {
    let (name, max) = match quota {
        Quota::Contacts => ("contacts", auth.limits.contacts_per_hour),
        Quota::Imports => ("imports", auth.limits.imports_per_hour),
        Quota::DryRuns => ("dry-runs", auth.limits.imports_per_hour),
    };
    if !auth.limits.enabled {
        return Ok(());
    }
    let now = auth.clock.now();
    // Sorted, so that two statements lock rows in the same order.
    let mut keys = auth.tokens.keys().hmac_ids(&[b"quota", name.as_bytes(), user_id.as_bytes()]);
    keys.sort_unstable();
    let mut count = Query::insert();
    count.into_table(quotas::Entity).columns([Column::Key, Column::Used, Column::ResetsAt]);
    for key in &keys {
        let row = [Expr::value(*key), Expr::value(1), Expr::value(now + HOUR)];
        count.values(row).map_err(Error::internal)?;
    }
    count.on_conflict(count_one(max, now)).returning_col(Column::Key);
    if max > 0 && db.query_all(&count).await?.len() == keys.len() {
        return Ok(());
    }
    let counters = quotas::Entity::find().filter(Column::Key.is_in(keys)).all(db).await?;
    let retry_after = counters.iter().map(|counter| counter.resets_at - now).max().unwrap_or(HOUR);
    Err(Error::TooMany { retry_after: Ord::max(retry_after, Duration::seconds(1)) })
}

/// Upsert of an existing counter: it is reset if its hour is over, else it is incremented. A full counter is not
/// changed, and the statement does not return it.
fn count_one(max: u32, now: DateTime<Utc>) -> OnConflict {
    let old = |column| Expr::col((quotas::Entity, column));
    let fresh = |column| Expr::col(("excluded", column));
    let is_over = || old(Column::ResetsAt).lte(now);
    let used = CaseStatement::new().case(is_over(), Expr::value(1)).finally(old(Column::Used).add(1));
    let resets_at = CaseStatement::new().case(is_over(), fresh(Column::ResetsAt)).finally(old(Column::ResetsAt));
    OnConflict::column(Column::Key)
        .value(Column::Used, used)
        .value(Column::ResetsAt, resets_at)
        .action_and_where(old(Column::Used).lt(i32::try_from(max).unwrap_or(i32::MAX)).or(is_over()))
        .to_owned()
}

/// Deletes expired counters.
///
/// # Errors
/// Database errors.
pub async fn sweep(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u64> {
    let expired = Query::select()
        .column(Column::Key)
        .from(quotas::Entity)
        .and_where(Expr::col(Column::ResetsAt).lt(now))
        // A counter that another transaction is updating is skipped.
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .to_owned();
    Ok(quotas::Entity::delete_many().filter(Column::Key.in_subquery(expired)).exec(db).await?.rows_affected)
}
