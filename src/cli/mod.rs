//! The commands: `serve` (the default), `create-admin`, `user`, `seed`, `openapi`, `healthcheck`.

mod healthcheck;
mod openapi;
mod password;
mod seed;
mod serve;
mod start;
mod user;

use clap::{Parser, Subcommand};
use start::Outcome;

/// Vaccine registration and identity. Settings come from config/*.toml, CARE4U__SECTION__KEY and DATABASE_URL.
#[derive(Parser)]
#[command(version)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve requests (the default)
    Serve,
    /// Create an account with the role admin; its password is asked for, or read from CARE4U_ADMIN_PASSWORD
    CreateAdmin {
        /// To sign in with
        #[arg(long)]
        email: String,
        /// Full name
        #[arg(long, default_value = "Administrator")]
        name: String,
    },
    /// Change somebody's account
    #[command(subcommand)]
    User(user::UserCommand),
    /// Add the common vaccines to the catalogue; those that it has stay as they are. With --users or --contacts: demo
    /// data too
    Seed(seed::Demo),
    /// Print the OpenAPI document
    Openapi,
    /// Exit 0 when the service on this machine lives (for HEALTHCHECK)
    Healthcheck,
}

/// Runs the command that the arguments name.
///
/// # Errors
/// One sentence for the operator.
pub async fn run(arguments: Arguments) -> Outcome {
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::serve().await,
        Command::CreateAdmin { email, name } => user::create_admin(&email, name).await,
        Command::User(command) => user::change(command).await,
        Command::Seed(demo) => seed::seed(demo).await,
        Command::Openapi => openapi::print_openapi(),
        Command::Healthcheck => healthcheck::healthcheck(),
    }
}
