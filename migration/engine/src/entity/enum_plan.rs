//! Plan for enums: the enum of each column, and the changes of `values.rs`.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::sea_query::ColumnType;

/// The plan for enums.
#[derive(Debug, Default)]
pub(super) struct EnumPlan {
    /// All enums with string values, with the type of their columns if it is known.
    pub(super) enums: BTreeMap<String, Option<ColumnType>>,
    /// The enum that an entity declares for a column, by table and column.
    pub(super) columns: BTreeMap<(String, String), String>,
    /// The native enum of a column, by table and column.
    pub(super) native: BTreeMap<(String, String), String>,
    /// The CHECKs that follow from that, by table and position.
    pub(super) covered: BTreeSet<(String, usize)>,
    /// Enums that `lib.rs` has to export.
    pub(super) exports: Vec<String>,
    /// The new `values.rs`, if it changes.
    pub(super) values: Option<String>,
    pub(super) notes: Vec<String>,
}
