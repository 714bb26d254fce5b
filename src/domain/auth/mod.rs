//! Authentication: sessions, token pairs, keys, passwords, codes, throttles and quotas.

pub mod codes;
pub mod context;
pub mod hmac;
pub mod keys;
pub mod password;
pub mod quota;
pub mod revocations;
pub mod sessions;
pub mod throttle;
pub mod token;
