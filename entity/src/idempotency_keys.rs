//! Idempotency keys: requests that took effect, with their responses, for clients that send them again.

use revisions::TableExtras;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false, column_type = "String(StringLen::N(255))")]
    pub key: String,
    /// SHA-256 of method, path and body, in URL-safe Base64.
    #[sea_orm(column_type = "String(StringLen::N(64))")]
    pub request_hash: String,
    /// HTTP status of the response. Null only within the transaction of the request.
    pub status: Option<i16>,
    /// Header `Location` of the response.
    #[sea_orm(column_type = "String(StringLen::N(255))", nullable)]
    pub location: Option<String>,
    /// Body of the response.
    #[sea_orm(column_type = "Text", nullable)]
    pub body: Option<String>,
    /// Patient whose data the body has.
    #[sea_orm(indexed)]
    pub patient_id: Option<Uuid>,
    #[sea_orm(indexed)]
    pub created_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "patient_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub patient: BelongsTo<Option<super::patients::Entity>>,
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub user: BelongsTo<super::users::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {}
