//! Vaccination context: everything that bookings need besides the database. The application creates it.

use std::sync::Arc;

use sea_orm::TransactionSession;
use uuid::Uuid;

use crate::domain::vaccination::availability::Availability;
use crate::domain::vaccination::course_rules::Schedules;
use crate::domain::vaccination::rules::BookingRules;
use crate::domain::values::clock::Clock;
use crate::error::{Error, Result};

/// Vaccination context: clock, settings, and the cached availability.
#[derive(Debug)]
pub struct Vaccination {
    /// Clock.
    pub clock: Clock,
    /// Settings of requests and bookings.
    pub rules: BookingRules,
    /// Schedules of the courses.
    pub schedules: Schedules,
    /// Cached availability of the centres.
    pub availability: Arc<Availability>,
}

impl Vaccination {
    /// Creates a context whose cache is empty.
    #[must_use]
    pub fn new(clock: Clock, rules: BookingRules) -> Self {
        Self { clock, rules, schedules: Schedules::default(), availability: Arc::default() }
    }

    /// Commits a transaction that changes slots of these centres, and drops what is cached of them. Both happen even if the
    /// client closes the connection meanwhile: what is read after the reply is never older than the reply.
    ///
    /// # Errors
    /// Database errors. Then, too, the cache is dropped: the transaction may have been committed.
    pub(in crate::domain) async fn commit(
        &self,
        transaction: impl TransactionSession + Send + 'static,
        centres: impl IntoIterator<Item = Uuid>,
    ) -> Result<()> {
        let (availability, centres) = (Arc::clone(&self.availability), centres.into_iter().collect::<Vec<_>>());
        let commit = async move {
            let outcome = transaction.commit().await;
            availability.changed(centres);
            outcome
        };
        Ok(tokio::spawn(commit).await.map_err(Error::internal)??)
    }
}
