//! What SQL a migration would run, found out without the database it is meant for.
//!
//! The migration is given a connection that writes down what it is asked. For SQLite the statements are also carried out,
//! in memory, so that a migration can look at what the earlier ones have made. For PostgreSQL there is nothing to look
//! at: a query finds no rows, and what a migration asks whether it is there is not.
//!
//! So `up` and `down` of a migration may be called where nothing is to be migrated: they must do nothing but ask the
//! connection that they are given.

use std::sync::{Arc, Mutex, PoisonError};

use futures_executor::block_on;
use sea_orm::{
    DatabaseConnection, DatabaseConnectionType, DbBackend, DbErr, ExecResult, MockDatabaseConnection,
    MockDatabaseTrait, QueryResult, RuntimeErr, Statement, Transaction,
};
use sea_orm_migration::{MigrationTrait, SchemaManager};
use sha2::{Digest as _, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _};

use crate::alter_table;

/// A connection on which migrations are replayed, and the statements they asked for.
pub(crate) struct Recorder {
    connection: DatabaseConnection,
    statements: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    pub(crate) async fn new(backend: DbBackend) -> Result<Self, DbErr> {
        // A rebuild needs foreign keys off, and there are no rows to protect.
        let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(false).disable_statement_logging();
        let scratch = options.connect().await.map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(error.into())))?;
        let statements = Arc::default();
        let database = WritingDatabase { backend, statements: Arc::clone(&statements), scratch };
        let connection = MockDatabaseConnection::new(database);
        let connection = DatabaseConnectionType::MockDatabaseConnection(Arc::new(connection)).into();
        Ok(Self { connection, statements })
    }

    /// Plays a migration and returns its statements.
    pub(crate) async fn up(&self, migration: &dyn MigrationTrait) -> Result<Vec<String>, DbErr> {
        migration.up(&SchemaManager::new(&self.connection)).await?;
        Ok(self.take())
    }

    /// Plays a migration backwards and returns its statements.
    pub(crate) async fn down(&self, migration: &dyn MigrationTrait) -> Result<Vec<String>, DbErr> {
        migration.down(&SchemaManager::new(&self.connection)).await?;
        Ok(self.take())
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.statements.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[derive(Debug)]
struct WritingDatabase {
    backend: DbBackend,
    statements: Arc<Mutex<Vec<String>>>,
    scratch: SqliteConnection,
}

impl MockDatabaseTrait for WritingDatabase {
    // The trait cannot wait otherwise. SQLite works on a thread of its own, in memory, so it does not take long.
    fn execute(&mut self, _: usize, statement: Statement) -> Result<ExecResult, DbErr> {
        let sql = statement.to_string();
        self.statements.lock().unwrap_or_else(PoisonError::into_inner).push(sql.clone());
        // A result cannot be made, only had: PostgreSQL's statements are answered with that of another.
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

/// Whether a query is one only in that it has an answer, such as `INSERT … RETURNING` or `SELECT setval(…)`.
fn changes_something(sql: &str) -> bool {
    let upper = sql.trim_start().to_uppercase();
    let reads = ["SELECT", "PRAGMA", "EXPLAIN", "SHOW", "VALUES"].iter().any(|word| upper.starts_with(word));
    !reads || upper.starts_with("SELECT") && !upper.contains(" FROM ")
}

/// What is known of a migration from playing it.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) statements: Vec<String>,
    /// Absent when the SQL is not the same each time.
    pub(crate) checksum: Option<String>,
}

impl Recorded {
    /// Whether it rebuilds a table, for which SQLite has to leave foreign keys alone.
    pub(crate) fn rebuilds(&self) -> bool {
        self.statements.iter().any(|statement| statement.contains(alter_table::TEMPORARY_PREFIX))
    }
}

/// Plays every migration forward, twice, to see which of them always write the same.
///
/// A migration that cannot be replayed without its data, and every one after it on SQLite, is told by its error.
pub(crate) async fn forward(
    migrations: &[Box<dyn MigrationTrait>],
    backend: DbBackend,
) -> Result<Vec<Result<Recorded, String>>, DbErr> {
    let (first, second) = (Recorder::new(backend).await?, Recorder::new(backend).await?);
    let mut recorded = Vec::with_capacity(migrations.len());
    for migration in migrations {
        let replayed = match (first.up(migration.as_ref()).await, second.up(migration.as_ref()).await) {
            (Ok(statements), Ok(again)) => {
                let checksum = (statements == again).then(|| checksum(&statements));
                Ok(Recorded { statements, checksum })
            }
            (Err(error), _) | (_, Err(error)) => Err(error.to_string()),
        };
        recorded.push(replayed);
    }
    Ok(recorded)
}

/// SHA-256 of the statements, line ends made alike, in hexadecimal.
fn checksum(statements: &[String]) -> String {
    let mut hash = Sha256::new();
    for statement in statements {
        hash.update(statement.replace("\r\n", "\n"));
        hash.update([0]);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
