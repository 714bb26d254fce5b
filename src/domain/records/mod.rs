//! Records that operations write in their transaction: audit log and outbox.

pub mod audit;
pub mod outbox;
