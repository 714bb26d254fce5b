//! Eligibility: the rules that decide whether a patient may have a dose on a day. [`judge`] is a function without queries, which
//! requests, bookings and the centre call with what they have read.

pub mod check;
mod rules;
mod subject;

pub(super) use rules::QUESTION;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use entity::{patients, vaccines};
use uuid::Uuid;

use crate::domain::vaccination::course_rules::CourseRules;
use crate::domain::vaccination::schedule::{BrokenRule, GivenDose, Judge, Plan, Progress, WantedProduct};

/// What the rules need to know.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Birth date of the patient, if its day, month and year are known.
    pub born: Option<NaiveDate>,
    /// The rules of the course.
    pub course: &'a CourseRules,
    /// The vaccine; none if any vaccine of the course will do. Without a schedule of the course, it decides the rules.
    pub vaccine: Option<&'a vaccines::Model>,
    /// Doses of the patient by date, of all courses.
    pub doses: &'a [GivenDose],
    /// Number of the dose in its course; none for the next one.
    pub dose_number: Option<i32>,
    /// Dose numbers of the other open requests for the course.
    pub open_requests: &'a [i32],
    /// Whether another booking of the patient overlaps with the slot.
    pub has_overlapping_booking: bool,
    /// Answers to the questions of the course.
    pub answers: Answers<'a>,
}

/// Answers to the questions of a course by the id of the question: whether it is yes.
pub type GivenAnswers = BTreeMap<String, bool>;

/// Answers to the questions of a course.
#[derive(Clone, Copy, Debug, Default)]
pub enum Answers<'a> {
    /// Nobody was asked yet.
    #[default]
    NotAsked,
    /// The answers that were given. A question without an answer is open.
    Given(&'a GivenAnswers),
}

/// Whether a patient may have a dose on a day, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Eligibility {
    /// The outcome of all rules together.
    pub verdict: Verdict,
    /// Number of the dose in its course.
    pub dose_number: i32,
    /// The day.
    pub on: NaiveDate,
    /// First day on which all rules pass. It may be past. None if they pass on no day from `on` on.
    pub earliest_on: Option<NaiveDate>,
    /// Day that the schedule recommends.
    pub recommended_on: Option<NaiveDate>,
    /// Last day on which all rules pass, if there is one.
    pub latest_on: Option<NaiveDate>,
    /// Code of the course.
    pub course: String,
    /// Version of the schedule; none if it follows from the vaccine.
    pub schedule_version: Option<i32>,
    /// Name of the series that was chosen.
    pub series: Option<String>,
    /// The doses of the course by date.
    pub history: Vec<PastDose>,
    /// The rules.
    pub rules: Vec<Rule>,
}

/// A dose that was given, and whether it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastDose {
    /// Id of the immunization.
    pub immunization_id: Uuid,
    /// Day.
    pub on: NaiveDate,
    /// Number in the course, if it counts.
    pub dose_number: Option<i32>,
    /// The rule that it breaks.
    pub rule: Option<&'static str>,
}

/// Outcome of all rules together, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// No rule failed.
    Eligible,
    /// No rule failed, but something is not known.
    Unknown,
    /// A rule failed.
    NotEligible,
}

/// A rule and its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Name of the rule, for programs.
    pub rule: &'static str,
    /// Outcome.
    pub outcome: Outcome,
    /// The rule with its figures, for people.
    pub message: String,
    /// First day on which it passes, if that depends on the day.
    pub earliest_on: Option<NaiveDate>,
}

/// Outcome of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The rule allows the dose.
    Passed,
    /// The rule forbids the dose.
    Failed,
    /// The dose is not planned for that day, but counts if it is given.
    Grace,
    /// Something that the rule needs is not known.
    Unknown,
    /// There is no such rule.
    NotApplicable,
}

impl<'a> Facts<'a> {
    /// What the rules need to know about a dose of a vaccine, before the patient comes to the centre.
    #[must_use]
    pub fn of_dose(
        patient: &patients::Model,
        course: &'a CourseRules,
        vaccine: &'a vaccines::Model,
        doses: &'a [GivenDose],
        dose_number: Option<i32>,
    ) -> Self {
        Self {
            born: birth_date(patient),
            course,
            vaccine: Some(vaccine),
            doses,
            dose_number,
            open_requests: &[],
            has_overlapping_booking: false,
            answers: Answers::NotAsked,
        }
    }
}

impl Eligibility {
    /// Whether the patient can have the dose neither on the day nor later.
    #[must_use]
    pub fn is_never(&self) -> bool {
        self.verdict == Verdict::NotEligible && self.earliest_on.is_none()
    }

    /// Whether a dose that is recorded makes this one pointless.
    #[must_use]
    pub fn is_superseded(&self) -> bool {
        let fails = |name| self.rules.iter().any(|rule| rule.rule == name && rule.outcome == Outcome::Failed);
        fails("already_given") || (fails("series_open") && !self.history.is_empty())
    }

    /// The rules for which staff need a reason if they give the dose all the same: it is too early, or an answer to a
    /// question of the course leaves the decision to staff.
    ///
    /// # Errors
    /// The outcome itself, if a rule does not pass that staff cannot set aside.
    pub fn rules_to_override(&self) -> Result<Vec<&'static str>, Box<Self>> {
        let is_question = |rule: &Rule| rule.rule == rules::QUESTION && rule.outcome == Outcome::Unknown;
        let stops = |rule: &&Rule| matches!(rule.outcome, Outcome::Failed | Outcome::Grace) || is_question(rule);
        let stopping: Vec<&Rule> = self.rules.iter().filter(stops).collect();
        if stopping.iter().all(|rule| rules::TOO_EARLY.contains(&rule.rule) || is_question(rule)) {
            Ok(stopping.into_iter().map(|rule| rule.rule).collect())
        } else {
            Err(Box::new(self.clone()))
        }
    }
}

/// Judges a dose on a day.
#[must_use]
pub fn judge(facts: &Facts<'_>, on: NaiveDate) -> Eligibility {
    let schedule = facts.course.schedule_for(facts.vaccine);
    let judge = Judge { schedule: &schedule, course: &facts.course.code, born: facts.born, doses: facts.doses };
    let series: Vec<Progress<'_>> = schedule.series.iter().map(|series| judge.follow(series)).collect();
    let best = judge.best(&series, on);
    let next_number = best.map_or(1, |progress| progress.counted() + 1);
    let plan = Plan {
        judge,
        series: &series,
        number: facts.dose_number.unwrap_or(next_number),
        product: facts.vaccine.map(|vaccine| WantedProduct {
            vaccine_id: vaccine.id,
            cvx: vaccine.cvx_code.as_deref(),
            manufacturer: &vaccine.manufacturer,
        }),
    };
    let rules = rules::rules(facts, &plan, on);
    let has = |outcome| rules.iter().any(|rule| rule.outcome == outcome);
    let verdict = match (has(Outcome::Failed) || has(Outcome::Grace), has(Outcome::Unknown)) {
        (true, _) => Verdict::NotEligible,
        (false, true) => Verdict::Unknown,
        (false, false) => Verdict::Eligible,
    };
    // These rules fail on each day.
    let always = ["vaccine_active", "request_open", "overlapping_booking"];
    let is_impossible = rules.iter().any(|rule| rule.outcome == Outcome::Failed && always.contains(&rule.rule));
    let (earliest_on, latest_on) = if is_impossible { (None, None) } else { plan.days(on) };
    Eligibility {
        verdict,
        dose_number: plan.number,
        on,
        earliest_on,
        recommended_on: earliest_on.map(|earliest| plan.recommended(on).map_or(earliest, |day| day.max(earliest))),
        latest_on,
        course: facts.course.code.clone(),
        schedule_version: Some(facts.course.version).filter(|version| *version > 0),
        series: best.map(|progress| progress.series.name.clone()),
        history: best.map_or(Vec::new(), history),
        rules,
    }
}

/// The doses of the course in the series that was chosen.
fn history(progress: &Progress<'_>) -> Vec<PastDose> {
    let past = progress.judged.iter().map(|judged| PastDose {
        immunization_id: judged.dose.id,
        on: judged.dose.on,
        dose_number: judged.number,
        rule: judged.broken.map(BrokenRule::name),
    });
    past.collect()
}

/// The birth date, if its day, month and year are known.
#[must_use]
pub fn birth_date(patient: &patients::Model) -> Option<NaiveDate> {
    date_of_parts([patient.birth_year, patient.birth_month, patient.birth_day])
}

/// The date of a year, a month and a day, if all are known.
pub(super) fn date_of_parts([year, month, day]: [Option<i16>; 3]) -> Option<NaiveDate> {
    let part = |part: Option<i16>| part.and_then(|part| u32::try_from(part).ok());
    NaiveDate::from_ymd_opt(year?.into(), part(month)?, part(day)?)
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveDate, Utc};
    use entity::{PatientRelation, patients, vaccines};
    use uuid::Uuid;

    use super::{Answers, Eligibility, Facts, Verdict, judge};
    use crate::domain::vaccination::course_rules::CourseRules;

    fn judged(
        born: Option<(i16, i16, i16)>,
        limits: (Option<i32>, Option<i32>),
        dose_number: i32,
        on: &str,
    ) -> Eligibility {
        let patient = patients::Model {
            id: Uuid::nil(),
            user_id: None,
            contact_id: None,
            relation: PatientRelation::Own,
            name: None,
            given_name: None,
            family_name: None,
            birth_year: born.map(|born| born.0),
            birth_month: born.map(|born| born.1),
            birth_day: born.map(|born| born.2),
            open_requests: 0,
            created_at: Utc::now(),
            updated_at: Utc::now(),
        };
        let vaccine = vaccines::Model {
            id: Uuid::nil(),
            code: "X".to_owned(),
            name: "X".to_owned(),
            manufacturer: "X".to_owned(),
            doses: 2,
            min_interval_days: 0,
            min_age_months: limits.0,
            max_age_months: limits.1,
            active: true,
            course_id: Uuid::nil(),
            cvx_code: None,
            also_counts_for: "[]".to_owned(),
        };
        let facts = Facts {
            born: super::birth_date(&patient),
            course: &CourseRules { code: "X".to_owned(), version: 0, schedule: None },
            vaccine: Some(&vaccine),
            doses: &[],
            dose_number: Some(dose_number),
            open_requests: &[],
            has_overlapping_booking: false,
            answers: Answers::NotAsked,
        };
        judge(&facts, on.parse().unwrap())
    }

    #[test]
    fn age_limits_begin_and_end_on_a_day() {
        let limits = (Some(6), Some(12));
        let born = Some((2025, 10, 31));
        for (on, verdict) in [
            ("2026-04-30", Verdict::NotEligible),
            ("2026-05-01", Verdict::Eligible),
            // Twelve months old until the day before thirteen months.
            ("2026-11-30", Verdict::Eligible),
            ("2026-12-01", Verdict::NotEligible),
        ] {
            assert_eq!(judged(born, limits, 1, on).verdict, verdict, "{on}");
        }
        let early = judged(born, limits, 1, "2025-12-01");
        let date = |text: &str| text.parse::<NaiveDate>().ok();
        assert_eq!((early.earliest_on, early.latest_on), (date("2026-05-01"), date("2026-11-30")));
        assert!(!early.is_never());
        assert!(judged(born, limits, 1, "2027-01-01").is_never());
    }

    #[test]
    fn an_unknown_birth_date_leaves_a_limited_age_unknown() {
        assert_eq!(judged(None, (Some(6), None), 1, "2026-01-01").verdict, Verdict::Unknown);
        assert_eq!(judged(None, (None, None), 1, "2026-01-01").verdict, Verdict::Eligible);
        assert!(judged(None, (None, None), 3, "2026-01-01").is_never());
    }
}
