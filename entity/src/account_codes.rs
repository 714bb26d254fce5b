//! Codes and reset tokens that can be used: at most one per account, purpose and slot. Only the hash is stored.

use revisions::{TableExtras, enum_values};
use sea_orm::entity::prelude::*;

use crate::CodePurpose;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account_codes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub purpose: CodePurpose,
    /// Codes that reset a password live side by side in three slots; all others have slot 0.
    #[sea_orm(
        primary_key,
        auto_increment = false,
        default_value = 0,
        extra = "CONSTRAINT account_codes_slot_check CHECK (slot >= 0 AND slot <= 2)"
    )]
    pub slot: i16,
    /// E-mail address that the code was issued for.
    #[sea_orm(column_type = "String(StringLen::N(254))")]
    pub email: String,
    /// Null until the mail is sent, because the code is generated only then.
    #[sea_orm(column_type = "String(StringLen::N(64))", nullable)]
    pub code_hash: Option<String>,
    #[sea_orm(
        default_value = 0,
        extra = "CONSTRAINT account_codes_attempts_check CHECK (attempts >= 0 AND attempts <= 5)"
    )]
    pub attempts: i32,
    /// Hash of the flow: a secret of the client that requested the code.
    #[sea_orm(column_type = "String(StringLen::N(64))", nullable)]
    pub flow_hash: Option<String>,
    /// Attempts with the flow, counted apart from those without.
    #[sea_orm(
        default_value = 0,
        extra = "CONSTRAINT account_codes_flow_attempts_check CHECK (flow_attempts >= 0 AND flow_attempts <= 5)"
    )]
    pub flow_attempts: i32,
    #[sea_orm(indexed)]
    pub expires_at: DateTimeUtc,
    pub created_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub user: BelongsTo<super::users::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {
    fn enum_values() -> Vec<(Column, Vec<String>)> {
        vec![(Column::Purpose, enum_values::<CodePurpose>())]
    }
}
