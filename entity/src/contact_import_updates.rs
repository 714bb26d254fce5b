//! Updates of contacts by imports: the contact as it was before, so that undoing the import brings it back.

use revisions::TableExtras;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "contact_import_updates")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub import_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false, indexed)]
    pub contact_id: Uuid,
    /// The contact before the import, as JSON.
    #[sea_orm(column_type = "Text")]
    pub previous: String,
    #[sea_orm(belongs_to, from = "import_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub contact_import: BelongsTo<super::contact_imports::Entity>,
    #[sea_orm(belongs_to, from = "contact_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub contact: BelongsTo<super::contacts::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {
    const WITHOUT_ROWID: bool = true;
}
