//! Reading vaccine requests: each with its patient, contact and booked slot, by one statement.

use chrono::{DateTime, Utc};
use entity::{PatientRelation, RequestStatus, patients as patients_table, slots, vaccine_requests, waitlist_entries};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, Iterable, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
};
use uuid::Uuid;
use vaccine_requests::Column;

use crate::db::{QueryText, not_indexed};
use crate::domain::vaccination::patients;
use crate::domain::vaccination::people::PeopleFilter;
use crate::domain::vaccination::request_rows;
use crate::domain::values::actor::Actor;
use crate::domain::values::caller::Caller;
use crate::domain::values::clock::Clock;
use crate::domain::values::page::{Page, Slice, first_id_at, last_id_before};
use crate::error::{Error, Result};

/// Requests of one status that are counted at most.
pub const MAX_COUNT: u64 = 10_000;

/// A vaccine request with its patient and its booked slot.
#[derive(Clone, Debug)]
pub struct Request {
    /// The row.
    pub request: vaccine_requests::Model,
    /// The patient.
    pub patient: patients_table::Model,
    /// National id of the patient, if they have an account.
    pub nid: Option<String>,
    /// When staff verified the national id.
    pub nid_verified_at: Option<DateTime<Utc>>,
    /// The contact of the patient, while there is one.
    pub contact: Option<ContactName>,
    /// The booked slot.
    pub slot: Option<BookedSlot>,
    /// The place on the waitlist, also a former one.
    pub waitlist: Option<WaitlistPlace>,
}

/// A place on the waitlist.
#[derive(Clone, Debug)]
pub struct WaitlistPlace {
    /// The row.
    pub entry: waitlist_entries::Model,
    /// Number of entries before it, counted to 1,000, while it waits.
    pub ahead: Option<i64>,
    /// The slot of the offer, while there is one.
    pub offered: Option<BookedSlot>,
}

/// Name and birthday of a contact.
#[derive(Clone, Debug)]
pub struct ContactName {
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Month of birth, from 1.
    pub birth_month: Option<i16>,
    /// Day of birth, from 1.
    pub birth_day: Option<i16>,
    /// Year of birth.
    pub birth_year: Option<i16>,
}

/// A slot and its centre.
#[derive(Clone, Debug)]
pub struct BookedSlot {
    /// The row.
    pub slot: slots::Model,
    /// Name of the centre.
    pub centre_name: String,
    /// IANA time zone of the centre.
    pub time_zone: String,
}

/// Filter of a list of requests. Each condition narrows it.
#[derive(Clone, Debug, Default)]
pub struct RequestFilter {
    /// Status.
    pub status: Option<RequestStatus>,
    /// Vaccine.
    pub vaccine_id: Option<Uuid>,
    /// Account.
    pub user_id: Option<Uuid>,
    /// Contact.
    pub contact_id: Option<Uuid>,
    /// Patient.
    pub patient_id: Option<Uuid>,
    /// Booked slot.
    pub slot_id: Option<Uuid>,
    /// The patient.
    pub people: PeopleFilter,
    /// Creation at this time or later.
    pub created_from: Option<DateTime<Utc>>,
    /// Creation before this time.
    pub created_before: Option<DateTime<Utc>>,
}

impl RequestFilter {
    /// Whether it names an account, a contact, a patient or a slot, each of which has few requests.
    fn is_selective(&self) -> bool {
        [self.user_id, self.contact_id, self.patient_id, self.slot_id].iter().any(Option::is_some)
    }
}

/// The requests that an actor may see: their own; staff see all.
pub(super) fn visible_to(actor: &Actor) -> Select<vaccine_requests::Entity> {
    vaccine_requests::Entity::find()
        .apply_if((!actor.is_staff()).then_some(actor.user_id), |requests, own| requests.filter(Column::UserId.eq(own)))
}

/// Lists requests, newest first. If staff read those of others, this is recorded.
///
/// # Errors
/// Database errors.
pub async fn list(
    db: &impl ConnectionTrait,
    clock: &Clock,
    caller: &Caller,
    filter: &RequestFilter,
    page: Page,
) -> Result<Slice<Request>> {
    let [patient_id, user_id] =
        [Column::PatientId, Column::UserId].map(|column| Expr::col((vaccine_requests::Entity, column)));
    let Some(found) = filter.people.condition(db, &caller.actor, patient_id, user_id).await? else {
        patients::record_empty_search(db, clock, caller, None).await?;
        return Ok(page.slice(Vec::new(), |request: &Request| request.request.id));
    };
    // Many requests have a status or a vaccine: only without another condition are they looked up by it.
    let is_selective = found.is_selective || filter.is_selective() || !caller.actor.is_staff();
    let broad = |condition| if is_selective { not_indexed(condition) } else { condition };
    let requests = visible_to(&caller.actor)
        .filter(found.condition)
        .apply_if(filter.status, |requests, status| requests.filter(broad(Column::Status.eq(status))))
        .apply_if(filter.vaccine_id, |requests, id| requests.filter(broad(Column::VaccineId.eq(id))))
        .apply_if(filter.user_id, |requests, id| requests.filter(Column::UserId.eq(id)))
        .apply_if(filter.patient_id, |requests, id| requests.filter(Column::PatientId.eq(id)))
        .apply_if(filter.slot_id, |requests, id| requests.filter(Column::SlotId.eq(id)))
        .apply_if(filter.contact_id, |requests, id| {
            let its = patients_table::Entity::find().select_only().column(patients_table::Column::Id);
            let its = its.filter(patients_table::Column::ContactId.eq(id)).into_query();
            requests.filter(
                Expr::col((vaccine_requests::Entity, Column::PatientId)).eq(Expr::SubQuery(None, Box::new(its.into()))),
            )
        })
        // Ids are in the order of time: a bound on the time is also a bound on the index of the list.
        .apply_if(filter.created_from, |requests, from| {
            requests.filter(Column::Id.gte(first_id_at(from))).filter(Column::CreatedAt.gte(from))
        })
        .apply_if(filter.created_before, |requests, before| {
            requests.filter(Column::Id.lt(last_id_before(before))).filter(Column::CreatedAt.lt(before))
        })
        .apply_if(page.after, |requests, after| requests.filter(Column::Id.lt(after)))
        .order_by_desc(Column::Id)
        .limit(page.rows());
    let page = page.slice(read(db, requests).await?, |request| request.request.id);
    if page.items.is_empty() && !filter.people.is_empty() {
        patients::record_empty_search(db, clock, caller, None).await?;
    }
    record_read(db, clock, caller, &page.items).await?;
    Ok(page)
}

async fn record_read(db: &impl ConnectionTrait, clock: &Clock, caller: &Caller, requests: &[Request]) -> Result<()> {
    if !caller.actor.is_staff() {
        return Ok(());
    }
    let patients = requests.iter().map(|request| (request.patient.id, request.patient.user_id));
    patients::record_read(db, clock, caller, patients, None).await
}

/// All requests of a user, oldest first.
pub(in crate::domain) async fn all_of(db: &impl ConnectionTrait, user_id: Uuid) -> Result<Vec<Request>> {
    let own = vaccine_requests::Entity::find().filter(Column::UserId.eq(user_id));
    read(db, own.order_by_asc(Column::Id)).await
}

/// Gets a request. If staff read that of somebody else, this is recorded.
///
/// # Errors
/// [`Error::NotFound`] if the actor may not see it.
pub async fn get(db: &impl ConnectionTrait, clock: &Clock, caller: &Caller, id: Uuid) -> Result<Request> {
    let request = visible_to(&caller.actor).filter(Column::Id.eq(id));
    let request = read(db, request).await?.into_iter().next().ok_or(Error::NotFound)?;
    record_read(db, clock, caller, std::slice::from_ref(&request)).await?;
    Ok(request)
}

/// Reads a request that the caller may see.
pub(super) async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Request> {
    static QUERY: QueryText = QueryText::new();
    let build = || request_rows::query(vaccine_requests::Entity::find_by_id(Uuid::nil()));
    // In the order of the text: the relation and the latest entry in joins, and the id.
    let values = [PatientRelation::Own.into(), 1_u64.into(), id.into()];
    let row = db.query_one_raw(QUERY.statement(db, values, build)).await?;
    request_rows::read(&row.ok_or(Error::NotFound)?)
}

/// Reads requests that the caller may see, in no order.
pub(super) async fn by_ids(db: &impl ConnectionTrait, ids: impl Iterator<Item = Uuid>) -> Result<Vec<Request>> {
    read(db, vaccine_requests::Entity::find().filter(Column::Id.is_in(ids))).await
}

/// Number of requests of each status, counted up to [`MAX_COUNT`].
///
/// # Errors
/// [`Error::Forbidden`] unless the actor is staff.
pub async fn counts(db: &impl ConnectionTrait, actor: &Actor) -> Result<Vec<(RequestStatus, u64)>> {
    actor.require(entity::Role::Staff)?;
    let mut query = Query::select();
    for status in RequestStatus::iter() {
        let some = Query::select()
            .expr(Expr::value(1))
            .from(vaccine_requests::Entity)
            .and_where(Expr::col(Column::Status).eq(status))
            .limit(MAX_COUNT)
            .to_owned();
        let count = Query::select().expr(Expr::cust("count(*)")).from_subquery(some, "some").to_owned();
        query.expr_as(Expr::SubQuery(None, Box::new(count.into())), status.as_str());
    }
    let row = db.query_one(&query).await?.ok_or(Error::NotFound)?;
    let count = |status: RequestStatus| {
        let count: i64 = row.try_get("", status.as_str())?;
        Ok((status, u64::try_from(count).unwrap_or(0)))
    };
    RequestStatus::iter().map(count).collect()
}

/// Reads requests with their patients and slots.
async fn read(db: &impl ConnectionTrait, requests: Select<vaccine_requests::Entity>) -> Result<Vec<Request>> {
    let rows = db.query_all(&request_rows::query(requests)).await?;
    rows.iter().map(request_rows::read).collect()
}
