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
        AlterTable::table(People::Table).rename_index("people_name_idx", "people_full_name_idx").apply(manager).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            manager.get_connection().execute_unprepared("ALTER TYPE \"mood\" ADD VALUE 'sad' BEFORE 'happy'").await?;
            manager.get_connection().execute_unprepared("ALTER TYPE \"mood\" ADD VALUE 'so so' AFTER 'happy'").await?;
        }
        // The rows of Members are lost.
        manager.drop_table(Table::drop().table(Members::Table).to_owned()).await?;
        // The rows of kinds are lost.
        manager.drop_table(Table::drop().table(Kinds::Table).to_owned()).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(Table::alter().table(People::Table).rename_column(People::FullName, People::Name).to_owned())
            .await?;
        manager
            .alter_table(Table::alter().table(People::Table).rename_column(People::Years, People::Age).to_owned())
            .await?;
        AlterTable::table(People::Table).rename_index("people_full_name_idx", "people_name_idx").apply(manager).await?;
        manager.create_table(kinds(manager.get_database_backend())).await?;
        let index = Index::create()
            .unique()
            .name("kinds_key_key")
            .table(Kinds::Table)
            .col(Kinds::Key)
            .and_where(Expr::cust("is_on"))
            .to_owned();
        manager.create_index(index).await?;
        manager
            .get_connection()
            .execute_unprepared("CREATE INDEX \"kinds_lower_code_idx\" ON \"kinds\" (lower(code))")
            .await?;
        let index =
            Index::create().name("kinds_role_day_idx").table(Kinds::Table).col(Kinds::Role).col(Kinds::Day).to_owned();
        manager.create_index(index).await?;
        let index = Index::create().name("kinds_small_idx").table(Kinds::Table).col(Kinds::Small).to_owned();
        manager.create_index(index).await?;
        manager.create_table(members()).await?;
        let index = Index::create()
            .unique()
            .name("Members_row_seat_key")
            .table(Members::Table)
            .col(Members::Row)
            .col(Members::Seat)
            .to_owned();
        manager.create_index(index).await?;
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

fn kinds(backend: DbBackend) -> TableCreateStatement {
    let mut code = ColumnDef::new(Kinds::Code).string().not_null().to_owned();
    if backend == DbBackend::Postgres {
        code.extra("COLLATE \"C\"");
    }
    Table::create()
        .table(Kinds::Table)
        .col(ColumnDef::new(Kinds::Id).big_integer().not_null().auto_increment().primary_key())
        .col(ColumnDef::new_with_type(Kinds::Bytes, ColumnType::VarBinary(StringLen::None)).not_null())
        .col(ColumnDef::new(Kinds::Blob).blob().not_null())
        .col(ColumnDef::new(Kinds::Hash).var_binary(32).not_null())
        .col(ColumnDef::new(Kinds::Mood).enumeration("mood", ["happy", "it's ok"]).not_null())
        .col(ColumnDef::new(Kinds::OtherMood).enumeration("mood", ["happy", "it's ok"]))
        .col(ColumnDef::new(Kinds::Role).string_len(10).not_null().default("guest"))
        .col(ColumnDef::new(Kinds::Level).integer().not_null())
        .col(ColumnDef::new(Kinds::Text).text().not_null())
        .col(&mut code)
        .col(ColumnDef::new(Kinds::Small).small_integer().not_null())
        .col(ColumnDef::new(Kinds::Tiny).tiny_integer().not_null())
        .col(ColumnDef::new(Kinds::Long).big_integer().not_null())
        .col(ColumnDef::new(Kinds::Single).float().not_null())
        .col(ColumnDef::new(Kinds::Double).double().not_null())
        .col(ColumnDef::new(Kinds::Amount).decimal_len(10, 2).not_null().default(0))
        .col(ColumnDef::new(Kinds::IsOn).boolean().not_null().default(true))
        .col(ColumnDef::new(Kinds::Day).date().not_null())
        .col(ColumnDef::new(Kinds::Clock).time().not_null())
        .col(ColumnDef::new(Kinds::Local).date_time().not_null())
        .col(ColumnDef::new(Kinds::Moment).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(Kinds::CreatedAt).timestamp_with_time_zone().not_null().default(Expr::current_timestamp()))
        .col(ColumnDef::new(Kinds::Key).uuid().not_null())
        .col(ColumnDef::new(Kinds::Document).json().not_null())
        .col(ColumnDef::new(Kinds::BinaryDocument).json_binary())
        .col(ColumnDef::new(Kinds::Twice).integer().generated(Expr::cust("small * 2"), true))
        .col(ColumnDef::new(Kinds::Checked).integer().not_null())
        .index(Index::create().unique().name("kinds_code_key").col(Kinds::Code))
        .check(Check::named("kinds_role_check", Expr::col(Kinds::Role).is_in(["admin", "guest"])))
        .check(Check::named("kinds_row_check", Expr::cust("long > 0")))
        .to_owned()
}

fn members() -> TableCreateStatement {
    Table::create()
        .table(Members::Table)
        .col(ColumnDef::new(Members::KindId).big_integer().not_null())
        .col(ColumnDef::new(Members::Number).integer().not_null())
        .col(ColumnDef::new(Members::Row).integer().not_null())
        .col(ColumnDef::new(Members::Seat).integer().not_null())
        .col(ColumnDef::new(Members::BossKind).big_integer())
        .col(ColumnDef::new(Members::BossNumber).integer())
        .primary_key(Index::create().name("Members_pkey").col(Members::KindId).col(Members::Number))
        .foreign_key(
            ForeignKey::create()
                .name("Members_boss_kind_boss_number_fkey")
                .from_tbl(Members::Table)
                .from_col(Members::BossKind)
                .from_col(Members::BossNumber)
                .to_tbl(Members::Table)
                .to_col(Members::KindId)
                .to_col(Members::Number),
        )
        .foreign_key(
            ForeignKey::create()
                .name("fk-members-kind")
                .from(Members::Table, Members::KindId)
                .to(Kinds::Table, Kinds::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

#[derive(DeriveIden)]
enum Members {
    #[sea_orm(iden = "Members")]
    Table,
    BossKind,
    BossNumber,
    KindId,
    Number,
    Row,
    Seat,
}

#[derive(DeriveIden)]
enum Kinds {
    Table,
    Amount,
    BinaryDocument,
    Blob,
    Bytes,
    Checked,
    Clock,
    Code,
    CreatedAt,
    Day,
    Document,
    Double,
    Hash,
    Id,
    IsOn,
    Key,
    Level,
    Local,
    Long,
    Moment,
    Mood,
    OtherMood,
    Role,
    Single,
    Small,
    Text,
    Tiny,
    Twice,
}

#[derive(DeriveIden)]
enum People {
    Table,
    Age,
    FullName,
    Name,
    Years,
}
