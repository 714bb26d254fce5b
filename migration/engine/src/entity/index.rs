//! Assigns the indexes of a table to attributes of its fields, or to its `impl TableExtras`.

use std::collections::{BTreeMap, BTreeSet};

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
    pub(super) composite: Vec<CompositeIndex>,
    /// Indexes that no entity can declare.
    pub(super) notes: Vec<String>,
}

impl Indexing {
    pub(super) fn of(table: &Table, entity: &Entity) -> Self {
        let mut indexing = Self::default();
        let groups = groups(entity);
        for index in &table.indexes {
            if !is_plain(table, index) {
                indexing.notes.push(format!("{index} on {} cannot be declared by an entity", table.name));
                continue;
            }
            indexing.add(index, entity.table_extras.as_ref(), &groups);
        }
        // An attribute cannot declare a second index on a unique column.
        for column in indexing.unique.intersection(&indexing.indexed) {
            indexing.composite.push(CompositeIndex { columns: vec![column.clone()], is_unique: false, filter: None });
        }
        indexing.indexed.retain(|column| !indexing.unique.contains(column));
        indexing
    }

    fn add(&mut self, index: &Index, table_extras: Option<&TableExtras>, groups: &BTreeMap<String, Vec<String>>) {
        let filter = index.predicate.as_deref().map(portable);
        let composite = CompositeIndex { columns: index.columns.clone(), is_unique: index.is_unique, filter };
        let group = groups.iter().find(|(_, columns)| **columns == index.columns);
        let known = table_extras.and_then(|table_extras| table_extras.indexes.as_ref());
        let is_known =
            known.is_some_and(|known| known.entries.iter().flatten().any(|known| is_same(known, &composite)));
        match (index.columns.as_slice(), group) {
            _ if is_known => self.push(composite),
            (_, Some((group, _))) if composite.is_unique && composite.filter.is_none() => {
                self.groups.insert(group.clone());
            }
            ([column], _) if composite.filter.is_none() => {
                let columns = if composite.is_unique { &mut self.unique } else { &mut self.indexed };
                columns.insert(column.clone());
            }
            _ => self.push(composite),
        }
    }

    fn push(&mut self, composite: CompositeIndex) {
        if !self.composite.iter().any(|known| is_same(known, &composite)) {
            self.composite.push(composite);
        }
    }
}

/// Whether an entity can declare the index.
fn is_plain(table: &Table, index: &Index) -> bool {
    index.method.is_none()
        && index.include.is_empty()
        && index.columns.iter().all(|column| table.column(column).is_some())
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
    left.columns == right.columns && left.is_unique == right.is_unique && is_same_condition
}
