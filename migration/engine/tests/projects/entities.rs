//! Entities as people have them: SeaORM's two forms of a model, all its kinds of columns, and names that are words of Rust.
//! Each schema has two versions.

use revisions::{CompositeIndex, Entities, Naming, TableExtras, enum_values};
use sea_orm_migration::sea_orm::DbBackend;
use sea_orm_migration::sea_orm::entity::prelude::*;

/// Native enum of PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Enum", enum_name = "mood")]
pub enum Mood {
    #[sea_orm(string_value = "happy")]
    Happy,
    #[sea_orm(string_value = "it's ok")]
    Ok,
}

/// The same with more values.
#[derive(Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Enum", enum_name = "mood")]
pub enum MoreMoods {
    #[sea_orm(string_value = "sad")]
    Sad,
    #[sea_orm(string_value = "happy")]
    Happy,
    #[sea_orm(string_value = "so so")]
    SoSo,
    #[sea_orm(string_value = "it's ok")]
    Ok,
}

/// Enum stored as text.
#[derive(Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(10))")]
pub enum Role {
    #[sea_orm(string_value = "admin")]
    Admin,
    #[sea_orm(string_value = "guest")]
    Guest,
}

/// Enum stored as a number.
#[derive(Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "i32", db_type = "Integer")]
pub enum Level {
    #[sea_orm(num_value = 1)]
    Low,
    #[sea_orm(num_value = 2)]
    High,
}

/// All kinds of columns that both databases have.
pub mod kinds {
    use super::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "kinds", comment = "Columns of all kinds")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub bytes: Vec<u8>,
        #[sea_orm(column_type = "Blob")]
        pub blob: Vec<u8>,
        #[sea_orm(column_type = "VarBinary(StringLen::N(32))")]
        pub hash: Vec<u8>,
        pub mood: Mood,
        pub other_mood: Option<Mood>,
        #[sea_orm(default_value = "guest")]
        pub role: Role,
        pub level: Level,
        #[sea_orm(column_type = "Text", comment = "Free text; with 'quotes'")]
        pub text: String,
        #[sea_orm(unique)]
        pub code: String,
        #[sea_orm(indexed)]
        pub small: i16,
        pub tiny: i8,
        pub long: i64,
        pub single: f32,
        pub double: f64,
        #[sea_orm(column_type = "Decimal(Some((10, 2)))", default_value = 0)]
        pub amount: Decimal,
        #[sea_orm(default_value = true)]
        pub is_on: bool,
        pub day: Date,
        pub clock: Time,
        pub local: DateTime,
        pub moment: DateTimeUtc,
        #[sea_orm(default_expr = "Expr::current_timestamp()")]
        pub created_at: DateTimeUtc,
        pub key: Uuid,
        pub document: Json,
        #[sea_orm(column_type = "JsonBinary", nullable)]
        pub binary_document: Option<Json>,
        #[sea_orm(extra = "GENERATED ALWAYS AS (small * 2) STORED")]
        pub twice: Option<i32>,
        #[sea_orm(extra = "CHECK (long > 0)")]
        pub checked: i32,
        #[sea_orm(extra = "CHECK (tiny > 0)")]
        pub also_checked: i32,
    }

    impl ActiveModelBehavior for ActiveModel {}

    impl TableExtras for Entity {
        const INDEXES: &[CompositeIndex] = &[
            CompositeIndex::on(&["role", "day"]),
            CompositeIndex::unique(&["key"]).filter("is_on"),
            CompositeIndex::on(&["lower(code)"]),
            CompositeIndex::on(&["small"]).filter("is_on").named("kinds_small_on_idx"),
            CompositeIndex::on(&["binary_document"]).using("gin"),
        ];
        const COLLATE_C: &[&str] = &["code"];

        fn enum_values() -> Vec<(Column, Vec<String>)> {
            vec![(Column::Role, enum_values::<Role>())]
        }
    }
}

/// Names that are words of Rust, of SQL and of generated code.
pub mod options {
    use super::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "option")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub r#box: i32,
        pub table: String,
        pub r#type: String,
        pub manager: Option<String>,
        pub string: Option<String>,
        #[sea_orm(column_name = "Upper Case")]
        pub upper_case: i32,
        #[sea_orm(column_name = "self")]
        pub own: i32,
        #[sea_orm(column_name = "order")]
        pub position: i32,
        pub up: i32,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A table whose name is one of sea-query.
pub mod tables {
    use super::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "table")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i32,
        #[sea_orm(column_name = "Table", unique)]
        pub table: i32,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// SeaORM's older form, with a composite key, and a foreign key with its own name.
pub mod members {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "Members")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub kind_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub number: i32,
        #[sea_orm(unique_key = "place")]
        pub row: i32,
        #[sea_orm(unique_key = "place")]
        pub seat: i32,
        pub boss_kind: Option<i64>,
        pub boss_number: Option<i32>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "super::kinds::Entity",
            from = "Column::KindId",
            to = "super::kinds::Column::Id",
            on_delete = "Cascade",
            fk_name = "fk-members-kind"
        )]
        Kind,
        #[sea_orm(
            belongs_to = "Entity",
            from = "(Column::BossKind, Column::BossNumber)",
            to = "(Column::KindId, Column::Number)"
        )]
        Boss,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// The same, and its foreign key has a name by the convention.
pub mod renamed_members {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "Members")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub kind_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub number: i32,
        #[sea_orm(unique_key = "place")]
        pub row: i32,
        #[sea_orm(unique_key = "place")]
        pub seat: i32,
        pub boss_kind: Option<i64>,
        pub boss_number: Option<i32>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "super::kinds::Entity",
            from = "Column::KindId",
            to = "super::kinds::Column::Id",
            on_delete = "Cascade"
        )]
        Kind,
        #[sea_orm(
            belongs_to = "Entity",
            from = "(Column::BossKind, Column::BossNumber)",
            to = "(Column::KindId, Column::Number)"
        )]
        Boss,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Names that PostgreSQL would cut off at the same byte.
pub mod long_names {
    use super::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "a_table_with_a_name_that_is_quite_long_for_a_table")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i32,
        #[sea_orm(indexed)]
        pub a_column_with_a_long_name_one: i32,
        #[sea_orm(indexed)]
        pub a_column_with_a_long_name_two: i32,
        #[sea_orm(unique)]
        pub a_column_with_a_long_name_six: i32,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Before a rename.
pub mod people {
    use super::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "people")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sea_orm(indexed)]
        pub name: String,
        pub mood: Mood,
        #[sea_orm(extra = "CONSTRAINT people_age_check CHECK (age > 0)")]
        pub age: i32,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// After it: a column is renamed, and the enum has more values.
pub mod renamed_people {
    use super::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "people")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sea_orm(indexed, renamed_from = "name")]
        pub full_name: String,
        pub mood: MoreMoods,
        #[sea_orm(renamed_from = "age", extra = "CONSTRAINT people_age_check CHECK (years > 0)")]
        pub years: i32,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Types that only PostgreSQL has.
pub mod arrays {
    use super::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "arrays")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub tags: Vec<String>,
        pub numbers: Option<Vec<i32>>,
        pub moods: Vec<Mood>,
        #[sea_orm(column_type = "Inet")]
        pub address: String,
        #[sea_orm(column_type = "custom(\"tsvector\")", nullable)]
        pub words: Option<String>,
        #[sea_orm(column_type = "JsonBinary")]
        pub document: Json,
    }

    impl ActiveModelBehavior for ActiveModel {}

    impl TableExtras for Entity {
        const INDEXES: &[CompositeIndex] =
            &[CompositeIndex::on(&["document"]).using("gin"), CompositeIndex::on(&["tags"]).using("gin")];
    }
}

/// Columns of many kinds, without what SeaORM's attributes cannot express.
pub mod plain_kinds {
    use super::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "kinds")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub bytes: Vec<u8>,
        pub mood: Mood,
        #[sea_orm(default_value = "guest")]
        pub role: Role,
        #[sea_orm(unique)]
        pub code: String,
        #[sea_orm(indexed)]
        pub small: i16,
        pub tiny: i8,
        pub double: f64,
        #[sea_orm(column_type = "Decimal(Some((10, 2)))", default_value = 0)]
        pub amount: Decimal,
        pub moment: DateTimeUtc,
        pub key: Uuid,
        pub document: Json,
        #[sea_orm(extra = "CHECK (small > 0)")]
        pub checked: i32,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// An entity that names its schema.
pub mod settings {
    use super::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(schema_name = "sys", table_name = "settings")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sea_orm(indexed)]
        pub name: String,
        pub parent_id: Option<i32>,
        #[sea_orm(self_ref, relation_enum = "Parent", from = "parent_id", to = "id")]
        pub parent: HasOne<Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub fn in_schema(backend: DbBackend) -> Entities {
    Entities::of(backend).with(settings::Entity)
}

pub fn of_sea_orm(backend: DbBackend) -> Entities {
    of_sea_orm_with_names(backend, Naming::SeaOrm)
}

pub fn of_sea_orm_with_names(backend: DbBackend, naming: Naming) -> Entities {
    without_people_with_names(backend, naming).with(people::Entity)
}

pub fn without_people(backend: DbBackend) -> Entities {
    without_people_with_names(backend, Naming::Postgres)
}

fn without_people_with_names(backend: DbBackend, naming: Naming) -> Entities {
    Entities::of(backend)
        .naming(naming)
        .with(plain_kinds::Entity)
        .with(options::Entity)
        .with(tables::Entity)
        .with(renamed_members::Entity)
}

pub fn first(backend: DbBackend) -> Entities {
    common(backend).with(people::Entity)
}

/// After changes.
pub fn second(backend: DbBackend) -> Entities {
    Entities::of(backend)
        .with(tables::Entity)
        .with(options::Entity)
        .with(long_names::Entity)
        .with_extras(kinds::Entity)
        .with(renamed_members::Entity)
        .with(renamed_people::Entity)
}

fn common(backend: DbBackend) -> Entities {
    Entities::of(backend)
        .with_extras(kinds::Entity)
        .with(options::Entity)
        .with(tables::Entity)
        .with(members::Entity)
        .with(long_names::Entity)
}

/// With more values of the enum.
pub mod changed_arrays {
    use super::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "arrays")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub tags: Vec<String>,
        pub numbers: Option<Vec<i32>>,
        pub moods: Vec<MoreMoods>,
        #[sea_orm(column_type = "Inet")]
        pub address: String,
        #[sea_orm(column_type = "custom(\"tsvector\")", nullable)]
        pub words: Option<String>,
        #[sea_orm(column_type = "JsonBinary")]
        pub document: Json,
        #[sea_orm(default_value = "sad")]
        pub mood: MoreMoods,
        #[sea_orm(extra = "GENERATED BY DEFAULT AS IDENTITY")]
        pub number: i32,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub fn changed_only_postgres(backend: DbBackend) -> Entities {
    Entities::of(backend).with(changed_arrays::Entity)
}

pub fn only_postgres(backend: DbBackend) -> Entities {
    Entities::of(backend).with_extras(arrays::Entity)
}
