//! Commands of Alembic that have a meaning in one line of history: `ensure_version`, `edit`, `init`, `stamp --sql`,
//! `revision --rev-id`, `-q`.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod support;

use support::{
    Folder, command, execute, facts_of, fails, latest, migration, postgres, postgres_database, sqlite, succeeds, value,
};

async fn on_both<F: Future<Output = ()>>(test: &str, run: impl Fn(String) -> F) {
    let folder = Folder::new();
    run(sqlite(&folder)).await;
    match postgres_database().await {
        Some(url) => run(url).await,
        None => postgres::skipped(test),
    }
}

#[tokio::test]
async fn ensure_version_creates_the_table_of_the_history_only() {
    on_both("ensure_version_creates_the_table_of_the_history_only", async |url| {
        let folder = Folder::new();
        let output = migration(&folder, Some(&url), &["ensure_version"]);
        assert_eq!(succeeds(&output), "The table seaql_migrations is there\n");
        assert_eq!(succeeds(&migration(&folder, Some(&url), &["ensure_version", "-q"])), "");
        assert_eq!(
            value(&url, "SELECT CAST(count(checksum) AS text) FROM seaql_migrations").await.as_deref(),
            Some("0")
        );
        assert!(facts_of(&url).await.is_empty());
        let script = succeeds(&migration(&folder, Some(&url), &["ensure_version", "--sql"]));
        assert!(script.starts_with("CREATE TABLE IF NOT EXISTS \"seaql_migrations\""), "{script}");
    })
    .await;
}

#[tokio::test]
async fn the_printed_records_are_those_of_stamp() {
    on_both("the_printed_records_are_those_of_stamp", async |url| {
        let folder = Folder::new();
        succeeds(&migration(&folder, Some(&url), &["ensure_version"]));
        let script = succeeds(&migration(&folder, Some(&url), &["stamp", "m20261121_000003", "--sql"]));
        execute(&url, &script).await;
        let current = || succeeds(&migration(&folder, Some(&url), &["current"]));
        assert_eq!(current(), "m20261121_000003_create_vaccines\n");
        succeeds(&migration(&folder, Some(&url), &["stamp", "head"]));
        // Later records are deleted.
        execute(&url, &script).await;
        assert_eq!(current(), "m20261121_000003_create_vaccines\n");
        let relative = migration(&folder, Some(&url), &["stamp", "+1", "--sql"]);
        assert!(fails(&relative, 2).contains("relative to a database"));
    })
    .await;
}

/// A copy of the migration crate.
fn sources() -> (Folder, String) {
    let folder = Folder::new();
    std::fs::create_dir(folder.0.join("src")).unwrap();
    for file in std::fs::read_dir(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), folder.0.join("src").join(file.file_name())).unwrap();
    }
    let path = folder.0.display().to_string();
    (folder, path)
}

#[test]
fn a_revision_has_the_given_name_if_it_sorts_last() {
    let (folder, path) = sources();
    let url = sqlite(&folder);
    let revision = |name: &str| migration(&folder, Some(&url), &["revision", "-m", "x", "--rev-id", name, "-d", &path]);
    for name in ["add_x", "m20991231_120000", "m20991231_120000_Add-x", "../m20991231_120000_x"] {
        assert!(fails(&revision(name), 2).contains("is not the name of a migration"), "{name}");
    }
    let message = fails(&revision("m20200101_000000_x"), 2);
    assert!(message.contains(&format!("does not sort after {}", latest())), "{message}");
    succeeds(&revision("m20991231_120000_add_x"));
    let text = std::fs::read_to_string(folder.0.join("src/m20991231_120000_add_x.rs")).unwrap();
    assert!(text.starts_with(&format!("//! x.\n//!\n//! Parent: {}. Date: ", latest())), "{text}");
    assert!(fails(&revision("m20991231_120000_add_x"), 2).contains("does not sort after"));
}

#[test]
fn edit_opens_the_file_of_a_revision() {
    let (folder, path) = sources();
    let edit = |editor: Option<&str>| {
        let mut command = command(&folder, None, &["edit", "m20261121_000001", "-d", &path]);
        command.envs(editor.map(|editor| ("EDITOR", editor)));
        command.output().unwrap()
    };
    assert!(succeeds(&edit(Some("cat -u"))).starts_with("//! Accounts"));
    assert!(fails(&edit(None), 2).contains("set VISUAL or EDITOR"));
    assert!(fails(&edit(Some("no-such-editor")), 12).contains("cannot be started"));
    assert!(fails(&edit(Some("false")), 12).contains("failed"));
}

#[test]
fn init_lists_the_entities_and_overwrites_nothing() {
    let folder = Folder::new();
    let entity_dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("entity").display().to_string();
    let init = || migration(&folder, None, &["init", "tools/moves", "--entity-dir", &entity_dir]);
    let printed = succeeds(&init());
    assert!(printed.contains("cargo run -p moves -- up"), "{printed}");
    let read = |file: &str| std::fs::read_to_string(folder.0.join("tools/moves").join(file)).unwrap();
    assert!(read("src/main.rs").contains(".with_extras(entity::users::Entity)"), "{}", read("src/main.rs"));
    assert!(read("src/main.rs").contains("..moves::project()"));
    let manifest = read("Cargo.toml");
    assert!(manifest.contains("entity = { path = \"../") && manifest.contains("/entity\" }"), "{manifest}");
    assert!(fails(&init(), 12).contains("exists already; nothing was written"));
    // Without entities, it says where they go.
    let printed = succeeds(&migration(&folder, None, &["init", "other"]));
    assert!(printed.contains("There are no entities in entity"), "{printed}");
}

#[tokio::test]
async fn no_differences_are_said() {
    let folder = Folder::new();
    let url = sqlite(&folder);
    assert_eq!(succeeds(&migration(&folder, Some(&url), &["up", "--quiet"])), "");
    assert_eq!(succeeds(&migration(&folder, Some(&url), &["diff"])), "No differences\n");
    execute(&url, "CREATE TABLE spatial_index (id integer PRIMARY KEY)").await;
    assert_eq!(succeeds(&migration(&folder, Some(&url), &["diff"])), "- table spatial_index (id)\n");
    assert_eq!(succeeds(&migration(&folder, Some(&url), &["diff", "--exclude", "spatial_*"])), "No differences\n");
}
