//! Assignments of staff to the centres in which they act.

use revisions::TableExtras;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "centre_staff")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false, indexed)]
    pub centre_id: Uuid,
    pub created_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "centre_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub centre: BelongsTo<super::centres::Entity>,
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub user: BelongsTo<super::users::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {}
