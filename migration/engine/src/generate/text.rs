//! Fragments of Rust and SQL: conventional names, literals, comments.

use super::names::function;
use crate::alter_table::{quoted, tokens};
use crate::entities::identifier;
use crate::schema::expression::{portable, string_list, text_literal};
use crate::schema::{Check, Index};

/// A column of an index without its sort order.
pub(super) fn bare(column: &str) -> &str {
    column.strip_suffix(" DESC").unwrap_or(column)
}

/// `CREATE INDEX` as SQL, for indexes on expressions, which sea-query does not support on SQLite.
pub(super) fn create_index(table: &str, index: &Index) -> String {
    let unique = if index.is_unique { "UNIQUE " } else { "" };
    let name = index.name.clone().unwrap_or_else(|| conventional_name(table, &index.columns, "idx"));
    let columns: Vec<_> = index.columns.iter().map(|column| portable(column)).collect();
    let condition =
        index.predicate.iter().map(|predicate| format!(" WHERE {}", portable(predicate))).collect::<String>();
    let method = index.method.iter().map(|method| format!(" USING {method}")).collect::<String>();
    let include: Vec<_> = index.include.iter().map(|column| quoted(column)).collect();
    let include = if include.is_empty() { String::new() } else { format!(" INCLUDE ({})", include.join(", ")) };
    let (name, table, columns) = (quoted(&name), quoted(table), columns.join(", "));
    format!("CREATE {unique}INDEX {name} ON {table}{method} ({columns}){include}{condition}")
}

/// The conventional name: `<table>_<columns>_<suffix>`.
pub(super) fn conventional_name(table: &str, columns: &[String], suffix: &str) -> String {
    let columns: Vec<_> = columns.iter().map(|column| function(column)).collect();
    identifier(&format!("{table}_{}_{suffix}", columns.join("_")))
}

/// The name of a CHECK; one without a name gets that of the first word of its expression.
pub(super) fn check_name(table: &str, check: &Check) -> String {
    check.name.clone().unwrap_or_else(|| {
        let first = |text: &str| {
            tokens(text).into_iter().find_map(|token| {
                let word = crate::alter_table::bare(text.get(token)?);
                word.starts_with(|c: char| c.is_alphabetic()).then_some(word)
            })
        };
        let column = string_list(&check.expression).map(|(column, _)| column).or_else(|| first(&check.expression));
        identifier(&format!("{table}_{}_check", column.unwrap_or_else(|| "row".into())))
    })
}

/// A default as Rust code.
pub(super) fn literal(default: &str) -> String {
    let default = portable(default);
    if let Some(text) = text_literal(&default) {
        return format!("{text:?}");
    }
    let lower = default.to_ascii_lowercase();
    match lower.as_str() {
        "true" | "false" => lower,
        "current_timestamp" => "Expr::current_timestamp()".into(),
        _ if default.parse::<i32>().is_ok() => default,
        _ if default.parse::<i64>().is_ok() => format!("{default}_i64"),
        _ => format!("Expr::cust({:?})", parenthesised(&default)),
    }
}

/// The default in parentheses if it is not a literal, as SQLite requires.
pub(super) fn parenthesised(default: &str) -> String {
    if default.parse::<f64>().is_ok() { default.to_owned() } else { format!("({default})") }
}

/// A comment, in lines of limited length.
pub(super) fn comment(note: &str) -> String {
    let mut lines = vec![String::new()];
    for word in note.split_whitespace() {
        let line = lines.last_mut();
        match line {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + word.chars().count() < 104 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.iter().map(|line| format!("// {line}\n")).collect()
}

/// The name of the constant for a long text.
pub(super) fn constant_name(position: usize) -> String {
    format!("CONDITION_{}", position + 1)
}

/// A constant with a long text, over several lines.
pub(super) fn constant(position: usize, text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_inclusive(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < 100 || word == " " => line.push_str(word),
            _ => lines.push(word.to_owned()),
        }
    }
    let lines: Vec<_> = lines.iter().map(|line| line.escape_debug().to_string().replace("\\'", "'")).collect();
    format!("\nconst {}: &str = \"\\\n    {}\";\n", constant_name(position), lines.join("\\\n    "))
}
