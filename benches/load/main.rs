//! What a request costs, against a floor that does the same work by hand in the same run.
//!
//! `cargo bench --bench load` runs everything; `-- read`, `-- login`, `-- start`, `-- enumeration`, `-- mail`,
//! `-- revocations` or `-- contacts` runs a part. It needs PostgreSQL's
//! binaries and starts a durable server of its own. Absolute numbers depend on the machine; the ratios are the point.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark prints, and fails by panicking"
)]

mod accounts;
mod client;
mod contacts;
mod floor;
mod server;

#[path = "../../tests/support/postgres.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod postgres;

#[path = "../../tests/support/smtp.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod smtp;

use std::time::{Duration, Instant};

use client::{Load, Report};
use server::{Server, binary_size};

/// Connections that send one request after the other.
const CONNECTIONS: usize = 16;
/// Of care4u and the floor in turn.
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(6);
/// How long passwords are checked without a pause.
const STORM: Duration = Duration::from_secs(20);
/// Sign-ins under way at once.
const STORM_CONNECTIONS: usize = 12;
/// Between two requests of the probe that measures how others fare.
const PROBE_PAUSE: Duration = Duration::from_millis(20);
const BCRYPT_COST: u32 = 12;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    if arguments.first().is_some_and(|argument| argument == "floor") {
        actix_web::rt::System::new().block_on(floor::serve());
        return;
    }
    let wanted = |part: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == part);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    println!("{cores} cores; care4u binary {:.2} MB", binary_size());
    if wanted("start") {
        runtime.block_on(start());
    }
    if wanted("read") {
        runtime.block_on(read());
    }
    if wanted("login") {
        runtime.block_on(login(cores));
    }
    if wanted("enumeration") {
        runtime.block_on(accounts::enumeration());
    }
    if wanted("mail") {
        runtime.block_on(accounts::mail());
    }
    if wanted("revocations") {
        runtime.block_on(accounts::revocations());
    }
    if wanted("contacts") {
        runtime.block_on(contacts::sizes());
        runtime.block_on(contacts::files());
        contacts::seed(&runtime);
    }
}

/// From start to the first answer on a migrated SQLite file, and memory at rest.
async fn start() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("care4u.db").display());
    drop(Server::care4u(&url, folder.path()));
    let mut milliseconds = Vec::new();
    let mut rss = 0.0;
    for _ in 0..10 {
        let begun = Instant::now();
        let server = Server::care4u(&url, folder.path());
        client::get(server.port, "/health/ready", None).await;
        milliseconds.push(begun.elapsed().as_secs_f64() * 1e3);
        rss = server.rss_megabytes();
    }
    milliseconds.sort_by(f64::total_cmp);
    println!("\n# start on a migrated SQLite file\nready after {:.1} ms (median of 10; at most 50)", milliseconds[5]);
    println!("resident at rest {rss:.1} MB (at most 20)");
}

/// Two reads on PostgreSQL, against the floor.
async fn read() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = postgres::durable_server_url().expect("PostgreSQL is needed");
    let care4u = Server::care4u(url, folder.path());
    let token = server::prepare(url, care4u.port).await;
    let floor = Server::floor(url);
    for (path, what) in
        [("/api/v1/users/me", "GET /users/me"), ("/api/v1/vaccine-requests", "GET /vaccine-requests, 20 rows")]
    {
        let ours = client::get(care4u.port, path, Some(&token)).await;
        let theirs = client::get(floor.port, path, Some(&token)).await;
        assert_eq!(ours, theirs, "the floor must answer the same bytes");
        println!("\n# {what}, {CONNECTIONS} connections, {ROUNDS} rounds in turn\n{}", Report::HEADING);
        let (mut pairs, mut reports) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let mut cost = |server: &Server, report: Report| {
                println!("{}", report.row(server.name));
                reports.push(report.cpu_microseconds);
                report.cpu_microseconds
            };
            let a = cost(&care4u, round(&care4u, path, &token).await);
            let b = cost(&floor, round(&floor, path, &token).await);
            pairs.push(a / b);
        }
        pairs.sort_by(f64::total_cmp);
        println!("CPU ratio, median of {ROUNDS} pairs: {:.2} (at most 2.0)", pairs[ROUNDS / 2]);
    }
    println!("resident after load: care4u {:.1} MB, floor {:.1} MB", care4u.rss_megabytes(), floor.rss_megabytes());
}

async fn round(server: &Server, path: &str, token: &str) -> Report {
    let before = server.cpu();
    let load = Load { port: server.port, path, token, connections: CONNECTIONS };
    let mut report = load.run(ROUND).await;
    report.cpu_microseconds = (server.cpu() - before).as_secs_f64() * 1e6 / report.requests();
    report
}

/// A storm of sign-ins, and how a reader fares meanwhile.
async fn login(cores: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let url = postgres::durable_server_url().expect("PostgreSQL is needed");
    let care4u = Server::care4u(url, folder.path());
    let token = server::prepare(url, care4u.port).await;
    let alone = time_of_a_hash(1);
    let before = time_of_a_hash(cores);
    let path = "/api/v1/users/me";
    let idle = client::probe(care4u.port, path, &token, STORM / 2, PROBE_PAUSE).await;
    let storm = client::storm(care4u.port, STORM_CONNECTIONS, STORM);
    let probe = client::probe(care4u.port, path, &token, STORM, PROBE_PAUSE);
    let (logins, busy) = tokio::join!(storm, probe);
    // The machine's speed drifts, so the hash is timed on both sides of the storm.
    let together = before.midpoint(time_of_a_hash(cores));
    let ceiling = |seconds| f64::from(u32::try_from(cores).expect("few cores")) / seconds;
    println!("\n# sign-ins at bcrypt cost {BCRYPT_COST}, {STORM_CONNECTIONS} at once, for {} s", STORM.as_secs());
    println!("one hash takes {:.0} ms alone, {:.0} ms when every core hashes", alone * 1e3, together * 1e3);
    println!(
        "{logins:.2} sign-ins a second: {:.2} of what {cores} cores can at the former (at least 0.95), {:.2} at the latter",
        logins / ceiling(alone),
        logins / ceiling(together)
    );
    println!(
        "GET /users/me p99: idle {:.0} us, in the storm {:.0} us: {:.1} times (at most 5)",
        idle,
        busy,
        busy / idle
    );
}

/// Seconds for one hash while `threads` do the same, averaged over four each.
fn time_of_a_hash(threads: usize) -> f64 {
    const EACH: u32 = 4;
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                for _ in 0..EACH {
                    bcrypt::non_truncating_hash("correct horse battery", BCRYPT_COST).expect("a hash");
                }
            });
        }
    });
    begun.elapsed().as_secs_f64() / f64::from(EACH)
}
