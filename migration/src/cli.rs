//! The commands of the migration command line and what each of them does.

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use migration::{DEFAULT_URL, Migrator, connection};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseConnection;

#[derive(Parser)]
#[command(name = "migration", version, about = "Brings the schema of a care4u database up or down")]
struct Cli {
    /// The database; care4u's SQLite file when neither this nor the variable is set
    #[arg(short = 'u', long, global = true, env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// PostgreSQL only: the schema to work in
    #[arg(short = 's', long, global = true, env = "DATABASE_SCHEMA", hide_env_values = true)]
    database_schema: Option<String>,
    /// Show the statements that run
    #[arg(short, long, global = true)]
    verbose: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Apply pending migrations (the default)
    Up {
        /// How many; all when absent
        #[arg(short, long)]
        num: Option<u32>,
    },
    /// Revert the latest migrations
    Down {
        /// How many
        #[arg(short, long, default_value_t = 1)]
        num: u32,
    },
    /// List every migration and whether it has been applied; changes nothing
    Status,
    /// Drop all tables, then apply all migrations
    Fresh,
    /// Revert all migrations, then apply them again
    Refresh,
    /// Revert all migrations
    Reset,
    /// Write a new migration file and list it in lib.rs
    Generate {
        /// What the migration does, such as `add_centres`
        name: String,
        /// The crate that the file is added to; found from the workspace when absent
        #[arg(short = 'd', long)]
        migration_dir: Option<PathBuf>,
        /// Name the file by local time instead of UTC
        #[arg(short, long)]
        local_time: bool,
    },
    /// Write the entities of the connected database in SeaORM's dense format
    #[cfg(feature = "codegen")]
    Entity {
        /// The folder to write to
        #[arg(short, long)]
        output_dir: String,
    },
}

/// Reads the command line and carries it out.
pub(crate) async fn run() -> Result<(), Box<dyn Error>> {
    let cli = Cli::parse();
    start_logging(cli.verbose);
    match cli.command {
        Some(Command::Generate { name, migration_dir, local_time }) => {
            return generate(&name, migration_dir, local_time);
        }
        #[cfg(feature = "codegen")]
        Some(Command::Entity { output_dir }) => {
            let url = cli.database_url.ok_or("set DATABASE_URL to a migrated PostgreSQL database")?;
            return generate_entities(url, cli.database_schema, output_dir).await;
        }
        _ => {}
    }
    let command = cli.command.unwrap_or(Command::Up { num: None });
    let (url, schema) = (cli.database_url.as_deref().unwrap_or(DEFAULT_URL), cli.database_schema.as_deref());
    let db = match command {
        Command::Status => connection::connect_existing(url, schema).await,
        _ => migration::connect(url, schema).await,
    };
    let db = db.map_err(|error| format!("cannot reach the database: {error}"))?;
    let outcome = apply(&db, command).await;
    let closed = db.close().await;
    Ok(outcome.and(closed)?)
}

async fn apply(db: &DatabaseConnection, command: Command) -> Result<(), DbErr> {
    match command {
        Command::Status => status(db).await,
        Command::Up { num } => migration::in_turn(db, Migrator::up(db, num)).await,
        Command::Down { num } => migration::in_turn(db, Migrator::down(db, Some(num))).await,
        Command::Fresh => migration::in_turn(db, Migrator::fresh(db)).await,
        Command::Refresh => migration::in_turn(db, Migrator::refresh(db)).await,
        Command::Reset => migration::in_turn(db, Migrator::reset(db)).await,
        Command::Generate { .. } => Ok(()),
        #[cfg(feature = "codegen")]
        Command::Entity { .. } => Ok(()),
    }
}

#[expect(clippy::print_stdout, reason = "this is a command line")]
async fn status(db: &DatabaseConnection) -> Result<(), DbErr> {
    let pending = Migrator::get_pending_migrations_read_only(db).await?;
    for migration in Migrator::get_migration_files() {
        let is_pending = pending.iter().any(|other| other.name() == migration.name());
        println!("{}  {}", if is_pending { "pending" } else { "applied" }, migration.name());
    }
    Ok(())
}

fn generate(name: &str, migration_dir: Option<PathBuf>, local_time: bool) -> Result<(), Box<dyn Error>> {
    // Cargo tells a program it runs where the program's crate is; an installed binary works on the current folder.
    let dir = migration_dir
        .or_else(|| std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from))
        .unwrap_or_else(|| PathBuf::from("."));
    if !dir.join("src/lib.rs").is_file() {
        return Err(
            format!("{} holds no src/lib.rs; name the migration crate with --migration-dir", dir.display()).into()
        );
    }
    sea_orm_cli::run_migrate_generate(&dir.to_string_lossy(), name, !local_time)
}

#[cfg(feature = "codegen")]
async fn generate_entities(url: String, schema: Option<String>, output_dir: String) -> Result<(), Box<dyn Error>> {
    let mut arguments = vec!["sea-orm-cli", "generate", "entity", "--entity-format", "dense", "--database-url", &url];
    arguments.extend(["--output-dir", &output_dir, "--database-schema", schema.as_deref().unwrap_or("public")]);
    let cli = sea_orm_cli::Cli::try_parse_from(arguments)?;
    match cli.command {
        sea_orm_cli::Commands::Generate { command } => sea_orm_cli::run_generate_command(command, cli.verbose).await,
        _ => Ok(()),
    }
}

/// What sea-orm-migration reports is this program's output: plain lines, one for each migration.
fn start_logging(verbose: bool) {
    let filter = if verbose { "debug" } else { "sea_orm_migration=info" };
    env_logger::Builder::new()
        .parse_filters(filter)
        .target(env_logger::Target::Stdout)
        .format(|line, record| writeln!(line, "{}", record.args()))
        .init();
}
