//! CSV files of contacts (RFC 4180), with a header line.
//!
//! Columns are identified by name, in any order; the column names of widespread address books are known
//! too. The delimiter is a comma, a semicolon or a tab, because in some locales spreadsheets do not
//! write commas.

use std::io::BufRead;

use ::csv::{Terminator, WriterBuilder};
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use entity::contacts::Model;

use super::{Fields, Row, parse_date};
use crate::domain::values::person::latest_birth_date;
use crate::error::{Error, Result, Violation};

/// Maximum size of a row in bytes.
const MAX_ROW_BYTES: usize = 64 * 1024;

/// Maximum number of columns. Address books have up to a hundred.
const MAX_COLUMNS: usize = 500;

/// Header of written files: column names in order.
const COLUMN_NAMES: [&str; 8] =
    ["first_name", "last_name", "email", "phone_number", "birth_year", "birth_month", "birth_day", "note"];

/// Header: indexes of the columns of each field. If there are several columns for a field, the first
/// one that is not blank in a row is used.
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
    /// Finds the columns by their names or aliases.
    fn parse(record: &Record) -> Result<Self> {
        record.check().map_err(Error::from)?;
        let names: Vec<String> = (0..record.len()).map(|column| normalize_name(record.field(column))).collect();
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
            let message = format!("has {} fields, but the header line has {}", record.len(), self.fields);
            return Err(Violation::new(".", "columns", message));
        }
        let text = |columns: &[usize]| {
            let fields = columns.iter().map(|column| record.field(*column));
            let bytes = fields.into_iter().find(|bytes| !bytes.trim_ascii().is_empty()).unwrap_or_default();
            std::str::from_utf8(bytes).map_err(|_| Violation::new(".", "encoding", "is not encoded in UTF-8"))
        };
        // Some programs write several values into one field, separated by `:::`.
        let first_of = |columns| text(columns).map(|text| text.split(":::").next().unwrap_or_default().to_owned());
        let date = text(&self.birth_date)?;
        let birthday = if date.chars().any(|character| character.is_alphanumeric() && character != '0') {
            parse_date(date)
        } else {
            // The date is blank, or consists of zeros, which some programs write for a missing date.
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

/// Normalizes a column name: `E-mail 1 - Value` becomes `e_mail_1_value`.
pub(in crate::domain) fn normalize_name(name: &[u8]) -> String {
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

pub(super) fn read(file: impl BufRead, mut on_row: impl FnMut(Row) -> bool) -> Result<()> {
    let mut records = Records::open(file)?;
    let header = match records.next()? {
        Some(record) => Header::parse(record)?,
        None => return Err(Violation::new(".", "empty", "the file is empty").into()),
    };
    records.find_line_end()?;
    let latest = latest_birth_date();
    while let Some(record) = records.next()? {
        let contact = header.fields(record).map_err(|violation| vec![violation]);
        let row = Row { line: record.line, contact: contact.and_then(|fields| fields.contact(latest)) };
        if !on_row(row) {
            break;
        }
    }
    Ok(())
}

/// Detects the delimiter: the one of the `sep=;` line that spreadsheets write, else the common
/// delimiter that occurs most often in the first line that is not blank. Also returns the size of the
/// `sep=` line in bytes.
fn delimiter(start: &[u8]) -> (u8, usize) {
    let mut lines = start.split_inclusive(|byte| *byte == b'\n');
    let first = lines.clone().next().unwrap_or_default();
    if let [b's', b'e', b'p', b'=', delimiter, b'\r' | b'\n', ..] = first {
        return (*delimiter, first.len());
    }
    let line = lines.find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
    // `max_by_key` returns the last of several maxima, so that the comma is preferred.
    let common = [b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(line, *delimiter));
    (common.unwrap_or(b','), 0)
}

/// Record of the file: a row before it is interpreted. Its size is limited.
pub(in crate::domain) struct Record {
    pub(in crate::domain) line: u64,
    bytes: Vec<u8>,
    field_ends: Vec<usize>,
    columns: usize,
    is_too_long: bool,
    is_incomplete: bool,
}

impl Record {
    /// Number of fields.
    pub(in crate::domain) fn len(&self) -> usize {
        self.columns
    }

    /// The bytes of a field; none if there is no such field.
    pub(in crate::domain) fn field(&self, column: usize) -> &[u8] {
        // The buffers have more: the fields of earlier records.
        if column >= self.columns {
            return &[];
        }
        let end = |column: usize| self.field_ends.get(column).copied().unwrap_or_default();
        let begin = column.checked_sub(1).map_or(0, end);
        self.bytes.get(begin..end(column)).unwrap_or_default()
    }

    /// Checks that the record was read completely.
    pub(in crate::domain) fn check(&self) -> std::result::Result<(), Violation> {
        if self.is_too_long {
            let message =
                format!("must have at most {MAX_ROW_BYTES} bytes and {MAX_COLUMNS} columns; check for a missing quote");
            return Err(Violation::new(".", "length", message));
        }
        if self.is_incomplete {
            return Err(Violation::new(".", "incomplete", "has an opening quote without a closing quote"));
        }
        Ok(())
    }
}

/// Reader of records. All records reuse the same buffer, so that memory usage is bounded even if a row
/// is too long.
pub(in crate::domain) struct Records<R> {
    file: R,
    reader: Reader,
    record: Record,
    /// Byte that ends a line: LF, or CR in files that end lines with CR alone.
    line_end: u8,
    /// Number of line ends that have been consumed.
    line_ends: u64,
    /// Last byte that has been consumed.
    last: u8,
}

impl<R: BufRead> Records<R> {
    /// Opens a file at its beginning, and detects its delimiter.
    pub(in crate::domain) fn open(mut file: R) -> Result<Self> {
        let (delimiter, skipped) = delimiter(file.fill_buf().map_err(Error::internal)?);
        file.consume(skipped);
        Ok(Self::new(file, delimiter, u64::from(skipped > 0)))
    }

    fn new(file: R, delimiter: u8, line_ends: u64) -> Self {
        let (bytes, field_ends) = (vec![0; MAX_ROW_BYTES], vec![0; MAX_COLUMNS]);
        let record = Record { line: 0, bytes, field_ends, columns: 0, is_too_long: false, is_incomplete: false };
        let reader = ReaderBuilder::new().delimiter(delimiter).build();
        Self { file, reader, record, line_end: b'\n', line_ends, last: 0 }
    }

    /// Detects the line end after the first record: some old programs use CR alone.
    pub(in crate::domain) fn find_line_end(&mut self) -> Result<()> {
        let next = self.file.fill_buf().map_err(Error::internal)?.first();
        if self.last == b'\r' && next != Some(&b'\n') {
            (self.line_end, self.line_ends) = (b'\r', self.line_ends + 1);
        }
        Ok(())
    }

    /// Reads the next record that is not blank.
    pub(in crate::domain) fn next(&mut self) -> Result<Option<&Record>> {
        let (mut written, mut columns, mut quoted_line_ends) = (0, 0, 0_u64);
        let mut is_at_end = false;
        (self.record.is_too_long, self.record.is_incomplete) = (false, false);
        loop {
            let input = self.file.fill_buf().map_err(Error::internal)?;
            // At the end of the file, a line end is appended to complete the last row. If the row is
            // still incomplete after that, a closing quote is missing.
            let input = if !input.is_empty() || self.record.is_incomplete {
                input
            } else if is_at_end {
                self.record.is_incomplete = true;
                input
            } else {
                is_at_end = true;
                b"\n"
            };
            let output = self.record.bytes.get_mut(written..).unwrap_or_default();
            let ends = self.record.field_ends.get_mut(columns..).unwrap_or_default();
            let (result, read, wrote, ended) = self.reader.read_record(input, output, ends);
            quoted_line_ends += count(output.get(..wrote).unwrap_or_default(), self.line_end);
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
                    // The row is too long: its content is discarded, and the rest of it too.
                    self.record.is_too_long = true;
                    (written, columns) = (0, 0);
                }
                ReadRecordResult::Record => {
                    // `line_ends` includes the line end of the record itself, unless that was appended
                    // at the end of the file.
                    let own_line_end =
                        if self.record.is_incomplete { 0 } else { u64::from(self.last == self.line_end && !is_at_end) };
                    let appended_line_end = u64::from(self.record.is_incomplete);
                    self.record.line =
                        (1 + self.line_ends + appended_line_end).saturating_sub(own_line_end + quoted_line_ends);
                    self.record.columns = columns;
                    return Ok(Some(&self.record));
                }
                ReadRecordResult::End => return Ok(None),
            }
        }
    }
}

fn count(bytes: &[u8], searched: u8) -> u64 {
    u64::try_from(bytes.iter().filter(|byte| **byte == searched).count()).unwrap_or(u64::MAX)
}

pub(super) fn head() -> Vec<u8> {
    let mut head = COLUMN_NAMES.join(",").into_bytes();
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
