//! The command line. An error is one printed sentence and an exit code of its own. Database URLs, which may contain a
//! password, are never printed.

mod arguments;
mod check;
mod entity;
mod history;
mod offline;
mod output;
mod revise;
mod stamp;
mod state;
mod verify;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use sea_orm::DatabaseConnection;

use self::arguments::{Cli, Command, Running};
use self::state::State;
use crate::run::{self, Reach};
use crate::{Failure, Project, connection, failure, fresh, lock};

/// Parses the command line and runs the command.
pub async fn run(project: Project) -> ExitCode {
    let cli = Cli::parse();
    let is_history = matches!(cli.command, Some(Command::History { .. } | Command::Show { .. }));
    start_logging(cli.verbose && !is_history);
    match carry_out(project, cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Differences) => ExitCode::from(Failure::Differences.exit_code()),
        Err(failure) => {
            #[expect(clippy::print_stderr, reason = "this is a command line")]
            {
                eprintln!("migration: {failure}");
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

async fn carry_out(mut project: Project, cli: Cli) -> Result<(), Failure> {
    project.migration_dir = cli.migration_dir.unwrap_or(project.migration_dir);
    let default = Running { allow_destructive: false, lock_timeout: None };
    let command = cli.command.unwrap_or(Command::Up { num: None, running: default });
    let timeout = command.running().map_or(READING, |running| running.options(&project, Reach::All).lock_timeout);
    let target = Target { url: cli.database_url, schema: cli.database_schema, timeout };
    let outcome = dispatch(&project, &target, command, cli.verbose).await;
    outcome.map_err(|failure| target.explained(&project, failure))
}

async fn dispatch(project: &Project, target: &Target, command: Command, verbose: bool) -> Result<(), Failure> {
    match command {
        Command::Up { num, running } => upgrade(project, target, running, num.map_or(Reach::All, Reach::Steps)).await,
        Command::Down { num, running } => downgrade(project, target, running, Reach::Steps(num)).await,
        Command::Upgrade { revision, offline, .. } if offline.sql => {
            offline::upgrade(project, target, &revision, offline.backend).await
        }
        Command::Downgrade { revision, offline, .. } if offline.sql => {
            offline::downgrade(project, target, &revision, offline.backend).await
        }
        Command::Upgrade { revision, running, .. } => upgrade_to(project, target, running, &revision).await,
        Command::Downgrade { revision, running, .. } => downgrade_to(project, target, running, &revision).await,
        Command::Fresh { running } => {
            let db = target.open(project).await?;
            let outcome = fresh::fresh(&db, project, &running.options(project, Reach::All)).await;
            close(db, outcome).await
        }
        Command::Refresh { running } => {
            downgrade(project, target, running, Reach::All).await?;
            upgrade(project, target, running, Reach::All).await
        }
        Command::Reset { running } => downgrade(project, target, running, Reach::All).await,
        Command::Revision { message, autogenerate, dry_run } => {
            revise::revision(project, target, &message, autogenerate, dry_run).await
        }
        Command::Generate { name, local_time, .. } => revise::generate(project, &name, local_time),
        Command::Entity { entity_dir, dry_run } => {
            let entity_dir = entity_dir.unwrap_or_else(|| project.entity_dir.clone());
            entity::entity(&entity_dir, target, project, dry_run).await
        }
        Command::Check(format) => check::check(project, target, format.json).await,
        Command::Diff(format) => check::diff(project, target, format.json).await,
        Command::Status(format) => history::status(&State::read(project, target).await?, format.json),
        Command::History { rev_range, indicate_current, format } => {
            history::history(project, target, rev_range.as_deref(), indicate_current, verbose, format.json).await
        }
        Command::Show { revision, format } => history::show(project, target, &revision, format.json).await,
        Command::Current { check_heads, format } => {
            history::current(&State::read(project, target).await?, check_heads, verbose, format.json)
        }
        Command::Heads(format) => history::heads(project, format.json),
        Command::Stamp { revision, purge, running } => stamp::stamp(project, target, &revision, purge, running).await,
        Command::Verify(format) => verify::verify(project, target, format.json).await,
    }
}

async fn upgrade(project: &Project, target: &Target, running: Running, reach: Reach) -> Result<(), Failure> {
    let db = target.open(project).await?;
    let outcome = run::upgrade(&db, project, &running.options(project, reach)).await;
    close(db, outcome).await
}

async fn downgrade(project: &Project, target: &Target, running: Running, reach: Reach) -> Result<(), Failure> {
    let db = target.open_existing(project).await?;
    let outcome = run::downgrade(&db, project, &running.options(project, reach)).await;
    close(db, outcome).await
}

async fn upgrade_to(project: &Project, target: &Target, running: Running, revision: &str) -> Result<(), Failure> {
    let db = target.open(project).await?;
    let outcome = async {
        let state = State::of(project, &db).await?;
        state.refuse_several_heads(project)?;
        let place = state.resolve(revision)?;
        if place < state.place() {
            return Err(Failure::Usage(format!("{revision} lies behind the database; use downgrade")));
        }
        run::upgrade(&db, project, &running.options(project, Reach::First(place))).await
    };
    let outcome = outcome.await;
    close(db, outcome).await
}

async fn downgrade_to(project: &Project, target: &Target, running: Running, revision: &str) -> Result<(), Failure> {
    let db = target.open_existing(project).await?;
    let outcome = async {
        let state = State::of(project, &db).await?;
        let place = state.resolve(revision)?;
        if place > state.place() {
            return Err(Failure::Usage(format!("{revision} lies ahead of the database; use upgrade")));
        }
        run::downgrade(&db, project, &running.options(project, Reach::First(place))).await
    };
    let outcome = outcome.await;
    close(db, outcome).await
}

async fn close<T>(db: DatabaseConnection, outcome: Result<T, Failure>) -> Result<T, Failure> {
    let closed = db.close().await;
    let value = outcome?;
    closed?;
    Ok(value)
}

/// Timeout of reading an SQLite file that is locked.
const READING: Duration = Duration::from_secs(5);

/// The database.
struct Target {
    url: Option<String>,
    schema: Option<String>,
    /// Timeout of waiting for its lock.
    timeout: Duration,
}

impl Target {
    fn url<'a>(&'a self, project: &'a Project) -> Result<&'a str, Failure> {
        let url = self.url.as_deref().or(project.default_url);
        url.ok_or_else(|| Failure::NoConnection("neither --database-url nor DATABASE_URL says where it is".into()))
    }

    /// Opens the database for writing. A missing SQLite file is created.
    async fn open(&self, project: &Project) -> Result<DatabaseConnection, Failure> {
        let url = self.url(project)?;
        connection::create_sqlite_folder(url).map_err(|error| Failure::NoConnection(error.to_string()))?;
        let opened = connection::open(url, self.schema.as_deref(), true, self.timeout).await;
        opened.map_err(failure::no_connection)
    }

    /// Opens the database for reading.
    async fn open_existing(&self, project: &Project) -> Result<DatabaseConnection, Failure> {
        let opened = connection::open(self.url(project)?, self.schema.as_deref(), false, self.timeout).await;
        opened.map_err(failure::no_connection)
    }

    /// The failure to read a locked file, with the process that holds the lock.
    fn explained(&self, project: &Project, failure: Failure) -> Failure {
        let file = self.url(project).ok().and_then(connection::sqlite_file);
        match (&failure, file) {
            (Failure::Locked(why), Some(file)) if !why.contains("waited for") => lock::held(file, self.timeout),
            _ => failure,
        }
    }
}

/// The log is the output of this program: one plain line per migration.
fn start_logging(verbose: bool) {
    let filter = if verbose { "debug" } else { "revisions=info" };
    env_logger::Builder::new()
        .parse_filters(filter)
        // SQL statements go to standard error.
        .target(if verbose { env_logger::Target::Stderr } else { env_logger::Target::Stdout })
        .format(|line, record| writeln!(line, "{}", record.args()))
        .init();
}
