//! Connections to databases.

use std::path::Path;
use std::time::Duration;

use sea_orm::{
    ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DbBackend, DbErr, RuntimeErr, Statement,
};
use sqlx::ConnectOptions as _;
use sqlx::Connection as _;
use sqlx::postgres::PgConnectOptions;

use crate::url::check_url;

/// Timeout of connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Time that a statement waits for a locked SQLite file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens a database for migrations. A missing SQLite file and its folder are created.
///
/// On PostgreSQL the pool has two connections, one of which holds the lock. On SQLite it has one,
/// because foreign keys are switched off for the connection that rebuilds a table.
pub async fn connect(url: &str, schema: Option<&str>) -> Result<DatabaseConnection, DbErr> {
    create_sqlite_file(url).map_err(|error| DbErr::Custom(error.to_string()))?;
    open(url, schema, true, BUSY_TIMEOUT).await
}

/// Opens an existing database.
pub async fn connect_existing(url: &str, schema: Option<&str>) -> Result<DatabaseConnection, DbErr> {
    open(url, schema, false, BUSY_TIMEOUT).await
}

/// Opens a database. For SQLite, `create` creates a missing file, and `timeout` is the time to wait
/// for a lock.
pub(crate) async fn open(
    url: &str,
    schema: Option<&str>,
    create: bool,
    timeout: Duration,
) -> Result<DatabaseConnection, DbErr> {
    check_url(url).map_err(DbErr::Custom)?;
    if !url.starts_with("sqlite:") {
        try_postgres(url).await?;
    }
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(if url.starts_with("sqlite:") { 1 } else { 2 })
        .acquire_timeout(CONNECT_TIMEOUT)
        .sqlx_logging_level(log::LevelFilter::Debug)
        // The journal mode is left as it is: a read-only connection must not change it.
        .map_sqlx_sqlite_opts(move |sqlite| {
            // Deleted rows and rebuilt tables leave no data in free pages.
            sqlite.create_if_missing(create).busy_timeout(timeout).pragma("secure_delete", "on")
        });
    if let Some(schema) = schema {
        options.set_schema_search_path(schema);
    }
    let db = Database::connect(options).await?;
    if let Some(schema) = schema.filter(|_| db.get_database_backend() == DbBackend::Postgres) {
        let current = Statement::from_string(DbBackend::Postgres, "SELECT current_schema()::text");
        let current = db.query_one_raw(current).await?;
        if current.map_or(Ok(None), |row| row.try_get_by_index::<Option<String>>(0))?.is_none() {
            return Err(DbErr::Custom(format!("the database has no schema {schema}")));
        }
    }
    Ok(db)
}

/// Connects once without a pool, which would replace the cause of an error by a timeout.
async fn try_postgres(url: &str) -> Result<(), DbErr> {
    let failure = |error: sqlx::Error| DbErr::Conn(RuntimeErr::SqlxError(error.into()));
    let options: PgConnectOptions = url.parse().map_err(failure)?;
    let attempt = tokio::time::timeout(CONNECT_TIMEOUT, options.connect()).await;
    let attempt = attempt.unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())));
    attempt.map_err(failure)?.close().await.map_err(failure)
}

/// The file of an SQLite URL. None for other URLs and for a database in memory.
pub(crate) fn sqlite_file(url: &str) -> Option<&Path> {
    let path = url.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    let path = path.split('?').next().unwrap_or(path);
    (!path.starts_with(":memory:") && !path.is_empty()).then(|| Path::new(path))
}

/// Creates the file of an SQLite URL and its folder, if they are missing. Only the user who runs the program can read the
/// file, and the files that SQLite puts beside it. Does nothing for other URLs.
pub fn create_sqlite_file(url: &str) -> std::io::Result<()> {
    let Some(file) = sqlite_file(url) else { return Ok(()) };
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        // SQLite takes an empty file for an empty database.
        _ => Ok(()),
    }
}
