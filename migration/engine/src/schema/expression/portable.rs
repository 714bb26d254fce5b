//! Portable form of expressions: without what a database adds.

use std::ops::ControlFlow;

use sqlparser::ast::{Array, BinaryOperator, DataType, Expr, Ident, UnaryOperator, Value, ValueWithSpan, VisitorMut};
use sqlparser::keywords::ALL_KEYWORDS;

use super::nested::unwrapped;

/// Removes what PostgreSQL adds to an expression.
pub(super) struct Portable;

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
        Expr::Cast { kind, expr, data_type, format } => {
            without_cast(*expr, &data_type).unwrap_or_else(|expr| Expr::Cast { kind, expr, data_type, format })
        }
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match *expr {
            Expr::Value(ValueWithSpan { value: Value::Number(number, long), .. }) if !number.starts_with('-') => {
                Expr::Value(Value::Number(format!("-{number}"), long).into())
            }
            // Two minus signs would begin a comment.
            other @ (Expr::Value(_) | Expr::UnaryOp { .. }) => {
                Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(Expr::Nested(Box::new(other))) }
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

/// An operand of AND or OR without unnecessary parentheses.
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

/// PostgreSQL stores LIKE as an operator.
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

/// Removes the casts to text from text columns.
pub(super) struct TextColumns<'a>(pub(super) &'a [String]);

impl VisitorMut for TextColumns<'_> {
    type Break = ();

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if let Expr::Cast { expr, data_type, .. } = expression
            && data_type.to_string().eq_ignore_ascii_case("text")
            && let Expr::Identifier(name) = unwrapped((**expr).clone())
            && self.0.contains(&name.value)
        {
            *expression = Expr::Identifier(name);
        }
        ControlFlow::Continue(())
    }
}

/// Whether an expression never needs parentheses.
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

/// A literal without an implicit cast. A cast to a type with a size may change the value, so it
/// stays.
fn without_cast(expression: Expr, kind: &DataType) -> Result<Expr, Box<Expr>> {
    let kind = kind.to_string().to_uppercase();
    let element = kind.trim_end_matches("[]");
    let is_text = ["TEXT", "VARCHAR", "CHARACTER VARYING"].contains(&element);
    let is_fraction = ["NUMERIC", "DECIMAL", "DOUBLE PRECISION", "REAL", "FLOAT8", "FLOAT4"].contains(&element);
    let is_integer = ["INTEGER", "INT", "SMALLINT", "BIGINT", "INT2", "INT4", "INT8"].contains(&element);
    match expression {
        Expr::Array(array) if is_text || is_fraction || is_integer => Ok(Expr::Array(array)),
        Expr::Nested(inner) if matches!(*inner, Expr::Array(_)) && is_text => Ok(*inner),
        Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), span }) => {
            let is_number = is_integer && text.parse::<i64>().is_ok()
                || is_fraction && text.parse::<f64>().is_ok_and(f64::is_finite);
            match (is_number, is_integer || is_fraction, kind.contains('(')) {
                (true, ..) => Ok(Expr::Value(Value::Number(text, false).into())),
                (_, false, false) => Ok(Expr::Value(Value::SingleQuotedString(text).into())),
                _ => Err(Box::new(Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), span }))),
            }
        }
        Expr::Value(ValueWithSpan { value: Value::Number(number, long), span }) => {
            match is_fraction || is_integer && number.parse::<i64>().is_ok() {
                true => Ok(Expr::Value(Value::Number(number, long).into())),
                false => Err(Box::new(Expr::Value(ValueWithSpan { value: Value::Number(number, long), span }))),
            }
        }
        Expr::Nested(inner) if matches!(*inner, Expr::Value(_)) => without_cast(
            *inner,
            &DataType::Custom(sqlparser::ast::ObjectName::from(vec![Ident::new(kind)]), Vec::new()),
        ),
        other => Err(Box::new(other)),
    }
}

/// The name without quotes, if it does not need them.
fn plain(name: Ident) -> Ident {
    let mut characters = name.value.chars();
    let is_simple = characters.next().is_some_and(|c| c.is_ascii_lowercase() || c == '_')
        && characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let is_keyword = ALL_KEYWORDS.binary_search(&name.value.to_uppercase().as_str()).is_ok();
    if is_simple && !is_keyword { Ident::new(name.value) } else { name }
}
