//! Contacts with one name or an organization, with UIDs, several e-mails and numbers, and the number of their last change; what
//! an import has updated, and which contacts were deleted.
//!
//! Parent: m20261128_000032_create_lots_and_record_doses. Date: 2026-11-28.

use revisions::AlterTable;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// The e-mail address on its line; there was no organization.
const FILL: &str = "\
    UPDATE contacts SET change_number = 0, search_folded = COALESCE(email || ' ', '') || '\n'";

const REQUIRE_SEARCH_FOLDED: &str = "ALTER TABLE contacts ALTER COLUMN search_folded SET NOT NULL";

const FILL_NAMES: &str = "\
    UPDATE contacts SET first_name = COALESCE(first_name, ''), \
    last_name = COALESCE(last_name, substr(organization, 1, 100), '') WHERE first_name IS NULL OR last_name IS NULL";

const CLEAR_REPEATED_EMAILS: &str = "\
    UPDATE contacts SET email = NULL, emails = NULL WHERE email IS NOT NULL AND EXISTS (SELECT 1 FROM contacts AS other \
    WHERE other.user_id = contacts.user_id AND other.email = contacts.email AND other.id < contacts.id)";

const CONDITION_1: &str = "\
    first_name IS NOT NULL OR last_name IS NOT NULL OR organization IS NOT NULL";

const CONDITION_2: &str = "\
    phone_numbers IS NULL OR phone_number IS NOT NULL AND phone_numbers LIKE '[{%}]'";

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("contacts_user_id_email_key").to_owned()).await?;
        manager
            .drop_index(Index::drop().name("contacts_user_id_last_folded_first_folded_id_email_idx").to_owned())
            .await?;
        manager.create_table(contact_books(manager.get_database_backend())).await?;
        manager.create_table(contact_import_updates(manager.get_database_backend())).await?;
        let index = Index::create()
            .name("contact_import_updates_contact_id_idx")
            .table(ContactImportUpdates::Table)
            .col(ContactImportUpdates::ContactId)
            .to_owned();
        manager.create_index(index).await?;
        manager.create_table(deleted_contacts(manager.get_database_backend())).await?;
        AlterTable::table(ContactImports::Table)
            .add_column(ColumnDef::new(ContactImports::Updated).integer().not_null().default(0))
            .add_column(ColumnDef::new(ContactImports::Skipped).integer().not_null().default(0))
            .apply(manager)
            .await?;
        let rename =
            Table::alter().table(Contacts::Table).rename_column(Contacts::LastFolded, Contacts::SortFolded).to_owned();
        manager.alter_table(rename).await?;
        let text = |column| {
            let mut column = ColumnDef::new(column).text().to_owned();
            if manager.get_database_backend() == DbBackend::Postgres {
                column.extra("COLLATE \"C\"");
            }
            column
        };
        let add = Table::alter().table(Contacts::Table).add_column(text(Contacts::SearchFolded)).to_owned();
        manager.alter_table(add).await?;
        let add = ColumnDef::new(Contacts::ChangeNumber).big_integer().to_owned();
        manager.alter_table(Table::alter().table(Contacts::Table).add_column(add).to_owned()).await?;
        manager.get_connection().execute_unprepared(FILL).await?;
        let contacts = AlterTable::table(Contacts::Table)
            .add_column(ColumnDef::new(Contacts::Uid).string_len(255))
            .alter_column(ColumnDef::new(Contacts::FirstName).string_len(100))
            .alter_column(ColumnDef::new(Contacts::LastName).string_len(100))
            .add_column(ColumnDef::new(Contacts::Organization).string_len(200))
            .add_column(ColumnDef::new(Contacts::Emails).text())
            .add_column(ColumnDef::new(Contacts::PhoneNumbers).text())
            .alter_column(ColumnDef::new(Contacts::ChangeNumber).big_integer().not_null())
            .add_check(
                "contacts_emails_check",
                Expr::cust("emails IS NULL OR email IS NOT NULL AND emails LIKE '[{%}]'"),
            )
            .add_check("contacts_first_name_check", Expr::cust(CONDITION_1))
            .add_check("contacts_phone_numbers_check", Expr::cust(CONDITION_2));
        // On PostgreSQL without the type, which has a collation.
        if manager.get_database_backend() == DbBackend::Sqlite {
            contacts.alter_column(text(Contacts::SearchFolded).not_null()).apply(manager).await?;
        } else {
            contacts.apply(manager).await?;
            manager.get_connection().execute_unprepared(REQUIRE_SEARCH_FOLDED).await?;
        }
        let index = Index::create()
            .unique()
            .name("contacts_user_id_uid_key")
            .table(Contacts::Table)
            .col(Contacts::UserId)
            .col(Contacts::Uid)
            .and_where(Expr::cust("uid IS NOT NULL"))
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("contacts_user_id_sort_folded_first_folded_id_search_folded_idx")
            .table(Contacts::Table)
            .col(Contacts::UserId)
            .col(Contacts::SortFolded)
            .col(Contacts::FirstFolded)
            .col(Contacts::Id)
            .col(Contacts::SearchFolded)
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("contacts_user_id_change_number_id_idx")
            .table(Contacts::Table)
            .col(Contacts::UserId)
            .col(Contacts::ChangeNumber)
            .col(Contacts::Id)
            .to_owned();
        manager.create_index(index).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("contacts_user_id_uid_key").to_owned()).await?;
        manager
            .drop_index(Index::drop().name("contacts_user_id_sort_folded_first_folded_id_search_folded_idx").to_owned())
            .await?;
        manager.drop_index(Index::drop().name("contacts_user_id_change_number_id_idx").to_owned()).await?;
        // The data of contact_imports.updated is lost.
        // The data of contact_imports.skipped is lost.
        AlterTable::table(ContactImports::Table)
            .drop_column(ContactImports::Updated)
            .drop_column(ContactImports::Skipped)
            .apply(manager)
            .await?;
        // The data of contacts.uid is lost, and that of organization, search_folded, emails, phone_numbers and change_number.
        AlterTable::table(Contacts::Table)
            .drop_constraint("contacts_emails_check")
            .drop_constraint("contacts_first_name_check")
            .drop_constraint("contacts_phone_numbers_check")
            .apply(manager)
            .await?;
        manager.get_connection().execute_unprepared(FILL_NAMES).await?;
        manager.get_connection().execute_unprepared(CLEAR_REPEATED_EMAILS).await?;
        AlterTable::table(Contacts::Table)
            .alter_column(ColumnDef::new(Contacts::FirstName).string_len(100).not_null())
            .alter_column(ColumnDef::new(Contacts::LastName).string_len(100).not_null())
            .drop_column(Contacts::Uid)
            .drop_column(Contacts::Organization)
            .drop_column(Contacts::SearchFolded)
            .drop_column(Contacts::Emails)
            .drop_column(Contacts::PhoneNumbers)
            .drop_column(Contacts::ChangeNumber)
            .apply(manager)
            .await?;
        let rename =
            Table::alter().table(Contacts::Table).rename_column(Contacts::SortFolded, Contacts::LastFolded).to_owned();
        manager.alter_table(rename).await?;
        let index = Index::create()
            .unique()
            .name("contacts_user_id_email_key")
            .table(Contacts::Table)
            .col(Contacts::UserId)
            .col(Contacts::Email)
            .and_where(Expr::cust("email IS NOT NULL"))
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("contacts_user_id_last_folded_first_folded_id_email_idx")
            .table(Contacts::Table)
            .col(Contacts::UserId)
            .col(Contacts::LastFolded)
            .col(Contacts::FirstFolded)
            .col(Contacts::Id)
            .col(Contacts::Email)
            .to_owned();
        manager.create_index(index).await?;
        // The rows of deleted_contacts are lost.
        manager.drop_table(Table::drop().table(DeletedContacts::Table).to_owned()).await?;
        // The rows of contact_import_updates are lost.
        manager.drop_table(Table::drop().table(ContactImportUpdates::Table).to_owned()).await?;
        // The rows of contact_books are lost.
        manager.drop_table(Table::drop().table(ContactBooks::Table).to_owned()).await?;
        Ok(())
    }
}

fn contact_books(backend: DbBackend) -> TableCreateStatement {
    let mut table = Table::create()
        .table(ContactBooks::Table)
        .col(ColumnDef::new(ContactBooks::UserId).uuid().not_null())
        .col(ColumnDef::new(ContactBooks::LastChange).big_integer().not_null())
        .col(ColumnDef::new(ContactBooks::ChangedAt).timestamp_with_time_zone().not_null())
        .primary_key(Index::create().name("contact_books_pkey").col(ContactBooks::UserId))
        .foreign_key(
            ForeignKey::create()
                .name("contact_books_user_id_fkey")
                .from(ContactBooks::Table, ContactBooks::UserId)
                .to(Users::Table, Users::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned();
    if backend == DbBackend::Sqlite {
        table.extra("WITHOUT ROWID");
    }
    table
}

fn contact_import_updates(backend: DbBackend) -> TableCreateStatement {
    let mut table = Table::create()
        .table(ContactImportUpdates::Table)
        .col(ColumnDef::new(ContactImportUpdates::ImportId).uuid().not_null())
        .col(ColumnDef::new(ContactImportUpdates::ContactId).uuid().not_null())
        .col(ColumnDef::new(ContactImportUpdates::Previous).text().not_null())
        .primary_key(
            Index::create()
                .name("contact_import_updates_pkey")
                .col(ContactImportUpdates::ImportId)
                .col(ContactImportUpdates::ContactId),
        )
        .foreign_key(
            ForeignKey::create()
                .name("contact_import_updates_import_id_fkey")
                .from(ContactImportUpdates::Table, ContactImportUpdates::ImportId)
                .to(ContactImports::Table, ContactImports::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .foreign_key(
            ForeignKey::create()
                .name("contact_import_updates_contact_id_fkey")
                .from(ContactImportUpdates::Table, ContactImportUpdates::ContactId)
                .to(Contacts::Table, Contacts::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned();
    if backend == DbBackend::Sqlite {
        table.extra("WITHOUT ROWID");
    }
    table
}

fn deleted_contacts(backend: DbBackend) -> TableCreateStatement {
    let mut table = Table::create()
        .table(DeletedContacts::Table)
        .col(ColumnDef::new(DeletedContacts::UserId).uuid().not_null())
        .col(ColumnDef::new(DeletedContacts::ChangeNumber).big_integer().not_null())
        .col(ColumnDef::new(DeletedContacts::Id).uuid().not_null())
        .col(ColumnDef::new(DeletedContacts::DeletedAt).timestamp_with_time_zone().not_null())
        .primary_key(
            Index::create()
                .name("deleted_contacts_pkey")
                .col(DeletedContacts::UserId)
                .col(DeletedContacts::ChangeNumber)
                .col(DeletedContacts::Id),
        )
        .foreign_key(
            ForeignKey::create()
                .name("deleted_contacts_user_id_fkey")
                .from(DeletedContacts::Table, DeletedContacts::UserId)
                .to(Users::Table, Users::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned();
    if backend == DbBackend::Sqlite {
        table.extra("WITHOUT ROWID");
    }
    table
}

#[derive(DeriveIden)]
enum ContactBooks {
    Table,
    ChangedAt,
    LastChange,
    UserId,
}

#[derive(DeriveIden)]
enum ContactImportUpdates {
    Table,
    ContactId,
    ImportId,
    Previous,
}

#[derive(DeriveIden)]
enum ContactImports {
    Table,
    Id,
    Skipped,
    Updated,
}

#[derive(DeriveIden)]
enum Contacts {
    Table,
    ChangeNumber,
    Email,
    Emails,
    FirstFolded,
    FirstName,
    Id,
    LastFolded,
    LastName,
    Organization,
    PhoneNumbers,
    SearchFolded,
    SortFolded,
    Uid,
    UserId,
}

#[derive(DeriveIden)]
enum DeletedContacts {
    Table,
    ChangeNumber,
    DeletedAt,
    Id,
    UserId,
}

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
}
