//! Accounts: patients, staff and admins.

use revisions::{CompositeIndex, TableExtras, enum_values};
use sea_orm::entity::prelude::*;

use crate::{PasswordHash, Role};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub name: String,
    /// Trimmed and in lower case.
    #[sea_orm(column_type = "String(StringLen::N(254))", unique)]
    pub email: String,
    #[sea_orm(column_type = "String(StringLen::N(255))")]
    pub password_hash: PasswordHash,
    #[sea_orm(default_value = "patient")]
    pub role: Role,
    /// National id, as its owner wrote it. A claim, until staff have verified it.
    #[sea_orm(column_type = "String(StringLen::N(64))", nullable)]
    pub nid: Option<String>,
    #[sea_orm(column_type = "String(StringLen::N(32))", nullable)]
    pub phone_number: Option<String>,
    #[sea_orm(column_type = "String(StringLen::N(500))", nullable)]
    pub address: Option<String>,
    pub birth_date: Option<Date>,
    pub email_verified_at: Option<DateTimeUtc>,
    pub disabled_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// IANA time zone, which decides when the user's day begins.
    #[sea_orm(column_type = "String(StringLen::N(64))", nullable)]
    pub time_zone: Option<String>,
    /// National id in upper case and without separators, for comparisons.
    #[sea_orm(column_type = "String(StringLen::N(64))", nullable)]
    pub nid_key: Option<String>,
    /// When staff verified the national id. Of the accounts with the same id, at most one is verified.
    pub nid_verified_at: Option<DateTimeUtc>,
    #[sea_orm(has_many)]
    pub account_codes: HasMany<super::account_codes::Entity>,
    #[sea_orm(has_one)]
    pub calendar_feed: HasOne<super::calendar_feeds::Entity>,
    #[sea_orm(has_one)]
    pub contact_book: HasOne<super::contact_books::Entity>,
    #[sea_orm(has_many)]
    pub contact_imports: HasMany<super::contact_imports::Entity>,
    #[sea_orm(has_many)]
    pub contacts: HasMany<super::contacts::Entity>,
    #[sea_orm(has_many)]
    pub deleted_contacts: HasMany<super::deleted_contacts::Entity>,
    #[sea_orm(has_many)]
    pub outbox: HasMany<super::outbox::Entity>,
    #[sea_orm(has_many)]
    pub refresh_tokens: HasMany<super::refresh_tokens::Entity>,
    #[sea_orm(has_many)]
    pub centre_staff: HasMany<super::centre_staff::Entity>,
    #[sea_orm(has_many)]
    pub idempotency_keys: HasMany<super::idempotency_keys::Entity>,
    #[sea_orm(has_many)]
    pub patients: HasMany<super::patients::Entity>,
    #[sea_orm(has_many)]
    pub invitations: HasMany<super::invitations::Entity>,
    #[sea_orm(has_many)]
    pub user_words: HasMany<super::user_words::Entity>,
    #[sea_orm(has_many)]
    pub course_schedules: HasMany<super::course_schedules::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {
    const INDEXES: &[CompositeIndex] = &[
        CompositeIndex::on(&["role", "id"]),
        CompositeIndex::on(&["nid_key", "id"]),
        CompositeIndex::unique(&["nid_key"]).filter("nid_verified_at IS NOT NULL"),
    ];

    fn enum_values() -> Vec<(Column, Vec<String>)> {
        vec![(Column::Role, enum_values::<Role>())]
    }
}
