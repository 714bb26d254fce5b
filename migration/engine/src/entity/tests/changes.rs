//! Entity generation: schema changes are written to the sources.

use sea_orm::DbBackend;

use super::BACKENDS;
use super::fixture::{HERE, LIBRARY, USERS, VALUES, changed, schema, sources};
use crate::entity::text::compact;
use crate::entity::{Regenerated, regenerate};

#[test]
fn a_column_with_a_list_of_values_gets_an_enum() {
    let new = [
        (" CONSTRAINT users_pkey", " status varchar(20) NOT NULL, score double precision, CONSTRAINT users_pkey"),
        (
            "CONSTRAINT users_email_key",
            "CONSTRAINT users_status_check CHECK (status IN ('new', 'in-use')), CONSTRAINT users_email_key",
        ),
    ];
    let result = regenerate(&schema(DbBackend::Postgres, &new), DbBackend::Postgres, &sources(), HERE).unwrap();
    let users = changed(&result, "users.rs");
    let fields = "    pub created_at: DateTimeUtc,\n    pub status: UserStatus,\n    pub score: Option<f64>,\n";
    assert!(users.contains(fields), "{users}");
    assert!(users.contains("#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]"), "{users}");
    let plain = compact(&users);
    assert!(plain.contains("usecrate::{Role,Secret,UserStatus};"), "{users}");
    assert!(
        plain.contains("(Column::Role,enum_values::<Role>()),(Column::Status,enum_values::<UserStatus>())]"),
        "{users}"
    );
    assert!(users.contains("pub secret: Secret, // hashed") && users.contains("/// By hand."), "{users}");
    let values = changed(&result, "values.rs");
    let (roles, _) = VALUES.split_once("\n\n#[derive(Clone, DeriveValueType)]").unwrap();
    assert!(values.starts_with(roles), "{values}");
    assert!(
        values.contains(
            "#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize)]\n\
             #[sea_orm(rs_type = \"String\", db_type = \"String(StringLen::N(20))\", rename_all = \"snake_case\")]\n\
             #[serde(rename_all = \"snake_case\")]\npub enum UserStatus {\n    New,\n    \
             #[sea_orm(string_value = \"in-use\")]\n    #[serde(rename = \"in-use\")]\n    InUse,\n}"
        ),
        "{values}"
    );
    assert!(compact(&changed(&result, "lib.rs")).contains("pubusevalues::{Role,Secret,UserStatus};"), "{result:#?}");
}

#[test]
fn a_missing_values_file_is_created() {
    let mut sources = sources();
    sources.remove("values.rs");
    sources.insert("lib.rs".into(), "pub mod schema;\npub mod users;\npub mod visits;\n".into());
    let users = USERS.replace("role: Role", "role: String").replace("crate::{Role, Secret}", "crate::Secret");
    sources.insert("users.rs".into(), users);
    let result = regenerate(&schema(DbBackend::Sqlite, &[]), DbBackend::Sqlite, &sources, HERE).unwrap();
    let values = changed(&result, "values.rs");
    assert!(values.contains("pub enum UserRole {\n    Patient,\n    Staff,\n}"), "{values}");
    let library = changed(&result, "lib.rs");
    assert!(library.contains("mod values;") && library.contains("pub use values::{UserRole};"), "{library}");
    let users = changed(&result, "users.rs");
    assert!(users.contains("pub role: UserRole,") && users.contains("enum_values::<UserRole>()"), "{users}");
    assert!(compact(&users).contains("usecrate::{Secret,UserRole};"), "{users}");
}

#[test]
fn an_enum_gets_the_values_of_its_check() {
    let more = [("'patient', 'staff'", "'patient', 'staff', 'admin'")];
    let result = regenerate(&schema(DbBackend::Sqlite, &more), DbBackend::Sqlite, &sources(), HERE).unwrap();
    let values = changed(&result, "values.rs");
    let expected = VALUES
        .replace("    Staff,\n", "    Staff,\n    Admin,\n")
        .replace("\"staff\",\n", "\"staff\",\n            Self::Admin => \"admin\",\n");
    assert_eq!(values, expected);
    assert_eq!(result.files.len(), 1, "{result:#?}");
    let other = [("'patient', 'staff'", "'patient', 'no one'")];
    let result = regenerate(&schema(DbBackend::Sqlite, &other), DbBackend::Sqlite, &sources(), HERE).unwrap();
    let values = changed(&result, "values.rs");
    assert!(!values.contains("Staff") && values.contains("Self::NoOne => \"no one\","), "{values}");
    assert_eq!(result.notes.len(), 2, "{result:#?}");
}

#[test]
fn dropped_columns_indexes_and_tables_are_removed() {
    for backend in BACKENDS {
        let fewer = [
            (" age integer NOT NULL DEFAULT 0,", ""),
            (" CONSTRAINT users_age_check CHECK (age >= 0 AND age < 200),", ""),
            ("CREATE UNIQUE INDEX users_role_age_key ON users (role, age) WHERE ip IS NOT NULL", ""),
        ];
        let mut schema = schema(backend, &fewer);
        schema.tables.remove("visits");
        let result = regenerate(&schema, backend, &sources(), HERE).unwrap();
        let users = changed(&result, "users.rs");
        assert!(!users.contains("age") && !users.contains("CompositeIndex") && !users.contains("HasMany"), "{users}");
        assert!(users.contains("use revisions::{TableExtras, enum_values};"), "{users}");
        assert!(users.contains("impl TableExtras for Entity {\n    fn enum_values()"), "{users}");
        for kept in ["/// One account.", "/// Lower-cased – ä.", "#[serde(rename = \"mail\")]", "/// By hand."] {
            assert!(users.contains(kept), "{users}");
        }
        assert_eq!(result.files.get("visits.rs"), Some(&None));
        assert_eq!(changed(&result, "lib.rs"), LIBRARY.replace("pub mod visits;\n", ""));
        let list = changed(&result, "schema.rs");
        assert!(!list.contains("visits") && list.contains("users::Entity"), "{list}");
        assert_eq!(
            result.notes,
            [
                "users.age was removed, with its comments and attributes",
                "visits.rs is removed: there is no table visits"
            ]
        );
    }
}

#[test]
fn a_second_foreign_key_to_the_same_table_names_both_relations() {
    let second = [
        (" seen_at", " seen_by uuid, seen_at"),
        (
            "CONSTRAINT visits_user_id_fkey",
            "CONSTRAINT visits_seen_by_fkey FOREIGN KEY (seen_by) REFERENCES users (id), \
             CONSTRAINT visits_user_id_fkey",
        ),
    ];
    let result = regenerate(&schema(DbBackend::Postgres, &second), DbBackend::Postgres, &sources(), HERE).unwrap();
    let visits = changed(&result, "visits.rs");
    assert!(visits.contains("    pub user_id: Option<Uuid>,\n    pub seen_by: Option<Uuid>,\n"), "{visits}");
    let first = "#[sea_orm(belongs_to, relation_enum = \"User\", from = \"user_id\", to = \"id\",";
    assert!(visits.contains(first), "{visits}");
    assert!(
        visits.contains(
            "    #[sea_orm(belongs_to, relation_enum = \"SeenByUser\", from = \"seen_by\", to = \"id\", \
             on_update = \"NoAction\", on_delete = \"NoAction\")]\n    \
             pub seen_by_user: BelongsTo<Option<super::users::Entity>>,\n}"
        ),
        "{visits}"
    );
    assert!(!changed(&result, "users.rs").contains("HasMany"), "{result:#?}");
}

#[test]
fn without_rowid_and_collations_are_updated_per_database() {
    let without_rowid = [("CASCADE )", "CASCADE ) WITHOUT ROWID")];
    let result = regenerate(&schema(DbBackend::Sqlite, &without_rowid), DbBackend::Sqlite, &sources(), HERE).unwrap();
    let visits = changed(&result, "visits.rs");
    assert!(visits.ends_with("impl TableExtras for Entity {\n    const WITHOUT_ROWID: bool = true;\n}\n"), "{visits}");
    let mut sources = sources();
    sources.insert("visits.rs".into(), visits);
    let same = regenerate(&schema(DbBackend::Postgres, &[]), DbBackend::Postgres, &sources, HERE).unwrap();
    assert_eq!(same, Regenerated::default());
    let sorted = [("email varchar(254) NOT NULL", "email varchar(254) COLLATE \"C\" NOT NULL")];
    let result = regenerate(&schema(DbBackend::Postgres, &sorted), DbBackend::Postgres, &sources, HERE).unwrap();
    let users = changed(&result, "users.rs");
    assert!(users.contains("    const COLLATE_C: &[&str] = &[\"email\"];\n    const INDEXES"), "{users}");
}

#[test]
fn a_native_enum_becomes_an_enum_and_follows_its_values() {
    let column = [("age integer NOT NULL", "feeling mood NOT NULL, age integer NOT NULL")];
    let mut schema = schema(DbBackend::Postgres, &column);
    schema.enums.insert("mood".into(), vec!["happy".into(), "it's ok".into()]);
    let mut sources = sources();
    let result = regenerate(&schema, DbBackend::Postgres, &sources, HERE).unwrap();
    let (users, values) = (changed(&result, "users.rs"), changed(&result, "values.rs"));
    assert!(users.contains("pub feeling: Mood,") && !users.contains("enum_values::<Mood>"), "{users}");
    assert!(
        values.contains("db_type = \"Enum\", enum_name = \"mood\"") && values.contains("pub enum Mood {"),
        "{values}"
    );
    assert!(values.contains("#[sea_orm(string_value = \"it's ok\")]"), "{values}");
    for (file, text) in result.files {
        sources.insert(file, text.unwrap());
    }
    assert_eq!(regenerate(&schema, DbBackend::Postgres, &sources, HERE).unwrap(), Regenerated::default());
    schema.enums.insert("mood".into(), vec!["sad".into(), "happy".into(), "it's ok".into()]);
    let result = regenerate(&schema, DbBackend::Postgres, &sources, HERE).unwrap();
    assert_eq!(result.notes, ["Mood::Sad is new"]);
    assert_eq!(result.files.len(), 1);
}
