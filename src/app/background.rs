//! Background tasks: polling for sessions that other instances have revoked, delivery of mail, the waitlist, bookings of
//! closed slots, and clean-up of expired rows.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::db::{Db, Transact as _};
use crate::domain::auth::codes;
use crate::domain::auth::quota;
use crate::domain::auth::sessions;
use crate::domain::auth::throttle;
use crate::domain::records::{idempotency, outbox};
use crate::domain::vaccination::{bound_invitations, closing, offers, waitlist};
use crate::error::{Result, with_causes};
use crate::mail::Mailer;
use crate::mail::delivery_worker::DeliveryWorker;
use crate::state::AppState;

/// Polling interval for sessions that other instances have revoked, and for the time of the database.
const POLLING_INTERVAL: Duration = Duration::from_secs(1);

/// Difference of the clocks above which a warning is logged.
const MAX_UNREPORTED_SKEW: chrono::Duration = chrono::Duration::seconds(2);

/// Interval of looking for closed slots that still have bookings.
const CLOSING_INTERVAL: Duration = Duration::from_secs(10);

/// Interval of ending offers that have expired, and of searching free slots for the waitlist.
const WAITLIST_INTERVAL: Duration = Duration::from_secs(1);

/// Interval of the clean-up in each instance.
const CLEANUP_INTERVAL: Duration = Duration::from_secs(600);

/// Shutdown timeout for mails that are being sent. A mail that takes longer may arrive twice.
const DELIVERY_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(4);

/// Handles of the running background tasks.
#[derive(Debug)]
pub(super) struct Background {
    stop: watch::Sender<bool>,
    delivery_worker: JoinHandle<()>,
    abortable: [JoinHandle<()>; 5],
}

impl Background {
    pub(super) fn start(state: &AppState, mailer: Mailer) -> Self {
        let (stop, stopped) = watch::channel(false);
        let worker = DeliveryWorker::new(state.db.clone(), state.auth.clone(), mailer);
        let db = state.db.for_polling();
        let abortable = [
            tokio::spawn(poll(state.clone())),
            tokio::spawn(clean_up(state.clone())),
            tokio::spawn(end_closed_bookings(state.clone(), db.clone())),
            tokio::spawn(end_offers(state.clone(), db)),
            tokio::spawn(search_free_slots(state.clone())),
        ];
        Self { stop, delivery_worker: tokio::spawn(worker.run(stopped)), abortable }
    }

    /// Stops all tasks. The delivery worker has [`DELIVERY_SHUTDOWN_TIMEOUT`] to complete the mails that it is sending.
    pub(super) async fn stop(mut self, state: &AppState) {
        self.stop.send_replace(true);
        for task in &self.abortable {
            task.abort();
        }
        if tokio::time::timeout(DELIVERY_SHUTDOWN_TIMEOUT, &mut self.delivery_worker).await.is_err() {
            self.delivery_worker.abort();
        }
        if let Err(error) = state.auth.seen_generations.write(&state.db).await {
            log::warn!("cannot write the generations that were seen: {}", with_causes(&error));
        }
    }
}

/// Reads every [`POLLING_INTERVAL`] which sessions were revoked and what time it is in the database, writes which
/// generations were seen, and drops revocations whose access tokens have expired.
async fn poll(state: AppState) {
    let (auth, db) = (&state.auth, state.db.for_polling());
    let mut interval = tokio::time::interval(POLLING_INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut read_until = auth.clock.now();
    let mut is_skewed = false;
    let [mut reading, mut measuring, mut writing] =
        ["read revoked sessions", "read the time of the database", "write the generations that were seen"]
            .map(Recurring::new);
    loop {
        interval.tick().await;
        let now = auth.clock.now();
        if reading.report(auth.revocations.read(&db, read_until).await).is_some() {
            read_until = now;
        }
        let skew = measuring.report(auth.skew.measure(&db, &auth.clock).await);
        writing.report(auth.seen_generations.write(&db).await);
        if let Some(skew) = skew {
            let was_skewed = std::mem::replace(&mut is_skewed, skew.abs() > MAX_UNREPORTED_SKEW);
            if is_skewed && !was_skewed {
                log::warn!(
                    "the clock of this instance differs from that of the database by {} ms",
                    skew.num_milliseconds()
                );
            }
        }
        auth.revocations.remove_expired(now - auth.tokens.lifetimes().access);
        auth.seen_generations.remove_expired(now - auth.tokens.lifetimes().access);
    }
}

/// Ends the bookings of closed slots where a process stopped before it had done so.
async fn end_closed_bookings(state: AppState, db: Db) {
    let mut interval = tokio::time::interval(CLOSING_INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut closing = Recurring::new("end the bookings of closed slots");
    loop {
        interval.tick().await;
        closing.report(closing::resume(&db, &state.vaccination).await);
    }
}

/// Ends offers that have expired.
async fn end_offers(state: AppState, db: Db) {
    let mut interval = tokio::time::interval(WAITLIST_INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut expiring = Recurring::new("end offers that have expired");
    loop {
        interval.tick().await;
        expiring.report(offers::end_expired(&db, &state.vaccination).await);
    }
}

/// Searches free slots for entries of the waitlist that may have missed a place.
async fn search_free_slots(state: AppState) {
    let mut interval = tokio::time::interval(WAITLIST_INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut searching = Recurring::new("search free slots for the waitlist");
    loop {
        interval.tick().await;
        searching.report(waitlist::search_all(&state.db, &state.vaccination).await);
    }
}

/// An operation that is repeated, whose failure is logged once until it succeeds again.
struct Recurring {
    what: &'static str,
    is_failing: bool,
}

impl Recurring {
    fn new(what: &'static str) -> Self {
        Self { what, is_failing: false }
    }

    fn report<T>(&mut self, outcome: Result<T>) -> Option<T> {
        let was_failing = std::mem::replace(&mut self.is_failing, outcome.is_err());
        match outcome {
            Ok(value) => {
                if was_failing {
                    log::info!("can {} again", self.what);
                }
                Some(value)
            }
            Err(error) => {
                if !was_failing {
                    log::error!("cannot {}; retrying: {}", self.what, with_causes(&error));
                }
                None
            }
        }
    }
}

/// Deletes expired rows every [`CLEANUP_INTERVAL`]: sessions, codes, throttle counters, and mails that were given up
/// long ago. Any number of instances may do this at the same time.
async fn clean_up(state: AppState) {
    let mut interval = tokio::time::interval(CLEANUP_INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        match clean_up_once(&state).await {
            Ok(0) => {}
            Ok(rows) => log::info!("deleted {rows} expired rows"),
            Err(error) => log::error!("cannot delete expired rows; retrying: {}", with_causes(&error)),
        }
    }
}

async fn clean_up_once(state: &AppState) -> Result<u64> {
    let (db, now) = (&state.db, state.auth.clock.now());
    let removed = sessions::sweep(db, &state.auth).await?
        + codes::sweep(db, now).await?
        + throttle::sweep(db, now).await?
        + quota::sweep(db, now).await?
        + outbox::sweep(db, now).await?
        + idempotency::delete_expired(db, now).await?
        + waitlist::end_past(db, now).await?
        + bound_invitations::forget_expired(db, now).await?;
    if let Err(error) = db.purge_log().await {
        // The next clean-up does it.
        log::debug!("cannot empty the write-ahead log: {error}");
    }
    Ok(removed)
}
