//! Measured servers: the release build of care4u, and the baseline.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::client::{EMAIL, PASSWORD};
use super::{BCRYPT_COST, client, postgres};

pub(crate) const SECRET: &str = "a secret for benchmarks of 32 bytes or more";

/// A running server process. It is killed when dropped.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) port: u16,
    process: Child,
}

impl Server {
    /// Starts care4u with default settings; its log and mails go to files.
    pub(crate) fn care4u(url: &str, folder: &Path) -> Self {
        Self::care4u_with(url, folder, &[])
    }

    /// Starts care4u with some settings changed.
    pub(crate) fn care4u_with(url: &str, folder: &Path, changes: &[(&str, &str)]) -> Self {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("log")).expect("a log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_care4u"));
        command
            .env("CARE4U__SERVER__PORT", "0")
            .env("CARE4U__AUTH__SECRET", SECRET)
            .env("CARE4U__AUTH__BCRYPT_COST", BCRYPT_COST.to_string())
            .env("CARE4U__MAIL__DIR", folder.join("outbox"))
            .envs(changes.iter().copied())
            .stderr(log);
        Self::start("care4u", command, url)
    }

    /// Starts the baseline: this program, with the argument `baseline`.
    pub(crate) fn baseline(url: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
        command.arg("baseline");
        Self::start("baseline", command, url)
    }

    /// Starts a server and waits until it prints its address.
    fn start(name: &'static str, mut command: Command, url: &str) -> Self {
        let mut process = command.env("DATABASE_URL", url).stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut line = String::new();
        let output = process.stdout.take().expect("the output is piped");
        BufReader::new(output).read_line(&mut line).expect("the program prints a line");
        let port = line.split("http://127.0.0.1:").nth(1).and_then(|rest| rest.split([',', '\n']).next());
        let port = port.and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("{name} printed {line:?}"));
        Self { name, port, process }
    }

    /// Runs a command and returns its output.
    pub(crate) fn command(url: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_care4u"));
        let output = command.args(arguments).env("DATABASE_URL", url).output().expect("the program starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// CPU time of all threads.
    pub(crate) fn cpu(&self) -> Duration {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.process.id())).expect("Linux");
        let nanoseconds = tasks.filter_map(|task| {
            let statistics = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
            statistics.split(' ').next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanoseconds.sum())
    }

    /// Resident memory.
    pub(crate) fn rss_megabytes(&self) -> f64 {
        self.memory("VmRSS:")
    }

    /// Maximum resident memory so far.
    pub(crate) fn peak_megabytes(&self) -> f64 {
        self.memory("VmHWM:")
    }

    fn memory(&self, name: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("Linux");
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a size");
        line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") * 1024.0 / 1e6
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().expect("the process runs");
        self.process.wait().expect("the process ends");
    }
}

/// Size of the binary in megabytes.
pub(crate) fn binary_size() -> f64 {
    let file = std::fs::metadata(env!("CARGO_BIN_EXE_care4u")).expect("the binary exists");
    f64::from(u32::try_from(file.len()).expect("less than 4 GB")) / 1e6
}

/// Returns name and URL of a database on SQLite and on PostgreSQL.
pub(crate) fn databases(folder: &Path, name: &str) -> [(&'static str, String); 2] {
    let sqlite = format!("sqlite://{}?mode=rwc", folder.join(format!("{name}.db")).display());
    let server = postgres::durable_server_url().expect("PostgreSQL is needed");
    let (prefix, suffix) = server.split_once("/postgres").expect("the URL names a database");
    [("SQLite", sqlite), ("PostgreSQL", format!("{prefix}/{name}{suffix}"))]
}

/// Creates and migrates a database.
pub(crate) async fn create(url: &str, name: &str) {
    if url.starts_with("postgres") {
        let server = postgres::durable_server_url().expect("PostgreSQL is needed");
        let (database, connection) =
            tokio_postgres::connect(server, tokio_postgres::NoTls).await.expect("the database responds");
        tokio::spawn(connection);
        database.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("the database is created");
    }
    let db = migration::connect(url, None).await.expect("the database responds");
    migration::up(&db).await.expect("all migrations apply");
    db.close().await.expect("the database closes");
}

/// Registers an account, unless it exists. Returns the status.
pub(crate) async fn register(port: u16, email: &str) -> u16 {
    let account = format!(r#"{{"name":"Ada Lovelace","email":"{email}","password":"{PASSWORD}","nid":"1912"}}"#);
    client::post(port, "/api/v1/auth/register", &account).await.0
}

/// Ensures that there is an account with 40 requests among 20,000 of others, and returns an access token.
pub(crate) async fn prepare(url: &str, port: u16) -> String {
    if register(port, EMAIL).await == 201 {
        let (database, connection) =
            tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("the database responds");
        let connection = tokio::spawn(connection);
        database.batch_execute(ROWS).await.expect("the rows are inserted");
        database.batch_execute("VACUUM ANALYZE").await.expect("the tables are analysed");
        drop(database);
        connection.await.expect("no panic").expect("no connection error");
    }
    let login = format!(r#"{{"email":"{EMAIL}","password":"{PASSWORD}"}}"#);
    let (status, pair) = client::post(port, "/api/v1/auth/login", &login).await;
    assert_eq!(status, 200, "{pair}");
    let pair: serde_json::Value = serde_json::from_str(&pair).expect("JSON");
    pair["access_token"].as_str().expect("a token").to_owned()
}

const ROWS: &str = "
INSERT INTO users (id, name, email, password_hash, role, created_at, updated_at)
SELECT gen_random_uuid(), 'Somebody', 'user' || n || '@example.org', 'none', 'patient', now(), now()
FROM generate_series(1, 1000) n;
INSERT INTO patients (id, user_id, relation, name, created_at, updated_at)
SELECT id, id, 'self', name, now(), now() FROM users;
INSERT INTO vaccine_requests
    (id, user_id, patient_id, vaccine_id, course_id, dose_number, status, note, created_at, updated_at)
SELECT gen_random_uuid(), u.id, u.id, v.id, v.course_id, 1, 'rejected', 'On Mondays, please.', now(), now()
FROM users u, (SELECT id, course_id FROM vaccines LIMIT 10) v, generate_series(1, 2);
INSERT INTO vaccine_requests
    (id, user_id, patient_id, vaccine_id, course_id, dose_number, status, note, created_at, updated_at)
SELECT gen_random_uuid(), u.id, u.id, v.id, v.course_id, 1, 'rejected', 'On Mondays, please.', now(), now()
FROM users u, (SELECT id, course_id FROM vaccines LIMIT 10) v, generate_series(1, 2) WHERE u.email = 'ada@example.org';";
