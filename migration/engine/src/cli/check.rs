//! `check` and `diff`: compare the entities with the database, and the history with the project.

use sea_orm::{DatabaseConnection, DbBackend};
use serde_json::{Value, json};

use super::output::{print, print_json};
use super::state::{State, disorder};
use super::{Target, close};
use crate::change::Change;
use crate::comparison::{Comparison, elsewhere};
use crate::{Failure, Project};

/// The differences on this database, and on the other databases of the project.
struct Differences {
    here: Vec<Change>,
    elsewhere: Vec<(DbBackend, Change)>,
}

impl Differences {
    async fn find(project: &Project, db: &DatabaseConnection) -> Result<Self, Failure> {
        let here = Comparison::read(project, db).await?.changes();
        let mut others = Vec::new();
        for comparison in elsewhere(project, db).await? {
            let unseen =
                comparison.changes().into_iter().filter(|change| !here.iter().any(|known| known.covers(change)));
            others.extend(unseen.map(|change| (comparison.backend, change)));
        }
        Ok(Self { here, elsewhere: others })
    }

    fn is_empty(&self) -> bool {
        self.here.is_empty() && self.elsewhere.is_empty()
    }

    fn lines(&self) -> impl Iterator<Item = String> {
        let elsewhere = self.elsewhere.iter().map(|(backend, change)| format!("{change} (on {})", backend.as_str()));
        self.here.iter().map(ToString::to_string).chain(elsewhere)
    }

    fn json(&self) -> Value {
        let elsewhere = self.elsewhere.iter().map(|(backend, change)| {
            let mut value = change.json();
            value.as_object_mut().map(|members| members.insert("backend".into(), backend.as_str().into()));
            value
        });
        self.here.iter().map(Change::json).chain(elsewhere).collect()
    }
}

pub(super) async fn diff(project: &Project, target: &Target, as_json: bool) -> Result<(), Failure> {
    let db = target.open_existing(project).await?;
    let differences = Differences::find(project, &db).await;
    let differences = close(db, differences).await?;
    if as_json { print_json(&differences.json()) } else { print(differences.lines()) }
}

pub(super) async fn check(project: &Project, target: &Target, as_json: bool) -> Result<(), Failure> {
    let db = target.open_existing(project).await?;
    let outcome = async { Ok((State::of(project, &db).await?, Differences::find(project, &db).await?)) }.await;
    let (state, differences) = close(db, outcome).await?;
    let problems = problems(project, &state);
    let notes: Vec<_> = not_recordable(&state).collect();
    let is_clean = problems.is_empty() && differences.is_empty();
    if as_json {
        print_json(
            &json!({ "clean": is_clean, "history": problems, "differences": differences.json(), "notes": notes }),
        )?;
    } else {
        print(problems)?;
        print(differences.lines())?;
        print(notes)?;
    }
    if is_clean { Ok(()) } else { Err(Failure::Differences) }
}

/// The problems of the history.
fn problems(project: &Project, state: &State) -> Vec<String> {
    let overtaken: Vec<_> = state.overtaken().collect();
    let pending = state.pending().map(|name| match overtaken.contains(&name) {
        true => format!("out of order: {name} is pending, though later ones have been applied"),
        false => format!("pending: {name}"),
    });
    let missing =
        state.unknown().map(|record| format!("missing: {} has been applied and is not known here", record.version));
    let edited = state.edited().map(|name| format!("edited: {name} no longer writes the SQL that was applied"));
    let disorder = disorder(project).into_iter().map(|wrong| format!("out of order: {wrong}"));
    pending.chain(missing).chain(edited).chain(disorder).collect()
}

/// Migrations whose SQL cannot be recorded, and therefore not be checked for edits.
fn not_recordable(state: &State) -> impl Iterator<Item = String> {
    state.migrations.iter().zip(&state.recorded).filter_map(|(migration, recorded)| {
        let error = recorded.as_ref().err()?;
        Some(format!("not checked: {} cannot be replayed without its data: {error}", migration.name()))
    })
}
