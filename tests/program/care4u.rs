//! Start, shutdown, and the commands of `care4u`.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;

use super::process::{Serving, care4u, member, read_response, run, text};

const LOGIN: &str = r#"{"email":"admin@example.org","password":"correct horse battery"}"#;

#[test]
fn it_starts_in_an_empty_folder_and_prints_the_address_of_the_docs() {
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(&mut care4u(folder.path()));
    assert!(server.line.contains(&format!("http://127.0.0.1:{}/docs", server.port)), "{}", server.line);
    assert_eq!(server.send("GET", "/health/ready", "", "").0, 200);
    let key = std::fs::metadata(folder.path().join("data/signing.key")).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
    assert!(folder.path().join("data/care4u.db").exists());
}

#[test]
fn a_start_is_quiet_and_keeps_the_database_file_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    drop(Serving::start(care4u(folder.path()).stderr(std::fs::File::create(&log).unwrap())));
    let log = std::fs::read_to_string(log).unwrap();
    let lines: Vec<_> = log.lines().collect();
    assert!(lines.len() == 1 && lines[0].contains(" applied ") && lines[0].ends_with(" migrations"), "{log}");
    for file in std::fs::read_dir(folder.path().join("data")).unwrap().map(Result::unwrap) {
        if file.file_type().unwrap().is_file() {
            let mode = file.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{:?}", file.file_name());
        }
    }
}

#[test]
fn completions_are_printed_for_each_shell() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let output = run(care4u(folder.path()).args(["completions", shell]));
        let script = text(&output.stdout);
        assert!(
            output.status.success() && script.contains("create-admin") && script.contains("healthcheck"),
            "{script}"
        );
    }
}

#[test]
fn the_development_signing_key_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    run(care4u(folder.path())
        .args(["create-admin", "--email", "admin@example.org"])
        .env("CARE4U_ADMIN_PASSWORD", "correct horse battery"));
    let server = Serving::start(&mut care4u(folder.path()));
    let token = member(&server.send("POST", "/api/v1/auth/login", "", LOGIN).1, "access_token");
    drop(server);
    let server = Serving::start(&mut care4u(folder.path()));
    assert_eq!(server.send("GET", "/api/v1/users/me", &token, "").0, 200);
}

#[test]
fn on_sigterm_a_request_in_flight_is_finished_and_the_exit_code_is_0() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Serving::start(&mut care4u(folder.path()));
    let body = r#"{"name":"Ada","email":"ada@example.org","password":"correct horse battery"}"#;
    let mut stream = server.connect();
    let length = body.len();
    write!(
        stream,
        "POST /api/v1/auth/register HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
         expect: 100-continue\r\ncontent-length: {length}\r\n\r\n"
    )
    .unwrap();
    // The server has sent 100 Continue: the request is in flight.
    let mut waiting = [0; 25];
    stream.read_exact(&mut waiting).unwrap();
    assert_eq!(text(&waiting), "HTTP/1.1 100 Continue\r\n\r\n");
    server.signal("TERM");
    stream.write_all(body.as_bytes()).unwrap();
    let (status, account) = read_response(stream);
    assert_eq!((status, member(&account, "email").as_str()), (201, "ada@example.org"));
    assert_eq!(server.process.wait().unwrap().code(), Some(0));
    assert!(!folder.path().join("data/care4u.db-wal").exists(), "the database was not closed");
}

#[test]
fn an_acknowledged_write_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(&mut care4u(folder.path()));
    let body = r#"{"name":"Ada","email":"ada@example.org","password":"correct horse battery"}"#;
    assert_eq!(server.send("POST", "/api/v1/auth/register", "", body).0, 201);
    server.signal("KILL");
    drop(server);
    let server = Serving::start(&mut care4u(folder.path()));
    let login = LOGIN.replace("admin@", "ada@");
    assert_eq!(server.send("POST", "/api/v1/auth/login", "", &login).0, 200);
}

#[test]
fn create_admin_creates_an_admin_and_rejects_a_taken_email() {
    let folder = tempfile::tempdir().unwrap();
    let create = |email: &str, password: Option<&str>| {
        let mut command = care4u(folder.path());
        command.args(["create-admin", "--email", email]);
        if let Some(password) = password {
            command.env("CARE4U_ADMIN_PASSWORD", password);
        }
        let output = run(&mut command);
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, printed, _) = create("admin@example.org", Some("correct horse battery"));
    assert!(code == Some(0) && printed.starts_with("created the admin "), "{printed}");
    for (email, password, reason) in [
        ("Admin@Example.org", Some("correct horse battery"), "exists already"),
        ("not an address", Some("correct horse battery"), "must be an e-mail address"),
        ("other@example.org", Some("short"), "at least 8 characters"),
        ("other@example.org", None, "CARE4U_ADMIN_PASSWORD"),
    ] {
        let (code, _, printed) = create(email, password);
        let last = printed.lines().last().unwrap_or_default();
        assert!(code == Some(1) && last.starts_with("care4u: ") && last.contains(reason), "{printed}");
    }
    let server = Serving::start(&mut care4u(folder.path()));
    let token = member(&server.send("POST", "/api/v1/auth/login", "", LOGIN).1, "access_token");
    assert_eq!(member(&server.send("GET", "/api/v1/users/me", &token, "").1, "role"), "admin");
}

#[test]
fn healthcheck_fails_without_a_running_server() {
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(&mut care4u(folder.path()));
    let check = || run(care4u(folder.path()).arg("healthcheck").env("CARE4U__SERVER__PORT", server.port.to_string()));
    assert_eq!(check().status.code(), Some(0));
    server.signal("KILL");
    let port = server.port;
    drop(server);
    let gone = run(care4u(folder.path()).arg("healthcheck").env("CARE4U__SERVER__PORT", port.to_string()));
    assert_eq!(gone.status.code(), Some(1));
    assert!(text(&gone.stderr).starts_with("care4u: "));
}

#[test]
fn openapi_prints_the_document() {
    let folder = tempfile::tempdir().unwrap();
    let printed = text(&run(care4u(folder.path()).arg("openapi")).stdout);
    let document: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert!(document["paths"]["/api/v1/auth/login"].is_object());
}

#[test]
fn a_failed_start_prints_one_sentence_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let production = [
        ("CARE4U_PROFILE", "production"),
        ("DATABASE_URL", "postgres://care4u:hunter2@127.0.0.1:1/care4u"),
        ("CARE4U__AUTH__SECRET", "a secret for tests of 32 bytes or more"),
        ("CARE4U__MAIL__TRANSPORT", "file"),
    ];
    let without = |name: &str| production.into_iter().filter(|(key, _)| *key != name).collect::<Vec<_>>();
    let cases = [
        (without(""), "cannot open the database"),
        (without("DATABASE_URL"), "DATABASE_URL"),
        (without("CARE4U__AUTH__SECRET"), "CARE4U__AUTH__SECRET"),
        (without("CARE4U__MAIL__TRANSPORT"), "CARE4U__MAIL__TRANSPORT"),
        (vec![("CARE4U__AUTH__SECRET", "hunter2")], "32 bytes"),
        (vec![("CARE4U__SERVER__PORT", "hunter2hunter2")], "server.port"),
        (vec![("CARE4U_PROFILE", "staging")], "CARE4U_PROFILE"),
        (vec![("DATABASE_URL", "mysql://root:hunter2@localhost/x")], "cannot open the database"),
    ];
    for (variables, sentence) in cases {
        let output = run(care4u(folder.path()).envs(variables.clone()));
        let printed = text(&output.stderr);
        let last = printed.lines().last().unwrap_or_default();
        assert_eq!(output.status.code(), Some(1), "{variables:?}: {printed}");
        assert!(last.starts_with("care4u: ") && last.contains(sentence), "{printed}");
        assert!(!printed.contains("hunter2@") && !printed.contains("a secret for tests"), "{printed}");
    }
}

#[test]
fn the_password_in_a_url_of_another_kind_is_printed_by_no_command() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["serve"][..], &["seed"], &["user", "disable", "--email", "ada@example.org"], &["healthcheck"]] {
        let url = "postgresql+asyncpg://user:hunter2@127.0.0.1:1/db";
        let output = run(care4u(folder.path()).args(arguments).env("DATABASE_URL", url));
        let printed = text(&output.stderr) + &text(&output.stdout);
        assert!(printed.contains("write postgres:// instead") && !printed.contains("hunter2"), "{printed}");
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn settings_are_checked_before_the_database_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("care4u.db");
    let url = format!("sqlite://{}?mode=rwc", file.display());
    std::fs::write(folder.path().join("not-a-folder"), "").unwrap();
    for (variable, value, sentence) in [
        ("CARE4U__AUTH__SECRET", "too short", "32 bytes"),
        ("CARE4U__AUTH__KEYS", "missing.pem", "missing.pem"),
        ("CARE4U__MAIL__DIR", "not-a-folder/mails", "mail.dir"),
        ("CARE4U__MAIL__FROM", "nobody", "mail.from"),
        ("CARE4U__LOG__LEVEL", "warning", "log.level"),
        ("RUST_LOG", "warning", "RUST_LOG"),
        ("CARE4U_LOG_LEVEL", "info", "write CARE4U__LOG__LEVEL"),
        ("CARE4U__SERVER__WORKERS", "5000", "server.workers"),
    ] {
        let mut command = care4u(folder.path());
        command.envs([("CARE4U_PROFILE", "production"), ("DATABASE_URL", &url), ("CARE4U__MAIL__TRANSPORT", "file")]);
        if variable != "CARE4U__AUTH__KEYS" {
            command.env("CARE4U__AUTH__SECRET", "K5l1rCqEGZrTCPNmbLgnLrrgLzLQXzSNsyHs0IV2");
        }
        let output = run(command.env(variable, value));
        let printed = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{variable}: {printed}");
        assert!(printed.lines().last().unwrap_or_default().contains(sentence), "{variable}: {printed}");
        assert!(!file.exists(), "{variable}");
    }
}

#[test]
fn a_misspelt_log_level_in_development_is_a_warning_and_the_log_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    for variable in ["CARE4U__LOG__LEVEL", "RUST_LOG"] {
        let output =
            run(care4u(folder.path()).arg("serve").env(variable, "warning").env("CARE4U__SERVER__HOST", "x.invalid"));
        let printed = text(&output.stderr);
        assert!(printed.contains("WARN") && printed.contains("must be off, error, warn"), "{variable}: {printed}");
    }
}

#[test]
fn a_file_that_is_not_toml_is_named_with_the_line_but_not_quoted() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("config")).unwrap();
    let broken = "[auth]\nsecret = \"hunter2 hunter2 hunter2 hunter2 hunter2\n";
    std::fs::write(folder.path().join("config/development.toml"), broken).unwrap();
    let output = run(&mut care4u(folder.path()));
    let printed = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        printed.contains("development.toml") && printed.contains("line 2") && !printed.contains("hunter2"),
        "{printed}"
    );
}

#[test]
fn a_port_that_is_taken_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(&mut care4u(folder.path()));
    let output = run(care4u(folder.path()).env("CARE4U__SERVER__PORT", server.port.to_string()));
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains(&format!("cannot listen on 127.0.0.1:{}", server.port)));
}

#[tokio::test]
async fn a_killed_import_leaves_all_of_its_contacts_or_none() {
    use sea_orm::{EntityTrait, PaginatorTrait};
    let folder = tempfile::tempdir().unwrap();
    let rows = 20_000;
    let file = (0..rows).fold("first_name,last_name\n".to_owned(), |file, row| file + &format!("Byron,King{row}\n"));
    let account = r#"{"name":"Ada","email":"ada@example.org","password":"correct horse battery"}"#;
    for pause in [0, 60, 200, 600, 2000] {
        let server = Serving::start(&mut care4u(folder.path()));
        server.send("POST", "/api/v1/auth/register", "", account);
        let token = member(&server.send("POST", "/api/v1/auth/login", "", account_login()).1, "access_token");
        let mut stream = server.connect();
        write!(
            stream,
            "POST /api/v1/contacts/imports HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
             content-type: text/csv\r\ncontent-length: {}\r\n\r\n{file}",
            file.len()
        )
        .unwrap();
        // Whenever the process is killed, the import is stored completely or not at all.
        std::thread::sleep(std::time::Duration::from_millis(pause));
        server.signal("KILL");
        drop(server);
        let db =
            migration::connect(&format!("sqlite://{}", folder.path().join("data/care4u.db").display()), None).await;
        let db = db.unwrap();
        let kept = entity::contacts::Entity::find().count(&db).await.unwrap();
        let imports = entity::contact_imports::Entity::find().count(&db).await.unwrap();
        assert_eq!(kept, imports * rows, "after {pause} ms");
        db.close().await.unwrap();
    }
}

fn account_login() -> &'static str {
    r#"{"email":"ada@example.org","password":"correct horse battery"}"#
}
