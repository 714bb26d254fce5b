//! One-time codes: six digits that were sent by mail.

use crate::domain::values::value::{Shape, Value};
use crate::error::Violation;

/// Code that a user has entered.
#[derive(Clone)]
pub struct OneTimeCode(String);

impl OneTimeCode {
    /// Parses six digits.
    ///
    /// # Errors
    /// A violation `digits`.
    pub fn parse(raw: &str) -> Result<Self, Violation> {
        if raw.len() != 6 || !raw.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Violation::of_value("digits", "must be the 6 digits of the code"));
        }
        Ok(Self(raw.to_owned()))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for OneTimeCode {
    const SHAPE: Shape = Shape::Text { min: 0, max: None, format: None, pattern: Some("^[0-9]{6}$") };

    fn from_text(text: &str) -> Result<Self, Violation> {
        Self::parse(text)
    }
}

/// Secrets stay out of logs.
impl std::fmt::Debug for OneTimeCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OneTimeCode(…)")
    }
}
