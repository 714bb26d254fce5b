//! Cursor: reads keywords and names from the tokens of a statement.

use sea_orm::DbBackend;

use super::statements::is;
use crate::alter_table::bare;

/// The tokens of a statement that are still to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    pub rest: &'a [&'a str],
    backend: DbBackend,
}

/// A name as it is written, with its schema if that is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WrittenName {
    pub schema: Option<String>,
    pub name: String,
}

impl<'a> Cursor<'a> {
    pub fn new(rest: &'a [&'a str], backend: DbBackend) -> Self {
        Self { rest, backend }
    }

    /// The same with other tokens.
    pub fn at<'b>(&self, rest: &'b [&'b str]) -> Cursor<'b> {
        Cursor { rest, backend: self.backend }
    }

    /// Skips one of some keywords. Returns whether it was there.
    pub fn skip_any(&mut self, keywords: &[&str]) -> bool {
        let found = self.rest.split_first().filter(|(first, _)| keywords.iter().any(|keyword| is(first, keyword)));
        if let Some((_, rest)) = found {
            self.rest = rest;
        }
        found.is_some()
    }

    /// Skips a sequence of keywords. Returns whether it was there.
    pub fn skip(&mut self, keywords: &[&str]) -> bool {
        let is_there = keywords
            .iter()
            .enumerate()
            .all(|(position, keyword)| self.rest.get(position).is_some_and(|token| is(token, keyword)));
        if is_there {
            self.rest = self.rest.get(keywords.len()..).unwrap_or_default();
        }
        is_there
    }

    /// Reads the name of a column, a schema or something else.
    pub fn word(&mut self) -> Option<String> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(folded(first, self.backend))
    }

    /// Reads the name of a table.
    pub fn name(&mut self) -> Option<WrittenName> {
        let first = self.word()?;
        if !self.skip(&["."]) {
            return Some(WrittenName { schema: None, name: first });
        }
        Some(WrittenName { schema: Some(first), name: self.word()? })
    }
}

/// A name as the database knows it: SQLite does not distinguish the case of ASCII letters, PostgreSQL does in quotes. A string is
/// a name for SQLite, where one is expected.
pub(super) fn folded(token: &str, backend: DbBackend) -> String {
    let string = token.strip_prefix('\'').and_then(|token| token.strip_suffix('\''));
    if let Some(string) = string.filter(|_| backend == DbBackend::Sqlite) {
        return string.replace("''", "'").to_ascii_lowercase();
    }
    let is_quoted = token.starts_with(['"', '`', '[']);
    let name = if is_quoted { bare(token) } else { token.to_owned() };
    if is_quoted && backend == DbBackend::Postgres { name } else { name.to_ascii_lowercase() }
}
