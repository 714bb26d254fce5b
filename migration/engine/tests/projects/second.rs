//! second.
//!
//! Parent: none. Date: 2026-11-28.

use revisions::AlterTable;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

const CONDITION_1: &str = "\
    ALTER TABLE \"kinds\" ALTER COLUMN \"mood\" TYPE \"mood\" USING \"mood\"::text::\"mood\"";

const CONDITION_2: &str = "\
    ALTER TABLE \"kinds\" ALTER COLUMN \"other_mood\" TYPE \"mood\" USING \"other_mood\"::text::\"mood\"";

const CONDITION_3: &str = "\
    ALTER TABLE \"people\" ALTER COLUMN \"mood\" TYPE \"mood\" USING \"mood\"::text::\"mood\"";

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(Table::alter().table(People::Table).rename_column(People::Name, People::FullName).to_owned())
            .await?;
        manager
            .alter_table(Table::alter().table(People::Table).rename_column(People::Age, People::Years).to_owned())
            .await?;
        AlterTable::table(Members::Table)
            .rename_constraint("fk-members-kind", "Members_kind_id_fkey")
            .apply(manager)
            .await?;
        AlterTable::table(People::Table).rename_index("people_name_idx", "people_full_name_idx").apply(manager).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            manager.get_connection().execute_unprepared("ALTER TYPE \"mood\" ADD VALUE 'sad' BEFORE 'happy'").await?;
            manager.get_connection().execute_unprepared("ALTER TYPE \"mood\" ADD VALUE 'so so' AFTER 'happy'").await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(Table::alter().table(People::Table).rename_column(People::FullName, People::Name).to_owned())
            .await?;
        manager
            .alter_table(Table::alter().table(People::Table).rename_column(People::Years, People::Age).to_owned())
            .await?;
        AlterTable::table(Members::Table)
            .rename_constraint("Members_kind_id_fkey", "fk-members-kind")
            .apply(manager)
            .await?;
        AlterTable::table(People::Table).rename_index("people_full_name_idx", "people_name_idx").apply(manager).await?;
        // Decide: this fails if a row has sad or so so; set another value first.
        if manager.get_database_backend() == DbBackend::Postgres {
            manager.get_connection().execute_unprepared("ALTER TYPE \"mood\" RENAME TO \"mood_old\"").await?;
            manager.get_connection().execute_unprepared("CREATE TYPE \"mood\" AS ENUM ('happy', 'it''s ok')").await?;
            manager.get_connection().execute_unprepared(CONDITION_1).await?;
            manager.get_connection().execute_unprepared(CONDITION_2).await?;
            manager.get_connection().execute_unprepared(CONDITION_3).await?;
            manager.get_connection().execute_unprepared("DROP TYPE \"mood_old\"").await?;
        }
        Ok(())
    }
}

#[derive(DeriveIden)]
enum Members {
    #[sea_orm(iden = "Members")]
    Table,
}

#[derive(DeriveIden)]
enum People {
    Table,
    Age,
    FullName,
    Name,
    Years,
}
