//! Uses of invitations: which patient used which invitation, with which request.

use revisions::{CompositeIndex, TableExtras};
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invitation_uses")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub invitation_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false, indexed)]
    pub patient_id: Uuid,
    /// The latest request of the patient with this invitation.
    #[sea_orm(indexed)]
    pub request_id: Uuid,
    pub used_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "invitation_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub invitation: BelongsTo<super::invitations::Entity>,
    #[sea_orm(belongs_to, from = "patient_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub patient: BelongsTo<super::patients::Entity>,
    #[sea_orm(belongs_to, from = "request_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub vaccine_request: BelongsTo<super::vaccine_requests::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {
    const INDEXES: &[CompositeIndex] = &[CompositeIndex::on(&["invitation_id", "used_at"])];
}
