//! Alteration: the changes of one existing table in their order, with notes for the developer.

use super::statement::{MigrationStatement, TableAction};
use crate::alter_table::quoted;
use crate::change::Change;
use crate::destructive::{common_name, is_converted, is_narrower};
use crate::schema::expression::{mentions, portable, text_literal};
use crate::schema::{Column, ForeignKey, Index, Schema, Table};

/// The changes of one table.
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

    /// Foreign keys may refer to a unique index, and are dropped first. The index is therefore dropped late, if
    /// possible.
    fn is_dropped_late(&self, index: &Index) -> bool {
        let is_remade = self.added_indexes().any(|other| other.name == index.name);
        let loses_column = index.columns.iter().any(|column| self.table.column(column).is_none());
        index.is_unique && index.predicate.is_none() && !is_remade && !loses_column
    }

    /// New foreign keys may refer to a unique index. It is therefore created early, if possible.
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
        indexes.filter_map(|index| Some(MigrationStatement::DropIndex { index: index.name.clone()? }))
    }

    pub(super) fn early_index_creations(&self) -> impl Iterator<Item = MigrationStatement> {
        let indexes = self.added_indexes().filter(|index| !index.is_constraint && self.is_created_early(index));
        indexes.map(|index| MigrationStatement::CreateIndex { table: self.table.name.clone(), index: index.clone() })
    }

    pub(super) fn late_index_steps(&self) -> impl Iterator<Item = MigrationStatement> {
        let drops = self.removed_indexes().filter(|index| !index.is_constraint && self.is_dropped_late(index));
        let drops = drops.filter_map(|index| Some(MigrationStatement::DropIndex { index: index.name.clone()? }));
        let creations = self.added_indexes().filter(|index| !index.is_constraint && !self.is_created_early(index));
        drops.chain(
            creations
                .map(|index| MigrationStatement::CreateIndex { table: self.table.name.clone(), index: index.clone() }),
        )
    }

    /// Foreign keys whose referenced columns are dropped.
    pub(super) fn early_key_drops(&self, all: &[Change]) -> Option<MigrationStatement> {
        let keys = self.changes.iter().filter_map(|change| match change {
            Change::RemoveForeignKey { key, .. } if self.is_dropped_early(key, all) => {
                Some(TableAction::DropForeignKey(key.clone()))
            }
            _ => None,
        });
        let parts: Vec<_> = keys.collect();
        (!parts.is_empty()).then(|| MigrationStatement::AlterTable { table: self.table.name.clone(), parts })
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

    pub(super) fn alter(&self, steps: &mut Vec<MigrationStatement>, all: &[Change]) {
        steps.extend(self.notes.iter().cloned().map(MigrationStatement::Note));
        steps.extend(self.changes.iter().filter_map(|change| match change {
            Change::ModifyColumn { old, new, .. } if !old.not_null && new.not_null => Some(MigrationStatement::Fill {
                table: self.table.name.clone(),
                column: new.name.clone(),
                default: new.default.clone()?,
            }),
            _ => None,
        }));
        let parts = self.parts(steps, all);
        if self.is_plain(&parts) {
            let table = &self.table.name;
            steps.extend(parts.into_iter().filter_map(|part| match part {
                TableAction::AddColumn(column) => Some(MigrationStatement::AddColumn { table: table.clone(), column }),
                TableAction::DropColumn(column) => {
                    Some(MigrationStatement::DropColumn { table: table.clone(), column })
                }
                _ => None,
            }));
        } else if !parts.is_empty() {
            steps.push(MigrationStatement::AlterTable { table: self.table.name.clone(), parts });
        }
    }

    /// The actions of an `AlterTable`: drops, then columns, then what needs the columns.
    fn parts(&self, steps: &mut Vec<MigrationStatement>, all: &[Change]) -> Vec<TableAction> {
        let mut keys = Vec::new();
        let (mut drops, mut columns, mut additions) = (Vec::new(), Vec::new(), Vec::new());
        let drop = |steps: &mut Vec<MigrationStatement>, name: Option<&String>, what: &str| match name {
            Some(name) => Some(TableAction::DropConstraint(name.clone())),
            None => {
                steps.push(MigrationStatement::Note(format!("Decide: {what} has no name to be dropped by.")));
                None
            }
        };
        for change in &self.changes {
            match change {
                Change::AddColumn { column, .. } => columns.push(TableAction::AddColumn(column.clone())),
                Change::RemoveColumn { column, .. } => columns.push(TableAction::DropColumn(column.name.clone())),
                Change::ModifyColumn { old, new, .. } => columns.push(TableAction::AlterColumn {
                    column: new.clone(),
                    inline_key: new.is_counter && self.is_only_key(&new.name),
                    using: (!is_converted(&old.kind, &new.kind)).then(|| cast(new)),
                }),
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
                Change::RemoveCheck { check, .. } => drops.extend(drop(steps, check.name.as_ref(), &check.to_string())),
                Change::ModifyCheck { old, new, .. } => {
                    drops.extend(old.name.clone().map(TableAction::DropConstraint));
                    additions.push(TableAction::AddCheck(new.clone()));
                }
                Change::ModifyStorage { .. } => steps.push(MigrationStatement::Note(format!(
                    "Decide: {change}, for which the table has to be created anew by hand."
                ))),
                Change::AddTable(_) | Change::RemoveTable(_) | Change::AddIndex { .. } | Change::RemoveIndex { .. } => {
                }
            }
        }
        keys.into_iter().chain(drops).chain(columns).chain(additions).collect()
    }

    fn is_only_key(&self, column: &str) -> bool {
        self.table.primary_key.as_ref().is_some_and(|key| key.columns == [column])
    }

    /// Whether a plain `ALTER TABLE` works on both databases.
    fn is_plain(&self, parts: &[TableAction]) -> bool {
        parts.iter().all(|part| match part {
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

    /// Whether a constraint mentions the column. Indexes are dropped before.
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

/// The USING expression for a conversion that PostgreSQL does not make implicitly.
fn cast(column: &Column) -> String {
    format!("CAST({} AS {})", quoted(&column.name), common_name(&column.kind))
}

/// SQLite adds columns only with literal defaults.
fn is_constant(default: &str) -> bool {
    let default = portable(default);
    text_literal(&default).is_some()
        || default.parse::<f64>().is_ok()
        || ["true", "false", "null"].iter().any(|word| default.eq_ignore_ascii_case(word))
}

/// Notes about decisions of the developer.
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
                        "Decide: if {table}.{} has become {table}.{twin}, rename the column instead: \
                         Table::alter().rename_column(…).",
                        column.name
                    )
                }));
            }
            Change::AddColumn { table, column }
                if column.not_null && column.default.is_none() && !column.is_counter =>
            {
                notes.push(format!(
                    "Decide: rows that are there have no value for {table}.{}; as it stands, this works on an empty \
                     table only.",
                    column.name
                ));
            }
            Change::ModifyColumn { table, old, new } => {
                if !old.not_null && new.not_null && new.default.is_none() {
                    notes.push(format!(
                        "Decide: rows without {table}.{} make this fail; give them a value first.",
                        new.name
                    ));
                }
                if old.is_counter != new.is_counter {
                    notes.push(format!("Decide: whether {table}.{} counts cannot be changed in place.", new.name));
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
                notes.push(format!("Rows of {table} that are alike in {} make this fail.", index.columns.join(", ")));
            }
            Change::AddCheck { table, check } | Change::ModifyCheck { table, new: check, .. } => {
                let name = check.name.as_deref().unwrap_or("the CHECK");
                notes.push(format!("Rows of {table} that {name} does not allow make this fail."));
            }
            _ => {}
        }
    }
    notes
}
