//! Database connections: how they are opened, pooled and used on each database, and how a write transaction begins.
//!
//! SQLite has one writer connection and a pool of readers. PostgreSQL has a few held connections in each worker thread
//! for single statements, and a shared set of them for the transactions of all workers. The reasons are in
//! `docs/decisions/0003-connections.md`.

mod failure;
mod held_connections;
mod not_indexed;
mod pooler;
mod query_text;
mod transaction;

use std::sync::Arc;
use std::time::Duration;

use sea_orm::sqlx::ConnectOptions as _;
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult,
    RuntimeErr, SqliteTransactionMode, Statement, TransactionOptions, TransactionSession, TransactionTrait,
};

pub use failure::{UNKNOWN_FOREIGN_KEY, is_unavailable, violated_constraint};
use held_connections::HeldConnections;
pub use not_indexed::not_indexed;
pub use query_text::QueryText;
pub use transaction::{PgTransaction, Transaction};

/// Timeout for getting a connection. After it, the client is told to try again later.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);

/// Statement timeout on PostgreSQL.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(15);

/// Response timeout on PostgreSQL. It is longer than the server's statement timeout, and only applies if the server has
/// disappeared without closing the connection.
const RESPONSE_TIMEOUT: Duration = STATEMENT_TIMEOUT.saturating_add(Duration::from_secs(2));

/// Response timeout of statements that run every second. The next one is better than a late one.
const POLLING_TIMEOUT: Duration = Duration::from_secs(2);

/// Maximum number of concurrent long transactions. More of them would not be faster.
const MAX_LONG_TRANSACTIONS: usize = 4;

/// Maximum number of held connections per worker. More of them would not be faster.
const MAX_HELD_PER_WORKER: u32 = 4;

/// Database handle of one worker. Cheap to clone.
///
/// Single statements use `ConnectionTrait`; several statements that belong together use [`Transact::begin`].
#[derive(Clone)]
pub struct Db(Backend);

#[derive(Clone)]
enum Backend {
    Sqlite { reader: DatabaseConnection, writer: DatabaseConnection },
    Postgres { single: Arc<HeldConnections>, shared: Arc<HeldConnections>, limits: Arc<PostgresLimits> },
}

/// How the connections to PostgreSQL are split.
struct PostgresLimits {
    connect: PgConnectOptions,
    per_worker: u32,
    shared: u32,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Db").field(&self.get_database_backend()).finish()
    }
}

impl Db {
    /// Connects to `url` with at most `max_connections` connections for `workers` threads.
    ///
    /// Creates a missing SQLite file and its folder.
    ///
    /// # Errors
    /// Returns an error if the database cannot be reached or refuses the connection.
    pub async fn connect(url: &str, max_connections: u32, workers: u32) -> Result<Self, DbErr> {
        if url.starts_with("sqlite:") {
            Self::connect_sqlite(url, max_connections).await
        } else {
            Self::connect_postgres(url, max_connections, workers).await
        }
    }

    async fn connect_sqlite(url: &str, max_connections: u32) -> Result<Self, DbErr> {
        migration::create_sqlite_file(url).map_err(|error| DbErr::Custom(error.to_string()))?;
        let writer = Database::connect(sqlite_options(url, 1, false)).await?;
        // Each connection to an in-memory database would have its own database.
        if url.contains(":memory:") || url.contains("mode=memory") {
            return Ok(Self(Backend::Sqlite { reader: writer.clone(), writer }));
        }
        let reader = Database::connect(sqlite_options(url, max_connections.saturating_sub(1).max(1), true)).await?;
        Ok(Self(Backend::Sqlite { reader, writer }))
    }

    async fn connect_postgres(url: &str, max_connections: u32, workers: u32) -> Result<Self, DbErr> {
        let options: PgConnectOptions = url.parse().map_err(connection_error)?;
        let options = options.application_name("care4u");
        // The cause of a failure is reported at the start, not by the first request.
        pooler::refuse_transaction_mode(&options).await?;
        let connect = options.disable_statement_logging();
        // Two connections are for background tasks; with the fewest allowed they come on top.
        let (per_worker, shared) = split_connections(Ord::max(max_connections.saturating_sub(2), 2), workers);
        let limits = Arc::new(PostgresLimits { connect, per_worker, shared });
        let shared = HeldConnections::new(limits.connect.clone(), shared, RESPONSE_TIMEOUT);
        Ok(Self(Backend::Postgres { single: Arc::clone(&shared), shared, limits }))
    }

    /// Returns the handle of a worker thread, with its own held connections if there are enough for all workers.
    #[must_use]
    pub fn for_worker(&self) -> Self {
        match &self.0 {
            Backend::Postgres { shared, limits, .. } => {
                let single = match limits.per_worker {
                    0 => Arc::clone(shared),
                    per_worker => HeldConnections::new(limits.connect.clone(), per_worker, RESPONSE_TIMEOUT),
                };
                Self(Backend::Postgres { single, shared: Arc::clone(shared), limits: Arc::clone(limits) })
            }
            Backend::Sqlite { .. } => self.clone(),
        }
    }

    /// Returns the handle of a background task that runs a short statement every second, with a connection of its own
    /// and a short timeout: when other connections have died without a sign, this one is replaced after two seconds.
    #[must_use]
    pub fn for_polling(&self) -> Self {
        match &self.0 {
            Backend::Postgres { shared, limits, .. } => {
                let single = HeldConnections::new(limits.connect.clone(), 1, POLLING_TIMEOUT);
                Self(Backend::Postgres { single, shared: Arc::clone(shared), limits: Arc::clone(limits) })
            }
            Backend::Sqlite { .. } => self.clone(),
        }
    }

    /// Applies all pending migrations. `url` is the one that this handle was opened with.
    ///
    /// # Errors
    /// Returns an error if a migration fails; that migration is rolled back.
    pub async fn migrate(&self, url: &str) -> Result<(), migration::Failure> {
        match &self.0 {
            Backend::Sqlite { writer, .. } => migration::up(writer).await,
            // Not with the pool: a migration, or the wait for the migration lock, may exceed the statement timeout.
            Backend::Postgres { .. } => {
                let migrator = migration::connect(url, None).await?;
                let outcome = migration::up(&migrator).await;
                let closed = migrator.close().await;
                outcome?;
                Ok(closed?)
            }
        }
    }

    /// The number of long transactions (seconds) that may run at once, so that enough connections remain for others.
    #[must_use]
    pub fn long_transactions(&self) -> usize {
        match &self.0 {
            Backend::Sqlite { .. } => 1,
            Backend::Postgres { limits, .. } => {
                usize::try_from(limits.shared / 2).unwrap_or(1).clamp(1, MAX_LONG_TRANSACTIONS)
            }
        }
    }

    /// Checks that the database responds.
    ///
    /// # Errors
    /// Database errors.
    pub async fn ping(&self) -> Result<(), DbErr> {
        self.query_one_raw(Statement::from_string(self.get_database_backend(), "SELECT 1")).await.map(drop)
    }

    /// Closes all pooled connections. SQLite then merges its write-ahead log into the database file.
    ///
    /// # Errors
    /// Returns an error if a connection cannot be closed.
    pub async fn close(self) -> Result<(), DbErr> {
        match self.0 {
            Backend::Sqlite { reader, writer } => {
                reader.close().await?;
                writer.close().await
            }
            // Each connection is closed when it is dropped.
            Backend::Postgres { .. } => Ok(()),
        }
    }
}

/// A database handle that can run single statements and begin transactions.
pub trait Transact: ConnectionTrait {
    /// Transaction.
    type Transaction: ConnectionTrait + TransactionSession + Send + 'static;

    /// Begins a write transaction. On SQLite there is only one at a time.
    ///
    /// # Errors
    /// Returns an error if no connection becomes available in time.
    fn begin(&self) -> impl Future<Output = Result<Self::Transaction, DbErr>> + Send;

    /// Removes deleted data from the write-ahead log of SQLite.
    ///
    /// # Errors
    /// Database errors, also if another connection still reads from the log.
    fn purge_log(&self) -> impl Future<Output = Result<(), DbErr>> + Send {
        std::future::ready(Ok(()))
    }
}

impl Transact for Db {
    type Transaction = Transaction;

    async fn begin(&self) -> Result<Transaction, DbErr> {
        match &self.0 {
            Backend::Sqlite { writer, .. } => {
                let immediate = Some(SqliteTransactionMode::Immediate);
                let options = TransactionOptions { sqlite_transaction_mode: immediate, ..Default::default() };
                writer.begin_with_options(options).await.map(Transaction::Sqlite)
            }
            Backend::Postgres { shared, .. } => PgTransaction::begin(shared).await.map(Transaction::Postgres),
        }
    }

    async fn purge_log(&self) -> Result<(), DbErr> {
        match &self.0 {
            Backend::Sqlite { writer, .. } => {
                let checkpoint = Statement::from_string(DbBackend::Sqlite, "PRAGMA wal_checkpoint(TRUNCATE)");
                let row = writer.query_one_raw(checkpoint).await?;
                let is_busy = row.map_or(Ok(0), |row| row.try_get_by_index::<i32>(0))? != 0;
                if is_busy { Err(DbErr::Custom("the write-ahead log is being read".to_owned())) } else { Ok(()) }
            }
            Backend::Postgres { .. } => Ok(()),
        }
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Db {
    fn get_database_backend(&self) -> DbBackend {
        match &self.0 {
            Backend::Sqlite { .. } => DbBackend::Sqlite,
            Backend::Postgres { .. } => DbBackend::Postgres,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match &self.0 {
            Backend::Sqlite { writer, .. } => writer.execute_raw(statement).await,
            Backend::Postgres { single, .. } => single.execute(&statement).await.map(Into::into),
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match &self.0 {
            Backend::Sqlite { writer, .. } => writer.execute_unprepared(sql).await,
            Backend::Postgres { single, .. } => {
                let mut lease = single.lease().await?;
                let result = lease.run(sql, None).await;
                lease.release_after(result).map(Into::into).map_err(held_connections::exec_error)
            }
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match &self.0 {
            Backend::Sqlite { reader, .. } if is_read(&statement.sql) => reader.query_one_raw(statement).await,
            // Read all rows: the write is committed, or fails, only after the last one.
            Backend::Sqlite { writer, .. } => Ok(writer.query_all_raw(statement).await?.into_iter().next()),
            Backend::Postgres { single, .. } => Ok(single.fetch(&statement).await?.into_iter().next().map(Into::into)),
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match &self.0 {
            Backend::Sqlite { reader, .. } if is_read(&statement.sql) => reader.query_all_raw(statement).await,
            Backend::Sqlite { writer, .. } => writer.query_all_raw(statement).await,
            Backend::Postgres { single, .. } => {
                Ok(single.fetch(&statement).await?.into_iter().map(Into::into).collect())
            }
        }
    }
}

/// Whether a statement only reads. Then it can run on a read-only connection, and can be retried.
fn is_read(sql: &str) -> bool {
    sql.starts_with("SELECT")
}

/// Splits `max_connections` into held connections per worker and connections of the shared pool.
///
/// A worker gets at least two held connections or none: with only one, a slow statement would block the whole worker.
fn split_connections(max_connections: u32, workers: u32) -> (u32, u32) {
    let workers = workers.max(1);
    let per_worker = (max_connections.saturating_sub(2) / workers).min(MAX_HELD_PER_WORKER);
    let per_worker = if per_worker < 2 { 0 } else { per_worker };
    (per_worker, max_connections.saturating_sub(per_worker * workers))
}

fn sqlite_options(url: &str, connections: u32, read_only: bool) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        // Connections to a file do not become stale, and an in-memory database is lost with its connection.
        .max_lifetime(None)
        .idle_timeout(None)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |sqlite| {
            let sqlite = sqlite.foreign_keys(true).busy_timeout(Duration::from_secs(5)).read_only(read_only);
            if read_only {
                return sqlite.create_if_missing(false);
            }
            // Deleted data is overwritten with zeros: erased people must not stay in free pages, or in a backup of them.
            let sqlite = sqlite.pragma("secure_delete", "on");
            // FULL: in WAL mode, a lower level may lose acknowledged commits at a power failure.
            sqlite.create_if_missing(true).journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full)
        });
    options
}

fn connection_error(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error.into()))
}

#[cfg(test)]
mod tests {
    use super::split_connections;

    #[test]
    fn held_and_pooled_connections_stay_within_the_limit() {
        for (max_connections, workers) in [(16, 2), (10, 2), (4, 2), (16, 64), (2, 1), (100, 8)] {
            let (held, pooled) = split_connections(max_connections, workers);
            let is_within_limit = held * workers + pooled <= max_connections;
            assert!(is_within_limit, "{max_connections} connections, {workers} workers: {held} and {pooled}");
            assert!(pooled >= 2);
        }
        assert_eq!(split_connections(16, 2), (4, 8));
        assert_eq!(split_connections(16, 8), (0, 16));
    }
}
