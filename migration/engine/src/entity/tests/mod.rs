//! Entity generation: updates of a small entity crate from a schema, with and without differences.

mod changes;
mod fixture;

use sea_orm::DbBackend;

use self::fixture::{HERE, LIBRARY, SCHEMA, USERS, VISITS, changed, schema, sources};
use super::source::{Entity, parse};
use super::values::Values;
use super::{Regenerated, regenerate};

const BACKENDS: [DbBackend; 2] = [DbBackend::Sqlite, DbBackend::Postgres];

#[test]
fn without_differences_nothing_changes() {
    for backend in BACKENDS {
        let result = regenerate(&schema(backend, &[]), backend, &sources(), HERE).unwrap();
        assert_eq!(result, Regenerated::default(), "{backend:?}");
    }
    // Expressions as PostgreSQL stores them.
    let stored = [
        ("DEFAULT 'patient'", "DEFAULT 'patient'::character varying"),
        ("(age >= 0 AND age < 200)", "(((age >= 0) AND (age < 200)))"),
        (
            "(role IN ('patient', 'staff'))",
            "((role = ANY ((ARRAY['patient'::character varying, 'staff'::character varying])::text[])))",
        ),
        ("users (role, age) WHERE ip IS NOT NULL", "public.users USING btree (role, age) WHERE (ip IS NOT NULL)"),
    ];
    let result = regenerate(&schema(DbBackend::Postgres, &stored), DbBackend::Postgres, &sources(), HERE).unwrap();
    assert_eq!(result, Regenerated::default());
    // On SQLite, references may have no columns, and constraints no names.
    let short = [("users (id)", "users"), ("CONSTRAINT visits_user_id_fkey ", ""), ("CONSTRAINT users_age_check ", "")];
    let result = regenerate(&schema(DbBackend::Sqlite, &short), DbBackend::Sqlite, &sources(), HERE).unwrap();
    assert_eq!(result, Regenerated::default());
}

#[test]
fn deleted_parts_are_restored() {
    let edits = [
        ("users.rs", "(column_type = \"String(StringLen::N(254))\", unique)", "(unique)"),
        ("users.rs", "N(254))\", unique)", "N(254))\")"),
        ("users.rs", "N(254)", "N(100)"),
        ("users.rs", "    #[sea_orm(default_value = \"patient\")]\n", ""),
        ("users.rs", "default_value = \"patient\"", "default_value = \"staff\""),
        (
            "users.rs",
            "    #[sea_orm(column_type = \"String(StringLen::N(45))\", nullable, indexed)]\n    pub ip: Option<String>",
            "    pub ip: String",
        ),
        ("users.rs", ", indexed)", ")"),
        (
            "users.rs",
            "default_value = 0, extra = \"CONSTRAINT users_age_check CHECK (age >= 0 AND age < 200)\"",
            "unique",
        ),
        ("users.rs", "age < 200", "age < 20"),
        ("users.rs", "pub age: i32", "pub age: String"),
        (
            "users.rs",
            "    const INDEXES: &[CompositeIndex] = &[CompositeIndex::unique(&[\"role\", \"age\"])\
             .filter(\"ip IS NOT NULL\")];\n\n",
            "",
        ),
        (
            "users.rs",
            "\n    fn enum_values() -> Vec<(Column, Vec<String>)> {\n        vec![(Column::Role, enum_values::<Role>())]\n    }\n",
            "",
        ),
        ("users.rs", "    #[sea_orm(has_many)]\n    pub visits: HasMany<super::visits::Entity>,\n", ""),
        ("users.rs", "    pub created_at: DateTimeUtc,\n", ""),
        ("visits.rs", "    pub seen_at: DateTimeUtc,\n", ""),
        ("visits.rs", "on_delete = \"Cascade\"", "on_delete = \"SetNull\""),
        ("visits.rs", "BelongsTo<Option<super::users::Entity>>", "BelongsTo<super::users::Entity>"),
        (
            "visits.rs",
            "    #[sea_orm(belongs_to, from = \"user_id\", to = \"id\", on_update = \"NoAction\", \
             on_delete = \"Cascade\")]\n    pub user: BelongsTo<Option<super::users::Entity>>,\n",
            "",
        ),
        ("values.rs", "N(16)", "N(8)"),
    ];
    for (file, intact, damaged) in edits {
        for backend in BACKENDS {
            let mut sources = sources();
            let original = sources[file].clone();
            assert!(original.contains(intact), "{intact}");
            sources.insert(file.into(), original.replace(intact, damaged));
            let result = regenerate(&schema(backend, &[]), backend, &sources, HERE).unwrap();
            assert_eq!(changed(&result, file), original, "{backend:?}: {intact}");
            assert_eq!(result.files.len(), 1, "{intact}: {result:#?}");
        }
    }
}

#[test]
fn a_missing_file_is_created() {
    for backend in BACKENDS {
        let mut sources = sources();
        sources.remove("visits.rs");
        sources.insert("lib.rs".into(), LIBRARY.replace("pub mod visits;\n", ""));
        sources.insert("schema.rs".into(), SCHEMA.replace("\n        .with_extras(crate::visits::Entity)", ""));
        sources.insert(
            "users.rs".into(),
            USERS.replace("    #[sea_orm(has_many)]\n    pub visits: HasMany<super::visits::Entity>,\n", ""),
        );
        let result = regenerate(&schema(backend, &[]), backend, &sources, HERE).unwrap();
        assert_eq!(changed(&result, "visits.rs"), VISITS);
        assert_eq!(changed(&result, "lib.rs"), LIBRARY);
        assert_eq!(changed(&result, "users.rs"), USERS);
        assert_eq!(changed(&result, "schema.rs"), SCHEMA);
        assert!(result.notes.is_empty(), "{:?}", result.notes);
    }
}

#[test]
fn a_restored_file_uses_the_existing_enum() {
    let mut sources = sources();
    sources.remove("users.rs");
    let result = regenerate(&schema(DbBackend::Postgres, &[]), DbBackend::Postgres, &sources, HERE).unwrap();
    let users = changed(&result, "users.rs");
    assert!(users.contains("    #[sea_orm(default_value = \"patient\")]\n    pub role: Role,"), "{users}");
    assert!(users.contains("pub secret: String,") && users.contains("use crate::Role;"), "{users}");
    assert!(users.contains("(Column::Role, enum_values::<Role>())"), "{users}");
    assert!(!result.files.contains_key("values.rs") && !result.files.contains_key("schema.rs"), "{result:#?}");
}

#[test]
fn every_entity_of_the_project_can_be_parsed() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../entity/src");
    let mut tables = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        parse(&name, &text).unwrap();
        if let Some(entity) = Entity::parse(&name, &text).unwrap() {
            assert!(entity.table_extras.is_some() && entity.has_relations && !entity.fields.is_empty(), "{name}");
            tables += 1;
        }
        if name == "values.rs" {
            let values = Values::parse(&text).unwrap();
            let is_format = values.find("ContactFormat").unwrap().has_strings(&["csv".into(), "vcard".into()]);
            assert!(is_format, "{values:?}");
        }
    }
    assert!(tables > 5, "{tables}");
}
