//! Vaccine requests: one row per requested dose, with its status and its booked slot.

use revisions::{CompositeIndex, TableExtras, enum_values};
use sea_orm::entity::prelude::*;

use crate::RequestStatus;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vaccine_requests")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Account that made the request.
    pub user_id: Option<Uuid>,
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
    pub patient_id: Uuid,
    /// The course of the vaccine.
    pub course_id: Uuid,
    #[sea_orm(
        extra = "CONSTRAINT vaccine_requests_slot_id_check CHECK (CASE WHEN status IN ('booked', 'missed') THEN slot_id IS NOT NULL ELSE slot_id IS NULL OR status = 'administered' END)"
    )]
    pub slot_id: Option<Uuid>,
    /// Code to show at the centre; from the booking on.
    #[sea_orm(
        column_type = "String(StringLen::N(8))",
        nullable,
        unique,
        extra = "CONSTRAINT vaccine_requests_code_check CHECK (code IS NOT NULL OR status <> 'booked')"
    )]
    pub code: Option<String>,
    /// Number of times that the booking was moved to another slot.
    #[sea_orm(default_value = 0, extra = "CONSTRAINT vaccine_requests_moves_check CHECK (moves >= 0)")]
    pub moves: i32,
    /// The invitation that was used for it.
    pub invitation_id: Option<Uuid>,
    /// Number of changes of the booking: `SEQUENCE` of its calendar.
    #[sea_orm(default_value = 0)]
    pub revision: i32,
    /// When the patient came to the centre.
    #[sea_orm(
        extra = "CONSTRAINT vaccine_requests_checked_in_at_check CHECK ((checked_in_at IS NULL) = (centre_id IS NULL) AND (checked_in_at IS NULL OR status IN ('approved', 'booked', 'administered')))"
    )]
    pub checked_in_at: Option<DateTimeUtc>,
    /// The centre to which the patient came.
    pub centre_id: Option<Uuid>,
    /// How the patient was identified.
    #[sea_orm(column_type = "String(StringLen::N(100))", nullable)]
    pub identified_by: Option<String>,
    /// Answers to the questions of the course, as a JSON object.
    #[sea_orm(column_type = "Text", nullable)]
    pub answers: Option<String>,
    #[sea_orm(belongs_to, from = "centre_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub centre: BelongsTo<Option<super::centres::Entity>>,
    #[sea_orm(belongs_to, from = "course_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub course: BelongsTo<super::courses::Entity>,
    #[sea_orm(belongs_to, from = "invitation_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub invitation: BelongsTo<Option<super::invitations::Entity>>,
    #[sea_orm(belongs_to, from = "patient_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub patient: BelongsTo<super::patients::Entity>,
    #[sea_orm(
        belongs_to,
        relation_enum = "Reviewer",
        from = "reviewed_by",
        to = "id",
        on_update = "NoAction",
        on_delete = "SetNull"
    )]
    pub reviewer: BelongsTo<Option<super::users::Entity>>,
    #[sea_orm(belongs_to, from = "slot_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub slot: BelongsTo<Option<super::slots::Entity>>,
    #[sea_orm(
        belongs_to,
        relation_enum = "User",
        from = "user_id",
        to = "id",
        on_update = "NoAction",
        on_delete = "NoAction"
    )]
    pub user: BelongsTo<Option<super::users::Entity>>,
    #[sea_orm(belongs_to, from = "vaccine_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub vaccine: BelongsTo<super::vaccines::Entity>,
    #[sea_orm(has_many)]
    pub waitlist_entries: HasMany<super::waitlist_entries::Entity>,
    #[sea_orm(has_many)]
    pub invitation_uses: HasMany<super::invitation_uses::Entity>,
    #[sea_orm(has_many)]
    pub immunizations: HasMany<super::immunizations::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {
    const INDEXES: &[CompositeIndex] = &[
        CompositeIndex::unique(&["patient_id", "course_id", "dose_number"])
            .filter("status IN ('pending', 'approved', 'booked')"),
        CompositeIndex::on(&["patient_id", "id"]),
        CompositeIndex::on(&["slot_id", "id"]).filter("slot_id IS NOT NULL"),
        CompositeIndex::on(&["centre_id", "checked_in_at", "id"]).filter("centre_id IS NOT NULL"),
        CompositeIndex::on(&["user_id", "id"]),
        CompositeIndex::on(&["status", "id"]),
        CompositeIndex::on(&["vaccine_id", "id"]),
    ];

    fn enum_values() -> Vec<(Column, Vec<String>)> {
        vec![(Column::Status, enum_values::<RequestStatus>())]
    }
}
