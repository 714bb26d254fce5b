//! Baseline on PostgreSQL: reads on one pipelined tokio-postgres connection per worker, bookings on further ones.

use std::cell::RefCell;

use chrono::{DateTime, Duration, Utc};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, NoTls, Row, Statement};
use uuid::Uuid;

use super::booking::{self, BookSlot};
use super::reply::{self, reply};
use super::{Page, User};

const USER: &str = "SELECT id, name, email, password_hash, role, nid, phone_number, address, birth_date, \
    time_zone, email_verified_at, disabled_at, created_at, updated_at, nid_verified_at FROM users WHERE id = $1";

/// Types of the parameters of [`booking::MAILS`], which PostgreSQL cannot infer in the parts of a UNION.
const MAILS_TYPES: [Type; 6] = [Type::UUID, Type::TIMESTAMPTZ, Type::UUID, Type::UUID, Type::UUID, Type::TIMESTAMPTZ];

/// Database of one worker.
pub(super) struct Postgres {
    url: String,
    client: Client,
    user: Statement,
    requests: Statement,
    /// Connections without a transaction.
    idle: RefCell<Vec<Writer>>,
}

/// A connection for bookings.
struct Writer {
    client: Client,
    patient: Statement,
    request: Statement,
    slot: Statement,
    book: Statement,
    take: Statement,
    mails: Statement,
    reply: Statement,
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the database responds");
    actix_web::rt::spawn(connection);
    client
}

impl Writer {
    async fn connect(url: &str) -> Self {
        let client = connect(url).await;
        let prepare = async |sql: &str| client.prepare(sql).await.expect("valid SQL");
        Self {
            patient: prepare(&format!("{} FOR NO KEY UPDATE", booking::PATIENT)).await,
            request: prepare(booking::REQUEST).await,
            slot: prepare(booking::SLOT).await,
            book: prepare(booking::BOOK).await,
            take: prepare(booking::TAKE).await,
            mails: client.prepare_typed(booking::MAILS, &MAILS_TYPES).await.expect("valid SQL"),
            reply: prepare(reply::BY_ID).await,
            client,
        }
    }

    /// Books a slot. `None` if it is refused.
    async fn book(&self, user_id: Uuid, request_id: Uuid, slot_id: Uuid) -> Option<String> {
        let client = &self.client;
        client.query_opt(&self.patient, &[&request_id]).await.expect("rows")?;
        let request = client.query_opt(&self.request, &[&request_id, &user_id]).await.expect("rows")?;
        let (patient_id, course_id, dose_number): (Uuid, Uuid, i32) = (request.get(0), request.get(1), request.get(2));
        let slot = client.query_opt(&self.slot, &[&patient_id, &request_id, &slot_id]).await.expect("rows")?;
        let same_course = slot.get::<_, Uuid>(3) == course_id;
        booking::is_eligible(slot.get(4), slot.get(5), dose_number, slot.get(6), same_course).then_some(())?;
        let (now, code) = (Utc::now(), booking::new_code());
        let book = [&slot_id as _, &code as _, &now as _, &request_id as _];
        if client.execute(&self.book, &book).await.expect("a count") == 0 {
            return None;
        }
        if client.execute(&self.take, &[&slot_id, &now, &course_id]).await.expect("a count") == 0 {
            return None;
        }
        let remind_at = slot.get::<_, DateTime<Utc>>(0) - Duration::days(1);
        let (mail, reminder) = (Uuid::now_v7(), Uuid::now_v7());
        let mails: [&(dyn ToSql + Sync); 6] = [&mail, &now, &request_id, &slot_id, &reminder, &remind_at];
        client.execute(&self.mails, &mails).await.expect("a count");
        let row = client.query_one(&self.reply, &[&request_id]).await.expect("a row");
        Some(serde_json::to_string(&reply!(&row)).expect("JSON"))
    }
}

impl Postgres {
    pub(super) async fn connect(url: String) -> Self {
        let client = connect(&url).await;
        let user = client.prepare(USER).await.expect("valid SQL");
        let requests = client.prepare(reply::OF_USER).await.expect("valid SQL");
        Self { url, client, user, requests, idle: RefCell::default() }
    }

    pub(super) async fn me(&self, id: Uuid) -> String {
        let row = self.client.query_one(&self.user, &[&id]).await.expect("a row");
        serde_json::to_string(&user(&row)).expect("JSON")
    }

    pub(super) async fn requests(&self, user_id: Uuid) -> String {
        let rows = self.client.query(&self.requests, &[&user_id]).await.expect("rows");
        let items: Vec<_> = rows.iter().take(20).map(|row| reply!(row)).collect();
        let next_cursor = if rows.len() > 20 { items.last().map(|item| super::cursor(item.id)) } else { None };
        serde_json::to_string(&Page { items, next_cursor }).expect("JSON")
    }

    pub(super) async fn book(&self, user_id: Uuid, request_id: Uuid, wanted: &BookSlot) -> Option<String> {
        let idle = self.idle.borrow_mut().pop();
        let writer = match idle {
            Some(writer) => writer,
            None => Writer::connect(&self.url).await,
        };
        writer.client.batch_execute("BEGIN").await.expect("a transaction begins");
        let booked = writer.book(user_id, request_id, wanted.slot_id).await;
        let end = if booked.is_some() { "COMMIT" } else { "ROLLBACK" };
        writer.client.batch_execute(end).await.expect("the transaction ends");
        self.idle.borrow_mut().push(writer);
        booked
    }
}

fn user(row: &Row) -> User<'_> {
    User {
        id: row.get(0),
        name: row.get(1),
        email: row.get(2),
        role: row.get(4),
        nid: row.get(5),
        nid_verified_at: row.get(14),
        phone_number: row.get(6),
        address: row.get(7),
        birth_date: row.get(8),
        time_zone: row.get(9),
        email_verified_at: row.get(10),
        disabled: row.get::<_, Option<DateTime<Utc>>>(11).is_some(),
        disabled_at: row.get(11),
        created_at: row.get(12),
        updated_at: row.get(13),
    }
}
