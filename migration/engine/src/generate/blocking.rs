//! Blocking statements: comments that say what makes readers or writers of a table wait on PostgreSQL, and how to avoid it on a
//! large table. They equal the findings of squawk (`tests/squawk`).

use crate::schema::{Column, ForeignKey};

pub(super) fn index(table: &str) -> String {
    format!(
        "On PostgreSQL, writers of {table} wait while the index is built; if the table is large, create it CONCURRENTLY in a \
         migration without a transaction."
    )
}

pub(super) fn unique(table: &str) -> String {
    format!(
        "On PostgreSQL, readers and writers of {table} wait while the index is built; if the table is large, create a unique \
         index CONCURRENTLY first, and make the constraint USING it."
    )
}

pub(super) fn foreign_key(table: &str, key: &ForeignKey) -> String {
    let tables = if key.table == table { table.to_owned() } else { format!("{table} and {}", key.table) };
    format!(
        "On PostgreSQL, writers of {tables} wait while all rows of {table} are checked; if there are many, add the key NOT VALID, \
         and validate it in a later migration."
    )
}

pub(super) fn check(table: &str) -> String {
    format!(
        "On PostgreSQL, readers and writers of {table} wait while its rows are checked; if there are many, add the CHECK NOT \
         VALID, and validate it in a later migration."
    )
}

pub(super) fn not_null(table: &str, column: &str) -> String {
    format!(
        "On PostgreSQL, readers and writers of {table} wait while its rows are read; if there are many, add and validate a CHECK \
         ({column} IS NOT NULL) first."
    )
}

/// A column that is added with a value for each row.
pub(super) fn new_column(table: &str) -> String {
    format!("On PostgreSQL, readers and writers of {table} wait while the table is rewritten with the new column.")
}

pub(super) fn changed_type(table: &str, old: &Column, new: &Column) -> String {
    if is_kept(&old.kind, &new.kind) {
        return format!("On PostgreSQL, the type of {table}.{} changes without a rewrite of the table.", new.name);
    }
    format!(
        "On PostgreSQL, readers and writers of {table} wait while the table is rewritten with the new type; if it is large, add \
         another column, and fill it in parts."
    )
}

/// Whether PostgreSQL stores values of both types in the same form, and need not check them.
fn is_kept(old: &str, new: &str) -> bool {
    let limit = |kind: &str| {
        let rest = kind.strip_prefix("character varying").or_else(|| kind.strip_prefix("varchar"))?;
        let length = rest.trim_matches(['(', ')']);
        Some(if length.is_empty() { u32::MAX } else { length.parse().ok()? })
    };
    let limit = |kind: &str| if kind == "text" { Some(u32::MAX) } else { limit(kind) };
    matches!((limit(old), limit(new)), (Some(old), Some(new)) if old <= new)
}

#[cfg(test)]
mod tests {
    use super::is_kept;

    #[test]
    fn longer_texts_are_not_rewritten() {
        for (old, new, expected) in [
            ("character varying(10)", "character varying(20)", true),
            ("character varying(10)", "text", true),
            ("text", "character varying", true),
            ("text", "character varying(20)", false),
            ("character varying(20)", "character varying(10)", false),
            ("integer", "bigint", false),
            ("integer", "text", false),
        ] {
            assert_eq!(is_kept(old, new), expected, "{old} {new}");
        }
    }
}
