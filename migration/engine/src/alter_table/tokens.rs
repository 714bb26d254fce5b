//! SQL tokenizer: words, quoted texts and signs.

use std::ops::Range;

/// The name in double quotes.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The name without quotes.
pub(crate) fn bare(name: &str) -> String {
    let inner = |open: char, close: char| name.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    match (inner('"', '"'), inner('`', '`'), inner('[', ']')) {
        (Some(inner), _, _) => inner.replace("\"\"", "\""),
        (_, Some(inner), _) => inner.replace("``", "`"),
        (_, _, Some(inner)) => inner.to_owned(),
        _ => name.to_owned(),
    }
}

/// The byte ranges of all tokens, without comments and white space.
pub(crate) fn tokens(sql: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let start = sql.len() - rest.len();
        let length = match first {
            _ if first.is_whitespace() => first.len_utf8(),
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            'e' | 'E' if rest[1..].starts_with('\'') => escaped_length(rest),
            '$' if dollar_length(rest).is_some() => dollar_length(rest).unwrap_or_default(),
            '\'' | '"' | '`' => quoted_length(rest, first),
            '[' => bracket_length(rest),
            _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let is_blank = first.is_whitespace() || rest.starts_with("--") || rest.starts_with("/*");
        if !is_blank {
            found.push(start..start + length);
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    found
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// The length of a string with backslash escapes, PostgreSQL's `E'it\'s'`.
fn escaped_length(text: &str) -> usize {
    let mut characters = text.char_indices().skip(2);
    while let Some((position, c)) = characters.next() {
        match c {
            '\\' => drop(characters.next()),
            '\'' => return position + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of a name in brackets, or of the elements of an array, in which strings may have brackets.
fn bracket_length(text: &str) -> usize {
    let mut rest = text;
    while let Some(position) = rest.find([']', '\'']) {
        let here = rest.get(position..).unwrap_or_default();
        let length = if here.starts_with(']') { 1 } else { quoted_length(here, '\'') };
        rest = here.get(length..).unwrap_or_default();
        if here.starts_with(']') {
            break;
        }
    }
    if rest.len() == text.len() { text.len() } else { text.len() - rest.len() }
}

/// The length of a string in dollar signs, PostgreSQL's `$tag$…$tag$`. None if it is a parameter or a word.
fn dollar_length(text: &str) -> Option<usize> {
    let end = text.get(1..)?.find('$')? + 2;
    let tag = text.get(..end)?;
    let name = text.get(1..end - 1)?;
    let is_tag =
        name.chars().all(|c| c.is_alphanumeric() || c == '_') && !name.starts_with(|c: char| c.is_ascii_digit());
    is_tag.then(|| text.get(end..).and_then(|rest| rest.find(tag)).map_or(text.len(), |length| end + length + end))
}

/// The length of a quoted text. A doubled quote does not end it.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((position, c)) = characters.next() {
        if c == quote {
            match characters.peek() {
                Some((_, next)) if *next == quote => {
                    characters.next();
                }
                _ => return position + 1,
            }
        }
    }
    text.len()
}
