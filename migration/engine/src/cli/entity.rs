//! `entity`: updates the sources of the entities from the database.

use std::collections::BTreeMap;
use std::path::Path;

use super::output::print;
use super::state::State;
use super::target::{Target, close};
use crate::entity::{Regenerated, Surroundings, regenerate};
use crate::schema::Schema;
use crate::sources::layout;
use crate::{Failure, Project};

pub(super) async fn entity(
    entity_dir: &Path,
    target: &Target,
    project: &Project,
    dry_run: bool,
) -> Result<(), Failure> {
    let folder = entity_dir.join("src");
    let sources = read(&folder)?;
    let db = target.open_existing(project).await?;
    let outcome = async {
        refuse_outdated(&State::of(project, &db).await?)?;
        let mut schema = Schema::read(&db).await?;
        schema.tables.retain(|name, _| !project.excludes(name));
        Ok(schema)
    };
    let outcome = outcome.await;
    let backend = db.get_database_backend();
    let schema = close(db, outcome).await?;
    refuse_missing(&sources, &schema, &folder)?;
    if schema.tables.is_empty() {
        return Err(Failure::NotUpToDate("the database has no tables; every entity would be removed".into()));
    }
    let program_path = project.migration_dir.join("src/main.rs");
    let program = std::fs::read_to_string(&program_path).ok();
    let crate_name = crate_name(entity_dir);
    // Entities of excluded tables stay as they are.
    let sources: BTreeMap<_, _> = sources.into_iter().filter(|(_, text)| !is_of_excluded(text, project)).collect();
    let surroundings = Surroundings {
        has_table_extras: has_table_extras(entity_dir, &sources),
        crate_name: &crate_name,
        program: program.as_deref(),
    };
    let Regenerated { files, notes, list } = regenerate(&schema, backend, &sources, surroundings)?;
    let files = format_files(files, &sources, &folder)?;
    let mut output = Vec::new();
    for (name, text) in &files {
        let path = folder.join(name);
        match text {
            Some(text) if dry_run => output.push(format!("// {name}\n{text}")),
            Some(text) => {
                std::fs::write(&path, text).map_err(file_error(&path))?;
                output.push(format!("Wrote {}", path.display()));
            }
            None if dry_run => output.push(format!("// {name} would be removed")),
            None => {
                std::fs::remove_file(&path).map_err(file_error(&path))?;
                output.push(format!("Removed {}", path.display()));
            }
        }
    }
    if let Some(text) = &list {
        let text = layout(text, &project.migration_dir).unwrap_or_else(|| text.clone());
        if dry_run {
            output.push(format!("// {}\n{text}", program_path.display()));
        } else {
            std::fs::write(&program_path, text).map_err(file_error(&program_path))?;
            output.push(format!("Wrote {}", program_path.display()));
        }
    }
    if files.is_empty() && list.is_none() {
        output.push("The entities agree with the database: nothing to write".into());
    }
    output.extend(notes.into_iter().map(|note| format!("Decide: {note}")));
    print(output)
}

/// Whether a file is the entity of an excluded table.
fn is_of_excluded(text: &str, project: &Project) -> bool {
    let table = text.split_once("table_name = \"").and_then(|(_, rest)| rest.split('"').next());
    table.is_some_and(|table| project.excludes(table))
}

/// The name of the crate of the entities in Rust.
fn crate_name(entity_dir: &Path) -> String {
    let manifest = std::fs::read_to_string(entity_dir.join("Cargo.toml")).unwrap_or_default();
    let name = manifest.lines().find_map(|line| line.trim().strip_prefix("name")?.trim().strip_prefix('='));
    name.map_or_else(|| "entity".into(), |name| name.trim().trim_matches('"').replace('-', "_"))
}

/// Whether the entities use `TableExtras`, or can: their crate depends on this one.
fn has_table_extras(entity_dir: &Path, sources: &BTreeMap<String, String>) -> bool {
    if sources.values().any(|text| text.contains("impl TableExtras")) {
        return true;
    }
    let manifest = std::fs::read_to_string(entity_dir.join("Cargo.toml")).unwrap_or_default();
    manifest.lines().any(|line| line.trim_start().starts_with("revisions"))
}

/// Fails if migrations are pending: their tables are not in the database yet, so their entities
/// would be removed.
fn refuse_outdated(state: &State) -> Result<(), Failure> {
    crate::run::refuse_unknown(&state.migrations, &state.applied)?;
    let pending: Vec<_> = state.pending().collect();
    match pending.is_empty() {
        true => Ok(()),
        false => Err(Failure::NotUpToDate(format!("the database is not up to date: {} pending", pending.join(", ")))),
    }
}

/// Fails if a module of `lib.rs` that is not an entity has no file: it cannot be restored from the
/// database.
fn refuse_missing(sources: &BTreeMap<String, String>, schema: &Schema, folder: &Path) -> Result<(), Failure> {
    let path = |name: &str| folder.join(name).display().to_string();
    let list = sources.get("lib.rs").ok_or_else(|| Failure::File(format!("there is no {}", path("lib.rs"))))?;
    let modules = list.lines().filter_map(|line| {
        let line = line.trim_start_matches("pub ").trim_start_matches("pub(crate) ");
        line.strip_prefix("mod ")?.strip_suffix(';')
    });
    for module in modules.filter(|module| !schema.tables.contains_key(*module)) {
        let file = format!("{module}.rs");
        if !sources.contains_key(&file) && !folder.join(module).is_dir() {
            return Err(Failure::File(format!("lib.rs lists {module}, but there is no {}", path(&file))));
        }
    }
    Ok(())
}

/// All Rust files of the folder, by name.
fn read(folder: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let mut sources = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(file_error(folder))? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.ends_with(".rs") {
            sources.insert(name.to_owned(), std::fs::read_to_string(&path).map_err(file_error(&path))?);
        }
    }
    Ok(sources)
}

/// Formats the files with rustfmt, and keeps only those that change. All are formatted before the
/// first is written.
fn format_files(
    files: BTreeMap<String, Option<String>>,
    sources: &BTreeMap<String, String>,
    folder: &Path,
) -> Result<BTreeMap<String, Option<String>>, Failure> {
    let mut done = BTreeMap::new();
    for (name, text) in files {
        let text = match text {
            Some(text) => Some(
                layout(&text, folder)
                    .ok_or_else(|| Failure::File(format!("rustfmt is missing, or cannot format the new {name}")))?,
            ),
            None => None,
        };
        if text.as_ref() != sources.get(&name) {
            done.insert(name, text);
        }
    }
    Ok(done)
}

fn file_error(path: &Path) -> impl Fn(std::io::Error) -> Failure {
    let path = path.display().to_string();
    move |error| Failure::File(format!("{path}: {error}"))
}
