//! What accounts and sessions need apart from the database: handed in by the application, so that tests can choose it.

use chrono::Duration;

use crate::domain::auth::hasher::Hasher;
use crate::domain::auth::limits::Limits;
use crate::domain::auth::revocations::Revocations;
use crate::domain::auth::token::Tokens;
use crate::domain::values::clock::Clock;

/// The time, the keys, the threads that hash, and the rules that operators choose.
#[derive(Debug)]
pub struct Auth {
    /// The time.
    pub clock: Clock,
    /// Hashes passwords.
    pub hasher: Hasher,
    /// Makes and checks tokens.
    pub tokens: Tokens,
    /// Sessions that have ended.
    pub revocations: Revocations,
    /// What is slowed down.
    pub limits: Limits,
    /// How long a code and a reset token last.
    pub code_life: Duration,
    /// Whether signing in takes a confirmed address.
    pub require_verified_email: bool,
    /// Whether registering hides that an address is taken.
    pub silent_registration: bool,
}
