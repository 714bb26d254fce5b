//! Waitlist entries: approved requests that wait for a place, in the order of priority and id, and the places that are
//! offered to them.

use revisions::{CompositeIndex, TableExtras, enum_values};
use sea_orm::entity::prelude::*;

use crate::WaitlistStatus;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "waitlist_entries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub request_id: Uuid,
    pub course_id: Uuid,
    /// The only centre that fits; null for any.
    pub centre_id: Option<Uuid>,
    /// First day that fits, on the calendar of the centre.
    pub from_date: Date,
    /// Last day that fits.
    #[sea_orm(extra = "CONSTRAINT waitlist_entries_to_date_check CHECK (to_date >= from_date)")]
    pub to_date: Option<Date>,
    /// The lowest comes first: -1 for those whose slot was closed.
    #[sea_orm(default_value = 0)]
    pub priority: i16,
    #[sea_orm(default_value = "waiting")]
    pub status: WaitlistStatus,
    /// Slot of the offer. An entry that ended keeps that of its last offer.
    #[sea_orm(
        extra = "CONSTRAINT waitlist_entries_slot_id_check CHECK (CASE status WHEN 'waiting' THEN slot_id IS NULL AND offer_expires_at IS NULL WHEN 'offered' THEN slot_id IS NOT NULL AND offer_expires_at IS NOT NULL ELSE (slot_id IS NULL) = (offer_expires_at IS NULL) END)"
    )]
    pub slot_id: Option<Uuid>,
    pub offer_expires_at: Option<DateTimeUtc>,
    /// When the free slots were searched for one that fits. Null until then: a task does it.
    pub searched_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "centre_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub centre: BelongsTo<Option<super::centres::Entity>>,
    #[sea_orm(belongs_to, from = "course_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub course: BelongsTo<super::courses::Entity>,
    #[sea_orm(belongs_to, from = "request_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub vaccine_request: BelongsTo<super::vaccine_requests::Entity>,
    #[sea_orm(belongs_to, from = "slot_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub slot: BelongsTo<Option<super::slots::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {
    const INDEXES: &[CompositeIndex] = &[
        CompositeIndex::unique(&["request_id"]).filter("status IN ('waiting', 'offered')"),
        CompositeIndex::on(&["course_id", "centre_id", "priority", "id", "from_date"]).filter("status = 'waiting'"),
        CompositeIndex::on(&["course_id", "priority", "id", "from_date"])
            .filter("centre_id IS NULL AND status = 'waiting'"),
        CompositeIndex::on(&["course_id", "priority", "id"]).filter("status = 'waiting'"),
        CompositeIndex::on(&["offer_expires_at"]).filter("status = 'offered'"),
        CompositeIndex::on(&["slot_id"]).filter("status = 'offered'"),
        CompositeIndex::on(&["id"]).filter("searched_at IS NULL AND status = 'waiting'"),
        CompositeIndex::on(&["to_date"]).filter("status = 'waiting'"),
        CompositeIndex::on(&["request_id", "id"]),
    ];

    fn enum_values() -> Vec<(Column, Vec<String>)> {
        vec![(Column::Status, enum_values::<WaitlistStatus>())]
    }
}
