//! `create-admin` and `user`: account administration by an operator.

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
    /// Disable an account and end its sessions
    Disable(AccountArg),
    /// Enable a disabled account
    Enable(AccountArg),
    /// Change the role of an account and end its sessions
    Role {
        #[command(flatten)]
        account: AccountArg,
        /// patient, staff or admin
        #[arg(value_parser = parse_role)]
        role: Role,
    },
    /// Set a new password, end the sessions and notify the owner by mail; the password is read from
    /// CARE4U_USER_PASSWORD, or else from a prompt
    ResetPassword(AccountArg),
}

#[derive(clap::Args)]
pub struct AccountArg {
    /// E-mail address of the account
    #[arg(long)]
    email: String,
}

fn parse_role(text: &str) -> Result<Role, String> {
    let roles = [Role::Patient, Role::Staff, Role::Admin];
    roles.into_iter().find(|role| role.as_str() == text).ok_or_else(|| "must be patient, staff or admin".to_owned())
}

pub(super) async fn create_admin(email: &str, name: String) -> Outcome {
    let email = parse_email(email)?;
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
    let (account, changes, done) = match command {
        UserCommand::Disable(account) => {
            (account, AccountChanges { is_disabled: Some(true), ..AccountChanges::default() }, "disabled")
        }
        UserCommand::Enable(account) => {
            (account, AccountChanges { is_disabled: Some(false), ..AccountChanges::default() }, "enabled")
        }
        UserCommand::Role { account, role } => {
            (account, AccountChanges { role: Some(role), ..AccountChanges::default() }, "changed the role of")
        }
        UserCommand::ResetPassword(account) => return reset_password(&account.email).await,
    };
    let email = parse_email(&account.email)?;
    let settings = start_quietly()?;
    let state = app::state(&settings, Clock::default(), 1).await?;
    let user = administration::update_as_operator(&state.db, &state.auth, &email, changes).await.map_err(failure)?;
    state.db.close().await?;
    println!("{done} the user {}", user.id);
    Ok(())
}

async fn reset_password(email: &str) -> Outcome {
    let email = parse_email(email)?;
    let password = read_password("CARE4U_USER_PASSWORD")?;
    let settings = start_quietly()?;
    let state = app::state(&settings, Clock::default(), 1).await?;
    let user = administration::reset_password(&state.db, &state.auth, &email, password).await.map_err(failure)?;
    state.db.close().await?;
    println!("set a new password for the user {}", user.id);
    Ok(())
}

fn parse_email(email: &str) -> Result<Email, String> {
    Email::parse(email).map_err(|violation| format!("--email {}", violation.message))
}

fn failure(error: Error) -> String {
    match error {
        Error::NotFound => "no user has this e-mail".to_owned(),
        error => with_causes(&error),
    }
}
