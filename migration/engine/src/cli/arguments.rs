//! What can be said on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use super::offline;
use crate::run::Reach;
use crate::{Options, Project};

#[derive(Debug, Parser)]
#[command(
    name = "migration",
    version,
    about = "Brings the schema of a database up or down, shows it, checks it, and writes migrations"
)]
pub(super) struct Cli {
    /// The database; the project's own default when neither this nor the variable is set
    #[arg(short = 'u', long, global = true, env = "DATABASE_URL", hide_env_values = true)]
    pub(super) database_url: Option<String>,
    /// PostgreSQL only: the schema to work in
    #[arg(short = 's', long, global = true, env = "DATABASE_SCHEMA", hide_env_values = true)]
    pub(super) database_schema: Option<String>,
    /// The crate of the migrations, when it is not where this program was built
    #[arg(short = 'd', long, global = true, value_name = "FOLDER")]
    pub(super) migration_dir: Option<PathBuf>,
    /// Show the statements that run; of a history, show all that is known
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
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
        /// Name the file by UTC, as goes without saying
        #[arg(long, conflicts_with = "local_time", hide = true)]
        universal_time: bool,
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
    /// Bring the sources of the entities to what the database is; what agrees is left as it is
    Entity {
        /// The crate of the entities, when it is not beside that of the migrations
        #[arg(long, value_name = "FOLDER")]
        entity_dir: Option<PathBuf>,
        /// Print it instead of writing it
        #[arg(long)]
        dry_run: bool,
    },
    /// On a scratch database: every migration up, down and up again, with the schema compared after each step
    Verify(Format),
}

/// How statements are run.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Running {
    /// Agree to the loss of data outside of development
    #[arg(long)]
    pub(super) allow_destructive: bool,
    /// How long to wait for another migrator
    #[arg(long, value_name = "SECONDS", env = "MIGRATION_LOCK_TIMEOUT", value_parser = seconds)]
    pub(super) lock_timeout: Option<Duration>,
}

#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Offline {
    /// Print the SQL instead of running it; no database is needed
    #[arg(long)]
    pub(super) sql: bool,
    /// For --sql: the kind of database, when the URL does not tell
    #[arg(long, value_enum)]
    pub(super) backend: Option<offline::Backend>,
}

#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Format {
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

impl Command {
    /// How its statements are run, if it runs any.
    pub(super) fn running(&self) -> Option<Running> {
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

impl Running {
    pub(super) fn options(self, project: &Project, reach: Reach) -> Options {
        let mut options = project.options();
        options.reach = reach;
        options.allow_destructive |= self.allow_destructive;
        options.lock_timeout = self.lock_timeout.unwrap_or(options.lock_timeout);
        options
    }
}

/// A day is more than anybody waits, and what the databases can count.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| (0.0..=86_400.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "it must be a number of seconds, at most 86400".into())
}
