//! Lots: batches of a vaccine in stock at a centre. The counters cannot exceed what was received.

use revisions::{CompositeIndex, TableExtras};
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "lots")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub centre_id: Uuid,
    #[sea_orm(indexed)]
    pub vaccine_id: Uuid,
    #[sea_orm(column_type = "String(StringLen::N(20))")]
    pub lot_number: String,
    /// Last day on which it may be used, on the calendar of the centre.
    pub expires_on: Date,
    /// Number of doses received; null if nobody counted them.
    #[sea_orm(extra = "CONSTRAINT lots_received_check CHECK (received >= 0)")]
    pub received: Option<i32>,
    /// Number of doses given.
    #[sea_orm(
        default_value = 0,
        extra = "CONSTRAINT lots_used_check CHECK (used >= 0 AND wasted >= 0 AND (received IS NULL OR used + wasted <= received))"
    )]
    pub used: i32,
    /// Number of doses that were thrown away.
    #[sea_orm(default_value = 0)]
    pub wasted: i32,
    pub recalled_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "centre_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub centre: BelongsTo<super::centres::Entity>,
    #[sea_orm(belongs_to, from = "vaccine_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub vaccine: BelongsTo<super::vaccines::Entity>,
    #[sea_orm(has_many)]
    pub immunizations: HasMany<super::immunizations::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {
    const INDEXES: &[CompositeIndex] =
        &[CompositeIndex::unique(&["centre_id", "vaccine_id", "lot_number"]), CompositeIndex::on(&["centre_id", "id"])];
}
