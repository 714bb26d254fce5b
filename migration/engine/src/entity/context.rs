//! Context of a run: the schema, the entities and the plan for enums, which all parts read.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::DbBackend;

use super::enum_plan::EnumPlan;
use super::source::Entity;
use crate::schema::{ForeignKey, Schema};

/// The context of a run.
pub(super) struct Context<'a> {
    pub(super) schema: &'a Schema,
    pub(super) backend: DbBackend,
    /// By table. New entities have no fields yet.
    pub(super) entities: &'a BTreeMap<String, Entity>,
    pub(super) plan: &'a EnumPlan,
    /// The names of the modules after the run.
    pub(super) modules: BTreeSet<String>,
    /// Whether entities can have `TableExtras`.
    pub(super) has_table_extras: bool,
}

impl Context<'_> {
    pub(super) fn module(&self, table: &str) -> Option<&str> {
        self.entities.get(table).map(|entity| entity.module.as_str())
    }

    pub(super) fn table(&self, module: &str) -> Option<&str> {
        self.entities.values().find(|entity| entity.module == module).map(|entity| entity.table.as_str())
    }

    /// The referenced columns of a foreign key; without a list, the primary key of that table.
    pub(super) fn referred(&self, key: &ForeignKey) -> Vec<String> {
        if !key.references.is_empty() {
            return key.references.clone();
        }
        let primary_key = self.schema.tables.get(&key.table).and_then(|table| table.primary_key.as_ref());
        primary_key.map(|key| key.columns.clone()).unwrap_or_default()
    }
}
