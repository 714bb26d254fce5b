//! The application: the only place where its parts are joined. The program and the tests build it in the same way.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::api;
use crate::config::{Profile, Secret, Settings};
use crate::db::Db;
use crate::domain::clock::Clock;
use crate::domain::keys::{Key, Keyring};
use crate::domain::password::Hasher;
use crate::domain::revocations::Revocations;
use crate::domain::sessions::Auth;
use crate::domain::token::{Lifetimes, Tokens};
use crate::domain::{catalogue, vaccines};
use crate::error::{Error, with_causes};

/// Where development keeps the signing key that it makes for itself.
const DEVELOPMENT_KEY: &str = "data/signing.key";

/// How often each instance learns which sessions others have ended.
const REVOCATION_INTERVAL: Duration = Duration::from_secs(1);

/// What handlers work with. Every worker thread has one, with connections of its own.
#[derive(Clone, Debug)]
pub struct AppState {
    /// The database.
    pub db: Db,
    /// All that signing in takes.
    pub auth: Arc<Auth>,
    /// Whether the token endpoint takes passwords.
    pub password_grant: bool,
}

/// Why the application does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database.
    #[error("cannot open the database: {0}")]
    Database(sea_orm::DbErr),
    /// A migration.
    #[error("cannot migrate the database: {0}")]
    Migration(sea_orm::DbErr),
    /// Reading which sessions have ended.
    #[error("cannot read from the database; has it been migrated? {}", with_causes(.0))]
    Revocations(Error),
    /// Adding the vaccines that development starts with.
    #[error("cannot write the catalogue; has the database been migrated? {}", with_causes(.0))]
    Catalogue(Error),
    /// A file with a key.
    #[error("cannot use the signing key {file}: {reason}")]
    Key {
        /// Which file, or `auth.secret`.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The address.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// Host and port.
        address: String,
        /// What the system says.
        reason: std::io::Error,
    },
    /// Threads and sockets.
    #[error("the system refuses: {0}")]
    System(#[from] std::io::Error),
}

/// A server that listens but does not serve yet.
pub struct Application {
    server: Server,
    address: SocketAddr,
    state: AppState,
}

impl std::fmt::Debug for Application {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Application").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Application {
    /// Opens the database, migrates it if so configured, and listens.
    ///
    /// # Errors
    /// One sentence that says what is in the way.
    pub async fn build(settings: &Settings, clock: Clock) -> Result<Self, StartError> {
        let workers = workers(settings);
        let state = state(settings, clock, workers).await?;
        let address = format!("{}:{}", settings.server.host, settings.server.port);
        let listener = TcpListener::bind((settings.server.host.as_str(), settings.server.port))
            .map_err(|reason| StartError::Listen { address, reason })?;
        let bound = listener.local_addr()?;
        let for_workers = state.clone();
        let server = HttpServer::new(move || {
            let state = AppState { db: for_workers.db.for_worker(), ..for_workers.clone() };
            App::new()
                .app_data(web::Data::new(state))
                .app_data(web::PayloadConfig::new(api::MAX_BODY_BYTES))
                .wrap(from_fn(api::record))
                .configure(|config| api::routes(&mut ServiceConfig::new(config)))
                .configure(api::docs::configure)
        })
        .workers(workers)
        .shutdown_timeout(settings.server.shutdown_seconds)
        .listen(listener)?
        .run();
        Ok(Self { server, address: bound, state })
    }

    /// Where it listens, with the port that was found when 0 was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the handlers work with.
    #[must_use]
    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// Serves until the process is told to stop; then finishes the requests in flight and closes the database.
    ///
    /// # Errors
    /// Fails when the server does.
    pub async fn run(self) -> std::io::Result<()> {
        let follower = tokio::spawn(follow_revocations(self.state.clone()));
        let outcome = self.server.await;
        follower.abort();
        if let Err(error) = self.state.db.close().await {
            log::warn!("the database was not closed: {error}");
        }
        outcome
    }
}

/// How many threads serve requests.
fn workers(settings: &Settings) -> usize {
    match settings.server.workers {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        workers => workers,
    }
}

/// Opens the database and puts together what handlers, or commands, work with.
///
/// # Errors
/// One sentence that says what is in the way.
pub async fn state(settings: &Settings, clock: Clock, workers: usize) -> Result<AppState, StartError> {
    let db = open_database(settings, workers).await?;
    if settings.profile == Profile::Development {
        vaccines::add_missing(&db, catalogue::common()).await.map_err(StartError::Catalogue)?;
    }
    let lifetimes = lifetimes(settings);
    let keys = keyring(settings)?;
    let (issuer, audience) = (settings.auth.issuer.clone(), settings.auth.audience.clone());
    let tokens = Tokens::new(keys, issuer, audience, lifetimes)
        .map_err(|reason| StartError::Key { file: "auth.keys".into(), reason: reason.to_string() })?;
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let hasher = Hasher::start(settings.auth.bcrypt_cost, threads, threads * Hasher::QUEUE_PER_THREAD)?;
    let revocations = Revocations::default();
    revocations.read(&db, clock.now() - lifetimes.access).await.map_err(StartError::Revocations)?;
    let auth = Arc::new(Auth { clock, hasher, tokens, revocations });
    Ok(AppState { db, auth, password_grant: settings.auth.password_grant })
}

/// Opens the database, and migrates it if so configured.
///
/// # Errors
/// One sentence that says what is in the way.
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

fn lifetimes(settings: &Settings) -> Lifetimes {
    let seconds = |seconds: u32| chrono::Duration::seconds(seconds.into());
    Lifetimes {
        access: seconds(settings.auth.access_ttl_seconds),
        idle: seconds(settings.auth.refresh_idle_seconds),
        absolute: seconds(settings.auth.refresh_absolute_seconds),
        grace: seconds(settings.auth.refresh_grace_seconds),
    }
}

fn keyring(settings: &Settings) -> Result<Keyring, StartError> {
    let refused = |file: &str, reason: &dyn ToString| StartError::Key { file: file.into(), reason: reason.to_string() };
    let mut keys = Vec::new();
    for key in &settings.auth.keys {
        let file = key.file.display().to_string();
        let content = zeroize::Zeroizing::new(std::fs::read(&key.file).map_err(|error| refused(&file, &error))?);
        keys.push(Key::from_file(&content, key.kid.clone()).map_err(|error| refused(&file, &error))?);
    }
    if keys.is_empty() {
        let (source, secret) = if settings.auth.secret.is_empty() && settings.profile == Profile::Development {
            (DEVELOPMENT_KEY, development_secret().map_err(|error| refused(DEVELOPMENT_KEY, &error))?)
        } else {
            ("auth.secret", settings.auth.secret.clone())
        };
        let key = Key::from_secret(secret.expose().as_bytes(), None);
        keys.push(key.map_err(|error| refused(source, &error))?);
    }
    Keyring::new(keys).map_err(|error| refused("auth.keys", &error))
}

/// The secret that development made for itself, readable by its owner alone.
fn development_secret() -> std::io::Result<Secret> {
    use base64::Engine as _;
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::create_dir_all("data")?;
    if let Ok(kept) = std::fs::read_to_string(DEVELOPMENT_KEY) {
        return Ok(Secret::new(kept.trim()));
    }
    let mut random = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(random.as_mut_slice()).map_err(std::io::Error::other)?;
    let made = base64::engine::general_purpose::STANDARD.encode(random.as_slice());
    // Written whole before it gets its name, and never over one that is there.
    let unnamed = format!("{DEVELOPMENT_KEY}.{}", std::process::id());
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unnamed)?;
    file.write_all(made.as_bytes())?;
    file.sync_all()?;
    let named = std::fs::hard_link(&unnamed, DEVELOPMENT_KEY);
    std::fs::remove_file(&unnamed)?;
    match named {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(Secret::new(std::fs::read_to_string(DEVELOPMENT_KEY)?.trim())),
    }
}

/// Learns once a second which sessions other instances have ended, and forgets those whose tokens have expired.
async fn follow_revocations(state: AppState) {
    let auth = &state.auth;
    let mut interval = tokio::time::interval(REVOCATION_INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut known_until = auth.clock.now();
    let mut failing = false;
    loop {
        interval.tick().await;
        let now = auth.clock.now();
        match auth.revocations.read(&state.db, known_until).await {
            Ok(()) => {
                known_until = now;
                failing = false;
            }
            Err(error) if !failing => {
                log::error!("cannot learn which sessions have ended; trying on: {}", with_causes(&error));
                failing = true;
            }
            Err(_) => {}
        }
        auth.revocations.forget(now - auth.tokens.lifetimes().access);
    }
}
