//! Schedules: the rules of a course as a document, in the words of CDC's clinical decision support (CDSi).
//!
//! A course without a schedule has the one that follows from the four columns of each vaccine: doses, days between them,
//! and the limits of age.

use chrono::NaiveDate;
use entity::vaccines;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::values::period::Period;

/// A schedule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Series, each of which completes the course. The first is the default.
    pub series: Vec<Series>,
    /// Vaccines that must not be given shortly before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<ConflictRule>,
    /// Days in which doses are given at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// Questions to ask at the centre.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<Question>,
}

/// A series of doses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// Name.
    pub name: String,
    /// Age at the first dose; without doses, age on the day that is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<AgeRange>,
    /// Doses, in their order.
    pub doses: Vec<DoseRule>,
}

/// A range of ages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AgeRange {
    /// First age.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Period>,
    /// Age at which it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Period>,
}

/// The rules of a dose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DoseRule {
    /// Ages.
    #[serde(default, skip_serializing_if = "Ages::is_empty")]
    pub age: Ages,
    /// Intervals, all of which must have passed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub intervals: Vec<Interval>,
    /// Intervals that make a dose that was given count as well, if all of them have passed. They are never planned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub or_intervals: Vec<Interval>,
    /// Products of which one must be used; any if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<Product>,
    /// Ages from which on the dose is not needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_needed_from: Option<NotNeeded>,
}

/// Ages for a dose. A missing minimum is the absolute minimum, and the other way round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Ages {
    /// Age from which on a dose that was given counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absolute_minimum: Option<Period>,
    /// Age from which on a dose is planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Period>,
    /// Age that is recommended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recommended: Option<Period>,
    /// Age at which the dose is no longer given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<Period>,
}

/// A time that must have passed since another dose.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// The other dose.
    pub from: Origin,
    /// Interval from which on a dose that was given counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absolute_minimum: Option<Period>,
    /// Interval from which on a dose is planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Period>,
    /// Interval that is recommended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recommended: Option<Period>,
    /// Only for doses given on this day or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_since: Option<NaiveDate>,
    /// Only for doses given on this day or earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_until: Option<NaiveDate>,
}

/// The dose from which an interval is counted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged, expecting = "must be \"previous\", the number of a dose, or {\"most_recent\": [CVX codes]}")]
pub enum Origin {
    /// The last dose of the course, whether it counts or not.
    Previous(Previous),
    /// The dose that counts as this number.
    Dose(u32),
    /// The last dose of one of these products.
    MostRecent(MostRecent),
}

/// The word `previous`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Previous {
    /// The last dose of the course.
    Previous,
}

/// Products of which the last dose counts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MostRecent {
    /// CVX codes.
    pub most_recent: Vec<String>,
}

/// A product: a CVX code, a vaccine of the catalogue, or both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// CVX code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cvx: Option<String>,
    /// Manufacturer, where products of several have the same code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manufacturer: Option<String>,
    /// Vaccine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vaccine_id: Option<Uuid>,
    /// Whether it counts if it was given, but is not planned.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub given_only: bool,
    /// First age.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Period>,
    /// Age at which it is no longer used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Period>,
}

/// Ages from which on a dose is not needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NotNeeded {
    /// Age at a dose that was given: it counts as the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<Period>,
    /// Age on the day for which a dose is planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned: Option<Period>,
}

/// Vaccines that must not be given shortly before a dose, as live vaccines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ConflictRule {
    /// CVX codes of the doses of this course; all if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<String>,
    /// Codes of the courses of the other doses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<String>,
    /// CVX codes of the other doses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with_products: Vec<String>,
    /// Interval from which on a dose that was given after one that counts, counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absolute: Option<Period>,
    /// Interval from which on a dose is planned, or counts after one that does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Period>,
}

/// Days in which doses are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub until: NaiveDate,
}

/// A question to ask at the centre.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Id in answers.
    pub id: String,
    /// Text.
    pub text: String,
    /// What follows from the answer yes.
    pub yes: AnswerYes,
}

/// What follows from the answer yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerYes {
    /// Staff decide.
    AskStaff,
    /// The dose is not given.
    NotEligible,
}

impl Ages {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The age from which on a dose is planned.
    #[must_use]
    pub fn planned_from(&self) -> Option<Period> {
        self.minimum.or(self.absolute_minimum)
    }

    /// The age from which on a dose that was given counts.
    #[must_use]
    pub fn counted_from(&self) -> Option<Period> {
        self.absolute_minimum.or(self.minimum)
    }
}

impl Interval {
    /// The interval from which on a dose is planned.
    #[must_use]
    pub fn planned_from(&self) -> Option<Period> {
        self.minimum.or(self.absolute_minimum)
    }

    /// The interval from which on a dose that was given counts.
    #[must_use]
    pub fn counted_from(&self) -> Option<Period> {
        self.absolute_minimum.or(self.minimum)
    }

    /// Whether it is for doses given on a day.
    #[must_use]
    pub fn applies_on(&self, day: NaiveDate) -> bool {
        self.given_since.is_none_or(|since| day >= since) && self.given_until.is_none_or(|until| day <= until)
    }
}

impl Schedule {
    /// The schedule that follows from the columns of a vaccine.
    #[must_use]
    pub fn of_vaccine(vaccine: &vaccines::Model) -> Self {
        let age = Ages {
            minimum: vaccine.min_age_months.map(Period::months),
            // A patient has the maximum age until the next month of age.
            maximum: vaccine.max_age_months.map(|months| Period::months(months.saturating_add(1))),
            ..Ages::default()
        };
        let interval = Interval {
            from: Origin::Previous(Previous::Previous),
            minimum: Some(Period::days(vaccine.min_interval_days)),
            absolute_minimum: None,
            recommended: None,
            given_since: None,
            given_until: None,
        };
        let dose = |number: i32| DoseRule {
            age,
            intervals: if number > 1 { vec![interval.clone()] } else { Vec::new() },
            ..DoseRule::default()
        };
        let series = Series { name: vaccine.name.clone(), start: None, doses: (1..=vaccine.doses).map(dose).collect() };
        Self { series: vec![series], ..Self::default() }
    }

    /// Whether a rule depends on the age.
    #[must_use]
    pub fn depends_on_age(&self) -> bool {
        self.series.iter().any(|series| {
            let of_products = |dose: &DoseRule| {
                dose.products.iter().any(|product| product.from.is_some() || product.before.is_some())
            };
            series.start.is_some()
                || series
                    .doses
                    .iter()
                    .any(|dose| !dose.age.is_empty() || dose.not_needed_from.is_some() || of_products(dose))
        })
    }
}
