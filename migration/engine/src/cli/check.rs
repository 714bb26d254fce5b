//! `check` and `diff`: compare the entities with the database, and `check` also the history with
//! the project.

use sea_orm::{DatabaseConnection, DbBackend};
use serde_json::{Value, json};

use super::output::{print, print_json};
use super::state::{State, disorder};
use super::target::{Target, close};
use crate::change::Change;
use crate::drift::{Comparison, other_backends};
use crate::{Failure, Project};

/// Differences on the connected database, and those on the other databases of the project.
struct Differences {
    here: Vec<Change>,
    other_backends: Vec<(DbBackend, Change)>,
}

impl Differences {
    async fn find(project: &Project, db: &DatabaseConnection) -> Result<Self, Failure> {
        let here = Comparison::read(project, db).await?.changes();
        let mut others = Vec::new();
        for comparison in other_backends(project, db).await? {
            let unseen =
                comparison.changes().into_iter().filter(|change| !here.iter().any(|known| known.covers(change)));
            others.extend(unseen.map(|change| (comparison.backend, change)));
        }
        Ok(Self { here, other_backends: others })
    }

    fn is_empty(&self) -> bool {
        self.here.is_empty() && self.other_backends.is_empty()
    }

    fn lines(&self) -> impl Iterator<Item = String> {
        let other_backends =
            self.other_backends.iter().map(|(backend, change)| format!("{change} (on {})", backend.as_str()));
        self.here.iter().map(ToString::to_string).chain(other_backends)
    }

    fn json(&self) -> Value {
        let other_backends = self.other_backends.iter().map(|(backend, change)| {
            let mut value = change.json();
            value.as_object_mut().map(|members| members.insert("backend".into(), backend.as_str().into()));
            value
        });
        self.here.iter().map(Change::json).chain(other_backends).collect()
    }
}

pub(super) async fn diff(project: &Project, target: &Target, as_json: bool) -> Result<(), Failure> {
    let db = target.open_existing(project).await?;
    let differences = Differences::find(project, &db).await;
    let differences = close(db, differences).await?;
    match (as_json, differences.is_empty()) {
        (true, _) => print_json(&differences.json()),
        (false, true) => print(["No differences"]),
        (false, false) => print(differences.lines()),
    }
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
        if is_clean {
            print(["The database is up to date, and agrees with the entities"])?;
        }
    }
    if is_clean { Ok(()) } else { Err(Failure::Differences) }
}

/// The errors of the history.
fn problems(project: &Project, state: &State) -> Vec<String> {
    let overtaken: Vec<_> = state.overtaken().collect();
    let pending = state.pending().map(|name| match overtaken.contains(&name) {
        true => format!("out of order: {name} is pending, but later migrations have been applied"),
        false => format!("pending: {name}"),
    });
    let missing = state
        .unknown()
        .map(|record| format!("missing: {} has been applied, but is not in the project", record.version));
    let edited = state.edited().map(|name| format!("edited: the SQL of {name} differs from the applied SQL"));
    let disorder = disorder(project).into_iter().map(|wrong| format!("out of order: {wrong}"));
    pending.chain(missing).chain(edited).chain(disorder).collect()
}

/// Migrations that cannot be checked for edits, because they cannot be recorded.
fn not_recordable(state: &State) -> impl Iterator<Item = String> {
    state.migrations.iter().zip(&state.recorded).filter_map(|(migration, recorded)| match recorded {
        Ok(recorded) if recorded.reads_data => {
            Some(format!("not checked: {} reads data, on which its SQL may depend", migration.name()))
        }
        Ok(_) => None,
        Err(error) => Some(format!("not checked: {} cannot be recorded without its data: {error}", migration.name())),
    })
}
