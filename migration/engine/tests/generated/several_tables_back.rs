//! several tables back.
//!
//! Parent: none. Date: 2026-11-21.

use revisions::AlterTable;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The data of people.nick is lost.
        manager
            .alter_table(
                Table::alter()
                    .table(People::Table)
                    .add_column(ColumnDef::new(People::Balance).decimal_len(10, 2))
                    .to_owned(),
            )
            .await?;
        manager.alter_table(Table::alter().table(People::Table).drop_column(People::Nick).to_owned()).await?;
        // On PostgreSQL, readers and writers of pets wait while the table is rewritten with the new type; if it is
        // large, add another column, and fill it in parts.
        // Decide: values of pets.name may not fit into varchar(50).
        AlterTable::table(Pets::Table)
            .drop_default(Pets::Name)
            .alter_type(ColumnDef::new(Pets::Name).string_len(50))
            .apply(manager)
            .await?;
        // The rows of tags are lost.
        manager.drop_table(Table::drop().table(Tags::Table).to_owned()).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(tags()).await?;
        // The data of people.balance is lost.
        manager
            .alter_table(
                Table::alter().table(People::Table).add_column(ColumnDef::new(People::Nick).string_len(20)).to_owned(),
            )
            .await?;
        manager.alter_table(Table::alter().table(People::Table).drop_column(People::Balance).to_owned()).await?;
        // On PostgreSQL, the type of pets.name changes without a rewrite of the table.
        AlterTable::table(Pets::Table)
            .alter_type(ColumnDef::new(Pets::Name).string_len(80))
            .set_default(Pets::Name, "Rex")
            .apply(manager)
            .await?;
        Ok(())
    }
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
    Balance,
    Nick,
}

#[derive(DeriveIden)]
enum Pets {
    Table,
    Name,
}

#[derive(DeriveIden)]
enum Tags {
    Table,
    Id,
    Word,
}
