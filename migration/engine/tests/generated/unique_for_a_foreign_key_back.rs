//! unique for a foreign key back.
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
        AlterTable::table(Pets::Table)
            .drop_foreign_key("pets_owner_email_fkey", [Pets::OwnerEmail])
            .apply(manager)
            .await?;
        AlterTable::table(People::Table).drop_unique("people_email_key", [People::Email]).apply(manager).await?;
        // The data of pets.owner_email is lost.
        AlterTable::table(Pets::Table).drop_column(Pets::OwnerEmail).apply(manager).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // This fails if rows of people have the same email.
        // On PostgreSQL, readers and writers of people wait while the index is built; if the table is large,
        // create a unique index CONCURRENTLY first, and make the constraint USING it.
        AlterTable::table(People::Table).add_unique("people_email_key", [People::Email]).apply(manager).await?;
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
