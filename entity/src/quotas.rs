//! Quota counters: how many things of a kind a user has created within an hour.

use revisions::TableExtras;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "quotas")]
pub struct Model {
    /// HMAC of the kind and the user: it cannot be traced back to a person.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: Uuid,
    pub used: i32,
    /// End of the hour.
    #[sea_orm(indexed)]
    pub resets_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {}
