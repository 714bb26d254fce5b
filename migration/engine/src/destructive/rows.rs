//! Rows that statements delete, replace or change.

use super::catalog::TableName;
use super::cursor::{Cursor, WrittenName};
use super::statements::{Tokens, is, items};
use super::trace::Trace;

impl Trace {
    /// TRUNCATE of one or several tables.
    pub(super) fn truncate(&mut self, mut cursor: Cursor<'_>) {
        cursor.skip(&["TABLE"]);
        let is_cascade = cursor.rest.iter().any(|word| is(word, "CASCADE"));
        for item in items(cursor.rest) {
            let mut item = cursor.at(item);
            item.skip(&["ONLY"]);
            let Some(name) = item.name() else { continue };
            self.lose_rows(&name, "delete rows of");
            if is_cascade {
                self.losses.push(format!("delete rows of the tables that refer to {}", name.name));
            }
        }
    }

    /// DELETE, UPDATE, INSERT and MERGE, also within WITH, EXPLAIN and PREPARE.
    pub(super) fn change_rows(&mut self, statement: &Tokens<'_>) {
        let whole = Cursor::new(statement, self.backend);
        for (position, token) in statement.iter().enumerate() {
            let before = position.checked_sub(1).and_then(|before| statement.get(before)).copied().unwrap_or_default();
            let mut cursor = whole.at(statement.get(position + 1..).unwrap_or_default());
            if is(token, "DELETE") && cursor.skip(&["FROM"]) {
                cursor.skip(&["ONLY"]);
                cursor.name().iter().for_each(|name| self.lose_rows(name, "delete rows of"));
            } else if is(token, "UPDATE") && !["FOR", "ON", "DO", "KEY"].iter().any(|word| is(before, word)) {
                self.update(cursor);
            } else if is(token, "MERGE") && cursor.skip(&["INTO"]) {
                self.merge(cursor);
            } else if is(token, "REPLACE") && (cursor.skip(&["INTO"])) {
                // `INSERT OR REPLACE INTO` as well.
                cursor.name().iter().for_each(|name| self.lose_rows(name, "replace rows of"));
            } else if is(token, "INSERT") && cursor.skip(&["INTO"]) {
                self.insert(cursor);
            }
        }
    }

    /// A view, or a table of another file, may be that of data that is not known.
    fn lose_rows(&mut self, written: &WrittenName, what: &str) {
        match self.resolve(written) {
            Some(name) if !self.has_data(&name) => {}
            Some(name) => self.losses.push(format!("{what} {}", self.described(&name))),
            None => self.losses.push(format!("{what} {}", written.name)),
        }
    }

    fn update(&mut self, mut cursor: Cursor<'_>) {
        if cursor.skip(&["OR", "REPLACE"]) {
            let mut target = cursor;
            target.name().iter().for_each(|name| self.lose_rows(name, "replace rows of"));
        }
        cursor.skip(&["OR"]);
        cursor.skip_any(&["ABORT", "FAIL", "IGNORE", "ROLLBACK"]);
        cursor.skip(&["ONLY"]);
        let Some(written) = cursor.name() else { return };
        // Counters of AUTOINCREMENT, which a rebuild keeps.
        if written.name == "sqlite_sequence" {
            return;
        }
        let Some(set) = cursor.rest.iter().position(|token| is(token, "SET")) else { return };
        self.assign(&written, cursor.at(cursor.rest.get(set + 1..).unwrap_or_default()));
    }

    /// The assignments of an UPDATE: of columns that were there before the run, unless only missing values are filled.
    fn assign(&mut self, written: &WrittenName, cursor: Cursor<'_>) {
        let (assigned, condition) = assignments(cursor.rest);
        let columns = items(assigned).flat_map(|item| columns_of(cursor.at(item)));
        let filled = condition.and_then(|condition| missing_value(cursor.at(condition)));
        let columns: Vec<String> = columns.filter(|column| Some(column) != filled.as_ref()).collect();
        let Some(name) = self.resolve(written) else {
            if !columns.is_empty() {
                self.losses.push(format!("change values of {}", written.name));
            }
            return;
        };
        let had_values = |column: &&String| {
            let known = self.tables.get(&name).and_then(|table| table.column(column));
            // A column that is not known may have been renamed in a block, or be a part of a composite value.
            known.map_or_else(|| self.has_data(&name), |known| known.original.is_some())
        };
        let changed: Vec<_> = columns.iter().filter(had_values).collect();
        let changed =
            changed.into_iter().map(|column| format!("change values of {}", self.described_column(&name, column)));
        let changed: Vec<_> = changed.collect();
        self.losses.extend(changed);
    }

    fn merge(&mut self, mut cursor: Cursor<'_>) {
        cursor.skip(&["ONLY"]);
        let Some(written) = cursor.name() else { return };
        let has = |word: &str| cursor.rest.iter().any(|token| is(token, word));
        if has("DELETE") {
            self.lose_rows(&written, "delete rows of");
        }
        if has("UPDATE") {
            self.lose_rows(&written, "change values of");
        }
    }

    fn insert(&mut self, mut cursor: Cursor<'_>) {
        let Some(written) = cursor.name() else { return };
        let updates = cursor.rest.windows(3).position(
            |words| matches!(words, [one, two, three] if is(one, "DO") && is(two, "UPDATE") && is(three, "SET")),
        );
        if let Some(position) = updates {
            self.assign(&written, cursor.at(cursor.rest.get(position + 3..).unwrap_or_default()));
        }
        if let Some(name) = self.resolve(&written) {
            self.copy_rows(&name, cursor);
        }
    }

    /// Whether a table is that of a rebuild, whose rows are copied before the old table is dropped.
    pub(super) fn is_rebuild(&self, name: &TableName) -> bool {
        self.backend == sea_orm::DbBackend::Sqlite && name.name.starts_with(crate::alter_table::TEMPORARY_PREFIX)
    }
}

/// The list of assignments, and the condition.
fn assignments<'a>(tokens: &'a [&'a str]) -> (&'a [&'a str], Option<&'a [&'a str]>) {
    let mut depth = 0_i32;
    let is_end = |token: &&str| ["FROM", "WHERE", "RETURNING", "ORDER", "LIMIT"].iter().any(|word| is(token, word));
    let end = tokens.iter().position(|token| {
        depth += i32::from(*token == "(") - i32::from(*token == ")");
        depth <= 0 && (is_end(token) || depth < 0)
    });
    let end = end.unwrap_or(tokens.len());
    let condition = tokens.get(end).is_some_and(|token| is(token, "WHERE")).then(|| tokens.get(end + 1..)).flatten();
    (tokens.get(..end).unwrap_or_default(), condition)
}

/// The columns of `a = …` or `(a, b) = …`.
fn columns_of(mut item: Cursor<'_>) -> Vec<String> {
    if item.skip(&["("]) {
        let end = item.rest.iter().position(|token| *token == ")").unwrap_or(item.rest.len());
        let names = item.rest.get(..end).unwrap_or_default().split(|token| *token == ",");
        return names.filter_map(|name| item.at(name).word()).collect();
    }
    item.name().map(|name| name.name).into_iter().collect()
}

/// The column of the condition `a IS NULL`, alone or with others that must hold as well.
fn missing_value(mut condition: Cursor<'_>) -> Option<String> {
    let rest = condition.rest;
    if let (Some(&"("), Some((&")", inner))) = (rest.first(), rest.split_last())
        && !inner.contains(&")")
    {
        condition.rest = inner.get(1..)?;
    }
    if condition.rest.iter().any(|token| is(token, "OR")) {
        return None;
    }
    let name = condition.name()?;
    let is_missing = condition.skip(&["IS", "NULL"]);
    let is_end = condition.rest.first().is_none_or(|token| ["AND", "RETURNING"].iter().any(|word| is(token, word)));
    (is_missing && is_end).then_some(name.name)
}
