//! Judging doses that were given: which of them count, in a series and among all series of a schedule.

use chrono::NaiveDate;
use uuid::Uuid;

use super::document::{ConflictRule, DoseRule, Interval, Origin, Product, Schedule, Series};
use crate::domain::values::period::Period;

/// A dose that was given, here or elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenDose {
    /// Id of the immunization.
    pub id: Uuid,
    /// Vaccine.
    pub vaccine_id: Uuid,
    /// CVX code of the vaccine.
    pub cvx: Option<String>,
    /// Manufacturer of the vaccine.
    pub manufacturer: String,
    /// Codes of the courses for which it can count: that of the vaccine first.
    pub courses: Vec<String>,
    /// Day.
    pub on: NaiveDate,
    /// Whether it counts for the course of the vaccine.
    pub counts: bool,
}

/// A dose and whether it counts.
#[derive(Clone, Debug)]
pub struct Judged<'a> {
    /// The dose.
    pub dose: &'a GivenDose,
    /// Number of the dose in the course, if it counts.
    pub number: Option<i32>,
    /// The rule that it breaks. A dose that counts by grace breaks one, too.
    pub broken: Option<BrokenRule>,
}

/// A rule that a dose breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokenRule {
    /// Given before the minimum age.
    AgeMinimum,
    /// Given after the maximum age.
    AgeMaximum,
    /// Given too soon after an earlier dose.
    Interval,
    /// Not one of the products of the dose.
    Product,
    /// Given too soon after another vaccine.
    Conflict,
    /// The course was complete.
    SeriesOpen,
}

impl BrokenRule {
    /// Name, for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AgeMinimum => "age_minimum",
            Self::AgeMaximum => "age_maximum",
            Self::Interval => "interval",
            Self::Product => "product",
            Self::Conflict => "conflict",
            Self::SeriesOpen => "series_open",
        }
    }
}

/// How far a series is.
#[derive(Clone, Debug)]
pub struct Progress<'a> {
    /// The series.
    pub series: &'a Series,
    /// The doses of the course by date.
    pub judged: Vec<Judged<'a>>,
    /// Index of the first dose of the series that is still open.
    pub next: usize,
    /// The dose that counts for each dose of the series. None for one that was not needed.
    targets: Vec<Option<&'a GivenDose>>,
}

/// What doses are judged by.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    /// The schedule.
    pub schedule: &'a Schedule,
    /// Code of the course.
    pub course: &'a str,
    /// Birth date, if it is known. Without it, no dose breaks a rule about the age.
    pub born: Option<NaiveDate>,
    /// All doses of the patient by date.
    pub doses: &'a [GivenDose],
}

impl Progress<'_> {
    /// Number of doses that count.
    #[must_use]
    pub fn counted(&self) -> i32 {
        let counted = self.judged.iter().filter(|judged| judged.number.is_some()).count();
        i32::try_from(counted).unwrap_or(i32::MAX)
    }

    /// Whether no dose is open.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.next >= self.series.doses.len()
    }

    /// The last dose of the course, whether it counts or not.
    #[must_use]
    pub fn last(&self) -> Option<&GivenDose> {
        self.judged.last().map(|judged| judged.dose)
    }

    /// The day from which an interval is counted, if there is such a dose.
    #[must_use]
    pub fn origin(&self, interval: &Interval) -> Option<NaiveDate> {
        let dose = match &interval.from {
            Origin::Previous(_) => self.last(),
            Origin::Dose(number) => {
                let index = usize::try_from(*number).ok()?.checked_sub(1)?;
                self.targets.get(index).copied().flatten()
            }
            Origin::MostRecent(products) => {
                let is_one = |dose: &&GivenDose| has_code(dose.cvx.as_deref(), &products.most_recent);
                self.judged.iter().rev().map(|judged| judged.dose).find(is_one)
            }
        };
        dose.map(|dose| dose.on)
    }

    /// The latest day that follows from intervals, by one of their minima; none if they follow from no dose.
    #[must_use]
    pub fn latest(
        &self,
        intervals: &[Interval],
        on: NaiveDate,
        minimum: fn(&Interval) -> Option<Period>,
    ) -> Option<NaiveDate> {
        let of_day = intervals.iter().filter(|interval| interval.applies_on(on));
        of_day.filter_map(|interval| Some(minimum(interval)?.after(self.origin(interval)?))).max()
    }
}

impl<'a> Judge<'a> {
    /// Follows a series through the doses of the course.
    #[must_use]
    pub fn follow(&self, series: &'a Series) -> Progress<'a> {
        let mut progress = Progress { series, judged: Vec::new(), next: 0, targets: Vec::new() };
        for dose in self.of_course() {
            while let Some(rule) = series.doses.get(progress.next)
                && self.is_not_needed(rule.not_needed_from.and_then(|ages| ages.given), dose.on)
            {
                progress.targets.push(None);
                progress.next += 1;
            }
            let (counts, broken) = match series.doses.get(progress.next) {
                None => (false, Some(BrokenRule::SeriesOpen)),
                Some(rule) => self.dose(&progress, rule, dose),
            };
            let number = counts.then(|| progress.counted() + 1);
            if counts {
                progress.targets.push(Some(dose));
                progress.next += 1;
            }
            progress.judged.push(Judged { dose, number, broken });
        }
        progress
    }

    /// The doses of the course.
    pub(super) fn of_course(&self) -> impl Iterator<Item = &'a GivenDose> {
        let course = self.course;
        self.doses.iter().filter(move |dose| dose.courses.iter().any(|code| code == course))
    }

    /// The best series for a day: complete first, then with the most doses that count, then in their order. A series counts
    /// whose start fits the age at the first dose; without doses, on the day.
    #[must_use]
    pub fn best<'b>(&self, all: &'b [Progress<'a>], on: NaiveDate) -> Option<&'b Progress<'a>> {
        let first = self.of_course().next().map_or(on, |dose| dose.on);
        let fits = all.iter().filter(|progress| self.fits(progress.series, first));
        // The first of several maxima.
        fits.rev().max_by_key(|progress| (progress.is_complete(), progress.counted()))
    }

    fn fits(&self, series: &Series, first: NaiveDate) -> bool {
        let (Some(start), Some(born)) = (series.start, self.born) else { return true };
        start.from.is_none_or(|from| first >= from.after(born))
            && start.before.is_none_or(|before| first < before.after(born))
    }

    /// Whether the age on a day is at least this.
    #[must_use]
    pub fn is_not_needed(&self, age: Option<Period>, on: NaiveDate) -> bool {
        age.zip(self.born).is_some_and(|(age, born)| on >= age.after(born))
    }

    /// Whether a dose counts, and the rule that it breaks.
    fn dose(&self, progress: &Progress<'_>, rule: &DoseRule, dose: &GivenDose) -> (bool, Option<BrokenRule>) {
        let age = |period: Option<Period>| period.zip(self.born).map(|(period, born)| period.after(born));
        let is_before = |day: Option<NaiveDate>| day.is_some_and(|day| dose.on < day);
        let or_intervals = progress.latest(&rule.or_intervals, dose.on, Interval::counted_from);
        let has_or_intervals = !rule.or_intervals.is_empty() && !is_before(or_intervals);
        let is_too_soon = is_before(progress.latest(&rule.intervals, dose.on, Interval::counted_from));
        let broken = [
            (is_before(age(rule.age.counted_from())), BrokenRule::AgeMinimum),
            (age(rule.age.maximum).is_some_and(|until| dose.on >= until), BrokenRule::AgeMaximum),
            (is_too_soon && !has_or_intervals, BrokenRule::Interval),
            (!self.allows(rule, dose), BrokenRule::Product),
            (is_before(self.conflicts_until(progress, dose, ConflictRule::counted_from)), BrokenRule::Conflict),
        ];
        if let Some((_, broken)) = broken.into_iter().find(|(is_broken, _)| *is_broken) {
            return (false, Some(broken));
        }
        // Between the absolute minimum and the minimum a dose counts by grace.
        let by_age = is_before(age(rule.age.planned_from())).then_some(BrokenRule::AgeMinimum);
        let planned = progress.latest(&rule.intervals, dose.on, Interval::planned_from);
        let by_interval = (is_before(planned) && !has_or_intervals).then_some(BrokenRule::Interval);
        let planned = self.conflicts_until(progress, dose, |rule, _| rule.minimum.or(rule.absolute));
        let by_conflict = is_before(planned).then_some(BrokenRule::Conflict);
        (true, by_age.or(by_interval).or(by_conflict))
    }

    /// Whether a dose that was given is of a product of the rule.
    fn allows(&self, rule: &DoseRule, dose: &GivenDose) -> bool {
        let product = (dose.vaccine_id, dose.cvx.as_deref(), dose.manufacturer.as_str());
        let fits = |allowed: &Product| is_product(allowed, product) && self.is_in_range(allowed, dose.on);
        rule.products.is_empty() || rule.products.iter().any(fits)
    }

    /// Whether the age on a day is one for a product.
    #[must_use]
    pub fn is_in_range(&self, product: &Product, on: NaiveDate) -> bool {
        let Some(born) = self.born else { return true };
        product.from.is_none_or(|from| on >= from.after(born))
            && product.before.is_none_or(|before| on < before.after(born))
    }

    /// The first day on which a dose that was given does not conflict with others.
    fn conflicts_until(
        &self,
        progress: &Progress<'_>,
        dose: &GivenDose,
        minimum: fn(&ConflictRule, bool) -> Option<Period>,
    ) -> Option<NaiveDate> {
        let counts = |other: &GivenDose| {
            let judged = progress.judged.iter().find(|judged| judged.dose.id == other.id);
            judged.map_or(other.counts, |judged| judged.number.is_some())
        };
        let others = self.doses.iter().filter(|other| other.id != dose.id && other.on < dose.on);
        let days = others.flat_map(|other| {
            let rules = self.schedule.conflicts.iter();
            let rules = rules.filter(move |rule| rule.applies_to(dose.cvx.as_deref()) && rule.is_with(other));
            rules.filter_map(move |rule| minimum(rule, counts(other)).map(|period| period.after(other.on)))
        });
        days.max()
    }
}

impl ConflictRule {
    /// The interval from which on a dose that was given counts, after a dose that counts or does not.
    #[must_use]
    pub fn counted_from(&self, other_counts: bool) -> Option<Period> {
        if other_counts { self.absolute.or(self.minimum) } else { self.minimum.or(self.absolute) }
    }

    /// Whether it is for a dose of a product; of any product, if it is not known.
    #[must_use]
    pub fn applies_to(&self, cvx: Option<&str>) -> bool {
        self.products.is_empty() || cvx.is_none() || has_code(cvx, &self.products)
    }

    /// Whether it names a course, or a product.
    #[must_use]
    pub fn names(&self, course: &str, cvx: Option<&str>) -> bool {
        self.with.iter().any(|code| code == course) || has_code(cvx, &self.with_products)
    }

    /// Whether another dose conflicts with this course. A combination conflicts as each of its courses.
    #[must_use]
    pub fn is_with(&self, other: &GivenDose) -> bool {
        self.with.iter().any(|code| other.courses.contains(code)) || has_code(other.cvx.as_deref(), &self.with_products)
    }
}

/// Whether a vaccine, with its id, CVX code and manufacturer, is a product.
#[must_use]
pub fn is_product(product: &Product, (vaccine_id, cvx, manufacturer): (Uuid, Option<&str>, &str)) -> bool {
    product.vaccine_id.is_none_or(|id| id == vaccine_id)
        && product.cvx.as_deref().is_none_or(|code| cvx == Some(code))
        && product.manufacturer.as_deref().is_none_or(|name| name == manufacturer)
}

fn has_code(cvx: Option<&str>, codes: &[String]) -> bool {
    cvx.is_some_and(|cvx| codes.iter().any(|code| code == cvx))
}
