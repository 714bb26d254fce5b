//! Authentication: sessions, token pairs, keys, passwords, codes, throttles and quotas.

pub mod codes;
pub mod context;
pub mod hasher;
pub mod hmac;
pub mod keys;
pub mod limits;
pub mod log_in;
pub mod password;
pub mod quota;
pub mod refresh;
pub mod reset_tokens;
pub mod revocations;
pub mod sessions;
pub mod throttle;
pub mod token;
