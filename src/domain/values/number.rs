//! Whole numbers within bounds.

use crate::domain::values::value::{Shape, Value};
use crate::error::Violation;

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Number<const MIN: i32, const MAX: i32>(i32);

impl<const MIN: i32, const MAX: i32> Number<MIN, MAX> {
    /// The smallest number.
    pub const MINIMUM: Self = Self(MIN);

    /// Checks a number.
    ///
    /// # Errors
    /// A violation `range`.
    pub fn parse(number: i64) -> Result<Self, Violation> {
        let number = i32::try_from(number).ok().filter(|number| (MIN..=MAX).contains(number));
        number.map(Self).ok_or_else(|| Violation::of_value("range", format!("must be from {MIN} to {MAX}")))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i32 {
        self.0
    }

    /// The number in a column of 16 bits; the greatest such number if it does not fit.
    #[must_use]
    pub fn to_i16(self) -> i16 {
        i16::try_from(self.0).unwrap_or(i16::MAX)
    }
}

impl<const MIN: i32, const MAX: i32> Value for Number<MIN, MAX> {
    #[expect(clippy::as_conversions, reason = "i64::from is not const")]
    const SHAPE: Shape = Shape::Integer { min: MIN as i64, max: Some(MAX as i64) };

    fn from_integer(number: i64) -> Result<Self, Violation> {
        Self::parse(number)
    }
}

#[cfg(test)]
mod tests {
    use super::Number;

    #[test]
    fn a_number_out_of_bounds_is_refused() {
        for (number, ok) in [(0, false), (1, true), (20, true), (21, false), (i64::MAX, false), (i64::MIN, false)] {
            assert_eq!(Number::<1, 20>::parse(number).is_ok(), ok, "{number}");
        }
    }
}
