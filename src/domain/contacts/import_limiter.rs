//! Import limiter: how many files of contacts are received and written at a time.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use crate::error::{Error, Result};

/// Timeout of a received file in the queue for writing.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(10);

/// Files that are received at the same time.
const MAX_CONCURRENT_UPLOADS: usize = 32;

/// Limits of imports: size of a file, one file per user at a time, and a number of files in all.
#[derive(Debug)]
pub struct ImportLimiter {
    /// The most bytes of a file.
    pub max_bytes: u64,
    /// The most contacts of a file.
    pub max_rows: u64,
    uploading: Mutex<HashSet<Uuid>>,
    writing: Arc<Semaphore>,
}

/// A permit to upload a file, from its first byte to the response.
#[derive(Debug)]
pub struct ImportPermit<'a> {
    limiter: &'a ImportLimiter,
    user_id: Uuid,
}

impl Drop for ImportPermit<'_> {
    fn drop(&mut self) {
        self.limiter.uploading().remove(&self.user_id);
    }
}

impl ImportLimiter {
    /// Limits for files of `max_bytes` and `max_rows`, of which `max_writes` are written at a time.
    #[must_use]
    pub fn new(max_bytes: u64, max_rows: u64, max_writes: usize) -> Self {
        Self { max_bytes, max_rows, uploading: Mutex::default(), writing: Arc::new(Semaphore::new(max_writes)) }
    }

    /// Gets a permit to upload a file.
    ///
    /// # Errors
    /// [`Error::Busy`] if the user has one already, or there are none left.
    pub fn upload(&self, user_id: Uuid) -> Result<ImportPermit<'_>> {
        let mut uploading = self.uploading();
        if uploading.len() >= MAX_CONCURRENT_UPLOADS || !uploading.insert(user_id) {
            return Err(Error::Busy);
        }
        Ok(ImportPermit { limiter: self, user_id })
    }

    fn uploading(&self) -> MutexGuard<'_, HashSet<Uuid>> {
        self.uploading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a permit to write a file.
    ///
    /// # Errors
    /// [`Error::Busy`] after a timeout.
    pub(super) async fn write(&self) -> Result<OwnedSemaphorePermit> {
        let permit = Arc::clone(&self.writing).acquire_owned();
        let permit = tokio::time::timeout(QUEUE_TIMEOUT, permit).await.map_err(|_| Error::Busy)?;
        permit.map_err(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;

    use super::{ImportLimiter, MAX_CONCURRENT_UPLOADS};
    use crate::error::Error;

    #[tokio::test]
    async fn uploads_above_the_limit_are_busy() {
        let limiter = ImportLimiter::new(1, 1, 1);
        let mut permits: Vec<_> =
            (0..MAX_CONCURRENT_UPLOADS).map(|_| limiter.upload(Uuid::now_v7()).unwrap()).collect();
        assert!(matches!(limiter.upload(Uuid::nil()), Err(Error::Busy)));
        permits.pop();
        let permit = limiter.upload(Uuid::nil()).unwrap();
        assert!(matches!(limiter.upload(Uuid::nil()), Err(Error::Busy)));
        drop(permit);
        limiter.upload(Uuid::nil()).unwrap();
    }

    #[tokio::test]
    async fn writes_above_the_limit_wait() {
        let limiter = ImportLimiter::new(1, 1, 1);
        let permit = limiter.write().await.unwrap();
        tokio::time::timeout(Duration::ZERO, limiter.write()).await.unwrap_err();
        drop(permit);
        drop(limiter.write().await.unwrap());
    }
}
