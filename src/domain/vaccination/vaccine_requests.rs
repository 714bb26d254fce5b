//! Vaccine requests: create, and update while pending. Their status is changed by [`transitions`](super::transitions) and
//! [`bookings`](super::bookings).
//!
//! The conditions of an operation are part of its statement, so nothing can change between check and write. The reason
//! of a refusal is looked up only if the statement found no row.

use chrono::{DateTime, NaiveDate, Utc};
use entity::{RequestStatus, courses, patients as patients_table, vaccine_requests, vaccines};
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, TransactionSession as _, UpdateMany};
use uuid::Uuid;
use vaccine_requests::Column;

use crate::db::Transact;
use crate::domain::accounts::users as accounts;
use crate::domain::auth::context::Auth;
use crate::domain::records::idempotency::{Once, Response};
use crate::domain::vaccination::context::Vaccination;
use crate::domain::vaccination::eligibility::{self, Eligibility, Facts, Verdict};
use crate::domain::vaccination::invitation_codes::InvitationCode;
use crate::domain::vaccination::invitation_uses::Presented;
use crate::domain::vaccination::request_list::{self, Request};
use crate::domain::vaccination::rules::Review;
use crate::domain::vaccination::vaccines::Doses;
use crate::domain::vaccination::{dose_history, locks, patients};
use crate::domain::values::actor::Actor;
use crate::domain::values::caller::Caller;
use crate::domain::values::patch::Patch;
use crate::domain::values::text::Text;
use crate::error::{Conflict, Error, Result, Violation};

/// A note to staff, or the reason of a rejection.
pub type RequestNote = Text<1000>;

/// A vaccine request to be created.
#[derive(Clone, Debug)]
pub struct NewRequest {
    /// A contact of the actor; none for the actor.
    pub contact_id: Option<Uuid>,
    /// The vaccine.
    pub vaccine_id: Uuid,
    /// Number of the dose in its course, from 1; none for the next one.
    pub dose_number: Option<Doses>,
    /// Note to staff.
    pub note: Option<RequestNote>,
    /// Code of an invitation.
    pub invitation_code: Option<InvitationCode>,
}

/// Changes of a pending request.
#[derive(Clone, Debug, Default)]
pub struct RequestChanges {
    /// The vaccine.
    pub vaccine_id: Option<Uuid>,
    /// Number of the dose in its course, from 1.
    pub dose_number: Option<Doses>,
    /// Note to staff.
    pub note: Patch<RequestNote>,
}

/// Creates a vaccine request.
///
/// # Errors
/// A violation if the catalogue has no such vaccine or dose, or the actor no such contact; a conflict if there is an open
/// request for the same person, course and dose, or the account has too many patients; [`Error::NotEligible`] if the
/// patient can have the dose neither today nor later; a violation in `invitation_code`, which does not tell why the code
/// is not valid, or [`Error::TooMany`] after wrong ones.
pub async fn create(
    db: &impl Transact,
    auth: &Auth,
    context: &Vaccination,
    caller: &Caller,
    once: Once<'_, Request>,
    new: NewRequest,
) -> Result<Response> {
    let (actor, now) = (&caller.actor, auth.clock.now());
    let presented = new.invitation_code.as_ref().map(|code| Presented::new(auth, caller, code));
    let transaction = db.begin().await?;
    let user = accounts::hold(&transaction, actor.user_id).await?;
    let today = accounts::time_zone(&user).date(now);
    if let Some(response) = once.begin(&transaction, actor.user_id, now).await? {
        return Ok(response);
    }
    let patient =
        patients::open_request(&transaction, &context.rules, actor, user.clone(), new.contact_id, now).await?;
    let dose_number = new.dose_number.map(Doses::get);
    let vaccine = offered(&transaction, new.vaccine_id, dose_number.unwrap_or(1)).await?;
    let judged = judge(&transaction, context, &patient, &vaccine, (dose_number, today)).await?;
    if judged.is_never() {
        return Err(Error::NotEligible(Box::new(judged)));
    }
    let is_approved = context.rules.review == Review::Rules && judged.verdict == Verdict::Eligible;
    let status = if is_approved { RequestStatus::Approved } else { RequestStatus::Pending };
    let id = Uuid::now_v7();
    let insert = insert((id, status), actor, &patient, &new, judged.dose_number, now)?;
    if transaction.execute(&insert).await?.rows_affected() == 0 {
        return Err(not_offered(&transaction, new.vaccine_id).await?);
    }
    if let Some(presented) = presented
        && !presented.redeem(&transaction, &user, &patient, vaccine.course_id, id).await?
    {
        transaction.rollback().await?;
        return Err(presented.refuse(db).await?);
    }
    let request = request_list::by_id(&transaction, id).await?;
    let response = once.finish(&transaction, actor.user_id, Some(patient.id), &request).await?;
    transaction.commit().await?;
    Ok(response)
}

/// Applies the rules to a dose. An open request for the same dose is refused by a unique index.
async fn judge(
    transaction: &impl ConnectionTrait,
    context: &Vaccination,
    patient: &patients_table::Model,
    vaccine: &vaccines::Model,
    (dose_number, on): (Option<i32>, NaiveDate),
) -> Result<Eligibility> {
    let course = context.schedules.rules(transaction, vaccine.course_id).await?;
    let doses = dose_history::of_patient(transaction, patient.id).await?;
    Ok(eligibility::judge(&Facts::of_dose(patient, &course, vaccine, &doses, dose_number), on))
}

/// INSERT of a request, if the catalogue offers the dose.
fn insert(
    (id, status): (Uuid, RequestStatus),
    actor: &Actor,
    patient: &patients_table::Model,
    new: &NewRequest,
    dose_number: i32,
    now: DateTime<Utc>,
) -> Result<sea_orm::sea_query::InsertStatement> {
    let of_vaccine = |column| Expr::col((vaccines::Entity, column));
    let values = [
        (Column::Id, Expr::value(id)),
        (Column::UserId, Expr::value(actor.user_id)),
        (Column::PatientId, Expr::value(patient.id)),
        (Column::VaccineId, of_vaccine(vaccines::Column::Id)),
        (Column::CourseId, of_vaccine(vaccines::Column::CourseId)),
        (Column::DoseNumber, Expr::value(dose_number)),
        (Column::Status, Expr::value(status)),
        (Column::Note, Expr::value(new.note.clone().map(RequestNote::into_string))),
        (Column::CreatedAt, Expr::value(now)),
        (Column::UpdatedAt, Expr::value(now)),
    ];
    let (columns, values): (Vec<_>, Vec<_>) = values.into_iter().unzip();
    let row = Query::select()
        .exprs(values)
        .from(vaccines::Entity)
        .and_where(is_offered(Expr::value(new.vaccine_id), Expr::value(dose_number)))
        .to_owned();
    let mut insert = Query::insert();
    insert.into_table(vaccine_requests::Entity).columns(columns).select_from(row).map_err(Error::internal)?;
    Ok(insert)
}

/// Updates a pending request of the actor.
///
/// # Errors
/// [`Error::NotFound`]; a conflict if it is no longer pending, or there is an open request for the same course and dose; a
/// violation if the catalogue has no such vaccine or dose; [`Error::NotEligible`] if the patient can have the new dose neither
/// today nor later.
pub async fn update(
    db: &impl Transact,
    context: &Vaccination,
    actor: &Actor,
    id: Uuid,
    changes: RequestChanges,
) -> Result<Request> {
    let mut update = vaccine_requests::Entity::update_many()
        .col_expr(Column::UpdatedAt, Expr::value(context.clock.now()))
        .filter(Column::Id.eq(id))
        .filter(Column::UserId.eq(actor.user_id))
        .filter(Column::Status.eq(RequestStatus::Pending));
    let has_new_dose = changes.vaccine_id.is_some() || changes.dose_number.is_some();
    if has_new_dose {
        update = with_dose(update, changes.vaccine_id, changes.dose_number);
    }
    if let Some(note) = changes.note.map(RequestNote::into_string).into_change() {
        update = update.col_expr(Column::Note, Expr::value(note));
    }
    let transaction = db.begin().await?;
    let patient = locks::patient_of(&transaction, id).await?.ok_or(Error::NotFound)?;
    if let Some(request) = update.exec_with_returning(&transaction).await?.into_iter().next() {
        let vaccine = vaccines::Entity::find_by_id(request.vaccine_id).one(&transaction).await?;
        let today = accounts::local_date(&transaction, request.user_id, context.clock.now()).await?;
        let vaccine = vaccine.ok_or(Error::NotFound)?;
        let judged = judge(&transaction, context, &patient, &vaccine, (Some(request.dose_number), today)).await?;
        if has_new_dose && judged.is_never() {
            return Err(Error::NotEligible(Box::new(judged)));
        }
        let request = request_list::by_id(&transaction, id).await?;
        transaction.commit().await?;
        return Ok(request);
    }
    transaction.rollback().await?;
    let request = own(db, actor, id).await?;
    if request.status != RequestStatus::Pending {
        return Err(Conflict::RequestStatus(request.status).into());
    }
    Err(not_offered(db, changes.vaccine_id.unwrap_or(request.vaccine_id)).await?)
}

/// Adds to an UPDATE that the request is for another vaccine or dose, if the catalogue offers it.
fn with_dose(
    update: UpdateMany<vaccine_requests::Entity>,
    vaccine_id: Option<Uuid>,
    dose_number: Option<Doses>,
) -> UpdateMany<vaccine_requests::Entity> {
    let column = |column| Expr::col((vaccine_requests::Entity, column));
    let vaccine_id = vaccine_id.map_or_else(|| column(Column::VaccineId), Expr::value);
    let dose_number = dose_number.map_or_else(|| column(Column::DoseNumber), |number| Expr::value(number.get()));
    let course = Query::select()
        .column((vaccines::Entity, vaccines::Column::CourseId))
        .from(vaccines::Entity)
        .and_where(Expr::col((vaccines::Entity, vaccines::Column::Id)).eq(vaccine_id.clone()))
        .to_owned();
    let course = Expr::SubQuery(None, Box::new(course.into()));
    // An invitation is for one course.
    let invitation = CaseStatement::new()
        .case(column(Column::CourseId).eq(course.clone()), column(Column::InvitationId))
        .finally(Expr::value(Option::<Uuid>::None));
    update
        .col_expr(Column::VaccineId, vaccine_id.clone())
        .col_expr(Column::CourseId, course)
        .col_expr(Column::InvitationId, invitation.into())
        .col_expr(Column::DoseNumber, dose_number.clone())
        .filter(Expr::exists(offering(vaccine_id, dose_number)))
}

async fn own(db: &impl ConnectionTrait, actor: &Actor, id: Uuid) -> Result<vaccine_requests::Model> {
    let own = request_list::visible_to(actor).filter(Column::UserId.eq(actor.user_id));
    own.filter(Column::Id.eq(id)).one(db).await?.ok_or(Error::NotFound)
}

/// The condition that the catalogue offers a dose.
fn is_offered(vaccine_id: Expr, dose_number: Expr) -> Expr {
    let column = |column| Expr::col((vaccines::Entity, column));
    column(vaccines::Column::Id)
        .eq(vaccine_id)
        .and(column(vaccines::Column::Active).eq(true))
        .and(column(vaccines::Column::Doses).gte(dose_number).or(Expr::exists(has_schedule())))
}

/// The course of the vaccine, if it has a schedule: then that has the number of doses.
fn has_schedule() -> SelectStatement {
    Query::select()
        .expr(Expr::cust("1"))
        .from(courses::Entity)
        .and_where(
            Expr::col((courses::Entity, courses::Column::Id))
                .eq(Expr::col((vaccines::Entity, vaccines::Column::CourseId))),
        )
        .and_where(Expr::cust("courses.schedule_version > 0"))
        .to_owned()
}

fn offering(vaccine_id: Expr, dose_number: Expr) -> SelectStatement {
    let condition = is_offered(vaccine_id, dose_number);
    Query::select().expr(Expr::value(1)).from(vaccines::Entity).and_where(condition).to_owned()
}

async fn offered(db: &impl ConnectionTrait, vaccine_id: Uuid, dose_number: i32) -> Result<vaccines::Model> {
    let vaccine =
        vaccines::Entity::find().filter(is_offered(Expr::value(vaccine_id), Expr::value(dose_number))).one(db).await?;
    match vaccine {
        Some(vaccine) => Ok(vaccine),
        None => Err(not_offered(db, vaccine_id).await?),
    }
}

/// The reason of a refusal: the vaccine, or the dose.
async fn not_offered(db: &impl ConnectionTrait, vaccine_id: Uuid) -> Result<Error> {
    let vaccine = vaccines::Entity::find_by_id(vaccine_id).one(db).await?;
    Ok(match vaccine.filter(|vaccine| vaccine.active) {
        None => Violation::new("vaccine_id", "unknown", "is not a vaccine that can be requested").into(),
        Some(vaccine) => {
            let message = format!("must be at most {}, the doses of this vaccine", vaccine.doses);
            Violation::new("dose_number", "range", message).into()
        }
    })
}
