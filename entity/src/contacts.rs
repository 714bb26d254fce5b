//! Contacts: people that a user keeps, perhaps in their care.

use revisions::{CompositeIndex, TableExtras};
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "contacts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// Also unique by itself. The primary key starts with `user_id`, so that SQLite stores the contacts of a user
    /// together.
    #[sea_orm(primary_key, auto_increment = false, unique)]
    pub id: Uuid,
    /// Import that created the contact.
    #[sea_orm(indexed)]
    pub import_id: Option<Uuid>,
    /// UID that the contact came with in a file; without one, it is the id as a URN.
    #[sea_orm(column_type = "String(StringLen::N(255))", nullable)]
    pub uid: Option<String>,
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        nullable,
        extra = "CONSTRAINT contacts_first_name_check CHECK (first_name IS NOT NULL OR last_name IS NOT NULL OR organization IS NOT NULL)"
    )]
    pub first_name: Option<String>,
    #[sea_orm(column_type = "String(StringLen::N(100))", nullable)]
    pub last_name: Option<String>,
    #[sea_orm(column_type = "String(StringLen::N(200))", nullable)]
    pub organization: Option<String>,
    /// Folded name by which the contact is sorted.
    #[sea_orm(column_type = "Text")]
    pub sort_folded: String,
    /// Folded first name, for sorting and searching; empty without one.
    #[sea_orm(column_type = "Text")]
    pub first_folded: String,
    /// E-mail addresses and folded organization, each on a line of its own, for searching.
    #[sea_orm(column_type = "Text")]
    pub search_folded: String,
    /// Main e-mail address.
    #[sea_orm(column_type = "String(StringLen::N(254))", nullable)]
    pub email: Option<String>,
    /// All e-mail addresses with their labels as JSON, unless the main one is all there is.
    #[sea_orm(
        column_type = "Text",
        nullable,
        extra = "CONSTRAINT contacts_emails_check CHECK (emails IS NULL OR email IS NOT NULL AND emails LIKE '[{%}]')"
    )]
    pub emails: Option<String>,
    /// Main telephone number.
    #[sea_orm(column_type = "String(StringLen::N(32))", nullable)]
    pub phone_number: Option<String>,
    /// All telephone numbers with their labels as JSON, unless the main one is all there is.
    #[sea_orm(
        column_type = "Text",
        nullable,
        extra = "CONSTRAINT contacts_phone_numbers_check CHECK (phone_numbers IS NULL OR phone_number IS NOT NULL AND phone_numbers LIKE '[{%}]')"
    )]
    pub phone_numbers: Option<String>,
    /// Month from 1. A birthday may have no year.
    pub birth_month: Option<i16>,
    #[sea_orm(
        extra = "CONSTRAINT contacts_birth_day_check CHECK (CASE WHEN birth_month IS NULL OR birth_day IS NULL THEN birth_month IS NULL AND birth_day IS NULL AND birth_year IS NULL WHEN birth_month = 2 AND birth_day = 29 AND birth_year IS NOT NULL THEN birth_year % 4 = 0 AND (birth_year % 100 <> 0 OR birth_year % 400 = 0) WHEN birth_month = 2 THEN birth_day BETWEEN 1 AND 29 WHEN birth_month IN (4, 6, 9, 11) THEN birth_day BETWEEN 1 AND 30 ELSE birth_month BETWEEN 1 AND 12 AND birth_day BETWEEN 1 AND 31 END)"
    )]
    pub birth_day: Option<i16>,
    #[sea_orm(extra = "CONSTRAINT contacts_birth_year_check CHECK (birth_year BETWEEN 1900 AND 9999)")]
    pub birth_year: Option<i16>,
    #[sea_orm(column_type = "String(StringLen::N(2000))", nullable)]
    pub note: Option<String>,
    /// Number of the last change, counted for the user.
    pub change_number: i64,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "import_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub contact_import: BelongsTo<Option<super::contact_imports::Entity>>,
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub user: BelongsTo<super::users::Entity>,
    #[sea_orm(has_many)]
    pub contact_import_updates: HasMany<super::contact_import_updates::Entity>,
    #[sea_orm(has_one)]
    pub patient: HasOne<super::patients::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {
    const INDEXES: &[CompositeIndex] = &[
        CompositeIndex::unique(&["user_id", "uid"]).filter("uid IS NOT NULL"),
        CompositeIndex::on(&["user_id", "sort_folded", "first_folded", "id", "search_folded"]),
        CompositeIndex::on(&["user_id", "birth_month", "birth_day", "id"]),
        CompositeIndex::on(&["user_id", "change_number", "id"]),
    ];
    const WITHOUT_ROWID: bool = true;
    const COLLATE_C: &[&str] = &["sort_folded", "first_folded", "search_folded"];
}
