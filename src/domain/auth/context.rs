//! Authentication context: everything that accounts and sessions need besides the database. The
//! application creates it, so that tests can replace its parts.

use chrono::Duration;

use crate::domain::auth::hasher::Hasher;
use crate::domain::auth::limits::Limits;
use crate::domain::auth::revocations::Revocations;
use crate::domain::auth::seen_generations::SeenGenerations;
use crate::domain::auth::skew::Skew;
use crate::domain::auth::token::Tokens;
use crate::domain::values::clock::Clock;

/// Authentication context: clock, password hasher, keys, and settings.
#[derive(Debug)]
pub struct Auth {
    /// Clock.
    pub clock: Clock,
    /// Password hasher.
    pub hasher: Hasher,
    /// Issuer and verifier of tokens.
    pub tokens: Tokens,
    /// Revoked sessions, whose access tokens have not expired yet.
    pub revocations: Revocations,
    /// Generations whose access token was seen.
    pub seen_generations: SeenGenerations,
    /// Difference between the clock of this instance and that of the database.
    pub skew: Skew,
    /// Limits of throttles and quotas.
    pub limits: Limits,
    /// Lifetime of codes and reset tokens.
    pub code_life: Duration,
    /// Whether logging in requires a verified e-mail address.
    pub require_verified_email: bool,
    /// Who can register.
    pub registration: RegistrationPolicy,
}

/// Who can register, and what the response reveals.
#[derive(Clone, Debug)]
pub struct RegistrationPolicy {
    /// Whether anyone can register.
    pub is_open: bool,
    /// Whether the response hides that an e-mail address is taken.
    pub is_silent: bool,
    /// Domains of the addresses that can be registered; empty for all.
    pub allowed_domains: Vec<String>,
}
