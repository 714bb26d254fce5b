//! Vaccines: the catalogue.

use revisions::TableExtras;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vaccines")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(column_type = "String(StringLen::N(32))", unique)]
    pub code: String,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub name: String,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub manufacturer: String,
    #[sea_orm(extra = "CONSTRAINT vaccines_doses_check CHECK (doses >= 1)")]
    pub doses: i32,
    #[sea_orm(default_value = 0, extra = "CONSTRAINT vaccines_min_interval_days_check CHECK (min_interval_days >= 0)")]
    pub min_interval_days: i32,
    #[sea_orm(extra = "CONSTRAINT vaccines_min_age_months_check CHECK (min_age_months >= 0)")]
    pub min_age_months: Option<i32>,
    #[sea_orm(extra = "CONSTRAINT vaccines_max_age_months_check CHECK (max_age_months >= min_age_months)")]
    pub max_age_months: Option<i32>,
    #[sea_orm(default_value = true)]
    pub active: bool,
    #[sea_orm(indexed)]
    pub course_id: Uuid,
    #[sea_orm(belongs_to, from = "course_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub course: BelongsTo<super::courses::Entity>,
    /// Code of CDC for the product (CVX).
    #[sea_orm(column_type = "String(StringLen::N(3))", nullable)]
    pub cvx_code: Option<String>,
    /// Codes of the other courses for which a dose counts, as a JSON array.
    #[sea_orm(column_type = "Text", default_value = "[]")]
    pub also_counts_for: String,
    #[sea_orm(has_many)]
    pub immunizations: HasMany<super::immunizations::Entity>,
    #[sea_orm(has_many)]
    pub vaccine_requests: HasMany<super::vaccine_requests::Entity>,
    #[sea_orm(has_many)]
    pub slots: HasMany<super::slots::Entity>,
    #[sea_orm(has_many)]
    pub lots: HasMany<super::lots::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {}
