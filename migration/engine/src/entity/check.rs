//! CHECKs in the `extra` of fields.

use std::collections::{BTreeMap, BTreeSet};

use super::attribute::Choice;
use super::source::{Entity, FieldKind};
use crate::alter_table::{bare, quoted, tokens};
use crate::schema::expression::{mentions, normal, portable};
use crate::schema::{Check, Column, Table};

/// The parts of an `extra`.
#[derive(Debug, Default)]
pub(super) struct Extra {
    pub(super) checks: Vec<Piece>,
    /// Everything besides CHECKs.
    pub(super) rest: String,
}

#[derive(Debug)]
pub(super) struct Piece {
    name: Option<String>,
    expression: String,
    /// The text.
    text: String,
}

impl Extra {
    pub(super) fn read(extra: &str) -> Self {
        let tokens = tokens(extra);
        let word = |place: usize| tokens.get(place).and_then(|token| extra.get(token.clone())).unwrap_or_default();
        let between = |from: usize, to: usize| extra.get(from..to).unwrap_or_default().trim().to_owned();
        let (mut read, mut rest, mut place) = (Self::default(), Vec::new(), 0);
        while let Some(first) = tokens.get(place) {
            let is_named = word(place).eq_ignore_ascii_case("CONSTRAINT");
            let check = if is_named { place + 2 } else { place };
            let close = closing(&word, check + 1, tokens.len());
            match (tokens.get(check + 1), tokens.get(close)) {
                (Some(open), Some(last)) if word(check).eq_ignore_ascii_case("CHECK") && word(check + 1) == "(" => {
                    read.checks.push(Piece {
                        name: is_named.then(|| bare(word(place + 1))),
                        expression: between(open.end, last.start),
                        text: between(first.start, last.end),
                    });
                    place = close + 1;
                }
                _ => {
                    rest.push(word(place));
                    place += 1;
                }
            }
        }
        read.rest = rest.join(" ");
        read
    }
}

/// The position of the closing parenthesis.
fn closing<'a>(word: &impl Fn(usize) -> &'a str, open: usize, end: usize) -> usize {
    let mut depth = 0_usize;
    for place in open..end {
        match word(place) {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return place;
        }
    }
    end
}

impl Piece {
    /// On SQLite a CHECK may have no name; PostgreSQL truncates long names.
    fn is(&self, check: &Check) -> bool {
        match (&self.name, &check.name) {
            (Some(said), Some(name)) => said == name || name.len() >= 60 && said.starts_with(name.as_str()),
            _ => is_same_expression(&self.expression, &check.expression),
        }
    }
}

/// Whether two expressions are equivalent. PostgreSQL writes implicit casts between numbers.
pub(super) fn is_same_expression(left: &str, right: &str) -> bool {
    let (left, right) = (normal(left), normal(right));
    left == right || normal(&without_casts(&left)) == normal(&without_casts(&right))
}

fn without_casts(sql: &str) -> String {
    let tokens = tokens(sql);
    let word = |place: usize| tokens.get(place).and_then(|token| sql.get(token.clone())).unwrap_or_default();
    let (mut kept, mut end) = (String::with_capacity(sql.len()), 0);
    for (place, token) in tokens.iter().enumerate() {
        let kind = word(place + 2);
        let is_number = ["integer", "int", "bigint", "smallint", "numeric", "real", "double"].contains(&kind);
        let before = place.checked_sub(1).map(word).unwrap_or_default();
        // The cast of a literal may change its value.
        let is_literal = before.starts_with(|c: char| c == '\'' || c.is_ascii_digit());
        if is_number && !is_literal && word(place) == ":" && word(place + 1) == ":" {
            let last = if kind == "double" { place + 3 } else { place + 2 };
            kept.push_str(sql.get(end..token.start).unwrap_or_default());
            end = tokens.get(last).map_or(sql.len(), |token| token.end);
        }
    }
    kept.push_str(sql.get(end..).unwrap_or_default());
    kept
}

/// The column whose field has a CHECK.
fn holder<'a>(entity: &'a Entity, check: &Check) -> Option<&'a str> {
    entity.fields.iter().find_map(|field| match &field.meaning {
        FieldKind::Column(stored) => {
            let extra = Extra::read(field.attributes.text("extra")?);
            extra.checks.iter().any(|piece| piece.is(check)).then_some(stored.column.as_str())
        }
        _ => None,
    })
}

pub(super) fn is_said(entity: &Entity, check: &Check) -> bool {
    holder(entity, check).is_some()
}

/// The CHECKs of fields by column, without those of enums: each at the field that has it already, else at the last
/// column that it mentions.
pub(super) fn by_column<'a>(
    table: &'a Table,
    entity: &Entity,
    carried: &BTreeSet<(String, usize)>,
) -> BTreeMap<&'a str, Vec<&'a Check>> {
    let mut checks: BTreeMap<&str, Vec<&Check>> = BTreeMap::new();
    for (place, check) in table.checks.iter().enumerate() {
        if carried.contains(&(table.name.clone(), place)) {
            continue;
        }
        let said = holder(entity, check).and_then(|column| table.column(column));
        if let Some(column) = said.or_else(|| last_mentioned(table, &check.expression)) {
            checks.entry(column.name.as_str()).or_default().push(check);
        }
    }
    checks
}

fn last_mentioned<'a>(table: &'a Table, expression: &str) -> Option<&'a Column> {
    table.columns.iter().rev().find(|column| mentions(expression, &column.name)).or(table.columns.first())
}

/// The new value of an `extra`.
pub(super) fn choose(said: Option<&str>, wanted: &[&Check], table: &str, column: &str) -> Choice {
    let said = said.map(Extra::read).unwrap_or_default();
    let stays = |piece: &&Piece| {
        wanted.iter().any(|check| piece.is(check) && is_same_expression(&piece.expression, &check.expression))
    };
    let is_new = |check: &&&Check| {
        !said.checks.iter().any(|piece| piece.is(check) && is_same_expression(&piece.expression, &check.expression))
    };
    let kept: Vec<_> = said.checks.iter().filter(stays).map(|piece| piece.text.clone()).collect();
    let new = wanted.iter().filter(is_new).enumerate();
    let new: Vec<_> = new.map(|(place, check)| write(check, place, table, column)).collect();
    if new.is_empty() && kept.len() == said.checks.len() {
        return Choice::Keep;
    }
    let all: Vec<_> = std::iter::once(said.rest).filter(|rest| !rest.is_empty()).chain(kept).chain(new).collect();
    if all.is_empty() { Choice::Drop } else { Choice::Set(format!("extra = {:?}", all.join(" "))) }
}

fn write(check: &Check, place: usize, table: &str, column: &str) -> String {
    let name = match (&check.name, place) {
        (Some(name), _) => name.clone(),
        (None, 0) => format!("{table}_{column}_check"),
        (None, place) => format!("{table}_{column}_check{place}"),
    };
    let is_plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    let name = if is_plain { name } else { quoted(&name) };
    format!("CONSTRAINT {name} CHECK ({})", portable(&check.expression))
}
