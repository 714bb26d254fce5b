//! Number changes of bookings.
//!
//! Parent: m20261128_000029_mail_bookings. Date: 2026-11-28.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table(VaccineRequests::Table)
                    .add_column(ColumnDef::new(VaccineRequests::Revision).integer().not_null().default(0))
                    .to_owned(),
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The data of vaccine_requests.revision is lost.
        manager
            .alter_table(Table::alter().table(VaccineRequests::Table).drop_column(VaccineRequests::Revision).to_owned())
            .await?;
        Ok(())
    }
}

#[derive(DeriveIden)]
enum VaccineRequests {
    Table,
    Revision,
}
