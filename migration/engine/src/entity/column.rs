//! Column: the field that describes a column of the database.

use sea_orm::sea_query::ColumnType;

use super::Context;
use super::attribute::{Attributes, Choice, Rewrite, Value};
use super::index::Indexing;
use super::source::{Field, RustType};
use super::text::{Edits, remove};
use super::{check, defaults, rust_type};
use crate::generate::types::from_database;
use crate::schema::{Check, Column, Table};

/// The requirements of a field.
#[derive(Debug)]
pub(super) struct ColumnFacts<'a> {
    pub(super) table: &'a Table,
    pub(super) column: &'a Column,
    pub(super) indexing: &'a Indexing,
    pub(super) checks: &'a [&'a Check],
    /// The enum of its values.
    pub(super) words: Option<&'a str>,
}

/// The field as it must be.
#[derive(Debug)]
pub(super) struct Written {
    /// The new attribute.
    pub(super) words: Vec<String>,
    pub(super) rust: RustType,
    /// Whether the attribute is unchanged.
    pub(super) is_said: bool,
    pub(super) notes: Vec<String>,
}

impl ColumnFacts<'_> {
    fn key(&self) -> &[String] {
        self.table.primary_key.as_ref().map(|key| key.columns.as_slice()).unwrap_or_default()
    }

    fn is_key(&self) -> bool {
        self.key().contains(&self.column.name)
    }
}

/// A column of the key is never nullable, even if SQLite allows NULL.
pub(super) fn is_nullable(table: &Table, column: &Column) -> bool {
    let key = table.primary_key.as_ref();
    !column.not_null && !key.is_some_and(|key| key.columns.contains(&column.name))
}

/// The field of a column: a new one, or the existing one with its attributes.
pub(super) fn write(
    context: &Context<'_>,
    facts: &ColumnFacts<'_>,
    known: Option<(&RustType, &Attributes)>,
) -> Written {
    let nothing = Attributes::default();
    let said = known.map_or(&nothing, |(_, said)| said);
    let column = facts.column;
    let kind = rust_type::choose(context, &column.kind, facts.words, known);
    let is_flag = from_database(&column.kind, context.backend) == ColumnType::Boolean;
    let default = defaults::choose(said, column.default.as_deref(), is_flag);
    let (is_optional, nullable) = nullability(facts, known, &kind.column_type);
    let is_unique = facts.indexing.unique.contains(&column.name);
    // Redundant with `unique`.
    let is_idle = is_unique && said.has("unique") && said.has("indexed");

    let mut words = Rewrite::new(said);
    words.choose(&["column_name"], Choice::Keep);
    words.flag("primary_key", facts.is_key());
    words.choose(&["auto_increment"], counter(facts, known));
    words.choose(&["column_type"], kind.column_type);
    words.choose(&["nullable"], nullable);
    words.flag("unique", is_unique);
    words.flag("indexed", is_idle || facts.indexing.indexed.contains(&column.name));
    words.keep_where("unique_key", |word| match &word.value {
        Value::Text(group) => facts.indexing.groups.contains(group),
        _ => true,
    });
    words.choose(&["default_value", "default_expr"], default.choice);
    let extra = check::choose(said.text("extra"), facts.checks, &facts.table.name, &column.name);
    words.choose(&["extra"], extra);
    let mut notes = notes(facts, said);
    if default.is_unclear {
        notes.push("its `default_expr` cannot be compared with the default that it has".into());
    }
    if kind.is_strange {
        notes.push(format!("no type of Rust's is known for {}", column.kind));
    }
    let (words, is_said) = words.finish();
    let place = format!("{}.{}", facts.table.name, column.name);
    let notes = notes.into_iter().map(|note| format!("{place}: {note}")).collect();
    Written { words, rust: RustType { name: kind.rust, is_optional }, is_said, notes }
}

/// Whether the type is an `Option`, and the value of `nullable`, which goes with `column_type`.
fn nullability(
    facts: &ColumnFacts<'_>,
    known: Option<(&RustType, &Attributes)>,
    column_type: &Choice,
) -> (bool, Choice) {
    if !is_nullable(facts.table, facts.column) {
        return (false, Choice::Drop);
    }
    let is_optional = known.is_some_and(|(rust, _)| rust.is_optional);
    let is_told = known.is_some_and(|(_, said)| said.has("nullable"));
    let has_type = known.is_some_and(|(_, said)| said.has("column_type"));
    let nullable = match (is_told, is_optional, column_type) {
        (true, ..) | (_, _, Choice::Drop) | (_, true, Choice::Keep) => Choice::Keep,
        (false, false, Choice::Keep) if !has_type => Choice::Keep,
        _ => Choice::Set("nullable".into()),
    };
    // A type that is nullable without `Option` has only the attribute.
    (is_optional || !is_told, nullable)
}

/// The value of `auto_increment`. By default SeaORM makes a key of one column a counter, unless it is text or a UUID.
fn counter(facts: &ColumnFacts<'_>, known: Option<(&RustType, &Attributes)>) -> Choice {
    if !facts.is_key() {
        return Choice::Drop;
    }
    let off = Choice::Set("auto_increment = false".into());
    let said = known.filter(|(_, said)| said.has("primary_key"));
    let counts = |rust: &RustType, said: &Attributes| match said.get("auto_increment") {
        Some(word) => word.value == Value::Flag(true),
        None => !rust.name.ends_with("String") && !rust.name.ends_with("Uuid"),
    };
    match (facts.key().len(), said) {
        (2.., Some(_)) => Choice::Keep,
        (_, Some((rust, said))) if counts(rust, said) == facts.column.is_counter => Choice::Keep,
        (0 | 1, _) if facts.column.is_counter => Choice::Drop,
        _ => off,
    }
}

/// Notes about properties that no attribute can express.
fn notes(facts: &ColumnFacts<'_>, said: &Attributes) -> Vec<String> {
    let extra = said.text("extra").unwrap_or_default().to_uppercase();
    let column = facts.column;
    let mut notes = Vec::new();
    if column.generated.is_some() && !extra.contains("GENERATED") {
        notes.push("that it is generated has to be said by hand, in `extra`".into());
    }
    let collation = column.collation.as_deref().filter(|collation| !["C", "BINARY"].contains(collation));
    if let Some(collation) = collation.filter(|_| !extra.contains("COLLATE")) {
        notes.push(format!("that it is sorted by {collation} has to be said by hand, in `extra`"));
    }
    if column.is_counter && !facts.is_key() {
        notes.push("that it counts cannot be said, as it is no key".into());
    }
    notes
}

impl RustType {
    pub(super) fn text(&self) -> String {
        if self.is_optional { format!("Option<{}>", self.name) } else { self.name.clone() }
    }
}

/// Updates a field. Its comments and other attributes stay.
pub(super) fn correct(text: &str, edits: &mut Edits, field: &Field, rust: &RustType, written: &Written) {
    if !written.is_said {
        rewrite_attribute(text, edits, field, &written.words);
    }
    if *rust != written.rust {
        edits.replace(field.kind.clone(), written.rust.text());
    }
}

/// Writes one attribute with these arguments.
pub(super) fn rewrite_attribute(text: &str, edits: &mut Edits, field: &Field, words: &[String]) {
    let new = (!words.is_empty()).then(|| format!("#[sea_orm({})]", words.join(", ")));
    let Some((first, others)) = field.attributes.parts.split_first() else {
        if let Some(new) = new {
            edits.insert(field.start, format!("{new}\n    "));
        }
        return;
    };
    match new {
        Some(new) => edits.replace(first.clone(), new),
        None => remove(text, edits, first.clone()),
    }
    for other in others {
        remove(text, edits, other.clone());
    }
}
