//! Schema comparison.

use crate::change::Change;
use crate::equivalences::Equivalences;
use crate::renames::{self, Renamed};
use crate::schema::expression::normal;
use crate::schema::{Check, Column, ForeignKey, Index, Key, Schema, Table};

/// All changes that turn one schema into another, table by table.
pub(crate) fn compare(from: &Schema, to: &Schema, equivalences: &Equivalences) -> Vec<Change> {
    let Renamed { schema: from, mut changes } = renames::find(from, to, equivalences);
    let from = &from;
    compare_enums(&mut changes, from, to);
    for (name, table) in &to.tables {
        match from.tables.get(name) {
            Some(old) => compare_tables(&mut changes, (from, old), (to, table), equivalences),
            None => changes.push(Change::AddTable(table.clone())),
        }
    }
    let removed = from.tables.values().filter(|table| !to.tables.contains_key(&table.name));
    changes.extend(removed.cloned().map(Change::RemoveTable));
    changes
}

fn compare_enums(changes: &mut Vec<Change>, from: &Schema, to: &Schema) {
    for (name, new) in &to.enums {
        match from.enums.get(name) {
            None => changes.push(Change::AddEnum { name: name.clone(), values: new.clone() }),
            Some(old) if old != new => {
                changes.push(Change::ModifyEnum { name: name.clone(), old: old.clone(), new: new.clone() });
            }
            Some(_) => {}
        }
    }
    let columns = || to.tables.values().flat_map(|table| &table.columns);
    let is_used = |name: &str| columns().any(|column| column.kind.strip_suffix("[]").unwrap_or(&column.kind) == name);
    let removed = from.enums.iter().filter(|(name, _)| !to.enums.contains_key(*name) && !is_used(name));
    changes.extend(removed.map(|(name, values)| Change::RemoveEnum { name: name.clone(), values: values.clone() }));
}

fn compare_tables(
    changes: &mut Vec<Change>,
    from: (&Schema, &Table),
    to: (&Schema, &Table),
    equivalences: &Equivalences,
) {
    let (old, new) = (from.1, to.1);
    let table = new.name.clone();
    if old.without_rowid != new.without_rowid {
        changes.push(Change::ModifyStorage { table: table.clone(), without_rowid: new.without_rowid });
    }
    let is_in = |table: &Table, name: &str| {
        table.primary_key.as_ref().is_some_and(|key| key.columns.iter().any(|column| column == name))
    };
    let is_key = |name: &str| is_in(old, name) && is_in(new, name);
    let required = |column: &Column| Column { not_null: true, ..column.clone() };
    for column in &new.columns {
        match old.column(&column.name) {
            None => changes.push(Change::AddColumn { table: table.clone(), column: column.clone() }),
            // SQLite allows NULL in a primary key, which an entity cannot say.
            Some(known)
                if is_key(&column.name) && is_same_column(&required(known), &required(column), equivalences) => {}
            Some(known) if !is_same_column(known, column, equivalences) => {
                changes.push(Change::ModifyColumn { table: table.clone(), old: known.clone(), new: column.clone() });
            }
            Some(_) => {}
        }
    }
    for column in old.columns.iter().filter(|column| new.column(&column.name).is_none()) {
        changes.push(Change::RemoveColumn { table: table.clone(), column: column.clone() });
    }
    if !is_same_key(old.primary_key.as_ref(), new.primary_key.as_ref()) {
        let (old, new) = (old.primary_key.clone(), new.primary_key.clone());
        changes.push(Change::ModifyPrimaryKey { table: table.clone(), old, new });
    }
    let is_same_index = |left: &Index, right: &Index| {
        is_same_name(left.name.as_ref(), right.name.as_ref())
            && left.columns.len() == right.columns.len()
            && left
                .columns
                .iter()
                .zip(&right.columns)
                .all(|(left, right)| left == right || equivalences.are_same(left, right))
            && (left.is_unique, &left.method, &left.include) == (right.is_unique, &right.method, &right.include)
            && equivalences.are_same_if_any(left.predicate.as_deref(), right.predicate.as_deref())
    };
    let (removed, added) = unmatched(&old.indexes, &new.indexes, is_same_index);
    changes.extend(removed.map(|index| Change::RemoveIndex { table: table.clone(), index }));
    changes.extend(added.map(|index| Change::AddIndex { table: table.clone(), index }));
    let is_same_reference = |left: &ForeignKey, right: &ForeignKey| {
        is_same_name(left.name.as_ref(), right.name.as_ref())
            && (&left.columns, &left.table, left.on_update, left.on_delete)
                == (&right.columns, &right.table, right.on_update, right.on_delete)
            && referred(left, from.0) == referred(right, to.0)
    };
    let (removed, added) = unmatched(&old.foreign_keys, &new.foreign_keys, is_same_reference);
    changes.extend(removed.map(|key| Change::RemoveForeignKey { table: table.clone(), key }));
    changes.extend(added.map(|key| Change::AddForeignKey { table: table.clone(), key }));
    compare_checks(changes, old, new, equivalences);
}

fn compare_checks(changes: &mut Vec<Change>, old: &Table, new: &Table, equivalences: &Equivalences) {
    let table = &new.name;
    let is_same = |left: &Check, right: &Check| {
        is_same_name(left.name.as_ref(), right.name.as_ref())
            && equivalences.are_same(&left.expression, &right.expression)
    };
    let (removed, added) = unmatched(&old.checks, &new.checks, is_same);
    let mut added: Vec<_> = added.collect();
    for check in removed {
        match added.iter().position(|new| new.name.is_some() && new.name == check.name) {
            Some(position) => {
                let new = added.remove(position);
                changes.push(Change::ModifyCheck { table: table.clone(), old: check, new });
            }
            None => changes.push(Change::RemoveCheck { table: table.clone(), check }),
        }
    }
    changes.extend(added.into_iter().map(|check| Change::AddCheck { table: table.clone(), check }));
}

/// The items that only the left list has, and those that only the right list has.
fn unmatched<T: Clone>(
    left: &[T],
    right: &[T],
    is_same: impl Fn(&T, &T) -> bool,
) -> (impl Iterator<Item = T>, impl Iterator<Item = T>) {
    let removed: Vec<_> = left.iter().filter(|item| !right.iter().any(|other| is_same(item, other))).cloned().collect();
    let added: Vec<_> = right.iter().filter(|item| !left.iter().any(|other| is_same(other, item))).cloned().collect();
    (removed.into_iter(), added.into_iter())
}

/// Names are equal, or one is missing: on SQLite constraints may have no name.
fn is_same_name(left: Option<&String>, right: Option<&String>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => left == right,
        _ => true,
    }
}

fn is_same_key(left: Option<&Key>, right: Option<&Key>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => {
            is_same_name(left.name.as_ref(), right.name.as_ref()) && left.columns == right.columns
        }
        (None, None) => true,
        _ => false,
    }
}

fn is_same_column(left: &Column, right: &Column, equivalences: &Equivalences) -> bool {
    (&left.kind, left.not_null, left.is_counter) == (&right.kind, right.not_null, right.is_counter)
        && left
            .collation
            .as_deref()
            .unwrap_or("BINARY")
            .eq_ignore_ascii_case(right.collation.as_deref().unwrap_or("BINARY"))
        && equivalences.are_same_if_any(left.default_value(), right.default_value())
        && equivalences.are_same_if_any(left.generated.as_deref(), right.generated.as_deref())
}

/// The referenced columns of a foreign key; without a list, the primary key of that table.
fn referred(key: &ForeignKey, schema: &Schema) -> Vec<String> {
    if !key.references.is_empty() {
        return key.references.clone();
    }
    let primary_key = schema.tables.get(&key.table).and_then(|table| table.primary_key.as_ref());
    primary_key.map(|key| key.columns.clone()).unwrap_or_default()
}

/// Pairs of expressions at the same place of both schemas whose texts differ, with their table.
pub(crate) fn doubtful(from: &Schema, to: &Schema) -> Vec<(String, String, String)> {
    let mut pairs = Vec::new();
    for (old, new) in to.tables.values().filter_map(|new| Some((from.tables.get(&new.name)?, new))) {
        let mut pair = |left: &str, right: &str| {
            if normal(left) != normal(right) {
                pairs.push((new.name.clone(), left.to_owned(), right.to_owned()));
            }
        };
        for (left, right) in new.columns.iter().filter_map(|right| Some((old.column(&right.name)?, right))) {
            if let (Some(left), Some(right)) = (left.default_value(), right.default_value()) {
                pair(left, right);
            }
        }
        for right in &new.checks {
            for left in old.checks.iter().filter(|left| left.name.is_some() && left.name == right.name) {
                pair(&left.expression, &right.expression);
            }
        }
        for right in &new.indexes {
            for left in old.indexes.iter().filter(|left| left.name.is_some() && left.name == right.name) {
                if let (Some(left), Some(right)) = (&left.predicate, &right.predicate) {
                    pair(left, right);
                }
                for (left, right) in left.columns.iter().zip(&right.columns) {
                    pair(left, right);
                }
            }
        }
    }
    pairs
}
