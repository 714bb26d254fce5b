//! chinook sqlite.
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
        // The rows of PlaylistTrack are lost.
        manager.drop_table(Table::drop().table(PlaylistTrack::Table).to_owned()).await?;
        // The rows of InvoiceLine are lost.
        manager.drop_table(Table::drop().table(InvoiceLine::Table).to_owned()).await?;
        // The rows of Track are lost.
        manager.drop_table(Table::drop().table(Track::Table).to_owned()).await?;
        // The rows of Playlist are lost.
        manager.drop_table(Table::drop().table(Playlist::Table).to_owned()).await?;
        // The rows of MediaType are lost.
        manager.drop_table(Table::drop().table(MediaType::Table).to_owned()).await?;
        // The rows of Invoice are lost.
        manager.drop_table(Table::drop().table(Invoice::Table).to_owned()).await?;
        // The rows of Genre are lost.
        manager.drop_table(Table::drop().table(Genre::Table).to_owned()).await?;
        // The rows of Customer are lost.
        manager.drop_table(Table::drop().table(Customer::Table).to_owned()).await?;
        // The rows of Employee are lost.
        manager.drop_table(Table::drop().table(Employee::Table).to_owned()).await?;
        // The rows of Album are lost.
        manager.drop_table(Table::drop().table(Album::Table).to_owned()).await?;
        // The rows of Artist are lost.
        manager.drop_table(Table::drop().table(Artist::Table).to_owned()).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(artist()).await?;
        manager.create_table(album()).await?;
        let index = Index::create().name("IFK_AlbumArtistId").table(Album::Table).col(Album::ArtistId).to_owned();
        manager.create_index(index).await?;
        manager.create_table(employee()).await?;
        let index =
            Index::create().name("IFK_EmployeeReportsTo").table(Employee::Table).col(Employee::ReportsTo).to_owned();
        manager.create_index(index).await?;
        manager.create_table(customer()).await?;
        let index = Index::create()
            .name("IFK_CustomerSupportRepId")
            .table(Customer::Table)
            .col(Customer::SupportRepId)
            .to_owned();
        manager.create_index(index).await?;
        manager.create_table(genre()).await?;
        manager.create_table(invoice()).await?;
        let index =
            Index::create().name("IFK_InvoiceCustomerId").table(Invoice::Table).col(Invoice::CustomerId).to_owned();
        manager.create_index(index).await?;
        manager.create_table(mediatype()).await?;
        manager.create_table(playlist()).await?;
        manager.create_table(track()).await?;
        let index = Index::create().name("IFK_TrackAlbumId").table(Track::Table).col(Track::AlbumId).to_owned();
        manager.create_index(index).await?;
        manager.create_table(invoiceline()).await?;
        let index = Index::create()
            .name("IFK_InvoiceLineTrackId")
            .table(InvoiceLine::Table)
            .col(InvoiceLine::TrackId)
            .to_owned();
        manager.create_index(index).await?;
        manager.create_table(playlisttrack()).await?;
        Ok(())
    }
}

fn artist() -> TableCreateStatement {
    Table::create()
        .table(Artist::Table)
        .col(ColumnDef::new(Artist::ArtistId).integer().not_null())
        .col(ColumnDef::new(Artist::Name).custom("nvarchar(120)"))
        .primary_key(Index::create().name("PK_Artist").col(Artist::ArtistId))
        .to_owned()
}

fn album() -> TableCreateStatement {
    Table::create()
        .table(Album::Table)
        .col(ColumnDef::new(Album::AlbumId).integer().not_null())
        .col(ColumnDef::new(Album::Title).custom("nvarchar(160)").not_null())
        .col(ColumnDef::new(Album::ArtistId).integer().not_null())
        .primary_key(Index::create().name("PK_Album").col(Album::AlbumId))
        .foreign_key(
            ForeignKey::create()
                .name("Album_artistid_fkey")
                .from(Album::Table, Album::ArtistId)
                .to(Artist::Table, Artist::ArtistId),
        )
        .to_owned()
}

fn employee() -> TableCreateStatement {
    Table::create()
        .table(Employee::Table)
        .col(ColumnDef::new(Employee::EmployeeId).integer().not_null())
        .col(ColumnDef::new(Employee::LastName).custom("nvarchar(20)").not_null())
        .col(ColumnDef::new(Employee::FirstName).custom("nvarchar(20)").not_null())
        .col(ColumnDef::new(Employee::Title).custom("nvarchar(30)"))
        .col(ColumnDef::new(Employee::ReportsTo).integer())
        .col(ColumnDef::new(Employee::BirthDate).custom("datetime"))
        .col(ColumnDef::new(Employee::HireDate).custom("datetime"))
        .col(ColumnDef::new(Employee::Email).custom("nvarchar(60)"))
        .primary_key(Index::create().name("PK_Employee").col(Employee::EmployeeId))
        .foreign_key(
            ForeignKey::create()
                .name("Employee_reportsto_fkey")
                .from(Employee::Table, Employee::ReportsTo)
                .to(Employee::Table, Employee::EmployeeId),
        )
        .to_owned()
}

fn customer() -> TableCreateStatement {
    Table::create()
        .table(Customer::Table)
        .col(ColumnDef::new(Customer::CustomerId).integer().not_null())
        .col(ColumnDef::new(Customer::FirstName).custom("nvarchar(40)").not_null())
        .col(ColumnDef::new(Customer::LastName).custom("nvarchar(20)").not_null())
        .col(ColumnDef::new(Customer::Company).custom("nvarchar(80)"))
        .col(ColumnDef::new(Customer::Country).custom("nvarchar(40)"))
        .col(ColumnDef::new(Customer::Email).custom("nvarchar(60)").not_null())
        .col(ColumnDef::new(Customer::SupportRepId).integer())
        .primary_key(Index::create().name("PK_Customer").col(Customer::CustomerId))
        .foreign_key(
            ForeignKey::create()
                .name("Customer_supportrepid_fkey")
                .from(Customer::Table, Customer::SupportRepId)
                .to(Employee::Table, Employee::EmployeeId),
        )
        .to_owned()
}

fn genre() -> TableCreateStatement {
    Table::create()
        .table(Genre::Table)
        .col(ColumnDef::new(Genre::GenreId).integer().not_null())
        .col(ColumnDef::new(Genre::Name).custom("nvarchar(120)"))
        .primary_key(Index::create().name("PK_Genre").col(Genre::GenreId))
        .to_owned()
}

fn invoice() -> TableCreateStatement {
    Table::create()
        .table(Invoice::Table)
        .col(ColumnDef::new(Invoice::InvoiceId).integer().not_null())
        .col(ColumnDef::new(Invoice::CustomerId).integer().not_null())
        .col(ColumnDef::new(Invoice::InvoiceDate).custom("datetime").not_null())
        .col(ColumnDef::new(Invoice::BillingCity).custom("nvarchar(40)"))
        .col(ColumnDef::new(Invoice::Total).custom("numeric(10,2)").not_null())
        .primary_key(Index::create().name("PK_Invoice").col(Invoice::InvoiceId))
        .foreign_key(
            ForeignKey::create()
                .name("Invoice_customerid_fkey")
                .from(Invoice::Table, Invoice::CustomerId)
                .to(Customer::Table, Customer::CustomerId),
        )
        .to_owned()
}

fn mediatype() -> TableCreateStatement {
    Table::create()
        .table(MediaType::Table)
        .col(ColumnDef::new(MediaType::MediaTypeId).integer().not_null())
        .col(ColumnDef::new(MediaType::Name).custom("nvarchar(120)"))
        .primary_key(Index::create().name("PK_MediaType").col(MediaType::MediaTypeId))
        .to_owned()
}

fn playlist() -> TableCreateStatement {
    Table::create()
        .table(Playlist::Table)
        .col(ColumnDef::new(Playlist::PlaylistId).integer().not_null())
        .col(ColumnDef::new(Playlist::Name).custom("nvarchar(120)"))
        .primary_key(Index::create().name("PK_Playlist").col(Playlist::PlaylistId))
        .to_owned()
}

fn track() -> TableCreateStatement {
    Table::create()
        .table(Track::Table)
        .col(ColumnDef::new(Track::TrackId).integer().not_null())
        .col(ColumnDef::new(Track::Name).custom("nvarchar(200)").not_null())
        .col(ColumnDef::new(Track::AlbumId).integer())
        .col(ColumnDef::new(Track::MediaTypeId).integer().not_null())
        .col(ColumnDef::new(Track::GenreId).integer())
        .col(ColumnDef::new(Track::Composer).custom("nvarchar(220)"))
        .col(ColumnDef::new(Track::Milliseconds).integer().not_null())
        .col(ColumnDef::new(Track::Bytes).integer())
        .col(ColumnDef::new(Track::UnitPrice).custom("numeric(10,2)").not_null())
        .primary_key(Index::create().name("PK_Track").col(Track::TrackId))
        .foreign_key(
            ForeignKey::create()
                .name("Track_albumid_fkey")
                .from(Track::Table, Track::AlbumId)
                .to(Album::Table, Album::AlbumId),
        )
        .foreign_key(
            ForeignKey::create()
                .name("Track_genreid_fkey")
                .from(Track::Table, Track::GenreId)
                .to(Genre::Table, Genre::GenreId),
        )
        .foreign_key(
            ForeignKey::create()
                .name("Track_mediatypeid_fkey")
                .from(Track::Table, Track::MediaTypeId)
                .to(MediaType::Table, MediaType::MediaTypeId),
        )
        .to_owned()
}

fn invoiceline() -> TableCreateStatement {
    Table::create()
        .table(InvoiceLine::Table)
        .col(ColumnDef::new(InvoiceLine::InvoiceLineId).integer().not_null())
        .col(ColumnDef::new(InvoiceLine::InvoiceId).integer().not_null())
        .col(ColumnDef::new(InvoiceLine::TrackId).integer().not_null())
        .col(ColumnDef::new(InvoiceLine::UnitPrice).custom("numeric(10,2)").not_null())
        .col(ColumnDef::new(InvoiceLine::Quantity).integer().not_null())
        .primary_key(Index::create().name("PK_InvoiceLine").col(InvoiceLine::InvoiceLineId))
        .foreign_key(
            ForeignKey::create()
                .name("InvoiceLine_invoiceid_fkey")
                .from(InvoiceLine::Table, InvoiceLine::InvoiceId)
                .to(Invoice::Table, Invoice::InvoiceId),
        )
        .foreign_key(
            ForeignKey::create()
                .name("InvoiceLine_trackid_fkey")
                .from(InvoiceLine::Table, InvoiceLine::TrackId)
                .to(Track::Table, Track::TrackId),
        )
        .to_owned()
}

fn playlisttrack() -> TableCreateStatement {
    Table::create()
        .table(PlaylistTrack::Table)
        .col(ColumnDef::new(PlaylistTrack::PlaylistId).integer().not_null())
        .col(ColumnDef::new(PlaylistTrack::TrackId).integer().not_null())
        .primary_key(
            Index::create().name("PK_PlaylistTrack").col(PlaylistTrack::PlaylistId).col(PlaylistTrack::TrackId),
        )
        .foreign_key(
            ForeignKey::create()
                .name("PlaylistTrack_playlistid_fkey")
                .from(PlaylistTrack::Table, PlaylistTrack::PlaylistId)
                .to(Playlist::Table, Playlist::PlaylistId),
        )
        .foreign_key(
            ForeignKey::create()
                .name("PlaylistTrack_trackid_fkey")
                .from(PlaylistTrack::Table, PlaylistTrack::TrackId)
                .to(Track::Table, Track::TrackId),
        )
        .to_owned()
}

#[derive(DeriveIden)]
#[allow(clippy::enum_variant_names, reason = "the names of the columns")]
enum Album {
    #[sea_orm(iden = "Album")]
    Table,
    #[sea_orm(iden = "AlbumId")]
    AlbumId,
    #[sea_orm(iden = "ArtistId")]
    ArtistId,
    #[sea_orm(iden = "Title")]
    Title,
}

#[derive(DeriveIden)]
#[allow(clippy::enum_variant_names, reason = "the names of the columns")]
enum Artist {
    #[sea_orm(iden = "Artist")]
    Table,
    #[sea_orm(iden = "ArtistId")]
    ArtistId,
    #[sea_orm(iden = "Name")]
    Name,
}

#[derive(DeriveIden)]
#[allow(clippy::enum_variant_names, reason = "the names of the columns")]
enum Customer {
    #[sea_orm(iden = "Customer")]
    Table,
    #[sea_orm(iden = "Company")]
    Company,
    #[sea_orm(iden = "Country")]
    Country,
    #[sea_orm(iden = "CustomerId")]
    CustomerId,
    #[sea_orm(iden = "Email")]
    Email,
    #[sea_orm(iden = "FirstName")]
    FirstName,
    #[sea_orm(iden = "LastName")]
    LastName,
    #[sea_orm(iden = "SupportRepId")]
    SupportRepId,
}

#[derive(DeriveIden)]
#[allow(clippy::enum_variant_names, reason = "the names of the columns")]
enum Employee {
    #[sea_orm(iden = "Employee")]
    Table,
    #[sea_orm(iden = "BirthDate")]
    BirthDate,
    #[sea_orm(iden = "Email")]
    Email,
    #[sea_orm(iden = "EmployeeId")]
    EmployeeId,
    #[sea_orm(iden = "FirstName")]
    FirstName,
    #[sea_orm(iden = "HireDate")]
    HireDate,
    #[sea_orm(iden = "LastName")]
    LastName,
    #[sea_orm(iden = "ReportsTo")]
    ReportsTo,
    #[sea_orm(iden = "Title")]
    Title,
}

#[derive(DeriveIden)]
#[allow(clippy::enum_variant_names, reason = "the names of the columns")]
enum Genre {
    #[sea_orm(iden = "Genre")]
    Table,
    #[sea_orm(iden = "GenreId")]
    GenreId,
    #[sea_orm(iden = "Name")]
    Name,
}

#[derive(DeriveIden)]
#[allow(clippy::enum_variant_names, reason = "the names of the columns")]
enum Invoice {
    #[sea_orm(iden = "Invoice")]
    Table,
    #[sea_orm(iden = "BillingCity")]
    BillingCity,
    #[sea_orm(iden = "CustomerId")]
    CustomerId,
    #[sea_orm(iden = "InvoiceDate")]
    InvoiceDate,
    #[sea_orm(iden = "InvoiceId")]
    InvoiceId,
    #[sea_orm(iden = "Total")]
    Total,
}

#[derive(DeriveIden)]
#[allow(clippy::enum_variant_names, reason = "the names of the columns")]
enum InvoiceLine {
    #[sea_orm(iden = "InvoiceLine")]
    Table,
    #[sea_orm(iden = "InvoiceId")]
    InvoiceId,
    #[sea_orm(iden = "InvoiceLineId")]
    InvoiceLineId,
    #[sea_orm(iden = "Quantity")]
    Quantity,
    #[sea_orm(iden = "TrackId")]
    TrackId,
    #[sea_orm(iden = "UnitPrice")]
    UnitPrice,
}

#[derive(DeriveIden)]
#[allow(clippy::enum_variant_names, reason = "the names of the columns")]
enum MediaType {
    #[sea_orm(iden = "MediaType")]
    Table,
    #[sea_orm(iden = "MediaTypeId")]
    MediaTypeId,
    #[sea_orm(iden = "Name")]
    Name,
}

#[derive(DeriveIden)]
#[allow(clippy::enum_variant_names, reason = "the names of the columns")]
enum Playlist {
    #[sea_orm(iden = "Playlist")]
    Table,
    #[sea_orm(iden = "Name")]
    Name,
    #[sea_orm(iden = "PlaylistId")]
    PlaylistId,
}

#[derive(DeriveIden)]
enum PlaylistTrack {
    #[sea_orm(iden = "PlaylistTrack")]
    Table,
    #[sea_orm(iden = "PlaylistId")]
    PlaylistId,
    #[sea_orm(iden = "TrackId")]
    TrackId,
}

#[derive(DeriveIden)]
#[allow(clippy::enum_variant_names, reason = "the names of the columns")]
enum Track {
    #[sea_orm(iden = "Track")]
    Table,
    #[sea_orm(iden = "AlbumId")]
    AlbumId,
    #[sea_orm(iden = "Bytes")]
    Bytes,
    #[sea_orm(iden = "Composer")]
    Composer,
    #[sea_orm(iden = "GenreId")]
    GenreId,
    #[sea_orm(iden = "MediaTypeId")]
    MediaTypeId,
    #[sea_orm(iden = "Milliseconds")]
    Milliseconds,
    #[sea_orm(iden = "Name")]
    Name,
    #[sea_orm(iden = "TrackId")]
    TrackId,
    #[sea_orm(iden = "UnitPrice")]
    UnitPrice,
}
