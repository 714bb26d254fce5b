//! Entity generation (`migration entity`): updates the entity sources from a live database. Without
//! differences nothing changes; deleted parts are restored; manual additions are kept. On both
//! databases.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use support::{Folder, execute, fails, latest, migration, postgres, postgres_database, sqlite, succeeds};

/// Copy of the entity sources, in a temporary folder.
struct Sources {
    folder: Folder,
}

impl Sources {
    fn new() -> Self {
        let folder = Folder::new();
        std::fs::create_dir(folder.0.join("src")).unwrap();
        // rustfmt uses the settings of the project.
        std::fs::copy(original_folder().join("../../rustfmt.toml"), folder.0.join("rustfmt.toml")).unwrap();
        for (name, text) in files(&original_folder()) {
            std::fs::write(folder.0.join("src").join(name), text).unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.0.join("src").join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "{name} has no {from}");
        std::fs::write(self.path(name), text.replacen(from, to, 1)).unwrap();
    }

    fn regenerate(&self, url: &str) -> String {
        let dir = self.folder.0.display().to_string();
        succeeds(&migration(&self.folder, Some(url), &["entity", "--entity-dir", &dir]))
    }

    fn assert_unchanged(&self) {
        for (name, text) in files(&original_folder()) {
            assert_eq!(self.read(&name), text, "{name}");
        }
        assert_eq!(files(&self.folder.0.join("src")).len(), files(&original_folder()).len());
    }
}

fn original_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("entity").join("src")
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(path).unwrap()))
        .collect()
}

async fn on_both<F: Future<Output = ()>>(test: &str, run: impl Fn(String) -> F) {
    let folder = Folder::new();
    let url = sqlite(&folder);
    succeeds(&migration(&folder, Some(&url), &["up"]));
    run(url).await;
    match postgres_database().await {
        Some(url) => {
            succeeds(&migration(&folder, Some(&url), &["up"]));
            run(url).await;
        }
        None => postgres::skipped(test),
    }
}

#[tokio::test]
async fn without_differences_nothing_changes() {
    on_both("without_differences_nothing_changes", async |url| {
        let sources = Sources::new();
        assert_eq!(sources.regenerate(&url), "The entities agree with the database: nothing to write\n");
        sources.assert_unchanged();
    })
    .await;
}

#[tokio::test]
async fn deleted_parts_are_restored() {
    on_both("deleted_parts_are_restored", async |url| {
        for (file, from, to) in [
            // A length, a unique key, an index, nullability, a default, a CHECK, two foreign-key
            // actions.
            ("users.rs", "String(StringLen::N(200))", "String(StringLen::N(20))"),
            ("users.rs", "String(StringLen::N(254))\", unique", "String(StringLen::N(254))\""),
            ("contacts.rs", "    #[sea_orm(indexed)]\n    pub import_id", "    pub import_id"),
            ("users.rs", "pub birth_date: Option<Date>", "pub birth_date: Date"),
            ("refresh_tokens.rs", "    #[sea_orm(default_value = 0)]\n", ""),
            ("vaccines.rs", "CHECK (doses >= 1)", "CHECK (doses >= 2)"),
            ("outbox.rs", "on_delete = \"Cascade\"", "on_delete = \"NoAction\""),
            ("refresh_tokens.rs", "on_delete = \"SetNull\"", "on_delete = \"Cascade\""),
        ] {
            let sources = Sources::new();
            sources.edit(file, from, to);
            let message = sources.regenerate(&url);
            assert!(message.contains(&format!("Wrote {}", sources.path(file).display())), "{file}, {from}: {message}");
            assert_eq!(sources.read(file), std::fs::read_to_string(original_folder().join(file)).unwrap(), "{from}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_deleted_enum_value_and_index_are_restored() {
    on_both("a_deleted_enum_value_and_index_are_restored", async |url| {
        let sources = Sources::new();
        sources.edit("values.rs", "    DataExported,\n", "");
        sources.edit("users.rs", "        CompositeIndex::on(&[\"role\", \"id\"]),\n", "");
        sources.regenerate(&url);
        assert!(sources.read("values.rs").contains("    DataExported,\n"));
        assert!(sources.read("users.rs").contains("CompositeIndex::on(&[\"role\", \"id\"])"));
    })
    .await;
}

#[tokio::test]
async fn new_columns_tables_and_enums_are_added_and_dropped_ones_removed() {
    on_both("new_columns_tables_and_enums_are_added_and_dropped_ones_removed", async |url| {
        let sources = Sources::new();
        let (uuid, time) = match url.starts_with("sqlite:") {
            true => ("uuid_text", "timestamp_with_timezone_text"),
            false => ("uuid", "timestamp with time zone"),
        };
        execute(&url, "ALTER TABLE vaccines ADD COLUMN storage varchar(40) NOT NULL DEFAULT 'fridge'").await;
        execute(&url, "ALTER TABLE vaccines ADD COLUMN h1_n1 integer").await;
        execute(&url, "ALTER TABLE vaccines ADD COLUMN b12_c integer").await;
        execute(&url, "ALTER TABLE users DROP COLUMN address").await;
        execute(
            &url,
            &format!(
                "CREATE TABLE depots (id {uuid} NOT NULL, owner_id {uuid} NOT NULL, name varchar(80) NOT NULL, \
             kind varchar(16) NOT NULL DEFAULT 'clinic', opened_at {time}, CONSTRAINT depots_pkey PRIMARY KEY (id), \
             CONSTRAINT depots_name_key UNIQUE (name), \
             CONSTRAINT depots_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES users (id) ON DELETE CASCADE, \
             CONSTRAINT depots_kind_check CHECK (kind IN ('clinic', 'school')))"
            ),
        )
        .await;
        execute(&url, "CREATE INDEX depots_owner_id_idx ON depots (owner_id)").await;
        execute(&url, "CREATE INDEX depots_kind_id_idx ON depots (kind, id)").await;
        sources.regenerate(&url);
        let users = sources.read("users.rs");
        assert!(!users.contains("address") && users.contains("/// Trimmed and in lower case.\n"), "{users}");
        assert!(users.contains("pub depots: HasMany<super::depots::Entity>"), "{users}");
        let vaccines = sources.read("vaccines.rs");
        assert!(vaccines.contains("default_value = \"fridge\""), "{vaccines}");
        assert!(vaccines.contains("pub h1_n1: Option<i") && vaccines.contains("pub b12_c: Option<i"), "{vaccines}");
        assert!(!vaccines.contains("column_name"), "{vaccines}");
        let depots = sources.read("depots.rs");
        for part in [
            "#[sea_orm(table_name = \"depots\")]",
            "pub kind: DepotKind",
            "String(StringLen::N(80))\", unique",
            "pub opened_at: Option<DateTimeUtc>",
            "on_delete = \"Cascade\"",
            "BelongsTo<super::users::Entity>",
            "CompositeIndex::on(&[\"kind\", \"id\"])",
            "enum_values::<DepotKind>()",
        ] {
            assert!(depots.contains(part), "{part}: {depots}");
        }
        assert!(
            sources.read("values.rs").contains("pub enum DepotKind {\n    Clinic,\n    School,\n}"),
            "{}",
            sources.read("values.rs")
        );
        assert!(sources.read("lib.rs").contains("pub mod depots;"));
        assert!(sources.read("schema.rs").contains(".with_extras(crate::depots::Entity)"));
        assert_eq!(sources.regenerate(&url), "The entities agree with the database: nothing to write\n");

        execute(&url, "DROP TABLE depots").await;
        sources.regenerate(&url);
        assert!(!sources.path("depots.rs").exists() && !sources.read("lib.rs").contains("depots"));
        assert!(!sources.read("schema.rs").contains("depots") && !sources.read("users.rs").contains("depots"));
    })
    .await;
}

#[tokio::test]
async fn a_deleted_file_is_restored() {
    on_both("a_deleted_file_is_restored", async |url| {
        for file in ["contacts.rs", "vaccine_requests.rs", "calendar_feeds.rs"] {
            let sources = Sources::new();
            std::fs::remove_file(sources.path(file)).unwrap();
            sources.regenerate(&url);
            assert!(sources.read(file).contains("pub struct Model {"));
            assert_eq!(sources.regenerate(&url), "The entities agree with the database: nothing to write\n");
        }
    })
    .await;
}

#[tokio::test]
async fn sqlite_types_are_mapped_by_their_affinity() {
    let folder = Folder::new();
    let url = sqlite(&folder);
    succeeds(&migration(&folder, Some(&url), &["up"]));
    execute(
        &url,
        "CREATE TABLE things (id INTEGER PRIMARY KEY, number INT NOT NULL, big BIGINT, share REAL, word NVARCHAR(9))",
    )
    .await;
    execute(&url, "CREATE TABLE keyless (a text)").await;
    let sources = Sources::new();
    let message = sources.regenerate(&url);
    assert!(message.contains("keyless has no primary key, so it cannot be an entity"), "{message}");
    let things = sources.read("things.rs");
    for part in ["pub number: i64", "pub big: Option<i64>", "pub share: Option<f64>", "pub word: Option<String>"] {
        assert!(things.contains(part), "{part}: {things}");
    }
    assert!(!sources.path("keyless.rs").exists());
}

#[tokio::test]
async fn a_database_with_pending_migrations_is_refused() {
    on_both("a_database_with_pending_migrations_is_refused", async |url| {
        let sources = Sources::new();
        succeeds(&migration(&sources.folder, Some(&url), &["down"]));
        let dir = sources.folder.0.display().to_string();
        let message = fails(&migration(&sources.folder, Some(&url), &["entity", "--entity-dir", &dir]), 13);
        assert!(message.contains(&format!("{} pending", latest())), "{message}");
        sources.assert_unchanged();
        succeeds(&migration(&sources.folder, Some(&url), &["up"]));
        std::fs::remove_file(sources.path("values.rs")).unwrap();
        let message = fails(&migration(&sources.folder, Some(&url), &["entity", "--entity-dir", &dir]), 12);
        assert!(message.contains("lib.rs lists values"), "{message}");
    })
    .await;
}
