//! Keys by which an import finds contacts that are there already: the UID, and the name together with the birthday or the main
//! e-mail address. They are read once for an import, and kept as hashes, of which a hundred thousand contacts take some megabytes:
//! a query for each batch of rows would take longer than all the rest.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use entity::contacts::{Column, Entity, Model};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder as _, QuerySelect, QueryTrait as _};
use uuid::Uuid;

use crate::domain::contacts::uids;
use crate::error::Result;

/// Contacts that one query reads.
const PAGE: u64 = 5000;

/// The folded names by which contacts are compared: what it is sorted by, the first name, and whether there are a first and a last
/// name.
pub(super) type NameKey = (String, String, bool, bool);

/// What makes a contact with the same name the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Mark {
    Birthday(Option<i16>, Option<i16>, Option<i16>),
    Email(String),
}

/// The contacts of a user by the hashes of their keys. What they find must be compared.
#[derive(Debug, Default)]
pub(super) struct ContactKeys {
    hasher: RandomState,
    ids: HashMap<u64, Uuid>,
}

impl ContactKeys {
    /// Reads the keys of all contacts of a user.
    pub async fn read(db: &impl ConnectionTrait, user_id: Uuid) -> Result<Self> {
        let mut keys = Self::default();
        let mut after = None;
        loop {
            let page = Entity::find()
                .filter(Column::UserId.eq(user_id))
                .apply_if(after, |contacts, after: Uuid| contacts.filter(Column::Id.gt(after)))
                .order_by_asc(Column::Id)
                .limit(PAGE)
                .all(db)
                .await?;
            for contact in &page {
                keys.add(contact);
            }
            after = page.last().map(|contact| contact.id);
            if after.is_none() || u64::try_from(page.len()).unwrap_or(0) < PAGE {
                return Ok(keys);
            }
        }
    }

    /// Adds a contact. The first one with a key is found.
    pub fn add(&mut self, contact: &Model) {
        // A UID that was made here has the id, and needs no key.
        let uid = contact.uid.as_deref().map(|uid| self.hasher.hash_one(uid));
        let marks = marks(contact).into_iter().map(|mark| self.of_mark(contact, mark));
        for key in marks.chain(uid).collect::<Vec<_>>() {
            self.ids.entry(key).or_insert(contact.id);
        }
    }

    /// The contacts that may be that of a row.
    pub fn find(&self, row: &Model) -> impl Iterator<Item = Uuid> {
        let uid = row.uid.as_deref().map(|uid| self.hasher.hash_one(uid));
        let marks = marks(row).into_iter().map(|mark| self.of_mark(row, mark));
        let made_here = row.uid.as_deref().and_then(uids::contact_id);
        marks.chain(uid).filter_map(|key| self.ids.get(&key)).copied().chain(made_here)
    }

    fn of_mark(&self, contact: &Model, mark: Mark) -> u64 {
        self.hasher.hash_one((name_key(contact), mark))
    }
}

/// The names by which a contact is compared.
pub(super) fn name_key(row: &Model) -> NameKey {
    (row.sort_folded.clone(), row.first_folded.clone(), row.first_name.is_some(), row.last_name.is_some())
}

/// The birthday and the main e-mail address.
pub(super) fn marks(row: &Model) -> Vec<Mark> {
    let birthday = row.birth_month.map(|_| Mark::Birthday(row.birth_month, row.birth_day, row.birth_year));
    birthday.into_iter().chain(row.email.clone().map(Mark::Email)).collect()
}
