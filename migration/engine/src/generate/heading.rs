//! Heading of a migration file: message, parent and date.

/// The heading of a migration.
#[derive(Clone, Debug)]
pub struct Heading {
    /// What it does, in one sentence.
    pub message: String,
    /// The previous migration.
    pub parent: Option<String>,
    /// Such as `2026-11-21`.
    pub date: String,
}
