//! The rules, and every query. Nothing here knows HTTP.
//!
//! Values that are parsed once and then trusted: [`email`], [`password`], [`token`], [`patch`], [`page`].
//! Verbs on a resource, each opening with who may see a row: [`sessions`], [`users`], [`vaccines`],
//! [`vaccine_requests`].

pub mod actor;
pub mod catalogue;
pub mod clock;
pub mod email;
pub mod keys;
pub mod page;
pub mod password;
pub mod patch;
pub mod revocations;
pub mod rules;
pub mod sessions;
pub mod token;
pub mod users;
pub mod vaccine_requests;
pub mod vaccines;
