//! A centre with slots, and people who book them.

use chrono::{DateTime, Duration, Utc};
use reqwest::Method;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::actor::Actor;
use crate::support::app::TestApp;
use crate::support::response::TestResponse;

/// A centre with an admin, who acts in every centre.
pub struct Clinic<'a> {
    pub app: &'a TestApp,
    pub admin: Actor<'a>,
    pub centre: String,
}

impl<'a> Clinic<'a> {
    pub async fn open(app: &'a TestApp) -> Self {
        let admin = app.admin().await;
        let centre = add_centre(&admin, "Europe/London").await;
        Self { app, admin, centre }
    }

    /// Adds a slot of the vaccine FLU that starts in some hours.
    pub async fn slot(&self, hours: i64, capacity: i32) -> String {
        self.slot_at(self.app.clock.now() + Duration::hours(hours), capacity).await
    }

    pub async fn slot_at(&self, start: DateTime<Utc>, capacity: i32) -> String {
        let body = json!({
            "vaccine_id": self.app.vaccine("FLU").await,
            "starts_at": start,
            "ends_at": start + Duration::minutes(30),
            "capacity": capacity,
        });
        let slot = self.admin.post(&format!("/centres/{}/slots", self.centre), body).await.created();
        slot["id"].as_str().unwrap().to_owned()
    }

    /// A patient with an approved request for FLU.
    pub async fn approved(&self) -> (Actor<'a>, String) {
        let patient = self.app.patient().await;
        patient.patch("/users/me", json!({ "birth_date": "1985-12-10" })).await.ok();
        let id = patient.ask_for("FLU").await;
        self.admin.post_empty(&format!("/vaccine-requests/{id}/approve")).await.ok();
        (patient, id)
    }

    /// A patient with a place for FLU in a slot that starts in an hour.
    pub async fn booked(&self) -> (Actor<'a>, String) {
        self.booked_at(1).await
    }

    /// A patient with a place for FLU in a slot that starts in some hours.
    pub async fn booked_at(&self, hours: i64) -> (Actor<'a>, String) {
        let (patient, request) = self.approved().await;
        let slot = self.slot(hours, 5).await;
        book(&patient, &request, &slot).await.ok();
        (patient, request)
    }

    /// Adds a lot of a vaccine to the centre.
    pub async fn lot(&self, vaccine: &str, received: i32) -> String {
        let body = json!({
            "vaccine_id": self.app.vaccine(vaccine).await,
            "lot_number": Uuid::now_v7().simple().to_string()[12..],
            "expires_on": "2099-12-31",
            "received": received,
        });
        let lot = self.admin.post(&format!("/centres/{}/lots", self.centre), body).await.created();
        lot["id"].as_str().unwrap().to_owned()
    }

    /// Gives the dose of a request.
    pub async fn give(&self, request: &str, lot: &str) -> TestResponse {
        self.admin.post(&format!("/vaccine-requests/{request}/administer"), json!({ "lot_id": lot })).await
    }

    pub async fn left(&self, lot: &str) -> Value {
        self.admin.get(&format!("/lots/{lot}")).await.ok()["left"].clone()
    }

    pub async fn free(&self, slot: &str) -> Value {
        self.app.get(&format!("/api/v1/slots/{slot}")).await.ok()["free"].clone()
    }

    /// Recounts, and expects that all counters are right.
    pub async fn recount(&self) {
        let request = self.app.request(Method::GET, "/health/invariants").bearer_auth(&self.admin.access_token);
        let recount = self.app.send(request).await.ok();
        assert_eq!(recount["violations"], json!([]), "{recount}");
    }
}

pub async fn add_centre(admin: &Actor<'_>, time_zone: &str) -> String {
    let body = json!({ "name": "Town hall", "address": "1 Market Square", "time_zone": time_zone });
    admin.post("/centres", body).await.created()["id"].as_str().unwrap().to_owned()
}

pub async fn act(patient: &Actor<'_>, request: &str, action: &str, slot: &str) -> TestResponse {
    patient.post(&format!("/vaccine-requests/{request}/{action}"), json!({ "slot_id": slot })).await
}

pub async fn book(patient: &Actor<'_>, request: &str, slot: &str) -> TestResponse {
    act(patient, request, "book", slot).await
}

pub async fn end(patient: &Actor<'_>, request: &str, action: &str) -> TestResponse {
    patient.post_empty(&format!("/vaccine-requests/{request}/{action}")).await
}

/// Number of deadlocks that PostgreSQL has found in the database of the test; none on SQLite.
pub async fn deadlocks(app: &TestApp) -> i64 {
    let db = &app.state().db;
    if db.get_database_backend() == DbBackend::Sqlite {
        return 0;
    }
    let sql = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    let row = db.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}
