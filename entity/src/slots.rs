//! Slots: appointments of a vaccine in a centre, with a capacity. The counters cannot exceed it.

use revisions::{CompositeIndex, TableExtras};
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "slots")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub centre_id: Uuid,
    pub vaccine_id: Uuid,
    pub starts_at: DateTimeUtc,
    #[sea_orm(extra = "CONSTRAINT slots_ends_at_check CHECK (ends_at > starts_at)")]
    pub ends_at: DateTimeUtc,
    #[sea_orm(extra = "CONSTRAINT slots_capacity_check CHECK (capacity BETWEEN 0 AND 100000)")]
    pub capacity: i32,
    /// Number of requests that are booked.
    #[sea_orm(
        default_value = 0,
        extra = "CONSTRAINT slots_booked_check CHECK (booked >= 0 AND held >= 0 AND booked + held <= capacity)"
    )]
    pub booked: i32,
    /// Number of places that are offered to people on the waitlist.
    #[sea_orm(default_value = 0)]
    pub held: i32,
    /// Whether booking needs an invitation.
    #[sea_orm(default_value = false)]
    pub invited_only: bool,
    pub closed_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "String(StringLen::N(500))", nullable)]
    pub closed_reason: Option<String>,
    pub created_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "centre_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub centre: BelongsTo<super::centres::Entity>,
    #[sea_orm(belongs_to, from = "vaccine_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub vaccine: BelongsTo<super::vaccines::Entity>,
    #[sea_orm(has_many)]
    pub vaccine_requests: HasMany<super::vaccine_requests::Entity>,
    #[sea_orm(has_many)]
    pub waitlist_entries: HasMany<super::waitlist_entries::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {
    const INDEXES: &[CompositeIndex] = &[
        CompositeIndex::unique(&["centre_id", "vaccine_id", "starts_at"]),
        CompositeIndex::on(&["centre_id", "starts_at", "id"]),
        CompositeIndex::on(&["vaccine_id", "starts_at", "id"]),
        CompositeIndex::on(&["closed_at"]).filter("closed_at IS NOT NULL"),
    ];
}
