//! Query plans of the waitlist.

use care4u::domain::records::idempotency::Once;
use care4u::domain::values::caller::Caller;
use care4u::domain::values::client::Client;
use entity::Role;
use sea_orm::{ConnectionTrait, DbBackend};
use uuid::Uuid;

use super::{actor, add_slots, centre, no_response};
use crate::BACKEND;
use crate::support::app::TestApp;
use crate::support::explained::Explained;

#[tokio::test]
async fn the_waitlist_is_read_by_index() {
    use care4u::domain::vaccination::operation::Operation;
    use care4u::domain::vaccination::slots::{self, Capacity, SlotChanges};
    use care4u::domain::vaccination::waitlist::{self, Preferences};
    use care4u::domain::vaccination::{cancellations, offers};
    use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};

    let app = TestApp::start(BACKEND).await;
    let (centre, flu) = (centre(&app).await, app.vaccine("FLU").await);
    let slots = add_slots(&app, centre, flu, 2000).await;
    let full = "UPDATE slots SET capacity = 0";
    app.state().db.execute_unprepared(full).await.unwrap();
    let boss = app.admin().await;
    let mut people = Vec::new();
    for _ in 0..3 {
        let patient = app.patient().await;
        let request: Uuid = patient.ask_for("FLU").await.parse().unwrap();
        boss.post_empty(&format!("/vaccine-requests/{request}/approve")).await.ok();
        people.push((patient.id, request));
    }
    if app.state().db.get_database_backend() == DbBackend::Postgres {
        app.state().db.execute_unprepared("ANALYZE").await.unwrap();
    }
    let db = Explained::new(&app.state().db).await;
    let context = &app.state().vaccination;
    let caller = |id, role| Caller { actor: actor(id, role), client: Client::default() };
    let callers: Vec<_> = people.iter().map(|(id, _)| caller(*id, Role::Patient)).collect();
    let operations: Vec<_> = people
        .iter()
        .zip(&callers)
        .map(|((_, request_id), caller)| Operation { context, caller, request_id: *request_id })
        .collect();
    for (operation, centre_id) in operations.iter().zip([Some(centre), None, None]) {
        // A page of a line is merged from two: those for the centre, and those for any.
        db.allow_sorts(true);
        waitlist::wait(&db, *operation, Preferences { centre_id, ..Preferences::default() }).await.unwrap();
    }
    assert_eq!(waitlist::search_all(&db, context).await.unwrap(), 0);
    let changes = SlotChanges { capacity: Some(Capacity::parse(1).unwrap()), invited_only: None };
    slots::update(&db, context, &caller(boss.id, Role::Admin), slots[0], changes).await.unwrap();
    waitlist::decline(&db, operations[0]).await.unwrap();
    waitlist::accept(&db, operations[1], Once { key: None, render: no_response }).await.unwrap();
    let mails = entity::outbox::Entity::find().filter(entity::outbox::Column::ObjectId.eq(people[1].1));
    let mails = mails.all(&db).await.unwrap();
    // The offer, the booking and its reminder.
    assert_eq!(mails.len(), 3);
    for mail in &mails {
        care4u::domain::mail_messages::prepare(&db, &app.state().auth, mail).await.unwrap();
    }
    cancellations::cancel(&db, operations[1]).await.unwrap();
    app.clock.advance(chrono::Duration::hours(1));
    db.allow_sorts(false);
    assert_eq!(offers::end_expired(&db, context).await.unwrap(), 1);
    waitlist::end_past(&db, app.clock.now()).await.unwrap();
    assert!(db.count() > 60, "{}", db.count());
}
