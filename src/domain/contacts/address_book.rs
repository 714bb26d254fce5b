//! Address book files: reads and writes contacts as CSV (RFC 4180) and vCard (written as 4.0, RFC 6350, or 3.0, RFC 2426; read
//! from 2.1 on). This module does not use the database.
//!
//! A file is read row by row, so that memory usage does not depend on its size. A part of a row that breaks a rule is left out
//! with a warning; a row without a name, or in an unknown character set, is refused; reading continues with the next row.
//! Contacts survive a round trip unchanged: writing and then reading them gives the same contacts.

pub(in crate::domain) mod csv;
mod csv_columns;
mod dates;
mod encoding;
mod fields;
mod full_names;
mod unused;
mod vcard;

use std::io::{BufRead, Read, Seek};

use chrono::NaiveDate;
pub use encoding_rs::Encoding;
use entity::ContactFormat;
use entity::contacts::Model;

pub use self::dates::DateOrder;
pub use self::encoding::charset;
pub(in crate::domain) use self::encoding::open_text;
pub use self::fields::Warning;
pub use self::unused::UnusedPart;
use crate::domain::contacts::contacts::NewContact;
use crate::domain::values::person::latest_birth_date;
use crate::error::{Error, Result, Violation};
use csv::Records;
use dates::DateOrders;
use fields::{BirthdayText, Fields};

/// UTF-8 byte order mark (BOM), which some programs write at the beginning of a file.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Row of a CSV file, or card of a vCard file.
#[derive(Debug)]
pub struct Row {
    /// Line in which the row begins, from 1.
    pub line: u64,
    /// Contact, or all violations of the row.
    pub contact: std::result::Result<NewContact, Vec<Violation>>,
    /// Parts of the row that were left out.
    pub warnings: Vec<Warning>,
}

/// Fields of a row, or the violations because of which it has none.
type RowFields = std::result::Result<Fields, Vec<Violation>>;

/// How a file is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadOptions {
    /// The character set that the client declares. UTF-8 by default.
    pub charset: Option<&'static Encoding>,
    /// Order of day and month in dates such as `1/2/1981`. By default, other dates of the file tell.
    pub dates: Option<DateOrder>,
    /// Whether a row with a warning is refused.
    pub is_strict: bool,
}

/// Version of written vCards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CardVersion {
    /// 3.0 (RFC 2426).
    V3,
    /// 4.0 (RFC 6350).
    #[default]
    V4,
}

/// How a file is written.
#[derive(Clone, Copy, Debug)]
pub struct WriteOptions {
    /// Format.
    pub format: ContactFormat,
    /// Version of vCards.
    pub version: CardVersion,
    /// Cells of CSV.
    pub cells: Cells,
}

/// How the cells of a CSV file are written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cells {
    /// Whether the file begins with a byte order mark, by which Excel knows UTF-8.
    pub has_byte_order_mark: bool,
    /// Whether cells that a spreadsheet would take for a formula begin with an apostrophe.
    pub are_safe: bool,
}

impl From<ContactFormat> for WriteOptions {
    fn from(format: ContactFormat) -> Self {
        Self { format, version: CardVersion::V4, cells: Cells::default() }
    }
}

/// Takes the rows of a file.
struct Sink<'a> {
    on_row: &'a mut dyn FnMut(u64, RowFields) -> bool,
    /// Whether the file was converted from another character set.
    is_converted: bool,
}

impl Sink<'_> {
    /// Takes a row. Returns whether reading continues.
    fn add(&mut self, line: u64, fields: RowFields) -> bool {
        let is_undecodable = self.is_converted && fields.as_ref().is_ok_and(Fields::has_replacement);
        let fields = if is_undecodable { Err(vec![encoding::undecodable()]) } else { fields };
        (self.on_row)(line, fields)
    }
}

/// Reads a file, and calls `on_row` for each row until it returns `false`. Returns what was not used.
///
/// # Errors
/// Returns a violation if the file does not have this format. Violations of a single row are part of the row.
pub fn read(
    format: ContactFormat,
    mut file: impl Read + Seek,
    options: ReadOptions,
    mut on_row: impl FnMut(Row) -> bool,
) -> Result<Vec<UnusedPart>> {
    let dates = match options.dates {
        None => date_order(format, &mut file, options)?,
        dates => dates,
    };
    let latest = latest_birth_date();
    read_fields(format, file, options, &mut |line, fields| {
        on_row(match fields {
            Ok(fields) => row(line, fields, ReadOptions { dates, ..options }, latest),
            Err(violations) => Row { line, contact: Err(violations), warnings: Vec::new() },
        })
    })
}

fn row(line: u64, fields: Fields, options: ReadOptions, latest: NaiveDate) -> Row {
    let (contact, warnings) = fields.contact(options, latest);
    Row { line, contact, warnings }
}

/// The order of day and month in the dates of a file, if they tell.
fn date_order(format: ContactFormat, file: &mut (impl Read + Seek), options: ReadOptions) -> Result<Option<DateOrder>> {
    let mut orders = DateOrders::default();
    read_fields(format, &mut *file, options, &mut |_, fields| {
        if let Ok(Fields { birthday: BirthdayText::Date(date), .. }) = fields {
            orders.add(&date);
        }
        true
    })?;
    Ok(orders.order())
}

fn read_fields(
    format: ContactFormat,
    file: impl Read + Seek,
    options: ReadOptions,
    on_row: &mut dyn FnMut(u64, RowFields) -> bool,
) -> Result<Vec<UnusedPart>> {
    let decoded = encoding::open(file, options.charset)?;
    let sink = Sink { on_row, is_converted: decoded.is_converted };
    let unused = match format {
        ContactFormat::Csv => csv::read(decoded.text, sink)?,
        ContactFormat::VCard => vcard::read(decoded.text, sink)?,
    };
    Ok(unused.into_parts())
}

/// The format of a file by its beginning: a vCard, or a header line of CSV with a column that is known.
///
/// # Errors
/// None in practice: the file is at hand.
pub fn find_format(file: &mut (impl Read + Seek), charset: Option<&'static Encoding>) -> Result<Option<ContactFormat>> {
    let format = match encoding::open(&mut *file, charset) {
        Ok(decoded) => format_of(decoded.text)?,
        // The file is empty.
        Err(_) => None,
    };
    file.rewind().map_err(Error::internal)?;
    Ok(format)
}

fn format_of(mut file: impl BufRead) -> Result<Option<ContactFormat>> {
    let start = file.fill_buf().map_err(Error::internal)?;
    let first = start.trim_ascii_start().split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    if vcard::is_begin(first) {
        return Ok(Some(ContactFormat::VCard));
    }
    // What is no text has no line that is short enough, or no column that is known.
    let is_csv = Records::open(file)?.next()?.is_some_and(csv_columns::is_header);
    Ok(is_csv.then_some(ContactFormat::Csv))
}

/// Beginning of a file: the header line of CSV, and nothing for vCard.
#[must_use]
pub fn head(options: WriteOptions) -> Vec<u8> {
    match options.format {
        ContactFormat::Csv => csv::head(options.cells),
        ContactFormat::VCard => Vec::new(),
    }
}

/// Writes contacts as a part of a file, without the beginning of the file.
///
/// # Errors
/// None in practice, because writing to memory does not fail.
pub fn write<'a>(options: WriteOptions, contacts: impl IntoIterator<Item = &'a Model>) -> Result<Vec<u8>> {
    match options.format {
        ContactFormat::Csv => csv::write(contacts, options.cells),
        ContactFormat::VCard => vcard::write(contacts, options.version),
    }
}
