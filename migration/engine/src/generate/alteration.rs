//! Changes of one existing table: their order, and notes for decisions.

use super::blocking;
use super::statement::{MigrationStatement, TableAction};
use crate::alter_table::quoted;
use crate::change::Change;
use crate::destructive::{common_name, is_converted, is_narrower};
use crate::equivalences::Equivalences;
use crate::schema::expression::{mentions, portable, text_literal};
use crate::schema::{Column, ForeignKey, Index, Schema, Table};

/// All changes of one table.
pub(super) struct Alteration<'a> {
    table: &'a Table,
    old: &'a Table,
    changes: Vec<&'a Change>,
    notes: Vec<String>,
}

impl<'a> Alteration<'a> {
    pub(super) fn of(table: &'a Table, from: &'a Schema, changes: &'a [Change]) -> Self {
        let old = from.tables.get(&table.name).unwrap_or(table);
        let changes: Vec<_> = changes.iter().filter(|change| change.table() == table.name).collect();
        let notes = notes(&changes);
        Self { table, old, changes, notes }
    }

    fn removed_indexes(&self) -> impl Iterator<Item = &'a Index> {
        self.changes.iter().filter_map(|change| match change {
            Change::RemoveIndex { index, .. } => Some(index),
            _ => None,
        })
    }

    fn added_indexes(&self) -> impl Iterator<Item = &'a Index> {
        self.changes.iter().filter_map(|change| match change {
            Change::AddIndex { index, .. } => Some(index),
            _ => None,
        })
    }

    /// A unique index may be referenced by foreign keys of other tables, which are dropped before
    /// it. But it is dropped early if a new index has its name, or one of its columns is dropped.
    fn is_dropped_late(&self, index: &Index) -> bool {
        let is_remade = self.added_indexes().any(|other| other.name == index.name);
        let loses_column = index.columns.iter().any(|column| self.table.column(column).is_none());
        index.is_unique && index.predicate.is_none() && !is_remade && !loses_column
    }

    /// Unique indexes are created early, if possible, because new foreign keys may reference them.
    fn is_created_early(&self, index: &Index) -> bool {
        let was_there = |column: &String| self.old.column(column).is_some();
        let is_unchanged = |column: &String| {
            !self.changes.iter().any(|change| matches!(change, Change::ModifyColumn { new, .. } if new.name == *column))
        };
        index.is_unique
            && index.predicate.is_none()
            && index.columns.iter().all(|column| was_there(column) && is_unchanged(column))
            && !self.removed_indexes().any(|other| other.name == index.name && other.is_constraint)
    }

    pub(super) fn early_index_drops(&self) -> impl Iterator<Item = MigrationStatement> {
        let indexes = self.removed_indexes().filter(|index| !index.is_constraint && !self.is_dropped_late(index));
        indexes.filter_map(drop_index)
    }

    pub(super) fn early_index_creations(&self) -> impl Iterator<Item = MigrationStatement> {
        let indexes = self.added_indexes().filter(|index| !index.is_constraint && self.is_created_early(index));
        indexes.flat_map(|index| self.create_index(index))
    }

    fn create_index(&self, index: &Index) -> [MigrationStatement; 2] {
        let table = &self.table.name;
        let note = MigrationStatement::Note(blocking::index(table));
        [note, MigrationStatement::CreateIndex { table: table.clone(), index: index.clone() }]
    }

    pub(super) fn late_index_statements(&self) -> impl Iterator<Item = MigrationStatement> {
        let drops = self.removed_indexes().filter(|index| !index.is_constraint && self.is_dropped_late(index));
        let drops = drops.filter_map(drop_index);
        let creations = self.added_indexes().filter(|index| !index.is_constraint && !self.is_created_early(index));
        drops.chain(creations.flat_map(|index| self.create_index(index)))
    }

    /// Foreign keys to a table whose referenced key changes.
    pub(super) fn early_key_drops(&self, all: &[Change]) -> Option<MigrationStatement> {
        let keys = self.changes.iter().filter_map(|change| match change {
            Change::RemoveForeignKey { key, .. } if self.is_dropped_early(key, all) => {
                Some(TableAction::DropForeignKey(key.clone()))
            }
            _ => None,
        });
        let actions: Vec<_> = keys.collect();
        (!actions.is_empty()).then(|| MigrationStatement::AlterTable { table: self.table.name.clone(), actions })
    }

    fn is_dropped_early(&self, key: &ForeignKey, all: &[Change]) -> bool {
        let loses_key = |change: &Change| match change {
            Change::RemoveIndex { index, .. } => index.is_unique,
            Change::ModifyPrimaryKey { .. } => true,
            Change::ModifyColumn { old, new, .. } => old.kind != new.kind,
            Change::RemoveColumn { column, .. } => key.references.contains(&column.name),
            _ => false,
        };
        key.table != self.table.name && all.iter().any(|change| change.table() == key.table && loses_key(change))
    }

    pub(super) fn alter(&self, statements: &mut Vec<MigrationStatement>, all: &[Change]) {
        statements.extend(self.notes.iter().cloned().map(MigrationStatement::Note));
        statements.extend(self.changes.iter().filter_map(|change| match change {
            Change::ModifyColumn { old, new, .. } if !old.not_null && new.not_null => Some(MigrationStatement::Fill {
                table: self.table.name.clone(),
                column: new.name.clone(),
                default: new.default.clone()?,
            }),
            _ => None,
        }));
        let actions = self.actions(statements, all);
        if self.is_plain(&actions) {
            let table = &self.table.name;
            statements.extend(actions.into_iter().filter_map(|action| match action {
                TableAction::AddColumn(column) => Some(MigrationStatement::AddColumn { table: table.clone(), column }),
                TableAction::DropColumn(column) => {
                    Some(MigrationStatement::DropColumn { table: table.clone(), column })
                }
                _ => None,
            }));
        } else if !actions.is_empty() {
            statements.push(MigrationStatement::AlterTable { table: self.table.name.clone(), actions });
        }
    }

    /// The actions: drops first, then columns, then what depends on the columns.
    fn actions(&self, statements: &mut Vec<MigrationStatement>, all: &[Change]) -> Vec<TableAction> {
        let mut keys = Vec::new();
        let (mut drops, mut columns, mut additions) = (Vec::new(), Vec::new(), Vec::new());
        let drop = |statements: &mut Vec<MigrationStatement>, name: Option<&String>, what: &str| match name {
            Some(name) => Some(TableAction::DropConstraint(name.clone())),
            None => {
                statements.push(MigrationStatement::Note(format!(
                    "Decide: {what} has no name, so it cannot be dropped by name."
                )));
                None
            }
        };
        for change in &self.changes {
            match change {
                Change::AddColumn { column, .. } => columns.push(TableAction::AddColumn(column.clone())),
                Change::RemoveColumn { column, .. } => columns.push(TableAction::DropColumn(column.name.clone())),
                Change::ModifyColumn { old, new, .. } => columns.extend(self.modify(old, new)),
                Change::ModifyPrimaryKey { old, new, .. } => {
                    drops.extend(old.iter().map(|key| {
                        let usual = format!("{}_pkey", self.table.name);
                        TableAction::DropPrimaryKey(key.name.clone().unwrap_or(usual))
                    }));
                    additions.extend(new.iter().cloned().map(TableAction::AddPrimaryKey));
                }
                Change::AddIndex { index, .. } if index.is_constraint => {
                    additions.push(TableAction::AddUnique(index.clone()))
                }
                Change::RemoveIndex { index, .. } if index.is_constraint => {
                    drops.push(TableAction::DropUnique(index.clone()))
                }
                Change::AddForeignKey { key, .. } => additions.push(TableAction::AddForeignKey(key.clone())),
                Change::RemoveForeignKey { key, .. } if self.is_dropped_early(key, all) => {}
                Change::RemoveForeignKey { key, .. } => keys.push(TableAction::DropForeignKey(key.clone())),
                Change::AddCheck { check, .. } => additions.push(TableAction::AddCheck(check.clone())),
                Change::RemoveCheck { check, .. } => {
                    drops.extend(drop(statements, check.name.as_ref(), &check.to_string()))
                }
                Change::ModifyCheck { old, new, .. } => {
                    drops.extend(old.name.clone().map(TableAction::DropConstraint));
                    additions.push(TableAction::AddCheck(new.clone()));
                }
                Change::ModifyStorage { .. } => statements
                    .push(MigrationStatement::Note(format!("Decide: {change}: the table has to be rebuilt by hand."))),
                Change::AddTable(_)
                | Change::RemoveTable(_)
                | Change::AddIndex { .. }
                | Change::RemoveIndex { .. }
                | Change::RenameColumn { .. }
                | Change::Rename { .. }
                | Change::AddEnum { .. }
                | Change::RemoveEnum { .. }
                | Change::ModifyEnum { .. } => {}
            }
        }
        keys.into_iter().chain(drops).chain(columns).chain(additions).collect()
    }

    /// The actions for what has changed in a column, and for nothing else.
    fn modify(&self, old: &Column, new: &Column) -> Vec<TableAction> {
        let using = (!is_converted(&old.kind, &new.kind)).then(|| cast(new));
        if (old.is_counter, &old.generated) != (new.is_counter, &new.generated) {
            let inline_key = new.is_counter && self.is_only_key(&new.name);
            return vec![TableAction::AlterColumn { column: new.clone(), inline_key, using }];
        }
        let (before, after) = (old.default_value(), new.default_value());
        // A default that does not fit the new type would forbid it.
        let is_remade = old.kind != new.kind && using.is_some() && before.is_some();
        let is_other_default = !Equivalences::default().are_same_if_any(before, after);
        let name = new.name.clone();
        let mut actions = Vec::new();
        if before.is_some() && (is_remade || after.is_none()) {
            actions.push(TableAction::DropDefault(name.clone()));
        }
        if old.kind != new.kind || old.collation != new.collation {
            let column = Column { not_null: false, default: None, ..new.clone() };
            actions.push(TableAction::AlterType { column, using });
        }
        if old.not_null != new.not_null {
            let change = if new.not_null { TableAction::SetNotNull } else { TableAction::DropNotNull };
            actions.push(change(name.clone()));
        }
        if let Some(default) = new.default.clone().filter(|_| after.is_some() && (is_remade || is_other_default)) {
            actions.push(TableAction::SetDefault { column: name, default });
        }
        actions
    }

    fn is_only_key(&self, column: &str) -> bool {
        self.table.primary_key.as_ref().is_some_and(|key| key.columns == [column])
    }

    /// Whether `ALTER TABLE` supports the actions on both databases.
    fn is_plain(&self, actions: &[TableAction]) -> bool {
        actions.iter().all(|action| match action {
            TableAction::AddColumn(column) => {
                let has_value = match &column.default {
                    Some(default) => is_constant(default),
                    None => !column.not_null,
                };
                has_value && !column.is_counter && column.generated.is_none()
            }
            TableAction::DropColumn(column) => !self.is_used(column),
            _ => false,
        })
    }

    /// Whether anything besides indexes depends on the column; indexes are dropped before.
    fn is_used(&self, column: &str) -> bool {
        let is_in = |columns: &[String]| columns.iter().any(|other| other == column);
        let mentions = |text: &str| mentions(text, column);
        self.old.primary_key.as_ref().is_some_and(|key| is_in(&key.columns))
            || self.old.indexes.iter().any(|index| {
                index.is_constraint && is_in(&index.columns) || index.predicate.as_deref().is_some_and(mentions)
            })
            || self.old.foreign_keys.iter().any(|key| is_in(&key.columns))
            || self.old.checks.iter().any(|check| mentions(&check.expression))
            || self.old.columns.iter().any(|other| other.generated.as_deref().is_some_and(mentions))
    }
}

fn drop_index(index: &Index) -> Option<MigrationStatement> {
    Some(MigrationStatement::DropIndex { index: index.name.clone()?, only_postgres: index.method.is_some() })
}

/// A cast for PostgreSQL, for conversions that are not implicit.
fn cast(column: &Column) -> String {
    format!("CAST({} AS {})", quoted(&column.name), common_name(&column.kind))
}

/// SQLite supports `ADD COLUMN` only with a constant default.
fn is_constant(default: &str) -> bool {
    let default = portable(default);
    text_literal(&default).is_some()
        || default.parse::<f64>().is_ok()
        || ["true", "false", "null"].iter().any(|word| default.eq_ignore_ascii_case(word))
}

/// Notes for decisions that the developer has to make.
fn notes(changes: &[&Change]) -> Vec<String> {
    let mut notes = Vec::new();
    for change in changes {
        match change {
            Change::RemoveColumn { table, column } => {
                notes.push(format!("The data of {table}.{} is lost.", column.name));
                let twin = changes.iter().find_map(|change| match change {
                    Change::AddColumn { column: added, .. } if added.kind == column.kind => Some(&added.name),
                    _ => None,
                });
                notes.extend(twin.map(|twin| {
                    format!(
                        "Decide: if {table}.{} was renamed to {table}.{twin}, use Table::alter().rename_column(…) instead.",
                        column.name
                    )
                }));
            }
            Change::AddColumn { table, column }
                if column.not_null && column.default.is_none() && !column.is_counter =>
            {
                notes.push(format!(
                    "Decide: existing rows have no value for {table}.{}; without a default this works on an empty \
                     table only.",
                    column.name
                ));
            }
            Change::AddColumn { table, column } if fills_rows(column) => notes.push(blocking::new_column(table)),
            Change::ModifyColumn { table, old, new } => {
                if !old.not_null && new.not_null && new.default.is_none() {
                    notes.push(format!("Decide: this fails if a row has no {table}.{}; set a value first.", new.name));
                }
                if old.kind != new.kind || old.collation != new.collation {
                    notes.push(blocking::changed_type(table, old, new));
                }
                if !old.not_null && new.not_null {
                    notes.push(blocking::not_null(table, &new.name));
                }
                if old.is_counter != new.is_counter {
                    notes.push(format!(
                        "Decide: whether {table}.{} is auto-increment cannot be changed by ALTER TABLE.",
                        new.name
                    ));
                }
                if is_narrower(&old.kind, &new.kind) {
                    notes.push(format!(
                        "Decide: values of {table}.{} may not fit into {}.",
                        new.name,
                        common_name(&new.kind)
                    ));
                }
            }
            Change::AddIndex { table, index } if index.is_unique => {
                notes.push(format!("This fails if rows of {table} have the same {}.", index.columns.join(", ")));
                notes.extend(index.is_constraint.then(|| blocking::unique(table)));
            }
            Change::ModifyPrimaryKey { table, new: Some(_), .. } => notes.push(blocking::unique(table)),
            Change::AddForeignKey { table, key } => notes.push(blocking::foreign_key(table, key)),
            Change::AddCheck { table, check } | Change::ModifyCheck { table, new: check, .. } => {
                let name = check.name.as_deref().unwrap_or("the CHECK");
                notes.push(format!("This fails if rows of {table} violate {name}."));
                notes.push(blocking::check(table));
            }
            _ => {}
        }
    }
    notes
}

/// Whether PostgreSQL computes a value of a new column for each row. A constant default is stored once, and so is the time.
fn fills_rows(column: &Column) -> bool {
    let is_computed = |default: &String| {
        let default = portable(default).to_ascii_lowercase();
        let is_time = ["current_timestamp", "current_date", "current_time", "localtimestamp", "now()"];
        !is_constant(&default) && !is_time.contains(&default.as_str())
    };
    column.is_counter || column.generated.is_some() || column.default.as_ref().is_some_and(is_computed)
}
