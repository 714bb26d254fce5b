//! Courses: what several doses belong to. Vaccines of different manufacturers can be products of the same course.

use revisions::TableExtras;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "courses")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(column_type = "String(StringLen::N(32))", unique)]
    pub code: String,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub name: String,
    /// Version of the schedule; 0 if it follows from the vaccines.
    #[sea_orm(default_value = 0, extra = "CONSTRAINT courses_schedule_version_check CHECK (schedule_version >= 0)")]
    pub schedule_version: i32,
    #[sea_orm(has_many)]
    pub course_schedules: HasMany<super::course_schedules::Entity>,
    #[sea_orm(has_many)]
    pub immunizations: HasMany<super::immunizations::Entity>,
    #[sea_orm(has_many)]
    pub vaccines: HasMany<super::vaccines::Entity>,
    #[sea_orm(has_many)]
    pub vaccine_requests: HasMany<super::vaccine_requests::Entity>,
    #[sea_orm(has_many)]
    pub waitlist_entries: HasMany<super::waitlist_entries::Entity>,
    #[sea_orm(has_many)]
    pub invitations: HasMany<super::invitations::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {}
