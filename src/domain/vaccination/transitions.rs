//! Transitions of the status of vaccine requests: approve, reject, cancel.

use entity::vaccine_requests::{self as table, Column};
use entity::{AuditAction, RequestStatus, Role};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryTrait, TransactionSession as _};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::records::audit::Event;
use crate::domain::vaccination::vaccine_requests::{self, Request, RequestNote};
use crate::domain::values::caller::Caller;
use crate::domain::values::clock::Clock;
use crate::error::{Conflict, Result};

/// A transition of the status of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transition {
    /// `pending → approved`, by staff.
    Approve,
    /// `pending → rejected`, by staff.
    Reject {
        /// The reason, for the user.
        reason: RequestNote,
    },
    /// `pending | approved | booked → cancelled`, by the user or by staff.
    Cancel,
}

impl Transition {
    /// Statuses in which it is allowed.
    fn allowed_from(&self) -> &'static [RequestStatus] {
        match self {
            Self::Approve | Self::Reject { .. } => &[RequestStatus::Pending],
            Self::Cancel => &[RequestStatus::Pending, RequestStatus::Approved, RequestStatus::Booked],
        }
    }

    /// Status after it.
    fn new_status(&self) -> RequestStatus {
        match self {
            Self::Approve => RequestStatus::Approved,
            Self::Reject { .. } => RequestStatus::Rejected,
            Self::Cancel => RequestStatus::Cancelled,
        }
    }

    fn audit_action(&self) -> AuditAction {
        match self {
            Self::Approve => AuditAction::RequestApproved,
            Self::Reject { .. } => AuditAction::RequestRejected,
            Self::Cancel => AuditAction::RequestCancelled,
        }
    }

    fn required_role(&self) -> Role {
        match self {
            Self::Approve | Self::Reject { .. } => Role::Staff,
            Self::Cancel => Role::Patient,
        }
    }
}

/// Changes the status of a request, by one guarded statement. Decisions of staff are recorded in the audit trail.
///
/// # Errors
/// [`Forbidden`](crate::error::Error::Forbidden), [`NotFound`](crate::error::Error::NotFound), or a conflict if the
/// status of the request does not allow the transition.
pub async fn apply(
    db: &impl Transact,
    clock: &Clock,
    caller: &Caller,
    id: Uuid,
    transition: Transition,
) -> Result<Request> {
    let actor = &caller.actor;
    actor.require(transition.required_role())?;
    let (action, now) = (transition.audit_action(), clock.now());
    let mut update = table::Entity::update_many()
        .col_expr(Column::Status, Expr::value(transition.new_status()))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::Status.is_in(transition.allowed_from().iter().copied()))
        .apply_if((!actor.is_staff()).then_some(actor.user_id), |update, own| update.filter(Column::UserId.eq(own)));
    if transition.required_role() >= Role::Staff {
        update = update.col_expr(Column::ReviewedBy, Expr::value(actor.user_id));
    }
    if let Transition::Reject { reason } = transition {
        update = update.col_expr(Column::Reason, Expr::value(reason.into_string()));
    }
    let transaction = db.begin().await?;
    let Some(changed) = update.exec_with_returning(&transaction).await?.into_iter().next() else {
        transaction.rollback().await?;
        return Err(Conflict::RequestStatus(vaccine_requests::get(db, actor, id).await?.request.status).into());
    };
    if changed.user_id != actor.user_id {
        let event = Event::new(action, &caller.client).by(Some(actor.user_id)).to(changed.user_id).on(changed.id);
        event.record(&transaction, now).await?;
    }
    transaction.commit().await?;
    vaccine_requests::with_contact(db, changed).await
}
