//! Parentheses around expressions.

use sqlparser::ast::Expr;

/// The expression without the parentheses around it.
pub(super) fn unwrapped(expression: Expr) -> Expr {
    match expression {
        Expr::Nested(inner) => unwrapped(*inner),
        other => other,
    }
}
