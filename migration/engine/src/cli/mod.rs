//! The command line. A failure is printed as one sentence, and has an exit code of its own.
//! Connection strings are never printed: they may contain a password.

mod arguments;
mod check;
mod edit;
mod entity;
mod history;
mod init;
mod offline;
mod output;
mod rebase;
mod revise;
mod stamp;
mod state;
mod target;
mod verify;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;

use self::arguments::{Cli, Command, Running};
pub use self::init::init;
use self::state::State;
use self::target::{Target, close};
use crate::run::{self, Reach};
use crate::{Failure, Project, fresh};

/// Parses the command line and runs the command.
pub async fn run(project: Project) -> ExitCode {
    let cli = Cli::parse();
    let is_history = matches!(cli.command, Some(Command::History { .. } | Command::Show { .. }));
    start_logging(cli.verbose && !is_history, cli.quiet);
    match execute(project, cli).await {
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

async fn execute(mut project: Project, cli: Cli) -> Result<(), Failure> {
    project.migration_dir = cli.migration_dir.unwrap_or(project.migration_dir);
    project.ignore_names |= cli.ignore_names;
    project.exclude.extend(cli.exclude);
    let default = Running { allow_destructive: false, lock_timeout: None, table_lock_timeout: None };
    let command = cli.command.unwrap_or(Command::Up { num: None, running: default });
    let timeout = command.running().map_or(READ_TIMEOUT, |running| running.options(&project, Reach::All).lock_timeout);
    let target = Target { url: cli.database_url, schema: cli.database_schema, timeout };
    let outcome = dispatch(&project, &target, command, cli.verbose).await;
    outcome.map_err(|failure| target.with_lock_holder(&project, failure))
}

async fn dispatch(project: &Project, target: &Target, command: Command, verbose: bool) -> Result<(), Failure> {
    match command {
        Command::Up { num, running } => upgrade(project, target, running, num.map_or(Reach::All, Reach::Steps)).await,
        Command::Down { num, running } => downgrade(project, target, running, Reach::Steps(num)).await,
        Command::Upgrade { revision, offline, running } if offline.sql => {
            offline::upgrade(project, target, &revision, offline.backend, running).await
        }
        Command::Downgrade { revision, offline, running } if offline.sql => {
            offline::downgrade(project, target, &revision, offline.backend, running).await
        }
        Command::Upgrade { revision, running, .. } => upgrade_to(project, target, running, &revision).await,
        Command::Downgrade { revision, running, .. } => downgrade_to(project, target, running, &revision).await,
        Command::Fresh { running } => {
            state::refuse_heads(project)?;
            let db = target.open(project).await?;
            let outcome = fresh::fresh(&db, project, &running.options(project, Reach::All)).await;
            close(db, outcome).await
        }
        Command::Refresh { running } => {
            state::refuse_heads(project)?;
            downgrade(project, target, running, Reach::All).await?;
            upgrade(project, target, running, Reach::All).await
        }
        Command::Reset { running } => downgrade(project, target, running, Reach::All).await,
        Command::Revision { message, autogenerate, dry_run, rev_id } => {
            revise::revision(project, target, &message, autogenerate, dry_run, rev_id.as_deref()).await
        }
        Command::Generate { name, local_time, .. } => revise::generate(project, &name, local_time),
        Command::Rebase { revision } => rebase::rebase(project, target, &revision).await,
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
        Command::Stamp { revision, purge, offline, .. } if offline.sql => {
            offline::stamp(project, target, &revision, purge, offline.backend).await
        }
        Command::Stamp { revision, purge, running, .. } => {
            stamp::stamp(project, target, &revision, purge, running).await
        }
        Command::EnsureVersion { offline, .. } if offline.sql => {
            offline::ensure_version(project, target, offline.backend)
        }
        Command::EnsureVersion { running, .. } => stamp::ensure_version(project, target, running).await,
        Command::Edit { revision } => edit::edit(project, &revision),
        Command::Init { folder, entity_dir } => init(&folder, &entity_dir),
        Command::Verify(format) => verify::verify(project, target, format.json).await,
    }
}

async fn upgrade(project: &Project, target: &Target, running: Running, reach: Reach) -> Result<(), Failure> {
    state::refuse_heads(project)?;
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
        let position = state.resolve(revision)?;
        if position < state.position() {
            return Err(Failure::Usage(format!("{revision} is older than the database; use downgrade")));
        }
        run::upgrade(&db, project, &running.options(project, Reach::First(position))).await
    };
    let outcome = outcome.await;
    close(db, outcome).await
}

async fn downgrade_to(project: &Project, target: &Target, running: Running, revision: &str) -> Result<(), Failure> {
    let db = target.open_existing(project).await?;
    let outcome = async {
        let state = State::of(project, &db).await?;
        let position = state.resolve(revision)?;
        if position > state.position() {
            return Err(Failure::Usage(format!("{revision} is newer than the database; use upgrade")));
        }
        run::downgrade(&db, project, &running.options(project, Reach::First(position))).await
    };
    let outcome = outcome.await;
    close(db, outcome).await
}

/// Time that read-only commands wait for a locked SQLite file.
const READ_TIMEOUT: Duration = Duration::from_secs(5);

/// Starts logging. The log is the output of the program: one plain line per migration.
fn start_logging(verbose: bool, quiet: bool) {
    let filter = match (verbose, quiet) {
        (true, _) => "debug",
        (_, true) => "revisions=warn",
        _ => "revisions=info",
    };
    env_logger::Builder::new()
        .parse_filters(filter)
        // Statements are not output; they go to standard error.
        .target(if verbose { env_logger::Target::Stderr } else { env_logger::Target::Stdout })
        .format(|line, record| writeln!(line, "{}", record.args()))
        .init();
}
