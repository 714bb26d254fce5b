//! Vaccine requests: one row per requested dose, with its status.
//!
//! Parent: m20261121_000003_create_vaccines. Date: 2026-11-21.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(table()).await?;
        // At most one open request per person, vaccine and dose; any number of closed ones.
        let open = Index::create()
            .unique()
            .name("vaccine_requests_user_id_vaccine_id_dose_number_key")
            .table(VaccineRequests::Table)
            .col(VaccineRequests::UserId)
            .col(VaccineRequests::VaccineId)
            .col(VaccineRequests::DoseNumber)
            .and_where(Expr::col(VaccineRequests::Status).is_in(["pending", "approved", "booked"]))
            .to_owned();
        manager.create_index(open).await?;
        // Lists are filtered by one of these columns and sorted by id, newest first.
        for (name, column) in [
            ("vaccine_requests_user_id_id_idx", VaccineRequests::UserId),
            ("vaccine_requests_status_id_idx", VaccineRequests::Status),
            ("vaccine_requests_vaccine_id_id_idx", VaccineRequests::VaccineId),
        ] {
            let index = Index::create()
                .name(name)
                .table(VaccineRequests::Table)
                .col(column)
                .col(VaccineRequests::Id)
                .to_owned();
            manager.create_index(index).await?;
        }
        let reviewer = Index::create()
            .name("vaccine_requests_reviewed_by_idx")
            .table(VaccineRequests::Table)
            .col(VaccineRequests::ReviewedBy)
            .to_owned();
        manager.create_index(reviewer).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(VaccineRequests::Table).to_owned()).await
    }
}

fn table() -> TableCreateStatement {
    let statuses = ["pending", "approved", "rejected", "booked", "administered", "missed", "cancelled"];
    let mut user = ForeignKey::create();
    user.name("vaccine_requests_user_id_fkey")
        .from(VaccineRequests::Table, VaccineRequests::UserId)
        .to(Users::Table, Users::Id)
        .on_delete(ForeignKeyAction::Cascade);
    let mut vaccine = ForeignKey::create();
    vaccine
        .name("vaccine_requests_vaccine_id_fkey")
        .from(VaccineRequests::Table, VaccineRequests::VaccineId)
        .to(Vaccines::Table, Vaccines::Id);
    let mut reviewer = ForeignKey::create();
    reviewer
        .name("vaccine_requests_reviewed_by_fkey")
        .from(VaccineRequests::Table, VaccineRequests::ReviewedBy)
        .to(Users::Table, Users::Id)
        .on_delete(ForeignKeyAction::SetNull);
    Table::create()
        .table(VaccineRequests::Table)
        .col(ColumnDef::new(VaccineRequests::Id).uuid().not_null())
        .col(ColumnDef::new(VaccineRequests::UserId).uuid().not_null())
        .col(ColumnDef::new(VaccineRequests::VaccineId).uuid().not_null())
        .col(ColumnDef::new(VaccineRequests::DoseNumber).integer().not_null().default(1))
        .col(ColumnDef::new(VaccineRequests::Status).string_len(16).not_null().default("pending"))
        .col(ColumnDef::new(VaccineRequests::Note).string_len(1000))
        .col(ColumnDef::new(VaccineRequests::Reason).string_len(1000))
        .col(ColumnDef::new(VaccineRequests::ReviewedBy).uuid())
        .col(ColumnDef::new(VaccineRequests::CreatedAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(VaccineRequests::UpdatedAt).timestamp_with_time_zone().not_null())
        .primary_key(Index::create().name("vaccine_requests_pkey").col(VaccineRequests::Id))
        .foreign_key(&mut user)
        .foreign_key(&mut vaccine)
        .foreign_key(&mut reviewer)
        .check(Check::named("vaccine_requests_dose_number_check", Expr::col(VaccineRequests::DoseNumber).gte(1)))
        .check(Check::named("vaccine_requests_status_check", Expr::col(VaccineRequests::Status).is_in(statuses)))
        .to_owned()
}

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum Vaccines {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum VaccineRequests {
    Table,
    Id,
    UserId,
    VaccineId,
    DoseNumber,
    Status,
    Note,
    Reason,
    ReviewedBy,
    CreatedAt,
    UpdatedAt,
}
