//! Applies and reverts migrations: under the lock, and each with its record in one transaction.

use std::time::Duration;

use sea_orm::{DatabaseConnection, DbBackend, DbErr};
use sea_orm_migration::MigrationTrait;

use crate::destructive::{Catalog, Trace};
use crate::history::{self, Applied};
use crate::lock::{MigrationLock, Waits};
use crate::migration_step::{Direction, MigrationStep, StepOutcome};
use crate::recorder::{self, Recorded, Recorder};
use crate::table_locks::TableLocks;
use crate::{Failure, Project};

/// Options of a run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Which migrations to apply or revert.
    pub reach: Reach,
    /// Whether data may be lost.
    pub allow_destructive: bool,
    /// Time to wait for another process that migrates, and for all attempts to lock a table.
    pub lock_timeout: Duration,
    /// PostgreSQL: time to wait for the lock of a table at a time. Meanwhile all others wait for the table, too.
    pub table_lock_timeout: Duration,
}

impl Options {
    pub(crate) fn waits(&self) -> Waits {
        Waits { turn: self.lock_timeout, table: self.table_lock_timeout }
    }
}

/// Which migrations to apply or revert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// All of them.
    All,
    /// This number of migrations.
    Steps(usize),
    /// Up: those among the first N of the list. Down: those after the first N.
    First(usize),
}

impl Project {
    /// Options for all migrations, with the project's defaults.
    #[must_use]
    pub fn options(&self) -> Options {
        Options {
            reach: Reach::All,
            allow_destructive: self.is_development,
            lock_timeout: self.lock_timeout,
            table_lock_timeout: self.table_lock_timeout,
        }
    }
}

/// Target of the log lines about each migration, so that a program can log the summary only.
const PROGRESS: &str = "revisions::progress";

/// Applies pending migrations, oldest first. Without pending migrations it takes no lock and writes
/// nothing.
///
/// The pool must be from [`connect`](crate::connect), or have the same size: one connection on
/// SQLite, two or more on PostgreSQL.
pub async fn upgrade(db: &DatabaseConnection, project: &Project, options: &Options) -> Result<(), Failure> {
    refuse_pool(db)?;
    let migrations = (project.migrations)();
    let applied = history::read(db).await?;
    refuse_unknown(&migrations, &applied)?;
    let pending = pending(&migrations, &applied, options.reach);
    if pending.is_empty() {
        let nothing = if options.reach == Reach::Steps(0) { "Nothing to do" } else { "No pending migrations" };
        log::info!(target: PROGRESS, "{nothing}");
    }
    if pending.is_empty() && applied.iter().all(|record| record.checksum.is_some()) {
        return Ok(());
    }
    let recorded = recorder::record_up(&migrations, db.get_database_backend()).await?;
    warn_of_edited(&migrations, &applied, &recorded);
    if !options.allow_destructive {
        let recordings =
            pending.iter().filter_map(|position| Some((*position, recorded.get(*position)?.as_ref().ok())));
        refuse_losses(db, &migrations, recordings).await?;
    }
    let migration_lock = MigrationLock::acquire(db, options.lock_timeout).await?;
    let outcome = apply_all(db, &migration_lock, &migrations, &pending, &recorded, options.waits()).await;
    let released = migration_lock.release(db).await;
    match outcome {
        // A user without write privileges cannot adopt the history, which does not matter if
        // nothing is pending.
        Err(Failure::NoRights(_)) if pending.is_empty() => {}
        outcome => outcome?,
    }
    Ok(released?)
}

/// Fails if the pool has the wrong size: on SQLite foreign keys are switched per connection, so
/// there must be one; on PostgreSQL the lock needs one of its own.
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
            "migrations cannot run on a pool of {size} connections; open it with `connect`"
        ))),
    }
}

async fn apply_all(
    db: &DatabaseConnection,
    lock: &MigrationLock,
    migrations: &[Box<dyn MigrationTrait>],
    pending: &[usize],
    recorded: &[Result<Recorded, String>],
    waits: Waits,
) -> Result<(), Failure> {
    let table_locks = TableLocks::default();
    let attempts = table_locks.attempts((db, lock), "the history", waits, true);
    while attempts.make(adopt(db, migrations, recorded, &table_locks, waits)).await?.is_none() {}
    let mut applied = 0;
    for (migration, recorded) in
        pending.iter().filter_map(|position| Some((migrations.get(*position)?, recorded.get(*position)?)))
    {
        let recorded = recorded.as_ref().ok();
        // An empty checksum means: the SQL differs each time.
        let checksum = recorded.and_then(|recorded| recorded.checksum.as_deref()).unwrap_or_default();
        let name = migration.name();
        log::info!(target: PROGRESS, "Applying migration '{name}'");
        let direction = Direction::Up { checksum };
        let step = MigrationStep { migration: migration.as_ref(), direction, waits, table_locks: &table_locks };
        let rebuilds = recorded.is_some_and(Recorded::rebuilds);
        let what = format!("Migration '{name}'");
        let attempts = table_locks.attempts((db, lock), &what, waits, step.is_atomic());
        let outcome = loop {
            if let Some(outcome) = attempts.make(step.execute(db, rebuilds)).await? {
                break outcome;
            }
        };
        match outcome {
            StepOutcome::Done => {
                applied += 1;
                log::info!(target: PROGRESS, "Migration '{name}' has been applied");
            }
            StepOutcome::AlreadyDone => {
                log::info!(target: PROGRESS, "Migration '{name}' was applied by another process");
            }
        }
    }
    if applied > 0 {
        log::info!("applied {applied} migration{}", if applied == 1 { "" } else { "s" });
    }
    Ok(())
}

/// Adopts the history of plain sea-orm-migration: its migrations get their present checksums.
async fn adopt(
    db: &DatabaseConnection,
    migrations: &[Box<dyn MigrationTrait>],
    recorded: &[Result<Recorded, String>],
    table_locks: &TableLocks,
    waits: Waits,
) -> Result<(), Failure> {
    let transaction = table_locks.begin(db, waits).await?;
    history::prepare(&transaction).await?;
    for record in history::read(&transaction).await?.iter().filter(|record| record.checksum.is_none()) {
        let known = migrations.iter().zip(recorded).find(|(migration, _)| migration.name() == record.version);
        let checksum = known.and_then(|(_, recorded)| recorded.as_ref().ok()?.checksum.clone()).unwrap_or_default();
        history::set_checksum(&transaction, &record.version, &checksum).await?;
    }
    Ok(transaction.commit().await?)
}

/// The SQL of each migration on a database, without connecting to one.
///
/// # Errors
/// [`Failure::Refused`] for a migration that depends on data, or cannot be recorded without it.
pub async fn statements(project: &Project, backend: DbBackend) -> Result<Vec<Vec<String>>, Failure> {
    let migrations = (project.migrations)();
    let recorded = recorder::record_up(&migrations, backend).await?;
    let statements = migrations.iter().zip(recorded).map(|(migration, recorded)| match recorded {
        Ok(recorded) if !recorded.reads_data => Ok(recorded.statements),
        Ok(_) => Err(Failure::Refused(format!("{} reads data", migration.name()))),
        Err(error) => Err(Failure::Refused(format!("{} cannot be recorded: {error}", migration.name()))),
    });
    statements.collect()
}

/// Reverts applied migrations, latest first. The pool must be as for [`upgrade`].
pub async fn downgrade(db: &DatabaseConnection, project: &Project, options: &Options) -> Result<(), Failure> {
    refuse_pool(db)?;
    let migrations = (project.migrations)();
    let applied = history::read(db).await?;
    refuse_unknown(&migrations, &applied)?;
    let positions = revertible(&migrations, &applied, options.reach);
    if positions.is_empty() {
        log::info!("No applied migrations");
        return Ok(());
    }
    let recorded = record_down(&migrations, &positions, db.get_database_backend()).await?;
    if !options.allow_destructive {
        let recordings = positions.iter().zip(&recorded).map(|(position, recorded)| (*position, recorded.as_ref()));
        refuse_losses(db, &migrations, recordings).await?;
    }
    let migration_lock = MigrationLock::acquire(db, options.lock_timeout).await?;
    let outcome = revert_all(db, &migration_lock, &migrations, &positions, &recorded, options.waits()).await;
    let released = migration_lock.release(db).await;
    outcome?;
    Ok(released?)
}

async fn revert_all(
    db: &DatabaseConnection,
    lock: &MigrationLock,
    migrations: &[Box<dyn MigrationTrait>],
    positions: &[usize],
    recorded: &[Option<Recorded>],
    waits: Waits,
) -> Result<(), Failure> {
    let table_locks = TableLocks::default();
    for (migration, recorded) in
        positions.iter().zip(recorded).filter_map(|(position, recorded)| Some((migrations.get(*position)?, recorded)))
    {
        let name = migration.name();
        log::info!("Rolling back migration '{name}'");
        let direction = Direction::Down;
        let step = MigrationStep { migration: migration.as_ref(), direction, waits, table_locks: &table_locks };
        let rebuilds = recorded.as_ref().is_some_and(Recorded::rebuilds);
        let what = format!("Migration '{name}'");
        let attempts = table_locks.attempts((db, lock), &what, waits, step.is_atomic());
        let outcome = loop {
            if let Some(outcome) = attempts.make(step.execute(db, rebuilds)).await? {
                break outcome;
            }
        };
        match outcome {
            StepOutcome::Done => log::info!("Migration '{name}' has been rolled back"),
            StepOutcome::AlreadyDone => log::info!("Migration '{name}' was rolled back by another process"),
        }
    }
    Ok(())
}

/// Records `down` of some migrations, latest first. None for a migration that needs its data.
pub(crate) async fn record_down(
    migrations: &[Box<dyn MigrationTrait>],
    positions: &[usize],
    backend: DbBackend,
) -> Result<Vec<Option<Recorded>>, DbErr> {
    let recorder = Recorder::new(backend).await?;
    let last = positions.first().map_or(0, |position| position + 1);
    for migration in migrations.iter().take(last) {
        // A migration that fails here fails below, too, where it is reported.
        recorder.up(migration.as_ref()).await.ok();
    }
    let mut recorded = Vec::with_capacity(positions.len());
    for migration in positions.iter().filter_map(|position| migrations.get(*position)) {
        recorded.push(recorder.down(migration.as_ref()).await.ok());
    }
    Ok(recorded)
}

/// The positions of the migrations to apply.
pub(crate) fn pending(migrations: &[Box<dyn MigrationTrait>], applied: &[Applied], reach: Reach) -> Vec<usize> {
    let names = migrations.iter().map(|migration| migration.name());
    let pending = names.enumerate().filter(|(_, name)| !applied.iter().any(|record| record.version == *name));
    let pending = pending.map(|(position, _)| position);
    match reach {
        Reach::All => pending.collect(),
        Reach::Steps(steps) => pending.take(steps).collect(),
        Reach::First(count) => pending.filter(|position| *position < count).collect(),
    }
}

/// The positions of the migrations to revert, latest first.
pub(crate) fn revertible(migrations: &[Box<dyn MigrationTrait>], applied: &[Applied], reach: Reach) -> Vec<usize> {
    let names = migrations.iter().map(|migration| migration.name());
    let mut positions: Vec<_> = names
        .enumerate()
        .filter(|(_, name)| applied.iter().any(|record| record.version == *name))
        .map(|(position, _)| position)
        .collect();
    positions.reverse();
    match reach {
        Reach::All => {}
        Reach::Steps(steps) => positions.truncate(steps),
        Reach::First(count) => positions.retain(|position| *position >= count),
    }
    positions
}

/// Fails if the database has migrations that the program does not: it is newer, or a file has been
/// deleted.
pub(crate) fn refuse_unknown(migrations: &[Box<dyn MigrationTrait>], applied: &[Applied]) -> Result<(), Failure> {
    let newest = migrations.iter().map(|migration| migration.name()).max().unwrap_or_default();
    let is_known = |record: &&Applied| migrations.iter().any(|migration| migration.name() == record.version);
    let unknown: Vec<_> =
        applied.iter().filter(|record| !is_known(record)).map(|record| record.version.as_str()).collect();
    let (ahead, missing): (Vec<_>, Vec<_>) = unknown.into_iter().partition(|version| *version > newest);
    if !missing.is_empty() {
        return Err(Failure::MissingFile(format!("applied migrations that no longer exist: {}", missing.join(", "))));
    }
    if !ahead.is_empty() {
        return Err(Failure::DatabaseAhead(format!(
            "the database is ahead of this program: it has {}, and the latest known one is {newest}",
            ahead.join(", ")
        )));
    }
    Ok(())
}

/// The migrations whose present SQL differs from the applied SQL.
pub(crate) fn edited<'a>(
    migrations: &'a [Box<dyn MigrationTrait>],
    applied: &'a [Applied],
    recorded: &'a [Result<Recorded, String>],
) -> impl Iterator<Item = &'a str> {
    migrations.iter().zip(recorded).filter_map(move |(migration, recorded)| {
        let record = applied.iter().find(|record| record.version == migration.name())?;
        let then = record.checksum.as_deref().filter(|checksum| !checksum.is_empty())?;
        let now = recorded.as_ref().ok().filter(|recorded| !recorded.reads_data)?;
        (Some(then) != now.checksum.as_deref()).then(|| migration.name())
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
    recordings: impl Iterator<Item = (usize, Option<&'a Recorded>)>,
) -> Result<(), Failure> {
    let catalog = Catalog::read(db).await?;
    if catalog.is_empty() {
        return Ok(());
    }
    let mut trace = Trace::new(&catalog);
    let mut problems = Vec::new();
    for (position, recorded) in recordings {
        let name = migrations.get(position).map_or("", |migration| migration.name());
        let losses = recorded.map(|recorded| trace.losses(&recorded.statements)).unwrap_or_default();
        if !losses.is_empty() {
            problems.push(format!("{name} would {}", losses.join(", ")));
        } else if recorded.is_none_or(|recorded| recorded.reads_data) {
            problems.push(format!("{name} cannot be checked without its data"));
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(Failure::Destructive(format!("{}; use --allow-destructive to allow it", problems.join("; "))))
}
