//! The command line. A failure is one printed sentence and an exit code of its own; a connection string, which may hold
//! a password, is never shown.

mod check;
mod history;
mod offline;
mod output;
mod revise;
mod stamp;
mod state;
mod verify;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use sea_orm::DatabaseConnection;

use self::state::State;
use crate::run::{self, Reach};
use crate::{Failure, Project, connection, failure, lock};

#[derive(Debug, Parser)]
#[command(
    name = "migration",
    version,
    about = "Brings the schema of a database up or down, shows it, checks it, and writes migrations"
)]
struct Cli {
    /// The database; the project's own default when neither this nor the variable is set
    #[arg(short = 'u', long, global = true, env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// PostgreSQL only: the schema to work in
    #[arg(short = 's', long, global = true, env = "DATABASE_SCHEMA", hide_env_values = true)]
    database_schema: Option<String>,
    /// The crate of the migrations, when it is not where this program was built
    #[arg(short = 'd', long, global = true, value_name = "FOLDER")]
    migration_dir: Option<PathBuf>,
    /// Show the statements that run; of a history, show all that is known
    #[arg(short, long, global = true)]
    verbose: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Apply pending migrations (the default)
    Up {
        /// How many; all when absent
        #[arg(short, long)]
        num: Option<usize>,
        #[command(flatten)]
        running: Running,
    },
    /// Apply migrations up to a revision: `head`, `+N`, a name or the beginning of one
    Upgrade {
        /// With --sql also a range FROM:TO
        #[arg(default_value = "head", allow_hyphen_values = true)]
        revision: String,
        #[command(flatten)]
        offline: Offline,
        #[command(flatten)]
        running: Running,
    },
    /// Revert the latest migrations
    Down {
        /// How many
        #[arg(short, long, default_value_t = 1)]
        num: usize,
        #[command(flatten)]
        running: Running,
    },
    /// Revert migrations down to a revision, which stays: `base`, `-N`, a name or the beginning of one
    Downgrade {
        /// With --sql also a range FROM:TO
        #[arg(allow_hyphen_values = true)]
        revision: String,
        #[command(flatten)]
        offline: Offline,
        #[command(flatten)]
        running: Running,
    },
    /// Drop all tables, then apply all migrations
    Fresh {
        #[command(flatten)]
        running: Running,
    },
    /// Revert all migrations, then apply them again
    Refresh {
        #[command(flatten)]
        running: Running,
    },
    /// Revert all migrations
    Reset {
        #[command(flatten)]
        running: Running,
    },
    /// Write a new migration and list it in lib.rs
    Revision {
        /// What it does; makes its name
        #[arg(short, long)]
        message: String,
        /// Fill it with what the entities have and the database has not, and the other way round
        #[arg(long)]
        autogenerate: bool,
        /// Print it instead of writing it
        #[arg(long)]
        dry_run: bool,
    },
    /// Write a new, empty migration and list it in lib.rs
    Generate {
        /// What the migration does, such as `add_centres`
        name: String,
        /// Name the file by local time instead of UTC
        #[arg(short, long)]
        local_time: bool,
    },
    /// Fail when entities and database disagree, or when the history is not in order
    Check(Format),
    /// Show what the entities have and the database has not, and the other way round
    Diff(Format),
    /// List every migration and whether it has been applied
    Status(Format),
    /// List the revisions, latest first
    History {
        /// Only those behind FROM and up to TO
        #[arg(short, long, value_name = "FROM:TO", allow_hyphen_values = true)]
        rev_range: Option<String>,
        /// Mark where the database is
        #[arg(short, long)]
        indicate_current: bool,
        #[command(flatten)]
        format: Format,
    },
    /// Show all that is known of a revision
    Show {
        #[arg(allow_hyphen_values = true)]
        revision: String,
        #[command(flatten)]
        format: Format,
    },
    /// Show the revision of the database
    Current {
        /// Fail when it is not the head
        #[arg(long)]
        check_heads: bool,
        #[command(flatten)]
        format: Format,
    },
    /// Show the latest revision
    Heads(Format),
    /// Record a revision as the database's, without running anything
    Stamp {
        #[arg(allow_hyphen_values = true)]
        revision: String,
        /// Forget everything else that is recorded, even what is not known here
        #[arg(long)]
        purge: bool,
        #[command(flatten)]
        running: Running,
    },
    /// On a scratch database: every migration up, down and up again, with the schema compared after each step
    Verify(Format),
}

/// How statements are run.
#[derive(Clone, Copy, Debug, Args)]
struct Running {
    /// Agree to the loss of data outside of development
    #[arg(long)]
    allow_destructive: bool,
    /// How long to wait for another migrator
    #[arg(long, value_name = "SECONDS", env = "MIGRATION_LOCK_TIMEOUT")]
    lock_timeout: Option<f32>,
}

#[derive(Clone, Copy, Debug, Args)]
struct Offline {
    /// Print the SQL instead of running it; no database is needed
    #[arg(long)]
    sql: bool,
    /// For --sql: the kind of database, when the URL does not tell
    #[arg(long, value_enum)]
    backend: Option<offline::Backend>,
}

#[derive(Clone, Copy, Debug, Args)]
struct Format {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Reads the command line and carries it out.
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
    let patience = command.running().map_or(READING, |running| running.options(&project, Reach::All).lock_timeout);
    let target = Target { url: cli.database_url, schema: cli.database_schema, patience };
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
            let outcome = run::fresh(&db, project, &running.options(project, Reach::All)).await;
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
        Command::Generate { name, local_time } => revise::generate(project, &name, local_time),
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
    let db = target.open(project).await?;
    let outcome = run::downgrade(&db, project, &running.options(project, reach)).await;
    close(db, outcome).await
}

async fn upgrade_to(project: &Project, target: &Target, running: Running, revision: &str) -> Result<(), Failure> {
    let db = target.open(project).await?;
    let outcome = async {
        let state = State::of(project, &db).await?;
        state.refuse_several_heads(project)?;
        let place = state.resolve(revision)?;
        run::upgrade(&db, project, &running.options(project, Reach::First(place))).await
    };
    let outcome = outcome.await;
    close(db, outcome).await
}

async fn downgrade_to(project: &Project, target: &Target, running: Running, revision: &str) -> Result<(), Failure> {
    let db = target.open(project).await?;
    let outcome = async {
        let place = State::of(project, &db).await?.resolve(revision)?;
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

impl Running {
    fn options(self, project: &Project, reach: Reach) -> crate::Options {
        let mut options = project.options();
        options.reach = reach;
        options.allow_destructive |= self.allow_destructive;
        if let Some(timeout) = self.lock_timeout.and_then(|seconds| Duration::try_from_secs_f32(seconds).ok()) {
            options.lock_timeout = timeout;
        }
        options
    }
}

/// How long reading waits for an SQLite file that is being written to.
const READING: Duration = Duration::from_secs(5);

impl Command {
    fn running(&self) -> Option<Running> {
        match self {
            Self::Up { running, .. }
            | Self::Upgrade { running, .. }
            | Self::Down { running, .. }
            | Self::Downgrade { running, .. }
            | Self::Fresh { running }
            | Self::Refresh { running }
            | Self::Reset { running }
            | Self::Stamp { running, .. } => Some(*running),
            _ => None,
        }
    }
}

/// Which database.
struct Target {
    url: Option<String>,
    schema: Option<String>,
    /// How long to wait for whoever holds it.
    patience: Duration,
}

impl Target {
    fn url<'a>(&'a self, project: &'a Project) -> Result<&'a str, Failure> {
        let url = self.url.as_deref().or(project.default_url);
        url.ok_or_else(|| Failure::NoConnection("neither --database-url nor DATABASE_URL says where it is".into()))
    }

    /// For changing; a missing SQLite file is made.
    async fn open(&self, project: &Project) -> Result<DatabaseConnection, Failure> {
        let url = self.url(project)?;
        connection::create_sqlite_folder(url).map_err(|error| Failure::NoConnection(error.to_string()))?;
        let opened = connection::open(url, self.schema.as_deref(), true, self.patience).await;
        opened.map_err(failure::no_connection)
    }

    /// For reading.
    async fn open_existing(&self, project: &Project) -> Result<DatabaseConnection, Failure> {
        let opened = connection::open(self.url(project)?, self.schema.as_deref(), false, self.patience).await;
        opened.map_err(failure::no_connection)
    }

    /// A file that could not be read for a lock, with the name of whoever holds it.
    fn explained(&self, project: &Project, failure: Failure) -> Failure {
        let file = self.url(project).ok().and_then(connection::sqlite_file);
        match (&failure, file) {
            (Failure::Locked(why), Some(file)) if !why.contains("waited for") => lock::held(file, self.patience),
            _ => failure,
        }
    }
}

/// What happens is this program's output: plain lines, one for each migration.
fn start_logging(verbose: bool) {
    let filter = if verbose { "debug" } else { "revisions=info" };
    env_logger::Builder::new()
        .parse_filters(filter)
        .target(env_logger::Target::Stdout)
        .format(|line, record| writeln!(line, "{}", record.args()))
        .init();
}
