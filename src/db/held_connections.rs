//! Held connections: PostgreSQL connections that one worker thread keeps for single statements.
//!
//! A pool pings each returned connection and wakes the next waiter across threads; held connections do neither, which
//! halves the cost of a query. A connection is removed from the idle list while it is used, and returned only after its
//! response was read completely, so a cancelled request never leaves a connection in an undefined state.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use sea_orm::{ConnAcquireErr, DbErr, ExecResult, RuntimeErr, Statement, Values};
use sea_query_sqlx::SqlxValues;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgQueryResult, PgRow};
use sqlx::{ConnectOptions as _, Executor as _};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::{ACQUIRE_TIMEOUT, STATEMENT_TIMEOUT, connection_error, is_read};

/// Response timeout. It is longer than the server's statement timeout, and only applies if the server has disappeared
/// without closing the connection.
const RESPONSE_TIMEOUT: Duration = STATEMENT_TIMEOUT.saturating_add(Duration::from_secs(5));

/// Maximum idle time. After it, a firewall may have silently dropped the connection.
const MAX_IDLE: Duration = Duration::from_secs(300);

/// Options of the held connections of each worker.
pub(super) struct HeldOptions {
    pub(super) connect: PgConnectOptions,
    pub(super) max_connections: u32,
}

/// Held connections of one worker.
pub(super) struct HeldConnections {
    options: PgConnectOptions,
    permits: Semaphore,
    idle: Mutex<Vec<(PgConnection, Instant)>>,
}

/// A connection in use. It is closed when dropped, unless it was released.
struct Lease<'a> {
    held: &'a HeldConnections,
    connection: PgConnection,
    /// Whether it was used before; then the server may have closed it in the meantime.
    is_reused: bool,
    _permit: SemaphorePermit<'a>,
}

/// Opens a connection, with the timeout [`ACQUIRE_TIMEOUT`].
pub(super) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    let attempt = timeout(ACQUIRE_TIMEOUT, options.connect());
    attempt.await.unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))
}

impl HeldConnections {
    pub(super) fn new(options: &HeldOptions) -> Self {
        let permits = Semaphore::new(usize::try_from(options.max_connections).unwrap_or(1));
        Self { options: options.connect.clone(), permits, idle: Mutex::default() }
    }

    /// Runs a statement and returns its rows.
    pub(super) async fn fetch(&self, statement: Statement) -> Result<Vec<PgRow>, DbErr> {
        let lease = self.lease().await?;
        let may_retry = lease.is_reused && is_read(&statement.sql);
        match lease.fetch(&statement).await {
            Err(error) if may_retry && is_lost(&error) => self.lease().await?.fetch(&statement).await,
            outcome => outcome,
        }
        .map_err(|error| DbErr::Query(RuntimeErr::SqlxError(error.into())))
    }

    /// Runs a statement and returns the number of affected rows.
    pub(super) async fn execute(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let outcome = self.lease().await?.execute(&statement).await;
        outcome.map(Into::into).map_err(|error| DbErr::Exec(RuntimeErr::SqlxError(error.into())))
    }

    async fn lease(&self) -> Result<Lease<'_>, DbErr> {
        let permit = match self.permits.try_acquire() {
            Ok(permit) => permit,
            Err(_) => match timeout(ACQUIRE_TIMEOUT, self.permits.acquire()).await {
                Ok(Ok(permit)) => permit,
                _ => return Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
            },
        };
        let idle = self.idle().pop().filter(|(_, since)| since.elapsed() < MAX_IDLE);
        let (connection, is_reused) = match idle {
            Some((connection, _)) => (connection, true),
            None => (connect(&self.options).await.map_err(connection_error)?, false),
        };
        Ok(Lease { held: self, connection, is_reused, _permit: permit })
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(PgConnection, Instant)>> {
        self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Lease<'_> {
    async fn fetch(mut self, statement: &Statement) -> Result<Vec<PgRow>, sqlx::Error> {
        let query = sqlx::query_with(sqlx::AssertSqlSafe(statement.sql.as_str()), values(statement));
        let rows = with_timeout(self.connection.fetch_all(query)).await;
        self.release(rows)
    }

    async fn execute(mut self, statement: &Statement) -> Result<PgQueryResult, sqlx::Error> {
        let query = sqlx::query_with(sqlx::AssertSqlSafe(statement.sql.as_str()), values(statement));
        let result = with_timeout(self.connection.execute(query)).await;
        self.release(result)
    }

    /// Returns the connection to the idle list, unless it is in an undefined state. If it was lost, all idle
    /// connections are dropped, because they are probably lost too.
    fn release<T>(self, outcome: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        match &outcome {
            Err(error) if is_lost(error) => self.held.idle().clear(),
            Ok(_) | Err(sqlx::Error::Database(_)) => self.held.idle().push((self.connection, Instant::now())),
            Err(_) => {}
        }
        outcome
    }
}

fn values(statement: &Statement) -> SqlxValues {
    SqlxValues(statement.values.clone().unwrap_or_else(|| Values(Vec::new())))
}

async fn with_timeout<T>(query: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    timeout(RESPONSE_TIMEOUT, query).await.unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))
}

/// Whether the connection was lost, as opposed to a statement that failed.
fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        // 57P01 to 57P03: the server is shutting down or starting up. 25006: it is read-only, after a failover.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code.starts_with("57P0") || code == "25006"),
        _ => false,
    }
}
