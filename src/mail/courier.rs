//! The courier: carries what waits in the outbox, in the background, for as long as the service runs. Any number of
//! instances may do so side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use entity::outbox as table;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

use super::{Mailer, SendError};
use crate::db::Db;
use crate::domain::auth::Auth;
use crate::domain::letters::{self, Outcome};
use crate::domain::outbox::{self, Fate};
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
const REMOVALS: u32 = 10;

/// What the courier works with.
#[derive(Clone, Debug)]
pub struct Courier {
    /// Where the outbox is.
    pub db: Db,
    /// The time, and what makes codes.
    pub auth: Arc<Auth>,
    /// How mail leaves.
    pub mailer: Mailer,
    /// Mails that are claimed and not settled yet.
    claimed: Arc<Mutex<BTreeSet<Uuid>>>,
}

/// Mails to one address. They are sent one after the other, so that the newest code comes last; an address whose server is
/// slow holds up nobody else.
struct Group {
    recipient: String,
    is_server_away: bool,
}

impl Courier {
    /// A courier that has nothing to carry yet.
    #[must_use]
    pub fn new(db: Db, auth: Arc<Auth>, mailer: Mailer) -> Self {
        Self { db, auth, mailer, claimed: Arc::default() }
    }

    /// Carries mails until told to stop; those that are on their way then still arrive.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut groups = JoinSet::new();
        let mut recipients = Vec::new();
        let mut failures = 0_u32;
        let mut next_look = Instant::now();
        let mut keep_up = tokio::time::interval_at(Instant::now() + KEEP_UP, KEEP_UP);
        while !*stop.borrow() || !groups.is_empty() {
            if !*stop.borrow() && Instant::now() >= next_look && self.on_their_way() < MOST_AT_ONCE {
                let pause = match self.take_up(&mut groups, &mut recipients, &stop).await {
                    Ok(0) => INTERVAL.max(pause_after(failures)),
                    Ok(_) => pause_after(failures),
                    Err(error) => {
                        failures += 1;
                        log::error!("the outbox cannot be read; trying on: {}", with_causes(&error));
                        pause_after(failures)
                    }
                };
                next_look = Instant::now() + pause;
            }
            tokio::select! {
                Some(ended) = groups.join_next() => match ended {
                    Ok(Group { recipient, is_server_away }) => {
                        recipients.retain(|other| *other != recipient);
                        let now = Instant::now();
                        if !is_server_away {
                            failures = 0;
                            next_look = next_look.min(now);
                        } else if now >= next_look {
                            // Once for all that were on their way together.
                            failures += 1;
                            next_look = now + pause_after(failures);
                        }
                    }
                    Err(error) => log::error!("a mail could not be carried: {error}"),
                },
                _ = keep_up.tick() => self.keep_claims().await,
                () = tokio::time::sleep_until(next_look), if self.on_their_way() < MOST_AT_ONCE => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// Claims as many mails as there are places for, and sends them off. Returns how many.
    async fn take_up(
        &self,
        groups: &mut JoinSet<Group>,
        recipients: &mut Vec<String>,
        stop: &watch::Receiver<bool>,
    ) -> Result<usize> {
        let places = MOST_AT_ONCE.saturating_sub(self.on_their_way());
        let claimed = outbox::claim(&self.db, self.auth.clock.now(), places, recipients).await?;
        let count = claimed.len();
        self.claims().extend(claimed.iter().map(|mail| mail.id));
        let mut by_recipient = BTreeMap::<String, Vec<table::Model>>::new();
        for mail in claimed {
            by_recipient.entry(mail.recipient.clone()).or_default().push(mail);
        }
        for (recipient, mails) in by_recipient {
            recipients.push(recipient.clone());
            groups.spawn(self.clone().carry(recipient, mails, stop.clone()));
        }
        Ok(count)
    }

    async fn carry(self, recipient: String, mails: Vec<table::Model>, stop: watch::Receiver<bool>) -> Group {
        let mut is_server_away = false;
        for mail in mails {
            // What is not sent any more is taken up when its claim has run out.
            if !is_server_away && !*stop.borrow() {
                is_server_away = self.deliver(&mail).await;
            }
            self.settle(mail.id);
        }
        Group { recipient, is_server_away }
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
        let letter = match letters::write(&self.db, &self.auth, mail).await? {
            Outcome::Letter(letter) => letter,
            Outcome::Nobody => {
                outbox::remove(&self.db, mail.id).await?;
                return Ok(false);
            }
            Outcome::Later(wait) => {
                self.settle(mail.id);
                outbox::hold(&self.db, mail, self.auth.clock.now() + wait).await?;
                return Ok(false);
            }
        };
        // Whoever was held up for so long that the claim ran out has lost the mail to another.
        if !outbox::is_still_claimed(&self.db, mail, self.auth.clock.now()).await? {
            return Ok(false);
        }
        let Err(error) = self.mailer.send(mail, &letter).await else {
            self.remove(mail.id).await?;
            return Ok(false);
        };
        self.settle(mail.id);
        let fate = outbox::postpone(&self.db, mail, error.is_final(), self.auth.clock.now()).await?;
        write_down(mail, &error, fate);
        Ok(error.is_general())
    }

    /// Removes a mail that was sent. While the database is away the claim is kept up, so that it is not sent again.
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
        let claimed: Vec<_> = self.claims().iter().copied().collect();
        if claimed.is_empty() {
            return;
        }
        if let Err(error) = outbox::keep_claim(&self.db, &claimed, self.auth.clock.now()).await {
            log::error!("the claim to mails cannot be kept up: {}", with_causes(&error));
        }
    }

    fn settle(&self, id: Uuid) {
        self.claims().remove(&id);
    }

    fn on_their_way(&self) -> usize {
        self.claims().len()
    }

    fn claims(&self) -> std::sync::MutexGuard<'_, BTreeSet<Uuid>> {
        self.claimed.lock().unwrap_or_else(PoisonError::into_inner)
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
