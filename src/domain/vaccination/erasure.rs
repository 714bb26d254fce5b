//! Erasure of the patients of an account, with their requests. Their places are given back.

use std::collections::{BTreeMap, BTreeSet};

use entity::{RequestStatus, patients, slots, vaccine_requests as requests};
use sea_orm::sea_query::{Expr, ExprTrait, LockType};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::domain::vaccination::locks;
use crate::error::Result;

/// Requests that one statement locks.
const BATCH: usize = 500;

/// Deletes the patients of an account and their requests, and gives booked places back. The account is locked already.
/// Returns the number of requests.
///
/// # Errors
/// Database errors.
pub(in crate::domain) async fn erase_patients(transaction: &impl ConnectionTrait, user_id: Uuid) -> Result<u64> {
    // In the order of all locks: patients, requests, slots.
    let patients: Vec<Uuid> = patients::Entity::find()
        .select_only()
        .column(patients::Column::Id)
        .filter(patients::Column::UserId.eq(user_id))
        .order_by_asc(patients::Column::Id)
        .lock(LockType::Update)
        .into_tuple()
        .all(transaction)
        .await?;
    lock_requests(transaction, user_id).await?;
    let own: Vec<(Uuid, RequestStatus, Option<Uuid>)> = requests::Entity::find()
        .select_only()
        .columns([requests::Column::Id, requests::Column::Status, requests::Column::SlotId])
        .filter(requests::Column::UserId.eq(user_id))
        .order_by_asc(requests::Column::Id)
        .lock(LockType::Update)
        .into_tuple()
        .all(transaction)
        .await?;
    let mut places: BTreeMap<Uuid, i32> = BTreeMap::new();
    for (_, status, slot_id) in &own {
        if let (RequestStatus::Booked, Some(slot_id)) = (status, slot_id) {
            *places.entry(*slot_id).or_default() += 1;
        }
    }
    let deleted =
        requests::Entity::delete_many().filter(requests::Column::UserId.eq(user_id)).exec(transaction).await?;
    if !places.is_empty() {
        locks::slots(transaction, places.keys().copied()).await?;
    }
    for (slot_id, places) in places {
        slots::Entity::update_many()
            .col_expr(slots::Column::Booked, Expr::col(slots::Column::Booked).sub(places))
            .filter(slots::Column::Id.eq(slot_id))
            .exec(transaction)
            .await?;
    }
    if !patients.is_empty() {
        patients::Entity::delete_many().filter(patients::Column::Id.is_in(patients)).exec(transaction).await?;
    }
    Ok(deleted.rows_affected)
}

/// Locks the requests of an account and those that it reviewed, by ascending id.
async fn lock_requests(transaction: &impl ConnectionTrait, user_id: Uuid) -> Result<()> {
    let mut ids = BTreeSet::new();
    // Two queries, so that each uses an index.
    for column in [requests::Column::UserId, requests::Column::ReviewedBy] {
        let found: Vec<Uuid> = requests::Entity::find()
            .select_only()
            .column(requests::Column::Id)
            .filter(column.eq(user_id))
            .into_tuple()
            .all(transaction)
            .await?;
        ids.extend(found);
    }
    let ids: Vec<_> = ids.into_iter().collect();
    for ids in ids.chunks(BATCH) {
        let requests = requests::Entity::find().filter(requests::Column::Id.is_in(ids.iter().copied()));
        requests.order_by_asc(requests::Column::Id).lock(LockType::Update).all(transaction).await?;
    }
    Ok(())
}
