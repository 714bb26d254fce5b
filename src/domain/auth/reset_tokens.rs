//! Reset tokens: issued for a valid code, and redeemed to set a new password. They are rows of the same table as codes,
//! with a purpose of their own, and stored as an HMAC.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use entity::CodePurpose;
use entity::account_codes::{self, Column, Model};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::domain::auth::codes::{self, NewCode, hmac_input, wrong};
use crate::domain::auth::context::Auth;
use crate::domain::values::value::{Shape, Value, at_most};
use crate::error::{Error, Result, Violation};

/// Random bytes in a reset token, which follow the id of the account.
const TOKEN_BYTES: usize = 32;

/// Reset token in plain text, as the client receives it. Only its hash is stored.
#[derive(Clone)]
pub struct ResetToken {
    /// Token in URL-safe Base64.
    pub text: String,
    /// Time of expiry.
    pub expires_at: DateTime<Utc>,
}

impl std::fmt::Debug for ResetToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ResetToken(…)")
    }
}

/// Reset token that a client has presented.
pub struct PresentedResetToken(String);

impl PresentedResetToken {
    /// Maximum number of characters.
    pub const MAX_CHARS: usize = 256;
}

impl Value for PresentedResetToken {
    const SHAPE: Shape = Shape::text(1, Self::MAX_CHARS);

    fn from_text(text: &str) -> std::result::Result<Self, Violation> {
        if text.is_empty() {
            return Err(Violation::of_value("length", "must not be empty"));
        }
        at_most(text, Self::MAX_CHARS)?;
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Debug for PresentedResetToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PresentedResetToken(…)")
    }
}

/// Issues a reset token, which replaces any other, in the transaction that redeems the code.
///
/// # Errors
/// Database errors; an internal error if the system's random number generator fails.
pub async fn issue(transaction: &impl ConnectionTrait, auth: &Auth, code: &Model) -> Result<ResetToken> {
    let mut secret = [0; TOKEN_BYTES];
    getrandom::fill(&mut secret).map_err(Error::internal)?;
    let purpose = CodePurpose::SetPassword;
    let hash = auth.tokens.keys().hmac(&hmac_input(&code.user_id, purpose, &secret));
    let (user_id, email) = (code.user_id, code.email.as_str());
    let new = NewCode { user_id, purpose, slot: 0, email, hash: Some(hash), flow_hash: None };
    let expires_at = codes::replace(transaction, auth, new).await?;
    let text = URL_SAFE_NO_PAD.encode([code.user_id.as_bytes().as_slice(), &secret].concat());
    Ok(ResetToken { text, expires_at })
}

/// Finds the row of a valid reset token.
///
/// # Errors
/// A violation in `reset_token`.
pub async fn find(db: &impl ConnectionTrait, auth: &Auth, token: &PresentedResetToken) -> Result<Model> {
    let decode = || {
        let bytes = URL_SAFE_NO_PAD.decode(&token.0).ok()?;
        let (user_id, secret) = bytes.split_first_chunk::<16>()?;
        Some((Uuid::from_bytes(*user_id), secret.to_vec()))
    };
    let (user_id, secret) = decode().ok_or_else(|| wrong("reset_token"))?;
    let found = account_codes::Entity::find_by_id((user_id, CodePurpose::SetPassword, 0))
        .filter(Column::ExpiresAt.gt(auth.clock.now()))
        .one(db)
        .await?;
    let is_correct = |found: &Model| {
        let hash = found.code_hash.as_deref().unwrap_or_default();
        auth.tokens.keys().is_hmac(hash, &hmac_input(&user_id, CodePurpose::SetPassword, &secret))
    };
    found.filter(is_correct).ok_or_else(|| wrong("reset_token").into())
}

/// Redeems a reset token, in the transaction of the password reset.
///
/// # Errors
/// Returns a violation in `reset_token` if the token has been used or replaced meanwhile.
pub async fn redeem(transaction: &impl ConnectionTrait, token: &Model) -> Result<()> {
    codes::redeem(transaction, token).await.map_err(|error| match error {
        Error::Invalid(_) => wrong("reset_token").into(),
        error => error,
    })
}
