//! Immunizations: doses that were given. Those given elsewhere are reported. Recording one judges all doses of the course
//! anew, in the order of their dates.

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::immunizations::{ActiveModel, Column, Entity, Model};
use entity::{AuditAction, ImmunizationSource, ImmunizationStatus, courses, patients as patients_table, vaccines};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Set, TransactionSession as _,
};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::accounts::users as accounts;
use crate::domain::records::audit::Event;
use crate::domain::vaccination::context::Vaccination;
use crate::domain::vaccination::eligibility::birth_date;
use crate::domain::vaccination::eligibility_check::Person;
use crate::domain::vaccination::patients;
use crate::domain::vaccination::schedule::{BrokenRule, GivenDose, Judge, Progress};
use crate::domain::values::caller::Caller;
use crate::domain::values::page::{Page, Slice};
use crate::domain::values::text::Line;
use crate::error::{Error, Result, Violation};

/// Doses by patient, each by date.
pub(super) type Doses = HashMap<Uuid, Vec<GivenDose>>;

/// Reads the doses of a patient, of all courses, by date.
pub(super) async fn of_patient(db: &impl ConnectionTrait, patient_id: Uuid) -> Result<Vec<GivenDose>> {
    Ok(of_patients(db, &[patient_id]).await?.remove(&patient_id).unwrap_or_default())
}

/// Reads the doses of patients, of all courses, by date.
pub(super) async fn of_patients(db: &impl ConnectionTrait, patients: &[Uuid]) -> Result<Doses> {
    let of = |column| Expr::col((Entity, column));
    let of_vaccine = |column| Expr::col((vaccines::Entity, column));
    let query = Query::select()
        .expr(of(Column::PatientId))
        .expr(of(Column::Id))
        .expr(of(Column::VaccineId))
        .expr(of_vaccine(vaccines::Column::CvxCode))
        .expr(of_vaccine(vaccines::Column::Manufacturer))
        .expr(Expr::col((courses::Entity, courses::Column::Code)))
        .expr(of_vaccine(vaccines::Column::AlsoCountsFor))
        .expr(of(Column::AdministeredOn))
        .expr(of(Column::DoseNumber))
        .from(Entity)
        .join(JoinType::InnerJoin, vaccines::Entity, of_vaccine(vaccines::Column::Id).eq(of(Column::VaccineId)))
        .join(
            JoinType::InnerJoin,
            courses::Entity,
            Expr::col((courses::Entity, courses::Column::Id)).eq(of_vaccine(vaccines::Column::CourseId)),
        )
        .and_where(of(Column::PatientId).is_in(patients.iter().copied()))
        .and_where(of(Column::Status).eq(ImmunizationStatus::Completed))
        .to_owned();
    let mut doses = Doses::new();
    for row in db.query_all(&query).await? {
        let also: String = row.try_get_by_index(6)?;
        let also: Vec<String> = serde_json::from_str(&also).map_err(Error::internal)?;
        let course: String = row.try_get_by_index(5)?;
        let number: Option<i32> = row.try_get_by_index(8)?;
        let dose = GivenDose {
            id: row.try_get_by_index(1)?,
            vaccine_id: row.try_get_by_index(2)?,
            cvx: row.try_get_by_index(3)?,
            manufacturer: row.try_get_by_index(4)?,
            courses: std::iter::once(course).chain(also).collect(),
            on: row.try_get_by_index(7)?,
            counts: number.is_some(),
        };
        doses.entry(row.try_get_by_index(0)?).or_default().push(dose);
    }
    for doses in doses.values_mut() {
        // Doses of one day by their code, so that the order in which they were reported does not matter.
        doses.sort_by(|one, other| (one.on, &one.cvx, one.id).cmp(&(other.on, &other.cvx, other.id)));
    }
    Ok(doses)
}

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

/// The number of a lot.
pub type LotNumber = Line<20>;

/// Reports a dose that was given elsewhere.
///
/// # Errors
/// A violation if there is no such vaccine or person, or the day is in the future or before the birth; a conflict if the
/// dose is recorded already.
pub async fn report(db: &impl Transact, context: &Vaccination, caller: &Caller, new: NewReport) -> Result<Model> {
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
    let row = ActiveModel {
        id: Set(Uuid::now_v7()),
        patient_id: Set(patient.id),
        course_id: Set(vaccine.course_id),
        vaccine_id: Set(vaccine.id),
        dose_number: Set(None),
        broken_rule: Set(None),
        source: Set(ImmunizationSource::Reported),
        status: Set(ImmunizationStatus::Completed),
        lot_number: Set(new.lot_number.map(LotNumber::into_string)),
        administered_on: Set(new.administered_on),
        reported_by: Set(Some(caller.actor.user_id)),
        created_at: Set(now),
        updated_at: Set(now),
    };
    let id = row.insert(&transaction).await?.id;
    judge_anew(&transaction, context, &patient, &vaccine, today).await?;
    if caller.actor.is_staff() {
        let event = Event::new(AuditAction::DoseReported, &caller.client).by(Some(caller.actor.user_id));
        event.to(patient.user_id).on(id).record(&transaction, now).await?;
    }
    let dose = get_by_id(&transaction, id).await?;
    transaction.commit().await?;
    Ok(dose)
}

/// Judges the doses of a course of a locked patient anew, in the order of their dates.
async fn judge_anew(
    transaction: &impl ConnectionTrait,
    context: &Vaccination,
    patient: &patients_table::Model,
    vaccine: &vaccines::Model,
    today: NaiveDate,
) -> Result<()> {
    let rules = context.schedules.rules(transaction, vaccine.course_id).await?;
    let doses = of_patient(transaction, patient.id).await?;
    let schedule = rules.schedule_for(Some(vaccine));
    let judge = Judge { schedule: &schedule, course: &rules.code, born: birth_date(patient), doses: &doses };
    let series: Vec<Progress<'_>> = schedule.series.iter().map(|series| judge.follow(series)).collect();
    let Some(best) = judge.best(&series, today) else { return Ok(()) };
    let own = Column::PatientId.eq(patient.id).and(Column::CourseId.eq(vaccine.course_id));
    // First none counts: a partial unique index is checked with each row.
    let none = Entity::update_many().col_expr(Column::DoseNumber, Expr::value(Option::<i32>::None));
    none.filter(own.clone()).filter(Column::DoseNumber.is_not_null()).exec(transaction).await?;
    for judged in &best.judged {
        let update = Entity::update_many()
            .col_expr(Column::DoseNumber, Expr::value(judged.number))
            .col_expr(Column::BrokenRule, Expr::value(judged.broken.map(BrokenRule::name)))
            .filter(Column::Id.eq(judged.dose.id))
            .filter(own.clone());
        update.exec(transaction).await?;
    }
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
    Ok(page.slice(doses, |dose| dose.id))
}

async fn get_by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Model> {
    Entity::find_by_id(id).one(db).await?.ok_or(Error::NotFound)
}
