//! Passwords in plain text: new ones, which must meet the rules, and presented ones, which are only verified.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use icu_normalizer::ComposingNormalizerBorrowed;
use zeroize::Zeroizing;

use crate::domain::values::search;
use crate::domain::values::value::{Shape, Value, at_most};
use crate::error::Violation;

/// The most common passwords of at least eight characters, one per line.
static COMMON: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

/// Name of the service.
const PRODUCT: &str = "care4u";

/// Digits and signs around a word that do not make it a password.
const MAX_DECORATION: usize = 4;

/// Shorter words, such as initials, are not compared.
const MIN_CONTEXT_CHARS: usize = 3;

/// A password in plain text. It is never printed, and its memory is overwritten when it is dropped.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Minimum number of characters.
    pub const MIN_CHARS: usize = 8;
    /// Maximum number of characters.
    pub const MAX_CHARS: usize = 256;

    /// Parses a new password.
    ///
    /// # Errors
    /// A violation `length`, `nul` or `common`.
    pub fn parse(raw: &str) -> Result<Self, Violation> {
        let refuse = |code, message: Cow<'static, str>| Err(Violation::new("password", code, message));
        let password = Self(Zeroizing::new(raw.to_owned()));
        let normalized = password.normalized();
        if normalized.chars().count() < Self::MIN_CHARS {
            return refuse("length", format!("must have at least {} characters", Self::MIN_CHARS).into());
        }
        if raw.chars().count() > Self::MAX_CHARS {
            return refuse("length", format!("must have at most {} characters", Self::MAX_CHARS).into());
        }
        if raw.contains('\0') {
            return refuse("nul", "must not contain the NUL character".into());
        }
        if COMMON.contains(normalized.to_lowercase().as_str()) {
            return refuse("common", "is one of the most common passwords".into());
        }
        Ok(password)
    }

    /// Checks that the password is not the e-mail address or its local part, the name of the user or a part of it, or
    /// the name of the service, each with up to four digits or signs around it (OWASP ASVS 6.2.11).
    ///
    /// # Errors
    /// A violation `context`.
    pub fn check_context(&self, email: &str, name: &str) -> Result<(), Violation> {
        let password = context_form(&self.normalized());
        let local_part = email.split('@').next().unwrap_or_default();
        let words = [email, local_part, name, PRODUCT].into_iter().chain(name.split_whitespace());
        if words.map(context_form).any(|word| is_word_with_decoration(&password, &word)) {
            return Err(Violation::of_value(
                "context",
                "must not be your e-mail address, your name, or the name of this service",
            ));
        }
        Ok(())
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

    /// The normalised text (Unicode NFKC, NIST SP 800-63B): the same password may be typed as other characters on another
    /// device.
    pub(in crate::domain::auth) fn normalized(&self) -> Zeroizing<String> {
        Zeroizing::new(ComposingNormalizerBorrowed::new_nfkc().normalize(&self.0).into_owned())
    }
}

/// Folded text without white space.
fn context_form(text: &str) -> String {
    search::fold(text).split_whitespace().collect()
}

/// Whether a text consists of a word and at most [`MAX_DECORATION`] digits or signs around it.
fn is_word_with_decoration(text: &str, word: &str) -> bool {
    let is_decoration = |text: &str| !text.contains(char::is_alphabetic);
    word.chars().count() >= MIN_CONTEXT_CHARS
        && text.match_indices(word).any(|(start, _)| {
            let (before, after) =
                (text.get(..start).unwrap_or_default(), text.get(start + word.len()..).unwrap_or_default());
            let decoration = before.chars().count() + after.chars().count();
            decoration <= MAX_DECORATION && is_decoration(before) && is_decoration(after)
        })
}

impl Value for Password {
    const SHAPE: Shape =
        Shape::Text { min: Self::MIN_CHARS, max: Some(Self::MAX_CHARS), format: Some("password"), pattern: None };

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
            (&"x".repeat(257), "length"),
            // Four characters after normalisation.
            ("e\u{301}e\u{301}e\u{301}e\u{301}", "length"),
            ("with\0nul-in-it", "nul"),
            ("Password1", "common"),
            ("ｐａｓｓｗｏｒｄ１", "common"),
        ];
        for (raw, code) in cases {
            assert_eq!(Password::parse(raw).unwrap_err().code, code, "{raw:?}");
        }
        for good in ["x".repeat(256), "жжжжжжжж".to_owned(), "ড়".repeat(64), "\u{fdfa}".repeat(64), "👩‍⚕️".repeat(64)]
        {
            assert!(Password::parse(&good).is_ok(), "{good}");
        }
    }

    #[test]
    fn the_address_the_name_and_the_service_are_no_passwords() {
        let check = |raw: &str| Password::presented(raw).check_context("ada.king@example.org", "Ada Lovelace-Äpfel");
        for raw in [
            "ada.king@example.org",
            "Ada.King@Example.org1",
            "ADA.KING!",
            "123ada.king",
            "ada lovelace-äpfel",
            "AdaLovelace-Äpfel99",
            "Lovelace-A\u{308}pfel",
            "care4u2026",
            "!!Care4U!!",
        ] {
            assert_eq!(check(raw).unwrap_err().code, "context", "{raw}");
        }
        for raw in ["my ada.king", "care4u20261", "care4u is great", "ada.king.is.it", "xlovelace-äpfel", "12345678"] {
            assert!(check(raw).is_ok(), "{raw}");
        }
    }
}
