//! Races: fifty times as many people as places try to book the same slot, while others cancel, move and erase.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use chrono::{Duration, Utc};
use entity::{RequestStatus, Role};
use futures_util::future::join_all;
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DbBackend, Statement};
use serde_json::Value;
use uuid::Uuid;

use super::super::client::{self, Connection, PASSWORD, post_as};
use super::super::server::{Server, create, databases};
use super::population::{Issuer, Person, Population};
use super::{AT_A_TIME, book_path, share, slot_body};

/// Attempts per place.
const ATTEMPTS: usize = 50;

/// Pause of a client before it repeats a request that got 503.
const RETRY_AFTER: std::time::Duration = std::time::Duration::from_millis(100);

/// What happened in a race.
#[derive(Default)]
struct Outcome {
    booked: Cell<usize>,
    refused: RefCell<Vec<Person>>,
    /// Places given back, by the way in which they were.
    given_back: RefCell<BTreeMap<&'static str, usize>>,
    /// Responses 503 by problem type, each followed by another attempt.
    busy: RefCell<BTreeMap<String, usize>>,
    recounts: Cell<usize>,
}

struct Race<'a> {
    issuer: &'a Issuer,
    slot: Uuid,
    /// The slot to which bookings are moved.
    other: Uuid,
    outcome: Outcome,
}

/// Races for slots of 1, 10 and 100 places; on PostgreSQL through two instances.
pub(crate) async fn races() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = Issuer::new();
    for (database, url) in databases(folder.path(), "booking_races") {
        create(&url, "booking_races").await;
        let mut population = Population::connect(&url).await;
        let instances = if database == "SQLite" { 1 } else { 2 };
        let servers: Vec<_> = (0..instances).map(|_| Server::care4u(&url, folder.path())).collect();
        let ports: Vec<u16> = servers.iter().map(|server| server.port).collect();
        println!("\n# races on {database}, {instances} instances, {AT_A_TIME} requests at a time");
        for capacity in [1, 10, 100] {
            let attempts = ATTEMPTS * capacity;
            let people = population.people(attempts, |_| RequestStatus::Approved).await;
            let centre = population.centre().await;
            let tomorrow = Utc::now() + Duration::days(2);
            let slot = population.slots(centre, tomorrow, (1, 1), capacity).await[0];
            let other = population.slots(centre, tomorrow + Duration::hours(1), (1, 1), attempts).await[0];
            let race = Race { issuer: &issuer, slot, other, outcome: Outcome::default() };
            race.run(&ports, &people).await;
            let taken = population.taken(slot).await;
            assert_eq!(taken, (capacity, capacity), "counter and bookings of the slot");
            let outcome = &race.outcome;
            let given_back: usize = outcome.given_back.borrow().values().sum();
            assert_eq!(outcome.booked.get() - given_back, capacity, "each place that was promised exists");
            println!(
                "{attempts} attempts at {capacity} places: {} booked, {:?} given back; {} recounts without a violation, \
                 503: {:?}",
                outcome.booked.get(),
                outcome.given_back.borrow(),
                outcome.recounts.get(),
                outcome.busy.borrow()
            );
        }
        if database == "PostgreSQL" {
            drop((servers, population));
            println!("deadlocks: {}", check_deadlocks(&url).await);
        }
    }
}

/// Deadlocks in the database so far, which must be none.
pub(super) async fn check_deadlocks(url: &str) -> i64 {
    let db =
        Database::connect(ConnectOptions::new(url).max_connections(1).to_owned()).await.expect("the database responds");
    let number = async |sql: &str| -> i64 {
        let row =
            db.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.expect("the database responds");
        row.expect("a row").try_get_by_index(0).expect("a number")
    };
    // A backend reports its numbers when it ends, at the latest.
    let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    while number(others).await > 0 {
        tokio::task::yield_now().await;
    }
    let deadlocks = number("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").await;
    assert_eq!(deadlocks, 0, "deadlocks");
    deadlocks
}

impl Race<'_> {
    async fn run(&self, ports: &[u16], people: &[Person]) {
        let is_over = Cell::new(false);
        let race = async {
            self.attempts(ports, people, true).await;
            // Second attempts: places that were given back after a refusal are free now.
            let refused = self.outcome.refused.take();
            self.attempts(ports, &refused, false).await;
            is_over.set(true);
        };
        let recounts = recount(self.issuer, ports[0], &is_over, &self.outcome.recounts);
        futures_util::future::join(race, recounts).await;
    }

    async fn attempts(&self, ports: &[u16], people: &[Person], give_back: bool) {
        let connections = (0..AT_A_TIME).map(|client| Connection::open(ports[client % ports.len()]));
        share(people.len(), join_all(connections).await, async |mut connection, number| {
            let person = people[number];
            let token = self.issuer.token(person.user_id, Role::Patient);
            let book = post_as(&token, &book_path(person.request_id), &slot_body(self.slot));
            match send(&mut connection, &book, &self.outcome.busy).await {
                200 => {
                    self.outcome.booked.set(self.outcome.booked.get() + 1);
                    if give_back && number % 4 != 3 {
                        self.give_back(&mut connection, &token, person, number).await;
                    }
                }
                409 if connection.body().contains(":slot-full") => self.outcome.refused.borrow_mut().push(person),
                status => panic!("{status} {}", connection.body()),
            }
            connection
        })
        .await;
    }

    async fn give_back(&self, connection: &mut Connection, token: &str, person: Person, number: usize) {
        let request = |action: &str| format!("/api/v1/vaccine-requests/{}/{action}", person.request_id);
        let (how, path, body) = match number % 4 {
            0 => ("cancelled", request("cancel"), String::new()),
            1 => ("moved", request("move"), slot_body(self.other)),
            _ => ("erased", "/api/v1/users/me/deletion".to_owned(), format!(r#"{{"password":"{PASSWORD}"}}"#)),
        };
        let status = send(connection, &post_as(token, &path, &body), &self.outcome.busy).await;
        assert_eq!(status, 200, "{how}: {}", connection.body());
        *self.outcome.given_back.borrow_mut().entry(how).or_default() += 1;
    }
}

/// Sends a request until the response is not 503.
pub(super) async fn send(connection: &mut Connection, request: &str, busy: &RefCell<BTreeMap<String, usize>>) -> u16 {
    loop {
        match connection.exchange(request).await {
            503 => {
                let problem: Value = serde_json::from_str(connection.body()).expect("JSON");
                *busy.borrow_mut().entry(problem["type"].to_string()).or_default() += 1;
                tokio::time::sleep(RETRY_AFTER).await;
            }
            status => return status,
        }
    }
}

/// Recounts continuously, and once more at the end.
pub(super) async fn recount(issuer: &Issuer, port: u16, is_over: &Cell<bool>, recounts: &Cell<usize>) {
    let staff = issuer.token(Uuid::now_v7(), Role::Staff);
    loop {
        let is_last = is_over.get();
        let reply = client::get(port, "/health/invariants", Some(&staff)).await;
        let reply: Value = serde_json::from_str(&reply).expect("JSON");
        assert_eq!(reply["violations"], serde_json::json!([]), "a recount during the race");
        recounts.set(recounts.get() + 1);
        if is_last {
            return;
        }
    }
}
