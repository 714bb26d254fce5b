//! Dose histories: reads the doses that patients were given, and judges them anew when one is added or withdrawn, or the
//! birth date changes.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use entity::immunizations::{Column, Entity};
use entity::{courses, patients, vaccine_requests as requests, vaccines};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement, UnionType};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter};
use uuid::Uuid;

use crate::db::QueryText;
use crate::domain::vaccination::context::Vaccination;
use crate::domain::vaccination::course_rules::{CourseRules, Schedules};
use crate::domain::vaccination::eligibility::{self, Facts, birth_date};
use crate::domain::vaccination::schedule::{BrokenRule, GivenDose, Judge, Progress};
use crate::error::{Error, Result};

/// How often the doses of all courses are judged at most, until none changes: a dose depends on earlier doses of other
/// courses.
const ROUNDS: usize = 10;

/// Doses by patient, each by date.
pub(super) type Doses = HashMap<Uuid, Vec<GivenDose>>;

/// A dose with its outcome as it is stored.
struct StoredDose {
    dose: GivenDose,
    course_id: Uuid,
    outcome: DoseOutcome,
}

/// Number of a dose, if it counts, and the rule that it breaks.
type DoseOutcome = (Option<i32>, Option<String>);

/// Reads the doses of a patient, of all courses, by date.
pub(super) async fn of_patient(db: &impl ConnectionTrait, patient_id: Uuid) -> Result<Vec<GivenDose>> {
    let stored = stored_doses(db, patient_id).await?;
    Ok(stored.into_iter().map(|stored| stored.dose).collect())
}

/// Reads the doses of patients, of all courses, by date.
pub(super) async fn of_patients(db: &impl ConnectionTrait, patients: &[Uuid]) -> Result<Doses> {
    let mut query = query();
    query.and_where(Expr::col((Entity, Column::PatientId)).is_in(patients.iter().copied()));
    let mut doses = Doses::new();
    for row in db.query_all(&query).await? {
        let patient_id = row.try_get_by_index(0)?;
        doses.entry(patient_id).or_default().push(read(&row)?.dose);
    }
    doses.values_mut().for_each(|doses| doses.sort_by(by_date));
    Ok(doses)
}

async fn stored_doses(db: &impl ConnectionTrait, patient_id: Uuid) -> Result<Vec<StoredDose>> {
    static QUERY: QueryText = QueryText::new();
    let build = || query().and_where(Expr::col((Entity, Column::PatientId)).eq(Uuid::nil())).to_owned();
    let rows = db.query_all_raw(QUERY.statement(db, [patient_id.into()], build)).await?;
    let mut doses = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    doses.sort_by(|one, other| by_date(&one.dose, &other.dose));
    Ok(doses)
}

/// Reads the doses of a patient, of all courses, by date, and the dose numbers of their open requests for a course, by one
/// statement.
pub(super) async fn with_open_requests(
    db: &impl ConnectionTrait,
    patient_id: Uuid,
    course_id: Uuid,
) -> Result<(Vec<GivenDose>, Vec<i32>)> {
    static QUERY: QueryText = QueryText::new();
    let build = || {
        let doses = query().and_where(Expr::col((Entity, Column::PatientId)).eq(Uuid::nil())).to_owned();
        doses.clone().union(UnionType::All, open_requests()).to_owned()
    };
    let values = [patient_id.into(), patient_id.into(), course_id.into()];
    let (mut doses, mut numbers) = (Vec::new(), Vec::new());
    for row in db.query_all_raw(QUERY.statement(db, values, build)).await? {
        // A request has no vaccine here.
        match row.try_get_by_index::<Option<Uuid>>(2)? {
            Some(_) => doses.push(read(&row)?.dose),
            None => numbers.push(row.try_get_by_index(8)?),
        }
    }
    doses.sort_by(by_date);
    Ok((doses, numbers))
}

/// The open requests of a patient for a course, as rows of [`query`].
fn open_requests() -> SelectStatement {
    let of = |column| Expr::col((requests::Entity, column));
    let none = || Expr::cust("NULL");
    Query::select()
        .expr(of(requests::Column::PatientId))
        .exprs([none(), none(), none(), none(), none(), none(), none()])
        .expr(of(requests::Column::DoseNumber))
        .exprs([none(), none()])
        .from(requests::Entity)
        .and_where(of(requests::Column::PatientId).eq(Uuid::nil()))
        .and_where(of(requests::Column::CourseId).eq(Uuid::nil()))
        // Not a parameter: otherwise SQLite does not use the partial index.
        .and_where(Expr::cust("vaccine_requests.status IN ('pending', 'approved', 'booked')"))
        .to_owned()
}

/// Doses of one day by their code, so that the order in which they were recorded does not matter.
fn by_date(one: &GivenDose, other: &GivenDose) -> std::cmp::Ordering {
    (one.on, &one.cvx, one.id).cmp(&(other.on, &other.cvx, other.id))
}

/// The statement that reads doses, with the columns that [`read`] reads, in that order.
fn query() -> SelectStatement {
    let of = |column| Expr::col((Entity, column));
    let of_vaccine = |column| Expr::col((vaccines::Entity, column));
    Query::select()
        .expr(of(Column::PatientId))
        .expr(of(Column::Id))
        .expr(of(Column::VaccineId))
        .expr(of_vaccine(vaccines::Column::CvxCode))
        .expr(of_vaccine(vaccines::Column::Manufacturer))
        .expr(Expr::col((courses::Entity, courses::Column::Code)))
        .expr(of_vaccine(vaccines::Column::AlsoCountsFor))
        .expr(of(Column::AdministeredOn))
        .expr(of(Column::DoseNumber))
        .expr(of(Column::BrokenRule))
        .expr(of(Column::CourseId))
        .from(Entity)
        .join(JoinType::InnerJoin, vaccines::Entity, of_vaccine(vaccines::Column::Id).eq(of(Column::VaccineId)))
        .join(
            JoinType::InnerJoin,
            courses::Entity,
            Expr::col((courses::Entity, courses::Column::Id)).eq(of(Column::CourseId)),
        )
        // Not a parameter: otherwise SQLite does not use a partial index.
        .and_where(Expr::cust("immunizations.status = 'completed'"))
        .to_owned()
}

fn read(row: &sea_orm::QueryResult) -> Result<StoredDose> {
    let course: String = row.try_get_by_index(5)?;
    let also: String = row.try_get_by_index(6)?;
    let also: Vec<String> = match also.as_str() {
        "[]" => Vec::new(),
        also => serde_json::from_str(also).map_err(Error::internal)?,
    };
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
    Ok(StoredDose { dose, course_id: row.try_get_by_index(10)?, outcome: (number, row.try_get_by_index(9)?) })
}

/// Judges all doses of a locked patient anew, each course in the order of the dates, and stores what has changed.
///
/// # Errors
/// Database errors.
pub async fn judge_anew(
    transaction: &impl ConnectionTrait,
    schedules: &Schedules,
    patient: &patients::Model,
    today: NaiveDate,
    now: DateTime<Utc>,
) -> Result<()> {
    let stored = stored_doses(transaction, patient.id).await?;
    let courses = courses_of(transaction, schedules, &stored).await?;
    let born = birth_date(patient);
    let mut doses: Vec<GivenDose> = stored.iter().map(|stored| stored.dose.clone()).collect();
    let mut outcomes: HashMap<Uuid, DoseOutcome> = HashMap::new();
    for _ in 0..ROUNDS {
        for course in &courses {
            let own = |id: Uuid| stored.iter().any(|dose| dose.dose.id == id && dose.course_id == course.id);
            let schedule = course.rules.schedule_for(Some(&course.vaccine));
            let judge = Judge { schedule: &schedule, course: &course.rules.code, born, doses: &doses };
            let series: Vec<Progress<'_>> = schedule.series.iter().map(|series| judge.follow(series)).collect();
            let name = |rule: BrokenRule| rule.name().to_owned();
            let Some(best) = judge.best(&series, today) else {
                let none = stored.iter().filter(|dose| dose.course_id == course.id);
                outcomes.extend(none.map(|dose| (dose.dose.id, (None, Some(name(BrokenRule::SeriesOpen))))));
                continue;
            };
            let judged = best.judged.iter().filter(|judged| own(judged.dose.id));
            outcomes.extend(judged.map(|judged| (judged.dose.id, (judged.number, judged.broken.map(name)))));
        }
        let counts = |id: Uuid| outcomes.get(&id).is_some_and(|(number, _)| number.is_some());
        if doses.iter().all(|dose| dose.counts == counts(dose.id)) {
            break;
        }
        for dose in &mut doses {
            dose.counts = counts(dose.id);
        }
    }
    store(transaction, &stored, outcomes, now).await
}

/// A course with doses: its rules, and the vaccine of its last dose, which decides them if the course has no schedule.
struct JudgedCourse {
    id: Uuid,
    rules: CourseRules,
    vaccine: vaccines::Model,
}

async fn courses_of(
    db: &impl ConnectionTrait,
    schedules: &Schedules,
    stored: &[StoredDose],
) -> Result<Vec<JudgedCourse>> {
    let last: BTreeMap<Uuid, Uuid> = stored.iter().map(|stored| (stored.course_id, stored.dose.vaccine_id)).collect();
    let mut vaccines: HashMap<Uuid, vaccines::Model> = vaccines::Entity::find()
        .filter(vaccines::Column::Id.is_in(last.values().copied()))
        .all(db)
        .await?
        .into_iter()
        .map(|vaccine| (vaccine.id, vaccine))
        .collect();
    let mut courses = Vec::with_capacity(last.len());
    for (id, vaccine_id) in last {
        let vaccine = vaccines.remove(&vaccine_id).ok_or_else(|| Error::internal("a dose has no vaccine"))?;
        courses.push(JudgedCourse { id, rules: schedules.rules(db, id).await?, vaccine });
    }
    Ok(courses)
}

async fn store(
    transaction: &impl ConnectionTrait,
    stored: &[StoredDose],
    mut outcomes: HashMap<Uuid, DoseOutcome>,
    now: DateTime<Utc>,
) -> Result<()> {
    let judged = stored.iter().map(|stored| (stored, outcomes.remove(&stored.dose.id).unwrap_or_default()));
    let changed: Vec<_> = judged.filter(|(stored, outcome)| stored.outcome != *outcome).collect();
    let numbered = changed.iter().filter(|(stored, _)| stored.outcome.0.is_some()).map(|(stored, _)| stored.dose.id);
    let numbered: Vec<Uuid> = numbered.collect();
    if !numbered.is_empty() {
        // First none of them counts: a partial unique index is checked with each row.
        let none = Entity::update_many().col_expr(Column::DoseNumber, Expr::value(Option::<i32>::None));
        none.filter(Column::Id.is_in(numbered)).exec(transaction).await?;
    }
    for (stored, (number, rule)) in changed {
        let update = Entity::update_many()
            .col_expr(Column::DoseNumber, Expr::value(number))
            .col_expr(Column::BrokenRule, Expr::value(rule))
            .col_expr(Column::UpdatedAt, Expr::value(now))
            .filter(Column::Id.eq(stored.dose.id));
        update.exec(transaction).await?;
    }
    Ok(())
}

/// The dose that comes next in a course.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextDose {
    /// Number of the dose in the course.
    pub dose_number: i32,
    /// First day on which all rules pass.
    pub earliest_on: NaiveDate,
    /// Day that the schedule recommends.
    pub recommended_on: Option<NaiveDate>,
}

/// The dose of a course that comes next for a patient; none if the course is complete, or no day is known.
pub(super) async fn next_dose(
    db: &impl ConnectionTrait,
    context: &Vaccination,
    patient: &patients::Model,
    vaccine: &vaccines::Model,
    today: NaiveDate,
) -> Result<Option<NextDose>> {
    let course = context.schedules.rules(db, vaccine.course_id).await?;
    let doses = of_patient(db, patient.id).await?;
    // With a schedule, any of its products will do.
    let wanted = Some(vaccine).filter(|_| course.schedule.is_none());
    let facts = Facts { vaccine: wanted, ..Facts::of_dose(patient, &course, vaccine, &doses, None) };
    let judged = eligibility::judge(&facts, today);
    let next =
        |earliest_on| NextDose { dose_number: judged.dose_number, earliest_on, recommended_on: judged.recommended_on };
    Ok(judged.earliest_on.map(next))
}
