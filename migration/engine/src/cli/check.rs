//! `check` and `diff`: entities against the database, and the history against the project.

use serde_json::{Value, json};

use super::output::{print, print_json};
use super::state::{State, disorder};
use super::{Target, close};
use crate::compare::Change;
use crate::comparison::Comparison;
use crate::{Failure, Project};

pub(super) async fn diff(project: &Project, target: &Target, as_json: bool) -> Result<(), Failure> {
    let db = target.open_existing(project).await?;
    let comparison = Comparison::read(project, &db).await;
    let changes = close(db, comparison).await?.changes();
    if as_json {
        return print_json(&changes.iter().map(Change::json).collect());
    }
    print(changes.iter().map(ToString::to_string))
}

pub(super) async fn check(project: &Project, target: &Target, as_json: bool) -> Result<(), Failure> {
    let db = target.open_existing(project).await?;
    let outcome = async { Ok((State::of(project, &db).await?, Comparison::read(project, &db).await?)) }.await;
    let (state, comparison) = close(db, outcome).await?;
    let problems = problems(project, &state);
    let changes = comparison.changes();
    let is_clean = problems.is_empty() && changes.is_empty();
    if as_json {
        print_json(&json!({
            "clean": is_clean,
            "history": problems,
            "differences": changes.iter().map(Change::json).collect::<Value>(),
        }))?;
    } else {
        print(problems)?;
        print(changes.iter().map(ToString::to_string))?;
    }
    if is_clean { Ok(()) } else { Err(Failure::Differences) }
}

/// What is wrong with the history.
fn problems(project: &Project, state: &State) -> Vec<String> {
    let overtaken: Vec<_> = state.overtaken().collect();
    let pending = state.pending().map(|name| match overtaken.contains(&name) {
        true => format!("out of order: {name} is pending, though later ones have been applied"),
        false => format!("pending: {name}"),
    });
    let missing =
        state.unknown().map(|record| format!("missing: {} has been applied and is not known here", record.version));
    let edited = state.edited().map(|name| format!("edited: {name} no longer writes the SQL that was applied"));
    let unplayable = state.migrations.iter().zip(&state.recorded).filter_map(|(migration, recorded)| {
        let error = recorded.as_ref().err()?;
        Some(format!("not checked: {} cannot be played without its data: {error}", migration.name()))
    });
    let disorder = disorder(project).into_iter().map(|wrong| format!("out of order: {wrong}"));
    pending.chain(missing).chain(edited).chain(unplayable).chain(disorder).collect()
}
