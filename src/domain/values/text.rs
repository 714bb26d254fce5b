//! Texts of one line and of several, with a bound on their length.

use std::fmt;

use crate::domain::values::value::{Shape, Value, at_most};
use crate::error::Violation;

/// One line of text: trimmed, not blank, at most `MAX` characters, no control characters.
#[derive(Clone, PartialEq, Eq)]
pub struct Line<const MAX: usize>(String);

/// Text of one or more lines: trimmed, not blank, at most `MAX` characters, lines separated by `\n`, no other control
/// characters than line ends and tabs.
#[derive(Clone, PartialEq, Eq)]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Line<MAX> {
    /// Maximum number of characters.
    pub const MAX_CHARS: usize = MAX;

    /// Parses a line.
    ///
    /// # Errors
    /// A violation `blank`, `control` or `length`.
    pub fn parse(raw: &str) -> Result<Self, Violation> {
        let line = raw.trim();
        if line.is_empty() {
            return Err(Violation::of_value("blank", "must not be blank"));
        }
        at_most(line, MAX)?;
        if line.contains(char::is_control) {
            return Err(Violation::of_value("control", "must not contain control characters"));
        }
        Ok(Self(line.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, to be stored.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl<const MAX: usize> Text<MAX> {
    /// Maximum number of characters.
    pub const MAX_CHARS: usize = MAX;

    /// Parses a text.
    ///
    /// # Errors
    /// A violation `blank`, `control` or `length`.
    pub fn parse(raw: &str) -> Result<Self, Violation> {
        let text = raw.trim();
        if text.is_empty() {
            return Err(Violation::of_value("blank", "must not be blank"));
        }
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        at_most(&text, MAX)?;
        if text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t')) {
            return Err(Violation::of_value("control", "must not contain control characters"));
        }
        Ok(Self(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, to be stored.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl<const MAX: usize> Value for Line<MAX> {
    const SHAPE: Shape = Shape::text(1, MAX);

    fn from_text(text: &str) -> Result<Self, Violation> {
        Self::parse(text)
    }
}

impl<const MAX: usize> Value for Text<MAX> {
    const SHAPE: Shape = Shape::text(1, MAX);

    fn from_text(text: &str) -> Result<Self, Violation> {
        Self::parse(text)
    }
}

/// Hides personal data from logs.
impl<const MAX: usize> fmt::Debug for Line<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line(…)")
    }
}

/// Hides personal data from logs.
impl<const MAX: usize> fmt::Debug for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, Text};

    #[test]
    fn a_line_of_any_script_is_accepted_and_trimmed() {
        for good in ["Ada", " Жук ", "李 雷", "Zoë-Ann O’Neil"] {
            assert_eq!(Line::<200>::parse(good).unwrap().as_str(), good.trim());
        }
    }

    #[test]
    fn blank_long_and_control_characters_are_refused() {
        for (bad, code) in [
            ("", "blank"),
            ("   ", "blank"),
            ("a\0b", "control"),
            ("a\nb", "control"),
            ("a\u{7f}", "control"),
            ("abcdef", "length"),
        ] {
            assert_eq!(Line::<5>::parse(bad).unwrap_err().code, code, "{bad:?}");
        }
        assert_eq!(Text::<9>::parse("nul\0").unwrap_err().code, "control");
        assert_eq!(Text::<3>::parse("four").unwrap_err().code, "length");
        assert!(Text::<3>::parse(" äöü ").is_ok(), "characters are counted, not bytes, after trimming");
    }

    #[test]
    fn every_line_end_becomes_a_line_feed() {
        assert_eq!(Text::<99>::parse("one\r\ntwo\rthree\n").unwrap().as_str(), "one\ntwo\nthree");
    }
}
