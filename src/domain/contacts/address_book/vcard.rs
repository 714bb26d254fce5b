//! Contacts as vCards: written as 4.0 (RFC 6350), read from 2.1 on, as address books write them.
//!
//! The file is cut into cards here, so that one bad card spoils no other; what a card says is for `calcard` to tell.

use std::io::BufRead;

use calcard::common::PartialDateTime;
use calcard::vcard::{
    VCard, VCardEntry, VCardKind, VCardParameterName, VCardParameterValue, VCardProperty, VCardValue, VCardVersion,
};
use entity::contacts::Model;

use super::{BYTE_ORDER_MARK, Fields, Parts, Row, parts_of_date};
use crate::domain::contacts::contacts::birthday_of;
use crate::domain::values::email::Email;
use crate::domain::values::person::ContactNumber;
use crate::domain::values::person::latest_birth_date;
use crate::error::{Error, Result, Violation};

/// Bytes of what is kept of a card, and of a line.
const MOST_BYTES: usize = 64 * 1024;

/// What is kept; pictures and all the rest are left out while a card is read.
const KEPT: [&str; 11] = ["BEGIN", "END", "VERSION", "KIND", "N", "FN", "EMAIL", "TEL", "BDAY", "NOTE", "X-ABSHOWAS"];

/// What a BDAY is called while it is read.
const DATE: &str = "X-BDAY";

/// A card that is being read.
#[derive(Default)]
struct Card {
    line: u64,
    text: Vec<u8>,
    is_kept: bool,
    is_unfinished: bool,
    is_too_long: bool,
}

impl Card {
    fn add(&mut self, line: &[u8]) {
        // Folded (RFC 6350 §3.2); or going on as quoted-printable, or as base64 that somebody forgot to indent.
        let is_bare = !line.iter().any(|byte| matches!(byte, b':' | b';'));
        let goes_on = line.starts_with(b" ") || line.starts_with(b"\t") || self.is_unfinished || is_bare;
        if !goes_on {
            self.is_kept = KEPT.iter().any(|name| is_property(line, name));
        }
        let is_quoted_printable = if goes_on {
            self.is_unfinished
        } else {
            let head = line.split(|byte| *byte == b':').next().unwrap_or_default();
            head.to_ascii_uppercase().windows(16).any(|part| part == b"QUOTED-PRINTABLE")
        };
        self.is_unfinished = is_quoted_printable && line.trim_ascii_end().ends_with(b"=");
        if self.is_kept && self.text.len() + line.len() > MOST_BYTES {
            self.is_too_long = true;
        }
        if self.is_kept && !self.is_too_long {
            let line = if goes_on { line.to_vec() } else { with_text_for_date(line) };
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
            return Err(Violation::new(".", "length", format!("must have at most {MOST_BYTES} bytes of what is kept")));
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

/// Which dates a BDAY may have depends on the version, and many do not keep to it. So it is read as the text that it is.
fn with_text_for_date(line: &[u8]) -> Vec<u8> {
    if !is_property(line, "BDAY") {
        return line.to_vec();
    }
    let end = line.iter().position(|byte| matches!(byte, b':' | b';')).unwrap_or(line.len());
    let (group, rest) = line.split_at(end.saturating_sub("BDAY".len()));
    let colon = rest.iter().position(|byte| *byte == b':').unwrap_or(rest.len());
    let (head, value) = rest.split_at(colon);
    let is_type = |parameter: &&[u8]| parameter.to_ascii_uppercase().starts_with(b"VALUE=");
    let parameters = head.split(|byte| *byte == b';').skip(1).filter(|parameter| !is_type(parameter));
    let head: Vec<&[u8]> = [DATE.as_bytes()].into_iter().chain(parameters).collect();
    [group, &head.join(&b';'), value].concat()
}

pub(super) fn read(mut file: impl BufRead, mut take: impl FnMut(Row) -> bool) -> Result<()> {
    let mut line = Vec::new();
    let mut card: Option<Card> = None;
    let mut is_begun = false;
    for number in 1.. {
        if !read_line(&mut file, &mut line)? {
            break;
        }
        // Where files with marks were joined.
        if line.starts_with(BYTE_ORDER_MARK) {
            line.drain(..BYTE_ORDER_MARK.len());
        }
        let trimmed = line.trim_ascii_end();
        let is_beginning = trimmed.eq_ignore_ascii_case(b"BEGIN:VCARD");
        if !is_begun && !is_beginning && !trimmed.is_empty() {
            return Err(Violation::new(".", "vcard", "the file does not begin with a vCard").into());
        }
        is_begun |= is_beginning;
        let row = if is_beginning {
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

/// Reads the next line, of a longer one only its beginning. Tells whether there was one.
fn read_line(file: &mut impl BufRead, line: &mut Vec<u8>) -> Result<bool> {
    line.clear();
    let mut is_there = false;
    loop {
        let input = file.fill_buf().map_err(Error::internal)?;
        if input.is_empty() {
            return Ok(is_there);
        }
        is_there = true;
        let end = input.iter().position(|byte| *byte == b'\n').map(|place| place + 1);
        let part = input.get(..end.unwrap_or(input.len())).unwrap_or_default();
        let room = (MOST_BYTES + 1).saturating_sub(line.len());
        line.extend(part.iter().take(room));
        let length = part.len();
        file.consume(length);
        if end.is_some() {
            return Ok(true);
        }
    }
}

/// A card without an end.
fn cut(card: Card) -> Row {
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
    let birthday = card.property(&VCardProperty::Other(DATE.to_owned())).map_or(Ok([None; 3]), birthday);
    Ok(Fields {
        first_name,
        last_name,
        email: preferred(card, &VCardProperty::Email, |email| Email::parse(email).is_ok()),
        phone_number: preferred(card, &VCardProperty::Tel, |number| ContactNumber::parse(number).is_ok()),
        note: notes.join("\n"),
        birthday,
    })
}

/// Given and family name; where there are none, what the full name makes of them.
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

/// Of several values the one that its owner likes best, if it will do, else the first that does; if none will, the best.
fn preferred(card: &VCard, name: &VCardProperty, will_do: impl Fn(&str) -> bool) -> String {
    let rank = |entry: &VCardEntry| {
        let ranks = entry.params.iter().filter_map(|param| match (&param.name, &param.value) {
            (VCardParameterName::Pref, VCardParameterValue::Integer(rank)) => Some(*rank),
            // As 2.1 has it.
            (VCardParameterName::Pref, _) => Some(1),
            (VCardParameterName::Type, VCardParameterValue::Text(word)) if word.eq_ignore_ascii_case("pref") => Some(1),
            _ => None,
        });
        ranks.min().unwrap_or(u32::MAX)
    };
    let plain = |entry: &VCardEntry| {
        let value = text(entry);
        // `tel:+1-555-0100;ext=5` (RFC 3966).
        let number = value.strip_prefix("tel:").and_then(|number| number.split(';').next()).map(str::to_owned);
        number.unwrap_or(value).trim().to_owned()
    };
    let entries = card.properties(name).map(|entry| (rank(entry), plain(entry)));
    let mut values: Vec<_> = entries.filter(|(_, value)| !value.is_empty()).collect();
    values.sort_by_key(|(rank, _)| *rank);
    let best = values.iter().find(|(_, value)| will_do(value)).or(values.first());
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

fn birthday(entry: &VCardEntry) -> Parts {
    let text = text(entry);
    let [year, month, day] = parts_of_date(text.split(['T', 't', ' ']).next().unwrap_or_default())?;
    let is_omitted = entry.params.iter().any(|param| match (&param.name, &param.value) {
        // A contact program that has no dates without a year writes which year to forget.
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
