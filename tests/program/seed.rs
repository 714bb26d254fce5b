//! `care4u seed`: catalogue and demo data.

use std::path::Path;

use entity::{contacts, users, vaccine_requests};
use sea_orm::{EntityTrait, QueryOrder};

use super::postgres;
use super::process::{Serving, care4u, member, new_postgres_database, run, text};

/// Runs the command. Returns its exit code and output.
fn seed(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let output = run(care4u(folder).arg("seed").args(arguments).envs(variables.iter().copied()));
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

/// Returns all accounts, contacts and requests of a database.
async fn content(url: &str) -> (Vec<users::Model>, Vec<contacts::Model>, Vec<vaccine_requests::Model>) {
    let db = migration::connect(url, None).await.unwrap();
    let mut users = users::Entity::find().order_by_asc(users::Column::Id).all(&db).await.unwrap();
    let contacts = contacts::Entity::find().order_by_asc(contacts::Column::Id).all(&db).await.unwrap();
    let requests = vaccine_requests::Entity::find().order_by_asc(vaccine_requests::Column::Id).all(&db).await.unwrap();
    db.close().await.unwrap();
    // The hash is salted.
    users.iter_mut().for_each(|user| user.password_hash = entity::PasswordHash(String::new()));
    (users, contacts, requests)
}

fn url(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("data/care4u.db").display())
}

#[test]
fn seed_creates_the_catalogue_once() {
    let folder = tempfile::tempdir().unwrap();
    for added in [14, 0] {
        let printed = format!("added {added} vaccines to the catalogue\nadded {added} schedules of courses\n");
        assert_eq!(seed(folder.path(), &[], &[]), (Some(0), printed));
    }
}

#[tokio::test]
async fn the_same_seed_gives_the_same_data_and_another_seed_other_data() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let before = chrono::Utc::now().date_naive();
    for (folder, number) in folders.iter().zip(["7", "7", "8"]) {
        let (code, printed) = seed(folder.path(), &["--users", "30", "--contacts", "1001", "--rng-seed", number], &[]);
        assert!(
            code == Some(0) && printed.contains("added 30 patients, 1001 contacts and 30 vaccine requests"),
            "{printed}"
        );
    }
    // Vaccines are not compared, because their ids differ.
    let mut data = Vec::new();
    for folder in &folders {
        let (users, contacts, mut requests) = content(&url(folder.path())).await;
        requests.iter_mut().for_each(|request| request.vaccine_id = uuid::Uuid::nil());
        data.push((users, contacts, requests));
    }
    if chrono::Utc::now().date_naive() == before {
        assert_eq!(data[0], data[1]);
    }
    assert_ne!(data[0].1, data[2].1);

    let (users, contacts, requests) = &data[0];
    assert_eq!((users.len(), contacts.len(), requests.len()), (31, 1001, 30));
    let today = chrono::Utc::now().date_naive();
    let near = contacts.iter().filter_map(|contact| {
        let birthday = care4u::domain::contacts::contacts::birthday_of(contact)?;
        Some(birthday.next(today, Default::default()).signed_duration_since(today).num_days())
    });
    assert!(near.filter(|days| *days <= 7).count() > 100);
    assert!(contacts.iter().any(|contact| contact.birth_day.is_none()));
    assert!(contacts.iter().any(|contact| contact.birth_day.is_some() && contact.birth_year.is_none()));
    assert!(contacts.iter().any(|contact| (contact.birth_month, contact.birth_day) == (Some(2), Some(29))));
    let states: std::collections::BTreeSet<_> = requests.iter().map(|request| request.status.as_str()).collect();
    assert_eq!(states.len(), 7, "{states:?}");
    assert!(requests.iter().all(|request| {
        use entity::RequestStatus::{Administered, Booked, Missed};
        let needs_slot = matches!(request.status, Booked | Missed | Administered);
        request.slot_id.is_some() == needs_slot
    }));
}

#[tokio::test]
async fn demo_data_is_added_once_and_atomically() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(seed(folder.path(), &["--users", "1"], &[]).0, Some(0));
    let before = content(&url(folder.path())).await;
    assert_eq!((before.0.len(), before.1.len(), before.2.len()), (2, 20, 14));
    let (code, printed) = seed(folder.path(), &["--users", "50"], &[]);
    assert!(code == Some(1) && printed.contains("there are demo accounts already; nothing was changed"), "{printed}");
    assert_eq!(content(&url(folder.path())).await, before);
    let (code, printed) = seed(folder.path(), &["--rng-seed", "7"], &[]);
    assert!(code == Some(1) && printed.contains("--users"), "{printed}");
    for wrong in [["--users", "0"], ["--users", "many"], ["--contacts", "-1"]] {
        assert_eq!(seed(folder.path(), &wrong, &[]).0, Some(2), "{wrong:?}");
    }
}

/// Seeds demo data, and uses them as people would.
fn use_demo_data(folder: &Path, variables: &[(&str, &str)]) {
    assert_eq!(seed(folder, &["--contacts", "500"], variables).0, Some(0));
    let server = Serving::start(care4u(folder).envs(variables.iter().copied()));
    let log_in = |email: &str| {
        let body = format!(r#"{{"email":"{email}","password":"care4u demo"}}"#);
        member(&server.send("POST", "/api/v1/auth/login", "", &body).1, "access_token")
    };
    let get = |path: &str, token: &str| -> serde_json::Value {
        let (status, body) = server.send("GET", path, token, "");
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    };
    let items = |page: &serde_json::Value| page["items"].as_array().unwrap().len();
    assert_eq!(items(&get("/api/v1/contacts", &log_in("patient1@demo.example"))), 5);
    let staff = log_in("staff@demo.example");
    assert_eq!(items(&get("/api/v1/vaccine-requests?limit=100", &staff)), 100);
    // A centre with free slots, in which the staff act, and bookings there that are counted right.
    let centre = get("/api/v1/centres", &staff)["items"][0]["id"].as_str().unwrap().to_owned();
    let slots = get(&format!("/api/v1/centres/{centre}/slots?days=31&limit=100"), &staff);
    let slots = slots["items"].as_array().unwrap();
    assert!(slots.iter().any(|slot| slot["free"] == slot["capacity"]), "{slots:?}");
    let booked = slots.iter().find(|slot| slot["free"] != slot["capacity"]).unwrap();
    let bookings = get(&format!("/api/v1/vaccine-requests?slot_id={}", booked["id"].as_str().unwrap()), &staff);
    let taken = booked["capacity"].as_u64().unwrap() - booked["free"].as_u64().unwrap();
    assert_eq!(items(&bookings) as u64, taken);
    let of_slot = format!("/api/v1/slots/{}", booked["id"].as_str().unwrap());
    assert_eq!(server.send("PATCH", &of_slot, &staff, r#"{"capacity":0}"#).0, 409);
    let recount = get("/health/invariants", &staff);
    assert_eq!(recount["violations"], serde_json::json!([]));
    assert!(recount["slots"].as_u64() > Some(20) && recount["patients"].as_u64() > Some(50), "{recount}");
    // Doses that were given there, from lots, and judged by the schedules of the courses.
    assert!(recount["lots"] == 14 && recount["doses"].as_u64() > Some(0), "{recount}");
    let lots = get(&format!("/api/v1/centres/{centre}/lots"), &staff);
    let used = lots["items"].as_array().unwrap().iter().find(|lot| lot["used"] != 0).unwrap();
    let doses = get(&format!("/api/v1/lots/{}/immunizations", used["id"].as_str().unwrap()), &staff);
    let dose = &doses["items"][0];
    assert!(dose["counts"] == true || dose["rule"].is_string(), "{dose}");
    let day = dose["administered_on"].as_str().unwrap();
    let listed = get(&format!("/api/v1/centres/{centre}/day?date={day}"), &staff);
    assert!(listed["items"].as_array().unwrap().iter().any(|item| item["status"] == "administered"), "{listed}");
    let course = get("/api/v1/courses?limit=1", &staff)["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(get(&format!("/api/v1/courses/{course}/schedule"), &staff)["version"], 1);
}

#[test]
fn demo_data_can_be_used() {
    let folder = tempfile::tempdir().unwrap();
    use_demo_data(folder.path(), &[]);
}

#[tokio::test]
#[cfg_attr(without_postgres, ignore = "PostgreSQL is not installed")]
async fn on_postgres_demo_data_can_be_used() {
    let Some(url) = new_postgres_database("demo").await else {
        return postgres::skipped("demo data on PostgreSQL");
    };
    let folder = tempfile::tempdir().unwrap();
    use_demo_data(folder.path(), &[("DATABASE_URL", &url)]);
}

/// The bookings of each patient, as (patient, start, end).
async fn bookings(url: &str) -> Vec<(uuid::Uuid, chrono::DateTime<chrono::Utc>, chrono::DateTime<chrono::Utc>)> {
    let db = migration::connect(url, None).await.unwrap();
    let booked = vaccine_requests::Entity::find().find_also_related(entity::slots::Entity).all(&db).await.unwrap();
    db.close().await.unwrap();
    let times = booked.into_iter().filter_map(|(request, slot)| Some((request.patient_id, slot?)));
    times.map(|(patient, slot)| (patient, slot.starts_at, slot.ends_at)).collect()
}

#[tokio::test]
async fn no_person_of_the_demo_data_has_two_bookings_at_once() {
    for users in ["1", "7", "20"] {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(seed(folder.path(), &["--users", users], &[]).0, Some(0));
        let mut bookings = bookings(&url(folder.path())).await;
        bookings.sort_unstable();
        assert!(bookings.len() > 1);
        for pair in bookings.windows(2) {
            assert!(pair[0].0 != pair[1].0 || pair[0].2 <= pair[1].1, "{pair:?}");
        }
    }
}

#[test]
fn in_production_demo_data_requires_force_and_a_password() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("care4u.db").display());
    let production = [
        ("CARE4U_PROFILE", "production"),
        ("DATABASE_URL", url.as_str()),
        ("CARE4U__AUTH__SECRET", "a secret for tests of 32 bytes or more"),
        ("CARE4U__MAIL__TRANSPORT", "file"),
    ];
    let demo = |force: &[&str], password: &[(&str, &str)]| {
        seed(folder.path(), &[&["--users", "3"], force].concat(), &[&production, password].concat())
    };
    let (code, printed) = demo(&[], &[]);
    assert!(code == Some(1) && printed.contains("--force"), "{printed}");
    assert!(!folder.path().join("care4u.db").exists());
    let (code, printed) = demo(&["--force"], &[]);
    assert!(code == Some(1) && printed.contains("CARE4U_DEMO_PASSWORD"), "{printed}");
    let (code, printed) = demo(&["--force"], &[("CARE4U_DEMO_PASSWORD", "another good one")]);
    assert!(code == Some(0) && !printed.contains("care4u demo") && !printed.contains("another good one"), "{printed}");
    assert_eq!(seed(folder.path(), &[], &production).0, Some(0));
}

#[tokio::test]
#[cfg_attr(without_postgres, ignore = "PostgreSQL is not installed")]
async fn on_postgres_the_same_seed_gives_the_same_data() {
    let Some(there) = new_postgres_database("seeded").await else {
        return postgres::skipped("demo data on PostgreSQL");
    };
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--users", "20", "--contacts", "700"];
    let before = chrono::Utc::now().date_naive();
    assert_eq!(seed(folder.path(), &arguments, &[("DATABASE_URL", &there)]).0, Some(0));
    assert_eq!(seed(folder.path(), &arguments, &[]).0, Some(0));
    let (here, there) = (content(&url(folder.path())).await, content(&there).await);
    assert_eq!((there.0.len(), there.1.len(), there.2.len()), (21, 700, 21));
    if chrono::Utc::now().date_naive() == before {
        assert_eq!(here.1, there.1);
    }
}
