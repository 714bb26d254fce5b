//! Immunizations: doses that were given, here or elsewhere. A dose that does not count stays.

use revisions::{CompositeIndex, TableExtras, enum_values};
use sea_orm::entity::prelude::*;

use crate::{ImmunizationSource, ImmunizationStatus};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "immunizations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub patient_id: Uuid,
    /// The course of the vaccine.
    pub course_id: Uuid,
    pub vaccine_id: Uuid,
    /// Number in the course; null if it does not count.
    #[sea_orm(extra = "CONSTRAINT immunizations_dose_number_check CHECK (dose_number >= 1)")]
    pub dose_number: Option<i32>,
    /// The rule that the dose breaks. One that counts by grace breaks one, too.
    #[sea_orm(column_type = "String(StringLen::N(32))", nullable)]
    pub broken_rule: Option<String>,
    pub source: ImmunizationSource,
    #[sea_orm(default_value = "completed")]
    pub status: ImmunizationStatus,
    /// The request for it.
    pub request_id: Option<Uuid>,
    /// The centre that gave it.
    #[sea_orm(
        extra = "CONSTRAINT immunizations_centre_id_check CHECK (source = 'reported' OR centre_id IS NOT NULL AND lot_id IS NOT NULL AND administered_at IS NOT NULL)"
    )]
    pub centre_id: Option<Uuid>,
    pub lot_id: Option<Uuid>,
    #[sea_orm(column_type = "String(StringLen::N(20))", nullable)]
    pub lot_number: Option<String>,
    /// Expiry date of the lot.
    pub expires_on: Option<Date>,
    /// Site of the body.
    #[sea_orm(column_type = "String(StringLen::N(50))", nullable)]
    pub site: Option<String>,
    /// Route into the body.
    #[sea_orm(column_type = "String(StringLen::N(50))", nullable)]
    pub route: Option<String>,
    /// The day, where it was given.
    pub administered_on: Date,
    pub administered_at: Option<DateTimeUtc>,
    /// Account of the person who gave it.
    #[sea_orm(indexed)]
    pub performer_id: Option<Uuid>,
    /// Why it was given although a rule did not pass.
    #[sea_orm(column_type = "String(StringLen::N(500))", nullable)]
    pub override_reason: Option<String>,
    /// Account that reported it.
    #[sea_orm(indexed)]
    pub reported_by: Option<Uuid>,
    /// When staff saw the evidence of a reported dose.
    pub verified_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "centre_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub centre: BelongsTo<Option<super::centres::Entity>>,
    #[sea_orm(belongs_to, from = "course_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub course: BelongsTo<super::courses::Entity>,
    #[sea_orm(belongs_to, from = "patient_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub patient: BelongsTo<super::patients::Entity>,
    #[sea_orm(belongs_to, from = "lot_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub lot: BelongsTo<Option<super::lots::Entity>>,
    #[sea_orm(
        belongs_to,
        relation_enum = "Performer",
        from = "performer_id",
        to = "id",
        on_update = "NoAction",
        on_delete = "SetNull"
    )]
    pub performer: BelongsTo<Option<super::users::Entity>>,
    #[sea_orm(
        belongs_to,
        relation_enum = "Reporter",
        from = "reported_by",
        to = "id",
        on_update = "NoAction",
        on_delete = "SetNull"
    )]
    pub reporter: BelongsTo<Option<super::users::Entity>>,
    #[sea_orm(belongs_to, from = "request_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub request: BelongsTo<Option<super::vaccine_requests::Entity>>,
    #[sea_orm(belongs_to, from = "vaccine_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub vaccine: BelongsTo<super::vaccines::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {
    const INDEXES: &[CompositeIndex] = &[
        CompositeIndex::unique(&["patient_id", "course_id", "dose_number"])
            .filter("status = 'completed' AND dose_number IS NOT NULL"),
        CompositeIndex::unique(&["patient_id", "vaccine_id", "administered_on"]).filter("status = 'completed'"),
        CompositeIndex::unique(&["request_id"]).filter("status = 'completed' AND request_id IS NOT NULL"),
        CompositeIndex::on(&["request_id", "id"]).filter("request_id IS NOT NULL"),
        CompositeIndex::on(&["patient_id", "id"]),
        CompositeIndex::on(&["lot_id", "id"]).filter("lot_id IS NOT NULL"),
    ];

    fn enum_values() -> Vec<(Column, Vec<String>)> {
        vec![
            (Column::Source, enum_values::<ImmunizationSource>()),
            (Column::Status, enum_values::<ImmunizationStatus>()),
        ]
    }
}
