//! An operation on a vaccine request: who performs it, what they may do, and the locks that it takes first.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::slots;
use entity::vaccine_requests::Entity as Requests;
use entity::{AuditAction, centres as centres_table, patients as patients_table, vaccine_requests};
use sea_orm::sea_query::Expr;
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait};
use uuid::Uuid;

use crate::db::QueryText;
use crate::domain::records::audit::Event;
use crate::domain::vaccination::context::Vaccination;
use crate::domain::vaccination::eligibility::{self, Facts, Verdict};
use crate::domain::vaccination::wanted_slot::WantedSlot;
use crate::domain::vaccination::{centres, dose_history, locks};
use crate::domain::values::actor::Actor;
use crate::domain::values::caller::Caller;
use crate::domain::values::time_zone::TimeZone;
use crate::error::{Conflict, Error, Result, Violation};

/// How often an operation is tried if what it has read changes meanwhile.
const ATTEMPTS: usize = 5;

/// An operation on a request, and what it depends on.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    /// Vaccination context.
    pub context: &'a Arc<Vaccination>,
    /// Who performs it.
    pub caller: &'a Caller,
    /// Id of the request.
    pub request_id: Uuid,
}

/// A request with what an operation needs to know. It was read while the patient was locked.
pub(super) struct Locked {
    pub patient: patients_table::Model,
    pub request: vaccine_requests::Model,
}

impl Operation<'_> {
    pub(super) fn actor(&self) -> &Actor {
        &self.caller.actor
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.context.clock.now()
    }

    pub(super) fn is_own(&self, request: &vaccine_requests::Model) -> bool {
        request.user_id == Some(self.actor().user_id)
    }

    /// Locks the patient of the request, and reads the request. Staff may see all requests.
    pub(super) async fn lock(&self, transaction: &impl ConnectionTrait) -> Result<Locked> {
        let patient = locks::patient_of(transaction, self.request_id).await?.ok_or(Error::NotFound)?;
        Ok(Locked { patient, request: self.visible(transaction).await? })
    }

    async fn visible(&self, db: &impl ConnectionTrait) -> Result<vaccine_requests::Model> {
        static QUERY: QueryText = QueryText::new();
        let request = QUERY.find(db, [self.request_id.into()], || Requests::find_by_id(Uuid::nil())).await?;
        request.filter(|request| self.actor().is_staff() || self.is_own(request)).ok_or(Error::NotFound)
    }

    /// As [`lock`](Self::lock), of a request of the caller.
    pub(super) async fn lock_own(&self, transaction: &impl ConnectionTrait) -> Result<Locked> {
        let locked = self.lock(transaction).await?;
        if self.is_own(&locked.request) { Ok(locked) } else { Err(Error::NotFound) }
    }

    /// Checks that the caller may see a response that was stored earlier: they may have lost the role since.
    pub(super) async fn check_visible(&self, db: &impl ConnectionTrait) -> Result<()> {
        self.visible(db).await.map(drop)
    }

    /// Checks that the caller may change the booking of a slot: its owner until some time before the start, the staff of
    /// its centre at any time.
    pub(super) async fn check_change(
        &self,
        db: &impl ConnectionTrait,
        request: &vaccine_requests::Model,
        slot: &slots::Model,
    ) -> Result<()> {
        if self.acts_in(db, slot.centre_id).await? {
            return Ok(());
        }
        if !self.is_own(request) {
            return Err(Error::NotFound);
        }
        let now = self.now();
        let is_over = slot.ends_at <= now;
        if !is_over && now > slot.starts_at - self.context.rules.change_until {
            return Err(Conflict::TooLate.into());
        }
        Ok(())
    }

    /// The time from which slots can be booked: now for the staff of the centre, some time later for others.
    pub(super) async fn bookable_from(&self, db: &impl ConnectionTrait, centre_id: Uuid) -> Result<DateTime<Utc>> {
        // Without a notice, there is nothing to ask.
        let is_exempt = self.context.rules.notice.is_zero() || self.acts_in(db, centre_id).await?;
        Ok(if is_exempt { self.now() } else { self.now() + self.context.rules.notice })
    }

    pub(super) async fn acts_in(&self, db: &impl ConnectionTrait, centre_id: Uuid) -> Result<bool> {
        if !self.actor().is_staff() {
            return Ok(false);
        }
        let centre = centres_table::Entity::find_by_id(centre_id)
            .select_only()
            .column(centres_table::Column::Id)
            .filter(centres::acts_in(self.actor(), Expr::col((centres_table::Entity, centres_table::Column::Id))));
        Ok(db.query_one(&centre.into_query()).await?.is_some())
    }

    /// Records what staff do, also in their own account, where they have more rights than patients.
    pub(super) async fn record(
        &self,
        transaction: &impl ConnectionTrait,
        action: AuditAction,
        request: &vaccine_requests::Model,
    ) -> Result<()> {
        if !self.actor().is_staff() {
            return Ok(());
        }
        let event = Event::new(action, &self.caller.client).by(Some(self.actor().user_id));
        event.to(request.user_id).on(request.id).record(transaction, self.now()).await
    }

    /// Reads a slot for a request of a locked patient, and applies the rules to the local date of its start.
    ///
    /// # Errors
    /// A violation if there is no such slot, or it is of another course; [`Error::NotEligible`].
    pub(super) async fn judged_slot(
        &self,
        transaction: &impl ConnectionTrait,
        locked: &Locked,
        slot_id: Uuid,
    ) -> Result<WantedSlot> {
        let wanted = WantedSlot::read(transaction, &locked.request, slot_id).await?;
        let wanted = wanted.ok_or_else(|| Violation::new("slot_id", "unknown", "is not a slot"))?;
        if !self.is_own(&locked.request) && !self.acts_in(transaction, wanted.slot.centre_id).await? {
            return Err(Error::NotFound);
        }
        if wanted.vaccine.course_id != locked.request.course_id {
            return Err(Violation::new("slot_id", "course", "is of a vaccine of another course").into());
        }
        let course = self.context.schedules.of(transaction, &wanted.course).await?;
        let doses = dose_history::of_patient(transaction, locked.patient.id).await?;
        let number = Some(locked.request.dose_number);
        let facts = Facts {
            has_overlapping_booking: wanted.has_overlapping_booking,
            ..Facts::of_dose(&locked.patient, &course, &wanted.vaccine, &doses, number)
        };
        let judged = eligibility::judge(&facts, TimeZone::parse(&wanted.time_zone)?.date(wanted.slot.starts_at));
        if judged.verdict == Verdict::NotEligible {
            return Err(Error::NotEligible(Box::new(judged)));
        }
        Ok(wanted)
    }
}

/// Tries an operation again if it is [`Error::Busy`]: what it has read has changed since, and nothing was written.
pub(in crate::domain) async fn retried<T>(attempt: impl AsyncFn() -> Result<T>) -> Result<T> {
    for _ in 1..ATTEMPTS {
        match attempt().await {
            Err(Error::Busy) => {}
            outcome => return outcome,
        }
    }
    attempt().await
}
