//! Application state: what handlers work with.

use std::sync::Arc;

use ipnet::IpNet;

use crate::db::Db;
use crate::domain::auth::context::Auth;
use crate::domain::contacts::import_limiter::ImportLimiter;

/// What handlers work with. Every worker thread has one, with connections of its own.
#[derive(Clone, Debug)]
pub struct AppState {
    /// The database.
    pub db: Db,
    /// All that signing in takes.
    pub auth: Arc<Auth>,
    /// Whether the token endpoint takes passwords.
    pub password_grant: bool,
    /// Networks whose word on the client's address is taken.
    pub trusted_proxies: Arc<[IpNet]>,
    /// Limits of imports of contacts.
    pub import_limiter: Arc<ImportLimiter>,
}
