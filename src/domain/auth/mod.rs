//! Authentication: sessions, token pairs, keys, passwords, codes, feed secrets, throttles and quotas.

pub mod calendar_feeds;
pub mod code_attempts;
pub mod codes;
pub mod context;
pub mod flow;
pub mod grants;
pub mod hasher;
pub mod hmac;
pub mod keys;
pub mod limits;
pub mod log_in;
pub mod password;
mod password_hash;
pub mod quota;
pub mod read_limiter;
pub mod refresh;
pub mod reset_codes;
pub mod reset_tokens;
pub mod revocations;
pub mod seen_generations;
pub mod sessions;
pub mod skew;
pub mod throttle;
pub mod token;
