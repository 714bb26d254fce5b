//! Code in the database: blocks that are executed at once, and functions that are called after their creation.

use super::cursor::{Cursor, folded};
use super::statements::{Tokens, dollar_quoted, is, split};
use super::trace::Trace;

impl Trace {
    /// CREATE FUNCTION and CREATE PROCEDURE: what the body would lose, for later calls.
    pub(super) fn create_routine(&mut self, statement: &Tokens<'_>) {
        let Some(kind) = statement.iter().position(|token| is(token, "FUNCTION") || is(token, "PROCEDURE")) else {
            return;
        };
        let mut cursor = Cursor::new(statement.get(kind + 1..).unwrap_or_default(), self.backend);
        let Some(name) = cursor.name() else { return };
        let mut bodies: Vec<String> = statement.iter().filter_map(|token| body(token)).collect();
        // A body of the standard's form is no string.
        bodies.extend(
            statement
                .iter()
                .position(|token| is(token, "ATOMIC") || is(token, "RETURN"))
                .map(|begin| statement.get(begin + 1..).unwrap_or_default().join(" ")),
        );
        let losses = bodies.iter().flat_map(|body| self.after_block(body).losses).collect();
        self.routines.insert(name.name, losses);
    }

    /// What the functions that a statement calls would lose.
    pub(super) fn call_routines(&mut self, statement: &Tokens<'_>) {
        let calls = statement.windows(2).filter(|words| matches!(words, [_, open] if *open == "("));
        let names = calls.filter_map(|words| words.first()).map(|name| folded(name, self.backend));
        let losses: Vec<_> = names.filter_map(|name| self.routines.get(&name)).flatten().cloned().collect();
        self.losses.extend(losses);
    }

    /// DO: the block is executed now.
    pub(super) fn execute_block(&mut self, cursor: Cursor<'_>) {
        let bodies: Vec<String> = cursor.rest.iter().filter_map(|token| body(token)).collect();
        for body in bodies {
            let after = self.after_block(&body);
            self.losses.extend(after.losses);
            // A part of the block may not be executed: what it renames has both names from here on.
            for (name, table) in after.tables {
                let known = self.tables.entry(name).or_insert_with(|| table.clone());
                for column in table.columns {
                    if known.column(&column.name).is_none() {
                        known.columns.push(column);
                    }
                }
            }
        }
    }

    /// The trace after the statements of a block, with what they would lose.
    fn after_block(&self, body: &str) -> Self {
        let mut trace = Self { losses: Vec::new(), ..self.clone() };
        for statement in split(body) {
            trace.call_routines(&statement);
            let mut start = 0;
            // In `IF … THEN DELETE …`, the statement begins later.
            while let Some(position) = next_beginning(&statement, start) {
                let rest = statement.get(position..).unwrap_or_default();
                if rest.first().is_some_and(|word| is(word, "EXECUTE")) {
                    trace.losses.push("run code that cannot be checked".into());
                } else {
                    trace.follow(&rest.to_vec());
                }
                start = position + 1;
            }
        }
        trace
    }
}

/// The position of the next word with which a statement begins, and not a clause of another one.
fn next_beginning(statement: &[&str], start: usize) -> Option<usize> {
    let is_any = |position: Option<usize>, words: &[&str]| {
        position
            .and_then(|position| statement.get(position))
            .is_some_and(|token| words.iter().any(|word| is(token, word)))
    };
    (start..statement.len()).find(|position| {
        let is_clause = is_any(position.checked_sub(1), &["ON", "FOR", "BEFORE", "AFTER", "OR", "OF", "DO", "KEY"]);
        let is_of_trigger =
            is_any(Some(*position), &["EXECUTE"]) && is_any(Some(position + 1), &["FUNCTION", "PROCEDURE"]);
        is_any(Some(*position), &BEGINNINGS) && !is_clause && !is_of_trigger
    })
}

/// Words with which a statement in a block begins.
const BEGINNINGS: [&str; 10] =
    ["CREATE", "DROP", "ALTER", "DELETE", "TRUNCATE", "UPDATE", "MERGE", "INSERT", "CALL", "EXECUTE"];

/// The body of a function or a block, which is a string.
fn body(token: &str) -> Option<String> {
    let escaped = token.strip_prefix(['e', 'E']).unwrap_or(token);
    let quoted = escaped.strip_prefix('\'').and_then(|token| token.strip_suffix('\''));
    dollar_quoted(token).map(ToOwned::to_owned).or_else(|| quoted.map(|text| text.replace("''", "'")))
}
