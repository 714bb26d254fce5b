//! The audit trail.

mod audit;
