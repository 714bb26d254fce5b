//! Slowing down what comes too often, so that guessing does not pay and yet nobody locks out anybody else.
//!
//! Two counters see each attempt: one for the account *and* the address it comes from, one for the address as a whole.
//! So a stranger's failures never count against the owner, who comes from elsewhere, and whoever tries one password on
//! many accounts is slowed on all of them. Some attempts are free; each one more doubles the wait until the next. Refused
//! attempts are not counted, and a counter that has seen nothing for a while starts again: a wait always ends by itself.
//!
//! Counters live in the database, hold across instances, and name nobody.

use chrono::{DateTime, Duration, Utc};
use entity::throttles::{self, Column};
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, LockBehavior, LockType, OnConflict, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::domain::auth::context::Auth;
use crate::domain::values::client::Client;
use crate::error::{Error, Result};

/// What `blocked_until` says while there are free attempts left: not the present, which of two attempts at once is not the
/// same for both.
const NEVER_BLOCKED: DateTime<Utc> = DateTime::UNIX_EPOCH;

/// How much is free, and how the waits grow.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Off means that nothing is counted.
    pub enabled: bool,
    /// The first wait. Each further one is twice as long,
    pub first_wait: Duration,
    /// but never longer than this.
    pub longest_wait: Duration,
    /// After so long without a count a counter starts again.
    pub forget_after: Duration,
    /// Failures to sign in, or to confirm with the password.
    pub login: Limit,
    /// Registrations.
    pub register: Limit,
    /// Requests for a code to reset the password.
    pub forgot_password: Limit,
    /// Failures to present the right code.
    pub validate_code: Limit,
    /// Requests for another code to confirm an address.
    pub resend: Limit,
    /// Mails to one address that strangers can cause.
    pub mails: u32,
    /// Contacts that one user may add in an hour; see [`crate::domain::auth::quota`].
    pub contacts_per_hour: u32,
    /// Files of contacts that one user may import in an hour.
    pub imports_per_hour: u32,
}

/// How many attempts are free.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// On one account from one address.
    pub per_account: u32,
    /// From one address in all.
    pub per_address: u32,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Failures to sign in, or to confirm with the password.
    LogIn,
    /// Registrations.
    Register,
    /// Requests for a code to reset the password.
    ForgotPassword,
    /// Failures to present the right code.
    ValidateCode,
    /// Requests for another code to confirm an address.
    Resend,
}

/// The counters that see one attempt.
#[derive(Debug)]
pub struct Attempt<'a> {
    limits: &'a Limits,
    longest_wait: Duration,
    now: DateTime<Utc>,
    /// Sorted, so that two statements never wait for each other crosswise.
    counters: Vec<(Uuid, i32)>,
    of_account: Option<Uuid>,
}

#[derive(FromQueryResult)]
struct Found {
    key: Uuid,
    excess: i32,
    blocked_until: DateTime<Utc>,
}

/// What the counters of an attempt say.
#[derive(Clone, Copy, Debug, Default)]
pub struct Standing {
    account_wait: Option<Duration>,
    address_wait: Option<Duration>,
    /// Whether the account has failures on record, from this address.
    pub has_failed: bool,
    /// Whether they have used up what is free.
    is_over: bool,
}

impl Standing {
    /// Passes unless there is a wait.
    ///
    /// # Errors
    /// [`Error::TooMany`].
    pub fn admit(&self) -> Result<()> {
        self.account_wait.max(self.address_wait).map_or(Ok(()), |retry_after| Err(Error::TooMany { retry_after }))
    }

    /// Passes unless there is a wait for this account from this address; the address as a whole may have one.
    ///
    /// # Errors
    /// [`Error::TooMany`].
    pub fn admit_known(&self) -> Result<()> {
        self.account_wait.map_or(Ok(()), |retry_after| Err(Error::TooMany { retry_after }))
    }
}

impl<'a> Attempt<'a> {
    /// An attempt on an account, if it names one, from a client.
    #[must_use]
    pub fn new(auth: &'a Auth, action: Action, account: Option<&str>, client: &Client) -> Self {
        let (limits, keys) = (&auth.limits, auth.tokens.keys());
        let (name, limit) = match action {
            Action::LogIn => ("login", limits.login),
            Action::Register => ("register", limits.register),
            Action::ForgotPassword => ("forgot-password", limits.forgot_password),
            Action::ValidateCode => ("validate-code", limits.validate_code),
            Action::Resend => ("resend", limits.resend),
        };
        let network = client.network();
        let key = |account: &str| keys.id(&[b"throttle", name.as_bytes(), network.as_bytes(), account.as_bytes()]);
        let of_account = account.map(key);
        let of_account_limit = of_account.map(|key| (key, free(limit.per_account)));
        let counters = of_account_limit.into_iter().chain([(key(""), free(limit.per_address))]);
        Self { of_account, ..Self::of(auth, counters.collect()) }
    }

    /// A mail to an address that a stranger can cause.
    #[must_use]
    pub fn mail(auth: &'a Auth, recipient: &str) -> Self {
        let key = auth.tokens.keys().id(&[b"throttle", b"mail", recipient.as_bytes()]);
        // Within the life of a code there is always another one.
        let longest_wait = Ord::min(auth.limits.longest_wait, auth.code_life / 2);
        Self { longest_wait, ..Self::of(auth, vec![(key, free(auth.limits.mails))]) }
    }

    fn of(auth: &'a Auth, mut counters: Vec<(Uuid, i32)>) -> Self {
        counters.sort_unstable();
        let longest_wait = auth.limits.longest_wait;
        Self { limits: &auth.limits, longest_wait, now: auth.clock.now(), counters, of_account: None }
    }

    /// When it was made.
    #[must_use]
    pub fn time(&self) -> DateTime<Utc> {
        self.now
    }

    /// What the counters say.
    ///
    /// # Errors
    /// Fails when the database does.
    pub async fn standing(&self, db: &impl ConnectionTrait) -> Result<Standing> {
        if !self.limits.enabled {
            return Ok(Standing::default());
        }
        let found: Vec<Found> = throttles::Entity::find()
            .select_only()
            .columns([Column::Key, Column::Excess, Column::BlockedUntil])
            .filter(Column::Key.is_in(self.counters.iter().map(|(key, _)| *key)))
            .into_model()
            .all(db)
            .await?;
        let mut standing = Standing::default();
        for counter in found {
            let wait = (counter.blocked_until > self.now).then(|| counter.blocked_until - self.now);
            if Some(counter.key) == self.of_account {
                (standing.account_wait, standing.has_failed, standing.is_over) = (wait, true, counter.excess > 0);
            } else {
                standing.address_wait = wait;
            }
        }
        Ok(standing)
    }

    /// Counts an attempt that failed. Once an account has used up its free ones from here, the address is no longer
    /// charged: a device with a stale password that tries for ever must not slow down everybody beside it.
    ///
    /// # Errors
    /// Fails when the database does.
    pub async fn count(&self, db: &impl ConnectionTrait, standing: &Standing) -> Result<()> {
        let charged = |(key, _): &&(Uuid, i32)| !standing.is_over || Some(*key) == self.of_account;
        let counters: Vec<_> = self.counters.iter().filter(charged).copied().collect();
        self.counted(db, &counters).await.map(drop)
    }

    /// Counts an attempt, whatever becomes of it, unless there is a wait: then it is refused, by the same statement, and
    /// the transaction that `db` is must not be committed.
    ///
    /// # Errors
    /// [`Error::TooMany`].
    pub async fn admit(&self, db: &impl ConnectionTrait) -> Result<()> {
        if self.counted(db, &self.counters).await? < self.counters.len() {
            self.standing(db).await?.admit()?;
        }
        Ok(())
    }

    /// Forgets the failures of the account from this address, because its password has just been given.
    ///
    /// # Errors
    /// Fails when the database does.
    pub async fn forgive(&self, db: &impl ConnectionTrait) -> Result<()> {
        if let Some(key) = self.of_account {
            throttles::Entity::delete_by_id(key).exec(db).await?;
        }
        Ok(())
    }

    /// How many of the counters were not blocked, and have counted.
    async fn counted(&self, db: &impl ConnectionTrait, counters: &[(Uuid, i32)]) -> Result<usize> {
        if !self.limits.enabled {
            return Ok(counters.len());
        }
        let forget_at = self.now + self.limits.forget_after;
        let mut insert = Query::insert();
        insert.into_table(throttles::Entity).columns([
            Column::Key,
            Column::Excess,
            Column::BlockedUntil,
            Column::ForgetAt,
        ]);
        for (key, free) in counters {
            // The last free one is followed by the first wait.
            let excess = 2 - Ord::max(*free, 1);
            let until = if excess > 0 { self.now + self.wait(excess) } else { NEVER_BLOCKED };
            insert
                .values([Expr::value(*key), Expr::value(excess), Expr::value(until), Expr::value(forget_at)])
                .map_err(Error::internal)?;
        }
        insert.on_conflict(self.one_more()).returning_col(Column::Key);
        Ok(db.query_all(&insert).await?.len())
    }

    /// What becomes of a counter that is there: it starts again when it has forgotten, else it counts one more. While it
    /// is blocked nothing happens to it, and the statement does not return it.
    fn one_more(&self) -> OnConflict {
        let old = |column| Expr::col((throttles::Entity, column));
        let fresh = |column| Expr::col(("excluded", column));
        let forgotten = || old(Column::ForgetAt).lte(self.now);
        let mut until = CaseStatement::new().case(forgotten(), fresh(Column::BlockedUntil));
        until = until.case(old(Column::Excess).lt(0), Expr::value(NEVER_BLOCKED));
        let mut excess = 1;
        while self.wait(excess) < self.longest_wait {
            let wait = Expr::value(self.now + self.wait(excess));
            until = until.case(old(Column::Excess).lt(excess), wait);
            excess += 1;
        }
        until = until.finally(Expr::value(self.now + self.longest_wait));
        let count = CaseStatement::new().case(forgotten(), fresh(Column::Excess)).finally(old(Column::Excess).add(1));
        OnConflict::column(Column::Key)
            .value(Column::Excess, count)
            .value(Column::BlockedUntil, until)
            .value(Column::ForgetAt, fresh(Column::ForgetAt))
            .action_and_where(old(Column::BlockedUntil).lte(self.now).or(forgotten()))
            .to_owned()
    }

    /// The wait after the attempt number `excess` above the free ones.
    fn wait(&self, excess: i32) -> Duration {
        let doubled = u32::try_from(excess - 1).ok().and_then(|times| 2_i32.checked_pow(times));
        let wait = doubled.and_then(|factor| self.limits.first_wait.checked_mul(factor));
        wait.map_or(self.longest_wait, |wait| Ord::min(wait, self.longest_wait))
    }
}

fn free(attempts: u32) -> i32 {
    i32::try_from(attempts).unwrap_or(i32::MAX)
}

/// Removes counters that have forgotten.
///
/// # Errors
/// Fails when the database does.
pub async fn sweep(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u64> {
    let over = Query::select()
        .column(Column::Key)
        .from(throttles::Entity)
        .and_where(Expr::col(Column::ForgetAt).lt(now))
        // Whatever is being counted at this moment is not over.
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .to_owned();
    Ok(throttles::Entity::delete_many().filter(Column::Key.in_subquery(over)).exec(db).await?.rows_affected)
}
