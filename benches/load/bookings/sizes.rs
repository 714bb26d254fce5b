//! The same requests in a small database, and in one with a hundred times as many slots, requests and people.

use std::path::Path;
use std::time::Instant;

use chrono::{Days, Utc};
use entity::{RequestStatus, Role};
use uuid::Uuid;

use super::super::client::{self, Connection, post_as};
use super::super::server::{Server, create, databases};
use super::population::{Issuer, Person, Population};
use super::{book_path, slot_body};

/// Number of people and requests, and of slots.
const SMALL: (usize, usize) = (10_000, 1_000);
const LARGE: (usize, usize) = (1_000_000, 100_000);
/// Slots of a centre on one day, and number of days.
const PER_DAY: usize = 50;
const DAYS: usize = 20;
/// Number of rounds; each measures both databases.
const ROUNDS: usize = 5;
/// Requests of each kind in a round.
const TIMES: usize = 100;
/// The only person with this name.
const ADA: &str = "Ada Lovelace";

/// A server and what is in its database.
struct Clinic {
    server: Server,
    people: Vec<Person>,
    slots: Vec<Uuid>,
    paths: Vec<(&'static str, String)>,
    staff: Uuid,
}

pub(crate) async fn sizes() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = Issuer::new();
    let small = databases(folder.path(), "booking_small");
    let large = databases(folder.path(), "booking_large");
    for ((database, small), (_, large)) in small.into_iter().zip(large) {
        create(&small, "booking_small").await;
        create(&large, "booking_large").await;
        let clinics =
            [Clinic::open(&small, folder.path(), SMALL).await, Clinic::open(&large, folder.path(), LARGE).await];
        let names: Vec<_> = clinics[0].paths.iter().map(|(name, _)| *name).chain(["book"]).collect();
        let mut medians = [vec![], vec![]];
        // Alternating, so that a change in the speed of the machine affects both. The first round is a warm-up.
        for round in 0..=ROUNDS {
            for (clinic, medians) in clinics.iter().zip(&mut medians) {
                let measured = clinic.measure(&issuer, round).await;
                if round > 0 {
                    medians.push(measured);
                }
            }
        }
        println!(
            "\n# {} people and {} slots, and {} and {}, on {database}; medians, microseconds",
            SMALL.0, SMALL.1, LARGE.0, LARGE.1
        );
        println!("{:<40} {:>9} {:>9} {:>7}", "", "small", "large", "ratio");
        for (number, name) in names.into_iter().enumerate() {
            let [small, large] = [0, 1].map(|size| {
                let mut rounds: Vec<f64> = medians[size].iter().map(|round: &Vec<f64>| round[number]).collect();
                rounds.sort_by(f64::total_cmp);
                rounds[ROUNDS / 2]
            });
            let verdict = if large / small > 1.5 { "  MORE THAN 1.5" } else { "" };
            println!("{name:<40} {small:>9.0} {large:>9.0} {:>7.2}{verdict}", large / small);
        }
        println!("(ratios: at most 1.5)");
    }
}

impl Clinic {
    async fn open(url: &str, folder: &Path, (people, slots): (usize, usize)) -> Self {
        let mut population = Population::connect(url).await;
        // A page of pending requests, and people who can book.
        let status = |number: usize| match number % 4 {
            0 => RequestStatus::Approved,
            1 => RequestStatus::Pending,
            2 => RequestStatus::Cancelled,
            _ => RequestStatus::Rejected,
        };
        let people = population.people(people, status).await;
        population.rename(people[people.len() / 2], ADA).await;
        let midnight = (Utc::now().date_naive() + Days::new(1)).and_hms_opt(8, 0, 0).expect("a time").and_utc();
        let (mut all, mut centre) = (Vec::new(), Uuid::nil());
        while all.len() < slots {
            centre = population.centre().await;
            all.extend(population.slots(centre, midnight, (PER_DAY * DAYS, PER_DAY), 100).await);
        }
        population.analyse().await;
        let day = midnight.date_naive() + Days::new(3);
        let paths = vec![
            ("a day's slots of a centre", format!("/api/v1/centres/{centre}/slots?from={day}&days=1&limit=50")),
            ("pending requests", "/api/v1/vaccine-requests?status=pending".to_owned()),
            ("pending requests of a common name", "/api/v1/vaccine-requests?status=pending&q=smith".to_owned()),
            ("requests of one person", "/api/v1/vaccine-requests?q=lovelace".to_owned()),
            ("requests of nobody", "/api/v1/vaccine-requests?q=nobody".to_owned()),
            ("patients: one person", "/api/v1/patients?purpose=test&q=ada+love".to_owned()),
            ("patients: nobody", "/api/v1/patients?purpose=test&q=smith+nobody".to_owned()),
            ("accounts: one person", "/api/v1/users?q=lovelace".to_owned()),
            ("accounts: nobody", "/api/v1/users?q=nobody".to_owned()),
            ("requests by e-mail", "/api/v1/vaccine-requests?email=person4321%40example.net".to_owned()),
        ];
        let staff = people[0].user_id;
        Self { server: Server::care4u(url, folder), people, slots: all, paths, staff }
    }

    /// Returns the median of each kind of request, in microseconds.
    async fn measure(&self, issuer: &Issuer, round: usize) -> Vec<f64> {
        let token = issuer.token(self.staff, Role::Admin);
        let paths: Vec<String> = self.paths.iter().map(|(_, path)| path.clone()).collect();
        let mut medians = client::medians(self.server.port, &token, &paths, TIMES).await;
        medians.push(self.book(issuer, round).await);
        medians
    }

    async fn book(&self, issuer: &Issuer, round: usize) -> f64 {
        let mut connection = Connection::open(self.server.port).await;
        let mut latencies = Vec::new();
        // Every fourth has an approved request.
        let approved: Vec<_> = self.people.iter().step_by(4).collect();
        let step = approved.len() / (TIMES * (ROUNDS + 1));
        for number in 0..TIMES {
            let person = approved[(round * TIMES + number) * step];
            let slot = self.slots[fastrand::usize(..self.slots.len())];
            let token = issuer.token(person.user_id, Role::Patient);
            let request = post_as(&token, &book_path(person.request_id), &slot_body(slot));
            let sent = Instant::now();
            let status = connection.exchange(&request).await;
            latencies.push(sent.elapsed().as_secs_f64() * 1e6);
            assert_eq!(status, 200, "{}", connection.body());
        }
        latencies.sort_by(f64::total_cmp);
        latencies[TIMES / 2]
    }
}
