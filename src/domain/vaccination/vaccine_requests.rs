//! Requests for a vaccine: asking, editing while pending, and the steps of the review.
//!
//! Whether a request may be made, changed or moved on is part of the statement that does it, so nothing can come
//! between the question and the deed. Only when a statement finds no row is the reason looked up.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use entity::{AuditAction, RequestStatus, Role, contacts, vaccine_requests, vaccines};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select, TransactionSession as _,
};
use uuid::Uuid;
use vaccine_requests::Column;

use crate::db::Transact;
use crate::domain::records::audit::Event;
use crate::domain::values::actor::Actor;
use crate::domain::values::client::Client;
use crate::domain::values::clock::Clock;
use crate::domain::values::page::{Page, Slice, first_id_at, last_id_before};
use crate::domain::values::patch::Patch;
use crate::error::{Conflict, Error, Result, Violation};

/// Contacts that one statement looks up.
const LOOK_UP: usize = 500;

/// A request, and for whom it is.
#[derive(Clone, Debug)]
pub struct Request {
    /// The request itself.
    pub request: vaccine_requests::Model,
    /// For whom, when it is not for the account's owner and they have not been removed since.
    pub contact: Option<contacts::Model>,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct NewRequest {
    /// For whom: one of the actor's contacts, or the actor.
    pub contact_id: Option<Uuid>,
    /// Which vaccine.
    pub vaccine_id: Uuid,
    /// Which dose of the course, from 1.
    pub dose_number: i32,
    /// Anything staff should know.
    pub note: Option<String>,
}

/// Changes to a pending request.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Another vaccine.
    pub vaccine_id: Option<Uuid>,
    /// Another dose.
    pub dose_number: Option<i32>,
    /// Anything staff should know.
    pub note: Patch<String>,
}

/// Which requests a list holds. Every condition narrows it.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Where the request stands.
    pub status: Option<RequestStatus>,
    /// For this vaccine.
    pub vaccine_id: Option<Uuid>,
    /// Of this account.
    pub user_id: Option<Uuid>,
    /// For this contact.
    pub contact_id: Option<Uuid>,
    /// Made at this time or later.
    pub created_from: Option<DateTime<Utc>>,
    /// Made before this time.
    pub created_before: Option<DateTime<Utc>>,
}

/// The requests an actor may see: their own, and for staff every one.
fn visible_to(actor: &Actor) -> Select<vaccine_requests::Entity> {
    vaccine_requests::Entity::find()
        .apply_if((!actor.is_staff()).then_some(actor.user_id), |requests, own| requests.filter(Column::UserId.eq(own)))
}

/// Asks for a dose of a vaccine.
///
/// # Errors
/// A violation when the catalogue has no such vaccine or dose, or the actor no such contact; a conflict when an open
/// request asks for the same.
pub async fn add(db: &impl ConnectionTrait, clock: &Clock, actor: &Actor, new: NewRequest) -> Result<Request> {
    let now = clock.now();
    let mut request = Query::select()
        .exprs([
            Expr::value(Uuid::now_v7()),
            Expr::value(actor.user_id),
            Expr::value(new.contact_id),
            Expr::value(new.contact_id.is_some()),
            Expr::col((vaccines::Entity, vaccines::Column::Id)),
            Expr::value(new.dose_number),
            Expr::value(RequestStatus::Pending),
            Expr::value(new.note),
            Expr::value(now),
            Expr::value(now),
        ])
        .from(vaccines::Entity)
        .and_where(offered(Expr::value(new.vaccine_id), Expr::value(new.dose_number)))
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

/// Requests, newest first.
///
/// # Errors
/// Fails when the database does.
pub async fn list(db: &impl ConnectionTrait, actor: &Actor, filter: &Filter, page: Page) -> Result<Slice<Request>> {
    let requests = visible_to(actor)
        .apply_if(filter.status, |requests, status| requests.filter(Column::Status.eq(status)))
        .apply_if(filter.vaccine_id, |requests, id| requests.filter(Column::VaccineId.eq(id)))
        .apply_if(filter.user_id, |requests, id| requests.filter(Column::UserId.eq(id)))
        .apply_if(filter.contact_id, |requests, id| requests.filter(Column::ContactId.eq(id)))
        // Ids are made in the order of time, so bounds in time are also bounds in the index of the list.
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

/// Everything that a user asked for, oldest first.
pub(in crate::domain) async fn all_of(db: &impl ConnectionTrait, user_id: Uuid) -> Result<Vec<Request>> {
    let own = vaccine_requests::Entity::find().filter(Column::UserId.eq(user_id));
    with_contacts(db, own.order_by_asc(Column::Id).all(db).await?).await
}

/// Adds for whom requests are. Most are for the owners of the accounts: then nothing is asked.
async fn with_contacts(db: &impl ConnectionTrait, requests: Vec<vaccine_requests::Model>) -> Result<Vec<Request>> {
    let ids: BTreeSet<Uuid> = requests.iter().filter_map(|request| request.contact_id).collect();
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let mut found = HashMap::new();
    for ids in ids.chunks(LOOK_UP) {
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

async fn with_contact(db: &impl ConnectionTrait, request: vaccine_requests::Model) -> Result<Request> {
    with_contacts(db, vec![request]).await?.into_iter().next().ok_or(Error::NotFound)
}

/// One request.
///
/// # Errors
/// [`Error::NotFound`] when the actor may not see it.
pub async fn get(db: &impl ConnectionTrait, actor: &Actor, id: Uuid) -> Result<Request> {
    let request = visible_to(actor).filter(Column::Id.eq(id)).one(db).await?.ok_or(Error::NotFound)?;
    with_contact(db, request).await
}

/// Changes the actor's own request while it is pending.
///
/// # Errors
/// [`Error::NotFound`]; a conflict when it is no longer pending or an open request asks for the same; a violation when
/// the catalogue has no such vaccine or dose.
pub async fn change(
    db: &impl ConnectionTrait,
    clock: &Clock,
    actor: &Actor,
    id: Uuid,
    changes: Changes,
) -> Result<Request> {
    let column = |column| Expr::col((vaccine_requests::Entity, column));
    let vaccine_id = changes.vaccine_id.map_or_else(|| column(Column::VaccineId), Expr::value);
    let dose_number = changes.dose_number.map_or_else(|| column(Column::DoseNumber), Expr::value);
    let mut update = vaccine_requests::Entity::update_many()
        .col_expr(Column::UpdatedAt, Expr::value(clock.now()))
        .filter(Column::Id.eq(id))
        .filter(Column::UserId.eq(actor.user_id))
        .filter(Column::Status.eq(RequestStatus::Pending));
    if changes.vaccine_id.is_some() || changes.dose_number.is_some() {
        update = update
            .col_expr(Column::VaccineId, vaccine_id.clone())
            .col_expr(Column::DoseNumber, dose_number.clone())
            .filter(Expr::exists(offer(vaccine_id, dose_number)));
    }
    if let Some(note) = changes.note.into_change() {
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

/// A step of the review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// `pending → approved`, by staff.
    Approve,
    /// `pending → rejected`, by staff, who say why.
    Reject {
        /// For whoever asked.
        reason: String,
    },
    /// `pending | approved | booked → cancelled`, by whoever asked, or staff.
    Cancel,
}

impl Step {
    fn from(&self) -> &'static [RequestStatus] {
        match self {
            Self::Approve | Self::Reject { .. } => &[RequestStatus::Pending],
            Self::Cancel => &[RequestStatus::Pending, RequestStatus::Approved, RequestStatus::Booked],
        }
    }

    fn to(&self) -> RequestStatus {
        match self {
            Self::Approve => RequestStatus::Approved,
            Self::Reject { .. } => RequestStatus::Rejected,
            Self::Cancel => RequestStatus::Cancelled,
        }
    }

    fn action(&self) -> AuditAction {
        match self {
            Self::Approve => AuditAction::RequestApproved,
            Self::Reject { .. } => AuditAction::RequestRejected,
            Self::Cancel => AuditAction::RequestCancelled,
        }
    }

    fn open_to(&self) -> Role {
        match self {
            Self::Approve | Self::Reject { .. } => Role::Staff,
            Self::Cancel => Role::Patient,
        }
    }
}

/// Moves a request on, by one guarded statement. What staff decide is written down.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`], or a conflict when the request stands elsewhere.
pub async fn advance(
    db: &impl Transact,
    clock: &Clock,
    actor: &Actor,
    client: &Client,
    id: Uuid,
    step: Step,
) -> Result<Request> {
    actor.require(step.open_to())?;
    let (action, now) = (step.action(), clock.now());
    let mut update = vaccine_requests::Entity::update_many()
        .col_expr(Column::Status, Expr::value(step.to()))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::Status.is_in(step.from().iter().copied()))
        .apply_if((!actor.is_staff()).then_some(actor.user_id), |update, own| update.filter(Column::UserId.eq(own)));
    if step.open_to() >= Role::Staff {
        update = update.col_expr(Column::ReviewedBy, Expr::value(actor.user_id));
    }
    if let Step::Reject { reason } = step {
        update = update.col_expr(Column::Reason, Expr::value(reason));
    }
    let transaction = db.begin().await?;
    let Some(moved) = update.exec_with_returning(&transaction).await?.into_iter().next() else {
        transaction.rollback().await?;
        return Err(Conflict::RequestStatus(get(db, actor, id).await?.request.status).into());
    };
    if moved.user_id != actor.user_id {
        let event = Event::new(action).by(Some(actor.user_id)).to(moved.user_id).on(moved.id);
        event.record(&transaction, client, now).await?;
    }
    transaction.commit().await?;
    with_contact(db, moved).await
}

async fn own(db: &impl ConnectionTrait, actor: &Actor, id: Uuid) -> Result<vaccine_requests::Model> {
    let own = visible_to(actor).filter(Column::UserId.eq(actor.user_id));
    own.filter(Column::Id.eq(id)).one(db).await?.ok_or(Error::NotFound)
}

/// The condition under which the catalogue offers a dose.
fn offered(vaccine_id: Expr, dose_number: Expr) -> Expr {
    let column = |column| Expr::col((vaccines::Entity, column));
    column(vaccines::Column::Id)
        .eq(vaccine_id)
        .and(column(vaccines::Column::Active).eq(true))
        .and(column(vaccines::Column::Doses).gte(dose_number))
}

fn offer(vaccine_id: Expr, dose_number: Expr) -> SelectStatement {
    let condition = offered(vaccine_id, dose_number);
    Query::select().expr(Expr::value(1)).from(vaccines::Entity).and_where(condition).to_owned()
}

/// Which rule was broken: of the contacts, or of the catalogue.
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
        None => Violation::new("vaccine_id", "unknown", "is not a vaccine that can be asked for").into(),
        Some(vaccine) => {
            let message = format!("must be at most {}, the doses of this vaccine", vaccine.doses);
            Violation::new("dose_number", "range", message).into()
        }
    })
}
