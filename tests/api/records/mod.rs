//! Audit trail.

mod audit;
