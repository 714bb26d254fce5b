//! Centres, the staff who act in them, and their slots.
//!
//! Parent: m20261127_000020_create_courses. Date: 2026-11-27.

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
        manager.create_table(centres()).await?;
        manager.create_table(centre_staff()).await?;
        manager.create_table(slots()).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            // A booking changes a counter that no index has: with room in the page, no index entry is written.
            manager.get_connection().execute_unprepared("ALTER TABLE slots SET (fillfactor = 70)").await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Slots::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(CentreStaff::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(Centres::Table).to_owned()).await
    }
}

fn centres() -> TableCreateStatement {
    let latitude = Expr::cust("latitude BETWEEN -90 AND 90");
    let longitude = Expr::cust(
        "(longitude IS NULL) = (latitude IS NULL) AND (longitude IS NULL OR longitude BETWEEN -180 AND 180)",
    );
    Table::create()
        .table(Centres::Table)
        .col(ColumnDef::new(Centres::Id).uuid().not_null())
        .col(ColumnDef::new(Centres::Name).string_len(200).not_null())
        .col(ColumnDef::new(Centres::Address).string_len(500).not_null())
        .col(ColumnDef::new(Centres::City).string_len(100))
        .col(ColumnDef::new(Centres::PostalCode).string_len(20))
        .col(ColumnDef::new(Centres::TimeZone).string_len(64).not_null())
        .col(ColumnDef::new(Centres::Latitude).double())
        .col(ColumnDef::new(Centres::Longitude).double())
        .col(ColumnDef::new(Centres::PhoneNumber).string_len(32))
        .col(ColumnDef::new(Centres::Active).boolean().not_null().default(true))
        .col(ColumnDef::new(Centres::CreatedAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(Centres::UpdatedAt).timestamp_with_time_zone().not_null())
        .primary_key(Index::create().name("centres_pkey").col(Centres::Id))
        .check(Check::named("centres_latitude_check", latitude))
        .check(Check::named("centres_longitude_check", longitude))
        .to_owned()
}

fn centre_staff() -> TableCreateStatement {
    let key = Index::create().name("centre_staff_pkey").col(CentreStaff::UserId).col(CentreStaff::CentreId).to_owned();
    let mut centre = ForeignKey::create();
    centre
        .name("centre_staff_centre_id_fkey")
        .from(CentreStaff::Table, CentreStaff::CentreId)
        .to(Centres::Table, Centres::Id);
    let mut user = ForeignKey::create();
    user.name("centre_staff_user_id_fkey")
        .from(CentreStaff::Table, CentreStaff::UserId)
        .to(Users::Table, Users::Id)
        .on_delete(ForeignKeyAction::Cascade);
    Table::create()
        .table(CentreStaff::Table)
        .col(ColumnDef::new(CentreStaff::UserId).uuid().not_null())
        .col(ColumnDef::new(CentreStaff::CentreId).uuid().not_null())
        .col(ColumnDef::new(CentreStaff::CreatedAt).timestamp_with_time_zone().not_null())
        .primary_key(&mut key.to_owned())
        .foreign_key(&mut centre)
        .foreign_key(&mut user)
        .to_owned()
}

fn slots() -> TableCreateStatement {
    let mut centre = ForeignKey::create();
    centre.name("slots_centre_id_fkey").from(Slots::Table, Slots::CentreId).to(Centres::Table, Centres::Id);
    let mut vaccine = ForeignKey::create();
    vaccine.name("slots_vaccine_id_fkey").from(Slots::Table, Slots::VaccineId).to(Vaccines::Table, Vaccines::Id);
    Table::create()
        .table(Slots::Table)
        .col(ColumnDef::new(Slots::Id).uuid().not_null())
        .col(ColumnDef::new(Slots::CentreId).uuid().not_null())
        .col(ColumnDef::new(Slots::VaccineId).uuid().not_null())
        .col(ColumnDef::new(Slots::StartsAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(Slots::EndsAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(Slots::Capacity).integer().not_null())
        .col(ColumnDef::new(Slots::Booked).integer().not_null().default(0))
        .col(ColumnDef::new(Slots::Held).integer().not_null().default(0))
        .col(ColumnDef::new(Slots::InvitedOnly).boolean().not_null().default(false))
        .col(ColumnDef::new(Slots::ClosedAt).timestamp_with_time_zone())
        .col(ColumnDef::new(Slots::ClosedReason).string_len(500))
        .col(ColumnDef::new(Slots::CreatedAt).timestamp_with_time_zone().not_null())
        .primary_key(Index::create().name("slots_pkey").col(Slots::Id))
        .foreign_key(&mut centre)
        .foreign_key(&mut vaccine)
        .check(Check::named("slots_ends_at_check", Expr::cust("ends_at > starts_at")))
        .check(Check::named("slots_capacity_check", Expr::cust("capacity BETWEEN 0 AND 100000")))
        .check(Check::named(
            "slots_booked_check",
            Expr::cust("booked >= 0 AND held >= 0 AND booked + held <= capacity"),
        ))
        .to_owned()
}

fn indexes() -> Vec<IndexCreateStatement> {
    let on_slots = |name: &str, columns: &[Slots]| {
        let mut index = Index::create();
        index.name(name).table(Slots::Table);
        for column in columns {
            index.col(*column);
        }
        index
    };
    let mut closed = on_slots("slots_closed_at_idx", &[Slots::ClosedAt]);
    closed.and_where(Expr::cust("closed_at IS NOT NULL"));
    let mut key =
        on_slots("slots_centre_id_vaccine_id_starts_at_key", &[Slots::CentreId, Slots::VaccineId, Slots::StartsAt]);
    key.unique();
    vec![
        Index::create()
            .name("centre_staff_centre_id_idx")
            .table(CentreStaff::Table)
            .col(CentreStaff::CentreId)
            .to_owned(),
        key,
        on_slots("slots_centre_id_starts_at_id_idx", &[Slots::CentreId, Slots::StartsAt, Slots::Id]),
        on_slots("slots_vaccine_id_starts_at_id_idx", &[Slots::VaccineId, Slots::StartsAt, Slots::Id]),
        closed,
    ]
}

#[derive(DeriveIden)]
enum Centres {
    Table,
    Id,
    Name,
    Address,
    City,
    PostalCode,
    TimeZone,
    Latitude,
    Longitude,
    PhoneNumber,
    Active,
    CreatedAt,
    UpdatedAt,
}

#[derive(DeriveIden)]
enum CentreStaff {
    Table,
    UserId,
    CentreId,
    CreatedAt,
}

#[derive(Clone, Copy, DeriveIden)]
enum Slots {
    Table,
    Id,
    CentreId,
    VaccineId,
    StartsAt,
    EndsAt,
    Capacity,
    Booked,
    Held,
    InvitedOnly,
    ClosedAt,
    ClosedReason,
    CreatedAt,
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
