//! `edit`: opens the file of a revision.

use std::process::Command;

use crate::sources::Sources;
use crate::{Failure, Project, revision};

pub(super) fn edit(project: &Project, text: &str) -> Result<(), Failure> {
    let folder = &project.migration_dir;
    let sources = Sources::find(folder)
        .ok_or_else(|| Failure::File(format!("{} contains no src/lib.rs; use --migration-dir", folder.display())))?;
    let names = sources.list();
    let listed: Vec<&str> = names.iter().map(String::as_str).collect();
    let position = revision::resolve(text, &listed, 0)?;
    let name = position.checked_sub(1).and_then(|position| listed.get(position));
    let name =
        name.ok_or_else(|| Failure::UnknownRevision(format!("{text} is the start of the history, not a revision")))?;
    let editor = ["VISUAL", "EDITOR"].into_iter().find_map(std::env::var_os).filter(|editor| !editor.is_empty());
    let editor = editor.ok_or_else(|| Failure::Usage("no editor: set VISUAL or EDITOR".into()))?;
    let editor = editor.to_string_lossy().into_owned();
    // `EDITOR` may have arguments, such as `code --wait`.
    let mut words = editor.split_whitespace();
    let program = words.next().unwrap_or_default();
    let status = Command::new(program).args(words).arg(sources.path(name)).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::File(format!("the editor {program} failed: {status}"))),
        Err(error) => Err(Failure::File(format!("the editor {program} cannot be started: {error}"))),
    }
}
