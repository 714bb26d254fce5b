//! `stamp`: changes the history without running migrations.

use sea_orm::ConnectionTrait as _;

use super::arguments::Running;
use super::state::State;
use super::target::{Target, close};
use crate::lock::{MigrationLock, Waits};
use crate::run::Reach;
use crate::table_locks::TableLocks;
use crate::{Failure, Project, history, revision};

pub(super) async fn stamp(
    project: &Project,
    target: &Target,
    text: &str,
    purge: bool,
    running: Running,
) -> Result<(), Failure> {
    let db = target.open(project).await?;
    let outcome = async {
        let state = State::of(project, &db).await?;
        let position =
            if purge { revision::resolve(text, &state.names(), state.position()) } else { state.resolve(text) }?;
        let waits = running.options(project, Reach::All).waits();
        let migration_lock = MigrationLock::acquire(&db, waits.turn).await?;
        let outcome = rewrite(&db, &state, position, purge, waits).await;
        let released = migration_lock.release(&db).await;
        outcome?;
        Ok(released?)
    };
    let outcome = outcome.await;
    close(db, outcome).await
}

/// Creates the table of the history, and nothing else.
pub(super) async fn ensure_version(project: &Project, target: &Target, running: Running) -> Result<(), Failure> {
    let db = target.open(project).await?;
    let outcome = async {
        let waits = running.options(project, Reach::All).waits();
        let migration_lock = MigrationLock::acquire(&db, waits.turn).await?;
        let outcome = async {
            let transaction = TableLocks::default().begin(&db, waits).await?;
            history::prepare(&transaction).await?;
            Ok::<_, Failure>(transaction.commit().await?)
        };
        let outcome = outcome.await;
        let released = migration_lock.release(&db).await;
        outcome?;
        released?;
        log::info!("The table seaql_migrations is there");
        Ok(())
    };
    let outcome = outcome.await;
    close(db, outcome).await
}

async fn rewrite(
    db: &sea_orm::DatabaseConnection,
    state: &State,
    position: revision::Position,
    purge: bool,
    waits: Waits,
) -> Result<(), Failure> {
    let transaction = TableLocks::default().begin(db, waits).await?;
    history::prepare(&transaction).await?;
    if purge {
        transaction.execute_unprepared("DELETE FROM seaql_migrations").await?;
    }
    for (number, (migration, recorded)) in state.migrations.iter().zip(&state.recorded).enumerate() {
        let name = migration.name();
        // Existing records get the present checksum, too: `stamp` accepts an edit.
        let checksum = recorded.as_ref().ok().and_then(|recorded| recorded.checksum.as_deref()).unwrap_or_default();
        match (number < position, history::has(&transaction, name).await?) {
            (true, true) => history::set_checksum(&transaction, name, checksum).await?,
            (true, false) => history::add(&transaction, name, Some(checksum)).await?,
            (false, true) => history::remove(&transaction, name).await?,
            (false, false) => {}
        }
    }
    transaction.commit().await?;
    log::info!("Stamped {} of {} migrations", position, state.migrations.len());
    Ok(())
}
