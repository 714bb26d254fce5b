//! The database that a command works on.

use std::time::Duration;

use sea_orm::DatabaseConnection;

use crate::{Failure, Project, connection, failure, lock};

/// Connection parameters of the database.
pub(super) struct Target {
    pub(super) url: Option<String>,
    pub(super) schema: Option<String>,
    /// Time to wait for a lock.
    pub(super) timeout: Duration,
}

impl Target {
    pub(super) fn url<'a>(&'a self, project: &'a Project) -> Result<&'a str, Failure> {
        let url = self.url.as_deref().or(project.default_url);
        url.ok_or_else(|| Failure::NoConnection("neither --database-url nor DATABASE_URL is set".into()))
    }

    /// Connects for writing. A missing SQLite file is created.
    pub(super) async fn open(&self, project: &Project) -> Result<DatabaseConnection, Failure> {
        let url = self.url(project)?;
        connection::create_sqlite_file(url).map_err(|error| Failure::NoConnection(error.to_string()))?;
        let opened = connection::open(url, self.schema.as_deref(), true, self.timeout).await;
        opened.map_err(failure::no_connection)
    }

    /// Connects for reading. A missing SQLite file is an error.
    pub(super) async fn open_existing(&self, project: &Project) -> Result<DatabaseConnection, Failure> {
        let opened = connection::open(self.url(project)?, self.schema.as_deref(), false, self.timeout).await;
        opened.map_err(failure::no_connection)
    }

    /// Adds the process that holds the lock to the error of a locked SQLite file.
    pub(super) fn with_lock_holder(&self, project: &Project, failure: Failure) -> Failure {
        let file = self.url(project).ok().and_then(connection::sqlite_file);
        match (&failure, file) {
            (Failure::Locked(why), Some(file)) if !why.contains("waited for") => {
                lock::sqlite_locked(file, self.timeout)
            }
            _ => failure,
        }
    }
}

pub(super) async fn close<T>(db: DatabaseConnection, outcome: Result<T, Failure>) -> Result<T, Failure> {
    let closed = db.close().await;
    let value = outcome?;
    closed?;
    Ok(value)
}
