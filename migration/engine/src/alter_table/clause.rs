//! Column definitions and clauses, parsed from the text of a `CREATE TABLE`.

use std::ops::Range;

use super::tokens::{bare, tokens};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ColumnDefinition {
    pub(super) name: String,
    /// The declared type.
    pub(super) kind: String,
    pub(super) clauses: Vec<Clause>,
}

/// A table constraint, or a clause of a column such as `NOT NULL`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clause {
    /// None if the constraint has no name.
    pub(super) name: Option<String>,
    /// The first keyword in upper case, after the name.
    pub(super) keyword: String,
    /// The complete text, with the name.
    pub(super) text: String,
}

impl Clause {
    pub(super) fn words(&self) -> Vec<String> {
        tokens(&self.text).into_iter().map(|token| bare(&self.text[token])).collect()
    }

    /// The columns in the first parentheses.
    pub(super) fn columns(&self) -> Vec<String> {
        let words = tokens(&self.text).into_iter().map(|token| &self.text[token]);
        let inside =
            words.skip_while(|token_text| *token_text != "(").skip(1).take_while(|token_text| *token_text != ")");
        inside.filter(|token_text| *token_text != ",").map(bare).collect()
    }
}

pub(super) fn is_any(token_text: &str, keywords: &[&str]) -> bool {
    keywords.iter().any(|keyword| keyword.eq_ignore_ascii_case(token_text))
}

pub(super) fn column(sql: &str, item: &[Range<usize>]) -> ColumnDefinition {
    let starts = clause_starts(sql, item);
    let end = starts.first().copied().unwrap_or(item.len());
    let clauses = starts.iter().enumerate().map(|(number, start)| {
        let end = starts.get(number + 1).copied().unwrap_or(item.len());
        clause(sql, item.get(*start..end).unwrap_or_default())
    });
    ColumnDefinition {
        name: item.first().map(|token| bare(&sql[token.clone()])).unwrap_or_default(),
        kind: text(sql, item.get(1..end).unwrap_or_default()).to_owned(),
        clauses: clauses.collect(),
    }
}

/// The positions at which the clauses of a column begin.
fn clause_starts(sql: &str, item: &[Range<usize>]) -> Vec<usize> {
    let token_text = |position: usize| item.get(position).map_or("", |token| &sql[token.clone()]);
    let mut depth = 0_usize;
    let mut starts: Vec<usize> = Vec::new();
    for position in 1..item.len() {
        match token_text(position) {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        let (before, here, after) = (token_text(position - 1), token_text(position), token_text(position + 1));
        let begins = match here.to_ascii_uppercase().as_str() {
            "CONSTRAINT" | "PRIMARY" | "UNIQUE" | "CHECK" | "REFERENCES" | "COLLATE" | "GENERATED" => true,
            "NOT" => after.eq_ignore_ascii_case("NULL"),
            "NULL" => !is_any(before, &["SET", "NOT", "DEFAULT"]),
            "DEFAULT" => !is_any(before, &["SET", "BY"]),
            "AS" => !is_any(before, &["ALWAYS", "DEFAULT"]),
            _ => false,
        };
        // In `CONSTRAINT name CHECK …` the keyword after the name belongs to the same clause.
        let is_named = position >= 2 && token_text(position - 2).eq_ignore_ascii_case("CONSTRAINT");
        if depth == 0 && begins && !is_named {
            starts.push(position);
        }
    }
    starts
}

pub(super) fn clause(sql: &str, item: &[Range<usize>]) -> Clause {
    let token_text = |position: usize| item.get(position).map(|token| &sql[token.clone()]);
    let is_named = token_text(0).is_some_and(|first| first.eq_ignore_ascii_case("CONSTRAINT"));
    let keyword = token_text(if is_named { 2 } else { 0 }).unwrap_or_default().to_ascii_uppercase();
    Clause { name: token_text(1).filter(|_| is_named).map(bare), keyword, text: text(sql, item).to_owned() }
}

fn text<'a>(sql: &'a str, item: &[Range<usize>]) -> &'a str {
    match (item.first(), item.last()) {
        (Some(first), Some(last)) => &sql[first.start..last.end],
        _ => "",
    }
}
