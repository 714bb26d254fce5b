//! Eligibility: the rules that decide whether a patient may have a dose on a day. One function without queries, which
//! requests, bookings and the centre call with what they have read.

use chrono::NaiveDate;
use entity::{patients, vaccines};
use uuid::Uuid;

use crate::domain::vaccination::course_rules::CourseRules;
use crate::domain::vaccination::schedule::{
    BrokenRule, DoseRule, GivenDose, Judge, Limit, Next, Plan, Progress, SameDay, Schedule, WantedProduct,
};

/// What the rules need to know.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The patient.
    pub patient: &'a patients::Model,
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

impl Eligibility {
    /// Whether the patient can have the dose neither on the day nor later.
    #[must_use]
    pub fn is_never(&self) -> bool {
        self.verdict == Verdict::NotEligible && self.earliest_on.is_none()
    }
}

/// Judges a dose on a day.
#[must_use]
pub fn judge(facts: &Facts<'_>, on: NaiveDate) -> Eligibility {
    let born = birth_date(facts.patient);
    let schedule = facts.course.schedule_for(facts.vaccine);
    let judge = Judge { schedule: &schedule, course: &facts.course.code, born, doses: facts.doses };
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
    let rules = rules(facts, &plan, on);
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

/// The rules, in a fixed order.
fn rules(facts: &Facts<'_>, plan: &Plan<'_>, on: NaiveDate) -> Vec<Rule> {
    let next = plan.next(on);
    let dose = next.and_then(|next| next.rule);
    let is_born = plan.judge.born.is_some();
    let age_minimum = dose.and_then(|dose| {
        let age = dose.age.planned_from()?;
        Some((plan.age_minimum(dose), format!("The minimum age is {age}.")))
    });
    let age_maximum = dose.and_then(|dose| {
        let age = dose.age.maximum?;
        Some((plan.age_maximum(dose), format!("The age must be less than {age}.")))
    });
    let interval = next.zip(dose).and_then(|(next, dose)| {
        let limit = plan.interval(next, dose, on);
        let from = limit.from?;
        let last = next.progress.last().map(|last| last.on).unwrap_or(from);
        Some((limit, format!("The last dose was on {last}. The minimum interval ends on {from}.")))
    });
    let conflict = plan.conflict(on, SameDay::Allowed);
    let conflict = conflict.from.map(|from| {
        (conflict, format!("Another vaccine was given before. The minimum interval after it ends on {from}."))
    });
    let window = plan
        .judge
        .schedule
        .window
        .map(|window| (plan.window(), format!("Doses are given from {} to {}.", window.from, window.until)));
    vec![
        vaccine_active(facts.vaccine),
        birth_date_known(plan.judge.schedule, is_born),
        series_open(plan, next),
        already_given(next, plan.number),
        previous_dose(next, plan.number, on),
        limited("age_minimum", age_minimum, is_born, on),
        limited("age_maximum", age_maximum, is_born, on),
        limited("interval", interval, true, on),
        product(plan, dose, on),
        limited("conflict", conflict, true, on),
        limited("window", window, true, on),
        fixed(
            "request_open",
            !facts.open_requests.contains(&plan.number),
            ["No other request for this dose is open.", "Another request for this dose is open."],
        ),
        fixed(
            "overlapping_booking",
            !facts.has_overlapping_booking,
            ["No other booking is at the same time.", "Another booking is at the same time."],
        ),
    ]
}

/// A rule that does not depend on the day, with its messages if it passes and if it fails.
fn fixed(rule: &'static str, passes: bool, [passed, failed]: [&str; 2]) -> Rule {
    let (outcome, message) = if passes { (Outcome::Passed, passed) } else { (Outcome::Failed, failed) };
    Rule { rule, outcome, message: message.to_owned(), earliest_on: None }
}

fn not_applicable(rule: &'static str, message: &str) -> Rule {
    Rule { rule, outcome: Outcome::NotApplicable, message: message.to_owned(), earliest_on: None }
}

/// A rule that limits the day. Without a limit it does not apply. `is_known` tells whether what it depends on is known.
fn limited(rule: &'static str, limit: Option<(Limit, String)>, is_known: bool, on: NaiveDate) -> Rule {
    let Some((limit, message)) = limit else { return not_applicable(rule, "There is no such limit.") };
    let outcome = match (is_known, limit.passes(on)) {
        (false, _) => Outcome::Unknown,
        (true, true) => Outcome::Passed,
        (true, false) if limit.is_grace(on) => Outcome::Grace,
        (true, false) => Outcome::Failed,
    };
    Rule { rule, outcome, message, earliest_on: limit.from.filter(|_| limit.until.is_none_or(|until| on < until)) }
}

fn vaccine_active(vaccine: Option<&vaccines::Model>) -> Rule {
    match vaccine {
        Some(vaccine) => {
            fixed("vaccine_active", vaccine.active, ["The vaccine is offered.", "The vaccine is not offered."])
        }
        None => not_applicable("vaccine_active", "Any vaccine of the course will do."),
    }
}

fn birth_date_known(schedule: &Schedule, is_known: bool) -> Rule {
    let (outcome, message) = match (schedule.depends_on_age(), is_known) {
        (false, _) => (Outcome::NotApplicable, "The schedule has no limits of age."),
        (true, true) => (Outcome::Passed, "The birth date is known."),
        (true, false) => (Outcome::Unknown, "The schedule has limits of age, and the birth date is not known."),
    };
    Rule { rule: "birth_date_known", outcome, message: message.to_owned(), earliest_on: None }
}

fn series_open(plan: &Plan<'_>, next: Option<Next<'_>>) -> Rule {
    let Some(next) = next else {
        return fixed("series_open", false, ["", "The age fits no series of the schedule."]);
    };
    let name = &next.progress.series.name;
    let doses = i32::try_from(next.progress.series.doses.len()).unwrap_or(i32::MAX);
    let counted = next.progress.counted();
    let message = format!("{name}: {counted} of {doses} doses count.");
    let is_open = next.rule.is_some() && plan.number <= doses;
    fixed("series_open", is_open, [&message, &message])
}

fn already_given(next: Option<Next<'_>>, number: i32) -> Rule {
    let is_given = next.is_some_and(|next| number <= next.progress.counted());
    fixed("already_given", !is_given, ["This dose is not recorded.", "This dose is recorded already, and counts."])
}

/// The doses before this one, and none later than the day.
fn previous_dose(next: Option<Next<'_>>, number: i32, on: NaiveDate) -> Rule {
    let counted = next.map_or(0, |next| next.progress.counted());
    let last = next.and_then(|next| next.progress.last()).map(|dose| dose.on);
    if number > counted + 1 {
        let message = format!("Dose {} is not recorded.", counted + 1);
        return fixed("previous_dose", false, ["", &message]);
    }
    match last {
        Some(last) if on < last => Rule {
            rule: "previous_dose",
            outcome: Outcome::Failed,
            message: format!("A dose was given later, on {last}."),
            earliest_on: Some(last),
        },
        Some(last) => {
            let message = format!("The last dose was given on {last}.");
            fixed("previous_dose", true, [&message, ""])
        }
        None => not_applicable("previous_dose", "There is no dose before this one."),
    }
}

fn product(plan: &Plan<'_>, dose: Option<&DoseRule>, on: NaiveDate) -> Rule {
    let messages = ["The vaccine is one of those for this dose.", "The vaccine is not one of those for this dose."];
    match dose.and_then(|dose| plan.is_right_product(dose, on)) {
        Some(is_right) => fixed("product", is_right, messages),
        None => not_applicable("product", "Any vaccine of the course will do."),
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
    let part = |part: Option<i16>| part.and_then(|part| u32::try_from(part).ok());
    NaiveDate::from_ymd_opt(patient.birth_year?.into(), part(patient.birth_month)?, part(patient.birth_day)?)
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveDate, Utc};
    use entity::{PatientRelation, patients, vaccines};
    use uuid::Uuid;

    use super::{Eligibility, Facts, Verdict, judge};
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
            patient: &patient,
            course: &CourseRules { code: "X".to_owned(), version: 0, schedule: None },
            vaccine: Some(&vaccine),
            doses: &[],
            dose_number: Some(dose_number),
            open_requests: &[],
            has_overlapping_booking: false,
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
