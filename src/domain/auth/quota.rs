//! How many of a thing a user may make in an hour. A counter in the database starts with the first one and ends an hour
//! later; it holds across instances.

use chrono::{DateTime, Duration, Utc};
use entity::throttles::{self, Column};
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, OnConflict, Query};
use sea_orm::{ConnectionTrait, EntityTrait};
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
pub async fn admit(db: &impl ConnectionTrait, auth: &Auth, quota: Quota, user_id: Uuid) -> Result<()> {
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
    let values = [Expr::value(key), Expr::value(1), Expr::value(DateTime::UNIX_EPOCH), Expr::value(now + HOUR)];
    let count = Query::insert()
        .into_table(throttles::Entity)
        .columns([Column::Key, Column::Excess, Column::BlockedUntil, Column::ForgetAt])
        .values(values)
        .map_err(Error::internal)?
        .on_conflict(one_more(most, now))
        .returning_col(Column::Key)
        .to_owned();
    if most > 0 && db.query_one(&count).await?.is_some() {
        return Ok(());
    }
    let counter = throttles::Entity::find_by_id(key).one(db).await?;
    let retry_after = counter.map_or(HOUR, |counter| counter.forget_at - now);
    Err(Error::TooMany { retry_after: Ord::max(retry_after, Duration::seconds(1)) })
}

/// What becomes of a counter that is there: it starts again when its hour is over, else it counts one more. When it is
/// full nothing happens to it, and the statement does not return it.
fn one_more(most: u32, now: DateTime<Utc>) -> OnConflict {
    let old = |column| Expr::col((throttles::Entity, column));
    let fresh = |column| Expr::col(("excluded", column));
    let is_over = || old(Column::ForgetAt).lte(now);
    let count = CaseStatement::new().case(is_over(), Expr::value(1)).finally(old(Column::Excess).add(1));
    let until = CaseStatement::new().case(is_over(), fresh(Column::ForgetAt)).finally(old(Column::ForgetAt));
    OnConflict::column(Column::Key)
        .value(Column::Excess, count)
        .value(Column::ForgetAt, until)
        .action_and_where(old(Column::Excess).lt(i32::try_from(most).unwrap_or(i32::MAX)).or(is_over()))
        .to_owned()
}
