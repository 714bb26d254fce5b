//! Held connections: PostgreSQL connections that are kept open, for single statements of one worker thread, or for the
//! transactions of all workers.
//!
//! A pool of sqlx pings each returned connection and wakes the next waiter across threads; held connections do neither,
//! which halves the cost of a query. A connection is removed from the idle list while it is used, and returned only
//! after its response was read completely, so a cancelled request never leaves a connection in an undefined state.
//! Every wait is bounded, and a connection whose response did not come in time is closed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, Statement, Values};
use sea_query_sqlx::SqlxValues;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgDatabaseError, PgQueryResult, PgRow, PgSeverity};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::{ACQUIRE_TIMEOUT, STATEMENT_TIMEOUT, connection_error, is_read};

/// Maximum idle time. After it, a firewall may have silently dropped the connection.
const MAX_IDLE: Duration = Duration::from_secs(300);

/// Idle time after which a connection is pinged before it is used: it may have died without a sign.
const MAX_UNTESTED_IDLE: Duration = Duration::from_secs(1);

/// Timeout of statements that never wait for a lock: a ping, BEGIN, ROLLBACK.
pub(super) const SHORT_TIMEOUT: Duration = Duration::from_secs(2);

/// A set of connections.
pub(super) struct HeldConnections {
    connect: PgConnectOptions,
    response_timeout: Duration,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<(PgConnection, Instant)>>,
}

/// A connection in use. It is closed when dropped, unless it was released.
pub(super) struct Lease {
    held: Arc<HeldConnections>,
    connection: PgConnection,
    /// Whether it was used before; then the server may have closed it in the meantime.
    pub(super) is_reused: bool,
    _permit: OwnedSemaphorePermit,
}

/// Opens a connection, with the timeout [`ACQUIRE_TIMEOUT`], and sets its statement timeout. Not as a parameter of the
/// start, which connection poolers reject.
pub(super) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    let set_timeout = format!("SET statement_timeout = {}", STATEMENT_TIMEOUT.as_millis());
    within(ACQUIRE_TIMEOUT, async {
        let mut connection = options.connect().await?;
        connection.execute(sqlx::AssertSqlSafe(set_timeout)).await?;
        Ok(connection)
    })
    .await
}

impl HeldConnections {
    /// Creates a set of at most `max_connections`, none of which is open yet. A response that takes longer than
    /// `response_timeout` closes its connection.
    pub(super) fn new(connect: PgConnectOptions, max_connections: u32, response_timeout: Duration) -> Arc<Self> {
        let permits = Semaphore::new(usize::try_from(max_connections).unwrap_or(1));
        Arc::new(Self { connect, response_timeout, permits: Arc::new(permits), idle: Mutex::default() })
    }

    /// Runs a statement and returns its rows. A read on a connection that turns out to be dead is repeated on a new one.
    pub(super) async fn fetch(self: &Arc<Self>, statement: &Statement) -> Result<Vec<PgRow>, DbErr> {
        let lease = self.lease().await?;
        let may_retry = lease.is_reused && is_read(&statement.sql);
        match lease.fetch_once(statement).await {
            // Rare paths are boxed: the future of each request would be larger by theirs.
            Err(error) if may_retry && is_lost(&error) => Box::pin(self.retry(statement)).await?,
            outcome => outcome,
        }
        .map_err(query_error)
    }

    async fn retry(self: &Arc<Self>, statement: &Statement) -> Result<Result<Vec<PgRow>, sqlx::Error>, DbErr> {
        Ok(self.lease().await?.fetch_once(statement).await)
    }

    /// Runs a statement and returns the number of affected rows.
    pub(super) async fn execute(self: &Arc<Self>, statement: &Statement) -> Result<PgQueryResult, DbErr> {
        let mut lease = self.lease().await?;
        let result = lease.execute(statement).await;
        lease.release_after(result).map_err(exec_error)
    }

    /// Takes an idle connection, or opens one.
    pub(super) async fn lease(self: &Arc<Self>) -> Result<Lease, DbErr> {
        let permit = match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => match Box::pin(timeout(ACQUIRE_TIMEOUT, Arc::clone(&self.permits).acquire_owned())).await {
                Ok(Ok(permit)) => permit,
                _ => return Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
            },
        };
        let (connection, is_reused) = match self.take_fresh() {
            Some(connection) => (connection, true),
            None => Box::pin(self.take_idle_or_connect()).await?,
        };
        Ok(Lease { held: Arc::clone(self), connection, is_reused, _permit: permit })
    }

    /// The idle connection that was used last, if that was a moment ago.
    fn take_fresh(&self) -> Option<PgConnection> {
        self.idle().pop_if(|(_, since)| since.elapsed() < MAX_UNTESTED_IDLE).map(|(connection, _)| connection)
    }

    async fn take_idle_or_connect(&self) -> Result<(PgConnection, bool), DbErr> {
        match self.take_idle().await {
            Some(connection) => Ok((connection, true)),
            None => Ok((connect(&self.connect).await.map_err(connection_error)?, false)),
        }
    }

    /// The idle connection that was used last, if it is alive. If it is dead, all idle ones are dropped.
    async fn take_idle(&self) -> Option<PgConnection> {
        let (mut connection, since) = self.idle().pop()?;
        let idle = since.elapsed();
        if idle >= MAX_IDLE {
            return None;
        }
        if within(SHORT_TIMEOUT, connection.ping()).await.is_err() {
            self.idle().clear();
            return None;
        }
        Some(connection)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(PgConnection, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    async fn fetch_once(mut self, statement: &Statement) -> Result<Vec<PgRow>, sqlx::Error> {
        let rows = self.fetch(statement).await;
        self.release_after(rows)
    }

    /// Runs a statement and returns its rows. After an error that [`is_lost`], the lease must be dropped.
    pub(super) async fn fetch(&mut self, statement: &Statement) -> Result<Vec<PgRow>, sqlx::Error> {
        let query = sqlx::query_with(sqlx::AssertSqlSafe(statement.sql.as_str()), values(statement));
        within(self.held.response_timeout, self.connection.fetch_all(query)).await
    }

    /// Runs a statement. After an error that [`is_lost`], the lease must be dropped.
    pub(super) async fn execute(&mut self, statement: &Statement) -> Result<PgQueryResult, sqlx::Error> {
        let query = sqlx::query_with(sqlx::AssertSqlSafe(statement.sql.as_str()), values(statement));
        within(self.held.response_timeout, self.connection.execute(query)).await
    }

    /// Runs SQL text without values, within a timeout.
    pub(super) async fn run(&mut self, sql: &str, limit: Option<Duration>) -> Result<PgQueryResult, sqlx::Error> {
        let limit = limit.unwrap_or(self.held.response_timeout);
        within(limit, self.connection.execute(sqlx::AssertSqlSafe(sql))).await
    }

    /// Returns the connection to the idle list.
    pub(super) fn release(self) {
        self.held.idle().push((self.connection, Instant::now()));
    }

    /// Returns the connection to the idle list, unless it is in an undefined state. If it was lost, all idle
    /// connections are dropped, because they are probably lost too.
    pub(super) fn release_after<T>(self, outcome: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        match &outcome {
            Err(error) if is_lost(error) => self.lost(),
            Ok(_) | Err(sqlx::Error::Database(_)) => self.release(),
            Err(_) => {}
        }
        outcome
    }

    /// Closes the connection, which was lost, and drops all idle ones.
    pub(super) fn lost(self) {
        self.held.idle().clear();
    }
}

fn values(statement: &Statement) -> SqlxValues {
    SqlxValues(statement.values.clone().unwrap_or_else(|| Values(Vec::new())))
}

pub(super) async fn within<T>(
    limit: Duration,
    query: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    timeout(limit, query).await.unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))
}

pub(super) fn query_error(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}

pub(super) fn exec_error(error: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(error.into()))
}

/// Whether the connection was lost, as opposed to a statement that failed.
pub(super) fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => {
            // FATAL and PANIC end the session. 25006: the server is read-only, after a failover.
            let severity = error.try_downcast_ref::<PgDatabaseError>().map(PgDatabaseError::severity);
            matches!(severity, Some(PgSeverity::Fatal | PgSeverity::Panic))
                || error.code().is_some_and(|code| code == "25006")
        }
        _ => false,
    }
}
