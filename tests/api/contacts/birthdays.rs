//! Upcoming birthdays.

use chrono::{DateTime, Datelike, Duration, NaiveDate, Utc};
use entity::contacts;
use sea_orm::{EntityTrait, Set};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::BACKEND;
use crate::support::actor::Actor;
use crate::support::app::TestApp;

pub(super) async fn create_with_birthday(owner: &Actor<'_>, name: &str, month: u32, day: u32, year: Option<i32>) {
    let body =
        json!({ "first_name": name, "last_name": "King", "birth_month": month, "birth_day": day, "birth_year": year });
    owner.post("/contacts", body).await.created();
}

/// Advances the clock of the application to a later time.
pub(super) fn advance_clock_to(app: &TestApp, to: DateTime<Utc>) {
    let by = to - app.clock.now();
    assert!(by > Duration::zero(), "the clock can only be advanced");
    app.clock.advance(by);
}

pub(super) fn time(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

/// Returns the items of all pages of a list.
async fn upcoming(owner: &Actor<'_>, query: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = owner.get(&format!("/contacts/birthdays?limit=2{query}{cursor}")).await.ok();
        items.extend(page["items"].as_array().expect("a list has items").iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

/// Returns names and next birthdays.
async fn days(owner: &Actor<'_>, query: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let items = upcoming(owner, query).await;
    items.iter().map(|item| (text(&item["first_name"]), text(&item["next_birthday"]))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, day)| ((*name).to_owned(), (*day).to_owned())).collect()
}

#[tokio::test]
async fn birthdays_are_listed_soonest_first_across_the_end_of_the_year() {
    let app = TestApp::start(BACKEND).await;
    advance_clock_to(&app, time("2098-12-29T12:00:00Z"));
    let (ada, bob) = (app.patient().await, app.patient().await);
    for (name, month, day, year) in [
        ("NewYear", 1, 1, Some(2000)),
        ("Today", 12, 29, Some(1998)),
        ("Yesterday", 12, 28, None),
        ("Eve", 12, 31, None),
        ("Fifth", 1, 5, None),
        ("Sixth", 1, 6, None),
    ] {
        create_with_birthday(&ada, name, month, day, year).await;
    }
    create_with_birthday(&bob, "Stranger", 12, 30, None).await;
    ada.post("/contacts", json!({ "first_name": "Ageless", "last_name": "King" })).await.created();
    let week = upcoming(&ada, "").await;
    let seen: Vec<_> =
        week.iter().map(|item| (item["first_name"].as_str().unwrap(), item["in_days"].as_i64().unwrap())).collect();
    assert_eq!(seen, [("Today", 0), ("Eve", 2), ("NewYear", 3), ("Fifth", 7)]);
    assert_eq!((&week[0]["turns"], &week[2]["turns"]), (&json!(100), &json!(99)));
    assert!(week[1].get("turns").is_none(), "{}", week[1]);
    assert_eq!((&week[2]["next_birthday"], &week[2]["birth_day"]), (&json!("2099-01-01"), &json!(1)));
    assert_eq!(days(&ada, "&days=0").await, pairs(&[("Today", "2098-12-29")]));
    let all = days(&ada, "&days=366").await;
    assert_eq!((all.len(), all.last().unwrap()), (6, &("Yesterday".to_owned(), "2099-12-28".to_owned())));
    assert_eq!(days(&ada, "&days=364").await, all);
    assert_eq!(days(&ada, "&days=363").await.len(), 5);
    for (query, field, code) in [
        ("days=367", "days", "range"),
        ("time_zone=Mars", "time_zone", "time_zone"),
        ("time_zone=Europe%2FBerlin%00", "time_zone", "time_zone"),
        ("limit=0", "limit", "range"),
    ] {
        ada.get(&format!("/contacts/birthdays?{query}")).await.violates(&[(field, code)]);
    }
    for (query, field, code) in [
        ("days=-1", "days", "range"),
        ("days=x", "days", "type"),
        ("leap=mar2", "leap", "type"),
        ("day=7", "day", "unknown"),
    ] {
        ada.get(&format!("/contacts/birthdays?{query}")).await.violates(&[(field, code)]);
    }
    app.get("/api/v1/contacts/birthdays").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_leap_day_birthday_is_listed_in_common_years() {
    let app = TestApp::start(BACKEND).await;
    advance_clock_to(&app, time("2099-02-27T12:00:00Z"));
    let ada = app.patient().await;
    create_with_birthday(&ada, "Leap", 2, 29, Some(2000)).await;
    create_with_birthday(&ada, "March", 3, 1, None).await;
    create_with_birthday(&ada, "February", 2, 28, None).await;
    let feb28 = [("February", "2099-02-28"), ("Leap", "2099-02-28"), ("March", "2099-03-01")];
    assert_eq!(days(&ada, "").await, pairs(&feb28));
    assert_eq!(days(&ada, "&days=1").await, pairs(&feb28[..2]));
    let mar1 = [("February", "2099-02-28"), ("Leap", "2099-03-01"), ("March", "2099-03-01")];
    assert_eq!(days(&ada, "&leap=mar1").await, pairs(&mar1));
    assert_eq!(days(&ada, "&leap=mar1&days=1").await, pairs(&mar1[..1]));
    advance_clock_to(&app, time("2099-03-01T12:00:00Z"));
    let ada = ada.on_another_device().await;
    assert_eq!(days(&ada, "&days=0&leap=mar1").await, pairs(&mar1[1..]));
    assert_eq!(days(&ada, "&days=0").await, pairs(&feb28[2..]));
    // The next leap year after 2096 is 2104; 2100 is not a leap year.
    advance_clock_to(&app, time("2104-02-28T12:00:00Z"));
    let ada = ada.on_another_device().await;
    let leap = [("February", "2104-02-28"), ("Leap", "2104-02-29"), ("March", "2104-03-01")];
    assert_eq!(days(&ada, "").await, pairs(&leap));
    assert_eq!(days(&ada, "&leap=mar1").await, pairs(&leap));
    // It is stored as 29 February.
    assert_eq!(upcoming(&ada, "").await[1]["birth_day"], 29);
}

#[tokio::test]
async fn the_current_date_depends_on_the_time_zone_of_the_user_or_the_query() {
    let app = TestApp::start(BACKEND).await;
    advance_clock_to(&app, time("2098-06-30T23:30:00Z"));
    let ada = app.patient().await;
    create_with_birthday(&ada, "June", 6, 30, None).await;
    create_with_birthday(&ada, "July", 7, 1, None).await;
    assert_eq!(days(&ada, "&days=0").await, pairs(&[("June", "2098-06-30")]));
    assert_eq!(days(&ada, "&days=0&time_zone=Europe/Berlin").await, pairs(&[("July", "2098-07-01")]));
    ada.patch("/users/me", json!({ "time_zone": "Nowhere/Land" })).await.violates(&[("time_zone", "time_zone")]);
    let me = ada.patch("/users/me", json!({ "time_zone": "Asia/Tokyo" })).await.ok();
    assert_eq!(me["time_zone"], "Asia/Tokyo");
    assert_eq!(days(&ada, "&days=0").await, pairs(&[("July", "2098-07-01")]));
    assert_eq!(days(&ada, "&days=0&time_zone=America/New_York").await, pairs(&[("June", "2098-06-30")]));
    assert_eq!(days(&ada, "&days=0&time_zone=UTC").await, pairs(&[("June", "2098-06-30")]));
    ada.patch("/users/me", json!({ "time_zone": null })).await.ok();
    assert_eq!(days(&ada, "&days=0").await, pairs(&[("June", "2098-06-30")]));
}

/// A page that is requested after midnight continues the list of the day before.
#[tokio::test]
async fn midnight_between_two_pages_skips_no_contact() {
    let app = TestApp::start(BACKEND).await;
    advance_clock_to(&app, time("2098-12-30T23:59:00Z"));
    let ada = app.patient().await;
    for (name, month, day) in [("A", 12, 30), ("B", 12, 30), ("C", 12, 30), ("D", 1, 2)] {
        create_with_birthday(&ada, name, month, day, None).await;
    }
    let page = ada.get("/contacts/birthdays?limit=2").await.ok();
    advance_clock_to(&app, time("2098-12-31T00:05:00Z"));
    let path = format!("/contacts/birthdays?limit=2&cursor={}", page["next_cursor"].as_str().unwrap());
    let rest = ada.get(&path).await.ok();
    let seen: Vec<_> =
        rest["items"].as_array().unwrap().iter().map(|item| (&item["first_name"], &item["in_days"])).collect();
    assert_eq!(seen, [(&json!("C"), &json!(0)), (&json!("D"), &json!(3))]);
}

/// One contact for each day of a leap year, listed on the days around the leap day.
#[tokio::test]
async fn the_list_has_the_dates_of_a_calendar() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let leap_year = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap();
    let now = app.clock.now();
    let rows = leap_year.iter_days().take(366).map(|date| contacts::ActiveModel {
        id: Set(Uuid::now_v7()),
        user_id: Set(ada.id),
        first_name: Set(Some(date.format("%m-%d").to_string())),
        last_name: Set(Some("King".into())),
        first_folded: Set("x".into()),
        sort_folded: Set("king".into()),
        search_folded: Set("\n".into()),
        change_number: Set(0),
        birth_month: Set(i16::try_from(date.month()).ok()),
        birth_day: Set(i16::try_from(date.day()).ok()),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    });
    contacts::Entity::insert_many(rows).exec_without_returning(&app.state().db).await.unwrap();
    for (today, days) in [
        ("2099-02-27", 3),
        ("2099-02-28", 0),
        ("2099-02-28", 1),
        ("2099-03-01", 0),
        ("2099-03-01", 364),
        ("2099-12-31", 59),
        ("2100-03-01", 365),
        ("2103-03-01", 365),
        ("2103-03-01", 366),
        ("2104-02-29", 1),
        ("2104-02-29", 366),
        ("2104-03-01", 364),
        ("2104-12-31", 366),
    ] {
        let today: NaiveDate = today.parse().unwrap();
        if app.clock.now().date_naive() != today {
            advance_clock_to(&app, today.and_hms_opt(12, 0, 0).unwrap().and_utc());
        }
        let ada = ada.on_another_device().await;
        for (leap, stands_in) in [("feb28", (2, 28)), ("mar1", (3, 1))] {
            let mut shown = Vec::new();
            for date in today.iter_days().take(days + 1) {
                let is_leap = leap_year_of(date);
                let mut birthdays = vec![format!("{:02}-{:02}", date.month(), date.day())];
                if !is_leap && (date.month(), date.day()) == stands_in {
                    birthdays.push("02-29".to_owned());
                    birthdays.sort();
                }
                let date = date.to_string();
                for name in birthdays {
                    if !shown.iter().any(|(known, _)| *known == name) {
                        shown.push((name, date.clone()));
                    }
                }
            }
            let mut listed = Vec::new();
            let mut cursor = String::new();
            loop {
                let path = format!("/contacts/birthdays?limit=100&days={days}&leap={leap}{cursor}");
                let page = ada.get(&path).await.ok();
                for item in page["items"].as_array().unwrap() {
                    let name = item["first_name"].as_str().unwrap().to_owned();
                    let day = item["next_birthday"].as_str().unwrap().to_owned();
                    let in_days = day.parse::<NaiveDate>().unwrap().signed_duration_since(today).num_days();
                    assert_eq!(item["in_days"], in_days);
                    listed.push((name, day));
                }
                let Some(next) = page["next_cursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            assert_eq!(listed, shown, "{days} days from {today}, {leap}");
        }
    }
}

fn leap_year_of(date: NaiveDate) -> bool {
    NaiveDate::from_ymd_opt(date.year(), 2, 29).is_some()
}
