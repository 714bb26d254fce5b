//! Immunizations: doses that were given. Those given elsewhere are reported. Recording one judges all doses of the patient
//! anew, in the order of their dates.

use chrono::{DateTime, NaiveDate, Utc};
use entity::immunizations::{Column, Entity, Model};
use entity::{AuditAction, ImmunizationSource, ImmunizationStatus, patients as patients_table, vaccines};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel as _, PaginatorTrait as _,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait, TransactionSession as _,
};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::accounts::users as accounts;
use crate::domain::records::audit::Event;
use crate::domain::vaccination::context::Vaccination;
use crate::domain::vaccination::dose_history::{self, NextDose};
use crate::domain::vaccination::eligibility::birth_date;
use crate::domain::vaccination::eligibility::check::Person;
use crate::domain::vaccination::patients;
use crate::domain::values::caller::Caller;
use crate::domain::values::page::{Page, Slice};
use crate::domain::values::text::Line;
use crate::error::{Conflict, Error, Result, Violation};

/// A dose that was given elsewhere.
#[derive(Clone, Debug)]
pub struct NewReport {
    /// The patient: the actor, or a contact.
    pub person: Person,
    /// Vaccine.
    pub vaccine_id: Uuid,
    /// Day.
    pub administered_on: NaiveDate,
    /// Number of the lot.
    pub lot_number: Option<LotNumber>,
}

/// A dose that was recorded, and the one that comes next in its course.
#[derive(Clone, Debug)]
pub struct RecordedDose {
    /// The row.
    pub dose: Model,
    /// The next dose, if a day is known for it.
    pub next: Option<NextDose>,
}

/// Doses of a patient up to which more can be reported, so that judging them stays cheap.
const MAX_DOSES: u64 = 200;

/// The number of a lot.
pub type LotNumber = Line<20>;

/// Reports a dose that was given elsewhere.
///
/// # Errors
/// A violation if there is no such vaccine or person, or the day is in the future or before the birth; a conflict if the
/// dose is recorded already, or the patient has too many.
pub async fn report(
    db: &impl Transact,
    context: &Vaccination,
    caller: &Caller,
    new: NewReport,
) -> Result<RecordedDose> {
    let now = context.clock.now();
    let transaction = db.begin().await?;
    let user = accounts::hold(&transaction, caller.actor.user_id).await?;
    let today = accounts::time_zone(&user).date(now);
    if new.administered_on > today {
        return Err(Violation::new("administered_on", "future", "must not be in the future").into());
    }
    let patient = patients::of_person(&transaction, &context.rules, &caller.actor, user, new.person, now).await?;
    if birth_date(&patient).is_some_and(|born| new.administered_on < born) {
        return Err(Violation::new("administered_on", "order", "must not be before the birth date").into());
    }
    let vaccine = vaccines::Entity::find_by_id(new.vaccine_id).one(&transaction).await?;
    let vaccine = vaccine.ok_or_else(|| Violation::new("vaccine_id", "unknown", "is not a vaccine"))?;
    let of_patient = Entity::find().filter(Column::PatientId.eq(patient.id));
    let of_patient = of_patient.filter(Expr::cust("status = 'completed'"));
    if of_patient.count(&transaction).await? >= MAX_DOSES {
        return Err(Conflict::TooManyDoses.into());
    }
    // Staff have seen the evidence of a dose of somebody else.
    let is_of_other = patient.user_id != Some(caller.actor.user_id);
    let row = Model {
        lot_number: new.lot_number.map(LotNumber::into_string),
        reported_by: Some(caller.actor.user_id),
        verified_at: (caller.actor.is_staff() && is_of_other).then_some(now),
        ..unjudged(&patient, &vaccine, ImmunizationSource::Reported, new.administered_on, now)
    };
    let id = row.id;
    insert(&transaction, row).await?;
    dose_history::judge_anew(&transaction, &context.schedules, &patient, today, now).await?;
    if caller.actor.is_staff() {
        let event = Event::new(AuditAction::DoseReported, &caller.client).by(Some(caller.actor.user_id));
        event.to(patient.user_id).on(id).record(&transaction, now).await?;
    }
    let dose = by_id(&transaction, id).await?;
    let course = context.schedules.rules(&transaction, vaccine.course_id).await?;
    let next = dose_history::next_dose(&transaction, &course, &patient, &vaccine, today).await?;
    transaction.commit().await?;
    Ok(RecordedDose { dose, next })
}

/// The row of a dose that was not judged yet.
pub(super) fn unjudged(
    patient: &patients_table::Model,
    vaccine: &vaccines::Model,
    source: ImmunizationSource,
    administered_on: NaiveDate,
    now: DateTime<Utc>,
) -> Model {
    Model {
        id: Uuid::now_v7(),
        patient_id: patient.id,
        course_id: vaccine.course_id,
        vaccine_id: vaccine.id,
        dose_number: None,
        broken_rule: None,
        source,
        status: ImmunizationStatus::Completed,
        request_id: None,
        centre_id: None,
        lot_id: None,
        lot_number: None,
        expires_on: None,
        site: None,
        route: None,
        administered_on,
        administered_at: None,
        performer_id: None,
        override_reason: None,
        reported_by: None,
        verified_at: None,
        created_at: now,
        updated_at: now,
    }
}

/// Inserts the row of a dose.
pub(super) async fn insert(transaction: &impl ConnectionTrait, row: Model) -> Result<()> {
    Entity::insert(row.into_active_model().reset_all()).exec_without_returning(transaction).await?;
    Ok(())
}

/// Lists doses, newest record first: of the patients of the actor, or of one patient. Staff see those of any patient; that
/// is recorded.
///
/// # Errors
/// Database errors.
pub async fn list(
    db: &impl ConnectionTrait,
    context: &Vaccination,
    caller: &Caller,
    patient_id: Option<Uuid>,
    page: Page,
) -> Result<Slice<Model>> {
    let own = patients_table::Entity::find()
        .select_only()
        .column(patients_table::Column::Id)
        .filter(patients_table::Column::UserId.eq(caller.actor.user_id));
    let sees_all = caller.actor.is_staff() && patient_id.is_some();
    let doses = Entity::find()
        .apply_if(patient_id, |doses, id| doses.filter(Column::PatientId.eq(id)))
        .apply_if((!sees_all).then_some(own), |doses, own| {
            doses.filter(Column::PatientId.in_subquery(own.into_query()))
        })
        .apply_if(page.after, |doses, after| doses.filter(Column::Id.lt(after)))
        .order_by_desc(Column::Id)
        .limit(page.rows())
        .all(db)
        .await?;
    if let Some(patient_id) = patient_id.filter(|_| sees_all) {
        // Recorded as a look at the patient.
        patients::get(db, &context.clock, caller, patient_id).await?;
    }
    let today = context.clock.now().date_naive();
    let doses = dose_history::judged(db, &context.schedules, doses, today).await?;
    Ok(page.slice(doses, |dose| dose.id))
}

/// Reads a dose.
pub(super) async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Model> {
    Entity::find_by_id(id).one(db).await?.ok_or(Error::NotFound)
}
