//! Equivalences: SQL expressions that the database treats as equal, though their texts differ.

use std::collections::BTreeSet;

use crate::schema::expression::normal;

/// Pairs of equivalent expressions, in normal form.
#[derive(Clone, Debug, Default)]
pub(crate) struct Equivalences(pub(crate) BTreeSet<(String, String)>);

/// Whether two literals have the same value: `0` and `0.0`, and on SQLite `0` and `false`.
fn is_same_literal(left: &str, right: &str) -> bool {
    let number = |literal: &str| match literal {
        "false" => Some(0.0),
        "true" => Some(1.0),
        other => other.parse::<f64>().ok(),
    };
    number(left).is_some_and(|left| number(right) == Some(left))
}

impl Equivalences {
    pub(crate) fn are_same(&self, left: &str, right: &str) -> bool {
        let (left, right) = (normal(left), normal(right));
        left == right
            || is_same_literal(&left, &right)
            || self.0.contains(&(left.clone(), right.clone()))
            || self.0.contains(&(right, left))
    }

    pub(crate) fn are_same_if_any(&self, left: Option<&str>, right: Option<&str>) -> bool {
        match (left, right) {
            (Some(left), Some(right)) => self.are_same(left, right),
            (None, None) => true,
            _ => false,
        }
    }
}
