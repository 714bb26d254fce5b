//! Codes that reset the password. Anyone can request them, so up to three live side by side, and none replaces another
//! before that one expires: strangers cannot void the code of the owner, and in the lifetime of a code there are at most
//! three to guess.

use chrono::{DateTime, Utc};
use entity::CodePurpose;
use entity::account_codes::{self, Column, Model};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::domain::auth::codes::{self, Code, NewCode};
use crate::domain::auth::context::Auth;
use crate::error::Result;

/// Number of codes that can reset the password of an account at the same time.
const SLOTS: i16 = 3;

/// The account and the request for which a code is issued.
#[derive(Clone, Copy, Debug)]
pub struct ResetRequest<'a> {
    /// Account.
    pub user_id: Uuid,
    /// Address to which the code is mailed.
    pub email: &'a str,
    /// Hash of the flow of the request.
    pub flow_hash: Option<&'a str>,
}

/// Returns the time at which a code can be issued, if there are too many now.
///
/// # Errors
/// Database errors.
pub async fn wait_for_slot(
    db: &impl ConnectionTrait,
    auth: &Auth,
    request: ResetRequest<'_>,
) -> Result<Option<DateTime<Utc>>> {
    let live = live_codes(db, auth, request.user_id).await?;
    let has_slot = live.len() < usize::from(SLOTS.unsigned_abs()) || own(&live, request).is_some();
    Ok(if has_slot { None } else { live.iter().map(|code| code.expires_at).min() })
}

/// Issues a code; none if others have taken all slots meanwhile. A mail that is sent again has a new code in the place
/// of the one before, with the attempts that were made.
///
/// # Errors
/// Database errors; an internal error if the system's random number generator fails.
pub async fn issue(db: &impl ConnectionTrait, auth: &Auth, request: ResetRequest<'_>) -> Result<Option<Code>> {
    let (digits, hash) = codes::generate(auth, request.user_id, CodePurpose::ResetPassword)?;
    let expires_at = auth.clock.now() + auth.code_life;
    let live = live_codes(db, auth, request.user_id).await?;
    if let Some(own) = own(&live, request) {
        let renewed = account_codes::Entity::update_many()
            .col_expr(Column::CodeHash, Expr::value(Some(hash.as_str())))
            .col_expr(Column::ExpiresAt, Expr::value(expires_at))
            .filter(Column::UserId.eq(request.user_id))
            .filter(Column::Purpose.eq(CodePurpose::ResetPassword))
            .filter(Column::Slot.eq(own.slot))
            .filter(Column::FlowHash.eq(request.flow_hash))
            .exec(db)
            .await?;
        if renewed.rows_affected > 0 {
            return Ok(Some(Code { digits, expires_at }));
        }
    }
    for slot in (0..SLOTS).filter(|slot| live.iter().all(|code| code.slot != *slot)) {
        let new = NewCode {
            user_id: request.user_id,
            purpose: CodePurpose::ResetPassword,
            slot,
            email: request.email,
            hash: Some(hash.clone()),
            flow_hash: request.flow_hash.map(str::to_owned),
        };
        if codes::replace_expired(db, auth, new).await? {
            return Ok(Some(Code { digits, expires_at }));
        }
    }
    Ok(None)
}

fn own<'a>(live: &'a [Model], request: ResetRequest<'_>) -> Option<&'a Model> {
    live.iter().find(|code| request.flow_hash.is_some() && code.flow_hash.as_deref() == request.flow_hash)
}

async fn live_codes(db: &impl ConnectionTrait, auth: &Auth, user_id: Uuid) -> Result<Vec<Model>> {
    let codes = account_codes::Entity::find()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::Purpose.eq(CodePurpose::ResetPassword))
        .filter(Column::ExpiresAt.gt(auth.clock.now()));
    Ok(codes.all(db).await?)
}
