//! Contacts as vCards: written as 4.0 (RFC 6350), read from 2.1 on, as address books write them.
//!
//! The file is cut into cards here, so that one bad card spoils no other; what a card says is for `calcard` to tell.

use std::io::BufRead;

use calcard::common::PartialDateTime;
use calcard::vcard::{
    VCard, VCardEntry, VCardKind, VCardParameterName, VCardParameterValue, VCardProperty, VCardValue, VCardVersion,
};
use entity::contacts::Model;

use super::{Fields, Parts, Row, parts_of_date};
use crate::domain::birthday::Birthday;
use crate::domain::rules;
use crate::error::{Error, Result, Violation};

/// Bytes of a card, pictures aside, which are left out while it is read.
const MOST_BYTES: usize = 64 * 1024;

/// What is long, and not kept.
const LEFT_OUT: [&str; 4] = ["PHOTO", "LOGO", "SOUND", "KEY"];

/// A card that is being read.
#[derive(Default)]
struct Card {
    line: u64,
    text: Vec<u8>,
    is_left_out: bool,
    is_too_long: bool,
}

impl Card {
    fn add(&mut self, line: &[u8]) {
        let is_folded = line.starts_with(b" ") || line.starts_with(b"\t");
        if !is_folded {
            self.is_left_out = LEFT_OUT.iter().any(|name| is_property(line, name));
        }
        if self.text.len() + line.len() > MOST_BYTES && !self.is_left_out {
            self.is_too_long = true;
        }
        if self.is_left_out || self.is_too_long {
            return;
        }
        self.text.extend_from_slice(&with_plain_date(line));
    }

    fn finish(self) -> Row {
        let latest = rules::latest_birth_date();
        let contact = self.fields().map_err(|violation| vec![violation]);
        Row { line: self.line, contact: contact.and_then(|fields| fields.contact(latest)) }
    }

    fn fields(&self) -> std::result::Result<Fields, Violation> {
        if self.is_too_long {
            return Err(Violation::new(
                ".",
                "length",
                format!("must have at most {MOST_BYTES} bytes without pictures"),
            ));
        }
        let text = std::str::from_utf8(&self.text);
        let text = text.map_err(|_| Violation::new(".", "encoding", "is not written in UTF-8"))?;
        let card = VCard::parse(text).map_err(|_| Violation::new(".", "vcard", "is not a vCard"))?;
        fields(&card)
    }
}

/// Whether a line begins this property, within a group or not.
fn is_property(line: &[u8], name: &str) -> bool {
    let end = line.iter().position(|byte| matches!(byte, b':' | b';')).unwrap_or(line.len());
    let property = line.get(..end).unwrap_or_default();
    let property = property.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    property.eq_ignore_ascii_case(name.as_bytes())
}

/// `BDAY:--12-10`, as telephones write it, as the `BDAY:--1210` that it ought to be.
fn with_plain_date(line: &[u8]) -> Vec<u8> {
    let mut line = line.to_vec();
    if is_property(&line, "BDAY")
        && let Some(colon) = line.iter().position(|byte| *byte == b':')
        && line.get(colon + 1..).is_some_and(|value| value.starts_with(b"--") && value.get(4) == Some(&b'-'))
    {
        line.remove(colon + 5);
    }
    line
}

pub(super) fn read(mut file: impl BufRead, mut take: impl FnMut(Row) -> bool) -> Result<()> {
    let mut line = Vec::new();
    let mut card: Option<Card> = None;
    for number in 1.. {
        line.clear();
        if file.read_until(b'\n', &mut line).map_err(Error::internal)? == 0 {
            break;
        }
        let trimmed = line.trim_ascii_end();
        let row = if trimmed.eq_ignore_ascii_case(b"BEGIN:VCARD") {
            let mut begun = Card { line: number, ..Card::default() };
            begun.add(&line);
            card.replace(begun).map(cut)
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
        if row.is_some_and(|row| !take(row)) {
            return Ok(());
        }
    }
    if let Some(row) = card.map(cut) {
        take(row);
    }
    Ok(())
}

/// A card without an end.
fn cut(card: Card) -> Row {
    Row { line: card.line, contact: Err(vec![Violation::new(".", "incomplete", "has no END:VCARD")]) }
}

fn fields(card: &VCard) -> std::result::Result<Fields, Violation> {
    let first = |name: VCardProperty| preferred(card, &name).map(text).unwrap_or_default();
    let kind = card.property(&VCardProperty::Kind).and_then(|entry| entry.values.first());
    if matches!(kind, Some(VCardValue::Kind(kind)) if *kind != VCardKind::Individual) {
        return Err(Violation::new("kind", "kind", "is not a person"));
    }
    let (first_name, last_name) = names(card);
    let notes: Vec<String> = card.properties(&VCardProperty::Note).map(text).collect();
    let phone_number = first(VCardProperty::Tel);
    let phone_number = phone_number.strip_prefix("tel:").unwrap_or(&phone_number).to_owned();
    let birthday = card.property(&VCardProperty::Bday).map_or(Ok([None; 3]), birthday);
    Ok(Fields {
        first_name,
        last_name,
        email: first(VCardProperty::Email),
        phone_number,
        notes: notes.join("\n"),
        birthday,
    })
}

/// Given and family name, or what the full name makes of them.
fn names(card: &VCard) -> (String, String) {
    let parts = card.property(&VCardProperty::N).map(|entry| entry.values.as_slice()).unwrap_or_default();
    let part = |index: usize| parts.get(index).map(value_text).unwrap_or_default().trim().to_owned();
    let (family, given, additional) = (part(0), part(1), part(2));
    let given = [given, additional].into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" ");
    if !given.is_empty() && !family.is_empty() {
        return (given, family);
    }
    let full = card.property(&VCardProperty::Fn).map(text).unwrap_or_default();
    match full.trim().rsplit_once(char::is_whitespace) {
        Some((first, last)) => (first.to_owned(), last.to_owned()),
        None => (given, family),
    }
}

/// The entry that its owner likes best, else the first one.
fn preferred<'a>(card: &'a VCard, name: &'a VCardProperty) -> Option<&'a VCardEntry> {
    let rank = |entry: &&VCardEntry| {
        let ranks = entry.params.iter().filter_map(|param| match (&param.name, &param.value) {
            (VCardParameterName::Pref, VCardParameterValue::Integer(rank)) => Some(*rank),
            (VCardParameterName::Type, VCardParameterValue::Text(word)) if word.eq_ignore_ascii_case("pref") => Some(1),
            (VCardParameterName::Other(word), _) if word.eq_ignore_ascii_case("pref") => Some(1),
            _ => None,
        });
        ranks.min().unwrap_or(u32::MAX)
    };
    card.properties(name).filter(|entry| !text(entry).is_empty()).min_by_key(rank)
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

fn birthday(entry: &VCardEntry) -> Parts {
    let omitted = |year: u16| {
        entry.params.iter().any(|param| match (&param.name, &param.value) {
            // A contact program that has no dates without a year writes which year to forget.
            (VCardParameterName::Other(name), VCardParameterValue::Text(text)) => {
                name.eq_ignore_ascii_case("X-APPLE-OMIT-YEAR") && text.parse() == Ok(year)
            }
            _ => false,
        })
    };
    match entry.values.first() {
        Some(VCardValue::PartialDateTime(date)) => {
            let year = date.year.filter(|year| !omitted(*year));
            let year = year.map(|year| i16::try_from(year).unwrap_or(i16::MAX));
            Ok([year, date.month.map(i16::from), date.day.map(i16::from)])
        }
        Some(VCardValue::Text(text)) => parts_of_date(text),
        _ => Ok([None; 3]),
    }
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
        (VCardProperty::Note, &contact.notes),
    ] {
        entries.extend(value.as_deref().map(|value| entry(name, vec![text(value)])));
    }
    if let Some(birthday) = Birthday::of(contact) {
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
