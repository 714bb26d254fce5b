//! CVX codes: CDC's numbers of vaccine products.

use crate::domain::values::value::{Shape, Value};
use crate::error::Violation;

/// A CVX code: two or three digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CvxCode(String);

impl CvxCode {
    /// Parses a code.
    ///
    /// # Errors
    /// A violation `format`.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        if is_cvx(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(Violation::of_value("format", "must be a CVX code of two or three digits"))
    }

    /// The text.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

/// Whether a text is a CVX code.
#[must_use]
pub fn is_cvx(text: &str) -> bool {
    (2..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl Value for CvxCode {
    const SHAPE: Shape = Shape::Text { min: 2, max: Some(3), format: None, pattern: Some("^[0-9]{2,3}$") };

    fn from_text(text: &str) -> Result<Self, Violation> {
        Self::parse(text)
    }
}
