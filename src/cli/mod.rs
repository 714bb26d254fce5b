//! The commands: `serve` (the default), `create-admin`, `user`, `seed`, `openapi`, `completions`,
//! `healthcheck`.

mod healthcheck;
mod openapi;
mod password;
mod seed;
mod serve;
mod start;
mod user;

use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;
use start::Outcome;

/// Vaccine registration and identity. Settings are read from config/*.toml, CARE4U__SECTION__KEY and DATABASE_URL.
#[derive(Parser)]
#[command(version)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server (default)
    Serve,
    /// Create an admin account; the password is read from CARE4U_ADMIN_PASSWORD, or else from a prompt
    CreateAdmin {
        /// E-mail address for the log-in
        #[arg(long)]
        email: String,
        /// Full name
        #[arg(long, default_value = "Administrator")]
        name: String,
    },
    /// Manage an account
    #[command(subcommand)]
    User(user::UserCommand),
    /// Add the common vaccines that the catalogue does not have yet; with --users or --contacts, also add demo data
    Seed(seed::Demo),
    /// Print the OpenAPI document
    Openapi,
    /// Print a script for the completion of commands and options by a shell
    Completions {
        /// Shell
        shell: Shell,
    },
    /// Exit with 0 if the service on this machine is alive (for HEALTHCHECK)
    Healthcheck,
}

/// Runs the command that the arguments name.
///
/// # Errors
/// One sentence for the operator.
pub async fn run(arguments: Arguments) -> Outcome {
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::serve().await,
        Command::CreateAdmin { email, name } => user::create_admin(&email, &name).await,
        Command::User(command) => user::run(command).await,
        Command::Seed(demo) => seed::seed(demo).await,
        Command::Openapi => openapi::print_openapi(),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Arguments::command(), "care4u", &mut std::io::stdout());
            Ok(())
        }
        Command::Healthcheck => healthcheck::healthcheck(),
    }
}
