//! Create books and loans.
//!
//! Parent: none. Date: 2026-11-28.

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
        if manager.get_database_backend() == DbBackend::Postgres {
            manager.get_connection().execute_unprepared("CREATE TYPE \"genre\" AS ENUM ('novel', 'science')").await?;
        }
        manager.create_table(books()).await?;
        let index = Index::create()
            .name("books_genre_title_idx")
            .table(Books::Table)
            .col(Books::Genre)
            .col(Books::Title)
            .to_owned();
        manager.create_index(index).await?;
        manager
            .get_connection()
            .execute_unprepared("CREATE INDEX \"books_lower_title_idx\" ON \"books\" (lower(title))")
            .await?;
        manager.create_table(loans()).await?;
        let index = Index::create()
            .unique()
            .name("loans_book_id_key")
            .table(Loans::Table)
            .col(Loans::BookId)
            .and_where(Expr::cust("returned_at IS NULL"))
            .to_owned();
        manager.create_index(index).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The rows of loans are lost.
        manager.drop_table(Table::drop().table(Loans::Table).to_owned()).await?;
        // The rows of books are lost.
        manager.drop_table(Table::drop().table(Books::Table).to_owned()).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            manager.get_connection().execute_unprepared("DROP TYPE \"genre\"").await?;
        }
        Ok(())
    }
}

fn books() -> TableCreateStatement {
    Table::create()
        .table(Books::Table)
        .col(ColumnDef::new(Books::Id).integer().not_null().auto_increment().primary_key())
        .col(ColumnDef::new(Books::Isbn).string().not_null())
        .col(ColumnDef::new(Books::Title).string().not_null())
        .col(ColumnDef::new(Books::Genre).enumeration("genre", ["novel", "science"]).not_null())
        .col(ColumnDef::new(Books::State).string_len(10).not_null().default("good"))
        .index(Index::create().unique().name("books_isbn_key").col(Books::Isbn))
        .check(Check::named("books_state_check", Expr::col(Books::State).is_in(["good", "worn"])))
        .to_owned()
}

fn loans() -> TableCreateStatement {
    Table::create()
        .table(Loans::Table)
        .col(ColumnDef::new(Loans::Id).integer().not_null().auto_increment().primary_key())
        .col(ColumnDef::new(Loans::BookId).integer().not_null())
        .col(ColumnDef::new(Loans::Reader).string().not_null())
        .col(ColumnDef::new(Loans::LentAt).timestamp_with_time_zone().not_null())
        .col(ColumnDef::new(Loans::ReturnedAt).timestamp_with_time_zone())
        .foreign_key(
            ForeignKey::create()
                .name("loans_book_id_fkey")
                .from(Loans::Table, Loans::BookId)
                .to(Books::Table, Books::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

#[derive(DeriveIden)]
enum Books {
    Table,
    Genre,
    Id,
    Isbn,
    State,
    Title,
}

#[derive(DeriveIden)]
enum Loans {
    Table,
    BookId,
    Id,
    LentAt,
    Reader,
    ReturnedAt,
}
