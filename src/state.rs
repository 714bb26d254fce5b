//! Application state of the handlers.

use std::sync::Arc;

use ipnet::IpNet;

use crate::db::Db;
use crate::domain::auth::context::Auth;
use crate::domain::contacts::import_limiter::ImportLimiter;
use crate::domain::vaccination::context::Vaccination;

/// Application state. Each worker thread has its own copy, with its own database connections.
#[derive(Clone, Debug)]
pub struct AppState {
    /// The database.
    pub db: Db,
    /// Authentication context: clock, password hasher, keys, and settings.
    pub auth: Arc<Auth>,
    /// Whether the token endpoint accepts `grant_type=password`.
    pub password_grant: bool,
    /// Proxy networks whose `Forwarded` and `X-Forwarded-For` headers are trusted.
    pub trusted_proxies: Arc<[IpNet]>,
    /// Vaccination context: clock, settings of bookings, and the cached availability.
    pub vaccination: Arc<Vaccination>,
    /// Limits of imports of contacts.
    pub import_limiter: Arc<ImportLimiter>,
}
