//! Checking in: a patient has come, was identified, and has answered the questions of the course.

use entity::vaccine_requests::{Column, Entity as Requests};
use entity::{AuditAction, vaccines};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, TransactionSession as _};

pub use super::visit::OverrideReason;
use super::visit::{Visit, check_answers, check_rules};
use crate::db::Transact;
use crate::domain::records::audit::Event;
use crate::domain::vaccination::eligibility::{Answers, GivenAnswers};
use crate::domain::vaccination::operation::Operation;
use crate::domain::vaccination::request_list::{self, Request};
use crate::domain::values::text::Line;
use crate::error::{Error, Result};

/// How a patient was identified, such as `passport`. Not the number of a document.
pub type IdentifiedBy = Line<100>;

/// What is noted when a patient checks in.
#[derive(Clone, Debug)]
pub struct CheckIn {
    /// How they were identified; none for somebody without papers.
    pub identified_by: Option<IdentifiedBy>,
    /// Answers to the questions of the course.
    pub answers: GivenAnswers,
    /// Why they are received although a rule asks to wait.
    pub override_reason: Option<OverrideReason>,
}

impl CheckIn {
    /// The answers as they are stored; none if nothing was asked.
    pub(super) fn stored_answers(&self) -> Result<Option<String>> {
        let answers = Some(&self.answers).filter(|answers| !answers.is_empty());
        answers.map(serde_json::to_string).transpose().map_err(Error::internal)
    }
}

/// Checks a patient in. If they are checked in already, what is noted is replaced.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`]; a conflict if the request is not booked; a violation if a question has no
/// answer; [`Error::NotEligible`].
pub async fn check_in(db: &impl Transact, operation: Operation<'_>, new: CheckIn) -> Result<Request> {
    let transaction = db.begin().await?;
    let visit = Visit::open(&transaction, &operation).await?;
    visit.check_open()?;
    check_answers(&visit.course, &new.answers)?;
    let vaccine = vaccine_of(&transaction, &visit).await?;
    let judged = visit.judge(&vaccine, Answers::Given(&new.answers));
    let overridden = check_rules(&judged, new.override_reason.as_ref())?;
    let now = operation.now();
    let updated = Requests::update_many()
        .col_expr(Column::CheckedInAt, Expr::value(now))
        .col_expr(Column::CentreId, Expr::value(visit.centre.id))
        .col_expr(Column::Answers, Expr::value(new.stored_answers()?))
        .col_expr(Column::IdentifiedBy, Expr::value(new.identified_by.map(IdentifiedBy::into_string)))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(operation.request_id))
        .filter(Column::Status.eq(visit.locked.request.status))
        .exec(&transaction)
        .await?;
    if updated.rows_affected == 0 {
        return Err(Error::Busy);
    }
    let event = Event::new(AuditAction::CheckedIn, &operation.caller.client).by(Some(operation.actor().user_id));
    let event = event.to(visit.locked.request.user_id).on(operation.request_id);
    let event = if overridden.is_empty() { event } else { event.detail(&overridden) };
    event.record(&transaction, now).await?;
    let request = request_list::by_id(&transaction, operation.request_id).await?;
    transaction.commit().await?;
    Ok(request)
}

/// The vaccine of the slot, or of the request.
pub(super) async fn vaccine_of(db: &impl ConnectionTrait, visit: &Visit) -> Result<vaccines::Model> {
    let id = visit.slot.as_ref().map_or(visit.locked.request.vaccine_id, |slot| slot.vaccine_id);
    vaccines::Entity::find_by_id(id).one(db).await?.ok_or(Error::NotFound)
}
