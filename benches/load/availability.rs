//! Reads of free slots: server CPU compared with a liveness check, reads after bookings, and statements while many poll.

use std::time::{Duration, Instant};

use chrono::{Days, Utc};
use entity::{RequestStatus, Role};
use futures_util::future::join_all;
use serde_json::Value;

use super::bookings::{Issuer, Population, book_path, slot_body};
use super::client::{self, Connection, post_as};
use super::costs::{CONNECTIONS, Kind, ROUNDS, compare};
use super::server::{Server, create, databases};

/// Slots of a day.
const SLOTS: usize = 40;
/// Days with slots.
const DAYS: usize = 31;
/// Bookings, each followed by a read.
const BOOKINGS: usize = 1000;
/// Bookings that are read on another instance.
const ELSEWHERE: usize = 20;
/// Connections that poll one centre.
const POLLING: usize = 32;

pub(crate) async fn availability() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = Issuer::new();
    for (database, url) in databases(folder.path(), "availability") {
        create(&url, "availability").await;
        let mut population = Population::connect(&url).await;
        let centre = population.centre().await;
        let day = Utc::now().date_naive() + Days::new(2);
        let start = day.and_hms_opt(8, 0, 0).expect("a time").and_utc();
        let slots = population.slots(centre, start, (SLOTS * DAYS, SLOTS), 1000).await;
        let people = population.people(BOOKINGS + ELSEWHERE, |_| RequestStatus::Approved).await;
        population.analyse().await;
        let server = Server::care4u(&url, folder.path());
        println!("\n# reads of free slots on {database}, {CONNECTIONS} connections, {ROUNDS} rounds");
        let path = format!("/api/v1/centres/{centre}/slots?from={day}&days=1");
        costs(&server, &path, &format!("/api/v1/centres/{centre}/slots?from={day}&days={DAYS}")).await;

        let mut connection = Connection::open(server.port).await;
        let mut free = 1000;
        for person in &people[..BOOKINGS] {
            book(&mut connection, &issuer.token(person.user_id, Role::Patient), person.request_id, slots[0]).await;
            free -= 1;
            assert_eq!(first_free(&mut connection, &path).await, free, "the list after a booking");
        }
        println!("{BOOKINGS} bookings, each followed by a read on the same instance: none stale");

        let other = Server::care4u(&url, folder.path());
        let mut elsewhere = Connection::open(other.port).await;
        let mut longest = Duration::ZERO;
        for person in &people[BOOKINGS..] {
            let path = path_of(centre, day, 1);
            let expected = first_free(&mut elsewhere, &path).await - 1;
            let token = issuer.token(person.user_id, Role::Patient);
            book(&mut connection, &token, person.request_id, slots[SLOTS]).await;
            let booked = Instant::now();
            while first_free(&mut elsewhere, &path).await != expected {}
            longest = longest.max(booked.elapsed());
        }
        println!("{ELSEWHERE} bookings, read on another instance: after {} ms at most", longest.as_millis());
        drop(other);
        if database == "PostgreSQL" {
            poll(&server, &url, &path).await;
        }
    }
}

/// The list of one day, some days after the first one.
fn path_of(centre: uuid::Uuid, first: chrono::NaiveDate, days: u64) -> String {
    format!("/api/v1/centres/{centre}/slots?from={}&days=1", first + Days::new(days))
}

/// Server CPU of each kind of request, and its ratio to that of a liveness check.
async fn costs(server: &Server, day: &str, month: &str) {
    let mut connection = Connection::open(server.port).await;
    assert_eq!(connection.exchange(&client::get_request(day, None)).await, 200);
    let (bytes, tag) = (connection.body().len(), connection.header("etag"));
    assert_eq!(connection.exchange(&client::get_request(month, None)).await, 200);
    let month_bytes = connection.body().len();
    let get = |path: &str, headers: &str| format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
    let kind = |name: String, path: &str, headers: String, status| Kind { name, request: get(path, &headers), status };
    let kinds = [
        kind("GET /health/live".to_owned(), "/health/live", String::new(), 200),
        kind(format!("one day of {SLOTS} slots, {bytes} bytes"), day, String::new(), 200),
        kind("one day, 304".to_owned(), day, format!("if-none-match: {tag}\r\n"), 304),
        kind("one day, gzip".to_owned(), day, "accept-encoding: gzip\r\n".to_owned(), 200),
        kind(format!("{DAYS} days, {month_bytes} bytes"), month, String::new(), 200),
    ];
    compare(server, &kinds).await;
    println!("(one day: at most 1.5; 304: not above 200)");
}

async fn book(connection: &mut Connection, token: &str, request_id: uuid::Uuid, slot_id: uuid::Uuid) {
    let request = post_as(token, &book_path(request_id), &slot_body(slot_id));
    assert_eq!(connection.exchange(&request).await, 200, "{}", connection.body());
}

/// Free places of the first slot of a list.
async fn first_free(connection: &mut Connection, path: &str) -> i64 {
    assert_eq!(connection.exchange(&client::get_request(path, None)).await, 200);
    let list: Value = serde_json::from_str(connection.body()).expect("JSON");
    list["items"][0]["free"].as_i64().expect("a number")
}

/// Statements that read slots while many poll one centre, by the scans of their index.
async fn poll(server: &Server, url: &str, path: &str) {
    const SCANS: &str =
        "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'slots_centre_id_starts_at_id_idx'";
    let (database, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("a connection");
    tokio::spawn(connection);
    let scans = async || -> i64 {
        // A backend reports its numbers after a second without a transaction at the latest.
        tokio::time::sleep(Duration::from_secs(3)).await;
        database.batch_execute("SELECT pg_stat_clear_snapshot()").await.expect("the database responds");
        database.query_one(SCANS, &[]).await.expect("the database responds").get(0)
    };
    let before = scans().await;
    let started = Instant::now();
    let request = client::get_request(path, None);
    let clients = (0..POLLING).map(|_| async {
        let mut connection = Connection::open(server.port).await;
        let mut count = 0_u32;
        while started.elapsed() < Duration::from_secs(10) {
            assert_eq!(connection.exchange(&request).await, 200);
            count += 1;
        }
        count
    });
    let count: u32 = join_all(clients).await.iter().sum();
    println!("{POLLING} connections, 10 s: {count} reads, {} statements (at most 11)", scans().await - before);
}
