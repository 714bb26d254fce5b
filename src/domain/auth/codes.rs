//! Codes that are sent by mail. A code is random, stored as an HMAC, short-lived, bound to one account and one purpose,
//! and can be used once. An account has at most one of each purpose, and a new one replaces the old one; but up to three
//! that reset the password, because anyone can request them.
//!
//! The client that requests a reset gets a flow, a secret that goes with the code. Attempts with the flow are counted
//! apart from those without, so that a stranger who uses up the attempts of a code cannot block its owner.

use chrono::{DateTime, Utc};
use entity::account_codes::{self, Column, Model};
use entity::{CodePurpose, users};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryTrait as _, Set, TransactionSession as _};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::auth::context::Auth;
use crate::domain::auth::flow::Flow;
use crate::domain::auth::throttle::{Action, Attempt};
use crate::domain::records::outbox;
use crate::domain::values::client::Client;
use crate::domain::values::email::Email;
use crate::domain::values::one_time_code::OneTimeCode;
use crate::error::{Error, Result, Violation};

/// Maximum number of attempts to enter a code.
const MAX_ATTEMPTS: i32 = 5;

/// Number of codes that can reset the password of an account at the same time.
const RESET_SLOTS: i16 = 3;

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

/// Code that a client has entered, and what it is for.
#[derive(Clone, Copy, Debug)]
pub struct PresentedCode<'a> {
    /// Account.
    pub account: Account<'a>,
    /// Operation that the code allows.
    pub purpose: CodePurpose,
    /// Code.
    pub code: &'a OneTimeCode,
    /// Flow of the request for the code, if the client has kept it.
    pub flow: Option<&'a Flow>,
}

/// Account for which a code is presented.
#[derive(Clone, Copy, Debug)]
pub enum Account<'a> {
    /// Account with this e-mail address.
    Of(&'a Email),
    /// Account with this id.
    Id(Uuid),
}

/// Issues a code, which replaces any other code of the same account and purpose; one that resets the password replaces
/// another only if there are three.
///
/// # Errors
/// Database errors; an internal error if the system's random number generator fails.
pub async fn issue(
    db: &impl ConnectionTrait,
    auth: &Auth,
    user_id: Uuid,
    purpose: CodePurpose,
    email: &str,
    flow_hash: Option<String>,
) -> Result<Code> {
    let digits = six_digits()?;
    let hash = Some(auth.tokens.keys().hmac(&hmac_input(&user_id, purpose, digits.as_bytes())));
    let slot = if purpose == CodePurpose::ResetPassword {
        slot_for(db, user_id, flow_hash.as_deref(), auth.clock.now()).await?
    } else {
        0
    };
    let expires_at = replace(db, auth, NewCode { user_id, purpose, slot, email, hash, flow_hash }).await?;
    Ok(Code { digits, expires_at })
}

/// The slot for a new code that resets the password: that of the same flow, a free one, one whose code can no longer be
/// entered, or else that of the oldest code. Mails to one recipient are sent one after another, so no two of them choose
/// at the same time.
async fn slot_for(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    flow_hash: Option<&str>,
    now: DateTime<Utc>,
) -> Result<i16> {
    let mut codes = account_codes::Entity::find()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::Purpose.eq(CodePurpose::ResetPassword))
        .all(db)
        .await?;
    codes.sort_by_key(|code| code.created_at);
    let is_of_flow = |code: &&Model| flow_hash.is_some() && code.flow_hash.as_deref() == flow_hash;
    if let Some(code) = codes.iter().find(is_of_flow) {
        return Ok(code.slot);
    }
    if let Some(free) = (0..RESET_SLOTS).find(|slot| codes.iter().all(|code| code.slot != *slot)) {
        return Ok(free);
    }
    let is_over =
        |code: &&Model| code.expires_at <= now || (code.attempts >= MAX_ATTEMPTS && code.flow_attempts >= MAX_ATTEMPTS);
    Ok(codes.iter().find(is_over).or(codes.first()).map_or(0, |code| code.slot))
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
    let digits = six_digits()?;
    let hash = auth.tokens.keys().hmac(&hmac_input(&user_id, CodePurpose::ChangeEmail, digits.as_bytes()));
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
    let now = auth.clock.now();
    let expires_at = now + auth.code_life;
    let code = account_codes::ActiveModel {
        user_id: Set(new.user_id),
        purpose: Set(new.purpose),
        slot: Set(new.slot),
        email: Set(new.email.to_owned()),
        code_hash: Set(new.hash),
        attempts: Set(0),
        flow_hash: Set(new.flow_hash),
        flow_attempts: Set(0),
        expires_at: Set(expires_at),
        created_at: Set(now),
    };
    let on_conflict = OnConflict::columns([Column::UserId, Column::Purpose, Column::Slot])
        .update_columns([
            Column::Email,
            Column::CodeHash,
            Column::Attempts,
            Column::FlowHash,
            Column::FlowAttempts,
            Column::ExpiresAt,
            Column::CreatedAt,
        ])
        .to_owned();
    account_codes::Entity::insert(code).on_conflict(on_conflict).exec_without_returning(db).await?;
    Ok(expires_at)
}

/// Checks a code that a client has entered. Wrong codes are counted by the throttle.
///
/// # Errors
/// Returns a violation in `code`, which does not tell why the code is wrong, or [`Error::TooMany`], unless the code and its
/// flow are right.
pub async fn verify(db: &impl Transact, auth: &Auth, presented: &PresentedCode<'_>, client: &Client) -> Result<Model> {
    let throttle_key = match presented.account {
        Account::Of(email) => email.as_str().to_owned(),
        Account::Id(id) => id.to_string(),
    };
    let attempt = Attempt::new(auth, Action::ValidateCode, Some(&throttle_key), client);
    let throttle = attempt.state(db).await?;
    // Counting the attempt locks the rows of the codes, and is committed before the response: of a burst of guesses at
    // most MAX_ATTEMPTS are compared with each. There is one commit, and the statements are the same, whether or not the
    // code exists.
    let transaction = db.begin().await?;
    let of_flow = match presented.flow {
        Some(flow) => count_attempt(&transaction, auth, presented, Some(&flow.hash())).await?,
        None => Vec::new(),
    };
    let mut found = of_flow.iter().find(|code| is_correct(auth, code, presented)).cloned();
    // The right code with its flow is never refused. Anything else waits, even if there is no such account.
    if found.is_none()
        && let Err(wait) = throttle.check()
    {
        transaction.commit().await?;
        return Err(wait);
    }
    if found.is_none() {
        // A wrong code with a flow is compared with the code of that flow only.
        let none = PresentedCode { account: Account::Id(Uuid::nil()), ..*presented };
        let others = if of_flow.is_empty() { presented } else { &none };
        let codes = count_attempt(&transaction, auth, others, None).await?;
        found = codes.into_iter().find(|code| is_correct(auth, code, presented));
    }
    match found {
        Some(_) => attempt.clear(&transaction).await?,
        None => attempt.count(&transaction, &throttle).await?,
    }
    transaction.commit().await?;
    found.ok_or_else(|| wrong("code").into())
}

fn is_correct(auth: &Auth, code: &Model, presented: &PresentedCode<'_>) -> bool {
    let hash = code.code_hash.as_deref().unwrap_or_default();
    let input = hmac_input(&code.user_id, presented.purpose, presented.code.as_str().as_bytes());
    auth.tokens.keys().is_hmac(hash, &input)
}

/// Counts an attempt to enter a code: on the code with this flow, or without a flow on all codes of the account. Returns
/// those that exist, have not expired, and had attempts left.
async fn count_attempt(
    transaction: &impl ConnectionTrait,
    auth: &Auth,
    presented: &PresentedCode<'_>,
    flow_hash: Option<&str>,
) -> Result<Vec<Model>> {
    let counter = if flow_hash.is_some() { Column::FlowAttempts } else { Column::Attempts };
    let updated = account_codes::Entity::update_many()
        .col_expr(counter, Expr::col(counter).add(1))
        .filter(match presented.account {
            Account::Id(id) => Column::UserId.eq(id),
            // The current e-mail address of the account, to which the code must have been sent.
            Account::Of(email) => Column::UserId.in_subquery(users_with(email)).and(Column::Email.eq(email.as_str())),
        })
        .filter(Column::Purpose.eq(presented.purpose))
        .filter(counter.lt(MAX_ATTEMPTS))
        .filter(Column::ExpiresAt.gt(auth.clock.now()))
        .filter(Column::CodeHash.is_not_null())
        .apply_if(flow_hash, |update, flow_hash| update.filter(Column::FlowHash.eq(flow_hash)))
        .exec_with_returning(transaction)
        .await?;
    Ok(updated)
}

/// Redeems a code that [`verify`] has accepted, in the transaction of the operation that it allows.
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

fn users_with(email: &Email) -> sea_orm::sea_query::SelectStatement {
    Query::select()
        .column((users::Entity, users::Column::Id))
        .from(users::Entity)
        .and_where(users::Column::Email.eq(email.as_str()))
        .to_owned()
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
