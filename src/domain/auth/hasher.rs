//! Password hashing with bcrypt, in a thread pool behind a bounded queue.
//!
//! A hash takes a quarter of a second of CPU time. The threads have a low priority, so a storm of log-ins hardly delays
//! other requests: log-ins are served at the rate of the CPU, and what does not fit into the queue gets 503.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use entity::PasswordHash;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::domain::auth::password::Password;
use crate::domain::auth::password_hash;
use crate::error::{Error, Result};

/// Result of verifying a password.
#[derive(Debug)]
pub enum Verdict {
    /// The password is right.
    Right {
        /// A hash of the configured cost, if the stored one has a lower cost or an older format.
        renewed: Option<PasswordHash>,
    },
    /// The password is wrong.
    Wrong,
}

type Job = Box<dyn FnOnce() + Send>;

/// Thread pool that hashes and verifies passwords. Clones share the threads and the queue.
#[derive(Clone, Debug)]
pub struct Hasher {
    jobs: SyncSender<Job>,
    queued: Arc<Semaphore>,
    running: Arc<Semaphore>,
    cost: u32,
}

/// A permit from the hashing queue. The throttle is checked while a permit is held: then each guess of a burst sees the
/// failures of those before it.
#[derive(Debug)]
pub struct HashPermit {
    hasher: Hasher,
    _queued: OwnedSemaphorePermit,
    _running: OwnedSemaphorePermit,
}

impl Hasher {
    /// Jobs that may wait for each thread: about four seconds of work at cost 12.
    pub const QUEUE_PER_THREAD: usize = 16;

    /// Starts `threads` threads that hash with bcrypt at `cost`, and a queue for `waiting` jobs.
    ///
    /// # Errors
    /// The system cannot start a thread.
    pub fn start(cost: u32, threads: usize, waiting: usize) -> std::io::Result<Self> {
        // One more than threads: while the holder of a permit waits for the database, every thread has work.
        let running = threads + 1;
        let (queue, jobs) = sync_channel::<Job>(running + waiting);
        let jobs = Arc::new(Mutex::new(jobs));
        for number in 0..threads {
            let jobs = Arc::clone(&jobs);
            std::thread::Builder::new().name(format!("bcrypt-{number}")).spawn(move || work(&jobs))?;
        }
        let (queued, running) = (Semaphore::new(running + waiting), Semaphore::new(running));
        Ok(Self { jobs: queue, queued: Arc::new(queued), running: Arc::new(running), cost })
    }

    /// Waits for a hashing permit.
    ///
    /// # Errors
    /// [`Error::Busy`] if the queue is full.
    pub async fn permit(&self) -> Result<HashPermit> {
        let queued = Arc::clone(&self.queued).try_acquire_owned().map_err(|_| Error::Busy)?;
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(Error::internal)?;
        Ok(HashPermit { hasher: self.clone(), _queued: queued, _running: running })
    }
}

impl HashPermit {
    /// Hashes a new password.
    ///
    /// # Errors
    /// [`Error::Internal`] if bcrypt fails.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash> {
        let cost = self.hasher.cost;
        self.run(move || password_hash::hash(&password, cost)).await?
    }

    /// Verifies a password against the hash `stored`. Without a hash it is verified against one that matches no
    /// password: an unknown account takes as long as a known one.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn verify(&self, password: Password, stored: Option<PasswordHash>) -> Result<Verdict> {
        let cost = self.hasher.cost;
        self.run(move || verify(&password, stored, cost)).await?
    }

    async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(move || {
            // The client may have disconnected while the job waited.
            if !reply.is_closed() {
                drop(reply.send(job()));
            }
        });
        // Full only if permits were dropped while their jobs were still queued.
        self.hasher.jobs.try_send(job).map_err(|_| Error::Busy)?;
        answer.await.map_err(Error::internal)
    }
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    // On Linux each thread has its own niceness: other work comes before hashing. It is no error if it cannot be set.
    rustix::process::nice(19).ok();
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => job(),
            Err(_) => return,
        }
    }
}

fn verify(password: &Password, stored: Option<PasswordHash>, cost: u32) -> Result<Verdict> {
    let is_known = stored.is_some();
    let stored = stored.map_or_else(|| password_hash::unmatchable(cost), |PasswordHash(stored)| stored);
    // An imported hash may be malformed: then no password is right, after the usual time.
    let comparison = password_hash::compare(password, &stored);
    if !(comparison.is_right && is_known) {
        spend_usual_time(password, comparison.cost, cost);
        return Ok(Verdict::Wrong);
    }
    let is_cheaper = comparison.cost < Some(cost);
    let renewed = (comparison.is_outdated || is_cheaper).then(|| password_hash::hash(password, cost)).transpose()?;
    Ok(Verdict::Right { renewed })
}

/// Spends the time that a hash of a lower cost has saved, or the response time would tell that the account exists. Each
/// cost takes twice the time of the one before, so one hash of every cost from `spent` on adds up to `cost`.
fn spend_usual_time(password: &Password, spent: Option<u32>, cost: u32) {
    let missing = spent.map_or(cost..cost + 1, |spent| spent..cost);
    for cost in missing {
        // The result does not matter, only the time.
        password_hash::compare(password, &password_hash::unmatchable(cost));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::auth::password::Password;

    const HASHES_OF_OTHERS: [&str; 3] = [
        "$2y$04$yaAzvoCospvQNxNjASm/muQABgoXKi9ohwXngSSe7TLDJvkheRlaK",
        "$2b$04$UEpNK/0n8sZpTQNhXVCMberLWpIIf0eOLmNF6V1JxY63rr7xmNCCm",
        "$2a$04$DA18eUhmplMXYD4Qw.Ml0O7YEN6bPy8OtknkXOWkJw8vln9VfOPIa",
    ];

    fn hasher() -> Hasher {
        Hasher::start(4, 1, 4).unwrap()
    }

    #[tokio::test]
    async fn the_right_password_passes_and_a_wrong_one_does_not() {
        let hasher = hasher();
        let permit = hasher.permit().await.unwrap();
        let stored = permit.hash(Password::parse("correct horse").unwrap()).await.unwrap();
        let check = |raw: &str| permit.verify(Password::presented(raw), Some(stored.clone()));
        assert!(matches!(check("correct horse").await.unwrap(), Verdict::Right { renewed: None }));
        for wrong in ["correct horsf", "", "correct horse\0", &"x".repeat(100)] {
            assert!(matches!(check(wrong).await.unwrap(), Verdict::Wrong), "{wrong:?}");
        }
    }

    #[tokio::test]
    async fn an_unknown_account_matches_no_password() {
        let permit = hasher().permit().await.unwrap();
        let verdict = permit.verify(Password::presented("does not fit"), None).await.unwrap();
        assert!(matches!(verdict, Verdict::Wrong));
    }

    #[tokio::test]
    async fn a_cheaper_hash_is_renewed() {
        let permit = hasher().permit().await.unwrap();
        let stored = permit.hash(Password::parse("correct horse").unwrap()).await.unwrap();
        let dearer = Hasher::start(5, 1, 1).unwrap().permit().await.unwrap();
        let verdict = dearer.verify(Password::presented("correct horse"), Some(stored)).await.unwrap();
        let Verdict::Right { renewed: Some(renewed) } = verdict else { panic!("not renewed: {verdict:?}") };
        assert!(renewed.0.starts_with("$bcrypt-sha256$v=2,t=2b,r=5$"), "{}", renewed.0);
    }

    #[tokio::test]
    async fn hashes_of_other_systems_are_understood() {
        let permit = hasher().permit().await.unwrap();
        // Made by htpasswd ($2y$) and by Python's bcrypt.
        for stored in HASHES_OF_OTHERS {
            let stored = Some(PasswordHash(stored.to_owned()));
            let right = permit.verify(Password::presented("correct horse battery"), stored.clone()).await.unwrap();
            let Verdict::Right { renewed: Some(renewed) } = right else { panic!("{right:?}") };
            assert!(renewed.0.starts_with("$bcrypt-sha256$"), "it is renewed");
            let wrong = permit.verify(Password::presented("correct horse batterz"), stored).await.unwrap();
            assert!(matches!(wrong, Verdict::Wrong));
        }
    }

    #[tokio::test]
    async fn a_malformed_hash_matches_no_password() {
        let permit = hasher().permit().await.unwrap();
        for stored in [
            "",
            "none",
            "$2b$04$short",
            "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA",
            "!",
            "$bcrypt-sha256$v=2,t=2b,r=4$short$x",
        ] {
            let stored = Some(PasswordHash(stored.to_owned()));
            let verdict = permit.verify(Password::presented("correct horse battery"), stored).await.unwrap();
            assert!(matches!(verdict, Verdict::Wrong));
        }
    }

    #[tokio::test]
    async fn a_full_queue_is_busy() {
        let hasher = Hasher::start(4, 1, 1).unwrap();
        let (first, second) = (hasher.permit().await.unwrap(), hasher.permit().await.unwrap());
        let mut third = Box::pin(hasher.permit());
        assert!(
            std::future::poll_fn(|context| std::task::Poll::Ready(third.as_mut().poll(context))).await.is_pending()
        );
        assert!(matches!(hasher.permit().await, Err(Error::Busy)));
        drop(first);
        drop(third.await.unwrap());
        drop(second);
    }
}
