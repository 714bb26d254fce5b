//! Bookings with idempotency keys of a process that is killed halfway.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::Path;

use chrono::{Duration, Utc};
use entity::{RequestStatus, Role};
use serde_json::Value;
use uuid::Uuid;

use super::super::client::{self, Connection, post_once};
use super::super::server::{Server, create, databases};
use super::population::{Issuer, Person, Population};
use super::{AT_A_TIME, book_path, share, slot_body};

/// Number of bookings, and of places.
const BOOKINGS: usize = 10_000;
const SLOTS: usize = 100;

/// The people, their slots, and the response of each booking that was acknowledged.
struct Clinic<'a> {
    issuer: &'a Issuer,
    people: Vec<Person>,
    slots: Vec<Uuid>,
    acknowledged: RefCell<BTreeMap<usize, String>>,
    replayed: Cell<usize>,
}

/// Kills the server after half of the bookings, starts it again, and repeats each request with its key.
pub(crate) async fn crash() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = Issuer::new();
    for (database, url) in databases(folder.path(), "booking_crash") {
        create(&url, "booking_crash").await;
        let mut population = Population::connect(&url).await;
        let people = population.people(BOOKINGS, |_| RequestStatus::Approved).await;
        let centre = population.centre().await;
        let tomorrow = Utc::now() + Duration::days(1);
        let slots = population.slots(centre, tomorrow, (SLOTS, 50), BOOKINGS / SLOTS).await;
        let clinic =
            Clinic { issuer: &issuer, people, slots, acknowledged: RefCell::default(), replayed: Cell::default() };
        clinic.book_until_killed(&url, folder.path()).await;
        let before = clinic.acknowledged.borrow().clone();
        let server = Server::care4u(&url, folder.path());
        let staff = issuer.token(Uuid::now_v7(), Role::Staff);
        recount(server.port, &staff).await;
        let stored = population.number("SELECT count(*) FROM vaccine_requests WHERE status = 'booked'").await;
        clinic.book_all(server.port).await;
        assert!(clinic.repeats(&before), "a repeated request must get the same response");
        recount(server.port, &staff).await;
        let booked = population.number("SELECT count(*) FROM vaccine_requests WHERE status = 'booked'").await;
        println!("\n# {BOOKINGS} bookings on {database}, {AT_A_TIME} at a time, kill -9 halfway");
        println!(
            "{} acknowledged before the kill, {stored} stored; then all were sent again with their keys: {} got their \
             stored response, {booked} booked, both recounts clean",
            before.len(),
            clinic.replayed.get()
        );
        assert_eq!(
            usize::try_from(stored).expect("a number"),
            clinic.replayed.get(),
            "each stored booking is replayed"
        );
        assert_eq!(usize::try_from(booked).expect("a number"), BOOKINGS);
    }
}

impl Clinic<'_> {
    fn request(&self, number: usize) -> String {
        let person = self.people[number];
        let token = self.issuer.token(person.user_id, Role::Patient);
        let slot = slot_body(self.slots[number % self.slots.len()]);
        post_once(&token, &format!("booking-{number}"), &book_path(person.request_id), &slot)
    }

    /// Books until the server has been killed: then the remaining requests fail.
    async fn book_until_killed(&self, url: &str, folder: &Path) {
        let server = Server::care4u(url, folder);
        let port = server.port;
        let server = Cell::new(Some(server));
        let clients = (0..AT_A_TIME).map(|_| None).collect();
        share(BOOKINGS, clients, async |connection: Option<Connection>, number| {
            let connection = match connection {
                Some(connection) => Ok(connection),
                None => Connection::try_open(port).await,
            };
            let Ok(mut connection) = connection else { return None };
            match connection.try_exchange(&self.request(number)).await {
                Ok(200) => {
                    self.acknowledged.borrow_mut().insert(number, connection.body().to_owned());
                    if self.acknowledged.borrow().len() == BOOKINGS / 2 {
                        // SIGKILL.
                        drop(server.take());
                    }
                    Some(connection)
                }
                Ok(503) => Some(connection),
                Ok(status) => panic!("{status} {}", connection.body()),
                Err(_) => None,
            }
        })
        .await;
        assert!(server.take().is_none(), "the server has been killed");
    }

    /// Whether the responses are still those of the first time.
    fn repeats(&self, before: &BTreeMap<usize, String>) -> bool {
        let after = self.acknowledged.borrow();
        before.iter().all(|(number, reply)| after.get(number) == Some(reply))
    }

    /// Sends all bookings, with the keys of the first time.
    async fn book_all(&self, port: u16) {
        let clients = futures_util::future::join_all((0..AT_A_TIME).map(|_| Connection::open(port))).await;
        share(BOOKINGS, clients, async |mut connection, number| {
            let request = self.request(number);
            while connection.exchange(&request).await == 503 {}
            self.acknowledged.borrow_mut().insert(number, connection.body().to_owned());
            if connection.is_replayed() {
                self.replayed.set(self.replayed.get() + 1);
            }
            connection
        })
        .await;
    }
}

async fn recount(port: u16, staff: &str) {
    let reply = client::get(port, "/health/invariants", Some(staff)).await;
    let reply: Value = serde_json::from_str(&reply).expect("JSON");
    assert_eq!(reply["violations"], serde_json::json!([]), "a recount after the crash");
}
