//! Delivery worker: a background task that sends the mails of the outbox. Several instances may run one each.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use entity::outbox as table;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

use super::{Mailer, SendError};
use crate::db::Db;
use crate::domain::auth::context::Auth;
use crate::domain::mail_messages::{self, Outcome};
use crate::domain::records::outbox::{self, Failure};
use crate::domain::values::backoff::backoff;
use crate::error::{Result, with_causes};

/// Polling interval while the outbox is empty.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Renewal interval of the claims to mails that are being sent.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(5);

/// Minimum interval of claims, and of removals of sent mails from the outbox. A transaction for each mail would compete with
/// requests for the database, and mails have time.
const BATCH_INTERVAL: Duration = Duration::from_millis(50);

/// Maximum number of mails that are claimed at the same time: those being sent, and those sent but not removed yet. Only
/// these can be sent twice, by a crash.
const MAX_IN_FLIGHT: usize = 16;

/// Longest back-off while the mail server or the database is unavailable.
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// Delivery worker.
#[derive(Clone, Debug)]
pub struct DeliveryWorker {
    db: Db,
    auth: Arc<Auth>,
    mailer: Mailer,
    /// Mails that are claimed and still being sent.
    claims: Claims,
}

/// Ids of the claimed mails.
#[derive(Clone, Debug, Default)]
struct Claims(Arc<Mutex<BTreeSet<Uuid>>>);

/// Claim to one mail. It is renewed until this guard is dropped, even by a panic.
struct Claim {
    claims: Claims,
    id: Uuid,
}

/// Outcome of a delivery.
struct Delivery {
    server: ServerState,
    /// The claim to a mail that was sent or is not needed: it is to be removed from the outbox.
    done: Option<Claim>,
}

impl Delivery {
    fn unsent(server: ServerState) -> Self {
        Self { server, done: None }
    }
}

/// State of the mail server after a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ServerState {
    Available,
    Unavailable,
    /// The mail was not sent, so nothing is known.
    Unknown,
}

/// Back-off state: results of the last attempts, and the time of the next poll.
#[derive(Debug)]
struct Backoff {
    /// Consecutive batches of mails that failed because the mail server was unavailable.
    server_failures: u32,
    /// Whether the failure of the current batch has been counted.
    is_counted: bool,
    /// Consecutive polls that failed because of the database.
    database_failures: u32,
    next_poll: Instant,
    /// Earliest time of the next poll after one that has claimed mails.
    next_batch: Instant,
}

impl DeliveryWorker {
    /// Creates a delivery worker.
    #[must_use]
    pub fn new(db: Db, auth: Arc<Auth>, mailer: Mailer) -> Self {
        Self { db, auth, mailer, claims: Claims::default() }
    }

    /// Runs until `stop` is set, and then until the mails that are being sent have arrived.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut in_flight = JoinSet::new();
        let mut done: Vec<Claim> = Vec::new();
        let mut backoff = Backoff::new();
        let mut renewal = tokio::time::interval_at(Instant::now() + RENEWAL_INTERVAL, RENEWAL_INTERVAL);
        loop {
            let is_stopping = *stop.borrow();
            if is_stopping && in_flight.is_empty() {
                if let Err(error) = self.remove(&mut done).await {
                    log::warn!("cannot remove sent mails, which will be sent again: {error}");
                }
                return;
            }
            let is_time = Instant::now() >= backoff.next_poll;
            if is_time && let Err(error) = self.remove(&mut done).await {
                log::warn!("cannot remove sent mails; retrying: {error}");
                backoff.polled(&Err(error));
                continue;
            }
            let capacity = MAX_IN_FLIGHT.saturating_sub(in_flight.len() + done.len());
            let has_capacity = !is_stopping && capacity > 0;
            if has_capacity && is_time {
                let claimed = self.start_deliveries(&mut in_flight, capacity).await;
                backoff.polled(&claimed);
                if let Err(error) = claimed {
                    log::error!("cannot read the outbox; retrying: {}", with_causes(&error));
                }
                continue;
            }
            tokio::select! {
                Some(joined) = in_flight.join_next() => match joined {
                    Ok(delivery) => {
                        done.extend(delivery.done);
                        backoff.finished(delivery.server);
                    }
                    Err(error) => log::error!("the delivery of a mail failed: {error}"),
                },
                _ = renewal.tick() => self.renew_claims().await,
                () = tokio::time::sleep_until(backoff.next_poll), if has_capacity || !done.is_empty() => {}
                _ = stop.changed(), if !is_stopping => {}
            }
        }
    }

    /// Claims due mails, and starts their delivery. Returns their number.
    async fn start_deliveries(&self, in_flight: &mut JoinSet<Delivery>, capacity: usize) -> Result<usize> {
        let mails = outbox::claim(&self.db, self.auth.clock.now(), capacity).await?;
        let count = mails.len();
        for mail in mails {
            let (worker, claim) = (self.clone(), self.claims.add(mail.id));
            in_flight.spawn(async move { worker.deliver(&mail, claim).await });
        }
        Ok(count)
    }

    /// Sends one mail and records the result.
    async fn deliver(&self, mail: &table::Model, claim: Claim) -> Delivery {
        match self.try_to_deliver(mail, claim).await {
            Ok(delivery) => delivery,
            Err(error) => {
                // The claim expires, and the mail is sent later.
                log::error!("mail.id" = mail.id.to_string(); "a mail is delayed: {}", with_causes(&error));
                Delivery::unsent(ServerState::Unknown)
            }
        }
    }

    async fn try_to_deliver(&self, mail: &table::Model, claim: Claim) -> Result<Delivery> {
        let message = match mail_messages::prepare(&self.db, &self.auth, mail).await? {
            Outcome::Send(message) => message,
            Outcome::Skip => return Ok(Delivery { server: ServerState::Unknown, done: Some(claim) }),
            Outcome::Postpone(time) => {
                drop(claim);
                outbox::postpone(&self.db, mail, time).await?;
                return Ok(Delivery::unsent(ServerState::Unknown));
            }
        };
        let Err(error) = self.mailer.send(mail, &message).await else {
            return Ok(Delivery { server: ServerState::Available, done: Some(claim) });
        };
        // From here on the claim must not be renewed: its column becomes the time of the next attempt.
        drop(claim);
        let failure = outbox::record_failure(&self.db, mail, error.is_permanent(), self.auth.clock.now()).await?;
        log_failure(mail, &error, failure);
        let is_available = !error.affects_all_mails();
        Ok(Delivery::unsent(if is_available { ServerState::Available } else { ServerState::Unavailable }))
    }

    /// Removes mails that were sent or are not needed from the outbox. If that fails, it is tried again; if the database is
    /// unavailable for longer than the claims, they are sent again.
    async fn remove(&self, done: &mut Vec<Claim>) -> Result<()> {
        if !done.is_empty() {
            let ids: Vec<Uuid> = done.iter().map(|claim| claim.id).collect();
            outbox::remove_all(&self.db, &ids).await?;
            done.clear();
        }
        Ok(())
    }

    async fn renew_claims(&self) {
        let claimed = self.claims.all();
        if claimed.is_empty() {
            return;
        }
        if let Err(error) = outbox::renew_claims(&self.db, &claimed, self.auth.clock.now()).await {
            log::error!("cannot renew the claims to mails: {}", with_causes(&error));
        }
    }
}

impl Claims {
    fn add(&self, id: Uuid) -> Claim {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        Claim { claims: self.clone(), id }
    }

    fn all(&self) -> Vec<Uuid> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.claims.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

impl Backoff {
    fn new() -> Self {
        let now = Instant::now();
        Self { server_failures: 0, is_counted: false, database_failures: 0, next_poll: now, next_batch: now }
    }

    /// Records the result of a poll.
    fn polled(&mut self, claimed: &Result<usize>) {
        let pause = match claimed {
            Ok(count) => {
                self.database_failures = 0;
                if *count == 0 {
                    POLL_INTERVAL
                } else {
                    self.is_counted = false;
                    self.next_batch = Instant::now() + BATCH_INTERVAL;
                    Ord::max(BATCH_INTERVAL, backoff_delay(self.server_failures))
                }
            }
            Err(_) => {
                self.database_failures += 1;
                backoff_delay(self.database_failures)
            }
        };
        self.next_poll = Instant::now() + pause;
    }

    /// Records the end of a delivery.
    fn finished(&mut self, server: ServerState) {
        match server {
            ServerState::Available => (self.server_failures, self.next_poll) = (0, self.next_batch),
            // Counted once for all mails that were sent at the same time.
            ServerState::Unavailable if !self.is_counted => {
                (self.server_failures, self.is_counted) = (self.server_failures + 1, true);
                self.next_poll = Instant::now() + backoff_delay(self.server_failures);
            }
            // The next mail to the same recipient may be due.
            ServerState::Unknown if self.server_failures == 0 => self.next_poll = self.next_batch,
            ServerState::Unavailable | ServerState::Unknown => {}
        }
    }
}

fn log_failure(mail: &table::Model, error: &SendError, failure: Failure) {
    let (id, attempts) = (mail.id.to_string(), mail.attempts);
    match failure {
        Failure::Retry(_) => log::warn!("mail.id" = id, "mail.attempts" = attempts; "mail not sent; retrying: {error}"),
        Failure::GivenUp => log::error!("mail.id" = id, "mail.attempts" = attempts; "mail given up: {error}"),
    }
}

/// The delay after a number of failures in a row: none, then half a second, doubled with each further failure.
fn backoff_delay(failures: u32) -> Duration {
    let Some(retries) = failures.checked_sub(1) else { return Duration::ZERO };
    let chrono = |duration| chrono::Duration::from_std(duration).unwrap_or_default();
    let delay = backoff(chrono(POLL_INTERVAL), chrono(MAX_BACKOFF), i32::try_from(retries).unwrap_or(i32::MAX));
    delay.to_std().unwrap_or(MAX_BACKOFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn back_off_grows_while_the_mail_server_is_unavailable_and_ends_with_the_first_mail() {
        let mut backoff = Backoff::new();
        for expected in [1, 2, 3] {
            backoff.polled(&Ok(16));
            (0..15).for_each(|_| backoff.finished(ServerState::Unavailable));
            backoff.finished(ServerState::Unknown);
            assert_eq!(backoff.server_failures, expected);
            assert!(backoff.next_poll > Instant::now());
        }
        backoff.finished(ServerState::Available);
        assert!(backoff.server_failures == 0 && backoff.next_poll <= Instant::now() + BATCH_INTERVAL);
        assert_eq!(backoff_delay(40), MAX_BACKOFF);
    }

    #[test]
    fn a_claim_is_released_when_its_task_panics() {
        let claims = Claims::default();
        let claim = claims.add(Uuid::max());
        assert_eq!(claims.all(), [Uuid::max()]);
        std::thread::spawn(move || {
            let _claim = claim;
            panic!("on purpose");
        })
        .join()
        .unwrap_err();
        assert!(claims.all().is_empty());
    }
}
