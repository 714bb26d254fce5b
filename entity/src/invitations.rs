//! Invitations to request a vaccine. The code is stored only as a keyed hash.

use revisions::{CompositeIndex, TableExtras};
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invitations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// HMAC of the code.
    #[sea_orm(column_type = "String(StringLen::N(64))", unique)]
    pub code_hash: String,
    #[sea_orm(column_type = "String(StringLen::N(100))", nullable)]
    pub label: Option<String>,
    /// The only verified e-mail address whose account can use it.
    #[sea_orm(column_type = "String(StringLen::N(254))", nullable)]
    pub email: Option<String>,
    /// The only verified national id whose account can use it, in upper case and without separators.
    #[sea_orm(column_type = "String(StringLen::N(64))", nullable)]
    pub nid_key: Option<String>,
    pub course_id: Uuid,
    /// The only centre in whose slots it counts; null for all.
    pub centre_id: Option<Uuid>,
    pub valid_from: DateTimeUtc,
    #[sea_orm(extra = "CONSTRAINT invitations_valid_until_check CHECK (valid_until > valid_from)")]
    pub valid_until: DateTimeUtc,
    /// Number of patients who can use it.
    #[sea_orm(
        extra = "CONSTRAINT invitations_max_uses_check CHECK (max_uses BETWEEN 1 AND 100000 AND (max_uses = 1 OR email IS NULL AND nid_key IS NULL))"
    )]
    pub max_uses: i32,
    /// Number of patients who have used it.
    #[sea_orm(default_value = 0, extra = "CONSTRAINT invitations_used_check CHECK (used BETWEEN 0 AND max_uses)")]
    pub used: i32,
    pub revoked_at: Option<DateTimeUtc>,
    #[sea_orm(indexed)]
    pub created_by: Option<Uuid>,
    pub created_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "centre_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub centre: BelongsTo<Option<super::centres::Entity>>,
    #[sea_orm(belongs_to, from = "course_id", to = "id", on_update = "NoAction", on_delete = "NoAction")]
    pub course: BelongsTo<super::courses::Entity>,
    #[sea_orm(belongs_to, from = "created_by", to = "id", on_update = "NoAction", on_delete = "SetNull")]
    pub user: BelongsTo<Option<super::users::Entity>>,
    #[sea_orm(has_many)]
    pub invitation_uses: HasMany<super::invitation_uses::Entity>,
    #[sea_orm(has_many)]
    pub vaccine_requests: HasMany<super::vaccine_requests::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {
    const INDEXES: &[CompositeIndex] = &[
        CompositeIndex::on(&["email"]).filter("email IS NOT NULL"),
        CompositeIndex::on(&["course_id", "id"]),
        CompositeIndex::on(&["centre_id", "id"]),
        CompositeIndex::on(&["nid_key"]).filter("nid_key IS NOT NULL"),
    ];
}
