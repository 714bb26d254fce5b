//! Birthday calendar (iCalendar) and the feed with its secret URL.

use calcard::icalendar::{ICalendar, ICalendarComponentType, ICalendarProperty, ICalendarValue};
use chrono::{Days, Duration, NaiveDate};
use reqwest::Method;
use sea_orm::EntityTrait;
use serde_json::json;

use super::birthdays::{advance_clock_to, create_with_birthday, time};
use crate::BACKEND;
use crate::support::actor::Actor;
use crate::support::app::TestApp;

/// Parses a calendar. Returns the summaries and days of its events.
fn events(calendar: &str) -> Vec<(String, NaiveDate)> {
    for line in calendar.split_inclusive("\r\n") {
        assert!(line.ends_with("\r\n") && line.len() <= 77, "{line:?}");
    }
    let calendar = ICalendar::parse(calendar).expect("a calendar");
    let events = calendar.components.iter().filter(|part| part.component_type == ICalendarComponentType::VEvent);
    events
        .map(|event| {
            let value = |name: &ICalendarProperty| event.property(name).and_then(|entry| entry.values.first()).unwrap();
            let ICalendarValue::Text(summary) = value(&ICalendarProperty::Summary) else { panic!("no summary") };
            let date = |name| {
                let ICalendarValue::PartialDateTime(date) = value(name) else { panic!("no date") };
                assert!(date.hour.is_none(), "the whole day");
                let (year, month, day) = (date.year.unwrap(), date.month.unwrap(), date.day.unwrap());
                NaiveDate::from_ymd_opt(year.into(), month.into(), day.into()).unwrap()
            };
            let (start, end) = (date(&ICalendarProperty::Dtstart), date(&ICalendarProperty::Dtend));
            assert_eq!(start.checked_add_days(Days::new(1)), Some(end));
            assert!(
                event.property(&ICalendarProperty::Uid).is_some()
                    && event.property(&ICalendarProperty::Dtstamp).is_some()
            );
            (summary.clone(), start)
        })
        .collect()
}

#[tokio::test]
async fn the_calendar_has_the_same_birthdays_as_the_list() {
    let app = TestApp::start(BACKEND).await;
    advance_clock_to(&app, time("2099-02-27T12:00:00Z"));
    let ada = app.patient().await;
    create_with_birthday(&ada, "Leap", 2, 29, Some(2000)).await;
    create_with_birthday(&ada, "Comma, Semi; Back\\slash", 3, 1, None).await;
    create_with_birthday(&ada, &"Ünï".repeat(33), 2, 26, None).await;
    let response = ada.get("/contacts/birthdays.ics").await;
    assert_eq!(response.is(200).header("content-type"), "text/calendar; charset=utf-8");
    let date = |text: &str| text.parse::<NaiveDate>().unwrap();
    let comma = "Comma, Semi; Back\\slash King".to_owned();
    let long = format!("{} King", "Ünï".repeat(33));
    let of_year = |year: i32, leap: &str| {
        [
            (long.clone(), date(&format!("{year}-02-26"))),
            (format!("Leap King ({})", year - 2000), date(&format!("{year}-{leap}"))),
            (comma.clone(), date(&format!("{year}-03-01"))),
        ]
    };
    let mut all = events(&response.text);
    all.sort_by_key(|(name, day)| (*day, name != &long, name == &comma));
    // From more than a month back to the end of the year after the next one.
    assert_eq!(all, [of_year(2099, "02-28"), of_year(2100, "02-28"), of_year(2101, "02-28")].concat());
    let week = events(&ada.get("/contacts/birthdays.ics?days=7").await.text);
    assert_eq!(week, of_year(2099, "02-28"));
    let mar1 = ada.get("/contacts/birthdays.ics?days=7&leap=mar1").await;
    assert_eq!(events(&mar1.text)[1], ("Leap King (99)".to_owned(), date("2099-03-01")));
    for part in [
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n",
        "\r\nPRODID:",
        "\r\nDTSTART;VALUE=DATE:20990228\r\n",
        "END:VCALENDAR\r\n",
    ] {
        assert!(response.text.contains(part), "{part} in {}", response.text);
    }
    ada.get("/contacts/birthdays.ics?days=367").await.violates(&[("days", "range")]);
    app.get("/api/v1/contacts/birthdays.ics").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn the_feed_is_readable_with_its_secret_until_it_is_deleted() {
    let app = TestApp::start(BACKEND).await;
    let (ada, bob, admin) = (app.patient().await, app.patient().await, app.admin().await);
    create_with_birthday(&ada, "Byron", 5, 12, None).await;
    ada.get("/contacts/birthdays/feed").await.problem(404, "not-found");
    ada.delete("/contacts/birthdays/feed").await.problem(404, "not-found");
    let put = async |who: &Actor<'_>, status: u16| {
        let response = who.put_empty("/contacts/birthdays/feed").await;
        let feed = response.is(status).json();
        if status == 201 {
            assert_eq!(response.header("location"), "/api/v1/contacts/birthdays/feed");
        }
        assert_eq!(feed["url"], format!("{}{}", app.address, feed["path"].as_str().unwrap()));
        feed["path"].as_str().unwrap().to_owned()
    };
    let path = put(&ada, 201).await;
    let shown = events(&app.get(&path).await.is(200).text);
    assert!(shown.len() >= 2 && shown.iter().all(|(name, _)| name == "Byron King"), "{shown:?}");
    app.get(&format!("{path}&days=0&time_zone=UTC&leap=mar1")).await.is(200);
    // The secret is not valid as an access token, and is not stored in plain text.
    let secret = path.rsplit('=').next().unwrap();
    app.send(app.request(Method::GET, "/api/v1/contacts").bearer_auth(secret)).await.problem(401, "invalid-token");
    let stored = entity::calendar_feeds::Entity::find_by_id(ada.id).one(&app.state().db).await.unwrap().unwrap();
    assert!(!path.contains(&stored.secret_hash));
    ada.get("/contacts/birthdays/feed").await.ok();
    bob.get("/contacts/birthdays/feed").await.problem(404, "not-found");

    // A new secret replaces it.
    let other = put(&ada, 200).await;
    app.get(&path).await.problem(404, "not-found");
    app.get(&other).await.is(200);
    bob.put_empty("/contacts/birthdays/feed").await.is(201);
    bob.delete("/contacts/birthdays/feed").await.no_content();
    app.get(&other).await.is(200);
    ada.delete("/contacts/birthdays/feed").await.no_content();
    app.get(&other).await.problem(404, "not-found");
    for (wrong, status, kind) in
        [("", 404, "not-found"), ("x", 404, "not-found"), ("%00", 404, "not-found"), ("x&token=y", 422, "invalid")]
    {
        app.get(&format!("/api/v1/contacts/birthdays.ics?token={wrong}")).await.problem(status, kind);
    }
    // Calendar programs add their own parameters.
    let mine = put(&ada, 201).await;
    app.get(&format!("{mine}&utm_source=program&_=1700000000")).await.is(200);
    ada.get("/contacts/birthdays?utm_source=program").await.violates(&[("utm_source", "unknown")]);
    ada.delete("/contacts/birthdays/feed").await.no_content();
    // An access token does not make a wrong secret valid.
    ada.get("/contacts/birthdays.ics?token=x").await.problem(404, "not-found");

    let last = put(&ada, 201).await;
    admin.patch(&format!("/users/{}", ada.id), json!({ "disabled": true })).await.ok();
    app.get(&last).await.problem(404, "not-found");
}

#[tokio::test]
async fn unknown_parameters_are_ignored_by_the_calendar_and_422_elsewhere() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    create_with_birthday(&ada, "Byron", 5, 12, None).await;
    let calendar = ada.get("/contacts/birthdays.ics?utm_source=program&_=1&_=2&=&flag").await;
    assert!(events(&calendar.is(200).text).len() >= 2);
    // Known parameters are still validated.
    ada.get("/contacts/birthdays.ics?utm_source=program&days=x").await.violates(&[("days", "type")]);
    for path in ["/contacts", "/contacts/birthdays", "/contacts/export", "/contacts/imports"] {
        ada.get(&format!("{path}?utm_source=program")).await.violates(&[("utm_source", "unknown")]);
    }
    let file = "first_name,last_name\nByron,King\n";
    ada.upload("/contacts/imports?utm_source=program", "text/csv", file).await.violates(&[("utm_source", "unknown")]);
    // The old name of `time_zone`.
    ada.get("/contacts/birthdays?tz=UTC").await.violates(&[("tz", "unknown")]);
}

#[tokio::test]
async fn the_birthday_feed_is_a_singleton() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let path = "/contacts/birthdays/feed";
    app.send(app.request(Method::PUT, &format!("/api/v1{path}"))).await.problem(401, "unauthenticated");
    let created = ada.put_empty(path).await;
    assert_eq!(created.is(201).header("location"), format!("/api/v1{path}"));
    let replaced = ada.put_empty(path).await;
    assert!(replaced.is(200).headers.get("location").is_none(), "{replaced:?}");
    assert_ne!(created.json()["path"], replaced.json()["path"]);
    let refused = ada.post_empty(path).await;
    refused.problem(405, "method-not-allowed");
    assert_eq!(refused.header("allow"), "GET, HEAD, PUT, DELETE");
}

#[tokio::test]
async fn of_concurrent_requests_for_a_new_feed_one_creates_it() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    for _ in 0..8 {
        let requests = (0..6).map(|_| ada.put_empty("/contacts/birthdays/feed"));
        let responses = futures_util::future::join_all(requests).await;
        let mut statuses: Vec<_> = responses.iter().map(|response| response.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 200, 200, 200, 200, 201]);
        let mut valid = 0;
        for response in &responses {
            let path = response.json()["path"].as_str().unwrap().to_owned();
            valid += usize::from(app.get(&path).await.status == 200);
        }
        assert_eq!(valid, 1, "only the last secret is valid");
        ada.delete("/contacts/birthdays/feed").await.no_content();
    }
}

/// An event stays for more than a month after the day, whatever the time zone, and the next ones are there long before.
#[tokio::test]
async fn an_event_does_not_vanish_at_midnight() {
    let app = TestApp::start(BACKEND).await;
    advance_clock_to(&app, time("2099-05-12T09:00:00Z"));
    let ada = app.patient().await;
    create_with_birthday(&ada, "Byron", 5, 12, Some(2019)).await;
    create_with_birthday(&ada, "Eve", 12, 31, None).await;
    let mut seen = Vec::new();
    for day in 0..45 {
        let ada = ada.on_another_device().await;
        let shown = events(&ada.get("/contacts/birthdays.ics").await.is(200).text);
        let date = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert!(day > 31 || shown.contains(&("Byron King (80)".to_owned(), date("2099-05-12"))), "{day}: {shown:?}");
        for expected in ["2100-05-12", "2101-05-12"] {
            assert!(shown.iter().any(|(_, day)| *day == date(expected)), "{expected}: {shown:?}");
        }
        seen.push(shown);
        app.clock.advance(Duration::days(1));
    }
    seen.dedup();
    assert!(seen.len() <= 3, "the calendar changes at most once a month");
}

#[tokio::test]
async fn an_unchanged_calendar_is_not_sent_again() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    create_with_birthday(&ada, "Byron", 5, 12, None).await;
    let path = ada.put_empty("/contacts/birthdays/feed").await.is(201).json()["path"].as_str().unwrap().to_owned();
    let get = async |headers: &[(&str, &str)]| {
        let request = app.request(Method::GET, &path);
        app.send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
    };
    let first = get(&[]).await;
    let (tag, modified) = (first.is(200).header("etag").to_owned(), first.header("last-modified").to_owned());
    assert_eq!((first.header("cache-control"), first.header("vary")), ("private, no-cache", "Accept-Encoding"));
    app.clock.advance(Duration::minutes(5));
    let again = get(&[]).await;
    assert_eq!((&again.text, again.header("etag")), (&first.text, tag.as_str()));
    for (name, value) in
        [("if-none-match", tag.as_str()), ("if-none-match", "*"), ("if-modified-since", modified.as_str())]
    {
        let known = get(&[(name, value)]).await;
        assert_eq!((known.is(304).text.as_str(), known.header("etag")), ("", tag.as_str()), "{name}");
    }
    // The tag counts before the date.
    get(&[("if-none-match", "\"other\""), ("if-modified-since", &modified)]).await.is(200);
    get(&[("if-modified-since", "Mon, 01 Jan 2001 00:00:00 GMT")]).await.is(200);
    let packed = get(&[("accept-encoding", "gzip")]).await;
    assert_eq!(packed.is(200).header("content-encoding"), "gzip");
    // Every change of a contact changes the tag.
    app.clock.advance(Duration::minutes(5));
    create_with_birthday(&ada, "Anne", 9, 22, None).await;
    let changed = get(&[("if-none-match", &tag)]).await;
    assert_ne!(changed.is(200).header("etag"), tag);
    get(&[("if-modified-since", &modified)]).await.is(200);
    // Other parameters are other calendars.
    let other = ada.get("/contacts/birthdays.ics?leap=mar1").await;
    assert_ne!(other.is(200).header("etag"), changed.header("etag"));
}

#[tokio::test]
async fn an_empty_calendar_has_a_component() {
    let app = TestApp::start(BACKEND).await;
    let ada = app.patient().await;
    let calendar = ada.get("/contacts/birthdays.ics").await.is(200).text.clone();
    assert_eq!(events(&calendar), []);
    let parsed = ICalendar::parse(&calendar).unwrap();
    let zones = parsed.components.iter().filter(|part| part.component_type == ICalendarComponentType::VTimezone);
    assert_eq!(zones.count(), 1);
}
