//! A few PostgreSQL connections that one worker thread keeps, for single statements.
//!
//! A pool pings every connection when it comes back and wakes its next user across threads; held connections do
//! neither, which halves the cost of a query. A connection is taken out while it works and put back only when its
//! answer was read to the end, so a request that is dropped half-way never leaves a dirty one behind.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use sea_orm::{ConnAcquireErr, DbErr, ExecResult, RuntimeErr, Statement, Values};
use sea_query_sqlx::SqlxValues;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgQueryResult, PgRow};
use sqlx::{ConnectOptions as _, Executor as _};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::{ACQUIRE_TIMEOUT, STATEMENT_TIMEOUT, connection_error, is_read};

/// The server gives up on a statement first; this is for a server that has vanished without a word.
const ANSWER_TIMEOUT: Duration = STATEMENT_TIMEOUT.saturating_add(Duration::from_secs(5));

/// Longer idle than this, a firewall may have forgotten a connection without telling anybody.
const MOST_IDLE: Duration = Duration::from_secs(300);

/// What each worker's connections are made of.
pub(super) struct HeldOptions {
    pub(super) options: PgConnectOptions,
    pub(super) most: u32,
}

pub(super) struct Held {
    options: PgConnectOptions,
    permits: Semaphore,
    idle: Mutex<Vec<(PgConnection, Instant)>>,
}

/// One connection at work. Unless it is given back, it is closed.
struct Lease<'a> {
    held: &'a Held,
    connection: PgConnection,
    /// It has served before, so the server may have closed it meanwhile.
    reused: bool,
    _permit: SemaphorePermit<'a>,
}

/// Opens one connection, or says within [`ACQUIRE_TIMEOUT`] why not.
pub(super) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    let attempt = timeout(ACQUIRE_TIMEOUT, options.connect());
    attempt.await.unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))
}

impl Held {
    pub(super) fn new(options: &HeldOptions) -> Self {
        let permits = Semaphore::new(usize::try_from(options.most).unwrap_or(1));
        Self { options: options.options.clone(), permits, idle: Mutex::default() }
    }

    /// Runs a statement and returns its rows.
    pub(super) async fn fetch(&self, statement: Statement) -> Result<Vec<PgRow>, DbErr> {
        let lease = self.lease().await?;
        let may_repeat = lease.reused && is_read(&statement.sql);
        match lease.fetch(&statement).await {
            Err(error) if may_repeat && is_lost(&error) => self.lease().await?.fetch(&statement).await,
            outcome => outcome,
        }
        .map_err(|error| DbErr::Query(RuntimeErr::SqlxError(error.into())))
    }

    /// Runs a statement and returns how many rows it touched.
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
        let idle = self.idle().pop().filter(|(_, since)| since.elapsed() < MOST_IDLE);
        let (connection, reused) = match idle {
            Some((connection, _)) => (connection, true),
            None => (connect(&self.options).await.map_err(connection_error)?, false),
        };
        Ok(Lease { held: self, connection, reused, _permit: permit })
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(PgConnection, Instant)>> {
        self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Lease<'_> {
    async fn fetch(mut self, statement: &Statement) -> Result<Vec<PgRow>, sqlx::Error> {
        let query = sqlx::query_with(sqlx::AssertSqlSafe(statement.sql.as_str()), values(statement));
        let rows = answered(self.connection.fetch_all(query)).await;
        self.give_back(rows)
    }

    async fn execute(mut self, statement: &Statement) -> Result<PgQueryResult, sqlx::Error> {
        let query = sqlx::query_with(sqlx::AssertSqlSafe(statement.sql.as_str()), values(statement));
        let result = answered(self.connection.execute(query)).await;
        self.give_back(result)
    }

    /// Keeps the connection unless what happened says that it cannot be trusted any more. When one is lost, so in all
    /// likelihood are the others.
    fn give_back<T>(self, outcome: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
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

async fn answered<T>(query: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    timeout(ANSWER_TIMEOUT, query).await.unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))
}

/// Whether the connection is gone, as opposed to the statement having been refused.
fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        // 57P01 to 57P03: the server is shutting down or starting up. 25006: it is no longer the one that writes.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code.starts_with("57P0") || code == "25006"),
        _ => false,
    }
}
