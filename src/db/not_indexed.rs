//! Conditions that are checked on the rows that another condition finds.

use sea_orm::sea_query::{BinOper, Expr, ExprTrait as _};

/// Keeps a condition from being looked up by an index, for one that holds for many rows, beside one that holds for few.
///
/// SQLite has no statistics here: of two indexes that both fit, it may take the one of a status, and read all rows of it.
/// An operand of `IS TRUE` is not an indexable term on SQLite; the result is the same on both databases.
#[must_use]
pub fn not_indexed(condition: Expr) -> Expr {
    condition.binary(BinOper::Is, Expr::Constant(true.into()))
}

#[cfg(test)]
mod tests {
    use sea_orm::sea_query::{PostgresQueryBuilder, Query, SqliteQueryBuilder};

    use super::*;

    #[test]
    fn the_condition_is_the_operand() {
        let query = Query::select()
            .expr(Expr::value(1))
            .and_where(not_indexed(Expr::col("status").eq("booked")))
            .and_where(not_indexed(Expr::cust("r.status = 'booked'")))
            .to_owned();
        let expected = r#"SELECT 1 WHERE ("status" = 'booked') IS TRUE AND (r.status = 'booked') IS TRUE"#;
        assert_eq!(query.to_string(SqliteQueryBuilder), expected);
        assert_eq!(query.to_string(PostgresQueryBuilder), expected);
    }
}
