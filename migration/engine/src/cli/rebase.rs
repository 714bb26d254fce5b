//! `rebase`: puts a migration, and those that follow it, at the end of the history, with new names and parents. For two
//! developers who have added migrations after the same one.

use super::output::print;
use super::state::State;
use super::target::Target;
use crate::sources::{Sources, new_name};
use crate::{Failure, Project, revision};

pub(super) async fn rebase(project: &Project, target: &Target, text: &str) -> Result<(), Failure> {
    let sources = Sources::find(&project.migration_dir).ok_or_else(|| {
        Failure::File(format!("{} contains no src/lib.rs; use --migration-dir", project.migration_dir.display()))
    })?;
    let names = sources.list();
    let branch = branch(&sources, &names, text)?;
    let rest: Vec<&str> = names.iter().map(String::as_str).filter(|name| !branch.contains(name)).collect();
    let Some(last) = rest.last() else {
        return Err(Failure::Usage(format!("{text} has no other migration before it")));
    };
    if names.ends_with(&branch.iter().map(ToString::to_string).collect::<Vec<_>>())
        && branch.first().and_then(|first| sources.parent(first, Some(last))).as_deref() == Some(last)
    {
        return print([format!("{text} is at the end of the history already")]);
    }
    refuse_applied(project, target, &branch).await?;
    let (mut parent, mut others) = ((*last).to_owned(), rest.iter().map(ToString::to_string).collect::<Vec<_>>());
    let mut renamed = Vec::new();
    for name in branch {
        let message = name.splitn(3, '_').nth(2).unwrap_or(name);
        let known: Vec<&str> = others.iter().map(String::as_str).collect();
        let new = new_name(message, chrono::Utc::now().naive_utc(), &known);
        sources.rename(name, &new, &parent)?;
        renamed.push(format!("Renamed {name} to {new}; its parent is {parent}"));
        others.push(new.clone());
        parent = new;
    }
    print(renamed)
}

/// The migration, and those that descend from it, in their order.
fn branch<'a>(sources: &Sources, names: &'a [String], text: &str) -> Result<Vec<&'a str>, Failure> {
    let listed: Vec<&str> = names.iter().map(String::as_str).collect();
    let position = revision::resolve(text, &listed, 0)?;
    let first = position.checked_sub(1).and_then(|position| listed.get(position));
    let first = *first.ok_or_else(|| Failure::Usage(format!("{text} is the start of the history, not a revision")))?;
    let mut branch = vec![first];
    for (position, name) in listed.iter().enumerate() {
        let before = position.checked_sub(1).and_then(|before| listed.get(before)).copied();
        let parent = sources.parent(name, before);
        if *name != first && parent.is_some_and(|parent| branch.contains(&parent.as_str())) {
            branch.push(name);
        }
    }
    Ok(branch)
}

/// Fails if the database has one of the migrations: its record would have a name that no longer exists. Without a database,
/// nothing is known.
async fn refuse_applied(project: &Project, target: &Target, branch: &[&str]) -> Result<(), Failure> {
    let Ok(state) = State::read(project, target).await else { return Ok(()) };
    match branch.iter().find(|name| state.record(name).is_some()) {
        Some(name) => Err(Failure::Usage(format!(
            "{name} is applied in this database; revert it first, or rebase the other head instead"
        ))),
        None => Ok(()),
    }
}
