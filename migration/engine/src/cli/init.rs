//! `init`: makes the migration crate of a project that has entities, and says what to add where.

use std::path::{Component, Path};

use super::output::print;
use crate::Failure;
use crate::sources::layout;

/// The crate of the entities: its name, and the calls that list its entities.
struct EntityCrate {
    name: String,
    calls: Vec<String>,
}

/// Makes the migration crate of a project, with the entities of its entity crate. Nothing is overwritten.
///
/// # Errors
/// [`Failure::File`] if one of the files is there already, or cannot be written.
pub fn init(folder: &Path, entity_dir: &Path) -> Result<(), Failure> {
    if folder.file_name().is_none() {
        return Err(Failure::Usage(format!("{} has no name; give the folder of the new crate one", folder.display())));
    }
    let entities = find_entities(entity_dir)?;
    let files = [
        ("Cargo.toml", manifest(folder, entity_dir, entities.as_ref())?),
        ("src/lib.rs", LIBRARY.to_owned()),
        ("src/main.rs", program(&library_name(folder), entities.as_ref())),
    ];
    if let Some((known, _)) = files.iter().find(|(file, _)| folder.join(file).exists()) {
        return Err(Failure::File(format!("{} exists already; nothing was written", folder.join(known).display())));
    }
    std::fs::create_dir_all(folder.join("src"))?;
    let mut lines = Vec::new();
    for (file, text) in files {
        let text = if file.ends_with(".rs") { layout(&text, folder).unwrap_or(text) } else { text };
        let path = folder.join(file);
        std::fs::write(&path, text)?;
        lines.push(format!("Wrote {}", path.display()));
    }
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    lines.extend([
        String::new(),
        format!(
            "Add \"{}\" to the members of the workspace in Cargo.toml, and set DATABASE_URL. Then:",
            folder.display()
        ),
        format!("    cargo run -p {name} -- revision -m \"Create tables\" --autogenerate"),
        format!("    cargo run -p {name} -- up"),
        format!("    cargo run -p {name} -- check"),
    ]);
    if entities.as_ref().is_none_or(|found| found.calls.is_empty()) {
        lines.push(format!(
            "There are no entities in {}; list them in {} when there are, as its comment shows.",
            entity_dir.display(),
            folder.join("src/main.rs").display()
        ));
    }
    print(lines)
}

/// The entities of a crate. None if there is no such crate.
fn find_entities(entity_dir: &Path) -> Result<Option<EntityCrate>, Failure> {
    let Ok(manifest) = std::fs::read_to_string(entity_dir.join("Cargo.toml")) else { return Ok(None) };
    let name = manifest.lines().find_map(|line| line.trim().strip_prefix("name")?.trim().strip_prefix('='));
    let name = name.map(|name| name.trim().trim_matches('"').to_owned());
    let name = name.ok_or_else(|| Failure::File(format!("{} has no name", entity_dir.join("Cargo.toml").display())))?;
    let mut calls = Vec::new();
    collect(&entity_dir.join("src"), &name.replace('-', "_"), &mut calls)?;
    calls.sort();
    Ok(Some(EntityCrate { name, calls }))
}

/// Finds the entities in the files of a folder and of its sub-folders.
fn collect(folder: &Path, module: &str, calls: &mut Vec<String>) -> Result<(), Failure> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let inner = if syn::parse_str::<syn::Ident>(&stem).is_ok() { stem.clone() } else { format!("r#{stem}") };
        if path.is_dir() {
            collect(&path, &format!("{module}::{inner}"), calls)?;
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = std::fs::read_to_string(&path)?;
            let method = if text.contains("TableExtras for Entity") { "with_extras" } else { "with" };
            let is_root = ["lib", "mod", "main"].contains(&stem.as_str());
            let module = if is_root { module.to_owned() } else { format!("{module}::{inner}") };
            calls.extend(text.contains("DeriveEntity").then(|| format!(".{method}({module}::Entity)")));
        }
    }
    Ok(())
}

fn manifest(folder: &Path, entity_dir: &Path, entities: Option<&EntityCrate>) -> Result<String, Failure> {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let path = relative(&std::path::absolute(folder)?, &std::path::absolute(entity_dir)?);
    let entities = entities.map(|entities| format!("{} = {{ path = {path:?} }}\n", entities.name));
    Ok(format!(
        "[package]\nname = {name:?}\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\n[dependencies]\n\
         async-trait = \"0.1\"\n{}revisions = {{ version = \"{}\", features = [\"cli\"] }}\n\
         sea-orm-migration = {{ version = \"2\", default-features = false, features = [\"runtime-tokio\", \
         \"sqlx-postgres\", \"sqlx-sqlite\"] }}\ntokio = {{ version = \"1\", features = [\"macros\", \"rt\"] }}\n",
        entities.unwrap_or_default(),
        env!("CARGO_PKG_VERSION")
    ))
}

/// The path from one absolute folder to another.
fn relative(from: &Path, to: &Path) -> String {
    let parts = |path: &Path| {
        let parts = path.components().filter(|part| !matches!(part, Component::CurDir));
        parts.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    let (from, to) = (parts(from), parts(to));
    let common = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
    let up = from.iter().skip(common).map(|_| "..");
    up.chain(to.iter().skip(common).map(String::as_str)).collect::<Vec<_>>().join("/")
}

const LIBRARY: &str = "//! The migrations, oldest first.

use revisions::Project;
use sea_orm_migration::prelude::*;

/// All migrations.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![]
    }
}

/// The project. A program that migrates its own database calls `revisions::upgrade` with it.
#[must_use]
pub fn project() -> Project {
    Project::new(Migrator::migrations)
}
";

/// The name of the crate in Rust.
fn library_name(folder: &Path) -> String {
    folder.file_name().map(|name| name.to_string_lossy().replace('-', "_")).unwrap_or_default()
}

fn program(library: &str, entities: Option<&EntityCrate>) -> String {
    let list: String = match entities {
        Some(found) if !found.calls.is_empty() => found.calls.iter().map(|call| format!("\n        {call}")).collect(),
        _ => "\n        // .with(entity::users::Entity)".to_owned(),
    };
    format!(
        "//! The migration command line; `--help` lists its commands.

use std::process::ExitCode;

use revisions::{{DbBackend, Entities, Project}};

#[tokio::main(flavor = \"current_thread\")]
async fn main() -> ExitCode {{
    let project = Project {{ entities: Some(entities), is_development: cfg!(debug_assertions), ..{library}::project() }};
    revisions::run(project.in_workspace()).await
}}

/// The entities of the project, one line each.
fn entities(backend: DbBackend) -> Entities {{
    Entities::of(backend){list}
}}
"
    )
}

#[cfg(test)]
mod tests {
    use super::{Path, relative};

    #[test]
    fn the_entities_are_found_from_the_new_crate() {
        for (from, to, expected) in [
            ("/a/migration", "/a/entity", "../entity"),
            ("/a/./migration", "/a/entity", "../entity"),
            ("/a/tools/migration", "/a/entity", "../../entity"),
            ("/a/migration", "/a/crates/entity", "../crates/entity"),
        ] {
            assert_eq!(relative(Path::new(from), Path::new(to)), expected);
        }
    }
}
