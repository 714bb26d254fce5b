//! The history of the project, compared with that of the database.

use sea_orm::DatabaseConnection;
use sea_orm_migration::MigrationTrait;

use super::target::{Target, close};
use crate::history::{self, Applied};
use crate::recorder::{self, Recorded};
use crate::revision::{self, Position};
use crate::sources::Sources;
use crate::{Failure, Project, run};

/// All migrations of the project, their records in the database, and their recorded statements.
pub(super) struct State {
    pub(super) migrations: Vec<Box<dyn MigrationTrait>>,
    pub(super) applied: Vec<Applied>,
    /// Statements and checksum of each migration, as recorded now. An error if it cannot be
    /// recorded.
    pub(super) recorded: Vec<Result<Recorded, String>>,
}

impl State {
    pub(super) async fn read(project: &Project, target: &Target) -> Result<Self, Failure> {
        let db = target.open_existing(project).await?;
        let state = Self::of(project, &db).await;
        close(db, state).await
    }

    pub(super) async fn of(project: &Project, db: &DatabaseConnection) -> Result<Self, Failure> {
        let migrations = (project.migrations)();
        let applied = history::read(db).await?;
        let recorded = recorder::record_up(&migrations, db.get_database_backend()).await?;
        Ok(Self { migrations, applied, recorded })
    }

    pub(super) fn names(&self) -> Vec<&str> {
        self.migrations.iter().map(|migration| migration.name()).collect()
    }

    pub(super) fn record(&self, name: &str) -> Option<&Applied> {
        self.applied.iter().find(|record| record.version == name)
    }

    /// The position of the database: after its last applied migration.
    pub(super) fn position(&self) -> Position {
        let names = self.names();
        names.iter().rposition(|name| self.record(name).is_some()).map_or(0, |position| position + 1)
    }

    pub(super) fn resolve(&self, revision: &str) -> Result<Position, Failure> {
        run::refuse_unknown(&self.migrations, &self.applied)?;
        revision::resolve(revision, &self.names(), self.position())
    }

    pub(super) fn pending(&self) -> impl Iterator<Item = &str> {
        self.names().into_iter().filter(|name| self.record(name).is_none())
    }

    pub(super) fn edited(&self) -> impl Iterator<Item = &str> {
        run::edited(&self.migrations, &self.applied, &self.recorded)
    }

    /// Applied migrations that the project does not have.
    pub(super) fn unknown(&self) -> impl Iterator<Item = &Applied> {
        let names = self.names();
        self.applied.iter().filter(move |record| !names.contains(&record.version.as_str()))
    }

    /// Pending migrations before an applied one.
    pub(super) fn overtaken(&self) -> impl Iterator<Item = &str> {
        self.names().into_iter().take(self.position()).filter(|name| self.record(name).is_none())
    }

    pub(super) fn refuse_several_heads(&self, project: &Project) -> Result<(), Failure> {
        refuse_heads(project)
    }
}

/// Fails if migrations have the same parent, and says how to mend it.
pub(super) fn refuse_heads(project: &Project) -> Result<(), Failure> {
    let heads = heads(project);
    match heads.as_slice() {
        [] | [_] => Ok(()),
        [.., last] => Err(Failure::Usage(format!(
            "the history has several heads: {}; the one that is not applied anywhere gets a new name and parent with \
             `rebase`, such as `rebase {last}`",
            heads.join(", ")
        ))),
    }
}

/// The revisions without a child, according to the parents in the files. Without files, the last
/// migration.
pub(super) fn heads(project: &Project) -> Vec<String> {
    let migrations = (project.migrations)();
    let names: Vec<_> = migrations.iter().map(|migration| migration.name().to_owned()).collect();
    let Some(sources) = Sources::find(&project.migration_dir) else {
        return names.last().cloned().into_iter().collect();
    };
    let parents: Vec<_> = names
        .iter()
        .enumerate()
        .filter_map(|(position, name)| sources.parent(name, before(&names, position)))
        .collect();
    names.into_iter().filter(|name| !parents.contains(name)).collect()
}

/// Errors in the order of the migrations: names, parents, files, heads.
pub(super) fn disorder(project: &Project) -> Vec<String> {
    let migrations = (project.migrations)();
    let names: Vec<_> = migrations.iter().map(|migration| migration.name()).collect();
    let mut wrong: Vec<_> = names
        .iter()
        .zip(names.iter().skip(1))
        .filter(|(before, after)| before >= after)
        .map(|(before, after)| format!("{after} is listed after {before}, but its name sorts before it"))
        .collect();
    let Some(sources) = Sources::find(&project.migration_dir) else { return wrong };
    for (position, name) in names.iter().enumerate() {
        let before = before(&names, position);
        let parent = sources.parent(name, before);
        if !sources.path(name).is_file() {
            wrong.push(format!("{name} has no file {}", sources.path(name).display()));
        } else if parent.as_deref() != before {
            wrong.push(format!(
                "the parent of {name} is {}, but it is listed after {}",
                parent.as_deref().unwrap_or("none"),
                before.unwrap_or("none")
            ));
        }
    }
    let unlisted = sources.names().into_iter().filter(|name| !names.contains(&name.as_str()));
    wrong.extend(unlisted.map(|name| format!("{name} has a file and is not listed")));
    let heads = heads(project);
    if heads.len() > 1 {
        wrong.push(format!("the history has several heads: {}", heads.join(", ")));
    }
    wrong
}

fn before<T: AsRef<str>>(names: &[T], position: usize) -> Option<&str> {
    names.get(position.checked_sub(1)?).map(AsRef::as_ref)
}
