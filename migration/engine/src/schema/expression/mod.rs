//! Expressions (CHECKs, defaults, conditions of indexes) however they are written: a database writes what it was given
//! in words of its own.

mod normal;
mod portable;

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Value, ValueWithSpan, VisitMut};
use sqlparser::dialect::{Dialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;

use self::normal::Normal;
use self::portable::Portable;
use crate::reshape::{bare, tokens};

/// The expression in words that both databases understand, with no more parentheses than PostgreSQL's own text needs.
pub(crate) fn portable(sql: &str) -> String {
    match parse(sql) {
        Some(mut expression) => {
            let _: ControlFlow<()> = expression.visit(&mut Portable);
            unwrapped(expression).to_string()
        }
        None => sql.to_owned(),
    }
}

/// A form in which expressions that say the same are mostly written the same; only good for comparing.
pub(crate) fn normal(sql: &str) -> String {
    match parse(sql) {
        Some(mut expression) => {
            let _: ControlFlow<()> = expression.visit(&mut Portable);
            let _: ControlFlow<()> = expression.visit(&mut Normal);
            unwrapped(expression).to_string().to_lowercase_outside_quotes()
        }
        None => sql.chars().filter(|c| !c.is_whitespace() && *c != '"').collect(),
    }
}

/// `column IN ('a', 'b')`: a closed set of words.
pub(crate) fn words(sql: &str) -> Option<(String, Vec<String>)> {
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

/// Whether an expression is about a column.
pub(crate) fn mentions(sql: &str, column: &str) -> bool {
    tokens(sql).into_iter().any(|token| bare(&sql[token]) == column)
}

/// The value of a text literal.
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

fn unwrapped(expression: Expr) -> Expr {
    match expression {
        Expr::Nested(inner) => unwrapped(*inner),
        other => other,
    }
}

trait Lowercase {
    fn to_lowercase_outside_quotes(&self) -> String;
}

impl Lowercase for String {
    fn to_lowercase_outside_quotes(&self) -> String {
        let parts = self.split('\'').enumerate();
        parts
            .map(|(number, part)| if number % 2 == 0 { part.to_lowercase() } else { part.to_owned() })
            .collect::<Vec<_>>()
            .join("'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_postgres_writes_means_what_was_written() {
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
            assert_eq!(normal(written), normal(stored), "{written}");
            assert_eq!(normal(&portable(stored)), normal(written), "{stored}");
        }
        assert_ne!(normal("a AND b OR c"), normal("a AND (b OR c)"));
        assert_ne!(normal("role IN ('a', 'b')"), normal("role IN ('a', 'B')"));
    }

    #[test]
    fn what_postgres_writes_is_made_portable() {
        let stored = "((role)::text = ANY ((ARRAY['patient'::character varying, 'staff'::character varying])::text[]))";
        assert_eq!(portable(stored), "\"role\" IN ('patient', 'staff')".replace('"', ""));
        assert_eq!(words(stored), Some(("role".into(), vec!["patient".into(), "staff".into()])));
        assert_eq!(portable("((a = 1) AND ((b = 2) OR (c = 3)))"), "a = 1 AND (b = 2 OR c = 3)");
        assert_eq!(words("role = 'a'"), None);
        assert_eq!(text_literal("'it''s'::character varying"), Some("it's".into()));
    }
}
