//! Planning the next dose: the rules for a day, and the days on which all of them pass.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use uuid::Uuid;

use super::document::{DoseRule, Interval, Product};
use super::judging::{Judge, Progress, is_product};
use crate::domain::values::period::Period;

/// The vaccine of which a dose is wanted.
#[derive(Clone, Copy, Debug)]
pub struct WantedProduct<'a> {
    /// Id.
    pub vaccine_id: Uuid,
    /// CVX code.
    pub cvx: Option<&'a str>,
    /// Manufacturer.
    pub manufacturer: &'a str,
}

/// A dose that is planned.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// What doses are judged by.
    pub judge: Judge<'a>,
    /// How far each series is.
    pub series: &'a [Progress<'a>],
    /// Number of the dose in the course.
    pub number: i32,
    /// The vaccine, if one is wanted.
    pub product: Option<WantedProduct<'a>>,
}

/// The dose that is next on a day.
#[derive(Clone, Copy, Debug)]
pub struct Next<'a> {
    /// How far the series is that was chosen.
    pub progress: &'a Progress<'a>,
    /// The rules of the dose; none if the series is complete.
    pub rule: Option<&'a DoseRule>,
}

/// A limit on the day of a dose: the first day on which it passes, and the first one on which it does not any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limit {
    /// First day on which a dose counts if it is given.
    pub counts_from: Option<NaiveDate>,
    /// First day on which a dose is planned.
    pub from: Option<NaiveDate>,
    /// First day on which it is not planned any more.
    pub until: Option<NaiveDate>,
}

/// Whether a dose of another vaccine on the same day conflicts. In one visit several live vaccines may be given, but if one
/// was given already, the next is planned for another day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameDay {
    /// It does not.
    Allowed,
    /// It does.
    Conflicts,
}

impl Limit {
    /// Whether it passes on a day.
    #[must_use]
    pub fn passes(&self, on: NaiveDate) -> bool {
        self.from.is_none_or(|from| on >= from) && self.until.is_none_or(|until| on < until)
    }

    /// Whether it does not pass on a day, but a dose that is given then counts.
    #[must_use]
    pub fn is_grace(&self, on: NaiveDate) -> bool {
        !self.passes(on) && self.until.is_none_or(|until| on < until) && self.counts_from.is_none_or(|from| on >= from)
    }
}

impl<'a> Plan<'a> {
    /// The dose that is next on a day; none if no series fits the age.
    #[must_use]
    pub fn next(&self, on: NaiveDate) -> Option<Next<'a>> {
        let progress = self.judge.best(self.series, on)?;
        let open = progress.series.doses.get(progress.next..).unwrap_or_default();
        let is_needed = |rule: &&DoseRule| {
            let ages = rule.not_needed_from;
            !self.judge.is_not_needed(ages.and_then(|ages| ages.planned), on)
        };
        Some(Next { progress, rule: open.iter().find(is_needed) })
    }

    /// Limit by the minimum age.
    #[must_use]
    pub fn age_minimum(&self, rule: &DoseRule) -> Limit {
        Limit {
            counts_from: self.at_age(rule.age.counted_from()),
            from: self.at_age(rule.age.planned_from()),
            until: None,
        }
    }

    /// Limit by the maximum age.
    #[must_use]
    pub fn age_maximum(&self, rule: &DoseRule) -> Limit {
        Limit { until: self.at_age(rule.age.maximum), ..Limit::default() }
    }

    /// Limit by the intervals that apply on a day.
    #[must_use]
    pub fn interval(&self, next: Next<'_>, rule: &DoseRule, on: NaiveDate) -> Limit {
        Limit {
            counts_from: next.progress.latest(&rule.intervals, on, Interval::counted_from),
            from: next.progress.latest(&rule.intervals, on, Interval::planned_from),
            until: None,
        }
    }

    /// Limit by doses of other vaccines.
    #[must_use]
    pub fn conflict(&self, on: NaiveDate, same_day: SameDay) -> Limit {
        let cvx = self.product.and_then(|product| product.cvx);
        let rules = self.judge.schedule.conflicts.iter().filter(|rule| rule.applies_to(cvx));
        let is_before = |day: NaiveDate| if same_day == SameDay::Conflicts { day <= on } else { day < on };
        let mut limit = Limit::default();
        for rule in rules {
            for other in self.judge.doses.iter().filter(|other| is_before(other.on) && rule.is_with(other)) {
                let planned = rule.minimum.or(rule.absolute).map(|period| period.after(other.on));
                let counted = rule.counted_from(other.counts).map(|period| period.after(other.on));
                limit.from = limit.from.max(planned);
                limit.counts_from = limit.counts_from.max(counted);
            }
        }
        limit
    }

    /// Limit by the days in which doses are given at all.
    #[must_use]
    pub fn window(&self) -> Limit {
        let window = self.judge.schedule.window;
        Limit {
            counts_from: None,
            from: window.map(|window| window.from),
            until: window.and_then(|window| window.until.succ_opt()),
        }
    }

    /// Whether a dose of the vaccine is planned on a day. None if no vaccine is wanted, or all are right.
    #[must_use]
    pub fn is_right_product(&self, rule: &DoseRule, on: NaiveDate) -> Option<bool> {
        let product = self.product.filter(|_| !rule.products.is_empty())?;
        let wanted = (product.vaccine_id, product.cvx, product.manufacturer);
        let is_right = |planned: &Product| {
            !planned.given_only && is_product(planned, wanted) && self.judge.is_in_range(planned, on)
        };
        Some(rule.products.iter().any(is_right))
    }

    /// Whether all rules that depend on the day pass on it.
    pub(super) fn passes(&self, on: NaiveDate) -> bool {
        let Some(next) = self.next(on) else { return false };
        let Some(rule) = next.rule else { return false };
        let is_next = self.number == next.progress.counted() + 1;
        let is_after = next.progress.last().is_none_or(|last| on >= last.on);
        is_next
            && is_after
            && [
                self.age_minimum(rule),
                self.age_maximum(rule),
                self.interval(next, rule, on),
                self.conflict(on, SameDay::Conflicts),
            ]
            .iter()
            .all(|limit| limit.passes(on))
            && self.window().passes(on)
            && self.is_right_product(rule, on).unwrap_or(true)
    }

    /// The first day of the time in which all rules pass, of that which lasts on a day or begins next; and the last day of it,
    /// if it ends. The first day may be past. None if the rules pass neither on the day nor later.
    #[must_use]
    pub fn days(&self, on: NaiveDate) -> (Option<NaiveDate>, Option<NaiveDate>) {
        let days = self.boundaries(on);
        let passes: Vec<(NaiveDate, bool)> = days.into_iter().map(|day| (day, self.passes(day))).collect();
        let Some(later) = passes.iter().position(|(day, passes)| *passes && *day >= on) else { return (None, None) };
        let (before, from) = passes.split_at(later);
        let first = before.iter().rev().take_while(|(_, passes)| *passes).last().or(from.first());
        let end = from.iter().find(|(_, passes)| !passes);
        (first.map(|(day, _)| *day), end.and_then(|(day, _)| day.pred_opt()))
    }

    /// The day that the schedule recommends for the next dose of the series that is chosen on a day.
    #[must_use]
    pub fn recommended(&self, on: NaiveDate) -> Option<NaiveDate> {
        let next = self.next(on)?;
        let rule = next.rule?;
        let age = self.at_age(rule.age.recommended.or(rule.age.planned_from()));
        let minimum = |interval: &Interval| interval.recommended.or(interval.planned_from());
        age.into_iter().chain(next.progress.latest(&rule.intervals, on, minimum)).max()
    }

    /// The days on which the outcome of a rule can change, and a day. Between two of them, all outcomes are the same.
    fn boundaries(&self, on: NaiveDate) -> BTreeSet<NaiveDate> {
        let mut days = BTreeSet::from([on]);
        days.extend(self.judge.born);
        let next_day = |day: NaiveDate| day.succ_opt();
        days.extend(
            self.judge.schedule.window.iter().flat_map(|window| [Some(window.from), next_day(window.until)]).flatten(),
        );
        for dose in self.judge.of_course() {
            days.extend([Some(dose.on), next_day(dose.on)].into_iter().flatten());
        }
        for rule in &self.judge.schedule.conflicts {
            for dose in self.judge.doses.iter().filter(|dose| rule.is_with(dose)) {
                let end = rule.minimum.or(rule.absolute).map(|period| period.after(dose.on));
                days.extend([Some(dose.on), next_day(dose.on), end].into_iter().flatten());
            }
        }
        for progress in self.series {
            let start = progress.series.start.unwrap_or_default();
            days.extend([start.from, start.before].into_iter().filter_map(|age| self.at_age(age)));
            for rule in progress.series.doses.get(progress.next..).unwrap_or_default() {
                self.add_boundaries(progress, rule, &mut days);
            }
        }
        // Nobody has a dose before their birth.
        days.retain(|day| self.judge.born.is_none_or(|born| *day >= born));
        days
    }

    fn add_boundaries(&self, progress: &Progress<'_>, rule: &DoseRule, days: &mut BTreeSet<NaiveDate>) {
        let ages = [rule.age.planned_from(), rule.age.maximum, rule.not_needed_from.and_then(|ages| ages.planned)];
        let of_products = rule.products.iter().flat_map(|product| [product.from, product.before]);
        days.extend(ages.into_iter().chain(of_products).filter_map(|age| self.at_age(age)));
        for interval in &rule.intervals {
            let from = interval.planned_from().zip(progress.origin(interval));
            days.extend(from.map(|(period, origin)| period.after(origin)));
            days.extend(interval.given_since);
            days.extend(interval.given_until.and_then(|until| until.succ_opt()));
        }
    }

    /// The day on which the patient reaches an age.
    fn at_age(&self, age: Option<Period>) -> Option<NaiveDate> {
        age.zip(self.judge.born).map(|(age, born)| age.after(born))
    }
}
