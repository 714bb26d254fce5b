//! SQL expressions (CHECKs, defaults, index conditions), which databases store in a form of their
//! own.

mod nested;
mod normal;
mod portable;

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Value, ValueWithSpan, VisitMut};
use sqlparser::dialect::{Dialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;

use self::nested::unwrapped;
use self::normal::Normal;
use self::portable::{Portable, TextColumns};
use crate::alter_table::{bare, tokens};

/// The expression in a form for both databases, with no more parentheses than necessary.
pub(crate) fn portable(sql: &str) -> String {
    match parse(sql) {
        Some(mut expression) => {
            let _: ControlFlow<()> = expression.visit(&mut Portable);
            unwrapped(expression).to_string()
        }
        None => sql.to_owned(),
    }
}

/// The normal form, in which most equivalent expressions have the same text. Only for comparisons.
pub(crate) fn normal(sql: &str) -> String {
    match parse(sql) {
        Some(mut expression) => {
            let _: ControlFlow<()> = expression.visit(&mut Portable);
            let _: ControlFlow<()> = expression.visit(&mut Normal);
            lowercase(&unwrapped(expression).to_string())
        }
        None => sql.chars().filter(|c| !c.is_whitespace() && *c != '"').collect(),
    }
}

/// The column and the strings of `column IN ('a', 'b')`.
pub(crate) fn string_list(sql: &str) -> Option<(String, Vec<String>)> {
    let mut expression = parse(sql)?;
    let _: ControlFlow<()> = expression.visit(&mut Portable);
    let (column, list) = match unwrapped(expression) {
        Expr::InList { expr, list, negated: false } => (*expr, list),
        _ => return None,
    };
    let Expr::Identifier(column) = unwrapped(column) else { return None };
    let words = list.iter().map(|item| match item {
        Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(word), .. }) => Some(word.clone()),
        _ => None,
    });
    Some((column.value, words.collect::<Option<_>>()?))
}

/// Whether an expression mentions a column.
pub(crate) fn mentions(sql: &str, column: &str) -> bool {
    tokens(sql).into_iter().any(|token| bare(&sql[token]) == column)
}

/// The value of a string literal.
pub(crate) fn text_literal(sql: &str) -> Option<String> {
    match unwrapped(parse(&portable(sql))?) {
        Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), .. }) => Some(text),
        _ => None,
    }
}

fn parse(sql: &str) -> Option<Expr> {
    let dialects: [&dyn Dialect; 2] = [&PostgreSqlDialect {}, &SQLiteDialect {}];
    dialects.into_iter().find_map(|dialect| {
        let mut parser = Parser::new(dialect).try_with_sql(sql).ok()?;
        let expression = parser.parse_expr().ok()?;
        (parser.peek_token().token == sqlparser::tokenizer::Token::EOF).then_some(expression)
    })
}

/// The SQL in lower case, except in quotes.
fn lowercase(sql: &str) -> String {
    let mut lower = String::with_capacity(sql.len());
    let mut end = 0;
    for token in tokens(sql) {
        lower.push_str(&sql[end..token.start]);
        let text = &sql[token.clone()];
        if text.starts_with(['\'', '"']) {
            lower.push_str(text)
        } else {
            lower.push_str(&text.to_lowercase())
        }
        end = token.end;
    }
    lower.push_str(&sql[end..]);
    lower
}

/// An expression from PostgreSQL's catalogue without the casts to text that it adds to text
/// columns.
pub(crate) fn without_casts_of(sql: &str, text_columns: &[String]) -> String {
    let Some(mut expression) = parse(sql) else { return sql.to_owned() };
    let _: ControlFlow<()> = expression.visit(&mut TextColumns(text_columns));
    expression.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_expressions_equal_the_written_ones() {
        for (written, stored) in [
            (
                "role IN ('patient', 'Staff')",
                "((role)::text = ANY ((ARRAY['patient'::character varying, 'Staff'::character varying])::text[]))",
            ),
            ("\"role\" IN ('a')", "((role)::text = 'a'::text)"),
            (
                "role NOT IN ('a', 'b')",
                "((role)::text <> ALL ((ARRAY['a'::character varying, 'b'::character varying])::text[]))",
            ),
            ("attempts >= 0 AND attempts <= 5", "((attempts >= 0) AND (attempts <= 5))"),
            ("birth_year BETWEEN 1900 AND 9999", "((birth_year >= 1900) AND (birth_year <= 9999))"),
            ("a AND (b AND c) OR NOT d", "((a AND b AND c) OR (NOT d))"),
            ("email LIKE '%@%'", "((email)::text ~~ '%@%'::text)"),
            ("balance > -1.5", "(balance > '-1.5'::numeric)"),
            ("'patient'", "'patient'::character varying"),
            ("-1", "'-1'::integer"),
            ("TRUE", "true"),
            ("CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP"),
            ("length(name) > 2", "(length((name)::text) > 2)"),
            (
                "CASE WHEN a IS NULL THEN b = 1 ELSE a IN (1, 2) END",
                "CASE WHEN (a IS NULL) THEN (b = 1) ELSE (a = ANY (ARRAY[1, 2])) END",
            ),
        ] {
            let columns = ["role", "email", "name"].map(ToOwned::to_owned);
            let stored = without_casts_of(stored, &columns);
            assert_eq!(normal(written), normal(&stored), "{written}");
            assert_eq!(normal(&portable(&stored)), normal(written), "{stored}");
        }
        for (one, other) in [
            ("a AND b OR c", "a AND (b OR c)"),
            ("role::varchar(3) IN ('a', 'b')", "role IN ('a', 'b')"),
            ("max::text >= min::text", "max >= min"),
            ("doses >= 1.4::int", "doses >= 1.4"),
            ("'patient'::char(3)", "'patient'"),
            ("\"Doses\" >= 1", "doses >= 1"),
            ("'1 day'::interval", "1 day"),
            ("a - b", "a + b"),
            ("a > - -5", "a > -5"),
        ] {
            assert_ne!(normal(one), normal(other), "{one}");
        }
        assert_eq!(normal("role IN ('b', 'a')"), normal("role IN ('a', 'b')"));
        assert_eq!(portable("b > - -5"), "b > -(-5)");
        assert_eq!(portable("'[1,2)'::int4range"), "'[1,2)'");
        assert_ne!(normal("role IN ('a', 'b')"), normal("role IN ('a', 'B')"));
    }

    #[test]
    fn stored_expressions_become_portable() {
        let stored = "((role)::text = ANY ((ARRAY['patient'::character varying, 'staff'::character varying])::text[]))";
        let stored = &without_casts_of(stored, &["role".into()]);
        assert_eq!(portable(stored), "\"role\" IN ('patient', 'staff')".replace('"', ""));
        assert_eq!(string_list(stored), Some(("role".into(), vec!["patient".into(), "staff".into()])));
        assert_eq!(portable("((a = 1) AND ((b = 2) OR (c = 3)))"), "a = 1 AND (b = 2 OR c = 3)");
        assert_eq!(string_list("role = 'a'"), None);
        assert_eq!(text_literal("'it''s'::character varying"), Some("it's".into()));
    }
}
