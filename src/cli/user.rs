//! `create-admin` and `user`: accounts, changed by an operator.

use care4u::app;
use care4u::domain::accounts::administration::{self, AccountChanges};
use care4u::domain::accounts::users::{self, NewUser};
use care4u::domain::values::clock::Clock;
use care4u::domain::values::email::Email;
use care4u::domain::values::person::FullName;
use care4u::error::{Error, with_causes};
use clap::Subcommand;
use entity::Role;

use super::password::read_password;
use super::start::{Outcome, start_quietly};

#[derive(Subcommand)]
pub enum UserCommand {
    /// Refuse signing in, and end the sessions
    Disable(Whose),
    /// Allow signing in again
    Enable(Whose),
    /// Give another role, and end the sessions
    Role {
        #[command(flatten)]
        whose: Whose,
        /// patient, staff or admin
        #[arg(value_parser = role)]
        role: Role,
    },
    /// Set another password, end the sessions, and tell the owner by mail; it is asked for, or read from
    /// CARE4U_USER_PASSWORD
    ResetPassword(Whose),
}

#[derive(clap::Args)]
pub struct Whose {
    /// The account's e-mail
    #[arg(long)]
    email: String,
}

fn role(word: &str) -> Result<Role, String> {
    let roles = [Role::Patient, Role::Staff, Role::Admin];
    roles.into_iter().find(|role| role.as_str() == word).ok_or_else(|| "must be patient, staff or admin".to_owned())
}

pub(super) async fn create_admin(email: &str, name: String) -> Outcome {
    let email = address(email)?;
    let name = FullName::parse(&name).map_err(|violation| format!("--name {}", violation.message))?;
    let password = read_password("CARE4U_ADMIN_PASSWORD")?;
    let settings = start_quietly()?;
    let state = app::state(&settings, Clock::default(), 1).await?;
    let new = NewUser { name, email, password, nid: None, phone_number: None, address: None, birth_date: None };
    let admin = users::create(&state.db, &state.auth, new, Role::Admin).await.map_err(|error| with_causes(&error))?;
    state.db.close().await?;
    println!("created the admin {}", admin.id);
    Ok(())
}

pub(super) async fn change(command: UserCommand) -> Outcome {
    let (whose, changes, done) = match command {
        UserCommand::Disable(whose) => {
            (whose, AccountChanges { is_disabled: Some(true), ..AccountChanges::default() }, "disabled")
        }
        UserCommand::Enable(whose) => {
            (whose, AccountChanges { is_disabled: Some(false), ..AccountChanges::default() }, "enabled")
        }
        UserCommand::Role { whose, role } => {
            (whose, AccountChanges { role: Some(role), ..AccountChanges::default() }, "gave another role to")
        }
        UserCommand::ResetPassword(whose) => return reset_password(&whose.email).await,
    };
    let email = address(&whose.email)?;
    let settings = start_quietly()?;
    let state = app::state(&settings, Clock::default(), 1).await?;
    let user = administration::update_as_operator(&state.db, &state.auth, &email, changes).await.map_err(said)?;
    state.db.close().await?;
    println!("{done} the user {}", user.id);
    Ok(())
}

async fn reset_password(email: &str) -> Outcome {
    let email = address(email)?;
    let password = read_password("CARE4U_USER_PASSWORD")?;
    let settings = start_quietly()?;
    let state = app::state(&settings, Clock::default(), 1).await?;
    let user = administration::reset_password(&state.db, &state.auth, &email, password).await.map_err(said)?;
    state.db.close().await?;
    println!("set another password for the user {}", user.id);
    Ok(())
}

fn address(email: &str) -> Result<Email, String> {
    Email::parse(email).map_err(|violation| format!("--email {}", violation.message))
}

fn said(error: Error) -> String {
    match error {
        Error::NotFound => "no user has this e-mail".to_owned(),
        error => with_causes(&error),
    }
}
