//! Contacts as comma-separated values (RFC 4180), the names of the columns in the first line.
//!
//! Columns are found by name, in any order, under the names that widespread address books use too. The delimiter is a
//! comma, or what a spreadsheet elsewhere makes of it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{BufRead, Read};
use std::rc::Rc;

use ::csv::{ByteRecord, ReaderBuilder, Terminator, WriterBuilder};
use entity::contacts::Model;

use super::{Fields, Row, parts_of_date};
use crate::domain::rules;
use crate::error::{Error, Result, Violation};

/// The columns that are written, in their order.
const NAMES: [&str; 8] =
    ["first_name", "last_name", "email", "phone_number", "birth_year", "birth_month", "birth_day", "notes"];

/// Where the header has each column.
struct Header {
    fields: usize,
    first_name: usize,
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
    fn parse(record: &ByteRecord) -> Result<Self> {
        let names: Vec<String> = record.iter().map(normal).collect();
        let any = |aliases: &[&str]| aliases.iter().find_map(|alias| names.iter().position(|name| name == alias));
        let required = |name: &str, aliases: &[&str]| {
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

    fn row(&self, record: &ByteRecord) -> std::result::Result<Fields, Violation> {
        if record.len() != self.fields {
            let message = format!("has {} fields, the first line {}", record.len(), self.fields);
            return Err(Violation::new(".", "columns", message));
        }
        let text = |column: Option<usize>| {
            let bytes = column.and_then(|column| record.get(column)).unwrap_or_default();
            std::str::from_utf8(bytes).map_err(|_| Violation::new(".", "encoding", "is not written in UTF-8"))
        };
        let date = text(self.birth_date)?;
        let birthday = if date.trim().is_empty() {
            let parts =
                [("birth_year", self.birth_year), ("birth_month", self.birth_month), ("birth_day", self.birth_day)];
            let [year, month, day] = parts.map(|(name, column)| text(column).and_then(|text| number(name, text)));
            year.and_then(|year| Ok([year, month?, day?]))
        } else {
            parts_of_date(date)
        };
        Ok(Fields {
            first_name: text(Some(self.first_name))?.to_owned(),
            last_name: text(Some(self.last_name))?.to_owned(),
            email: text(self.email)?.to_owned(),
            phone_number: text(self.phone_number)?.to_owned(),
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

fn number(field: &str, text: &str) -> std::result::Result<Option<i16>, Violation> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| Violation::new(field, "type", "must be a whole number"))
}

pub(super) fn read(mut file: impl BufRead, mut take: impl FnMut(Row) -> bool) -> Result<()> {
    let delimiter = delimiter(file.fill_buf().map_err(Error::internal)?);
    let mut lines = Lines::default();
    let file = Counted { file, offset: 0, line_ends: Rc::clone(&lines.ends) };
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(file);
    let mut record = ByteRecord::new();
    reader.read_byte_record(&mut record).map_err(Error::internal)?;
    lines.before(&record, reader.position().byte());
    let header = Header::parse(&record)?;
    let latest = rules::latest_birth_date();
    while reader.read_byte_record(&mut record).map_err(Error::internal)? {
        let line = lines.before(&record, reader.position().byte());
        let contact = header.row(&record).map_err(|violation| vec![violation]);
        if !take(Row { line, contact: contact.and_then(|fields| fields.contact(latest)) }) {
            break;
        }
    }
    Ok(())
}

/// A file that tells where its lines end, as it is read. The reader of records counts those behind a CR one record late.
struct Counted<R> {
    file: R,
    offset: u64,
    line_ends: Rc<RefCell<VecDeque<u64>>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        let offsets = (self.offset..).zip(buffer.iter().take(read)).filter(|(_, byte)| **byte == b'\n');
        self.line_ends.borrow_mut().extend(offsets.map(|(offset, _)| offset));
        self.offset += u64::try_from(read).unwrap_or(u64::MAX);
        Ok(read)
    }
}

/// The line that a reader has got to.
#[derive(Default)]
struct Lines {
    ends: Rc<RefCell<VecDeque<u64>>>,
    passed: u64,
}

impl Lines {
    /// The line on which a record begins that has been read up to the byte `end`.
    fn before(&mut self, record: &ByteRecord, end: u64) -> u64 {
        let mut ends = self.ends.borrow_mut();
        let mut last = None;
        while let Some(passed) = ends.pop_front_if(|offset| *offset < end) {
            self.passed += 1;
            last = Some(passed);
        }
        let its_own = u64::from(last.is_some_and(|offset| offset + 1 == end));
        let inside = record.iter().flatten().filter(|byte| **byte == b'\n').count();
        1 + self.passed - its_own - u64::try_from(inside).unwrap_or(0)
    }
}

/// Whichever of the usual ones the first line has most of.
fn delimiter(beginning: &[u8]) -> u8 {
    let line = beginning.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| line.iter().filter(|byte| **byte == delimiter).count();
    // Of equals the last one counts.
    [b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
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
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        writer
            .write_record([
                contact.first_name.clone(),
                contact.last_name.clone(),
                text(&contact.email),
                text(&contact.phone_number),
                number(contact.birth_year),
                number(contact.birth_month),
                number(contact.birth_day),
                text(&contact.notes),
            ])
            .map_err(Error::internal)?;
    }
    writer.into_inner().map_err(|error| Error::internal(error.to_string()))
}
