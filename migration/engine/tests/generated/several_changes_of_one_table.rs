//! several changes of one table.
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
        // On PostgreSQL, the type of people.name changes without a rewrite of the table.
        // The data of people.weight is lost.
        // This fails if rows of people have the same email.
        // This fails if rows of people violate people_height_check.
        // On PostgreSQL, readers and writers of people wait while its rows are checked; if there are many, add the
        // CHECK NOT VALID, and validate it in a later migration.
        AlterTable::table(People::Table)
            .alter_type(ColumnDef::new(People::Name).string_len(120))
            .add_column(ColumnDef::new(People::Height).integer().not_null().default(170))
            .drop_column(People::Weight)
            .add_check("people_height_check", Expr::cust("height > 0"))
            .apply(manager)
            .await?;
        // On PostgreSQL, writers of people wait while the index is built; if the table is large, create it
        // CONCURRENTLY in a migration without a transaction.
        let index = Index::create().name("people_height_idx").table(People::Table).col(People::Height).to_owned();
        manager.create_index(index).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("people_height_idx").to_owned()).await?;
        // On PostgreSQL, readers and writers of people wait while the table is rewritten with the new type; if it
        // is large, add another column, and fill it in parts.
        // Decide: values of people.name may not fit into varchar(100).
        // The data of people.height is lost.
        AlterTable::table(People::Table)
            .drop_constraint("people_height_check")
            .alter_type(ColumnDef::new(People::Name).string_len(100))
            .add_column(ColumnDef::new(People::Weight).float())
            .drop_column(People::Height)
            .apply(manager)
            .await?;
        manager.drop_index(Index::drop().name("people_email_key").to_owned()).await?;
        Ok(())
    }
}

#[derive(DeriveIden)]
enum People {
    Table,
    Email,
    Height,
    Name,
    Weight,
}
