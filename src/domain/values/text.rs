//! Texts of one line and of several, with a bound on their length.

use std::fmt;

use crate::domain::values::value::{Shape, Value, at_most};
use crate::error::Violation;

/// One line of text: trimmed, not blank, at most `MAX` characters, no control characters.
///
/// If it is `SHOWN` to others as the name of somebody, it also has a visible character, and no line separators and no
/// controls of the writing direction, which can make a name look like another one.
#[derive(Clone, PartialEq, Eq)]
pub struct Line<const MAX: usize, const SHOWN: bool = false>(String);

/// Text of one or more lines: trimmed, not blank, at most `MAX` characters, lines separated by `\n`, no other control
/// characters than line ends and tabs.
#[derive(Clone, PartialEq, Eq)]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize, const SHOWN: bool> Line<MAX, SHOWN> {
    /// Maximum number of characters.
    pub const MAX_CHARS: usize = MAX;

    /// Parses a line.
    ///
    /// # Errors
    /// A violation `blank`, `control` or `length`.
    pub fn parse(raw: &str) -> Result<Self, Violation> {
        let line = raw.trim();
        if line.is_empty() || (SHOWN && !line.contains(is_visible)) {
            return Err(Violation::of_value("blank", "must not be blank"));
        }
        // With the spaces around it, as the schema says.
        at_most(raw, MAX)?;
        if line.contains(|c: char| c.is_control() || (SHOWN && (is_line_separator(c) || is_bidi_control(c)))) {
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

/// Whether a character can be seen: no white space, control or format character, filler, or variation selector.
fn is_visible(c: char) -> bool {
    let is_format = matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
    );
    !c.is_whitespace() && !c.is_control() && !is_format
}

fn is_line_separator(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// Whether a character has the Unicode property `Bidi_Control`.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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

/// Regular expression of a line: no control characters, except white space at both ends, which is trimmed.
const LINE_PATTERN: &str = r"^[\t-\r\x85]*[^\x00-\x1f\x7f-\x9f]*[\t-\r\x85]*$";

/// Regular expression of a text: no control characters but tabs, line ends and other white space.
const TEXT_PATTERN: &str = r"^[^\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]*$";

impl<const MAX: usize, const SHOWN: bool> Value for Line<MAX, SHOWN> {
    const SHAPE: Shape = Shape::Text { min: 1, max: Some(MAX), format: None, pattern: Some(LINE_PATTERN) };

    fn from_text(text: &str) -> Result<Self, Violation> {
        Self::parse(text)
    }
}

impl<const MAX: usize> Value for Text<MAX> {
    const SHAPE: Shape = Shape::Text { min: 1, max: Some(MAX), format: None, pattern: Some(TEXT_PATTERN) };

    fn from_text(text: &str) -> Result<Self, Violation> {
        Self::parse(text)
    }
}

/// Hides personal data from logs.
impl<const MAX: usize, const SHOWN: bool> fmt::Debug for Line<MAX, SHOWN> {
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
    fn a_name_that_is_shown_has_a_visible_character_and_no_direction() {
        for (bad, code) in [
            ("\u{200b}\u{2060}", "blank"),
            ("\u{3164}", "blank"),
            ("\u{ad}\u{fe0f}", "blank"),
            ("a\u{202e}b", "control"),
            ("a\u{2067}b", "control"),
            ("a\u{2028}b", "control"),
        ] {
            assert_eq!(Line::<5, true>::parse(bad).unwrap_err().code, code, "{bad:?}");
            assert!(Line::<5>::parse(bad).is_ok(), "{bad:?}");
        }
    }

    #[test]
    fn every_line_end_becomes_a_line_feed() {
        assert_eq!(Text::<99>::parse("one\r\ntwo\rthree\n").unwrap().as_str(), "one\ntwo\nthree");
    }
}
