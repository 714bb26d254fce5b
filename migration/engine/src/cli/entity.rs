//! `entity`: the sources of the entities, brought to what the database is.

use std::collections::BTreeMap;
use std::path::Path;

use super::output::print;
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
    let schema = Schema::read(&db).await;
    let backend = db.get_database_backend();
    let schema = close(db, schema).await?;
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

/// Every Rust file of the crate, by its name.
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

/// What is written as rustfmt lays it out. All of it is known before anything is written.
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
