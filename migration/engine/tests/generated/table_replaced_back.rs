//! table replaced back.
//!
//! Parent: none. Date: 2026-11-21.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(pets()).await?;
        let index = Index::create().name("pets_owner_id_idx").table(Pets::Table).col(Pets::OwnerId).to_owned();
        manager.create_index(index).await?;
        // The rows of tags are lost.
        manager.drop_table(Table::drop().table(Tags::Table).to_owned()).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(tags()).await?;
        // The rows of pets are lost.
        manager.drop_table(Table::drop().table(Pets::Table).to_owned()).await?;
        Ok(())
    }
}

fn pets() -> TableCreateStatement {
    Table::create()
        .table(Pets::Table)
        .col(ColumnDef::new(Pets::Id).uuid().not_null())
        .col(ColumnDef::new(Pets::OwnerId).uuid().not_null())
        .col(ColumnDef::new(Pets::Name).string_len(50).not_null())
        .col(ColumnDef::new(Pets::Legs).small_integer().not_null().default(4))
        .primary_key(Index::create().name("pets_pkey").col(Pets::Id))
        .foreign_key(
            ForeignKey::create()
                .name("pets_owner_id_fkey")
                .from(Pets::Table, Pets::OwnerId)
                .to(People::Table, People::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .check(Check::named("pets_legs_check", Expr::cust("legs >= 0")))
        .to_owned()
}

fn tags() -> TableCreateStatement {
    Table::create()
        .table(Tags::Table)
        .col(ColumnDef::new(Tags::Id).uuid().not_null())
        .col(ColumnDef::new(Tags::Word).string_len(40).not_null())
        .primary_key(Index::create().name("tags_pkey").col(Tags::Id))
        .to_owned()
}

#[derive(DeriveIden)]
enum People {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum Pets {
    Table,
    Id,
    Legs,
    Name,
    OwnerId,
}

#[derive(DeriveIden)]
enum Tags {
    Table,
    Id,
    Word,
}
