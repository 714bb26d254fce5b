//! Throttle: growing waits after repeated failures, so that guessing is slow and nobody can lock out another user.
//!
//! Each attempt has two counters: one for the account together with the client's address, one for the address. Failures
//! from another address therefore never count against the owner, and trying one password on many accounts is slowed
//! down on all of them. Some attempts are free; each further one doubles the wait. Refused attempts are not counted,
//! and a counter without attempts for some time is reset, so every wait ends.
//!
//! Counters are rows of the database, shared by all instances. Their keys are HMACs, which reveal no personal data. While
//! keys are exchanged there is a row for each of them, so that no counter starts again.

use chrono::{DateTime, Duration, Utc};
use entity::MailKind;
use entity::throttles::{self, Column};
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, LockBehavior, LockType, OnConflict, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::domain::auth::context::Auth;
use crate::domain::auth::limits::Limits;
use crate::domain::values::backoff::backoff;
use crate::domain::values::client::Client;
use crate::error::{Error, Result};

/// `blocked_until` of a counter with free attempts left. Not the current time, which differs between two concurrent
/// attempts.
const NEVER_BLOCKED: DateTime<Utc> = DateTime::UNIX_EPOCH;

/// The kinds of attempts that are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Failed log-ins, and wrong current passwords.
    LogIn,
    /// Registrations.
    Register,
    /// Requests for a password reset.
    ForgotPassword,
    /// Wrong codes.
    ValidateCode,
    /// Requests for another verification code.
    Resend,
    /// Wrong codes of invitations.
    UseInvitation,
    /// Wrong codes of bookings, by staff.
    FindArrival,
}

/// An attempt, with its counters.
#[derive(Debug)]
pub struct Attempt<'a> {
    limits: &'a Limits,
    longest_wait: Duration,
    now: DateTime<Utc>,
    /// Key and free attempts. Sorted, so that two statements lock rows in the same order.
    counters: Vec<(Uuid, i32)>,
    of_account: Vec<Uuid>,
}

#[derive(FromQueryResult)]
struct Counter {
    key: Uuid,
    over_limit: i32,
    blocked_until: DateTime<Utc>,
}

/// The state of the counters of an attempt.
#[derive(Clone, Copy, Debug, Default)]
pub struct ThrottleState {
    account_wait: Option<Duration>,
    address_wait: Option<Duration>,
    /// Whether there are failures of this account from this address.
    pub has_failed: bool,
    /// Whether the free attempts of the account from this address are used up.
    is_over_limit: bool,
}

impl ThrottleState {
    /// Checks that there is no wait.
    ///
    /// # Errors
    /// Returns [`Error::TooMany`] if the throttle imposes a wait.
    pub fn check(&self) -> Result<()> {
        self.account_wait.max(self.address_wait).map_or(Ok(()), |retry_after| Err(Error::TooMany { retry_after }))
    }

    /// Checks that there is no wait for this account from this address. The address as a whole may have one.
    ///
    /// # Errors
    /// Returns [`Error::TooMany`] if the throttle imposes a wait.
    pub fn check_account(&self) -> Result<()> {
        self.account_wait.map_or(Ok(()), |retry_after| Err(Error::TooMany { retry_after }))
    }
}

impl<'a> Attempt<'a> {
    /// An attempt by a client, on an account if it names one.
    #[must_use]
    pub fn new(auth: &'a Auth, action: Action, account: Option<&str>, client: &Client) -> Self {
        let (limits, keys) = (&auth.limits, auth.tokens.keys());
        let (name, (per_account, per_address)) = match action {
            Action::LogIn => ("login", (limits.login_per_account, limits.login_per_address)),
            Action::Register => ("register", (limits.register_per_address, limits.register_per_address)),
            Action::ForgotPassword => {
                ("forgot-password", (limits.forgot_password_per_account, limits.forgot_password_per_address))
            }
            Action::ValidateCode => {
                ("validate-code", (limits.validate_code_per_account, limits.validate_code_per_address))
            }
            Action::Resend => ("resend", (limits.resend_per_account, limits.resend_per_address)),
            Action::FindArrival => ("find-arrival", (limits.arrival_per_account, limits.arrival_per_address)),
            Action::UseInvitation => ("use-invitation", (limits.invitation_per_account, limits.invitation_per_address)),
        };
        let network = client.network();
        let ids =
            |account: &str| keys.hmac_ids(&[b"throttle", name.as_bytes(), network.as_bytes(), account.as_bytes()]);
        let of_account = account.map(ids).unwrap_or_default();
        let limit = |ids: Vec<Uuid>, limit| ids.into_iter().map(move |key| (key, free(limit)));
        let counters = limit(of_account.clone(), per_account).chain(limit(ids(""), per_address));
        Self { of_account, ..Self::of(auth, counters.collect()) }
    }

    /// A mail to a recipient that other people can cause. Those that reset the password are counted apart, so that mails
    /// of other kinds cannot delay them.
    #[must_use]
    pub fn mail(auth: &'a Auth, kind: MailKind, recipient: &str) -> Self {
        let name: &[u8] = if kind == MailKind::ResetPassword { b"reset-mail" } else { b"mail" };
        let ids = auth.tokens.keys().hmac_ids(&[b"throttle", name, recipient.as_bytes()]);
        let counters = ids.into_iter().map(|key| (key, free(auth.limits.mails_per_recipient)));
        // Shorter than the lifetime of a code.
        let longest_wait = Ord::min(auth.limits.longest_wait(), auth.code_life / 2);
        Self { longest_wait, ..Self::of(auth, counters.collect()) }
    }

    fn of(auth: &'a Auth, mut counters: Vec<(Uuid, i32)>) -> Self {
        counters.sort_unstable();
        let longest_wait = auth.limits.longest_wait();
        Self { limits: &auth.limits, longest_wait, now: auth.clock.now(), counters, of_account: Vec::new() }
    }

    /// The time of the attempt.
    #[must_use]
    pub fn time(&self) -> DateTime<Utc> {
        self.now
    }

    /// Reads the counters.
    ///
    /// # Errors
    /// Database errors.
    pub async fn state(&self, db: &impl ConnectionTrait) -> Result<ThrottleState> {
        if !self.limits.enabled {
            return Ok(ThrottleState::default());
        }
        let counters: Vec<Counter> = throttles::Entity::find()
            .select_only()
            .columns([Column::Key, Column::OverLimit, Column::BlockedUntil])
            .filter(Column::Key.is_in(self.counters.iter().map(|(key, _)| *key)))
            .into_model()
            .all(db)
            .await?;
        let mut state = ThrottleState::default();
        for counter in counters {
            let wait = (counter.blocked_until > self.now).then(|| counter.blocked_until - self.now);
            if self.of_account.contains(&counter.key) {
                state.account_wait = state.account_wait.max(wait);
                state.has_failed = true;
                state.is_over_limit |= counter.over_limit > 0;
            } else {
                state.address_wait = state.address_wait.max(wait);
            }
        }
        Ok(state)
    }

    /// Counts a failed attempt. Once the free attempts of the account from this address are used up, the address is no
    /// longer charged: a device that retries an old password for ever must not slow down its neighbours.
    ///
    /// # Errors
    /// Database errors.
    pub async fn count(&self, db: &impl ConnectionTrait, state: &ThrottleState) -> Result<()> {
        let charged = |(key, _): &&(Uuid, i32)| !state.is_over_limit || self.of_account.contains(key);
        let counters: Vec<_> = self.counters.iter().filter(charged).copied().collect();
        self.count_counters(db, &counters).await.map(drop)
    }

    /// Counts an attempt, whether or not it will succeed, unless there is a wait. Both are one statement; after an
    /// error the transaction must not be committed.
    ///
    /// # Errors
    /// [`Error::TooMany`] if there is a wait.
    pub async fn count_and_check(&self, db: &impl ConnectionTrait) -> Result<()> {
        if self.count_counters(db, &self.counters).await? < self.counters.len() {
            self.state(db).await?.check()?;
        }
        Ok(())
    }

    /// Writes the counters without changing them.
    ///
    /// # Errors
    /// Database errors.
    pub async fn touch(&self, db: &impl ConnectionTrait) -> Result<()> {
        let touched = throttles::Entity::update_many()
            .col_expr(Column::ForgetAt, Expr::col(Column::ForgetAt))
            .filter(Column::Key.is_in(self.counters.iter().map(|(key, _)| *key)));
        touched.exec(db).await?;
        Ok(())
    }

    /// Deletes the failures of the account from this address, after its password was right.
    ///
    /// # Errors
    /// Database errors.
    pub async fn clear(&self, db: &impl ConnectionTrait) -> Result<()> {
        if !self.of_account.is_empty() {
            let keys = self.of_account.iter().copied();
            throttles::Entity::delete_many().filter(Column::Key.is_in(keys)).exec(db).await?;
        }
        Ok(())
    }

    /// Increments the counters that are not blocked. Returns their number.
    async fn count_counters(&self, db: &impl ConnectionTrait, counters: &[(Uuid, i32)]) -> Result<usize> {
        if !self.limits.enabled {
            return Ok(counters.len());
        }
        let forget_at = self.now + self.limits.forget_after();
        let mut insert = Query::insert();
        insert.into_table(throttles::Entity).columns([
            Column::Key,
            Column::OverLimit,
            Column::BlockedUntil,
            Column::ForgetAt,
        ]);
        for (key, free) in counters {
            // The last free attempt is followed by the first wait.
            let over_limit = 2 - Ord::max(*free, 1);
            let until = if over_limit > 0 { self.now + self.wait(over_limit) } else { NEVER_BLOCKED };
            insert
                .values([Expr::value(*key), Expr::value(over_limit), Expr::value(until), Expr::value(forget_at)])
                .map_err(Error::internal)?;
        }
        insert.on_conflict(self.upsert()).returning_col(Column::Key);
        Ok(db.query_all(&insert).await?.len())
    }

    /// The upsert of an existing counter: it starts again if its time is over, else it is incremented. A blocked
    /// counter stays as it is, and the statement does not return it.
    fn upsert(&self) -> OnConflict {
        let old = |column| Expr::col((throttles::Entity, column));
        let fresh = |column| Expr::col(("excluded", column));
        let is_over = || old(Column::ForgetAt).lte(self.now);
        let mut until = CaseStatement::new().case(is_over(), fresh(Column::BlockedUntil));
        until = until.case(old(Column::OverLimit).lt(0), Expr::value(NEVER_BLOCKED));
        let mut over_limit = 1;
        while self.wait(over_limit) < self.longest_wait {
            let wait = Expr::value(self.now + self.wait(over_limit));
            until = until.case(old(Column::OverLimit).lt(over_limit), wait);
            over_limit += 1;
        }
        until = until.finally(Expr::value(self.now + self.longest_wait));
        let over_limit =
            CaseStatement::new().case(is_over(), fresh(Column::OverLimit)).finally(old(Column::OverLimit).add(1));
        OnConflict::column(Column::Key)
            .value(Column::OverLimit, over_limit)
            .value(Column::BlockedUntil, until)
            .value(Column::ForgetAt, fresh(Column::ForgetAt))
            .action_and_where(old(Column::BlockedUntil).lte(self.now).or(is_over()))
            .to_owned()
    }

    /// The wait after the attempt with this number above the limit.
    fn wait(&self, over_limit: i32) -> Duration {
        backoff(self.limits.first_wait(), self.longest_wait, over_limit - 1)
    }
}

fn free(attempts: u32) -> i32 {
    i32::try_from(attempts).unwrap_or(i32::MAX)
}

/// Deletes counters whose time is over.
///
/// # Errors
/// Database errors.
pub async fn sweep(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u64> {
    let over = Query::select()
        .column(Column::Key)
        .from(throttles::Entity)
        .and_where(Expr::col(Column::ForgetAt).lt(now))
        // A counter that is just being incremented is skipped.
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .to_owned();
    Ok(throttles::Entity::delete_many().filter(Column::Key.in_subquery(over)).exec(db).await?.rows_affected)
}
