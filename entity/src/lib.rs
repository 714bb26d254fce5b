//! The tables of care4u as SeaORM entities: one file a table, and what the tables are made of.
//!
//! `migration check` says whether they are what the database is, and `migration entity` makes them so
//! (`docs/decisions/0002-entities.md`). No rule and no query lives here.
#![expect(missing_docs, reason = "a table documents itself by its columns; what is not obvious has a comment")]

pub mod account_codes;
pub mod audit_events;
pub mod calendar_feeds;
pub mod contact_imports;
pub mod contacts;
pub mod outbox;
pub mod quotas;
pub mod refresh_tokens;
pub mod schema;
pub mod throttles;
pub mod users;
pub mod vaccine_requests;
pub mod vaccines;
mod values;

pub use values::{AuditAction, CodePurpose, ContactFormat, MailKind, PasswordHash, RequestStatus, Role};
