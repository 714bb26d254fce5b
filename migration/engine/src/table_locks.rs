//! Locks of tables on PostgreSQL. A statement that waits for one blocks all later statements on the table, those of readers as
//! well. So a migration waits for a short time only, is then rolled back, and tries again after a pause.

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqlxPostgresConnector, Statement,
};
use sqlx::postgres::PgPoolOptions;

use crate::Failure;
use crate::lock::{self, MigrationLock, PROCESS, Waits};

/// How often a waiting migration looks for the session that blocks it, in the time that it waits.
const LOOKS: u32 = 4;

/// Pause between two attempts at least.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);

/// Whom a migration waits for.
#[derive(Debug, Default)]
pub(crate) struct TableLocks {
    /// Process id of the session of the migration.
    process: AtomicI32,
    /// The table, and the session that has locked it.
    holder: Mutex<Option<String>>,
}

impl TableLocks {
    /// Begins a transaction whose statements wait for locks of tables for a short time only.
    pub(crate) async fn begin(&self, db: &DatabaseConnection, waits: Waits) -> Result<DatabaseTransaction, Failure> {
        let transaction = lock::begin(db, waits).await?;
        if db.get_database_backend() == DbBackend::Postgres {
            transaction.execute_unprepared(&format!("SET LOCAL {}", waits.setting())).await?;
            self.note_process(&transaction).await?;
        }
        Ok(transaction)
    }

    /// A connection for statements that cannot run in a transaction, with the same limit. None on SQLite.
    pub(crate) async fn connect(
        &self,
        db: &DatabaseConnection,
        waits: Waits,
    ) -> Result<Option<DatabaseConnection>, DbErr> {
        if db.get_database_backend() != DbBackend::Postgres {
            return Ok(None);
        }
        let backend = DbBackend::Postgres;
        let settings = "SELECT current_setting('search_path'), current_setting('role')";
        let settings = db.query_one_raw(Statement::from_string(backend, settings)).await?;
        let (path, role): (String, String) = match settings {
            Some(row) => (row.try_get_by_index(0)?, row.try_get_by_index(1)?),
            None => (String::new(), "none".into()),
        };
        let options = db.get_postgres_connection_pool().connect_options();
        // One connection that stays, so that the settings hold for all statements.
        let pool = PgPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        let own = SqlxPostgresConnector::from_sqlx_postgres_pool(pool.connect_lazy_with((*options).clone()));
        let set = "SELECT set_config('search_path', $1, false), set_config('role', $2, false)";
        own.execute_raw(Statement::from_sql_and_values(backend, set, [path.into(), role.into()])).await?;
        own.execute_unprepared(&format!("SET {}", waits.setting())).await?;
        self.note_process(&own).await?;
        Ok(Some(own))
    }

    async fn note_process(&self, db: &impl ConnectionTrait) -> Result<(), DbErr> {
        let sql = Statement::from_string(DbBackend::Postgres, "SELECT pg_backend_pid()");
        let process = db.query_one_raw(sql).await?.map_or(Ok(0), |row| row.try_get_by_index(0))?;
        self.process.store(process, Ordering::Relaxed);
        Ok(())
    }

    /// Attempts of a migration, to be tried again after a pause as long as others hold locks that it needs, and the time for its
    /// turn has not passed. A migration without a transaction, of which a part may be done, is tried once.
    pub(crate) fn attempts<'a>(
        &'a self,
        (db, lock): (&'a DatabaseConnection, &'a MigrationLock),
        what: &'a str,
        waits: Waits,
        is_atomic: bool,
    ) -> Attempts<'a> {
        Attempts { table_locks: self, db, lock, what, waits, is_atomic, since: Instant::now() }
    }

    /// Runs a migration, and looks for the session that blocks it meanwhile.
    ///
    /// The transaction with the lock looks, because a migration uses the other connection of the pool. But a migration without a
    /// transaction has its own, and may wait until no transaction has a snapshot (`CREATE INDEX CONCURRENTLY`): then the pool
    /// looks.
    async fn watch<T>(
        &self,
        db: Option<&DatabaseConnection>,
        lock: &MigrationLock,
        waits: Waits,
        run: impl Future<Output = T>,
    ) -> T {
        let mut run = std::pin::pin!(run);
        let interval = Ord::max(waits.table / LOOKS, Duration::from_millis(10));
        loop {
            match tokio::time::timeout(interval, run.as_mut()).await {
                Ok(outcome) => return outcome,
                Err(_) => {
                    let MigrationLock::Postgres(session) = lock else { continue };
                    let found = match db {
                        Some(db) => self.find_holder(db).await,
                        None => self.find_holder(session).await,
                    };
                    if let Ok(Some(holder)) = found {
                        *self.holder.lock().unwrap_or_else(PoisonError::into_inner) = Some(holder);
                    }
                }
            }
        }
    }

    fn take_holder(&self) -> String {
        let holder = self.holder.lock().unwrap_or_else(PoisonError::into_inner).take();
        holder.unwrap_or_else(|| "a lock of another session, which has ended meanwhile".into())
    }

    /// The lock for which the migration waits, if it does.
    async fn find_holder(&self, db: &impl ConnectionTrait) -> Result<Option<String>, DbErr> {
        let process = self.process.load(Ordering::Relaxed);
        let sql = format!(
            "SELECT concat(coalesce('a lock of table ' || (SELECT l.relation::regclass::text FROM pg_locks l \
                WHERE l.pid = {process} AND NOT l.granted AND l.relation IS NOT NULL LIMIT 1), 'a lock'), \
                ' held by ', {PROCESS}) \
             FROM unnest(pg_blocking_pids({process})) AS b (pid) JOIN pg_stat_activity a ON a.pid = b.pid LIMIT 1"
        );
        let row = db.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
        row.map(|row| row.try_get_by_index(0)).transpose()
    }
}

/// Attempts of one migration.
pub(crate) struct Attempts<'a> {
    table_locks: &'a TableLocks,
    db: &'a DatabaseConnection,
    lock: &'a MigrationLock,
    what: &'a str,
    waits: Waits,
    is_atomic: bool,
    since: Instant,
}

impl Attempts<'_> {
    /// Makes an attempt. Returns none, after a pause, if it is to be made again.
    pub(crate) async fn make<T>(&self, run: impl Future<Output = Result<T, Failure>>) -> Result<Option<T>, Failure> {
        let db = (!self.is_atomic).then_some(self.db);
        let outcome = self.table_locks.watch(db, self.lock, self.waits, run).await;
        let (Err(Failure::Locked(_)), MigrationLock::Postgres(_)) = (&outcome, self.lock) else {
            return outcome.map(Some);
        };
        let (what, holder) = (self.what, self.table_locks.take_holder());
        let at_a_time = self.waits.table.as_secs_f64();
        if !self.is_atomic {
            return Err(Failure::Locked(format!(
                "{what} failed without a transaction, and may be partly applied: it waited {at_a_time:.1} s for {holder}"
            )));
        }
        let left = self.waits.turn.saturating_sub(self.since.elapsed());
        if left.is_zero() {
            return Err(Failure::Locked(format!(
                "{what} needs {holder}; waited for {:.1} s, at most {at_a_time:.1} s at a time",
                self.since.elapsed().as_secs_f64()
            )));
        }
        let pause = Ord::min(left, Ord::max(self.waits.table, SHORTEST_PAUSE));
        log::warn!("{what} needs {holder}; trying again in {:.1} s", pause.as_secs_f64());
        tokio::time::sleep(pause).await;
        Ok(None)
    }
}
