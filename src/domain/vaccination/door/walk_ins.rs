//! Walk-ins: people who come without a booking, with or without an account. They are checked in at once, and take a place of
//! a slot if staff name one.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::vaccine_requests::{ActiveModel, Column, Entity as Requests, Model};
use entity::{AuditAction, RequestStatus, Role, WaitlistStatus, centres as centres_table, patients as patients_table};
use entity::{slots, vaccines, waitlist_entries};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set, TransactionSession as _};
use uuid::Uuid;

use super::check_in::{CheckIn, IdentifiedBy};
use super::visit::{check_answers, check_rules};
use crate::db::Transact;
use crate::domain::accounts::users as accounts;
use crate::domain::records::audit::Event;
use crate::domain::records::idempotency::{Once, Response};
use crate::domain::vaccination::context::Vaccination;
use crate::domain::vaccination::eligibility::{self, Answers, Facts};
use crate::domain::vaccination::operation::retried;
use crate::domain::vaccination::patients::{self, NewWalkIn};
use crate::domain::vaccination::request_list::{self, Request};
use crate::domain::vaccination::request_rows::next_revision;
use crate::domain::vaccination::vaccines::Doses;
use crate::domain::vaccination::{booking_codes, centres, dose_history, locks, offers, places, waitlist};
use crate::domain::values::caller::Caller;
use crate::domain::values::time_zone::TimeZone;
use crate::error::{Conflict, Error, Result, Violation};

/// Somebody who has come without a booking.
#[derive(Clone, Debug)]
pub struct WalkIn {
    /// Who it is.
    pub person: WalkInPerson,
    /// The vaccine that they want.
    pub vaccine_id: Uuid,
    /// Number of the dose in its course; none for the next one.
    pub dose_number: Option<Doses>,
    /// The slot of which they take a place.
    pub slot_id: Option<Uuid>,
    /// What is noted.
    pub check_in: CheckIn,
}

/// Who has come.
#[derive(Clone, Debug)]
pub enum WalkInPerson {
    /// A patient who is known.
    Patient(Uuid),
    /// Somebody who is not known yet.
    New(NewWalkIn),
}

/// Checks somebody in who has come without a booking: their open request for the dose, or a new one.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`]; a violation if there is no such patient, vaccine or slot; a conflict if a place
/// is booked for the dose already; [`Error::SlotFull`], [`Error::NotEligible`].
pub async fn create(
    db: &impl Transact,
    context: &Arc<Vaccination>,
    caller: &Caller,
    once: Once<'_, Request>,
    centre_id: Uuid,
    new: &WalkIn,
) -> Result<Response> {
    caller.actor.require(Role::Staff)?;
    let attempt = async || try_create(db, context, caller, once, centre_id, new).await;
    match (retried(&attempt).await, new.slot_id) {
        // Places may be held by offers that have expired.
        (Err(Error::SlotFull { .. }), Some(slot_id)) if offers::free_expired(db, context, slot_id).await? => {
            retried(attempt).await
        }
        (outcome, _) => outcome,
    }
}

async fn try_create(
    db: &impl Transact,
    context: &Arc<Vaccination>,
    caller: &Caller,
    once: Once<'_, Request>,
    centre_id: Uuid,
    new: &WalkIn,
) -> Result<Response> {
    let (actor, now) = (&caller.actor, context.clock.now());
    let transaction = db.begin().await?;
    let account = hold_accounts(&transaction, actor.user_id, &new.person).await?;
    if let Some(response) = once.begin(&transaction, actor.user_id, now).await? {
        return Ok(response);
    }
    let centre = centres::get_own(&transaction, actor, centre_id).await?;
    let patient = match &new.person {
        WalkInPerson::Patient(id) => patients::lock(&transaction, *id).await?,
        WalkInPerson::New(person) => patients::create_walk_in(&transaction, person, now).await?,
    };
    if patient.user_id != account || patients::is_pseudonymised(&patient) {
        // The account was erased meanwhile, or before.
        return Err(Violation::new("patient_id", "unknown", "is not a patient").into());
    }
    let (dose_number, overridden) = judge(&transaction, context, &centre, &patient, new).await?;
    let vaccine = vaccines::Entity::find_by_id(new.vaccine_id).one(&transaction).await?.ok_or(Error::NotFound)?;
    let open = open_request(&transaction, &patient, vaccine.course_id, dose_number).await?;
    let row = Arrived { new, centre: &centre, patient: &patient, vaccine: &vaccine, dose_number, now };
    let request = match open {
        Some(open) => row.update(&transaction, caller, &open).await?,
        None => row.insert(&transaction, caller).await?,
    };
    let mut given_back = None;
    let mut has_held_place = false;
    if let Some(entry) = offers::open_entry(&transaction, request.id).await? {
        locks::slots(&transaction, entry.slot_id.into_iter().chain(new.slot_id)).await?;
        has_held_place = new.slot_id.is_some_and(|slot_id| waitlist::has_offer(&entry, slot_id, now));
        if has_held_place {
            accept(&transaction, &request, &entry, now).await?;
        } else {
            given_back = waitlist::end(&transaction, context, &entry, WaitlistStatus::Left).await?;
        }
    }
    if let Some(slot_id) = new.slot_id.filter(|_| !has_held_place) {
        let from = take_place(&transaction, &centre, &request, slot_id, now).await?;
        if let Some(from) = from {
            transaction.rollback().await?;
            return Err(places::refusal(db, &request, slot_id, from).await?);
        }
    }
    let event = Event::new(AuditAction::WalkedIn, &caller.client).by(Some(actor.user_id));
    let event = event.to(patient.user_id).on(request.id);
    let event = if overridden.is_empty() { event } else { event.detail(&overridden) };
    event.record(&transaction, now).await?;
    let reply = request_list::by_id(&transaction, request.id).await?;
    let response = once.finish(&transaction, actor.user_id, Some(patient.id), &reply).await?;
    offers::commit(db, context, transaction, given_back.as_slice(), [centre.id]).await?;
    Ok(response)
}

/// Locks the accounts of the actor and of the patient, by ascending id: the request refers to the latter. Returns the latter.
async fn hold_accounts(
    transaction: &impl ConnectionTrait,
    actor_id: Uuid,
    person: &WalkInPerson,
) -> Result<Option<Uuid>> {
    let account = match person {
        WalkInPerson::Patient(id) => patients_table::Entity::find_by_id(*id).one(transaction).await?,
        WalkInPerson::New(_) => None,
    };
    let account = account.and_then(|patient| patient.user_id);
    let ids: BTreeSet<Uuid> = account.into_iter().chain([actor_id]).collect();
    for id in ids {
        match accounts::hold(transaction, id).await {
            // The account of the patient was erased meanwhile.
            Err(Error::InvalidToken) if id != actor_id => {
                return Err(Violation::new("patient_id", "unknown", "is not a patient").into());
            }
            held => held?,
        };
    }
    Ok(account)
}

/// Applies the rules to the dose today. Returns its number, and the rules that staff have set aside.
async fn judge(
    transaction: &impl ConnectionTrait,
    context: &Vaccination,
    centre: &centres_table::Model,
    patient: &patients_table::Model,
    new: &WalkIn,
) -> Result<(i32, String)> {
    let vaccine = vaccines::Entity::find_by_id(new.vaccine_id).one(transaction).await?;
    let vaccine = vaccine.ok_or_else(|| Violation::new("vaccine_id", "unknown", "is not a vaccine"))?;
    let course = context.schedules.rules(transaction, vaccine.course_id).await?;
    let answers = &new.check_in.answers;
    // Questions can be asked later, when the patient is checked in again.
    let answers = if answers.is_empty() { Answers::NotAsked } else { Answers::Given(answers) };
    if !new.check_in.answers.is_empty() {
        check_answers(&course, &new.check_in.answers)?;
    }
    let doses = dose_history::of_patient(transaction, patient.id).await?;
    let facts =
        Facts { answers, ..Facts::of_dose(patient, &course, &vaccine, &doses, new.dose_number.map(Doses::get)) };
    let today = TimeZone::parse(&centre.time_zone)?.date(context.clock.now());
    let judged = eligibility::judge(&facts, today);
    let overridden = check_rules(&judged, new.check_in.override_reason.as_ref())?;
    Ok((judged.dose_number, overridden))
}

/// The open request of a locked patient for a dose.
async fn open_request(
    transaction: &impl ConnectionTrait,
    patient: &patients_table::Model,
    course_id: Uuid,
    dose_number: i32,
) -> Result<Option<Model>> {
    let open = Requests::find()
        .filter(Column::PatientId.eq(patient.id))
        .filter(Column::CourseId.eq(course_id))
        .filter(Column::DoseNumber.eq(dose_number))
        .filter(Expr::cust("status IN ('pending', 'approved', 'booked')"));
    Ok(open.one(transaction).await?)
}

/// What is stored about somebody who has come.
struct Arrived<'a> {
    new: &'a WalkIn,
    centre: &'a centres_table::Model,
    patient: &'a patients_table::Model,
    vaccine: &'a vaccines::Model,
    dose_number: i32,
    now: DateTime<Utc>,
}

impl Arrived<'_> {
    /// Inserts a request, which is approved.
    async fn insert(&self, transaction: &impl ConnectionTrait, caller: &Caller) -> Result<Model> {
        patients::reopen_request(transaction, self.patient.id).await?;
        let row = Model {
            id: Uuid::now_v7(),
            user_id: self.patient.user_id,
            vaccine_id: self.vaccine.id,
            dose_number: self.dose_number,
            status: RequestStatus::Approved,
            note: None,
            reason: None,
            reviewed_by: Some(caller.actor.user_id),
            created_at: self.now,
            updated_at: self.now,
            patient_id: self.patient.id,
            course_id: self.vaccine.course_id,
            slot_id: None,
            code: Some(booking_codes::new()?),
            moves: 0,
            invitation_id: None,
            revision: 0,
            checked_in_at: Some(self.now),
            centre_id: Some(self.centre.id),
            identified_by: self.identified_by(),
            answers: self.new.check_in.stored_answers()?,
        };
        Ok(ActiveModel::from(row).reset_all().insert(transaction).await?)
    }

    /// Checks an open request in. A pending one is approved.
    ///
    /// # Errors
    /// A conflict if a place is booked for it.
    async fn update(&self, transaction: &impl ConnectionTrait, caller: &Caller, open: &Model) -> Result<Model> {
        if open.status == RequestStatus::Booked {
            return Err(Conflict::RequestOpen.into());
        }
        let row = ActiveModel {
            id: Set(open.id),
            status: Set(RequestStatus::Approved),
            vaccine_id: Set(self.vaccine.id),
            reviewed_by: Set(open.reviewed_by.or(Some(caller.actor.user_id))),
            code: Set(Some(open.code.clone().map_or_else(booking_codes::new, Ok)?)),
            checked_in_at: Set(Some(self.now)),
            centre_id: Set(Some(self.centre.id)),
            identified_by: Set(self.identified_by()),
            answers: Set(self.new.check_in.stored_answers()?),
            updated_at: Set(self.now),
            ..Default::default()
        };
        // The patient is locked, and a request that is not booked changes only with that lock.
        Ok(row.update(transaction).await?)
    }

    fn identified_by(&self) -> Option<String> {
        self.new.check_in.identified_by.clone().map(IdentifiedBy::into_string)
    }
}

/// Books the place that is offered to the request.
async fn accept(
    transaction: &impl ConnectionTrait,
    request: &Model,
    entry: &waitlist_entries::Model,
    now: DateTime<Utc>,
) -> Result<()> {
    let slot_id = entry.slot_id.ok_or(Error::Busy)?;
    become_booked(transaction, request.id, slot_id).await?;
    if !places::book_held(transaction, slot_id, now).await? {
        // The slot has begun, or was closed.
        return Err(Error::Busy);
    }
    offers::end_entry(transaction, entry, WaitlistStatus::Accepted, now).await
}

async fn become_booked(transaction: &impl ConnectionTrait, id: Uuid, slot_id: Uuid) -> Result<()> {
    let booked = Requests::update_many()
        .col_expr(Column::Status, Expr::value(RequestStatus::Booked))
        .col_expr(Column::SlotId, Expr::value(slot_id))
        .col_expr(Column::Revision, next_revision())
        .filter(Column::Id.eq(id))
        .filter(Column::Status.eq(RequestStatus::Approved));
    if booked.exec(transaction).await?.rows_affected == 0 { Err(Error::Busy) } else { Ok(()) }
}

/// Takes a place of a slot of the centre that is not over. If there is none, returns the time from which slots can be booked.
async fn take_place(
    transaction: &impl ConnectionTrait,
    centre: &centres_table::Model,
    request: &Model,
    slot_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>> {
    let found = slots::Entity::find_by_id(slot_id).find_also_related(vaccines::Entity).one(transaction).await?;
    let Some((slot, Some(vaccine))) = found.filter(|(slot, _)| slot.centre_id == centre.id) else {
        return Err(Violation::new("slot_id", "unknown", "is not a slot of this centre").into());
    };
    if vaccine.course_id != request.course_id {
        return Err(Violation::new("slot_id", "course", "is of a vaccine of another course").into());
    }
    // Until the end of the slot.
    let from = now - (slot.ends_at - slot.starts_at);
    become_booked(transaction, request.id, slot_id).await?;
    Ok((!places::take(transaction, request, slot_id, from).await?).then_some(from))
}
