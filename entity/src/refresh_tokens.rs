//! Sessions: one row per log-in, which every refresh updates. No token is stored.

use revisions::{CompositeIndex, TableExtras};
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refresh_tokens")]
pub struct Model {
    /// Session id: the `sid` claim of both tokens.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Null after the account was deleted.
    pub user_id: Option<Uuid>,
    /// Number of refreshes; a refresh token contains it.
    #[sea_orm(default_value = 0)]
    pub generation: i32,
    /// When the present token pair was made: at the last refresh, or when it was made again because its answer was lost.
    pub rotated_at: DateTimeUtc,
    #[sea_orm(indexed)]
    pub expires_at: DateTimeUtc,
    pub revoked_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "String(StringLen::N(255))", nullable)]
    pub user_agent: Option<String>,
    #[sea_orm(column_type = "String(StringLen::N(45))", nullable)]
    pub ip: Option<String>,
    pub created_at: DateTimeUtc,
    /// Generation whose access token was seen last.
    #[sea_orm(default_value = 0)]
    pub seen_generation: i32,
    /// When the present generation was made: at the last refresh.
    pub generation_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_update = "NoAction", on_delete = "SetNull")]
    pub user: BelongsTo<Option<super::users::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {
    const INDEXES: &[CompositeIndex] =
        &[CompositeIndex::on(&["user_id", "id"]), CompositeIndex::on(&["revoked_at", "id"])];
}
