//! Updates the file of one entity.

use super::Context;
use super::attribute::Attributes;
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

/// The new text of the file of an entity.
pub(super) fn update<'a>(
    context: &'a Context<'a>,
    entity: &'a Entity,
    table: &'a Table,
    notes: &mut Vec<String>,
) -> Result<String, Failure> {
    let indexing = Indexing::of(table, entity);
    notes.extend(indexing.notes.iter().cloned());
    notes.extend(key_note(entity, table));
    let mut edits = Edits::default();
    let has_fractions = columns(context, entity, table, &indexing, &mut edits, notes);
    relate(context, entity, table, &mut edits, notes);
    write_extras(context, entity, table, &indexing, &mut edits, notes);
    if let Some((derives, place)) = entity.eq.as_ref().filter(|_| has_fractions) {
        derives.remove(&entity.text, &mut edits, *place);
    }
    let text = edits.apply(&entity.text);
    if text == entity.text { Ok(text) } else { with_imports(context, entity, table, text) }
}

/// In SeaORM the order of the key is that of the fields.
fn key_note(entity: &Entity, table: &Table) -> Option<String> {
    let Some(key) = &table.primary_key else {
        return Some(format!("{} has no primary key, without which SeaORM knows no entity", table.name));
    };
    let fields = entity.fields.iter().filter_map(|field| match &field.meaning {
        FieldKind::Column(stored) if key.columns.contains(&stored.column) => Some(&stored.column),
        _ => None,
    });
    let fields: Vec<_> = fields.collect();
    let is_other = fields.len() == key.columns.len() && !fields.iter().copied().eq(&key.columns);
    let order = key.columns.join(", ");
    is_other.then(|| format!("the fields of {} stand in another order than its key, ({order})", table.name))
}

/// Updates the fields of columns. Returns whether a field became a float, which has no `Eq`.
fn columns(
    context: &Context<'_>,
    entity: &Entity,
    table: &Table,
    indexing: &Indexing,
    edits: &mut Edits,
    notes: &mut Vec<String>,
) -> bool {
    let checks = check::by_column(table, entity, &context.plan.carried);
    notes.extend(farewells(entity, table));
    let mut has_fractions = false;
    let mut write = |column: &Column, known: Option<(&RustType, &Attributes)>| {
        let words = context.plan.columns.get(&(table.name.clone(), column.name.clone()));
        let checks = checks.get(column.name.as_str()).map(Vec::as_slice).unwrap_or_default();
        let facts = ColumnFacts { table, column, indexing, checks, words: words.map(String::as_str) };
        let mut written = column::write(context, &facts, known);
        notes.append(&mut written.notes);
        has_fractions |= ["f32", "f64"].contains(&written.rust.name.as_str());
        written
    };
    for (place, field) in entity.fields.iter().enumerate() {
        let FieldKind::Column(stored) = &field.meaning else { continue };
        match table.column(&stored.column) {
            None => entity.list.remove(&entity.text, edits, place),
            Some(column) => {
                let written = write(column, Some((&stored.rust, &field.attributes)));
                column::correct(&entity.text, edits, field, &stored.rust, &written);
            }
        }
    }
    let mut behind = None;
    let mut taken: Vec<String> = entity.fields.iter().map(|field| field.name.clone()).collect();
    for column in in_order(table) {
        match entity.field(&column.name) {
            Some((place, ..)) => behind = Some(place),
            None if entity.ignores(&column.name) => {}
            None => {
                let mut written = write(column, None);
                let name = free_name(&column.name, &taken);
                if name.to_snake_case() != column.name {
                    written.words.insert(0, format!("column_name = {:?}", column.name));
                }
                let attribute = match written.words.is_empty() {
                    true => String::new(),
                    false => format!("    #[sea_orm({})]\n", written.words.join(", ")),
                };
                let field = format!("{attribute}    pub {}: {}", identifier(&name), written.rust.text());
                entity.list.add(&entity.text, edits, behind, &field);
                taken.push(name);
            }
        }
    }
    has_fractions
}

/// Notes about removed fields: a column may only have been renamed.
fn farewells(entity: &Entity, table: &Table) -> Vec<String> {
    let gone = entity.fields.iter().filter_map(|field| match &field.meaning {
        FieldKind::Column(stored) if table.column(&stored.column).is_none() => Some(stored.column.as_str()),
        _ => None,
    });
    let gone: Vec<_> = gone.collect();
    let come: Vec<_> = table.columns.iter().filter(|column| entity.field(&column.name).is_none()).collect();
    let other = match (gone.as_slice(), come.as_slice()) {
        ([_], [only]) => format!("; if it has become {}, carry that over", only.name),
        _ => String::new(),
    };
    let farewell = |column: &&str| format!("{}.{column} is gone, with what was written beside it{other}", table.name);
    gone.iter().map(farewell).collect()
}

fn free_name(column: &str, taken: &[String]) -> String {
    let mut name = field_name(column);
    while taken.contains(&name) {
        name.push_str("_column");
    }
    name
}

/// The columns in the order of new fields: those of the key first, in its order.
fn in_order(table: &Table) -> Vec<&Column> {
    let key = table.primary_key.as_ref().map(|key| key.columns.as_slice()).unwrap_or_default();
    let mut keys = key.iter().filter_map(|name| table.column(name));
    let columns = table.columns.iter();
    columns.map(|column| if key.contains(&column.name) { keys.next().unwrap_or(column) } else { column }).collect()
}

/// Updates the imports for the new text.
fn with_imports(context: &Context<'_>, entity: &Entity, table: &Table, text: String) -> Result<String, Failure> {
    let file = format!("{}.rs", entity.module);
    let (before, now) = (imports::used(&file, &entity.text)?, imports::used(&file, &text)?);
    let mut text = text;
    for name in before.difference(&now) {
        text = imports::take_out(&file, &text, name)?;
    }
    for ((_, _), name) in context.plan.columns.iter().filter(|((of, _), _)| *of == table.name) {
        if now.contains(name) {
            text = imports::add(&file, &text, &["crate"], name)?;
        }
    }
    let is_needed = |name: &&&str| now.contains(**name) && (**name != "enum_values" || text.contains("enum_values::<"));
    let needed: Vec<_> = ["TableExtras", "CompositeIndex", "enum_values"].iter().filter(is_needed).copied().collect();
    for name in needed.into_iter().filter(|_| context.has_table_extras) {
        text = imports::add(&file, &text, &["crate", "schema"], name)?;
    }
    Ok(text)
}
