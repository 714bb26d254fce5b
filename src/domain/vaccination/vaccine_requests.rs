//! Vaccine requests: create, list, update while pending. Their status is changed by [`transitions`](super::transitions).
//!
//! The conditions of an operation are part of its statement, so nothing can change between check and write. The reason
//! of a refusal is looked up only if the statement found no row.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use entity::{RequestStatus, contacts, vaccine_requests, vaccines};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select,
};
use uuid::Uuid;
use vaccine_requests::Column;

use crate::domain::vaccination::vaccines::Doses;
use crate::domain::values::actor::Actor;
use crate::domain::values::clock::Clock;
use crate::domain::values::page::{Page, Slice, first_id_at, last_id_before};
use crate::domain::values::patch::Patch;
use crate::domain::values::text::Text;
use crate::error::{Conflict, Error, Result, Violation};

/// Contacts that one statement reads.
const CONTACT_BATCH: usize = 500;

/// A note to staff, or the reason of a rejection.
pub type RequestNote = Text<1000>;

/// A vaccine request, and the contact that it is for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The row.
    pub request: vaccine_requests::Model,
    /// The contact, if the request is for one and the contact still exists.
    pub contact: Option<contacts::Model>,
}

/// A vaccine request to be created.
#[derive(Clone, Debug)]
pub struct NewRequest {
    /// A contact of the actor; none for the actor.
    pub contact_id: Option<Uuid>,
    /// The vaccine.
    pub vaccine_id: Uuid,
    /// Number of the dose in its course, from 1.
    pub dose_number: Doses,
    /// Note to staff.
    pub note: Option<RequestNote>,
}

/// Changes of a pending request.
#[derive(Clone, Debug, Default)]
pub struct RequestChanges {
    /// The vaccine.
    pub vaccine_id: Option<Uuid>,
    /// Number of the dose in its course, from 1.
    pub dose_number: Option<Doses>,
    /// Note to staff.
    pub note: Patch<RequestNote>,
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
    /// Creation at this time or later.
    pub created_from: Option<DateTime<Utc>>,
    /// Creation before this time.
    pub created_before: Option<DateTime<Utc>>,
}

/// The requests that an actor may see: their own; staff see all.
fn visible_to(actor: &Actor) -> Select<vaccine_requests::Entity> {
    vaccine_requests::Entity::find()
        .apply_if((!actor.is_staff()).then_some(actor.user_id), |requests, own| requests.filter(Column::UserId.eq(own)))
}

/// Creates a vaccine request.
///
/// # Errors
/// A violation if the catalogue has no such vaccine or dose, or the actor no such contact; a conflict if there is an open
/// request for the same person, vaccine and dose.
pub async fn create(db: &impl ConnectionTrait, clock: &Clock, actor: &Actor, new: NewRequest) -> Result<Request> {
    let now = clock.now();
    let mut request = Query::select()
        .exprs([
            Expr::value(Uuid::now_v7()),
            Expr::value(actor.user_id),
            Expr::value(new.contact_id),
            Expr::value(new.contact_id.is_some()),
            Expr::col((vaccines::Entity, vaccines::Column::Id)),
            Expr::value(new.dose_number.get()),
            Expr::value(RequestStatus::Pending),
            Expr::value(new.note.map(RequestNote::into_string)),
            Expr::value(now),
            Expr::value(now),
        ])
        .from(vaccines::Entity)
        .and_where(is_offered(Expr::value(new.vaccine_id), Expr::value(new.dose_number.get())))
        .to_owned();
    if let Some(contact_id) = new.contact_id {
        let own =
            crate::domain::contacts::contacts::owned_by(actor.user_id).filter(contacts::Column::Id.eq(contact_id));
        request.and_where(Expr::exists(own.select_only().expr(Expr::value(1)).into_query()));
    }
    let insert = Query::insert()
        .into_table(vaccine_requests::Entity)
        .columns([
            Column::Id,
            Column::UserId,
            Column::ContactId,
            Column::ForContact,
            Column::VaccineId,
            Column::DoseNumber,
            Column::Status,
            Column::Note,
            Column::CreatedAt,
            Column::UpdatedAt,
        ])
        .select_from(request)
        .map_err(Error::internal)?
        .returning_all()
        .to_owned();
    match db.query_one(&insert).await? {
        Some(row) => with_contact(db, vaccine_requests::Model::from_query_result(&row, "")?).await,
        None => Err(not_offered(db, actor, new.vaccine_id, new.contact_id).await?),
    }
}

/// Lists requests, newest first.
///
/// # Errors
/// Database errors.
pub async fn list(
    db: &impl ConnectionTrait,
    actor: &Actor,
    filter: &RequestFilter,
    page: Page,
) -> Result<Slice<Request>> {
    let requests = visible_to(actor)
        .apply_if(filter.status, |requests, status| requests.filter(Column::Status.eq(status)))
        .apply_if(filter.vaccine_id, |requests, id| requests.filter(Column::VaccineId.eq(id)))
        .apply_if(filter.user_id, |requests, id| requests.filter(Column::UserId.eq(id)))
        .apply_if(filter.contact_id, |requests, id| requests.filter(Column::ContactId.eq(id)))
        // Ids are in the order of time: a bound on the time is also a bound on the index of the list.
        .apply_if(filter.created_from, |requests, from| {
            requests.filter(Column::Id.gte(first_id_at(from))).filter(Column::CreatedAt.gte(from))
        })
        .apply_if(filter.created_before, |requests, before| {
            requests.filter(Column::Id.lt(last_id_before(before))).filter(Column::CreatedAt.lt(before))
        })
        .apply_if(page.after, |requests, after| requests.filter(Column::Id.lt(after)))
        .order_by_desc(Column::Id)
        .limit(page.rows())
        .all(db)
        .await?;
    let Slice { items, next } = page.slice(requests, |request| request.id);
    Ok(Slice { items: with_contacts(db, items).await?, next })
}

/// All requests of a user, oldest first.
pub(in crate::domain) async fn all_of(db: &impl ConnectionTrait, user_id: Uuid) -> Result<Vec<Request>> {
    let own = vaccine_requests::Entity::find().filter(Column::UserId.eq(user_id));
    with_contacts(db, own.order_by_asc(Column::Id).all(db).await?).await
}

/// Adds the contacts to requests. Most requests are for the owner of the account and need no query.
async fn with_contacts(db: &impl ConnectionTrait, requests: Vec<vaccine_requests::Model>) -> Result<Vec<Request>> {
    let ids: BTreeSet<Uuid> = requests.iter().filter_map(|request| request.contact_id).collect();
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let mut found = HashMap::new();
    for ids in ids.chunks(CONTACT_BATCH) {
        let ids = ids.iter().copied();
        let contacts = contacts::Entity::find().filter(contacts::Column::Id.is_in(ids)).all(db).await?;
        found.extend(contacts.into_iter().map(|contact| (contact.id, contact)));
    }
    let request = |request: vaccine_requests::Model| {
        let contact = request.contact_id.and_then(|id| found.get(&id).cloned());
        Request { request, contact }
    };
    Ok(requests.into_iter().map(request).collect())
}

pub(super) async fn with_contact(db: &impl ConnectionTrait, request: vaccine_requests::Model) -> Result<Request> {
    with_contacts(db, vec![request]).await?.into_iter().next().ok_or(Error::NotFound)
}

/// Gets a request.
///
/// # Errors
/// [`Error::NotFound`] if the actor may not see it.
pub async fn get(db: &impl ConnectionTrait, actor: &Actor, id: Uuid) -> Result<Request> {
    let request = visible_to(actor).filter(Column::Id.eq(id)).one(db).await?.ok_or(Error::NotFound)?;
    with_contact(db, request).await
}

/// Updates a pending request of the actor.
///
/// # Errors
/// [`Error::NotFound`]; a conflict if it is no longer pending, or there is an open request for the same vaccine and dose; a
/// violation if the catalogue has no such vaccine or dose.
pub async fn update(
    db: &impl ConnectionTrait,
    clock: &Clock,
    actor: &Actor,
    id: Uuid,
    changes: RequestChanges,
) -> Result<Request> {
    let column = |column| Expr::col((vaccine_requests::Entity, column));
    let vaccine_id = changes.vaccine_id.map_or_else(|| column(Column::VaccineId), Expr::value);
    let dose_number =
        changes.dose_number.map_or_else(|| column(Column::DoseNumber), |number| Expr::value(number.get()));
    let mut update = vaccine_requests::Entity::update_many()
        .col_expr(Column::UpdatedAt, Expr::value(clock.now()))
        .filter(Column::Id.eq(id))
        .filter(Column::UserId.eq(actor.user_id))
        .filter(Column::Status.eq(RequestStatus::Pending));
    if changes.vaccine_id.is_some() || changes.dose_number.is_some() {
        update = update
            .col_expr(Column::VaccineId, vaccine_id.clone())
            .col_expr(Column::DoseNumber, dose_number.clone())
            .filter(Expr::exists(offering(vaccine_id, dose_number)));
    }
    if let Some(note) = changes.note.map(RequestNote::into_string).into_change() {
        update = update.col_expr(Column::Note, Expr::value(note));
    }
    if let Some(changed) = update.exec_with_returning(db).await?.into_iter().next() {
        return with_contact(db, changed).await;
    }
    let request = own(db, actor, id).await?;
    if request.status != RequestStatus::Pending {
        return Err(Conflict::RequestStatus(request.status).into());
    }
    Err(not_offered(db, actor, changes.vaccine_id.unwrap_or(request.vaccine_id), None).await?)
}

async fn own(db: &impl ConnectionTrait, actor: &Actor, id: Uuid) -> Result<vaccine_requests::Model> {
    let own = visible_to(actor).filter(Column::UserId.eq(actor.user_id));
    own.filter(Column::Id.eq(id)).one(db).await?.ok_or(Error::NotFound)
}

/// The condition that the catalogue offers a dose.
fn is_offered(vaccine_id: Expr, dose_number: Expr) -> Expr {
    let column = |column| Expr::col((vaccines::Entity, column));
    column(vaccines::Column::Id)
        .eq(vaccine_id)
        .and(column(vaccines::Column::Active).eq(true))
        .and(column(vaccines::Column::Doses).gte(dose_number))
}

fn offering(vaccine_id: Expr, dose_number: Expr) -> SelectStatement {
    let condition = is_offered(vaccine_id, dose_number);
    Query::select().expr(Expr::value(1)).from(vaccines::Entity).and_where(condition).to_owned()
}

/// The reason of a refusal: the contact, the vaccine, or the dose.
async fn not_offered(
    db: &impl ConnectionTrait,
    actor: &Actor,
    vaccine_id: Uuid,
    contact_id: Option<Uuid>,
) -> Result<Error> {
    if let Some(id) = contact_id {
        match crate::domain::contacts::contacts::get(db, actor, id).await {
            Err(Error::NotFound) => {
                return Ok(Violation::new("contact_id", "unknown", "is not one of your contacts").into());
            }
            found => found.map(drop)?,
        }
    }
    let vaccine = vaccines::Entity::find_by_id(vaccine_id).one(db).await?;
    Ok(match vaccine.filter(|vaccine| vaccine.active) {
        None => Violation::new("vaccine_id", "unknown", "is not a vaccine that can be requested").into(),
        Some(vaccine) => {
            let message = format!("must be at most {}, the doses of this vaccine", vaccine.doses);
            Violation::new("dose_number", "range", message).into()
        }
    })
}
