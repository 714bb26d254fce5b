//! Checking a schedule: its form by the types, and what the types cannot say. Each fault has a JSON Pointer (RFC 6901).

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde_json::Value;
use uuid::Uuid;

use super::document::{Ages, ConflictRule, DoseRule, Interval, Origin, Product, Schedule, Series};
use crate::domain::values::cvx::is_cvx;
use crate::domain::values::period::Period;
use crate::error::Violation;

/// Maximum numbers of what a schedule has.
const MAX_SERIES: usize = 20;
const MAX_DOSES: usize = 20;
const MAX_RULES: usize = 100;

/// Any day, on which periods are compared.
const ANY_DAY: NaiveDate = match NaiveDate::from_ymd_opt(2001, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// What a schedule may refer to.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Codes of courses.
    pub courses: BTreeSet<String>,
    /// Ids of vaccines.
    pub vaccines: BTreeSet<Uuid>,
}

/// Parses a schedule, and checks it.
///
/// # Errors
/// All faults, each with a JSON Pointer.
pub fn parse(document: &Value, known: &Known) -> Result<Schedule, Vec<Violation>> {
    let schedule: Schedule = serde_path_to_error::deserialize(document).map_err(|error| {
        let pointer: String = error.path().iter().map(segment).collect();
        let message = error.inner().to_string();
        let missing = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
        vec![match missing {
            Some(name) => violation(&format!("{pointer}/{name}"), "required", "is required"),
            None => violation(&pointer, "type", message),
        }]
    })?;
    let mut checked = Checked { violations: Vec::new(), known };
    checked.schedule(&schedule);
    if checked.violations.is_empty() { Ok(schedule) } else { Err(checked.violations) }
}

/// A segment of a JSON Pointer.
fn segment(segment: &serde_path_to_error::Segment) -> String {
    use serde_path_to_error::Segment;
    match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    }
}

fn violation(pointer: &str, code: &'static str, message: impl Into<String>) -> Violation {
    Violation { field: pointer.to_owned().into(), code: code.into(), message: message.into().into() }
}

/// The faults that were found.
struct Checked<'a> {
    violations: Vec<Violation>,
    known: &'a Known,
}

impl Checked<'_> {
    fn add(&mut self, pointer: &str, code: &'static str, message: impl Into<String>) {
        self.violations.push(violation(pointer, code, message));
    }

    fn count(&mut self, pointer: &str, count: usize, range: std::ops::RangeInclusive<usize>) {
        if !range.contains(&count) {
            self.add(pointer, "length", format!("must have from {} to {} items", range.start(), range.end()));
        }
    }

    fn schedule(&mut self, schedule: &Schedule) {
        self.count("/series", schedule.series.len(), 1..=MAX_SERIES);
        let mut names = BTreeSet::new();
        for (index, series) in schedule.series.iter().enumerate() {
            let pointer = format!("/series/{index}");
            if !names.insert(series.name.as_str()) {
                self.add(&format!("{pointer}/name"), "repeated", "must differ from the names of other series");
            }
            self.series(&pointer, series);
        }
        self.count("/conflicts", schedule.conflicts.len(), 0..=MAX_RULES);
        for (index, conflict) in schedule.conflicts.iter().enumerate() {
            self.conflict(&format!("/conflicts/{index}"), conflict);
        }
        if schedule.window.is_some_and(|window| window.until < window.from) {
            self.add("/window/until", "order", "must not be before from");
        }
        self.count("/questions", schedule.questions.len(), 0..=MAX_RULES);
        let mut ids = BTreeSet::new();
        for (index, question) in schedule.questions.iter().enumerate() {
            let pointer = format!("/questions/{index}");
            self.text(&format!("{pointer}/id"), &question.id, 50);
            self.text(&format!("{pointer}/text"), &question.text, 500);
            if !ids.insert(question.id.as_str()) {
                self.add(&format!("{pointer}/id"), "repeated", "must differ from the ids of other questions");
            }
        }
    }

    fn text(&mut self, pointer: &str, text: &str, max: usize) {
        let length = text.chars().count();
        if text.trim().is_empty() || text.chars().any(char::is_control) {
            self.add(pointer, "blank", "must be a line of text");
        } else if length > max {
            self.add(pointer, "length", format!("must be at most {max} characters"));
        }
    }

    fn series(&mut self, pointer: &str, series: &Series) {
        self.text(&format!("{pointer}/name"), &series.name, 200);
        if let Some(start) = series.start {
            self.order(&format!("{pointer}/start/before"), start.from, start.before, "from");
        }
        self.count(&format!("{pointer}/doses"), series.doses.len(), 1..=MAX_DOSES);
        for (index, dose) in series.doses.iter().enumerate() {
            self.dose(&format!("{pointer}/doses/{index}"), index, dose);
        }
    }

    fn dose(&mut self, pointer: &str, index: usize, dose: &DoseRule) {
        self.ages(&format!("{pointer}/age"), &dose.age);
        for (name, intervals) in [("intervals", &dose.intervals), ("or_intervals", &dose.or_intervals)] {
            self.count(&format!("{pointer}/{name}"), intervals.len(), 0..=MAX_RULES);
            for (number, interval) in intervals.iter().enumerate() {
                self.interval(&format!("{pointer}/{name}/{number}"), index, interval);
            }
        }
        self.count(&format!("{pointer}/products"), dose.products.len(), 0..=MAX_RULES);
        for (number, product) in dose.products.iter().enumerate() {
            self.product(&format!("{pointer}/products/{number}"), product);
        }
    }

    fn ages(&mut self, pointer: &str, age: &Ages) {
        self.order(&format!("{pointer}/minimum"), age.absolute_minimum, age.minimum, "absolute_minimum");
        self.order(&format!("{pointer}/recommended"), age.minimum, age.recommended, "minimum");
        let first = age.recommended.or(age.minimum).or(age.absolute_minimum);
        if let (Some(first), Some(maximum)) = (first, age.maximum)
            && maximum.after(ANY_DAY) <= first.after(ANY_DAY)
        {
            self.add(&format!("{pointer}/maximum"), "order", format!("must be more than {first}"));
        }
    }

    fn interval(&mut self, pointer: &str, index: usize, interval: &Interval) {
        self.order(&format!("{pointer}/minimum"), interval.absolute_minimum, interval.minimum, "absolute_minimum");
        self.order(&format!("{pointer}/recommended"), interval.minimum, interval.recommended, "minimum");
        if let (Some(since), Some(until)) = (interval.given_since, interval.given_until)
            && until < since
        {
            self.add(&format!("{pointer}/given_until"), "order", "must not be before given_since");
        }
        match &interval.from {
            Origin::Previous(_) => {}
            // The dose has the number `index + 1`.
            Origin::Dose(number) if (1..=index).contains(&usize::try_from(*number).unwrap_or(usize::MAX)) => {}
            Origin::Dose(_) => self.add(&format!("{pointer}/from"), "order", "must be the number of an earlier dose"),
            Origin::MostRecent(products) => {
                self.codes(&format!("{pointer}/from/most_recent"), &products.most_recent);
                self.count(&format!("{pointer}/from/most_recent"), products.most_recent.len(), 1..=MAX_RULES);
            }
        }
    }

    fn product(&mut self, pointer: &str, product: &Product) {
        if product.cvx.is_none() && product.vaccine_id.is_none() {
            self.add(pointer, "required", "needs cvx or vaccine_id");
        }
        if let Some(cvx) = &product.cvx {
            self.code(&format!("{pointer}/cvx"), cvx);
        }
        if product.vaccine_id.is_some_and(|id| !self.known.vaccines.contains(&id)) {
            self.add(&format!("{pointer}/vaccine_id"), "unknown", "is not a vaccine");
        }
        self.order(&format!("{pointer}/before"), product.from, product.before, "from");
    }

    fn conflict(&mut self, pointer: &str, conflict: &ConflictRule) {
        if conflict.with.is_empty() && conflict.with_products.is_empty() {
            self.add(pointer, "required", "needs with or with_products");
        }
        if conflict.absolute.is_none() && conflict.minimum.is_none() {
            self.add(pointer, "required", "needs absolute or minimum");
        }
        for (index, code) in conflict.with.iter().enumerate() {
            if !self.known.courses.contains(code) {
                self.add(&format!("{pointer}/with/{index}"), "unknown", "is not the code of a course");
            }
        }
        self.codes(&format!("{pointer}/products"), &conflict.products);
        self.codes(&format!("{pointer}/with_products"), &conflict.with_products);
        self.order(&format!("{pointer}/minimum"), conflict.absolute, conflict.minimum, "absolute");
    }

    fn codes(&mut self, pointer: &str, codes: &[String]) {
        for (index, code) in codes.iter().enumerate() {
            self.code(&format!("{pointer}/{index}"), code);
        }
    }

    /// A CVX code: two or three digits.
    fn code(&mut self, pointer: &str, code: &str) {
        if !is_cvx(code) {
            self.add(pointer, "format", "must be a CVX code of two or three digits");
        }
    }

    /// The second period must not be less than the first one.
    fn order(&mut self, pointer: &str, first: Option<Period>, second: Option<Period>, name: &str) {
        if let (Some(first), Some(second)) = (first, second)
            && second.after(ANY_DAY) < first.after(ANY_DAY)
        {
            self.add(pointer, "order", format!("must not be less than {name}, which is {first}"));
        }
    }
}
