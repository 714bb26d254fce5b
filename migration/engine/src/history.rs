//! History table: sea-orm-migration's `seaql_migrations`, with an additional column for checksums.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Schema, Statement, Value};
use sea_orm_migration::seaql_migrations;

/// An applied migration, as recorded in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The name of the migration.
    pub version: String,
    /// When it was applied, in seconds since 1970.
    pub applied_at: i64,
    /// SHA-256 of its SQL. None if plain sea-orm-migration applied it, empty if its SQL differs
    /// each time.
    pub checksum: Option<String>,
}

/// Reads the history, ordered by name. Without the table it is empty; nothing is created.
pub(crate) async fn read(db: &impl ConnectionTrait) -> Result<Vec<Applied>, DbErr> {
    let columns = columns(db).await?;
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let checksum = if columns.iter().any(|column| column == "checksum") { "checksum" } else { "NULL" };
    let sql = format!(
        "SELECT version, CAST(applied_at AS bigint), CAST({checksum} AS varchar(64)) FROM seaql_migrations ORDER BY version"
    );
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    let applied = |row: &sea_orm::QueryResult| {
        Ok(Applied {
            version: row.try_get_by_index(0)?,
            applied_at: row.try_get_by_index(1)?,
            checksum: row.try_get_by_index(2)?,
        })
    };
    rows.iter().map(applied).collect()
}

/// Creates the table, or adds the column for checksums to an existing one.
pub(crate) async fn prepare(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let columns = columns(db).await?;
    if columns.is_empty() {
        let table = Schema::new(db.get_database_backend()).create_table_from_entity(seaql_migrations::Entity);
        db.execute(&table).await?;
    }
    if !columns.iter().any(|column| column == "checksum") {
        db.execute_unprepared("ALTER TABLE seaql_migrations ADD COLUMN checksum varchar(64)").await?;
    }
    Ok(())
}

/// Whether a migration is recorded, for a caller that holds the lock.
pub(crate) async fn has(db: &impl ConnectionTrait, version: &str) -> Result<bool, DbErr> {
    let found = statement(db, "SELECT 1 FROM seaql_migrations WHERE version = $1", vec![version.into()]);
    Ok(db.query_one_raw(found).await?.is_some())
}

/// Records a migration as applied.
pub(crate) async fn add(db: &impl ConnectionTrait, version: &str, checksum: Option<&str>) -> Result<(), DbErr> {
    let sql = "INSERT INTO seaql_migrations (version, applied_at, checksum) VALUES ($1, $2, $3)";
    let values = vec![version.into(), chrono::Utc::now().timestamp().into(), checksum.into()];
    db.execute_raw(statement(db, sql, values)).await.map(drop)
}

/// Deletes the record of a migration.
pub(crate) async fn remove(db: &impl ConnectionTrait, version: &str) -> Result<(), DbErr> {
    db.execute_raw(statement(db, "DELETE FROM seaql_migrations WHERE version = $1", vec![version.into()]))
        .await
        .map(drop)
}

/// Updates the checksum of an applied migration.
pub(crate) async fn set_checksum(db: &impl ConnectionTrait, version: &str, checksum: &str) -> Result<(), DbErr> {
    let sql = "UPDATE seaql_migrations SET checksum = $2 WHERE version = $1";
    db.execute_raw(statement(db, sql, vec![version.into(), checksum.into()])).await.map(drop)
}

fn statement(db: &impl ConnectionTrait, sql: &str, values: Vec<Value>) -> Statement {
    Statement::from_sql_and_values(db.get_database_backend(), sql, values)
}

async fn columns(db: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    let sql = match db.get_database_backend() {
        DbBackend::Sqlite => "SELECT name FROM pragma_table_info('seaql_migrations')",
        _ => {
            "SELECT attname::text FROM pg_attribute \
             WHERE attrelid = to_regclass('seaql_migrations') AND attnum > 0 AND NOT attisdropped"
        }
    };
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}
