//! Review of vaccine requests by staff: approve, reject.

use entity::vaccine_requests::{self as table, Column};
use entity::{AuditAction, RequestStatus, Role, patients as patients_table, vaccines};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, TransactionSession as _};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::accounts::users as accounts;
use crate::domain::records::audit::Event;
use crate::domain::vaccination::context::Vaccination;
use crate::domain::vaccination::dose_history;
use crate::domain::vaccination::eligibility::{self, Facts};
use crate::domain::vaccination::request_list::{self, Request};
use crate::domain::vaccination::vaccine_requests::RequestNote;
use crate::domain::vaccination::{locks, patients};
use crate::domain::values::caller::Caller;
use crate::error::{Conflict, Error, Result};

/// A decision of staff about a pending request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// `pending → approved`.
    Approve,
    /// `pending → rejected`.
    Reject {
        /// The reason, for the user.
        reason: RequestNote,
    },
}

/// Decides about a request, by one guarded statement, and records it in the audit trail.
///
/// # Errors
/// [`Forbidden`](Error::Forbidden), [`NotFound`](Error::NotFound), a conflict if the request is not pending, or
/// [`NotEligible`](Error::NotEligible) if the patient can have the dose neither today nor later.
pub async fn decide(
    db: &impl Transact,
    context: &Vaccination,
    caller: &Caller,
    id: Uuid,
    decision: Decision,
) -> Result<Request> {
    let (actor, now) = (&caller.actor, context.clock.now());
    actor.require(Role::Staff)?;
    let (status, action, reason) = match decision {
        Decision::Approve => (RequestStatus::Approved, AuditAction::RequestApproved, None),
        Decision::Reject { reason } => {
            (RequestStatus::Rejected, AuditAction::RequestRejected, Some(reason.into_string()))
        }
    };
    let transaction = db.begin().await?;
    accounts::hold(&transaction, actor.user_id).await?;
    let patient = locks::patient_of(&transaction, id).await?.ok_or(Error::NotFound)?;
    if status == RequestStatus::Approved {
        check_rules(&transaction, context, &patient, id).await?;
    }
    let decided = table::Entity::update_many()
        .col_expr(Column::Status, Expr::value(status))
        .col_expr(Column::Reason, Expr::value(reason))
        .col_expr(Column::ReviewedBy, Expr::value(actor.user_id))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::Status.eq(RequestStatus::Pending))
        .exec(&transaction)
        .await?;
    let request = request_list::by_id(&transaction, id).await?;
    if decided.rows_affected == 0 {
        return Err(Conflict::RequestStatus(request.request.status).into());
    }
    if status == RequestStatus::Rejected {
        patients::close_request(&transaction, patient.id).await?;
    }
    let event = Event::new(action, &caller.client).by(Some(actor.user_id));
    event.to(request.request.user_id).on(id).record(&transaction, now).await?;
    transaction.commit().await?;
    Ok(request)
}

/// Refuses a pending request of a patient who can have the dose neither today nor later.
async fn check_rules(
    transaction: &impl ConnectionTrait,
    context: &Vaccination,
    patient: &patients_table::Model,
    id: Uuid,
) -> Result<()> {
    let request = table::Entity::find_by_id(id).find_also_related(vaccines::Entity).one(transaction).await?;
    let Some((request, Some(vaccine))) = request else { return Err(Error::NotFound) };
    let course = context.schedules.rules(transaction, request.course_id).await?;
    let doses = dose_history::of_patient(transaction, patient.id).await?;
    let facts = Facts::of_dose(patient, &course, &vaccine, &doses, Some(request.dose_number));
    let today = accounts::local_date(transaction, request.user_id, context.clock.now()).await?;
    let judged = eligibility::judge(&facts, today);
    if request.status == RequestStatus::Pending && judged.is_never() {
        return Err(Error::NotEligible(Box::new(judged)));
    }
    Ok(())
}
