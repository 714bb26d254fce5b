//! Enums with string values: assigns an enum to each column with a closed set of values, and
//! updates `values.rs`.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::DbBackend;
use sea_orm::sea_query::{ColumnType, IntoIden as _};

use super::attribute::Value;
use super::check;
use super::enum_plan::EnumPlan;
use super::rust_type::{attribute_text, is_text, read};
use super::source::{Entity, FieldKind};
use super::text::Edits;
use super::values::{StringEnum, Values};
use crate::Failure;
use crate::alter_table::bare;
use crate::entities::{cut_off, identifier};
use crate::generate::names::{iden_variant, singular};
use crate::generate::types::{from_database, written};
use crate::schema::expression::{portable, string_list, text_literal};
use crate::schema::{Check, Column, Schema, Table};

/// Input of the plan.
pub(super) struct Input<'a> {
    pub(super) schema: &'a Schema,
    pub(super) backend: DbBackend,
    pub(super) entities: &'a BTreeMap<String, Entity>,
    pub(super) values: Option<&'a Values>,
    /// Whether entities can have `TableExtras`, in which they declare the enums of columns.
    pub(super) has_table_extras: bool,
}

/// A column with a closed set of values.
struct EnumColumn<'a> {
    table: &'a Table,
    column: &'a Column,
    /// The position of its CHECK in the table.
    position: usize,
    strings: Vec<String>,
    /// None if no enum is assigned yet.
    enum_name: Option<String>,
    /// The CHECK is declared in an `extra`, or has to be.
    is_in_extra: bool,
}

pub(super) fn plan(input: &Input<'_>) -> Result<EnumPlan, Failure> {
    let mut plan = EnumPlan::default();
    let none = Values::empty()?;
    let values = input.values.unwrap_or(&none);
    let mut enum_columns = if input.has_table_extras { enum_columns(input, values, &mut plan) } else { Vec::new() };
    reuse_enums(&mut enum_columns, input, values, &mut plan);
    let mut edits = Edits::default();
    for string_enum in &values.enums {
        update(string_enum, input, &enum_columns, &values.text, &mut edits, &mut plan);
    }
    for enum_column in enum_columns.iter_mut().filter(|enum_column| enum_column.enum_name.is_none()) {
        let name = new_name(enum_column, values, &plan);
        let kind = from_database(&enum_column.column.kind, input.backend);
        let doc = format!("Values of `{}` in `{}`.", enum_column.column.name, enum_column.table.name);
        let db_type = format!("db_type = {:?}", attribute_text(&kind));
        values.add(&mut edits, &name, &doc, &db_type, &enum_column.strings);
        plan.notes
            .push(format!("{name} is new, for the values of {}.{}", enum_column.table.name, enum_column.column.name));
        plan.enums.insert(name.clone(), Some(kind));
        plan.exports.push(name.clone());
        enum_column.enum_name = Some(name);
    }
    for enum_column in enum_columns.into_iter().filter(|enum_column| !enum_column.is_in_extra) {
        if let Some(enum_name) = enum_column.enum_name {
            plan.columns.insert((enum_column.table.name.clone(), enum_column.column.name.clone()), enum_name);
            plan.covered.insert((enum_column.table.name.clone(), enum_column.position));
        }
    }
    plan_native(input, values, &mut edits, &mut plan);
    let text = edits.apply(&values.text);
    plan.values = (text != values.text).then_some(text);
    Ok(plan)
}

/// Native enums of PostgreSQL: their values follow the database, and new columns, or those of strings, have them as type.
fn plan_native(input: &Input<'_>, values: &Values, edits: &mut Edits, plan: &mut EnumPlan) {
    let tables = || input.schema.tables.values().filter_map(|table| Some((table, input.entities.get(&table.name)?)));
    for (kind, strings) in &input.schema.enums {
        let columns =
            tables().flat_map(|(table, entity)| table.columns.iter().map(move |column| (table, entity, column)));
        let is_open = |entity: &Entity, column: &Column| match entity.field(&column.name) {
            Some((_, _, stored)) => stored.rust.name == "String",
            None => !entity.ignores(&column.name),
        };
        let open: Vec<_> =
            columns.filter(|(_, entity, column)| column.kind == *kind && is_open(entity, column)).collect();
        let declared = ColumnType::Enum {
            name: kind.clone().into_iden(),
            variants: strings.iter().map(|value| value.clone().into_iden()).collect(),
        };
        let known = values.enums.iter().find(|known| known.native.as_deref() == Some(kind));
        let name = match known {
            Some(known) => {
                if !known.has_strings(strings) {
                    plan.notes.extend(known.change(&values.text, edits, strings));
                }
                known.name.clone()
            }
            None if open.is_empty() => continue,
            None => {
                let mut name = iden_variant(kind);
                while values.names.contains(&name) || plan.exports.contains(&name) {
                    name.push_str("Enum");
                }
                let db_type = format!("db_type = \"Enum\", enum_name = {kind:?}");
                values.add(edits, &name, &format!("Values of the type `{kind}`."), &db_type, strings);
                plan.notes.push(format!("{name} is new, for the values of the type {kind}"));
                plan.exports.push(name.clone());
                name
            }
        };
        plan.enums.insert(name.clone(), Some(declared));
        for (table, _, column) in open {
            plan.native.insert((table.name.clone(), column.name.clone()), name.clone());
        }
    }
}

/// The columns with a closed set of values that have an enum, or could have one.
fn enum_columns<'a>(input: &Input<'a>, values: &Values, plan: &mut EnumPlan) -> Vec<EnumColumn<'a>> {
    let mut enum_columns: Vec<EnumColumn<'a>> = Vec::new();
    let readable = input.schema.tables.values().filter(|table| !input.schema.unreadable.contains_key(&table.name));
    let tables = readable.filter_map(|table| Some((table, input.entities.get(&table.name)?)));
    let checks = tables.flat_map(|(table, entity)| {
        table.checks.iter().enumerate().map(move |(position, check)| (table, entity, position, check))
    });
    for (table, entity, position, check) in checks {
        let Some((column, strings)) = strings_of(&check.expression) else { continue };
        let Some(column) = table.column(&column) else { continue };
        let table_extras = entity.table_extras.as_ref();
        if table_extras.is_some_and(|table_extras| table_extras.has_other_strings(&entity.variant(&column.name))) {
            plan.covered.insert((table.name.clone(), position));
            continue;
        }
        if enum_columns
            .iter()
            .any(|enum_column| enum_column.table.name == table.name && enum_column.column.name == column.name)
        {
            continue;
        }
        let is_in_extra = check::is_declared(entity, check) || !has_conventional_name(table, column, check);
        let is_new = !is_in_extra
            && string_list(&check.expression).is_some()
            && is_text(&from_database(&column.kind, input.backend));
        let enum_name = match entity.field(&column.name) {
            Some((_, _, stored)) if values.find(&stored.rust.name).is_some() => Some(stored.rust.name.clone()),
            Some((_, _, stored)) if stored.rust.name != "String" => continue,
            _ if is_new && !entity.ignores(&column.name) => None,
            _ => continue,
        };
        enum_columns.push(EnumColumn { table, column, position, strings, enum_name, is_in_extra });
    }
    enum_columns
}

fn strings_of(expression: &str) -> Option<(String, Vec<String>)> {
    string_list(expression).or_else(|| {
        // PostgreSQL stores a set of one value as an equation.
        let equation = portable(expression);
        let (column, string) = equation.split_once(" = ")?;
        Some((bare(column.trim_matches(['(', ')'])), vec![text_literal(string)?]))
    })
}

/// Whether a CHECK has the name that `enum_values()` gives it.
fn has_conventional_name(table: &Table, column: &Column, check: &Check) -> bool {
    let name: String = format!("{}_{}_check", table.name, column.name);
    check
        .name
        .as_ref()
        .is_none_or(|known| [name.as_str(), cut_off(&name), &identifier(&name)].contains(&known.as_str()))
}

/// Assigns an unused enum with the same values before a new one is created: its field may have been
/// deleted by mistake.
fn reuse_enums(enum_columns: &mut [EnumColumn<'_>], input: &Input<'_>, values: &Values, plan: &mut EnumPlan) {
    let fields = input.entities.values().flat_map(|entity| &entity.fields);
    let mut used: BTreeSet<String> = fields
        .filter_map(|field| match &field.kind {
            FieldKind::Column(stored) => Some(stored.rust.name.clone()),
            _ => None,
        })
        .collect();
    for enum_column in enum_columns.iter_mut().filter(|enum_column| enum_column.enum_name.is_none()) {
        let is_free = |known: &&StringEnum| !used.contains(&known.name) && known.has_strings(&enum_column.strings);
        let Some(found) = values.enums.iter().find(is_free).map(|found| found.name.clone()) else { continue };
        used.insert(found.clone());
        plan.exports.push(found.clone());
        enum_column.enum_name = Some(found);
    }
}

/// Updates the values of an enum and the type of its columns.
fn update(
    string_enum: &StringEnum,
    input: &Input<'_>,
    enum_columns: &[EnumColumn<'_>],
    text: &str,
    edits: &mut Edits,
    plan: &mut EnumPlan,
) {
    let own: Vec<_> = enum_columns
        .iter()
        .filter(|enum_column| enum_column.enum_name.as_deref() == Some(string_enum.name.as_str()))
        .collect();
    if let Some((first, others)) = own.split_first() {
        let wanted: BTreeSet<_> = first.strings.iter().collect();
        if others.iter().any(|other| other.strings.iter().collect::<BTreeSet<_>>() != wanted) {
            plan.notes.push(format!("{} is unchanged: its columns have different values", string_enum.name));
        } else if !string_enum.has_strings(&first.strings) {
            plan.notes.extend(string_enum.change(text, edits, &first.strings));
        }
    }
    let kind = column_type(string_enum, input, &own, edits);
    plan.enums.insert(string_enum.name.clone(), kind);
}

/// The type of the columns of an enum: that of the database, if all columns have the same.
fn column_type(
    string_enum: &StringEnum,
    input: &Input<'_>,
    enum_columns: &[&EnumColumn<'_>],
    edits: &mut Edits,
) -> Option<ColumnType> {
    let string = string_enum.db_type.as_ref()?;
    let declared = match &string.value {
        Value::Text(declared) => read(declared)?,
        _ => return None,
    };
    let tables = input.schema.tables.values().filter_map(|table| Some((table, input.entities.get(&table.name)?)));
    let mut kinds: BTreeSet<&str> = tables
        .flat_map(|(table, entity)| entity.fields.iter().map(move |field| (table, field)))
        .filter_map(|(table, field)| match &field.kind {
            FieldKind::Column(stored) if stored.rust.name == string_enum.name => {
                table.column(&stored.column).filter(|_| !field.attributes.has("column_type"))
            }
            _ => None,
        })
        .map(|column| column.kind.as_str())
        .collect();
    let is_new = |enum_column: &&&EnumColumn<'_>| {
        let field =
            input.entities.get(&enum_column.table.name).and_then(|entity| entity.field(&enum_column.column.name));
        field.is_none_or(|(_, _, stored)| stored.rust.name != string_enum.name)
    };
    kinds.extend(enum_columns.iter().filter(is_new).map(|enum_column| enum_column.column.kind.as_str()));
    let mut kinds = kinds.into_iter();
    let (Some(kind), None) = (kinds.next(), kinds.next()) else { return Some(declared) };
    let expected = from_database(kind, input.backend);
    if written(&declared, input.backend).as_deref() == Some(kind) || !is_text(&expected) {
        return Some(declared);
    }
    edits.replace(string.part.clone(), format!("db_type = {:?}", attribute_text(&expected)));
    Some(expected)
}

/// `UserRole` for the column `role` of `users`.
fn new_name(enum_column: &EnumColumn<'_>, values: &Values, plan: &EnumPlan) -> String {
    let plain = iden_variant(&singular(&enum_column.table.name)) + &iden_variant(&enum_column.column.name);
    let is_used = |name: &String| values.names.contains(name) || plan.exports.contains(name);
    let mut name = plain.clone();
    for number in 2.. {
        if !is_used(&name) {
            break;
        }
        name = format!("{plain}{number}");
    }
    name
}
