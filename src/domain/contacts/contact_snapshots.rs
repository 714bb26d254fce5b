//! Snapshots of contacts: the values that an import changes, so that it can be undone.

use entity::contacts::Model;
use serde::{Deserialize, Serialize};

use crate::domain::contacts::contact_points::{self, StoredPoint};
use crate::domain::contacts::contact_search;
use crate::domain::contacts::names::StoredNames;
use crate::error::Result;

/// The values of a contact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Snapshot {
    first_name: Option<String>,
    last_name: Option<String>,
    organization: Option<String>,
    emails: Vec<StoredPoint>,
    phone_numbers: Vec<StoredPoint>,
    birth_month: Option<i16>,
    birth_day: Option<i16>,
    birth_year: Option<i16>,
    note: Option<String>,
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
    pub fn restored(self, contact: &Model) -> Result<Model> {
        let names = StoredNames::new(self.first_name, self.last_name, self.organization);
        let search_folded = contact_search::search_folded(&names, &self.emails);
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
        let has_name = self.first_name.is_some() || self.last_name.is_some();
        let has_birthday = self.birth_month.is_some();
        let or = |new: Vec<StoredPoint>, old| if new.is_empty() { old } else { new };
        let merged = Self {
            first_name: if has_name { self.first_name } else { old.first_name },
            last_name: if has_name { self.last_name } else { old.last_name },
            organization: self.organization.or(old.organization),
            emails: or(self.emails, old.emails),
            phone_numbers: or(self.phone_numbers, old.phone_numbers),
            birth_month: if has_birthday { self.birth_month } else { old.birth_month },
            birth_day: if has_birthday { self.birth_day } else { old.birth_day },
            birth_year: if has_birthday { self.birth_year } else { old.birth_year },
            note: self.note.or(old.note),
        };
        merged.restored(contact)
    }
}
