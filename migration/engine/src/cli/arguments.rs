//! Command-line arguments.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::run::Reach;
use crate::{Options, Project};

#[derive(Debug, Parser)]
#[command(name = "migration", version, about = "Applies, reverts, shows, checks and generates database migrations")]
pub(super) struct Cli {
    /// URL of the database; default: that of the project
    #[arg(short = 'u', long, global = true, env = "DATABASE_URL", hide_env_values = true)]
    pub(super) database_url: Option<String>,
    /// PostgreSQL only: the schema to use
    #[arg(short = 's', long, global = true, env = "DATABASE_SCHEMA", hide_env_values = true)]
    pub(super) database_schema: Option<String>,
    /// Folder of the migration crate; default: that of the package with `cargo run`, otherwise
    /// `migration`
    #[arg(short = 'd', long, global = true, value_name = "FOLDER")]
    pub(super) migration_dir: Option<PathBuf>,
    /// Do not compare the names of keys, indexes and CHECKs
    #[arg(long, global = true)]
    pub(super) ignore_names: bool,
    /// A table that is not the project's; with `*` at the end, all that begin so; can be repeated
    #[arg(long, global = true, value_name = "TABLE")]
    pub(super) exclude: Vec<String>,
    /// Print the executed statements to standard error; with `history` and `current`, more details
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
    /// Print errors and warnings, and what a command is asked to show, but no progress
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Apply pending migrations (the default command)
    Up {
        /// Number of migrations; default: all
        #[arg(short, long)]
        num: Option<usize>,
        #[command(flatten)]
        running: Running,
    },
    /// Apply migrations up to a revision: `head`, `+N`, a name or a prefix of it
    Upgrade {
        /// The revision; with --sql also a range FROM:TO
        #[arg(default_value = "head", allow_hyphen_values = true)]
        revision: String,
        #[command(flatten)]
        offline: Offline,
        #[command(flatten)]
        running: Running,
    },
    /// Revert the latest migrations
    Down {
        /// Number of migrations
        #[arg(short, long, default_value_t = 1)]
        num: usize,
        #[command(flatten)]
        running: Running,
    },
    /// Revert migrations down to a revision, which stays applied: `base`, `-N`, a name or a prefix
    /// of it
    Downgrade {
        /// The revision; with --sql also a range FROM:TO
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
    /// Create a migration and add it to lib.rs
    Revision {
        /// What the migration does; its name is made from it
        #[arg(short, long)]
        message: String,
        /// Generate the statements from the differences between the entities and the database
        #[arg(long)]
        autogenerate: bool,
        /// Print the migration instead of writing it
        #[arg(long)]
        dry_run: bool,
        /// Name of the migration, such as `m20261128_120000_add_centres`; default: the time and the
        /// message
        #[arg(long, value_name = "NAME")]
        rev_id: Option<String>,
    },
    /// Create an empty migration and add it to lib.rs
    Generate {
        /// Name of the migration, such as `add_centres`
        name: String,
        /// Use local time instead of UTC in the file name
        #[arg(short, long)]
        local_time: bool,
        /// Use UTC in the file name (the default)
        #[arg(long, conflicts_with = "local_time", hide = true)]
        universal_time: bool,
    },
    /// Put a migration, and those that follow it, at the end of the history, with new names and
    /// parents: after a merge of two branches that have added migrations
    Rebase {
        /// The first migration that is moved: a name or a prefix of it
        revision: String,
    },
    /// Fail if the entities and the database differ, or the history has errors
    Check(Format),
    /// Print the differences between the entities and the database
    Diff(Format),
    /// List all migrations with their status
    Status(Format),
    /// List the revisions, latest first
    History {
        /// Only revisions from FROM to TO, both included; each may be missing. They are written as in
        /// `upgrade`, and relative ones count from the revision of the database
        #[arg(short, long, value_name = "FROM:TO", allow_hyphen_values = true)]
        rev_range: Option<String>,
        /// Mark the current revision of the database
        #[arg(short, long)]
        indicate_current: bool,
        #[command(flatten)]
        format: Format,
    },
    /// Show all details of a revision
    Show {
        #[arg(allow_hyphen_values = true)]
        revision: String,
        #[command(flatten)]
        format: Format,
    },
    /// Show the current revision of the database
    Current {
        /// Fail if it is not the head
        #[arg(long)]
        check_heads: bool,
        #[command(flatten)]
        format: Format,
    },
    /// Show the latest revision
    Heads(Format),
    /// Record a revision as current without running migrations
    Stamp {
        #[arg(allow_hyphen_values = true)]
        revision: String,
        /// Delete all other records, even of unknown migrations
        #[arg(long)]
        purge: bool,
        #[command(flatten)]
        offline: Offline,
        #[command(flatten)]
        running: Running,
    },
    /// Create the table of the history, if it is missing, and nothing else
    #[command(name = "ensure_version", alias = "ensure-version")]
    EnsureVersion {
        #[command(flatten)]
        offline: Offline,
        #[command(flatten)]
        running: Running,
    },
    /// Open the file of a revision in the editor of $VISUAL or $EDITOR
    Edit {
        #[arg(allow_hyphen_values = true)]
        revision: String,
    },
    /// Create the migration crate of a project that has entities
    Init {
        /// Folder of the new crate
        #[arg(default_value = "migration")]
        folder: PathBuf,
        /// Folder of the entity crate
        #[arg(long, value_name = "FOLDER", default_value = "entity")]
        entity_dir: PathBuf,
    },
    /// Update the sources of the entities from the database
    Entity {
        /// Folder of the entity crate; default: beside the migration crate with `cargo run`,
        /// otherwise `entity`
        #[arg(long, value_name = "FOLDER")]
        entity_dir: Option<PathBuf>,
        /// Print the sources instead of writing them
        #[arg(long)]
        dry_run: bool,
    },
    /// On a scratch database, run each migration up, down and up again, and compare the schema
    /// after each step
    Verify(Format),
}

/// Options of commands that execute statements.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Running {
    /// Allow the loss of data outside of development
    #[arg(long)]
    pub(super) allow_destructive: bool,
    /// Time to wait for another process that migrates, and for all attempts to lock a table; on
    /// SQLite, for any program that holds the lock of the file
    #[arg(long, value_name = "SECONDS", env = "MIGRATION_LOCK_TIMEOUT", value_parser = seconds)]
    pub(super) lock_timeout: Option<Duration>,
    /// PostgreSQL only: time to wait for the lock of a table at a time; all others wait for the
    /// table meanwhile
    #[arg(long, value_name = "SECONDS", env = "MIGRATION_TABLE_LOCK_TIMEOUT", value_parser = seconds)]
    pub(super) table_lock_timeout: Option<Duration>,
}

#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Offline {
    /// Print the SQL instead of executing it; needs no database
    #[arg(long)]
    pub(super) sql: bool,
    /// With --sql: the type of the database, if it does not follow from the URL
    #[arg(long, value_enum)]
    pub(super) backend: Option<Backend>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Backend {
    Sqlite,
    Postgres,
}

#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Format {
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

impl Command {
    /// The options for execution, if the command executes statements.
    pub(super) fn running(&self) -> Option<Running> {
        match self {
            Self::Up { running, .. }
            | Self::Upgrade { running, .. }
            | Self::Down { running, .. }
            | Self::Downgrade { running, .. }
            | Self::Fresh { running }
            | Self::Refresh { running }
            | Self::Reset { running }
            | Self::EnsureVersion { running, .. }
            | Self::Stamp { running, .. } => Some(*running),
            _ => None,
        }
    }
}

impl Running {
    pub(super) fn options(self, project: &Project, reach: Reach) -> Options {
        let mut options = project.options();
        options.reach = reach;
        options.allow_destructive |= self.allow_destructive;
        options.lock_timeout = self.lock_timeout.unwrap_or(options.lock_timeout);
        options.table_lock_timeout = self.table_lock_timeout.unwrap_or(options.table_lock_timeout);
        options
    }
}

/// Parses a number of seconds, at most a day; larger numbers would overflow the timeouts of the
/// databases.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| (0.0..=86_400.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "it must be a number of seconds, at most 86400".into())
}
