//! Contacts as comma-separated values (RFC 4180), the names of the columns in the first line.
//!
//! Columns are found by name, in any order, under the names that widespread address books use too. The delimiter is a
//! comma, or what a spreadsheet elsewhere makes of it.

use std::io::BufRead;

use ::csv::{Terminator, WriterBuilder};
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use entity::contacts::Model;

use super::{Fields, Row, parts_of_date};
use crate::domain::rules;
use crate::error::{Error, Result, Violation};

/// Bytes of a row.
const MOST_BYTES: usize = 64 * 1024;

/// Columns of a row. Address books have up to a hundred.
const MOST_COLUMNS: usize = 500;

/// The columns that are written, in their order.
const NAMES: [&str; 8] =
    ["first_name", "last_name", "email", "phone_number", "birth_year", "birth_month", "birth_day", "notes"];

/// Where the first line has each column.
struct Header {
    fields: usize,
    first_name: usize,
    middle_name: Option<usize>,
    last_name: usize,
    email: Option<usize>,
    phone_number: Option<usize>,
    birth_year: Option<usize>,
    birth_month: Option<usize>,
    birth_day: Option<usize>,
    birth_date: Option<usize>,
    notes: Option<usize>,
}

impl Header {
    /// Finds the columns, by our names or by those of others.
    fn parse(record: &Record) -> Result<Self> {
        record.check().map_err(Error::from)?;
        let names: Vec<String> = (0..record.len()).map(|column| normal(record.field(column))).collect();
        let any = |aliases: &[&str]| aliases.iter().find_map(|alias| names.iter().position(|name| name == alias));
        let required = |name: &'static str, aliases: &[&str]| {
            any(aliases).ok_or_else(|| Violation::new(name, "column", format!("the file has no column {name}")))
        };
        let first_name = required("first_name", &["first_name", "given_name"]);
        let last_name = required("last_name", &["last_name", "family_name", "surname"]);
        let (first_name, last_name) = match (first_name, last_name) {
            (Ok(first_name), Ok(last_name)) => (first_name, last_name),
            (first_name, last_name) => {
                return Err(Error::Invalid(first_name.err().into_iter().chain(last_name.err()).collect()));
            }
        };
        Ok(Self {
            fields: names.len(),
            first_name,
            middle_name: any(&["middle_name", "additional_name"]),
            last_name,
            email: any(&["email", "e_mail", "email_address", "e_mail_address", "e_mail_1_value"]),
            phone_number: any(&[
                "phone_number",
                "phone",
                "mobile_phone",
                "phone_1_value",
                "primary_phone",
                "home_phone",
            ]),
            birth_year: any(&["birth_year"]),
            birth_month: any(&["birth_month"]),
            birth_day: any(&["birth_day"]),
            birth_date: any(&["birth_date", "birthday", "date_of_birth"]),
            notes: any(&["notes", "note"]),
        })
    }

    fn fields(&self, record: &Record) -> std::result::Result<Fields, Violation> {
        record.check()?;
        if record.len() != self.fields {
            let message = format!("has {} fields, the first line {}", record.len(), self.fields);
            return Err(Violation::new(".", "columns", message));
        }
        let text = |column: Option<usize>| {
            let bytes = column.map(|column| record.field(column)).unwrap_or_default();
            std::str::from_utf8(bytes).map_err(|_| Violation::new(".", "encoding", "is not written in UTF-8"))
        };
        let date = text(self.birth_date)?;
        let birthday = if date.chars().any(|character| character.is_alphanumeric() && character != '0') {
            parts_of_date(date)
        } else {
            // Nothing, or the noughts that stand for nothing.
            let parts =
                [("birth_year", self.birth_year), ("birth_month", self.birth_month), ("birth_day", self.birth_day)];
            let [year, month, day] = parts.map(|(name, column)| text(column).and_then(|text| number(name, text)));
            year.and_then(|year| Ok([year, month?, day?]))
        };
        let names = [text(Some(self.first_name))?, text(self.middle_name)?].map(str::trim);
        Ok(Fields {
            first_name: names.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" "),
            last_name: text(Some(self.last_name))?.to_owned(),
            // Some write several into one field.
            email: text(self.email)?.split(":::").next().unwrap_or_default().to_owned(),
            phone_number: text(self.phone_number)?.split(":::").next().unwrap_or_default().to_owned(),
            notes: text(self.notes)?.to_owned(),
            birthday,
        })
    }
}

/// `E-mail 1 - Value` as `e_mail_1_value`.
fn normal(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name).to_lowercase();
    let words = name.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_")
}

fn number(field: &'static str, text: &str) -> std::result::Result<Option<i16>, Violation> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| Violation::new(field, "type", "must be a whole number"))
}

pub(super) fn read(mut file: impl BufRead, mut take: impl FnMut(Row) -> bool) -> Result<()> {
    let delimiter = delimiter(file.fill_buf().map_err(Error::internal)?);
    let mut records = Records::new(file, delimiter);
    let header = match records.next()? {
        Some(record) => Header::parse(record)?,
        None => return Err(Violation::new(".", "empty", "the file is empty").into()),
    };
    let latest = rules::latest_birth_date();
    while let Some(record) = records.next()? {
        let contact = header.fields(record).map_err(|violation| vec![violation]);
        let row = Row { line: record.line, contact: contact.and_then(|fields| fields.contact(latest)) };
        if !take(row) {
            break;
        }
    }
    Ok(())
}

/// Whichever of the usual ones the first line has most of.
fn delimiter(beginning: &[u8]) -> u8 {
    let line = beginning.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| line.iter().filter(|byte| **byte == delimiter).count();
    // Of equals the last one counts.
    [b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

/// A row as it stands in the file, within its bounds.
struct Record {
    line: u64,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    columns: usize,
    is_too_long: bool,
    is_cut: bool,
}

impl Record {
    fn len(&self) -> usize {
        self.columns
    }

    fn field(&self, column: usize) -> &[u8] {
        let end = |column: usize| self.ends.get(column).copied().unwrap_or_default();
        let begin = column.checked_sub(1).map_or(0, end);
        self.bytes.get(begin..end(column)).unwrap_or_default()
    }

    fn check(&self) -> std::result::Result<(), Violation> {
        if self.is_too_long {
            let message =
                format!("must have at most {MOST_BYTES} bytes and {MOST_COLUMNS} columns; is a quote missing?");
            return Err(Violation::new(".", "length", message));
        }
        if self.is_cut {
            return Err(Violation::new(".", "incomplete", "has a quote without an end"));
        }
        Ok(())
    }
}

/// Reads rows one after the other into the same memory, however long they are.
struct Records<R> {
    file: R,
    reader: Reader,
    record: Record,
    /// Line ends that have been passed.
    line_ends: u64,
}

impl<R: BufRead> Records<R> {
    fn new(file: R, delimiter: u8) -> Self {
        let (bytes, ends) = (vec![0; MOST_BYTES], vec![0; MOST_COLUMNS]);
        let record = Record { line: 0, bytes, ends, columns: 0, is_too_long: false, is_cut: false };
        Self { file, reader: ReaderBuilder::new().delimiter(delimiter).build(), record, line_ends: 0 }
    }

    fn next(&mut self) -> Result<Option<&Record>> {
        let (mut written, mut columns, mut inner_ends, mut quotes) = (0, 0, 0_u64, 0_usize);
        let mut last = None;
        (self.record.is_too_long, self.record.is_cut) = (false, false);
        loop {
            let input = self.file.fill_buf().map_err(Error::internal)?;
            let is_at_end = input.is_empty();
            let output = self.record.bytes.get_mut(written..).unwrap_or_default();
            let ends = self.record.ends.get_mut(columns..).unwrap_or_default();
            let (result, read, wrote, ended) = self.reader.read_record(input, output, ends);
            let consumed = input.get(..read).unwrap_or_default();
            self.line_ends += count(consumed, b'\n');
            inner_ends += count(output.get(..wrote).unwrap_or_default(), b'\n');
            quotes += usize::try_from(count(consumed, b'"')).unwrap_or(0);
            last = consumed.last().copied().or(last);
            self.file.consume(read);
            (written, columns) = (written + wrote, columns + ended);
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    // What there is of it is of no use; the rest goes the same way.
                    self.record.is_too_long = true;
                    (written, columns) = (0, 0);
                }
                ReadRecordResult::Record => {
                    self.record.is_cut = is_at_end && quotes % 2 == 1;
                    let its_own = u64::from(last == Some(b'\n') && !self.record.is_cut);
                    self.record.line = 1 + self.line_ends - its_own - inner_ends;
                    self.record.columns = columns;
                    return Ok(Some(&self.record));
                }
                ReadRecordResult::End => return Ok(None),
            }
        }
    }
}

fn count(bytes: &[u8], sought: u8) -> u64 {
    u64::try_from(bytes.iter().filter(|byte| **byte == sought).count()).unwrap_or(u64::MAX)
}

pub(super) fn head() -> Vec<u8> {
    let mut head = NAMES.join(",").into_bytes();
    head.extend_from_slice(b"\r\n");
    head
}

pub(super) fn write<'a>(contacts: impl IntoIterator<Item = &'a Model>) -> Result<Vec<u8>> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    for contact in contacts {
        let number = |part: Option<i16>| part.map_or_else(String::new, |part| part.to_string());
        let [year, month, day] = [contact.birth_year, contact.birth_month, contact.birth_day].map(number);
        let text = |text: &'a Option<String>| text.as_deref().unwrap_or_default();
        writer
            .write_record([
                contact.first_name.as_str(),
                contact.last_name.as_str(),
                text(&contact.email),
                text(&contact.phone_number),
                &year,
                &month,
                &day,
                text(&contact.notes),
            ])
            .map_err(Error::internal)?;
    }
    writer.into_inner().map_err(|error| Error::internal(error.to_string()))
}
