//! CSV files of contacts (RFC 4180), with a header line.
//!
//! Columns are identified by name, in any order. The delimiter is a comma, a semicolon or a tab, because in some locales
//! spreadsheets do not write commas.

use std::io::BufRead;

use ::csv::{Terminator, WriterBuilder};
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use entity::contacts::Model;

use super::csv_columns::{Column, Columns};
use super::encoding::undecodable;
use super::fields::{BirthdayText, Fields, LabelledText};
use super::full_names::{self, LeftOut, PersonName};
use super::unused::Unused;
use super::{Cells, Sink};
use crate::domain::contacts::contact_points::{self, StoredPoint};
use crate::domain::contacts::uids;
use crate::error::{Error, Result, Violation};

/// Maximum size of a row in bytes.
const MAX_ROW_BYTES: usize = 64 * 1024;

/// Maximum number of columns. Address books have up to a hundred.
const MAX_COLUMNS: usize = 500;

/// Header of written files: column names in order.
const COLUMN_NAMES: [&str; 12] = [
    "first_name",
    "last_name",
    "email",
    "phone_number",
    "birth_year",
    "birth_month",
    "birth_day",
    "note",
    "organization",
    "email_label",
    "phone_number_label",
    "uid",
];

/// What some programs write between several values in one field.
const VALUE_SEPARATOR: &str = ":::";

/// What is written between several labels in one field: a label has one line.
const LABEL_SEPARATOR: &str = "\n";

impl Columns {
    /// The fields of a row. Blank values are missing, as are those that a row is too short for.
    fn fields(&self, record: &Record, unused: &mut Unused) -> std::result::Result<Fields, Violation> {
        record.check()?;
        let whole = |column: usize| std::str::from_utf8(record.field(column)).map_err(|_| undecodable());
        let text = |column: usize| whole(column).map(str::trim);
        let mut fields = Fields::default();
        let (mut uid, mut first, mut middle, mut last, mut full, mut organization) = ("", "", "", "", "", "");
        let (mut date, mut parts) = ("", [""; 3]);
        let (mut emails, mut phone_numbers) = (Vec::new(), Vec::new());
        for (index, column) in self.iter() {
            let value = text(index)?;
            if value.is_empty() {
                continue;
            }
            let mut is_kept = true;
            let labels = || self.label_of(index).map_or(Ok(""), whole);
            match column {
                Column::Uid => is_kept = set(&mut uid, value),
                Column::FirstName => is_kept = set(&mut first, value),
                Column::MiddleName => is_kept = set(&mut middle, value),
                Column::LastName => is_kept = set(&mut last, value),
                Column::FullName => is_kept = set(&mut full, value),
                Column::Organization => is_kept = set(&mut organization, value),
                Column::Email(label) => emails.extend(values(value, labels()?, label)),
                Column::PhoneNumber(label) => phone_numbers.extend(values(value, labels()?, label)),
                Column::BirthDate => is_kept = set(&mut date, value),
                Column::BirthYear => parts[0] = value,
                Column::BirthMonth => parts[1] = value,
                Column::BirthDay => parts[2] = value,
                Column::Note => fields.notes.push(value.to_owned()),
                Column::EmailLabel | Column::PhoneNumberLabel => {}
                Column::Unused => is_kept = false,
            }
            if !is_kept {
                unused.add(self.name(index), 1);
            }
        }
        for column in self.len()..record.len() {
            if !text(column)?.is_empty() {
                unused.add("", 1);
            }
        }
        let given: Vec<&str> = [first, middle].into_iter().filter(|name| !name.is_empty()).collect();
        (fields.uid, fields.organization) = (uid.to_owned(), organization.to_owned());
        let given = given.join(" ");
        // One word, or one without the other part, is the part that the file has no column for.
        let is_part = |part: &str| !full.contains(' ') || (!part.is_empty() && !full.contains(part));
        let name = match (full, self.missing_part) {
            ("", _) => PersonName { first: given, last: last.to_owned(), left_out: None },
            (full, Some(Column::LastName)) if is_part(&given) => {
                PersonName { first: given, last: full.to_owned(), left_out: None }
            }
            (full, Some(Column::FirstName)) if is_part(last) => {
                PersonName { first: full.to_owned(), last: last.to_owned(), left_out: None }
            }
            (full, _) => full_names::complete(&given, last, full, organization),
        };
        if let Some(left_out) = name.left_out {
            let is_left_out = |column: Column| match left_out {
                LeftOut::FullName => column == Column::FullName,
                LeftOut::Parts => matches!(column, Column::FirstName | Column::MiddleName | Column::LastName),
            };
            for (index, _) in self.iter().filter(|(_, column)| is_left_out(*column)) {
                unused.add(self.name(index), u64::from(!text(index)?.is_empty()));
            }
        }
        (fields.first_name, fields.last_name) = (name.first, name.last);
        // A date of zeros is a missing one.
        fields.birthday = if date.chars().any(|character| character.is_alphanumeric() && character != '0') {
            BirthdayText::Date(date.to_owned())
        } else {
            BirthdayText::Parts(parts.map(|part| part.trim_start_matches('0').to_owned()))
        };
        (fields.emails, fields.phone_numbers) = (in_order(emails), in_order(phone_numbers));
        Ok(fields)
    }
}

/// Sets a field to the first of several values. Returns whether the value is kept.
fn set<'a>(field: &mut &'a str, value: &'a str) -> bool {
    if field.is_empty() {
        *field = value;
    }
    *field == value
}

/// The values of a field with their labels. The label that the name of the column gives is the default.
fn values<'a>(
    value: &'a str,
    labels: &'a str,
    default: &'static str,
) -> impl Iterator<Item = (u8, LabelledText)> + use<'a> {
    let mut labels = labels.split(LABEL_SEPARATOR);
    value.split(VALUE_SEPARATOR).map(move |value| {
        let label = labels.next().unwrap_or_default().trim();
        // Google marks the main value so.
        let marked = label.strip_prefix('*').filter(|label| label.is_empty() || label.starts_with(' '));
        let (label, is_main) = marked.map_or((label, false), |label| (label.trim(), true));
        let rank = match default {
            _ if is_main => 0,
            "" => 1,
            "mobile" => 2,
            _ => 3,
        };
        let label = if label.is_empty() { default } else { label };
        (rank, LabelledText { label: label.to_owned(), value: value.trim().to_owned() })
    })
}

/// The main value first: the one that is marked, or a telephone number without a place, or a mobile one.
fn in_order(mut values: Vec<(u8, LabelledText)>) -> Vec<LabelledText> {
    values.sort_by_key(|(rank, _)| *rank);
    values.into_iter().map(|(_, value)| value).collect()
}

/// Normalizes a column name: `E-mail 1 - Value` becomes `e_mail_1_value`.
pub(in crate::domain) fn normalize_name(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name).to_lowercase();
    let words = name.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_")
}

pub(super) fn read(file: impl BufRead, mut sink: Sink<'_>) -> Result<Unused> {
    let mut records = Records::open(file)?;
    let columns = match records.next()? {
        Some(record) => Columns::parse(record)?,
        None => return Err(Violation::new(".", "empty", "the file is empty").into()),
    };
    records.find_line_end()?;
    let mut unused = Unused::default();
    while let Some(record) = records.next()? {
        let fields = columns.fields(record, &mut unused).map_err(|violation| vec![violation]);
        if !sink.add(record.line, fields) {
            break;
        }
    }
    Ok(unused)
}

/// Detects the delimiter: the one of the `sep=;` line that spreadsheets write, else the common
/// delimiter that occurs most often in the first line that is not blank. Also returns the size of the
/// `sep=` line in bytes.
fn delimiter(start: &[u8]) -> (u8, usize) {
    if let [b's', b'e', b'p', b'=', delimiter, end @ (b'\r' | b'\n'), rest @ ..] = start {
        let is_crlf = *end == b'\r' && rest.first() == Some(&b'\n');
        return (*delimiter, "sep=;\n".len() + usize::from(is_crlf));
    }
    let mut lines = start.split(|byte| matches!(byte, b'\r' | b'\n'));
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

/// Beginning of a written file.
pub(super) fn head(cells: Cells) -> Vec<u8> {
    let mut head = if cells.has_byte_order_mark { super::BYTE_ORDER_MARK.to_vec() } else { Vec::new() };
    head.extend_from_slice(COLUMN_NAMES.join(",").as_bytes());
    head.extend_from_slice(b"\r\n");
    head
}

pub(super) fn write<'a>(contacts: impl IntoIterator<Item = &'a Model>, cells: Cells) -> Result<Vec<u8>> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    for contact in contacts {
        let number = |part: Option<i16>| part.map_or_else(String::new, |part| part.to_string());
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (emails, email_labels) = joined(&contact_points::emails(contact));
        let (phone_numbers, phone_number_labels) = joined(&contact_points::phone_numbers(contact));
        let record = [
            text(&contact.first_name),
            text(&contact.last_name),
            emails,
            phone_numbers,
            number(contact.birth_year),
            number(contact.birth_month),
            number(contact.birth_day),
            text(&contact.note),
            text(&contact.organization),
            email_labels,
            phone_number_labels,
            uids::of(contact).into_owned(),
        ];
        let record = record.map(|cell| if cells.are_safe { harmless(cell) } else { cell });
        writer.write_record(record).map_err(Error::internal)?;
    }
    writer.into_inner().map_err(|error| Error::internal(error.to_string()))
}

/// The values, and their labels, of which there are none if all are blank.
fn joined(points: &[StoredPoint]) -> (String, String) {
    let separator = format!(" {VALUE_SEPARATOR} ");
    let values: Vec<&str> = points.iter().map(|point| point.value.as_str()).collect();
    let labels: Vec<&str> = points.iter().map(|point| point.label.as_deref().unwrap_or_default()).collect();
    let has_labels = labels.iter().any(|label| !label.is_empty());
    (values.join(&separator), if has_labels { labels.join(LABEL_SEPARATOR) } else { String::new() })
}

/// A cell that no spreadsheet takes for a formula (OWASP, CSV injection).
fn harmless(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}
