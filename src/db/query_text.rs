//! Cached SQL text: a query is built once, and later only gets its values.

use std::sync::OnceLock;

use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, QueryTrait, Select, Statement, Value};

/// Cached SQL text of one query, in the dialect of each database.
#[derive(Debug, Default)]
pub struct QueryText {
    sqlite: OnceLock<String>,
    postgres: OnceLock<String>,
}

impl QueryText {
    /// Creates an empty cache.
    #[must_use]
    pub const fn new() -> Self {
        Self { sqlite: OnceLock::new(), postgres: OnceLock::new() }
    }

    /// Returns the query with `values` instead of the values that `build` sets. Their number must be the same.
    pub fn fill<E: EntityTrait>(
        &self,
        db: &impl ConnectionTrait,
        values: impl IntoIterator<Item = Value>,
        build: impl FnOnce() -> Select<E>,
    ) -> Statement {
        let backend = db.get_database_backend();
        let text = match backend {
            DbBackend::Sqlite => &self.sqlite,
            _ => &self.postgres,
        };
        Statement::from_sql_and_values(backend, text.get_or_init(|| build().build(backend).sql), values)
    }
}
