//! The entity files are what the generator writes for the migrated database, enriched but never contradicted.
//!
//! Run with `cargo test -p migration --features codegen --test codegen`.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "tests fail by panicking")]

#[path = "../../tests/support/postgres.rs"]
#[allow(dead_code, reason = "shared with other programs")]
mod postgres;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use sea_orm_migration::sea_orm::ConnectionTrait;

/// What an entity file says about its table, apart from what the generator cannot know: the name of a column-type of
/// ours, a length, a default, a CHECK, an index, a comment, and how a relation is called.
fn shape(file: &str) -> BTreeSet<String> {
    let body = file.split_once("pub struct Model {").expect("an entity has a model").1;
    let body = body.split_once("\n}").expect("the model ends").0;
    let mut shape = BTreeSet::new();
    let mut attributes = String::new();
    for line in body.lines().map(str::trim) {
        match line.strip_prefix("pub ") {
            Some(field) => {
                let (name, kind) = field.trim_end_matches(',').split_once(": ").expect("a field has a type");
                shape.insert(describe(name, kind, &std::mem::take(&mut attributes)));
            }
            None if line.starts_with("//") => {}
            None => attributes.push_str(line),
        }
    }
    shape
}

fn describe(name: &str, kind: &str, attributes: &str) -> String {
    let part = |key: &str| {
        let value = attributes.split_once(&format!("{key} = \"")).map_or("", |(_, rest)| rest);
        value.split('"').next().unwrap_or_default().to_owned()
    };
    if attributes.contains("belongs_to") || attributes.contains("has_many") || attributes.contains("has_one") {
        return format!("{kind} from {} to {} {} {}", part("from"), part("to"), part("on_update"), part("on_delete"));
    }
    let ours = ["AuditAction", "CodePurpose", "ContactFormat", "MailKind", "PasswordHash", "RequestStatus", "Role"];
    let kind = kind.replace("DateTimeUtc", "DateTimeWithTimeZone");
    let kind = ours.iter().fold(kind, |kind, name| kind.replace(name, "String"));
    let flags: Vec<_> = ["primary_key", "auto_increment = false", "unique"]
        .into_iter()
        .filter(|flag| attributes.contains(flag))
        .collect();
    format!("{name}: {kind} {}", flags.join(" "))
}

fn files(folder: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let entries = std::fs::read_dir(folder).expect("the folder can be read");
    let paths = entries.map(|entry| entry.expect("its entries too").path());
    let texts = paths.map(|path| (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), path));
    texts
        .map(|(name, path)| (name, std::fs::read_to_string(path).expect("a file can be read")))
        .filter(|(_, text)| text.contains("pub struct Model {"))
        .map(|(name, text)| (name, shape(&text)))
        .collect()
}

#[tokio::test]
async fn the_entities_keep_what_the_generator_writes() {
    let Some(server) = postgres::server_url() else { return postgres::skipped("the_entities_keep_…") };
    let server = migration::connect(server, None).await.expect("the test server answers");
    server.execute_unprepared("CREATE DATABASE codegen").await.expect("a database can be created");
    let url = postgres::database_url("codegen").expect("the server is there");
    let folder = std::env::temp_dir().join(format!("care4u-entities-{}", std::process::id()));
    for arguments in [vec!["up"], vec!["entity", "--output-dir", folder.to_str().expect("its path is UTF-8")]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_migration"));
        let status = command.args(arguments).env("DATABASE_URL", &url).status();
        assert!(status.expect("the command line starts").success());
    }
    let generated = files(&folder);
    std::fs::remove_dir_all(&folder).expect("the folder can be removed");
    assert!(generated.len() >= 4, "the generator wrote {:?}", generated.keys());
    let kept = files(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../entity/src")));
    assert_eq!(generated, kept);
}
