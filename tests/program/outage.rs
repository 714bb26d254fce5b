//! What the service does and logs while PostgreSQL refuses connections.

use std::time::{Duration, Instant};

use sea_orm::ConnectionTrait as _;

use super::postgres;
use super::process::{Serving, care4u, member, new_postgres_database};

const ACCOUNT: &str = r#"{"name":"Ada","email":"ada@example.org","password":"correct horse battery"}"#;
const LOGIN: &str = r#"{"email":"ada@example.org","password":"correct horse battery"}"#;

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(without_postgres, ignore = "PostgreSQL is not installed")]
async fn a_poller_that_cannot_read_is_logged_and_reported_and_guarded_routes_refuse() {
    let Some(url) = new_postgres_database("refused").await else { return postgres::skipped("a database that refuses") };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut command = care4u(folder.path());
    command.env("DATABASE_URL", &url).env("CARE4U__AUTH__REVOCATIONS_MAX_AGE_SECONDS", "3");
    let server = Serving::start(command.stderr(std::fs::File::create(&log).unwrap()));
    assert_eq!(server.send("POST", "/api/v1/auth/register", "", ACCOUNT).0, 201);
    let token = member(&server.send("POST", "/api/v1/auth/login", "", LOGIN).1, "access_token");
    let becomes = |path: &str, status: u16, part: &str| {
        let started = Instant::now();
        loop {
            let (given, body) = server.send("GET", path, &token, "");
            if given == status && body.contains(part) {
                break;
            }
            assert!(started.elapsed() < Duration::from_secs(60), "{path} does not become {status}: {body}");
        }
    };
    let in_log = |text: &str| {
        let started = Instant::now();
        while !std::fs::read_to_string(&log).unwrap().contains(text) {
            assert!(started.elapsed() < Duration::from_secs(60), "not in the log: {text}");
            std::thread::sleep(Duration::from_millis(100));
        }
    };

    let admin = migration::connect(postgres::server_url().unwrap(), None).await.unwrap();
    admin.execute_unprepared("ALTER DATABASE refused WITH ALLOW_CONNECTIONS false").await.unwrap();
    let end_connections = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'refused'";
    admin.execute_unprepared(end_connections).await.unwrap();
    in_log("cannot read revoked sessions; retrying");
    becomes("/health/ready", 503, "");
    // The guard itself refuses, because it may have missed that the session was ended.
    becomes("/api/v1/users/me", 503, "cannot check which sessions have ended");

    admin.execute_unprepared("ALTER DATABASE refused WITH ALLOW_CONNECTIONS true").await.unwrap();
    becomes("/api/v1/users/me", 200, "ada@example.org");
    becomes("/health/ready", 200, "");
    in_log("can read revoked sessions again");
}
