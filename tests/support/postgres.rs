//! A throw-away PostgreSQL server for each test program, and a fresh database on it for each test.
//!
//! Without PostgreSQL's binaries the tests skip their PostgreSQL half and say so; with `CI` set they fail.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;

/// The server ends when this program does, because that closes the pipe.
struct Server {
    url: String,
    _process: (Child, ChildStdin),
}

static SERVER: OnceLock<Option<Server>> = OnceLock::new();

/// The URL of a server's `postgres` database, or `None` where there is no PostgreSQL.
pub fn server_url() -> Option<&'static str> {
    let server = SERVER.get_or_init(|| start(&[]));
    if server.is_none() {
        assert!(std::env::var_os("CI").is_none(), "CI needs PostgreSQL, and there is none on this machine");
    }
    server.as_ref().map(|server| server.url.as_str())
}

/// The same for a server that writes as safely as in earnest, for measuring.
pub fn durable_server_url() -> Option<&'static str> {
    let server = SERVER.get_or_init(|| start(&["durable"]));
    server.as_ref().map(|server| server.url.as_str())
}

/// The URL of another database on the same server.
pub fn database_url(name: &str) -> Option<String> {
    let url = server_url()?;
    let (address, options) = url.split_once('?').unwrap_or((url, ""));
    let (server, _) = address.rsplit_once('/').expect("a PostgreSQL URL has a path");
    Some(format!("{server}/{name}?{options}"))
}

/// Says in print that a test did not run; not by `eprintln!`, which the test harness keeps to itself.
pub fn skipped(test: &str) {
    writeln!(std::io::stderr(), "SKIPPED, because PostgreSQL is not installed: {test}").ok();
}

fn start(arguments: &[&str]) -> Option<Server> {
    // Beside the tests of whichever crate this is part of, or further up.
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
