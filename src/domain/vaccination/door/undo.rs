//! Undo: a dose that was recorded by mistake. If it was given here, its request and the unit of its lot come back.

use entity::immunizations::{Column, Entity, Model};
use entity::vaccine_requests::{Column as RequestColumn, Entity as Requests};
use entity::{AuditAction, ImmunizationSource, ImmunizationStatus, RequestStatus, Role, patients as patients_table};
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait as _, QueryFilter, QuerySelect, TransactionSession as _,
};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::accounts::users as accounts;
use crate::domain::records::audit::Event;
use crate::domain::vaccination::context::Vaccination;
use crate::domain::vaccination::{centres, dose_history, immunizations, lots, patients};
use crate::domain::values::caller::Caller;
use crate::domain::values::time_zone::TimeZone;
use crate::error::{Conflict, Error, Result};

/// Marks a dose as recorded by mistake. Nothing changes if it is marked already.
///
/// A dose that was given here can be undone by the staff of its centre within the hours that the settings allow; a reported
/// one by the account of the patient, and by staff.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Forbidden`] if the dose was given here and the caller is not staff; a conflict if a later
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
    let today = match dose.source {
        ImmunizationSource::GivenHere => check_given_here(&transaction, context, caller, &dose).await?,
        ImmunizationSource::Reported => accounts::time_zone(&user).date(context.clock.now()),
    };
    if dose.status == ImmunizationStatus::EnteredInError {
        return Ok(dose);
    }
    if has_later_dose(&transaction, &dose).await? {
        return Err(Conflict::LaterDose.into());
    }
    let now = context.clock.now();
    if dose.administered_at.is_some_and(|given_at| now > given_at + context.rules.undo) {
        return Err(Conflict::UndoTooLate.into());
    }
    if let (Some(request_id), Some(lot_id)) = (dose.request_id, dose.lot_id) {
        restore_request(&transaction, &patient, request_id, now).await?;
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
    transaction.commit().await?;
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

/// Whether a dose of the same course with a higher number counts.
async fn has_later_dose(transaction: &impl ConnectionTrait, dose: &Model) -> Result<bool> {
    let Some(number) = dose.dose_number else { return Ok(false) };
    let later = Entity::find()
        .filter(Column::PatientId.eq(dose.patient_id))
        .filter(Column::CourseId.eq(dose.course_id))
        .filter(Column::DoseNumber.gt(number))
        .filter(Expr::cust("status = 'completed' AND dose_number IS NOT NULL"));
    Ok(later.count(transaction).await? > 0)
}

/// Opens the request of a dose again, as it was before: booked, or approved for somebody who came without a booking.
async fn restore_request(
    transaction: &impl ConnectionTrait,
    patient: &patients_table::Model,
    id: Uuid,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<()> {
    patients::reopen_request(transaction, patient.id).await?;
    let status = Expr::cust("CASE WHEN slot_id IS NULL THEN 'approved' ELSE 'booked' END");
    let restored = Requests::update_many()
        .col_expr(RequestColumn::Status, status)
        .col_expr(RequestColumn::UpdatedAt, Expr::value(now))
        .filter(RequestColumn::Id.eq(id))
        .filter(RequestColumn::Status.eq(RequestStatus::Administered))
        .exec(transaction)
        .await?;
    if restored.rows_affected == 0 { Err(Error::Busy) } else { Ok(()) }
}
