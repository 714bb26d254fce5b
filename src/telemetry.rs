//! The log: env_logger writing lines for people or for programs, each with the id of the request it belongs to.
//!
//! What may be logged: ids, routes, outcomes, durations. Never a password, token, e-mail, national id or query string.

use std::cell::RefCell;
use std::io::{self, Write};

use chrono::{SecondsFormat, Utc};
use env_logger::Builder;
use env_logger::fmt::Formatter;
use log::Record;
use log::kv::{Key, Value, VisitSource};

use crate::config::{Log, LogFormat};

tokio::task_local! {
    static REQUEST_ID: String;
}

/// Runs a request's work so that all it logs carries the request's id.
pub async fn with_request_id<F: Future>(id: String, work: F) -> F::Output {
    REQUEST_ID.scope(id, work).await
}

/// The id of the request that is being served, if any.
#[must_use]
pub fn request_id() -> Option<String> {
    REQUEST_ID.try_with(Clone::clone).ok()
}

/// Starts logging to standard error. A second start in one process changes nothing.
pub fn start(settings: &Log) {
    let mut builder = Builder::new();
    builder.parse_filters(&settings.level);
    if let Ok(filters) = std::env::var("RUST_LOG") {
        builder.parse_filters(&filters);
    }
    match settings.format {
        LogFormat::Text => builder.format(text),
        LogFormat::Json => builder.format(json),
    };
    builder.try_init().ok();
}

fn timestamp() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn text(line: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    write!(line, "{} {:<5} {}", timestamp(), record.level(), record.args())?;
    REQUEST_ID.try_with(|id| write!(line, " request.id={id}")).unwrap_or(Ok(()))?;
    let mut pairs = TextPairs(line);
    record.key_values().visit(&mut pairs).map_err(io::Error::other)?;
    writeln!(line)
}

struct TextPairs<'a>(&'a mut Formatter);

impl<'kvs> VisitSource<'kvs> for TextPairs<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), log::kv::Error> {
        Ok(write!(self.0, " {key}={value}")?)
    }
}

fn json(line: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    thread_local! {
        static MESSAGE: RefCell<String> = const { RefCell::new(String::new()) };
    }
    MESSAGE.with_borrow_mut(|message| {
        use std::fmt::Write as _;
        message.clear();
        write!(message, "{}", record.args()).map_err(io::Error::other)?;
        let (level, target) = (record.level(), record.target());
        write!(line, r#"{{"timestamp":"{}","level":"{level}","target":"{target}","message":"#, timestamp())?;
        serde_json::to_writer(&mut *line, message).map_err(io::Error::from)
    })?;
    REQUEST_ID.try_with(|id| write!(line, r#","request.id":"{id}""#)).unwrap_or(Ok(()))?;
    let mut pairs = JsonPairs(line);
    record.key_values().visit(&mut pairs).map_err(io::Error::other)?;
    writeln!(line, "}}")
}

struct JsonPairs<'a>(&'a mut Formatter);

impl<'kvs> VisitSource<'kvs> for JsonPairs<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), log::kv::Error> {
        write!(self.0, ",{}:", serde_json::Value::from(key.as_str()))?;
        serde_json::to_writer(&mut *self.0, &value).map_err(log::kv::Error::boxed)
    }
}
