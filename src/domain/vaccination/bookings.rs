//! Bookings: book, move, unbook, cancel. Each locks the patient first, then changes the request, then slots by ascending
//! id (decision 13). Only guarded statements take and give back places.

use chrono::{DateTime, Utc};
use entity::slots::{self, Entity as Slots};
use entity::vaccine_requests::{Column, Entity as Requests};
use entity::{AuditAction, RequestStatus, centres as centres_table, patients as patients_table, vaccine_requests};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, TransactionSession as _,
    UpdateMany,
};
use uuid::Uuid;

use crate::db::{QueryText, Transact};
use crate::domain::records::audit::Event;
use crate::domain::records::idempotency::{Once, Response};
use crate::domain::vaccination::eligibility::{self, Facts, Verdict};
use crate::domain::vaccination::request_list::{self, Request};
use crate::domain::vaccination::rules::BookingRules;
use crate::domain::vaccination::wanted_slot::WantedSlot;
use crate::domain::vaccination::{booking_codes, centres, locks, patients, places};
use crate::domain::values::actor::Actor;
use crate::domain::values::caller::Caller;
use crate::domain::values::clock::Clock;
use crate::domain::values::time_zone::TimeZone;
use crate::error::{Conflict, Error, Result, Violation};

/// An operation on a booking, and what it depends on.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    /// Clock.
    pub clock: &'a Clock,
    /// Settings.
    pub rules: &'a BookingRules,
    /// Who performs it.
    pub caller: &'a Caller,
    /// Id of the request.
    pub request_id: Uuid,
}

/// A request with what an operation needs to know. It was read while the patient was locked.
struct Locked {
    patient: patients_table::Model,
    request: vaccine_requests::Model,
}

impl Operation<'_> {
    fn actor(&self) -> &Actor {
        &self.caller.actor
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    fn is_own(&self, request: &vaccine_requests::Model) -> bool {
        request.user_id == Some(self.actor().user_id)
    }

    /// Locks the patient of the request, and reads the request. Staff may see all requests.
    async fn lock(&self, transaction: &impl ConnectionTrait) -> Result<Locked> {
        let patient = locks::patient_of(transaction, self.request_id).await?.ok_or(Error::NotFound)?;
        Ok(Locked { patient, request: self.visible(transaction).await? })
    }

    async fn visible(&self, db: &impl ConnectionTrait) -> Result<vaccine_requests::Model> {
        static QUERY: QueryText = QueryText::new();
        let request = QUERY.find(db, [self.request_id.into()], || Requests::find_by_id(Uuid::nil())).await?;
        request.filter(|request| self.actor().is_staff() || self.is_own(request)).ok_or(Error::NotFound)
    }

    /// Checks that the caller may see a response that was stored earlier: they may have lost the role since.
    async fn check_visible(&self, db: &impl ConnectionTrait) -> Result<()> {
        self.visible(db).await.map(drop)
    }

    /// Checks that the caller may change the booking of a slot: its owner until some time before the start, the staff of
    /// its centre at any time.
    async fn check_change(
        &self,
        db: &impl ConnectionTrait,
        request: &vaccine_requests::Model,
        slot: &slots::Model,
    ) -> Result<()> {
        if self.acts_in(db, slot.centre_id).await? {
            return Ok(());
        }
        if !self.is_own(request) {
            return Err(Error::NotFound);
        }
        let now = self.now();
        let is_over = slot.ends_at <= now;
        if !is_over && now > slot.starts_at - self.rules.change_until {
            return Err(Conflict::TooLate.into());
        }
        Ok(())
    }

    /// The time from which slots can be booked: now for the staff of the centre, some time later for others.
    async fn bookable_from(&self, db: &impl ConnectionTrait, centre_id: Uuid) -> Result<DateTime<Utc>> {
        // Without a notice, there is nothing to ask.
        let is_exempt = self.rules.notice.is_zero() || self.acts_in(db, centre_id).await?;
        Ok(if is_exempt { self.now() } else { self.now() + self.rules.notice })
    }

    async fn acts_in(&self, db: &impl ConnectionTrait, centre_id: Uuid) -> Result<bool> {
        if !self.actor().is_staff() {
            return Ok(false);
        }
        let centre = centres_table::Entity::find_by_id(centre_id)
            .select_only()
            .column(centres_table::Column::Id)
            .filter(centres::acts_in(self.actor(), Expr::col((centres_table::Entity, centres_table::Column::Id))));
        Ok(db.query_one(&centre.into_query()).await?.is_some())
    }

    /// Records what staff do, also in their own account, where they have more rights than patients.
    async fn record(
        &self,
        transaction: &impl ConnectionTrait,
        action: AuditAction,
        request: &vaccine_requests::Model,
    ) -> Result<()> {
        if !self.actor().is_staff() {
            return Ok(());
        }
        let event = Event::new(action, &self.caller.client).by(Some(self.actor().user_id));
        event.to(request.user_id).on(request.id).record(transaction, self.now()).await
    }
}

/// Books a place in a slot for an approved request.
///
/// # Errors
/// [`Error::NotFound`]; a violation if there is no such slot, or it is of another course; [`Error::SlotFull`] with free
/// slots near it; [`Error::NotEligible`]; a conflict if the slot is closed or over, or the request is not approved.
pub async fn book(
    db: &impl Transact,
    operation: Operation<'_>,
    once: Once<'_, Request>,
    slot_id: Uuid,
) -> Result<Response> {
    let (actor, now) = (operation.actor(), operation.now());
    let transaction = db.begin().await?;
    if let Some(response) = once.begin(&transaction, actor.user_id, now).await? {
        operation.check_visible(&transaction).await?;
        return Ok(response);
    }
    let locked = operation.lock(&transaction).await?;
    let slot = judged_slot(&transaction, &operation, &locked, slot_id).await?;
    if !become_booked(&transaction, operation.request_id, slot_id, now).await? {
        return Err(Conflict::RequestStatus(locked.request.status).into());
    }
    let from = operation.bookable_from(&transaction, slot.centre_id).await?;
    if !places::take(&transaction, &locked.request, slot_id, from).await? {
        transaction.rollback().await?;
        return Err(places::refusal(db, slot_id, from).await?);
    }
    operation.record(&transaction, AuditAction::RequestBooked, &locked.request).await?;
    let request = request_list::by_id(&transaction, operation.request_id).await?;
    let response = once.finish(&transaction, actor.user_id, Some(locked.patient.id), &request).await?;
    transaction.commit().await?;
    Ok(response)
}

/// Books an approved request. False if it is not approved.
async fn become_booked(
    transaction: &impl ConnectionTrait,
    id: Uuid,
    slot_id: Uuid,
    now: DateTime<Utc>,
) -> Result<bool> {
    static UPDATE: QueryText = QueryText::new();
    let values = [
        RequestStatus::Booked.into(),
        slot_id.into(),
        booking_codes::new()?.into(),
        now.into(),
        id.into(),
        RequestStatus::Approved.into(),
    ];
    let build = || {
        Requests::update_many()
            .col_expr(Column::Status, Expr::value(RequestStatus::Booked))
            .col_expr(Column::SlotId, Expr::value(Uuid::nil()))
            .col_expr(Column::Code, Expr::value(""))
            .col_expr(Column::UpdatedAt, Expr::value(now))
            .filter(Column::Id.eq(id))
            .filter(Column::Status.eq(RequestStatus::Approved))
            .into_query()
    };
    let booked = transaction.execute_raw(UPDATE.statement(transaction, values, build)).await?;
    Ok(booked.rows_affected() == 1)
}

/// Moves a booking to another slot. If that is refused, the old place is kept.
///
/// # Errors
/// As [`book`]; a conflict if it is too late, or the booking was moved too often.
pub async fn rebook(
    db: &impl Transact,
    operation: Operation<'_>,
    once: Once<'_, Request>,
    slot_id: Uuid,
) -> Result<Response> {
    let (actor, now) = (operation.actor(), operation.now());
    let transaction = db.begin().await?;
    if let Some(response) = once.begin(&transaction, actor.user_id, now).await? {
        operation.check_visible(&transaction).await?;
        return Ok(response);
    }
    let locked = operation.lock(&transaction).await?;
    let (Some(old_id), RequestStatus::Booked) = (locked.request.slot_id, locked.request.status) else {
        return Err(Conflict::RequestStatus(locked.request.status).into());
    };
    if old_id == slot_id {
        return Err(Violation::new("slot_id", "same", "is the booked slot already").into());
    }
    let old = Slots::find_by_id(old_id).one(&transaction).await?.ok_or(Error::NotFound)?;
    operation.check_change(&transaction, &locked.request, &old).await?;
    if old.ends_at <= now {
        return Err(Conflict::SlotOver.into());
    }
    let is_staff = operation.acts_in(&transaction, old.centre_id).await?;
    let new = judged_slot(&transaction, &operation, &locked, slot_id).await?;
    let from = operation.bookable_from(&transaction, new.centre_id).await?;
    let moved = Requests::update_many()
        .col_expr(Column::SlotId, Expr::value(slot_id))
        .col_expr(Column::Moves, Expr::col(Column::Moves).add(1))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(operation.request_id))
        .filter(Column::Status.eq(RequestStatus::Booked))
        .filter(Column::SlotId.eq(old_id))
        .apply_if((!is_staff).then_some(operation.rules.max_moves), |update, max| update.filter(Column::Moves.lt(max)))
        .exec(&transaction)
        .await?;
    if moved.rows_affected == 0 {
        // The slot may have been closed since the request was read: then the booking is gone.
        let request = request_list::by_id(&transaction, operation.request_id).await?.request;
        let is_same = request.status == RequestStatus::Booked && request.slot_id == Some(old_id);
        return Err(if is_same { Conflict::TooManyMoves } else { Conflict::RequestStatus(request.status) }.into());
    }
    locks::slots(&transaction, [old_id, slot_id]).await?;
    if !places::take(&transaction, &locked.request, slot_id, from).await? {
        transaction.rollback().await?;
        return Err(places::refusal(db, slot_id, from).await?);
    }
    places::give_back(&transaction, old_id).await?;
    operation.record(&transaction, AuditAction::RequestMoved, &locked.request).await?;
    let request = request_list::by_id(&transaction, operation.request_id).await?;
    let response = once.finish(&transaction, actor.user_id, Some(locked.patient.id), &request).await?;
    transaction.commit().await?;
    Ok(response)
}

/// Gives a booked place back. The request is approved again.
///
/// # Errors
/// [`Error::NotFound`]; a conflict if the request is not booked, or it is too late.
pub async fn unbook(db: &impl Transact, operation: Operation<'_>) -> Result<Request> {
    end(db, operation, &[RequestStatus::Booked], RequestStatus::Approved, AuditAction::RequestUnbooked).await
}

/// Cancels a request, and gives its place back.
///
/// # Errors
/// [`Error::NotFound`]; a conflict if the request is closed, or it is too late.
pub async fn cancel(db: &impl Transact, operation: Operation<'_>) -> Result<Request> {
    let open = [RequestStatus::Pending, RequestStatus::Approved, RequestStatus::Booked];
    end(db, operation, &open, RequestStatus::Cancelled, AuditAction::RequestCancelled).await
}

async fn end(
    db: &impl Transact,
    operation: Operation<'_>,
    from: &[RequestStatus],
    to: RequestStatus,
    action: AuditAction,
) -> Result<Request> {
    match try_end(db, operation, from, to, action).await {
        // Closing the slot has put the booking back meanwhile: once more, with the request as it is now.
        Err(Error::Busy) => try_end(db, operation, from, to, action).await,
        ended => ended,
    }
}

async fn try_end(
    db: &impl Transact,
    operation: Operation<'_>,
    from: &[RequestStatus],
    to: RequestStatus,
    action: AuditAction,
) -> Result<Request> {
    let now = operation.now();
    let transaction = db.begin().await?;
    let locked = operation.lock(&transaction).await?;
    if !from.contains(&locked.request.status) {
        return Err(Conflict::RequestStatus(locked.request.status).into());
    }
    if let Some(slot_id) = locked.request.slot_id {
        let slot = Slots::find_by_id(slot_id).one(&transaction).await?.ok_or(Error::NotFound)?;
        operation.check_change(&transaction, &locked.request, &slot).await?;
        if slot.ends_at <= now && to == RequestStatus::Approved {
            return Err(Conflict::SlotOver.into());
        }
    }
    let same_slot = match locked.request.slot_id {
        Some(id) => Column::SlotId.eq(id),
        None => Column::SlotId.is_null(),
    };
    let ended = without_slot(to, now)
        .filter(Column::Id.eq(operation.request_id))
        .filter(Column::Status.eq(locked.request.status))
        .filter(same_slot)
        .exec(&transaction)
        .await?;
    if ended.rows_affected == 0 {
        return Err(Error::Busy);
    }
    if let Some(slot_id) = locked.request.slot_id {
        // After the end of the slot, too: `booked` counts the requests that are booked.
        places::give_back(&transaction, slot_id).await?;
    }
    if to == RequestStatus::Cancelled {
        patients::close_request(&transaction, locked.patient.id).await?;
    }
    operation.record(&transaction, action, &locked.request).await?;
    let request = request_list::by_id(&transaction, operation.request_id).await?;
    transaction.commit().await?;
    Ok(request)
}

/// UPDATE that takes the slot from requests.
pub(super) fn without_slot(status: RequestStatus, now: DateTime<Utc>) -> UpdateMany<Requests> {
    Requests::update_many()
        .col_expr(Column::Status, Expr::value(status))
        .col_expr(Column::SlotId, Expr::value(Option::<Uuid>::None))
        .col_expr(Column::Code, Expr::value(Option::<String>::None))
        .col_expr(Column::UpdatedAt, Expr::value(now))
}

/// Reads a slot for a request of a locked patient, and applies the rules to the local date of its start.
async fn judged_slot(
    transaction: &impl ConnectionTrait,
    operation: &Operation<'_>,
    locked: &Locked,
    slot_id: Uuid,
) -> Result<slots::Model> {
    let wanted = WantedSlot::read(transaction, &locked.request, slot_id).await?;
    let wanted = wanted.ok_or_else(|| Violation::new("slot_id", "unknown", "is not a slot"))?;
    let WantedSlot { slot, time_zone, vaccine, has_overlapping_booking } = wanted;
    if !operation.is_own(&locked.request) && !operation.acts_in(transaction, slot.centre_id).await? {
        return Err(Error::NotFound);
    }
    if vaccine.course_id != locked.request.course_id {
        return Err(Violation::new("slot_id", "course", "is of a vaccine of another course").into());
    }
    let facts = Facts {
        patient: &locked.patient,
        vaccine: &vaccine,
        dose_number: locked.request.dose_number,
        has_open_request: false,
        has_overlapping_booking,
    };
    let judged = eligibility::judge(&facts, TimeZone::parse(&time_zone)?.date(slot.starts_at));
    if judged.verdict == Verdict::NotEligible {
        return Err(Error::NotEligible(Box::new(judged)));
    }
    Ok(slot)
}
