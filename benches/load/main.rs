//! Load benchmark: cost of requests, compared with a baseline server that does the same work by hand in the same run.
//!
//! `cargo bench --bench load` runs everything; `-- read`, `-- login`, `-- start`, `-- enumeration`, `-- mail`,
//! `-- revocations`, `-- contacts`, `-- booking-rates`, `-- booking-races`, `-- booking-crash`, `-- booking-sizes`,
//! `-- waitlist-races`, `-- waitlist-sizes`, `-- availability`, `-- eligibility` or `-- dose-sizes` runs one part. It needs the PostgreSQL binaries and
//! starts its own durable server. Absolute numbers depend on the machine; compare the ratios.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark prints, and fails by panicking"
)]

mod accounts;
mod availability;
mod baseline;
mod bookings;
mod client;
mod contacts;
mod costs;
mod doses;
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

/// Number of connections, each of which sends one request after the other.
const CONNECTIONS: usize = 16;
/// Number of rounds; each measures care4u and then the baseline.
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(6);
/// Duration of the log-in load.
const LOGIN_LOAD: Duration = Duration::from_secs(20);
/// Number of concurrent log-ins.
const LOGIN_CONNECTIONS: usize = 12;
/// Pause between two requests of the probe, which measures the latency of other requests during the load.
const PROBE_PAUSE: Duration = Duration::from_millis(20);
const BCRYPT_COST: u32 = 12;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    if arguments.first().is_some_and(|argument| argument == "baseline") {
        actix_web::rt::System::new().block_on(baseline::serve());
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
    if wanted("booking-rates") {
        runtime.block_on(bookings::rates());
    }
    if wanted("booking-races") {
        runtime.block_on(bookings::races());
    }
    if wanted("booking-crash") {
        runtime.block_on(bookings::crash());
    }
    if wanted("booking-sizes") {
        runtime.block_on(bookings::sizes());
    }
    if wanted("waitlist-races") {
        runtime.block_on(bookings::waitlist_races());
    }
    if wanted("availability") {
        runtime.block_on(availability::availability());
    }
    if wanted("waitlist-sizes") {
        runtime.block_on(bookings::waitlist_sizes());
    }
    if wanted("eligibility") {
        runtime.block_on(doses::eligibility());
    }
    if wanted("dose-sizes") {
        runtime.block_on(doses::sizes());
    }
}

/// Start: time to the first response on a migrated SQLite file, and idle memory.
async fn start() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("care4u.db").display());
    drop(Server::care4u(&url, folder.path()));
    let mut milliseconds = Vec::new();
    let mut rss = 0.0;
    for _ in 0..10 {
        let started = Instant::now();
        let server = Server::care4u(&url, folder.path());
        client::get(server.port, "/health/ready", None).await;
        milliseconds.push(started.elapsed().as_secs_f64() * 1e3);
        rss = server.rss_megabytes();
    }
    milliseconds.sort_by(f64::total_cmp);
    println!("\n# start on a migrated SQLite file\nready after {:.1} ms (median of 10; at most 50)", milliseconds[5]);
    println!("resident when idle {rss:.1} MB (at most 20)");
}

/// Reads: two requests on PostgreSQL, compared with the baseline.
async fn read() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = postgres::durable_server_url().expect("PostgreSQL is needed");
    let care4u = Server::care4u(url, folder.path());
    let token = server::prepare(url, care4u.port).await;
    let baseline = Server::baseline(url);
    for (path, what) in
        [("/api/v1/users/me", "GET /users/me"), ("/api/v1/vaccine-requests", "GET /vaccine-requests, 20 rows")]
    {
        let response = client::get(care4u.port, path, Some(&token)).await;
        let expected = client::get(baseline.port, path, Some(&token)).await;
        assert_eq!(response, expected, "the baseline must respond with the same bytes");
        println!("\n# {what}, {CONNECTIONS} connections, {ROUNDS} alternating rounds\n{}", Report::HEADING);
        let (mut pairs, mut reports) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let mut cost = |server: &Server, report: Report| {
                println!("{}", report.row(server.name));
                reports.push(report.cpu_microseconds);
                report.cpu_microseconds
            };
            let a = cost(&care4u, round(&care4u, path, &token).await);
            let b = cost(&baseline, round(&baseline, path, &token).await);
            pairs.push(a / b);
        }
        pairs.sort_by(f64::total_cmp);
        println!("CPU ratio, median of {ROUNDS} pairs: {:.2} (at most 2.0)", pairs[ROUNDS / 2]);
    }
    println!(
        "resident after load: care4u {:.1} MB, baseline {:.1} MB",
        care4u.rss_megabytes(),
        baseline.rss_megabytes()
    );
}

/// Measures one round.
async fn round(server: &Server, path: &str, token: &str) -> Report {
    let before = server.cpu();
    let load = Load { port: server.port, path, token, connections: CONNECTIONS };
    let mut report = load.run(ROUND).await;
    report.cpu_microseconds = (server.cpu() - before).as_secs_f64() * 1e6 / report.requests();
    report
}

/// Log-in load, and the latency of reads meanwhile.
async fn login(cores: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let url = postgres::durable_server_url().expect("PostgreSQL is needed");
    let care4u = Server::care4u(url, folder.path());
    let token = server::prepare(url, care4u.port).await;
    server::register(care4u.port, client::BUSY_EMAIL).await;
    let single = seconds_per_hash(1);
    let before = seconds_per_hash(cores);
    let path = "/api/v1/users/me";
    let idle = client::probe(care4u.port, path, &token, LOGIN_LOAD / 2, PROBE_PAUSE).await;
    let load = client::login_load(care4u.port, LOGIN_CONNECTIONS, LOGIN_LOAD);
    let probe = client::probe(care4u.port, path, &token, LOGIN_LOAD, PROBE_PAUSE);
    let (logins, busy) = tokio::join!(load, probe);
    // The speed of the machine drifts, so the hash is timed before and after the load.
    let parallel = before.midpoint(seconds_per_hash(cores));
    let max_rate = |seconds| f64::from(u32::try_from(cores).expect("few cores")) / seconds;
    println!("\n# log-ins at bcrypt cost {BCRYPT_COST}, {LOGIN_CONNECTIONS} at once, for {} s", LOGIN_LOAD.as_secs());
    println!("one hash takes {:.0} ms alone, {:.0} ms when every core hashes", single * 1e3, parallel * 1e3);
    println!(
        "{logins:.2} log-ins per second: {:.2} of the maximum of {cores} cores by the former (at least 0.95), \
         {:.2} by the latter",
        logins / max_rate(single),
        logins / max_rate(parallel)
    );
    println!("GET /users/me p99: idle {:.0} us, under load {:.0} us: {:.1} times (at most 5)", idle, busy, busy / idle);
}

/// Returns the seconds per hash with `threads` parallel threads; average of four hashes per thread.
fn seconds_per_hash(threads: usize) -> f64 {
    const HASHES: u32 = 4;
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                for _ in 0..HASHES {
                    bcrypt::non_truncating_hash("correct horse battery", BCRYPT_COST).expect("a hash");
                }
            });
        }
    });
    started.elapsed().as_secs_f64() / f64::from(HASHES)
}
