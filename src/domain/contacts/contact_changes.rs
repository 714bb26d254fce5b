//! Changes of the contacts of a user, so that a client can keep a copy: each transaction that changes contacts has a number,
//! counted for the user. A time would miss rows that commit late.

use chrono::{DateTime, Utc};
use entity::contacts::{Column, Entity, Model};
use entity::{contact_books, deleted_contacts, users};
use sea_orm::sea_query::{Expr, ExprTrait, LockType, OnConflict, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use uuid::Uuid;

use crate::domain::contacts::contacts::owned_by;
use crate::domain::values::actor::Actor;
use crate::domain::values::page::Page;
use crate::error::{Error, Result};

/// Position in the changes of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangePosition {
    /// Number of the change.
    pub number: i64,
    /// Id of the contact, because a change may be of many.
    pub id: Uuid,
}

/// A contact that was deleted.
pub type Deleted = deleted_contacts::Model;

/// Changes of contacts after a position.
#[derive(Clone, Debug)]
pub struct Changes {
    /// Contacts that were created or updated, as they are now.
    pub updated: Vec<Model>,
    /// Contacts that were deleted.
    pub deleted: Vec<Deleted>,
    /// The position after them.
    pub position: ChangePosition,
    /// Whether there are more.
    pub has_more: bool,
}

/// Begins a change of the contacts of a user: counts it, and locks them against other changes until the transaction ends, so
/// that changes commit in the order of their numbers.
///
/// # Errors
/// [`Error::InvalidToken`] if the account has just been deleted.
pub(super) async fn next_number(transaction: &impl ConnectionTrait, user_id: Uuid, now: DateTime<Utc>) -> Result<i64> {
    use contact_books::Column;
    // The account is locked first, because its erasure deletes the row.
    let account = Query::select()
        .column(users::Column::Id)
        .expr(Expr::value(1_i64))
        .expr(Expr::value(now))
        .from(users::Entity)
        .and_where(users::Column::Id.eq(user_id))
        .lock(LockType::KeyShare)
        .to_owned();
    let one_more = Expr::col((contact_books::Entity, Column::LastChange)).add(1);
    let mut insert = Query::insert();
    insert
        .into_table(contact_books::Entity)
        .columns([Column::UserId, Column::LastChange, Column::ChangedAt])
        .select_from(account)
        .map_err(Error::internal)?
        .on_conflict(
            OnConflict::column(Column::UserId)
                .value(Column::LastChange, one_more)
                .update_column(Column::ChangedAt)
                .to_owned(),
        )
        .returning_col(Column::LastChange);
    let row = transaction.query_one(&insert).await?.ok_or(Error::InvalidToken)?;
    Ok(row.try_get_by_index(0)?)
}

/// Records that contacts are about to be deleted.
pub(super) async fn record_deletions(
    transaction: &impl ConnectionTrait,
    contacts: Expr,
    (number, now): (i64, DateTime<Utc>),
) -> Result<()> {
    use deleted_contacts::Column as Deleted;
    let deleted = Query::select()
        .columns([Column::UserId, Column::Id])
        .expr(Expr::value(number))
        .expr(Expr::value(now))
        .from(Entity)
        .and_where(contacts)
        .to_owned();
    let mut insert = Query::insert();
    insert
        .into_table(deleted_contacts::Entity)
        .columns([Deleted::UserId, Deleted::Id, Deleted::ChangeNumber, Deleted::DeletedAt])
        .select_from(deleted)
        .map_err(Error::internal)?;
    transaction.execute(&insert).await?;
    Ok(())
}

/// Lists the changes after a position; without one, all contacts, but none that were deleted.
///
/// # Errors
/// Database errors.
pub async fn list(db: &impl ConnectionTrait, actor: &Actor, page: Page<ChangePosition>) -> Result<Changes> {
    // All changes up to this one have committed. What changes meanwhile has a higher number, and comes with the next page.
    let last = last_number(db, actor.user_id).await?;
    let deleted = match page.after {
        Some(after) => deleted_between(db, actor.user_id, (after, last), page.rows()).await?,
        None => Vec::new(),
    };
    let order = [Column::ChangeNumber, Column::Id];
    let updated = owned_by(actor.user_id)
        .filter(Column::ChangeNumber.lte(last))
        .apply_if(page.after, |contacts, after| contacts.filter(is_after(order.map(Expr::col), after)));
    let updated = order.into_iter().fold(updated, QueryOrder::order_by_asc).limit(page.rows()).all(db).await?;
    Ok(merge(&page, updated, deleted, last))
}

async fn last_number(db: &impl ConnectionTrait, user_id: Uuid) -> Result<i64> {
    let book = contact_books::Entity::find_by_id(user_id).one(db).await?;
    Ok(book.map_or(0, |book| book.last_change))
}

async fn deleted_between(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    (after, last): (ChangePosition, i64),
    limit: u64,
) -> Result<Vec<Deleted>> {
    use deleted_contacts::Column;
    let order = [Column::ChangeNumber, Column::Id];
    let deleted = deleted_contacts::Entity::find()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::ChangeNumber.lte(last))
        .filter(is_after(order.map(Expr::col), after));
    Ok(order.into_iter().fold(deleted, QueryOrder::order_by_asc).limit(limit).all(db).await?)
}

fn is_after(columns: [Expr; 2], after: ChangePosition) -> Expr {
    Expr::tuple(columns).gt(Expr::tuple([Expr::value(after.number), Expr::value(after.id)]))
}

/// The first changes of both lists together, and the position after them.
fn merge(page: &Page<ChangePosition>, mut updated: Vec<Model>, mut deleted: Vec<Deleted>, last: i64) -> Changes {
    let of_updated = |row: &Model| ChangePosition { number: row.change_number, id: row.id };
    let of_deleted = |row: &Deleted| ChangePosition { number: row.change_number, id: row.id };
    let positions = updated.iter().map(of_updated).chain(deleted.iter().map(of_deleted));
    let mut positions: Vec<ChangePosition> = positions.collect();
    positions.sort_unstable();
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let has_more = positions.len() > limit;
    let all = ChangePosition { number: last, id: Uuid::max() };
    let position = if has_more { limit.checked_sub(1).and_then(|index| positions.get(index)) } else { None };
    let position = position.copied().unwrap_or(all);
    updated.retain(|row| of_updated(row) <= position);
    deleted.retain(|row| of_deleted(row) <= position);
    Changes { updated, deleted, position, has_more }
}
