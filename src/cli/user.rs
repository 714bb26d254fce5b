//! `create-admin` and `user`: account administration by an operator.

use std::io::Write as _;
use std::pin::pin;

use care4u::domain::accounts::administration::{self, AccountChanges, Administrator};
use care4u::domain::accounts::registration::{self, NewUser};
use care4u::domain::auth::password::Password;
use care4u::domain::personal_data;
use care4u::domain::values::clock::Clock;
use care4u::domain::values::email::Email;
use care4u::domain::values::page::Page;
use care4u::domain::values::person::FullName;
use care4u::error::{Error, with_causes};
use care4u::state::AppState;
use care4u::{api, app};
use clap::Subcommand;
use entity::{Role, users as users_table};
use futures_util::StreamExt as _;
use uuid::Uuid;

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
    /// Create an account, whose address counts as verified; the password is read from CARE4U_USER_PASSWORD, or else from a
    /// prompt
    Create {
        #[command(flatten)]
        account: AccountArg,
        /// Full name
        #[arg(long)]
        name: String,
        /// patient, staff or admin
        #[arg(long, value_parser = parse_role, default_value = "patient")]
        role: Role,
    },
    /// Set the e-mail address of someone who has lost access, end the sessions and void the password; the owner sets a new
    /// one with "forgot password"
    SetEmail {
        #[command(flatten)]
        account: AccountArg,
        /// New e-mail address
        #[arg(long)]
        to: String,
    },
    /// List the active sessions of an account
    Sessions(AccountArg),
    /// End the sessions of an account, or only one of them
    EndSessions {
        #[command(flatten)]
        account: AccountArg,
        /// Id of a session
        #[arg(long)]
        session: Option<Uuid>,
    },
    /// Print the personal data of an account as JSON
    Export(AccountArg),
    /// Delete an account and erase its personal data; this cannot be undone
    Erase {
        #[command(flatten)]
        account: AccountArg,
        /// Confirm it
        #[arg(long)]
        yes: bool,
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

pub(super) async fn create_admin(email: &str, name: &str) -> Outcome {
    let password = read_password("CARE4U_ADMIN_PASSWORD")?;
    let admin = create_account(email, name, password, Role::Admin).await?;
    println!("created the admin {}", admin.id);
    Ok(())
}

pub(super) async fn run(command: UserCommand) -> Outcome {
    let disabled = |is_disabled| AccountChanges { is_disabled: Some(is_disabled), ..AccountChanges::default() };
    match command {
        UserCommand::Disable(account) => change(&account, disabled(true), "disabled").await,
        UserCommand::Enable(account) => change(&account, disabled(false), "enabled").await,
        UserCommand::Role { account, role } => {
            let changes = AccountChanges { role: Some(role), ..AccountChanges::default() };
            change(&account, changes, "changed the role of").await
        }
        UserCommand::ResetPassword(account) => reset_password(&account).await,
        UserCommand::Create { account, name, role } => create(&account, &name, role).await,
        UserCommand::SetEmail { account, to } => set_email(&account, &to).await,
        UserCommand::Sessions(account) => list_sessions(&account).await,
        UserCommand::EndSessions { account, session } => end_sessions(&account, session).await,
        UserCommand::Export(account) => export(&account).await,
        UserCommand::Erase { account, yes } => erase(&account, yes).await,
    }
}

/// The application state, and the account of a command.
async fn open(account: &AccountArg) -> Result<(AppState, users_table::Model), Box<dyn std::error::Error>> {
    let email = parse_email(&account.email)?;
    let state = app::state(&start_quietly()?, Clock::default(), 1).await?;
    let user = administration::find(&state.db, &email).await.map_err(failure)?;
    Ok((state, user))
}

async fn change(account: &AccountArg, changes: AccountChanges, done: &str) -> Outcome {
    let email = parse_email(&account.email)?;
    let state = app::state(&start_quietly()?, Clock::default(), 1).await?;
    let id = administration::find(&state.db, &email).await.map_err(failure)?.id;
    let by = Administrator::operator();
    let user = administration::update(&state.db, &state.auth, &by, id, changes).await.map_err(failure)?;
    state.db.close().await?;
    println!("{done} the user {}", user.id);
    Ok(())
}

async fn reset_password(account: &AccountArg) -> Outcome {
    let email = parse_email(&account.email)?;
    let password = read_password("CARE4U_USER_PASSWORD")?;
    let state = app::state(&start_quietly()?, Clock::default(), 1).await?;
    let user = administration::reset_password(&state.db, &state.auth, &email, password).await.map_err(failure)?;
    state.db.close().await?;
    println!("set a new password for the user {}", user.id);
    Ok(())
}

async fn create(account: &AccountArg, name: &str, role: Role) -> Outcome {
    let password = read_password("CARE4U_USER_PASSWORD")?;
    let user = create_account(&account.email, name, password, role).await?;
    println!("created the user {}", user.id);
    Ok(())
}

async fn create_account(
    email: &str,
    name: &str,
    password: Password,
    role: Role,
) -> Result<users_table::Model, Box<dyn std::error::Error>> {
    let email = parse_email(email)?;
    let name = FullName::parse(name).map_err(|violation| format!("--name {}", violation.message))?;
    let state = app::state(&start_quietly()?, Clock::default(), 1).await?;
    let new = NewUser { name, email, password, nid: None, phone_number: None, address: None, birth_date: None };
    let user = registration::create(&state.db, &state.auth, new, role).await.map_err(failure)?;
    state.db.close().await?;
    Ok(user)
}

async fn set_email(account: &AccountArg, to: &str) -> Outcome {
    let to = Email::parse(to).map_err(|violation| format!("--to {}", violation.message))?;
    let (state, user) = open(account).await?;
    let by = Administrator::operator();
    administration::set_email(&state.db, &state.auth, &by, user.id, &to).await.map_err(failure)?;
    state.db.close().await?;
    println!("set the e-mail of the user {}", user.id);
    Ok(())
}

async fn list_sessions(account: &AccountArg) -> Outcome {
    let (state, user) = open(account).await?;
    let by = Administrator::operator();
    let mut page = Page { limit: 100, after: None };
    loop {
        let sessions = administration::list_sessions(&state.db, &state.auth, &by, user.id, page).await?;
        for session in sessions.items {
            let (ip, agent) = (session.ip.unwrap_or_default(), session.user_agent.unwrap_or_default());
            writeln!(std::io::stdout(), "{}  {}  {ip}  {agent}", session.id, session.rotated_at.to_rfc3339())?;
        }
        if sessions.next.is_none() {
            break;
        }
        page.after = sessions.next;
    }
    Ok(state.db.close().await?)
}

async fn end_sessions(account: &AccountArg, session: Option<Uuid>) -> Outcome {
    let (state, user) = open(account).await?;
    let by = Administrator::operator();
    let ended = administration::end_sessions(&state.db, &state.auth, &by, user.id, session).await;
    let ended = ended.map_err(|error| match error {
        Error::NotFound => "the user has no active session with this id".to_owned(),
        error => failure(error),
    })?;
    state.db.close().await?;
    println!("ended {ended} sessions of the user {}", user.id);
    Ok(())
}

async fn export(account: &AccountArg) -> Outcome {
    let (state, user) = open(account).await?;
    let by = Administrator::operator();
    let data = personal_data::export_of(&state.db, &state.auth, &state.vaccination.schedules, &by, user.id)
        .await
        .map_err(failure)?;
    let mut document = pin!(api::personal_data_document(&state, data, None)?);
    let mut output = std::io::stdout().lock();
    while let Some(chunk) = document.next().await {
        output.write_all(&chunk.map_err(|error| with_causes(&error))?)?;
    }
    writeln!(output)?;
    Ok(state.db.close().await?)
}

async fn erase(account: &AccountArg, is_confirmed: bool) -> Outcome {
    if !is_confirmed {
        return Err("this cannot be undone; confirm it with --yes".into());
    }
    let (state, user) = open(account).await?;
    let by = Administrator::operator();
    let rows =
        personal_data::erase_of(&state.db, &state.auth, &state.vaccination, &by, user.id).await.map_err(failure)?;
    state.db.close().await?;
    println!(
        "erased the user {} with {} vaccine requests and {} contacts",
        user.id, rows.vaccine_requests, rows.contacts
    );
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
