//! Authentication: sessions, token pairs, keys, passwords, codes, throttles and quotas.

pub mod log_in;
pub mod sessions;
pub mod token;
