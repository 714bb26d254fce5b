//! Expressions (CHECKs, defaults, conditions of indexes) however they are written: a database writes what it was given
//! in words of its own.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Array, BinaryOperator, DataType, Expr, Ident, UnaryOperator, Value, ValueWithSpan, VisitMut, VisitorMut,
};
use sqlparser::dialect::{Dialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::keywords::ALL_KEYWORDS;
use sqlparser::parser::Parser;

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

/// What PostgreSQL adds to an expression is taken out again.
struct Portable;

impl VisitorMut for Portable {
    type Break = ();

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        let taken = std::mem::replace(expression, Expr::Value(Value::Null.into()));
        *expression = portable_step(taken);
        ControlFlow::Continue(())
    }
}

fn portable_step(expression: Expr) -> Expr {
    match expression {
        Expr::Identifier(name) => Expr::Identifier(plain(name)),
        Expr::Value(ValueWithSpan { value: Value::EscapedStringLiteral(text), .. }) => {
            Expr::Value(Value::SingleQuotedString(text).into())
        }
        Expr::Nested(inner) if is_closed(&inner) => *inner,
        Expr::Cast { expr, data_type, .. } if is_needless_cast(&expr, &data_type) => match (*expr, &data_type) {
            (Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(number), .. }), kind) if is_number(kind) => {
                Expr::Value(Value::Number(number, false).into())
            }
            (inner, _) => inner,
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match *expr {
            Expr::Value(ValueWithSpan { value: Value::Number(number, long), .. }) => {
                Expr::Value(Value::Number(format!("-{number}"), long).into())
            }
            other => Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(other) },
        },
        Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, is_some } => match unwrapped(*right) {
            Expr::Array(Array { elem, .. }) => Expr::InList { expr: left, list: elem, negated: false },
            right => Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right: Box::new(right), is_some },
        },
        Expr::AllOp { left, compare_op: BinaryOperator::NotEq, right } => match unwrapped(*right) {
            Expr::Array(Array { elem, .. }) => Expr::InList { expr: left, list: elem, negated: true },
            right => Expr::AllOp { left, compare_op: BinaryOperator::NotEq, right: Box::new(right) },
        },
        Expr::BinaryOp { left, op: op @ (BinaryOperator::And | BinaryOperator::Or), right } => {
            let (left, right) = (operand(*left, &op), operand(*right, &op));
            Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }
        }
        Expr::BinaryOp { left, op, right } => like(left, op, right),
        Expr::Case { case_token, end_token, operand, mut conditions, else_result } => {
            for condition in &mut conditions {
                let whole = std::mem::replace(&mut condition.condition, Expr::Value(Value::Null.into()));
                condition.condition = unwrapped(whole);
                let whole = std::mem::replace(&mut condition.result, Expr::Value(Value::Null.into()));
                condition.result = unwrapped(whole);
            }
            let else_result = else_result.map(|result| Box::new(unwrapped(*result)));
            Expr::Case { case_token, end_token, operand, conditions, else_result }
        }
        other => other,
    }
}

/// An operand of AND or OR without the parentheses that it does not need.
fn operand(expression: Expr, op: &BinaryOperator) -> Expr {
    let Expr::Nested(inner) = expression else { return expression };
    let binds_tighter = match &*inner {
        Expr::BinaryOp { op: BinaryOperator::Or, .. } => false,
        Expr::BinaryOp { op: BinaryOperator::And, .. } => *op == BinaryOperator::Or,
        Expr::BinaryOp { .. } | Expr::InList { .. } | Expr::Like { .. } | Expr::IsNull(_) | Expr::IsNotNull(_) => true,
        _ => false,
    };
    if binds_tighter { *inner } else { Expr::Nested(inner) }
}

/// PostgreSQL has operators for LIKE.
fn like(left: Box<Expr>, op: BinaryOperator, right: Box<Expr>) -> Expr {
    let negated = matches!(op, BinaryOperator::PGNotLikeMatch | BinaryOperator::PGNotILikeMatch);
    match op {
        BinaryOperator::PGLikeMatch | BinaryOperator::PGNotLikeMatch => {
            Expr::Like { negated, any: false, expr: left, pattern: right, escape_char: None }
        }
        BinaryOperator::PGILikeMatch | BinaryOperator::PGNotILikeMatch => {
            Expr::ILike { negated, any: false, expr: left, pattern: right, escape_char: None }
        }
        op => Expr::BinaryOp { left, op, right },
    }
}

/// What needs no parentheses wherever it stands.
fn is_closed(expression: &Expr) -> bool {
    matches!(
        expression,
        Expr::Identifier(_)
            | Expr::Value(_)
            | Expr::Function(_)
            | Expr::Nested(_)
            | Expr::Array(_)
            | Expr::Cast { .. }
            | Expr::Case { .. }
    )
}

/// A cast of a literal, or to text; the databases make it by themselves.
fn is_needless_cast(expression: &Expr, kind: &DataType) -> bool {
    let is_literal = matches!(expression, Expr::Value(_) | Expr::Array(_));
    let is_array = matches!(expression, Expr::Nested(inner) if matches!(**inner, Expr::Array(_)));
    let kind = kind.to_string().to_uppercase();
    let is_text = ["TEXT", "VARCHAR", "CHARACTER", "CHAR", "BPCHAR"].iter().any(|text| kind.starts_with(text));
    is_literal || is_array || is_text
}

fn is_number(kind: &DataType) -> bool {
    let kind = kind.to_string().to_uppercase();
    ["INT", "SMALLINT", "BIGINT", "NUMERIC", "DECIMAL", "REAL", "DOUBLE", "FLOAT"]
        .iter()
        .any(|number| kind.starts_with(number))
}

/// A name without quotes, where it needs none.
fn plain(name: Ident) -> Ident {
    let mut characters = name.value.chars();
    let is_simple = characters.next().is_some_and(|c| c.is_ascii_lowercase() || c == '_')
        && characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let is_keyword = ALL_KEYWORDS.binary_search(&name.value.to_uppercase().as_str()).is_ok();
    if is_simple && !is_keyword { Ident::new(name.value) } else { name }
}

/// Different ways to say one thing become the same, and every operand gets its parentheses.
struct Normal;

impl VisitorMut for Normal {
    type Break = ();

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        let taken = std::mem::replace(expression, Expr::Value(Value::Null.into()));
        *expression = normal_step(taken);
        ControlFlow::Continue(())
    }
}

fn normal_step(expression: Expr) -> Expr {
    match expression {
        Expr::Identifier(name) => Expr::Identifier(Ident::new(name.value)),
        Expr::Nested(inner) => *inner,
        Expr::InList { expr, mut list, negated } if list.len() == 1 => {
            let op = if negated { BinaryOperator::NotEq } else { BinaryOperator::Eq };
            let only = list.pop().unwrap_or(Expr::Value(Value::Null.into()));
            Expr::BinaryOp { left: wrapped(*expr), op, right: wrapped(only) }
        }
        Expr::InList { expr, list, negated } => Expr::InList { expr: wrapped(*expr), list, negated },
        Expr::Between { expr, negated, low, high } => {
            let (low_op, high_op, join) = if negated {
                (BinaryOperator::Lt, BinaryOperator::Gt, BinaryOperator::Or)
            } else {
                (BinaryOperator::GtEq, BinaryOperator::LtEq, BinaryOperator::And)
            };
            let left = Expr::BinaryOp { left: wrapped((*expr).clone()), op: low_op, right: wrapped(*low) };
            let right = Expr::BinaryOp { left: wrapped(*expr), op: high_op, right: wrapped(*high) };
            joined(left, join, right)
        }
        Expr::BinaryOp { left, op: op @ (BinaryOperator::And | BinaryOperator::Or), right } => {
            joined(*left, op, *right)
        }
        Expr::BinaryOp { left, op, right } => Expr::BinaryOp { left: wrapped(*left), op, right: wrapped(*right) },
        Expr::UnaryOp { op, expr } => Expr::UnaryOp { op, expr: wrapped(*expr) },
        Expr::IsNull(inner) => Expr::IsNull(wrapped(*inner)),
        Expr::IsNotNull(inner) => Expr::IsNotNull(wrapped(*inner)),
        other => other,
    }
}

fn wrapped(expression: Expr) -> Box<Expr> {
    Box::new(match expression {
        simple @ (Expr::Identifier(_) | Expr::Value(_) | Expr::Nested(_)) => simple,
        other => Expr::Nested(Box::new(other)),
    })
}

/// `a AND (b AND c)` and `(a AND b) AND c` are one.
fn joined(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    match unwrapped(right) {
        Expr::BinaryOp { left: middle, op: inner, right } if inner == op => {
            let left = joined(left, op, *middle);
            Expr::BinaryOp { left: Box::new(left), op: inner, right }
        }
        right => {
            let left = match unwrapped(left) {
                chain @ Expr::BinaryOp { .. } if matches!(&chain, Expr::BinaryOp { op: inner, .. } if *inner == op) => {
                    Box::new(chain)
                }
                other => wrapped(other),
            };
            Expr::BinaryOp { left, op, right: wrapped(right) }
        }
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
