//! Codes sent by mail, and the reset token that such a code buys: random, hashed, short-lived, good for one purpose of
//! one account, and once. There is at most one of each purpose, so the newest wins.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use entity::account_codes::{self, Column, Model};
use entity::{CodePurpose, users};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set, TransactionSession as _};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::auth::context::Auth;
use crate::domain::auth::throttle::{Action, Attempt};
use crate::domain::records::outbox;
use crate::domain::values::client::Client;
use crate::domain::values::email::Email;
use crate::domain::values::one_time_code::OneTimeCode;
use crate::domain::values::value::{Shape, Value, at_most};
use crate::error::{Error, Result, Violation};

/// How often a code may be tried.
const MAX_ATTEMPTS: i32 = 5;

/// Random bytes in a reset token, behind the id of the account.
const TOKEN_BYTES: usize = 32;

/// A code as it is mailed. It is stored nowhere.
#[derive(Clone)]
pub struct Code {
    /// Six digits.
    pub digits: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Code(…)")
    }
}

/// A reset token as it is handed out. It is stored nowhere.
#[derive(Clone)]
pub struct ResetToken {
    /// Text for a URL or a JSON member.
    pub text: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

impl std::fmt::Debug for ResetToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ResetToken(…)")
    }
}

/// A reset token as a client presents it.
pub struct PresentedResetToken(String);

impl PresentedResetToken {
    /// The most characters.
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

/// What a code must be presented for.
#[derive(Clone, Copy, Debug)]
pub enum Account<'a> {
    /// The account with this address.
    Of(&'a Email),
    /// This account.
    Id(Uuid),
}

/// Makes a code in the place of any other of the same purpose.
///
/// # Errors
/// Fails when the database or the system's randomness does.
pub async fn issue(
    db: &impl ConnectionTrait,
    auth: &Auth,
    user_id: Uuid,
    purpose: CodePurpose,
    email: &str,
) -> Result<Code> {
    let digits = six_digits()?;
    let hash = auth.tokens.keys().hash(&parts(&user_id, purpose, digits.as_bytes()));
    let expires_at = replace(db, auth, user_id, purpose, email, Some(hash)).await?;
    Ok(Code { digits, expires_at })
}

/// Makes the code for a change of address to `email`, if that is still the change that is under way.
///
/// # Errors
/// Fails when the database or the system's randomness does.
pub async fn issue_for_change(
    db: &impl ConnectionTrait,
    auth: &Auth,
    user_id: Uuid,
    email: &str,
) -> Result<Option<Code>> {
    let digits = six_digits()?;
    let hash = auth.tokens.keys().hash(&parts(&user_id, CodePurpose::ChangeEmail, digits.as_bytes()));
    let expires_at = auth.clock.now() + auth.code_life;
    let made = account_codes::Entity::update_many()
        .col_expr(Column::CodeHash, Expr::value(Some(hash)))
        .col_expr(Column::Attempts, Expr::value(0))
        .col_expr(Column::ExpiresAt, Expr::value(expires_at))
        .filter(Column::UserId.eq(user_id))
        .filter(Column::Purpose.eq(CodePurpose::ChangeEmail))
        .filter(Column::Email.eq(email))
        .exec(db)
        .await?;
    Ok((made.rows_affected > 0).then_some(Code { digits, expires_at }))
}

/// Writes down that the account is to have another address, in the place of any other such wish. The code is made when
/// the mail leaves.
///
/// # Errors
/// Fails when the database does.
pub async fn begin_change(transaction: &impl ConnectionTrait, auth: &Auth, user_id: Uuid, email: &Email) -> Result<()> {
    replace(transaction, auth, user_id, CodePurpose::ChangeEmail, email.as_str(), None).await.map(drop)
}

async fn replace(
    db: &impl ConnectionTrait,
    auth: &Auth,
    user_id: Uuid,
    purpose: CodePurpose,
    email: &str,
    code_hash: Option<String>,
) -> Result<DateTime<Utc>> {
    let now = auth.clock.now();
    let expires_at = now + auth.code_life;
    let code = account_codes::ActiveModel {
        user_id: Set(user_id),
        purpose: Set(purpose),
        email: Set(email.to_owned()),
        code_hash: Set(code_hash),
        attempts: Set(0),
        expires_at: Set(expires_at),
        created_at: Set(now),
    };
    let newest_wins = OnConflict::columns([Column::UserId, Column::Purpose])
        .update_columns([Column::Email, Column::CodeHash, Column::Attempts, Column::ExpiresAt, Column::CreatedAt])
        .to_owned();
    account_codes::Entity::insert(code).on_conflict(newest_wins).exec_without_returning(db).await?;
    Ok(expires_at)
}

/// Presents a code, for a client whose wrong ones are counted.
///
/// # Errors
/// A violation in `code`, the same whatever is wrong with it; [`Error::TooMany`].
pub async fn present(
    db: &impl Transact,
    auth: &Auth,
    account: Account<'_>,
    purpose: CodePurpose,
    code: &OneTimeCode,
    client: &Client,
) -> Result<Model> {
    let name = match account {
        Account::Of(email) => email.as_str().to_owned(),
        Account::Id(id) => id.to_string(),
    };
    let attempt = Attempt::new(auth, Action::ValidateCode, Some(&name), client);
    let throttle = attempt.state(db).await?;
    throttle.check()?;
    // The row of the code is locked by the try, and the answer is given when that is on record: of a burst of guesses no
    // more than MAX_ATTEMPTS are looked at. One commit, whether or not there is such a code.
    let transaction = db.begin().await?;
    let tried = try_once(&transaction, auth, account, purpose).await?;
    let right = |found: &Model| {
        let hash = found.code_hash.as_deref().unwrap_or_default();
        auth.tokens.keys().is_hash(hash, &parts(&found.user_id, purpose, code.as_str().as_bytes()))
    };
    let found = tried.filter(right);
    match found {
        Some(_) => attempt.clear(&transaction).await?,
        None => attempt.count(&transaction, &throttle).await?,
    }
    transaction.commit().await?;
    found.ok_or_else(|| wrong("code").into())
}

/// Uses up one of the tries of a code, if there is such a code and it has any left.
async fn try_once(
    transaction: &impl ConnectionTrait,
    auth: &Auth,
    account: Account<'_>,
    purpose: CodePurpose,
) -> Result<Option<Model>> {
    let tried = account_codes::Entity::update_many()
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
        .filter(match account {
            Account::Id(id) => Column::UserId.eq(id),
            // The address that it has now, and that the code went to.
            Account::Of(email) => Column::UserId.in_subquery(with_email(email)).and(Column::Email.eq(email.as_str())),
        })
        .filter(Column::Purpose.eq(purpose))
        .filter(Column::Attempts.lt(MAX_ATTEMPTS))
        .filter(Column::ExpiresAt.gt(auth.clock.now()))
        .filter(Column::CodeHash.is_not_null())
        .exec_with_returning(transaction)
        .await?;
    Ok(tried.into_iter().next())
}

/// Uses up a code that was found right, as part of the transaction of what it allows.
///
/// # Errors
/// A violation in `code` when it has been used up, or replaced, meanwhile.
pub async fn redeem(transaction: &impl ConnectionTrait, code: &Model) -> Result<()> {
    let redeemed = account_codes::Entity::delete_many()
        .filter(Column::UserId.eq(code.user_id))
        .filter(Column::Purpose.eq(code.purpose))
        .filter(Column::CodeHash.eq(code.code_hash.clone()))
        .exec(transaction)
        .await?;
    if redeemed.rows_affected == 1 { Ok(()) } else { Err(wrong("code").into()) }
}

/// Makes a reset token in the place of any other, as part of the transaction that redeems the code.
///
/// # Errors
/// Fails when the database or the system's randomness does.
pub async fn issue_token(transaction: &impl ConnectionTrait, auth: &Auth, code: &Model) -> Result<ResetToken> {
    let mut secret = [0; TOKEN_BYTES];
    getrandom::fill(&mut secret).map_err(Error::internal)?;
    let purpose = CodePurpose::SetPassword;
    let hash = auth.tokens.keys().hash(&parts(&code.user_id, purpose, &secret));
    let expires_at = replace(transaction, auth, code.user_id, purpose, &code.email, Some(hash)).await?;
    let text = URL_SAFE_NO_PAD.encode([code.user_id.as_bytes().as_slice(), &secret].concat());
    Ok(ResetToken { text, expires_at })
}

/// The row of a reset token that can still be redeemed.
///
/// # Errors
/// A violation in `reset_token`.
pub async fn find_token(db: &impl ConnectionTrait, auth: &Auth, token: &PresentedResetToken) -> Result<Model> {
    let read = || {
        let bytes = URL_SAFE_NO_PAD.decode(&token.0).ok()?;
        let (user_id, secret) = bytes.split_first_chunk::<16>()?;
        Some((Uuid::from_bytes(*user_id), secret.to_vec()))
    };
    let (user_id, secret) = read().ok_or_else(|| wrong("reset_token"))?;
    let found = account_codes::Entity::find_by_id((user_id, CodePurpose::SetPassword))
        .filter(Column::ExpiresAt.gt(auth.clock.now()))
        .one(db)
        .await?;
    let right = |found: &Model| {
        let hash = found.code_hash.as_deref().unwrap_or_default();
        auth.tokens.keys().is_hash(hash, &parts(&user_id, CodePurpose::SetPassword, &secret))
    };
    found.filter(right).ok_or_else(|| wrong("reset_token").into())
}

/// Uses up a reset token, as part of the transaction of the reset.
///
/// # Errors
/// A violation in `reset_token` when it has been used up, or replaced, meanwhile.
pub async fn redeem_token(transaction: &impl ConnectionTrait, token: &Model) -> Result<()> {
    redeem(transaction, token).await.map_err(|error| match error {
        Error::Invalid(_) => wrong("reset_token").into(),
        error => error,
    })
}

/// Voids whatever lets the password be set anew, as part of the transaction that has set it.
///
/// # Errors
/// Fails when the database does.
pub async fn void_resets(transaction: &impl ConnectionTrait, user_id: Uuid) -> Result<()> {
    account_codes::Entity::delete_many()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::Purpose.is_in([CodePurpose::ResetPassword, CodePurpose::SetPassword]))
        .exec(transaction)
        .await?;
    Ok(())
}

/// Removes codes that have ended.
///
/// # Errors
/// Fails when the database does.
pub async fn sweep(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u64> {
    // A change of address whose mail has not left yet has no code; it may wait for as long as the mail does.
    let is_waiting = Column::CodeHash.is_null().and(Column::ExpiresAt.gte(now - outbox::GIVE_UP_AFTER));
    let over = account_codes::Entity::delete_many().filter(Column::ExpiresAt.lt(now)).filter(is_waiting.not());
    Ok(over.exec(db).await?.rows_affected)
}

fn with_email(email: &Email) -> sea_orm::sea_query::SelectStatement {
    Query::select()
        .column((users::Entity, users::Column::Id))
        .from(users::Entity)
        .and_where(users::Column::Email.eq(email.as_str()))
        .to_owned()
}

fn parts<'a>(user_id: &'a Uuid, purpose: CodePurpose, secret: &'a [u8]) -> [&'a [u8]; 4] {
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
    // The remainder of 64 random bits favours no code by more than one in ten trillion.
    Ok(format!("{:06}", u64::from_le_bytes(random) % 1_000_000))
}

/// What is said of a code, or token, whatever is wrong with it.
pub(in crate::domain) fn wrong(field: &'static str) -> Violation {
    Violation::new(field, "wrong", "is not valid: mistyped, used up, replaced, expired, or tried too often")
}
