//! Renames between two schemas: columns that entities declare with `renamed_from`, and keys, indexes and CHECKs that differ in
//! nothing but their name.

use crate::alter_table::{bare, quoted, tokens};
use crate::change::{Change, Named};
use crate::equivalences::Equivalences;
use crate::schema::{Check, ForeignKey, Index, Schema, Table};

/// A schema after the renames that lead to another one.
pub(crate) struct Renamed {
    pub(crate) schema: Schema,
    pub(crate) changes: Vec<Change>,
}

/// Finds what is renamed from one schema to the other.
pub(crate) fn find(from: &Schema, to: &Schema, equivalences: &Equivalences) -> Renamed {
    let mut renamed = Renamed { schema: from.clone(), changes: Vec::new() };
    renamed.rename_columns(from, to);
    for new in to.tables.values() {
        renamed.rename_objects(new, equivalences);
    }
    renamed
}

impl Renamed {
    /// Columns that the entities have renamed: they are those of the one schema or of the other.
    fn rename_columns(&mut self, from: &Schema, to: &Schema) {
        let forward = to.renamed.iter().map(|((table, new), old)| (table, old, new));
        let back = from.renamed.iter().map(|((table, new), old)| (table, new, old));
        for (table, old, new) in forward.chain(back) {
            let has = |schema: &Schema, column: &str| {
                schema.tables.get(table).is_some_and(|table| table.column(column).is_some())
            };
            let is_renamed = has(from, old) && !has(from, new) && has(to, new) && !has(to, old);
            if is_renamed && !self.changes.iter().any(|change| change.table() == table && change.is_about(new)) {
                rename_column(&mut self.schema, table, old, new);
                self.changes.push(Change::RenameColumn { table: table.clone(), old: old.clone(), new: new.clone() });
            }
        }
    }

    fn rename_objects(&mut self, new: &Table, equivalences: &Equivalences) {
        let Some(old) = self.schema.tables.get_mut(&new.name) else { return };
        let table = &new.name;
        let mut changes = Vec::new();
        let mut note = |what: Named, old: String, new: String| {
            changes.push(Change::Rename { table: table.clone(), what, old, new });
        };
        if let (Some(known), Some(wanted)) = (old.primary_key.as_mut(), new.primary_key.as_ref())
            && let (Some(before), Some(after)) = (known.name.clone(), wanted.name.clone())
            && before != after
            && known.columns == wanted.columns
        {
            known.name = Some(after.clone());
            note(Named::Constraint, before, after);
        }
        for (position, before, after) in pairs(
            &old.indexes,
            &new.indexes,
            |index| &index.name,
            |left, right| is_same_index(left, right, equivalences),
        ) {
            if let Some(index) = old.indexes.get_mut(position) {
                index.name = Some(after.clone());
                note(if index.is_constraint { Named::Constraint } else { Named::Index }, before, after);
            }
        }
        for (position, before, after) in pairs(&old.foreign_keys, &new.foreign_keys, |key| &key.name, is_same_key) {
            if let Some(key) = old.foreign_keys.get_mut(position) {
                key.name = Some(after.clone());
                note(Named::Constraint, before, after);
            }
        }
        let is_same_check = |left: &Check, right: &Check| equivalences.are_same(&left.expression, &right.expression);
        for (position, before, after) in pairs(&old.checks, &new.checks, |check| &check.name, is_same_check) {
            if let Some(check) = old.checks.get_mut(position) {
                check.name = Some(after.clone());
                note(Named::Constraint, before, after);
            }
        }
        self.changes.append(&mut changes);
    }
}

/// Items of the old list whose name the new list does not have, each with one of the new list that is the same otherwise.
fn pairs<T>(
    old: &[T],
    new: &[T],
    name: impl Fn(&T) -> &Option<String>,
    is_same: impl Fn(&T, &T) -> bool,
) -> Vec<(usize, String, String)> {
    let mut taken = Vec::new();
    let mut pairs = Vec::new();
    for (position, left) in old.iter().enumerate() {
        let Some(before) = name(left).as_ref().filter(|_| !new.iter().any(|right| name(right) == name(left))) else {
            continue;
        };
        let is_free = |after: &str| {
            !taken.iter().any(|known| known == after) && !old.iter().any(|other| name(other).as_deref() == Some(after))
        };
        let found = new.iter().find(|right| name(right).as_deref().is_some_and(is_free) && is_same(left, right));
        if let Some(after) = found.and_then(|right| name(right).clone()) {
            taken.push(after.clone());
            pairs.push((position, before.clone(), after));
        }
    }
    pairs
}

fn is_same_index(left: &Index, right: &Index, equivalences: &Equivalences) -> bool {
    left.columns.len() == right.columns.len()
        && left
            .columns
            .iter()
            .zip(&right.columns)
            .all(|(left, right)| left == right || equivalences.are_same(left, right))
        && (left.is_unique, &left.method, &left.include) == (right.is_unique, &right.method, &right.include)
        && equivalences.are_same_if_any(left.predicate.as_deref(), right.predicate.as_deref())
}

fn is_same_key(left: &ForeignKey, right: &ForeignKey) -> bool {
    (&left.columns, &left.table, left.on_update, left.on_delete)
        == (&right.columns, &right.table, right.on_update, right.on_delete)
        && (left.references == right.references || left.references.is_empty() || right.references.is_empty())
}

/// Renames a column where the schema mentions it, as databases do.
pub(crate) fn rename_column(schema: &mut Schema, name: &str, old: &str, new: &str) {
    let rename = |column: &mut String| {
        if column == old {
            new.clone_into(column);
        }
    };
    for table in schema.tables.values_mut() {
        for key in table.foreign_keys.iter_mut().filter(|key| key.table == name) {
            key.references.iter_mut().for_each(rename);
        }
    }
    let Some(table) = schema.tables.get_mut(name) else { return };
    table.columns.iter_mut().for_each(|column| rename(&mut column.name));
    table.primary_key.iter_mut().flat_map(|key| &mut key.columns).for_each(rename);
    table.foreign_keys.iter_mut().flat_map(|key| &mut key.columns).for_each(rename);
    let expressions = table.columns.iter_mut().filter_map(|column| column.generated.as_mut());
    let expressions = expressions.chain(table.checks.iter_mut().map(|check| &mut check.expression));
    let indexes = table
        .indexes
        .iter_mut()
        .flat_map(|index| index.columns.iter_mut().chain(&mut index.include).chain(index.predicate.as_mut()));
    expressions.chain(indexes).for_each(|expression| *expression = with_renamed(expression, old, new));
}

/// An expression with another name of a column.
fn with_renamed(expression: &str, old: &str, new: &str) -> String {
    let mut renamed = String::with_capacity(expression.len());
    let mut position = 0;
    for token in tokens(expression) {
        let text = expression.get(token.clone()).unwrap_or_default();
        if bare(text) == old && !text.starts_with('\'') {
            renamed.push_str(expression.get(position..token.start).unwrap_or_default());
            renamed.push_str(&if text.starts_with('"') { quoted(new) } else { new.to_owned() });
            position = token.end;
        }
    }
    renamed.push_str(expression.get(position..).unwrap_or_default());
    renamed
}

#[cfg(test)]
mod tests {
    use super::with_renamed;

    #[test]
    fn a_column_is_renamed_in_an_expression() {
        assert_eq!(
            with_renamed("lower(\"old\") > older AND old = 'old'", "old", "new"),
            "lower(\"new\") > older AND new = 'old'"
        );
    }
}
