//! first.
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
        manager.create_table(a_table_with_a_name_that_is_quite_long_for_a_table()).await?;
        let index = Index::create()
            .name("a_table_with_a_name_that_is_quite_long_for_a_table_a_c_2eb27cb3")
            .table(ATableWithANameThatIsQuiteLongForATable::Table)
            .col(ATableWithANameThatIsQuiteLongForATable::AColumnWithALongNameOne)
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("a_table_with_a_name_that_is_quite_long_for_a_table_a_c_b3ab9441")
            .table(ATableWithANameThatIsQuiteLongForATable::Table)
            .col(ATableWithANameThatIsQuiteLongForATable::AColumnWithALongNameTwo)
            .to_owned();
        manager.create_index(index).await?;
        manager.create_table(kinds(manager.get_database_backend())).await?;
        let index = Index::create().name("kinds_small_idx").table(Kinds::Table).col(Kinds::Small).to_owned();
        manager.create_index(index).await?;
        let index =
            Index::create().name("kinds_role_day_idx").table(Kinds::Table).col(Kinds::Role).col(Kinds::Day).to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .unique()
            .name("kinds_key_key")
            .table(Kinds::Table)
            .col(Kinds::Key)
            .and_where(Expr::cust("is_on"))
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("kinds_small_on_idx")
            .table(Kinds::Table)
            .col(Kinds::Small)
            .and_where(Expr::cust("is_on"))
            .to_owned();
        manager.create_index(index).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            let index = Index::create()
                .name("kinds_binary_document_idx")
                .table(Kinds::Table)
                .col(Kinds::BinaryDocument)
                .index_type(IndexType::Custom("gin".into_iden()))
                .to_owned();
            manager.create_index(index).await?;
        }
        manager
            .get_connection()
            .execute_unprepared("CREATE INDEX \"kinds_lower_code_idx\" ON \"kinds\" (lower(code))")
            .await?;
        manager.create_table(members()).await?;
        let index = Index::create()
            .unique()
            .name("Members_row_seat_key")
            .table(Members::Table)
            .col(Members::Row)
            .col(Members::Seat)
            .to_owned();
        manager.create_index(index).await?;
        manager.create_table(option()).await?;
        manager.create_table(people()).await?;
        let index = Index::create().name("people_name_idx").table(People::Table).col(People::Name).to_owned();
        manager.create_index(index).await?;
        manager.create_table(table()).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The rows of table are lost.
        manager.drop_table(Table::drop().table(TableTable::Table).to_owned()).await?;
        // The rows of people are lost.
        manager.drop_table(Table::drop().table(People::Table).to_owned()).await?;
        // The rows of option are lost.
        manager.drop_table(Table::drop().table(OptionTable::Table).to_owned()).await?;
        // The rows of Members are lost.
        manager.drop_table(Table::drop().table(Members::Table).to_owned()).await?;
        // The rows of kinds are lost.
        manager.drop_table(Table::drop().table(Kinds::Table).to_owned()).await?;
        // The rows of a_table_with_a_name_that_is_quite_long_for_a_table are lost.
        manager.drop_table(Table::drop().table(ATableWithANameThatIsQuiteLongForATable::Table).to_owned()).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            manager.get_connection().execute_unprepared("DROP TYPE \"mood\"").await?;
        }
        Ok(())
    }
}

fn a_table_with_a_name_that_is_quite_long_for_a_table() -> TableCreateStatement {
    Table::create()
        .table(ATableWithANameThatIsQuiteLongForATable::Table)
        .col(ColumnDef::new(ATableWithANameThatIsQuiteLongForATable::Id).integer().not_null())
        .col(ColumnDef::new(ATableWithANameThatIsQuiteLongForATable::AColumnWithALongNameOne).integer().not_null())
        .col(ColumnDef::new(ATableWithANameThatIsQuiteLongForATable::AColumnWithALongNameTwo).integer().not_null())
        .col(ColumnDef::new(ATableWithANameThatIsQuiteLongForATable::AColumnWithALongNameSix).integer().not_null())
        .primary_key(
            Index::create()
                .name("a_table_with_a_name_that_is_quite_long_for_a_table_pkey")
                .col(ATableWithANameThatIsQuiteLongForATable::Id),
        )
        .index(
            Index::create()
                .unique()
                .name("a_table_with_a_name_that_is_quite_long_for_a_table_a_c_6477e144")
                .col(ATableWithANameThatIsQuiteLongForATable::AColumnWithALongNameSix),
        )
        .to_owned()
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
        .col(ColumnDef::new(Kinds::AlsoChecked).integer().not_null())
        .index(Index::create().unique().name("kinds_code_key").col(Kinds::Code))
        .check(Check::named("kinds_long_check", Expr::cust("long > 0")))
        .check(Check::named("kinds_tiny_check", Expr::cust("tiny > 0")))
        .check(Check::named("kinds_role_check", Expr::col(Kinds::Role).is_in(["admin", "guest"])))
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

fn option() -> TableCreateStatement {
    Table::create()
        .table(OptionTable::Table)
        .col(ColumnDef::new(OptionTable::Box).integer().not_null())
        .col(ColumnDef::new(OptionTable::TableNumber2).string().not_null())
        .col(ColumnDef::new(OptionTable::Type).string().not_null())
        .col(ColumnDef::new(OptionTable::Manager).string())
        .col(ColumnDef::new(OptionTable::String).string())
        .col(ColumnDef::new(OptionTable::UpperCase).integer().not_null())
        .col(ColumnDef::new(OptionTable::SelfColumn).integer().not_null())
        .col(ColumnDef::new(OptionTable::Order).integer().not_null())
        .col(ColumnDef::new(OptionTable::Up).integer().not_null())
        .primary_key(Index::create().name("option_pkey").col(OptionTable::Box))
        .to_owned()
}

fn people() -> TableCreateStatement {
    Table::create()
        .table(People::Table)
        .col(ColumnDef::new(People::Id).integer().not_null().auto_increment().primary_key())
        .col(ColumnDef::new(People::Name).string().not_null())
        .col(ColumnDef::new(People::Mood).enumeration("mood", ["happy", "it's ok"]).not_null())
        .col(ColumnDef::new(People::Age).integer().not_null())
        .check(Check::named("people_age_check", Expr::cust("age > 0")))
        .to_owned()
}

fn table() -> TableCreateStatement {
    Table::create()
        .table(TableTable::Table)
        .col(ColumnDef::new(TableTable::Id).integer().not_null())
        .col(ColumnDef::new(TableTable::TableNumber2).integer().not_null())
        .primary_key(Index::create().name("table_pkey").col(TableTable::Id))
        .index(Index::create().unique().name("table_Table_key").col(TableTable::TableNumber2))
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
enum ATableWithANameThatIsQuiteLongForATable {
    Table,
    AColumnWithALongNameOne,
    AColumnWithALongNameSix,
    AColumnWithALongNameTwo,
    Id,
}

#[derive(DeriveIden)]
enum Kinds {
    Table,
    AlsoChecked,
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
enum OptionTable {
    #[sea_orm(iden = "option")]
    Table,
    #[sea_orm(iden = "Upper Case")]
    UpperCase,
    Box,
    Manager,
    Order,
    #[sea_orm(iden = "self")]
    SelfColumn,
    String,
    #[sea_orm(iden = "table")]
    TableNumber2,
    Type,
    Up,
}

#[derive(DeriveIden)]
enum People {
    Table,
    Age,
    Id,
    Mood,
    Name,
}

#[derive(DeriveIden)]
enum TableTable {
    #[sea_orm(iden = "table")]
    Table,
    #[sea_orm(iden = "Table")]
    TableNumber2,
    Id,
}
