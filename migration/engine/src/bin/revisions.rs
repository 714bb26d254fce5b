//! `revisions init`: makes the migration crate of a project. All other commands are those of that crate's own program.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "revisions", version, about = "Makes the migration crate of a SeaORM project")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create the migration crate of a project that has entities
    Init {
        /// Folder of the new crate
        #[arg(default_value = "migration")]
        folder: PathBuf,
        /// Folder of the entity crate
        #[arg(long, value_name = "FOLDER", default_value = "entity")]
        entity_dir: PathBuf,
    },
}

fn main() -> ExitCode {
    let Command::Init { folder, entity_dir } = Cli::parse().command;
    match revisions::init(&folder, &entity_dir) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            #[expect(clippy::print_stderr, reason = "this is a command line")]
            {
                eprintln!("revisions: {failure}");
            }
            ExitCode::from(failure.exit_code())
        }
    }
}
