//! Mails about bookings and offers: what they say, when they are sent, and when they are dropped.

use care4u::domain::values::time_zone::TimeZone;
use chrono::{DateTime, Duration, Utc};
use entity::{MailKind, outbox};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set, Unchanged};
use serde_json::json;

use super::clinic::{Clinic, act, add_centre, book, end};
use crate::BACKEND;
use crate::support::app::{PASSWORD, TestApp};
use crate::support::mailbox::Mail;
use crate::support::smtp::{Behaviour, Encryption, SmtpServer};

const BOOKED: &str = "Your vaccination is booked";
const MOVED: &str = "Your vaccination has been moved";
const CANCELLED: &str = "Your booking has been cancelled";
const CLOSED: &str = "The centre has closed your appointment";
const OFFER: &str = "A place for your vaccination is free";
const OFFER_OVER: &str = "The offer of a place has expired";
const REMINDER: &str = "Reminder of your vaccination";

/// An application that sends its mails to this server.
async fn start_with(server: &SmtpServer) -> TestApp {
    let port = server.port.to_string();
    let settings = [
        ("CARE4U__MAIL__TRANSPORT", "smtp"),
        ("CARE4U__MAIL__SMTP_TLS", "none"),
        ("CARE4U__MAIL__SMTP_PORT", port.as_str()),
    ];
    TestApp::start_with(BACKEND, &settings).await
}

/// Start of a slot.
async fn start_of(app: &TestApp, slot: &str) -> DateTime<Utc> {
    let slot = app.get(&format!("/api/v1/slots/{slot}")).await.ok();
    slot["starts_at"].as_str().unwrap().parse().unwrap()
}

/// The local time in a mail.
fn in_london(time: DateTime<Utc>) -> String {
    TimeZone::parse("Europe/London").unwrap().local(time).format("%A, %-d %B %Y, %H:%M").to_string()
}

/// A time in a calendar.
fn in_utc(time: DateTime<Utc>) -> String {
    time.format("%Y%m%dT%H%M%SZ").to_string()
}

fn contains(mail: &Mail, parts: &[&str]) {
    for part in parts {
        assert!(mail.text.contains(part), "no {part:?} in {}", mail.text);
    }
}

/// Unsent mails of a kind.
async fn unsent(app: &TestApp, kind: MailKind) -> Vec<outbox::Model> {
    outbox::Entity::find().filter(outbox::Column::Kind.eq(kind)).all(&app.state().db).await.unwrap()
}

/// Waits until the mails whose time has come are sent or dropped. `left` are stored for later.
async fn is_quiet(app: &TestApp, left: usize) {
    let quiet = async {
        while outbox::Entity::find().all(&app.state().db).await.unwrap().len() > left {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), quiet).await.expect("the mails leave in time");
}

#[tokio::test]
async fn a_booking_its_move_and_its_end_are_mailed_with_a_calendar() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (one, other) = (clinic.slot(48, 1).await, clinic.slot(72, 1).await);
    let (ada, request) = clinic.approved().await;
    let code = book(&ada, &request, &one).await.ok()["code"].as_str().unwrap().to_owned();
    let booked = app.mail.wait_for(&ada.email, 1).await;
    let starts_at = start_of(&app, &one).await;
    assert_eq!(booked.subject, BOOKED);
    contains(&booked, &["Hello Ada Lovelace,", "dose 1", "Town hall, 1 Market Square", "(Europe/London)"]);
    contains(&booked, &[&format!("When: {} – ", in_london(starts_at)), &format!("Code: {code}")]);
    assert!(!booked.text.contains("For:"), "{}", booked.text);
    let uid = format!("{request}@care4u");
    let event = |mail: &Mail| ["METHOD", "STATUS", "UID", "DTSTART"].map(|property| mail.property(property).to_owned());
    assert_eq!(event(&booked), ["PUBLISH", "CONFIRMED", uid.as_str(), in_utc(starts_at).as_str()]);
    assert!(booked.property("DESCRIPTION").contains(&code));

    act(&ada, &request, "move", &other).await.ok();
    let moved = app.mail.wait_for(&ada.email, 2).await;
    let starts_at = start_of(&app, &other).await;
    assert_eq!(moved.subject, MOVED);
    contains(&moved, &[&in_london(starts_at), &format!("Code: {code}")]);
    assert_eq!(event(&moved), ["PUBLISH", "CONFIRMED", uid.as_str(), in_utc(starts_at).as_str()]);

    end(&ada, &request, "unbook").await.ok();
    let cancelled = app.mail.wait_for(&ada.email, 3).await;
    assert_eq!(cancelled.subject, CANCELLED);
    contains(&cancelled, &[&in_london(starts_at), "The request is still approved"]);
    assert_eq!(event(&cancelled), ["CANCEL", "CANCELLED", uid.as_str(), in_utc(starts_at).as_str()]);
    let sequence = |mail: &Mail| mail.property("SEQUENCE").parse::<u32>().unwrap();
    assert!(sequence(&booked) < sequence(&moved) && sequence(&moved) < sequence(&cancelled));
}

#[tokio::test]
async fn the_time_in_a_mail_is_that_of_the_centre() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic { centre: String::new(), ..Clinic::open(&app).await };
    // Five hours and three quarters ahead of UTC, all year round.
    let clinic = Clinic { centre: add_centre(&clinic.admin, "Asia/Kathmandu").await, ..clinic };
    let start = DateTime::parse_from_rfc3339("2027-06-30T21:30:00Z").unwrap().to_utc();
    let slot = clinic.slot_at(start, 1).await;
    let (ada, request) = clinic.approved().await;
    book(&ada, &request, &slot).await.ok();
    let booked = app.mail.wait_for(&ada.email, 1).await;
    contains(&booked, &["When: Thursday, 1 July 2027, 03:15 – 03:45 (Asia/Kathmandu)"]);
    assert_eq!((booked.property("DTSTART"), booked.property("DTEND")), ("20270630T213000Z", "20270630T220000Z"));
}

#[tokio::test]
async fn a_booking_for_a_contact_names_the_patient() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let slot = clinic.slot(48, 1).await;
    let ada = app.patient().await;
    let contact =
        json!({ "first_name": "Byron", "last_name": "King", "birth_year": 1990, "birth_month": 5, "birth_day": 12 });
    let contact = ada.post("/contacts", contact).await.created();
    let body = json!({ "vaccine_id": app.vaccine("FLU").await, "contact_id": contact["id"] });
    let request = ada.post("/vaccine-requests", body).await.created()["id"].as_str().unwrap().to_owned();
    end(&clinic.admin, &request, "approve").await.ok();
    book(&clinic.admin, &request, &slot).await.ok();
    let mail = app.mail.wait_for(&ada.email, 1).await;
    contains(&mail, &["Hello Ada Lovelace,", "For: Byron King"]);
}

#[tokio::test]
async fn a_mail_about_what_is_no_longer_so_is_dropped() {
    let server = SmtpServer::start(Encryption::None).await;
    server.set(Behaviour::Closed);
    let app = start_with(&server).await;
    let clinic = Clinic::open(&app).await;
    let [one, other, last] = [clinic.slot(48, 1).await, clinic.slot(72, 1).await, clinic.slot(96, 1).await];
    let (ada, request) = clinic.approved().await;
    book(&ada, &request, &one).await.ok();
    end(&ada, &request, "unbook").await.ok();
    book(&ada, &request, &other).await.ok();
    act(&ada, &request, "move", &last).await.ok();
    server.set(Behaviour::Good);
    // The reminders of the three bookings stay.
    is_quiet(&app, 3).await;
    let subjects: Vec<_> = server.received().iter().map(|mail| Mail::read(&mail.message).subject).collect();
    assert_eq!(subjects, [MOVED]);
}

#[tokio::test]
async fn a_reminder_is_sent_once_and_to_the_current_address() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (slot, early) = (clinic.slot(72, 1).await, clinic.slot(48, 1).await);
    let (ada, request) = clinic.approved().await;
    // Two bookings of the same slot, and one of another slot, which is moved away.
    book(&ada, &request, &slot).await.ok();
    app.mail.wait_for(&ada.email, 1).await;
    act(&ada, &request, "move", &early).await.ok();
    app.mail.wait_for(&ada.email, 2).await;
    act(&ada, &request, "move", &slot).await.ok();
    app.mail.wait_for(&ada.email, 3).await;
    let reminders = unsent(&app, MailKind::Reminder).await;
    assert!(reminders.iter().all(|mail| mail.due_at == Some(mail.created_at) && mail.user_id.is_none()));
    assert_eq!(reminders.len(), 3);
    let new = "countess@example.org";
    let user = entity::users::ActiveModel { id: Unchanged(ada.id), email: Set(new.to_owned()), ..Default::default() };
    user.update(&app.state().db).await.unwrap();
    app.clock.advance(Duration::hours(47));
    // That of the other slot is dropped.
    is_quiet(&app, 2).await;
    app.clock.advance(Duration::hours(1) + Duration::seconds(1));
    is_quiet(&app, 0).await;
    let mail = app.mail.wait_for(new, 1).await;
    assert_eq!((mail.subject.as_str(), mail.property("METHOD")), (REMINDER, "PUBLISH"));
    assert_eq!(app.mail.to(&ada.email).len(), 3);
}

#[tokio::test]
async fn a_booking_at_the_last_minute_and_a_service_without_reminders_have_none() {
    for (hours, settings) in [(23, vec![]), (72, vec![("CARE4U__BOOKING__REMINDER_HOURS", "0")])] {
        let app = TestApp::start_with(BACKEND, &settings).await;
        let clinic = Clinic::open(&app).await;
        let slot = clinic.slot(hours, 1).await;
        let (ada, request) = clinic.approved().await;
        book(&ada, &request, &slot).await.ok();
        app.mail.wait_for(&ada.email, 1).await;
        is_quiet(&app, 0).await;
    }
}

#[tokio::test]
async fn a_closed_slot_is_mailed_with_its_reason() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let slot = clinic.slot(48, 2).await;
    let people = [clinic.approved().await, clinic.approved().await];
    for (person, request) in &people {
        book(person, request, &slot).await.ok();
        app.mail.wait_for(&person.email, 1).await;
    }
    let reason = json!({ "reason": "The fridge is broken" });
    clinic.admin.post(&format!("/slots/{slot}/close"), reason).await.ok();
    for (person, request) in &people {
        let mail = app.mail.wait_for(&person.email, 2).await;
        assert_eq!(mail.subject, CLOSED);
        contains(&mail, &["Reason: The fridge is broken", "You are first in line for the next free place."]);
        assert_eq!((mail.property("METHOD"), mail.property("UID")), ("CANCEL", format!("{request}@care4u").as_str()));
    }
}

#[tokio::test]
async fn an_offer_and_its_end_are_mailed() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let slot = clinic.slot(48, 1).await;
    let ((ada, first), (eve, second)) = (clinic.approved().await, clinic.approved().await);
    book(&ada, &first, &slot).await.ok();
    eve.post_empty(&format!("/vaccine-requests/{second}/wait")).await.is(201);
    end(&ada, &first, "cancel").await.ok();
    let offer = app.mail.wait_for(&eve.email, 1).await;
    assert_eq!((offer.subject.as_str(), offer.calendar.is_none()), (OFFER, true));
    let request = eve.get(&format!("/vaccine-requests/{second}")).await.ok();
    let until = request["waitlist"]["offer"]["expires_at"].as_str().unwrap().parse().unwrap();
    let until = format!("The place is held until {} (Europe/London)", in_london(until));
    contains(&offer, &[&until, "accept the offer in your account", &in_london(start_of(&app, &slot).await)]);
    app.clock.advance(Duration::minutes(31));
    let over = app.mail.wait_for(&eve.email, 2).await;
    assert_eq!((over.subject.as_str(), over.calendar.is_none()), (OFFER_OVER, true));
    contains(&over, &["join the waitlist again"]);
}

#[tokio::test]
async fn an_unverified_address_gets_neither_names_nor_codes() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let slot = clinic.slot(48, 1).await;
    let (ada, request) = clinic.approved().await;
    let user = entity::users::ActiveModel { id: Unchanged(ada.id), email_verified_at: Set(None), ..Default::default() };
    user.update(&app.state().db).await.unwrap();
    let code = book(&ada, &request, &slot).await.ok()["code"].as_str().unwrap().to_owned();
    let mail = app.mail.wait_for(&ada.email, 1).await;
    contains(&mail, &["Hello,", "The code to show at the centre is in your account.", "Town hall"]);
    for secret in ["Lovelace", code.as_str()] {
        assert!(!mail.text.contains(secret), "{}", mail.text);
        assert!(!mail.calendar.as_ref().unwrap().contains(secret), "{:?}", mail.calendar);
    }
}

#[tokio::test]
async fn mails_to_an_unverified_address_are_delayed_when_there_are_too_many() {
    let settings = [
        ("CARE4U__THROTTLE__ENABLED", "true"),
        ("CARE4U__THROTTLE__MAILS_PER_RECIPIENT", "2"),
        ("CARE4U__THROTTLE__FIRST_WAIT_SECONDS", "900"),
    ];
    let app = TestApp::start_with(BACKEND, &settings).await;
    let clinic = Clinic::open(&app).await;
    let slot = clinic.slot(23, 1).await;
    let (ada, request) = clinic.approved().await;
    let user = entity::users::ActiveModel { id: Unchanged(ada.id), email_verified_at: Set(None), ..Default::default() };
    user.update(&app.state().db).await.unwrap();
    book(&clinic.admin, &request, &slot).await.ok();
    app.mail.wait_for(&ada.email, 1).await;
    end(&clinic.admin, &request, "unbook").await.ok();
    app.mail.wait_for(&ada.email, 2).await;
    book(&clinic.admin, &request, &slot).await.ok();
    let delayed = async {
        loop {
            if let [mail] = &unsent(&app, MailKind::Booked).await[..]
                && mail.attempts == 0
                && mail.due_at > Some(app.clock.now())
            {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), delayed).await.expect("the mail is delayed in time");
    assert_eq!(app.mail.to(&ada.email).len(), 2);
}

#[tokio::test]
async fn a_disabled_account_gets_no_mails_and_an_erased_one_leaves_none() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let slot = clinic.slot(48, 2).await;
    let (ada, first) = clinic.approved().await;
    let (eve, second) = clinic.approved().await;
    let user = entity::users::ActiveModel {
        id: Unchanged(ada.id),
        disabled_at: Set(Some(app.clock.now())),
        ..Default::default()
    };
    user.update(&app.state().db).await.unwrap();
    book(&clinic.admin, &first, &slot).await.ok();
    // The reminder stays until it is due.
    is_quiet(&app, 1).await;
    assert!(app.mail.to(&ada.email).is_empty());
    book(&eve, &second, &slot).await.ok();
    app.mail.wait_for(&eve.email, 1).await;
    is_quiet(&app, 2).await;
    let erased = eve.post("/users/me/deletion", json!({ "password": PASSWORD })).await.ok();
    assert_eq!(erased["erased"]["mails"], 1);
    let reminders = unsent(&app, MailKind::Reminder).await;
    assert!(reminders.len() == 1 && reminders[0].recipient == ada.email);
}

#[tokio::test]
async fn an_attempt_that_fails_is_not_mailed() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let (full, other) = (clinic.slot(48, 1).await, clinic.slot(50, 1).await);
    let [(ada, of_ada), (byron, of_byron)] = [clinic.approved().await, clinic.approved().await];
    book(&ada, &of_ada, &full).await.ok();
    book(&byron, &of_byron, &other).await.ok();
    app.mail.wait_for(&ada.email, 1).await;
    app.mail.wait_for(&byron.email, 1).await;
    is_quiet(&app, 2).await;
    act(&byron, &of_byron, "move", &full).await.problem(409, "slot-full");
    let (carl, of_carl) = clinic.approved().await;
    book(&carl, &of_carl, &full).await.problem(409, "slot-full");
    end(&carl, &of_carl, "offer/accept").await.problem(409, "offer-over");
    end(&carl, &of_carl, "unbook").await.problem(409, "request-status");
    // Only the two reminders are left, and nothing was sent.
    is_quiet(&app, 2).await;
    assert_eq!((app.mail.to(&byron.email).len(), app.mail.to(&carl.email).len()), (1, 0));
}

#[tokio::test]
async fn an_offer_in_a_slot_that_is_closed_ends_with_a_mail() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let slot = clinic.slot(48, 1).await;
    let [(ada, of_ada), (byron, of_byron)] = [clinic.approved().await, clinic.approved().await];
    book(&ada, &of_ada, &slot).await.ok();
    end(&byron, &of_byron, "wait").await.is(201);
    end(&ada, &of_ada, "cancel").await.ok();
    app.mail.wait_for(&byron.email, 1).await;
    clinic.admin.post_empty(&format!("/slots/{slot}/close")).await.ok();
    let mail = app.mail.wait_for(&byron.email, 2).await;
    contains(&mail, &["The centre has closed the slot that was offered", "first in line for the next free place"]);
}

#[tokio::test]
async fn a_stranger_with_a_former_address_sees_no_mails_and_deletes_none() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let slot = clinic.slot(48, 1).await;
    let (ada, request) = clinic.approved().await;
    book(&ada, &request, &slot).await.ok();
    app.mail.wait_for(&ada.email, 1).await;
    is_quiet(&app, 1).await;
    let own = ada.get("/users/me/export").await.ok();
    assert_eq!((own["mails"].as_array().unwrap().len(), &own["mails"][0]["kind"]), (1, &json!("reminder")));
    // The address goes to somebody else, while the reminder waits.
    let renamed = entity::users::ActiveModel {
        id: Unchanged(ada.id),
        email: Set("ada.king@example.org".to_owned()),
        ..Default::default()
    };
    renamed.update(&app.state().db).await.unwrap();
    let stranger = app.account(&ada.email, entity::Role::Patient).await.unwrap();
    let stranger = crate::support::actor::Actor::log_in(&app, stranger.id, ada.email.clone()).await;
    is_quiet(&app, 1).await;
    assert_eq!(stranger.get("/users/me/export").await.ok()["mails"], json!([]));
    stranger.post("/users/me/deletion", json!({ "password": PASSWORD })).await.ok();
    assert_eq!(unsent(&app, MailKind::Reminder).await.len(), 1);
    ada.post("/users/me/deletion", json!({ "password": PASSWORD })).await.ok();
    assert_eq!(unsent(&app, MailKind::Reminder).await.len(), 0);
}
