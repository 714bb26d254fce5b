//! Writing of imported contacts: a contact that is there already is found by its UID, or by its name together with its birthday
//! or an e-mail address, and skipped, updated or added again.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use entity::contact_import_updates as updates;
use entity::contacts::{Column, Entity, Model};
use sea_orm::sea_query::{OnConflict, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder as _};
use uuid::Uuid;

use crate::domain::contacts::address_book::Warning;
use crate::domain::contacts::contact_keys::{ContactKeys, Mark, NameKey, marks, name_key};
use crate::domain::contacts::contact_points::{MAX_POINTS, StoredPoint};
use crate::domain::contacts::contact_snapshots::{LeftOut, Snapshot};
use crate::domain::contacts::contacts::{self, NewContact};
use crate::domain::contacts::{dependants, uids};
use crate::domain::values::client::Client;
use crate::error::{Error, Result, Violation};

/// The most rows of one statement. Others are written in statements of half as many rows, and so on, so that the database has
/// few different statements to prepare.
pub(super) const BATCH: usize = 256;

/// What becomes of a row of a contact that is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDuplicate {
    /// The contact stays as it is.
    #[default]
    Skip,
    /// The contact gets the values of the row; what the row lacks stays.
    Update,
    /// Another contact is created.
    Add,
}

/// Writes the contacts of an import.
pub(super) struct Writer {
    pub user_id: Uuid,
    pub import_id: Uuid,
    pub on_duplicate: OnDuplicate,
    /// Number of the change.
    pub number: i64,
    pub now: DateTime<Utc>,
    pub client: Client,
    /// The contacts that a row may be of.
    pub keys: ContactKeys,
    pub counts: Counts,
}

/// The line of a row, and a part of it that was left out.
pub type LineWarning = (u64, Warning);

/// Numbers of contacts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub created: u64,
    pub updated: u64,
    pub skipped: u64,
}

/// A contact that a row may be of.
struct Known {
    /// As it will be.
    contact: Model,
    /// As it was; none if this import creates it.
    before: Option<Model>,
}

/// The contacts that the rows of a batch may be of.
#[derive(Default)]
struct KnownContacts {
    contacts: Vec<Known>,
    by_uid: HashMap<String, usize>,
    by_name: HashMap<(NameKey, Mark), usize>,
}

impl Writer {
    /// Locks the contacts that are updated, and their patients, for the whole import and in their order: batch by batch, two
    /// imports could wait for each other.
    pub async fn lock(&self, transaction: &impl ConnectionTrait) -> Result<()> {
        if self.on_duplicate == OnDuplicate::Update {
            dependants::lock(transaction, self.user_id, Column::UserId.eq(self.user_id)).await?;
        }
        Ok(())
    }

    /// Writes a batch of at most [`BATCH`] contacts, each with its line. Returns what was left out.
    pub async fn write(
        &mut self,
        transaction: &impl ConnectionTrait,
        batch: Vec<(u64, NewContact)>,
    ) -> Result<Vec<LineWarning>> {
        let row = |new| contacts::row(Uuid::now_v7(), self.user_id, Some(self.import_id), new, (self.number, self.now));
        let (lines, batch): (Vec<u64>, Vec<NewContact>) = batch.into_iter().unzip();
        let rows = batch.into_iter().map(row).collect::<Result<Vec<_>>>()?;
        let mut warnings = Vec::new();
        let mut known = self.find(transaction, &rows).await?;
        for (line, mut row) in lines.into_iter().zip(rows) {
            match known.position(&row) {
                Some(position) if self.on_duplicate != OnDuplicate::Add => {
                    // Counted as updated instead, if that changes the contact.
                    self.counts.skipped += 1;
                    if self.on_duplicate == OnDuplicate::Update {
                        let left_out = known.update(position, &row)?;
                        warnings.extend(left_out.into_iter().map(|warning| (line, warning)));
                    }
                }
                _ => {
                    // Another contact has the UID: this one gets its own.
                    row.uid = row.uid.take().filter(|uid| !known.by_uid.contains_key(uid));
                    known.add(row, None);
                }
            }
        }
        self.store(transaction, known).await?;
        Ok(warnings)
    }

    /// The contacts of the user with a UID, or with a name and a mark, of some rows.
    async fn find(&self, transaction: &impl ConnectionTrait, rows: &[Model]) -> Result<KnownContacts> {
        let mut known = KnownContacts::default();
        let ids: BTreeSet<Uuid> = rows.iter().flat_map(|row| self.keys.find(row)).collect();
        if !ids.is_empty() {
            let found = Entity::find().filter(Column::UserId.eq(self.user_id)).filter(Column::Id.is_in(ids));
            for contact in found.order_by_asc(Column::Id).all(transaction).await? {
                known.add(contact.clone(), Some(contact));
            }
        }
        Ok(known)
    }

    async fn store(&mut self, transaction: &impl ConnectionTrait, known: KnownContacts) -> Result<()> {
        let (mut new, mut changed) = (Vec::new(), Vec::new());
        for Known { contact, before } in known.contacts {
            match before {
                None => new.push(contact),
                Some(before) if before == contact => {}
                Some(before) => changed.push((before, contact)),
            }
        }
        for contact in changed.iter().map(|(_, contact)| contact).chain(&new) {
            self.keys.add(contact);
        }
        self.update_all(transaction, changed).await?;
        self.counts.created += u64::try_from(new.len()).unwrap_or(u64::MAX);
        let mut new = new.into_iter();
        while new.len() > 0 {
            let size = 1 << Ord::min(new.len(), BATCH).ilog2();
            transaction.execute(&contacts::insert(new.by_ref().take(size))?).await?;
        }
        Ok(())
    }

    /// Updates contacts, and keeps what they were.
    async fn update_all(&mut self, transaction: &impl ConnectionTrait, changed: Vec<(Model, Model)>) -> Result<()> {
        for (before, contact) in changed {
            let contact = Model { change_number: self.number, updated_at: self.now, ..contact };
            // A contact that this import has created is deleted when it is undone.
            if before.import_id != Some(self.import_id) && self.keep(transaction, &before).await? {
                self.counts.updated += 1;
                self.counts.skipped = self.counts.skipped.saturating_sub(1);
            }
            contacts::save(transaction, &contact).await?;
            dependants::follow_import(transaction, &self.client, &before, &contact).await?;
        }
        Ok(())
    }

    /// Keeps what a contact was before the import. Returns false if that is kept already.
    async fn keep(&self, transaction: &impl ConnectionTrait, before: &Model) -> Result<bool> {
        let previous = serde_json::to_string(&Snapshot::of(before)).map_err(Error::internal)?;
        let mut insert = Query::insert();
        insert
            .into_table(updates::Entity)
            .columns([updates::Column::ImportId, updates::Column::ContactId, updates::Column::Previous])
            .values([self.import_id.into(), before.id.into(), previous.into()])
            .map_err(Error::internal)?
            .on_conflict(OnConflict::new().do_nothing().to_owned());
        Ok(transaction.execute(&insert).await?.rows_affected() > 0)
    }
}

impl KnownContacts {
    fn add(&mut self, contact: Model, before: Option<Model>) {
        let position = self.contacts.len();
        self.by_uid.insert(uids::of(&contact).into_owned(), position);
        self.add_names(&contact, position);
        self.contacts.push(Known { contact, before });
    }

    fn add_names(&mut self, contact: &Model, position: usize) {
        for mark in marks(contact) {
            self.by_name.entry((name_key(contact), mark)).or_insert(position);
        }
    }

    /// The contact that a row is of: by its UID, else by its name together with its birthday or an e-mail address.
    fn position(&self, row: &Model) -> Option<usize> {
        let by_uid = row.uid.as_ref().and_then(|uid| self.by_uid.get(uid)).copied();
        by_uid.or_else(|| {
            let mut same = marks(row).into_iter().filter_map(|mark| self.by_name.get(&(name_key(row), mark)).copied());
            same.find(|position| self.contacts.get(*position).is_some_and(|known| !differ(&known.contact, row)))
        })
    }

    /// Sets the values that a row has. From here on, the contact is found by its new names. Returns what was left out.
    fn update(&mut self, position: usize, row: &Model) -> Result<Vec<Warning>> {
        let Some(known) = self.contacts.get_mut(position) else { return Ok(Vec::new()) };
        let (contact, left_out) = Snapshot::of(row).over(&known.contact)?;
        known.contact = contact.clone();
        self.by_name.retain(|_, of| *of != position);
        self.add_names(&contact, position);
        Ok(warnings(&left_out))
    }
}

/// Warnings about values for which a contact has no room.
fn warnings(left_out: &LeftOut) -> Vec<Warning> {
    let warnings = |field: &'static str, points: &[StoredPoint]| {
        let violation = Violation::new(field, "items", format!("must be at most {MAX_POINTS}"));
        points.iter().map(|point| Warning::new(violation.clone(), &point.value)).collect::<Vec<_>>()
    };
    [warnings("email", &left_out.emails), warnings("phone_number", &left_out.phone_numbers)].concat()
}

/// Whether two people with the same name have different birthdays, such as father and son with the address of a household.
fn differ(contact: &Model, row: &Model) -> bool {
    let day = |row: &Model| (row.birth_month, row.birth_day);
    let has_other_year =
        contact.birth_year.is_some() && row.birth_year.is_some() && contact.birth_year != row.birth_year;
    contact.birth_month.is_some() && row.birth_month.is_some() && (day(contact) != day(row) || has_other_year)
}
