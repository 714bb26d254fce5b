//! Updates the source of one entity from its table.

use super::attribute::Attributes;
use super::context::Context;
use heck::ToSnakeCase as _;

use super::case::{field_name, identifier};
use super::check;
use super::column::{self, ColumnFacts};
use super::imports;
use super::index::Indexing;
use super::relation::relate;
use super::source::{Entity, FieldKind, RustType};
use super::text::Edits;
use super::write_extras::write_extras;
use crate::Failure;
use crate::schema::{Column, Table};

/// The new source of an entity.
pub(super) fn update<'a>(
    context: &'a Context<'a>,
    entity: &'a Entity,
    table: &'a Table,
    notes: &mut Vec<String>,
) -> Result<String, Failure> {
    let indexing = Indexing::of(table, entity, context.has_table_extras);
    notes.extend(indexing.notes.iter().cloned());
    notes.extend(key_note(entity, table));
    let mut edits = Edits::default();
    let has_fractions = columns(context, entity, table, &indexing, &mut edits, notes);
    relate(context, entity, table, &mut edits, notes);
    write_extras(context, entity, table, &indexing, &mut edits, notes);
    if let Some((derives, position)) = entity.eq.as_ref().filter(|_| has_fractions) {
        derives.remove(&entity.text, &mut edits, *position);
    }
    let text = edits.apply(&entity.text);
    if text == entity.text { Ok(text) } else { with_imports(context, entity, table, text) }
}

/// SeaORM orders the columns of the primary key as the fields.
fn key_note(entity: &Entity, table: &Table) -> Option<String> {
    let Some(key) = &table.primary_key else {
        return Some(format!("{} has no primary key, which SeaORM requires", table.name));
    };
    let fields = entity.fields.iter().filter_map(|field| match &field.kind {
        FieldKind::Column(stored) if key.columns.contains(&stored.column) => Some(&stored.column),
        _ => None,
    });
    let fields: Vec<_> = fields.collect();
    let is_other = fields.len() == key.columns.len() && !fields.iter().copied().eq(&key.columns);
    let order = key.columns.join(", ");
    is_other
        .then(|| format!("the order of the fields of {} differs from that of its primary key ({order})", table.name))
}

/// Edits the fields of columns. Returns whether a field is now a floating-point number, for which
/// `Eq` cannot be derived.
fn columns(
    context: &Context<'_>,
    entity: &Entity,
    table: &Table,
    indexing: &Indexing,
    edits: &mut Edits,
    notes: &mut Vec<String>,
) -> bool {
    let checks = check::by_column(table, entity, &context.plan.covered);
    notes.extend(removal_notes(entity, table));
    let mut has_fractions = false;
    let mut write = |column: &Column, known: Option<(&RustType, &Attributes)>| {
        let key = (table.name.clone(), column.name.clone());
        let enum_name = context.plan.columns.get(&key).or_else(|| context.plan.native.get(&key));
        let checks = checks.get(column.name.as_str()).map(Vec::as_slice).unwrap_or_default();
        let facts = ColumnFacts { table, column, indexing, checks, enum_name: enum_name.map(String::as_str) };
        let mut written = column::write(context, &facts, known);
        notes.append(&mut written.notes);
        has_fractions |= ["f32", "f64"].contains(&written.rust.name.as_str());
        written
    };
    for (position, field) in entity.fields.iter().enumerate() {
        let FieldKind::Column(stored) = &field.kind else { continue };
        match table.column(&stored.column) {
            None => entity.list.remove(&entity.text, edits, position),
            Some(column) => {
                let written = write(column, Some((&stored.rust, &field.attributes)));
                column::correct(&entity.text, edits, field, &stored.rust, &written);
            }
        }
    }
    let mut after = None;
    let mut taken: Vec<String> = entity.fields.iter().map(|field| field.name.clone()).collect();
    for column in in_order(table) {
        match entity.field(&column.name) {
            Some((position, ..)) => after = Some(position),
            None if entity.ignores(&column.name) => {}
            None => {
                let mut written = write(column, None);
                let name = free_name(&column.name, &taken);
                if name.to_snake_case() != column.name {
                    written.arguments.insert(0, format!("column_name = {:?}", column.name));
                }
                let attribute = match written.arguments.is_empty() {
                    true => String::new(),
                    false => format!("    #[sea_orm({})]\n", written.arguments.join(", ")),
                };
                let field = format!("{attribute}    pub {}: {}", identifier(&name), written.rust.text());
                entity.list.add(&entity.text, edits, after, &field);
                taken.push(name);
            }
        }
    }
    has_fractions
}

/// Notes about removed fields: such a column may have been renamed, and its comments are lost.
fn removal_notes(entity: &Entity, table: &Table) -> Vec<String> {
    let removed = entity.fields.iter().filter_map(|field| match &field.kind {
        FieldKind::Column(stored) if table.column(&stored.column).is_none() => Some(stored.column.as_str()),
        _ => None,
    });
    let removed: Vec<_> = removed.collect();
    let added: Vec<_> = table.columns.iter().filter(|column| entity.field(&column.name).is_none()).collect();
    let other = match (removed.as_slice(), added.as_slice()) {
        ([_], [only]) => format!("; if it was renamed to {}, move them there", only.name),
        _ => String::new(),
    };
    let removal_note =
        |column: &&str| format!("{}.{column} was removed, with its comments and attributes{other}", table.name);
    removed.iter().map(removal_note).collect()
}

fn free_name(column: &str, taken: &[String]) -> String {
    let mut name = field_name(column);
    while taken.contains(&name) {
        name.push_str("_column");
    }
    name
}

/// The columns in the order of new fields: those of the primary key in the order of the key.
fn in_order(table: &Table) -> Vec<&Column> {
    let key = table.primary_key.as_ref().map(|key| key.columns.as_slice()).unwrap_or_default();
    let mut keys = key.iter().filter_map(|name| table.column(name));
    let columns = table.columns.iter();
    columns.map(|column| if key.contains(&column.name) { keys.next().unwrap_or(column) } else { column }).collect()
}

/// Adds the imports that the new source needs, and removes those that only the old one needed.
fn with_imports(context: &Context<'_>, entity: &Entity, table: &Table, text: String) -> Result<String, Failure> {
    let file = format!("{}.rs", entity.module);
    let (before, now) = (imports::used(&file, &entity.text)?, imports::used(&file, &text)?);
    let mut text = text;
    for name in before.difference(&now) {
        text = imports::remove_import(&file, &text, name)?;
    }
    let enums = context.plan.columns.iter().chain(&context.plan.native);
    for ((_, _), name) in enums.filter(|((of, _), _)| *of == table.name) {
        if now.contains(name) {
            text = imports::add(&file, &text, &["crate"], name)?;
        }
    }
    let is_needed = |name: &&&str| now.contains(**name) && (**name != "enum_values" || text.contains("enum_values::<"));
    let needed: Vec<_> = ["TableExtras", "CompositeIndex", "enum_values"].iter().filter(is_needed).copied().collect();
    for name in needed.into_iter().filter(|_| context.has_table_extras) {
        text = imports::add(&file, &text, &["revisions"], name)?;
    }
    Ok(text)
}
