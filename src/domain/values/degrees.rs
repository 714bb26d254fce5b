//! Geographic coordinates in degrees (WGS 84).

use crate::domain::values::value::{Shape, Value};
use crate::error::Violation;

/// An angle from `-MAX` to `MAX` degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Degrees<const MAX: i32>(f64);

/// Degrees north of the equator.
pub type Latitude = Degrees<90>;

/// Degrees east of Greenwich.
pub type Longitude = Degrees<180>;

impl<const MAX: i32> Degrees<MAX> {
    /// Checks an angle.
    ///
    /// # Errors
    /// A violation `range`.
    pub fn parse(degrees: f64) -> Result<Self, Violation> {
        let is_within = degrees.abs() <= f64::from(MAX);
        if is_within {
            Ok(Self(degrees))
        } else {
            Err(Violation::of_value("range", format!("must be from -{MAX} to {MAX}")))
        }
    }

    /// The angle.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl<const MAX: i32> Value for Degrees<MAX> {
    #[expect(clippy::as_conversions, reason = "i64::from is not const")]
    const SHAPE: Shape = Shape::Decimal { min: -(MAX as i64), max: MAX as i64 };

    fn from_integer(number: i64) -> Result<Self, Violation> {
        Self::parse(i32::try_from(number).map_or(f64::INFINITY, f64::from))
    }

    fn from_decimal(number: f64) -> Result<Self, Violation> {
        Self::parse(number)
    }
}

#[cfg(test)]
mod tests {
    use super::Latitude;
    use crate::domain::values::value::Value as _;

    #[test]
    fn an_angle_out_of_bounds_is_refused() {
        for (text, ok) in
            [("52.52", true), ("-90", true), ("90.0001", false), ("NaN", false), ("inf", false), ("x", false)]
        {
            assert_eq!(Latitude::from_untyped(text).is_ok(), ok, "{text}");
        }
        assert!(Latitude::from_integer(i64::MAX).is_err());
    }
}
