//! `--sql`: prints the statements instead of executing them.

use sea_orm::{DbBackend, Schema};
use sea_orm_migration::{MigrationTrait, seaql_migrations};

use super::arguments::{Backend, Running};
use super::output::print;
use super::target::Target;
use crate::lock::Waits;
use crate::recorder::{self, Recorded};
use crate::revision::{self, Position};
use crate::{Failure, Project, run};

fn backend(project: &Project, target: &Target, chosen: Option<Backend>) -> Result<DbBackend, Failure> {
    let url = target.url.as_deref().or(project.default_url).unwrap_or_default();
    match chosen {
        Some(Backend::Sqlite) => Ok(DbBackend::Sqlite),
        Some(Backend::Postgres) => Ok(DbBackend::Postgres),
        None if url.starts_with("sqlite:") => Ok(DbBackend::Sqlite),
        None if url.starts_with("postgres:") || url.starts_with("postgresql:") => Ok(DbBackend::Postgres),
        None => Err(Failure::Usage("the type of the database is unknown; use --backend".into())),
    }
}

/// The range of an argument: `FROM:TO`, or from one end of the history to a revision.
fn range(text: &str, migrations: &[Box<dyn MigrationTrait>], start: Position) -> Result<(Position, Position), Failure> {
    let names: Vec<_> = migrations.iter().map(|migration| migration.name()).collect();
    match text.split_once(':') {
        Some(("", to)) => Ok((start, revision::resolve(to, &names, start)?)),
        Some((from, "")) if start > 0 => Ok((revision::resolve(from, &names, start)?, 0)),
        Some(_) => revision::range(text, &names, start),
        None => Ok((start, revision::resolve(text, &names, start)?)),
    }
}

pub(super) async fn upgrade(
    project: &Project,
    target: &Target,
    text: &str,
    chosen: Option<Backend>,
    running: Running,
) -> Result<(), Failure> {
    let backend = backend(project, target, chosen)?;
    let migrations = (project.migrations)();
    let (from, to) = range(text, &migrations, 0)?;
    if from > to {
        return Err(Failure::Usage(format!("the range {text} goes down; use downgrade")));
    }
    let recorded = recorder::record_up(&migrations, backend).await?;
    let waits = running.options(project, run::Reach::All).waits();
    let mut script = if from == 0 { history_table(backend) } else { checksum_column(backend) };
    for (migration, recorded) in migrations.iter().zip(&recorded).skip(from).take(to - from) {
        let recorded = recorded.as_ref().map_err(|error| not_recordable(migration.as_ref(), error))?;
        refuse_reading(migration.as_ref(), recorded)?;
        let record = record(migration.name(), recorded.checksum.as_deref(), backend);
        script.extend(transaction(migration.as_ref(), recorded, &record, backend, waits));
    }
    print(script)
}

/// The statements that create the table of the history.
fn history_table(backend: DbBackend) -> Vec<String> {
    let mut table = Schema::new(backend).create_table_from_entity(seaql_migrations::Entity);
    let mut script = vec![format!("{};", backend.build(table.if_not_exists()).sql)];
    script.extend(checksum_column(backend));
    script
}

/// SQLite has no `ADD COLUMN IF NOT EXISTS`; there the next `up` adds the column and fills it.
fn checksum_column(backend: DbBackend) -> Vec<String> {
    let sql = "ALTER TABLE seaql_migrations ADD COLUMN IF NOT EXISTS checksum varchar(64);";
    (backend == DbBackend::Postgres).then(|| sql.to_owned()).into_iter().collect()
}

/// The statement that records a migration.
fn record(name: &str, checksum: Option<&str>, backend: DbBackend) -> String {
    match backend {
        DbBackend::Postgres => format!(
            "INSERT INTO seaql_migrations (version, applied_at, checksum) \
             VALUES ('{name}', extract(epoch FROM now())::bigint, '{}')",
            checksum.unwrap_or_default()
        ),
        _ => format!("INSERT INTO seaql_migrations (version, applied_at) VALUES ('{name}', unixepoch())"),
    }
}

/// `stamp --sql`: the records up to a revision.
pub(super) async fn stamp(
    project: &Project,
    target: &Target,
    text: &str,
    purge: bool,
    chosen: Option<Backend>,
) -> Result<(), Failure> {
    let backend = backend(project, target, chosen)?;
    let migrations = (project.migrations)();
    let names: Vec<_> = migrations.iter().map(|migration| migration.name()).collect();
    if text.starts_with(['+', '-']) || text.starts_with("current") {
        return Err(Failure::Usage(format!("{text} is relative to a database, which --sql does not have")));
    }
    let position = revision::resolve(text, &names, 0)?;
    let recorded = recorder::record_up(&migrations, backend).await?;
    let mut script = history_table(backend);
    script.push("BEGIN;".into());
    if purge {
        script.push("DELETE FROM seaql_migrations;".into());
    }
    for (number, (name, recorded)) in names.iter().zip(&recorded).enumerate() {
        if number < position {
            let checksum = recorded.as_ref().ok().and_then(|recorded| recorded.checksum.as_deref());
            let known = match backend {
                DbBackend::Postgres => "(version) DO UPDATE SET checksum = excluded.checksum",
                _ => "(version) DO NOTHING",
            };
            script.push(format!("{} ON CONFLICT {known};", record(name, checksum, backend)));
        } else if !purge {
            script.push(format!("DELETE FROM seaql_migrations WHERE version = '{name}';"));
        }
    }
    script.push("COMMIT;".into());
    print(script)
}

/// `ensure_version --sql`.
pub(super) fn ensure_version(project: &Project, target: &Target, chosen: Option<Backend>) -> Result<(), Failure> {
    print(history_table(backend(project, target, chosen)?))
}

pub(super) async fn downgrade(
    project: &Project,
    target: &Target,
    text: &str,
    chosen: Option<Backend>,
    running: Running,
) -> Result<(), Failure> {
    let backend = backend(project, target, chosen)?;
    let migrations = (project.migrations)();
    let (from, to) = range(text, &migrations, migrations.len())?;
    if from < to {
        return Err(Failure::Usage(format!("the range {text} goes up; use upgrade")));
    }
    let positions: Vec<_> = (to..from).rev().collect();
    let recorded = run::record_down(&migrations, &positions, backend).await?;
    let waits = running.options(project, run::Reach::All).waits();
    let mut script = Vec::new();
    for (migration, recorded) in
        positions.iter().zip(&recorded).filter_map(|(position, recorded)| Some((migrations.get(*position)?, recorded)))
    {
        let recorded = recorded.as_ref().ok_or_else(|| not_recordable(migration.as_ref(), "its `down` needs rows"))?;
        refuse_reading(migration.as_ref(), recorded)?;
        let record = format!("DELETE FROM seaql_migrations WHERE version = '{}'", migration.name());
        script.extend(transaction(migration.as_ref(), recorded, &record, backend, waits));
    }
    print(script)
}

fn not_recordable(migration: &dyn MigrationTrait, error: &str) -> Failure {
    Failure::Refused(format!("{} queries the database, so it cannot be printed as SQL: {error}", migration.name()))
}

/// Fails if what a migration executes may depend on what it reads.
fn refuse_reading(migration: &dyn MigrationTrait, recorded: &Recorded) -> Result<(), Failure> {
    if recorded.reads_data {
        Err(not_recordable(migration, "what it executes may depend on what it reads"))
    } else {
        Ok(())
    }
}

/// The statements of one migration and of its record, in a transaction. They wait for locks of tables for a short time only.
fn transaction(
    migration: &dyn MigrationTrait,
    recorded: &Recorded,
    record: &str,
    backend: DbBackend,
    waits: Waits,
) -> Vec<String> {
    let is_whole = migration.use_transaction() != Some(false);
    let switches_keys = backend == DbBackend::Sqlite && recorded.rebuilds();
    let limits_waits = backend == DbBackend::Postgres;
    let mut lines = vec![String::new(), format!("-- {}", migration.name())];
    lines.extend(switches_keys.then(|| "PRAGMA foreign_keys = OFF;".to_owned()));
    lines.extend(is_whole.then(|| "BEGIN;".to_owned()));
    let scope = if is_whole { "SET LOCAL" } else { "SET" };
    lines.extend(limits_waits.then(|| format!("{scope} {};", waits.setting())));
    lines.extend(recorded.statements.iter().map(|statement| terminated(statement)));
    lines.push(format!("{record};"));
    lines.extend(is_whole.then(|| "COMMIT;".to_owned()));
    lines.extend((limits_waits && !is_whole).then(|| "RESET lock_timeout;".to_owned()));
    lines.extend(switches_keys.then(|| "PRAGMA foreign_keys = ON;".to_owned()));
    lines
}

/// The statement with a semicolon, on a new line if the last line has a comment.
fn terminated(statement: &str) -> String {
    let statement = statement.trim_end().trim_end_matches(';');
    let last = statement.lines().last().unwrap_or_default();
    format!("{statement}{};", if last.contains("--") { "\n" } else { "" })
}
