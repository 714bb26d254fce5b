//! Codes that are sent by mail. A code is random, stored as an HMAC, short-lived, bound to one account and one purpose,
//! and can be used once. An account has at most one of each purpose, and a new one replaces the old one; but up to three
//! that [reset the password](super::reset_codes), because anyone can request them.
//!
//! The client that requests a reset gets a flow, a secret that goes with the code. Attempts with the flow are counted
//! apart from those without, so that a stranger who uses up the attempts of a code cannot block its owner.

use chrono::{DateTime, Utc};
use entity::CodePurpose;
use entity::account_codes::{self, Column, Model};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};
use uuid::Uuid;

use crate::domain::auth::context::Auth;
use crate::domain::records::outbox;
use crate::domain::values::email::Email;
use crate::error::{Error, Result, Violation};

/// Maximum number of attempts to enter a code.
pub(super) const MAX_ATTEMPTS: i32 = 5;

/// Code in plain text, as it is sent by mail. Only its hash is stored.
#[derive(Clone)]
pub struct Code {
    /// Six digits.
    pub digits: String,
    /// Time of expiry.
    pub expires_at: DateTime<Utc>,
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Code(…)")
    }
}

/// Issues a code, which replaces any other code of the same account and purpose. Codes that reset the password are
/// issued by [`reset_codes`](super::reset_codes).
///
/// # Errors
/// Database errors; an internal error if the system's random number generator fails.
pub async fn issue(
    db: &impl ConnectionTrait,
    auth: &Auth,
    user_id: Uuid,
    purpose: CodePurpose,
    email: &str,
) -> Result<Code> {
    let (digits, hash) = generate(auth, user_id, purpose)?;
    let new = NewCode { user_id, purpose, slot: 0, email, hash: Some(hash), flow_hash: None };
    let expires_at = replace(db, auth, new).await?;
    Ok(Code { digits, expires_at })
}

/// Generates a code: its digits and their HMAC.
pub(super) fn generate(auth: &Auth, user_id: Uuid, purpose: CodePurpose) -> Result<(String, String)> {
    let digits = six_digits()?;
    let hash = auth.tokens.keys().hmac(&hmac_input(&user_id, purpose, digits.as_bytes()));
    Ok((digits, hash))
}

/// Issues the code for a pending change of the e-mail address to `email`. Returns `None` if this change
/// is no longer pending.
///
/// # Errors
/// Database errors; an internal error if the system's random number generator fails.
pub async fn issue_for_change(
    db: &impl ConnectionTrait,
    auth: &Auth,
    user_id: Uuid,
    email: &str,
) -> Result<Option<Code>> {
    let (digits, hash) = generate(auth, user_id, CodePurpose::ChangeEmail)?;
    let expires_at = auth.clock.now() + auth.code_life;
    let updated = account_codes::Entity::update_many()
        .col_expr(Column::CodeHash, Expr::value(Some(hash)))
        .col_expr(Column::Attempts, Expr::value(0))
        .col_expr(Column::ExpiresAt, Expr::value(expires_at))
        .filter(Column::UserId.eq(user_id))
        .filter(Column::Purpose.eq(CodePurpose::ChangeEmail))
        .filter(Column::Email.eq(email))
        .exec(db)
        .await?;
    Ok((updated.rows_affected > 0).then_some(Code { digits, expires_at }))
}

/// Stores a pending change of the e-mail address, which replaces any other. Its code is issued when the
/// mail is sent.
///
/// # Errors
/// Database errors.
pub async fn begin_change(transaction: &impl ConnectionTrait, auth: &Auth, user_id: Uuid, email: &Email) -> Result<()> {
    let (purpose, email) = (CodePurpose::ChangeEmail, email.as_str());
    let new = NewCode { user_id, purpose, slot: 0, email, hash: None, flow_hash: None };
    replace(transaction, auth, new).await.map(drop)
}

/// Row of a code or reset token to be stored.
pub(super) struct NewCode<'a> {
    pub(super) user_id: Uuid,
    pub(super) purpose: CodePurpose,
    pub(super) slot: i16,
    pub(super) email: &'a str,
    /// HMAC; none until the mail is sent.
    pub(super) hash: Option<String>,
    pub(super) flow_hash: Option<String>,
}

/// Stores a code, which replaces any other code of the same account, purpose and slot. Returns its time of expiry.
pub(super) async fn replace(db: &impl ConnectionTrait, auth: &Auth, new: NewCode<'_>) -> Result<DateTime<Utc>> {
    let expires_at = auth.clock.now() + auth.code_life;
    upsert(db, auth, new, on_conflict()).await?;
    Ok(expires_at)
}

/// As [`replace`], but only if the other code has expired. Returns whether the code was stored.
pub(super) async fn replace_expired(db: &impl ConnectionTrait, auth: &Auth, new: NewCode<'_>) -> Result<bool> {
    let is_expired = Expr::col((account_codes::Entity, Column::ExpiresAt)).lte(auth.clock.now());
    let on_conflict = on_conflict().action_and_where(is_expired).to_owned();
    Ok(upsert(db, auth, new, on_conflict).await? > 0)
}

fn on_conflict() -> OnConflict {
    OnConflict::columns([Column::UserId, Column::Purpose, Column::Slot])
        .update_columns([
            Column::Email,
            Column::CodeHash,
            Column::Attempts,
            Column::FlowHash,
            Column::FlowAttempts,
            Column::ExpiresAt,
            Column::CreatedAt,
        ])
        .to_owned()
}

async fn upsert(db: &impl ConnectionTrait, auth: &Auth, new: NewCode<'_>, on_conflict: OnConflict) -> Result<u64> {
    let now = auth.clock.now();
    let code = account_codes::ActiveModel {
        user_id: Set(new.user_id),
        purpose: Set(new.purpose),
        slot: Set(new.slot),
        email: Set(new.email.to_owned()),
        code_hash: Set(new.hash),
        attempts: Set(0),
        flow_hash: Set(new.flow_hash),
        flow_attempts: Set(0),
        expires_at: Set(now + auth.code_life),
        created_at: Set(now),
    };
    Ok(account_codes::Entity::insert(code).on_conflict(on_conflict).exec_without_returning(db).await?)
}

/// Redeems a code that [`verify`](super::code_attempts::verify) has accepted, in the transaction of the operation that it allows.
///
/// # Errors
/// Returns a violation in `code` if the code has been used or replaced meanwhile.
pub async fn redeem(transaction: &impl ConnectionTrait, code: &Model) -> Result<()> {
    let deleted = account_codes::Entity::delete_many()
        .filter(Column::UserId.eq(code.user_id))
        .filter(Column::Purpose.eq(code.purpose))
        .filter(Column::Slot.eq(code.slot))
        .filter(Column::CodeHash.eq(code.code_hash.clone()))
        .exec(transaction)
        .await?;
    if deleted.rows_affected == 1 { Ok(()) } else { Err(wrong("code").into()) }
}

/// Deletes the codes of an account with these purposes, as part of a transaction.
///
/// # Errors
/// Database errors.
pub(super) async fn delete_of(
    transaction: &impl ConnectionTrait,
    user_id: Uuid,
    purposes: impl IntoIterator<Item = CodePurpose>,
) -> Result<()> {
    account_codes::Entity::delete_many()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::Purpose.is_in(purposes))
        .exec(transaction)
        .await?;
    Ok(())
}

/// Deletes expired codes and reset tokens.
///
/// # Errors
/// Database errors.
pub async fn sweep(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u64> {
    // A pending change of the e-mail address has no code until its mail is sent. It is kept for as long
    // as sending is retried.
    let is_pending = Column::CodeHash.is_null().and(Column::ExpiresAt.gte(now - outbox::GIVE_UP_AFTER));
    let expired = account_codes::Entity::delete_many().filter(Column::ExpiresAt.lt(now)).filter(is_pending.not());
    Ok(expired.exec(db).await?.rows_affected)
}

pub(super) fn hmac_input<'a>(user_id: &'a Uuid, purpose: CodePurpose, secret: &'a [u8]) -> [&'a [u8]; 4] {
    let purpose: &[u8] = match purpose {
        CodePurpose::VerifyEmail => b"verify_email",
        CodePurpose::ChangeEmail => b"change_email",
        CodePurpose::ResetPassword => b"reset_password",
        CodePurpose::SetPassword => b"set_password",
    };
    [b"code", user_id.as_bytes(), purpose, secret]
}

fn six_digits() -> Result<String> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(Error::internal)?;
    // Modulo bias: of 64 random bits, no code is more likely than another by more than one in ten trillion.
    Ok(format!("{:06}", u64::from_le_bytes(random) % 1_000_000))
}

/// Violation for an invalid code or token. It does not reveal the reason.
pub(in crate::domain) fn wrong(field: &'static str) -> Violation {
    Violation::new(field, "wrong", "is not valid: mistyped, used up, replaced, expired, or tried too often")
}
