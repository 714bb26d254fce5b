//! Rules for single values, in the form in which `validator` calls them. Values with a type of their own ([`Email`],
//! [`Password`]) bring their rules along.

use std::borrow::Cow;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use validator::ValidationError;

use crate::domain::auth::password::Password;
use crate::domain::values::birthday::{self, Birthday};
use crate::domain::values::email::Email;
use crate::domain::values::patch::Patch;
use crate::domain::values::time_zone::TimeZone;
use crate::error::Violation;

type Checked = Result<(), ValidationError>;

/// Among the parameters of a rule over several fields: the field that breaks it.
pub const FIELD: &str = "field";

/// The most words of a search.
const MOST_WORDS: usize = 10;

/// The fewest digits in a telephone number.
const MIN_PHONE_DIGITS: usize = 5;

/// An e-mail address.
pub fn email(value: &str) -> Checked {
    Email::parse(value).map(drop).map_err(refused)
}

/// A password that somebody wants to have.
pub fn password(value: &str) -> Checked {
    Password::parse(value).map(drop).map_err(refused)
}

/// A code that was sent by mail.
pub fn code(value: &str) -> Checked {
    if value.len() != 6 || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return refuse("digits", "must be the 6 digits of the code");
    }
    Ok(())
}

/// One line of text: not blank, no control characters.
pub fn line(value: &str) -> Checked {
    if value.trim().is_empty() {
        return refuse("blank", "must not be blank");
    }
    if value.contains(char::is_control) {
        return refuse("control", "must not contain control characters");
    }
    Ok(())
}

/// Text of several lines: not blank, no control characters but tabs and line ends.
pub fn text(value: &str) -> Checked {
    if value.trim().is_empty() {
        return refuse("blank", "must not be blank");
    }
    if value.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return refuse("control", "must not contain control characters");
    }
    Ok(())
}

/// Text of several lines with one kind of line end, whatever it came with.
#[must_use]
pub fn normal_lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// A telephone number: digits, with the signs that people put between them.
pub fn phone_number(value: &str) -> Checked {
    let digits = value.chars().filter(char::is_ascii_digit).count();
    if digits < MIN_PHONE_DIGITS || !value.chars().all(|c| c.is_ascii_digit() || "+ ()-./".contains(c)) {
        return refuse("phone_number", "must be a telephone number of at least 5 digits");
    }
    Ok(())
}

/// A telephone number in an address book: short ones, pauses and extensions too.
pub fn contact_number(value: &str) -> Checked {
    let digits = value.chars().filter(char::is_ascii_digit).count();
    if digits < 2 || !value.chars().all(|c| c.is_ascii_digit() || "+ ()-./*#,;x".contains(c)) {
        return refuse("phone_number", "must be a telephone number");
    }
    Ok(())
}

/// What is searched for: a line of at most ten words.
pub fn words(value: &str) -> Checked {
    line(value)?;
    if value.split_whitespace().nth(MOST_WORDS).is_some() {
        return refuse("words", "must be at most 10 words");
    }
    Ok(())
}

/// A national id: letters and digits, with the signs that people put between them.
pub fn nid(value: &str) -> Checked {
    line(value)?;
    if !value.chars().all(|c| c.is_alphanumeric() || " -./".contains(c)) {
        return refuse("nid", "must consist of letters, digits, spaces, hyphens, dots and slashes");
    }
    Ok(())
}

/// A date on which somebody alive may have been born.
pub fn birth_date(value: &NaiveDate) -> Checked {
    if *value > latest_birth_date() || value.year() < birthday::FIRST_YEAR {
        return refuse("range", "must be a date from 1900-01-01 to today");
    }
    Ok(())
}

/// The latest date on which somebody may have been born: somewhere it is tomorrow already.
pub fn latest_birth_date() -> NaiveDate {
    Utc::now().date_naive().succ_opt().unwrap_or(NaiveDate::MAX)
}

/// A day of the calendar, with or without a year; or nothing at all. Names the part that is wrong.
pub fn birthday(month: Option<i16>, day: Option<i16>, year: Option<i16>) -> Checked {
    Birthday::parse(month, day, year, latest_birth_date()).map(drop).map_err(|violation| {
        let mut error = ValidationError::new("date");
        error.add_param(Cow::Borrowed(FIELD), &violation.field);
        error.code = violation.code;
        error.with_message(violation.message)
    })
}

/// The year of a birthday, as far as it can be judged without the day.
pub fn birth_year(year: i32) -> Checked {
    within(year, birthday::FIRST_YEAR, latest_birth_date().year())
}

/// A time zone by its IANA name.
pub fn time_zone(value: &str) -> Checked {
    TimeZone::parse(value).map(drop).map_err(refused)
}

/// A time that both databases can hold and compare.
pub fn time(value: &DateTime<Utc>) -> Checked {
    if !(1970..=9999).contains(&value.year()) {
        return refuse("range", "must be a time from 1970 to 9999");
    }
    Ok(())
}

/// Applies a rule to the value that a patch sets, if it sets one.
pub fn patched<T>(patch: &Patch<T>, rule: impl Fn(&T) -> Checked) -> Checked {
    patch.as_set().map_or(Ok(()), rule)
}

/// At most so many characters.
pub fn at_most(value: &str, characters: usize) -> Checked {
    if value.chars().count() > characters {
        return Err(
            ValidationError::new("length").with_message(format!("must be at most {characters} characters").into())
        );
    }
    Ok(())
}

/// A number within bounds.
pub fn within(value: i32, min: i32, max: i32) -> Checked {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(ValidationError::new("range").with_message(format!("must be from {min} to {max}").into()))
}

fn refuse(code: &'static str, message: &'static str) -> Checked {
    Err(ValidationError::new(code).with_message(Cow::Borrowed(message)))
}

fn refused(violation: Violation) -> ValidationError {
    let mut error = ValidationError::new("invalid").with_message(violation.message);
    error.code = violation.code;
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_any_script_pass_and_blanks_and_control_characters_do_not() {
        for good in ["Ada", "Жук", "李 雷", "Zoë-Ann O’Neil"] {
            assert!(line(good).is_ok(), "{good}");
        }
        for bad in ["", "   ", "a\0b", "a\nb", "\u{7f}"] {
            assert!(line(bad).is_err(), "{bad:?}");
        }
        assert!(text("two\nlines").is_ok());
        assert!(text("nul\0").is_err());
    }

    #[test]
    fn telephone_numbers_are_told_from_other_texts() {
        for good in ["+49 30 123456", "(030) 12-34-56", "12345"] {
            assert!(phone_number(good).is_ok(), "{good}");
        }
        for bad in ["1234", "call me", "+49 30 ext 123456"] {
            assert!(phone_number(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn nobody_is_born_in_the_future() {
        assert!(birth_date(&NaiveDate::from_ymd_opt(2000, 2, 29).unwrap()).is_ok());
        assert!(birth_date(&NaiveDate::from_ymd_opt(1899, 12, 31).unwrap()).is_err());
        assert!(birth_date(&(Utc::now().date_naive() + chrono::Days::new(3))).is_err());
    }
}
