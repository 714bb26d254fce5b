//! Normal form of expressions.

use std::ops::ControlFlow;

use sqlparser::ast::{BinaryOperator, Expr, Ident, Value, VisitorMut};

use super::nested::unwrapped;

/// Rewrites equivalent expressions to the same form, with parentheses around every operand.
pub(super) struct Normal;

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
        Expr::Identifier(name) => Expr::Identifier(one_way(name)),
        Expr::Nested(inner) => *inner,
        Expr::InList { expr, mut list, negated } if list.len() == 1 => {
            let op = if negated { BinaryOperator::NotEq } else { BinaryOperator::Eq };
            let only = list.pop().unwrap_or(Expr::Value(Value::Null.into()));
            Expr::BinaryOp { left: wrapped(*expr), op, right: wrapped(only) }
        }
        Expr::InList { expr, mut list, negated } => {
            // Their order has no meaning.
            list.sort_by_key(ToString::to_string);
            Expr::InList { expr: wrapped(*expr), list, negated }
        }
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

/// A name without quotes is in lower case.
fn one_way(name: Ident) -> Ident {
    let value = if name.quote_style.is_some() { name.value } else { name.value.to_lowercase() };
    let is_simple = value.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if is_simple { Ident::new(value) } else { Ident::with_quote('"', value) }
}

fn wrapped(expression: Expr) -> Box<Expr> {
    Box::new(match expression {
        simple @ (Expr::Identifier(_) | Expr::Value(_) | Expr::Nested(_)) => simple,
        other => Expr::Nested(Box::new(other)),
    })
}

/// Left-associative chain: `a AND (b AND c)` becomes `(a AND b) AND c`.
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
