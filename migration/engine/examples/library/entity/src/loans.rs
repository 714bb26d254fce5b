//! Loans: who has a book, and since when.

use revisions::{CompositeIndex, TableExtras};
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "loans")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    pub book_id: i32,
    pub reader: String,
    pub lent_at: DateTimeUtc,
    pub returned_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "book_id", to = "id", on_delete = "Cascade")]
    pub book: BelongsTo<super::books::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {
    /// A book is lent once at a time.
    const INDEXES: &[CompositeIndex] = &[CompositeIndex::unique(&["book_id"]).filter("returned_at IS NULL")];
}
