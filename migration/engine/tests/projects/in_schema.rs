//! in schema.
//!
//! Parent: none. Date: 2026-11-28.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(settings()).await?;
        let index = Index::create().name("settings_name_idx").table(Settings::Table).col(Settings::Name).to_owned();
        manager.create_index(index).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The rows of settings are lost.
        manager.drop_table(Table::drop().table(Settings::Table).to_owned()).await?;
        Ok(())
    }
}

fn settings() -> TableCreateStatement {
    Table::create()
        .table(Settings::Table)
        .col(ColumnDef::new(Settings::Id).integer().not_null().auto_increment().primary_key())
        .col(ColumnDef::new(Settings::Name).string().not_null())
        .col(ColumnDef::new(Settings::ParentId).integer())
        .foreign_key(
            ForeignKey::create()
                .name("settings_parent_id_fkey")
                .from(Settings::Table, Settings::ParentId)
                .to(Settings::Table, Settings::Id),
        )
        .to_owned()
}

#[derive(DeriveIden)]
enum Settings {
    Table,
    Id,
    Name,
    ParentId,
}
