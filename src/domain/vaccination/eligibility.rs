//! Eligibility: the rules that decide whether a patient may have a dose on a day. One function without queries, which
//! requests and bookings call with what they have read.

use chrono::NaiveDate;
use entity::{patients, vaccines};

use crate::domain::values::period::add_months;

/// What the rules need to know.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The patient.
    pub patient: &'a patients::Model,
    /// The vaccine.
    pub vaccine: &'a vaccines::Model,
    /// Number of the dose in its course.
    pub dose_number: i32,
    /// Whether another request for the same dose is open.
    pub has_open_request: bool,
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
    /// Last day on which all rules pass, if there is one.
    pub latest_on: Option<NaiveDate>,
    /// The rules.
    pub rules: Vec<Rule>,
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
    /// Something that the rule needs is not known.
    Unknown,
    /// The vaccine has no such rule.
    NotApplicable,
}

impl Eligibility {
    /// Whether the patient can have the dose neither on the day nor later.
    #[must_use]
    pub fn is_never(&self) -> bool {
        let failed = self.rules.iter().any(|rule| rule.outcome == Outcome::Failed && rule.earliest_on.is_none());
        failed || (self.verdict == Verdict::NotEligible && self.earliest_on.is_none())
    }
}

/// Judges a dose on a day.
#[must_use]
pub fn judge(facts: &Facts<'_>, on: NaiveDate) -> Eligibility {
    let (vaccine, age) = (facts.vaccine, Age::of(facts));
    let rules = vec![
        fixed("vaccine_active", vaccine.active, ["The vaccine is offered.", "The vaccine is not offered."]),
        series_open(vaccine, facts.dose_number),
        age.known(vaccine),
        age.minimum(vaccine, on),
        age.maximum(vaccine, on),
        fixed(
            "request_open",
            !facts.has_open_request,
            ["No other request for this dose is open.", "Another request for this dose is open."],
        ),
        fixed(
            "overlapping_booking",
            !facts.has_overlapping_booking,
            ["No other booking is at the same time.", "Another booking is at the same time."],
        ),
    ];
    let has = |outcome| rules.iter().any(|rule| rule.outcome == outcome);
    let verdict = match (has(Outcome::Failed), has(Outcome::Unknown)) {
        (true, _) => Verdict::NotEligible,
        (false, true) => Verdict::Unknown,
        (false, false) => Verdict::Eligible,
    };
    let is_impossible = rules.iter().any(|rule| rule.outcome == Outcome::Failed && rule.rule != "age_minimum");
    let earliest_on = age.from.or(age.born).unwrap_or(on);
    let is_over = age.until.is_some_and(|until| until <= on || until <= earliest_on);
    Eligibility {
        verdict,
        dose_number: facts.dose_number,
        on,
        earliest_on: (!is_impossible && !is_over).then_some(earliest_on),
        latest_on: age.until.and_then(|until| until.pred_opt()),
        rules,
    }
}

/// A rule that does not depend on the day, with its messages if it passes and if it fails.
fn fixed(rule: &'static str, passes: bool, [passed, failed]: [&str; 2]) -> Rule {
    let (outcome, message) = if passes { (Outcome::Passed, passed) } else { (Outcome::Failed, failed) };
    Rule { rule, outcome, message: message.to_owned(), earliest_on: None }
}

fn series_open(vaccine: &vaccines::Model, dose_number: i32) -> Rule {
    let message = match vaccine.doses {
        1 => "The course has 1 dose.".to_owned(),
        doses => format!("The course has {doses} doses."),
    };
    fixed("series_open", (1..=vaccine.doses).contains(&dose_number), [&message, &message])
}

/// The days that follow from the age limits of a vaccine.
struct Age {
    born: Option<NaiveDate>,
    /// First day.
    from: Option<NaiveDate>,
    /// Day after the last one: a patient has the maximum age until the next month of age.
    until: Option<NaiveDate>,
}

impl Age {
    fn of(facts: &Facts<'_>) -> Self {
        let born = birth_date(facts.patient);
        let after = |months: Option<i32>| {
            let months = u32::try_from(months?).ok()?;
            Some(add_months(born?, months))
        };
        let until = after(facts.vaccine.max_age_months.map(|months| months.saturating_add(1)));
        Self { born, from: after(facts.vaccine.min_age_months), until }
    }

    fn known(&self, vaccine: &vaccines::Model) -> Rule {
        let is_needed = vaccine.min_age_months.is_some() || vaccine.max_age_months.is_some();
        let (outcome, message) = match (is_needed, self.born) {
            (false, _) => (Outcome::NotApplicable, "The vaccine has no age limits."),
            (true, Some(_)) => (Outcome::Passed, "The birth date is known."),
            (true, None) => (Outcome::Unknown, "The vaccine has age limits, and the birth date is not known."),
        };
        Rule { rule: "birth_date_known", outcome, message: message.to_owned(), earliest_on: None }
    }

    fn minimum(&self, vaccine: &vaccines::Model, on: NaiveDate) -> Rule {
        let limit = vaccine.min_age_months;
        let message =
            limit.map_or("No minimum age.".to_owned(), |months| format!("The minimum age is {months} months."));
        let outcome = outcome(limit.is_some(), self.from.map(|from| on >= from));
        Rule { rule: "age_minimum", outcome, message, earliest_on: self.from }
    }

    fn maximum(&self, vaccine: &vaccines::Model, on: NaiveDate) -> Rule {
        let limit = vaccine.max_age_months;
        let message =
            limit.map_or("No maximum age.".to_owned(), |months| format!("The maximum age is {months} months."));
        let outcome = outcome(limit.is_some(), self.until.map(|until| on < until));
        Rule { rule: "age_maximum", outcome, message, earliest_on: None }
    }
}

fn outcome(is_limited: bool, passes: Option<bool>) -> Outcome {
    match (is_limited, passes) {
        (false, _) => Outcome::NotApplicable,
        (true, None) => Outcome::Unknown,
        (true, Some(true)) => Outcome::Passed,
        (true, Some(false)) => Outcome::Failed,
    }
}

/// The birth date, if its day, month and year are known.
fn birth_date(patient: &patients::Model) -> Option<NaiveDate> {
    let part = |part: Option<i16>| part.and_then(|part| u32::try_from(part).ok());
    NaiveDate::from_ymd_opt(patient.birth_year?.into(), part(patient.birth_month)?, part(patient.birth_day)?)
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveDate, Utc};
    use entity::{PatientRelation, patients, vaccines};
    use uuid::Uuid;

    use super::{Eligibility, Facts, Verdict, judge};

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
        };
        let facts = Facts {
            patient: &patient,
            vaccine: &vaccine,
            dose_number,
            has_open_request: false,
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
