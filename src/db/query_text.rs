//! Queries whose text is built once and then only filled with values.

use std::sync::OnceLock;

use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, QueryTrait, Select, Statement, Value};

/// The text of one query, in the dialect of each database.
#[derive(Debug, Default)]
pub struct QueryText {
    sqlite: OnceLock<String>,
    postgres: OnceLock<String>,
}

impl QueryText {
    /// A text that has not been built yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { sqlite: OnceLock::new(), postgres: OnceLock::new() }
    }

    /// The query with these values in the places of those that `build` gives it, which must be as many.
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
