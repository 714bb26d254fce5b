//! Lots, arrivals at a centre, and doses that were given there.
//!
//! Parent: m20261128_000031_create_schedules_and_immunizations. Date: 2026-11-28.

use revisions::AlterTable;
use sea_orm_migration::prelude::*;

use crate::audit_actions;

const WITHIN_RECEIVED: &str = "\
    used >= 0 AND wasted >= 0 AND (received IS NULL OR used + wasted <= received)";

const IS_AT_CENTRE: &str = "\
    (checked_in_at IS NULL) = (centre_id IS NULL) AND (checked_in_at IS NULL OR status IN ('approved', \
    'booked', 'administered'))";

const IS_COMPLETE: &str = "\
    source = 'reported' OR centre_id IS NOT NULL AND lot_id IS NOT NULL AND administered_at IS NOT NULL";

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(lots()).await?;
        let index = Index::create().name("lots_vaccine_id_idx").table(Lots::Table).col(Lots::VaccineId).to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .unique()
            .name("lots_centre_id_vaccine_id_lot_number_key")
            .table(Lots::Table)
            .col(Lots::CentreId)
            .col(Lots::VaccineId)
            .col(Lots::LotNumber)
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("lots_centre_id_id_idx")
            .table(Lots::Table)
            .col(Lots::CentreId)
            .col(Lots::Id)
            .to_owned();
        manager.create_index(index).await?;
        audit_actions::add(manager, 32).await?;
        // This fails if rows of vaccine_requests violate vaccine_requests_checked_in_at_check.
        AlterTable::table(VaccineRequests::Table)
            .add_column(ColumnDef::new(VaccineRequests::CheckedInAt).timestamp_with_time_zone())
            .add_column(ColumnDef::new(VaccineRequests::CentreId).uuid())
            .add_column(ColumnDef::new(VaccineRequests::IdentifiedBy).string_len(100))
            .add_column(ColumnDef::new(VaccineRequests::Answers).text())
            .add_foreign_key(
                ForeignKey::create()
                    .name("vaccine_requests_centre_id_fkey")
                    .from(VaccineRequests::Table, VaccineRequests::CentreId)
                    .to(Centres::Table, Centres::Id),
            )
            .add_check("vaccine_requests_checked_in_at_check", Expr::cust(IS_AT_CENTRE))
            .apply(manager)
            .await?;
        // This fails if rows of immunizations have the same request_id.
        // This fails if rows of immunizations violate immunizations_centre_id_check.
        AlterTable::table(Immunizations::Table)
            .add_column(ColumnDef::new(Immunizations::RequestId).uuid())
            .add_column(ColumnDef::new(Immunizations::CentreId).uuid())
            .add_column(ColumnDef::new(Immunizations::LotId).uuid())
            .add_column(ColumnDef::new(Immunizations::ExpiresOn).date())
            .add_column(ColumnDef::new(Immunizations::Site).string_len(50))
            .add_column(ColumnDef::new(Immunizations::Route).string_len(50))
            .add_column(ColumnDef::new(Immunizations::AdministeredAt).timestamp_with_time_zone())
            .add_column(ColumnDef::new(Immunizations::PerformerId).uuid())
            .add_column(ColumnDef::new(Immunizations::OverrideReason).string_len(500))
            .add_column(ColumnDef::new(Immunizations::VerifiedAt).timestamp_with_time_zone())
            .add_foreign_key(
                ForeignKey::create()
                    .name("immunizations_centre_id_fkey")
                    .from(Immunizations::Table, Immunizations::CentreId)
                    .to(Centres::Table, Centres::Id),
            )
            .add_foreign_key(
                ForeignKey::create()
                    .name("immunizations_lot_id_fkey")
                    .from(Immunizations::Table, Immunizations::LotId)
                    .to(Lots::Table, Lots::Id),
            )
            .add_foreign_key(
                ForeignKey::create()
                    .name("immunizations_performer_id_fkey")
                    .from(Immunizations::Table, Immunizations::PerformerId)
                    .to(Users::Table, Users::Id)
                    .on_delete(ForeignKeyAction::SetNull),
            )
            .add_foreign_key(
                ForeignKey::create()
                    .name("immunizations_request_id_fkey")
                    .from(Immunizations::Table, Immunizations::RequestId)
                    .to(VaccineRequests::Table, VaccineRequests::Id),
            )
            .add_check("immunizations_centre_id_check", Expr::cust(IS_COMPLETE))
            .apply(manager)
            .await?;
        let index = Index::create()
            .name("vaccine_requests_centre_id_checked_in_at_id_idx")
            .table(VaccineRequests::Table)
            .col(VaccineRequests::CentreId)
            .col(VaccineRequests::CheckedInAt)
            .col(VaccineRequests::Id)
            .and_where(Expr::cust("centre_id IS NOT NULL"))
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("immunizations_performer_id_idx")
            .table(Immunizations::Table)
            .col(Immunizations::PerformerId)
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .unique()
            .name("immunizations_request_id_key")
            .table(Immunizations::Table)
            .col(Immunizations::RequestId)
            .and_where(Expr::cust("status = 'completed' AND request_id IS NOT NULL"))
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("immunizations_request_id_id_idx")
            .table(Immunizations::Table)
            .col(Immunizations::RequestId)
            .col(Immunizations::Id)
            .and_where(Expr::cust("request_id IS NOT NULL"))
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("immunizations_lot_id_id_idx")
            .table(Immunizations::Table)
            .col(Immunizations::LotId)
            .col(Immunizations::Id)
            .and_where(Expr::cust("lot_id IS NOT NULL"))
            .to_owned();
        manager.create_index(index).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("immunizations_performer_id_idx").to_owned()).await?;
        manager.drop_index(Index::drop().name("immunizations_request_id_key").to_owned()).await?;
        manager.drop_index(Index::drop().name("immunizations_request_id_id_idx").to_owned()).await?;
        manager.drop_index(Index::drop().name("immunizations_lot_id_id_idx").to_owned()).await?;
        manager.drop_index(Index::drop().name("vaccine_requests_centre_id_checked_in_at_id_idx").to_owned()).await?;
        audit_actions::remove(manager, 32).await?;
        // Without the centre and the lot, a dose is one that was reported.
        let given_here = Query::update()
            .table(Immunizations::Table)
            .value(Immunizations::Source, "reported")
            .and_where(Expr::col(Immunizations::Source).eq("given_here"))
            .to_owned();
        manager.execute(given_here).await?;
        // The data of immunizations.request_id is lost.
        // The data of immunizations.centre_id is lost.
        // The data of immunizations.lot_id is lost.
        // The data of immunizations.expires_on is lost.
        // The data of immunizations.site is lost.
        // The data of immunizations.route is lost.
        // The data of immunizations.administered_at is lost.
        // The data of immunizations.performer_id is lost.
        // The data of immunizations.override_reason is lost.
        // The data of immunizations.verified_at is lost.
        AlterTable::table(Immunizations::Table)
            .drop_foreign_key("immunizations_centre_id_fkey", [Immunizations::CentreId])
            .drop_foreign_key("immunizations_lot_id_fkey", [Immunizations::LotId])
            .drop_foreign_key("immunizations_performer_id_fkey", [Immunizations::PerformerId])
            .drop_foreign_key("immunizations_request_id_fkey", [Immunizations::RequestId])
            .drop_constraint("immunizations_centre_id_check")
            .drop_column(Immunizations::RequestId)
            .drop_column(Immunizations::CentreId)
            .drop_column(Immunizations::LotId)
            .drop_column(Immunizations::ExpiresOn)
            .drop_column(Immunizations::Site)
            .drop_column(Immunizations::Route)
            .drop_column(Immunizations::AdministeredAt)
            .drop_column(Immunizations::PerformerId)
            .drop_column(Immunizations::OverrideReason)
            .drop_column(Immunizations::VerifiedAt)
            .apply(manager)
            .await?;
        // The data of vaccine_requests.checked_in_at is lost.
        // The data of vaccine_requests.centre_id is lost.
        // The data of vaccine_requests.identified_by is lost.
        // The data of vaccine_requests.answers is lost.
        AlterTable::table(VaccineRequests::Table)
            .drop_foreign_key("vaccine_requests_centre_id_fkey", [VaccineRequests::CentreId])
            .drop_constraint("vaccine_requests_checked_in_at_check")
            .drop_column(VaccineRequests::CheckedInAt)
            .drop_column(VaccineRequests::CentreId)
            .drop_column(VaccineRequests::IdentifiedBy)
            .drop_column(VaccineRequests::Answers)
            .apply(manager)
            .await?;
        // The rows of lots are lost.
        manager.drop_table(Table::drop().table(Lots::Table).to_owned()).await?;
        Ok(())
    }
}

fn lots() -> TableCreateStatement {
    Table::create()
        .table(Lots::Table)
        .col(ColumnDef::new(Lots::Id).uuid().not_null())
        .col(ColumnDef::new(Lots::CentreId).uuid().not_null())
        .col(ColumnDef::new(Lots::VaccineId).uuid().not_null())
        .col(ColumnDef::new(Lots::LotNumber).string_len(20).not_null())
        .col(ColumnDef::new(Lots::ExpiresOn).date().not_null())
        .col(ColumnDef::new(Lots::Received).integer())
        .col(ColumnDef::new(Lots::Used).integer().not_null().default(0))
        .col(ColumnDef::new(Lots::Wasted).integer().not_null().default(0))
        .col(ColumnDef::new(Lots::RecalledAt).timestamp_with_time_zone())
        .col(ColumnDef::new(Lots::CreatedAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(Lots::UpdatedAt).timestamp_with_time_zone().not_null())
        .primary_key(Index::create().name("lots_pkey").col(Lots::Id))
        .foreign_key(
            ForeignKey::create()
                .name("lots_centre_id_fkey")
                .from(Lots::Table, Lots::CentreId)
                .to(Centres::Table, Centres::Id),
        )
        .foreign_key(
            ForeignKey::create()
                .name("lots_vaccine_id_fkey")
                .from(Lots::Table, Lots::VaccineId)
                .to(Vaccines::Table, Vaccines::Id),
        )
        .check(Check::named("lots_received_check", Expr::cust("received >= 0")))
        .check(Check::named("lots_used_check", Expr::cust(WITHIN_RECEIVED)))
        .to_owned()
}

#[derive(DeriveIden)]
enum Centres {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum Immunizations {
    Table,
    AdministeredAt,
    CentreId,
    ExpiresOn,
    Id,
    LotId,
    OverrideReason,
    PerformerId,
    RequestId,
    Route,
    Site,
    Source,
    VerifiedAt,
}

#[derive(DeriveIden)]
enum Lots {
    Table,
    CentreId,
    CreatedAt,
    ExpiresOn,
    Id,
    LotNumber,
    RecalledAt,
    Received,
    UpdatedAt,
    Used,
    VaccineId,
    Wasted,
}

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum VaccineRequests {
    Table,
    Answers,
    CentreId,
    CheckedInAt,
    Id,
    IdentifiedBy,
}

#[derive(DeriveIden)]
enum Vaccines {
    Table,
    Id,
}
