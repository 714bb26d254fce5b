//! How the migration command line reaches a database, and how migrators take turns on one.

use std::time::Duration;

use sea_orm_migration::prelude::DbErr;
use sea_orm_migration::sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, RuntimeErr,
    TransactionTrait,
};
use sqlx::ConnectOptions as _;
use sqlx::Connection as _;
use sqlx::postgres::PgConnectOptions;

/// Where care4u keeps its data when nobody says otherwise; the same as in `config/default.toml`.
pub const DEFAULT_URL: &str = "sqlite://data/care4u.db?mode=rwc";

/// How long a database may take to let us in.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Identifies the lock of care4u's migrators among all advisory locks of a PostgreSQL database ("care4u" in ASCII).
const ADVISORY_LOCK: i64 = 0x6361_7265_3475;

/// Opens a database for migrating. A missing SQLite file and its folder are created.
///
/// PostgreSQL gets two connections, one of which holds the lock. SQLite gets a single one, because `fresh` switches
/// its foreign keys off for the connection it runs on.
pub async fn connect(url: &str, schema: Option<&str>) -> Result<DatabaseConnection, DbErr> {
    create_sqlite_folder(url).map_err(|error| DbErr::Custom(error.to_string()))?;
    open(url, schema, true).await
}

/// Opens a database that must be there already.
pub async fn connect_existing(url: &str, schema: Option<&str>) -> Result<DatabaseConnection, DbErr> {
    open(url, schema, false).await
}

async fn open(url: &str, schema: Option<&str>, create: bool) -> Result<DatabaseConnection, DbErr> {
    if !url.starts_with("sqlite:") {
        try_postgres(url).await?;
    }
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(if url.starts_with("sqlite:") { 1 } else { 2 })
        .acquire_timeout(CONNECT_TIMEOUT)
        .sqlx_logging_level(log::LevelFilter::Debug)
        .map_sqlx_sqlite_opts(move |sqlite| sqlite.create_if_missing(create));
    if let Some(schema) = schema {
        options.set_schema_search_path(schema);
    }
    Database::connect(options).await
}

/// One attempt without a pool, which would hide the cause behind a time-out.
async fn try_postgres(url: &str) -> Result<(), DbErr> {
    if !(url.starts_with("postgres:") || url.starts_with("postgresql:")) {
        return Err(DbErr::Custom("its URL must start with sqlite: or postgres:".into()));
    }
    let failure = |error: sqlx::Error| DbErr::Conn(RuntimeErr::SqlxError(error.into()));
    let options: PgConnectOptions = url.parse().map_err(failure)?;
    let attempt = tokio::time::timeout(CONNECT_TIMEOUT, options.connect()).await;
    let attempt = attempt.unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())));
    attempt.map_err(failure)?.close().await.map_err(failure)
}

/// Creates the folder that an SQLite URL points into; other URLs are left alone.
pub fn create_sqlite_folder(url: &str) -> std::io::Result<()> {
    let Some(path) = url.strip_prefix("sqlite:") else { return Ok(()) };
    let path = path.strip_prefix("//").unwrap_or(path);
    let path = path.split('?').next().unwrap_or(path);
    match std::path::Path::new(path).parent() {
        Some(folder) if !path.starts_with(":memory:") && !folder.as_os_str().is_empty() => {
            std::fs::create_dir_all(folder)
        }
        _ => Ok(()),
    }
}

/// A migrator's turn; others wait until it ends.
pub(crate) struct Turn(Option<DatabaseTransaction>);

impl Turn {
    pub(crate) async fn end(self) -> Result<(), DbErr> {
        match self.0 {
            Some(lock) => lock.commit().await,
            None => Ok(()),
        }
    }
}

/// Waits for this migrator's turn. On SQLite there is nothing to wait for: one process owns the file.
///
/// The lock belongs to a transaction of its own, so it cannot outlive the connection that took it.
pub(crate) async fn take_turn(db: &DatabaseConnection) -> Result<Turn, DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(Turn(None));
    }
    let lock = db.begin().await?;
    lock.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")).await?;
    Ok(Turn(Some(lock)))
}
