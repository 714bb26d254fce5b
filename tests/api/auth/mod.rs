//! Login, tokens, sessions, keys, throttles.

mod access_token;
mod keys;
mod log_in;
mod refresh;
mod sessions;
mod throttle;
mod token;
