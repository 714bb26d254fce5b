//! `status`, `history`, `show`, `current` and `heads`: the state of the database and the history.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::output::{print, print_json};
use super::state::{State, heads as find_heads};
use super::target::Target;
use crate::sources::Sources;
use crate::{Failure, Project, revision};

pub(super) fn status(state: &State, as_json: bool) -> Result<(), Failure> {
    let edited: Vec<_> = state.edited().collect();
    let word = |name: &str| match state.record(name) {
        Some(_) if edited.contains(&name) => "edited",
        Some(_) => "applied",
        None => "pending",
    };
    if as_json {
        let known = state.names().into_iter().map(|name| {
            let record = state.record(name);
            json!({ "revision": name, "status": word(name), "applied_at": record.map(applied_at) })
        });
        let unknown = state
            .unknown()
            .map(|record| json!({ "revision": record.version, "status": "missing", "applied_at": applied_at(record) }));
        return print_json(&known.chain(unknown).collect());
    }
    let known = state.names().into_iter().map(|name| format!("{}  {name}", word(name)));
    print(known.chain(state.unknown().map(|record| format!("missing  {}", record.version))))
}

/// The time in UTC, to the second (RFC 3339).
fn applied_at(record: &crate::Applied) -> String {
    chrono::DateTime::from_timestamp(record.applied_at, 0)
        .map_or_else(String::new, |at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// A revision, without its state in the database.
struct Revision {
    name: String,
    parent: Option<String>,
    message: String,
    date: String,
    path: Option<PathBuf>,
    is_head: bool,
}

fn revisions(project: &Project) -> Vec<Revision> {
    let migrations = (project.migrations)();
    let names: Vec<_> = migrations.iter().map(|migration| migration.name()).collect();
    let sources = Sources::find(&project.migration_dir);
    let heads = find_heads(project);
    let revision = |(position, name): (usize, &&str)| {
        let before = position.checked_sub(1).and_then(|before| names.get(before)).map(ToString::to_string);
        let heading = sources.as_ref().and_then(|sources| sources.heading(name));
        let (message, parent, date) = match heading {
            Some(heading) if !heading.date.is_empty() => (heading.message, heading.parent, heading.date),
            _ => (message_of(name), before, date_of(name)),
        };
        let path = sources.as_ref().map(|sources| sources.path(name)).filter(|path| path.is_file());
        Revision {
            name: (*name).to_owned(),
            parent,
            message,
            date,
            path,
            is_head: heads.iter().any(|head| head == name),
        }
    };
    names.iter().enumerate().map(revision).collect()
}

/// The message of a migration without a heading: "create users" for
/// `m20261121_000001_create_users`.
fn message_of(name: &str) -> String {
    name.splitn(3, '_').nth(2).unwrap_or(name).replace('_', " ")
}

fn date_of(name: &str) -> String {
    let digits = name.get(1..9).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    digits.map_or_else(String::new, |digits| format!("{}-{}-{}", &digits[..4], &digits[4..6], &digits[6..]))
}

impl Revision {
    fn parent(&self) -> &str {
        self.parent.as_deref().unwrap_or("base")
    }

    fn json(&self) -> Value {
        let path = self.path.as_ref().map(|path| path.display().to_string());
        json!({
            "revision": self.name, "parent": self.parent, "message": self.message, "date": self.date, "path": path,
            "is_head": self.is_head,
        })
    }

    fn line(&self) -> String {
        let head = if self.is_head { " (head)" } else { "" };
        format!("{} -> {}{head}, {}", self.parent(), self.name, self.message)
    }

    fn details(&self) -> Vec<String> {
        let head = if self.is_head { " (head)" } else { "" };
        let mut lines = vec![format!("Rev: {}{head}", self.name), format!("Parent: {}", self.parent())];
        lines.extend(self.path.as_ref().map(|path| format!("Path: {}", path.display())));
        lines.extend([format!("Date: {}", self.date), String::new(), format!("    {}", self.message), String::new()]);
        lines
    }
}

pub(super) async fn history(
    project: &Project,
    target: &Target,
    range: Option<&str>,
    indicate_current: bool,
    verbose: bool,
    as_json: bool,
) -> Result<(), Failure> {
    let revisions = revisions(project);
    let names: Vec<_> = revisions.iter().map(|revision| revision.name.as_str()).collect();
    let needs_database = indicate_current || range.is_some_and(is_relative);
    let current = if needs_database { State::read(project, target).await?.position() } else { 0 };
    let (from, to) = match range {
        Some(range) => revision::range(range, &names, current)?,
        None => (0, names.len()),
    };
    if from > to {
        return Err(Failure::Usage(format!("the range {} ends before it begins", range.unwrap_or_default())));
    }
    // The range includes both its ends.
    let from = from.saturating_sub(1);
    let mut chosen: Vec<_> = revisions.iter().enumerate().skip(from).take(to - from).collect();
    chosen.reverse();
    let is_current = |position: usize| indicate_current && position + 1 == current;
    if as_json {
        let chosen = chosen.into_iter().map(|(position, revision)| {
            let mut value = revision.json();
            if let (true, Some(members)) = (indicate_current, value.as_object_mut()) {
                members.insert("is_current".into(), is_current(position).into());
            }
            value
        });
        return print_json(&chosen.collect());
    }
    print(chosen.into_iter().flat_map(|(position, revision)| {
        let mark = if is_current(position) { " (current)" } else { "" };
        match verbose {
            true => {
                let mut details = revision.details();
                if let Some(first) = details.first_mut() {
                    first.push_str(mark);
                }
                details
            }
            false => vec![revision.line() + mark],
        }
    }))
}

/// Whether the range depends on the current revision of the database.
fn is_relative(range: &str) -> bool {
    range.split(':').any(|end| end.starts_with(['+', '-']) || end.starts_with("current"))
}

pub(super) async fn show(project: &Project, target: &Target, text: &str, as_json: bool) -> Result<(), Failure> {
    let revisions = revisions(project);
    let names: Vec<_> = revisions.iter().map(|revision| revision.name.as_str()).collect();
    // Optional: the details are shown without a database, too.
    let state = State::read(project, target).await;
    let current = match &state {
        Ok(state) => state.position(),
        Err(_) if !is_relative(text) => 0,
        Err(_) => return state.map(drop),
    };
    let position = revision::resolve(text, &names, current)?;
    let unknown = || Failure::UnknownRevision(format!("{text} is the start of the history, not a revision"));
    let found = position.checked_sub(1).and_then(|position| revisions.get(position)).ok_or_else(unknown)?;
    let state = state.ok();
    let record = state.as_ref().and_then(|state| state.record(&found.name));
    let recorded = state.as_ref().and_then(|state| state.recorded.get(position - 1)?.as_ref().ok());
    let statements = recorded.map(|recorded| recorded.statements.as_slice()).unwrap_or_default();
    if as_json {
        let mut value = found.json();
        if let (Some(_), Some(members)) = (&state, value.as_object_mut()) {
            members.insert("applied_at".into(), record.map(applied_at).into());
            members.insert("checksum".into(), recorded.and_then(|recorded| recorded.checksum.clone()).into());
            members.insert("sql".into(), statements.into());
        }
        return print_json(&value);
    }
    let mut lines = found.details();
    if state.is_some() {
        let applied = record.map_or("not yet".into(), applied_at);
        lines.insert(lines.len() - 3, format!("Applied: {applied}"));
        lines.extend(statements.iter().map(|statement| format!("    {statement};")));
    }
    print(lines)
}

pub(super) fn current(state: &State, check_heads: bool, verbose: bool, as_json: bool) -> Result<(), Failure> {
    let names = state.names();
    let name = state.position().checked_sub(1).and_then(|position| names.get(position)).copied();
    let is_head =
        state.position() == names.len() && state.pending().next().is_none() && state.unknown().next().is_none();
    let ahead = state
        .unknown()
        .map(|record| record.version.as_str())
        .max()
        .filter(|version| name.is_none_or(|name| *version > name));
    if let Some(ahead) = ahead {
        match as_json {
            true => print_json(&json!({ "revision": ahead, "is_head": false, "is_known": false }))?,
            false => print([format!("{ahead} (unknown revision)")])?,
        }
    } else if as_json {
        let applied = name.and_then(|name| state.record(name)).map(applied_at);
        print_json(&json!({ "revision": name, "applied_at": applied, "is_head": is_head }))?;
    } else if let Some(name) = name {
        let head = if is_head { " (head)" } else { "" };
        let when = state.record(name).filter(|_| verbose).map(|record| format!(", applied {}", applied_at(record)));
        print([format!("{name}{head}{}", when.unwrap_or_default())])?;
    }
    if check_heads && !is_head { Err(Failure::Differences) } else { Ok(()) }
}

pub(super) fn heads(project: &Project, as_json: bool) -> Result<(), Failure> {
    let heads = find_heads(project);
    if as_json { print_json(&heads.into()) } else { print(heads.iter().map(|head| format!("{head} (head)"))) }
}
