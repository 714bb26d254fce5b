//! Contacts of a user: records, imports, exports, birthdays, calendar feeds.

pub mod address_book;
pub mod birthday_calendar;
pub mod birthdays;
pub mod contact_changes;
pub mod contact_exports;
pub mod contact_imports;
mod contact_keys;
pub mod contact_points;
pub mod contact_search;
mod contact_snapshots;
#[expect(clippy::module_inception, reason = "the first resource of the wing has its name")]
pub mod contacts;
mod dependants;
pub mod import_limiter;
mod import_parameters;
mod import_writer;
pub mod names;
pub mod uids;
