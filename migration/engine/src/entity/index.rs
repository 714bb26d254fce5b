//! Assigns the indexes of a table to attributes of its fields, or to its `impl TableExtras`.

use std::collections::{BTreeMap, BTreeSet};

use heck::ToSnakeCase as _;

use super::attribute::Value;
use super::check::is_same_expression;
use super::source::{Entity, FieldKind};
use super::table_extras::{CompositeIndex, TableExtras};
use crate::schema::expression::portable;
use crate::schema::{Index, Table};

/// Where the indexes of a table are declared.
#[derive(Debug, Default)]
pub(super) struct Indexing {
    /// Columns with a unique index of their own.
    pub(super) unique: BTreeSet<String>,
    pub(super) indexed: BTreeSet<String>,
    /// The values of `unique_key` arguments that stay.
    pub(super) groups: BTreeSet<String>,
    /// New values of `unique_key`, by column.
    pub(super) new_groups: BTreeMap<String, String>,
    pub(super) composite: Vec<CompositeIndex>,
    /// Indexes that no entity can declare.
    pub(super) notes: Vec<String>,
}

impl Indexing {
    /// `has_extras` tells whether the entity can have `TableExtras`.
    pub(super) fn of(table: &Table, entity: &Entity, has_extras: bool) -> Self {
        let mut indexing = Self::default();
        let groups = groups(entity);
        for index in &table.indexes {
            if !is_plain(table, index, has_extras) {
                indexing.notes.push(format!("{index} on {} cannot be declared by an entity", table.name));
                continue;
            }
            indexing.add(table, index, (entity.table_extras.as_ref(), has_extras), &groups);
        }
        // An attribute cannot declare a second index on a unique column.
        for column in indexing.unique.intersection(&indexing.indexed) {
            let columns = vec![column.clone()];
            indexing.composite.push(CompositeIndex { columns, is_unique: false, filter: None, method: None });
        }
        indexing.indexed.retain(|column| !indexing.unique.contains(column));
        indexing
    }

    fn add(
        &mut self,
        table: &Table,
        index: &Index,
        (table_extras, has_extras): (Option<&TableExtras>, bool),
        groups: &BTreeMap<String, Vec<String>>,
    ) {
        let filter = index.predicate.as_deref().map(portable);
        let is_column = |column: &String| table.column(column).is_some();
        let has_expression = !index.columns.iter().all(is_column);
        let text = |column: &String| if is_column(column) { column.clone() } else { portable(column) };
        let columns = index.columns.iter().map(text).collect();
        let composite = CompositeIndex { columns, is_unique: index.is_unique, filter, method: index.method.clone() };
        let group = groups.iter().find(|(_, columns)| **columns == index.columns);
        let known = table_extras.and_then(|table_extras| table_extras.indexes.as_ref());
        let is_known =
            known.is_some_and(|known| known.entries.iter().flatten().any(|known| is_same(known, &composite)));
        match (index.columns.as_slice(), group) {
            _ if is_known || has_expression || composite.method.is_some() => self.push(composite),
            (_, Some((group, _))) if composite.is_unique && composite.filter.is_none() => {
                self.groups.insert(group.clone());
            }
            (columns @ [_, _, ..], _) if !has_extras && self.is_group(table, columns, &composite) => {
                let group = columns.join("_").to_snake_case();
                self.new_groups.extend(columns.iter().map(|column| (column.clone(), group.clone())));
            }
            ([column], _) if composite.filter.is_none() => {
                let columns = if composite.is_unique { &mut self.unique } else { &mut self.indexed };
                columns.insert(column.clone());
            }
            _ => self.push(composite),
        }
    }

    /// Whether `unique_key` can express the index, which SeaORM makes over the columns in the order of the fields.
    fn is_group(&self, table: &Table, columns: &[String], composite: &CompositeIndex) -> bool {
        let in_order = table.columns.iter().map(|column| &column.name).filter(|name| columns.contains(name));
        composite.is_unique
            && composite.filter.is_none()
            && in_order.eq(columns)
            && !columns.iter().any(|column| self.new_groups.contains_key(column))
    }

    fn push(&mut self, composite: CompositeIndex) {
        if !self.composite.iter().any(|known| is_same(known, &composite)) {
            self.composite.push(composite);
        }
    }
}

/// Whether an entity can declare the index: expressions and methods only in its `TableExtras`.
fn is_plain(table: &Table, index: &Index, has_extras: bool) -> bool {
    let is_simple = index.method.is_none() && index.columns.iter().all(|column| table.column(column).is_some());
    index.include.is_empty() && (is_simple || has_extras)
}

/// The columns of each `unique_key`, in SeaORM's order.
fn groups(entity: &Entity) -> BTreeMap<String, Vec<String>> {
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for field in &entity.fields {
        let FieldKind::Column(stored) = &field.kind else { continue };
        for argument in field.attributes.arguments.iter().filter(|argument| argument.key == "unique_key") {
            if let Value::Text(group) = &argument.value {
                groups.entry(group.clone()).or_default().push(stored.column.clone());
            }
        }
    }
    groups
}

pub(super) fn is_same(left: &CompositeIndex, right: &CompositeIndex) -> bool {
    let is_same_condition = match (&left.filter, &right.filter) {
        (Some(left), Some(right)) => is_same_expression(left, right),
        (None, None) => true,
        _ => false,
    };
    let is_same_column = |(left, right): (&String, &String)| left == right || is_same_expression(left, right);
    left.columns.len() == right.columns.len()
        && left.columns.iter().zip(&right.columns).all(is_same_column)
        && (left.is_unique, &left.method) == (right.is_unique, &right.method)
        && is_same_condition
}
