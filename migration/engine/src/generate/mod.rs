//! Generates migrations from the difference between two schemas, as a developer would write them.

mod alteration;
mod clauses;
mod idens;
pub(crate) mod names;
pub(crate) mod plan;
mod rust;
mod statement;
mod text;
pub(crate) mod types;

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::DbBackend;

use crate::equivalences::Equivalences;
use crate::schema::Schema;
use crate::schema::entities::Declared;

/// The header of a new migration.
#[derive(Clone, Debug)]
pub struct Heading {
    /// The message.
    pub message: String,
    /// The parent migration.
    pub parent: Option<String>,
    /// The date, such as `2026-11-21`.
    pub date: String,
}

/// The two schemas of a migration, with more information.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SchemaPair<'a> {
    /// The schema of the database.
    pub(crate) from: &'a Schema,
    /// The schema of the entities, on the same backend.
    pub(crate) to: &'a Schema,
    pub(crate) equivalences: &'a Equivalences,
    pub(crate) declared: &'a Declared,
    pub(crate) backend: DbBackend,
    pub(crate) only: &'a BackendSpecific,
}

/// Properties of one backend: storage on SQLite, collations on PostgreSQL.
#[derive(Clone, Debug, Default)]
pub(crate) struct BackendSpecific {
    pub(crate) without_rowid: BTreeSet<String>,
    pub(crate) collations: BTreeMap<(String, String), String>,
}

impl BackendSpecific {
    /// Adds the collations of a schema, which the entities may no longer have.
    pub(crate) fn add_collations_of(&mut self, schema: &Schema, backend: DbBackend) {
        if backend != DbBackend::Postgres {
            return;
        }
        for (table, column) in
            schema.tables.values().flat_map(|table| table.columns.iter().map(move |column| (table, column)))
        {
            if let Some(collation) = &column.collation {
                self.collations.entry((table.name.clone(), column.name.clone())).or_insert_with(|| collation.clone());
            }
        }
    }
}

/// The source of a migration; with schemas, from one to the other and back.
pub(crate) fn migration(heading: &Heading, ends: Option<SchemaPair<'_>>) -> String {
    let Some(ends) = ends else { return rust::file(heading, &[], &[], None) };
    let to = with_plain_unique_indexes(ends.from, ends.to);
    let up = plan::plan(ends.from, &to, ends.equivalences);
    let down = plan::plan(&to, ends.from, ends.equivalences);
    rust::file(heading, &up, &down, Some(SchemaPair { to: &to, ..ends }))
}

/// On an existing table a unique index replaces a constraint: SQLite need not rebuild the table for it.
fn with_plain_unique_indexes(from: &Schema, to: &Schema) -> Schema {
    let mut to = to.clone();
    for table in to.tables.values_mut() {
        let Some(old) = from.tables.get(&table.name) else { continue };
        for index in table.indexes.iter_mut().filter(|index| index.is_constraint) {
            let kept = old.indexes.iter().find(|known| known.is_constraint && known.columns == index.columns);
            index.is_constraint = kept.is_some_and(|known| known.name.is_none() || known.name == index.name);
        }
    }
    to
}
