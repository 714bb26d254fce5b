//! Schedules: which doses a course has, when they are given, and which of those that were given count. The rules are data:
//! a document with versions for each course. Nothing here reads the database.

mod document;
mod judging;
mod planning;
#[cfg(test)]
mod tests;
mod validation;

pub use document::{AnswerYes, DoseRule, Interval, Origin, Product, Question, Schedule, Series};
pub use judging::{BrokenRule, GivenDose, Judge, Progress};
pub use planning::{Limit, Next, Plan, SameDay, WantedProduct};
pub use validation::{Known, parse};
