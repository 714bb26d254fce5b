//! Contact imports: one row per imported file, so that an import can be undone.
//!
//! Parent: m20261121_000009_find_users_and_sessions. Date: 2026-11-21.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let formats = ["csv", "vcard"];
        let mut user = ForeignKey::create();
        user.name("contact_imports_user_id_fkey")
            .from(ContactImports::Table, ContactImports::UserId)
            .to(Users::Table, Users::Id)
            .on_delete(ForeignKeyAction::Cascade);
        let table = Table::create()
            .table(ContactImports::Table)
            .col(ColumnDef::new(ContactImports::Id).uuid().not_null())
            .col(ColumnDef::new(ContactImports::UserId).uuid().not_null())
            .col(ColumnDef::new(ContactImports::Format).string_len(16).not_null())
            .col(ColumnDef::new(ContactImports::Imported).integer().not_null())
            .col(ColumnDef::new(ContactImports::Rejected).integer().not_null())
            .col(ColumnDef::new(ContactImports::CreatedAt).timestamp_with_time_zone().not_null())
            .primary_key(Index::create().name("contact_imports_pkey").col(ContactImports::Id))
            .foreign_key(&mut user)
            .check(Check::named("contact_imports_format_check", Expr::col(ContactImports::Format).is_in(formats)))
            .to_owned();
        manager.create_table(table).await?;
        let list = Index::create()
            .name("contact_imports_user_id_id_idx")
            .table(ContactImports::Table)
            .col(ContactImports::UserId)
            .col(ContactImports::Id)
            .to_owned();
        manager.create_index(list).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(ContactImports::Table).to_owned()).await
    }
}

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum ContactImports {
    Table,
    Id,
    UserId,
    Format,
    Imported,
    Rejected,
    CreatedAt,
}
