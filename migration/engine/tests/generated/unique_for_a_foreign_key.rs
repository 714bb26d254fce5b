//! unique for a foreign key.
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
        // On PostgreSQL, writers of people wait while the index is built; if the table is large, create it
        // CONCURRENTLY in a migration without a transaction.
        let index =
            Index::create().unique().name("people_email_key").table(People::Table).col(People::Email).to_owned();
        manager.create_index(index).await?;
        // This fails if rows of people have the same email.
        // On PostgreSQL, writers of pets and people wait while all rows of pets are checked; if there are many,
        // add the key NOT VALID, and validate it in a later migration.
        AlterTable::table(Pets::Table)
            .add_column(ColumnDef::new(Pets::OwnerEmail).string_len(254))
            .add_foreign_key(
                ForeignKey::create()
                    .name("pets_owner_email_fkey")
                    .from(Pets::Table, Pets::OwnerEmail)
                    .to(People::Table, People::Email),
            )
            .apply(manager)
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        AlterTable::table(Pets::Table)
            .drop_foreign_key("pets_owner_email_fkey", [Pets::OwnerEmail])
            .apply(manager)
            .await?;
        // The data of pets.owner_email is lost.
        AlterTable::table(Pets::Table).drop_column(Pets::OwnerEmail).apply(manager).await?;
        manager.drop_index(Index::drop().name("people_email_key").to_owned()).await?;
        Ok(())
    }
}

#[derive(DeriveIden)]
enum People {
    Table,
    Email,
}

#[derive(DeriveIden)]
enum Pets {
    Table,
    OwnerEmail,
}
