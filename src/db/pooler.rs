//! Connection poolers: session mode works; transaction mode (PgBouncer: `pool_mode = transaction`) is refused at the
//! start, because it would break in the middle of the work. Connections keep prepared statements and a statement timeout,
//! and migrations hold a lock of the session.

use sea_orm::DbErr;
use sqlx::Row as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};

use super::connection_error;
use super::held_connections::{SHORT_TIMEOUT, connect, within};

const REFUSAL: &str = "the database URL leads to a connection pooler in transaction mode (PgBouncer: pool_mode = \
    transaction); use session mode, or connect to PostgreSQL directly";

/// Checks that each of two open connections is a session of the server of its own. A pooler in transaction mode gives the
/// second one the session of the first, which is idle, and the first one another session later.
///
/// # Errors
/// Returns an error if the server cannot be reached, or if there is such a pooler.
pub(super) async fn refuse_transaction_mode(options: &PgConnectOptions) -> Result<(), DbErr> {
    let mut first = connect(options).await.map_err(connection_error)?;
    let session = backend(&mut first).await?;
    let mut second = connect(options).await.map_err(connection_error)?;
    // A transaction, so that the pooler does not give the session to the first one meanwhile.
    run(&mut second, "BEGIN").await?;
    let other = backend(&mut second).await?;
    let later = backend(&mut first).await?;
    run(&mut second, "ROLLBACK").await?;
    if session == other || session != later { Err(DbErr::Custom(REFUSAL.to_owned())) } else { Ok(()) }
}

/// The process of the server that serves a connection.
async fn backend(connection: &mut PgConnection) -> Result<i32, DbErr> {
    // Without preparing the statement, which a pooler in transaction mode need not support.
    let query = sqlx::raw_sql("SELECT pg_backend_pid()").fetch_one(connection);
    within(SHORT_TIMEOUT, query).await.and_then(|row| row.try_get(0)).map_err(connection_error)
}

async fn run(connection: &mut PgConnection, sql: &'static str) -> Result<(), DbErr> {
    within(SHORT_TIMEOUT, sqlx::raw_sql(sql).execute(connection)).await.map(drop).map_err(connection_error)
}
