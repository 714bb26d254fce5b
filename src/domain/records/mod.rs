//! Records that operations write in their transaction: audit log, outbox, idempotency keys; and the search of words.

pub mod audit;
pub mod idempotency;
pub(in crate::domain) mod notices;
pub mod outbox;
pub mod word_search;
