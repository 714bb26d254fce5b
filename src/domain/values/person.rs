//! Values that describe a person: names, telephone numbers, national id, date of birth.

use std::fmt;

use chrono::{Datelike, NaiveDate, Utc};
use icu_normalizer::ComposingNormalizerBorrowed;

use crate::domain::values::birthday::{FIRST_YEAR, out_of_range};
use crate::domain::values::text::{Line, Text};
use crate::domain::values::value::{Shape, Value, at_most};
use crate::error::Violation;

/// The full name of a user.
pub type FullName = Line<200, true>;

/// A first or last name of a contact.
pub type NamePart = Line<100>;

/// A postal address.
pub type PostalAddress = Text<500>;

/// A telephone number of a user: digits and the usual separators.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneNumber(String);

/// A telephone number of a contact. Address books also have short numbers, pauses and extensions.
#[derive(Clone, PartialEq, Eq)]
pub struct ContactNumber(String);

/// A national id: letters, digits and the usual separators. Ids are compared by their key.
#[derive(Clone, PartialEq, Eq)]
pub struct NationalId {
    written: String,
    key: String,
}

/// A date of birth, from 1900 to today.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BirthDate(NaiveDate);

impl PhoneNumber {
    /// The number, as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Maximum number of characters.
    pub const MAX_CHARS: usize = 32;
    /// Minimum number of digits.
    pub const MIN_DIGITS: usize = 5;

    /// Parses a number.
    ///
    /// # Errors
    /// A violation `phone_number` or `length`.
    pub fn parse(raw: &str) -> Result<Self, Violation> {
        let number = raw.trim();
        at_most(number, Self::MAX_CHARS)?;
        if digits(number) < Self::MIN_DIGITS || !number.chars().all(|c| c.is_ascii_digit() || "+ ()-./".contains(c)) {
            let message = format!("must be a telephone number of at least {} digits", Self::MIN_DIGITS);
            return Err(Violation::of_value("phone_number", message));
        }
        Ok(Self(number.to_owned()))
    }

    /// The number, to be stored.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl ContactNumber {
    /// Maximum number of characters.
    pub const MAX_CHARS: usize = 32;
    /// Minimum number of digits.
    pub const MIN_DIGITS: usize = 2;

    /// Parses a number.
    ///
    /// # Errors
    /// A violation `phone_number` or `length`.
    pub fn parse(raw: &str) -> Result<Self, Violation> {
        let number = raw.trim();
        at_most(number, Self::MAX_CHARS)?;
        let is_number = number.chars().all(|c| c.is_ascii_digit() || "+ ()-./*#,;x".contains(c));
        if digits(number) < Self::MIN_DIGITS || !is_number {
            return Err(Violation::of_value("phone_number", "must be a telephone number"));
        }
        Ok(Self(number.to_owned()))
    }

    /// The number, to be stored.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl NationalId {
    /// Maximum number of characters.
    pub const MAX_CHARS: usize = 64;

    /// Parses a national id.
    ///
    /// # Errors
    /// A violation `nid`, `blank`, `control` or `length`.
    pub fn parse(raw: &str) -> Result<Self, Violation> {
        let nid = Line::<{ Self::MAX_CHARS }>::parse(raw)?.into_string();
        if !nid.chars().all(|c| c.is_alphanumeric() || " -./".contains(c)) {
            let message = "must consist of letters, digits, spaces, hyphens, dots and slashes";
            return Err(Violation::of_value("nid", message));
        }
        let normalized = ComposingNormalizerBorrowed::new_nfkc().normalize(&nid);
        let key: String = normalized.chars().flat_map(char::to_uppercase).filter(|c| c.is_alphanumeric()).collect();
        if key.is_empty() {
            return Err(Violation::of_value("nid", "must contain a letter or a digit"));
        }
        at_most(&key, Self::MAX_CHARS)?;
        Ok(Self { written: nid, key })
    }

    /// The national id as it was written, to be stored.
    #[must_use]
    pub fn written(&self) -> &str {
        &self.written
    }

    /// The key for comparisons: normalised (Unicode NFKC), in upper case, without separators.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl BirthDate {
    /// Checks a date.
    ///
    /// # Errors
    /// A violation `range`.
    pub fn parse(date: NaiveDate) -> Result<Self, Violation> {
        if date > latest_birth_date() || date.year() < FIRST_YEAR {
            return Err(Violation::of_value("range", format!("must be a date from {FIRST_YEAR}-01-01 to today")));
        }
        Ok(Self(date))
    }

    /// The date.
    #[must_use]
    pub fn date(self) -> NaiveDate {
        self.0
    }
}

/// The year of a contact's birth, from 1900 to this year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BirthYear(i16);

impl BirthYear {
    /// The year.
    #[must_use]
    pub fn get(self) -> i16 {
        self.0
    }
}

/// Latest valid date of birth: tomorrow in UTC, because in some time zones tomorrow has already begun.
#[must_use]
pub fn latest_birth_date() -> NaiveDate {
    Utc::now().date_naive().succ_opt().unwrap_or(NaiveDate::MAX)
}

fn digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

impl Value for PhoneNumber {
    const SHAPE: Shape = Shape::text(Self::MIN_DIGITS, Self::MAX_CHARS);

    fn from_text(text: &str) -> Result<Self, Violation> {
        Self::parse(text)
    }
}

impl Value for ContactNumber {
    const SHAPE: Shape = Shape::text(Self::MIN_DIGITS, Self::MAX_CHARS);

    fn from_text(text: &str) -> Result<Self, Violation> {
        Self::parse(text)
    }
}

impl Value for NationalId {
    const SHAPE: Shape = Shape::text(1, Self::MAX_CHARS);

    fn from_text(text: &str) -> Result<Self, Violation> {
        Self::parse(text)
    }
}

impl Value for BirthDate {
    const SHAPE: Shape = Shape::format("date");

    fn from_text(text: &str) -> Result<Self, Violation> {
        // chrono would also accept 1985-1-1.
        let date = Some(text).filter(|text| text.len() == "1985-12-10".len()).and_then(|text| text.parse().ok());
        Self::parse(date.ok_or_else(|| Self::SHAPE.wrong_type())?)
    }
}

impl Value for BirthYear {
    #[expect(clippy::as_conversions, reason = "i64::from is not const")]
    const SHAPE: Shape = Shape::Integer { min: FIRST_YEAR as i64, max: None };

    fn from_integer(number: i64) -> Result<Self, Violation> {
        let latest = latest_birth_date();
        let year = i16::try_from(number).ok().filter(|year| (FIRST_YEAR..=latest.year()).contains(&i32::from(*year)));
        year.map(Self).ok_or_else(|| out_of_range(latest))
    }
}

/// Hides personal data from logs.
impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneNumber(…)")
    }
}

/// Hides personal data from logs.
impl fmt::Debug for ContactNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContactNumber(…)")
    }
}

/// Hides personal data from logs.
impl fmt::Debug for NationalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NationalId(…)")
    }
}

/// Hides personal data from logs.
impl fmt::Debug for BirthDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BirthDate(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_no_telephone_number_is_rejected() {
        for good in ["+49 30 123456", "(030) 12-34-56", "12345"] {
            assert!(PhoneNumber::parse(good).is_ok(), "{good}");
        }
        for bad in ["1234", "call me", "+49 30 ext 123456"] {
            assert!(PhoneNumber::parse(bad).is_err(), "{bad}");
        }
        for good in ["110", "*100#", "+49 30 123456 x12"] {
            assert!(ContactNumber::parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn spellings_of_one_national_id_have_one_key() {
        for spelling in ["19121815-AL", "19121815-al", " 19121815 AL", "19.121.815/al", "１９１２１８１５-ＡＬ"]
        {
            assert_eq!(NationalId::parse(spelling).unwrap().key(), "19121815AL", "{spelling}");
        }
        for bad in ["", " ", "-./", "a;b", &"ß".repeat(33)] {
            assert!(NationalId::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_birth_date_in_the_future_is_refused() {
        assert!(BirthDate::from_text("2000-02-29").is_ok());
        for bad in ["1899-12-31", "2001-02-29", "2000-2-9", "tomorrow"] {
            assert!(BirthDate::from_text(bad).is_err(), "{bad}");
        }
        assert!(BirthDate::parse(Utc::now().date_naive() + chrono::Days::new(3)).is_err());
    }

    #[test]
    fn personal_data_is_not_printed() {
        assert_eq!(format!("{:?}", NationalId::parse("19121815-AL").unwrap()), "NationalId(…)");
    }
}
