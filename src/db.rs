//! How connections are opened, held and handed out on each database, and how a write transaction begins.
//!
//! SQLite has one writer and a pool of readers. PostgreSQL has a few connections held by each worker thread for single
//! statements, and a pool that all workers share for transactions: `docs/decisions/0003-connections.md` says why.

mod failure;
mod held;
mod query_text;

use std::sync::Arc;
use std::time::Duration;

use sea_orm::sqlx::ConnectOptions as _;
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult,
    QueryResult, RuntimeErr, SqliteTransactionMode, Statement, TransactionOptions, TransactionSession,
    TransactionTrait,
};

pub use failure::{SOME_FOREIGN_KEY, is_unavailable, violated_constraint};
use held::{Held, HeldOptions};
pub use query_text::QueryText;

/// How long a request waits for a connection before it is told to come back.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);

/// The longest that one statement may take on PostgreSQL.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(15);

/// More long transactions than this at once gain nobody anything.
const MOST_LONG_TRANSACTIONS: usize = 4;

/// More held connections than this gain a worker nothing.
const MOST_HELD_PER_WORKER: u32 = 4;

/// The database, as one worker sees it. Cheap to clone.
///
/// A single statement goes through `ConnectionTrait`; several that belong together go through [`Transact::begin`].
#[derive(Clone)]
pub struct Db(Backend);

#[derive(Clone)]
enum Backend {
    Sqlite { reader: DatabaseConnection, writer: DatabaseConnection },
    Postgres { held: Option<Arc<Held>>, pool: DatabaseConnection, options: Arc<HeldOptions> },
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Db").field(&self.get_database_backend()).finish()
    }
}

impl Db {
    /// Opens `url` with at most `max_connections`, to be shared by `workers` threads.
    ///
    /// A missing SQLite file and its folder are created.
    ///
    /// # Errors
    /// Fails when the database cannot be reached or refuses us.
    pub async fn connect(url: &str, max_connections: u32, workers: u32) -> Result<Self, DbErr> {
        if url.starts_with("sqlite:") {
            Self::connect_sqlite(url, max_connections).await
        } else {
            Self::connect_postgres(url, max_connections, workers).await
        }
    }

    async fn connect_sqlite(url: &str, max_connections: u32) -> Result<Self, DbErr> {
        migration::create_sqlite_folder(url).map_err(|error| DbErr::Custom(error.to_string()))?;
        let writer = Database::connect(sqlite_options(url, 1, false)).await?;
        // Every connection to a database in memory has a database of its own.
        if url.contains(":memory:") || url.contains("mode=memory") {
            return Ok(Self(Backend::Sqlite { reader: writer.clone(), writer }));
        }
        let reader = Database::connect(sqlite_options(url, max_connections.saturating_sub(1).max(1), true)).await?;
        Ok(Self(Backend::Sqlite { reader, writer }))
    }

    async fn connect_postgres(url: &str, max_connections: u32, workers: u32) -> Result<Self, DbErr> {
        let options: PgConnectOptions = url.parse().map_err(connection_error)?;
        let options = options
            .application_name("care4u")
            .options([("statement_timeout", STATEMENT_TIMEOUT.as_millis().to_string())]);
        let (per_worker, pooled) = share_out(max_connections, workers);
        // One attempt without the pool, which would hide the cause behind a time-out.
        held::connect(&options).await.map_err(connection_error)?;
        let mut pool_options = ConnectOptions::new(url);
        pool_options
            .max_connections(pooled)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .statement_timeout(STATEMENT_TIMEOUT)
            .set_application_name("care4u")
            .sqlx_logging(false);
        if per_worker == 0 {
            pool_options.test_before_acquire(true);
        } else {
            pool_options.test_before_acquire_if_idle_for(Duration::from_secs(30));
        }
        let pool = Database::connect(pool_options).await?;
        let options = Arc::new(HeldOptions { options: options.disable_statement_logging(), most: per_worker });
        Ok(Self(Backend::Postgres { held: None, pool, options }))
    }

    /// The same database for a worker thread, with held connections of its own if there are enough for all.
    #[must_use]
    pub fn for_worker(&self) -> Self {
        match &self.0 {
            Backend::Postgres { pool, options, .. } => {
                let held = (options.most > 0).then(|| Arc::new(Held::new(options)));
                Self(Backend::Postgres { held, pool: pool.clone(), options: Arc::clone(options) })
            }
            Backend::Sqlite { .. } => self.clone(),
        }
    }

    /// Applies every pending migration to the database that this was opened from.
    ///
    /// # Errors
    /// Fails when a migration does; what it had done is undone.
    pub async fn migrate(&self, url: &str) -> Result<(), migration::Failure> {
        match &self.0 {
            Backend::Sqlite { writer, .. } => migration::up(writer).await,
            // Not the pool: a migration, or waiting for another instance's, may take longer than a statement may here.
            Backend::Postgres { .. } => {
                let migrator = migration::connect(url, None).await?;
                let outcome = migration::up(&migrator).await;
                let closed = migrator.close().await;
                outcome?;
                Ok(closed?)
            }
        }
    }

    /// How many transactions that take seconds may go on at once, so that enough is left for all others.
    #[must_use]
    pub fn long_transactions(&self) -> usize {
        match &self.0 {
            Backend::Sqlite { .. } => 1,
            Backend::Postgres { pool, .. } => {
                let most = pool.get_postgres_connection_pool().options().get_max_connections();
                usize::try_from(most / 2).unwrap_or(1).clamp(1, MOST_LONG_TRANSACTIONS)
            }
        }
    }

    /// Asks the database for an answer.
    ///
    /// # Errors
    /// Fails when there is none.
    pub async fn ping(&self) -> Result<(), DbErr> {
        self.query_one_raw(Statement::from_string(self.get_database_backend(), "SELECT 1")).await.map(drop)
    }

    /// Closes every pooled connection; SQLite folds its write-ahead log into the file.
    ///
    /// # Errors
    /// Fails when the database does not let go.
    pub async fn close(self) -> Result<(), DbErr> {
        match self.0 {
            Backend::Sqlite { reader, writer } => {
                reader.close().await?;
                writer.close().await
            }
            Backend::Postgres { pool, .. } => pool.close().await,
        }
    }
}

/// What a change of several statements needs: single statements, and a place to begin.
pub trait Transact: ConnectionTrait {
    /// Statements that take effect together, or not at all.
    type Transaction: ConnectionTrait + TransactionSession;

    /// Begins a transaction that may write. On SQLite it is the only one until it ends.
    ///
    /// # Errors
    /// Fails when no connection comes free in time.
    fn begin(&self) -> impl Future<Output = Result<Self::Transaction, DbErr>> + Send;
}

impl Transact for Db {
    type Transaction = DatabaseTransaction;

    async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        match &self.0 {
            Backend::Sqlite { writer, .. } => {
                let immediate = Some(SqliteTransactionMode::Immediate);
                let options = TransactionOptions { sqlite_transaction_mode: immediate, ..Default::default() };
                writer.begin_with_options(options).await
            }
            Backend::Postgres { pool, .. } => begin_on_live_connection(pool).await,
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
            Backend::Postgres { held: Some(held), .. } => held.execute(statement).await,
            Backend::Postgres { pool, .. } => pool.execute_raw(statement).await,
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match &self.0 {
            Backend::Sqlite { writer, .. } => writer.execute_unprepared(sql).await,
            Backend::Postgres { pool, .. } => pool.execute_unprepared(sql).await,
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match &self.0 {
            Backend::Sqlite { reader, .. } if is_read(&statement.sql) => reader.query_one_raw(statement).await,
            // Read to the end: a write is committed, or fails to be, after its last row.
            Backend::Sqlite { writer, .. } => Ok(writer.query_all_raw(statement).await?.into_iter().next()),
            Backend::Postgres { held: Some(held), .. } => {
                Ok(held.fetch(statement).await?.into_iter().next().map(Into::into))
            }
            Backend::Postgres { pool, .. } => pool.query_one_raw(statement).await,
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match &self.0 {
            Backend::Sqlite { reader, .. } if is_read(&statement.sql) => reader.query_all_raw(statement).await,
            Backend::Sqlite { writer, .. } => writer.query_all_raw(statement).await,
            Backend::Postgres { held: Some(held), .. } => {
                Ok(held.fetch(statement).await?.into_iter().map(Into::into).collect())
            }
            Backend::Postgres { pool, .. } => pool.query_all_raw(statement).await,
        }
    }
}

/// A pooled connection may have died since it was last used, for instance because the server was restarted. That shows
/// when the transaction begins, costs the pool that connection, and has changed nothing.
async fn begin_on_live_connection(pool: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let most = pool.get_postgres_connection_pool().size();
    for _ in 0..most {
        match pool.begin().await {
            Err(error @ DbErr::Query(_)) if is_unavailable(&error) => log::debug!("a pooled connection was dead"),
            outcome => return outcome,
        }
    }
    pool.begin().await
}

/// Whether a statement changes nothing, so that it may run on a read-only connection or be repeated.
fn is_read(sql: &str) -> bool {
    sql.starts_with("SELECT")
}

/// Held connections for each worker, and connections in the shared pool, within `max_connections` in all.
///
/// With a single one a slow statement would hold up a whole worker, so then none is held.
fn share_out(max_connections: u32, workers: u32) -> (u32, u32) {
    let workers = workers.max(1);
    let per_worker = (max_connections.saturating_sub(2) / workers).min(MOST_HELD_PER_WORKER);
    let per_worker = if per_worker < 2 { 0 } else { per_worker };
    (per_worker, max_connections.saturating_sub(per_worker * workers))
}

fn sqlite_options(url: &str, connections: u32, read_only: bool) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        // A file goes nowhere; and a database in memory ends with its connection.
        .max_lifetime(None)
        .idle_timeout(None)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |sqlite| {
            let sqlite = sqlite.foreign_keys(true).busy_timeout(Duration::from_secs(5)).read_only(read_only);
            if read_only {
                return sqlite.create_if_missing(false);
            }
            // Full: in WAL mode anything less may lose acknowledged commits when the power fails.
            sqlite.create_if_missing(true).journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full)
        });
    options
}

fn connection_error(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error.into()))
}

#[cfg(test)]
mod tests {
    use super::share_out;

    #[test]
    fn connections_are_shared_out_within_the_limit() {
        for (most, workers) in [(16, 2), (10, 2), (4, 2), (16, 64), (2, 1), (100, 8)] {
            let (held, pooled) = share_out(most, workers);
            assert!(held * workers + pooled <= most, "{most} connections, {workers} workers: {held} and {pooled}");
            assert!(pooled >= 2);
        }
        assert_eq!(share_out(16, 2), (4, 8));
        assert_eq!(share_out(16, 8), (0, 16));
    }
}
