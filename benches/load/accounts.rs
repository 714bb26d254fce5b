//! What accounts promise: that time does not tell known addresses from unknown ones, that mails survive a crash, and that
//! ended sessions cost requests nothing.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait as _, DbBackend, Statement};

use super::server::{EMAIL, PASSWORD, Server, create, databases};
use super::smtp::{Privacy, SmtpServer};
use super::{client, server};

/// Tries of each kind.
const TRIES: usize = 1000;
/// A cheaper hash than usual, so that whatever is done beside hashing weighs more.
const COST: &str = "10";
/// Mails in the outbox.
const MAILS: usize = 10_000;
/// Sessions in the database.
const SESSIONS: usize = 1_000_000;
/// Requests that ask the database for nothing.
const REQUESTS: usize = 20_000;

/// Signing in, forgot-password and resend: known and unknown addresses in turn.
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
        println!("\n# known and unknown addresses on {database}, {TRIES} tries each in turn, microseconds");
        println!("{:<26} {:>8} {:>8} {:>8} {:>8} {:>8}", "", "p10", "p25", "median", "p75", "p90");
        let unknown = EMAIL.replace("ada", "eve");
        for (path, more) in [
            ("/api/v1/auth/login", r#","password":"a wrong guess""#),
            ("/api/v1/auth/forgot-password", ""),
            ("/api/v1/auth/verify-email/resend", ""),
        ] {
            let body = |email: &str| format!(r#"{{"email":"{email}"{more}}}"#);
            let (known, unknown) = (body(EMAIL), body(&unknown));
            let [known, unknown] = client::in_turn(care4u.port, path, [&known, &unknown], TRIES).await;
            let name = path.rsplit('/').next().unwrap_or_default();
            let row = |latencies: &[f64]| {
                let at = |percent: usize| format!("{:>8.0}", latencies[latencies.len() * percent / 100]);
                [10, 25, 50, 75, 90].map(at).join(" ")
            };
            println!("{:<26} {}", format!("{name}, known"), row(&known));
            println!("{:<26} {}", format!("{name}, unknown"), row(&unknown));
            let difference = (known[TRIES / 2] / unknown[TRIES / 2] - 1.0) * 100.0;
            println!("{:<26} {difference:+.2} % (at most 2)", "the medians differ by");
        }
    }
}

/// Mails in the outbox of a process that is killed half-way.
pub(crate) async fn mail() {
    let folder = tempfile::tempdir().expect("a folder");
    for (database, url) in databases(folder.path(), "mail") {
        create(&url, "mail").await;
        let db = migration::connect(&url, None).await.expect("the database answers");
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
            db.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await.expect("it is written");
        }
        let sink = SmtpServer::start(Privacy::None).await;
        let port = sink.port.to_string();
        let smtp = [
            ("CARE4U__MAIL__TRANSPORT", "smtp"),
            ("CARE4U__MAIL__SMTP_TLS", "none"),
            ("CARE4U__MAIL__SMTP_PORT", port.as_str()),
        ];
        let begun = Instant::now();
        let first = Server::care4u_with(&url, folder.path(), &smtp);
        until(|| sink.received().len() >= MAILS / 2).await;
        // SIGKILL.
        drop(first);
        let before = sink.received().len();
        let killed = begun.elapsed();
        let again = Instant::now();
        let second = Server::care4u_with(&url, folder.path(), &smtp);
        loop {
            let waiting = db.query_one_raw(Statement::from_string(backend, "SELECT count(*) FROM outbox")).await;
            let waiting: i64 = waiting.expect("it answers").expect("a row").try_get_by_index(0).expect("a number");
            if waiting == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let mut times = HashMap::<String, u32>::new();
        for mail in sink.received() {
            *times.entry(mail.recipient).or_default() += 1;
        }
        let twice = times.values().filter(|times| **times > 1).count();
        println!("\n# {MAILS} queued mails on {database}, kill -9 half-way");
        println!(
            "{before} sent in {:.1} s, then killed; the rest after {:.1} s more",
            killed.as_secs_f64(),
            again.elapsed().as_secs_f64()
        );
        println!("{} of {MAILS} arrived, {twice} of them twice (at most the 16 that were on their way)", times.len());
        drop(second);
        db.close().await.expect("it closes");
    }
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A million sessions that go on, then a million that have just ended: memory, and statements for each request.
pub(crate) async fn revocations() {
    let folder = tempfile::tempdir().expect("a folder");
    let [_, (_, url)] = databases(folder.path(), "revocations");
    create(&url, "revocations").await;
    let (database, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("it answers");
    tokio::spawn(connection);
    let care4u = Server::care4u(&url, folder.path());
    let token = server::prepare(&url, care4u.port).await;
    drop(care4u);
    println!("\n# the list of ended sessions, PostgreSQL");
    for (what, statement) in [
        ("no other sessions", "SELECT 1".to_owned()),
        ("a million sessions that go on", sessions("NULL")),
        ("a million that have just ended, and a million that go on", sessions("now()")),
    ] {
        database.batch_execute(&statement).await.expect("rows can be made");
        database.batch_execute("VACUUM ANALYZE refresh_tokens").await.expect("the table can be analysed");
        let care4u = Server::care4u(&url, folder.path());
        client::get(care4u.port, "/health/ready", None).await;
        let before = transactions(&database).await;
        let begun = Instant::now();
        // Refused behind the guard, before anything is asked of the database.
        client::repeat(care4u.port, "/api/v1/users/not-an-id", &token, REQUESTS).await;
        let seconds = begun.elapsed().as_secs_f64();
        tokio::time::sleep(Duration::from_secs(2)).await;
        let after = transactions(&database).await;
        let megabytes = care4u.rss_megabytes();
        let count = after - before;
        println!(
            "{what}: {megabytes:.1} MB resident; {count} transactions in {seconds:.1} s and 2 s more, for {REQUESTS} requests"
        );
    }
}

fn sessions(revoked_at: &str) -> String {
    format!(
        "INSERT INTO refresh_tokens (id, user_id, generation, rotated_at, expires_at, revoked_at, created_at)
         SELECT gen_random_uuid(), (SELECT id FROM users WHERE email = '{EMAIL}'), 0, now(), now() + interval '30 days',
             {revoked_at}, now()
         FROM generate_series(1, {SESSIONS})"
    )
}

/// Transactions that the database has committed, single statements included.
async fn transactions(database: &tokio_postgres::Client) -> i64 {
    database.batch_execute("SELECT pg_stat_clear_snapshot()").await.expect("it answers");
    let row = database.query_one("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()", &[]);
    row.await.expect("it answers").get(0)
}
