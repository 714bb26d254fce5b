//! Refresh of the token pair: one conditional UPDATE, with a grace period for repeated requests.
//!
//! A session is one row that counts the generations of its refresh token. Whatever ends the session sets `revoked_at`
//! of that row, so of a refresh and a concurrent log-out the log-out wins.

use chrono::{DateTime, Utc};
use entity::{AuditAction, Role, refresh_tokens, users};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::auth::context::Auth;
use crate::domain::auth::sessions;
use crate::domain::auth::token::{PresentedToken, RefreshClaims, TokenPair};
use crate::domain::records::audit::Event;
use crate::domain::values::client::Client;
use crate::error::{Error, Result};

/// Exchanges a refresh token for the next token pair.
///
/// Of concurrent requests with the same token one makes the successor; the others get the same successor, within the
/// grace period. After it, the parent of a generation that nobody has used gets it again: the answer was lost. Any other
/// older token means that two parties have tokens of the session: it ends.
///
/// # Errors
/// [`Error::InvalidToken`] if the token is not genuine, is used up, or its session has ended.
pub async fn refresh(db: &impl Transact, auth: &Auth, token: &PresentedToken, client: &Client) -> Result<TokenPair> {
    let now = auth.clock.now();
    let claims = auth.tokens.verify_refresh(token.as_str(), now)?;
    let session = match rotate(db, auth, &claims, now).await? {
        Some(session) => session,
        None => successor(db, auth, &claims, now, client).await?,
    };
    let role = find_role(db, auth, claims.sub).await?.ok_or(Error::InvalidToken)?;
    auth.tokens.pair(&session, role)
}

async fn rotate(
    db: &impl ConnectionTrait,
    auth: &Auth,
    claims: &RefreshClaims,
    now: DateTime<Utc>,
) -> Result<Option<refresh_tokens::Model>> {
    use refresh_tokens::Column;
    let lifetimes = auth.tokens.lifetimes();
    let end = DateTime::from_timestamp(claims.auth_time, 0).ok_or(Error::InvalidToken)? + lifetimes.absolute;
    let expires_at = Ord::min(end, now + lifetimes.idle);
    if expires_at <= now {
        return Err(Error::InvalidToken);
    }
    let rotated = refresh_tokens::Entity::update_many()
        .col_expr(Column::Generation, Expr::col(Column::Generation).add(1))
        .col_expr(Column::RotatedAt, Expr::value(now))
        .col_expr(Column::GenerationAt, Expr::value(now))
        .col_expr(Column::ExpiresAt, Expr::value(expires_at))
        .filter(Column::Id.eq(claims.sid))
        .filter(Column::UserId.eq(claims.sub))
        .filter(Column::Generation.eq(claims.generation))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .exec_with_returning(db)
        .await?;
    Ok(rotated.into_iter().next())
}

/// The session whose refresh token another request has replaced: a concurrent one, or one whose answer was lost.
async fn successor(
    db: &impl Transact,
    auth: &Auth,
    claims: &RefreshClaims,
    now: DateTime<Utc>,
    client: &Client,
) -> Result<refresh_tokens::Model> {
    let session = refresh_tokens::Entity::find_by_id(claims.sid).one(db).await?.ok_or(Error::InvalidToken)?;
    let is_active = session.revoked_at.is_none() && session.expires_at > now && session.user_id == Some(claims.sub);
    let is_replaced_once = session.generation == claims.generation + 1;
    let is_within_grace = now - session.generation_at.unwrap_or(session.rotated_at) <= auth.tokens.lifetimes().grace;
    if is_active && is_replaced_once && is_within_grace {
        return Ok(session);
    }
    if is_active
        && is_replaced_once
        && !auth.seen_generations.contains(session.id, session.generation)
        && let Some(session) = repeat(db, auth, &session, now).await?
    {
        return Ok(session);
    }
    if is_active && session.generation > claims.generation {
        log::warn!("user.id" = claims.sub.to_string(), "session.id" = claims.sid.to_string();
            "a refresh token was reused; its session has been ended");
        // It is unknown which of the two parties is the owner: the event has no actor.
        let event = Event::new(AuditAction::RefreshReused, client).to(claims.sub);
        sessions::end(db, auth, claims.sub, claims.sid, event).await?;
    }
    Err(Error::InvalidToken)
}

/// Gives out the present generation again, with a new access token, if none of its tokens was seen. A used refresh token
/// has made another generation.
async fn repeat(
    db: &impl ConnectionTrait,
    auth: &Auth,
    session: &refresh_tokens::Model,
    now: DateTime<Utc>,
) -> Result<Option<refresh_tokens::Model>> {
    use refresh_tokens::Column;
    let repeated = refresh_tokens::Entity::update_many()
        .col_expr(Column::RotatedAt, Expr::value(now))
        .filter(Column::Id.eq(session.id))
        .filter(Column::Generation.eq(session.generation))
        .filter(Column::SeenGeneration.lt(session.generation))
        .filter(Column::GenerationAt.gt(now - auth.tokens.lifetimes().retry))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .exec_with_returning(db)
        .await?;
    Ok(repeated.into_iter().next())
}

async fn find_role(db: &impl ConnectionTrait, auth: &Auth, user_id: Uuid) -> Result<Option<Role>> {
    let role = users::Entity::find_by_id(user_id)
        .select_only()
        .column(users::Column::Role)
        .filter(sessions::may_log_in(auth))
        .into_tuple()
        .one(db)
        .await?;
    Ok(role)
}
