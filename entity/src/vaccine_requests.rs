//! Vaccine requests: one row per requested dose, with its status.

use sea_orm::entity::prelude::*;

use crate::RequestStatus;
use crate::schema::{CompositeIndex, TableExtras, enum_values};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vaccine_requests")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub vaccine_id: Uuid,
    #[sea_orm(default_value = 1, extra = "CONSTRAINT vaccine_requests_dose_number_check CHECK (dose_number >= 1)")]
    pub dose_number: i32,
    #[sea_orm(default_value = "pending")]
    pub status: RequestStatus,
    #[sea_orm(column_type = "String(StringLen::N(1000))", nullable)]
    pub note: Option<String>,
    /// Reason for the rejection.
    #[sea_orm(column_type = "String(StringLen::N(1000))", nullable)]
    pub reason: Option<String>,
    #[sea_orm(indexed)]
    pub reviewed_by: Option<Uuid>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// Contact that the dose is for; null if it is for the user.
    pub contact_id: Option<Uuid>,
    /// Whether the dose is for a contact, which may have been deleted since.
    #[sea_orm(
        default_value = false,
        extra = "CONSTRAINT vaccine_requests_contact_id_check CHECK (CASE WHEN contact_id IS NOT NULL THEN for_contact ELSE NOT for_contact OR status NOT IN ('pending', 'approved', 'booked') END)"
    )]
    pub for_contact: bool,
    #[sea_orm(belongs_to, from = "contact_id", to = "id", on_update = "NoAction", on_delete = "SetNull")]
    pub contact: BelongsTo<Option<super::contacts::Entity>>,
    #[sea_orm(
        belongs_to,
        relation_enum = "Reviewer",
        from = "reviewed_by",
        to = "id",
        on_update = "NoAction",
        on_delete = "SetNull"
    )]
    pub reviewer: BelongsTo<Option<super::users::Entity>>,
    #[sea_orm(
        belongs_to,
        relation_enum = "User",
        from = "user_id",
        to = "id",
        on_update = "NoAction",
        on_delete = "Cascade"
    )]
    pub user: BelongsTo<super::users::Entity>,
    #[sea_orm(belongs_to, from = "vaccine_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub vaccine: BelongsTo<super::vaccines::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {
    const INDEXES: &[CompositeIndex] = &[
        CompositeIndex::unique(&["user_id", "vaccine_id", "dose_number"])
            .filter("status IN ('pending', 'approved', 'booked') AND contact_id IS NULL"),
        CompositeIndex::unique(&["contact_id", "vaccine_id", "dose_number"])
            .filter("status IN ('pending', 'approved', 'booked')"),
        CompositeIndex::on(&["contact_id", "id"]),
        CompositeIndex::on(&["user_id", "id"]),
        CompositeIndex::on(&["status", "id"]),
        CompositeIndex::on(&["vaccine_id", "id"]),
    ];

    fn enum_values() -> Vec<(Column, Vec<String>)> {
        vec![(Column::Status, enum_values::<RequestStatus>())]
    }
}
