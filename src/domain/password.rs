//! Passwords: what is accepted, and hashing them without starving everything else.
//!
//! A bcrypt hash is a quarter of a second of computing. It is done by threads of its own, of low priority, behind a
//! bounded queue: a storm of sign-ins is answered at the rate the machine can hash, the rest is told to come back, and
//! other requests hardly notice.

use std::collections::HashSet;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use entity::PasswordHash;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::error::{Error, Result, Violation};

/// The most common passwords of eight characters and more, one a line.
static COMMON: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

/// A password as typed. It is never printed, and this copy of it is wiped from memory when dropped.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// The fewest characters.
    pub const MIN_CHARS: usize = 8;
    /// The most bytes: bcrypt reads 72, one of which ends the text.
    pub const MAX_BYTES: usize = 71;

    /// Takes a password that somebody wants to have.
    ///
    /// # Errors
    /// Tells which rule is broken.
    pub fn parse(raw: &str) -> std::result::Result<Self, Violation> {
        let refuse = |code, message| Err(Violation::new("password", code, message));
        if raw.chars().count() < Self::MIN_CHARS {
            return refuse("length", "must have at least 8 characters");
        }
        if raw.len() > Self::MAX_BYTES {
            return refuse("length", "must have at most 71 bytes");
        }
        if raw.contains('\0') {
            return refuse("nul", "must not contain the NUL character");
        }
        if COMMON.contains(raw.to_lowercase().as_str()) {
            return refuse("common", "is one of the most common passwords");
        }
        Ok(Self(Zeroizing::new(raw.to_owned())))
    }

    /// Takes a password that is about to be checked against a hash: whatever it is, it may only turn out wrong.
    #[must_use]
    pub fn presented(raw: &str) -> Self {
        Self(Zeroizing::new(raw.to_owned()))
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

/// What checking a password found.
#[derive(Debug)]
pub enum Verdict {
    /// It is the password. A hash of lower cost than is usual now comes with a better one.
    Right {
        /// A hash of the usual cost, when the stored one is cheaper.
        renewed: Option<PasswordHash>,
    },
    /// It is not.
    Wrong,
}

type Job = Box<dyn FnOnce() + Send>;

/// Hashes and checks passwords. Clones share the threads and the queue.
#[derive(Clone, Debug)]
pub struct Hasher {
    queue: SyncSender<Job>,
    cost: u32,
}

impl Hasher {
    /// Jobs that may wait for each thread: at cost 12 some four seconds' worth.
    pub const QUEUE_PER_THREAD: usize = 16;

    /// Starts `threads` threads that hash with bcrypt at `cost`, and a queue for `waiting` jobs.
    ///
    /// # Errors
    /// Fails when the system gives no thread.
    pub fn start(cost: u32, threads: usize, waiting: usize) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel::<Job>(waiting);
        let jobs = Arc::new(Mutex::new(jobs));
        for number in 0..threads {
            let jobs = Arc::clone(&jobs);
            std::thread::Builder::new().name(format!("bcrypt-{number}")).spawn(move || work(&jobs))?;
        }
        Ok(Self { queue, cost })
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// [`Error::Busy`] when the queue is full.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash> {
        let cost = self.cost;
        self.run(move || hash(&password, cost)).await?
    }

    /// Checks a password against `stored`, or against a hash that nothing matches when there is none: an unknown
    /// account takes as long as a known one.
    ///
    /// # Errors
    /// [`Error::Busy`] when the queue is full.
    pub async fn verify(&self, password: Password, stored: Option<PasswordHash>) -> Result<Verdict> {
        let cost = self.cost;
        self.run(move || verify(&password, stored, cost)).await?
    }

    async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(move || {
            // Whoever asked may have gone while the job waited.
            if !reply.is_closed() {
                drop(reply.send(job()));
            }
        });
        self.queue.try_send(job).map_err(|_| Error::Busy)?;
        answer.await.map_err(Error::internal)
    }
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    // On Linux a thread has a niceness of its own. Where it cannot be set, hashing is merely less polite.
    rustix::process::nice(19).ok();
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => job(),
            Err(_) => return,
        }
    }
}

fn hash(password: &Password, cost: u32) -> Result<PasswordHash> {
    bcrypt::non_truncating_hash(password.0.as_bytes(), cost).map(PasswordHash).map_err(Error::internal)
}

fn verify(password: &Password, stored: Option<PasswordHash>, cost: u32) -> Result<Verdict> {
    let known = stored.is_some();
    let PasswordHash(stored) = stored.unwrap_or_else(|| matches_nothing(cost));
    // Too long or with a NUL, it cannot have been accepted; checking its beginning keeps the time the same.
    let fits = password.0.len() <= Password::MAX_BYTES && !password.0.contains('\0');
    let presented = if fits { password.0.as_bytes() } else { b"does not fit" };
    let matches = bcrypt::non_truncating_verify(presented, &stored).map_err(Error::internal)?;
    let cheap = cost_of(&stored) < Some(cost);
    if !(matches && known && fits) {
        if cheap {
            // Takes up the time by which a cheaper hash would betray that the account is known.
            bcrypt::non_truncating_verify(presented, &matches_nothing(cost).0).map_err(Error::internal)?;
        }
        return Ok(Verdict::Wrong);
    }
    let renewed = if cheap { Some(hash(password, cost)?) } else { None };
    Ok(Verdict::Right { renewed })
}

/// A well-formed hash of the given cost for which no password is known.
fn matches_nothing(cost: u32) -> PasswordHash {
    PasswordHash(format!("$2b${cost:02}$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01232"))
}

/// The cost in a hash such as `$2b$12$…`.
fn cost_of(hash: &str) -> Option<u32> {
    hash.split('$').nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hasher() -> Hasher {
        Hasher::start(4, 1, 4).unwrap()
    }

    #[test]
    fn passwords_that_break_a_rule_are_refused_with_its_name() {
        let cases = [
            ("short", "length"),
            (&"x".repeat(72), "length"),
            (&"ж".repeat(36), "length"),
            ("with\0nul-in-it", "nul"),
            ("Password1", "common"),
        ];
        for (raw, code) in cases {
            assert_eq!(Password::parse(raw).unwrap_err().code, code, "{raw:?}");
        }
        assert!(Password::parse(&"x".repeat(71)).is_ok());
        assert!(Password::parse("жжжжжжжж").is_ok());
    }

    #[tokio::test]
    async fn the_right_password_passes_and_a_wrong_one_does_not() {
        let hasher = hasher();
        let stored = hasher.hash(Password::parse("correct horse").unwrap()).await.unwrap();
        let check = |raw: &str| hasher.verify(Password::presented(raw), Some(stored.clone()));
        assert!(matches!(check("correct horse").await.unwrap(), Verdict::Right { renewed: None }));
        for wrong in ["correct horsf", "", "correct horse\0", &"x".repeat(100)] {
            assert!(matches!(check(wrong).await.unwrap(), Verdict::Wrong), "{wrong:?}");
        }
    }

    #[tokio::test]
    async fn an_unknown_account_matches_no_password() {
        let verdict = hasher().verify(Password::presented("does not fit"), None).await.unwrap();
        assert!(matches!(verdict, Verdict::Wrong));
    }

    #[tokio::test]
    async fn a_cheaper_hash_is_renewed() {
        let stored = hasher().hash(Password::parse("correct horse").unwrap()).await.unwrap();
        let dearer = Hasher::start(5, 1, 1).unwrap();
        let verdict = dearer.verify(Password::presented("correct horse"), Some(stored)).await.unwrap();
        let Verdict::Right { renewed: Some(renewed) } = verdict else { panic!("not renewed: {verdict:?}") };
        assert_eq!(cost_of(&renewed.0), Some(5));
    }

    #[tokio::test]
    async fn a_full_queue_turns_the_next_one_away() {
        let hasher = Hasher::start(4, 1, 1).unwrap();
        let (release, held) = std::sync::mpsc::channel::<()>();
        let (begun, beginning) = oneshot::channel();
        let blocking = tokio::spawn({
            let hasher = hasher.clone();
            async move {
                hasher
                    .run(move || {
                        begun.send(()).unwrap();
                        held.recv().unwrap();
                    })
                    .await
            }
        });
        beginning.await.unwrap();
        let mut waiting = Box::pin(hasher.hash(Password::presented("waits in the queue")));
        assert!(
            std::future::poll_fn(|context| std::task::Poll::Ready(waiting.as_mut().poll(context))).await.is_pending()
        );
        assert!(matches!(hasher.hash(Password::presented("finds it full")).await, Err(Error::Busy)));
        release.send(()).unwrap();
        blocking.await.unwrap().unwrap();
        assert!(waiting.await.is_ok());
    }
}
