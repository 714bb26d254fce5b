//! Classification of database errors: which constraint was violated, or whether the database is unavailable.

use sea_orm::{DbErr, RuntimeErr};

/// Constraint name of a violated foreign key on SQLite, which does not report its name.
pub const UNKNOWN_FOREIGN_KEY: &str = "?_fkey";

/// Returns the name of the violated constraint, such as `users_email_key`, on both databases.
///
/// PostgreSQL reports the name. SQLite reports the name of a CHECK, but only the columns of a unique key; its name is
/// built from them by the naming rule `<table>_<columns>_key`. For a foreign key SQLite reports nothing; the result is
/// [`UNKNOWN_FOREIGN_KEY`].
pub fn violated_constraint(error: &DbErr) -> Option<String> {
    let sqlx::Error::Database(error) = sqlx_error(error)? else { return None };
    if let Some(name) = error.constraint() {
        return Some(name.to_owned());
    }
    let message = error.message();
    if let Some(columns) = message.strip_prefix("UNIQUE constraint failed: ") {
        let mut parts = columns.split(", ").filter_map(|column| column.split_once('.'));
        let (table, first) = parts.next()?;
        let columns = parts.fold(first.to_owned(), |columns, (_, column)| columns + "_" + column);
        return Some(format!("{table}_{columns}_key"));
    }
    if message.starts_with("FOREIGN KEY constraint failed") {
        return Some(UNKNOWN_FOREIGN_KEY.to_owned());
    }
    message.strip_prefix("CHECK constraint failed: ").map(str::to_owned)
}

/// Whether the database could not be reached or was overloaded, so that a retry may succeed.
pub fn is_unavailable(error: &DbErr) -> bool {
    if matches!(error, DbErr::ConnectionAcquire(_) | DbErr::Conn(_)) {
        return true;
    }
    match sqlx_error(error) {
        Some(sqlx::Error::Database(error)) => error.code().is_some_and(|code| is_transient(&code)),
        Some(
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed,
        ) => true,
        _ => false,
    }
}

/// Whether an error code is transient.
///
/// PostgreSQL: connection exceptions (08), insufficient resources (53), operator intervention (57), read-only after a
/// failover (25006), serialisation failures (40). SQLite: busy, locked, out of memory, read-only, I/O error, full,
/// cannot open, and their extended codes, whose lowest byte is the primary code.
fn is_transient(code: &str) -> bool {
    if code.len() == 5 {
        return ["08", "40", "53", "57"].iter().any(|class| code.starts_with(class)) || code == "25006";
    }
    matches!(code.parse::<u32>().map(|code| code & 0xff), Ok(5 | 6 | 7 | 8 | 10 | 13 | 14))
}

fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::is_transient;

    #[test]
    fn transient_error_codes_of_both_databases_are_recognised() {
        for code in ["08006", "57P01", "53300", "40001", "5", "517", "10", "13", "14"] {
            assert!(is_transient(code), "{code}");
        }
        for code in ["23505", "22001", "42P01", "2067", "787", "1811", "1"] {
            assert!(!is_transient(code), "{code}");
        }
    }
}
