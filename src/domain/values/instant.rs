//! Instants in queries, within the range that both databases store.

use chrono::{DateTime, Datelike, SubsecRound as _, Utc};

use crate::domain::values::value::{Shape, Value};
use crate::error::Violation;

/// An instant from 1970 to 9999, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instant(DateTime<Utc>);

impl Instant {
    /// The time.
    #[must_use]
    pub fn time(self) -> DateTime<Utc> {
        self.0
    }
}

impl Value for Instant {
    const SHAPE: Shape = Shape::format("date-time");

    fn from_text(text: &str) -> Result<Self, Violation> {
        let time: DateTime<Utc> = text.parse().map_err(|_| Self::SHAPE.wrong_type())?;
        if !(1970..=9999).contains(&time.year()) {
            return Err(Violation::of_value("range", "must be a time from 1970 to 9999"));
        }
        // PostgreSQL stores microseconds.
        Ok(Self(time.trunc_subsecs(6)))
    }
}
