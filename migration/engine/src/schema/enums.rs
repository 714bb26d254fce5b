//! Native enums of PostgreSQL: read from statements.

use super::model::Schema;
use crate::alter_table::{bare, tokens};
use crate::schema::expression::text_literal;

/// Carries out a CREATE TYPE, ALTER TYPE or DROP TYPE. Returns false for any other statement.
pub(super) fn carry_out(schema: &mut Schema, statement: &str) -> bool {
    let words: Vec<&str> = tokens(statement).into_iter().filter_map(|token| statement.get(token)).collect();
    let is =
        |position: usize, keyword: &str| words.get(position).is_some_and(|word| word.eq_ignore_ascii_case(keyword));
    if !is(1, "TYPE") {
        return false;
    }
    let mut rest = words.get(2..).unwrap_or_default();
    while let [first, second, others @ ..] = rest
        && first.eq_ignore_ascii_case("IF")
        && (second.eq_ignore_ascii_case("EXISTS") || second.eq_ignore_ascii_case("NOT"))
    {
        rest = others;
    }
    if is(0, "CREATE") {
        let is_enum = rest.iter().any(|word| word.eq_ignore_ascii_case("ENUM"));
        if let (Some(name), true) = (name(rest), is_enum) {
            schema.enums.insert(name, literals(rest));
        }
    } else if is(0, "ALTER") {
        alter(schema, rest);
    } else if is(0, "DROP") {
        for part in rest.split(|word| *word == ",") {
            schema.enums.remove(&name(part).unwrap_or_default());
        }
    } else {
        return false;
    }
    true
}

fn alter(schema: &mut Schema, rest: &[&str]) {
    let Some(name) = name(rest) else { return };
    let has = |keyword: &str| rest.iter().any(|word| word.eq_ignore_ascii_case(keyword));
    let literals = literals(rest);
    if has("RENAME") && !has("VALUE") {
        let new = rest.iter().rev().find(|word| **word != ";").map(|word| folded(word)).unwrap_or_default();
        if let Some(values) = schema.enums.remove(&name) {
            schema.enums.insert(new.clone(), values);
        }
        let columns = schema.tables.values_mut().flat_map(|table| &mut table.columns);
        columns.filter(|column| column.kind == name).for_each(|column| new.clone_into(&mut column.kind));
        return;
    }
    let Some(values) = schema.enums.get_mut(&name) else { return };
    match literals.as_slice() {
        [old, new] if has("RENAME") => {
            values.iter_mut().filter(|value| *value == old).for_each(|value| new.clone_into(value));
        }
        [value, ..] if values.contains(value) => {}
        [value, beside] => {
            let position = values.iter().position(|known| known == beside).unwrap_or(values.len());
            values.insert(position + usize::from(has("AFTER") && position < values.len()), value.clone());
        }
        [value] => values.push(value.clone()),
        _ => {}
    }
}

/// The values of `CREATE TYPE … AS ENUM (…)`.
pub(super) fn values(statement: &str) -> Vec<String> {
    let words: Vec<&str> = tokens(statement).into_iter().filter_map(|token| statement.get(token)).collect();
    literals(&words)
}

/// The name of the type that a `CREATE TYPE` creates.
pub(super) fn created(statement: &str) -> Option<String> {
    let words: Vec<&str> = tokens(statement).into_iter().filter_map(|token| statement.get(token)).collect();
    name(words.get(2..)?)
}

fn literals(words: &[&str]) -> Vec<String> {
    words.iter().filter_map(|word| literal(word)).collect()
}

/// A string, perhaps with backslash escapes.
fn literal(word: &str) -> Option<String> {
    let Some(escaped) = word.strip_prefix(['e', 'E']).filter(|rest| rest.starts_with('\'')) else {
        return text_literal(word).filter(|_| word.starts_with('\''));
    };
    let mut text = String::new();
    let mut characters = escaped.strip_prefix('\'')?.strip_suffix('\'')?.chars();
    while let Some(character) = characters.next() {
        text.extend(if character == '\\' { characters.next() } else { Some(character) });
    }
    Some(text)
}

/// A name without its schema.
fn name(words: &[&str]) -> Option<String> {
    match words {
        [_, dot, name, ..] if *dot == "." => Some(folded(name)),
        [name, ..] => Some(folded(name)),
        [] => None,
    }
}

fn folded(word: &str) -> String {
    if word.starts_with('"') { bare(word) } else { word.to_lowercase() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_created_changed_and_dropped() {
        let mut schema = Schema::default();
        for statement in [
            "CREATE TYPE \"mood\" AS ENUM ('sad', E'it\\'s ok')",
            "CREATE TYPE other AS ENUM ('x')",
            "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'happy' AFTER 'sad'",
            "ALTER TYPE mood ADD VALUE 'last'",
            "ALTER TYPE mood ADD VALUE 'first' BEFORE 'sad'",
            "ALTER TYPE public.mood RENAME VALUE 'last' TO 'end'",
            "ALTER TYPE mood RENAME TO feeling",
            "DROP TYPE IF EXISTS other",
        ] {
            assert!(carry_out(&mut schema, statement), "{statement}");
        }
        assert!(!carry_out(&mut schema, "CREATE TABLE type (id int)"));
        let expected = ["first", "sad", "happy", "it's ok", "end"].map(ToOwned::to_owned).to_vec();
        assert_eq!(schema.enums, [("feeling".to_owned(), expected)].into());
    }
}
