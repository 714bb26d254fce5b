//! Contacts as comma-separated values (RFC 4180), the names of the columns in the first line.
//!
//! Columns are found by name, in any order, under the names that widespread address books use too. The delimiter is a
//! comma, or what a spreadsheet elsewhere makes of it.

use std::io::BufRead;

use ::csv::{Terminator, WriterBuilder};
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use entity::contacts::Model;

use super::{Fields, Row, parts_of_date};
use crate::domain::values::person::latest_birth_date;
use crate::error::{Error, Result, Violation};

/// Bytes of a row.
const MOST_BYTES: usize = 64 * 1024;

/// Columns of a row. Address books have up to a hundred.
const MOST_COLUMNS: usize = 500;

/// The columns that are written, in their order.
const NAMES: [&str; 8] =
    ["first_name", "last_name", "email", "phone_number", "birth_year", "birth_month", "birth_day", "note"];

/// Where the first line has each column. Of several for the same thing the first counts that says something in a row.
struct Header {
    fields: usize,
    first_name: Vec<usize>,
    middle_name: Vec<usize>,
    last_name: Vec<usize>,
    email: Vec<usize>,
    phone_number: Vec<usize>,
    birth_year: Vec<usize>,
    birth_month: Vec<usize>,
    birth_day: Vec<usize>,
    birth_date: Vec<usize>,
    note: Vec<usize>,
}

impl Header {
    /// Finds the columns, by our names or by those of others.
    fn parse(record: &Record) -> Result<Self> {
        record.check().map_err(Error::from)?;
        let names: Vec<String> = (0..record.len()).map(|column| normal(record.field(column))).collect();
        let all = |aliases: &[&str]| -> Vec<usize> {
            aliases.iter().filter_map(|alias| names.iter().position(|name| name == alias)).collect()
        };
        let header = Self {
            fields: names.len(),
            first_name: all(&["first_name", "given_name"]),
            middle_name: all(&["middle_name", "additional_name"]),
            last_name: all(&["last_name", "family_name", "surname"]),
            email: all(&[
                "email",
                "e_mail",
                "email_address",
                "e_mail_address",
                "primary_email",
                "e_mail_1_value",
                "e_mail_2_address",
                "secondary_email",
                "e_mail_2_value",
            ]),
            phone_number: all(&[
                "phone_number",
                "phone",
                "mobile_phone",
                "mobile_number",
                "phone_1_value",
                "primary_phone",
                "home_phone",
                "work_phone",
                "business_phone",
                "phone_2_value",
            ]),
            birth_year: all(&["birth_year"]),
            birth_month: all(&["birth_month"]),
            birth_day: all(&["birth_day"]),
            birth_date: all(&["birth_date", "birthday", "date_of_birth"]),
            note: all(&["note", "notes"]),
        };
        let required = [("first_name", &header.first_name), ("last_name", &header.last_name)];
        let missing = required.into_iter().filter(|(_, columns)| columns.is_empty());
        let missing = missing.map(|(name, _)| Violation::new(name, "column", format!("the file has no column {name}")));
        let missing: Vec<_> = missing.collect();
        if missing.is_empty() { Ok(header) } else { Err(Error::Invalid(missing)) }
    }

    fn fields(&self, record: &Record) -> std::result::Result<Fields, Violation> {
        record.check()?;
        if record.len() != self.fields {
            let message = format!("has {} fields, the first line {}", record.len(), self.fields);
            return Err(Violation::new(".", "columns", message));
        }
        let text = |columns: &[usize]| {
            let fields = columns.iter().map(|column| record.field(*column));
            let bytes = fields.into_iter().find(|bytes| !bytes.trim_ascii().is_empty()).unwrap_or_default();
            std::str::from_utf8(bytes).map_err(|_| Violation::new(".", "encoding", "is not written in UTF-8"))
        };
        // Some write several into one field.
        let first_of = |columns| text(columns).map(|text| text.split(":::").next().unwrap_or_default().to_owned());
        let date = text(&self.birth_date)?;
        let birthday = if date.chars().any(|character| character.is_alphanumeric() && character != '0') {
            parts_of_date(date)
        } else {
            // Nothing, or the noughts that stand for nothing.
            let parts =
                [("birth_year", &self.birth_year), ("birth_month", &self.birth_month), ("birth_day", &self.birth_day)];
            let [year, month, day] = parts.map(|(name, column)| text(column).and_then(|text| number(name, text)));
            year.and_then(|year| Ok([year, month?, day?]))
        };
        let names = [text(&self.first_name)?, text(&self.middle_name)?].map(str::trim);
        Ok(Fields {
            first_name: names.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" "),
            last_name: text(&self.last_name)?.to_owned(),
            email: first_of(&self.email)?,
            phone_number: first_of(&self.phone_number)?,
            note: text(&self.note)?.to_owned(),
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
    let (delimiter, passed) = delimiter(file.fill_buf().map_err(Error::internal)?);
    file.consume(passed);
    let mut records = Records::new(file, delimiter, u64::from(passed > 0));
    let header = match records.next()? {
        Some(record) => Header::parse(record)?,
        None => return Err(Violation::new(".", "empty", "the file is empty").into()),
    };
    records.find_line_end()?;
    let latest = latest_birth_date();
    while let Some(record) = records.next()? {
        let contact = header.fields(record).map_err(|violation| vec![violation]);
        let row = Row { line: record.line, contact: contact.and_then(|fields| fields.contact(latest)) };
        if !take(row) {
            break;
        }
    }
    Ok(())
}

/// What stands between fields: what the first line says (`sep=;`, as spreadsheets write it), else whichever of the usual
/// ones the first line with text has most of. Also how many bytes that saying takes up.
fn delimiter(beginning: &[u8]) -> (u8, usize) {
    let mut lines = beginning.split_inclusive(|byte| *byte == b'\n');
    let first = lines.clone().next().unwrap_or_default();
    if let [b's', b'e', b'p', b'=', delimiter, b'\r' | b'\n', ..] = first {
        return (*delimiter, first.len());
    }
    let line = lines.find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
    // Of equals the last one counts.
    let usual = [b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(line, *delimiter));
    (usual.unwrap_or(b','), 0)
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
    /// What ends a line, and how many of these have been passed.
    line_end: u8,
    line_ends: u64,
    last: u8,
}

impl<R: BufRead> Records<R> {
    fn new(file: R, delimiter: u8, line_ends: u64) -> Self {
        let (bytes, ends) = (vec![0; MOST_BYTES], vec![0; MOST_COLUMNS]);
        let record = Record { line: 0, bytes, ends, columns: 0, is_too_long: false, is_cut: false };
        let reader = ReaderBuilder::new().delimiter(delimiter).build();
        Self { file, reader, record, line_end: b'\n', line_ends, last: 0 }
    }

    /// Some old programs end lines with CR alone.
    fn find_line_end(&mut self) -> Result<()> {
        let next = self.file.fill_buf().map_err(Error::internal)?.first();
        if self.last == b'\r' && next != Some(&b'\n') {
            (self.line_end, self.line_ends) = (b'\r', self.line_ends + 1);
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Option<&Record>> {
        let (mut written, mut columns, mut inner_ends) = (0, 0, 0_u64);
        let mut is_at_end = false;
        (self.record.is_too_long, self.record.is_cut) = (false, false);
        loop {
            let input = self.file.fill_buf().map_err(Error::internal)?;
            // A row that goes on behind a line end after the last byte is within quotes.
            let input = if !input.is_empty() || self.record.is_cut {
                input
            } else if is_at_end {
                self.record.is_cut = true;
                input
            } else {
                is_at_end = true;
                b"\n"
            };
            let output = self.record.bytes.get_mut(written..).unwrap_or_default();
            let ends = self.record.ends.get_mut(columns..).unwrap_or_default();
            let (result, read, wrote, ended) = self.reader.read_record(input, output, ends);
            inner_ends += count(output.get(..wrote).unwrap_or_default(), self.line_end);
            if !is_at_end {
                let consumed = input.get(..read).unwrap_or_default();
                self.line_ends += count(consumed, self.line_end);
                self.last = consumed.last().copied().unwrap_or(self.last);
                self.file.consume(read);
            }
            (written, columns) = (written + wrote, columns + ended);
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    // What there is of it is of no use; the rest goes the same way.
                    self.record.is_too_long = true;
                    (written, columns) = (0, 0);
                }
                ReadRecordResult::Record => {
                    // The end of its own line has been passed, or, at the end of the file, was made up.
                    let its_own =
                        if self.record.is_cut { 0 } else { u64::from(self.last == self.line_end && !is_at_end) };
                    let made_up = u64::from(self.record.is_cut);
                    self.record.line = (1 + self.line_ends + made_up).saturating_sub(its_own + inner_ends);
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
                text(&contact.note),
            ])
            .map_err(Error::internal)?;
    }
    writer.into_inner().map_err(|error| Error::internal(error.to_string()))
}
