//! Patients: the people who are vaccinated. A patient stays when the contact is deleted.

use revisions::{CompositeIndex, TableExtras};
use sea_orm::Iterable as _;
use sea_orm::entity::prelude::*;

use crate::PatientRelation;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "patients")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Account of the patient, or of the user who cares for them.
    pub user_id: Option<Uuid>,
    #[sea_orm(
        unique,
        extra = "CONSTRAINT patients_contact_id_check CHECK (contact_id IS NULL OR relation = 'dependant')"
    )]
    pub contact_id: Option<Uuid>,
    pub relation: PatientRelation,
    /// Name for display. Null if it is no longer known.
    #[sea_orm(column_type = "String(StringLen::N(255))", nullable)]
    pub name: Option<String>,
    #[sea_orm(column_type = "String(StringLen::N(100))", nullable)]
    pub given_name: Option<String>,
    #[sea_orm(column_type = "String(StringLen::N(100))", nullable)]
    pub family_name: Option<String>,
    #[sea_orm(extra = "CONSTRAINT patients_birth_year_check CHECK (birth_year BETWEEN 1900 AND 9999)")]
    pub birth_year: Option<i16>,
    /// Month from 1. Year, month and day may be known, month and day, or the year alone.
    pub birth_month: Option<i16>,
    #[sea_orm(
        extra = "CONSTRAINT patients_birth_day_check CHECK (CASE WHEN birth_month IS NULL OR birth_day IS NULL THEN birth_month IS NULL AND birth_day IS NULL WHEN birth_month = 2 AND birth_day = 29 AND birth_year IS NOT NULL THEN birth_year % 4 = 0 AND (birth_year % 100 <> 0 OR birth_year % 400 = 0) WHEN birth_month = 2 THEN birth_day BETWEEN 1 AND 29 WHEN birth_month IN (4, 6, 9, 11) THEN birth_day BETWEEN 1 AND 30 ELSE birth_month BETWEEN 1 AND 12 AND birth_day BETWEEN 1 AND 31 END)"
    )]
    pub birth_day: Option<i16>,
    /// Number of requests that are pending, approved or booked. While there are any, the contact cannot be deleted.
    #[sea_orm(
        default_value = 0,
        extra = "CONSTRAINT patients_open_requests_check CHECK (open_requests >= 0 AND (open_requests = 0 OR relation <> 'dependant' OR contact_id IS NOT NULL))"
    )]
    pub open_requests: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "contact_id", to = "id", on_update = "NoAction", on_delete = "SetNull")]
    pub contact: BelongsTo<Option<super::contacts::Entity>>,
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub user: BelongsTo<Option<super::users::Entity>>,
    #[sea_orm(has_many)]
    pub vaccine_requests: HasMany<super::vaccine_requests::Entity>,
    #[sea_orm(has_many)]
    pub idempotency_keys: HasMany<super::idempotency_keys::Entity>,
    #[sea_orm(has_many)]
    pub immunizations: HasMany<super::immunizations::Entity>,
    #[sea_orm(has_many)]
    pub patient_words: HasMany<super::patient_words::Entity>,
    #[sea_orm(has_many)]
    pub invitation_uses: HasMany<super::invitation_uses::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {
    const INDEXES: &[CompositeIndex] =
        &[CompositeIndex::unique(&["user_id"]).filter("relation = 'self'"), CompositeIndex::on(&["user_id", "id"])];

    fn enum_values() -> Vec<(Column, Vec<String>)> {
        vec![(Column::Relation, PatientRelation::iter().map(|relation| relation.to_string()).collect())]
    }
}
