//! Attempts to enter a code that was sent by mail: each is counted before the code is compared, with the flow apart from
//! without.

use entity::account_codes::{self, Column, Model};
use entity::{CodePurpose, users};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryTrait as _, TransactionSession as _};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::auth::codes::{MAX_ATTEMPTS, hmac_input, wrong};
use crate::domain::auth::context::Auth;
use crate::domain::auth::flow::Flow;
use crate::domain::auth::throttle::{Action, Attempt};
use crate::domain::values::client::Client;
use crate::domain::values::email::Email;
use crate::domain::values::one_time_code::OneTimeCode;
use crate::error::Result;

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

/// Checks a code that a client has entered. Wrong codes are counted by the throttle.
///
/// # Errors
/// Returns a violation in `code`, which does not tell why the code is wrong, or [`TooMany`](crate::error::Error::TooMany), unless the code and its
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
        // A write, as when a code was found and its attempt counted: the response takes as long without one.
        attempt.touch(&transaction).await?;
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

fn users_with(email: &Email) -> sea_orm::sea_query::SelectStatement {
    Query::select()
        .column((users::Entity, users::Column::Id))
        .from(users::Entity)
        .and_where(users::Column::Email.eq(email.as_str()))
        .to_owned()
}
