//! Runs care4u in an empty folder, with only the variables that a test sets.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use sea_orm::ConnectionTrait as _;

use super::postgres;

/// Client address in the forwarded header of a trusted proxy.
pub const CLIENT: &str = "203.0.113.77";

/// Command that runs care4u.
pub fn care4u(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_care4u"));
    command.current_dir(folder).env_clear().env("CARE4U__AUTH__BCRYPT_COST", "4").env("CARE4U__SERVER__PORT", "0");
    command.env("CARE4U__SERVER__TRUSTED_PROXIES", "127.0.0.1");
    command
}

pub fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().expect("the program starts")
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Running server that has printed its address.
pub struct Serving {
    pub process: Child,
    pub port: u16,
    pub line: String,
}

impl Serving {
    pub fn start(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut line = String::new();
        let output = process.stdout.take().expect("the output is piped");
        BufReader::new(output).read_line(&mut line).expect("the program prints a line");
        let port = line.split("127.0.0.1:").nth(1).and_then(|rest| rest.split(',').next());
        let port = port.and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("the program printed {line:?}"));
        Self { process, port, line }
    }

    /// Sends a request with an optional JSON body. Returns status and body.
    pub fn send(&self, method: &str, path: &str, token: &str, body: &str) -> (u16, String) {
        self.send_as("application/json", method, path, token, body)
    }

    /// Sends a form.
    pub fn send_form(&self, path: &str, form: &str) -> (u16, String) {
        self.send_as("application/x-www-form-urlencoded", "POST", path, "", form)
    }

    fn send_as(&self, content_type: &str, method: &str, path: &str, token: &str, body: &str) -> (u16, String) {
        let mut stream = self.connect();
        let length = body.len();
        let authorization = if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{authorization}content-type: {content_type}\r\n\
             x-forwarded-for: {CLIENT}\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .expect("the server reads");
        read_response(stream)
    }

    pub fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).expect("the server listens")
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([format!("-{name}"), self.process.id().to_string()]).status();
        assert!(status.expect("kill runs").success());
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Reads a response until the connection is closed.
pub fn read_response(mut stream: TcpStream) -> (u16, String) {
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("the server responds");
    let (head, body) = response.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no response: {response:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, body.to_owned())
}

pub fn member(json: &str, name: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(json).unwrap_or_else(|_| panic!("not JSON: {json}"));
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {json}")).to_owned()
}

/// Creates an empty database on the PostgreSQL server of the tests, and returns its URL; `None` without PostgreSQL.
pub async fn new_postgres_database(name: &str) -> Option<String> {
    let server = migration::connect(postgres::server_url()?, None).await.expect("the server of the tests answers");
    server.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("no other test uses the name");
    server.close().await.expect("the connection is closed");
    postgres::database_url(name)
}
