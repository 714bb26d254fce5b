//! Dose histories: reads the doses that patients were given, and judges them anew when one is added or withdrawn, or the
//! birth date changes.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use entity::immunizations::{Column, Entity, Model};
use entity::{courses, patients, vaccines};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::db::QueryText;
use crate::domain::vaccination::course_rules::{CourseRules, Schedules};
use crate::domain::vaccination::dose_json::{self, DoseOutcome, StoredDose};
use crate::domain::vaccination::eligibility::{self, Facts, birth_date};
use crate::domain::vaccination::patients::is_pseudonymised;
use crate::domain::vaccination::schedule::{BrokenRule, GivenDose, Judge, Progress};
use crate::error::Result;

/// How often the doses of all courses are judged at most, until none changes: a dose depends on earlier doses of other
/// courses.
const ROUNDS: usize = 10;

/// Doses by patient, each by date.
pub(super) type Doses = HashMap<Uuid, Vec<GivenDose>>;

/// Reads the doses of a patient, of all courses, by date.
pub(super) async fn of_patient(db: &impl ConnectionTrait, patient_id: Uuid) -> Result<Vec<GivenDose>> {
    let stored = stored_doses(db, patient_id).await?;
    Ok(stored.into_iter().map(|stored| stored.dose).collect())
}

/// Reads the doses of patients, of all courses, by date.
pub(super) async fn of_patients(db: &impl ConnectionTrait, patients: &[Uuid]) -> Result<Doses> {
    let given = |stored: Vec<StoredDose>| stored.into_iter().map(|stored| stored.dose).collect();
    Ok(stored_doses_of(db, patients).await?.into_iter().map(|(id, stored)| (id, given(stored))).collect())
}

async fn stored_doses_of(db: &impl ConnectionTrait, patients: &[Uuid]) -> Result<HashMap<Uuid, Vec<StoredDose>>> {
    let of_patient = || Expr::col((Entity, Column::PatientId));
    let mut query = dose_json::query(db.get_database_backend());
    query
        .expr(of_patient())
        .and_where(of_patient().is_in(patients.iter().copied()))
        .group_by_col((Entity, Column::PatientId));
    let mut doses = HashMap::new();
    for row in db.query_all(&query).await? {
        let json: String = row.try_get_by_index(0)?;
        doses.insert(row.try_get_by_index(1)?, dose_json::read(&json)?);
    }
    Ok(doses)
}

async fn stored_doses(db: &impl ConnectionTrait, patient_id: Uuid) -> Result<Vec<StoredDose>> {
    static QUERY: QueryText = QueryText::new();
    let build = || {
        let of_patient = Expr::col((Entity, Column::PatientId)).eq(Uuid::nil());
        dose_json::query(db.get_database_backend()).and_where(of_patient).to_owned()
    };
    let row = db.query_one_raw(QUERY.statement(db, [patient_id.into()], build)).await?;
    let json: String = row.map_or_else(|| Ok("[]".to_owned()), |row| row.try_get_by_index(0))?;
    dose_json::read(&json)
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
    // Without the birth date, doses could not be judged as when they were given.
    if is_pseudonymised(patient) {
        return Ok(());
    }
    let stored = stored_doses(transaction, patient.id).await?;
    let catalogue = Catalogue::of(transaction, schedules, stored.iter()).await?;
    let outcomes = outcomes(birth_date(patient), &stored, &catalogue, today);
    store(transaction, &stored, outcomes, now).await
}

/// Judges doses, until none changes: a dose depends on earlier doses of other courses.
fn outcomes(
    born: Option<NaiveDate>,
    stored: &[StoredDose],
    catalogue: &Catalogue,
    today: NaiveDate,
) -> HashMap<Uuid, DoseOutcome> {
    let course_of: HashMap<Uuid, Uuid> = stored.iter().map(|stored| (stored.dose.id, stored.course_id)).collect();
    let mut doses: Vec<GivenDose> = stored.iter().map(|stored| stored.dose.clone()).collect();
    let courses = catalogue.of_patient(stored);
    let mut outcomes: HashMap<Uuid, DoseOutcome> = HashMap::new();
    for _ in 0..ROUNDS {
        for (course_id, rules, vaccine) in &courses {
            let own = |id: Uuid| course_of.get(&id) == Some(course_id);
            let name = |rule: BrokenRule| rule.name().to_owned();
            let schedule = rules.schedule_for(*vaccine);
            let judge = Judge { schedule: &schedule, course: &rules.code, born, doses: &doses };
            let series: Vec<Progress<'_>> = schedule.series.iter().map(|series| judge.follow(series)).collect();
            let Some(best) = judge.best(&series, today) else {
                let none = stored.iter().filter(|dose| dose.course_id == *course_id);
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
    outcomes
}

/// Judges rows of doses by the current schedules and birth dates: those that are stored follow only with the next dose. Rows of
/// erased accounts stay as they are.
pub(in crate::domain) async fn judged(
    db: &impl ConnectionTrait,
    schedules: &Schedules,
    mut rows: Vec<Model>,
    today: NaiveDate,
) -> Result<Vec<Model>> {
    let ids: BTreeSet<Uuid> = rows.iter().map(|row| row.patient_id).collect();
    if ids.is_empty() {
        return Ok(rows);
    }
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let people = patients::Entity::find().filter(patients::Column::Id.is_in(ids.iter().copied())).all(db).await?;
    let mut stored = stored_doses_of(db, &ids).await?;
    let catalogue = Catalogue::of(db, schedules, stored.values().flatten()).await?;
    let mut outcomes_of_rows: HashMap<Uuid, DoseOutcome> = HashMap::new();
    for patient in people.iter().filter(|patient| !is_pseudonymised(patient)) {
        let doses = stored.remove(&patient.id).unwrap_or_default();
        outcomes_of_rows.extend(outcomes(birth_date(patient), &doses, &catalogue, today));
    }
    for row in &mut rows {
        if let Some((number, rule)) = outcomes_of_rows.remove(&row.id) {
            (row.dose_number, row.broken_rule) = (number, rule);
        }
    }
    Ok(rows)
}

/// Whether a later dose counts in one of the courses for which a dose counts.
pub(super) async fn has_later(
    transaction: &impl ConnectionTrait,
    schedules: &Schedules,
    patient: &patients::Model,
    row: &Model,
    today: NaiveDate,
) -> Result<bool> {
    let doses = of_patient(transaction, patient.id).await?;
    let Some(dose) = doses.iter().find(|dose| dose.id == row.id) else { return Ok(false) };
    if is_pseudonymised(patient) {
        // By the stored numbers: without the birth date they cannot be judged.
        let later = Entity::find().filter(Column::PatientId.eq(patient.id)).filter(Column::CourseId.eq(row.course_id));
        let later = later.filter(Column::DoseNumber.gt(row.dose_number.unwrap_or(i32::MAX)));
        return Ok(later.one(transaction).await?.is_some());
    }
    let codes = courses::Column::Code.is_in(dose.courses.iter().map(String::as_str));
    for course in courses::Entity::find().filter(codes).all(transaction).await? {
        let rules = schedules.of(transaction, &course).await?;
        // As for all doses of a course: the vaccine of the last one decides, if there is no schedule.
        let last = doses.iter().rfind(|dose| dose.courses.contains(&course.code));
        let vaccine = match last.filter(|_| rules.schedule.is_none()) {
            Some(last) => vaccines::Entity::find_by_id(last.vaccine_id).one(transaction).await?,
            None => None,
        };
        let schedule = rules.schedule_for(vaccine.as_ref());
        let judge = Judge { schedule: &schedule, course: &rules.code, born: birth_date(patient), doses: &doses };
        let series: Vec<Progress<'_>> = schedule.series.iter().map(|series| judge.follow(series)).collect();
        let Some(best) = judge.best(&series, today) else { continue };
        let number = best.judged.iter().find(|judged| judged.dose.id == row.id).and_then(|judged| judged.number);
        if best.judged.iter().any(|judged| number.is_some() && judged.number > number) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The rules of the courses of some doses, and the vaccines that decide the rules of courses without a schedule.
struct Catalogue {
    courses: BTreeMap<Uuid, CourseRules>,
    vaccines: HashMap<Uuid, vaccines::Model>,
}

impl Catalogue {
    async fn of<'a>(
        db: &impl ConnectionTrait,
        schedules: &Schedules,
        stored: impl Iterator<Item = &'a StoredDose>,
    ) -> Result<Self> {
        let (mut courses, mut without) = (BTreeMap::new(), BTreeSet::new());
        for StoredDose { dose, course_id, schedule_version, .. } in stored {
            if *schedule_version == 0 {
                without.insert(dose.vaccine_id);
            }
            if let (Entry::Vacant(entry), Some(code)) = (courses.entry(*course_id), dose.courses.first()) {
                entry.insert(schedules.version(db, *course_id, code, *schedule_version).await?);
            }
        }
        let mut vaccines = HashMap::new();
        if !without.is_empty() {
            let found = vaccines::Entity::find().filter(vaccines::Column::Id.is_in(without)).all(db).await?;
            vaccines.extend(found.into_iter().map(|vaccine| (vaccine.id, vaccine)));
        }
        Ok(Self { courses, vaccines })
    }

    /// The courses of the doses of a patient, each with its rules and the vaccine of the last dose.
    fn of_patient(&self, stored: &[StoredDose]) -> Vec<(Uuid, &CourseRules, Option<&vaccines::Model>)> {
        let last: BTreeMap<Uuid, Uuid> =
            stored.iter().map(|stored| (stored.course_id, stored.dose.vaccine_id)).collect();
        let courses = last.into_iter().filter_map(|(id, vaccine)| Some((id, self.courses.get(&id)?, vaccine)));
        courses.map(|(id, rules, vaccine)| (id, rules, self.vaccines.get(&vaccine))).collect()
    }
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
    course: &CourseRules,
    patient: &patients::Model,
    vaccine: &vaccines::Model,
    today: NaiveDate,
) -> Result<Option<NextDose>> {
    let doses = of_patient(db, patient.id).await?;
    // With a schedule, any of its products will do.
    let wanted = Some(vaccine).filter(|_| course.schedule.is_none());
    let facts = Facts { vaccine: wanted, ..Facts::of_dose(patient, course, vaccine, &doses, None) };
    let judged = eligibility::judge(&facts, today);
    let next =
        |earliest_on| NextDose { dose_number: judged.dose_number, earliest_on, recommended_on: judged.recommended_on };
    Ok(judged.earliest_on.map(next))
}
