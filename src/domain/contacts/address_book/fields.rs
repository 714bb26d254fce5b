//! Fields of a row as text, and the contact that they make: what breaks a rule is left out with a warning, so that a contact is
//! not lost for one field.

use chrono::NaiveDate;

use super::ReadOptions;
use super::dates::{DateOrder, DateParts, UNKNOWN_YEARS, parse_date};
use crate::domain::contacts::contact_points::{ContactPoint, Label, MAX_POINTS};
use crate::domain::contacts::contacts::{NewContact, Note};
use crate::domain::contacts::names::{Names, OrganizationName};
use crate::domain::contacts::uids::Uid;
use crate::domain::values::birthday::Birthday;
use crate::domain::values::email::Email;
use crate::domain::values::person::{ContactNumber, NamePart};
use crate::error::Violation;

/// The most characters of a value in a warning.
const MAX_VALUE_CHARS: usize = 100;

/// A part of a row that was left out, while the contact was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The rule that the part breaks.
    pub violation: Violation,
    /// The part as it is in the file, perhaps cut off.
    pub value: Option<String>,
}

/// A contact, or all violations of its row.
pub(super) type Contact = Result<NewContact, Vec<Violation>>;

/// Fields of a row as text, before they are checked.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub uid: String,
    pub first_name: String,
    pub last_name: String,
    pub organization: String,
    pub emails: Vec<LabelledText>,
    pub phone_numbers: Vec<LabelledText>,
    pub notes: Vec<String>,
    pub birthday: BirthdayText,
    /// What was left out already.
    pub warnings: Vec<Warning>,
}

/// A value with its label, which may be empty.
#[derive(Debug, Default)]
pub(super) struct LabelledText {
    pub label: String,
    pub value: String,
}

/// A birthday, before it is checked.
#[derive(Debug)]
pub(super) enum BirthdayText {
    /// A date.
    Date(String),
    /// Year, month and day.
    Parts([String; 3]),
}

impl Default for BirthdayText {
    fn default() -> Self {
        Self::Date(String::new())
    }
}

impl Warning {
    /// A warning about a part of a row.
    pub(in crate::domain::contacts) fn new(violation: Violation, value: &str) -> Self {
        let value: String = value.trim().chars().take(MAX_VALUE_CHARS).collect();
        Self { violation, value: Some(value).filter(|value| !value.is_empty()) }
    }
}

impl Fields {
    /// Whether a text has the replacement character, which stands for what could not be decoded.
    pub fn has_replacement(&self) -> bool {
        let points = self.emails.iter().chain(&self.phone_numbers).flat_map(|point| [&point.label, &point.value]);
        let texts = [&self.uid, &self.first_name, &self.last_name, &self.organization].into_iter();
        texts.chain(points).chain(&self.notes).any(|text| text.contains(char::REPLACEMENT_CHARACTER))
    }

    /// The contact of a row by the same rules as in the API, and what was left out.
    pub fn contact(mut self, options: ReadOptions, latest: NaiveDate) -> (Contact, Vec<Warning>) {
        let mut left_out = std::mem::take(&mut self.warnings);
        let warnings = &mut left_out;
        let first = part(warnings, "first_name", &self.first_name, NamePart::parse);
        let last = part(warnings, "last_name", &self.last_name, NamePart::parse);
        let organization = part(warnings, "organization", &self.organization, OrganizationName::parse);
        let uid = part(warnings, "uid", &self.uid, Uid::parse);
        let emails = points(warnings, "email", self.emails, |email| Email::parse(address(email)));
        let number = |number: &str| ContactNumber::parse(&number_text(number));
        let phone_numbers = points(warnings, "phone_number", self.phone_numbers, number);
        let birthday = self.birthday.parse(options.dates, latest, warnings);
        let note = part(warnings, "note", &self.notes.join("\n"), Note::parse);
        match Names::new(first, last, organization) {
            Ok(names) if left_out.is_empty() || !options.is_strict => {
                (Ok(NewContact { uid, names, emails, phone_numbers, birthday, note }), left_out)
            }
            names => {
                let violations = left_out.into_iter().map(|warning| warning.violation);
                (Err(violations.chain(names.err()).collect()), Vec::new())
            }
        }
    }
}

impl BirthdayText {
    /// The birthday; a year that is out of range is left out alone.
    fn parse(&self, order: Option<DateOrder>, latest: NaiveDate, warnings: &mut Vec<Warning>) -> Option<Birthday> {
        let text = match self {
            Self::Date(text) => text.clone(),
            Self::Parts(parts) => parts.iter().map(|part| part.trim()).collect::<Vec<_>>().join("-"),
        };
        let birthday =
            self.parts(order).and_then(|[year, month, day]| match Birthday::try_from_parts(month, day, year, latest) {
                Err(violation) if violation.field == "birth_year" && year.is_some() => {
                    let birthday = Birthday::try_from_parts(month, day, None, latest)?;
                    warnings.push(Warning::new(violation, &text));
                    Ok(birthday)
                }
                birthday => birthday,
            });
        birthday.unwrap_or_else(|violation| {
            warnings.push(Warning::new(violation, &text));
            None
        })
    }

    fn parts(&self, order: Option<DateOrder>) -> Result<DateParts, Violation> {
        match self {
            Self::Date(text) => parse_date(text, order),
            Self::Parts([year, month, day]) => {
                let year = number("birth_year", year)?.filter(|year| !UNKNOWN_YEARS.contains(year));
                Ok([year, number("birth_month", month)?, number("birth_day", day)?])
            }
        }
    }
}

fn number(field: &'static str, text: &str) -> Result<Option<i16>, Violation> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| Violation::new(field, "type", "must be a whole number"))
}

/// A value that may be blank. What is invalid is left out.
fn part<T>(
    warnings: &mut Vec<Warning>,
    field: &'static str,
    text: &str,
    parse: impl Fn(&str) -> Result<T, Violation>,
) -> Option<T> {
    if text.trim().is_empty() {
        return None;
    }
    match parse(text) {
        Ok(value) => Some(value),
        Err(violation) => {
            warnings.push(Warning::new(violation.in_field(field), text));
            None
        }
    }
}

/// E-mail addresses or telephone numbers in their order, each once.
fn points<T: PartialEq>(
    warnings: &mut Vec<Warning>,
    field: &'static str,
    texts: Vec<LabelledText>,
    parse: impl Fn(&str) -> Result<T, Violation>,
) -> Vec<ContactPoint<T>> {
    let mut points: Vec<ContactPoint<T>> = Vec::new();
    for LabelledText { label, value: text } in texts {
        let Some(value) = part(warnings, field, &text, &parse) else { continue };
        if points.iter().any(|point| point.value == value) {
            continue;
        }
        if points.len() == MAX_POINTS {
            let violation = Violation::new(field, "items", format!("must be at most {MAX_POINTS}"));
            warnings.push(Warning::new(violation, &text));
            continue;
        }
        points.push(ContactPoint { label: part(warnings, "label", &label, Label::parse), value });
    }
    points
}

/// The address of `mailto:ada@example.org` or `Ada <ada@example.org>`.
fn address(text: &str) -> &str {
    let text = text.trim();
    let text = text.split_once('<').and_then(|(_, rest)| rest.strip_suffix('>')).unwrap_or(text);
    match text.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => text.get(7..).unwrap_or_default(),
        _ => text,
    }
}

/// A telephone number with ASCII separators, and with `x` before an extension.
fn number_text(text: &str) -> String {
    let number = normalize_number(text);
    let lower = number.to_ascii_lowercase();
    let extension = ["extension", "ext.", "ext", "x"].iter().find_map(|word| lower.split_once(word));
    match extension {
        Some((start, digits)) if ContactNumber::parse(&number).is_err() && is_dialled(digits) => {
            format!("{} x{}", start.trim_end_matches([' ', ',', ';']), digits.trim())
        }
        _ => number,
    }
}

fn is_dialled(digits: &str) -> bool {
    let digits = digits.trim();
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Normalizes a telephone number: removes the invisible formatting characters that phones insert, and the apostrophe that
/// keeps spreadsheets from reading a formula, and replaces special spaces and hyphens by ASCII characters.
fn normalize_number(text: &str) -> String {
    let is_kept = |c: &char| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let text = text.trim().trim_start_matches('\'');
    let normalized = text.chars().filter(is_kept).map(|character| match character {
        '\u{a0}' | '\u{2009}' | '\u{202f}' => ' ',
        '\u{2010}'..='\u{2013}' => '-',
        other => other,
    });
    normalized.collect()
}
