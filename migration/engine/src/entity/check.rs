//! CHECK constraints in the `extra` arguments of fields.

use std::collections::{BTreeMap, BTreeSet};

use super::attribute::Choice;
use super::source::{Entity, FieldKind};
use crate::alter_table::{bare, quoted, tokens};
use crate::schema::expression::{mentions, normal, portable};
use crate::schema::{Check, Column, Table};

/// A parsed `extra` argument.
#[derive(Debug, Default)]
pub(super) struct Extra {
    pub(super) checks: Vec<CheckClause>,
    /// Everything that is not a CHECK.
    pub(super) rest: String,
}

#[derive(Debug)]
pub(super) struct CheckClause {
    name: Option<String>,
    expression: String,
    /// The source text.
    text: String,
}

impl Extra {
    pub(super) fn read(extra: &str) -> Self {
        let tokens = tokens(extra);
        let token_text =
            |position: usize| tokens.get(position).and_then(|token| extra.get(token.clone())).unwrap_or_default();
        let between = |from: usize, to: usize| extra.get(from..to).unwrap_or_default().trim().to_owned();
        let (mut read, mut rest, mut position) = (Self::default(), Vec::new(), 0);
        while let Some(first) = tokens.get(position) {
            let is_named = token_text(position).eq_ignore_ascii_case("CONSTRAINT");
            let check = if is_named { position + 2 } else { position };
            let close = closing(&token_text, check + 1, tokens.len());
            match (tokens.get(check + 1), tokens.get(close)) {
                (Some(open), Some(last))
                    if token_text(check).eq_ignore_ascii_case("CHECK") && token_text(check + 1) == "(" =>
                {
                    read.checks.push(CheckClause {
                        name: is_named.then(|| bare(token_text(position + 1))),
                        expression: between(open.end, last.start),
                        text: between(first.start, last.end),
                    });
                    position = close + 1;
                }
                _ => {
                    rest.push(token_text(position));
                    position += 1;
                }
            }
        }
        read.rest = rest.join(" ");
        read
    }
}

/// The position of the closing parenthesis.
fn closing<'a>(token_text: &impl Fn(usize) -> &'a str, open: usize, end: usize) -> usize {
    let mut depth = 0_usize;
    for position in open..end {
        match token_text(position) {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return position;
        }
    }
    end
}

impl CheckClause {
    /// Whether it is this CHECK. SQLite allows CHECKs without a name; PostgreSQL truncates long
    /// names.
    fn is(&self, check: &Check) -> bool {
        match (&self.name, &check.name) {
            (Some(existing), Some(name)) => existing == name || name.len() >= 60 && existing.starts_with(name.as_str()),
            _ => is_same_expression(&self.expression, &check.expression),
        }
    }
}

/// Whether two expressions are equivalent. PostgreSQL adds the casts between number types that it
/// does implicitly.
pub(super) fn is_same_expression(left: &str, right: &str) -> bool {
    let (left, right) = (normal(left), normal(right));
    left == right || normal(&without_casts(&left)) == normal(&without_casts(&right))
}

fn without_casts(sql: &str) -> String {
    let tokens = tokens(sql);
    let token_text =
        |position: usize| tokens.get(position).and_then(|token| sql.get(token.clone())).unwrap_or_default();
    let (mut kept, mut end) = (String::with_capacity(sql.len()), 0);
    for (position, token) in tokens.iter().enumerate() {
        let kind = token_text(position + 2);
        let is_number = ["integer", "int", "bigint", "smallint", "numeric", "real", "double"].contains(&kind);
        let before = position.checked_sub(1).map(token_text).unwrap_or_default();
        // Without its cast, a literal may have another value.
        let is_literal = before.starts_with(|c: char| c == '\'' || c.is_ascii_digit());
        if is_number && !is_literal && token_text(position) == ":" && token_text(position + 1) == ":" {
            let last = if kind == "double" { position + 3 } else { position + 2 };
            kept.push_str(sql.get(end..token.start).unwrap_or_default());
            end = tokens.get(last).map_or(sql.len(), |token| token.end);
        }
    }
    kept.push_str(sql.get(end..).unwrap_or_default());
    kept
}

/// The column whose field declares a CHECK.
fn declaring_column<'a>(entity: &'a Entity, check: &Check) -> Option<&'a str> {
    entity.fields.iter().find_map(|field| match &field.kind {
        FieldKind::Column(stored) => {
            let extra = Extra::read(field.attributes.text("extra")?);
            extra.checks.iter().any(|clause| clause.is(check)).then_some(stored.column.as_str())
        }
        _ => None,
    })
}

pub(super) fn is_declared(entity: &Entity, check: &Check) -> bool {
    declaring_column(entity, check).is_some()
}

/// The CHECKs that fields declare, by column, without those that follow from enums. Each stays
/// where it is declared; a new one is declared at the last column that it mentions.
pub(super) fn by_column<'a>(
    table: &'a Table,
    entity: &Entity,
    covered: &BTreeSet<(String, usize)>,
) -> BTreeMap<&'a str, Vec<&'a Check>> {
    let mut checks: BTreeMap<&str, Vec<&Check>> = BTreeMap::new();
    for (position, check) in table.checks.iter().enumerate() {
        if covered.contains(&(table.name.clone(), position)) {
            continue;
        }
        let existing = declaring_column(entity, check).and_then(|column| table.column(column));
        if let Some(column) = existing.or_else(|| last_mentioned(table, &check.expression)) {
            checks.entry(column.name.as_str()).or_default().push(check);
        }
    }
    checks
}

fn last_mentioned<'a>(table: &'a Table, expression: &str) -> Option<&'a Column> {
    table.columns.iter().rev().find(|column| mentions(expression, &column.name)).or(table.columns.first())
}

/// Decides about the `extra` argument of a field.
pub(super) fn choose(existing: Option<&str>, wanted: &[&Check], table: &str, column: &str) -> Choice {
    let existing = existing.map(Extra::read).unwrap_or_default();
    let stays = |clause: &&CheckClause| {
        wanted.iter().any(|check| clause.is(check) && is_same_expression(&clause.expression, &check.expression))
    };
    let is_new = |check: &&&Check| {
        !existing
            .checks
            .iter()
            .any(|clause| clause.is(check) && is_same_expression(&clause.expression, &check.expression))
    };
    let kept: Vec<_> = existing.checks.iter().filter(stays).map(|clause| clause.text.clone()).collect();
    let new = wanted.iter().filter(is_new).enumerate();
    let new: Vec<_> = new.map(|(position, check)| write(check, position, table, column)).collect();
    if new.is_empty() && kept.len() == existing.checks.len() {
        return Choice::Keep;
    }
    let all: Vec<_> = std::iter::once(existing.rest).filter(|rest| !rest.is_empty()).chain(kept).chain(new).collect();
    if all.is_empty() { Choice::Drop } else { Choice::Set(format!("extra = {:?}", all.join(" "))) }
}

fn write(check: &Check, position: usize, table: &str, column: &str) -> String {
    let name = match (&check.name, position) {
        (Some(name), _) => name.clone(),
        (None, 0) => format!("{table}_{column}_check"),
        (None, position) => format!("{table}_{column}_check{position}"),
    };
    let is_plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    let name = if is_plain { name } else { quoted(&name) };
    format!("CONSTRAINT {name} CHECK ({})", portable(&check.expression))
}
