//! changed only postgres.
//!
//! Parent: none. Date: 2026-11-28.

use revisions::AlterTable;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

const CONDITION_1: &str = "\
    ALTER TABLE \"arrays\" ALTER COLUMN \"moods\" TYPE \"mood\"[] USING \"moods\"::text[]::\"mood\"[]";

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Postgres {
            manager.get_connection().execute_unprepared("ALTER TYPE \"mood\" RENAME TO \"mood_old\"").await?;
            manager
                .get_connection()
                .execute_unprepared("CREATE TYPE \"mood\" AS ENUM ('sad', 'happy', 'so so', 'it''s ok')")
                .await?;
            manager.get_connection().execute_unprepared(CONDITION_1).await?;
            manager.get_connection().execute_unprepared("DROP TYPE \"mood_old\"").await?;
        }
        if manager.get_database_backend() == DbBackend::Postgres {
            manager.drop_index(Index::drop().name("arrays_document_idx").to_owned()).await?;
        }
        if manager.get_database_backend() == DbBackend::Postgres {
            manager.drop_index(Index::drop().name("arrays_tags_idx").to_owned()).await?;
        }
        // On PostgreSQL, readers and writers of arrays wait while the table is rewritten with the new column.
        let mut number = ColumnDef::new(Arrays::Number).integer().not_null().to_owned();
        if manager.get_database_backend() == DbBackend::Postgres {
            number.auto_increment();
        }
        AlterTable::table(Arrays::Table)
            .add_column(
                ColumnDef::new(Arrays::Mood)
                    .enumeration("mood", ["sad", "happy", "so so", "it's ok"])
                    .not_null()
                    .default("sad"),
            )
            .add_column(&mut number)
            .apply(manager)
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The data of arrays.mood is lost.
        // The data of arrays.number is lost.
        manager.alter_table(Table::alter().table(Arrays::Table).drop_column(Arrays::Mood).to_owned()).await?;
        manager.alter_table(Table::alter().table(Arrays::Table).drop_column(Arrays::Number).to_owned()).await?;
        // On PostgreSQL, writers of arrays wait while the index is built; if the table is large, create it
        // CONCURRENTLY in a migration without a transaction.
        if manager.get_database_backend() == DbBackend::Postgres {
            let index = Index::create()
                .name("arrays_document_idx")
                .table(Arrays::Table)
                .col(Arrays::Document)
                .index_type(IndexType::Custom("gin".into_iden()))
                .to_owned();
            manager.create_index(index).await?;
        }
        // On PostgreSQL, writers of arrays wait while the index is built; if the table is large, create it
        // CONCURRENTLY in a migration without a transaction.
        if manager.get_database_backend() == DbBackend::Postgres {
            let index = Index::create()
                .name("arrays_tags_idx")
                .table(Arrays::Table)
                .col(Arrays::Tags)
                .index_type(IndexType::Custom("gin".into_iden()))
                .to_owned();
            manager.create_index(index).await?;
        }
        // Decide: this fails if a row has sad or so so; set another value first.
        if manager.get_database_backend() == DbBackend::Postgres {
            manager.get_connection().execute_unprepared("ALTER TYPE \"mood\" RENAME TO \"mood_old\"").await?;
            manager.get_connection().execute_unprepared("CREATE TYPE \"mood\" AS ENUM ('happy', 'it''s ok')").await?;
            manager.get_connection().execute_unprepared(CONDITION_1).await?;
            manager.get_connection().execute_unprepared("DROP TYPE \"mood_old\"").await?;
        }
        Ok(())
    }
}

#[derive(DeriveIden)]
enum Arrays {
    Table,
    Document,
    Mood,
    Number,
    Tags,
}
