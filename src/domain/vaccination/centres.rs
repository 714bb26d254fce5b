//! Centres: the places where people are vaccinated, and the staff who act in them.

use entity::centres::{ActiveModel, Column, Entity, Model};
use entity::{AuditAction, Role, centre_staff, slots, users};
use sea_orm::sea_query::{Expr, ExprTrait, LockType, OnConflict, Query, SelectStatement};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Set, TransactionSession as _,
};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::accounts::users as accounts;
use crate::domain::records::audit::Event;
use crate::domain::vaccination::context::Vaccination;
use crate::domain::values::actor::Actor;
use crate::domain::values::caller::Caller;
use crate::domain::values::clock::Clock;
use crate::domain::values::degrees::{Latitude, Longitude};
use crate::domain::values::page::{Page, Slice};
use crate::domain::values::patch::Patch;
use crate::domain::values::person::{PhoneNumber, PostalAddress};
use crate::domain::values::text::Line;
use crate::domain::values::time_zone::TimeZone;
use crate::error::{Conflict, Error, Result};

/// The name of a centre.
pub type CentreName = Line<200, true>;

/// A city.
pub type City = Line<100>;

/// A postal code.
pub type PostalCode = Line<20>;

/// A centre to be created.
#[derive(Clone, Debug)]
pub struct NewCentre {
    /// Name.
    pub name: CentreName,
    /// Postal address.
    pub address: PostalAddress,
    /// City.
    pub city: Option<City>,
    /// Postal code.
    pub postal_code: Option<PostalCode>,
    /// IANA time zone.
    pub time_zone: TimeZone,
    /// Degrees north; with the longitude.
    pub latitude: Option<Latitude>,
    /// Degrees east; with the latitude.
    pub longitude: Option<Longitude>,
    /// Telephone number.
    pub phone_number: Option<PhoneNumber>,
}

/// Changes of a centre.
#[derive(Clone, Debug, Default)]
pub struct CentreChanges {
    /// Name.
    pub name: Option<CentreName>,
    /// Postal address.
    pub address: Option<PostalAddress>,
    /// City.
    pub city: Patch<City>,
    /// Postal code.
    pub postal_code: Patch<PostalCode>,
    /// IANA time zone; not while the centre has future slots.
    pub time_zone: Option<TimeZone>,
    /// Degrees north.
    pub latitude: Patch<Latitude>,
    /// Degrees east.
    pub longitude: Patch<Longitude>,
    /// Telephone number.
    pub phone_number: Patch<PhoneNumber>,
    /// Whether slots can be added.
    pub active: Option<bool>,
}

/// Lists centres in the order of their creation.
///
/// # Errors
/// Database errors.
pub async fn list(db: &impl ConnectionTrait, active: Option<bool>, page: Page) -> Result<Slice<Model>> {
    let centres = Entity::find()
        .apply_if(active, |centres, active| centres.filter(Column::Active.eq(active)))
        .apply_if(page.after, |centres, after| centres.filter(Column::Id.gt(after)))
        .order_by_asc(Column::Id)
        .limit(page.rows())
        .all(db)
        .await?;
    Ok(page.slice(centres, |centre| centre.id))
}

/// Gets a centre.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(db: &impl ConnectionTrait, id: Uuid) -> Result<Model> {
    Entity::find_by_id(id).one(db).await?.ok_or(Error::NotFound)
}

/// The condition that an actor acts in a centre: admins do in all, staff in theirs.
pub(super) fn acts_in(actor: &Actor, centre_id: Expr) -> Expr {
    if actor.role >= Role::Admin {
        return Expr::cust("1 = 1");
    }
    if !actor.is_staff() {
        return Expr::cust("1 = 0");
    }
    Expr::exists(assignment(actor.user_id, centre_id))
}

fn assignment(user_id: Uuid, centre_id: Expr) -> SelectStatement {
    let column = |column| Expr::col((centre_staff::Entity, column));
    Query::select()
        .expr(Expr::value(1))
        .from(centre_staff::Entity)
        .and_where(column(centre_staff::Column::UserId).eq(user_id))
        .and_where(column(centre_staff::Column::CentreId).eq(centre_id))
        .to_owned()
}

/// Gets a centre in which the actor acts.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor is staff; [`Error::NotFound`] if they act elsewhere.
pub(super) async fn get_own(db: &impl ConnectionTrait, actor: &Actor, id: Uuid) -> Result<Model> {
    actor.require(Role::Staff)?;
    let own = Entity::find_by_id(id).filter(acts_in(actor, Expr::col((Entity, Column::Id))));
    own.one(db).await?.ok_or(Error::NotFound)
}

/// Gets a centre in which the actor acts, and locks it against a change of its time zone.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor is staff; [`Error::NotFound`] if they act elsewhere.
pub(super) async fn lock_own(transaction: &impl ConnectionTrait, actor: &Actor, id: Uuid) -> Result<Model> {
    actor.require(Role::Staff)?;
    let own = Entity::find_by_id(id).filter(acts_in(actor, Expr::col((Entity, Column::Id))));
    own.lock(LockType::NoKeyUpdate).one(transaction).await?.ok_or(Error::NotFound)
}

/// Creates a centre.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor is an admin; a violation if one of the coordinates is missing.
pub async fn create(db: &impl Transact, context: &Vaccination, caller: &Caller, new: NewCentre) -> Result<Model> {
    caller.actor.require(Role::Admin)?;
    let now = context.clock.now();
    let row = ActiveModel {
        id: Set(Uuid::now_v7()),
        name: Set(new.name.into_string()),
        address: Set(new.address.into_string()),
        city: Set(new.city.map(City::into_string)),
        postal_code: Set(new.postal_code.map(PostalCode::into_string)),
        time_zone: Set(new.time_zone.name().to_owned()),
        latitude: Set(new.latitude.map(Latitude::get)),
        longitude: Set(new.longitude.map(Longitude::get)),
        phone_number: Set(new.phone_number.map(PhoneNumber::into_string)),
        active: Set(true),
        created_at: Set(now),
        updated_at: Set(now),
    };
    let transaction = db.begin().await?;
    let centre = row.insert(&transaction).await?;
    event(AuditAction::CentreCreated, caller, centre.id).record(&transaction, now).await?;
    context.commit(transaction, [centre.id]).await?;
    Ok(centre)
}

/// Updates a centre.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor is an admin; [`Error::NotFound`]; a conflict if the time zone changes while there
/// are future slots; a violation if one of the coordinates is missing.
pub async fn update(
    db: &impl Transact,
    context: &Vaccination,
    caller: &Caller,
    id: Uuid,
    changes: CentreChanges,
) -> Result<Model> {
    caller.actor.require(Role::Admin)?;
    let now = context.clock.now();
    let text = |patch: Patch<String>| patch.into_change().map(Expr::value);
    let zone = changes.time_zone.map(|zone| zone.name().to_owned());
    let changed = [
        (Column::Name, changes.name.map(|name| Expr::value(name.into_string()))),
        (Column::Address, changes.address.map(|address| Expr::value(address.into_string()))),
        (Column::City, text(changes.city.map(City::into_string))),
        (Column::PostalCode, text(changes.postal_code.map(PostalCode::into_string))),
        (Column::TimeZone, zone.clone().map(Expr::value)),
        (Column::Latitude, changes.latitude.map(Latitude::get).into_change().map(Expr::value)),
        (Column::Longitude, changes.longitude.map(Longitude::get).into_change().map(Expr::value)),
        (Column::PhoneNumber, text(changes.phone_number.map(PhoneNumber::into_string))),
        (Column::Active, changes.active.map(Expr::value)),
    ];
    let transaction = db.begin().await?;
    // Slots are added under the same lock.
    Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(&transaction).await?.ok_or(Error::NotFound)?;
    let future = slots::Entity::find()
        .select_only()
        .expr(Expr::value(1))
        .filter(slots::Column::CentreId.eq(id))
        .filter(slots::Column::StartsAt.gt(now));
    let mut update = Entity::update_many()
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .apply_if(zone, |update, zone| {
            update.filter(Column::TimeZone.eq(zone).or(Expr::exists(future.into_query()).not()))
        });
    for (column, value) in changed {
        update = update.apply_if(value, |update, value| update.col_expr(column, value));
    }
    let changed = update.exec_with_returning(&transaction).await?;
    let centre = changed.into_iter().next().ok_or(Conflict::CentreHasSlots)?;
    event(AuditAction::CentreChanged, caller, id).record(&transaction, now).await?;
    context.commit(transaction, [id]).await?;
    Ok(centre)
}

/// Lists the staff of a centre by id.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor is an admin; [`Error::NotFound`].
pub async fn list_staff(
    db: &impl ConnectionTrait,
    actor: &Actor,
    id: Uuid,
    page: Page,
) -> Result<Slice<(Uuid, String)>> {
    actor.require(Role::Admin)?;
    get(db, id).await?;
    let is_assigned = Expr::col((centre_staff::Entity, centre_staff::Column::UserId))
        .eq(Expr::col((users::Entity, users::Column::Id)));
    let mut staff = users::Entity::find()
        .select_only()
        .columns([users::Column::Id, users::Column::Name])
        .filter(centre_staff::Column::CentreId.eq(id))
        .apply_if(page.after, |staff, after| staff.filter(users::Column::Id.gt(after)))
        .order_by_asc(users::Column::Id)
        .limit(page.rows());
    QuerySelect::query(&mut staff).join(JoinType::InnerJoin, centre_staff::Entity, is_assigned);
    let staff: Vec<(Uuid, String)> = staff.into_tuple().all(db).await?;
    Ok(page.slice(staff, |(user_id, _)| *user_id))
}

/// Assigns staff to a centre. Nothing changes if they are assigned already.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor is an admin; [`Error::NotFound`]; a conflict if the account is not staff.
pub async fn add_staff(db: &impl Transact, clock: &Clock, caller: &Caller, id: Uuid, user_id: Uuid) -> Result<()> {
    caller.actor.require(Role::Admin)?;
    let now = clock.now();
    let transaction = db.begin().await?;
    // A change of the role locks the account, too.
    let user = accounts::lock(&transaction, user_id).await?.ok_or(Error::NotFound)?;
    get(&transaction, id).await?;
    if user.role < Role::Staff {
        return Err(Conflict::NotStaff.into());
    }
    let row = centre_staff::ActiveModel { user_id: Set(user_id), centre_id: Set(id), created_at: Set(now) };
    let is_known = OnConflict::columns([centre_staff::Column::UserId, centre_staff::Column::CentreId]);
    let insert = centre_staff::Entity::insert(row).on_conflict(is_known.clone().do_nothing().to_owned());
    if insert.exec_without_returning(&transaction).await? > 0 {
        event(AuditAction::CentreStaffAdded, caller, id).to(user_id).record(&transaction, now).await?;
    }
    Ok(transaction.commit().await?)
}

/// Removes staff from a centre.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor is an admin; [`Error::NotFound`] if they are not assigned.
pub async fn remove_staff(db: &impl Transact, clock: &Clock, caller: &Caller, id: Uuid, user_id: Uuid) -> Result<()> {
    caller.actor.require(Role::Admin)?;
    let transaction = db.begin().await?;
    if centre_staff::Entity::delete_by_id((user_id, id)).exec(&transaction).await?.rows_affected == 0 {
        return Err(Error::NotFound);
    }
    event(AuditAction::CentreStaffRemoved, caller, id).to(user_id).record(&transaction, clock.now()).await?;
    Ok(transaction.commit().await?)
}

/// An event about a centre, or about something in it.
pub(super) fn event(action: AuditAction, caller: &Caller, object_id: Uuid) -> Event<'_> {
    Event::new(action, &caller.client).by(Some(caller.actor.user_id)).on(object_id)
}
