//! Open slots of a centre: what is listed, tags, and how old it may be.

use std::io::Read as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration as StdDuration, Instant};

use care4u::db::Db;
use care4u::domain::vaccination::availability::ListDays;
use care4u::domain::vaccination::availability::replies::{SlotFormat, SlotQuery};
use care4u::domain::vaccination::availability::search::{Found, SearchQuery};
use chrono::{Duration, NaiveDate};
use flate2::read::GzDecoder;
use futures_util::future::{join, join_all};
use reqwest::Method;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement};
use serde_json::{Value, json};
use tokio::sync::Notify;
use uuid::Uuid;

use super::clinic::{Clinic, book, end};
use crate::BACKEND;
use crate::support::app::TestApp;
use crate::support::response::TestResponse;

/// A connection that counts its statements, and can hold back the results of queries.
struct Watched {
    db: Db,
    statements: AtomicUsize,
    holds: bool,
    queried: Notify,
    released: Notify,
}

impl Watched {
    fn new(app: &TestApp, holds: bool) -> Self {
        let db = app.state().db.clone();
        Self { db, statements: AtomicUsize::new(0), holds, queried: Notify::new(), released: Notify::new() }
    }

    fn count(&self) -> usize {
        self.statements.load(Ordering::Relaxed)
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Watched {
    fn get_database_backend(&self) -> DbBackend {
        self.db.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.db.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.db.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.query_all_raw(statement).await?.into_iter().next())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        let rows = self.db.query_all_raw(statement).await;
        if self.holds {
            self.queried.notify_one();
            self.released.notified().await;
        }
        rows
    }
}

/// Writes each slot as its number of free places.
const FORMAT: SlotFormat = SlotFormat {
    slot: |slot, json| {
        json.extend((slot.slot.capacity - slot.slot.booked).to_string().bytes());
        Ok(())
    },
    cursor: |_| String::new(),
    page: |slots, _| slots.join(&b","[..]),
};

/// Writes each centre as a letter.
fn crosses(found: &[Found<'_>]) -> care4u::error::Result<Vec<u8>> {
    Ok(vec![b'x'; found.len()])
}

fn query_of(clinic: &Clinic<'_>, days: i64) -> SlotQuery {
    SlotQuery {
        centre_id: clinic.centre.parse().unwrap(),
        vaccine_id: None,
        from: None,
        days: ListDays::parse(days).unwrap(),
        limit: None,
        after: None,
    }
}

fn list_of(clinic: &Clinic<'_>, query: &str) -> String {
    format!("/api/v1/centres/{}/slots?{query}", clinic.centre)
}

pub async fn course_of(app: &TestApp, vaccine: &str) -> String {
    let vaccine = app.get(&format!("/api/v1/vaccines/{}", app.vaccine(vaccine).await)).await.ok();
    vaccine["course_id"].as_str().unwrap().to_owned()
}

fn ids(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|slot| slot["id"].as_str().unwrap()).collect()
}

fn header<'a>(response: &'a reqwest::Response, name: &str) -> &'a str {
    response.headers()[name].to_str().unwrap()
}

#[tokio::test]
async fn all_slots_of_the_days_are_listed_without_a_limit_and_pages_with_one() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let mut slots = Vec::new();
    for number in 0..25 {
        slots.push(clinic.slot(24 + 2 * number, 3).await);
    }
    let all = app.get(&list_of(&clinic, "days=10")).await.ok();
    assert_eq!((ids(&all), &all["next_cursor"]), (slots.iter().map(String::as_str).collect(), &Value::Null));
    // As the slot itself.
    assert_eq!(all["items"][0], app.get(&format!("/api/v1/slots/{}", slots[0])).await.ok());
    let (flu, mmr) = (app.vaccine("FLU").await, app.vaccine("MMR").await);
    assert_eq!(app.get(&list_of(&clinic, &format!("days=10&vaccine_id={flu}"))).await.ok(), all);
    assert_eq!(app.get(&list_of(&clinic, &format!("days=10&vaccine_id={mmr}"))).await.ok()["items"], json!([]));
    let (mut paged, mut query) = (Vec::new(), "days=10&limit=10".to_owned());
    loop {
        let page = app.get(&list_of(&clinic, &query)).await;
        paged.extend(ids(&page.ok()).into_iter().map(str::to_owned));
        let Some(cursor) = page.json()["next_cursor"].as_str().map(str::to_owned) else { break };
        query = format!("days=10&limit=10&cursor={cursor}");
        assert_eq!(page.header("link"), format!("<{}>; rel=\"next\"", list_of(&clinic, &query)));
    }
    assert_eq!(paged, slots);
    let head = app.send(app.request(Method::HEAD, &list_of(&clinic, "days=10"))).await;
    assert_eq!((head.is(200).text.as_str(), head.header("etag").is_empty()), ("", false));
    for _ in 0..2 {
        app.get(&format!("/api/v1/centres/{}/slots", Uuid::now_v7())).await.problem(404, "not-found");
    }
}

#[tokio::test]
async fn a_local_day_follows_the_clock_of_the_centre() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    // On this day the clocks of London go forward: it has 23 hours.
    let day = NaiveDate::from_ymd_opt(2027, 3, 28).unwrap();
    let midnight = day.and_hms_opt(0, 0, 0).unwrap().and_utc();
    let mut slots = Vec::new();
    for minutes in [-30, 0, 22 * 60 + 30, 23 * 60] {
        slots.push(clinic.slot_at(midnight + Duration::minutes(minutes), 1).await);
    }
    let listed = async |from: NaiveDate, days: u32| {
        let page = app.get(&list_of(&clinic, &format!("from={from}&days={days}"))).await.ok();
        ids(&page).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(listed(day, 1).await, slots[1..3]);
    assert_eq!(listed(day.pred_opt().unwrap(), 1).await, slots[..1]);
    assert_eq!(listed(day.pred_opt().unwrap(), 31).await, slots);
    assert_eq!(listed(day.succ_opt().unwrap(), 1).await, slots[3..]);
}

#[tokio::test]
async fn days_that_are_past_or_far_ahead_have_no_slots() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (near, far) = (clinic.slot(400 * 24 - 1, 1).await, clinic.slot(402 * 24, 1).await);
    let today = app.clock.now().date_naive();
    for (from, expected) in [
        (today + chrono::Days::new(395), vec![near.as_str()]),
        (today + chrono::Days::new(402), vec![]),
        (today - chrono::Days::new(60), vec![]),
        (NaiveDate::from_ymd_opt(1970, 1, 1).unwrap(), vec![]),
        (NaiveDate::from_ymd_opt(9999, 12, 31).unwrap(), vec![]),
    ] {
        for _ in 0..2 {
            let page = app.get(&list_of(&clinic, &format!("from={from}&days=31"))).await.ok();
            assert_eq!(ids(&page), expected, "{from}");
        }
    }
    // The slot itself can be read.
    assert_eq!(app.get(&format!("/api/v1/slots/{far}")).await.ok()["free"], 1);
}

#[tokio::test]
async fn equal_bodies_have_equal_tags_and_are_sent_once() {
    let app = TestApp::start(BACKEND).await;
    let other = app.another_instance().await;
    let clinic = Clinic::open(&app).await;
    for hours in 24..34 {
        clinic.slot(hours, 3).await;
    }
    let path = list_of(&clinic, "days=5");
    let plain = app.get(&path).await;
    let tag = plain.header("etag");
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag} is strong");
    assert_eq!((plain.header("cache-control"), plain.header("vary")), ("public, max-age=1", "Accept-Encoding"));
    let flu = app.vaccine("FLU").await;
    let same = app.get(&list_of(&clinic, &format!("days=6&vaccine_id={flu}"))).await;
    assert_eq!((&same.text, same.header("etag")), (&plain.text, tag));
    let elsewhere = other.get(&path).await;
    assert_eq!((&elsewhere.text, elsewhere.header("etag")), (&plain.text, tag));
    let fewer = app.get(&list_of(&clinic, "days=5&limit=3")).await;
    assert_ne!(fewer.header("etag"), tag);
    let known = app.send(app.request(Method::GET, &path).header("if-none-match", format!("\"x\", {tag}"))).await;
    assert_eq!((known.is(304).text.as_str(), known.header("etag")), ("", tag));
    assert_eq!((known.header("cache-control"), known.header("vary")), ("public, max-age=1", "Accept-Encoding"));
    app.send(app.request(Method::GET, &path).header("if-none-match", "\"x\"")).await.ok();
    // Compressed.
    let gzip = || app.request(Method::GET, &path).header("accept-encoding", "br, gzip");
    let compressed = gzip().send().await.unwrap();
    assert_eq!(header(&compressed, "content-encoding"), "gzip");
    let gzip_tag = header(&compressed, "etag").to_owned();
    assert_ne!(gzip_tag, tag);
    let bytes = compressed.bytes().await.unwrap();
    assert!(bytes.len() * 2 < plain.text.len());
    let mut decoded = String::new();
    GzDecoder::new(&bytes[..]).read_to_string(&mut decoded).unwrap();
    assert_eq!(decoded, plain.text);
    let known = gzip().header("if-none-match", &gzip_tag).send().await.unwrap();
    assert_eq!((known.status().as_u16(), header(&known, "etag")), (304, gzip_tag.as_str()));
    // The tag of the other encoding names other bytes.
    assert_eq!(gzip().header("if-none-match", tag).send().await.unwrap().status().as_u16(), 200);
}

#[tokio::test]
async fn a_read_after_a_booking_has_it() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let slot = clinic.slot(48, 2).await;
    let (ada, request) = clinic.approved().await;
    let search = format!("/api/v1/slots?course_id={}", course_of(&app, "FLU").await);
    let free = async || {
        let (list, found) = join(app.get(&list_of(&clinic, "")), app.get(&search)).await;
        (list.ok()["items"][0]["free"].clone(), found.ok()["items"][0]["free"].clone(), clinic.free(&slot).await)
    };
    for round in 0..100 {
        book(&ada, &request, &slot).await.ok();
        assert_eq!(free().await, (json!(1), json!(1), json!(1)), "{round}");
        end(&ada, &request, "unbook").await.ok();
        assert_eq!(free().await, (json!(2), json!(2), json!(2)), "{round}");
    }
    clinic.admin.patch(&format!("/slots/{slot}"), json!({ "capacity": 7 })).await.ok();
    assert_eq!(free().await, (json!(7), json!(7), json!(7)));
    clinic.admin.post_empty(&format!("/slots/{slot}/close")).await.ok();
    assert_eq!(free().await, (Value::Null, Value::Null, json!(0)));
    clinic.admin.post_empty(&format!("/slots/{slot}/reopen")).await.ok();
    assert_eq!(free().await, (json!(7), json!(7), json!(7)));
    clinic.recount().await;
}

#[tokio::test]
async fn another_instance_has_a_change_after_a_second() {
    let app = TestApp::start(BACKEND).await;
    let other = app.another_instance().await;
    let clinic = Clinic::open(&app).await;
    let slot = clinic.slot(48, 2).await;
    let (ada, request) = clinic.approved().await;
    let (list, course) = (list_of(&clinic, ""), course_of(&app, "FLU").await);
    let search = format!("/api/v1/slots?course_id={course}&near=0,0");
    for (action, free) in [("book", 1), ("unbook", 2)] {
        other.get(&list).await.ok();
        other.get(&search).await.ok();
        if action == "book" {
            book(&ada, &request, &slot).await.ok();
        } else {
            end(&ada, &request, action).await.ok();
        }
        tokio::time::sleep(StdDuration::from_millis(1001)).await;
        assert_eq!(other.get(&list).await.ok()["items"][0]["free"], free);
        assert_eq!(other.get(&search).await.ok()["items"][0]["free"], free);
    }
}

#[tokio::test]
async fn a_query_that_began_before_a_change_is_not_kept() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let slot = clinic.slot(48, 2).await;
    let (ada, request) = clinic.approved().await;
    let (vaccination, slow) = (&app.state().vaccination, Watched::new(&app, true));
    let query = query_of(&clinic, 7);
    let early = vaccination.availability.slots(&slow, &vaccination.clock, &query, FORMAT);
    let change = async {
        slow.queried.notified().await;
        book(&ada, &request, &slot).await.ok();
        slow.released.notify_one();
    };
    let (early, ()) = join(early, change).await;
    assert_eq!(early.unwrap().representation.plain().bytes, "2", "it was read before");
    let listed = app.get(&list_of(&clinic, "")).await.ok();
    assert_eq!(listed["items"][0]["free"], 1);
}

#[tokio::test]
async fn many_who_poll_a_centre_cause_one_statement_a_second() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    clinic.slot(48, 2).await;
    let (vaccination, db) = (&app.state().vaccination, Watched::new(&app, false));
    let queries = [query_of(&clinic, 7), query_of(&clinic, 31)];
    let begun = Instant::now();
    let poll = |number: usize| {
        let (query, db) = (&queries[number % 2], &db);
        async move {
            let mut reads = 0;
            while begun.elapsed() < StdDuration::from_millis(3500) {
                vaccination.availability.slots(db, &vaccination.clock, query, FORMAT).await.unwrap();
                reads += 1;
                tokio::time::sleep(StdDuration::from_millis(5)).await;
            }
            reads
        }
    };
    let reads: usize = join_all((0..32).map(poll)).await.into_iter().sum();
    let seconds = usize::try_from(begun.elapsed().as_secs()).unwrap();
    // One more, because the first two ask for different days before one of them has read.
    assert!(db.count() <= seconds + 2, "{} statements in {seconds} seconds", db.count());
    assert!(reads > 10 * db.count(), "{reads} reads");
    // The same for the search: three statements.
    let course_id = course_of(&app, "FLU").await.parse().unwrap();
    let search = SearchQuery { course_id, from: None, days: ListDays::parse(7).unwrap(), near: None, limit: 5 };
    let (before, begun) = (db.count(), Instant::now());
    let searches = (0..32).map(|_| {
        let (search, db) = (&search, &db);
        async move {
            let found = vaccination.availability.search(db, &vaccination.clock, search, crosses).await.unwrap();
            assert_eq!(found.representation.plain().bytes, "x");
        }
    });
    join_all(searches).await;
    let seconds = usize::try_from(begun.elapsed().as_secs()).unwrap();
    assert!(db.count() - before <= 3 * (seconds + 1), "{}", db.count() - before);
}

#[tokio::test]
async fn when_one_who_reads_goes_away_the_next_one_reads() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    clinic.slot(48, 2).await;
    let (vaccination, slow) = (&app.state().vaccination, Watched::new(&app, true));
    let query = query_of(&clinic, 7);
    let gone = vaccination.availability.slots(&slow, &vaccination.clock, &query, FORMAT);
    tokio::select! {
        _ = gone => panic!("it waits"),
        () = slow.queried.notified() => {}
    }
    let next = vaccination.availability.slots(&app.state().db, &vaccination.clock, &query, FORMAT).await.unwrap();
    assert_eq!(next.representation.plain().bytes, "2");
}

#[tokio::test]
async fn a_slot_that_begins_is_no_longer_there() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (soon, later) = (clinic.slot(1, 3).await, clinic.slot(3, 5).await);
    let search = format!("/api/v1/slots?course_id={}", course_of(&app, "FLU").await);
    let found = app.get(&search).await.ok();
    assert_eq!(ids(&app.get(&list_of(&clinic, "")).await.ok()), [soon.as_str(), later.as_str()]);
    assert_eq!((&found["items"][0]["free"], &found["items"][0]["next_slot"]["id"]), (&json!(8), &json!(soon)));
    app.clock.advance(Duration::minutes(61));
    let found = app.get(&search).await.ok();
    assert_eq!(ids(&app.get(&list_of(&clinic, "")).await.ok()), [later.as_str()]);
    assert_eq!((&found["items"][0]["free"], &found["items"][0]["next_slot"]["id"]), (&json!(5), &json!(later)));
}

#[tokio::test]
async fn a_centre_has_the_days_of_its_time_zone_after_it_changed() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let path = list_of(&clinic, "days=31");
    assert_eq!(app.get(&path).await.ok()["items"], json!([]));
    clinic.admin.patch(&format!("/centres/{}", clinic.centre), json!({ "time_zone": "Asia/Tokyo" })).await.ok();
    clinic.slot(48, 1).await;
    let listed = app.get(&path).await.ok();
    assert!(listed["items"][0]["local_start"].as_str().unwrap().ends_with("+09:00"), "{listed}");
}

#[tokio::test]
async fn reads_of_an_address_are_limited() {
    let limits = [
        ("CARE4U__THROTTLE__ENABLED", "true"),
        ("CARE4U__THROTTLE__AVAILABILITY_PER_MINUTE", "3"),
        ("CARE4U__SERVER__TRUSTED_PROXIES", "127.0.0.1"),
    ];
    let app = TestApp::start_with(BACKEND, &limits).await;
    let clinic = Clinic::open(&app).await;
    let search = format!("/api/v1/slots?course_id={}", course_of(&app, "FLU").await);
    let get = |path: String| app.send(app.request(Method::GET, &path).header("x-forwarded-for", "198.51.100.1"));
    get(list_of(&clinic, "")).await.ok();
    get(list_of(&clinic, "days=2")).await.ok();
    get(search.clone()).await.ok();
    for path in [list_of(&clinic, ""), search.clone()] {
        let refused: TestResponse = get(path).await;
        refused.problem(429, "too-many-requests");
        let wait: i64 = refused.header("retry-after").parse().unwrap();
        assert!((1..=20).contains(&wait), "{wait}");
        assert_eq!(refused.header("cache-control"), "no-store");
    }
    // Other reads, other addresses, and this machine.
    get("/api/v1/centres".to_owned()).await.ok();
    app.send(app.request(Method::GET, &search).header("x-forwarded-for", "198.51.100.2")).await.ok();
    for _ in 0..5 {
        app.get(&search).await.ok();
    }
}
