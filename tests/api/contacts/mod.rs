//! Contacts, their files, birthdays and calendar feeds.

mod address_books;
mod birthdays;
mod contact_files;
mod contact_plans;
#[expect(clippy::module_inception, reason = "the first resource of the wing has its name")]
mod contacts;
