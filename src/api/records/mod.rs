//! Records of operations: audit events.

pub mod audit;
