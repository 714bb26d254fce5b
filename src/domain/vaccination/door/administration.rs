//! Administration: a dose is given. One transaction closes the request, takes the dose from its lot, and records it.

use entity::vaccine_requests::{Column, Entity as Requests};
use entity::{
    AuditAction, ImmunizationSource, RequestStatus, Role, WaitlistStatus, immunizations as table, lots as lots_table,
    slots, vaccines,
};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::visit::{OverrideReason, Visit};
use crate::db::Transact;
use crate::domain::accounts::users as accounts;
use crate::domain::records::audit::Event;
use crate::domain::records::idempotency::{Once, Response};
use crate::domain::vaccination::dose_history::{self, NextDose};
use crate::domain::vaccination::eligibility::{Answers, Eligibility, Outcome};
use crate::domain::vaccination::lots::{self, LotRefusal};
use crate::domain::vaccination::operation::{Operation, retried};
use crate::domain::vaccination::request_list::{self, Request};
use crate::domain::vaccination::{immunizations, locks, offers, patients, waitlist};
use crate::domain::values::text::Line;
use crate::error::{Error, Result, Violation};

/// Site or route of a dose, such as the HL7 codes `LA` (left arm) and `IM` (intramuscular).
pub type SiteOrRoute = Line<50>;

/// A dose to be given.
#[derive(Clone, Debug)]
pub struct NewDose {
    /// The lot from which it is taken.
    pub lot_id: Uuid,
    /// Site of the body.
    pub site: Option<SiteOrRoute>,
    /// Route into the body.
    pub route: Option<SiteOrRoute>,
    /// Why it is given although a rule asks to wait, or an answer leaves the decision to staff.
    pub override_reason: Option<OverrideReason>,
}

/// A dose that was given.
#[derive(Clone, Debug)]
pub struct GivenRequest {
    /// The request, which is administered now.
    pub request: Request,
    /// The dose.
    pub dose: table::Model,
    /// The next dose of the course, if a day is known for it.
    pub next: Option<NextDose>,
}

/// Gives the dose of a request.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`]; a conflict if the dose is recorded already, or the request is not at the
/// centre; a violation if there is no such lot; [`Error::LotRefused`]; [`Error::NotEligible`].
pub async fn administer(
    db: &impl Transact,
    operation: Operation<'_>,
    once: Once<'_, GivenRequest>,
    new: NewDose,
) -> Result<Response> {
    retried(async || try_administer(db, operation, once, &new).await).await
}

async fn try_administer(
    db: &impl Transact,
    operation: Operation<'_>,
    once: Once<'_, GivenRequest>,
    new: &NewDose,
) -> Result<Response> {
    let (actor, now) = (operation.actor(), operation.now());
    actor.require(Role::Staff)?;
    let transaction = db.begin().await?;
    accounts::hold(&transaction, actor.user_id).await?;
    if let Some(response) = once.begin(&transaction, actor.user_id, now).await? {
        operation.check_visible(&transaction).await?;
        return Ok(response);
    }
    let visit = Visit::open(&transaction, &operation).await?;
    visit.check_open()?;
    let (lot, vaccine) = lot(&transaction, &visit, new.lot_id).await?;
    let overridden = check(&visit, &vaccine, new.override_reason.as_ref())?;
    close(&transaction, &operation, &visit).await?;
    let given_back = leave_line(&transaction, &operation, &visit).await?;
    let Some(lot) = lots::take(&transaction, lot.id, visit.centre.id, visit.today, now).await? else {
        return Err(lots::refusal(&transaction, lot.id, visit.centre.id, visit.today).await?.into());
    };
    let row = table::Model {
        request_id: Some(operation.request_id),
        centre_id: Some(visit.centre.id),
        lot_id: Some(lot.id),
        lot_number: Some(lot.lot_number),
        expires_on: Some(lot.expires_on),
        site: new.site.clone().map(SiteOrRoute::into_string),
        route: new.route.clone().map(SiteOrRoute::into_string),
        administered_at: Some(now),
        performer_id: Some(actor.user_id),
        override_reason: new
            .override_reason
            .clone()
            .filter(|_| !overridden.is_empty())
            .map(OverrideReason::into_string),
        ..immunizations::unjudged(&visit.locked.patient, &vaccine, ImmunizationSource::GivenHere, visit.today, now)
    };
    let id = row.id;
    immunizations::insert(&transaction, row).await?;
    dose_history::judge_anew(&transaction, &operation.context.schedules, &visit.locked.patient, visit.today, now)
        .await?;
    record(&transaction, &operation, &visit, id, &overridden).await?;
    let given = GivenRequest {
        request: request_list::by_id(&transaction, operation.request_id).await?,
        dose: immunizations::by_id(&transaction, id).await?,
        next: dose_history::next_dose(&transaction, &visit.course, &visit.locked.patient, &vaccine, visit.today)
            .await?,
    };
    let response = once.finish(&transaction, actor.user_id, Some(visit.locked.patient.id), &given).await?;
    offers::commit(db, operation.context, transaction, given_back.as_slice(), None).await?;
    Ok(response)
}

/// Ends the entry on the waitlist of somebody who came without a booking. Returns the slot in which a place was held.
async fn leave_line(
    transaction: &impl ConnectionTrait,
    operation: &Operation<'_>,
    visit: &Visit,
) -> Result<Option<slots::Model>> {
    if visit.locked.request.status != RequestStatus::Approved {
        return Ok(None);
    }
    let Some(entry) = offers::open_entry(transaction, operation.request_id).await? else { return Ok(None) };
    locks::slots(transaction, entry.slot_id).await?;
    waitlist::end(transaction, operation.context, &entry, WaitlistStatus::Left).await
}

/// The lot and its vaccine, which must count for the course.
async fn lot(
    transaction: &impl ConnectionTrait,
    visit: &Visit,
    id: Uuid,
) -> Result<(lots_table::Model, vaccines::Model)> {
    let found = lots_table::Entity::find_by_id(id).find_also_related(vaccines::Entity).one(transaction).await?;
    let Some((lot, Some(vaccine))) = found else {
        return Err(Violation::new("lot_id", "unknown", "is not a lot").into());
    };
    if lot.centre_id != visit.centre.id {
        return Err(LotRefusal::OtherCentre.into());
    }
    // A combination is a product of each course for which it counts.
    let also: Vec<String> = serde_json::from_str(&vaccine.also_counts_for).map_err(Error::internal)?;
    if vaccine.course_id != visit.locked.request.course_id && !also.contains(&visit.course.code) {
        return Err(LotRefusal::Product.into());
    }
    Ok((lot, vaccine))
}

/// Applies the rules. Returns those that staff have set aside.
fn check(visit: &Visit, vaccine: &vaccines::Model, reason: Option<&OverrideReason>) -> Result<Vec<&'static str>> {
    let answers = visit.answers_of_today()?;
    let judged = visit.judge(vaccine, Answers::Given(&answers));
    if fails_by_product(&judged) {
        return Err(LotRefusal::Product.into());
    }
    let rules = judged.rules_to_override().map_err(Error::NotEligible)?;
    if rules.is_empty() || reason.is_some() { Ok(rules) } else { Err(Error::NotEligible(Box::new(judged))) }
}

fn fails_by_product(judged: &Eligibility) -> bool {
    judged.rules.iter().any(|rule| rule.rule == "product" && rule.outcome == Outcome::Failed)
}

/// Closes the request as administered.
async fn close(transaction: &impl ConnectionTrait, operation: &Operation<'_>, visit: &Visit) -> Result<()> {
    let request = &visit.locked.request;
    let closed = Requests::update_many()
        .col_expr(Column::Status, Expr::value(RequestStatus::Administered))
        .col_expr(Column::UpdatedAt, Expr::value(operation.now()))
        .filter(Column::Id.eq(request.id))
        .filter(Column::Status.eq(request.status))
        .filter(match request.slot_id {
            Some(id) => Column::SlotId.eq(id),
            None => Column::SlotId.is_null(),
        })
        .exec(transaction)
        .await?;
    if closed.rows_affected == 0 {
        // The slot was closed since the request was read.
        return Err(Error::Busy);
    }
    patients::close_request(transaction, visit.locked.patient.id).await
}

async fn record(
    transaction: &impl ConnectionTrait,
    operation: &Operation<'_>,
    visit: &Visit,
    id: Uuid,
    overridden: &[&str],
) -> Result<()> {
    let event = |action| {
        let event = Event::new(action, &operation.caller.client).by(Some(operation.actor().user_id));
        event.to(visit.locked.request.user_id).on(id)
    };
    event(AuditAction::DoseAdministered).record(transaction, operation.now()).await?;
    if overridden.is_empty() {
        return Ok(());
    }
    event(AuditAction::DoseOverridden).detail(&overridden.join(", ")).record(transaction, operation.now()).await
}
