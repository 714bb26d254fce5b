//! Waitlist: wait for a place, leave the line, accept or decline an offer. [`offers`] makes the offers.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, Duration, NaiveDate, Utc};
use entity::waitlist_entries::{ActiveModel, Column, Entity, Model};
use entity::{RequestStatus, WaitlistStatus, centres as centres_table, patients, slots, vaccine_requests as requests};
use sea_orm::sea_query::{Expr, ExprTrait as _, LockBehavior, LockType, Query};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder as _, QuerySelect,
    TransactionSession as _,
};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::accounts::users as accounts;
use crate::domain::records::idempotency::{Once, Response};
use crate::domain::vaccination::context::Vaccination;
use crate::domain::vaccination::free_slots::{self, Wish};
use crate::domain::vaccination::operation::{Operation, retried};
use crate::domain::vaccination::places::Taken;
use crate::domain::vaccination::request_list::{self, Request};
use crate::domain::vaccination::slots::MAX_AHEAD;
use crate::domain::vaccination::{bookings, locks, offers};
use crate::domain::values::page::first_id_at;
use crate::domain::values::time_zone::TimeZone;
use crate::error::{Conflict, Error, Result, Violation, with_causes};

/// Entries for which one run of the background task searches free slots.
const SEARCHED: u64 = 100;

/// Time after the last change of an entry at which the background task searches free slots for it: longer than any transaction that may have freed
/// a place without seeing it.
const SEARCHED_AFTER: Duration = Duration::seconds(20);

/// Free slots that are tried for an entry.
const TRIED_SLOTS: usize = 20;

/// Which places fit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Preferences {
    /// The only centre; none for any.
    pub centre_id: Option<Uuid>,
    /// First day, on the calendar of the centre; today by default.
    pub from_date: Option<NaiveDate>,
    /// Last day.
    pub to_date: Option<NaiveDate>,
}

/// Puts an approved request of the caller in line.
///
/// # Errors
/// [`Error::NotFound`]; a violation if there is no such centre, or the days are wrong; [`Error::SlotsFree`] with free slots
/// that fit; a conflict if the request is not approved, or waits already.
pub async fn wait(db: &impl Transact, operation: Operation<'_>, preferences: Preferences) -> Result<Request> {
    // Before the transaction, because free slots may take a while to read.
    let entry = check(db, &operation, preferences).await?;
    let transaction = db.begin().await?;
    let locked = operation.lock_own(&transaction).await?;
    if locked.request.status != RequestStatus::Approved {
        return Err(Conflict::RequestStatus(locked.request.status).into());
    }
    let id = entry.id;
    Entity::insert(ActiveModel::from(entry).reset_all()).exec_without_returning(&transaction).await?;
    transaction.commit().await?;
    // A place that was freed meanwhile was not offered to this entry, which was not committed yet.
    if let Err(error) = search(db, operation.context, id).await {
        log::warn!("cannot search free slots for the waitlist yet: {}", with_causes(&error));
    }
    request_list::by_id(db, operation.request_id).await
}

/// Checks that there is something to wait for. Returns the entry to be inserted.
async fn check(db: &impl ConnectionTrait, operation: &Operation<'_>, preferences: Preferences) -> Result<Model> {
    let now = operation.now();
    let request =
        requests::Entity::find_by_id(operation.request_id).find_also_related(patients::Entity).one(db).await?;
    let Some((request, Some(patient))) = request.filter(|(request, _)| operation.is_own(request)) else {
        return Err(Error::NotFound);
    };
    if request.status != RequestStatus::Approved {
        return Err(Conflict::RequestStatus(request.status).into());
    }
    if offers::open_entry(db, operation.request_id).await?.is_some() {
        return Err(Conflict::AlreadyWaiting.into());
    }
    let (from_date, to_date) = days(db, operation, &preferences).await?;
    let entry = Model {
        id: Uuid::now_v7(),
        request_id: request.id,
        course_id: request.course_id,
        centre_id: preferences.centre_id,
        from_date,
        to_date,
        priority: 0,
        status: WaitlistStatus::Waiting,
        slot_id: None,
        offer_expires_at: None,
        searched_at: None,
        created_at: now,
        updated_at: now,
    };
    let schedules = &operation.context.schedules;
    let wish = Wish { entry: &entry, patient: &patient, dose_number: request.dose_number, schedules };
    let alternatives = free_slots::alternatives(db, &wish, now + operation.context.rules.notice).await?;
    if alternatives.is_empty() { Ok(entry) } else { Err(Error::SlotsFree { alternatives }) }
}

/// The days on which a place fits.
async fn days(
    db: &impl ConnectionTrait,
    operation: &Operation<'_>,
    preferences: &Preferences,
) -> Result<(NaiveDate, Option<NaiveDate>)> {
    let refused = |field, code, message: &'static str| Err(Violation::new(field, code, message).into());
    let today = match preferences.centre_id {
        Some(id) => {
            let Some(centre) = centres_table::Entity::find_by_id(id).one(db).await? else {
                return refused("centre_id", "unknown", "is not a centre");
            };
            TimeZone::parse(&centre.time_zone)?.date(operation.now())
        }
        None => accounts::local_date(db, Some(operation.actor().user_id), operation.now()).await?,
    };
    let from_date = preferences.from_date.unwrap_or(today);
    if from_date > today + MAX_AHEAD {
        return refused("from_date", "range", "must be within 800 days");
    }
    if preferences.to_date.is_some_and(|to| to > today + MAX_AHEAD) {
        return refused("to_date", "range", "must be within 800 days");
    }
    if preferences.to_date.is_some_and(|to| to < from_date) {
        return refused("to_date", "order", "must not be before from_date");
    }
    // A day earlier, because it may be yesterday elsewhere.
    if preferences.to_date.is_some_and(|to| to < today - Days::new(1)) {
        return refused("to_date", "past", "must not be past");
    }
    Ok((from_date, preferences.to_date))
}

/// Whether an entry has an offer of a place in a slot that has not expired.
pub(super) fn has_offer(entry: &Model, slot_id: Uuid, now: DateTime<Utc>) -> bool {
    entry.status == WaitlistStatus::Offered
        && entry.slot_id == Some(slot_id)
        && entry.offer_expires_at.is_some_and(|expires_at| expires_at > now)
}

/// Ends an entry. The place of its offer, whose slot is locked, goes to the next in line. Returns the slot.
///
/// # Errors
/// [`Error::Busy`] if the entry has changed since it was read.
pub(super) async fn end(
    transaction: &impl ConnectionTrait,
    context: &Vaccination,
    entry: &Model,
    status: WaitlistStatus,
) -> Result<Option<slots::Model>> {
    offers::end_entry(transaction, entry, status, context.clock.now()).await?;
    match entry.slot_id {
        Some(slot_id) => offers::give_back(transaction, context, slot_id, Taken::Held(1)).await.map(Some),
        None => Ok(None),
    }
}

/// Takes a request of the caller out of the line. A place that is offered to it goes to the next.
///
/// # Errors
/// [`Error::NotFound`] if it is not in line.
pub async fn leave(db: &impl Transact, operation: Operation<'_>) -> Result<()> {
    let leave = async || {
        let transaction = db.begin().await?;
        operation.lock_own(&transaction).await?;
        let entry = offers::open_entry(&transaction, operation.request_id).await?.ok_or(Error::NotFound)?;
        locks::slots(&transaction, entry.slot_id).await?;
        let slot = end(&transaction, operation.context, &entry, WaitlistStatus::Left).await?;
        offers::commit(db, operation.context, transaction, slot.as_slice(), None).await
    };
    retried(leave).await
}

/// Books the place that is offered to a request of the caller.
///
/// # Errors
/// [`Error::NotFound`]; a conflict if there is no offer, or it has expired, or the slot was closed;
/// [`Error::NotEligible`].
pub async fn accept(db: &impl Transact, operation: Operation<'_>, once: Once<'_, Request>) -> Result<Response> {
    let accept = async || {
        let (actor, now) = (operation.actor(), operation.now());
        let transaction = db.begin().await?;
        if let Some(response) = once.begin(&transaction, actor.user_id, now).await? {
            operation.check_visible(&transaction).await?;
            return Ok(response);
        }
        let locked = operation.lock_own(&transaction).await?;
        let (entry, slot_id) = offered(&transaction, &operation).await?;
        let slot = operation.judged_slot(&transaction, &locked, slot_id).await?.slot;
        bookings::accept(&transaction, &operation, &locked, &slot, &entry).await?;
        bookings::finish(db, &operation, transaction, once, locked, (&[], slot.centre_id)).await
    };
    retried(accept).await
}

/// Declines the place that is offered to a request of the caller. It goes to the next in line, and the request leaves the
/// line.
///
/// # Errors
/// [`Error::NotFound`]; a conflict if there is no offer, or it has expired.
pub async fn decline(db: &impl Transact, operation: Operation<'_>) -> Result<Request> {
    let decline = async || {
        let transaction = db.begin().await?;
        operation.lock_own(&transaction).await?;
        let (entry, slot_id) = offered(&transaction, &operation).await?;
        locks::slots(&transaction, [slot_id]).await?;
        let slot = end(&transaction, operation.context, &entry, WaitlistStatus::Declined).await?;
        let request = request_list::by_id(&transaction, operation.request_id).await?;
        offers::commit(db, operation.context, transaction, slot.as_slice(), None).await?;
        Ok(request)
    };
    retried(decline).await
}

/// The entry of a request with an offer that has not expired, and its slot.
async fn offered(transaction: &impl ConnectionTrait, operation: &Operation<'_>) -> Result<(Model, Uuid)> {
    let entry = offers::open_entry(transaction, operation.request_id).await?.ok_or(Conflict::OfferOver)?;
    match entry.slot_id {
        Some(slot_id) if has_offer(&entry, slot_id, operation.now()) => Ok((entry, slot_id)),
        _ => Err(Conflict::OfferOver.into()),
    }
}

/// Ends the entries whose last day is past everywhere. Returns their number. Those that another transaction has locked are
/// left to the next clean-up, so that this one waits for no lock.
///
/// # Errors
/// Database errors.
pub async fn end_past(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u64> {
    let past = Query::select()
        .column(Column::Id)
        .from(Entity)
        // Not a parameter: otherwise SQLite does not use the partial index.
        .and_where(Expr::cust("status = 'waiting'"))
        .and_where(Column::ToDate.lt(now.date_naive() - Days::new(1)))
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .to_owned();
    let end = Entity::update_many()
        .col_expr(Column::Status, Expr::value(WaitlistStatus::Left))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.in_subquery(past));
    Ok(end.exec(db).await?.rows_affected)
}

/// Searches free slots once for each entry that has waited for some time: a process may have stopped before it had offered a place to
/// it, and closed slots leave entries behind. Returns their number.
///
/// # Errors
/// Database errors.
pub async fn search_all(db: &impl Transact, context: &Vaccination) -> Result<usize> {
    let now = context.clock.now();
    let entries: Vec<Uuid> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(not_searched())
        // Entries of closed slots are searched for at once.
        .filter(Column::UpdatedAt.lt(now - SEARCHED_AFTER).or(Column::Priority.lt(0)))
        .order_by_asc(Column::Id)
        .limit(SEARCHED)
        .into_tuple()
        .all(db)
        .await?;
    let mut outcome = Ok(entries.len());
    for entry in &entries {
        // One entry that fails does not stop the others.
        match search(db, context, *entry).await {
            Ok(()) => {
                let searched = Entity::update_many()
                    .col_expr(Column::SearchedAt, Expr::value(now))
                    .filter(Column::Id.eq(*entry))
                    .filter(Column::Status.eq(WaitlistStatus::Waiting));
                searched.exec(db).await?;
            }
            Err(error) => outcome = Err(error),
        }
    }
    outcome
}

/// The condition that no free slot was searched for an entry. Not a parameter: otherwise SQLite does not use the partial
/// index.
fn not_searched() -> Expr {
    Expr::cust("searched_at IS NULL AND status = 'waiting'")
}

/// Searches free slots for the entries of a course that have joined since a time: a transaction that has added places since
/// then has not seen them.
///
/// # Errors
/// Database errors.
pub(super) async fn search_joined_since(
    db: &impl Transact,
    context: &Vaccination,
    course_id: Uuid,
    since: DateTime<Utc>,
) -> Result<()> {
    let joined: Vec<Uuid> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::CourseId.eq(course_id))
        .filter(Column::Priority.eq(0))
        .filter(Expr::cust("status = 'waiting'"))
        .filter(Column::Id.gte(first_id_at(since)))
        .order_by_asc(Column::Id)
        .into_tuple()
        .all(db)
        .await?;
    for entry in joined {
        search(db, context, entry).await?;
    }
    Ok(())
}

/// Searches free slots that fit an entry, and offers their places to the line, until the entry has an offer or none fits.
async fn search(db: &impl Transact, context: &Vaccination, entry_id: Uuid) -> Result<()> {
    // Slots whose places could not be offered: they were taken meanwhile, or fit nobody in line.
    let mut refused = BTreeSet::new();
    loop {
        let now = context.clock.now();
        let waiting = Entity::find_by_id(entry_id).filter(Column::Status.eq(WaitlistStatus::Waiting));
        let Some(entry) = waiting.one(db).await? else { return Ok(()) };
        let request = requests::Entity::find_by_id(entry.request_id).find_also_related(patients::Entity);
        let Some((request, Some(patient))) = request.one(db).await? else { return Ok(()) };
        let wish =
            Wish { entry: &entry, patient: &patient, dose_number: request.dose_number, schedules: &context.schedules };
        let slots = free_slots::first(db, &wish, now + context.rules.offered_until(), TRIED_SLOTS).await?;
        let Some(slot) = slots.into_iter().find(|slot| !refused.contains(&slot.id)) else { return Ok(()) };
        let transaction = db.begin().await?;
        let Some(slot) = locks::slots(&transaction, [slot.id]).await?.pop() else { return Ok(()) };
        if offers::offer_free(&transaction, context, &slot, now).await? == 0 {
            transaction.rollback().await?;
            refused.insert(slot.id);
            continue;
        }
        context.commit(transaction, [slot.centre_id]).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_ends_at_its_instant() {
        let (slot_id, expires_at) = (Uuid::now_v7(), Utc::now());
        let entry = Model {
            id: Uuid::now_v7(),
            request_id: Uuid::now_v7(),
            course_id: Uuid::now_v7(),
            centre_id: None,
            from_date: expires_at.date_naive(),
            to_date: None,
            priority: 0,
            status: WaitlistStatus::Offered,
            slot_id: Some(slot_id),
            offer_expires_at: Some(expires_at),
            searched_at: None,
            created_at: expires_at,
            updated_at: expires_at,
        };
        assert!(has_offer(&entry, slot_id, expires_at - Duration::microseconds(1)));
        assert!(!has_offer(&entry, slot_id, expires_at));
        assert!(!has_offer(&entry, Uuid::now_v7(), expires_at - Duration::seconds(1)));
        let waiting = Model { status: WaitlistStatus::Waiting, ..entry };
        assert!(!has_offer(&waiting, slot_id, expires_at - Duration::seconds(1)));
    }
}
