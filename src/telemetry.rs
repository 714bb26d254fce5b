//! Logging: env_logger, in text or JSON format. Each line has the id of its request.
//!
//! What may be logged: ids, routes, outcomes, durations. Never a password, token, e-mail, national id or query string.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd as _;

use chrono::{SecondsFormat, Utc};
use env_logger::Builder;
use log::kv::{Key, Value, VisitSource};
use log::{LevelFilter, Record};

use crate::config::{Log, LogFormat, check_log_filter};

/// Filter of the level `info`: without lines of libraries about each worker thread and each migration.
const DEFAULT_FILTER: &str = "info,actix_server=warn,revisions::progress=warn";

tokio::task_local! {
    static REQUEST_ID: String;
}

thread_local! {
    /// Buffer of each thread, reused for every line.
    static LINE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Runs a future with a request id, which is added to every line that it logs.
pub async fn with_request_id<F: Future>(id: String, future: F) -> F::Output {
    REQUEST_ID.scope(id, future).await
}

/// The id of the current request, if any.
#[must_use]
pub fn request_id() -> Option<String> {
    REQUEST_ID.try_with(Clone::clone).ok()
}

/// Starts logging to standard error. A second start in the same process has no effect.
///
/// # Errors
/// Returns an error if standard error is closed.
pub fn start(settings: &Log) -> io::Result<()> {
    let mut builder = Builder::new();
    builder.parse_filters(if settings.level == "info" { DEFAULT_FILTER } else { &settings.level });
    // A misspelt filter would switch off all logging; `Settings` has warned of it.
    if let Some(filters) = std::env::var("RUST_LOG").ok().filter(|filters| check_log_filter(filters).is_ok()) {
        builder.parse_filters(&filters);
    }
    let format = match settings.format {
        LogFormat::Text => text,
        LogFormat::Json => json,
    };
    // One write per line, on a copy of the file descriptor: with the lock of `io::stderr`, worker threads would wait
    // for each other.
    let output = File::from(io::stderr().as_fd().try_clone_to_owned()?);
    builder.format(move |_, record| {
        if is_broken_request(record) && log::max_level() < LevelFilter::Debug {
            return Ok(());
        }
        let mut line = LINE.take();
        line.clear();
        let outcome = format(&mut line, record).and_then(|()| (&output).write_all(&line));
        LINE.set(line);
        outcome
    });
    builder.try_init().ok();
    Ok(())
}

/// Whether the HTTP library logs a client's malformed or broken-off request, which it does as an error.
fn is_broken_request(record: &Record<'_>) -> bool {
    if !record.target().starts_with("actix_http") {
        return false;
    }
    let text = record.args().to_string();
    ["stream error: ", "MAX_BUFFER_SIZE ", "Internal server error: unexpected ", "write zero"]
        .iter()
        .any(|start| text.starts_with(start))
}

fn timestamp() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn text(line: &mut Vec<u8>, record: &Record<'_>) -> io::Result<()> {
    write!(line, "{} {:<5} {}", timestamp(), record.level(), record.args())?;
    REQUEST_ID.try_with(|id| write!(line, " request.id={id}")).unwrap_or(Ok(()))?;
    record.key_values().visit(&mut TextPairs(line)).map_err(io::Error::other)?;
    line.push(b'\n');
    Ok(())
}

struct TextPairs<'a>(&'a mut Vec<u8>);

impl<'kvs> VisitSource<'kvs> for TextPairs<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), log::kv::Error> {
        Ok(write!(self.0, " {key}={value}")?)
    }
}

fn json(line: &mut Vec<u8>, record: &Record<'_>) -> io::Result<()> {
    let (level, target) = (record.level(), record.target());
    write!(line, r#"{{"timestamp":"{}","level":"{level}","target":"{target}","message":"#, timestamp())?;
    serde_json::to_writer(&mut *line, record.args())?;
    REQUEST_ID.try_with(|id| write!(line, r#","request.id":"{id}""#)).unwrap_or(Ok(()))?;
    record.key_values().visit(&mut JsonPairs(line)).map_err(io::Error::other)?;
    line.extend_from_slice(b"}\n");
    Ok(())
}

struct JsonPairs<'a>(&'a mut Vec<u8>);

impl<'kvs> VisitSource<'kvs> for JsonPairs<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), log::kv::Error> {
        write!(self.0, ",{}:", serde_json::Value::from(key.as_str()))?;
        serde_json::to_writer(&mut *self.0, &value).map_err(log::kv::Error::boxed)
    }
}
