//! Snapshots of contacts: the values that an import changes, so that it can be undone.

use entity::contacts::Model;
use serde::{Deserialize, Serialize};

use crate::domain::contacts::contact_points::{self, MAX_POINTS, StoredPoint};
use crate::domain::contacts::contact_search;
use crate::domain::contacts::names::StoredNames;
use crate::error::Result;

/// The values of a contact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Snapshot {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub organization: Option<String>,
    pub emails: Vec<StoredPoint>,
    pub phone_numbers: Vec<StoredPoint>,
    pub birth_month: Option<i16>,
    pub birth_day: Option<i16>,
    pub birth_year: Option<i16>,
    pub note: Option<String>,
}

impl Snapshot {
    pub fn of(contact: &Model) -> Self {
        Self {
            first_name: contact.first_name.clone(),
            last_name: contact.last_name.clone(),
            organization: contact.organization.clone(),
            emails: contact_points::emails(contact),
            phone_numbers: contact_points::phone_numbers(contact),
            birth_month: contact.birth_month,
            birth_day: contact.birth_day,
            birth_year: contact.birth_year,
            note: contact.note.clone(),
        }
    }

    /// A contact with these values.
    pub fn applied(self, contact: &Model) -> Result<Model> {
        let names = StoredNames::new(self.first_name, self.last_name, self.organization);
        let search_folded = contact_search::search_folded(names.organization.as_deref(), &self.emails);
        let (email, emails) = contact_points::columns(self.emails)?;
        let (phone_number, phone_numbers) = contact_points::columns(self.phone_numbers)?;
        Ok(Model {
            first_name: names.first_name,
            last_name: names.last_name,
            organization: names.organization,
            sort_folded: names.sort_folded,
            first_folded: names.first_folded,
            search_folded,
            email,
            emails,
            phone_number,
            phone_numbers,
            birth_month: self.birth_month,
            birth_day: self.birth_day,
            birth_year: self.birth_year,
            note: self.note,
            ..contact.clone()
        })
    }

    /// A contact with these values, and its own where there is none. Also returns the e-mail addresses and the telephone numbers
    /// for which it has no room.
    pub fn over(self, contact: &Model) -> Result<(Model, LeftOut)> {
        let old = Self::of(contact);
        let is_same_day = (self.birth_month, self.birth_day) == (old.birth_month, old.birth_day);
        let [birth_month, birth_day, birth_year] = match self.birth_month {
            None => [old.birth_month, old.birth_day, old.birth_year],
            Some(_) if is_same_day => [self.birth_month, self.birth_day, self.birth_year.or(old.birth_year)],
            Some(_) => [self.birth_month, self.birth_day, self.birth_year],
        };
        let (emails, left_emails) = merged(self.emails, old.emails);
        let (phone_numbers, left_numbers) = merged(self.phone_numbers, old.phone_numbers);
        let merged = Self {
            first_name: self.first_name.or(old.first_name),
            last_name: self.last_name.or(old.last_name),
            organization: self.organization.or(old.organization),
            emails,
            phone_numbers,
            birth_month,
            birth_day,
            birth_year,
            note: self.note.or(old.note),
        };
        Ok((merged.applied(contact)?, LeftOut { emails: left_emails, phone_numbers: left_numbers }))
    }

    /// These values, if the earlier ones had been others: a value that is still the earlier one becomes the other.
    pub fn rebased(self, from: &Self, onto: &Self) -> Self {
        let text = |own: Option<String>, of: fn(&Self) -> &Option<String>| {
            if own == *of(from) { of(onto).clone() } else { own }
        };
        let birthday = |snapshot: &Self| (snapshot.birth_month, snapshot.birth_day, snapshot.birth_year);
        let birthday = if birthday(&self) == birthday(from) { birthday(onto) } else { birthday(&self) };
        let own_names = [self.first_name.clone(), self.last_name.clone(), self.organization.clone()];
        let names = [
            text(self.first_name, |snapshot| &snapshot.first_name),
            text(self.last_name, |snapshot| &snapshot.last_name),
            text(self.organization, |snapshot| &snapshot.organization),
        ];
        // A contact keeps at least one name.
        let [first_name, last_name, organization] = if names.iter().all(Option::is_none) { own_names } else { names };
        Self {
            first_name,
            last_name,
            organization,
            emails: rebased(self.emails, &from.emails, &onto.emails),
            phone_numbers: rebased(self.phone_numbers, &from.phone_numbers, &onto.phone_numbers),
            birth_month: birthday.0,
            birth_day: birthday.1,
            birth_year: birthday.2,
            note: text(self.note, |snapshot| &snapshot.note),
        }
    }
}

/// Values for which a contact has no room.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    pub emails: Vec<StoredPoint>,
    pub phone_numbers: Vec<StoredPoint>,
}

/// The new contact points, each with its old label if it has none, and after them the old ones with other values; and the last
/// new ones, if there is no room for them.
fn merged(mut new: Vec<StoredPoint>, old: Vec<StoredPoint>) -> (Vec<StoredPoint>, Vec<StoredPoint>) {
    let mut room = MAX_POINTS.saturating_sub(old.len());
    let mut left_out = Vec::new();
    new.retain(|point| {
        if old.iter().any(|old| old.value == point.value) {
            return true;
        }
        let has_room = room > 0;
        room = room.saturating_sub(1);
        if !has_room {
            left_out.push(point.clone());
        }
        has_room
    });
    for point in old {
        match new.iter_mut().find(|known| known.value == point.value) {
            Some(known) => known.label = known.label.take().or(point.label),
            None => new.push(point),
        }
    }
    (new, left_out)
}

/// Contact points without those that only the earlier ones had, and with those that only the others have.
fn rebased(own: Vec<StoredPoint>, from: &[StoredPoint], onto: &[StoredPoint]) -> Vec<StoredPoint> {
    if own == from {
        return onto.to_vec();
    }
    let has = |points: &[StoredPoint], point: &StoredPoint| points.iter().any(|other| other.value == point.value);
    let kept = own.iter().filter(|point| has(onto, point) || !has(from, point));
    let restored = onto.iter().filter(|point| !has(from, point) && !has(&own, point));
    let mut points: Vec<StoredPoint> = kept.chain(restored).cloned().collect();
    points.truncate(MAX_POINTS);
    points
}
