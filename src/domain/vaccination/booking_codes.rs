//! Booking codes: what people show at the centre.

use std::fmt;

use crate::domain::values::value::{Shape, Value};
use crate::error::{Error, Result, Violation};

/// Letters of codes (Crockford's Base32): none looks like another one.
pub(super) const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Number of characters of a booking code.
pub const LENGTH: usize = 8;

/// Regular expression of a code as it may be entered.
const PATTERN: &str = r"^[\t\n\f\r -]*([0-9A-TV-Za-tv-z][\t\n\f\r -]*){8}$";

/// A booking code that somebody entered, in upper case and without separators.
#[derive(Clone, PartialEq, Eq)]
pub struct BookingCode(String);

impl BookingCode {
    /// The code, as it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for BookingCode {
    const SHAPE: Shape = Shape::Text { min: 0, max: None, format: None, pattern: Some(PATTERN) };

    fn from_text(text: &str) -> std::result::Result<Self, Violation> {
        let refused = || Violation::of_value("code", "must be the 8 letters and digits of a booking");
        read(text, LENGTH).map(Self).ok_or_else(refused)
    }
}

/// A code tells who is vaccinated: it stays out of logs.
impl fmt::Debug for BookingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BookingCode(…)")
    }
}

/// Reads a code of some length as people enter it: letter case, spaces and hyphens do not matter, `O` is read as `0`, `I`
/// and `L` as `1` (Crockford's Base32).
pub(super) fn read(entered: &str, length: usize) -> Option<String> {
    let mut code = String::with_capacity(length);
    for entered in entered.chars().filter(|character| !character.is_ascii_whitespace() && *character != '-') {
        let letter = match entered.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            letter => letter,
        };
        let is_known = u8::try_from(letter).is_ok_and(|letter| LETTERS.contains(&letter));
        if !is_known || code.len() == length {
            return None;
        }
        code.push(letter);
    }
    (code.len() == length).then_some(code)
}

/// The booking code of random bytes.
#[must_use]
pub fn of(random: [u8; LENGTH]) -> String {
    let letter = |byte: u8| LETTERS.get(usize::from(byte % 32)).copied().unwrap_or(b'0');
    random.into_iter().map(letter).map(char::from).collect()
}

/// A new booking code.
pub(super) fn new() -> Result<String> {
    let mut random = [0; LENGTH];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| Error::internal("no random bytes"))?;
    Ok(of(random))
}
