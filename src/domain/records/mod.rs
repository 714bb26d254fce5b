//! What every operation leaves behind: the audit trail and the outbox.

pub mod audit;
pub mod outbox;
