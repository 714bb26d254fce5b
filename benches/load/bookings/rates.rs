//! Bookings per second in one slot and over a thousand slots, compared with the baseline.

use std::time::Instant;

use chrono::{Duration, Utc};
use entity::{RequestStatus, Role};
use futures_util::future::join_all;
use serde_json::Value;
use uuid::Uuid;

use super::super::client::{Connection, Report, post_as};
use super::super::server::{Server, create, databases};
use super::population::{Issuer, Person, Population};
use super::{book_path, slot_body};

/// Number of connections, each of which sends one request after the other.
const CONNECTIONS: usize = 16;
/// Number of rounds; each measures care4u and then the baseline.
const ROUNDS: usize = 5;
/// Bookings of one server in one round.
const BOOKINGS: usize = 2000;

/// Bookings per second, as a ratio to the baseline.
pub(crate) async fn rates() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = Issuer::new();
    for (database, url) in databases(folder.path(), "booking_rates") {
        create(&url, "booking_rates").await;
        let mut population = Population::connect(&url).await;
        let servers = [Server::care4u(&url, folder.path()), Server::baseline(&url)];
        for (what, count) in [("one slot", 1), ("1,000 slots", 1000)] {
            let people = population.people((ROUNDS + 1) * 2 * BOOKINGS, |_| RequestStatus::Approved).await;
            let mut slots = Vec::new();
            for _ in &servers {
                let tomorrow = Utc::now() + Duration::days(1);
                let centre = population.centre().await;
                slots.push(population.slots(centre, tomorrow, (count, 50), 100_000 / count).await);
            }
            population.analyse().await;
            println!(
                "\n# bookings in {what} on {database}, {CONNECTIONS} connections, {ROUNDS} alternating rounds of \
                 {BOOKINGS}\n{}",
                Report::HEADING
            );
            let mut ratios = Vec::new();
            let mut batches = people.chunks(BOOKINGS);
            let mut replies = Vec::new();
            // The first round is a warm-up.
            for round in 0..=ROUNDS {
                let mut rates = Vec::new();
                // In alternating order, so that none always finds the pages that the other one has written.
                let mut order: Vec<_> = servers.iter().zip(&slots).collect();
                if round % 2 == 1 {
                    order.reverse();
                }
                for (server, slots) in order {
                    let batch = batches.next().expect("enough people");
                    let before = server.cpu();
                    let (mut report, reply) = book(server.port, &issuer, batch, slots).await;
                    report.cpu_microseconds = (server.cpu() - before).as_secs_f64() * 1e6 / report.requests();
                    if round > 0 {
                        println!("{}", report.row(server.name));
                    }
                    rates.push(report.rate());
                    replies.push(shape(&serde_json::from_str(&reply).expect("JSON")));
                }
                if round % 2 == 1 {
                    rates.reverse();
                }
                if round > 0 {
                    ratios.push(rates[0] / rates[1]);
                }
            }
            assert!(
                replies.iter().all(|reply| *reply == replies[0]),
                "the baseline must respond with the same members"
            );
            for slots in &slots {
                let mut taken = 0;
                for slot in slots {
                    let (stored, counted) = population.taken(*slot).await;
                    assert_eq!(stored, counted, "the counter of a slot");
                    taken += stored;
                }
                assert_eq!(taken, (ROUNDS + 1) * BOOKINGS, "each request has a place");
            }
            ratios.sort_by(f64::total_cmp);
            println!("ratio of the rates, median of {ROUNDS} pairs: {:.2} (at least 0.6)", ratios[ROUNDS / 2]);
        }
    }
}

/// Books a slot for each person. Returns the measurements and one of the replies.
async fn book(port: u16, issuer: &Issuer, people: &[Person], slots: &[Uuid]) -> (Report, String) {
    let requests = people.iter().enumerate().map(|(number, person)| {
        let token = issuer.token(person.user_id, Role::Patient);
        post_as(&token, &book_path(person.request_id), &slot_body(slots[number % slots.len()]))
    });
    let requests: Vec<String> = requests.collect();
    let connections = join_all((0..CONNECTIONS).map(|_| Connection::open(port))).await;
    let started = Instant::now();
    let clients = connections.into_iter().enumerate().map(async |(client, mut connection)| {
        let mut latencies = Vec::new();
        for request in requests.iter().skip(client).step_by(CONNECTIONS) {
            let sent = Instant::now();
            let status = connection.exchange(request).await;
            assert_eq!(status, 200, "{}", connection.body());
            latencies.push(sent.elapsed());
        }
        (latencies, connection.body().to_owned())
    });
    let outcomes = join_all(clients).await;
    let seconds = started.elapsed().as_secs_f64();
    let reply = outcomes[0].1.clone();
    let latencies = outcomes.into_iter().flat_map(|(latencies, _)| latencies).collect();
    (Report::new(seconds, latencies), reply)
}

/// The members of a JSON value, and which of them are null.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
        Value::Null => Value::Null,
        _ => Value::Bool(true),
    }
}
