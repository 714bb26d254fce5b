//! Passwords in plain text: new ones, which must meet the rules, and presented ones, which are only verified.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use zeroize::Zeroizing;

use crate::domain::values::value::{Shape, Value, at_most};
use crate::error::Violation;

/// The most common passwords of at least eight characters, one per line.
static COMMON: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

/// A password in plain text. It is never printed, and its memory is overwritten when it is dropped.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Minimum number of characters.
    pub const MIN_CHARS: usize = 8;
    /// Maximum number of bytes: bcrypt reads 72, the last of which is the terminating NUL.
    pub const MAX_BYTES: usize = 71;

    /// Parses a new password.
    ///
    /// # Errors
    /// A violation `length`, `nul` or `common`.
    pub fn parse(raw: &str) -> Result<Self, Violation> {
        let refuse = |code, message: Cow<'static, str>| Err(Violation::new("password", code, message));
        if raw.chars().count() < Self::MIN_CHARS {
            return refuse("length", format!("must have at least {} characters", Self::MIN_CHARS).into());
        }
        if raw.len() > Self::MAX_BYTES {
            return refuse("length", format!("must have at most {} bytes", Self::MAX_BYTES).into());
        }
        if raw.contains('\0') {
            return refuse("nul", "must not contain the NUL character".into());
        }
        if COMMON.contains(raw.to_lowercase().as_str()) {
            return refuse("common", "is one of the most common passwords".into());
        }
        Ok(Self(Zeroizing::new(raw.to_owned())))
    }

    /// Creates a password that is to be verified. It need not meet the rules for new passwords.
    #[must_use]
    pub fn presented(raw: &str) -> Self {
        Self(Zeroizing::new(raw.to_owned()))
    }
}

impl Password {
    pub(in crate::domain::auth) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for Password {
    const SHAPE: Shape =
        Shape::Text { min: Self::MIN_CHARS, max: Some(Self::MAX_BYTES), format: Some("password"), pattern: None };

    fn from_text(text: &str) -> Result<Self, Violation> {
        Self::parse(text)
    }
}

/// Password that is presented to be verified: any text of 1 to 1,024 characters.
#[derive(Clone, Debug)]
pub struct PresentedPassword(pub Password);

impl PresentedPassword {
    /// Maximum number of characters.
    pub const MAX_CHARS: usize = 1024;
}

impl Value for PresentedPassword {
    const SHAPE: Shape = Shape::Text { min: 1, max: Some(Self::MAX_CHARS), format: Some("password"), pattern: None };

    fn from_text(text: &str) -> Result<Self, Violation> {
        if text.is_empty() {
            return Err(Violation::of_value("length", "must not be empty"));
        }
        at_most(text, Self::MAX_CHARS)?;
        Ok(Self(Password::presented(text)))
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::Password;

    #[test]
    fn passwords_that_break_a_rule_are_refused_with_its_name() {
        let cases = [
            ("short", "length"),
            (&"x".repeat(72), "length"),
            (&"ж".repeat(36), "length"),
            ("with\0nul-in-it", "nul"),
            ("Password1", "common"),
        ];
        for (raw, code) in cases {
            assert_eq!(Password::parse(raw).unwrap_err().code, code, "{raw:?}");
        }
        assert!(Password::parse(&"x".repeat(71)).is_ok());
        assert!(Password::parse("жжжжжжжж").is_ok());
    }
}
