//! The two schemas between which a migration is generated.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::DbBackend;

use crate::equivalences::Equivalences;
use crate::schema::Schema;
use crate::schema::entities::Declared;

/// Old and new schema, and what is known about them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SchemaPair<'a> {
    /// The schema of the database.
    pub(crate) from: &'a Schema,
    /// The schema of the entities, on the same backend.
    pub(crate) to: &'a Schema,
    pub(crate) equivalences: &'a Equivalences,
    pub(crate) declared: &'a Declared,
    pub(crate) backend: DbBackend,
    pub(crate) backend_specific: &'a BackendSpecific,
}

/// Properties that exist on one backend only: SQLite's WITHOUT ROWID, PostgreSQL's collations.
#[derive(Clone, Debug, Default)]
pub(crate) struct BackendSpecific {
    pub(crate) without_rowid: BTreeSet<String>,
    pub(crate) collations: BTreeMap<(String, String), String>,
}

impl BackendSpecific {
    /// Adds the collations of PostgreSQL's schema that the entities no longer declare.
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
