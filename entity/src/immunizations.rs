//! Immunizations: doses that were given, here or elsewhere. A dose that does not count stays.

use sea_orm::entity::prelude::*;

use crate::schema::{CompositeIndex, TableExtras, enum_values};
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
    #[sea_orm(column_type = "String(StringLen::N(20))", nullable)]
    pub lot_number: Option<String>,
    /// The day, where it was given.
    pub administered_on: Date,
    /// Account that reported it.
    #[sea_orm(indexed)]
    pub reported_by: Option<Uuid>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "course_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub course: BelongsTo<super::courses::Entity>,
    #[sea_orm(belongs_to, from = "patient_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub patient: BelongsTo<super::patients::Entity>,
    #[sea_orm(belongs_to, from = "reported_by", to = "id", on_update = "NoAction", on_delete = "SetNull")]
    pub reporter: BelongsTo<Option<super::users::Entity>>,
    #[sea_orm(belongs_to, from = "vaccine_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub vaccine: BelongsTo<super::vaccines::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {
    const INDEXES: &[CompositeIndex] = &[
        CompositeIndex::unique(&["patient_id", "course_id", "dose_number"])
            .filter("status = 'completed' AND dose_number IS NOT NULL"),
        CompositeIndex::unique(&["patient_id", "vaccine_id", "administered_on"]).filter("status = 'completed'"),
        CompositeIndex::on(&["patient_id", "id"]),
    ];

    fn enum_values() -> Vec<(Column, Vec<String>)> {
        vec![
            (Column::Source, enum_values::<ImmunizationSource>()),
            (Column::Status, enum_values::<ImmunizationStatus>()),
        ]
    }
}
