//! Requests for a vaccine, from the asking to the dose.

use sea_orm::entity::prelude::*;

use crate::RequestStatus;
use crate::schema::{Described, WiderIndex, words};

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
    /// Why it was rejected.
    #[sea_orm(column_type = "String(StringLen::N(1000))", nullable)]
    pub reason: Option<String>,
    #[sea_orm(indexed)]
    pub reviewed_by: Option<Uuid>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// For whom, when not for the account's owner.
    pub contact_id: Option<Uuid>,
    /// Whether it is for somebody else, who may have been removed from the contacts since.
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

impl Described for Entity {
    const INDEXES: &[WiderIndex] = &[
        WiderIndex::unique(&["user_id", "vaccine_id", "dose_number"])
            .only("status IN ('pending', 'approved', 'booked') AND contact_id IS NULL"),
        WiderIndex::unique(&["contact_id", "vaccine_id", "dose_number"])
            .only("status IN ('pending', 'approved', 'booked')"),
        WiderIndex::on(&["contact_id", "id"]),
        WiderIndex::on(&["user_id", "id"]),
        WiderIndex::on(&["status", "id"]),
        WiderIndex::on(&["vaccine_id", "id"]),
    ];

    fn words() -> Vec<(Column, Vec<String>)> {
        vec![(Column::Status, words::<RequestStatus>())]
    }
}
