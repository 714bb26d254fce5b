//! vCard files of contacts: written as version 4.0 (RFC 6350), read from version 2.1 on, including
//! common deviations of address books.
//!
//! This module splits the file into cards, so that an invalid card does not affect the others;
//! `calcard` parses each card.

use std::io::BufRead;

use calcard::common::PartialDateTime;
use calcard::vcard::{
    VCard, VCardEntry, VCardKind, VCardParameterName, VCardParameterValue, VCardProperty, VCardValue, VCardVersion,
};
use entity::contacts::Model;

use super::{BYTE_ORDER_MARK, DateParts, Fields, Row, parse_date};
use crate::domain::contacts::contacts::birthday_of;
use crate::domain::values::email::Email;
use crate::domain::values::person::{ContactNumber, latest_birth_date};
use crate::error::{Error, Result, Violation};

/// Maximum size in bytes of a line, and of the kept properties of a card.
const MAX_BYTES: usize = 64 * 1024;

/// Properties that are kept. All others, such as photos, are skipped while a card is read.
const KEPT_PROPERTIES: [&str; 11] =
    ["BEGIN", "END", "VERSION", "KIND", "N", "FN", "EMAIL", "TEL", "BDAY", "NOTE", "X-ABSHOWAS"];

/// Property name that replaces BDAY while a card is parsed.
const BIRTHDAY_NAME: &str = "X-BDAY";

/// Card that is being read.
#[derive(Default)]
struct Card {
    line: u64,
    text: Vec<u8>,
    is_kept: bool,
    has_soft_break: bool,
    is_too_long: bool,
}

impl Card {
    fn add(&mut self, line: &[u8]) {
        // Continuation line: folded (RFC 6350 §3.2), quoted-printable with a soft line break, or Base64
        // that was not indented.
        let has_no_name = !line.iter().any(|byte| matches!(byte, b':' | b';'));
        let is_continuation = line.starts_with(b" ") || line.starts_with(b"\t") || self.has_soft_break || has_no_name;
        if !is_continuation {
            self.is_kept = KEPT_PROPERTIES.iter().any(|name| is_property(line, name));
        }
        let is_quoted_printable = if is_continuation {
            self.has_soft_break
        } else {
            let head = line.split(|byte| *byte == b':').next().unwrap_or_default();
            head.to_ascii_uppercase().windows(16).any(|part| part == b"QUOTED-PRINTABLE")
        };
        self.has_soft_break = is_quoted_printable && line.trim_ascii_end().ends_with(b"=");
        if self.is_kept && self.text.len() + line.len() > MAX_BYTES {
            self.is_too_long = true;
        }
        if self.is_kept && !self.is_too_long {
            let line = if is_continuation { line.to_vec() } else { with_text_birthday(line) };
            self.text.extend_from_slice(&line);
        }
    }

    fn finish(self) -> Row {
        let latest = latest_birth_date();
        let contact = self.fields().map_err(|violation| vec![violation]);
        Row { line: self.line, contact: contact.and_then(|fields| fields.contact(latest)) }
    }

    fn fields(&self) -> std::result::Result<Fields, Violation> {
        if self.is_too_long {
            let message = format!("must have at most {MAX_BYTES} bytes, without photos and other ignored properties");
            return Err(Violation::new(".", "length", message));
        }
        let text = std::str::from_utf8(&self.text);
        let text = text.map_err(|_| Violation::new(".", "encoding", "is not encoded in UTF-8"))?;
        let card = VCard::parse(text).map_err(|_| Violation::new(".", "vcard", "is not a vCard"))?;
        fields(&card)
    }
}

/// Whether a line is the first line of this property, with or without a group.
fn is_property(line: &[u8], name: &str) -> bool {
    let end = line.iter().position(|byte| matches!(byte, b':' | b';')).unwrap_or(line.len());
    let property = line.get(..end).unwrap_or_default();
    let property = property.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    property.eq_ignore_ascii_case(name.as_bytes())
}

/// Renames BDAY and removes its VALUE parameter, so that `calcard` parses the value as text. The date
/// formats that BDAY allows depend on the version, and many programs write others.
fn with_text_birthday(line: &[u8]) -> Vec<u8> {
    if !is_property(line, "BDAY") {
        return line.to_vec();
    }
    let end = line.iter().position(|byte| matches!(byte, b':' | b';')).unwrap_or(line.len());
    let (group, rest) = line.split_at(end.saturating_sub("BDAY".len()));
    let colon = rest.iter().position(|byte| *byte == b':').unwrap_or(rest.len());
    let (head, value) = rest.split_at(colon);
    let is_value_parameter = |parameter: &&[u8]| parameter.to_ascii_uppercase().starts_with(b"VALUE=");
    let parameters = head.split(|byte| *byte == b';').skip(1).filter(|parameter| !is_value_parameter(parameter));
    let head: Vec<&[u8]> = [BIRTHDAY_NAME.as_bytes()].into_iter().chain(parameters).collect();
    [group, &head.join(&b';'), value].concat()
}

pub(super) fn read(mut file: impl BufRead, mut on_row: impl FnMut(Row) -> bool) -> Result<()> {
    let mut line = Vec::new();
    let mut card: Option<Card> = None;
    let mut has_begun = false;
    for number in 1.. {
        if !read_line(&mut file, &mut line)? {
            break;
        }
        // Concatenated files may have byte order marks between them.
        if line.starts_with(BYTE_ORDER_MARK) {
            line.drain(..BYTE_ORDER_MARK.len());
        }
        let trimmed = line.trim_ascii_end();
        let is_begin = trimmed.eq_ignore_ascii_case(b"BEGIN:VCARD");
        if !has_begun && !is_begin && !trimmed.is_empty() {
            return Err(Violation::new(".", "vcard", "the file does not begin with a vCard").into());
        }
        has_begun |= is_begin;
        let row = if is_begin {
            let mut new = Card { line: number, ..Card::default() };
            new.add(&line);
            card.replace(new).map(incomplete)
        } else if let Some(mut open) = card.take() {
            open.add(&line);
            if trimmed.eq_ignore_ascii_case(b"END:VCARD") {
                Some(open.finish())
            } else {
                card = Some(open);
                None
            }
        } else if trimmed.is_empty() {
            None
        } else {
            let violation = Violation::new(".", "vcard", "is not part of a vCard");
            Some(Row { line: number, contact: Err(vec![violation]) })
        };
        if row.is_some_and(|row| !on_row(row)) {
            return Ok(());
        }
    }
    if let Some(row) = card.map(incomplete) {
        on_row(row);
    }
    Ok(())
}

/// Reads the next line, and truncates it if it is too long. Returns `false` at the end of the file.
fn read_line(file: &mut impl BufRead, line: &mut Vec<u8>) -> Result<bool> {
    line.clear();
    let mut has_line = false;
    loop {
        let input = file.fill_buf().map_err(Error::internal)?;
        if input.is_empty() {
            return Ok(has_line);
        }
        has_line = true;
        let end = input.iter().position(|byte| *byte == b'\n').map(|index| index + 1);
        let part = input.get(..end.unwrap_or(input.len())).unwrap_or_default();
        let remaining = (MAX_BYTES + 1).saturating_sub(line.len());
        line.extend(part.iter().take(remaining));
        let length = part.len();
        file.consume(length);
        if end.is_some() {
            return Ok(true);
        }
    }
}

/// Row with the violation for a card without END:VCARD.
fn incomplete(card: Card) -> Row {
    Row { line: card.line, contact: Err(vec![Violation::new(".", "incomplete", "has no END:VCARD")]) }
}

fn fields(card: &VCard) -> std::result::Result<Fields, Violation> {
    let kind = card.property(&VCardProperty::Kind).and_then(|entry| entry.values.first());
    let is_other = matches!(kind, Some(VCardValue::Kind(kind)) if *kind != VCardKind::Individual);
    let show_as = VCardProperty::Other("X-ABShowAs".to_owned());
    let is_company = card.property(&show_as).is_some_and(|entry| text(entry).eq_ignore_ascii_case("COMPANY"));
    if is_other || is_company {
        return Err(Violation::new("kind", "kind", "is not a person"));
    }
    let (first_name, last_name) = names(card);
    let notes: Vec<String> = card.properties(&VCardProperty::Note).map(text).collect();
    let birthday = card.property(&VCardProperty::Other(BIRTHDAY_NAME.to_owned())).map_or(Ok([None; 3]), birthday);
    Ok(Fields {
        first_name,
        last_name,
        email: preferred(card, &VCardProperty::Email, |email| Email::parse(email).is_ok()),
        phone_number: preferred(card, &VCardProperty::Tel, |number| ContactNumber::parse(number).is_ok()),
        note: notes.join("\n"),
        birthday,
    })
}

/// First and last name, from N or, if that is empty, by splitting FN at the last blank.
fn names(card: &VCard) -> (String, String) {
    let parts = card.property(&VCardProperty::N).map(|entry| entry.values.as_slice()).unwrap_or_default();
    let part = |index: usize| parts.get(index).map(value_text).unwrap_or_default().trim().to_owned();
    let (family, given, additional) = (part(0), part(1), part(2));
    let given = [given, additional].into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" ");
    if !given.is_empty() || !family.is_empty() {
        return (given, family);
    }
    let full = card.property(&VCardProperty::Fn).map(text).unwrap_or_default();
    let split = full.trim().rsplit_once(char::is_whitespace);
    split.map_or((given, family), |(first, last)| (first.to_owned(), last.to_owned()))
}

/// Preferred value of a property: the valid value with the highest preference, or if none is valid, the
/// value with the highest preference.
fn preferred(card: &VCard, name: &VCardProperty, is_valid: impl Fn(&str) -> bool) -> String {
    let rank = |entry: &VCardEntry| {
        let ranks = entry.params.iter().filter_map(|param| match (&param.name, &param.value) {
            (VCardParameterName::Pref, VCardParameterValue::Integer(rank)) => Some(*rank),
            // vCard 2.1: PREF without a number.
            (VCardParameterName::Pref, _) => Some(1),
            (VCardParameterName::Type, VCardParameterValue::Text(word)) if word.eq_ignore_ascii_case("pref") => Some(1),
            _ => None,
        });
        ranks.min().unwrap_or(u32::MAX)
    };
    let plain = |entry: &VCardEntry| {
        let value = text(entry);
        // A `tel:` URI, such as `tel:+1-555-0100;ext=5` (RFC 3966).
        let number = value.strip_prefix("tel:").and_then(|number| number.split(';').next()).map(str::to_owned);
        number.unwrap_or(value).trim().to_owned()
    };
    let entries = card.properties(name).map(|entry| (rank(entry), plain(entry)));
    let mut values: Vec<_> = entries.filter(|(_, value)| !value.is_empty()).collect();
    values.sort_by_key(|(rank, _)| *rank);
    let best = values.iter().find(|(_, value)| is_valid(value)).or(values.first());
    best.map(|(_, value)| value.clone()).unwrap_or_default()
}

fn text(entry: &VCardEntry) -> String {
    entry.values.first().map(value_text).unwrap_or_default()
}

fn value_text(value: &VCardValue) -> String {
    match value {
        VCardValue::Text(text) => text.clone(),
        VCardValue::Component(parts) => parts.join(" "),
        _ => String::new(),
    }
}

fn birthday(entry: &VCardEntry) -> DateParts {
    let text = text(entry);
    let [year, month, day] = parse_date(text.split(['T', 't', ' ']).next().unwrap_or_default())?;
    let is_omitted = entry.params.iter().any(|param| match (&param.name, &param.value) {
        // Programs that cannot store a date without a year write a placeholder year, and name it in this
        // parameter.
        (VCardParameterName::Other(name), VCardParameterValue::Text(omitted)) => {
            name.eq_ignore_ascii_case("X-APPLE-OMIT-YEAR") && omitted.parse().ok() == year
        }
        _ => false,
    });
    Ok([year.filter(|_| !is_omitted), month, day])
}

pub(super) fn write<'a>(contacts: impl IntoIterator<Item = &'a Model>) -> Result<Vec<u8>> {
    let mut file = String::new();
    for contact in contacts {
        card(contact).write_to(&mut file, VCardVersion::V4_0).map_err(Error::internal)?;
    }
    Ok(file.into_bytes())
}

fn card(contact: &Model) -> VCard {
    let entry = |name: VCardProperty, values: Vec<VCardValue>| VCardEntry::new(name).with_values(values);
    let text = |text: &str| VCardValue::Text(text.to_owned());
    let mut entries = vec![
        entry(VCardProperty::Uid, vec![text(&format!("urn:uuid:{}", contact.id))]),
        entry(VCardProperty::Fn, vec![text(&format!("{} {}", contact.first_name, contact.last_name))]),
        entry(
            VCardProperty::N,
            vec![text(&contact.last_name), text(&contact.first_name), text(""), text(""), text("")],
        ),
    ];
    for (name, value) in [
        (VCardProperty::Email, &contact.email),
        (VCardProperty::Tel, &contact.phone_number),
        (VCardProperty::Note, &contact.note),
    ] {
        entries.extend(value.as_deref().map(|value| entry(name, vec![text(value)])));
    }
    if let Some(birthday) = birthday_of(contact) {
        let (month, day, year) = birthday.parts();
        let date = PartialDateTime {
            year: year.and_then(|year| u16::try_from(year).ok()),
            month: u8::try_from(month).ok(),
            day: u8::try_from(day).ok(),
            ..PartialDateTime::default()
        };
        entries.push(entry(VCardProperty::Bday, vec![VCardValue::PartialDateTime(date)]));
    }
    VCard { entries }
}
