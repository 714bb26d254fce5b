//! Offers: free places of a slot are held for the people in line, first come, first served, in the transaction that frees
//! or adds the places. So the public never sees a place for which somebody waits.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use entity::slots::{self, Column as SlotColumn, Entity as Slots};
use entity::waitlist_entries::{Column, Entity as Entries, Model};
use entity::{MailKind, WaitlistStatus};
use sea_orm::sea_query::{Expr, ExprTrait, LockBehavior, LockType, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::vaccination::context::Vaccination;
use crate::domain::vaccination::rules::BookingRules;
use crate::domain::vaccination::waitlist_line::{BEGIN, Line, Position};
use crate::domain::vaccination::{locks, mails, places};
use crate::error::{Error, Result, with_causes};

/// Entries of the first page of a line: the first one usually fits.
const FIRST_PAGE: u64 = 4;

/// Entries of the following pages.
const PAGE: u64 = 50;

/// Offers that have expired and are read at once.
const EXPIRED: u64 = 200;

/// Gives places of a slot back, and offers what is free to the people in line. Returns the slot with what is left.
pub(super) async fn give_back(
    transaction: &impl ConnectionTrait,
    context: &Vaccination,
    slot_id: Uuid,
    given_back: places::Taken,
) -> Result<slots::Model> {
    let mut slot = places::give_back(transaction, slot_id, given_back).await?;
    slot.held += offer_free(transaction, context, &slot, context.clock.now()).await?;
    Ok(slot)
}

/// Offers the free places of a locked slot. Returns the number of offers.
pub(super) async fn offer_free(
    transaction: &impl ConnectionTrait,
    context: &Vaccination,
    slot: &slots::Model,
    now: DateTime<Utc>,
) -> Result<i32> {
    if free_places(&context.rules, slot, now) == 0 {
        return Ok(0);
    }
    match Line::of(transaction, &context.schedules, slot).await? {
        Some(line) => Ok(offer_to(transaction, &context.rules, &line, slot, now).await?.offers),
        None => Ok(0),
    }
}

/// Commits a transaction that has changed slots of these centres and given places in some slots back. Then it looks once more
/// whether somebody waits for places that it has left free: an entry that was committed meanwhile has not seen them, nor
/// have they been offered to it.
///
/// # Errors
/// Database errors of the commit. If looking again fails, the background task does it.
pub(in crate::domain) async fn commit<T: Transact>(
    db: &T,
    context: &Vaccination,
    transaction: T::Transaction,
    given_back: &[slots::Model],
    centres: impl IntoIterator<Item = Uuid>,
) -> Result<()> {
    context.commit(transaction, given_back.iter().map(|slot| slot.centre_id).chain(centres)).await?;
    for slot in given_back {
        if let Err(error) = offer_left(db, context, slot).await {
            log::warn!("cannot offer free places to the waitlist yet: {}", with_causes(&error));
        }
    }
    Ok(())
}

/// Offers places that a transaction has left free, if somebody waits for them now.
async fn offer_left(db: &impl Transact, context: &Vaccination, slot: &slots::Model) -> Result<()> {
    let now = context.clock.now();
    if free_places(&context.rules, slot, now) == 0 || Line::of(db, &context.schedules, slot).await?.is_none() {
        return Ok(());
    }
    let transaction = db.begin().await?;
    let Some(slot) = locks::slots(&transaction, [slot.id]).await?.pop() else { return Ok(()) };
    if offer_free(&transaction, context, &slot, now).await? > 0 {
        context.commit(transaction, [slot.centre_id]).await?;
    }
    Ok(())
}

/// Offers the free places of the slots of one vaccine and centre, which were added by this transaction, in the order of
/// their start.
pub(super) async fn offer_added(
    transaction: &impl ConnectionTrait,
    context: &Vaccination,
    slots: &[slots::Model],
    now: DateTime<Utc>,
) -> Result<()> {
    let Some(first) = slots.first() else { return Ok(()) };
    let Some(line) = Line::of(transaction, &context.schedules, first).await? else { return Ok(()) };
    let rules = &context.rules;
    // Whoever fits depends on the day: a day without anyone is not asked for again.
    let mut without_anyone: BTreeSet<NaiveDate> = BTreeSet::new();
    for slot in slots.iter().filter(|slot| free_places(rules, slot, now) > 0) {
        let date = line.date(slot);
        if !without_anyone.contains(&date) && !offer_to(transaction, rules, &line, slot, now).await?.has_eligible {
            without_anyone.insert(date);
        }
    }
    Ok(())
}

/// The free places of a slot that can be offered.
fn free_places(rules: &BookingRules, slot: &slots::Model, now: DateTime<Utc>) -> usize {
    let is_offered = slot.closed_at.is_none() && !slot.invited_only && slot.starts_at > now + rules.offered_until();
    let free = if is_offered { slot.capacity - slot.booked - slot.held } else { 0 };
    usize::try_from(free).unwrap_or(0)
}

/// Outcome of offering places of a slot.
struct Offered {
    offers: i32,
    /// Whether the rules allow the dose to anyone in line.
    has_eligible: bool,
}

async fn offer_to(
    transaction: &impl ConnectionTrait,
    rules: &BookingRules,
    line: &Line,
    slot: &slots::Model,
    now: DateTime<Utc>,
) -> Result<Offered> {
    let free = free_places(rules, slot, now);
    let mut requests = Vec::new();
    let mut patients = BTreeSet::new();
    let mut has_eligible = false;
    let (mut after, mut limit): (Position, u64) = (BEGIN, FIRST_PAGE);
    while requests.len() < free {
        let page = line.page(transaction, slot, after, limit).await?;
        has_eligible |= page.iter().any(|candidate| candidate.is_eligible);
        let fits = page.iter().filter(|candidate| candidate.is_eligible && !candidate.is_busy);
        // One place in a slot for each patient, also if they wait for several doses.
        let fits = fits.filter(|candidate| patients.insert(candidate.patient_id));
        let mut fits = fits.map(|candidate| candidate.entry_id);
        loop {
            let next: Vec<_> = fits.by_ref().take(free - requests.len()).collect();
            if next.is_empty() {
                break;
            }
            requests.extend(become_offered(transaction, rules, &next, slot, now).await?);
        }
        match page.last() {
            Some(last) if page.len() as u64 == limit => after = last.position,
            _ => break,
        }
        limit = PAGE;
    }
    let offers = i32::try_from(requests.len()).map_err(Error::internal)?;
    if offers > 0 {
        Slots::update_many()
            .col_expr(SlotColumn::Held, Expr::col(SlotColumn::Held).add(offers))
            .filter(SlotColumn::Id.eq(slot.id))
            .exec(transaction)
            .await?;
        mails::add(transaction, MailKind::Offer, slot.id, &requests, now).await?;
    }
    Ok(Offered { offers, has_eligible })
}

/// Makes offers to entries that still wait. Returns their requests. Entries that another transaction has locked are
/// skipped: it offers them another place, or they leave.
async fn become_offered(
    transaction: &impl ConnectionTrait,
    rules: &BookingRules,
    entries: &[Uuid],
    slot: &slots::Model,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>> {
    let waiting = Query::select()
        .column(Column::Id)
        .from(Entries)
        .and_where(Expr::col(Column::Id).is_in(entries.iter().copied()))
        .and_where(Expr::col(Column::Status).eq(WaitlistStatus::Waiting))
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .to_owned();
    let offered = Entries::update_many()
        .col_expr(Column::Status, Expr::value(WaitlistStatus::Offered))
        .col_expr(Column::SlotId, Expr::value(slot.id))
        .col_expr(Column::OfferExpiresAt, Expr::value(Ord::min(now + rules.offer, slot.starts_at - rules.notice)))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.in_subquery(waiting))
        .exec_with_returning(transaction)
        .await?;
    Ok(offered.into_iter().map(|entry| entry.request_id).collect())
}

/// The entry of a request that waits or has an offer.
pub(super) async fn open_entry(transaction: &impl ConnectionTrait, request_id: Uuid) -> Result<Option<Model>> {
    let open = Entries::find().filter(Column::RequestId.eq(request_id)).filter(is_open());
    Ok(open.one(transaction).await?)
}

/// The condition that an entry waits or has an offer. Not a parameter: otherwise SQLite does not use the partial index.
pub(super) fn is_open() -> Expr {
    Expr::cust("status IN ('waiting', 'offered')")
}

/// Ends an entry, if it and its offer are as they were read. The slot of the offer is locked.
///
/// # Errors
/// [`Error::Busy`] if it has changed since.
pub(super) async fn end_entry(
    transaction: &impl ConnectionTrait,
    entry: &Model,
    status: WaitlistStatus,
    now: DateTime<Utc>,
) -> Result<()> {
    let same_slot = entry.slot_id.map_or_else(|| Column::SlotId.is_null(), |id| Column::SlotId.eq(id));
    let expires_at = entry.offer_expires_at;
    let same_offer = expires_at.map_or_else(|| Column::OfferExpiresAt.is_null(), |at| Column::OfferExpiresAt.eq(at));
    let in_time = (status == WaitlistStatus::Accepted).then_some(now);
    let ended = Entries::update_many()
        .col_expr(Column::Status, Expr::value(status))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(entry.id))
        .filter(Column::Status.eq(entry.status))
        .filter(same_slot)
        .filter(same_offer)
        .apply_if(in_time, |update, now| update.filter(Column::OfferExpiresAt.gt(now)))
        .exec(transaction)
        .await?;
    if ended.rows_affected == 0 { Err(Error::Busy) } else { Ok(()) }
}

/// Ends offers that have expired, and offers their places to the next in line. Returns their number.
///
/// # Errors
/// Database errors.
pub async fn end_expired(db: &impl Transact, context: &Vaccination) -> Result<usize> {
    end_expired_where(db, context, None).await
}

/// As [`end_expired`], in one slot. Returns whether it has a free place then: the background task may have ended the offers
/// at the same moment.
pub(super) async fn free_expired(db: &impl Transact, context: &Vaccination, slot_id: Uuid) -> Result<bool> {
    end_expired_where(db, context, Some(slot_id)).await?;
    let slot = Slots::find_by_id(slot_id).one(db).await?;
    Ok(slot.is_some_and(|slot| slot.booked + slot.held < slot.capacity))
}

async fn end_expired_where(db: &impl Transact, context: &Vaccination, slot_id: Option<Uuid>) -> Result<usize> {
    let mut all = 0;
    loop {
        let ended = end_some_expired(db, context, slot_id).await?;
        all += ended;
        if ended as u64 != EXPIRED {
            return Ok(all);
        }
    }
}

async fn end_some_expired(db: &impl Transact, context: &Vaccination, slot_id: Option<Uuid>) -> Result<usize> {
    let mut expired = Entries::find()
        .filter(Expr::cust("status = 'offered'"))
        .filter(Column::OfferExpiresAt.lte(context.clock.now()))
        .order_by_asc(Column::OfferExpiresAt)
        .limit(EXPIRED);
    if let Some(slot_id) = slot_id {
        expired = expired.filter(Column::SlotId.eq(slot_id));
    }
    let expired = expired.all(db).await?;
    let mut outcome = Ok(expired.len());
    let mut by_slot: BTreeMap<Uuid, Vec<Model>> = BTreeMap::new();
    for entry in expired {
        by_slot.entry(entry.slot_id.unwrap_or_default()).or_default().push(entry);
    }
    for (slot_id, entries) in by_slot {
        // A slot that fails does not stop the others.
        if let Err(error) = end_offers(db, context, slot_id, &entries).await {
            outcome = Err(error);
        }
    }
    outcome
}

/// Ends offers of a slot that have expired, in a transaction that locks no other slot.
async fn end_offers(db: &impl Transact, context: &Vaccination, slot_id: Uuid, entries: &[Model]) -> Result<()> {
    let now = context.clock.now();
    let transaction = db.begin().await?;
    locks::slots(&transaction, [slot_id]).await?;
    let mut ended = Vec::new();
    for entry in entries {
        match end_entry(&transaction, entry, WaitlistStatus::Expired, now).await {
            // Accepted, declined, or ended by another instance.
            Err(Error::Busy) => {}
            outcome => {
                outcome?;
                ended.push(entry.request_id);
            }
        }
    }
    let places = i32::try_from(ended.len()).map_err(Error::internal)?;
    if places == 0 {
        return Ok(());
    }
    let slot = give_back(&transaction, context, slot_id, places::Taken::Held(places)).await?;
    mails::add(&transaction, MailKind::OfferOver, slot_id, &ended, now).await?;
    commit(db, context, transaction, &[slot], None).await
}
