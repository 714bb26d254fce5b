//! Login, tokens, sessions, keys, throttles.

mod keys;
mod login;
mod refresh;
mod sessions;
mod throttle;
mod tokens;
