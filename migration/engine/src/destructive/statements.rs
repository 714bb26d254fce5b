//! Statements of an SQL text, as tokens.

use crate::alter_table::tokens;

/// A statement, as tokens without comments and white space.
pub(super) type Tokens<'a> = Vec<&'a str>;

/// Whether a token is a keyword, in any letter case. A quoted name is none.
pub(super) fn is(token: &str, keyword: &str) -> bool {
    token.eq_ignore_ascii_case(keyword)
}

/// The statements of a text. A trigger of SQLite, and a function whose body is in the standard's form, are one statement
/// although they have semicolons inside.
pub(super) fn split(text: &str) -> Vec<Tokens<'_>> {
    let mut statements = Vec::new();
    let (mut statement, mut depth): (Tokens<'_>, usize) = (Vec::new(), 0);
    for token in tokens(text).into_iter().filter_map(|token| text.get(token)) {
        if token == ";" && depth == 0 {
            statements.push(std::mem::take(&mut statement));
            continue;
        }
        if is_routine(&statement) {
            let begins = is(token, "BEGIN") || is(token, "CASE") && depth > 0;
            depth = if is(token, "END") { depth.saturating_sub(1) } else { depth + usize::from(begins) };
        }
        statement.push(token);
    }
    statements.push(statement);
    statements.retain(|statement| !statement.is_empty());
    statements
}

/// Whether a statement creates a trigger, a function or a procedure: its body is not executed now.
pub(super) fn is_routine(statement: &[&str]) -> bool {
    let creates = statement.first().is_some_and(|first| is(first, "CREATE"));
    let is_kind = |token: &&&str| ["TRIGGER", "FUNCTION", "PROCEDURE"].iter().any(|kind| is(token, kind));
    creates && statement.iter().take(6).any(|token| is_kind(&token))
}

/// The content of a string in dollar signs.
pub(super) fn dollar_quoted(token: &str) -> Option<&str> {
    let tag = token.get(..=token.get(1..)?.find('$')? + 1).filter(|tag| tag.starts_with('$'))?;
    token.strip_prefix(tag)?.strip_suffix(tag)
}

/// The items of a list, separated by commas that are not in parentheses.
pub(super) fn items<'a, 'b>(tokens: &'a [&'b str]) -> impl Iterator<Item = &'a [&'b str]> {
    let mut depth = 0_i32;
    tokens.split(move |token| {
        depth += i32::from(*token == "(") - i32::from(*token == ")");
        depth == 0 && *token == ","
    })
}
