//! The secret address under which a calendar program reads a user's birthdays: at most one for each user, who may take it
//! back. Whoever has it sees names and birthdays, nothing else; so only a hash is stored, and it is shown once.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use entity::calendar_feeds::{ActiveModel, Column, Entity, Model};
use entity::users;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QuerySelect, RelationTrait as _, Set};
use uuid::Uuid;

use crate::domain::values::actor::Actor;
use crate::domain::values::clock::Clock;
use crate::error::{Error, Result};

/// Bytes of a secret. Nobody guesses 256 bits, so a plain hash of them tells nothing.
const SECRET_BYTES: usize = 32;

/// A feed that has just been opened.
#[derive(Clone)]
pub struct NewFeed {
    /// What its address holds. It cannot be shown again.
    pub secret: String,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
}

impl std::fmt::Debug for NewFeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewFeed").field("created_at", &self.created_at).finish_non_exhaustive()
    }
}

/// Opens the actor's feed under a new secret. An address from before leads nowhere any more.
///
/// # Errors
/// Fails when the database does, or the system has no randomness.
pub async fn open(db: &impl ConnectionTrait, clock: &Clock, actor: &Actor) -> Result<NewFeed> {
    let mut bytes = [0; SECRET_BYTES];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    let feed = NewFeed { secret: URL_SAFE_NO_PAD.encode(bytes), created_at: clock.now() };
    let row = ActiveModel {
        user_id: Set(actor.user_id),
        secret_hash: Set(hash(&feed.secret)),
        created_at: Set(feed.created_at),
    };
    let renewed = [Column::SecretHash, Column::CreatedAt];
    let on_conflict = OnConflict::column(Column::UserId).update_columns(renewed).to_owned();
    Entity::insert(row).on_conflict(on_conflict).exec_without_returning(db).await?;
    Ok(feed)
}

/// The actor's feed, without its secret.
///
/// # Errors
/// [`Error::NotFound`] when none is open.
pub async fn get(db: &impl ConnectionTrait, actor: &Actor) -> Result<Model> {
    Entity::find_by_id(actor.user_id).one(db).await?.ok_or(Error::NotFound)
}

/// Closes the actor's feed.
///
/// # Errors
/// [`Error::NotFound`] when none is open.
pub async fn close(db: &impl ConnectionTrait, actor: &Actor) -> Result<()> {
    match Entity::delete_by_id(actor.user_id).exec(db).await?.rows_affected {
        0 => Err(Error::NotFound),
        _ => Ok(()),
    }
}

/// Whose feed has this secret.
///
/// # Errors
/// [`Error::NotFound`] when it is nobody's, or the account is disabled.
pub async fn owner(db: &impl ConnectionTrait, secret: &str) -> Result<Uuid> {
    let owner = Entity::find()
        .select_only()
        .column(Column::UserId)
        .join(JoinType::InnerJoin, entity::calendar_feeds::Relation::Users.def())
        .filter(Column::SecretHash.eq(hash(secret)))
        .filter(users::Column::DisabledAt.is_null());
    owner.into_tuple().one(db).await?.ok_or(Error::NotFound)
}

fn hash(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, secret.as_bytes()))
}
