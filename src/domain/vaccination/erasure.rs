//! Erasure of the patients of an account, with their requests and what refers to them. Their places go to the next in line.

use std::collections::{BTreeMap, BTreeSet};

use entity::{
    RequestStatus, WaitlistStatus, immunizations, patients, slots, vaccine_requests as requests,
    waitlist_entries as entries,
};
use sea_orm::sea_query::{Expr, LockType, UnionType};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use uuid::Uuid;

use crate::domain::vaccination::context::Vaccination;
use crate::domain::vaccination::pseudonymised::{self, KeptDoses};
use crate::domain::vaccination::{locks, mails, offers};
use crate::error::{Error, Result};

/// Requests that one statement locks.
const BATCH: usize = 500;

/// What was erased of an account.
#[derive(Clone, Debug, Default)]
pub(in crate::domain) struct ErasedPatients {
    /// Number of doses that the account gave.
    pub given_doses: u64,
    /// Number of requests.
    pub requests: u64,
    /// Number of doses of patients who had none here.
    pub immunizations: u64,
    /// Number of entries of the waitlist.
    pub waitlist_entries: u64,
    /// Number of mails about the requests.
    pub mails: u64,
    /// Slots in which places were given back, with what is left.
    pub given_back: Vec<slots::Model>,
    /// What is kept of the doses that were given here, without names.
    pub kept: KeptDoses,
}

/// Deletes the patients of an account and their requests. Of those who were given a dose here, the doses and their requests
/// are kept without names. The places that they have booked, or that are held for them, go to
/// the next in line. The account is locked already.
///
/// # Errors
/// [`Error::Busy`] if a place was offered meanwhile; nothing was changed then. Database errors.
pub(in crate::domain) async fn erase_patients(
    transaction: &impl ConnectionTrait,
    context: &Vaccination,
    user_id: Uuid,
) -> Result<ErasedPatients> {
    // In the order of all locks: patients, requests, slots, entries of the waitlist.
    let patients = lock_patients(transaction, user_id).await?;
    let given_doses = forget_staff(transaction, user_id).await?;
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
    let places = lock_places(transaction, user_id, &own).await?;
    let of_account = own_requests(user_id);
    let entries = entries::Entity::delete_many().filter(entries::Column::RequestId.in_subquery(of_account));
    let entries = entries.exec(transaction).await?;
    let ids: Vec<Uuid> = own.iter().map(|(id, ..)| *id).collect();
    let mails = mails::delete_about(transaction, &ids).await?;
    let kept = pseudonymised::keep_doses(transaction, &patients, user_id, context.clock.now()).await?;
    let others: Vec<Uuid> = patients.into_iter().filter(|id| !kept.patients.contains(id)).collect();
    let mut doses = 0;
    if !others.is_empty() {
        let of_patients = immunizations::Column::PatientId.is_in(others.iter().copied());
        doses = immunizations::Entity::delete_many().filter(of_patients).exec(transaction).await?.rows_affected;
    }
    let deleted =
        requests::Entity::delete_many().filter(requests::Column::UserId.eq(user_id)).exec(transaction).await?;
    if !others.is_empty() {
        patients::Entity::delete_many().filter(patients::Column::Id.is_in(others)).exec(transaction).await?;
    }
    Ok(ErasedPatients {
        given_doses,
        requests: deleted.rows_affected,
        immunizations: doses,
        waitlist_entries: entries.rows_affected,
        mails,
        given_back: give_back(transaction, context, places).await?,
        kept,
    })
}

/// Locks the patients of an account, and those to whom it gave or of whom it reported doses. Returns the former.
async fn lock_patients(transaction: &impl ConnectionTrait, user_id: Uuid) -> Result<Vec<Uuid>> {
    use immunizations::Column;
    let by = |column: Column| {
        let doses = immunizations::Entity::find().select_only().column(Column::PatientId);
        doses.filter(column.eq(user_id)).into_query()
    };
    let own = patients::Entity::find().select_only().column(patients::Column::Id);
    let mut ids = own.filter(patients::Column::UserId.eq(user_id)).into_query();
    ids.union(UnionType::All, by(Column::PerformerId)).union(UnionType::All, by(Column::ReportedBy));
    let locked: Vec<(Uuid, Option<Uuid>)> = patients::Entity::find()
        .select_only()
        .columns([patients::Column::Id, patients::Column::UserId])
        .filter(patients::Column::Id.in_subquery(ids))
        .order_by_asc(patients::Column::Id)
        .lock(LockType::Update)
        .into_tuple()
        .all(transaction)
        .await?;
    let own = locked.into_iter().filter(|(_, owner)| *owner == Some(user_id));
    Ok(own.map(|(id, _)| id).collect())
}

/// Removes a user from the doses that they gave or reported. Returns the number of the former.
async fn forget_staff(transaction: &impl ConnectionTrait, user_id: Uuid) -> Result<u64> {
    let none = || Expr::value(Option::<Uuid>::None);
    let given = immunizations::Entity::update_many()
        .col_expr(immunizations::Column::PerformerId, none())
        .filter(immunizations::Column::PerformerId.eq(user_id));
    let given = given.exec(transaction).await?.rows_affected;
    let reported = immunizations::Entity::update_many()
        .col_expr(immunizations::Column::ReportedBy, none())
        .filter(immunizations::Column::ReportedBy.eq(user_id));
    reported.exec(transaction).await?;
    Ok(given)
}

/// Places that are given back, by slot: booked ones, and those that are held for offers.
type Places = BTreeMap<Uuid, (i32, i32)>;

fn own_requests(user_id: Uuid) -> sea_orm::sea_query::SelectStatement {
    let own = requests::Entity::find().select_only().column(requests::Column::Id);
    own.filter(requests::Column::UserId.eq(user_id)).into_query()
}

/// Locks the slots of bookings and offers, and then the entries of the waitlist.
async fn lock_places(
    transaction: &impl ConnectionTrait,
    user_id: Uuid,
    own: &[(Uuid, RequestStatus, Option<Uuid>)],
) -> Result<Places> {
    let mut places = Places::new();
    for (_, status, slot_id) in own {
        // An administered request keeps its place: the dose was given there.
        if let (RequestStatus::Booked | RequestStatus::Missed, Some(slot_id)) = (status, slot_id) {
            places.entry(*slot_id).or_default().0 += 1;
        }
    }
    let in_line = || {
        let entries = entries::Entity::find().filter(entries::Column::RequestId.in_subquery(own_requests(user_id)));
        entries.filter(offers::is_open())
    };
    let expected: BTreeSet<Uuid> =
        in_line().all(transaction).await?.into_iter().filter_map(|entry| entry.slot_id).collect();
    let slots: BTreeSet<Uuid> = places.keys().copied().chain(expected.iter().copied()).collect();
    if !slots.is_empty() {
        locks::slots(transaction, slots).await?;
    }
    // In any order: whoever holds the lock of one entry waits for no other one.
    for entry in in_line().lock(LockType::Update).all(transaction).await? {
        let Some(slot_id) = entry.slot_id.filter(|_| entry.status == WaitlistStatus::Offered) else { continue };
        if !expected.contains(&slot_id) {
            return Err(Error::Busy);
        }
        places.entry(slot_id).or_default().1 += 1;
    }
    Ok(places)
}

/// Gives places of locked slots back, and offers them to the people in line. Returns the slots with what is left.
async fn give_back(
    transaction: &impl ConnectionTrait,
    context: &Vaccination,
    places: Places,
) -> Result<Vec<slots::Model>> {
    let now = context.clock.now();
    let mut given_back = Vec::new();
    for (slot_id, (booked, held)) in places {
        let slots = slots::Entity::update_many()
            .col_expr(slots::Column::Booked, Expr::col(slots::Column::Booked).sub(booked))
            .col_expr(slots::Column::Held, Expr::col(slots::Column::Held).sub(held))
            .filter(slots::Column::Id.eq(slot_id))
            .exec_with_returning(transaction)
            .await?;
        for mut slot in slots {
            slot.held += offers::offer_free(transaction, context, &slot, now).await?;
            given_back.push(slot);
        }
    }
    Ok(given_back)
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
