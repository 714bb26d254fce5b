//! Doses: the cost of eligibility, and the list of a day, the record of a person and eligibility with ten thousand and with
//! ten million doses stored.

use std::path::Path;
use std::time::Instant;

use chrono::{Days, Utc};
use entity::{RequestStatus, Role};
use uuid::Uuid;

use super::bookings::{Issuer, Population};
use super::client::{Connection, get_request, post_as};
use super::costs::{CONNECTIONS, Kind, ROUNDS, compare};
use super::server::{Server, create, databases};

/// Number of people, each with twenty doses.
const SMALL: usize = 500;
const LARGE: usize = 500_000;
/// People who come to a centre on a day.
const PER_DAY: usize = 20;
/// Requests of each kind in a round.
const TIMES: usize = 200;

/// Server CPU of a question about eligibility, compared with that of the own account.
pub(crate) async fn eligibility() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = Issuer::new();
    for (database, url) in databases(folder.path(), "eligibility") {
        create(&url, "eligibility").await;
        let mut population = Population::connect(&url).await;
        population.schedules().await;
        let people = population.people(1000, |_| RequestStatus::Approved).await;
        population.doses(&people).await;
        population.analyse().await;
        let server = Server::care4u(&url, folder.path());
        println!("\n# eligibility on {database}, {CONNECTIONS} connections, {ROUNDS} rounds");
        let token = issuer.token(people[500].user_id, Role::Patient);
        population.forget_doses(people[600]).await;
        let without = issuer.token(people[600].user_id, Role::Patient);
        let kind = |name: &str, request: String| Kind { name: name.to_owned(), request, status: 200 };
        let kinds = [
            kind("GET /users/me", get_request("/api/v1/users/me", Some(&token))),
            kind("eligibility, without doses", ask(&without, &population, "MMR").await),
            kind("eligibility, with 20 doses", ask(&token, &population, "MMR").await),
            kind("GET /immunizations, 20 doses", get_request("/api/v1/immunizations", Some(&token))),
        ];
        compare(&server, &kinds).await;
        println!("(eligibility: at most 2)");
    }
}

async fn ask(token: &str, population: &Population, vaccine: &str) -> String {
    let body = format!(r#"{{"vaccine_id":"{}"}}"#, population.vaccine_id(vaccine).await);
    post_as(token, "/api/v1/vaccine-requests/eligibility", &body)
}

/// A server, and requests of its people.
struct Clinic {
    server: Server,
    requests: Vec<(&'static str, String)>,
}

pub(crate) async fn sizes() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = Issuer::new();
    let small = databases(folder.path(), "doses_small");
    let large = databases(folder.path(), "doses_large");
    for ((database, small), (_, large)) in small.into_iter().zip(large) {
        create(&small, "doses_small").await;
        create(&large, "doses_large").await;
        let clinics = [
            Clinic::open(&small, folder.path(), &issuer, SMALL).await,
            Clinic::open(&large, folder.path(), &issuer, LARGE).await,
        ];
        println!("\n# {} and {} doses on {database}; medians, microseconds", SMALL * 20, LARGE * 20);
        println!("{:<40} {:>9} {:>9} {:>7}", "", "small", "large", "ratio");
        for (number, (name, _)) in clinics[0].requests.iter().enumerate() {
            let mut medians = [vec![], vec![]];
            // Alternating, so that a change in the speed of the machine affects both. The first round is a warm-up.
            for round in 0..=ROUNDS {
                for (clinic, medians) in clinics.iter().zip(&mut medians) {
                    let measured = clinic.median(number).await;
                    if round > 0 {
                        medians.push(measured);
                    }
                }
            }
            medians.iter_mut().for_each(|rounds| rounds.sort_by(f64::total_cmp));
            let [small, large] = medians.map(|rounds| rounds[ROUNDS / 2]);
            let verdict = if large / small > 1.5 { "  MORE THAN 1.5" } else { "" };
            println!("{name:<40} {small:>9.0} {large:>9.0} {:>7.2}{verdict}", large / small);
        }
        println!("(ratios: at most 1.5)");
    }
}

impl Clinic {
    async fn open(url: &str, folder: &Path, issuer: &Issuer, count: usize) -> Self {
        let mut population = Population::connect(url).await;
        population.schedules().await;
        let people = population.people(count, |_| RequestStatus::Approved).await;
        population.doses(&people).await;
        let day = Utc::now().date_naive() + Days::new(2);
        let centre = Self::day(&population, &people[count / 2..][..PER_DAY], day).await;
        population.analyse().await;
        let person = issuer.token(people[count / 3].user_id, Role::Patient);
        let admin = issuer.token(people[0].user_id, Role::Admin);
        let requests = vec![
            ("list of a day", get_request(&format!("/api/v1/centres/{centre}/day?date={day}"), Some(&admin))),
            ("record of a person", get_request("/api/v1/immunizations", Some(&person))),
            ("eligibility", ask(&person, &population, "MMR").await),
        ];
        Self { server: Server::care4u(url, folder), requests }
    }

    /// A centre to which people come on a day.
    async fn day(
        population: &Population,
        people: &[super::bookings::population::Person],
        day: chrono::NaiveDate,
    ) -> Uuid {
        let centre = population.centre().await;
        let start = day.and_hms_opt(8, 0, 0).expect("a time").and_utc();
        let slots = population.slots(centre, start, (4, 4), PER_DAY).await;
        population.book_all(people, &slots).await;
        centre
    }

    /// The median duration of a request, in microseconds.
    async fn median(&self, number: usize) -> f64 {
        let mut connection = Connection::open(self.server.port).await;
        let (name, request) = &self.requests[number];
        let mut latencies = Vec::with_capacity(TIMES);
        for _ in 0..TIMES {
            let sent = Instant::now();
            assert_eq!(connection.exchange(request).await, 200, "{name}: {}", connection.body());
            latencies.push(sent.elapsed().as_secs_f64() * 1e6);
        }
        latencies.sort_by(f64::total_cmp);
        latencies[TIMES / 2]
    }
}
