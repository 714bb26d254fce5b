//! The courier: carries what waits in the outbox, in the background, for as long as the service runs. Any number of
//! instances may do so side by side.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use entity::outbox as table;
use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{Mailer, SendError};
use crate::db::Db;
use crate::domain::auth::Auth;
use crate::domain::letters;
use crate::domain::outbox::{self, Fate};
use crate::error::{Result, with_causes};

/// How often the outbox is looked at when nothing waits in it.
const INTERVAL: Duration = Duration::from_millis(500);

/// How often the claim to mails that are being sent is kept up.
const KEEP_UP: Duration = Duration::from_secs(5);

/// Mails that are claimed and sent together.
const BATCH: u64 = 16;

/// The longest pause when the mail server, or the database, is away.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What the courier works with.
#[derive(Clone, Debug)]
pub struct Courier {
    /// Where the outbox is.
    pub db: Db,
    /// The time, and what makes codes.
    pub auth: Arc<Auth>,
    /// How mail leaves.
    pub mailer: Mailer,
}

impl Courier {
    /// Carries mails until told to stop; one that is on its way then still arrives.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut failures = 0_u32;
        while !*stop.borrow() {
            let pause = match self.carry().await {
                Ok(Round { carried, is_server_away: false }) => {
                    failures = 0;
                    if carried > 0 { continue } else { INTERVAL }
                }
                Ok(_) => {
                    failures += 1;
                    pause_after(failures)
                }
                Err(error) => {
                    failures += 1;
                    log::error!("the outbox cannot be read; trying on: {}", with_causes(&error));
                    pause_after(failures)
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// Claims a batch and sends it. Mails to one address are sent one after the other, so that the newest code comes
    /// last; an address whose server is slow does not hold up the others.
    async fn carry(&self) -> Result<Round> {
        let claimed = outbox::claim(&self.db, self.auth.clock.now(), BATCH).await?;
        let mut round = Round { carried: claimed.len(), is_server_away: false };
        let mut waiting: Vec<Uuid> = claimed.iter().map(|mail| mail.id).collect();
        let mut by_recipient = BTreeMap::<String, Vec<table::Model>>::new();
        for mail in claimed {
            by_recipient.entry(mail.recipient.clone()).or_default().push(mail);
        }
        let mut sending = JoinSet::new();
        for mails in by_recipient.into_values() {
            let courier = self.clone();
            sending.spawn(async move {
                let mut outcomes = Vec::new();
                for mail in mails {
                    outcomes.push((mail.id, courier.deliver(&mail).await));
                }
                outcomes
            });
        }
        let mut keep_up = tokio::time::interval_at(tokio::time::Instant::now() + KEEP_UP, KEEP_UP);
        loop {
            tokio::select! {
                ended = sending.join_next() => match ended {
                    None => return Ok(round),
                    Some(Ok(outcomes)) => for (id, is_server_away) in outcomes {
                        waiting.retain(|other| *other != id);
                        round.is_server_away |= is_server_away;
                    },
                    Some(Err(error)) => log::error!("a mail could not be carried: {error}"),
                },
                _ = keep_up.tick() => {
                    if let Err(error) = outbox::keep_claim(&self.db, &waiting, self.auth.clock.now()).await {
                        log::error!("the claim to mails cannot be kept up: {}", with_causes(&error));
                    }
                }
            }
        }
    }

    /// Sends one mail and writes down what became of it. Tells whether the mail server is away.
    async fn deliver(&self, mail: &table::Model) -> bool {
        match self.try_to_deliver(mail).await {
            Ok(is_server_away) => is_server_away,
            Err(error) => {
                // The claim runs out, and the mail is taken up again.
                log::error!("mail.id" = mail.id.to_string(); "a mail waits for the database: {}", with_causes(&error));
                false
            }
        }
    }

    async fn try_to_deliver(&self, mail: &table::Model) -> Result<bool> {
        let Some(letter) = letters::write(&self.db, &self.auth, mail).await? else {
            outbox::remove(&self.db, mail.id).await?;
            return Ok(false);
        };
        let Err(error) = self.mailer.send(mail, &letter).await else {
            outbox::remove(&self.db, mail.id).await?;
            return Ok(false);
        };
        let fate = outbox::postpone(&self.db, mail, error.is_final(), self.auth.clock.now()).await?;
        write_down(mail, &error, fate);
        Ok(error.is_general())
    }
}

/// What came of a batch.
struct Round {
    carried: usize,
    is_server_away: bool,
}

fn write_down(mail: &table::Model, error: &SendError, fate: Fate) {
    let (id, attempts) = (mail.id.to_string(), mail.attempts);
    match fate {
        Fate::Retry(_) => log::warn!("mail.id" = id, "mail.attempts" = attempts; "a mail was not sent yet: {error}"),
        Fate::GivenUp => log::error!("mail.id" = id, "mail.attempts" = attempts; "a mail was given up: {error}"),
    }
}

fn pause_after(failures: u32) -> Duration {
    let doubled = INTERVAL.saturating_mul(2_u32.saturating_pow(failures.min(16)));
    doubled.min(LONGEST_PAUSE)
}
