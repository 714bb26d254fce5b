//! A column as a field of a model.

use sea_orm::sea_query::ColumnType;

use super::attribute::{Attributes, Choice, Rewrite, Value};
use super::context::Context;
use super::index::Indexing;
use super::source::{Field, RustType};
use super::text::{Edits, remove};
use super::{check, defaults, rust_type};
use crate::generate::types::from_database;
use crate::schema::{Check, Column, Table};

/// Facts about a column that its field depends on.
#[derive(Debug)]
pub(super) struct ColumnFacts<'a> {
    pub(super) table: &'a Table,
    pub(super) column: &'a Column,
    pub(super) indexing: &'a Indexing,
    pub(super) checks: &'a [&'a Check],
    /// The enum with the values of the column.
    pub(super) enum_name: Option<&'a str>,
}

/// The field that a column needs.
#[derive(Debug)]
pub(super) struct Written {
    /// The arguments of its attribute.
    pub(super) arguments: Vec<String>,
    pub(super) rust: RustType,
    /// The existing attribute is equivalent.
    pub(super) is_unchanged: bool,
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

/// Whether a column is nullable. A column of the primary key never is, although SQLite allows NULL
/// there.
pub(super) fn is_nullable(table: &Table, column: &Column) -> bool {
    let key = table.primary_key.as_ref();
    !column.not_null && !key.is_some_and(|key| key.columns.contains(&column.name))
}

/// The field of a column: a new one, or the existing one with its changes.
pub(super) fn write(
    context: &Context<'_>,
    facts: &ColumnFacts<'_>,
    known: Option<(&RustType, &Attributes)>,
) -> Written {
    let nothing = Attributes::default();
    let existing = known.map_or(&nothing, |(_, existing)| existing);
    let column = facts.column;
    let kind = rust_type::choose(context, &column.kind, facts.enum_name, known);
    let is_flag = from_database(&column.kind, context.backend) == ColumnType::Boolean;
    let default = defaults::choose(existing, column.default.as_deref(), is_flag);
    let (is_optional, nullable) = nullability(facts, known, &kind.column_type);
    let is_unique = facts.indexing.unique.contains(&column.name);
    // Beside `unique`, `indexed` has no effect.
    let is_idle = is_unique && existing.has("unique") && existing.has("indexed");

    let mut rewrite = Rewrite::new(existing);
    rewrite.choose(&["column_name"], Choice::Keep);
    rewrite.flag("primary_key", facts.is_key());
    rewrite.choose(&["auto_increment"], counter(facts, known));
    rewrite.choose(&["column_type"], kind.column_type);
    rewrite.choose(&["nullable"], nullable);
    rewrite.flag("unique", is_unique);
    rewrite.flag("indexed", is_idle || facts.indexing.indexed.contains(&column.name));
    rewrite.keep_where("unique_key", |argument| match &argument.value {
        Value::Text(group) => facts.indexing.groups.contains(group),
        _ => true,
    });
    if let Some(group) = facts.indexing.new_groups.get(&column.name) {
        rewrite.add(format!("unique_key = {group:?}"));
    }
    rewrite.choose(&["default_value", "default_expr"], default.choice);
    let extra = check::choose(existing.text("extra"), facts.checks, &facts.table.name, &column.name);
    rewrite.choose(&["extra"], extra);
    let mut notes = notes(facts, existing);
    if default.is_unreadable {
        notes.push("its `default_expr` cannot be compared with the default in the database".into());
    }
    if kind.is_unknown {
        notes.push(format!("no Rust type is known for {}", column.kind));
    }
    let (arguments, is_unchanged) = rewrite.finish();
    let position = format!("{}.{}", facts.table.name, column.name);
    let notes = notes.into_iter().map(|note| format!("{position}: {note}")).collect();
    Written { arguments, rust: RustType { name: kind.rust, is_optional }, is_unchanged, notes }
}

/// Whether the type is an `Option`, and the decision about `nullable`, which is only needed with
/// `column_type`.
fn nullability(
    facts: &ColumnFacts<'_>,
    known: Option<(&RustType, &Attributes)>,
    column_type: &Choice,
) -> (bool, Choice) {
    if !is_nullable(facts.table, facts.column) {
        return (false, Choice::Drop);
    }
    let is_optional = known.is_some_and(|(rust, _)| rust.is_optional);
    let has_nullable = known.is_some_and(|(_, existing)| existing.has("nullable"));
    let has_type = known.is_some_and(|(_, existing)| existing.has("column_type"));
    let nullable = match (has_nullable, is_optional, column_type) {
        (true, ..) | (_, _, Choice::Drop) | (_, true, Choice::Keep) => Choice::Keep,
        (false, false, Choice::Keep) if !has_type => Choice::Keep,
        _ => Choice::Set("nullable".into()),
    };
    // A nullable type other than `Option` is marked by the attribute alone.
    (is_optional || !has_nullable, nullable)
}

/// Decides about `auto_increment`. In SeaORM the only column of a primary key is AUTOINCREMENT by
/// default, unless it is a text or a UUID.
fn counter(facts: &ColumnFacts<'_>, known: Option<(&RustType, &Attributes)>) -> Choice {
    if !facts.is_key() {
        return Choice::Drop;
    }
    let off = Choice::Set("auto_increment = false".into());
    let existing = known.filter(|(_, existing)| existing.has("primary_key"));
    let counts = |rust: &RustType, existing: &Attributes| match existing.get("auto_increment") {
        Some(argument) => argument.value == Value::Flag(true),
        None => !rust.name.ends_with("String") && !rust.name.ends_with("Uuid"),
    };
    match (facts.key().len(), existing) {
        (2.., Some(_)) => Choice::Keep,
        (_, Some((rust, existing))) if counts(rust, existing) == facts.column.is_counter => Choice::Keep,
        (0 | 1, _) if facts.column.is_counter => Choice::Drop,
        _ => off,
    }
}

/// What no attribute can express.
fn notes(facts: &ColumnFacts<'_>, existing: &Attributes) -> Vec<String> {
    let extra = existing.text("extra").unwrap_or_default().to_uppercase();
    let column = facts.column;
    let mut notes = Vec::new();
    if column.generated.is_some() && !extra.contains("GENERATED") {
        notes.push("declare by hand in `extra` that it is generated".into());
    }
    let collation = column.collation.as_deref().filter(|collation| !["C", "BINARY"].contains(collation));
    if let Some(collation) = collation.filter(|_| !extra.contains("COLLATE")) {
        notes.push(format!("declare its collation {collation} by hand in `extra`"));
    }
    if column.is_counter && !facts.is_key() {
        notes.push("auto-increment can only be declared for a primary key".into());
    }
    notes
}

impl RustType {
    pub(super) fn text(&self) -> String {
        if self.is_optional { format!("Option<{}>", self.name) } else { self.name.clone() }
    }
}

/// Edits a field to the given type and attribute. Its comments and other attributes stay.
pub(super) fn correct(text: &str, edits: &mut Edits, field: &Field, rust: &RustType, written: &Written) {
    if !written.is_unchanged {
        rewrite_attribute(text, edits, field, &written.arguments);
    }
    if *rust != written.rust {
        edits.replace(field.type_range.clone(), written.rust.text());
    }
}

/// Replaces the `sea_orm` attributes of a field by one with these arguments.
pub(super) fn rewrite_attribute(text: &str, edits: &mut Edits, field: &Field, arguments: &[String]) {
    let new = (!arguments.is_empty()).then(|| format!("#[sea_orm({})]", arguments.join(", ")));
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
