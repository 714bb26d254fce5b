//! Migration lock: an advisory lock on PostgreSQL, an exclusive transaction on SQLite.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};

use crate::failure::{Kind, kind};
use crate::{Failure, lock_holders};

/// Key of the advisory lock ("revision" in ASCII).
const ADVISORY_LOCK: i64 = 0x7265_7669_7369_6f6e;

/// Interval of attempts to get the lock.
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// The lock of a migrator. On PostgreSQL it belongs to a transaction of its own, so it ends with the connection.
///
/// On SQLite the exclusive transaction of each migration is the lock; the connection gets a longer busy timeout for it.
pub(crate) enum MigrationLock {
    Postgres(DatabaseTransaction),
    Sqlite { timeout_before: i64 },
}

impl MigrationLock {
    /// Waits for the lock, for `timeout` at most.
    pub(crate) async fn take(db: &DatabaseConnection, timeout: Duration) -> Result<Self, Failure> {
        if db.get_database_backend() != DbBackend::Postgres {
            let sql = "PRAGMA busy_timeout";
            let row = db.query_one_raw(Statement::from_string(DbBackend::Sqlite, sql)).await?;
            let timeout_before = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
            db.execute_unprepared(&format!("{sql} = {}", timeout.as_millis())).await?;
            return Ok(Self::Sqlite { timeout_before });
        }
        let lock = db.begin().await?;
        lock.execute_unprepared("SET LOCAL idle_in_transaction_session_timeout = 0").await?;
        // Polling instead of waiting: a waiting statement holds a snapshot, for which a `CREATE INDEX CONCURRENTLY` of
        // the holder of the lock would wait.
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
            tokio::time::sleep(left.min(BETWEEN_TRIES)).await;
        }
    }

    pub(crate) async fn end(self, db: &DatabaseConnection) -> Result<(), DbErr> {
        match self {
            Self::Postgres(lock) => lock.commit().await,
            Self::Sqlite { timeout_before } => {
                db.execute_unprepared(&format!("PRAGMA busy_timeout = {timeout_before}")).await.map(drop)
            }
        }
    }
}

/// Begins the transaction of a migration. On SQLite no other connection can write until it ends.
pub(crate) async fn begin(db: &DatabaseConnection, timeout: Duration) -> Result<DatabaseTransaction, Failure> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Exclusive),
        ..TransactionOptions::default()
    };
    match db.begin_with_options(options).await {
        Ok(transaction) => {
            if db.get_database_backend() == DbBackend::Postgres {
                // A statement that waits for the lock of a table blocks all later ones on that table.
                let milliseconds = timeout.as_millis().max(1);
                transaction.execute_unprepared(&format!("SET LOCAL lock_timeout = {milliseconds}")).await?;
            }
            Ok(transaction)
        }
        Err(error) if kind(&error) == Kind::Locked => {
            Err(Failure::Locked(waited(timeout, &sqlite_holder(&sqlite_file(db).await))))
        }
        Err(error) => Err(error.into()),
    }
}

fn waited(timeout: Duration, holder: &str) -> String {
    format!("the database is locked by {holder}; waited for {:.1} s", timeout.as_secs_f64())
}

async fn postgres_holder(db: &DatabaseConnection) -> Result<String, DbErr> {
    let sql = format!(
        "SELECT concat_ws(' ', 'process', a.pid, 'of user', a.usename, \
            CASE WHEN a.client_addr IS NULL THEN 'on the same machine' ELSE 'at ' || host(a.client_addr) END, \
            '(' || nullif(a.application_name, '') || ')', \
            'since', to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')) \
         FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid \
         WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 \
            AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
            AND (l.classid::bigint << 32 | l.objid::bigint) = {ADVISORY_LOCK}"
    );
    let row = db.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    // The holder may have ended meanwhile.
    row.map_or(Ok("another migrator, which has just ended".into()), |row| row.try_get_by_index(0))
}

/// The file of an SQLite database.
async fn sqlite_file(db: &DatabaseConnection) -> PathBuf {
    let sql = "SELECT file FROM pragma_database_list WHERE name = 'main'";
    let row = db.query_one_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.ok().flatten();
    row.and_then(|row| row.try_get_by_index::<String>(0).ok()).unwrap_or_default().into()
}

/// The processes that hold a lock on an SQLite file. Only the operating system knows them.
fn sqlite_holder(file: &Path) -> String {
    let lock_holders = lock_holders::of(file);
    if lock_holders.is_empty() { "another program".into() } else { lock_holders.join(" and ") }
}

/// The failure to read an SQLite file because of a lock.
#[cfg(feature = "cli")]
pub(crate) fn held(file: &Path, timeout: Duration) -> Failure {
    Failure::Locked(waited(timeout, &sqlite_holder(file)))
}
