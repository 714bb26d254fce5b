//! table without rowid.
//!
//! Parent: none. Date: 2026-11-21.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(words(manager.get_database_backend())).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The rows of words are lost.
        manager.drop_table(Table::drop().table(Words::Table).to_owned()).await?;
        Ok(())
    }
}

fn words(backend: DbBackend) -> TableCreateStatement {
    let mut folded = ColumnDef::new(Words::Folded).text().not_null().to_owned();
    if backend == DbBackend::Postgres {
        folded.extra("COLLATE \"C\"");
    }
    let mut table = Table::create()
        .table(Words::Table)
        .col(ColumnDef::new(Words::Owner).uuid().not_null())
        .col(&mut folded)
        .primary_key(Index::create().name("words_pkey").col(Words::Owner).col(Words::Folded))
        .to_owned();
    if backend == DbBackend::Sqlite {
        table.extra("WITHOUT ROWID");
    }
    table
}

#[derive(DeriveIden)]
enum Words {
    Table,
    Folded,
    Owner,
}
