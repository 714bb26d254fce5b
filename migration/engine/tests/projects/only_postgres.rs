//! only postgres.
//!
//! Parent: none. Date: 2026-11-28.

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
        if manager.get_database_backend() == DbBackend::Postgres {
            manager.get_connection().execute_unprepared("CREATE TYPE \"mood\" AS ENUM ('happy', 'it''s ok')").await?;
        }
        manager.create_table(arrays()).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            let index = Index::create()
                .name("arrays_document_idx")
                .table(Arrays::Table)
                .col(Arrays::Document)
                .index_type(IndexType::Custom("gin".into_iden()))
                .to_owned();
            manager.create_index(index).await?;
        }
        if manager.get_database_backend() == DbBackend::Postgres {
            let index = Index::create()
                .name("arrays_tags_idx")
                .table(Arrays::Table)
                .col(Arrays::Tags)
                .index_type(IndexType::Custom("gin".into_iden()))
                .to_owned();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The rows of arrays are lost.
        manager.drop_table(Table::drop().table(Arrays::Table).to_owned()).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            manager.get_connection().execute_unprepared("DROP TYPE \"mood\"").await?;
        }
        Ok(())
    }
}

fn arrays() -> TableCreateStatement {
    Table::create()
        .table(Arrays::Table)
        .col(ColumnDef::new(Arrays::Id).uuid().not_null())
        .col(ColumnDef::new(Arrays::Tags).array(ColumnType::String(StringLen::None)).not_null())
        .col(ColumnDef::new(Arrays::Numbers).array(ColumnType::Integer))
        .col(ColumnDef::new(Arrays::Moods).array(ColumnType::custom("mood")).not_null())
        .col(ColumnDef::new(Arrays::Address).inet().not_null())
        .col(ColumnDef::new(Arrays::Words).custom("tsvector"))
        .col(ColumnDef::new(Arrays::Document).json_binary().not_null())
        .primary_key(Index::create().name("arrays_pkey").col(Arrays::Id))
        .to_owned()
}

#[derive(DeriveIden)]
enum Arrays {
    Table,
    Address,
    Document,
    Id,
    Moods,
    Numbers,
    Tags,
    Words,
}
