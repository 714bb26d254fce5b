//! Undo: a dose that was recorded by mistake. If it was given here, its request and the unit of its lot come back.

use entity::immunizations::{Column, Entity, Model};
use entity::vaccine_requests::{Column as RequestColumn, Entity as Requests};
use entity::{
    AuditAction, ImmunizationSource, ImmunizationStatus, RequestStatus, Role, patients as patients_table, slots,
};
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::accounts::users as accounts;
use crate::domain::records::audit::Event;
use crate::domain::vaccination::cancellations::without_slot;
use crate::domain::vaccination::context::Vaccination;
use crate::domain::vaccination::places::Taken;
use crate::domain::vaccination::{centres, dose_history, immunizations, lots, offers, patients};
use crate::domain::values::caller::Caller;
use crate::domain::values::time_zone::TimeZone;
use crate::error::{Conflict, Error, Result};

/// Marks a dose as recorded by mistake. Nothing changes if it is marked already.
///
/// A dose that was given here can be undone by the staff of its centre within the hours that the settings allow; a reported
/// one by staff, and by the account of the patient unless staff reported it.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Forbidden`] if the dose was given here, or staff reported it, and the caller is not staff; a conflict if a later
/// dose counts, if it is too late, or if another request for the same dose is open.
pub async fn enter_in_error(db: &impl Transact, context: &Vaccination, caller: &Caller, id: Uuid) -> Result<Model> {
    let transaction = db.begin().await?;
    let user = accounts::hold(&transaction, caller.actor.user_id).await?;
    let patient = lock_patient(&transaction, id).await?;
    let dose = immunizations::by_id(&transaction, id).await?;
    let is_own = patient.user_id == Some(caller.actor.user_id);
    if !is_own && !caller.actor.is_staff() {
        return Err(Error::NotFound);
    }
    // What staff have seen the evidence of, only staff withdraw.
    if dose.verified_at.is_some() {
        caller.actor.require(Role::Staff)?;
    }
    let today = match dose.source {
        ImmunizationSource::GivenHere => check_given_here(&transaction, context, caller, &dose).await?,
        ImmunizationSource::Reported => accounts::time_zone(&user).date(context.clock.now()),
    };
    if dose.status == ImmunizationStatus::EnteredInError {
        return Ok(dose);
    }
    let now = context.clock.now();
    if dose_history::has_later(&transaction, &context.schedules, &patient, &dose, today).await? {
        return Err(Conflict::LaterDose.into());
    }
    if dose.administered_at.is_some_and(|given_at| now > given_at + context.rules.undo) {
        return Err(Conflict::UndoTooLate.into());
    }
    let mut given_back = None;
    if let (Some(request_id), Some(lot_id)) = (dose.request_id, dose.lot_id) {
        given_back = restore(&transaction, context, &patient, request_id).await?;
        lots::give_back(&transaction, lot_id, now).await?;
    }
    let marked = Entity::update_many()
        .col_expr(Column::Status, Expr::value(ImmunizationStatus::EnteredInError))
        .col_expr(Column::DoseNumber, Expr::value(Option::<i32>::None))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::Status.eq(ImmunizationStatus::Completed))
        .exec(&transaction)
        .await?;
    if marked.rows_affected == 0 {
        return Err(Error::Busy);
    }
    dose_history::judge_anew(&transaction, &context.schedules, &patient, today, now).await?;
    let event = Event::new(AuditAction::DoseEnteredInError, &caller.client).by(Some(caller.actor.user_id));
    event.to(patient.user_id).on(id).record(&transaction, now).await?;
    let dose = immunizations::by_id(&transaction, id).await?;
    offers::commit(db, context, transaction, given_back.as_slice(), None).await?;
    Ok(dose)
}

async fn lock_patient(transaction: &impl ConnectionTrait, id: Uuid) -> Result<patients_table::Model> {
    let dose = immunizations::by_id(transaction, id).await?;
    let patient = patients_table::Entity::find_by_id(dose.patient_id).lock(LockType::NoKeyUpdate);
    patient.one(transaction).await?.ok_or(Error::NotFound)
}

/// Checks that the caller may undo a dose that was given at a centre. Returns the date there.
async fn check_given_here(
    transaction: &impl ConnectionTrait,
    context: &Vaccination,
    caller: &Caller,
    dose: &Model,
) -> Result<chrono::NaiveDate> {
    caller.actor.require(Role::Staff)?;
    let centre_id = dose.centre_id.ok_or_else(|| Error::internal("a dose that was given here has no centre"))?;
    let centre = centres::get_own(transaction, &caller.actor, centre_id).await?;
    Ok(TimeZone::parse(&centre.time_zone)?.date(context.clock.now()))
}

/// Opens the request of a dose again, as it was before: booked, or approved for somebody who came without a booking. If the
/// slot was closed meanwhile, the patient is at the centre without one; and the request of an erased account is cancelled.
/// Returns the slot in which a place is free then.
async fn restore(
    transaction: &impl ConnectionTrait,
    context: &Vaccination,
    patient: &patients_table::Model,
    id: Uuid,
) -> Result<Option<slots::Model>> {
    let now = context.clock.now();
    let request = Requests::find_by_id(id).one(transaction).await?.ok_or(Error::NotFound)?;
    let slot = match request.slot_id {
        Some(slot_id) => slots::Entity::find_by_id(slot_id).one(transaction).await?,
        None => None,
    };
    let with_status = |status: RequestStatus| {
        Requests::update_many()
            .col_expr(RequestColumn::Status, Expr::value(status))
            .col_expr(RequestColumn::UpdatedAt, Expr::value(now))
    };
    let update = match &slot {
        _ if patients::is_pseudonymised(patient) => without_slot(RequestStatus::Cancelled, now),
        Some(slot) if slot.closed_at.is_some() => with_status(RequestStatus::Approved)
            .col_expr(RequestColumn::SlotId, Expr::value(Option::<Uuid>::None))
            .col_expr(RequestColumn::CheckedInAt, Expr::value(request.checked_in_at.unwrap_or(now)))
            .col_expr(RequestColumn::CentreId, Expr::value(slot.centre_id)),
        Some(_) => with_status(RequestStatus::Booked),
        None => with_status(RequestStatus::Approved),
    };
    if !patients::is_pseudonymised(patient) {
        patients::reopen_request(transaction, patient.id).await?;
    }
    let restored = update
        .filter(RequestColumn::Id.eq(id))
        .filter(RequestColumn::Status.eq(RequestStatus::Administered))
        .exec(transaction)
        .await?;
    if restored.rows_affected == 0 {
        return Err(Error::Busy);
    }
    match slot.filter(|slot| patients::is_pseudonymised(patient) || slot.closed_at.is_some()) {
        Some(slot) => offers::give_back(transaction, context, slot.id, Taken::Booked(1)).await.map(Some),
        None => Ok(None),
    }
}
