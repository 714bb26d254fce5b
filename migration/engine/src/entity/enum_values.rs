//! Enum values: the enums of columns, and the changes of `values.rs`.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::DbBackend;
use sea_orm::sea_query::ColumnType;

use super::attribute::Value;
use super::check;
use super::rust_type::{is_text, read, spelled};
use super::source::{Entity, FieldKind};
use super::text::Edits;
use super::values::{StringEnum, Values};
use crate::Failure;
use crate::alter_table::bare;
use crate::generate::names::{iden_variant, singular};
use crate::generate::types::{from_database, written};
use crate::schema::expression::{portable, text_literal, words};
use crate::schema::{Check, Column, Schema, Table};

/// PostgreSQL truncates longer names.
const LONGEST_NAME: usize = 63;

/// The result of matching CHECKs of values with enums.
#[derive(Debug, Default)]
pub(super) struct EnumPlan {
    /// The enums of values, with the type of their columns if it is known.
    pub(super) enums: BTreeMap<String, Option<ColumnType>>,
    /// By table and column: the enum whose values the column has.
    pub(super) columns: BTreeMap<(String, String), String>,
    /// The CHECKs that `enum_values()` declares, by table and position.
    pub(super) carried: BTreeSet<(String, usize)>,
    /// Enums that are newly used.
    pub(super) exports: Vec<String>,
    /// The new `values.rs`, if it changes.
    pub(super) values: Option<String>,
    pub(super) notes: Vec<String>,
}

/// The input of a plan.
pub(super) struct Input<'a> {
    pub(super) schema: &'a Schema,
    pub(super) backend: DbBackend,
    pub(super) entities: &'a BTreeMap<String, Entity>,
    pub(super) values: Option<&'a Values>,
    /// Whether entities can declare the enum of a column.
    pub(super) has_table_extras: bool,
}

/// A column with a fixed set of values.
struct EnumColumn<'a> {
    table: &'a Table,
    column: &'a Column,
    /// Position of the CHECK in its table.
    place: usize,
    words: Vec<String>,
    /// The enum. None if one must be found.
    holder: Option<String>,
    /// Whether the CHECK belongs into an `extra`.
    is_said: bool,
}

pub(super) fn plan(given: &Input<'_>) -> Result<EnumPlan, Failure> {
    let mut plan = EnumPlan::default();
    let none = Values::empty()?;
    let values = given.values.unwrap_or(&none);
    let mut claims = if given.has_table_extras { claims(given, values, &mut plan) } else { Vec::new() };
    reuse(&mut claims, given, values, &mut plan);
    let mut edits = Edits::default();
    for word_enum in &values.enums {
        update(word_enum, given, &claims, &values.text, &mut edits, &mut plan);
    }
    for claim in claims.iter_mut().filter(|claim| claim.holder.is_none()) {
        let name = new_name(claim, values, &plan);
        let kind = from_database(&claim.column.kind, given.backend);
        let doc = format!("What `{}` of `{}` may be.", claim.column.name, claim.table.name);
        values.add(&mut edits, &name, &doc, &spelled(&kind), &claim.words);
        plan.notes.push(format!("{name} is new, for the words of {}.{}", claim.table.name, claim.column.name));
        plan.enums.insert(name.clone(), Some(kind));
        plan.exports.push(name.clone());
        claim.holder = Some(name);
    }
    for claim in claims.into_iter().filter(|claim| !claim.is_said) {
        if let Some(holder) = claim.holder {
            plan.columns.insert((claim.table.name.clone(), claim.column.name.clone()), holder);
            plan.carried.insert((claim.table.name.clone(), claim.place));
        }
    }
    let text = edits.apply(&values.text);
    plan.values = (text != values.text).then_some(text);
    Ok(plan)
}

/// The columns whose values an enum has or could have.
fn claims<'a>(given: &Input<'a>, values: &Values, plan: &mut EnumPlan) -> Vec<EnumColumn<'a>> {
    let mut claims: Vec<EnumColumn<'a>> = Vec::new();
    let readable = given.schema.tables.values().filter(|table| !given.schema.unreadable.contains_key(&table.name));
    let table_extras = readable.filter_map(|table| Some((table, given.entities.get(&table.name)?)));
    let checks = table_extras.flat_map(|(table, entity)| {
        table.checks.iter().enumerate().map(move |(place, check)| (table, entity, place, check))
    });
    for (table, entity, place, check) in checks {
        let Some((column, list)) = words_of(&check.expression) else { continue };
        let Some(column) = table.column(&column) else { continue };
        let table_extras = entity.table_extras.as_ref();
        if table_extras.is_some_and(|table_extras| table_extras.has_other_words(&entity.variant(&column.name))) {
            plan.carried.insert((table.name.clone(), place));
            continue;
        }
        if claims.iter().any(|claim| claim.table.name == table.name && claim.column.name == column.name) {
            continue;
        }
        let is_said = check::is_said(entity, check) || !is_nameable(table, column, check);
        let is_new =
            !is_said && words(&check.expression).is_some() && is_text(&from_database(&column.kind, given.backend));
        let holder = match entity.field(&column.name) {
            Some((_, _, stored)) if values.find(&stored.rust.name).is_some() => Some(stored.rust.name.clone()),
            Some((_, _, stored)) if stored.rust.name != "String" => continue,
            _ if is_new && !entity.ignores(&column.name) => None,
            _ => continue,
        };
        claims.push(EnumColumn { table, column, place, words: list, holder, is_said });
    }
    claims
}

fn words_of(expression: &str) -> Option<(String, Vec<String>)> {
    words(expression).or_else(|| {
        // PostgreSQL writes IN with one value as an equation.
        let equation = portable(expression);
        let (column, word) = equation.split_once(" = ")?;
        Some((bare(column.trim_matches(['(', ')'])), vec![text_literal(word)?]))
    })
}

/// Whether a CHECK has the name that `enum_values()` gives it.
fn is_nameable(table: &Table, column: &Column, check: &Check) -> bool {
    let name: String = format!("{}_{}_check", table.name, column.name);
    let cut = name.get(..LONGEST_NAME).unwrap_or(&name);
    check.name.as_ref().is_none_or(|given| *given == name || given == cut)
}

/// An unused enum with the same values is preferred to a new one: its field may have been removed by mistake.
fn reuse(claims: &mut [EnumColumn<'_>], given: &Input<'_>, values: &Values, plan: &mut EnumPlan) {
    let fields = given.entities.values().flat_map(|entity| &entity.fields);
    let mut used: BTreeSet<String> = fields
        .filter_map(|field| match &field.meaning {
            FieldKind::Column(stored) => Some(stored.rust.name.clone()),
            _ => None,
        })
        .collect();
    for claim in claims.iter_mut().filter(|claim| claim.holder.is_none()) {
        let is_free = |known: &&StringEnum| !used.contains(&known.name) && known.has_words(&claim.words);
        let Some(found) = values.enums.iter().find(is_free).map(|found| found.name.clone()) else { continue };
        used.insert(found.clone());
        plan.exports.push(found.clone());
        claim.holder = Some(found);
    }
}

/// Updates an enum with the values and the type of its columns.
fn update(
    word_enum: &StringEnum,
    given: &Input<'_>,
    claims: &[EnumColumn<'_>],
    text: &str,
    edits: &mut Edits,
    plan: &mut EnumPlan,
) {
    let own: Vec<_> = claims.iter().filter(|claim| claim.holder.as_deref() == Some(word_enum.name.as_str())).collect();
    if let Some((first, others)) = own.split_first() {
        let wanted: BTreeSet<_> = first.words.iter().collect();
        if others.iter().any(|other| other.words.iter().collect::<BTreeSet<_>>() != wanted) {
            plan.notes.push(format!("{} is left as it is: its columns have different words", word_enum.name));
        } else if !word_enum.has_words(&first.words) {
            plan.notes.extend(word_enum.change(text, edits, &first.words));
        }
    }
    let kind = column_type(word_enum, given, &own, edits);
    plan.enums.insert(word_enum.name.clone(), kind);
}

/// The type of the columns of an enum, if all have the same one.
fn column_type(
    word_enum: &StringEnum,
    given: &Input<'_>,
    claims: &[&EnumColumn<'_>],
    edits: &mut Edits,
) -> Option<ColumnType> {
    let word = word_enum.db_type.as_ref()?;
    let declared = match &word.value {
        Value::Text(declared) => read(declared)?,
        _ => return None,
    };
    let tables = given.schema.tables.values().filter_map(|table| Some((table, given.entities.get(&table.name)?)));
    let mut kinds: BTreeSet<&str> = tables
        .flat_map(|(table, entity)| entity.fields.iter().map(move |field| (table, field)))
        .filter_map(|(table, field)| match &field.meaning {
            FieldKind::Column(stored) if stored.rust.name == word_enum.name => {
                table.column(&stored.column).filter(|_| !field.attributes.has("column_type"))
            }
            _ => None,
        })
        .map(|column| column.kind.as_str())
        .collect();
    let is_new = |claim: &&&EnumColumn<'_>| {
        let field = given.entities.get(&claim.table.name).and_then(|entity| entity.field(&claim.column.name));
        field.is_none_or(|(_, _, stored)| stored.rust.name != word_enum.name)
    };
    kinds.extend(claims.iter().filter(is_new).map(|claim| claim.column.kind.as_str()));
    let mut kinds = kinds.into_iter();
    let (Some(kind), None) = (kinds.next(), kinds.next()) else { return Some(declared) };
    let expected = from_database(kind, given.backend);
    if written(&declared, given.backend).as_deref() == Some(kind) || !is_text(&expected) {
        return Some(declared);
    }
    edits.replace(word.part.clone(), format!("db_type = {:?}", spelled(&expected)));
    Some(expected)
}

/// `UserRole` for `role` of `users`.
fn new_name(claim: &EnumColumn<'_>, values: &Values, plan: &EnumPlan) -> String {
    let plain = iden_variant(&singular(&claim.table.name)) + &iden_variant(&claim.column.name);
    let is_taken = |name: &String| values.names.contains(name) || plan.exports.contains(name);
    let mut name = plain.clone();
    for number in 2.. {
        if !is_taken(&name) {
            break;
        }
        name = format!("{plain}{number}");
    }
    name
}
