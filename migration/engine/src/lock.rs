//! Migration lock: only one process migrates a database at a time. It is an advisory lock on
//! PostgreSQL and an exclusive transaction on SQLite.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};

use crate::failure::{ErrorKind, error_kind};
use crate::{Failure, lock_holders};

/// The key of the advisory lock on PostgreSQL ("revision" in ASCII).
const ADVISORY_LOCK: i64 = 0x7265_7669_7369_6f6e;

/// How often a waiting process tries to get the lock.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// How long to wait for others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waits {
    /// For one's turn to migrate, and for all attempts to lock a table.
    pub(crate) turn: Duration,
    /// PostgreSQL: for the lock of a table at a time.
    pub(crate) table: Duration,
}

impl Waits {
    /// PostgreSQL's setting for locks of tables. Zero would be no limit.
    pub(crate) fn setting(self) -> String {
        format!("lock_timeout = '{}ms'", self.table.as_millis().max(1))
    }
}

/// The lock of a process that migrates. On PostgreSQL a transaction of its own holds it, so it is
/// released with the connection.
///
/// On SQLite each migration is an exclusive transaction; the lock only sets a longer timeout for
/// it.
pub(crate) enum MigrationLock {
    Postgres(DatabaseTransaction),
    Sqlite { timeout_before: i64 },
}

impl MigrationLock {
    /// Acquires the lock. Waits up to `timeout` for other processes.
    pub(crate) async fn acquire(db: &DatabaseConnection, timeout: Duration) -> Result<Self, Failure> {
        if db.get_database_backend() != DbBackend::Postgres {
            let sql = "PRAGMA busy_timeout";
            let row = db.query_one_raw(Statement::from_string(DbBackend::Sqlite, sql)).await?;
            let timeout_before = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
            db.execute_unprepared(&format!("{sql} = {}", timeout.as_millis())).await?;
            return Ok(Self::Sqlite { timeout_before });
        }
        let lock = db.begin().await?;
        lock.execute_unprepared("SET LOCAL idle_in_transaction_session_timeout = 0").await?;
        // Polling, because a waiting statement holds a snapshot: a `CREATE INDEX CONCURRENTLY` of
        // the process with the lock would wait for it.
        let sql = format!("SELECT pg_try_advisory_xact_lock({ADVISORY_LOCK})");
        let since = Instant::now();
        loop {
            let row = lock.query_one_raw(Statement::from_string(DbBackend::Postgres, &sql)).await?;
            if row.map_or(Ok(false), |row| row.try_get_by_index(0))? {
                return Ok(Self::Postgres(lock));
            }
            let left = timeout.saturating_sub(since.elapsed());
            if left.is_zero() {
                lock.rollback().await?;
                return Err(Failure::Locked(waited(timeout, &postgres_holder(db).await?)));
            }
            tokio::time::sleep(left.min(POLL_INTERVAL)).await;
        }
    }

    pub(crate) async fn release(self, db: &DatabaseConnection) -> Result<(), DbErr> {
        match self {
            Self::Postgres(lock) => lock.commit().await,
            Self::Sqlite { timeout_before } => {
                db.execute_unprepared(&format!("PRAGMA busy_timeout = {timeout_before}")).await.map(drop)
            }
        }
    }
}

/// Begins a transaction. On SQLite no other connection can write until it ends.
pub(crate) async fn begin(db: &DatabaseConnection, waits: Waits) -> Result<DatabaseTransaction, Failure> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Exclusive),
        ..TransactionOptions::default()
    };
    match db.begin_with_options(options).await {
        Err(error) if error_kind(&error) == ErrorKind::Locked => {
            Err(Failure::Locked(waited(waits.turn, &sqlite_holder(&sqlite_file(db).await))))
        }
        begun => Ok(begun?),
    }
}

/// The session of a row of `pg_stat_activity`, as SQL.
pub(crate) const PROCESS: &str = "concat_ws(' ', 'process', a.pid, 'of user', a.usename, \
    CASE WHEN a.client_addr IS NULL THEN 'on the same machine' ELSE 'at ' || host(a.client_addr) END, \
    '(' || nullif(a.application_name, '') || ')', \
    'since', to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'))";

fn waited(timeout: Duration, holder: &str) -> String {
    format!("the database is locked by {holder}; waited for {:.1} s", timeout.as_secs_f64())
}

async fn postgres_holder(db: &DatabaseConnection) -> Result<String, DbErr> {
    let sql = format!(
        "SELECT {PROCESS} \
         FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid \
         WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 \
            AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
            AND (l.classid::bigint << 32 | l.objid::bigint) = {ADVISORY_LOCK}"
    );
    let row = db.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    // The process may have ended meanwhile.
    row.map_or(Ok("another migration process, which has just ended".into()), |row| row.try_get_by_index(0))
}

/// The file of the database.
async fn sqlite_file(db: &DatabaseConnection) -> PathBuf {
    let sql = "SELECT file FROM pragma_database_list WHERE name = 'main'";
    let row = db.query_one_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.ok().flatten();
    row.and_then(|row| row.try_get_by_index::<String>(0).ok()).unwrap_or_default().into()
}

/// SQLite cannot tell which process holds a lock; the operating system can.
fn sqlite_holder(file: &Path) -> String {
    let lock_holders = lock_holders::of(file);
    if lock_holders.is_empty() { "another program".into() } else { lock_holders.join(" and ") }
}

/// The failure for an SQLite file whose lock was not released in time.
#[cfg(feature = "cli")]
pub(crate) fn sqlite_locked(file: &Path, timeout: Duration) -> Failure {
    Failure::Locked(waited(timeout, &sqlite_holder(file)))
}
