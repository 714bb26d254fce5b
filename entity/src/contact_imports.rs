//! Contact imports: one row per imported file, so that an import can be undone.

use revisions::{CompositeIndex, TableExtras, enum_values};
use sea_orm::entity::prelude::*;

use crate::ContactFormat;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "contact_imports")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub format: ContactFormat,
    /// Number of contacts that were created.
    pub imported: i32,
    /// Number of contacts that were updated.
    #[sea_orm(default_value = 0)]
    pub updated: i32,
    /// Number of rows that are of a contact which is there already.
    #[sea_orm(default_value = 0)]
    pub skipped: i32,
    /// Number of rejected rows.
    pub rejected: i32,
    pub created_at: DateTimeUtc,
    #[sea_orm(has_many)]
    pub contacts: HasMany<super::contacts::Entity>,
    #[sea_orm(has_many)]
    pub contact_import_updates: HasMany<super::contact_import_updates::Entity>,
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub user: BelongsTo<super::users::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {
    const INDEXES: &[CompositeIndex] = &[CompositeIndex::on(&["user_id", "id"])];

    fn enum_values() -> Vec<(Column, Vec<String>)> {
        vec![(Column::Format, enum_values::<ContactFormat>())]
    }
}
