//! Statements for native enums of PostgreSQL.

use super::statement::MigrationStatement;
use crate::alter_table::quoted;
use crate::change::Change;
use crate::schema::Schema;

/// Statements before and after those of the tables.
pub(super) struct EnumStatements {
    /// New types, and new values.
    pub(super) first: Vec<MigrationStatement>,
    /// Types with fewer values, and dropped types.
    pub(super) last: Vec<MigrationStatement>,
}

impl EnumStatements {
    pub(super) fn of(changes: &[Change], from: &Schema, to: &Schema) -> Self {
        let (mut first, mut last) = (Vec::new(), Vec::new());
        for change in changes {
            match change {
                Change::AddEnum { name, values } => {
                    first.push(MigrationStatement::OnPostgres(vec![create(name, values)]))
                }
                Change::RemoveEnum { name, .. } => {
                    last.push(MigrationStatement::OnPostgres(vec![format!("DROP TYPE {}", quoted(name))]));
                }
                Change::ModifyEnum { name, old, new } => {
                    match additions(name, old, new) {
                        // Before the columns that use them.
                        Some(_) if uses_new(old, new, to) => {
                            first.push(MigrationStatement::OnPostgres(remade(name, new, from)));
                        }
                        Some(statements) => first.push(MigrationStatement::OnPostgres(statements)),
                        None => {
                            let gone: Vec<_> = old.iter().filter(|value| !new.contains(value)).cloned().collect();
                            if !gone.is_empty() {
                                last.push(MigrationStatement::Note(format!(
                                    "Decide: this fails if a row has {}; set another value first.",
                                    gone.join(" or ")
                                )));
                            }
                            last.push(MigrationStatement::OnPostgres(remade(name, new, to)));
                        }
                    }
                }
                _ => {}
            }
        }
        Self { first, last }
    }
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn create(name: &str, values: &[String]) -> String {
    let values: Vec<_> = values.iter().map(|value| literal(value)).collect();
    format!("CREATE TYPE {} AS ENUM ({})", quoted(name), values.join(", "))
}

/// Statements that add values. None if values are removed, or have another order.
fn additions(name: &str, old: &[String], new: &[String]) -> Option<Vec<String>> {
    let kept: Vec<_> = new.iter().filter(|value| old.contains(value)).collect();
    if !kept.iter().copied().eq(old.iter()) {
        return None;
    }
    let mut statements = Vec::new();
    for (position, value) in new.iter().enumerate().filter(|(_, value)| !old.contains(value)) {
        let before = position.checked_sub(1).and_then(|before| new.get(before));
        let place = match (before, old.first()) {
            (Some(before), _) => format!(" AFTER {}", literal(before)),
            (None, Some(first)) => format!(" BEFORE {}", literal(first)),
            (None, None) => String::new(),
        };
        statements.push(format!("ALTER TYPE {} ADD VALUE {}{place}", quoted(name), literal(value)));
    }
    Some(statements)
}

/// Whether a default or a CHECK uses a new value, which PostgreSQL forbids in the transaction that adds it.
fn uses_new(old: &[String], new: &[String], to: &Schema) -> bool {
    let added: Vec<_> = new.iter().filter(|value| !old.contains(value)).map(|value| literal(value)).collect();
    let tables = to.tables.values();
    let mut expressions = tables.flat_map(|table| {
        let defaults = table.columns.iter().filter_map(|column| column.default.as_ref());
        defaults.chain(table.checks.iter().map(|check| &check.expression))
    });
    expressions.any(|expression| added.iter().any(|value| expression.contains(value.as_str())))
}

/// PostgreSQL cannot remove a value: the type is made again, and its columns are converted.
fn remade(name: &str, values: &[String], schema: &Schema) -> Vec<String> {
    let (old, kind) = (quoted(&format!("{name}_old")), quoted(name));
    let mut statements = vec![format!("ALTER TYPE {kind} RENAME TO {old}"), create(name, values)];
    let columns = schema.tables.values().flat_map(|table| table.columns.iter().map(move |column| (table, column)));
    for (table, column) in columns {
        let array = match column.kind.strip_prefix(name) {
            Some(array @ ("" | "[]")) => array,
            _ => continue,
        };
        let alter = format!("ALTER TABLE {} ALTER COLUMN {}", quoted(&table.name), quoted(&column.name));
        if column.default_value().is_some() {
            statements.push(format!("{alter} DROP DEFAULT"));
        }
        let using = format!("{}::text{array}::{kind}{array}", quoted(&column.name));
        statements.push(format!("{alter} TYPE {kind}{array} USING {using}"));
        if let Some(default) = column.default_value() {
            statements.push(format!("{alter} SET DEFAULT {}", crate::schema::expression::portable(default)));
        }
    }
    statements.push(format!("DROP TYPE {old}"));
    statements
}
