//! Commands of operators for accounts, on both databases.

use std::process::Command;

use super::postgres;
use super::process::{Serving, care4u, member, new_postgres_database, run, text};

/// Folder and database in which the commands run.
struct Site {
    folder: tempfile::TempDir,
    url: Option<String>,
}

impl Site {
    fn new(url: Option<String>) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), url }
    }

    fn care4u(&self) -> Command {
        let mut command = care4u(self.folder.path());
        command.envs(self.url.iter().map(|url| ("DATABASE_URL", url)));
        command
    }
}

#[test]
fn on_sqlite_accounts_are_administered() {
    accounts_are_administered(&Site::new(None));
}

#[tokio::test]
#[cfg_attr(without_postgres, ignore = "PostgreSQL is not installed")]
async fn on_postgres_accounts_are_administered() {
    let Some(url) = new_postgres_database("administered").await else {
        return postgres::skipped("administration of accounts");
    };
    accounts_are_administered(&Site::new(Some(url)));
}

#[test]
fn on_sqlite_accounts_are_created_moved_exported_and_erased() {
    accounts_are_created_moved_exported_and_erased(&Site::new(None));
}

#[tokio::test]
#[cfg_attr(without_postgres, ignore = "PostgreSQL is not installed")]
async fn on_postgres_accounts_are_created_moved_exported_and_erased() {
    let Some(url) = new_postgres_database("erased").await else {
        return postgres::skipped("creation and erasure of accounts");
    };
    accounts_are_created_moved_exported_and_erased(&Site::new(Some(url)));
}

/// Operators disable, enable, promote and reset accounts while the service runs.
fn accounts_are_administered(site: &Site) {
    let server = Serving::start(&mut site.care4u());
    let ada = r#"{"name":"Ada","email":"ada@example.org","password":"correct horse battery"}"#;
    assert_eq!(server.send("POST", "/api/v1/auth/register", "", ada).0, 201);
    let log_in = |password: &str| {
        let body = format!(r#"{{"email":"ada@example.org","password":"{password}"}}"#);
        server.send("POST", "/api/v1/auth/login", "", &body)
    };
    let user = |arguments: &[&str]| {
        let mut command = site.care4u();
        let command = command.arg("user").args(arguments).env("CARE4U_USER_PASSWORD", "another good one");
        let output = run(command);
        (output.status.code(), text(&output.stdout) + &text(&output.stderr))
    };
    let token = member(&log_in("correct horse battery").1, "access_token");
    let (code, printed) = user(&["disable", "--email", "Ada@Example.org"]);
    assert!(code == Some(0) && printed.starts_with("disabled the user "), "{printed}");
    assert_eq!(log_in("correct horse battery").0, 403);
    // The service reads the revocation within about a second.
    let started = std::time::Instant::now();
    while server.send("GET", "/api/v1/users/me", &token, "").0 != 401 {
        assert!(started.elapsed().as_secs() < 30, "the session is still active");
    }
    assert_eq!(user(&["enable", "--email", "ada@example.org"]).0, Some(0));
    assert_eq!(user(&["reset-password", "--email", "ada@example.org"]).0, Some(0));
    assert_eq!(log_in("correct horse battery").0, 401);
    assert_eq!(user(&["role", "--email", "ada@example.org", "admin"]).0, Some(0));
    let token = member(&log_in("another good one").1, "access_token");
    assert_eq!(member(&server.send("GET", "/api/v1/users/me", &token, "").1, "role"), "admin");
    for (arguments, reason) in [
        (&["role", "--email", "ada@example.org", "patient"][..], "the last admin"),
        (&["disable", "--email", "ada@example.org"], "the last admin"),
        (&["disable", "--email", "nobody@example.org"], "no user has this e-mail"),
        (&["disable", "--email", "ada"], "must be an e-mail address"),
    ] {
        let (code, printed) = user(arguments);
        let last = printed.lines().last().unwrap_or_default();
        assert!(code == Some(1) && last.starts_with("care4u: ") && last.contains(reason), "{printed}");
    }
    assert_eq!(user(&["role", "--email", "ada@example.org", "root"]).0, Some(2));
}

/// Operators create, move, export and erase an account, and end its sessions.
fn accounts_are_created_moved_exported_and_erased(site: &Site) {
    let user = |arguments: &[&str]| {
        let mut command = site.care4u();
        let output = run(command.arg("user").args(arguments).env("CARE4U_USER_PASSWORD", "correct horse battery"));
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let email = ["--email", "ada@example.org"];
    let create = [&["create", "--name", "Ada Lovelace", "--role", "staff"][..], &email].concat();
    assert_eq!(user(&create).0, Some(0));
    assert!(user(&create).2.contains("exists already"));
    let server = Serving::start(&mut site.care4u());
    let log_in = |email: &str| {
        let body = format!(r#"{{"email":"{email}","password":"correct horse battery"}}"#);
        server.send("POST", "/api/v1/auth/login", "", &body)
    };
    let (status, pair) = log_in("ada@example.org");
    assert_eq!(status, 200);
    let (code, sessions, _) = user(&[&["sessions"][..], &email].concat());
    assert!(code == Some(0) && sessions.lines().count() == 1 && sessions.contains("203.0.113.77"), "{sessions}");
    let id = sessions.split_whitespace().next().unwrap();
    let (_, printed, _) = user(&[&["end-sessions", "--session", id][..], &email].concat());
    assert!(printed.starts_with("ended 1 sessions"), "{printed}");
    assert!(user(&[&["end-sessions", "--session", id][..], &email].concat()).2.contains("no active session"));
    let refresh = format!(r#"{{"refresh_token":"{}"}}"#, member(&pair, "refresh_token"));
    assert_eq!(server.send("POST", "/api/v1/auth/refresh", "", &refresh).0, 401);

    assert_eq!(user(&[&["set-email", "--to", "ada@example.net"][..], &email].concat()).0, Some(0));
    assert_eq!((log_in("ada@example.org").0, log_in("ada@example.net").0), (401, 401));
    assert!(user(&[&["export"][..], &email].concat()).2.contains("no user has this e-mail"));
    let email = ["--email", "ada@example.net"];
    let (code, document, _) = user(&[&["export"][..], &email].concat());
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!((code, document["account"]["role"].as_str()), (Some(0), Some("staff")));
    assert!(user(&[&["erase"][..], &email].concat()).2.contains("--yes"));
    assert_eq!(user(&[&["erase", "--yes"][..], &email].concat()).0, Some(0));
    assert_eq!(log_in("ada@example.net").0, 401);
}
