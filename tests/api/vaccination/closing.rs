//! Closing slots and days, opening them again, and what happens if the process stops meanwhile.

use care4u::domain::vaccination::closing;
use chrono::{Duration, NaiveDate};
use sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _, Set};
use serde_json::{Value, json};
use uuid::Uuid;

use super::clinic::{Clinic, book};
use crate::BACKEND;
use crate::support::app::TestApp;

#[tokio::test]
async fn a_closed_slot_puts_its_bookings_back_and_can_be_opened_again() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let slot = clinic.slot(48, 3).await;
    let people = [clinic.approved().await, clinic.approved().await];
    for (patient, request) in &people {
        book(patient, request, &slot).await.ok();
    }
    let path = format!("/slots/{slot}");
    clinic.admin.patch(&path, json!({ "capacity": 1 })).await.problem(409, "capacity-below-booked");
    assert_eq!(clinic.admin.patch(&path, json!({ "capacity": 2 })).await.ok()["free"], 0);
    let closed = clinic.admin.post(&format!("{path}/close"), json!({ "reason": "No vaccine" })).await.ok();
    assert_eq!((&closed["free"], &closed["closed_reason"]), (&json!(0), &json!("No vaccine")));
    for (patient, request) in &people {
        let request = patient.get(&format!("/vaccine-requests/{request}")).await.ok();
        assert_eq!((&request["status"], &request["slot"]), (&json!("approved"), &Value::Null));
    }
    clinic.admin.post_empty(&format!("{path}/close")).await.ok();
    book(&people[0].0, &people[0].1, &slot).await.problem(409, "slot-closed");
    // Those who lost their places are first in line for them.
    assert_eq!(clinic.admin.post_empty(&format!("{path}/reopen")).await.ok()["free"], 0);
    book(&people[0].0, &people[0].1, &slot).await.ok();
    let date = closed["local_start"].as_str().unwrap().split('T').next().unwrap();
    let day = format!("/centres/{}/close-day", clinic.centre);
    assert_eq!(clinic.admin.post(&day, json!({ "date": date })).await.ok()["closed"], 1);
    clinic.recount().await;
}

#[tokio::test]
async fn the_slots_of_a_local_day_are_closed() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    // On this day the clocks of London go forward: it has 23 hours.
    let day = NaiveDate::from_ymd_opt(2027, 3, 28).unwrap();
    let midnight = day.and_hms_opt(0, 0, 0).unwrap().and_utc();
    let mut slots = Vec::new();
    for minutes in [-30, 0, 22 * 60 + 30, 23 * 60] {
        slots.push(clinic.slot_at(midnight + Duration::minutes(minutes), 1).await);
    }
    let path = format!("/centres/{}/close-day", clinic.centre);
    assert_eq!(clinic.admin.post(&path, json!({ "date": day, "reason": "Snow" })).await.ok()["closed"], 2);
    assert_eq!(clinic.admin.post(&path, json!({ "date": day })).await.ok()["closed"], 0);
    let mut reasons = Vec::new();
    for slot in &slots {
        reasons.push(app.get(&format!("/api/v1/slots/{slot}")).await.ok()["closed_reason"].clone());
    }
    assert_eq!(reasons, [Value::Null, json!("Snow"), json!("Snow"), Value::Null]);
}

/// Adds as many patients with a booking in a slot.
async fn fill(clinic: &Clinic<'_>, slot: Uuid, count: i32) {
    use entity::{patients, vaccine_requests as requests, vaccines};
    let db = &clinic.app.state().db;
    let flu = vaccines::Entity::find_by_id(clinic.app.vaccine("FLU").await).one(db).await.unwrap().unwrap();
    let now = clinic.app.clock.now();
    let ids: Vec<Uuid> = (0..count).map(|_| Uuid::now_v7()).collect();
    let patients = ids.iter().map(|id| patients::ActiveModel {
        id: Set(*id),
        relation: Set(entity::PatientRelation::WalkIn),
        name: Set(Some("Ada".into())),
        open_requests: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    });
    patients::Entity::insert_many(patients).exec_without_returning(db).await.unwrap();
    let requests = ids.iter().map(|id| requests::ActiveModel {
        id: Set(*id),
        patient_id: Set(*id),
        vaccine_id: Set(flu.id),
        course_id: Set(flu.course_id),
        dose_number: Set(1),
        status: Set(entity::RequestStatus::Booked),
        slot_id: Set(Some(slot)),
        code: Set(Some(id.simple().to_string()[24..].to_uppercase())),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    });
    requests::Entity::insert_many(requests).exec_without_returning(db).await.unwrap();
    set(clinic, slot, entity::slots::Column::Booked, count).await;
}

async fn set(clinic: &Clinic<'_>, slot: Uuid, column: entity::slots::Column, value: impl Into<sea_orm::Value>) {
    use sea_orm::sea_query::Expr;
    let update = entity::slots::Entity::update_many().col_expr(column, Expr::value(value));
    let updated = update.filter(entity::slots::Column::Id.eq(slot)).exec(&clinic.app.state().db).await.unwrap();
    assert_eq!(updated.rows_affected, 1);
}

async fn booked_in(clinic: &Clinic<'_>, slot: Uuid) -> u64 {
    use entity::vaccine_requests::{Column, Entity};
    Entity::find().filter(Column::SlotId.eq(slot)).count(&clinic.app.state().db).await.unwrap()
}

#[tokio::test]
async fn closing_continues_where_a_process_stopped() {
    let app = TestApp::start(BACKEND).await;
    let clinic = Clinic::open(&app).await;
    let slot: Uuid = clinic.slot(48, 250).await.parse().unwrap();
    // More than fit into two transactions.
    fill(&clinic, slot, 205).await;
    clinic.recount().await;
    let (db, clock, context) = (&app.state().db, &app.clock, &app.state().vaccination);
    assert_eq!(closing::resume(db, context).await.unwrap(), 0, "the slot is open");
    assert_eq!(booked_in(&clinic, slot).await, 205);
    set(&clinic, slot, entity::slots::Column::ClosedAt, clock.now()).await;
    closing::resume(db, context).await.unwrap();
    assert_eq!(closing::resume(db, context).await.unwrap(), 0, "nothing is left");
    assert_eq!(booked_in(&clinic, slot).await, 0);
    clinic.recount().await;
    let counts = clinic.admin.get("/vaccine-requests/counts").await.ok();
    assert_eq!((&counts["approved"], &counts["booked"]), (&json!(205), &json!(0)));
}
