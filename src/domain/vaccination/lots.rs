//! Lots: batches of a vaccine in stock at a centre. One guarded statement takes a dose, so that a lot never gives more doses
//! than were received.

use chrono::{DateTime, NaiveDate, Utc};
use entity::lots::{Column, Entity, Model};
use entity::{AuditAction, Role, immunizations, patients as patients_table, vaccines};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel as _, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, TransactionSession as _,
};
use uuid::Uuid;

use crate::db::{Transact, not_indexed};
use crate::domain::records::idempotency::{Once, Response};
use crate::domain::vaccination::centres;
use crate::domain::vaccination::context::Vaccination;
use crate::domain::vaccination::dose_history;
use crate::domain::vaccination::immunizations::LotNumber;
use crate::domain::vaccination::patients;
use crate::domain::values::actor::Actor;
use crate::domain::values::caller::Caller;
use crate::domain::values::number::Number;
use crate::domain::values::page::{Page, Slice};
use crate::domain::values::patch::Patch;
use crate::error::{Error, Result, Violation};

/// Number of doses of a lot.
pub type Units = Number<0, 10_000_000>;

/// A lot to be added.
#[derive(Clone, Debug)]
pub struct NewLot {
    /// Vaccine.
    pub vaccine_id: Uuid,
    /// Number.
    pub lot_number: LotNumber,
    /// Last day on which it may be used.
    pub expires_on: NaiveDate,
    /// Number of doses received; none if nobody counted them.
    pub received: Option<Units>,
}

/// Changes of a lot.
#[derive(Clone, Debug, Default)]
pub struct LotChanges {
    /// Last day on which it may be used.
    pub expires_on: Option<NaiveDate>,
    /// Number of doses received.
    pub received: Patch<Units>,
    /// Number of doses that were thrown away.
    pub wasted: Option<Units>,
}

/// Why no dose can be taken from a lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LotRefusal {
    /// It is of another centre.
    OtherCentre,
    /// Its vaccine is not one of those for the dose.
    Product,
    /// It was recalled.
    Recalled,
    /// Its last day is over, on the calendar of the centre.
    Expired,
    /// No dose is left.
    Empty,
}

impl LotRefusal {
    /// Name, for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OtherCentre => "other_centre",
            Self::Product => "product",
            Self::Recalled => "recalled",
            Self::Expired => "expired",
            Self::Empty => "empty",
        }
    }
}

impl From<LotRefusal> for Error {
    fn from(refusal: LotRefusal) -> Self {
        Self::LotRefused(refusal)
    }
}

/// Lists the lots of a centre, newest first.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor is staff; [`Error::NotFound`] if they act elsewhere.
pub async fn list(
    db: &impl ConnectionTrait,
    actor: &Actor,
    centre_id: Uuid,
    vaccine_id: Option<Uuid>,
    page: Page,
) -> Result<Slice<Model>> {
    centres::get_own(db, actor, centre_id).await?;
    let lots = Entity::find()
        .filter(Column::CentreId.eq(centre_id))
        .apply_if(vaccine_id, |lots, id| lots.filter(not_indexed(Column::VaccineId.eq(id))))
        .apply_if(page.after, |lots, after| lots.filter(Column::Id.lt(after)))
        .order_by_desc(Column::Id)
        .limit(page.rows())
        .all(db)
        .await?;
    Ok(page.slice(lots, |lot| lot.id))
}

/// Gets a lot of a centre in which the actor acts.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`].
pub async fn get(db: &impl ConnectionTrait, actor: &Actor, id: Uuid) -> Result<Model> {
    actor.require(Role::Staff)?;
    let own = Entity::find_by_id(id).filter(centres::acts_in(actor, Expr::col((Entity, Column::CentreId))));
    own.one(db).await?.ok_or(Error::NotFound)
}

/// Adds a lot to a centre.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`]; a violation if there is no such vaccine; a conflict if the centre has this lot
/// of the vaccine already.
pub async fn create(
    db: &impl Transact,
    context: &Vaccination,
    caller: &Caller,
    once: Once<'_, Model>,
    centre_id: Uuid,
    new: NewLot,
) -> Result<Response> {
    let now = context.clock.now();
    let transaction = db.begin().await?;
    if let Some(response) = once.begin(&transaction, caller.actor.user_id, now).await? {
        return Ok(response);
    }
    centres::get_own(&transaction, &caller.actor, centre_id).await?;
    if vaccines::Entity::find_by_id(new.vaccine_id).one(&transaction).await?.is_none() {
        return Err(Violation::new("vaccine_id", "unknown", "is not a vaccine").into());
    }
    let row = Model {
        id: Uuid::now_v7(),
        centre_id,
        vaccine_id: new.vaccine_id,
        lot_number: new.lot_number.into_string(),
        expires_on: new.expires_on,
        received: new.received.map(Units::get),
        used: 0,
        wasted: 0,
        recalled_at: None,
        created_at: now,
        updated_at: now,
    };
    let lot = row.into_active_model().reset_all().insert(&transaction).await?;
    centres::event(AuditAction::LotCreated, caller, lot.id).record(&transaction, now).await?;
    let response = once.finish(&transaction, caller.actor.user_id, None, &lot).await?;
    transaction.commit().await?;
    Ok(response)
}

/// Updates a lot of a centre in which the actor acts.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`]; a conflict if fewer doses were received than were given and thrown away.
pub async fn update(
    db: &impl Transact,
    context: &Vaccination,
    caller: &Caller,
    id: Uuid,
    changes: LotChanges,
) -> Result<Model> {
    let now = context.clock.now();
    let transaction = db.begin().await?;
    get(&transaction, &caller.actor, id).await?;
    let changed = Entity::update_many()
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .apply_if(changes.expires_on, |update, date| update.col_expr(Column::ExpiresOn, Expr::value(date)))
        .apply_if(changes.received.map(Units::get).into_change(), |update, received| {
            update.col_expr(Column::Received, Expr::value(received))
        })
        .apply_if(changes.wasted, |update, wasted| update.col_expr(Column::Wasted, Expr::value(wasted.get())))
        .exec_with_returning(&transaction)
        .await?;
    let lot = changed.into_iter().next().ok_or(Error::NotFound)?;
    centres::event(AuditAction::LotChanged, caller, id).record(&transaction, now).await?;
    transaction.commit().await?;
    Ok(lot)
}

/// A lot that was recalled.
#[derive(Clone, Debug)]
pub struct RecalledLot {
    /// The row.
    pub lot: Model,
    /// The first doses that were given from it.
    pub doses: Slice<immunizations::Model>,
}

/// Doses that the reply to a recall has.
const RECALLED_DOSES: u64 = 100;

/// Recalls a lot: no dose can be taken from it any more. Nothing changes if it was recalled already.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`].
pub async fn recall(db: &impl Transact, context: &Vaccination, caller: &Caller, id: Uuid) -> Result<RecalledLot> {
    let now = context.clock.now();
    let transaction = db.begin().await?;
    get(&transaction, &caller.actor, id).await?;
    let recalled = Entity::update_many()
        .col_expr(Column::RecalledAt, Expr::value(now))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::RecalledAt.is_null())
        .exec(&transaction)
        .await?;
    if recalled.rows_affected > 0 {
        centres::event(AuditAction::LotRecalled, caller, id).record(&transaction, now).await?;
    }
    let lot = get(&transaction, &caller.actor, id).await?;
    let page = Page { limit: RECALLED_DOSES, after: None };
    let doses = list_doses(&transaction, context, caller, id, page).await?;
    transaction.commit().await?;
    Ok(RecalledLot { lot, doses })
}

/// Lists the doses that were given from a lot, also those that were recorded by mistake, in the order of their records. That
/// staff read them is recorded for each patient.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`].
pub async fn list_doses(
    db: &impl ConnectionTrait,
    context: &Vaccination,
    caller: &Caller,
    id: Uuid,
    page: Page,
) -> Result<Slice<immunizations::Model>> {
    get(db, &caller.actor, id).await?;
    let doses = immunizations::Entity::find()
        .filter(immunizations::Column::LotId.eq(id))
        .apply_if(page.after, |doses, after| doses.filter(immunizations::Column::Id.gt(after)))
        .order_by_asc(immunizations::Column::Id)
        .limit(page.rows())
        .all(db)
        .await?;
    let doses = dose_history::judged(db, &context.schedules, doses, context.clock.now().date_naive()).await?;
    let page = page.slice(doses, |dose| dose.id);
    let ids = page.items.iter().map(|dose| dose.patient_id);
    let people: Vec<(Uuid, Option<Uuid>)> = patients_table::Entity::find()
        .select_only()
        .columns([patients_table::Column::Id, patients_table::Column::UserId])
        .filter(patients_table::Column::Id.is_in(ids))
        .into_tuple()
        .all(db)
        .await?;
    patients::record_read(db, &context.clock, caller, people.into_iter(), None).await?;
    Ok(page)
}

/// Takes a dose from a lot of a centre. Returns the lot as it is then; none if no dose may be used on a day.
pub(super) async fn take(
    transaction: &impl ConnectionTrait,
    id: Uuid,
    centre_id: Uuid,
    today: NaiveDate,
    now: DateTime<Utc>,
) -> Result<Option<Model>> {
    let is_left = Expr::col(Column::Used).add(Expr::col(Column::Wasted)).lt(Expr::col(Column::Received));
    let taken = Entity::update_many()
        .col_expr(Column::Used, Expr::col(Column::Used).add(1))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::CentreId.eq(centre_id))
        .filter(Column::ExpiresOn.gte(today))
        .filter(Column::RecalledAt.is_null())
        .filter(Column::Received.is_null().or(is_left))
        .exec_with_returning(transaction)
        .await?;
    Ok(taken.into_iter().next())
}

/// The reason why no dose can be taken from a lot.
pub(super) async fn refusal(
    db: &impl ConnectionTrait,
    id: Uuid,
    centre_id: Uuid,
    today: NaiveDate,
) -> Result<LotRefusal> {
    let lot = Entity::find_by_id(id).one(db).await?.ok_or(Error::NotFound)?;
    Ok(match lot {
        lot if lot.centre_id != centre_id => LotRefusal::OtherCentre,
        lot if lot.recalled_at.is_some() => LotRefusal::Recalled,
        lot if lot.expires_on < today => LotRefusal::Expired,
        lot if lot.received.is_some_and(|received| lot.used + lot.wasted >= received) => LotRefusal::Empty,
        // A dose came back meanwhile.
        _ => return Err(Error::Busy),
    })
}

/// Gives a dose back to its lot.
pub(super) async fn give_back(transaction: &impl ConnectionTrait, id: Uuid, now: DateTime<Utc>) -> Result<()> {
    let less = Query::update()
        .table(Entity)
        .value(Column::Used, Expr::col(Column::Used).sub(1))
        .value(Column::UpdatedAt, now)
        .and_where(Expr::col(Column::Id).eq(id))
        .to_owned();
    transaction.execute(&less).await?;
    Ok(())
}
