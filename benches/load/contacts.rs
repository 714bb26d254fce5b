//! Contact benchmarks: list, search and birthdays of one user with and without a million contacts of others; time and
//! memory of imports and exports with a hundred thousand contacts; speed of `seed`.

use std::fmt::Write as _;
use std::time::Instant;

use care4u::db::{Db, Transact as _};
use care4u::domain::contacts::contact_points::ContactPoint;
use care4u::domain::contacts::contacts::{NewContact, insert, row};
use care4u::domain::contacts::names::Names;
use care4u::domain::values::birthday::Birthday;
use care4u::domain::values::email::Email;
use care4u::domain::values::person::{ContactNumber, NamePart};
use chrono::{NaiveDate, Utc};
use sea_orm::{ConnectionTrait as _, DbBackend, EntityTrait as _, TransactionSession as _};
use uuid::Uuid;

use super::client;
use super::client::{EMAIL, PASSWORD};
use super::server::{Server, create, databases};

/// Number of contacts of the measured user.
const OWN: u32 = 10_000;
/// Number of contacts of all users in the large database.
const ALL: u32 = 1_000_000;
/// Number of contacts of each other user.
const PER_OTHER_USER: u32 = 100;
/// Rows per statement.
const BATCH: u32 = 500;
/// Number of requests per path and database.
const TIMES: usize = 500;
/// Number of rounds; each measures both databases.
const ROUNDS: usize = 5;
/// Number of contacts in a file.
const ROWS: usize = 100_000;

const FIRST_NAMES: [&str; 20] = [
    "Amelia", "Oliver", "Isla", "George", "Ava", "Noah", "Ivy", "Arthur", "Freya", "Leo", "Käthe", "Jörg", "José",
    "Lucía", "Пётр", "Анна", "伟", "محمد", "Arjun", "Kwame",
];
const LAST_NAMES: [&str; 25] = [
    "Smith",
    "Jones",
    "Taylor",
    "Brown",
    "Marlowe",
    "Wilson",
    "Davies",
    "Evans",
    "Walker",
    "Wright",
    "Müller",
    "Schmidt",
    "Weiß",
    "García",
    "López",
    "Núñez",
    "Жук",
    "Коваль",
    "王",
    "李",
    "حداد",
    "Sharma",
    "Patel",
    "Okafor",
    "Mensah",
];

fn contact(number: u32) -> NewContact {
    let pick = |of: &[&str], number: u32| of[usize::try_from(number).expect("small") % of.len()].to_owned();
    let part = |number: u32| i16::try_from(number).ok();
    NewContact {
        uid: None,
        names: Names::new(
            NamePart::parse(&pick(&FIRST_NAMES, number)).ok(),
            NamePart::parse(&format!("{}{}", pick(&LAST_NAMES, number / 20), number / 500)).ok(),
            None,
        )
        .expect("a name"),
        emails: Email::parse(&format!("friend{number}@mail.example")).map(ContactPoint::from).into_iter().collect(),
        phone_numbers: ContactNumber::parse("+44 20 7946 0018").map(ContactPoint::from).into_iter().collect(),
        birthday: Birthday::try_from_parts(part(number % 12 + 1), part(number % 28 + 1), None, NaiveDate::MAX)
            .ok()
            .flatten(),
        note: None,
    }
}

/// Inserts the contacts of one user, evenly scattered among those of others: the worst case for reading them.
async fn fill(url: &str, owner: Uuid, all: u32) {
    let db = Db::connect(url, 4, 1).await.expect("the database responds");
    let transaction = db.begin().await.expect("a transaction begins");
    let now = Utc::now();
    let others: Vec<Uuid> = (0..(all - OWN).div_ceil(PER_OTHER_USER)).map(|_| Uuid::now_v7()).collect();
    for (batch, others) in others.chunks(500).enumerate() {
        let users = others.iter().zip(0..).map(|(id, index)| entity::users::ActiveModel {
            id: sea_orm::Set(*id),
            name: sea_orm::Set("Somebody".into()),
            email: sea_orm::Set(format!("user{batch}.{index}@example.net")),
            password_hash: sea_orm::Set(entity::PasswordHash("none".into())),
            role: sea_orm::Set(entity::Role::Patient),
            created_at: sea_orm::Set(now),
            updated_at: sea_orm::Set(now),
            ..Default::default()
        });
        entity::users::Entity::insert_many(users)
            .exec_without_returning(&transaction)
            .await
            .expect("the users are inserted");
    }
    let (interval, mut rows) = (all / OWN, Vec::new());
    let (mut own, mut of_others) = (0, 0);
    for number in 0..all {
        let (user, counter) = if number % interval == 0 {
            (owner, &mut own)
        } else {
            let count = u32::try_from(others.len()).expect("few");
            (others[usize::try_from(of_others % count).expect("few")], &mut of_others)
        };
        rows.push(row(Uuid::now_v7(), user, None, contact(*counter), (0, now)).expect("a row"));
        *counter += 1;
        if rows.len() == usize::try_from(BATCH).expect("few") || number + 1 == all {
            transaction.execute(&insert(rows.drain(..)).expect("rows")).await.expect("contacts inserted");
        }
    }
    transaction.commit().await.expect("the transaction commits");
    if db.get_database_backend() == DbBackend::Postgres {
        // Autovacuum would do this later.
        db.execute_unprepared("VACUUM ANALYZE").await.expect("the tables are analysed");
    }
    db.close().await.expect("the database closes");
}

/// Registers an account and logs in. Returns the user id and an access token.
async fn register(port: u16) -> (Uuid, String) {
    let account = format!(r#"{{"name":"Ada Lovelace","email":"{EMAIL}","password":"{PASSWORD}"}}"#);
    let (status, reply) = client::post(port, "/api/v1/auth/register", &account).await;
    assert_eq!(status, 201, "{reply}");
    let member = |json: &str, name: &str| {
        let json: serde_json::Value = serde_json::from_str(json).expect("JSON");
        json[name].as_str().expect("text").to_owned()
    };
    let login = format!(r#"{{"email":"{EMAIL}","password":"{PASSWORD}"}}"#);
    let (_, pair) = client::post(port, "/api/v1/auth/login", &login).await;
    (member(&reply, "id").parse().expect("an id"), member(&pair, "access_token"))
}

/// Sizes: the same requests of a user with 10,000 contacts, without other contacts and among a million.
pub(crate) async fn sizes() {
    let folder = tempfile::tempdir().expect("a folder");
    let small = databases(folder.path(), "contacts_small");
    let large = databases(folder.path(), "contacts_large");
    for ((database, small), (_, large)) in small.into_iter().zip(large) {
        create(&small, "contacts_small").await;
        create(&large, "contacts_large").await;
        let servers = [Server::care4u(&small, folder.path()), Server::care4u(&large, folder.path())];
        let mut tokens = Vec::new();
        for ((server, url), all) in servers.iter().zip([&small, &large]).zip([OWN, ALL]) {
            let (owner, token) = register(server.port).await;
            fill(url, owner, all).await;
            tokens.push(token);
        }
        println!(
            "\n# contacts on {database}: {OWN} of one user alone, and scattered among {ALL}; medians of {TIMES}, \
             microseconds"
        );
        println!("{:<32} {:>9} {:>9} {:>7}", "", OWN, ALL, "ratio");
        let path = |rest: &str| format!("/api/v1/contacts{rest}");
        let page = client::get(servers[0].port, &path("?limit=100&last_name=o"), Some(&tokens[0])).await;
        let page: serde_json::Value = serde_json::from_str(&page).expect("JSON");
        let cursor = page["next_cursor"].as_str().expect("another page");
        let requests = [
            ("list", path("")),
            ("list, after a cursor", path(&format!("?cursor={cursor}"))),
            ("search by a prefix", path("?q=marl")),
            ("search for nobody", path("?q=nobody")),
            ("birthdays", path("/birthdays?time_zone=UTC")),
            ("birthdays, the whole year", path("/birthdays?days=366&limit=100")),
        ];
        let paths: Vec<String> = requests.iter().map(|(_, path)| path.clone()).collect();
        let mut medians = Vec::new();
        // Alternating, so that a change in the speed of the machine affects both. The first round is a warm-up.
        for round in 0..=ROUNDS {
            for (server, token) in servers.iter().zip(&tokens) {
                let median = client::medians(server.port, token, &paths, TIMES / ROUNDS).await;
                if round > 0 {
                    medians.push(median);
                }
            }
        }
        for (number, (name, _)) in requests.iter().enumerate() {
            let median = |database: usize| {
                let mut rounds: Vec<f64> =
                    medians.iter().skip(database).step_by(2).map(|round| round[number]).collect();
                rounds.sort_by(f64::total_cmp);
                rounds[ROUNDS / 2]
            };
            let (small, large) = (median(0), median(1));
            let verdict = if large / small > 1.5 { "  MORE THAN 1.5" } else { "" };
            println!("{name:<32} {small:>9.0} {large:>9.0} {:>7.2}{verdict}", large / small);
        }
        println!("(ratios: at most 1.5)");
    }
}

/// Files: time and memory of importing and exporting a hundred thousand contacts, compared with a small import.
pub(crate) async fn files() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut csv = String::from("first_name,last_name,email,phone_number,birth_month,birth_day\r\n");
    let mut vcard = String::new();
    for (number, contact) in (0..).map(|number| (number, contact(number))).take(ROWS) {
        let contact = row(Uuid::nil(), Uuid::nil(), None, contact, (0, Utc::now())).expect("a row");
        let (first, last) = (contact.first_name.expect("a name"), contact.last_name.expect("a name"));
        writeln!(csv, "{first},{last},friend{number}@mail.example,+44 20 7946 0018,5,12\r").expect("memory");
        write!(
            vcard,
            "BEGIN:VCARD\r\nVERSION:3.0\r\nN:{last};{first};;;\r\nEMAIL:card{number}@mail.example\r\nBDAY:--0612\r\nEND:VCARD\r\n"
        )
        .expect("the text grows");
    }
    for (database, url) in databases(folder.path(), "contact_files") {
        create(&url, "contact_files").await;
        println!("\n# files of {ROWS} contacts on {database}");
        for (what, file, media_type, lines) in [("CSV", &csv, "text/csv", 601), ("vCards", &vcard, "text/vcard", 3600)]
        {
            let care4u = Server::care4u(&url, folder.path());
            let token = if what == "CSV" { register(care4u.port).await.1 } else { log_in(care4u.port).await };
            let small: String = file.lines().take(lines).fold(String::new(), |text, line| text + line + "\r\n");
            // Other people, with the same names.
            let small = small
                .replace("@mail.example", "@few.example")
                .replace(",5,12\r", ",5,13\r")
                .replace("--0612", "--0613");
            let path = "/api/v1/contacts/imports";
            let report = client::upload(care4u.port, path, &token, media_type, small.as_bytes()).await;
            assert!(report.contains(r#""imported":600,"updated":0,"skipped":0,"rejected":0"#), "{report}");
            let before = care4u.peak_megabytes();
            let started = Instant::now();
            let report = client::upload(care4u.port, path, &token, media_type, file.as_bytes()).await;
            assert!(report.contains(&format!(r#""imported":{ROWS},"updated":0,"skipped":0,"rejected":0"#)), "{report}");
            let imported = started.elapsed();
            let peak = care4u.peak_megabytes();
            let started = Instant::now();
            let format = if what == "CSV" { "csv" } else { "vcard" };
            let response =
                client::download(care4u.port, &format!("/api/v1/contacts/export?format={format}"), &token).await;
            println!(
                "{what:<7} import: {:.1} MB in {:.1} s; export: {:.1} MB in {:.1} s; peak memory {before:.1} MB \
                 after 600, {peak:.1} MB after the import, {:.1} MB after the export",
                megabytes(file.len()),
                imported.as_secs_f64(),
                megabytes(response.len()),
                started.elapsed().as_secs_f64(),
                care4u.peak_megabytes()
            );
        }
    }
}

async fn log_in(port: u16) -> String {
    let login = format!(r#"{{"email":"{EMAIL}","password":"{PASSWORD}"}}"#);
    let (_, pair) = client::post(port, "/api/v1/auth/login", &login).await;
    let pair: serde_json::Value = serde_json::from_str(&pair).expect("JSON");
    pair["access_token"].as_str().expect("a token").to_owned()
}

fn megabytes(bytes: usize) -> f64 {
    f64::from(u32::try_from(bytes).expect("less than 4 GB")) / 1e6
}

/// Seed: demo data with a million contacts.
pub(crate) fn seed(runtime: &tokio::runtime::Runtime) {
    let folder = tempfile::tempdir().expect("a folder");
    println!("\n# care4u seed --users 10000 --contacts {ALL}");
    for (database, url) in databases(folder.path(), "seed") {
        runtime.block_on(create(&url, "seed"));
        let started = Instant::now();
        Server::command(&url, &["seed", "--users", "10000", "--contacts", &ALL.to_string()]);
        println!("{database:<11} {:.1} s (SQLite: at most 60)", started.elapsed().as_secs_f64());
    }
}
