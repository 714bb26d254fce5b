//! Vaccine requests for contacts. A contact with an open request cannot be deleted; a closed request still shows that
//! it was for a contact after the contact was deleted.
//!
//! Parent: m20261121_000011_create_contacts. Date: 2026-11-21.

use sea_orm_migration::prelude::*;

const OPEN: [&str; 3] = ["pending", "approved", "booked"];

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // As column constraints, because SQLite cannot add a constraint to an existing table.
        let contact = ColumnDef::new(VaccineRequests::ContactId)
            .uuid()
            .extra("CONSTRAINT vaccine_requests_contact_id_fkey REFERENCES contacts (id) ON DELETE SET NULL")
            .to_owned();
        let for_contact = ColumnDef::new(VaccineRequests::ForContact)
            .boolean()
            .not_null()
            .default(false)
            .extra(
                "CONSTRAINT vaccine_requests_contact_id_check CHECK (CASE WHEN contact_id IS NOT NULL THEN for_contact \
                 ELSE NOT for_contact OR status NOT IN ('pending', 'approved', 'booked') END)",
            )
            .to_owned();
        for column in [contact, for_contact] {
            manager.alter_table(Table::alter().table(VaccineRequests::Table).add_column(column).to_owned()).await?;
        }
        // At most one open request per person, vaccine and dose; the person is the user or a contact.
        drop_index(manager, "vaccine_requests_user_id_vaccine_id_dose_number_key").await?;
        let own = open(VaccineRequests::UserId, "vaccine_requests_user_id_vaccine_id_dose_number_key")
            .and_where(Expr::col(VaccineRequests::ContactId).is_null())
            .to_owned();
        manager.create_index(own).await?;
        let of_contact = open(VaccineRequests::ContactId, "vaccine_requests_contact_id_vaccine_id_dose_number_key");
        manager.create_index(of_contact).await?;
        let list = Index::create()
            .name("vaccine_requests_contact_id_id_idx")
            .table(VaccineRequests::Table)
            .col(VaccineRequests::ContactId)
            .col(VaccineRequests::Id)
            .to_owned();
        manager.create_index(list).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_index(manager, "vaccine_requests_contact_id_id_idx").await?;
        drop_index(manager, "vaccine_requests_contact_id_vaccine_id_dose_number_key").await?;
        drop_index(manager, "vaccine_requests_user_id_vaccine_id_dose_number_key").await?;
        // Without these columns, they would count as requests for the user.
        let of_others = Query::delete()
            .from_table(VaccineRequests::Table)
            .and_where(Expr::col(VaccineRequests::ForContact).eq(true))
            .to_owned();
        manager.execute(of_others).await?;
        for column in [VaccineRequests::ForContact, VaccineRequests::ContactId] {
            manager.alter_table(Table::alter().table(VaccineRequests::Table).drop_column(column).to_owned()).await?;
        }
        let own = open(VaccineRequests::UserId, "vaccine_requests_user_id_vaccine_id_dose_number_key");
        manager.create_index(own).await
    }
}

fn open(person: VaccineRequests, name: &str) -> IndexCreateStatement {
    Index::create()
        .unique()
        .name(name)
        .table(VaccineRequests::Table)
        .col(person)
        .col(VaccineRequests::VaccineId)
        .col(VaccineRequests::DoseNumber)
        .and_where(Expr::col(VaccineRequests::Status).is_in(OPEN))
        .to_owned()
}

async fn drop_index(manager: &SchemaManager<'_>, name: &str) -> Result<(), DbErr> {
    manager.drop_index(Index::drop().name(name).to_owned()).await
}

#[derive(DeriveIden)]
enum VaccineRequests {
    Table,
    Id,
    UserId,
    ContactId,
    ForContact,
    VaccineId,
    DoseNumber,
    Status,
}
