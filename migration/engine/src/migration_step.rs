//! A step: one migration in one direction, with its record.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};
use sea_orm_migration::{MigrationTrait, SchemaManager};

use crate::{Failure, alter_table, history, lock};

/// One migration in one direction.
pub(crate) struct MigrationStep<'a> {
    pub(crate) migration: &'a dyn MigrationTrait,
    pub(crate) direction: Direction<'a>,
    pub(crate) timeout: Duration,
}

#[derive(Clone, Copy)]
pub(crate) enum Direction<'a> {
    Up { checksum: &'a str },
    Down,
}

pub(crate) enum StepOutcome {
    Now,
    /// By another migrator, meanwhile.
    Before,
}

impl MigrationStep<'_> {
    pub(crate) async fn take(&self, db: &DatabaseConnection, rebuilds: bool) -> Result<StepOutcome, Failure> {
        let outcome = match self.migration.use_transaction() {
            Some(false) => self.take_without_transaction(db).await,
            _ if rebuilds && db.get_database_backend() == DbBackend::Sqlite => self.take_without_foreign_keys(db).await,
            _ => match self.take_in_transaction(db, None).await {
                // Its SQL could not be recorded, so it was not known that it rebuilds a table.
                Err(Failure::Refused(why)) if why.contains(alter_table::KEYS_ENFORCED) => {
                    self.take_without_foreign_keys(db).await
                }
                outcome => outcome,
            },
        };
        let fate = match self.migration.use_transaction() {
            Some(false) => "failed outside of a transaction, as it asked, and may be half done",
            _ => "failed and was undone",
        };
        outcome.map_err(|failure| match failure {
            Failure::Refused(why) => Failure::Refused(format!("{} {fate}: {why}", self.migration.name())),
            other => other,
        })
    }

    /// For migrations that request to run without a transaction, such as for `CREATE INDEX CONCURRENTLY`.
    async fn take_without_transaction(&self, db: &DatabaseConnection) -> Result<StepOutcome, Failure> {
        if self.is_taken(db).await? {
            return Ok(StepOutcome::Before);
        }
        self.run(&SchemaManager::new(db)).await?;
        self.record(db).await?;
        Ok(StepOutcome::Now)
    }

    /// SQLite can switch foreign keys off only outside of a transaction. A rebuild of a table must not trigger their
    /// actions.
    async fn take_without_foreign_keys(&self, db: &DatabaseConnection) -> Result<StepOutcome, Failure> {
        let row = db.query_one_raw(Statement::from_string(DbBackend::Sqlite, "PRAGMA foreign_keys")).await?;
        let are_on = row.map_or(Ok(0), |row| row.try_get_by_index::<i32>(0))? != 0;
        let before = violations(db).await?;
        db.execute_unprepared("PRAGMA foreign_keys = OFF").await?;
        let outcome = self.take_in_transaction(db, Some(before)).await;
        // A failed rebuild leaves this switched on.
        db.execute_unprepared("PRAGMA legacy_alter_table = OFF").await?;
        if are_on {
            db.execute_unprepared("PRAGMA foreign_keys = ON").await?;
        }
        outcome
    }

    async fn take_in_transaction(
        &self,
        db: &DatabaseConnection,
        violations_before: Option<i64>,
    ) -> Result<StepOutcome, Failure> {
        let transaction = lock::begin(db, self.timeout).await?;
        if self.is_taken(&transaction).await? {
            transaction.rollback().await?;
            return Ok(StepOutcome::Before);
        }
        self.run(&SchemaManager::new(&transaction)).await?;
        self.record(&transaction).await?;
        if let Some(before) = violations_before {
            let after = violations(&transaction).await?;
            if after > before {
                return Err(Failure::Refused(format!(
                    "{} rows would refer to rows that are not there",
                    after - before
                )));
            }
        }
        transaction.commit().await?;
        Ok(StepOutcome::Now)
    }

    async fn is_taken(&self, db: &impl ConnectionTrait) -> Result<bool, DbErr> {
        let is_applied = history::has(db, self.migration.name()).await?;
        Ok(is_applied == matches!(self.direction, Direction::Up { .. }))
    }

    async fn run(&self, manager: &SchemaManager<'_>) -> Result<(), Failure> {
        match self.direction {
            Direction::Up { .. } => self.migration.up(manager).await?,
            Direction::Down => self.migration.down(manager).await?,
        }
        Ok(())
    }

    async fn record(&self, db: &impl ConnectionTrait) -> Result<(), DbErr> {
        match self.direction {
            Direction::Up { checksum } => history::add(db, self.migration.name(), Some(checksum)).await,
            Direction::Down => history::remove(db, self.migration.name()).await,
        }
    }
}

async fn violations(db: &impl ConnectionTrait) -> Result<i64, DbErr> {
    let sql = "SELECT count(*) FROM pragma_foreign_key_check";
    let row = db.query_one_raw(Statement::from_string(DbBackend::Sqlite, sql)).await?;
    row.map_or(Ok(0), |row| row.try_get_by_index(0))
}
