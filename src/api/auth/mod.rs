//! Authentication: sessions, token pairs, keys, passwords, codes, throttles and quotas.

pub mod login;
pub mod sessions;
pub mod token;
