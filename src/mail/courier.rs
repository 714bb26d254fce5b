//! The courier: carries what waits in the outbox, in the background, for as long as the service runs. Any number of
//! instances may do so side by side.

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
use crate::domain::accounts::mail_messages::{self, Outcome};
use crate::domain::auth::context::Auth;
use crate::domain::records::outbox::{self, Fate};
use crate::error::{Result, with_causes};

/// How often the outbox is looked at when nothing waits in it.
const INTERVAL: Duration = Duration::from_millis(500);

/// How often the claim to mails that are being sent is kept up.
const KEEP_UP: Duration = Duration::from_secs(5);

/// Mails that are claimed and on their way at a time.
const MOST_AT_ONCE: usize = 16;

/// The longest pause when the mail server, or the database, is away.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How often it is tried to remove a mail that was sent.
const REMOVALS: u32 = 5;

/// What the courier works with.
#[derive(Clone, Debug)]
pub struct Courier {
    db: Db,
    auth: Arc<Auth>,
    mailer: Mailer,
    /// Mails that are claimed and not settled yet.
    claims: Claims,
}

#[derive(Clone, Debug, Default)]
struct Claims(Arc<Mutex<BTreeSet<Uuid>>>);

/// The claim to one mail, kept up until this is dropped, however that comes about.
struct Claim {
    claims: Claims,
    id: Uuid,
}

/// How the last tries went, and when the next is due.
#[derive(Debug)]
struct Pace {
    /// Waves of mails in a row of which the server took none.
    failures: u32,
    is_counted: bool,
    /// Times in a row that the database did not answer.
    silences: u32,
    next_look: Instant,
}

impl Courier {
    /// A courier that has nothing to carry yet.
    #[must_use]
    pub fn new(db: Db, auth: Arc<Auth>, mailer: Mailer) -> Self {
        Self { db, auth, mailer, claims: Claims::default() }
    }

    /// Carries mails until told to stop, and until those that are on their way then have arrived.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut on_their_way = JoinSet::new();
        let mut pace = Pace { failures: 0, is_counted: false, silences: 0, next_look: Instant::now() };
        let mut keep_up = tokio::time::interval_at(Instant::now() + KEEP_UP, KEEP_UP);
        loop {
            let is_stopping = *stop.borrow();
            if is_stopping && on_their_way.is_empty() {
                return;
            }
            let has_places = !is_stopping && on_their_way.len() < MOST_AT_ONCE;
            if has_places && Instant::now() >= pace.next_look {
                let claimed = self.send_off(&mut on_their_way).await;
                pace.looked(&claimed);
                if let Err(error) = claimed {
                    log::error!("the outbox cannot be read; trying on: {}", with_causes(&error));
                }
                continue;
            }
            tokio::select! {
                Some(ended) = on_their_way.join_next() => match ended {
                    Ok(is_server_away) => pace.ended(is_server_away),
                    Err(error) => log::error!("a mail could not be carried: {error}"),
                },
                _ = keep_up.tick() => self.keep_claims().await,
                () = tokio::time::sleep_until(pace.next_look), if has_places => {}
                _ = stop.changed(), if !is_stopping => {}
            }
        }
    }

    /// Claims as many mails as there are places for, and sends them off. Returns how many.
    async fn send_off(&self, on_their_way: &mut JoinSet<bool>) -> Result<usize> {
        let places = MOST_AT_ONCE.saturating_sub(on_their_way.len());
        let mails = outbox::claim(&self.db, self.auth.clock.now(), places).await?;
        let count = mails.len();
        for mail in mails {
            let (courier, claim) = (self.clone(), self.claims.take(mail.id));
            on_their_way.spawn(async move { courier.deliver(&mail, claim).await });
        }
        Ok(count)
    }

    /// Sends one mail and writes down what became of it. Tells whether the mail server is away.
    async fn deliver(&self, mail: &table::Model, claim: Claim) -> bool {
        match self.try_to_deliver(mail, claim).await {
            Ok(is_server_away) => is_server_away,
            Err(error) => {
                // The claim runs out, and the mail is taken up again.
                log::error!("mail.id" = mail.id.to_string(); "a mail waits for the database: {}", with_causes(&error));
                false
            }
        }
    }

    async fn try_to_deliver(&self, mail: &table::Model, claim: Claim) -> Result<bool> {
        let letter = match mail_messages::write(&self.db, &self.auth, mail).await? {
            Outcome::Letter(letter) => letter,
            Outcome::Nobody => {
                outbox::remove(&self.db, mail.id).await?;
                return Ok(false);
            }
            Outcome::Later(time) => {
                drop(claim);
                outbox::hold(&self.db, mail, time).await?;
                return Ok(false);
            }
        };
        let Err(error) = self.mailer.send(mail, &letter).await else {
            self.remove(mail.id).await?;
            return Ok(false);
        };
        // From now on nobody may lengthen the claim, which becomes the time of the next try.
        drop(claim);
        let fate = outbox::postpone(&self.db, mail, error.is_final(), self.auth.clock.now()).await?;
        write_down(mail, &error, fate);
        Ok(error.is_general())
    }

    /// Removes a mail that was sent. Should the database be away for longer than the claim lasts, it is sent again.
    async fn remove(&self, id: Uuid) -> Result<()> {
        let mut tries = 0;
        loop {
            tries += 1;
            match outbox::remove(&self.db, id).await {
                Err(error) if tries < REMOVALS => {
                    log::warn!("mail.id" = id.to_string(); "a mail was sent but not removed; trying on: {error}");
                    tokio::time::sleep(pause_after(tries)).await;
                }
                outcome => return outcome,
            }
        }
    }

    async fn keep_claims(&self) {
        let claimed = self.claims.all();
        if claimed.is_empty() {
            return;
        }
        if let Err(error) = outbox::keep_claim(&self.db, &claimed, self.auth.clock.now()).await {
            log::error!("the claim to mails cannot be kept up: {}", with_causes(&error));
        }
    }
}

impl Claims {
    fn take(&self, id: Uuid) -> Claim {
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

impl Pace {
    /// The outbox was looked at.
    fn looked(&mut self, claimed: &Result<usize>) {
        let pause = match claimed {
            Ok(count) => {
                self.silences = 0;
                if *count == 0 {
                    INTERVAL
                } else {
                    self.is_counted = false;
                    pause_after(self.failures)
                }
            }
            Err(_) => {
                self.silences += 1;
                pause_after(self.silences)
            }
        };
        self.next_look = Instant::now() + pause;
    }

    /// A mail that was on its way has arrived, or not.
    fn ended(&mut self, is_server_away: bool) {
        if !is_server_away {
            (self.failures, self.next_look) = (0, Instant::now());
        } else if !self.is_counted {
            // Once for all that were on their way together.
            (self.failures, self.is_counted) = (self.failures + 1, true);
            self.next_look = Instant::now() + pause_after(self.failures);
        }
    }
}

fn write_down(mail: &table::Model, error: &SendError, fate: Fate) {
    let (id, attempts) = (mail.id.to_string(), mail.attempts);
    match fate {
        Fate::Retry(_) => log::warn!("mail.id" = id, "mail.attempts" = attempts; "a mail was not sent yet: {error}"),
        Fate::GivenUp => log::error!("mail.id" = id, "mail.attempts" = attempts; "a mail was given up: {error}"),
    }
}

/// Nothing at first, then half a second, and twice as long each time.
fn pause_after(failures: u32) -> Duration {
    if failures == 0 {
        return Duration::ZERO;
    }
    let doubled = INTERVAL.saturating_mul(2_u32.saturating_pow((failures - 1).min(16)));
    doubled.min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn pauses_grow_while_the_server_is_away_and_end_with_the_first_mail() {
        let mut pace = Pace { failures: 0, is_counted: false, silences: 0, next_look: Instant::now() };
        for expected in [1, 2, 3] {
            pace.looked(&Ok(16));
            (0..16).for_each(|_| pace.ended(true));
            assert_eq!(pace.failures, expected);
            assert!(pace.next_look > Instant::now());
        }
        pace.ended(false);
        assert!(pace.failures == 0 && pace.next_look <= Instant::now());
        assert_eq!(pause_after(40), LONGEST_PAUSE);
    }

    #[test]
    fn a_claim_ends_with_whatever_held_it() {
        let claims = Claims::default();
        let claim = claims.take(Uuid::max());
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
