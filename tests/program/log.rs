//! Log: a line for each request, and no personal data.

use std::path::Path;
use std::process::Command;

use super::postgres;
use super::process::{Serving, care4u, member, run};

/// All personal data and secrets of the walk-through.
const PRIVATE: [&str; 18] = [
    super::process::CLIENT,
    "xanthippe",
    "quill",
    "example.org",
    "correct horse",
    "another good one",
    "wrong guess",
    "19121815",
    "7946 0018",
    "James's",
    "1985-12-10",
    "mondays",
    "eyJ",
    "admin@",
    "myrtle",
    "figwort",
    "in my care",
    "birthdays.ics?",
];

/// Uses all features, with errors, on a server with the most verbose log. Returns the log.
fn walk_through(command: &mut Command, folder: &Path, url: Option<&str>) -> String {
    let log = folder.join("log");
    let mut admin = care4u(folder);
    admin.args(["create-admin", "--email", "admin@example.org"]).env("CARE4U_ADMIN_PASSWORD", "correct horse battery");
    command.env("RUST_LOG", "trace").stderr(std::fs::File::create(&log).unwrap());
    if let Some(url) = url {
        admin.env("DATABASE_URL", url);
        command.env("DATABASE_URL", url);
    }
    let made = run(&mut admin);
    assert!(made.status.success(), "{}", super::process::text(&made.stderr));
    let mut server = Serving::start(command);
    visit(&server, folder);
    server.signal("TERM");
    server.process.wait().unwrap();
    let log = std::fs::read_to_string(log).unwrap();
    let codes = codes(folder);
    assert!(codes.len() >= 3);
    for code in codes {
        assert!(!log.split(|c: char| !c.is_ascii_digit()).any(|number| number == code), "a code is in the log");
    }
    log
}

fn visit(server: &Serving, folder: &Path) {
    let expect = |status: u16, (given, body): (u16, String)| {
        assert_eq!(given, status, "{body}");
        body
    };
    let account = r#"{"name":"Xanthippe Quill","email":"xanthippe@example.org","password":"correct horse battery","nid":"19121815",
        "phone_number":"+44 20 7946 0018","address":"12 St James's Square","birth_date":"1985-12-10"}"#;
    let login = r#"{"email":"xanthippe@example.org","password":"correct horse battery"}"#;
    let register = "/api/v1/auth/register";
    expect(201, server.send("POST", register, "", account));
    expect(409, server.send("POST", register, "", account));
    expect(400, server.send("POST", register, "", &account[..60]));
    expect(422, server.send("POST", register, "", &account.replace("xanthippe@example.org", "xanthippe@")));
    expect(401, server.send("POST", "/api/v1/auth/login", "", &login.replace("correct horse battery", "wrong guess")));
    let pair = expect(200, server.send("POST", "/api/v1/auth/login", "", login));
    let token = member(&pair, "access_token");
    let refresh = format!(r#"{{"refresh_token":"{}"}}"#, member(&pair, "refresh_token"));
    expect(200, server.send("GET", "/api/v1/users/me", &token, ""));
    expect(200, server.send("PATCH", "/api/v1/users/me", &token, r#"{"name":"Xanthippe Pen","nid":"19121815-B"}"#));
    let catalogue = expect(200, server.send("GET", "/api/v1/vaccines/01900000-0000-7000-8000-000000000009", "", ""));
    let catalogue: serde_json::Value = serde_json::from_str(&catalogue).unwrap();
    let ask = format!(r#"{{"vaccine_id":{},"note":"free on mondays"}}"#, catalogue["id"]);
    let request = member(&expect(201, server.send("POST", "/api/v1/vaccine-requests", &token, &ask)), "id");
    let admin = r#"{"email":"admin@example.org","password":"correct horse battery"}"#;
    let admin = member(&expect(200, server.send("POST", "/api/v1/auth/login", "", admin)), "access_token");
    expect(200, server.send("GET", "/api/v1/users?email=xanthippe@example.org", &admin, ""));
    expect(200, server.send("POST", &format!("/api/v1/vaccine-requests/{request}/approve"), &admin, ""));
    let password = r#"{"current_password":"correct horse battery","new_password":"another good one"}"#;
    expect(204, server.send("PUT", "/api/v1/users/me/password", &token, password));
    expect(200, server.send("POST", "/api/v1/auth/refresh", "", &refresh));
    expect(404, server.send("GET", "/api/v1/nobody/xanthippe@example.org?password=correct+horse", &token, ""));
    expect(401, server.send("GET", "/api/v1/users/me", &format!("{token}x"), ""));
    let flu = ask
        .replace("free on mondays", "also on mondays")
        .replace("{\"vaccine_id\"", "{\"dose_number\":9,\"vaccine_id\"");
    expect(422, server.send("POST", "/api/v1/vaccine-requests", &token, &flu));
    let reason = r#"{"reason":"Xanthippe has had it"}"#;
    expect(409, server.send("POST", &format!("/api/v1/vaccine-requests/{request}/reject"), &admin, reason));
    expect(413, server.send("POST", register, "", &account.replace("Xanthippe", &"Xanthippe".repeat(30_000))));
    let form = "grant_type=password&username=xanthippe@example.org&password=another+good+one";
    let pair = expect(200, server.send_form("/api/v1/auth/token", form));
    let first = format!(r#"{{"refresh_token":"{}"}}"#, member(&pair, "refresh_token"));
    let pair = expect(200, server.send("POST", "/api/v1/auth/refresh", "", &first));
    let second = format!(r#"{{"refresh_token":"{}"}}"#, member(&pair, "refresh_token"));
    expect(200, server.send("POST", "/api/v1/auth/refresh", "", &second));
    // The first token is two generations old: reuse.
    expect(401, server.send("POST", "/api/v1/auth/refresh", "", &first));
    expect(204, server.send("POST", "/api/v1/auth/logout", &token, ""));
    let login = login.replace("correct horse battery", "another good one");
    let token = member(&expect(200, server.send("POST", "/api/v1/auth/login", "", &login)), "access_token");
    expect(202, server.send("POST", "/api/v1/auth/forgot-password", "", r#"{"email":"xanthippe@example.org"}"#));
    let guess = r#"{"email":"xanthippe@example.org","code":"000000"}"#;
    expect(422, server.send("POST", "/api/v1/auth/validate-code", "", guess));
    expect(422, server.send("POST", "/api/v1/auth/verify-email", "", guess));
    let address = r#"{"email":"quill@example.org","current_password":"another good one"}"#;
    expect(202, server.send("POST", "/api/v1/users/me/email-change", &token, address));
    expect(200, server.send("GET", "/api/v1/users?q=xanthippe", &admin, ""));
    expect(200, server.send("GET", "/api/v1/users/me/export", &token, ""));
    expect(200, server.send("GET", "/api/v1/users/me/sessions", &token, ""));
    expect(200, server.send("GET", "/api/v1/audit-events", &admin, ""));
    use_contacts(server, &token);
    wait_for_mails(folder, 5);
    let erase = r#"{"password":"another good one"}"#;
    expect(200, server.send("POST", "/api/v1/users/me/deletion", &token, erase));
    wait_for_mails(folder, 6);
}

/// Uses contacts, imports of valid and invalid files, and the calendar feed.
fn use_contacts(server: &Serving, token: &str) {
    let expect = |status: u16, (given, body): (u16, String)| {
        assert_eq!(given, status, "{body}");
        body
    };
    let contact = r#"{"first_name":"Myrtle","last_name":"Figwort","email":"myrtle@example.org","note":"in my care"}"#;
    expect(201, server.send("POST", "/api/v1/contacts", token, contact));
    expect(201, server.send("POST", "/api/v1/contacts", token, contact));
    expect(422, server.send("POST", "/api/v1/contacts", token, &contact.replace("myrtle@", "@")));
    expect(200, server.send("GET", "/api/v1/contacts?q=figwort&limit=1", token, ""));
    let import = |format: &str, file: &str| {
        server.send("POST", &format!("/api/v1/contacts/imports?format={format}"), token, file)
    };
    expect(
        201,
        import("csv", "first_name,last_name,email\nMyrtle,Figwort,\nMyrtle,Figwort,myrtle@example.org,too much\n"),
    );
    expect(422, import("csv", "Myrtle,Figwort\n"));
    expect(201, import("vcard", "BEGIN:VCARD\nN:Figwort;Myrtle;;;\nEND:VCARD\nBEGIN:VCARD\nN:Figwort"));
    expect(200, server.send("GET", "/api/v1/contacts/export", token, ""));
    let feed = member(&expect(201, server.send("PUT", "/api/v1/contacts/birthdays/feed", token, "")), "path");
    expect(200, server.send("GET", &feed, "", ""));
    expect(404, server.send("GET", &format!("{feed}x"), "", ""));
}

/// Waits until the folder contains `count` mails.
fn wait_for_mails(folder: &Path, count: usize) {
    let outbox = folder.join("data/outbox");
    let started = std::time::Instant::now();
    loop {
        let files = std::fs::read_dir(&outbox).map_or(0, Iterator::count);
        if files == count {
            return;
        }
        assert!(started.elapsed().as_secs() < 30, "{files} mails instead of {count}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// Returns the codes in all mails.
fn codes(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder.join("data/outbox")).unwrap();
    let mails = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit());
    mails.flat_map(|mail| mail.lines().map(str::trim).filter(is_code).map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn assert_nothing_private(log: &str) {
    for line in log.lines() {
        for private in PRIVATE {
            let found = line.to_lowercase().contains(&private.to_lowercase());
            assert!(!found, "{private:?} in the log: {line}");
        }
    }
}

#[test]
fn the_json_log_has_a_line_per_request_and_no_personal_data() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = care4u(folder.path());
    let log = walk_through(command.env("CARE4U__LOG__FORMAT", "json"), folder.path(), None);
    assert_nothing_private(&log);
    let lines: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"))).collect();
    let requests: Vec<_> = lines.iter().filter(|line| line["message"] == "request").collect();
    assert_eq!(requests.len(), 46);
    assert!(log.contains("a refresh token was reused"));
    for request in &requests {
        assert!(request["request.id"].is_string() && request["http.method"].is_string(), "{request}");
        assert!(request["http.status"].is_u64() && request["duration_us"].is_u64(), "{request}");
        assert!(request["http.route"].is_string() && request["timestamp"].is_string(), "{request}");
    }
    let routes: Vec<_> = requests.iter().map(|request| request["http.route"].as_str().unwrap()).collect();
    assert!(routes.contains(&"/api/v1/vaccine-requests/{id}/approve"), "{routes:?}");
    let mine = requests.iter().find(|request| request["http.route"] == "/api/v1/users/me").unwrap();
    assert!(mine["user.id"].is_string(), "{mine}");
}

#[test]
fn the_text_log_has_the_same_content() {
    let folder = tempfile::tempdir().unwrap();
    let log = walk_through(&mut care4u(folder.path()), folder.path(), None);
    assert_nothing_private(&log);
    let line = log.lines().find(|line| line.contains("/approve")).expect("a line for the approval");
    for part in ["request.id=", "http.method=POST", "http.status=200", "duration_us=", "user.id="] {
        assert!(line.contains(part), "{line}");
    }
}

#[test]
#[cfg_attr(without_postgres, ignore = "PostgreSQL is not installed")]
fn on_postgres_the_log_has_no_personal_data() {
    let Some(server) = postgres::server_url() else { return postgres::skipped("the log of a walk-through") };
    let folder = tempfile::tempdir().unwrap();
    let log = walk_through(&mut care4u(folder.path()), folder.path(), Some(server));
    assert_nothing_private(&log);
    assert!(log.contains("http.status=201"));
}
