//! Bookings: book, move, unbook, cancel. Each locks the patient first, then changes the request, then slots by ascending
//! id (decision 13). Only guarded statements take and give back places.

use chrono::{DateTime, Utc};
use entity::slots::{self, Entity as Slots};
use entity::vaccine_requests::{Column, Entity as Requests};
use entity::{
    AuditAction, RequestStatus, centres as centres_table, patients as patients_table, vaccine_requests, vaccines,
};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, TransactionSession as _,
    UpdateMany,
};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::records::audit::Event;
use crate::domain::records::idempotency::{Once, Response};
use crate::domain::vaccination::eligibility::{self, Facts, Verdict};
use crate::domain::vaccination::request_list::{self, Request};
use crate::domain::vaccination::rules::BookingRules;
use crate::domain::vaccination::{centres, locks, patients, slots as slot_list};
use crate::domain::values::actor::Actor;
use crate::domain::values::caller::Caller;
use crate::domain::values::clock::Clock;
use crate::domain::values::time_zone::TimeZone;
use crate::error::{Conflict, Error, Result, Violation};

/// Letters of a booking code (Crockford's Base32): none looks like another one.
const CODE_LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Characters of a booking code.
pub const CODE_LENGTH: usize = 8;

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
        let request = request_list::visible_to(self.actor()).filter(Column::Id.eq(self.request_id));
        let request = request.one(transaction).await?.ok_or(Error::NotFound)?;
        Ok(Locked { patient, request })
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

    /// Records what staff did in the account of somebody else.
    async fn record(
        &self,
        transaction: &impl ConnectionTrait,
        action: AuditAction,
        request: &vaccine_requests::Model,
    ) -> Result<()> {
        if self.is_own(request) {
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
        return Ok(response);
    }
    let locked = operation.lock(&transaction).await?;
    let slot = judged_slot(&transaction, &operation, &locked, slot_id).await?;
    let booked = Requests::update_many()
        .col_expr(Column::Status, Expr::value(RequestStatus::Booked))
        .col_expr(Column::SlotId, Expr::value(slot_id))
        .col_expr(Column::Code, Expr::value(new_code()?))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(operation.request_id))
        .filter(Column::Status.eq(RequestStatus::Approved))
        .exec(&transaction)
        .await?;
    if booked.rows_affected == 0 {
        return Err(Conflict::RequestStatus(locked.request.status).into());
    }
    if !take(&transaction, &locked.request, slot_id, operation.rules, now).await? {
        transaction.rollback().await?;
        return Err(refusal(db, operation.rules, slot.id, now).await?);
    }
    operation.record(&transaction, AuditAction::RequestBooked, &locked.request).await?;
    let request = request_list::by_id(&transaction, operation.request_id).await?;
    let response = once.finish(&transaction, actor.user_id, Some(locked.patient.id), &request).await?;
    transaction.commit().await?;
    Ok(response)
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
    judged_slot(&transaction, &operation, &locked, slot_id).await?;
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
    if !take(&transaction, &locked.request, slot_id, operation.rules, now).await? {
        transaction.rollback().await?;
        return Err(refusal(db, operation.rules, slot_id, now).await?);
    }
    give_back(&transaction, old_id).await?;
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
        // Closing the slot has put the booking back meanwhile.
        return Err(Error::Busy);
    }
    if let Some(slot_id) = locked.request.slot_id {
        // After the end of the slot, too: `booked` counts the requests that are booked.
        give_back(&transaction, slot_id).await?;
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
    let unknown = || Violation::new("slot_id", "unknown", "is not a slot");
    let found = Slots::find_by_id(slot_id).find_also_related(centres_table::Entity).one(transaction).await?;
    let Some((slot, Some(centre))) = found else { return Err(unknown().into()) };
    if !operation.is_own(&locked.request) && !operation.acts_in(transaction, centre.id).await? {
        return Err(Error::NotFound);
    }
    let vaccine = vaccines::Entity::find_by_id(slot.vaccine_id).one(transaction).await?.ok_or_else(unknown)?;
    if vaccine.course_id != locked.request.course_id {
        return Err(Violation::new("slot_id", "course", "is of a vaccine of another course").into());
    }
    let facts = Facts {
        patient: &locked.patient,
        vaccine: &vaccine,
        dose_number: locked.request.dose_number,
        has_open_request: false,
        has_overlapping_booking: overlaps(transaction, &locked.request, &slot).await?,
    };
    let zone = TimeZone::parse(&centre.time_zone)?;
    let judged = eligibility::judge(&facts, zone.date(slot.starts_at));
    if judged.verdict == Verdict::NotEligible {
        return Err(Error::NotEligible(Box::new(judged)));
    }
    Ok(slot)
}

/// Whether another booking of the patient overlaps with a slot.
async fn overlaps(db: &impl ConnectionTrait, request: &vaccine_requests::Model, slot: &slots::Model) -> Result<bool> {
    let times = Query::select()
        .expr(Expr::value(1))
        .from(Slots)
        .and_where(Expr::col((Slots, slots::Column::Id)).eq(Expr::col((Requests, Column::SlotId))))
        .and_where(Expr::col((Slots, slots::Column::StartsAt)).lt(slot.ends_at))
        .and_where(Expr::col((Slots, slots::Column::EndsAt)).gt(slot.starts_at))
        .to_owned();
    let other = Requests::find()
        .filter(Column::PatientId.eq(request.patient_id))
        .filter(Column::Status.eq(RequestStatus::Booked))
        .filter(Column::Id.ne(request.id))
        .filter(Expr::exists(times));
    Ok(other.one(db).await?.is_some())
}

/// Takes a place, if the slot has one for the request.
async fn take(
    transaction: &impl ConnectionTrait,
    request: &vaccine_requests::Model,
    slot_id: Uuid,
    rules: &BookingRules,
    now: DateTime<Utc>,
) -> Result<bool> {
    use slots::Column;
    let course = vaccines::Entity::find()
        .select_only()
        .column(vaccines::Column::Id)
        .filter(vaccines::Column::CourseId.eq(request.course_id));
    let taken = Slots::update_many()
        .col_expr(Column::Booked, Expr::col(Column::Booked).add(1))
        .filter(Column::Id.eq(slot_id))
        .filter(Expr::col(Column::Booked).add(Expr::col(Column::Held)).lt(Expr::col(Column::Capacity)))
        .filter(Column::ClosedAt.is_null())
        .filter(Column::InvitedOnly.eq(false))
        .filter(Column::StartsAt.gt(now + rules.notice))
        .filter(Column::VaccineId.in_subquery(course.into_query()))
        .exec(transaction)
        .await?;
    Ok(taken.rows_affected == 1)
}

/// Gives a place back.
pub(super) async fn give_back(transaction: &impl ConnectionTrait, slot_id: Uuid) -> Result<()> {
    use slots::Column;
    let one_less =
        Slots::update_many().col_expr(Column::Booked, Expr::col(Column::Booked).sub(1)).filter(Column::Id.eq(slot_id));
    one_less.exec(transaction).await?;
    Ok(())
}

/// The reason why a slot has no place.
async fn refusal(db: &impl ConnectionTrait, rules: &BookingRules, slot_id: Uuid, now: DateTime<Utc>) -> Result<Error> {
    let slot = Slots::find_by_id(slot_id).one(db).await?;
    let Some(slot) = slot else { return Ok(Violation::new("slot_id", "unknown", "is not a slot").into()) };
    if slot.closed_at.is_some() {
        return Ok(Conflict::SlotClosed.into());
    }
    if slot.starts_at <= now + rules.notice {
        return Ok(Conflict::SlotOver.into());
    }
    if slot.invited_only {
        return Ok(Conflict::InvitationRequired.into());
    }
    Ok(Error::SlotFull { alternatives: slot_list::alternatives(db, &slot, now + rules.notice).await? })
}

/// The booking code of random bytes.
#[must_use]
pub fn code_of(random: [u8; CODE_LENGTH]) -> String {
    let letter = |byte: u8| CODE_LETTERS.get(usize::from(byte % 32)).copied().unwrap_or(b'0');
    random.into_iter().map(letter).map(char::from).collect()
}

fn new_code() -> Result<String> {
    let mut random = [0; CODE_LENGTH];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| Error::internal("no random bytes"))?;
    Ok(code_of(random))
}
