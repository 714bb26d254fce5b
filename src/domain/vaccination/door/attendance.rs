//! Attendance: bookings to which nobody came, and those whose patient came after all.

use entity::vaccine_requests::{Column, Entity as Requests};
use entity::{AuditAction, RequestStatus};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, TransactionSession as _};

use super::visit::Visit;
use crate::db::Transact;
use crate::domain::vaccination::operation::Operation;
use crate::domain::vaccination::patients;
use crate::domain::vaccination::request_list::{self, Request};
use crate::domain::vaccination::request_rows::without_check_in;
use crate::error::{Conflict, Error, Result};

/// Notes that nobody came to a booking. Its slot has begun, and its place stays taken.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`]; a conflict if the request is not booked, or the slot has not begun.
pub async fn miss(db: &impl Transact, operation: Operation<'_>) -> Result<Request> {
    let transaction = db.begin().await?;
    let visit = Visit::open(&transaction, &operation).await?;
    let (RequestStatus::Booked, Some(slot)) = (visit.locked.request.status, &visit.slot) else {
        return Err(Conflict::RequestStatus(visit.locked.request.status).into());
    };
    let now = operation.now();
    if slot.starts_at > now {
        return Err(Conflict::SlotNotBegun.into());
    }
    let missed = without_check_in(Requests::update_many())
        .col_expr(Column::Status, Expr::value(RequestStatus::Missed))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(operation.request_id))
        .filter(Column::Status.eq(RequestStatus::Booked))
        .filter(Column::SlotId.eq(slot.id))
        .exec(&transaction)
        .await?;
    if missed.rows_affected == 0 {
        return Err(Error::Busy);
    }
    patients::close_request(&transaction, visit.locked.patient.id).await?;
    operation.record(&transaction, AuditAction::RequestMissed, &visit.locked.request).await?;
    let request = request_list::by_id(&transaction, operation.request_id).await?;
    transaction.commit().await?;
    Ok(request)
}

/// Opens a missed booking again: the patient has come after all. Its place is still taken.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`]; a conflict if the request is not missed, or the patient has another open
/// request for the same dose.
pub async fn reopen(db: &impl Transact, operation: Operation<'_>) -> Result<Request> {
    let transaction = db.begin().await?;
    let visit = Visit::open(&transaction, &operation).await?;
    patients::reopen_request(&transaction, visit.locked.patient.id).await?;
    let reopened = Requests::update_many()
        .col_expr(Column::Status, Expr::value(RequestStatus::Booked))
        .col_expr(Column::UpdatedAt, Expr::value(operation.now()))
        .filter(Column::Id.eq(operation.request_id))
        .filter(Column::Status.eq(RequestStatus::Missed))
        .exec(&transaction)
        .await?;
    if reopened.rows_affected == 0 {
        return Err(Conflict::RequestStatus(visit.locked.request.status).into());
    }
    operation.record(&transaction, AuditAction::RequestReopened, &visit.locked.request).await?;
    let request = request_list::by_id(&transaction, operation.request_id).await?;
    transaction.commit().await?;
    Ok(request)
}
