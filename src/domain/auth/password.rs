//! Passwords: what is accepted, and hashing them without starving everything else.
//!
//! A bcrypt hash is a quarter of a second of computing. It is done by threads of its own, of low priority, behind a
//! bounded queue: a storm of sign-ins is answered at the rate the machine can hash, the rest is told to come back, and
//! other requests hardly notice.

use std::collections::HashSet;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use entity::PasswordHash;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use zeroize::Zeroizing;

use crate::domain::values::value::{Shape, Value, at_most};
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

impl Value for Password {
    const SHAPE: Shape =
        Shape::Text { min: Self::MIN_CHARS, max: Some(Self::MAX_BYTES), format: Some("password"), pattern: None };

    fn from_text(text: &str) -> std::result::Result<Self, Violation> {
        Self::parse(text)
    }
}

/// A password that is presented to be verified. Any text of 1 to 1,024 characters may turn out wrong.
#[derive(Clone, Debug)]
pub struct PresentedPassword(pub Password);

impl PresentedPassword {
    /// The most characters.
    pub const MAX_CHARS: usize = 1024;
}

impl Value for PresentedPassword {
    const SHAPE: Shape = Shape::Text { min: 1, max: Some(Self::MAX_CHARS), format: Some("password"), pattern: None };

    fn from_text(text: &str) -> std::result::Result<Self, Violation> {
        if text.is_empty() {
            return Err(Violation::of_value("length", "must not be empty"));
        }
        at_most(text, Self::MAX_CHARS)?;
        Ok(Self(Password::presented(text)))
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

/// Hashes and checks passwords, one turn after the other. Clones share the threads and the queue.
#[derive(Clone, Debug)]
pub struct Hasher {
    jobs: SyncSender<Job>,
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
    cost: u32,
}

/// Leave to hash or check passwords now. What is known about an attempt is best looked up when its turn has come: then a
/// burst of guesses learns of the failures within it.
#[derive(Debug)]
pub struct Turn {
    hasher: Hasher,
    _place: OwnedSemaphorePermit,
    _turn: OwnedSemaphorePermit,
}

impl Hasher {
    /// Jobs that may wait for each thread: at cost 12 some four seconds' worth.
    pub const QUEUE_PER_THREAD: usize = 16;

    /// Starts `threads` threads that hash with bcrypt at `cost`, and a queue in which `waiting` may wait for their turn.
    ///
    /// # Errors
    /// Fails when the system gives no thread.
    pub fn start(cost: u32, threads: usize, waiting: usize) -> std::io::Result<Self> {
        // One more than threads: while somebody with a turn talks to the database, every thread has work.
        let turns = threads + 1;
        let (queue, jobs) = sync_channel::<Job>(turns + waiting);
        let jobs = Arc::new(Mutex::new(jobs));
        for number in 0..threads {
            let jobs = Arc::clone(&jobs);
            std::thread::Builder::new().name(format!("bcrypt-{number}")).spawn(move || work(&jobs))?;
        }
        let (places, turns) = (Semaphore::new(turns + waiting), Semaphore::new(turns));
        Ok(Self { jobs: queue, places: Arc::new(places), turns: Arc::new(turns), cost })
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many wait already.
    pub async fn turn(&self) -> Result<Turn> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Error::Busy)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(Error::internal)?;
        Ok(Turn { hasher: self.clone(), _place: place, _turn: turn })
    }
}

impl Turn {
    /// Hashes a new password.
    ///
    /// # Errors
    /// Fails when the hash cannot be made.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash> {
        let cost = self.hasher.cost;
        self.run(move || hash(&password, cost)).await?
    }

    /// Checks a password against `stored`, or against a hash that nothing matches when there is none: an unknown
    /// account takes as long as a known one.
    ///
    /// # Errors
    /// Fails when `stored` is no hash.
    pub async fn verify(&self, password: Password, stored: Option<PasswordHash>) -> Result<Verdict> {
        let cost = self.hasher.cost;
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
        // Full only when turns were given up half-way, whose jobs are still there.
        self.hasher.jobs.try_send(job).map_err(|_| Error::Busy)?;
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
    // What was imported may be no hash at all; then nothing is the password, in the usual time.
    let (matches, spent) = match bcrypt::non_truncating_verify(presented, &stored) {
        Ok(matches) => (matches, cost_of(&stored)),
        Err(_) => (false, None),
    };
    if !(matches && known && fits) {
        take_the_usual_time(presented, spent, cost);
        return Ok(Verdict::Wrong);
    }
    let renewed = if spent < Some(cost) { Some(hash(password, cost)?) } else { None };
    Ok(Verdict::Right { renewed })
}

/// Spends what a cheaper hash than usual has saved, or else the time would betray that the account is known: each cost is
/// twice the one before, so one hash of every cost from `spent` on adds up to `cost`.
fn take_the_usual_time(presented: &[u8], spent: Option<u32>, cost: u32) {
    let missing = spent.map_or(cost..cost + 1, |spent| spent..cost);
    for cost in missing {
        // It matches nothing; what counts is the time.
        bcrypt::non_truncating_verify(presented, &matches_nothing(cost).0).ok();
    }
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

    const HASHES_OF_OTHERS: [&str; 3] = [
        "$2y$04$yaAzvoCospvQNxNjASm/muQABgoXKi9ohwXngSSe7TLDJvkheRlaK",
        "$2b$04$UEpNK/0n8sZpTQNhXVCMberLWpIIf0eOLmNF6V1JxY63rr7xmNCCm",
        "$2a$04$DA18eUhmplMXYD4Qw.Ml0O7YEN6bPy8OtknkXOWkJw8vln9VfOPIa",
    ];

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
        let turn = hasher.turn().await.unwrap();
        let stored = turn.hash(Password::parse("correct horse").unwrap()).await.unwrap();
        let check = |raw: &str| turn.verify(Password::presented(raw), Some(stored.clone()));
        assert!(matches!(check("correct horse").await.unwrap(), Verdict::Right { renewed: None }));
        for wrong in ["correct horsf", "", "correct horse\0", &"x".repeat(100)] {
            assert!(matches!(check(wrong).await.unwrap(), Verdict::Wrong), "{wrong:?}");
        }
    }

    #[tokio::test]
    async fn an_unknown_account_matches_no_password() {
        let turn = hasher().turn().await.unwrap();
        let verdict = turn.verify(Password::presented("does not fit"), None).await.unwrap();
        assert!(matches!(verdict, Verdict::Wrong));
    }

    #[tokio::test]
    async fn a_cheaper_hash_is_renewed() {
        let turn = hasher().turn().await.unwrap();
        let stored = turn.hash(Password::parse("correct horse").unwrap()).await.unwrap();
        let dearer = Hasher::start(5, 1, 1).unwrap().turn().await.unwrap();
        let verdict = dearer.verify(Password::presented("correct horse"), Some(stored)).await.unwrap();
        let Verdict::Right { renewed: Some(renewed) } = verdict else { panic!("not renewed: {verdict:?}") };
        assert_eq!(cost_of(&renewed.0), Some(5));
    }

    #[tokio::test]
    async fn hashes_of_other_systems_are_understood() {
        let turn = hasher().turn().await.unwrap();
        // Made by htpasswd ($2y$) and by Python's bcrypt.
        for stored in HASHES_OF_OTHERS {
            let stored = Some(PasswordHash(stored.to_owned()));
            let right = turn.verify(Password::presented("correct horse battery"), stored.clone()).await.unwrap();
            assert!(matches!(right, Verdict::Right { .. }), "{stored:?}");
            let wrong = turn.verify(Password::presented("correct horse batterz"), stored).await.unwrap();
            assert!(matches!(wrong, Verdict::Wrong));
        }
    }

    #[tokio::test]
    async fn what_is_no_hash_matches_nothing() {
        let turn = hasher().turn().await.unwrap();
        for stored in ["", "none", "$2b$04$short", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA"] {
            let stored = Some(PasswordHash(stored.to_owned()));
            let verdict = turn.verify(Password::presented("correct horse battery"), stored).await.unwrap();
            assert!(matches!(verdict, Verdict::Wrong));
        }
    }

    #[tokio::test]
    async fn a_full_queue_turns_the_next_one_away() {
        let hasher = Hasher::start(4, 1, 1).unwrap();
        let (first, second) = (hasher.turn().await.unwrap(), hasher.turn().await.unwrap());
        let mut third = Box::pin(hasher.turn());
        assert!(
            std::future::poll_fn(|context| std::task::Poll::Ready(third.as_mut().poll(context))).await.is_pending()
        );
        assert!(matches!(hasher.turn().await, Err(Error::Busy)));
        drop(first);
        drop(third.await.unwrap());
        drop(second);
    }
}
