//! Plan: the statements from one schema to another, in an order that works on both databases.

use std::collections::BTreeSet;

use super::alteration::Alteration;
use super::statement::{MigrationStatement, TableAction};
use crate::change::Change;
use crate::compare::compare;
use crate::equivalences::Equivalences;
use crate::schema::{ForeignKey, Schema, Table};

/// Plans the statements from one schema to another.
pub(crate) fn plan(from: &Schema, to: &Schema, equivalences: &Equivalences) -> Vec<MigrationStatement> {
    let changes = compare(from, to, equivalences);
    let mut steps = Vec::new();
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

    for alteration in &alterations {
        steps.extend(alteration.early_key_drops(&changes));
        steps.extend(alteration.early_index_drops());
    }
    let mut late_keys = Vec::new();
    create_tables(&mut steps, &created, from, &mut late_keys);
    steps.extend(alterations.iter().flat_map(Alteration::early_index_creations));
    for alteration in &alterations {
        alteration.alter(&mut steps, &changes);
    }
    for alteration in &alterations {
        steps.extend(alteration.late_index_steps());
    }
    for (table, key) in late_keys {
        steps.push(MigrationStatement::AlterTable { table, parts: vec![TableAction::AddForeignKey(key)] });
    }
    drop_tables(&mut steps, &dropped, from);
    steps
}

/// Tables in the order of references: referenced tables first.
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
        // A cycle is cut at its first table.
        let place = left.iter().position(is_free).unwrap_or(0);
        sorted.push(left.remove(place));
    }
    sorted
}

fn create_tables(
    steps: &mut Vec<MigrationStatement>,
    created: &[&Table],
    from: &Schema,
    late_keys: &mut Vec<(String, ForeignKey)>,
) {
    let mut there: BTreeSet<_> = from.tables.keys().cloned().collect();
    for table in by_reference(created.iter().copied()) {
        there.insert(table.name.clone());
        let mut table = table.clone();
        let (now, later) = table.foreign_keys.into_iter().partition(|key| there.contains(&key.table));
        table.foreign_keys = now;
        late_keys.extend(Vec::into_iter(later).map(|key| (table.name.clone(), key)));
        let (constraints, indexes): (Vec<_>, Vec<_>) = table.indexes.into_iter().partition(|index| index.is_constraint);
        table.indexes = constraints;
        let name = table.name.clone();
        steps.push(MigrationStatement::CreateTable(table));
        steps.extend(indexes.into_iter().map(|index| MigrationStatement::CreateIndex { table: name.clone(), index }));
    }
}

fn drop_tables(steps: &mut Vec<MigrationStatement>, dropped: &BTreeSet<&str>, from: &Schema) {
    let mut tables = by_reference(from.tables.values().filter(|table| dropped.contains(table.name.as_str())));
    tables.reverse();
    let mut gone: BTreeSet<&str> = BTreeSet::new();
    for table in &tables {
        // Tables that still refer to it are in a cycle with it.
        for other in tables.iter().filter(|other| !gone.contains(other.name.as_str()) && other.name != table.name) {
            for key in other.foreign_keys.iter().filter(|key| key.table == table.name) {
                steps.push(MigrationStatement::AlterTable {
                    table: other.name.clone(),
                    parts: vec![TableAction::DropForeignKey(key.clone())],
                });
            }
        }
        gone.insert(&table.name);
        steps.push(MigrationStatement::Note(format!("The rows of {} are lost.", table.name)));
        steps.push(MigrationStatement::DropTable(table.name.clone()));
    }
}
