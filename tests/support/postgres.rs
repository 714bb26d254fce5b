//! Temporary PostgreSQL server for each test program, with a new database for each test.
//!
//! Without PostgreSQL's binaries, tests on PostgreSQL are skipped with a message; with `CI` set they fail.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;

/// The server stops when this program ends, because that closes the pipe.
struct Server {
    url: String,
    _process: (Child, ChildStdin),
}

static SERVER: OnceLock<Option<Server>> = OnceLock::new();

/// Shows in the summary that no test of this program has run on PostgreSQL.
#[cfg(without_postgres)]
#[test]
#[ignore = "PostgreSQL is not installed: the tests of this program have run on SQLite only"]
fn postgres_is_installed() {}

/// URL of the `postgres` database of the server, or `None` without PostgreSQL.
pub fn server_url() -> Option<&'static str> {
    let server = SERVER.get_or_init(|| start(&[]));
    if server.is_none() {
        assert!(std::env::var_os("CI").is_none(), "CI needs PostgreSQL, and there is none on this machine");
    }
    server.as_ref().map(|server| server.url.as_str())
}

/// As above, for a server with durable writes, for benchmarks.
pub fn durable_server_url() -> Option<&'static str> {
    let server = SERVER.get_or_init(|| start(&["durable"]));
    server.as_ref().map(|server| server.url.as_str())
}

/// URL of another database on the same server.
pub fn database_url(name: &str) -> Option<String> {
    let url = server_url()?;
    let (address, options) = url.split_once('?').unwrap_or((url, ""));
    let (server, _) = address.rsplit_once('/').expect("a PostgreSQL URL has a path");
    Some(format!("{server}/{name}?{options}"))
}

/// Prints that a test is skipped. Not by `eprintln!`, which the test harness captures.
pub fn skipped(test: &str) {
    writeln!(std::io::stderr(), "SKIPPED, because PostgreSQL is not installed: {test}").ok();
}

fn start(arguments: &[&str]) -> Option<Server> {
    // In the tests folder of this crate, or of a parent folder.
    let folders = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let script = folders.map(|folder| folder.join("tests/support/postgres.sh")).find(|script| script.exists());
    let script = script.expect("tests/support/postgres.sh is there");
    let mut process = Command::new(script)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("tests/support/postgres.sh can be started");
    let input = process.stdin.take().expect("its input is piped");
    let mut url = String::new();
    let output = process.stdout.take().expect("its output is piped");
    BufReader::new(output).read_line(&mut url).expect("its output can be read");
    if url.is_empty() {
        let status = process.wait().expect("it has been started");
        assert_eq!(status.code(), Some(77), "the PostgreSQL server of the tests did not start");
        return None;
    }
    Some(Server { url: url.trim().to_owned(), _process: (process, input) })
}
