//! Reading vaccine requests: each with its patient and its booked slot, by one statement.

use chrono::{DateTime, Utc};
use entity::{RequestStatus, centres, patients, slots, users, vaccine_requests};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, IdenStatic as _, Iterable, JoinType,
    QueryFilter, QueryOrder, QueryResult, QuerySelect, QueryTrait, Select,
};
use uuid::Uuid;
use vaccine_requests::Column;

use crate::domain::accounts::user_words;
use crate::domain::vaccination::patients as people;
use crate::domain::values::actor::Actor;
use crate::domain::values::caller::Caller;
use crate::domain::values::clock::Clock;
use crate::domain::values::email::Email;
use crate::domain::values::page::{Page, Slice, first_id_at, last_id_before};
use crate::domain::values::person::{NationalId, PhoneNumber};
use crate::domain::values::search::SearchText;
use crate::error::{Error, Result};

/// Requests of one status that are counted at most.
pub const MAX_COUNT: u64 = 10_000;

/// A vaccine request with its patient and its booked slot.
#[derive(Clone, Debug)]
pub struct Request {
    /// The row.
    pub request: vaccine_requests::Model,
    /// The patient.
    pub patient: patients::Model,
    /// National id of the patient, if they have an account.
    pub nid: Option<String>,
    /// When staff verified the national id.
    pub nid_verified_at: Option<DateTime<Utc>>,
    /// The booked slot.
    pub slot: Option<BookedSlot>,
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
    /// For each of these words, a word of the name of the patient begins with it.
    pub search: Option<SearchText>,
    /// E-mail address of the account.
    pub email: Option<Email>,
    /// Telephone number of the account; only its digits matter.
    pub phone_number: Option<PhoneNumber>,
    /// National id of the account.
    pub nid: Option<NationalId>,
    /// Creation at this time or later.
    pub created_from: Option<DateTime<Utc>>,
    /// Creation before this time.
    pub created_before: Option<DateTime<Utc>>,
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
    let Some(found) = found(db, filter).await? else {
        return Ok(page.slice(Vec::new(), |request: &Request| request.request.id));
    };
    let requests = visible_to(&caller.actor)
        .filter(found)
        .apply_if(filter.status, |requests, status| requests.filter(Column::Status.eq(status)))
        .apply_if(filter.vaccine_id, |requests, id| requests.filter(Column::VaccineId.eq(id)))
        .apply_if(filter.user_id, |requests, id| requests.filter(Column::UserId.eq(id)))
        .apply_if(filter.patient_id, |requests, id| requests.filter(Column::PatientId.eq(id)))
        .apply_if(filter.slot_id, |requests, id| requests.filter(Column::SlotId.eq(id)))
        .apply_if(filter.contact_id, |requests, id| {
            let its = patients::Entity::find().select_only().column(patients::Column::Id);
            let its = its.filter(patients::Column::ContactId.eq(id)).into_query();
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
    record_read(db, clock, caller, &page.items).await?;
    Ok(page)
}

async fn record_read(db: &impl ConnectionTrait, clock: &Clock, caller: &Caller, requests: &[Request]) -> Result<()> {
    if !caller.actor.is_staff() {
        return Ok(());
    }
    let patients = requests.iter().map(|request| (request.patient.id, request.patient.user_id));
    people::record_read(db, clock, caller, patients, None).await
}

/// The condition that finds people; `None` if there are none.
async fn found(db: &impl ConnectionTrait, filter: &RequestFilter) -> Result<Option<Condition>> {
    let mut found = Condition::all();
    if let Some(text) = &filter.search {
        let id = Expr::col((vaccine_requests::Entity, Column::PatientId));
        let Some(matching) = people::words().matching(db, text, id).await? else { return Ok(None) };
        found = found.add(matching);
    }
    let accounts =
        |condition| Query::select().column(users::Column::Id).from(users::Entity).and_where(condition).to_owned();
    let subqueries = [
        filter.email.as_ref().map(|email| accounts(users::Column::Email.eq(email.as_str()))),
        filter.nid.as_ref().map(|nid| accounts(users::Column::NidKey.eq(nid.key()))),
        filter.phone_number.as_ref().map(|number| user_words::with_phone_number(number.as_str())),
    ];
    for accounts in subqueries.into_iter().flatten() {
        found = found.add(Column::UserId.in_subquery(accounts));
    }
    Ok(Some(found))
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
    let request = vaccine_requests::Entity::find_by_id(id);
    read(db, request).await?.into_iter().next().ok_or(Error::NotFound)
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
    let rows = db.query_all(&joined(requests)).await?;
    rows.iter().map(request_of).collect()
}

fn joined(requests: Select<vaccine_requests::Entity>) -> SelectStatement {
    let mut query = requests.select_only().into_query();
    add_columns::<vaccine_requests::Entity>(&mut query, "r_");
    add_columns::<patients::Entity>(&mut query, "p_");
    add_columns::<slots::Entity>(&mut query, "s_");
    for (table_column, alias) in [(centres::Column::Name, "c_name"), (centres::Column::TimeZone, "c_time_zone")] {
        query.expr_as(Expr::col((centres::Entity, table_column)), alias);
    }
    for (table_column, alias) in [(users::Column::Nid, "u_nid"), (users::Column::NidVerifiedAt, "u_nid_verified_at")] {
        query.expr_as(Expr::col((users::Entity, table_column)), alias);
    }
    let of_request = |column| Expr::col((vaccine_requests::Entity, column));
    let of_patient = |column| Expr::col((patients::Entity, column));
    query
        .join(JoinType::InnerJoin, patients::Entity, of_patient(patients::Column::Id).eq(of_request(Column::PatientId)))
        .join(
            JoinType::LeftJoin,
            users::Entity,
            Expr::col((users::Entity, users::Column::Id))
                .eq(of_patient(patients::Column::UserId))
                .and(of_patient(patients::Column::Relation).eq("self")),
        )
        .join(
            JoinType::LeftJoin,
            slots::Entity,
            Expr::col((slots::Entity, slots::Column::Id)).eq(of_request(Column::SlotId)),
        )
        .join(
            JoinType::LeftJoin,
            centres::Entity,
            Expr::col((centres::Entity, centres::Column::Id)).eq(Expr::col((slots::Entity, slots::Column::CentreId))),
        );
    query
}

fn add_columns<E: EntityTrait>(query: &mut SelectStatement, prefix: &str) {
    for column in E::Column::iter() {
        query.expr_as(Expr::col((E::default(), column)), format!("{prefix}{}", column.as_str()));
    }
}

fn request_of(row: &QueryResult) -> Result<Request> {
    let slot = match slots::Model::from_query_result_optional(row, "s_")? {
        Some(slot) => {
            let (centre_name, time_zone) = (row.try_get("c_", "name")?, row.try_get("c_", "time_zone")?);
            Some(BookedSlot { slot, centre_name, time_zone })
        }
        None => None,
    };
    Ok(Request {
        request: vaccine_requests::Model::from_query_result(row, "r_")?,
        patient: patients::Model::from_query_result(row, "p_")?,
        nid: row.try_get("u_", "nid")?,
        nid_verified_at: row.try_get("u_", "nid_verified_at")?,
        slot,
    })
}
