//! Application start and shutdown: the only place where all parts are put together. The program and the tests build the
//! application in the same way.

mod background;
mod keyring;

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::{Condition, from_fn};
use actix_web::{App, HttpServer, web};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::api;
use crate::api::docs::Docs;
use crate::config::{MailTransport, OnDuplicate, Profile, RegistrationMode, RequestReview, Settings};
use crate::db::Db;
use crate::domain::auth::context::{Auth, RegistrationPolicy};
use crate::domain::auth::hasher::Hasher;
use crate::domain::auth::revocations::Revocations;
use crate::domain::auth::seen_generations::SeenGenerations;
use crate::domain::auth::skew::Skew;
use crate::domain::auth::token::{Lifetimes, Tokens};
use crate::domain::contacts::import_limiter::ImportLimiter;
use crate::domain::vaccination::catalogue;
use crate::domain::vaccination::context::Vaccination;
use crate::domain::vaccination::rules::{BookingRules, Review};
use crate::domain::vaccination::vaccines;
use crate::domain::values::clock::Clock;
use crate::domain::values::email::Email;
use crate::error::{Error, with_causes};
use crate::mail::{self, MailError, Mailer};
use crate::state::AppState;
use background::Background;
pub use keyring::keyring;

/// Error of starting the application.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database cannot be opened.
    #[error("cannot open the database: {}", reason(.0))]
    Database(sea_orm::DbErr),
    /// A migration failed.
    #[error("cannot migrate the database: {0}")]
    Migration(migration::Failure),
    /// The revoked sessions cannot be read.
    #[error("cannot read from the database; has it been migrated? {}", with_causes(.0))]
    Revocations(Error),
    /// The common vaccines, which development adds at the start, cannot be added.
    #[error("cannot add vaccines to the catalogue; has the database been migrated? {}", with_causes(.0))]
    Catalogue(Error),
    /// A signing key cannot be used.
    #[error("cannot use the signing key {file}: {reason}")]
    Key {
        /// Path of the key file, or `auth.secret`.
        file: String,
        /// Reason.
        reason: String,
    },
    /// The mail settings are not valid.
    #[error("cannot send mail: {0}")]
    Mail(#[from] MailError),
    /// The file with the certificate authority of the mail server cannot be read.
    #[error("cannot read mail.smtp_ca_file {}: {reason}", file.display())]
    MailAuthority {
        /// Path of the file.
        file: PathBuf,
        /// Error of the operating system.
        reason: std::io::Error,
    },
    /// The folder for mails cannot be written to.
    #[error("cannot write to the folder mail.dir {}: {reason}", folder.display())]
    MailFolder {
        /// Path of the folder.
        folder: PathBuf,
        /// Error of the operating system.
        reason: std::io::Error,
    },
    /// The server cannot listen on its address.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// Host and port.
        address: String,
        /// Error of the operating system.
        reason: std::io::Error,
    },
    /// The operating system refused a thread or a socket.
    #[error("system error: {0}")]
    System(#[from] std::io::Error),
}

/// The sentence of a database error, without its kind if it is one of ours.
fn reason(error: &sea_orm::DbErr) -> String {
    match error {
        sea_orm::DbErr::Custom(sentence) => sentence.clone(),
        error => error.to_string(),
    }
}

/// A server that is bound to its port, but not running yet.
pub struct Application {
    server: Server,
    address: SocketAddr,
    state: AppState,
    mailer: Mailer,
}

impl std::fmt::Debug for Application {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Application").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Application {
    /// Opens the database, applies migrations if `database.migrate_on_start` is set, and binds the port.
    ///
    /// # Errors
    /// Returns a [`StartError`], whose text is one sentence for the operator.
    pub async fn build(settings: &Settings, clock: Clock) -> Result<Self, StartError> {
        let workers = workers(settings);
        // Everything is checked before the database is migrated.
        let mailer = mailer(settings)?;
        let address = format!("{}:{}", settings.server.host, settings.server.port);
        let listener = TcpListener::bind((settings.server.host.as_str(), settings.server.port))
            .map_err(|reason| StartError::Listen { address, reason })?;
        let bound = listener.local_addr()?;
        let state = state(settings, clock, workers).await?;
        let shared_state = state.clone();
        let cors_origins = settings.server.cors_origins.clone();
        let public_url = Some(settings.server.public_url.clone()).filter(|url| !url.is_empty());
        let docs = web::Data::new(Docs::new(settings.docs.enabled, public_url));
        let has_cors = !cors_origins.is_empty();
        let server = HttpServer::new(move || {
            let state = AppState { db: shared_state.db.for_worker(), ..shared_state.clone() };
            App::new()
                .app_data(web::Data::new(state))
                .app_data(web::PayloadConfig::new(api::MAX_BODY_BYTES))
                .wrap(Condition::new(has_cors, api::cors(&cors_origins)))
                .wrap(Condition::new(has_cors, from_fn(api::explain_refused_preflight)))
                .wrap(from_fn(api::log_request))
                .configure(|config| api::routes(&mut ServiceConfig::new(config)))
                .configure(|config| api::docs::configure(config, docs.clone()))
        })
        .workers(workers)
        .shutdown_timeout(settings.server.shutdown_seconds)
        .listen(listener)?
        .run();
        Ok(Self { server, address: bound, state, mailer })
    }

    /// The bound address. With port 0 in the settings, it has the port that the system has chosen.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The application state of the handlers.
    #[must_use]
    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// Runs the server until the process gets a stop signal. Then it completes the requests in flight and closes the
    /// database.
    ///
    /// # Errors
    /// Returns an error if the server fails.
    pub async fn run(self) -> std::io::Result<()> {
        let background = Background::start(&self.state, self.mailer);
        let outcome = self.server.await;
        background.stop(&self.state).await;
        if let Err(error) = self.state.db.close().await {
            log::warn!("cannot close the database: {error}");
        }
        outcome
    }
}

/// The number of worker threads.
fn workers(settings: &Settings) -> usize {
    match settings.server.workers {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        workers => workers,
    }
}

/// Opens the database and builds the application state, for handlers or commands.
///
/// # Errors
/// Returns a [`StartError`], whose text is one sentence for the operator.
pub async fn state(settings: &Settings, clock: Clock, workers: usize) -> Result<AppState, StartError> {
    let lifetimes = lifetimes(settings);
    let keys = keyring(settings)?;
    let (issuer, audience) = (settings.auth.issuer.clone(), settings.auth.audience.clone());
    let tokens = Tokens::new(keys, issuer, audience, lifetimes)
        .map_err(|reason| StartError::Key { file: "auth.keys".into(), reason: reason.to_string() })?;
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let hasher = Hasher::start(settings.auth.bcrypt_cost, threads, threads * Hasher::QUEUE_PER_THREAD)?;
    let db = open_database(settings, workers).await?;
    if settings.profile == Profile::Development {
        let common = catalogue::common().map_err(StartError::Catalogue)?;
        vaccines::create_missing(&db, common).await.map_err(StartError::Catalogue)?;
    }
    let revocations = Revocations::new(Duration::from_secs(settings.auth.revocations_max_age_seconds.into()));
    revocations.read(&db, clock.now() - lifetimes.access).await.map_err(StartError::Revocations)?;
    let silent_registration = settings.registration.on_duplicate == OnDuplicate::Silent;
    let auth = Auth {
        clock,
        hasher,
        tokens,
        revocations,
        seen_generations: SeenGenerations::default(),
        skew: Skew::default(),
        limits: settings.throttle.clone(),
        code_life: chrono::Duration::seconds(settings.codes.ttl_seconds.into()),
        // Otherwise, a log-in right after a silent registration would reveal whether the e-mail was taken.
        require_verified_email: settings.auth.require_verified_email || silent_registration,
        registration: RegistrationPolicy {
            is_open: settings.registration.mode == RegistrationMode::Open,
            is_silent: silent_registration,
            allowed_domains: allowed_domains(settings),
        },
    };
    let vaccination = Vaccination::new(auth.clock.clone(), booking_rules(settings));
    let limiter = ImportLimiter::new(
        settings.contacts.import_max_bytes,
        settings.contacts.import_max_rows,
        db.long_transactions(),
    );
    Ok(AppState {
        db,
        auth: Arc::new(auth),
        password_grant: settings.auth.password_grant,
        trusted_proxies: settings.server.trusted_proxies.clone().into(),
        vaccination: Arc::new(vaccination),
        import_limiter: Arc::new(limiter),
    })
}

fn booking_rules(settings: &Settings) -> BookingRules {
    let booking = &settings.booking;
    BookingRules {
        review: match settings.requests.review {
            RequestReview::Staff => Review::Staff,
            RequestReview::Rules => Review::Rules,
        },
        change_until: chrono::Duration::hours(booking.change_until_hours.into()),
        notice: chrono::Duration::minutes(booking.notice_minutes.into()),
        max_moves: i32::try_from(booking.max_moves).unwrap_or(i32::MAX),
        offer: chrono::Duration::minutes(booking.offer_minutes.into()),
        offer_until: chrono::Duration::minutes(booking.offer_until_minutes.into()),
        reminder: chrono::Duration::hours(booking.reminder_hours.into()),
        undo: chrono::Duration::hours(booking.undo_hours.into()),
        patients_per_account: booking.patients_per_account.into(),
    }
}

/// Opens the database, and applies migrations if `database.migrate_on_start` is set.
///
/// # Errors
/// Returns a [`StartError`], whose text is one sentence for the operator.
pub async fn open_database(settings: &Settings, workers: usize) -> Result<Db, StartError> {
    let workers = u32::try_from(workers).unwrap_or(u32::MAX);
    let db = Db::connect(settings.database.url.expose(), settings.database.max_connections, workers)
        .await
        .map_err(StartError::Database)?;
    if settings.database.migrate_on_start {
        db.migrate(settings.database.url.expose()).await.map_err(StartError::Migration)?;
    }
    Ok(db)
}

/// The allowed domains in the form of addresses: lower case and ASCII.
fn allowed_domains(settings: &Settings) -> Vec<String> {
    let address = |domain: &String| Email::parse(&format!("a@{domain}")).ok();
    settings.registration.allowed_domains.iter().filter_map(address).map(|email| email.domain().to_owned()).collect()
}

fn lifetimes(settings: &Settings) -> Lifetimes {
    let seconds = |seconds: u32| chrono::Duration::seconds(seconds.into());
    Lifetimes {
        access: seconds(settings.auth.access_ttl_seconds),
        idle: seconds(settings.auth.refresh_idle_seconds),
        absolute: seconds(settings.auth.refresh_absolute_seconds),
        grace: seconds(settings.auth.refresh_grace_seconds),
        retry: seconds(settings.auth.refresh_retry_seconds),
    }
}

/// Creates a folder, and checks that files can be written to it.
fn check_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    tempfile::tempfile_in(folder).map(drop)
}

/// Creates the mailer. Without a configured transport, which only development allows, it writes mails to a folder.
fn mailer(settings: &Settings) -> Result<Mailer, StartError> {
    let mail = &settings.mail;
    let mailer = match mail.transport {
        None | Some(MailTransport::File) => {
            check_folder(&mail.dir).map_err(|reason| StartError::MailFolder { folder: mail.dir.clone(), reason })?;
            Mailer::file(mail.dir.clone(), &mail.from, &mail.language)
        }
        Some(MailTransport::Smtp) => {
            if mail.from.trim_end_matches('>').ends_with("@localhost") {
                log::warn!("mail.from is an address at localhost, which mail servers reject");
            }
            let read = |file: &PathBuf| {
                std::fs::read(file).map_err(|reason| StartError::MailAuthority { file: file.clone(), reason })
            };
            let credentials = (mail.smtp_username.clone(), mail.smtp_password.expose().to_owned());
            let server = mail::Server {
                host: mail.smtp_host.clone(),
                port: mail.smtp_port,
                tls: mail.smtp_tls,
                credentials: (!mail.smtp_username.is_empty()).then_some(credentials),
                timeout: Duration::from_secs(mail.smtp_timeout_seconds.into()),
                authority: mail.smtp_ca_file.as_ref().map(read).transpose()?,
            };
            Mailer::smtp(server, &mail.from, &mail.language)
        }
    };
    Ok(mailer?)
}
