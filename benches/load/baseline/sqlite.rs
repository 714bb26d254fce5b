//! Baseline on SQLite: bookings on one sqlx connection, which all workers share.

use chrono::{DateTime, Duration, Utc};
use sea_orm::sqlx::pool::PoolOptions;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqliteSynchronous};
use sea_orm::sqlx::{Row as _, query};
use uuid::Uuid;

use super::booking::{self, BookSlot};
use super::reply::{self, reply};

#[derive(Clone)]
pub(super) struct Sqlite {
    writer: SqlitePool,
}

impl Sqlite {
    /// Opens the file with the durability of care4u.
    pub(super) async fn connect(url: &str) -> Self {
        let options: SqliteConnectOptions = url.parse().expect("a URL");
        let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
        let options = options.foreign_keys(true).pragma("secure_delete", "on");
        let pool = PoolOptions::new().max_connections(1).test_before_acquire(false);
        Self { writer: pool.connect_with(options).await.expect("the file opens") }
    }

    pub(super) async fn book(&self, user_id: Uuid, request_id: Uuid, wanted: &BookSlot) -> Option<String> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await.expect("a transaction begins");
        let booked = book(&mut transaction, user_id, request_id, wanted.slot_id).await;
        match booked {
            Some(_) => transaction.commit().await.expect("the transaction commits"),
            None => transaction.rollback().await.expect("the transaction is rolled back"),
        }
        booked
    }
}

/// Books a slot. `None` if it is refused.
async fn book(db: &mut SqliteConnection, user_id: Uuid, request_id: Uuid, slot_id: Uuid) -> Option<String> {
    query(booking::PATIENT).bind(request_id).fetch_optional(&mut *db).await.expect("rows")?;
    let request =
        query(booking::REQUEST).bind(request_id).bind(user_id).fetch_optional(&mut *db).await.expect("rows")?;
    let (patient_id, course_id): (Uuid, Uuid) = (request.get(0), request.get(1));
    let slot = query(booking::SLOT).bind(patient_id).bind(request_id).bind(slot_id);
    let slot = slot.fetch_optional(&mut *db).await.expect("rows")?;
    let same_course = slot.get::<Uuid, _>(3) == course_id;
    booking::is_eligible(slot.get(4), slot.get(5), request.get(2), slot.get(6), same_course).then_some(())?;
    let now = Utc::now();
    let book = query(booking::BOOK).bind(slot_id).bind(booking::new_code()).bind(now).bind(request_id);
    if book.execute(&mut *db).await.expect("a count").rows_affected() == 0 {
        return None;
    }
    let take = query(booking::TAKE).bind(slot_id).bind(now).bind(course_id);
    if take.execute(&mut *db).await.expect("a count").rows_affected() == 0 {
        return None;
    }
    let mails = query(booking::MAILS).bind(Uuid::now_v7()).bind(now).bind(request_id).bind(slot_id);
    let mails = mails.bind(Uuid::now_v7()).bind(slot.get::<DateTime<Utc>, _>(0) - Duration::days(1));
    mails.execute(&mut *db).await.expect("a count");
    let row = query(reply::BY_ID).bind(request_id).fetch_one(&mut *db).await.expect("a row");
    Some(serde_json::to_string(&reply!(&row)).expect("JSON"))
}
