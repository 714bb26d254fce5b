//! Contacts, their files, birthdays and calendar feeds.

mod address_books;
mod birthdays;
mod calendar_feeds;
mod contact_changes;
mod contact_exports;
mod contact_imports;
mod contact_query_plans;
#[expect(clippy::module_inception, reason = "the first resource of the wing has its name")]
mod contacts;
mod corpus;
mod duplicates;
