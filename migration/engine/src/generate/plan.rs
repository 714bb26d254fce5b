//! Statements that turn one schema into another, in an order that works on both databases.

use std::collections::BTreeSet;

use super::alteration::Alteration;
use super::enums::EnumStatements;
use super::statement::{MigrationStatement, TableAction};
use crate::change::{Change, Named};
use crate::compare::compare;
use crate::equivalences::Equivalences;
use crate::renames::{self, Renamed};
use crate::schema::{ForeignKey, Schema, Table};

/// Plans the statements from one schema to another.
pub(crate) fn plan(from: &Schema, to: &Schema, equivalences: &Equivalences) -> Vec<MigrationStatement> {
    let Renamed { schema: from, changes: renames } = renames::find(from, to, equivalences);
    let from = &from;
    let changes = compare(from, to, equivalences);
    let mut statements: Vec<_> = renames.into_iter().filter_map(rename).collect();
    let dropped: BTreeSet<_> = changes
        .iter()
        .filter_map(|change| match change {
            Change::RemoveTable(table) => Some(table.name.as_str()),
            _ => None,
        })
        .collect();
    let created: Vec<_> = changes
        .iter()
        .filter_map(|change| match change {
            Change::AddTable(table) => Some(table),
            _ => None,
        })
        .collect();
    let touched: BTreeSet<_> = changes
        .iter()
        .filter(|change| !matches!(change, Change::AddTable(_) | Change::RemoveTable(_)))
        .map(Change::table)
        .collect();
    let alterations: Vec<_> = by_reference(to.tables.values().filter(|table| touched.contains(table.name.as_str())))
        .into_iter()
        .map(|table| Alteration::of(table, from, &changes))
        .collect();

    let enums = EnumStatements::of(&changes, from, to);
    statements.extend(enums.first);
    for alteration in &alterations {
        statements.extend(alteration.early_key_drops(&changes));
        statements.extend(alteration.early_index_drops());
    }
    let mut late_keys = Vec::new();
    create_tables(&mut statements, &created, from, &mut late_keys);
    statements.extend(alterations.iter().flat_map(Alteration::early_index_creations));
    for alteration in &alterations {
        alteration.alter(&mut statements, &changes);
    }
    for alteration in &alterations {
        statements.extend(alteration.late_index_statements());
    }
    for (table, key) in late_keys {
        statements.push(MigrationStatement::AlterTable { table, actions: vec![TableAction::AddForeignKey(key)] });
    }
    drop_tables(&mut statements, &dropped, from);
    statements.extend(enums.last);
    statements
}

fn rename(change: Change) -> Option<MigrationStatement> {
    Some(match change {
        Change::RenameColumn { table, old, new } => MigrationStatement::RenameColumn { table, old, new },
        Change::Rename { table, what, old, new } => {
            let action = match what {
                Named::Constraint => TableAction::RenameConstraint { old, new },
                Named::Index => TableAction::RenameIndex { old, new },
            };
            MigrationStatement::AlterTable { table, actions: vec![action] }
        }
        _ => return None,
    })
}

/// The tables, with referenced ones first.
fn by_reference<'a>(tables: impl Iterator<Item = &'a Table>) -> Vec<&'a Table> {
    let mut left: Vec<_> = tables.collect();
    let mut sorted: Vec<&Table> = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let is_free = |table: &&Table| {
            table
                .foreign_keys
                .iter()
                .all(|key| key.table == table.name || !left.iter().any(|other| other.name == key.table))
        };
        // Tables in a reference cycle have no such order; any of them comes first.
        let position = left.iter().position(is_free).unwrap_or(0);
        sorted.push(left.remove(position));
    }
    sorted
}

fn create_tables(
    statements: &mut Vec<MigrationStatement>,
    created: &[&Table],
    from: &Schema,
    late_keys: &mut Vec<(String, ForeignKey)>,
) {
    let mut existing: BTreeSet<_> = from.tables.keys().cloned().collect();
    for table in by_reference(created.iter().copied()) {
        existing.insert(table.name.clone());
        let mut table = table.clone();
        let (now, later) = table.foreign_keys.into_iter().partition(|key| existing.contains(&key.table));
        table.foreign_keys = now;
        late_keys.extend(Vec::into_iter(later).map(|key| (table.name.clone(), key)));
        let (constraints, indexes): (Vec<_>, Vec<_>) = table.indexes.into_iter().partition(|index| index.is_constraint);
        table.indexes = constraints;
        let name = table.name.clone();
        statements.push(MigrationStatement::CreateTable(table));
        statements
            .extend(indexes.into_iter().map(|index| MigrationStatement::CreateIndex { table: name.clone(), index }));
    }
}

fn drop_tables(statements: &mut Vec<MigrationStatement>, dropped: &BTreeSet<&str>, from: &Schema) {
    let mut tables = by_reference(from.tables.values().filter(|table| dropped.contains(table.name.as_str())));
    tables.reverse();
    let mut done: BTreeSet<&str> = BTreeSet::new();
    for table in &tables {
        // A table that still refers to it is part of a reference cycle.
        for other in tables.iter().filter(|other| !done.contains(other.name.as_str()) && other.name != table.name) {
            for key in other.foreign_keys.iter().filter(|key| key.table == table.name) {
                statements.push(MigrationStatement::AlterTable {
                    table: other.name.clone(),
                    actions: vec![TableAction::DropForeignKey(key.clone())],
                });
            }
        }
        done.insert(&table.name);
        statements.push(MigrationStatement::Note(format!("The rows of {} are lost.", table.name)));
        statements.push(MigrationStatement::DropTable(table.name.clone()));
    }
}
