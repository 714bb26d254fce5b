//! `verify`: runs each migration up, down and up again on a scratch database, and compares the
//! schemas.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use serde_json::json;

use super::output::{print, print_json};
use super::target::{Target, close};
use crate::compare::compare;
use crate::equivalences::Equivalences;
use crate::run::Reach;
use crate::schema::Schema;
use crate::{Failure, Options, Project, connection, failure, run};

pub(super) async fn verify(project: &Project, target: &Target, as_json: bool) -> Result<(), Failure> {
    let url = target.url(project)?;
    // Otherwise each migration would be logged three times.
    log::set_max_level(log::LevelFilter::Warn);
    let problems = if url.starts_with("sqlite:") {
        let db = connection::connect("sqlite::memory:", None).await.map_err(failure::no_connection)?;
        let outcome = verify_migrations(project, &db).await;
        close(db, outcome).await?
    } else {
        verify_on_postgres(project, url).await?
    };
    let count = (project.migrations)().len();
    if as_json {
        print_json(&json!({ "clean": problems.is_empty(), "revisions": count, "problems": problems }))?;
    } else if problems.is_empty() {
        print([format!("{count} migrations verified: up, down and up again")])?;
    } else {
        print(&problems)?;
    }
    if problems.is_empty() { Ok(()) } else { Err(Failure::Differences) }
}

/// Verifies on a scratch database on the same server, which is dropped afterwards.
async fn verify_on_postgres(project: &Project, url: &str) -> Result<Vec<String>, Failure> {
    let server = connection::connect(url, None).await.map_err(failure::no_connection)?;
    let name = format!("verify_{}_{}", std::process::id(), chrono::Utc::now().timestamp_micros());
    let outcome = async {
        server.execute_unprepared(&format!("CREATE DATABASE {name}")).await?;
        let outcome = async {
            let scratch =
                connection::connect(&with_database(url, &name), None).await.map_err(failure::no_connection)?;
            let outcome = async {
                refuse_other(&scratch, &name).await?;
                verify_migrations(project, &scratch).await
            };
            let outcome = outcome.await;
            close(scratch, outcome).await
        };
        // Ctrl-C must not leave the scratch database behind.
        let outcome = tokio::select! {
            outcome = outcome => outcome,
            _ = tokio::signal::ctrl_c() => Err(Failure::Refused("interrupted".into())),
        };
        server.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await?;
        outcome
    };
    let outcome = outcome.await;
    close(server, outcome).await
}

/// The URL with another database name; the query may contain one, too.
fn with_database(url: &str, name: &str) -> String {
    let (rest, query) = url.split_once('?').unwrap_or((url, ""));
    let query: Vec<_> = query.split('&').filter(|part| !part.is_empty() && !part.starts_with("dbname=")).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let authority = rest.find("://").map_or(0, |position| position + "://".len());
    let end = rest.get(authority..).and_then(|rest| rest.find('/')).map_or(rest.len(), |position| authority + position);
    format!("{}/{name}{query}", rest.get(..end).unwrap_or(rest))
}

/// Fails if this is not the empty scratch database: the verification deletes data.
async fn refuse_other(db: &DatabaseConnection, name: &str) -> Result<(), Failure> {
    let sql = "SELECT current_database()::text";
    let row = db.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    let is: String = row.map_or(Ok(String::new()), |row| row.try_get_by_index(0))?;
    let is_empty = Schema::read(db).await?.tables.is_empty();
    match is == name && is_empty {
        true => Ok(()),
        false => Err(Failure::Refused(format!("connected to {is} instead of the scratch database"))),
    }
}

async fn verify_migrations(project: &Project, db: &DatabaseConnection) -> Result<Vec<String>, Failure> {
    let options = Options { reach: Reach::Steps(1), allow_destructive: true, ..project.options() };
    let mut problems = Vec::new();
    for migration in (project.migrations)() {
        let name = migration.name();
        let before = Schema::read(db).await?;
        run::upgrade(db, project, &options).await?;
        let after = Schema::read(db).await?;
        match run::downgrade(db, project, &options).await {
            Err(failure) => {
                problems.push(format!("{name} cannot be reverted: {failure}"));
                continue;
            }
            Ok(()) => problems.extend(differences(&before, &Schema::read(db).await?, &format!("{name}, reverted"))),
        }
        run::upgrade(db, project, &options).await?;
        problems.extend(differences(&after, &Schema::read(db).await?, &format!("{name}, applied again")));
        problems.extend(dangling(db, name).await?);
    }
    Ok(problems)
}

fn differences(expected: &Schema, found: &Schema, when: &str) -> Vec<String> {
    let changes = compare(expected, found, &Equivalences::default());
    let changes = changes.iter().map(|change| format!("{when}: {change}"));
    let removed = expected.others.keys().filter(|key| found.others.get(*key) != expected.others.get(*key));
    let added = found.others.keys().filter(|key| !expected.others.contains_key(*key));
    let removed = removed.map(|key| format!("{when}: - {key}"));
    changes.chain(removed).chain(added.map(|key| format!("{when}: + {key}"))).collect()
}

/// SQLite accepts a foreign key to a missing table, or to columns that are not a key.
async fn dangling(db: &DatabaseConnection, name: &str) -> Result<Vec<String>, Failure> {
    if db.get_database_backend() != DbBackend::Sqlite {
        return Ok(Vec::new());
    }
    let schema = Schema::read(db).await?;
    let keys = schema.tables.values().flat_map(|table| table.foreign_keys.iter().map(move |key| (table, key)));
    let is_dangling = |key: &crate::schema::ForeignKey| match schema.tables.get(&key.table) {
        Some(table) => !key.references.is_empty() && !table.is_key(&key.references),
        None => true,
    };
    let dangling = keys.filter(|(_, key)| is_dangling(key));
    // A foreign key mismatch is an error of the check itself, not a row of it.
    let checked = db.query_all_raw(Statement::from_string(DbBackend::Sqlite, "PRAGMA foreign_key_check")).await;
    let refused = checked.err().map(|error| format!("{name}: {}", failure::sentence(&error)));
    Ok(dangling
        .map(|(table, key)| format!("{name}: {key} on {} does not refer to a key", table.name))
        .chain(refused)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scratch_database_is_on_the_same_server() {
        for (url, expected) in [
            ("postgres://u:p@host:5432/clinic", "postgres://u:p@host:5432/x"),
            ("postgres://u@host/clinic?sslmode=require", "postgres://u@host/x?sslmode=require"),
            ("postgres://localhost", "postgres://localhost/x"),
            ("postgres:///clinic?host=/run/pg", "postgres:///x?host=/run/pg"),
            ("postgres://h/?host=/run/pg&dbname=prod", "postgres://h/x?host=/run/pg"),
        ] {
            assert_eq!(with_database(url, "x"), expected);
        }
    }
}
