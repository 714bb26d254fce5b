//! chinook postgres.
//!
//! Parent: none. Date: 2026-11-28.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The rows of playlist_track are lost.
        manager.drop_table(Table::drop().table(PlaylistTrack::Table).to_owned()).await?;
        // The rows of invoice_line are lost.
        manager.drop_table(Table::drop().table(InvoiceLine::Table).to_owned()).await?;
        // The rows of track are lost.
        manager.drop_table(Table::drop().table(Track::Table).to_owned()).await?;
        // The rows of playlist are lost.
        manager.drop_table(Table::drop().table(Playlist::Table).to_owned()).await?;
        // The rows of media_type are lost.
        manager.drop_table(Table::drop().table(MediaType::Table).to_owned()).await?;
        // The rows of invoice are lost.
        manager.drop_table(Table::drop().table(Invoice::Table).to_owned()).await?;
        // The rows of genre are lost.
        manager.drop_table(Table::drop().table(Genre::Table).to_owned()).await?;
        // The rows of customer are lost.
        manager.drop_table(Table::drop().table(Customer::Table).to_owned()).await?;
        // The rows of employee are lost.
        manager.drop_table(Table::drop().table(Employee::Table).to_owned()).await?;
        // The rows of album are lost.
        manager.drop_table(Table::drop().table(Album::Table).to_owned()).await?;
        // The rows of artist are lost.
        manager.drop_table(Table::drop().table(Artist::Table).to_owned()).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(artist()).await?;
        manager.create_table(album()).await?;
        let index = Index::create().name("album_artist_id_idx").table(Album::Table).col(Album::ArtistId).to_owned();
        manager.create_index(index).await?;
        manager.create_table(employee()).await?;
        manager.create_table(customer()).await?;
        manager.create_table(genre()).await?;
        manager.create_table(invoice()).await?;
        manager.create_table(media_type()).await?;
        manager.create_table(playlist()).await?;
        manager.create_table(track()).await?;
        let index = Index::create().name("track_album_id_idx").table(Track::Table).col(Track::AlbumId).to_owned();
        manager.create_index(index).await?;
        manager.create_table(invoice_line()).await?;
        manager.create_table(playlist_track()).await?;
        Ok(())
    }
}

fn artist() -> TableCreateStatement {
    Table::create()
        .table(Artist::Table)
        .col(ColumnDef::new(Artist::ArtistId).integer().not_null().auto_increment().primary_key())
        .col(ColumnDef::new(Artist::Name).string_len(120))
        .to_owned()
}

fn album() -> TableCreateStatement {
    Table::create()
        .table(Album::Table)
        .col(ColumnDef::new(Album::AlbumId).integer().not_null().auto_increment().primary_key())
        .col(ColumnDef::new(Album::Title).string_len(160).not_null())
        .col(ColumnDef::new(Album::ArtistId).integer().not_null())
        .foreign_key(
            ForeignKey::create()
                .name("album_artist_id_fkey")
                .from(Album::Table, Album::ArtistId)
                .to(Artist::Table, Artist::ArtistId),
        )
        .to_owned()
}

fn employee() -> TableCreateStatement {
    Table::create()
        .table(Employee::Table)
        .col(ColumnDef::new(Employee::EmployeeId).integer().not_null().auto_increment().primary_key())
        .col(ColumnDef::new(Employee::LastName).string_len(20).not_null())
        .col(ColumnDef::new(Employee::FirstName).string_len(20).not_null())
        .col(ColumnDef::new(Employee::Title).string_len(30))
        .col(ColumnDef::new(Employee::ReportsTo).integer())
        .col(ColumnDef::new(Employee::BirthDate).date_time())
        .col(ColumnDef::new(Employee::HireDate).date_time())
        .col(ColumnDef::new(Employee::Email).string_len(60))
        .foreign_key(
            ForeignKey::create()
                .name("employee_reports_to_fkey")
                .from(Employee::Table, Employee::ReportsTo)
                .to(Employee::Table, Employee::EmployeeId),
        )
        .to_owned()
}

fn customer() -> TableCreateStatement {
    Table::create()
        .table(Customer::Table)
        .col(ColumnDef::new(Customer::CustomerId).integer().not_null())
        .col(ColumnDef::new(Customer::FirstName).string_len(40).not_null())
        .col(ColumnDef::new(Customer::LastName).string_len(20).not_null())
        .col(ColumnDef::new(Customer::Company).string_len(80))
        .col(ColumnDef::new(Customer::Country).string_len(40))
        .col(ColumnDef::new(Customer::Email).string_len(60).not_null())
        .col(ColumnDef::new(Customer::SupportRepId).integer())
        .primary_key(Index::create().name("customer_pkey").col(Customer::CustomerId))
        .foreign_key(
            ForeignKey::create()
                .name("customer_support_rep_id_fkey")
                .from(Customer::Table, Customer::SupportRepId)
                .to(Employee::Table, Employee::EmployeeId),
        )
        .to_owned()
}

fn genre() -> TableCreateStatement {
    Table::create()
        .table(Genre::Table)
        .col(ColumnDef::new(Genre::GenreId).integer().not_null())
        .col(ColumnDef::new(Genre::Name).string_len(120))
        .primary_key(Index::create().name("genre_pkey").col(Genre::GenreId))
        .to_owned()
}

fn invoice() -> TableCreateStatement {
    Table::create()
        .table(Invoice::Table)
        .col(ColumnDef::new(Invoice::InvoiceId).integer().not_null())
        .col(ColumnDef::new(Invoice::CustomerId).integer().not_null())
        .col(ColumnDef::new(Invoice::InvoiceDate).date_time().not_null())
        .col(ColumnDef::new(Invoice::BillingCity).string_len(40))
        .col(ColumnDef::new(Invoice::Total).decimal_len(10, 2).not_null())
        .primary_key(Index::create().name("invoice_pkey").col(Invoice::InvoiceId))
        .foreign_key(
            ForeignKey::create()
                .name("invoice_customer_id_fkey")
                .from(Invoice::Table, Invoice::CustomerId)
                .to(Customer::Table, Customer::CustomerId),
        )
        .to_owned()
}

fn media_type() -> TableCreateStatement {
    Table::create()
        .table(MediaType::Table)
        .col(ColumnDef::new(MediaType::MediaTypeId).integer().not_null())
        .col(ColumnDef::new(MediaType::Name).string_len(120))
        .primary_key(Index::create().name("media_type_pkey").col(MediaType::MediaTypeId))
        .to_owned()
}

fn playlist() -> TableCreateStatement {
    Table::create()
        .table(Playlist::Table)
        .col(ColumnDef::new(Playlist::PlaylistId).integer().not_null())
        .col(ColumnDef::new(Playlist::Name).string_len(120))
        .primary_key(Index::create().name("playlist_pkey").col(Playlist::PlaylistId))
        .to_owned()
}

fn track() -> TableCreateStatement {
    Table::create()
        .table(Track::Table)
        .col(ColumnDef::new(Track::TrackId).integer().not_null())
        .col(ColumnDef::new(Track::Name).string_len(200).not_null())
        .col(ColumnDef::new(Track::AlbumId).integer())
        .col(ColumnDef::new(Track::MediaTypeId).integer().not_null())
        .col(ColumnDef::new(Track::GenreId).integer())
        .col(ColumnDef::new(Track::Composer).string_len(220))
        .col(ColumnDef::new(Track::Milliseconds).integer().not_null())
        .col(ColumnDef::new(Track::Bytes).integer())
        .col(ColumnDef::new(Track::UnitPrice).decimal_len(10, 2).not_null())
        .primary_key(Index::create().name("track_pkey").col(Track::TrackId))
        .foreign_key(
            ForeignKey::create()
                .name("track_album_id_fkey")
                .from(Track::Table, Track::AlbumId)
                .to(Album::Table, Album::AlbumId),
        )
        .to_owned()
}

fn invoice_line() -> TableCreateStatement {
    Table::create()
        .table(InvoiceLine::Table)
        .col(ColumnDef::new(InvoiceLine::InvoiceLineId).integer().not_null())
        .col(ColumnDef::new(InvoiceLine::InvoiceId).integer().not_null())
        .col(ColumnDef::new(InvoiceLine::TrackId).integer().not_null())
        .col(ColumnDef::new(InvoiceLine::UnitPrice).decimal_len(10, 2).not_null())
        .col(ColumnDef::new(InvoiceLine::Quantity).integer().not_null())
        .primary_key(Index::create().name("invoice_line_pkey").col(InvoiceLine::InvoiceLineId))
        .foreign_key(
            ForeignKey::create()
                .name("invoice_line_invoice_id_fkey")
                .from(InvoiceLine::Table, InvoiceLine::InvoiceId)
                .to(Invoice::Table, Invoice::InvoiceId),
        )
        .foreign_key(
            ForeignKey::create()
                .name("invoice_line_track_id_fkey")
                .from(InvoiceLine::Table, InvoiceLine::TrackId)
                .to(Track::Table, Track::TrackId),
        )
        .to_owned()
}

fn playlist_track() -> TableCreateStatement {
    Table::create()
        .table(PlaylistTrack::Table)
        .col(ColumnDef::new(PlaylistTrack::PlaylistId).integer().not_null())
        .col(ColumnDef::new(PlaylistTrack::TrackId).integer().not_null())
        .primary_key(
            Index::create().name("playlist_track_pkey").col(PlaylistTrack::PlaylistId).col(PlaylistTrack::TrackId),
        )
        .foreign_key(
            ForeignKey::create()
                .name("playlist_track_playlist_id_fkey")
                .from(PlaylistTrack::Table, PlaylistTrack::PlaylistId)
                .to(Playlist::Table, Playlist::PlaylistId),
        )
        .foreign_key(
            ForeignKey::create()
                .name("playlist_track_track_id_fkey")
                .from(PlaylistTrack::Table, PlaylistTrack::TrackId)
                .to(Track::Table, Track::TrackId),
        )
        .to_owned()
}

#[derive(DeriveIden)]
#[allow(clippy::enum_variant_names, reason = "the names of the columns")]
enum Album {
    Table,
    AlbumId,
    ArtistId,
    Title,
}

#[derive(DeriveIden)]
#[allow(clippy::enum_variant_names, reason = "the names of the columns")]
enum Artist {
    Table,
    ArtistId,
    Name,
}

#[derive(DeriveIden)]
#[allow(clippy::enum_variant_names, reason = "the names of the columns")]
enum Customer {
    Table,
    Company,
    Country,
    CustomerId,
    Email,
    FirstName,
    LastName,
    SupportRepId,
}

#[derive(DeriveIden)]
#[allow(clippy::enum_variant_names, reason = "the names of the columns")]
enum Employee {
    Table,
    BirthDate,
    Email,
    EmployeeId,
    FirstName,
    HireDate,
    LastName,
    ReportsTo,
    Title,
}

#[derive(DeriveIden)]
#[allow(clippy::enum_variant_names, reason = "the names of the columns")]
enum Genre {
    Table,
    GenreId,
    Name,
}

#[derive(DeriveIden)]
#[allow(clippy::enum_variant_names, reason = "the names of the columns")]
enum Invoice {
    Table,
    BillingCity,
    CustomerId,
    InvoiceDate,
    InvoiceId,
    Total,
}

#[derive(DeriveIden)]
#[allow(clippy::enum_variant_names, reason = "the names of the columns")]
enum InvoiceLine {
    Table,
    InvoiceId,
    InvoiceLineId,
    Quantity,
    TrackId,
    UnitPrice,
}

#[derive(DeriveIden)]
#[allow(clippy::enum_variant_names, reason = "the names of the columns")]
enum MediaType {
    Table,
    MediaTypeId,
    Name,
}

#[derive(DeriveIden)]
#[allow(clippy::enum_variant_names, reason = "the names of the columns")]
enum Playlist {
    Table,
    Name,
    PlaylistId,
}

#[derive(DeriveIden)]
enum PlaylistTrack {
    Table,
    PlaylistId,
    TrackId,
}

#[derive(DeriveIden)]
#[allow(clippy::enum_variant_names, reason = "the names of the columns")]
enum Track {
    Table,
    AlbumId,
    Bytes,
    Composer,
    GenreId,
    MediaTypeId,
    Milliseconds,
    Name,
    TrackId,
    UnitPrice,
}
