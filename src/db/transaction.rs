//! Transactions: those of SeaORM on SQLite, and on PostgreSQL those on a held connection, where every wait is bounded.

use std::sync::Arc;

use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement, TransactionSession,
};
use tokio::sync::Mutex;

use super::connection_error;
use super::held_connections::{HeldConnections, Lease, SHORT_TIMEOUT, exec_error, is_lost, query_error};

/// A write transaction. It is rolled back when dropped, unless it was committed.
pub enum Transaction {
    /// On SQLite.
    Sqlite(DatabaseTransaction),
    /// On PostgreSQL.
    Postgres(PgTransaction),
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Transaction").field(&self.get_database_backend()).finish()
    }
}

/// A transaction on a held connection of PostgreSQL.
pub struct PgTransaction {
    /// None after the connection was lost, or while a statement runs. A statement that is cancelled therefore closes
    /// the connection.
    lease: Mutex<Option<Lease>>,
}

impl PgTransaction {
    /// Begins a transaction. If an idle connection turns out to be dead, it is begun on another one: nothing was
    /// changed yet.
    pub(super) async fn begin(connections: &Arc<HeldConnections>) -> Result<Self, DbErr> {
        loop {
            let mut lease = connections.lease().await?;
            let is_reused = lease.is_reused;
            match lease.run("BEGIN", Some(SHORT_TIMEOUT)).await {
                Ok(_) => return Ok(Self { lease: Mutex::new(Some(lease)) }),
                Err(error) if is_lost(&error) => {
                    lease.lost();
                    if !is_reused {
                        return Err(query_error(error));
                    }
                }
                Err(error) => return Err(query_error(error)),
            }
        }
    }

    async fn run<T>(
        &self,
        statement: impl AsyncFnOnce(&mut Lease) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let mut guard = self.lease.lock().await;
        let Some(mut lease) = guard.take() else {
            return Err(sqlx::Error::Io(std::io::ErrorKind::NotConnected.into()));
        };
        let outcome = statement(&mut lease).await;
        match &outcome {
            Err(error) if is_lost(error) => lease.lost(),
            _ => *guard = Some(lease),
        }
        outcome
    }

    /// Ends the transaction. A COMMIT without a response is an error and never repeated: it may have taken effect.
    async fn end(mut self, sql: &str) -> Result<(), DbErr> {
        let Some(mut lease) = self.lease.get_mut().take() else {
            return Err(connection_error(sqlx::Error::Io(std::io::ErrorKind::NotConnected.into())));
        };
        match lease.run(sql, None).await {
            Ok(_) => {
                lease.release();
                Ok(())
            }
            Err(error) => {
                // The connection is closed in any case: it need not be in a defined state.
                if is_lost(&error) {
                    lease.lost();
                }
                Err(exec_error(error))
            }
        }
    }
}

impl Drop for PgTransaction {
    fn drop(&mut self) {
        let Some(mut lease) = self.lease.get_mut().take() else { return };
        // Without a runtime, the connection is closed, which rolls back too.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            match lease.run("ROLLBACK", Some(SHORT_TIMEOUT)).await {
                Ok(_) => lease.release(),
                Err(_) => lease.lost(),
            }
        });
    }
}

#[async_trait::async_trait]
impl TransactionSession for Transaction {
    async fn commit(self) -> Result<(), DbErr> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await,
            Self::Postgres(transaction) => transaction.end("COMMIT").await,
        }
    }

    async fn rollback(self) -> Result<(), DbErr> {
        match self {
            Self::Sqlite(transaction) => transaction.rollback().await,
            Self::Postgres(transaction) => transaction.end("ROLLBACK").await,
        }
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        match self {
            Self::Sqlite(_) => DbBackend::Sqlite,
            Self::Postgres(_) => DbBackend::Postgres,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match self {
            Self::Sqlite(transaction) => transaction.execute_raw(statement).await,
            Self::Postgres(transaction) => {
                let result = transaction.run(async |lease| lease.execute(&statement).await).await;
                result.map(Into::into).map_err(exec_error)
            }
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match self {
            Self::Sqlite(transaction) => transaction.execute_unprepared(sql).await,
            Self::Postgres(transaction) => {
                let result = transaction.run(async |lease| lease.run(sql, None).await).await;
                result.map(Into::into).map_err(exec_error)
            }
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match self {
            Self::Sqlite(transaction) => transaction.query_one_raw(statement).await,
            Self::Postgres(_) => Ok(self.query_all_raw(statement).await?.into_iter().next()),
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self {
            Self::Sqlite(transaction) => transaction.query_all_raw(statement).await,
            Self::Postgres(transaction) => {
                let rows = transaction.run(async |lease| lease.fetch(&statement).await).await.map_err(query_error)?;
                Ok(rows.into_iter().map(Into::into).collect())
            }
        }
    }
}
