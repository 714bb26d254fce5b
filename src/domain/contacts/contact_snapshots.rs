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

    /// A contact with these values, and its own where there is none.
    pub fn over(self, contact: &Model) -> Result<Model> {
        let old = Self::of(contact);
        let is_same_day = (self.birth_month, self.birth_day) == (old.birth_month, old.birth_day);
        let [birth_month, birth_day, birth_year] = match self.birth_month {
            None => [old.birth_month, old.birth_day, old.birth_year],
            Some(_) if is_same_day => [self.birth_month, self.birth_day, self.birth_year.or(old.birth_year)],
            Some(_) => [self.birth_month, self.birth_day, self.birth_year],
        };
        let merged = Self {
            first_name: self.first_name.or(old.first_name),
            last_name: self.last_name.or(old.last_name),
            organization: self.organization.or(old.organization),
            emails: merged(self.emails, old.emails),
            phone_numbers: merged(self.phone_numbers, old.phone_numbers),
            birth_month,
            birth_day,
            birth_year,
            note: self.note.or(old.note),
        };
        merged.applied(contact)
    }
}

/// The new contact points, each with its old label if it has none, and after them the old ones with other values.
fn merged(mut new: Vec<StoredPoint>, old: Vec<StoredPoint>) -> Vec<StoredPoint> {
    for point in old {
        match new.iter_mut().find(|known| known.value == point.value) {
            Some(known) => known.label = known.label.take().or(point.label),
            None => new.push(point),
        }
    }
    new.truncate(MAX_POINTS);
    new
}
