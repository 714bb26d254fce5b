//! Applies and reverts migrations: one at a time, each with its record in one transaction, under the migration lock.

use std::time::Duration;

use sea_orm::{DatabaseConnection, DbBackend, DbErr};
use sea_orm_migration::MigrationTrait;

use crate::history::{self, Applied};
use crate::lock::{self, MigrationLock};
use crate::migration_step::{Direction, MigrationStep, StepOutcome};
use crate::record::{self, Recorded, Recorder};
use crate::{Failure, Project, destructive};

/// Options of applying and reverting migrations.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The target.
    pub reach: Reach,
    /// Whether data may be lost.
    pub allow_destructive: bool,
    /// How long to wait for another migrator.
    pub lock_timeout: Duration,
}

/// The target of applying or reverting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The end of the history: all migrations, or none.
    All,
    /// A number of migrations.
    Steps(usize),
    /// A position: the number of migrations of the list that are applied afterwards.
    First(usize),
}

impl Project {
    /// The default options: all migrations, and the settings of the project.
    #[must_use]
    pub fn options(&self) -> Options {
        Options { reach: Reach::All, allow_destructive: self.is_development, lock_timeout: self.lock_timeout }
    }
}

/// Applies pending migrations, oldest first. Without pending migrations it takes no lock and writes nothing.
///
/// The pool must be like that of [`connect`](crate::connect): one connection on SQLite, at least two on PostgreSQL.
pub async fn upgrade(db: &DatabaseConnection, project: &Project, options: &Options) -> Result<(), Failure> {
    refuse_pool(db)?;
    let migrations = (project.migrations)();
    let applied = history::read(db).await?;
    refuse_unknown(&migrations, &applied)?;
    let pending = pending(&migrations, &applied, options.reach);
    if pending.is_empty() {
        log::info!("{}", if options.reach == Reach::Steps(0) { "Nothing to do" } else { "No pending migrations" });
    }
    if pending.is_empty() && applied.iter().all(|record| record.checksum.is_some()) {
        return Ok(());
    }
    let recorded = record::forward(&migrations, db.get_database_backend()).await?;
    warn_of_edited(&migrations, &applied, &recorded);
    if !options.allow_destructive {
        let replayed = pending.iter().filter_map(|place| Some((*place, recorded.get(*place)?.as_ref().ok())));
        refuse_losses(db, &migrations, replayed).await?;
    }
    let turn = MigrationLock::take(db, options.lock_timeout).await?;
    let outcome = apply_all(db, &migrations, &pending, &recorded, options.lock_timeout).await;
    let ended = turn.end(db).await;
    match outcome {
        // A user without the right to change tables need not convert the history if there is nothing else to do.
        Err(Failure::NoRights(_)) if pending.is_empty() => {}
        outcome => outcome?,
    }
    Ok(ended?)
}

/// Foreign keys of SQLite are switched per connection, so there must be one only; the lock on PostgreSQL needs its own.
fn refuse_pool(db: &DatabaseConnection) -> Result<(), Failure> {
    let (size, fits) = match db.get_database_backend() {
        DbBackend::Sqlite => {
            let size = db.get_sqlite_connection_pool().options().get_max_connections();
            (size, size == 1)
        }
        _ => {
            let size = db.get_postgres_connection_pool().options().get_max_connections();
            (size, size >= 2)
        }
    };
    match fits {
        true => Ok(()),
        false => Err(Failure::Usage(format!(
            "migrations do not run on a pool of {size} connections; open it with `connect`"
        ))),
    }
}

async fn apply_all(
    db: &DatabaseConnection,
    migrations: &[Box<dyn MigrationTrait>],
    pending: &[usize],
    recorded: &[Result<Recorded, String>],
    timeout: Duration,
) -> Result<(), Failure> {
    adopt(db, migrations, recorded, timeout).await?;
    for (migration, recorded) in
        pending.iter().filter_map(|place| Some((migrations.get(*place)?, recorded.get(*place)?)))
    {
        let recorded = recorded.as_ref().ok();
        // Empty: the SQL was recorded, and differs from run to run.
        let checksum = recorded.and_then(|recorded| recorded.checksum.as_deref()).unwrap_or_default();
        let name = migration.name();
        log::info!("Applying migration '{name}'");
        let step = MigrationStep { migration: migration.as_ref(), direction: Direction::Up { checksum }, timeout };
        match step.take(db, recorded.is_some_and(Recorded::rebuilds)).await? {
            StepOutcome::Now => log::info!("Migration '{name}' has been applied"),
            StepOutcome::Before => log::info!("Migration '{name}' was applied by another migrator"),
        }
    }
    Ok(())
}

/// Converts the history of sea-orm-migration: its migrations get the checksums of their current SQL.
async fn adopt(
    db: &DatabaseConnection,
    migrations: &[Box<dyn MigrationTrait>],
    recorded: &[Result<Recorded, String>],
    timeout: Duration,
) -> Result<(), Failure> {
    let transaction = lock::begin(db, timeout).await?;
    history::prepare(&transaction).await?;
    for record in history::read(&transaction).await?.iter().filter(|record| record.checksum.is_none()) {
        let known = migrations.iter().zip(recorded).find(|(migration, _)| migration.name() == record.version);
        let checksum = known.and_then(|(_, recorded)| recorded.as_ref().ok()?.checksum.clone()).unwrap_or_default();
        history::set_checksum(&transaction, &record.version, &checksum).await?;
    }
    Ok(transaction.commit().await?)
}

/// Reverts applied migrations, latest first. The pool must be as for [`upgrade`].
pub async fn downgrade(db: &DatabaseConnection, project: &Project, options: &Options) -> Result<(), Failure> {
    refuse_pool(db)?;
    let migrations = (project.migrations)();
    let applied = history::read(db).await?;
    refuse_unknown(&migrations, &applied)?;
    let places = revertible(&migrations, &applied, options.reach);
    if places.is_empty() {
        log::info!("No applied migrations");
        return Ok(());
    }
    let recorded = backward(&migrations, &places, db.get_database_backend()).await?;
    if !options.allow_destructive {
        let replayed = places.iter().zip(&recorded).map(|(place, recorded)| (*place, recorded.as_ref()));
        refuse_losses(db, &migrations, replayed).await?;
    }
    let turn = MigrationLock::take(db, options.lock_timeout).await?;
    let outcome = revert_all(db, &migrations, &places, &recorded, options.lock_timeout).await;
    let ended = turn.end(db).await;
    outcome?;
    Ok(ended?)
}

async fn revert_all(
    db: &DatabaseConnection,
    migrations: &[Box<dyn MigrationTrait>],
    places: &[usize],
    recorded: &[Option<Recorded>],
    timeout: Duration,
) -> Result<(), Failure> {
    for (migration, recorded) in
        places.iter().zip(recorded).filter_map(|(place, recorded)| Some((migrations.get(*place)?, recorded)))
    {
        let name = migration.name();
        log::info!("Rolling back migration '{name}'");
        let step = MigrationStep { migration: migration.as_ref(), direction: Direction::Down, timeout };
        match step.take(db, recorded.as_ref().is_some_and(Recorded::rebuilds)).await? {
            StepOutcome::Now => log::info!("Migration '{name}' has been rolled back"),
            StepOutcome::Before => log::info!("Migration '{name}' was rolled back by another migrator"),
        }
    }
    Ok(())
}

/// The SQL of `down` of migrations, latest first. None for a migration that needs rows.
pub(crate) async fn backward(
    migrations: &[Box<dyn MigrationTrait>],
    places: &[usize],
    backend: DbBackend,
) -> Result<Vec<Option<Recorded>>, DbErr> {
    let recorder = Recorder::new(backend).await?;
    let last = places.first().map_or(0, |place| place + 1);
    for migration in migrations.iter().take(last) {
        // An error here occurs again below, and is reported there.
        recorder.up(migration.as_ref()).await.ok();
    }
    let mut recorded = Vec::with_capacity(places.len());
    for migration in places.iter().filter_map(|place| migrations.get(*place)) {
        let statements = recorder.down(migration.as_ref()).await.ok();
        recorded.push(statements.map(|statements| Recorded { statements, checksum: None }));
    }
    Ok(recorded)
}

/// The positions of the migrations to apply.
pub(crate) fn pending(migrations: &[Box<dyn MigrationTrait>], applied: &[Applied], reach: Reach) -> Vec<usize> {
    let names = migrations.iter().map(|migration| migration.name());
    let pending = names.enumerate().filter(|(_, name)| !applied.iter().any(|record| record.version == *name));
    let pending = pending.map(|(place, _)| place);
    match reach {
        Reach::All => pending.collect(),
        Reach::Steps(steps) => pending.take(steps).collect(),
        Reach::First(count) => pending.filter(|place| *place < count).collect(),
    }
}

/// The positions of the migrations to revert, latest first.
pub(crate) fn revertible(migrations: &[Box<dyn MigrationTrait>], applied: &[Applied], reach: Reach) -> Vec<usize> {
    let names = migrations.iter().map(|migration| migration.name());
    let mut places: Vec<_> = names
        .enumerate()
        .filter(|(_, name)| applied.iter().any(|record| record.version == *name))
        .map(|(place, _)| place)
        .collect();
    places.reverse();
    match reach {
        Reach::All => {}
        Reach::Steps(steps) => places.truncate(steps),
        Reach::First(count) => places.retain(|place| *place >= count),
    }
    places
}

/// The failure of unknown migrations in the database: it is newer than the program, or a file is missing.
pub(crate) fn refuse_unknown(migrations: &[Box<dyn MigrationTrait>], applied: &[Applied]) -> Result<(), Failure> {
    let newest = migrations.iter().map(|migration| migration.name()).max().unwrap_or_default();
    let is_known = |record: &&Applied| migrations.iter().any(|migration| migration.name() == record.version);
    let unknown: Vec<_> =
        applied.iter().filter(|record| !is_known(record)).map(|record| record.version.as_str()).collect();
    let (ahead, missing): (Vec<_>, Vec<_>) = unknown.into_iter().partition(|version| *version > newest);
    if !missing.is_empty() {
        return Err(Failure::MissingFile(format!(
            "applied, but there is no such migration any more: {}",
            missing.join(", ")
        )));
    }
    if !ahead.is_empty() {
        return Err(Failure::DatabaseAhead(format!(
            "the database is ahead of this program: it has {}, and the last known here is {newest}",
            ahead.join(", ")
        )));
    }
    Ok(())
}

/// The migrations whose SQL has changed since they were applied.
pub(crate) fn edited<'a>(
    migrations: &'a [Box<dyn MigrationTrait>],
    applied: &'a [Applied],
    recorded: &'a [Result<Recorded, String>],
) -> impl Iterator<Item = &'a str> {
    migrations.iter().zip(recorded).filter_map(move |(migration, recorded)| {
        let record = applied.iter().find(|record| record.version == migration.name())?;
        let then = record.checksum.as_deref().filter(|checksum| !checksum.is_empty())?;
        let now = recorded.as_ref().ok()?.checksum.as_deref().unwrap_or_default();
        (then != now).then(|| migration.name())
    })
}

fn warn_of_edited(migrations: &[Box<dyn MigrationTrait>], applied: &[Applied], recorded: &[Result<Recorded, String>]) {
    for name in edited(migrations, applied, recorded) {
        log::warn!("Migration '{name}' has been edited since it was applied");
    }
}

async fn refuse_losses<'a>(
    db: &DatabaseConnection,
    migrations: &[Box<dyn MigrationTrait>],
    replayed: impl Iterator<Item = (usize, Option<&'a Recorded>)>,
) -> Result<(), Failure> {
    let types = destructive::types(db).await?;
    let mut told = Vec::new();
    for (place, recorded) in replayed {
        let name = migrations.get(place).map_or("", |migration| migration.name());
        let losses = recorded.map(|recorded| destructive::losses(&recorded.statements, &types));
        match losses {
            None => told.push(format!("{name} cannot be looked into without its data")),
            Some(losses) if !losses.is_empty() => told.push(format!("{name} would {}", losses.join(", "))),
            Some(_) => {}
        }
    }
    if told.is_empty() {
        return Ok(());
    }
    Err(Failure::Destructive(format!("{}; --allow-destructive agrees to it", told.join("; "))))
}
