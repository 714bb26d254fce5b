//! The command line: `serve` (when nothing is said), `create-admin`, `user`, `seed`, `openapi`, `healthcheck`.
//!
//! A failure is one printed sentence and exit code 1.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is a command line")]

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::process::ExitCode;
use std::time::Duration;

use care4u::app::{self, Application};
use care4u::config::{Profile, Settings};
use care4u::db::Db;
use care4u::demo::{self, Plan};
use care4u::domain::administration::{self, Changes};
use care4u::domain::clock::Clock;
use care4u::domain::email::Email;
use care4u::domain::password::{Hasher, Password};
use care4u::domain::users::{self, NewUser};
use care4u::domain::{catalogue, rules, vaccines};
use care4u::error::{Conflict, Error, with_causes};
use care4u::{api, telemetry};
use clap::{Parser, Subcommand};
use entity::Role;
use indicatif::{ProgressBar, ProgressStyle};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long a health check waits.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(3);

/// Vaccine registration and identity. Settings come from config/*.toml, CARE4U__SECTION__KEY and DATABASE_URL.
#[derive(Parser)]
#[command(version)]
struct Cli {
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
    User(UserCommand),
    /// Add the common vaccines to the catalogue; those that it has stay as they are. With --users or --contacts: demo
    /// data too
    Seed(Demo),
    /// Print the OpenAPI document
    Openapi,
    /// Exit 0 when the service on this machine lives (for HEALTHCHECK)
    Healthcheck,
}

#[derive(Subcommand)]
enum UserCommand {
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
struct Whose {
    /// The account's e-mail
    #[arg(long)]
    email: String,
}

/// Demo data: accounts, contacts with birthdays around today, and requests in every state
#[derive(clap::Args)]
struct Demo {
    /// How many patients [default: 100 when there are to be contacts]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    users: Option<u32>,
    /// How many contacts, of all patients together [default: 20 for each patient]
    #[arg(long, value_parser = clap::value_parser!(u32).range(..=100_000_000))]
    contacts: Option<u32>,
    /// The same number makes the same data, on the same day [default: 1]
    #[arg(long)]
    rng_seed: Option<u64>,
    /// Even in production; there CARE4U_DEMO_PASSWORD is the password of the demo accounts
    #[arg(long)]
    force: bool,
}

fn role(word: &str) -> Result<Role, String> {
    let roles = [Role::Patient, Role::Staff, Role::Admin];
    roles.into_iter().find(|role| role.as_str() == word).ok_or_else(|| "must be patient, staff or admin".to_owned())
}

#[actix_web::main]
async fn main() -> ExitCode {
    let outcome = match Cli::parse().command.unwrap_or(Command::Serve) {
        Command::Serve => serve().await,
        Command::CreateAdmin { email, name } => create_admin(&email, name).await,
        Command::User(command) => change_user(command).await,
        Command::Seed(demo) => seed(demo).await,
        Command::Openapi => print_openapi(),
        Command::Healthcheck => healthcheck(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("care4u: {failure}");
            ExitCode::FAILURE
        }
    }
}

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// The settings of a command that ends: only what goes wrong is worth a line.
fn start_quietly() -> Result<Settings, Box<dyn std::error::Error>> {
    let mut settings = Settings::load()?;
    "warn".clone_into(&mut settings.log.level);
    start(settings)
}

/// Begins logging as the settings say.
fn start(settings: Settings) -> Result<Settings, Box<dyn std::error::Error>> {
    telemetry::start(&settings.log)?;
    for key in &settings.unknown {
        log::warn!("no setting is called {key}; it has no effect");
    }
    Ok(settings)
}

async fn serve() -> Outcome {
    let settings = start(Settings::load()?)?;
    let application = Application::build(&settings, Clock::default()).await?;
    let address = format!("http://{}", application.address());
    println!("care4u listens on {address}, its docs are at {address}/docs");
    std::io::stdout().flush()?;
    application.run().await?;
    log::info!("stopped");
    Ok(())
}

async fn create_admin(email: &str, name: String) -> Outcome {
    let email = address(email)?;
    rules::line(&name).and_then(|()| rules::at_most(&name, 200)).map_err(|error| format!("--name {error}"))?;
    let password = read_password("CARE4U_ADMIN_PASSWORD")?;
    let settings = start_quietly()?;
    let state = app::state(&settings, Clock::default(), 1).await?;
    let new = NewUser { name, email, password, nid: None, phone_number: None, address: None, birth_date: None };
    let admin = users::create(&state.db, &state.auth, new, Role::Admin).await.map_err(|error| with_causes(&error))?;
    state.db.close().await?;
    println!("created the admin {}", admin.id);
    Ok(())
}

async fn change_user(command: UserCommand) -> Outcome {
    let (whose, changes, done) = match command {
        UserCommand::Disable(whose) => (whose, Changes { is_disabled: Some(true), ..Changes::default() }, "disabled"),
        UserCommand::Enable(whose) => (whose, Changes { is_disabled: Some(false), ..Changes::default() }, "enabled"),
        UserCommand::Role { whose, role } => {
            (whose, Changes { role: Some(role), ..Changes::default() }, "gave another role to")
        }
        UserCommand::ResetPassword(whose) => return reset_password(&whose.email).await,
    };
    let email = address(&whose.email)?;
    let settings = start_quietly()?;
    let state = app::state(&settings, Clock::default(), 1).await?;
    let user = administration::change_as_operator(&state.db, &state.auth, &email, changes).await.map_err(said)?;
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

fn read_password(variable: &str) -> Result<Password, Box<dyn std::error::Error>> {
    let typed = match std::env::var(variable) {
        Ok(password) => password,
        Err(_) if std::io::stdin().is_terminal() => {
            let first = rpassword::prompt_password("Password: ")?;
            if first != rpassword::prompt_password("Again: ")? {
                return Err("the two passwords differ".into());
            }
            first
        }
        Err(_) => return Err(format!("set {variable}, or run this where a password can be typed").into()),
    };
    let typed = zeroize::Zeroizing::new(typed);
    Ok(Password::parse(&typed).map_err(|violation| format!("the password {}", violation.message))?)
}

async fn seed(wanted: Demo) -> Outcome {
    let settings = start_quietly()?;
    let is_production = settings.profile == Profile::Production;
    let plan = match (wanted.users, wanted.contacts) {
        (None, None) if wanted.rng_seed.is_some() || wanted.force => {
            return Err("--rng-seed and --force are of use with --users or --contacts only".into());
        }
        (None, None) => None,
        _ if is_production && !wanted.force => {
            return Err("demo data has no place in production; --force puts it there all the same".into());
        }
        (users, contacts) => {
            let users = users.unwrap_or(100);
            Some(Plan {
                users,
                contacts: contacts.unwrap_or(users.saturating_mul(20)),
                rng_seed: wanted.rng_seed.unwrap_or(1),
            })
        }
    };
    // A password that everybody knows must not open anything in production.
    let password = match plan {
        Some(_) if is_production => read_password("CARE4U_DEMO_PASSWORD")?,
        _ => Password::presented(demo::PASSWORD),
    };
    let db = app::open_database(&settings, 1).await?;
    let added = vaccines::add_missing(&db, catalogue::common()).await.map_err(|error| with_causes(&error))?;
    println!("added {added} vaccines to the catalogue");
    if let Some(plan) = plan {
        fill(&settings, &db, password, &plan).await?;
    }
    Ok(db.close().await?)
}

async fn fill(settings: &Settings, db: &Db, password: Password, plan: &Plan) -> Outcome {
    let hasher = Hasher::start(settings.auth.bcrypt_cost, 1, 1)?;
    let style = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} contacts, {eta} to go")?;
    // Where nobody watches, it draws nothing.
    let bar = ProgressBar::new(plan.contacts.into()).with_style(style);
    let filled = demo::fill(db, &Clock::default(), &hasher, password, plan, |count| bar.inc(count)).await;
    bar.finish_and_clear();
    let requests = filled.map_err(|error| match error {
        Error::Conflict(Conflict::EmailTaken) => "there are demo accounts already; nothing was changed".to_owned(),
        error => with_causes(&error),
    })?;
    println!("added {} patients, {} contacts and {requests} vaccine requests", plan.users, plan.contacts);
    println!("sign in as patient1@demo.example and so on, or as {}, who is staff", demo::STAFF);
    if settings.profile == Profile::Development {
        println!("everybody's password is {:?}", demo::PASSWORD);
    }
    Ok(())
}

fn print_openapi() -> Outcome {
    // Not println!, which panics when whoever reads has had enough.
    Ok(writeln!(std::io::stdout(), "{}", api::docs::openapi().to_pretty_json()?)?)
}

fn healthcheck() -> Outcome {
    let settings = Settings::load()?;
    // Listening everywhere includes here.
    let host = match settings.server.host.as_str() {
        "0.0.0.0" | "::" => "localhost",
        host => host,
    };
    let addresses = (host, settings.server.port).to_socket_addrs()?;
    let reached = addresses.into_iter().find_map(|address| TcpStream::connect_timeout(&address, HEALTH_TIMEOUT).ok());
    let mut stream = reached.ok_or("nothing listens")?;
    stream.set_read_timeout(Some(HEALTH_TIMEOUT))?;
    stream.write_all(b"GET /health/live HTTP/1.0\r\n\r\n")?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer)?;
    if answer.ends_with(b" 200") { Ok(()) } else { Err("it does not answer 200".into()) }
}
