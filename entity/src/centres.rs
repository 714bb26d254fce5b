//! Centres: the places where people are vaccinated.

use revisions::TableExtras;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "centres")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub name: String,
    #[sea_orm(column_type = "String(StringLen::N(500))")]
    pub address: String,
    #[sea_orm(column_type = "String(StringLen::N(100))", nullable)]
    pub city: Option<String>,
    #[sea_orm(column_type = "String(StringLen::N(20))", nullable)]
    pub postal_code: Option<String>,
    /// IANA time zone, in which its days begin and its doors open.
    #[sea_orm(column_type = "String(StringLen::N(64))")]
    pub time_zone: String,
    /// Degrees north. Latitude and longitude are both known or both unknown.
    #[sea_orm(extra = "CONSTRAINT centres_latitude_check CHECK (latitude BETWEEN -90 AND 90)")]
    pub latitude: Option<f64>,
    /// Degrees east.
    #[sea_orm(
        extra = "CONSTRAINT centres_longitude_check CHECK ((longitude IS NULL) = (latitude IS NULL) AND (longitude IS NULL OR longitude BETWEEN -180 AND 180))"
    )]
    pub longitude: Option<f64>,
    #[sea_orm(column_type = "String(StringLen::N(32))", nullable)]
    pub phone_number: Option<String>,
    #[sea_orm(default_value = true)]
    pub active: bool,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    #[sea_orm(has_many)]
    pub slots: HasMany<super::slots::Entity>,
    #[sea_orm(has_many)]
    pub centre_staff: HasMany<super::centre_staff::Entity>,
    #[sea_orm(has_many)]
    pub waitlist_entries: HasMany<super::waitlist_entries::Entity>,
    #[sea_orm(has_many)]
    pub invitations: HasMany<super::invitations::Entity>,
    #[sea_orm(has_many)]
    pub lots: HasMany<super::lots::Entity>,
    #[sea_orm(has_many)]
    pub immunizations: HasMany<super::immunizations::Entity>,
    #[sea_orm(has_many)]
    pub vaccine_requests: HasMany<super::vaccine_requests::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {}
