//! `stamp`: changes the recorded history, and nothing else.

use sea_orm::ConnectionTrait as _;

use super::state::State;
use super::{Running, Target, close};
use crate::lock::{self, MigrationLock};
use crate::run::Reach;
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
        let place = if purge { revision::resolve(text, &state.names(), state.place()) } else { state.resolve(text) }?;
        let timeout = running.options(project, Reach::All).lock_timeout;
        let turn = MigrationLock::take(&db, timeout).await?;
        let outcome = rewrite(&db, &state, place, purge, timeout).await;
        let ended = turn.end(&db).await;
        outcome?;
        Ok(ended?)
    };
    let outcome = outcome.await;
    close(db, outcome).await
}

async fn rewrite(
    db: &sea_orm::DatabaseConnection,
    state: &State,
    place: revision::Position,
    purge: bool,
    timeout: std::time::Duration,
) -> Result<(), Failure> {
    let transaction = lock::begin(db, timeout).await?;
    history::prepare(&transaction).await?;
    if purge {
        transaction.execute_unprepared("DELETE FROM seaql_migrations").await?;
    }
    for (number, (migration, recorded)) in state.migrations.iter().zip(&state.recorded).enumerate() {
        let name = migration.name();
        // Applied migrations get the checksum of their current SQL: an edit is accepted.
        let checksum = recorded.as_ref().ok().and_then(|recorded| recorded.checksum.as_deref()).unwrap_or_default();
        match (number < place, history::has(&transaction, name).await?) {
            (true, true) => history::set_checksum(&transaction, name, checksum).await?,
            (true, false) => history::add(&transaction, name, Some(checksum)).await?,
            (false, true) => history::remove(&transaction, name).await?,
            (false, false) => {}
        }
    }
    transaction.commit().await?;
    log::info!("Stamped {} of {} migrations", place, state.migrations.len());
    Ok(())
}
