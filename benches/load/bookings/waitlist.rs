//! Waitlist: races in which people also wait, accept, decline and let offers expire, while staff change the capacity and
//! close a slot; and the cost of a cancelled booking while a hundred times as many people wait.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Instant;

use chrono::{Days, Duration, Utc};
use entity::{RequestStatus, Role};
use futures_util::future::{join_all, join4};
use serde_json::Value;
use uuid::Uuid;

use super::super::client::{self, Connection, PASSWORD, post_as};
use super::super::server::{Server, create, databases};
use super::population::{Issuer, Person, Population};
use super::races::{check_deadlocks, recount, send};
use super::{AT_A_TIME, share, slot_body};

/// People per place.
const PEOPLE: usize = 20;
/// Places of each slot.
const PLACES: usize = 15;
/// Number of slots.
const SLOTS: usize = 3;
/// Changes by staff during the race.
const CHANGES: usize = 30;
/// Number of people who wait in the measurement of sizes.
const WAITING: [usize; 2] = [1_000, 100_000];
/// Bookings that are cancelled in one round.
const CANCELLED: usize = 100;
/// Number of rounds; each measures both sizes.
const ROUNDS: usize = 5;

struct Race<'a> {
    issuer: &'a Issuer,
    slots: Vec<Uuid>,
    done: RefCell<BTreeMap<String, usize>>,
    busy: RefCell<BTreeMap<String, usize>>,
    recounts: Cell<usize>,
    is_over: Cell<bool>,
}

/// Races with a waitlist; on PostgreSQL through two instances.
pub(crate) async fn waitlist_races() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = Issuer::new();
    for (database, url) in databases(folder.path(), "waitlist_races") {
        create(&url, "waitlist_races").await;
        let mut population = Population::connect(&url).await;
        let instances = if database == "SQLite" { 1 } else { 2 };
        let cheap = [("CARE4U__AUTH__BCRYPT_COST", "4")];
        let servers: Vec<_> = (0..instances).map(|_| Server::care4u_with(&url, folder.path(), &cheap)).collect();
        let ports: Vec<u16> = servers.iter().map(|server| server.port).collect();
        let people = population.people(PEOPLE * PLACES * SLOTS, |_| RequestStatus::Approved).await;
        let centre = population.centre().await;
        let race = Race {
            issuer: &issuer,
            slots: population.slots(centre, Utc::now() + Duration::days(2), (SLOTS, SLOTS), PLACES).await,
            done: RefCell::default(),
            busy: RefCell::default(),
            recounts: Cell::new(0),
            is_over: Cell::new(false),
        };
        let crowd = async {
            race.crowd(&ports, &people).await;
            race.is_over.set(true);
        };
        let recounts = recount(&issuer, ports[0], &race.is_over, &race.recounts);
        let staff = race.staff(ports[ports.len() - 1], &population);
        join4(crowd, staff, race.answers(ports[0], &people, &population), recounts).await;
        let missed = race.check_line(&population).await;
        race.settle(&ports, &people).await;
        recount(&issuer, ports[0], &Cell::new(true), &race.recounts).await;
        for slot in &race.slots {
            assert_eq!(population.taken(*slot).await, (PLACES, PLACES), "counter and bookings of a slot");
        }
        assert_eq!(population.number("SELECT CAST(sum(held) AS BIGINT) FROM slots").await, 0, "held places");
        println!(
            "\n# waitlist races on {database}, {instances} instances, {AT_A_TIME} requests at a time\n{} people for \
             {SLOTS} × {PLACES} places: {:?}\n{} recounts without a violation, 503: {:?}; {missed}",
            people.len(),
            race.done.borrow(),
            race.recounts.get(),
            race.busy.borrow()
        );
        if database == "PostgreSQL" {
            drop((servers, population));
            println!("deadlocks: {}", check_deadlocks(&url).await);
        }
    }
}

impl Race<'_> {
    /// Each person books, or waits. Those who have booked or were offered a place keep it or give it up, at random.
    async fn crowd(&self, ports: &[u16], people: &[Person]) {
        let connections = (0..AT_A_TIME).map(|client| Connection::open(ports[client % ports.len()]));
        share(people.len(), join_all(connections).await, async |mut connection, number| {
            let person = people[number];
            let mut rng = fastrand::Rng::with_seed(number as u64);
            let slot = self.slots[number % SLOTS];
            if self.act(&mut connection, person, "book", &slot_body(slot)).await == 409 {
                self.act(&mut connection, person, "wait", "").await;
            }
            for _ in 0..3 {
                let other = slot_body(self.slots[rng.usize(..SLOTS)]);
                match rng.u32(..16) {
                    0..=4 => self.act(&mut connection, person, "offer/accept", "").await,
                    5..=6 => self.act(&mut connection, person, "offer/decline", "").await,
                    7..=8 => self.act(&mut connection, person, "unbook", "").await,
                    9..=11 => self.act(&mut connection, person, "wait", "").await,
                    12 => self.act(&mut connection, person, "move", &other).await,
                    13..=14 => self.act(&mut connection, person, "book", &other).await,
                    _ => self.act(&mut connection, person, "cancel", "").await,
                };
            }
            if number % 20 == 0 {
                let token = self.issuer.token(person.user_id, Role::Patient);
                let body = format!(r#"{{"password":"{PASSWORD}"}}"#);
                let erase = post_as(&token, "/api/v1/users/me/deletion", &body);
                assert_eq!(send(&mut connection, &erase, &self.busy).await, 200, "{}", connection.body());
                *self.done.borrow_mut().entry("erase".to_owned()).or_default() += 1;
            }
            connection
        })
        .await;
    }

    /// People who have an offer accept it, decline it, or leave it to others.
    async fn answers(&self, port: u16, people: &[Person], population: &Population) {
        let people: BTreeMap<Uuid, Person> = people.iter().map(|person| (person.request_id, *person)).collect();
        let mut connection = Connection::open(port).await;
        let mut rng = fastrand::Rng::with_seed(1);
        while !self.is_over.get() {
            for request_id in population.offered().await {
                match rng.u32(..4) {
                    0..=1 => self.act(&mut connection, people[&request_id], "offer/accept", "").await,
                    2 => self.act(&mut connection, people[&request_id], "offer/decline", "").await,
                    _ => continue,
                };
            }
            tokio::task::yield_now().await;
        }
    }

    /// Performs an action. Returns the status, which is 200, 201, 409 or 422; 404 if the account was erased meanwhile.
    async fn act(&self, connection: &mut Connection, person: Person, action: &str, body: &str) -> u16 {
        let token = self.issuer.token(person.user_id, Role::Patient);
        let path = format!("/api/v1/vaccine-requests/{}/{action}", person.request_id);
        let status = send(connection, &post_as(&token, &path, body), &self.busy).await;
        assert!([200, 201, 404, 409, 422].contains(&status), "{action}: {status} {}", connection.body());
        if status < 400 {
            *self.done.borrow_mut().entry(action.to_owned()).or_default() += 1;
        }
        status
    }

    /// Staff change the capacity, close slots and open them again; some offers expire.
    async fn staff(&self, port: u16, population: &Population) {
        let mut connection = Connection::open(port).await;
        let token = self.issuer.token(Uuid::now_v7(), Role::Admin);
        for change in 0..CHANGES {
            let path = format!("/api/v1/slots/{}", self.slots[change % SLOTS]);
            let capacity = if change % 2 == 0 { PLACES + 5 } else { PLACES };
            let body = format!(r#"{{"capacity":{capacity}}}"#);
            let status = send(&mut connection, &client::patch_as(&token, &path, &body), &self.busy).await;
            assert!([200, 409].contains(&status), "{status} {}", connection.body());
            if change % 10 == 9 {
                for action in ["close", "reopen"] {
                    let request = post_as(&token, &format!("{path}/{action}"), "");
                    assert_eq!(send(&mut connection, &request, &self.busy).await, 200, "{}", connection.body());
                }
            }
            population.expire_offers(3).await;
        }
    }

    /// Checks that no entry waits while a place is free: at once, or when the background task has searched for it.
    async fn check_line(&self, population: &Population) -> &'static str {
        const FREE: &str = "SELECT count(*) FROM slots WHERE booked + held < capacity AND closed_at IS NULL";
        const WAITING: &str = "SELECT count(*) FROM waitlist_entries WHERE status = 'waiting'";
        let started = Instant::now();
        loop {
            if population.number(FREE).await == 0 || population.number(WAITING).await == 0 {
                let at_once = started.elapsed() < std::time::Duration::from_secs(2);
                return if at_once {
                    "no entry waited beside a free place"
                } else {
                    "the background task found a free place"
                };
            }
            assert!(started.elapsed() < std::time::Duration::from_secs(40), "an entry waits beside a free place");
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    }

    /// All people leave the line. Then they book or cancel until all places are taken.
    async fn settle(&self, ports: &[u16], people: &[Person]) {
        let mut connection = Connection::open(ports[0]).await;
        let mut booked: BTreeMap<String, Vec<Person>> = BTreeMap::new();
        let mut approved = Vec::new();
        for person in people {
            let token = self.issuer.token(person.user_id, Role::Patient);
            let path = format!("/api/v1/vaccine-requests/{}", person.request_id);
            let leave = client::delete_as(&token, &format!("{path}/wait"));
            let left = send(&mut connection, &leave, &self.busy).await;
            assert!([204, 404].contains(&left), "{left} {}", connection.body());
        }
        for person in people {
            let token = self.issuer.token(person.user_id, Role::Patient);
            let path = format!("/api/v1/vaccine-requests/{}", person.request_id);
            if connection.exchange(&client::get_request(&path, Some(&token))).await != 200 {
                continue;
            }
            let request: Value = serde_json::from_str(connection.body()).expect("JSON");
            match request["status"].as_str() {
                Some("booked") => {
                    let slot = request["slot"]["id"].as_str().expect("a slot").to_owned();
                    booked.entry(slot).or_default().push(*person);
                }
                Some("approved") => approved.push(*person),
                _ => {}
            }
        }
        let token = self.issuer.token(Uuid::now_v7(), Role::Admin);
        for slot in &self.slots {
            let booked = booked.remove(&slot.to_string()).unwrap_or_default();
            for person in booked.iter().skip(PLACES) {
                assert_eq!(self.act(&mut connection, *person, "cancel", "").await, 200);
            }
            let path = format!("/api/v1/slots/{slot}");
            let shrink = client::patch_as(&token, &path, &format!(r#"{{"capacity":{PLACES}}}"#));
            assert_eq!(send(&mut connection, &shrink, &self.busy).await, 200, "{}", connection.body());
            for _ in booked.len()..PLACES {
                let person = approved.pop().expect("enough people");
                assert_eq!(self.act(&mut connection, person, "book", &slot_body(*slot)).await, 200);
            }
        }
    }
}

/// A cancelled booking while many wait for one course: each place goes to the first in line.
pub(crate) async fn waitlist_sizes() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = Issuer::new();
    let names = ["waitlist_small", "waitlist_large"];
    let urls = names.map(|name| databases(folder.path(), name));
    for database in [0, 1] {
        let mut lines = Vec::new();
        for (url, (name, waiting)) in urls.iter().zip(names.into_iter().zip(WAITING)) {
            create(&url[database].1, name).await;
            lines.push(WaitingLine::open(&url[database].1, folder.path(), waiting).await);
        }
        let mut medians = [vec![], vec![]];
        // The first round is a warm-up.
        for round in 0..=ROUNDS {
            for (line, medians) in lines.iter().zip(&mut medians) {
                let median = line.cancel(&issuer, round).await;
                if round > 0 {
                    medians.push(median);
                }
            }
        }
        let [small, large] = medians.map(|mut medians| {
            medians.sort_by(f64::total_cmp);
            medians[ROUNDS / 2]
        });
        println!(
            "\n# a cancelled booking while {} and {} wait, on {}\n{small:.0} and {large:.0} us: {:.2} (at most 1.5)",
            WAITING[0],
            WAITING[1],
            urls[0][database].0,
            large / small
        );
    }
}

/// A server with people who have booked, and people who wait.
struct WaitingLine {
    server: Server,
    booked: Vec<Person>,
}

impl WaitingLine {
    async fn open(url: &str, folder: &std::path::Path, waiting: usize) -> Self {
        let mut population = Population::connect(url).await;
        let booked = population.people(CANCELLED * (ROUNDS + 1), |_| RequestStatus::Approved).await;
        let centre = population.centre().await;
        let elsewhere = population.centre().await;
        let start = Utc::now() + Days::new(2);
        let slots = population.slots(centre, start, (10, 10), booked.len() / 10).await;
        population.book_all(&booked, &slots).await;
        let people = population.people(waiting, |_| RequestStatus::Approved).await;
        // Half of them wait for another centre, and are in front.
        let (first, others) = people.split_at(people.len() / 2);
        population.wait(first, Some(elsewhere)).await;
        population.wait(others, None).await;
        population.analyse().await;
        Self { server: Server::care4u(url, folder), booked }
    }

    /// Median of the cancelled bookings of a round, in microseconds.
    async fn cancel(&self, issuer: &Issuer, round: usize) -> f64 {
        let mut connection = Connection::open(self.server.port).await;
        let mut latencies = Vec::new();
        for person in &self.booked[round * CANCELLED..(round + 1) * CANCELLED] {
            let token = issuer.token(person.user_id, Role::Patient);
            let path = format!("/api/v1/vaccine-requests/{}/cancel", person.request_id);
            let sent = Instant::now();
            let status = connection.exchange(&post_as(&token, &path, "")).await;
            latencies.push(sent.elapsed().as_secs_f64() * 1e6);
            assert_eq!(status, 200, "{}", connection.body());
        }
        latencies.sort_by(f64::total_cmp);
        latencies[CANCELLED / 2]
    }
}
