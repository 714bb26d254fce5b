//! `entity`: update the sources of the entities from the database.

use std::collections::BTreeMap;
use std::path::Path;

use super::output::print;
use super::state::State;
use super::{Target, close};
use crate::entity::{Regenerated, regenerate};
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
        refuse_behind(&State::of(project, &db).await?)?;
        Schema::read(&db).await
    };
    let outcome = outcome.await;
    let backend = db.get_database_backend();
    let schema = close(db, outcome).await?;
    refuse_missing(&sources, &schema, &folder)?;
    if schema.tables.is_empty() {
        return Err(Failure::NotUpToDate("the database has no tables; every entity would be removed".into()));
    }
    let Regenerated { files, notes } = regenerate(&schema, backend, &sources)?;
    let files = laid_out(files, &sources, &folder)?;
    let mut said = Vec::new();
    for (name, text) in &files {
        let path = folder.join(name);
        match text {
            Some(text) if dry_run => said.push(format!("// {name}\n{text}")),
            Some(text) => {
                std::fs::write(&path, text).map_err(told(&path))?;
                said.push(format!("Wrote {}", path.display()));
            }
            None if dry_run => said.push(format!("// {name} would be removed")),
            None => {
                std::fs::remove_file(&path).map_err(told(&path))?;
                said.push(format!("Removed {}", path.display()));
            }
        }
    }
    if files.is_empty() {
        said.push("The entities are as the database is: nothing to write".into());
    }
    said.extend(notes.into_iter().map(|note| format!("Decide: {note}")));
    print(said)
}

/// A database with pending migrations would remove entities whose tables are still to be created.
fn refuse_behind(state: &State) -> Result<(), Failure> {
    crate::run::refuse_unknown(&state.migrations, &state.applied)?;
    let pending: Vec<_> = state.pending().collect();
    match pending.is_empty() {
        true => Ok(()),
        false => Err(Failure::NotUpToDate(format!("the database is not up to date: {} pending", pending.join(", ")))),
    }
}

/// Notes about objects of the database that entities cannot describe.
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

/// Every Rust file of the folder, by name.
fn read(folder: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let mut sources = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(told(folder))? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.ends_with(".rs") {
            sources.insert(name.to_owned(), std::fs::read_to_string(&path).map_err(told(&path))?);
        }
    }
    Ok(sources)
}

/// The files, formatted by rustfmt. All of them are ready before the first one is written.
fn laid_out(
    files: BTreeMap<String, Option<String>>,
    sources: &BTreeMap<String, String>,
    folder: &Path,
) -> Result<BTreeMap<String, Option<String>>, Failure> {
    let mut done = BTreeMap::new();
    for (name, text) in files {
        let text = match text {
            Some(text) => Some(layout(&text, folder).ok_or_else(|| {
                Failure::File(format!("rustfmt is not there, or does not take what was made of {name}"))
            })?),
            None => None,
        };
        if text.as_ref() != sources.get(&name) {
            done.insert(name, text);
        }
    }
    Ok(done)
}

fn told(path: &Path) -> impl Fn(std::io::Error) -> Failure {
    let path = path.display().to_string();
    move |error| Failure::File(format!("{path}: {error}"))
}
