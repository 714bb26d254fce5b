//! Doses as JSON: the database returns all doses of a patient as one value, because each row takes as long as twenty doses in
//! one.

use std::borrow::Cow;

use chrono::NaiveDate;
use entity::immunizations::{Column, Entity};
use entity::{courses, vaccines};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{DbBackend, JoinType};
use serde::Deserialize;
use uuid::Uuid;

use crate::domain::vaccination::course_rules::CourseRules;
use crate::domain::vaccination::schedule::GivenDose;
use crate::error::{Error, Result};

/// A dose with its outcome as it is stored.
pub(super) struct StoredDose {
    pub dose: GivenDose,
    pub course_id: Uuid,
    /// Version of the schedule of the course.
    pub schedule_version: i32,
    pub outcome: DoseOutcome,
}

/// Number of a dose, if it counts, and the rule that it breaks.
pub(super) type DoseOutcome = (Option<i32>, Option<String>);

/// The statement that reads doses of all courses as the value that [`read`] reads.
pub(super) fn query(backend: DbBackend) -> SelectStatement {
    select(match backend {
        DbBackend::Sqlite => SQLITE_DOSES,
        _ => POSTGRES_DOSES,
    })
}

/// The doses of the row of an outer query of `patients` and `courses`, as an expression whose value [`read_for`] reads.
pub(super) fn of_row(backend: DbBackend) -> Expr {
    let mut doses = select(match backend {
        DbBackend::Sqlite => SQLITE_DOSES_FOR_COURSE,
        _ => POSTGRES_DOSES_FOR_COURSE,
    });
    let of_patient = Expr::cust("immunizations.patient_id = patients.id");
    Expr::SubQuery(None, Box::new(doses.and_where(of_patient).to_owned().into()))
}

fn select(doses: &'static str) -> SelectStatement {
    let of_vaccine = |column| Expr::col((vaccines::Entity, column));
    let of_dose = |column| Expr::col((Entity, column));
    let of_course = Expr::col((DOSE_COURSES, courses::Column::Id));
    Query::select()
        .expr(Expr::cust(doses))
        .from(Entity)
        .join(JoinType::InnerJoin, vaccines::Entity, of_vaccine(vaccines::Column::Id).eq(of_dose(Column::VaccineId)))
        .join_as(JoinType::InnerJoin, courses::Entity, DOSE_COURSES, of_course.eq(of_dose(Column::CourseId)))
        // Not a parameter: otherwise SQLite does not use a partial index.
        .and_where(Expr::cust("immunizations.status = 'completed'"))
        .to_owned()
}

/// The courses of the doses, beside the `courses` of an outer query.
const DOSE_COURSES: &str = "dose_courses";

/// The members of [`DoseJson`], in their order.
const SQLITE_DOSES: &str = "json_group_array(json_array(hex(immunizations.id), hex(immunizations.vaccine_id), \
    hex(immunizations.course_id), vaccines.cvx_code, vaccines.manufacturer, dose_courses.code, vaccines.also_counts_for, \
    immunizations.administered_on, immunizations.dose_number, immunizations.broken_rule, dose_courses.schedule_version))";
const POSTGRES_DOSES: &str = "CAST(COALESCE(json_agg(json_build_array(immunizations.id, immunizations.vaccine_id, \
    immunizations.course_id, vaccines.cvx_code, vaccines.manufacturer, dose_courses.code, vaccines.also_counts_for, \
    immunizations.administered_on, immunizations.dose_number, immunizations.broken_rule, dose_courses.schedule_version)), \
    '[]') AS text)";

/// The members of [`CourseDoseJson`], in their order.
const SQLITE_DOSES_FOR_COURSE: &str = "json_group_array(json_array(immunizations.administered_on, dose_courses.code, \
    vaccines.cvx_code, immunizations.dose_number, \
    CASE WHEN immunizations.course_id = courses.id OR vaccines.also_counts_for <> '[]' THEN json_array(\
    hex(immunizations.id), hex(immunizations.vaccine_id), vaccines.manufacturer, vaccines.also_counts_for) END))";
const POSTGRES_DOSES_FOR_COURSE: &str = "CAST(COALESCE(json_agg(json_build_array(immunizations.administered_on, \
    dose_courses.code, vaccines.cvx_code, immunizations.dose_number, \
    CASE WHEN immunizations.course_id = courses.id OR vaccines.also_counts_for <> '[]' THEN json_build_array(\
    immunizations.id, immunizations.vaccine_id, vaccines.manufacturer, vaccines.also_counts_for) END)), '[]') AS text)";

/// A dose: id, vaccine, course, CVX code, manufacturer, code of the course, codes of other courses as JSON, day, number, broken
/// rule, version of the schedule.
#[derive(Deserialize)]
struct DoseJson<'a>(
    &'a str,
    &'a str,
    &'a str,
    Option<&'a str>,
    #[serde(borrow)] Cow<'a, str>,
    #[serde(borrow)] Cow<'a, str>,
    #[serde(borrow)] Cow<'a, str>,
    NaiveDate,
    Option<i32>,
    Option<&'a str>,
    i32,
);

/// A dose for the rules of a course: day, code of its course, CVX code, number, and the rest if it can count for the course.
#[derive(Deserialize)]
struct CourseDoseJson<'a>(
    NaiveDate,
    #[serde(borrow)] Cow<'a, str>,
    Option<&'a str>,
    Option<i32>,
    #[serde(borrow)] Option<CountingDoseJson<'a>>,
);

/// Members of a dose that decide if it counts: id, vaccine, manufacturer, codes of other courses as JSON.
#[derive(Deserialize)]
struct CountingDoseJson<'a>(&'a str, &'a str, #[serde(borrow)] Cow<'a, str>, #[serde(borrow)] Cow<'a, str>);

/// Reads the value of [`query`], by date.
pub(super) fn read(json: &str) -> Result<Vec<StoredDose>> {
    let doses: Vec<DoseJson<'_>> = serde_json::from_str(json).map_err(Error::internal)?;
    let mut doses = doses.into_iter().map(StoredDose::try_from).collect::<Result<Vec<_>>>()?;
    doses.sort_by(|one, other| order(&one.dose).cmp(&order(&other.dose)));
    Ok(doses)
}

/// Reads the value of [`of_row`]: by date, the doses on which a rule of the course can depend. Those that only conflict have
/// no id and no product.
pub(super) fn read_for(json: &str, course: &CourseRules) -> Result<Vec<GivenDose>> {
    let doses: Vec<CourseDoseJson<'_>> = serde_json::from_str(json).map_err(Error::internal)?;
    let conflicts = course.schedule.as_ref().map_or(&[][..], |schedule| &schedule.conflicts);
    let matters =
        |dose: &CourseDoseJson<'_>| dose.4.is_some() || conflicts.iter().any(|rule| rule.names(&dose.1, dose.2));
    let mut doses = doses.into_iter().filter(matters).map(GivenDose::try_from).collect::<Result<Vec<_>>>()?;
    doses.sort_by(|one, other| order(one).cmp(&order(other)));
    Ok(doses)
}

/// Doses of one day by their code, so that the order in which they were recorded does not matter.
fn order(dose: &GivenDose) -> (NaiveDate, &Option<String>, Uuid) {
    (dose.on, &dose.cvx, dose.id)
}

impl TryFrom<DoseJson<'_>> for StoredDose {
    type Error = Error;

    fn try_from(row: DoseJson<'_>) -> Result<Self> {
        let DoseJson(id, vaccine_id, course_id, cvx, manufacturer, course, also, on, number, rule, schedule_version) =
            row;
        let dose = GivenDose {
            id: id_of(id)?,
            vaccine_id: id_of(vaccine_id)?,
            cvx: cvx.map(str::to_owned),
            manufacturer: manufacturer.into_owned(),
            courses: courses_of(course, &also)?,
            on,
            counts: number.is_some(),
        };
        Ok(Self { dose, course_id: id_of(course_id)?, schedule_version, outcome: (number, rule.map(str::to_owned)) })
    }
}

impl TryFrom<CourseDoseJson<'_>> for GivenDose {
    type Error = Error;

    fn try_from(row: CourseDoseJson<'_>) -> Result<Self> {
        let CourseDoseJson(on, course, cvx, number, counting) = row;
        let (id, vaccine_id, manufacturer, courses) = match counting {
            Some(CountingDoseJson(id, vaccine_id, manufacturer, also)) => {
                (id_of(id)?, id_of(vaccine_id)?, manufacturer.into_owned(), courses_of(course, &also)?)
            }
            None => (Uuid::nil(), Uuid::nil(), String::new(), vec![course.into_owned()]),
        };
        let cvx = cvx.map(str::to_owned);
        Ok(Self { id, vaccine_id, cvx, manufacturer, courses, on, counts: number.is_some() })
    }
}

/// The courses for which a dose can count: its own, and those of a combination as JSON.
fn courses_of(course: Cow<'_, str>, also: &str) -> Result<Vec<String>> {
    let mut courses = vec![course.into_owned()];
    if also != "[]" {
        courses.extend(serde_json::from_str::<Vec<String>>(also).map_err(Error::internal)?);
    }
    Ok(courses)
}

fn id_of(text: &str) -> Result<Uuid> {
    Uuid::try_parse(text).map_err(Error::internal)
}
