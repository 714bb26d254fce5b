//! Every look-up and list finds its rows through an index, and reads a list in the index's own order.
//!
//! The database is asked for its plan of each statement that the domain runs, with scans and sorts made so unattractive
//! that one appears only where there is no other way.

use std::sync::Mutex;

use care4u::domain::actor::Actor;
use care4u::domain::page::Page;
use care4u::domain::password::Password;
use care4u::domain::sessions::Client;
use care4u::domain::vaccine_requests::{Filter, NewRequest, Step};
use care4u::domain::{email::Email, sessions, users, vaccine_requests, vaccines};
use entity::{RequestStatus, Role};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement};
use uuid::Uuid;

use crate::BACKEND;
use crate::support::app::{PASSWORD, TestApp};

/// A connection that has every statement explained before it runs.
struct Explained {
    transaction: DatabaseTransaction,
    plans: Mutex<Vec<String>>,
}

impl Explained {
    async fn new(app: &TestApp) -> Self {
        let transaction = app.state().db.begin().await.unwrap();
        if transaction.get_database_backend() == DbBackend::Postgres {
            let settings =
                "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off";
            transaction.execute_unprepared(settings).await.unwrap();
        }
        Self { transaction, plans: Mutex::default() }
    }

    async fn explain(&self, statement: &Statement) {
        let (command, column) = match self.get_database_backend() {
            DbBackend::Sqlite => ("EXPLAIN QUERY PLAN", 3),
            _ => ("EXPLAIN (COSTS OFF)", 0),
        };
        let question = Statement { sql: format!("{command} {}", statement.sql), ..statement.clone() };
        let rows = self.transaction.query_all_raw(question).await.unwrap();
        let lines: Vec<String> = rows.iter().map(|row| row.try_get_by_index(column).unwrap()).collect();
        for line in &lines {
            let scan = line.contains("Seq Scan") || (line.starts_with("SCAN ") && !line.contains("USING"));
            let sort = line.contains("Sort") || line.contains("TEMP B-TREE FOR ORDER BY");
            assert!(!scan && !sort, "{}\n{}", statement.sql, lines.join("\n"));
        }
        self.plans.lock().unwrap().push(lines.join("\n"));
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Explained {
    fn get_database_backend(&self) -> DbBackend {
        self.transaction.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.explain(&statement).await;
        self.transaction.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.transaction.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.explain(&statement).await;
        self.transaction.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.explain(&statement).await;
        self.transaction.query_all_raw(statement).await
    }
}

impl Explained {
    /// Demands that the last statement went through this index.
    #[track_caller]
    fn used(&self, index: &str) {
        let plans = self.plans.lock().unwrap();
        let last = plans.last().expect("a statement ran");
        assert!(last.contains(index), "not {index}:\n{last}");
    }
}

/// Enough requests of enough people that an index is worth its while. Returns one of the people.
async fn fill(app: &TestApp, vaccine_id: Uuid) -> Uuid {
    use sea_orm::{EntityTrait, Set};
    let now = app.clock.now();
    let db = &app.state().db;
    let mut somebody = Uuid::nil();
    for person in 0..60 {
        let user_id = Uuid::now_v7();
        somebody = user_id;
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
        let requests = (0..40).map(|_| entity::vaccine_requests::ActiveModel {
            id: Set(Uuid::now_v7()),
            user_id: Set(user_id),
            vaccine_id: Set(vaccine_id),
            dose_number: Set(1),
            status: Set(RequestStatus::Rejected),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        });
        entity::vaccine_requests::Entity::insert_many(requests).exec_without_returning(db).await.unwrap();
    }
    // SQLite supposes large tables until it is told of small ones.
    if db.get_database_backend() == DbBackend::Postgres {
        db.execute_unprepared("ANALYZE").await.unwrap();
    }
    somebody
}

#[tokio::test]
async fn every_statement_on_a_single_connection_has_its_index() {
    let app = TestApp::start(BACKEND).await;
    let patient = app.patient().await;
    let request: Uuid = patient.ask_for("FLU").await.parse().unwrap();
    let refresh_token = patient.refresh_token.clone();
    let vaccine_id = app.vaccine("FLU").await;
    let somebody = fill(&app, app.vaccine("MMR").await).await;
    let db = Explained::new(&app).await;
    let auth = &app.state().auth;
    let actor = |role| Actor { user_id: patient.id, session_id: Uuid::now_v7(), role };
    let (own, staff, admin) = (actor(Role::Patient), actor(Role::Staff), actor(Role::Admin));
    let now = auth.clock.now();

    users::own(&db, &own).await.unwrap();
    users::get(&db, &admin, own.user_id).await.unwrap();
    vaccines::get(&db, vaccine_id).await.unwrap();
    vaccine_requests::get(&db, &own, request).await.unwrap();
    sessions::refresh(&db, auth, &refresh_token).await.unwrap();
    auth.revocations.read(&db, now).await.unwrap();
    db.used("refresh_tokens_revoked_at_idx");
    let of_status = Filter { status: Some(RequestStatus::Pending), ..Filter::default() };
    let of_vaccine = Filter { vaccine_id: Some(vaccine_id), ..Filter::default() };
    let of_user = Filter { user_id: Some(own.user_id), ..Filter::default() };
    let of_time = Filter { created_from: Some(now), created_before: Some(now), ..Filter::default() };
    for after in [None, Some(Uuid::now_v7())] {
        let page = Page { limit: 20, after };
        users::list(&db, &admin, None, page).await.unwrap();
        let email = Email::parse("ada@example.org").unwrap();
        users::list(&db, &admin, Some(&email), page).await.unwrap();
        vaccines::list(&db, Some(true), page).await.unwrap();
        vaccine_requests::list(&db, &own, &Filter::default(), page).await.unwrap();
        db.used("vaccine_requests_user_id_id_idx");
        for (filter, index) in [
            (&of_status, Some("vaccine_requests_status_id_idx")),
            (&of_vaccine, Some("vaccine_requests_vaccine_id_id_idx")),
            (&of_user, Some("vaccine_requests_user_id_id_idx")),
            // By the primary key, whose index has another name on each database.
            (&of_time, None),
            (&Filter::default(), None),
        ] {
            vaccine_requests::list(&db, &staff, filter, page).await.unwrap();
            if let Some(index) = index {
                db.used(index);
            }
        }
    }
    let new = NewRequest { vaccine_id, dose_number: 1, note: None };
    let another = Actor { user_id: somebody, ..own };
    vaccine_requests::add(&db, &auth.clock, &another, new).await.unwrap();
    let changes = vaccine_requests::Changes { vaccine_id: Some(vaccine_id), ..Default::default() };
    vaccine_requests::change(&db, &auth.clock, &own, request, changes).await.unwrap();
    users::change(&db, auth, &own, users::Changes::default()).await.unwrap();
    let (email, password) = (Email::parse(&patient.email).unwrap(), Password::presented(PASSWORD));
    sessions::open(&db, auth, &email, password, Client::default()).await.unwrap();
    sessions::close(&db, auth, &own).await.unwrap();
    vaccine_requests::advance(&db, &auth.clock, &staff, request, Step::Approve).await.unwrap();
    sessions::end_all(&db, own.user_id, None, now).await.unwrap();
    assert!(db.plans.lock().unwrap().len() > 25);
}
