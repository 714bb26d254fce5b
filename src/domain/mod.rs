//! The rules, and every query. Nothing here knows HTTP.
//!
//! Values that are parsed once and then trusted: [`email`], [`password`], [`token`], [`birthday`], [`time_zone`], [`patch`], [`page`],
//! [`client`]. What all of signing in rests on: [`auth`], [`keys`], [`codes`], [`throttle`], [`revocations`], [`audit`],
//! [`outbox`]. Verbs on a resource, each opening with who may see a row: [`sessions`], [`users`], [`vaccines`],
//! [`vaccine_requests`], [`contacts`], [`contact_imports`], [`calendar_feeds`]. Verbs on an account: [`credentials`],
//! [`recovery`], [`verification`], [`administration`], [`personal_data`]. Contacts in other forms: [`birthdays`],
//! [`birthday_calendar`], [`contact_exports`], [`address_book`].

pub mod actor;
pub mod address_book;
pub mod administration;
pub mod audit;
pub mod auth;
pub mod birthday;
pub mod birthday_calendar;
pub mod birthdays;
pub mod calendar_feeds;
pub mod catalogue;
pub mod client;
pub mod clock;
pub mod codes;
pub mod contact_exports;
pub mod contact_imports;
pub mod contacts;
pub mod credentials;
pub mod email;
mod keyed_hash;
pub mod keys;
pub mod letters;
pub mod outbox;
pub mod page;
pub mod password;
pub mod patch;
pub mod personal_data;
pub mod quota;
pub mod recovery;
pub mod revocations;
pub mod rules;
pub mod search;
pub mod sessions;
pub mod throttle;
pub mod time_zone;
pub mod token;
pub mod users;
pub mod vaccine_requests;
pub mod vaccines;
pub mod verification;
