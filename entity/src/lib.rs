//! Tables of care4u as SeaORM entities, one file per table, and their column types.
//!
//! `migration check` compares them with the database, and `migration entity` updates them from it
//! (`docs/decisions/0002-entities.md`). This crate contains no business rules and no queries.
#![expect(missing_docs, reason = "column names document a table; only what is not obvious has a comment")]

pub mod account_codes;
pub mod audit_events;
pub mod calendar_feeds;
pub mod centre_staff;
pub mod centres;
pub mod contact_books;
pub mod contact_import_updates;
pub mod contact_imports;
pub mod contacts;
pub mod course_schedules;
pub mod courses;
pub mod deleted_contacts;
pub mod idempotency_keys;
pub mod immunizations;
pub mod invitation_uses;
pub mod invitations;
pub mod lots;
pub mod outbox;
pub mod patient_words;
pub mod patients;
pub mod quotas;
pub mod refresh_tokens;
pub mod schema;
pub mod slots;
pub mod throttles;
pub mod user_words;
pub mod users;
pub mod vaccine_requests;
pub mod vaccines;
mod values;
pub mod waitlist_entries;

pub use values::{
    AuditAction, CodePurpose, ContactFormat, ImmunizationSource, ImmunizationStatus, MailKind, PasswordHash,
    PatientRelation, RequestStatus, Role, WaitlistStatus,
};
