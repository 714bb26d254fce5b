//! Idempotency keys: a request that is sent again gets the answer of the first time, and takes effect only once.
//!
//! The key is inserted in the transaction of the operation. A second request with the same key waits there for the first
//! one, and then finds its response; if the first one failed, the second one takes effect.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use entity::idempotency_keys::{ActiveModel, Column, Entity};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};
use uuid::Uuid;

use crate::error::{Error, Result, Violation};

/// How long a key is kept.
pub const LIFETIME: chrono::Duration = chrono::Duration::hours(24);

/// Maximum number of characters of a key.
const MAX_CHARS: usize = 255;

/// The key of a request, and the hash of what the request is.
#[derive(Clone, Debug)]
pub struct RequestKey {
    key: String,
    request_hash: String,
}

impl RequestKey {
    /// Parses a key of a request, which consists of these parts: method and path, body.
    ///
    /// # Errors
    /// A violation in `Idempotency-Key`.
    pub fn parse(key: &[u8], parts: &[&[u8]]) -> std::result::Result<Self, Violation> {
        let is_valid = (1..=MAX_CHARS).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
        if !is_valid {
            let message = format!("must be 1 to {MAX_CHARS} visible ASCII characters");
            return Err(Violation::new("Idempotency-Key", "key", message));
        }
        let mut hash = digest::Context::new(&digest::SHA256);
        parts.iter().for_each(|part| hash.update(part));
        let request_hash = URL_SAFE_NO_PAD.encode(hash.finish());
        Ok(Self { key: String::from_utf8_lossy(key).into_owned(), request_hash })
    }
}

/// A response, as it is sent and stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Header `Location`.
    pub location: Option<String>,
    /// JSON body.
    pub body: String,
    /// Whether it is the stored response of an earlier request.
    pub is_replayed: bool,
}

/// An operation that takes effect only once for a key: the key, if the client sent one, and how its result is rendered.
#[derive(Debug)]
pub struct Once<'a, T> {
    /// Key of the request.
    pub key: Option<&'a RequestKey>,
    /// Renders the response.
    pub render: fn(&T) -> Result<Response>,
}

// Not derived: that would require it of the result, too.
impl<T> Copy for Once<'_, T> {}

impl<T> Clone for Once<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Once<'_, T> {
    /// Claims the key. Returns the response of an earlier request with the same key.
    ///
    /// # Errors
    /// [`Error::KeyReused`] if the earlier request was another one.
    pub async fn begin(
        &self,
        transaction: &impl ConnectionTrait,
        user_id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Option<Response>> {
        let Some(key) = self.key else { return Ok(None) };
        let row = ActiveModel {
            user_id: Set(user_id),
            key: Set(key.key.clone()),
            request_hash: Set(key.request_hash.clone()),
            status: Set(None),
            location: Set(None),
            body: Set(None),
            patient_id: Set(None),
            created_at: Set(now),
        };
        let is_known = OnConflict::columns([Column::UserId, Column::Key]).do_nothing().to_owned();
        if Entity::insert(row).on_conflict(is_known).exec_without_returning(transaction).await? > 0 {
            return Ok(None);
        }
        let known = Entity::find_by_id((user_id, key.key.clone())).one(transaction).await?;
        // Deleted meanwhile, because it expired.
        let known = known.ok_or(Error::Busy)?;
        if known.request_hash != key.request_hash {
            return Err(Error::KeyReused);
        }
        let status = known.status.and_then(|status| u16::try_from(status).ok());
        let (Some(status), Some(body)) = (status, known.body) else {
            return Err(Error::internal("an idempotency key has no response"));
        };
        Ok(Some(Response { status, location: known.location, body, is_replayed: true }))
    }

    /// Renders the response, and stores it for the key. `patient_id` is the patient whose data it has.
    ///
    /// # Errors
    /// Database errors.
    pub async fn finish(
        &self,
        transaction: &impl ConnectionTrait,
        user_id: Uuid,
        patient_id: Option<Uuid>,
        result: &T,
    ) -> Result<Response> {
        let response = (self.render)(result)?;
        if let Some(key) = self.key {
            let status = i16::try_from(response.status).map_err(Error::internal)?;
            Entity::update_many()
                .col_expr(Column::Status, Expr::value(status))
                .col_expr(Column::Location, Expr::value(response.location.clone()))
                .col_expr(Column::Body, Expr::value(response.body.clone()))
                .col_expr(Column::PatientId, Expr::value(patient_id))
                .filter(Column::UserId.eq(user_id))
                .filter(Column::Key.eq(key.key.as_str()))
                .exec(transaction)
                .await?;
        }
        Ok(response)
    }
}

/// Deletes keys whose responses have data of these patients.
pub(in crate::domain) async fn delete_about(db: &impl ConnectionTrait, patients: &[Uuid]) -> Result<()> {
    Entity::delete_many().filter(Column::PatientId.is_in(patients.iter().copied())).exec(db).await?;
    Ok(())
}

/// Deletes keys that have expired. Returns their number.
///
/// # Errors
/// Database errors.
pub async fn delete_expired(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u64> {
    Ok(Entity::delete_many().filter(Column::CreatedAt.lt(now - LIFETIME)).exec(db).await?.rows_affected)
}
