//! Contacts of a user: records, imports, exports, birthdays, calendar feeds.

pub mod birthdays;
pub mod calendar_feeds;
pub mod contact_changes;
pub mod contact_exports;
pub mod contact_imports;
mod contact_points;
pub mod contact_search;
#[expect(clippy::module_inception, reason = "the first resource of the wing has its name")]
pub mod contacts;
pub(in crate::api) mod upload;
