//! Properties of a table that the attributes of its entity cannot express.

use sea_orm::{ActiveEnum, EntityTrait};

/// Properties of a table that attributes of its model cannot express.
///
/// ```
/// use revisions::{CompositeIndex, TableExtras};
///
/// mod visits {
///     use sea_orm::entity::prelude::*;
///
///     #[sea_orm::model]
///     #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
///     #[sea_orm(table_name = "visits")]
///     pub struct Model {
///         #[sea_orm(primary_key)]
///         pub id: i32,
///         pub place: String,
///         pub seen_at: DateTimeUtc,
///         pub left_at: Option<DateTimeUtc>,
///     }
///
///     impl ActiveModelBehavior for ActiveModel {}
/// }
///
/// impl TableExtras for visits::Entity {
///     const INDEXES: &[CompositeIndex] = &[
///         CompositeIndex::on(&["place", "seen_at"]),
///         CompositeIndex::unique(&["place"]).filter("left_at IS NULL"),
///     ];
/// }
/// ```
pub trait TableExtras: EntityTrait {
    /// Composite and partial indexes.
    const INDEXES: &'static [CompositeIndex] = &[];
    /// Whether the table is WITHOUT ROWID on SQLite: its rows are stored in the order of the primary key.
    const WITHOUT_ROWID: bool = false;
    /// Text columns that are sorted byte by byte: with `COLLATE "C"` on PostgreSQL; SQLite always does.
    const COLLATE_C: &'static [&'static str] = &[];

    /// Enum columns that are stored as text, and their values, for a CHECK constraint.
    #[must_use]
    fn enum_values() -> Vec<(Self::Column, Vec<String>)> {
        Vec::new()
    }
}

/// Composite or partial index.
#[derive(Clone, Copy, Debug)]
pub struct CompositeIndex {
    pub(super) columns: &'static [&'static str],
    pub(super) is_unique: bool,
    pub(super) filter: Option<&'static str>,
    pub(super) method: Option<&'static str>,
    pub(super) name: Option<&'static str>,
}

impl CompositeIndex {
    /// Creates an index over columns. What is not the name of a column is an expression, such as `lower(email)`; ` DESC` at its
    /// end is its order.
    #[must_use]
    pub const fn on(columns: &'static [&'static str]) -> Self {
        Self { columns, is_unique: false, filter: None, method: None, name: None }
    }

    /// Creates a unique index over columns.
    #[must_use]
    pub const fn unique(columns: &'static [&'static str]) -> Self {
        Self { is_unique: true, ..Self::on(columns) }
    }

    /// Limits the index to the rows that match a condition (partial index).
    #[must_use]
    pub const fn filter(self, condition: &'static str) -> Self {
        Self { filter: Some(condition), ..self }
    }

    /// Sets the name of the index, instead of one by the convention: two indexes over the same columns need it.
    #[must_use]
    pub const fn named(self, name: &'static str) -> Self {
        Self { name: Some(name), ..self }
    }

    /// Sets the method of the index, such as `gin`. The index then exists on PostgreSQL only: SQLite has no methods.
    #[must_use]
    pub const fn using(self, method: &'static str) -> Self {
        Self { method: Some(method), ..self }
    }
}

/// Returns the values of an enum, as stored in the database.
#[must_use]
pub fn enum_values<T: ActiveEnum<Value = String>>() -> Vec<String> {
    T::iter().map(|value| value.to_value()).collect()
}
