//! What goes on beside the requests: learning which sessions others have ended, carrying mail, and sweeping out what is
//! over.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::domain::auth::codes;
use crate::domain::auth::quota;
use crate::domain::auth::sessions;
use crate::domain::auth::throttle;
use crate::domain::records::outbox;
use crate::error::{Result, with_causes};
use crate::mail::Mailer;
use crate::mail::courier::Courier;
use crate::state::AppState;

/// How often each instance learns which sessions others have ended.
const REVOCATION_INTERVAL: Duration = Duration::from_secs(1);

/// How often each instance sweeps.
const SWEEP_INTERVAL: Duration = Duration::from_secs(600);

/// How long mails that are on their way may take at the end. What takes longer may arrive twice.
const LAST_MAIL: Duration = Duration::from_secs(4);

/// The tasks, until they are stopped.
#[derive(Debug)]
pub(super) struct Background {
    stop: watch::Sender<bool>,
    courier: JoinHandle<()>,
    others: [JoinHandle<()>; 2],
}

impl Background {
    pub(super) fn start(state: &AppState, mailer: Mailer) -> Self {
        let (stop, stopped) = watch::channel(false);
        let courier = Courier::new(state.db.clone(), state.auth.clone(), mailer);
        let others = [tokio::spawn(follow_revocations(state.clone())), tokio::spawn(sweep(state.clone()))];
        Self { stop, courier: tokio::spawn(courier.run(stopped)), others }
    }

    /// Stops; mails that are on their way have a moment to arrive.
    pub(super) async fn stop(mut self) {
        self.stop.send_replace(true);
        for task in &self.others {
            task.abort();
        }
        if tokio::time::timeout(LAST_MAIL, &mut self.courier).await.is_err() {
            self.courier.abort();
        }
    }
}

/// Learns once a second which sessions other instances have ended, and forgets those whose tokens have expired.
async fn follow_revocations(state: AppState) {
    let auth = &state.auth;
    let mut interval = tokio::time::interval(REVOCATION_INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut known_until = auth.clock.now();
    let mut failing = false;
    loop {
        interval.tick().await;
        let now = auth.clock.now();
        match auth.revocations.read(&state.db, known_until).await {
            Ok(()) => {
                known_until = now;
                failing = false;
            }
            Err(error) if !failing => {
                log::error!("cannot learn which sessions have ended; trying on: {}", with_causes(&error));
                failing = true;
            }
            Err(_) => {}
        }
        auth.revocations.forget(now - auth.tokens.lifetimes().access);
    }
}

/// Removes, now and then, what is over: sessions, codes, counters, mails that were given up long ago. It does not matter
/// which instance does it, or whether several do.
async fn sweep(state: AppState) {
    let mut interval = tokio::time::interval(SWEEP_INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        match sweep_once(&state).await {
            Ok(0) => {}
            Ok(rows) => log::info!("swept out {rows} rows that were over"),
            Err(error) => log::error!("cannot sweep out what is over; trying on: {}", with_causes(&error)),
        }
    }
}

async fn sweep_once(state: &AppState) -> Result<u64> {
    let (db, now) = (&state.db, state.auth.clock.now());
    Ok(sessions::sweep(db, &state.auth).await?
        + codes::sweep(db, now).await?
        + throttle::sweep(db, now).await?
        + quota::sweep(db, now).await?
        + outbox::sweep(db, now).await?)
}
