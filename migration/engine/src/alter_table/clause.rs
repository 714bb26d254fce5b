//! Clauses: columns and constraints, parsed from the text of a definition.

use std::ops::Range;

use super::tokens::{bare, tokens};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    /// The declared type.
    pub(super) kind: String,
    pub(super) clauses: Vec<Clause>,
}

/// A constraint of a table, or a clause after the type of a column, such as `NOT NULL`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clause {
    /// None if it has no name.
    pub(super) name: Option<String>,
    /// The first word after the name, in upper case.
    pub(super) keyword: String,
    /// The whole text, including the name.
    pub(super) text: String,
}

impl Clause {
    pub(super) fn words(&self) -> Vec<String> {
        tokens(&self.text).into_iter().map(|token| bare(&self.text[token])).collect()
    }

    /// The columns in the first parentheses.
    pub(super) fn columns(&self) -> Vec<String> {
        let words = tokens(&self.text).into_iter().map(|token| &self.text[token]);
        let inside = words.skip_while(|word| *word != "(").skip(1).take_while(|word| *word != ")");
        inside.filter(|word| *word != ",").map(bare).collect()
    }
}

pub(super) fn is_any(word: &str, keywords: &[&str]) -> bool {
    keywords.iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
}

pub(super) fn column(sql: &str, item: &[Range<usize>]) -> Column {
    let starts = clause_starts(sql, item);
    let end = starts.first().copied().unwrap_or(item.len());
    let clauses = starts.iter().enumerate().map(|(number, start)| {
        let end = starts.get(number + 1).copied().unwrap_or(item.len());
        clause(sql, item.get(*start..end).unwrap_or_default())
    });
    Column {
        name: item.first().map(|token| bare(&sql[token.clone()])).unwrap_or_default(),
        kind: text(sql, item.get(1..end).unwrap_or_default()).to_owned(),
        clauses: clauses.collect(),
    }
}

/// The position of the clauses after the type of a column.
fn clause_starts(sql: &str, item: &[Range<usize>]) -> Vec<usize> {
    let word = |place: usize| item.get(place).map_or("", |token| &sql[token.clone()]);
    let mut depth = 0_usize;
    let mut starts: Vec<usize> = Vec::new();
    for place in 1..item.len() {
        match word(place) {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        let (before, here, after) = (word(place - 1), word(place), word(place + 1));
        let begins = match here.to_ascii_uppercase().as_str() {
            "CONSTRAINT" | "PRIMARY" | "UNIQUE" | "CHECK" | "REFERENCES" | "COLLATE" | "GENERATED" => true,
            "NOT" => after.eq_ignore_ascii_case("NULL"),
            // `ON DELETE SET NULL`, `NOT NULL`, `DEFAULT NULL`.
            "NULL" => !is_any(before, &["SET", "NOT", "DEFAULT"]),
            "DEFAULT" => !is_any(before, &["SET", "BY"]),
            "AS" => !is_any(before, &["ALWAYS", "DEFAULT"]),
            _ => false,
        };
        // A name belongs to the next clause.
        let is_named = place >= 2 && word(place - 2).eq_ignore_ascii_case("CONSTRAINT");
        if depth == 0 && begins && !is_named {
            starts.push(place);
        }
    }
    starts
}

pub(super) fn clause(sql: &str, item: &[Range<usize>]) -> Clause {
    let word = |place: usize| item.get(place).map(|token| &sql[token.clone()]);
    let is_named = word(0).is_some_and(|first| first.eq_ignore_ascii_case("CONSTRAINT"));
    let keyword = word(if is_named { 2 } else { 0 }).unwrap_or_default().to_ascii_uppercase();
    Clause { name: word(1).filter(|_| is_named).map(bare), keyword, text: text(sql, item).to_owned() }
}

fn text<'a>(sql: &'a str, item: &[Range<usize>]) -> &'a str {
    match (item.first(), item.last()) {
        (Some(first), Some(last)) => &sql[first.start..last.end],
        _ => "",
    }
}
