//! `seed`: the common vaccines, and demo data.

use care4u::app;
use care4u::config::{Profile, Settings};
use care4u::db::Db;
use care4u::demo::{self, Plan};
use care4u::domain::auth::hasher::Hasher;
use care4u::domain::auth::password::Password;
use care4u::domain::vaccination::{catalogue, course_schedules, vaccines};
use care4u::domain::values::clock::Clock;
use care4u::error::{Conflict, Error, with_causes};
use indicatif::{ProgressBar, ProgressStyle};

use super::password::read_password;
use super::start::{Outcome, start_quietly};

/// Demo data: accounts, contacts with birthdays around today, and vaccine requests in every status
#[derive(clap::Args)]
pub struct Demo {
    /// Number of patients [default: 100 with --contacts]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    users: Option<u32>,
    /// Number of contacts of all patients together [default: 20 per patient]
    #[arg(long, value_parser = clap::value_parser!(u32).range(..=100_000_000))]
    contacts: Option<u32>,
    /// Seed: on the same day, the same seed gives the same data [default: 1]
    #[arg(long)]
    rng_seed: Option<u64>,
    /// Add demo data in production too, with CARE4U_DEMO_PASSWORD as the password of its accounts
    #[arg(long)]
    force: bool,
}

pub(super) async fn seed(options: Demo) -> Outcome {
    let settings = start_quietly()?;
    let is_production = settings.profile == Profile::Production;
    let plan = match (options.users, options.contacts) {
        (None, None) if options.rng_seed.is_some() || options.force => {
            return Err("--rng-seed and --force require --users or --contacts".into());
        }
        (None, None) => None,
        _ if is_production && !options.force => {
            return Err("in production, demo data requires --force".into());
        }
        (users, contacts) => {
            let users = users.unwrap_or(100);
            Some(Plan {
                users,
                contacts: contacts.unwrap_or(users.saturating_mul(20)),
                rng_seed: options.rng_seed.unwrap_or(1),
            })
        }
    };
    // The public demo password must not be used in production.
    let password = match plan {
        Some(_) if is_production => read_password("CARE4U_DEMO_PASSWORD")?,
        _ => Password::presented(demo::PASSWORD),
    };
    let db = app::open_database(&settings, 1).await?;
    let added = vaccines::create_missing(&db, catalogue::common()?).await.map_err(|error| with_causes(&error))?;
    println!("added {added} vaccines to the catalogue");
    let schedules = catalogue::schedules()?;
    let added = course_schedules::put_missing(&db, &Clock::default(), &schedules).await;
    println!("added {} schedules of courses", added.map_err(|error| with_causes(&error))?);
    if let Some(plan) = plan {
        fill(&settings, &db, password, &plan).await?;
    }
    Ok(db.close().await?)
}

async fn fill(settings: &Settings, db: &Db, password: Password, plan: &Plan) -> Outcome {
    let keys = app::keyring(settings)?;
    let hasher = Hasher::start(settings.auth.bcrypt_cost, 1, 1)?;
    let style = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} contacts, {eta} left")?;
    // Without a terminal, nothing is drawn.
    let bar = ProgressBar::new(plan.contacts.into()).with_style(style);
    let hash = hasher.permit().await?.hash(password).await?;
    let filled = demo::fill(db, &Clock::default(), &keys, &hash, plan, |count| bar.inc(count)).await;
    bar.finish_and_clear();
    let filled = filled.map_err(|error| match error {
        Error::Conflict(Conflict::EmailTaken) => "there are demo accounts already; nothing was changed".to_owned(),
        error => with_causes(&error),
    })?;
    println!("added {} patients, {} contacts and {} vaccine requests", plan.users, plan.contacts, filled.requests);
    println!("log in as patient1@demo.example and so on, or as {} with the role staff", demo::STAFF);
    if let Some(code) = filled.invitation_code {
        println!("the invitation code {code} opens slots that need one");
    }
    if settings.profile == Profile::Development {
        println!("the password of all demo accounts is {:?}", demo::PASSWORD);
    }
    Ok(())
}
