//! Rules of a dose, each with its outcome, its figures, and the first day on which it passes.

use chrono::NaiveDate;
use entity::vaccines;

use super::{Answers, Facts, Outcome, Rule};
use crate::domain::vaccination::schedule::{AnswerYes, DoseRule, Limit, Next, Plan, SameDay, Schedule};

/// Rules that only ask to wait: staff may set them aside, with a reason.
pub(super) const TOO_EARLY: [&str; 3] = ["age_minimum", "interval", "conflict"];

/// The rule about the questions of the course.
pub const QUESTION: &str = "question";

/// The rules, in a fixed order.
pub(super) fn rules(facts: &Facts<'_>, plan: &Plan<'_>, on: NaiveDate) -> Vec<Rule> {
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
        question(plan.judge.schedule, facts.answers),
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

/// The questions of the course. They are asked when the patient comes.
fn question(schedule: &Schedule, answers: Answers<'_>) -> Rule {
    let (Answers::Given(answers), false) = (answers, schedule.questions.is_empty()) else {
        let message = if schedule.questions.is_empty() {
            "The course has no questions."
        } else {
            "The questions of the course are asked at the centre."
        };
        return not_applicable(QUESTION, message);
    };
    let outcomes = schedule.questions.iter().map(|question| {
        let outcome = match (answers.get(&question.id), question.yes) {
            (Some(false), _) => Outcome::Passed,
            // A question that was not asked stops the dose as a forbidding answer does: staff cannot set it aside.
            (Some(true), AnswerYes::NotEligible) | (None, _) => Outcome::Failed,
            (Some(true), AnswerYes::AskStaff) => Outcome::Unknown,
        };
        (outcome, question.id.as_str())
    });
    let outcomes: Vec<_> = outcomes.collect();
    let with = |outcome| outcomes.iter().filter(move |(other, _)| *other == outcome).map(|(_, id)| *id);
    let failed: Vec<_> = with(Outcome::Failed).collect();
    let unknown: Vec<_> = with(Outcome::Unknown).collect();
    let (outcome, message) = match (failed.as_slice(), unknown.as_slice()) {
        ([], []) => (Outcome::Passed, "No answer forbids the dose.".to_owned()),
        ([], ids) => (Outcome::Unknown, format!("Staff decide about {}.", ids.join(", "))),
        (ids, _) => (Outcome::Failed, format!("Not answered, or the answer forbids the dose: {}.", ids.join(", "))),
    };
    Rule { rule: QUESTION, outcome, message, earliest_on: None }
}
