//! Query plans: every lookup and list finds its rows by an index, and lists are read in the order of the index.
//!
//! Each function of the domain runs on a connection that explains each statement before executing it.

mod accounts;
mod bookings;
mod doses;
mod requests;
mod waitlist;

use care4u::domain::records::idempotency::Response;
use care4u::domain::vaccination::request_list::Request;
use care4u::domain::values::actor::Actor;
use care4u::domain::values::page::Page;
use entity::{RequestStatus, Role};
use sea_orm::{ConnectionTrait, DbBackend};
use uuid::Uuid;

use crate::support::app::TestApp;

/// Creates enough requests of enough users that the planner prefers an index. Returns one of the users.
pub async fn fill(app: &TestApp, vaccine_id: Uuid) -> Uuid {
    use sea_orm::{EntityTrait, Set};
    let now = app.clock.now();
    let db = &app.state().db;
    let mut other_user_id = Uuid::nil();
    for person in 0..60 {
        let user_id = Uuid::now_v7();
        other_user_id = user_id;
        let user = entity::users::ActiveModel {
            id: Set(user_id),
            name: Set("Somebody".into()),
            email: Set(format!("{person}@example.net")),
            password_hash: Set(entity::PasswordHash("none".into())),
            role: Set(Role::Patient),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        };
        entity::users::Entity::insert(user).exec_without_returning(db).await.unwrap();
        let patient = entity::patients::ActiveModel {
            id: Set(user_id),
            user_id: Set(Some(user_id)),
            relation: Set(entity::PatientRelation::Own),
            name: Set(Some("Somebody".into())),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        };
        entity::patients::Entity::insert(patient).exec_without_returning(db).await.unwrap();
        let requests = (0..40).map(|_| entity::vaccine_requests::ActiveModel {
            id: Set(Uuid::now_v7()),
            user_id: Set(Some(user_id)),
            patient_id: Set(user_id),
            course_id: Set(vaccine_id),
            vaccine_id: Set(vaccine_id),
            dose_number: Set(1),
            status: Set(RequestStatus::Rejected),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        });
        entity::vaccine_requests::Entity::insert_many(requests).exec_without_returning(db).await.unwrap();
    }
    // SQLite assumes large tables until ANALYZE.
    if db.get_database_backend() == DbBackend::Postgres {
        db.execute_unprepared("ANALYZE").await.unwrap();
    }
    other_user_id
}

/// Returns the user in a new session.
pub async fn signed_in(app: &TestApp, user_id: Uuid) -> Actor {
    use entity::refresh_tokens::ActiveModel;
    use sea_orm::{ActiveModelTrait as _, Set};
    let (id, now) = (Uuid::now_v7(), app.clock.now());
    let session = ActiveModel {
        id: Set(id),
        user_id: Set(Some(user_id)),
        rotated_at: Set(now),
        expires_at: Set(now + chrono::Duration::days(1)),
        created_at: Set(now),
        ..Default::default()
    };
    session.insert(&app.state().db).await.unwrap();
    Actor { session_id: id, ..actor(user_id, Role::Patient) }
}

pub fn actor(user_id: Uuid, role: Role) -> Actor {
    Actor { user_id, session_id: Uuid::now_v7(), role }
}

pub fn no_response(_: &Request) -> care4u::error::Result<Response> {
    Ok(Response { status: 200, location: None, body: String::new(), is_replayed: false })
}

/// Returns the first page and a later one.
pub fn pages() -> [Page; 2] {
    [None, Some(Uuid::now_v7())].map(|after| Page { limit: 20, after })
}

/// A centre in UTC.
pub async fn centre(app: &TestApp) -> Uuid {
    use sea_orm::{ActiveModelTrait as _, Set};
    let now = app.clock.now();
    let centre = entity::centres::ActiveModel {
        id: Set(Uuid::now_v7()),
        name: Set("Town hall".into()),
        address: Set("1 Market Square".into()),
        time_zone: Set("UTC".into()),
        active: Set(true),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    centre.insert(&app.state().db).await.unwrap().id
}

/// Slots of one place each, an hour apart, from the day after tomorrow on.
pub async fn add_slots(app: &TestApp, centre_id: Uuid, vaccine_id: Uuid, count: i64) -> Vec<Uuid> {
    use sea_orm::{EntityTrait, Set};
    let now = app.clock.now();
    let slots: Vec<_> = (0..count)
        .map(|number| {
            let start = now + chrono::Duration::hours(48 + number);
            entity::slots::ActiveModel {
                id: Set(Uuid::now_v7()),
                centre_id: Set(centre_id),
                vaccine_id: Set(vaccine_id),
                starts_at: Set(start),
                ends_at: Set(start + chrono::Duration::hours(1)),
                capacity: Set(1),
                created_at: Set(now),
                ..Default::default()
            }
        })
        .collect();
    let ids = slots.iter().map(|slot| slot.id.clone().unwrap()).collect();
    for slots in slots.chunks(500) {
        entity::slots::Entity::insert_many(slots.to_vec()).exec_without_returning(&app.state().db).await.unwrap();
    }
    ids
}
