//! Up to three codes that reset the password of an account, each with the flow of its request.
//!
//! Parent: m20261127_000018_note_seen_generations. Date: 2026-11-27.

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
        AlterTable::table(AccountCodes::Table)
            .drop_primary_key("account_codes_pkey")
            .add_column(ColumnDef::new(AccountCodes::Slot).small_integer().not_null().default(0))
            .add_column(ColumnDef::new(AccountCodes::FlowHash).string_len(64))
            .add_column(ColumnDef::new(AccountCodes::FlowAttempts).integer().not_null().default(0))
            .add_primary_key("account_codes_pkey", [AccountCodes::UserId, AccountCodes::Purpose, AccountCodes::Slot])
            .add_check("account_codes_flow_attempts_check", Expr::cust("flow_attempts >= 0 AND flow_attempts <= 5"))
            .add_check("account_codes_slot_check", Expr::cust("slot >= 0 AND slot <= 2"))
            .apply(manager)
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table(Outbox::Table)
                    .add_column(ColumnDef::new(Outbox::FlowHash).string_len(64))
                    .to_owned(),
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // One code of each purpose remains.
        let others = Expr::col(AccountCodes::Slot).gt(0);
        manager.execute(Query::delete().from_table(AccountCodes::Table).and_where(others).to_owned()).await?;
        AlterTable::table(AccountCodes::Table)
            .drop_primary_key("account_codes_pkey")
            .drop_constraint("account_codes_flow_attempts_check")
            .drop_constraint("account_codes_slot_check")
            .drop_column(AccountCodes::Slot)
            .drop_column(AccountCodes::FlowHash)
            .drop_column(AccountCodes::FlowAttempts)
            .add_primary_key("account_codes_pkey", [AccountCodes::UserId, AccountCodes::Purpose])
            .apply(manager)
            .await?;
        manager.alter_table(Table::alter().table(Outbox::Table).drop_column(Outbox::FlowHash).to_owned()).await?;
        Ok(())
    }
}

#[derive(DeriveIden)]
enum AccountCodes {
    Table,
    FlowAttempts,
    FlowHash,
    Purpose,
    Slot,
    UserId,
}

#[derive(DeriveIden)]
enum Outbox {
    Table,
    FlowHash,
}
