//! Updates the `impl TableExtras` of an entity, or adds one.

use sea_orm::DbBackend;

use super::context::Context;
use super::index::{Indexing, is_same};
use super::source::Entity;
use super::table_extras::{CompositeIndex, EnumValues, Listed, TableExtras};
use super::text::{Edits, remove};
use crate::schema::Table;

/// What the `impl` has to declare.
#[derive(Debug)]
struct Wanted<'a> {
    indexes: &'a [CompositeIndex],
    /// None if the database does not have this property.
    is_without_rowid: Option<bool>,
    /// Text columns with the collation "C"; none if the database does not have this property.
    collate_c: Option<Vec<&'a str>>,
    /// Variants of `Column`, with their enums.
    enum_values: Vec<(String, &'a str)>,
}

impl<'a> Wanted<'a> {
    fn of(context: &'a Context<'_>, entity: &Entity, table: &'a Table, indexing: &'a Indexing) -> Self {
        let collate_c = table.columns.iter().filter(|column| column.collation.as_deref() == Some("C"));
        let enum_values = table.columns.iter().filter_map(|column| {
            let enum_name = context.plan.columns.get(&(table.name.clone(), column.name.clone()))?;
            Some((entity.variant(&column.name), enum_name.as_str()))
        });
        let is_sqlite = context.backend == DbBackend::Sqlite;
        Self {
            indexes: &indexing.composite,
            is_without_rowid: is_sqlite.then_some(table.without_rowid),
            collate_c: (!is_sqlite).then(|| collate_c.map(|column| column.name.as_str()).collect()),
            enum_values: enum_values.collect(),
        }
    }

    /// The body of a new `impl`.
    fn body(&self) -> String {
        let mut body = String::new();
        let indexes: Vec<_> = self.indexes.iter().map(index).collect();
        if !indexes.is_empty() {
            body.push_str(&indexes_constant(&indexes));
        }
        if self.is_without_rowid == Some(true) {
            body.push_str(WITHOUT_ROWID);
        }
        if let Some(collate_c) = self.collate_c.as_ref().filter(|collate_c| !collate_c.is_empty()) {
            body.push_str(&collate_c_constant(collate_c));
        }
        let enum_values: Vec<_> = self.enum_values.iter().map(enum_values_entry).collect();
        if !enum_values.is_empty() {
            body.push_str(if body.is_empty() { "" } else { "\n" });
            body.push_str(&enum_values_function(&enum_values));
        }
        if !body.is_empty() {
            body.push('\n');
        }
        body
    }
}

const WITHOUT_ROWID: &str = "\n    const WITHOUT_ROWID: bool = true;";

fn indexes_constant(indexes: &[String]) -> String {
    format!("\n    const INDEXES: &[CompositeIndex] = &[{}];", indexes.join(", "))
}

fn collate_c_constant(columns: &[&str]) -> String {
    format!("\n    const COLLATE_C: &[&str] = &{columns:?};")
}

fn enum_values_function(enum_values: &[String]) -> String {
    format!("\n    fn enum_values() -> Vec<(Column, Vec<String>)> {{\n        vec![{}]\n    }}", enum_values.join(", "))
}

fn index(index: &CompositeIndex) -> String {
    let kind = if index.is_unique { "unique" } else { "on" };
    let filter = index.filter.as_ref().map(|filter| format!(".filter({filter:?})")).unwrap_or_default();
    let method = index.method.as_ref().map(|method| format!(".using({method:?})")).unwrap_or_default();
    format!("CompositeIndex::{kind}(&{:?}){filter}{method}", index.columns)
}

fn enum_values_entry((variant, enum_name): &(String, &str)) -> String {
    format!("(Column::{variant}, enum_values::<{enum_name}>())")
}

/// Updates the `impl`, or adds one.
pub(super) fn write_extras(
    context: &Context<'_>,
    entity: &Entity,
    table: &Table,
    indexing: &Indexing,
    edits: &mut Edits,
    notes: &mut Vec<String>,
) {
    if !context.has_table_extras {
        let index = |index: &CompositeIndex| format!("{} of {}", self::index(index), table.name);
        notes.extend(indexing.composite.iter().map(index).map(|index| {
            format!("{index} needs an `impl TableExtras`: add `revisions` to the dependencies of the entities")
        }));
        let sorted = table.columns.iter().filter(|column| column.collation.as_deref() == Some("C"));
        notes.extend(
            sorted.map(|column| format!("{}.{} has the collation C, which needs the same", table.name, column.name)),
        );
        return;
    }
    let text = entity.text.as_str();
    let wanted = Wanted::of(context, entity, table, indexing);
    let Some(table_extras) = &entity.table_extras else {
        edits.insert(text.len(), format!("\nimpl TableExtras for Entity {{{}}}\n", wanted.body()));
        return;
    };
    if table_extras.is_empty {
        // White space in an empty `impl` is not a difference.
        let body = wanted.body();
        if !body.is_empty() {
            edits.replace(table_extras.open..table_extras.close, body);
        }
        return;
    }
    let readable = [
        ("INDEXES", table_extras.indexes.as_ref().is_none_or(|part| part.list.is_some())),
        ("COLLATE_C", table_extras.collate_c.as_ref().is_none_or(|part| part.list.is_some())),
        ("enum_values()", table_extras.enum_values.as_ref().is_none_or(|part| part.list.is_some())),
    ];
    for (name, _) in readable.iter().filter(|(_, is_readable)| !is_readable) {
        notes.push(format!("{name} of {} is not a plain list, so it is unchanged", table.name));
    }
    let variants: Vec<_> = table.columns.iter().map(|column| entity.variant(&column.name)).collect();
    let mut editor = Editor { text, edits, table_extras };
    editor.indexes(wanted.indexes, context.backend);
    editor.without_rowid(wanted.is_without_rowid);
    editor.collate_c(wanted.collate_c.as_deref(), table);
    editor.enum_values(&wanted.enum_values, &variants);
}

struct Editor<'a> {
    text: &'a str,
    edits: &'a mut Edits,
    table_extras: &'a TableExtras,
}

impl Editor<'_> {
    fn indexes(&mut self, wanted: &[CompositeIndex], backend: DbBackend) {
        let Some(known) = &self.table_extras.indexes else {
            let new: Vec<_> = wanted.iter().map(index).collect();
            if !new.is_empty() {
                self.constant(&indexes_constant(&new));
            }
            return;
        };
        let is_new =
            |composite: &&CompositeIndex| !known.entries.iter().flatten().any(|known| is_same(known, composite));
        let new: Vec<_> = wanted.iter().filter(is_new).map(index).collect();
        // SQLite has no methods, and so does not know these indexes.
        let is_elsewhere = |known: &CompositeIndex| known.method.is_some() && backend == DbBackend::Sqlite;
        let stays =
            |known: &CompositeIndex| is_elsewhere(known) || wanted.iter().any(|composite| is_same(known, composite));
        self.list(known, stays, &new);
    }

    fn without_rowid(&mut self, wanted: Option<bool>) {
        match (&self.table_extras.without_rowid, wanted) {
            (None, Some(true)) => self.constant(WITHOUT_ROWID),
            (Some(known), Some(true)) if !known.is_true => self.edits.replace(known.value.clone(), "true"),
            (Some(known), Some(false)) if known.is_true => remove(self.text, self.edits, known.item.clone()),
            _ => {}
        }
    }

    fn collate_c(&mut self, wanted: Option<&[&str]>, table: &Table) {
        let wanted_or_none = wanted.unwrap_or_default();
        let Some(known) = &self.table_extras.collate_c else {
            if !wanted_or_none.is_empty() {
                self.constant(&collate_c_constant(wanted_or_none));
            }
            return;
        };
        let is_new = |column: &&&str| !known.entries.iter().flatten().any(|known| known == **column);
        let new: Vec<_> = wanted_or_none.iter().filter(is_new).map(|column| format!("{column:?}")).collect();
        let stays = |column: &String| match wanted {
            Some(wanted) => wanted.contains(&column.as_str()),
            None => table.column(column).is_some(),
        };
        self.list(known, stays, &new);
    }

    fn enum_values(&mut self, wanted: &[(String, &str)], variants: &[String]) {
        let Some(known) = &self.table_extras.enum_values else {
            let new: Vec<_> = wanted.iter().map(enum_values_entry).collect();
            if !new.is_empty() {
                self.edits.insert(self.table_extras.close, enum_values_function(&new) + "\n");
            }
            return;
        };
        let is = |known: &EnumValues, (variant, enum_name): &(String, &str)| {
            known.variant == *variant && known.enum_name.as_deref() == Some(*enum_name)
        };
        let is_new = |wanted: &&(String, &str)| !known.entries.iter().flatten().any(|known| is(known, wanted));
        let new: Vec<_> = wanted.iter().filter(is_new).map(enum_values_entry).collect();
        let stays = |known: &EnumValues| match known.enum_name {
            Some(_) => wanted.iter().any(|wanted| is(known, wanted)),
            None => variants.contains(&known.variant),
        };
        self.list(known, stays, &new);
    }

    /// Adds a constant at the start, where nothing is removed.
    fn constant(&mut self, constant: &str) {
        let blank_line = if self.table_extras.has_constants { "" } else { "\n" };
        self.edits.insert(self.table_extras.open, format!("{constant}{blank_line}"));
    }

    /// Updates a list. Entries that stay are not touched; an item whose list becomes empty is
    /// removed.
    fn list<T>(&mut self, known: &Listed<T>, stays: impl Fn(&T) -> bool, new: &[String]) {
        let Some(list) = &known.list else { return };
        let stays: Vec<bool> = known.entries.iter().map(|entry| entry.as_ref().is_none_or(&stays)).collect();
        if new.is_empty() && !stays.is_empty() && stays.iter().all(|stays| !stays) {
            remove(self.text, self.edits, known.item.clone());
            return;
        }
        for (position, _) in stays.iter().enumerate().filter(|(_, stays)| !**stays) {
            list.remove(self.text, self.edits, position);
        }
        let after = stays.iter().rposition(|stays| *stays);
        for new in new {
            list.add(self.text, self.edits, after, new);
        }
    }
}
