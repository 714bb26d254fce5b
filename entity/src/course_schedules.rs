//! Schedules of courses: documents with versions, which never change.

use revisions::TableExtras;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "course_schedules")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub course_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i32,
    /// The rules, as JSON.
    #[sea_orm(column_type = "Text")]
    pub document: String,
    /// Account that put it.
    #[sea_orm(indexed)]
    pub created_by: Option<Uuid>,
    pub created_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "course_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub course: BelongsTo<super::courses::Entity>,
    #[sea_orm(belongs_to, from = "created_by", to = "id", on_update = "NoAction", on_delete = "SetNull")]
    pub creator: BelongsTo<Option<super::users::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {}
