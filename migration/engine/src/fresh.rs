//! `fresh`: drops everything, then applies all migrations.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use crate::destructive::Catalog;
use crate::lock::{MigrationLock, Waits};
use crate::run::upgrade;
use crate::table_locks::TableLocks;
use crate::{Failure, Options, Project};

/// Drops everything, then applies all migrations.
pub(crate) async fn fresh(db: &DatabaseConnection, project: &Project, options: &Options) -> Result<(), Failure> {
    let catalog = Catalog::read(db).await?;
    let tables: Vec<_> = catalog.own_tables().collect();
    if !options.allow_destructive && !tables.is_empty() {
        return Err(Failure::Destructive(format!(
            "it would drop table {}; use --allow-destructive to allow it",
            tables.join(", ")
        )));
    }
    let migration_lock = MigrationLock::acquire(db, options.lock_timeout).await?;
    let (waits, table_locks) = (options.waits(), TableLocks::default());
    let attempts = table_locks.attempts((db, &migration_lock), "fresh", waits, true);
    let outcome = loop {
        match attempts.make(drop_everything(db, &table_locks, waits)).await {
            Ok(None) => {}
            outcome => break outcome,
        }
    };
    let released = migration_lock.release(db).await;
    outcome?;
    released?;
    upgrade(db, project, options).await
}

/// Drops views, tables and types in one transaction; sea-orm-migration drops the same.
async fn drop_everything(db: &DatabaseConnection, table_locks: &TableLocks, waits: Waits) -> Result<(), Failure> {
    let backend = db.get_database_backend();
    let (sql, cascade) = match backend {
        DbBackend::Sqlite => (
            "SELECT type, name FROM sqlite_master WHERE type IN ('table', 'view') \
             AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type DESC",
            "",
        ),
        _ => (
            "SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'table' END, c.relname::text \
             FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm') AND c.relnamespace = current_schema()::regnamespace \
             AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') \
             UNION ALL SELECT 'type', y.typname::text FROM pg_type y \
             WHERE y.typtype = 'e' AND y.typnamespace = current_schema()::regnamespace \
             AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = y.oid AND d.deptype = 'e')",
            " CASCADE",
        ),
    };
    if backend == DbBackend::Sqlite {
        db.execute_unprepared("PRAGMA foreign_keys = OFF").await?;
    }
    let transaction = table_locks.begin(db, waits).await?;
    for row in transaction.query_all_raw(Statement::from_string(backend, sql)).await? {
        let (kind, name): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        log::info!("Dropping {kind} '{name}'");
        let name = crate::alter_table::quoted(&name);
        transaction.execute_unprepared(&format!("DROP {kind} IF EXISTS {name}{cascade}")).await?;
    }
    transaction.commit().await?;
    if backend == DbBackend::Sqlite {
        db.execute_unprepared("PRAGMA foreign_keys = ON").await?;
    }
    Ok(())
}
