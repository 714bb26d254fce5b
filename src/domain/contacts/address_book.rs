//! Address book files: reads and writes contacts as CSV (RFC 4180) and vCard (written as 4.0, RFC 6350;
//! read from 2.1 on). This module does not use the database.
//!
//! A file is read row by row, so that memory usage does not depend on its size. The violations of an
//! invalid row are reported, and reading continues with the next row. Contacts survive a round trip
//! unchanged: writing and then reading them gives the same contacts.

pub(in crate::domain) mod csv;
mod vcard;

use std::io::{BufRead, BufReader, Read};

use chrono::NaiveDate;
use entity::ContactFormat;
use entity::contacts::Model;

use crate::domain::contacts::contacts::{NewContact, Note};
use crate::domain::values::birthday::Birthday;
use crate::domain::values::email::Email;
use crate::domain::values::person::{ContactNumber, NamePart};
use crate::error::{Error, Result, Violation};

/// UTF-8 byte order mark (BOM), which some programs write at the beginning of a file.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Row of a CSV file, or card of a vCard file.
#[derive(Debug)]
pub struct Row {
    /// Line in which the row begins, from 1.
    pub line: u64,
    /// Contact, or all violations of the row.
    pub contact: std::result::Result<NewContact, Vec<Violation>>,
}

/// Fields of a row as text, before they are checked.
#[derive(Debug)]
struct Fields {
    first_name: String,
    last_name: String,
    email: String,
    phone_number: String,
    note: String,
    birthday: DateParts,
}

/// Year, month and day of a row, before they are checked.
type DateParts = std::result::Result<[Option<i16>; 3], Violation>;

/// Reads a file, and calls `on_row` for each row until it returns `false`.
///
/// # Errors
/// Returns a violation if the file does not have this format. Violations of a single row are part of the row.
pub fn read(format: ContactFormat, file: impl Read, on_row: impl FnMut(Row) -> bool) -> Result<()> {
    let file = utf_8(file)?;
    match format {
        ContactFormat::Csv => csv::read(file, on_row),
        ContactFormat::VCard => vcard::read(file, on_row),
    }
}

/// Opens a text file in UTF-8, without its byte order mark.
///
/// # Errors
/// A violation if it is empty, or encoded in UTF-16.
pub(in crate::domain) fn utf_8<R: Read>(file: R) -> Result<BufReader<R>> {
    let mut file = BufReader::new(file);
    match file.fill_buf().map_err(Error::internal)? {
        [] => return Err(Violation::new(".", "empty", "the file is empty").into()),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            return Err(Violation::new(".", "encoding", "the file must be encoded in UTF-8, not UTF-16").into());
        }
        start if start.starts_with(BYTE_ORDER_MARK) => file.consume(BYTE_ORDER_MARK.len()),
        _ => {}
    }
    Ok(file)
}

/// Beginning of a file: the header line of CSV, and nothing for vCard.
#[must_use]
pub fn head(format: ContactFormat) -> Vec<u8> {
    match format {
        ContactFormat::Csv => csv::head(),
        ContactFormat::VCard => Vec::new(),
    }
}

/// Writes contacts as a part of a file, without the beginning of the file.
///
/// # Errors
/// None in practice, because writing to memory does not fail.
pub fn write<'a>(format: ContactFormat, contacts: impl IntoIterator<Item = &'a Model>) -> Result<Vec<u8>> {
    match format {
        ContactFormat::Csv => csv::write(contacts),
        ContactFormat::VCard => vcard::write(contacts),
    }
}

impl Fields {
    /// The contact of a row, by the same rules as in the API.
    fn contact(self, latest: NaiveDate) -> std::result::Result<NewContact, Vec<Violation>> {
        let mut violations = Vec::new();
        let first_name = checked(&mut violations, "first_name", NamePart::parse(&self.first_name));
        let last_name = checked(&mut violations, "last_name", NamePart::parse(&self.last_name));
        let email = optional(&mut violations, "email", &self.email, Email::parse);
        let number = normalize_phone(&self.phone_number);
        let phone_number = optional(&mut violations, "phone_number", &number, ContactNumber::parse);
        let note = optional(&mut violations, "note", &self.note, Note::parse);
        let birthday = self.birthday.and_then(|[year, month, day]| Birthday::try_from_parts(month, day, year, latest));
        let birthday = birthday.unwrap_or_else(|violation| {
            violations.push(violation);
            None
        });
        match (first_name, last_name) {
            (Some(first_name), Some(last_name)) if violations.is_empty() => {
                Ok(NewContact { first_name, last_name, email, phone_number, birthday, note })
            }
            _ => Err(violations),
        }
    }
}

/// A parsed value; its violation is collected under the name of the field.
fn checked<T>(
    violations: &mut Vec<Violation>,
    field: &'static str,
    parsed: std::result::Result<T, Violation>,
) -> Option<T> {
    parsed.map_err(|violation| violations.push(violation.in_field(field))).ok()
}

/// A value that may be blank.
fn optional<T>(
    violations: &mut Vec<Violation>,
    field: &'static str,
    text: &str,
    parse: impl Fn(&str) -> std::result::Result<T, Violation>,
) -> Option<T> {
    if text.trim().is_empty() { None } else { checked(violations, field, parse(text)) }
}

/// Normalizes a telephone number: removes the invisible formatting characters that phones insert, and
/// replaces special spaces and hyphens by ASCII characters.
fn normalize_phone(text: &str) -> String {
    let is_kept = |c: &char| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let normalized = text.chars().filter(is_kept).map(|character| match character {
        '\u{a0}' | '\u{2009}' | '\u{202f}' => ' ',
        '\u{2010}'..='\u{2013}' => '-',
        other => other,
    });
    normalized.collect()
}

/// Parses a date in the notations that are common in files: `1985-12-10`, `19851210`, or without a year
/// `--12-10`, `--1210`.
fn parse_date(text: &str) -> DateParts {
    let invalid = || Violation::new("birthday", "date", "must be a date such as 1985-12-10, or --12-10 without a year");
    let text = text.trim();
    if text.is_empty() {
        return Ok([None; 3]);
    }
    let number = |digits: &str| {
        let are_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<i16>().ok().filter(|_| are_digits).ok_or_else(invalid)
    };
    let (year, rest) = match text.strip_prefix("--") {
        Some(rest) => (None, rest),
        None => text.split_at_checked(4).map(|(year, rest)| (Some(year), rest)).ok_or_else(invalid)?,
    };
    let rest = if year.is_some() { rest.strip_prefix('-').unwrap_or(rest) } else { rest };
    let (month, day) = rest.split_at_checked(2).ok_or_else(invalid)?;
    let day = day.strip_prefix('-').unwrap_or(day);
    if day.len() != 2 {
        return Err(invalid());
    }
    Ok([year.map(number).transpose()?, Some(number(month)?), Some(number(day)?)])
}

#[cfg(test)]
mod tests {
    use super::parse_date;

    #[test]
    fn dates_in_common_notations_are_parsed_and_others_are_violations() {
        for text in ["1985-12-10", "19851210", " 1985-12-10 "] {
            assert_eq!(parse_date(text).unwrap(), [Some(1985), Some(12), Some(10)], "{text}");
        }
        for text in ["--02-29", "--0229"] {
            assert_eq!(parse_date(text).unwrap(), [None, Some(2), Some(29)], "{text}");
        }
        assert_eq!(parse_date("").unwrap(), [None; 3]);
        for text in [
            "1985",
            "1985-12",
            "12/10/1985",
            "tomorrow",
            "1985-1-1",
            "-1985-12-10",
            "１９８５-12-10",
            "--+1+2",
            "1985-12-10x",
        ] {
            assert!(parse_date(text).is_err(), "{text}");
        }
    }
}
