//! Recorder: the SQL that a migration would execute, without its database.
//!
//! The migration runs on a connection that records the statements. For SQLite they are also
//! executed on an in-memory database (the shadow database), so that a migration can query what
//! earlier ones have created. For PostgreSQL queries return no rows, and tables, columns and
//! indexes do not exist. A migration that reads more than the schema of the shadow database depends
//! on data: what was recorded may not be what it executes.
//!
//! So `up` and `down` are also called if nothing is to be migrated. They must have no effect
//! besides the statements on their connection.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_executor::block_on;
use sea_orm::{
    DatabaseConnection, DatabaseConnectionType, DbBackend, DbErr, ExecResult, MockDatabaseConnection,
    MockDatabaseTrait, QueryResult, RuntimeErr, Statement, Transaction,
};
use sea_orm_migration::{MigrationTrait, SchemaManager};
use sha2::{Digest as _, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};

use crate::alter_table;

/// A connection that records the statements of migrations.
pub(crate) struct Recorder {
    connection: DatabaseConnection,
    statements: Arc<Mutex<Vec<String>>>,
    reads_data: Arc<AtomicBool>,
}

impl Recorder {
    pub(crate) async fn new(backend: DbBackend) -> Result<Self, DbErr> {
        // A rebuild needs foreign keys to be off, and there are no rows to protect.
        let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(false).disable_statement_logging();
        let scratch = options.connect().await.map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(error.into())))?;
        let (statements, reads_data) = (Arc::default(), Arc::default());
        let (recorded, reads) = (Arc::clone(&statements), Arc::clone(&reads_data));
        let database = RecordingDatabase { backend, statements: recorded, reads_data: reads, scratch };
        let connection = MockDatabaseConnection::new(database);
        let connection = DatabaseConnectionType::MockDatabaseConnection(Arc::new(connection)).into();
        Ok(Self { connection, statements, reads_data })
    }

    /// Records the statements of `up`.
    pub(crate) async fn up(&self, migration: &dyn MigrationTrait) -> Result<Recorded, DbErr> {
        let outcome = migration.up(&SchemaManager::new(&self.connection)).await;
        self.take(outcome)
    }

    /// Records the statements of `down`.
    pub(crate) async fn down(&self, migration: &dyn MigrationTrait) -> Result<Recorded, DbErr> {
        let outcome = migration.down(&SchemaManager::new(&self.connection)).await;
        self.take(outcome)
    }

    fn take(&self, outcome: Result<(), DbErr>) -> Result<Recorded, DbErr> {
        let statements = std::mem::take(&mut *self.statements.lock().unwrap_or_else(PoisonError::into_inner));
        let reads_data = self.reads_data.swap(false, Ordering::Relaxed);
        outcome.map(|()| Recorded { statements, checksum: None, reads_data })
    }
}

#[derive(Debug)]
struct RecordingDatabase {
    backend: DbBackend,
    statements: Arc<Mutex<Vec<String>>>,
    reads_data: Arc<AtomicBool>,
    scratch: SqliteConnection,
}

impl RecordingDatabase {
    /// Whether a query for SQLite reads more than the schema, as its program tells: the table of the schema begins at page 1.
    fn reads_rows(&mut self, sql: &str) -> bool {
        if DATA_PRAGMAS.iter().any(|pragma| sql.contains(pragma)) {
            return true;
        }
        if sql.trim_start().get(..6).is_some_and(|word| word.eq_ignore_ascii_case("PRAGMA")) {
            return false;
        }
        let explained = format!("EXPLAIN {sql}");
        let Ok(program) = block_on(sqlx::raw_sql(AssertSqlSafe(explained)).fetch_all(&mut self.scratch)) else {
            return true;
        };
        let opcode = |row: &SqliteRow| row.try_get::<String, _>("opcode").unwrap_or_default();
        let opened = || program.iter().filter(|row| ["OpenRead", "OpenWrite", "VOpen"].contains(&opcode(row).as_str()));
        let is_rows = |row: &SqliteRow| opcode(row) != "VOpen" && row.try_get::<i64, _>("p2").ok() != Some(1);
        // Without any table, it asks for a time, or for the id of the last row.
        opened().next().is_none() || opened().any(is_rows)
    }
}

impl MockDatabaseTrait for RecordingDatabase {
    // The trait is not async. SQLite runs in a thread of its own, in memory, so blocking is short.
    fn execute(&mut self, _: usize, statement: Statement) -> Result<ExecResult, DbErr> {
        let sql = statement.to_string();
        self.statements.lock().unwrap_or_else(PoisonError::into_inner).push(sql.clone());
        // An `ExecResult` cannot be constructed: PostgreSQL's statements get that of another
        // statement.
        let sql = if self.backend == DbBackend::Sqlite { sql } else { "SELECT 1".into() };
        let outcome = block_on(sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.scratch));
        outcome.map(Into::into).map_err(|error| DbErr::Exec(RuntimeErr::SqlxError(error.into())))
    }

    fn query(&mut self, _: usize, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let sql = statement.to_string();
        if changes_something(&sql) {
            self.statements.lock().unwrap_or_else(PoisonError::into_inner).push(sql.clone());
        }
        let probe = ["has_table", "has_column", "has_index"].into_iter().find(|probe| sql.contains(probe));
        if self.backend != DbBackend::Sqlite || self.reads_rows(&sql) {
            self.reads_data.store(true, Ordering::Relaxed);
        }
        let sql = match (self.backend, probe) {
            (DbBackend::Sqlite, _) => sql,
            (_, Some(probe)) => format!("SELECT FALSE AS {probe}"),
            _ => return Ok(Vec::new()),
        };
        let outcome = block_on(sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut self.scratch));
        let rows = outcome.map_err(|error| DbErr::Query(RuntimeErr::SqlxError(error.into())))?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    fn begin(&mut self) {}

    fn commit(&mut self) {}

    fn rollback(&mut self) {}

    fn drain_transaction_log(&mut self) -> Vec<Transaction> {
        Vec::new()
    }

    fn get_database_backend(&self) -> DbBackend {
        self.backend
    }

    fn ping(&self) -> Result<(), DbErr> {
        Ok(())
    }
}

/// Whether a query changes data, such as `INSERT … RETURNING` or `SELECT setval(…)`.
fn changes_something(sql: &str) -> bool {
    let upper = sql.trim_start().to_uppercase();
    let reads = ["SELECT", "PRAGMA", "EXPLAIN", "SHOW", "VALUES"].iter().any(|word| upper.starts_with(word));
    !reads || upper.starts_with("SELECT") && !upper.contains(" FROM ")
}

/// Pragmas that read rows, or what is stored beside them.
const DATA_PRAGMAS: [&str; 7] = [
    "foreign_key_check",
    "integrity_check",
    "quick_check",
    "user_version",
    "application_id",
    "page_count",
    "freelist_count",
];

/// The recorded statements of a migration.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) statements: Vec<String>,
    /// None if the SQL differs each time, or depends on data.
    pub(crate) checksum: Option<String>,
    /// Whether the migration has read data, on which its statements may depend.
    pub(crate) reads_data: bool,
}

impl Recorded {
    /// Whether it rebuilds a table, for which foreign keys have to be off on SQLite.
    pub(crate) fn rebuilds(&self) -> bool {
        self.statements.iter().any(|statement| statement.contains(alter_table::TEMPORARY_PREFIX))
    }
}

/// Records `up` of all migrations, twice, to find out which of them always have the same SQL.
///
/// A migration that needs its data cannot be recorded; on SQLite neither can those after it. Their
/// entry is the error.
pub(crate) async fn record_up(
    migrations: &[Box<dyn MigrationTrait>],
    backend: DbBackend,
) -> Result<Vec<Result<Recorded, String>>, DbErr> {
    let (first, second) = (Recorder::new(backend).await?, Recorder::new(backend).await?);
    let mut recorded = Vec::with_capacity(migrations.len());
    for migration in migrations {
        let outcome = match (first.up(migration.as_ref()).await, second.up(migration.as_ref()).await) {
            (Ok(recorded), Ok(again)) => {
                let is_same = recorded.statements == again.statements && !recorded.reads_data;
                let checksum = is_same.then(|| checksum(&recorded.statements));
                Ok(Recorded { checksum, ..recorded })
            }
            (Err(error), _) | (_, Err(error)) => Err(error.to_string()),
        };
        recorded.push(outcome);
    }
    Ok(recorded)
}

/// SHA-256 of the statements in hexadecimal, with normalised line ends.
fn checksum(statements: &[String]) -> String {
    let mut hash = Sha256::new();
    for statement in statements {
        hash.update(statement.replace("\r\n", "\n"));
        hash.update([0]);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
