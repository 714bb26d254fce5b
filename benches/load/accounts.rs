//! Account benchmarks: response times do not reveal whether an address is known, mails survive a crash, and revoked
//! sessions cost requests nothing.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait as _, DbBackend, Statement};

use super::client::{EMAIL, PASSWORD};
use super::server::{Server, create, databases};
use super::smtp::{Encryption, SmtpServer};
use super::{client, server};

/// Number of attempts of each kind.
const ATTEMPTS: usize = 1000;
/// bcrypt cost below the default, so that all other work has more weight.
const COST: &str = "10";
/// Number of mails in the outbox.
const MAILS: usize = 10_000;
/// Number of sessions in the database.
const SESSIONS: usize = 1_000_000;
/// Number of requests that need no database access.
const REQUESTS: usize = 20_000;

/// Account enumeration: log-in, forgot-password and resend, alternately with known and unknown addresses.
pub(crate) async fn enumeration() {
    let folder = tempfile::tempdir().expect("a folder");
    for (database, url) in databases(folder.path(), "enumeration") {
        create(&url, "enumeration").await;
        let changes = [
            ("CARE4U__THROTTLE__LOGIN_PER_ACCOUNT", "1000000"),
            ("CARE4U__THROTTLE__LOGIN_PER_ADDRESS", "1000000"),
            ("CARE4U__THROTTLE__FORGOT_PASSWORD_PER_ACCOUNT", "1000000"),
            ("CARE4U__THROTTLE__FORGOT_PASSWORD_PER_ADDRESS", "1000000"),
            ("CARE4U__THROTTLE__RESEND_PER_ACCOUNT", "1000000"),
            ("CARE4U__THROTTLE__RESEND_PER_ADDRESS", "1000000"),
            ("CARE4U__THROTTLE__MAILS_PER_RECIPIENT", "1"),
            ("CARE4U__AUTH__BCRYPT_COST", COST),
        ];
        let care4u = Server::care4u_with(&url, folder.path(), &changes);
        let account = format!(r#"{{"name":"Ada Lovelace","email":"{EMAIL}","password":"{PASSWORD}"}}"#);
        assert_eq!(client::post(care4u.port, "/api/v1/auth/register", &account).await.0, 201);
        println!("\n# known and unknown addresses on {database}, {ATTEMPTS} alternating attempts each, microseconds");
        println!("{:<26} {:>8} {:>8} {:>8} {:>8} {:>8}", "", "p10", "p25", "median", "p75", "p90");
        let unknown = EMAIL.replace("ada", "eve");
        for (path, more) in [
            ("/api/v1/auth/login", r#","password":"a wrong guess""#),
            ("/api/v1/auth/forgot-password", ""),
            ("/api/v1/auth/verify-email/resend", ""),
        ] {
            let body = |email: &str| format!(r#"{{"email":"{email}"{more}}}"#);
            let (known, unknown) = (body(EMAIL), body(&unknown));
            let [known, unknown] = client::alternate(care4u.port, path, [&known, &unknown], ATTEMPTS).await;
            let name = path.rsplit('/').next().unwrap_or_default();
            let row = |latencies: &[f64]| {
                let at = |percent: usize| format!("{:>8.0}", latencies[latencies.len() * percent / 100]);
                [10, 25, 50, 75, 90].map(at).join(" ")
            };
            println!("{:<26} {}", format!("{name}, known"), row(&known));
            println!("{:<26} {}", format!("{name}, unknown"), row(&unknown));
            let difference = (known[ATTEMPTS / 2] / unknown[ATTEMPTS / 2] - 1.0) * 100.0;
            println!("{:<26} {difference:+.2} % (at most 2)", "difference of the medians");
        }
    }
}

/// Mail delivery of a process that is killed halfway.
pub(crate) async fn mail() {
    let folder = tempfile::tempdir().expect("a folder");
    for (database, url) in databases(folder.path(), "mail") {
        create(&url, "mail").await;
        let db = migration::connect(&url, None).await.expect("the database responds");
        let backend = db.get_database_backend();
        for number in 0..MAILS {
            let (id, now) = (uuid::Uuid::now_v7(), chrono::Utc::now());
            let sql = match backend {
                DbBackend::Sqlite => {
                    "INSERT INTO outbox (id, kind, recipient, due_at, created_at) VALUES (?, ?, ?, ?, ?)"
                }
                _ => "INSERT INTO outbox (id, kind, recipient, due_at, created_at) VALUES ($1, $2, $3, $4, $5)",
            };
            let recipient = format!("{number}@example.org");
            let values = [id.into(), "account_deleted".into(), recipient.into(), now.into(), now.into()];
            db.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await.expect("the mail is inserted");
        }
        let sink = SmtpServer::start(Encryption::None).await;
        let port = sink.port.to_string();
        let smtp = [
            ("CARE4U__MAIL__TRANSPORT", "smtp"),
            ("CARE4U__MAIL__SMTP_TLS", "none"),
            ("CARE4U__MAIL__SMTP_PORT", port.as_str()),
        ];
        let started = Instant::now();
        let first = Server::care4u_with(&url, folder.path(), &smtp);
        until(|| sink.received().len() >= MAILS / 2).await;
        // SIGKILL.
        drop(first);
        let before = sink.received().len();
        let killed = started.elapsed();
        let restarted = Instant::now();
        let second = Server::care4u_with(&url, folder.path(), &smtp);
        loop {
            let row = db.query_one_raw(Statement::from_string(backend, "SELECT count(*) FROM outbox")).await;
            let row = row.expect("the database responds").expect("a row");
            let unsent: i64 = row.try_get_by_index(0).expect("a number");
            if unsent == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let mut times = HashMap::<String, u32>::new();
        for mail in sink.received() {
            *times.entry(mail.recipient).or_default() += 1;
        }
        let twice = times.values().filter(|times| **times > 1).count();
        println!("\n# {MAILS} queued mails on {database}, kill -9 halfway");
        println!(
            "{before} sent in {:.1} s, then killed; the rest sent after another {:.1} s",
            killed.as_secs_f64(),
            restarted.elapsed().as_secs_f64()
        );
        println!("{} of {MAILS} arrived, {twice} of them twice (at most the 16 that were being sent)", times.len());
        drop(second);
        db.close().await.expect("the database closes");
    }
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Revocation: memory and statements per request with a million active sessions, then with a million revoked ones.
pub(crate) async fn revocations() {
    let folder = tempfile::tempdir().expect("a folder");
    let [_, (_, url)] = databases(folder.path(), "revocations");
    create(&url, "revocations").await;
    let (database, connection) =
        tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("the database responds");
    tokio::spawn(connection);
    let care4u = Server::care4u(&url, folder.path());
    let token = server::prepare(&url, care4u.port).await;
    drop(care4u);
    println!("\n# revoked sessions in memory, PostgreSQL");
    for (what, statement) in [
        ("no other sessions", "SELECT 1".to_owned()),
        ("a million active sessions", sessions("NULL")),
        ("a million revoked and a million active sessions", sessions("now()")),
    ] {
        database.batch_execute(&statement).await.expect("the rows are inserted");
        database.batch_execute("VACUUM ANALYZE refresh_tokens").await.expect("the table is analysed");
        let care4u = Server::care4u(&url, folder.path());
        client::get(care4u.port, "/health/ready", None).await;
        let before = transactions(&database).await;
        let started = Instant::now();
        // The guard passes, and then the path is rejected before any database access.
        client::repeat(care4u.port, "/api/v1/users/not-an-id", &token, REQUESTS).await;
        let seconds = started.elapsed().as_secs_f64();
        tokio::time::sleep(Duration::from_secs(2)).await;
        let after = transactions(&database).await;
        let megabytes = care4u.rss_megabytes();
        let count = after - before;
        println!(
            "{what}: {megabytes:.1} MB resident; {count} transactions in {seconds:.1} s + 2 s, for {REQUESTS} requests"
        );
    }
}

/// Returns the SQL that inserts the sessions.
fn sessions(revoked_at: &str) -> String {
    format!(
        "INSERT INTO refresh_tokens (id, user_id, generation, rotated_at, expires_at, revoked_at, created_at)
         SELECT gen_random_uuid(), (SELECT id FROM users WHERE email = '{EMAIL}'), 0, now(), now() + interval '30 days',
             {revoked_at}, now()
         FROM generate_series(1, {SESSIONS})"
    )
}

/// Returns the number of committed transactions of the database, including single statements.
async fn transactions(database: &tokio_postgres::Client) -> i64 {
    database.batch_execute("SELECT pg_stat_clear_snapshot()").await.expect("the database responds");
    let row = database.query_one("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()", &[]);
    row.await.expect("the database responds").get(0)
}
