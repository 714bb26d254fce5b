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
        let bodies: Vec<&str> = statement.iter().filter_map(|token| body(token)).collect();
        let losses = bodies.iter().flat_map(|body| self.losses_of_block(body)).collect();
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
        let bodies: Vec<&str> = cursor.rest.iter().filter_map(|token| body(token)).collect();
        for body in bodies {
            let losses = self.losses_of_block(body);
            self.losses.extend(losses);
        }
    }

    /// What the statements of a block would lose. They may or may not be executed: the tables stay as they are.
    fn losses_of_block(&self, body: &str) -> Vec<String> {
        let mut trace = Self { losses: Vec::new(), ..self.clone() };
        for statement in split(body) {
            let starts = |token: &&str| BEGINNINGS.iter().any(|word| is(token, word));
            let mut rest = statement.as_slice();
            // In `IF … THEN DELETE …`, the statement begins later.
            while let Some(position) = rest.iter().position(starts) {
                rest = rest.get(position..).unwrap_or_default();
                if rest.first().is_some_and(|word| is(word, "EXECUTE") || is(word, "PERFORM")) {
                    trace.losses.push("run code that cannot be checked".into());
                } else {
                    trace.follow(&rest.to_vec());
                }
                rest = rest.get(1..).unwrap_or_default();
            }
        }
        trace.losses
    }
}

/// Words with which a statement in a block begins.
const BEGINNINGS: [&str; 10] =
    ["DROP", "ALTER", "DELETE", "TRUNCATE", "UPDATE", "MERGE", "INSERT", "CALL", "EXECUTE", "PERFORM"];

/// The body of a function or a block, which is a string.
fn body(token: &str) -> Option<&str> {
    let quoted = token.strip_prefix('\'').and_then(|token| token.strip_suffix('\''));
    dollar_quoted(token).or(quoted)
}
