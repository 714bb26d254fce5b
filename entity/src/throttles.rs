//! Throttle counters: attempts, such as failed log-ins, which are reset after some time.

use revisions::TableExtras;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "throttles")]
pub struct Model {
    /// HMAC of what is counted, so that the row cannot be traced back to a person.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: Uuid,
    /// Attempts above the limit; negative while free attempts are left.
    pub over_limit: i32,
    pub blocked_until: DateTimeUtc,
    #[sea_orm(indexed)]
    pub forget_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {}
