//! table with everything back.
//!
//! Parent: none. Date: 2026-11-21.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The rows of visits are lost.
        manager.drop_table(Table::drop().table(Visits::Table).to_owned()).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(visits()).await?;
        let index = Index::create()
            .name("visits_kind_at_idx")
            .table(Visits::Table)
            .col(Visits::Kind)
            .col(Visits::At)
            .and_where(Expr::cust("NOT paid"))
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create().name("visits_seen_by_idx").table(Visits::Table).col(Visits::SeenBy).to_owned();
        manager.create_index(index).await?;
        Ok(())
    }
}

fn visits() -> TableCreateStatement {
    Table::create()
        .table(Visits::Table)
        .col(ColumnDef::new(Visits::PetId).uuid().not_null())
        .col(ColumnDef::new(Visits::Number).integer().not_null().default(1))
        .col(ColumnDef::new(Visits::Kind).string_len(10).not_null().default("check-up"))
        .col(ColumnDef::new(Visits::SeenBy).uuid())
        .col(ColumnDef::new(Visits::Paid).boolean().not_null().default(false))
        .col(ColumnDef::new(Visits::Note).text())
        .col(ColumnDef::new(Visits::At).timestamp_with_time_zone().not_null())
        .primary_key(Index::create().name("visits_pkey").col(Visits::PetId).col(Visits::Number))
        .index(Index::create().unique().name("visits_pet_id_at_key").col(Visits::PetId).col(Visits::At))
        .foreign_key(
            ForeignKey::create()
                .name("visits_pet_id_fkey")
                .from(Visits::Table, Visits::PetId)
                .to(Pets::Table, Pets::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .foreign_key(
            ForeignKey::create()
                .name("visits_seen_by_fkey")
                .from(Visits::Table, Visits::SeenBy)
                .to(People::Table, People::Id)
                .on_update(ForeignKeyAction::Cascade)
                .on_delete(ForeignKeyAction::SetNull),
        )
        .check(Check::named("visits_kind_check", Expr::col(Visits::Kind).is_in(["check-up", "it's urgent"])))
        .check(Check::named("visits_number_check", Expr::cust("number >= 1 AND number <= 99")))
        .to_owned()
}

#[derive(DeriveIden)]
enum People {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum Pets {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum Visits {
    Table,
    At,
    Kind,
    Note,
    Number,
    Paid,
    PetId,
    SeenBy,
}
