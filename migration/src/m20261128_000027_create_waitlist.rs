//! Waitlist: entries of approved requests that wait for a place, and the places that are offered to them.
//!
//! Parent: m20261127_000026_add_search_words. Date: 2026-11-28.

use sea_orm_migration::prelude::*;

/// An offer is a held place: it has a slot and an expiry. An entry that ended keeps those of its last offer.
const SLOT_CHECK: &str = "CASE status WHEN 'waiting' THEN slot_id IS NULL AND offer_expires_at IS NULL \
    WHEN 'offered' THEN slot_id IS NOT NULL AND offer_expires_at IS NOT NULL \
    ELSE (slot_id IS NULL) = (offer_expires_at IS NULL) END";

const STATUSES: [&str; 6] = ["waiting", "offered", "accepted", "declined", "expired", "left"];

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(table()).await?;
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Held places are free again.
        let slots = Query::update()
            .table(Slots::Table)
            .value(Slots::Held, 0)
            .and_where(Expr::col(Slots::Held).gt(0))
            .to_owned();
        manager.execute(slots).await?;
        manager.drop_table(Table::drop().table(WaitlistEntries::Table).to_owned()).await
    }
}

fn table() -> TableCreateStatement {
    let mut centre = key_to(WaitlistEntries::CentreId, Referred::Centres);
    let mut course = key_to(WaitlistEntries::CourseId, Referred::Courses);
    let mut slot = key_to(WaitlistEntries::SlotId, Referred::Slots);
    let mut request = key_to(WaitlistEntries::RequestId, Referred::VaccineRequests);
    Table::create()
        .table(WaitlistEntries::Table)
        .col(ColumnDef::new(WaitlistEntries::Id).uuid().not_null())
        .col(ColumnDef::new(WaitlistEntries::RequestId).uuid().not_null())
        .col(ColumnDef::new(WaitlistEntries::CourseId).uuid().not_null())
        .col(ColumnDef::new(WaitlistEntries::CentreId).uuid())
        .col(ColumnDef::new(WaitlistEntries::FromDate).date().not_null())
        .col(ColumnDef::new(WaitlistEntries::ToDate).date())
        .col(ColumnDef::new(WaitlistEntries::Priority).small_integer().not_null().default(0))
        .col(ColumnDef::new(WaitlistEntries::Status).string_len(16).not_null().default("waiting"))
        .col(ColumnDef::new(WaitlistEntries::SlotId).uuid())
        .col(ColumnDef::new(WaitlistEntries::OfferExpiresAt).timestamp_with_time_zone())
        .col(ColumnDef::new(WaitlistEntries::SearchedAt).timestamp_with_time_zone())
        .col(ColumnDef::new(WaitlistEntries::CreatedAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(WaitlistEntries::UpdatedAt).timestamp_with_time_zone().not_null())
        .primary_key(Index::create().name("waitlist_entries_pkey").col(WaitlistEntries::Id))
        .foreign_key(&mut centre)
        .foreign_key(&mut course)
        .foreign_key(&mut request)
        .foreign_key(&mut slot)
        .check(Check::named("waitlist_entries_status_check", Expr::col(WaitlistEntries::Status).is_in(STATUSES)))
        .check(Check::named("waitlist_entries_slot_id_check", Expr::cust(SLOT_CHECK)))
        .check(Check::named("waitlist_entries_to_date_check", Expr::cust("to_date >= from_date")))
        .to_owned()
}

fn key_to(column: WaitlistEntries, table: Referred) -> ForeignKeyCreateStatement {
    let name = format!("waitlist_entries_{}_fkey", column.to_string());
    let mut key = ForeignKey::create();
    key.name(name).from(WaitlistEntries::Table, column).to(table, WaitlistEntries::Id);
    key
}

fn indexes() -> Vec<IndexCreateStatement> {
    let on = |name: &str, columns: &[WaitlistEntries]| {
        let mut index = Index::create();
        index.name(name).table(WaitlistEntries::Table);
        for column in columns {
            index.col(*column);
        }
        index
    };
    let status = || Expr::col(WaitlistEntries::Status);
    vec![
        // A request is in the line once.
        on("waitlist_entries_request_id_key", &[WaitlistEntries::RequestId])
            .unique()
            .and_where(status().is_in(["waiting", "offered"]))
            .to_owned(),
        // The line for a place in a centre: those who wait for it, and those who wait for any centre. The latter have an
        // index of their own: PostgreSQL does not know that the rows without a centre are in order in the former.
        on(
            "waitlist_entries_course_id_centre_id_priority_id_from_date_idx",
            &[
                WaitlistEntries::CourseId,
                WaitlistEntries::CentreId,
                WaitlistEntries::Priority,
                WaitlistEntries::Id,
                WaitlistEntries::FromDate,
            ],
        )
        .and_where(status().eq("waiting"))
        .to_owned(),
        on(
            "waitlist_entries_course_id_priority_id_from_date_idx",
            &[WaitlistEntries::CourseId, WaitlistEntries::Priority, WaitlistEntries::Id, WaitlistEntries::FromDate],
        )
        .and_where(Expr::cust("centre_id IS NULL AND status = 'waiting'"))
        .to_owned(),
        // The places in the line of a course.
        on(
            "waitlist_entries_course_id_priority_id_idx",
            &[WaitlistEntries::CourseId, WaitlistEntries::Priority, WaitlistEntries::Id],
        )
        .and_where(status().eq("waiting"))
        .to_owned(),
        on("waitlist_entries_offer_expires_at_idx", &[WaitlistEntries::OfferExpiresAt])
            .and_where(status().eq("offered"))
            .to_owned(),
        on("waitlist_entries_slot_id_idx", &[WaitlistEntries::SlotId]).and_where(status().eq("offered")).to_owned(),
        on("waitlist_entries_id_idx", &[WaitlistEntries::Id])
            .and_where(Expr::cust("searched_at IS NULL AND status = 'waiting'"))
            .to_owned(),
        on("waitlist_entries_to_date_idx", &[WaitlistEntries::ToDate]).and_where(status().eq("waiting")).to_owned(),
        on("waitlist_entries_request_id_id_idx", &[WaitlistEntries::RequestId, WaitlistEntries::Id]).to_owned(),
    ]
}

#[derive(Clone, Copy, DeriveIden)]
enum WaitlistEntries {
    Table,
    Id,
    RequestId,
    CourseId,
    CentreId,
    FromDate,
    ToDate,
    Priority,
    Status,
    SlotId,
    OfferExpiresAt,
    SearchedAt,
    CreatedAt,
    UpdatedAt,
}

/// Tables that entries refer to.
#[derive(DeriveIden)]
enum Referred {
    Centres,
    Courses,
    Slots,
    VaccineRequests,
}

#[derive(DeriveIden)]
enum Slots {
    Table,
    Held,
}
