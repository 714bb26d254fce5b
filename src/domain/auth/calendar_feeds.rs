//! Calendar feed of birthdays: a URL with a secret, which calendar programs read without logging in. A
//! user has at most one feed, and can revoke it. The URL gives access to names and birthdays only. The
//! secret is shown once, and only its hash is stored.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use entity::calendar_feeds::{ActiveModel, Column, Entity, Model};
use entity::{AuditAction, users};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QuerySelect, RelationTrait as _, Set,
    TransactionSession as _,
};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::auth::sessions;
use crate::domain::records::audit::Event;
use crate::domain::values::actor::Actor;
use crate::domain::values::caller::Caller;
use crate::domain::values::clock::Clock;
use crate::domain::values::value::{Shape, Value, at_most};
use crate::error::{Error, Result, Violation};

/// Bytes of a secret. 256 random bits cannot be guessed, so a plain SHA-256 hash without a key is safe.
const SECRET_BYTES: usize = 32;

/// A feed with a new secret.
#[derive(Clone)]
pub struct NewFeed {
    /// Secret of its URL. Only its hash is stored.
    pub secret: String,
    /// Time at which the secret was created.
    pub created_at: DateTime<Utc>,
    /// Whether there was no feed before.
    pub is_new: bool,
}

impl std::fmt::Debug for NewFeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewFeed").field("created_at", &self.created_at).finish_non_exhaustive()
    }
}

/// Creates the feed of the actor with a new secret, or replaces the secret of the existing one.
///
/// # Errors
/// [`Error::InvalidToken`] if the session has just ended; [`Error::Internal`] if the system has no randomness.
pub async fn put(db: &impl Transact, clock: &Clock, caller: &Caller) -> Result<NewFeed> {
    let user_id = caller.actor.user_id;
    let mut bytes = [0; SECRET_BYTES];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    let (secret, created_at) = (URL_SAFE_NO_PAD.encode(bytes), clock.now());
    let secret_hash = hash(&secret);
    let transaction = db.begin().await?;
    sessions::lock_active(&transaction, &caller.actor, created_at).await?;
    // The INSERT decides which of several concurrent requests creates the feed.
    let insert = |on_conflict: &mut OnConflict| {
        let secret_hash = Set(secret_hash.clone());
        let row = ActiveModel { user_id: Set(user_id), secret_hash, created_at: Set(created_at) };
        Entity::insert(row).on_conflict(on_conflict.to_owned()).exec_without_returning(&transaction)
    };
    let mut is_new = insert(OnConflict::column(Column::UserId).do_nothing()).await? > 0;
    if !is_new {
        let replaced = Entity::update_many()
            .col_expr(Column::SecretHash, Expr::value(secret_hash.clone()))
            .col_expr(Column::CreatedAt, Expr::value(created_at))
            .filter(Column::UserId.eq(user_id))
            .exec(&transaction)
            .await?;
        is_new = replaced.rows_affected == 0;
        if is_new {
            // The feed was deleted since the INSERT.
            insert(OnConflict::column(Column::UserId).update_columns([Column::SecretHash, Column::CreatedAt])).await?;
        }
    }
    let event = Event::own(AuditAction::FeedCreated, user_id, &caller.client);
    event.record(&transaction, created_at).await?;
    transaction.commit().await?;
    Ok(NewFeed { secret, created_at, is_new })
}

/// Gets the feed of the actor, without its secret.
///
/// # Errors
/// [`Error::NotFound`] if there is none.
pub async fn get(db: &impl ConnectionTrait, actor: &Actor) -> Result<Model> {
    Entity::find_by_id(actor.user_id).one(db).await?.ok_or(Error::NotFound)
}

/// Deletes the feed of the actor.
///
/// # Errors
/// [`Error::NotFound`] if there is none.
pub async fn delete(db: &impl Transact, clock: &Clock, caller: &Caller) -> Result<()> {
    let user_id = caller.actor.user_id;
    let transaction = db.begin().await?;
    if Entity::delete_by_id(user_id).exec(&transaction).await?.rows_affected == 0 {
        return Err(Error::NotFound);
    }
    let event = Event::own(AuditAction::FeedDeleted, user_id, &caller.client);
    event.record(&transaction, clock.now()).await?;
    Ok(transaction.commit().await?)
}

/// Deletes the feed of an account, if it has one, as part of a transaction.
///
/// # Errors
/// Database errors.
pub(super) async fn delete_of(transaction: &impl ConnectionTrait, user_id: Uuid) -> Result<()> {
    Entity::delete_by_id(user_id).exec(transaction).await?;
    Ok(())
}

/// The owner of the feed with this secret.
///
/// # Errors
/// [`Error::NotFound`] if there is no such feed, or the account is disabled.
pub async fn owner(db: &impl ConnectionTrait, secret: &FeedSecret) -> Result<Uuid> {
    let owner = Entity::find()
        .select_only()
        .column(Column::UserId)
        .join(JoinType::InnerJoin, entity::calendar_feeds::Relation::Users.def())
        .filter(Column::SecretHash.eq(hash(&secret.0)))
        .filter(users::Column::DisabledAt.is_null());
    owner.into_tuple().one(db).await?.ok_or(Error::NotFound)
}

/// Secret of a feed that a client has presented.
pub struct FeedSecret(String);

impl FeedSecret {
    /// Maximum number of characters.
    pub const MAX_CHARS: usize = 100;
}

impl Value for FeedSecret {
    const SHAPE: Shape = Shape::text(0, Self::MAX_CHARS);

    fn from_text(text: &str) -> std::result::Result<Self, Violation> {
        at_most(text, Self::MAX_CHARS)?;
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Debug for FeedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FeedSecret(…)")
    }
}

fn hash(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, secret.as_bytes()))
}
