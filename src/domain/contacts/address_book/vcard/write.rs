//! Written vCards: version 4.0 (RFC 6350), or 3.0 (RFC 2426) for programs that read nothing newer.

use calcard::common::PartialDateTime;
use calcard::vcard::{
    VCard, VCardEntry, VCardParameter, VCardParameterValue, VCardProperty, VCardType, VCardValue, VCardVersion,
};

use entity::contacts::Model;

use super::super::CardVersion;
use crate::domain::contacts::contact_points::{self, StoredPoint};
use crate::domain::contacts::contacts::birthday_of;
use crate::domain::contacts::names::display_name;
use crate::domain::contacts::uids;
use crate::error::{Error, Result};

/// The product that is written into cards. Names of such cards are read as they are.
pub(super) const PRODUCT: &str = "-//care4u//contacts//EN";

/// Labels that are types of vCard. Others are written as Apple does: as a property of a group.
const TYPES: [(&str, VCardType); 5] = [
    ("home", VCardType::Home),
    ("work", VCardType::Work),
    ("mobile", VCardType::Cell),
    ("fax", VCardType::Fax),
    ("pager", VCardType::Pager),
];

pub(in super::super) fn write<'a>(
    contacts: impl IntoIterator<Item = &'a Model>,
    version: CardVersion,
) -> Result<Vec<u8>> {
    let mut file = String::new();
    let number = match version {
        CardVersion::V3 => VCardVersion::V3_0,
        CardVersion::V4 => VCardVersion::V4_0,
    };
    for contact in contacts {
        card(contact, version).write_to(&mut file, number).map_err(Error::internal)?;
    }
    Ok(file.into_bytes())
}

fn card(contact: &Model, version: CardVersion) -> VCard {
    let name = |name: &Option<String>| text(name.as_deref().unwrap_or_default());
    let mut entries = vec![
        entry(VCardProperty::Prodid, vec![text(PRODUCT)]),
        entry(VCardProperty::Uid, vec![text(&uids::of(contact))]),
        entry(VCardProperty::Fn, vec![text(&display_name(contact))]),
        entry(
            VCardProperty::N,
            vec![name(&contact.last_name), name(&contact.first_name), text(""), text(""), text("")],
        ),
    ];
    if let Some(organization) = &contact.organization {
        entries.push(entry(VCardProperty::Org, vec![text(organization)]));
    }
    let mut groups = 0;
    for point in contact_points::emails(contact) {
        entries.extend(point_entries(VCardProperty::Email, &point, &mut groups));
    }
    for point in contact_points::phone_numbers(contact) {
        entries.extend(point_entries(VCardProperty::Tel, &point, &mut groups));
    }
    entries.extend(contact.note.as_deref().map(|note| entry(VCardProperty::Note, vec![text(note)])));
    entries.extend(birthday(contact, version));
    VCard { entries }
}

fn entry(name: VCardProperty, values: Vec<VCardValue>) -> VCardEntry {
    VCardEntry::new(name).with_values(values)
}

fn text(text: &str) -> VCardValue {
    VCardValue::Text(text.to_owned())
}

/// A contact point, and its label.
fn point_entries(name: VCardProperty, point: &StoredPoint, groups: &mut usize) -> Vec<VCardEntry> {
    let value = entry(name, vec![text(&point.value)]);
    let Some(label) = &point.label else { return vec![value] };
    if let Some((_, word)) = TYPES.iter().find(|(known, _)| known == label) {
        return vec![value.with_param(VCardParameter::typ(VCardParameterValue::Type(word.clone())))];
    }
    *groups += 1;
    let group = Some(format!("item{groups}"));
    let label = entry(VCardProperty::Other("X-ABLabel".to_owned()), vec![text(label)]);
    vec![value.with_group(group.clone()), label.with_group(group)]
}

fn birthday(contact: &Model, version: CardVersion) -> Option<VCardEntry> {
    let (month, day, year) = birthday_of(contact)?.parts();
    let value = if version == CardVersion::V4 {
        VCardValue::PartialDateTime(PartialDateTime {
            year: year.and_then(|year| u16::try_from(year).ok()),
            month: u8::try_from(month).ok(),
            day: u8::try_from(day).ok(),
            ..PartialDateTime::default()
        })
    } else {
        // Without a year as Android writes and reads it: version 3.0 knows no such date.
        let year = year.map_or_else(|| "-".to_owned(), |year| format!("{year:04}"));
        text(&format!("{year}-{month:02}-{day:02}"))
    };
    Some(entry(VCardProperty::Bday, vec![value]))
}
