//! Updates the sources of entities from a schema. What agrees with the schema is not touched;
//! everything else is edited in place, so that additions made by hand stay.
//!
//! It reads the source files, so it also works if the crate does not compile.

mod attribute;
mod case;
mod check;
mod column;
mod context;
mod defaults;
mod enum_plan;
mod enum_values;
mod imports;
mod index;
mod listing;
mod related;
mod relation;
mod rust_type;
mod source;
mod table;
mod table_extras;
#[cfg(test)]
mod tests;
mod text;
mod type_argument;
mod values;
mod write_extras;

use std::collections::BTreeMap;

use sea_orm::DbBackend;

use self::context::Context;
use self::enum_values::Input;
use self::listing::ModuleChanges;
use self::source::Entity;
use self::values::Values;
use crate::Failure;
use crate::generate::names::function;
use crate::schema::{Schema, Table};

/// The result of an update: files and notes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Regenerated {
    /// The new texts of changed files, by name in the crate's `src`; `None` deletes a file.
    pub(crate) files: BTreeMap<String, Option<String>>,
    /// What the developer has to know or to do.
    pub(crate) notes: Vec<String>,
    /// The new text of the file with the list of the entities, if it is in another crate and changes.
    pub(crate) list: Option<String>,
}

/// What surrounds the crate of the entities.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surroundings<'a> {
    /// Whether the crate depends on this one, so that its entities can have `TableExtras`.
    pub(crate) has_table_extras: bool,
    /// The name of the crate in Rust.
    pub(crate) crate_name: &'a str,
    /// A file of another crate that may have the list of the entities.
    pub(crate) program: Option<&'a str>,
}

/// Updates the sources. `sources` are the files of the crate's `src`, by name.
pub(crate) fn regenerate(
    schema: &Schema,
    backend: DbBackend,
    sources: &BTreeMap<String, String>,
    surroundings: Surroundings<'_>,
) -> Result<Regenerated, Failure> {
    let Surroundings { has_table_extras, crate_name, program } = surroundings;
    let mut result = Regenerated::default();
    let is_there = |table: &String| schema.tables.contains_key(table) || schema.unreadable.contains_key(table);
    let (mut entities, dropped): (BTreeMap<_, _>, BTreeMap<_, _>) =
        parse_entities(sources, &mut result.notes)?.into_iter().partition(|(table, _)| is_there(table));
    let added = add_new(schema, sources, &mut entities)?;
    let keyless =
        schema.tables.values().filter(|table| table.primary_key.is_none() && !entities.contains_key(&table.name));
    let unread = schema.unreadable.iter().filter(|(table, _)| !entities.contains_key(*table));
    result.notes.extend(unread.map(|(table, why)| format!("{table} has no entity: {why}")));
    for (table, remarks) in &schema.remarks {
        let is_added = entities.get(table).is_some_and(|entity| added.contains(&entity.module));
        let remarks = remarks
            .iter()
            .filter(|_| is_added)
            .map(|remark| format!("{table} {remark}, which its entity does not say"));
        result.notes.extend(remarks);
    }
    result.notes.extend(keyless.map(|table| format!("{} has no primary key, so it cannot be an entity", table.name)));
    let removed: Vec<String> = dropped.values().map(|entity| entity.module.clone()).collect();
    let values = sources.get("values.rs").map(|text| Values::parse(text)).transpose()?;
    let input = Input { schema, backend, entities: &entities, values: values.as_ref(), has_table_extras };
    let plan = enum_values::plan(&input)?;
    result.notes.extend(plan.notes.iter().cloned());
    let modules = sources.keys().filter_map(|file| file.strip_suffix(".rs")).map(ToOwned::to_owned);
    let modules = modules.filter(|module| !removed.contains(module)).chain(added.iter().cloned()).collect();
    let context = Context { schema, backend, entities: &entities, plan: &plan, modules, has_table_extras };
    for (name, entity) in &entities {
        let file = format!("{}.rs", entity.module);
        match (schema.unreadable.get(name), schema.tables.get(name)) {
            (Some(why), _) => result.notes.push(format!("{file} is unchanged: {why}")),
            (None, Some(table)) => {
                let text = table::update(&context, entity, table, &mut result.notes)?;
                result.change(sources, &file, text);
            }
            (None, None) => {}
        }
    }
    for (table, entity) in &dropped {
        result.files.insert(format!("{}.rs", entity.module), None);
        result.notes.push(format!("{}.rs is removed: there is no table {table}", entity.module));
    }
    let has_new_values = plan.values.is_some() && values.is_none();
    if let Some(text) = &plan.values {
        result.change(sources, "values.rs", text.clone());
    }
    let exports = plan.exports.as_slice();
    let changes = ModuleChanges {
        added: &added,
        removed: &removed,
        exports,
        has_new_values,
        has_table_extras,
        crate_name: "crate",
    };
    result.list(sources, &changes, (program, crate_name))?;
    Ok(result)
}

impl Regenerated {
    fn change(&mut self, sources: &BTreeMap<String, String>, file: &str, text: String) {
        if sources.get(file) != Some(&text) {
            self.files.insert(file.to_owned(), Some(text));
        }
    }

    /// Updates the modules in `lib.rs`, and the list of the entities, wherever that is.
    fn list(
        &mut self,
        sources: &BTreeMap<String, String>,
        changes: &ModuleChanges<'_>,
        (program, crate_name): (Option<&str>, &str),
    ) -> Result<(), Failure> {
        let is_same = changes.added.is_empty() && changes.removed.is_empty();
        match sources.get("lib.rs").filter(|_| !is_same || !changes.exports.is_empty()) {
            Some(text) => self.change(sources, "lib.rs", listing::library(text, changes)?),
            None if is_same => {}
            None => self.notes.push("there is no lib.rs to list the modules in".into()),
        }
        let list = sources.iter().find(|(_, text)| text.contains("Entities::of("));
        match list {
            // The modules may be in the same file.
            Some((file, text)) => {
                let text = self.files.get(file).cloned().flatten().unwrap_or_else(|| text.clone());
                let text = listing::entities(file, &text, changes, &mut self.notes)?;
                self.change(sources, file, text);
            }
            None => {
                let changes = ModuleChanges { crate_name, ..*changes };
                match program.filter(|text| text.contains("Entities::of(")) {
                    Some(text) => {
                        let new = listing::entities("main.rs", text, &changes, &mut self.notes)?;
                        self.list = Some(new).filter(|new| new != text);
                    }
                    None => self.notes.extend(listing::changes_by_hand(&changes)),
                }
            }
        }
        Ok(())
    }
}

/// The entities, by table.
fn parse_entities(
    sources: &BTreeMap<String, String>,
    notes: &mut Vec<String>,
) -> Result<BTreeMap<String, Entity>, Failure> {
    let mut entities: BTreeMap<String, Entity> = BTreeMap::new();
    for (file, text) in sources.iter().filter(|(file, _)| file.ends_with(".rs")) {
        let Some(entity) = Entity::parse(file, text)? else { continue };
        match entities.get(&entity.table) {
            Some(known) => notes
                .push(format!("{file} is ignored: {}.rs is an entity of the table {}, too", known.module, known.table)),
            None => {
                entities.insert(entity.table.clone(), entity);
            }
        }
    }
    Ok(entities)
}

/// Adds an entity without fields for each table that has none. Returns their modules, in an order
/// in which the tables can be created.
fn add_new(
    schema: &Schema,
    sources: &BTreeMap<String, String>,
    entities: &mut BTreeMap<String, Entity>,
) -> Result<Vec<String>, Failure> {
    let is_new = |table: &&Table| {
        !entities.contains_key(&table.name)
            && !schema.unreadable.contains_key(&table.name)
            && table.primary_key.is_some()
    };
    let tables = schema.tables.values().filter(is_new).map(|table| table.name.clone()).collect();
    let mut added: Vec<String> = Vec::new();
    for name in in_order_of_creation(schema, tables) {
        let Some(table) = schema.tables.get(&name) else { continue };
        let mut module = function(&name);
        while sources.contains_key(&format!("{module}.rs"))
            || added.contains(&module)
            || ["lib", "main", "mod"].contains(&module.as_str())
        {
            module.push_str("_table");
        }
        if let Some(entity) = Entity::parse(&format!("{module}.rs"), &new_source(table))? {
            entities.insert(name, entity);
            added.push(module);
        }
    }
    Ok(added)
}

fn in_order_of_creation(schema: &Schema, mut tables: Vec<String>) -> Vec<String> {
    let mut ordered = Vec::new();
    while !tables.is_empty() {
        let waits_for = |name: &String| {
            let keys = schema.tables.get(name).map(|table| table.foreign_keys.as_slice()).unwrap_or_default();
            keys.iter().any(|key| key.table != *name && tables.contains(&key.table))
        };
        // Tables that refer to each other have no such order.
        let next = tables.iter().position(|name| !waits_for(name)).unwrap_or_default();
        ordered.push(tables.remove(next));
    }
    ordered
}

/// The source of an entity without fields.
fn new_source(table: &Table) -> String {
    let words = table.name.replace('_', " ");
    let mut letters = words.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    let title = first + letters.as_str();
    format!(
        "//! {title}.\n\nuse sea_orm::entity::prelude::*;\n\n#[sea_orm::model]\n\
         #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]\n#[sea_orm(table_name = {:?})]\n\
         pub struct Model {{\n}}\n\nimpl ActiveModelBehavior for ActiveModel {{}}\n",
        table.name
    )
}
