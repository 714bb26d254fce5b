//! Test fixture: a small entity crate, and the schema that it describes.

use std::collections::BTreeMap;

use sea_orm::DbBackend;

use crate::entity::{Regenerated, Surroundings};
use crate::schema::{Schema, ddl};

/// The crate has all that it needs itself.
pub(super) const HERE: Surroundings<'_> = Surroundings { has_table_extras: true, crate_name: "entity", program: None };

pub(super) const USERS: &str = r#"//! Accounts.

use revisions::{TableExtras, CompositeIndex, enum_values};
use sea_orm::entity::prelude::*;

use crate::{Role, Secret};

/// One account.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Lower-cased – ä.
    #[sea_orm(column_type = "String(StringLen::N(254))", unique)]
    #[serde(rename = "mail")]
    pub email: String,
    #[sea_orm(column_type = "String(StringLen::N(255))")]
    pub secret: Secret, // hashed
    #[sea_orm(default_value = "patient")]
    pub role: Role,
    #[sea_orm(column_type = "String(StringLen::N(45))", nullable, indexed)]
    pub ip: Option<String>,
    #[sea_orm(default_value = 0, extra = "CONSTRAINT users_age_check CHECK (age >= 0 AND age < 200)")]
    pub age: i32,
    pub created_at: DateTimeUtc,
    #[sea_orm(has_many)]
    pub visits: HasMany<super::visits::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {
    const INDEXES: &[CompositeIndex] = &[CompositeIndex::unique(&["role", "age"]).filter("ip IS NOT NULL")];

    fn enum_values() -> Vec<(Column, Vec<String>)> {
        vec![(Column::Role, enum_values::<Role>())]
    }
}

impl Model {
    /// By hand.
    pub fn is_new(&self) -> bool {
        self.ip.is_none()
    }
}
"#;

pub(super) const VISITS: &str = r#"//! Visits.

use revisions::TableExtras;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "visits")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Option<Uuid>,
    pub seen_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub user: BelongsTo<Option<super::users::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {}
"#;

pub(super) const VALUES: &str = r#"//! Value types.

use sea_orm::entity::prelude::*;
use serde::Serialize;

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Asks.
    Patient,
    Staff,
}

#[derive(Clone, DeriveValueType)]
pub struct Secret(pub String);

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Patient => "patient",
            Self::Staff => "staff",
        }
    }
}
"#;

pub(super) const LIBRARY: &str = "//! Tables.\n\npub mod schema;\npub mod users;\npub mod visits;\nmod values;\n\n\
    pub use values::{Role, Secret};\n";

pub(super) const SCHEMA: &str = "use revisions::Entities;\n\npub fn entities(backend: DbBackend) -> Entities {\n    \
    Entities::of(backend)\n        .with_extras(crate::users::Entity)\n        .with_extras(crate::visits::Entity)\n}\n";

const USERS_TABLE: &str = "CREATE TABLE users ( id uuid NOT NULL, email varchar(254) NOT NULL, \
    secret varchar(255) NOT NULL, role varchar(16) NOT NULL DEFAULT 'patient', ip varchar(45), \
    age integer NOT NULL DEFAULT 0, created_at timestamp with time zone NOT NULL, \
    CONSTRAINT users_pkey PRIMARY KEY (id), CONSTRAINT users_email_key UNIQUE (email), \
    CONSTRAINT users_age_check CHECK (age >= 0 AND age < 200), \
    CONSTRAINT users_role_check CHECK (role IN ('patient', 'staff')) )";

const VISITS_TABLE: &str = "CREATE TABLE visits ( id uuid NOT NULL, user_id uuid, \
    seen_at timestamp with time zone NOT NULL, CONSTRAINT visits_pkey PRIMARY KEY (id), \
    CONSTRAINT visits_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE )";

const INDEXES: [&str; 2] = [
    "CREATE INDEX users_ip_idx ON users (ip)",
    "CREATE UNIQUE INDEX users_role_age_key ON users (role, age) WHERE ip IS NOT NULL",
];

pub(super) fn sources() -> BTreeMap<String, String> {
    [("users", USERS), ("visits", VISITS), ("values", VALUES), ("lib", LIBRARY), ("schema", SCHEMA)]
        .map(|(file, text)| (format!("{file}.rs"), text.to_owned()))
        .into()
}

/// Returns the schema that the sources describe, with some text replaced.
pub(super) fn schema(backend: DbBackend, changes: &[(&str, &str)]) -> Schema {
    let altered = |sql: &str| {
        let sql = changes.iter().fold(sql.to_owned(), |sql, (from, to)| sql.replace(from, to));
        match backend {
            DbBackend::Sqlite => {
                sql.replace(" uuid", " uuid_text").replace("timestamp with time zone", "timestamp_with_timezone_text")
            }
            _ => sql,
        }
    };
    let mut schema = Schema::default();
    for (name, sql) in [("users", USERS_TABLE), ("visits", VISITS_TABLE)] {
        schema.tables.insert(name.into(), ddl::table(&altered(sql), name, backend).unwrap());
    }
    for sql in INDEXES.map(altered).iter().filter(|sql| !sql.is_empty()) {
        let (table, index) = ddl::index(sql, backend).unwrap();
        schema.tables.get_mut(&table).unwrap().indexes.push(index);
    }
    schema
}

pub(super) fn changed(result: &Regenerated, file: &str) -> String {
    result.files.get(file).cloned().flatten().unwrap_or_else(|| panic!("{file} does not change: {result:#?}"))
}
