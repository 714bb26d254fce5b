//! Contacts: people that a user keeps, perhaps in their care.
//!
//! Parent: m20261121_000010_create_contact_imports. Date: 2026-11-21.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// Condition of a valid birthday: an existing calendar day with or without a year, or all three null.
const BIRTHDAY: &str = "CASE WHEN birth_month IS NULL OR birth_day IS NULL \
    THEN birth_month IS NULL AND birth_day IS NULL AND birth_year IS NULL \
    WHEN birth_month = 2 AND birth_day = 29 AND birth_year IS NOT NULL \
    THEN birth_year % 4 = 0 AND (birth_year % 100 <> 0 OR birth_year % 400 = 0) \
    WHEN birth_month = 2 THEN birth_day BETWEEN 1 AND 29 \
    WHEN birth_month IN (4, 6, 9, 11) THEN birth_day BETWEEN 1 AND 30 \
    ELSE birth_month BETWEEN 1 AND 12 AND birth_day BETWEEN 1 AND 31 END";

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(table(manager.get_database_backend())).await?;
        // Partial, because many contacts have no e-mail.
        let one_email = Index::create()
            .unique()
            .name("contacts_user_id_email_key")
            .table(Contacts::Table)
            .col(Contacts::UserId)
            .col(Contacts::Email)
            .and_where(Expr::col(Contacts::Email).is_not_null())
            .to_owned();
        manager.create_index(one_email).await?;
        // Covering index: it has all columns that a search reads, so the rows themselves are not read.
        let by_name = Index::create()
            .name("contacts_user_id_last_folded_first_folded_id_email_idx")
            .table(Contacts::Table)
            .col(Contacts::UserId)
            .col(Contacts::LastFolded)
            .col(Contacts::FirstFolded)
            .col(Contacts::Id)
            .col(Contacts::Email)
            .to_owned();
        manager.create_index(by_name).await?;
        let by_birthday = Index::create()
            .name("contacts_user_id_birth_month_birth_day_id_idx")
            .table(Contacts::Table)
            .col(Contacts::UserId)
            .col(Contacts::BirthMonth)
            .col(Contacts::BirthDay)
            .col(Contacts::Id)
            .to_owned();
        manager.create_index(by_birthday).await?;
        let by_import =
            Index::create().name("contacts_import_id_idx").table(Contacts::Table).col(Contacts::ImportId).to_owned();
        manager.create_index(by_import).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Contacts::Table).to_owned()).await
    }
}

fn table(backend: DbBackend) -> TableCreateStatement {
    let mut user = ForeignKey::create();
    user.name("contacts_user_id_fkey")
        .from(Contacts::Table, Contacts::UserId)
        .to(Users::Table, Users::Id)
        .on_delete(ForeignKeyAction::Cascade);
    let mut import = ForeignKey::create();
    import
        .name("contacts_import_id_fkey")
        .from(Contacts::Table, Contacts::ImportId)
        .to(ContactImports::Table, ContactImports::Id)
        .on_delete(ForeignKeyAction::Cascade);
    // Byte order on both databases. On SQLite it is the default.
    let folded = |column| {
        let mut folded = ColumnDef::new(column).text().not_null().to_owned();
        if backend == DbBackend::Postgres {
            folded.extra("COLLATE \"C\"");
        }
        folded
    };
    let mut table = Table::create();
    if backend == DbBackend::Sqlite {
        // WITHOUT ROWID stores rows in primary-key order: the rows of a user together, whatever the size of the table.
        table.extra("WITHOUT ROWID");
    }
    table
        .table(Contacts::Table)
        .col(ColumnDef::new(Contacts::Id).uuid().not_null())
        .col(ColumnDef::new(Contacts::UserId).uuid().not_null())
        .col(ColumnDef::new(Contacts::ImportId).uuid())
        .col(ColumnDef::new(Contacts::FirstName).string_len(100).not_null())
        .col(ColumnDef::new(Contacts::LastName).string_len(100).not_null())
        .col(folded(Contacts::FirstFolded))
        .col(folded(Contacts::LastFolded))
        .col(ColumnDef::new(Contacts::Email).string_len(254))
        .col(ColumnDef::new(Contacts::PhoneNumber).string_len(32))
        .col(ColumnDef::new(Contacts::BirthMonth).small_integer())
        .col(ColumnDef::new(Contacts::BirthDay).small_integer())
        .col(ColumnDef::new(Contacts::BirthYear).small_integer())
        .col(ColumnDef::new(Contacts::Notes).string_len(2000))
        .col(ColumnDef::new(Contacts::CreatedAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(Contacts::UpdatedAt).timestamp_with_time_zone().not_null())
        .primary_key(Index::create().name("contacts_pkey").col(Contacts::UserId).col(Contacts::Id))
        .index(Index::create().unique().name("contacts_id_key").col(Contacts::Id))
        .foreign_key(&mut user)
        .foreign_key(&mut import)
        .check(Check::named("contacts_birth_day_check", Expr::cust(BIRTHDAY)))
        .check(Check::named("contacts_birth_year_check", Expr::cust("birth_year BETWEEN 1900 AND 9999")))
        .to_owned()
}

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum ContactImports {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum Contacts {
    Table,
    Id,
    UserId,
    ImportId,
    FirstName,
    LastName,
    FirstFolded,
    LastFolded,
    Email,
    PhoneNumber,
    BirthMonth,
    BirthDay,
    BirthYear,
    Notes,
    CreatedAt,
    UpdatedAt,
}
