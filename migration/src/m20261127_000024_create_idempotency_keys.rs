//! Idempotency keys: requests that took effect, with their responses, for clients that send them again.
//!
//! Parent: m20261127_000023_create_search_words. Date: 2026-11-27.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut patient = ForeignKey::create();
        patient
            .name("idempotency_keys_patient_id_fkey")
            .from(IdempotencyKeys::Table, IdempotencyKeys::PatientId)
            .to(Patients::Table, Patients::Id)
            .on_delete(ForeignKeyAction::Cascade);
        let mut user = ForeignKey::create();
        user.name("idempotency_keys_user_id_fkey")
            .from(IdempotencyKeys::Table, IdempotencyKeys::UserId)
            .to(Users::Table, Users::Id)
            .on_delete(ForeignKeyAction::Cascade);
        let mut key = Index::create();
        key.name("idempotency_keys_pkey").col(IdempotencyKeys::UserId).col(IdempotencyKeys::Key);
        let table = Table::create()
            .table(IdempotencyKeys::Table)
            .col(ColumnDef::new(IdempotencyKeys::UserId).uuid().not_null())
            .col(ColumnDef::new(IdempotencyKeys::Key).string_len(255).not_null())
            .col(ColumnDef::new(IdempotencyKeys::RequestHash).string_len(64).not_null())
            .col(ColumnDef::new(IdempotencyKeys::Status).small_integer())
            .col(ColumnDef::new(IdempotencyKeys::Location).string_len(255))
            .col(ColumnDef::new(IdempotencyKeys::Body).text())
            .col(ColumnDef::new(IdempotencyKeys::PatientId).uuid())
            .col(ColumnDef::new(IdempotencyKeys::CreatedAt).timestamp_with_time_zone().not_null())
            .primary_key(&mut key)
            .foreign_key(&mut patient)
            .foreign_key(&mut user)
            .to_owned();
        manager.create_table(table).await?;
        for (name, column) in [
            ("idempotency_keys_patient_id_idx", IdempotencyKeys::PatientId),
            ("idempotency_keys_created_at_idx", IdempotencyKeys::CreatedAt),
        ] {
            let index = Index::create().name(name).table(IdempotencyKeys::Table).col(column).to_owned();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(IdempotencyKeys::Table).to_owned()).await
    }
}

#[derive(DeriveIden)]
enum IdempotencyKeys {
    Table,
    UserId,
    Key,
    RequestHash,
    Status,
    Location,
    Body,
    PatientId,
    CreatedAt,
}

#[derive(DeriveIden)]
enum Patients {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
}
