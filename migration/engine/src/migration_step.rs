//! One migration, up or down, with its record in the history.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};
use sea_orm_migration::{MigrationTrait, SchemaManager};

use crate::lock::Waits;
use crate::table_locks::TableLocks;
use crate::{Failure, alter_table, history};

/// One migration, up or down.
pub(crate) struct MigrationStep<'a> {
    pub(crate) migration: &'a dyn MigrationTrait,
    pub(crate) direction: Direction<'a>,
    pub(crate) waits: Waits,
    pub(crate) table_locks: &'a TableLocks,
}

#[derive(Clone, Copy)]
pub(crate) enum Direction<'a> {
    Up { checksum: &'a str },
    Down,
}

pub(crate) enum StepOutcome {
    Done,
    /// Another process was faster.
    AlreadyDone,
}

impl MigrationStep<'_> {
    pub(crate) async fn execute(&self, db: &DatabaseConnection, rebuilds: bool) -> Result<StepOutcome, Failure> {
        let outcome = match self.migration.use_transaction() {
            Some(false) => self.execute_without_transaction(db).await,
            _ if rebuilds && db.get_database_backend() == DbBackend::Sqlite => {
                self.execute_without_foreign_keys(db).await
            }
            _ => match self.execute_in_transaction(db, None).await {
                // It could not be recorded, so it was not known that it rebuilds a table.
                Err(Failure::Refused(why)) if why.contains(alter_table::KEYS_ENFORCED) => {
                    self.execute_without_foreign_keys(db).await
                }
                outcome => outcome,
            },
        };
        let effect = match self.migration.use_transaction() {
            Some(false) => "failed without a transaction, and may be partly applied",
            _ => "failed and was rolled back",
        };
        outcome.map_err(|failure| match failure {
            Failure::Refused(why) => Failure::Refused(format!("{} {effect}: {why}", self.migration.name())),
            other => other,
        })
    }

    /// For statements that cannot run in a transaction, such as `CREATE INDEX CONCURRENTLY`, if
    /// `use_transaction()` is `Some(false)`.
    async fn execute_without_transaction(&self, db: &DatabaseConnection) -> Result<StepOutcome, Failure> {
        if self.is_done(db).await? {
            return Ok(StepOutcome::AlreadyDone);
        }
        match self.table_locks.connect(db, self.waits).await? {
            Some(own) => {
                let outcome = self.run_and_record(&own).await;
                own.close().await?;
                outcome
            }
            None => self.run_and_record(db).await,
        }
    }

    async fn run_and_record(&self, db: &DatabaseConnection) -> Result<StepOutcome, Failure> {
        self.run_migration(&SchemaManager::new(db)).await?;
        self.record(db).await?;
        Ok(StepOutcome::Done)
    }

    /// Whether a failure leaves nothing behind.
    pub(crate) fn is_atomic(&self) -> bool {
        self.migration.use_transaction() != Some(false)
    }

    /// With foreign keys off, so that the rebuild of a table triggers no foreign key action. SQLite
    /// can switch them only outside of a transaction.
    async fn execute_without_foreign_keys(&self, db: &DatabaseConnection) -> Result<StepOutcome, Failure> {
        let row = db.query_one_raw(Statement::from_string(DbBackend::Sqlite, "PRAGMA foreign_keys")).await?;
        let are_on = row.map_or(Ok(0), |row| row.try_get_by_index::<i32>(0))? != 0;
        let before = violations(db).await?;
        db.execute_unprepared("PRAGMA foreign_keys = OFF").await?;
        let outcome = self.execute_in_transaction(db, Some(before)).await;
        // A failed rebuild may have left this on.
        db.execute_unprepared("PRAGMA legacy_alter_table = OFF").await?;
        if are_on {
            db.execute_unprepared("PRAGMA foreign_keys = ON").await?;
        }
        outcome
    }

    async fn execute_in_transaction(
        &self,
        db: &DatabaseConnection,
        violations_before: Option<i64>,
    ) -> Result<StepOutcome, Failure> {
        let transaction = self.table_locks.begin(db, self.waits).await?;
        if self.is_done(&transaction).await? {
            transaction.rollback().await?;
            return Ok(StepOutcome::AlreadyDone);
        }
        self.run_migration(&SchemaManager::new(&transaction)).await?;
        self.record(&transaction).await?;
        if let Some(before) = violations_before {
            let after = violations(&transaction).await?;
            if after > before {
                return Err(Failure::Refused(format!("{} rows would violate foreign keys", after - before)));
            }
        }
        transaction.commit().await?;
        Ok(StepOutcome::Done)
    }

    async fn is_done(&self, db: &impl ConnectionTrait) -> Result<bool, DbErr> {
        let is_applied = history::has(db, self.migration.name()).await?;
        Ok(is_applied == matches!(self.direction, Direction::Up { .. }))
    }

    async fn run_migration(&self, manager: &SchemaManager<'_>) -> Result<(), Failure> {
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
