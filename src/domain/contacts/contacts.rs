//! Contacts: people whom a user keeps. Only their owner can see them.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use entity::AuditAction;
use entity::contacts::{Column, Entity, Model};
use sea_orm::sea_query::{Expr, ExprTrait, InsertStatement, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    TransactionSession as _, UpdateMany,
};
use uuid::Uuid;

use crate::db::{QueryText, Transact, violated_constraint};
use crate::domain::accounts::users as accounts;
use crate::domain::auth::context::Auth;
use crate::domain::auth::quota::{self, Quota};
use crate::domain::contacts::dependants::{self, Changed};
use crate::domain::records::audit::Event;
use crate::domain::values::actor::Actor;
use crate::domain::values::birthday::{self, Birthday};
use crate::domain::values::caller::Caller;
use crate::domain::values::clock::Clock;
use crate::domain::values::email::Email;
use crate::domain::values::page::{Page, Slice};
use crate::domain::values::patch::Patch;
use crate::domain::values::person::{ContactNumber, NamePart, latest_birth_date};
use crate::domain::values::search;
use crate::domain::values::text::Text;
use crate::error::{Conflict, Error, Result};

/// A note about a contact.
pub type Note = Text<2000>;

/// Contacts that one statement deletes.
const DELETE_BATCH: u64 = 10_000;

/// A contact to be created.
#[derive(Clone, Debug)]
pub struct NewContact {
    /// First name or names.
    pub first_name: NamePart,
    /// Last name.
    pub last_name: NamePart,
    /// E-mail address, unique among the contacts of a user.
    pub email: Option<Email>,
    /// Telephone number.
    pub phone_number: Option<ContactNumber>,
    /// Birthday, with or without a year.
    pub birthday: Option<Birthday>,
    /// Note.
    pub note: Option<Note>,
}

/// Changes of a contact.
#[derive(Clone, Debug, Default)]
pub struct ContactChanges {
    /// First name or names.
    pub first_name: Option<NamePart>,
    /// Last name.
    pub last_name: Option<NamePart>,
    /// E-mail address, unique among the contacts of a user.
    pub email: Patch<Email>,
    /// Telephone number.
    pub phone_number: Patch<ContactNumber>,
    /// Month of birth, from 1.
    pub birth_month: Patch<i16>,
    /// Day of birth, from 1.
    pub birth_day: Patch<i16>,
    /// Year of birth.
    pub birth_year: Patch<i16>,
    /// Note.
    pub note: Patch<Note>,
}

/// The contacts that a user may see: their own.
pub(in crate::domain) fn owned_by(user_id: Uuid) -> Select<Entity> {
    Entity::find().filter(Column::UserId.eq(user_id))
}

/// The birthday of a contact.
#[must_use]
pub fn birthday_of(contact: &Model) -> Option<Birthday> {
    Birthday::from_parts(contact.birth_month, contact.birth_day, contact.birth_year)
}

/// The row of a new contact.
#[must_use]
pub fn row(id: Uuid, user_id: Uuid, import_id: Option<Uuid>, new: NewContact, now: DateTime<Utc>) -> Model {
    let (birth_month, birth_day, birth_year) = match new.birthday.map(|birthday| birthday.parts()) {
        Some((month, day, year)) => (Some(month), Some(day), year),
        None => (None, None, None),
    };
    Model {
        id,
        user_id,
        import_id,
        first_folded: search::fold(new.first_name.as_str()),
        last_folded: search::fold(new.last_name.as_str()),
        first_name: new.first_name.into_string(),
        last_name: new.last_name.into_string(),
        email: new.email.map(|email| email.as_str().to_owned()),
        phone_number: new.phone_number.map(ContactNumber::into_string),
        birth_month,
        birth_day,
        birth_year,
        note: new.note.map(Note::into_string),
        created_at: now,
        updated_at: now,
    }
}

/// An INSERT of any number of rows.
///
/// # Errors
/// None in practice: each row has as many values as there are columns.
pub fn insert(rows: impl IntoIterator<Item = Model>) -> Result<InsertStatement> {
    let mut insert = Query::insert();
    insert.into_table(Entity).columns([
        Column::Id,
        Column::UserId,
        Column::ImportId,
        Column::FirstName,
        Column::LastName,
        Column::FirstFolded,
        Column::LastFolded,
        Column::Email,
        Column::PhoneNumber,
        Column::BirthMonth,
        Column::BirthDay,
        Column::BirthYear,
        Column::Note,
        Column::CreatedAt,
        Column::UpdatedAt,
    ]);
    for row in rows {
        insert
            .values([
                row.id.into(),
                row.user_id.into(),
                row.import_id.into(),
                row.first_name.into(),
                row.last_name.into(),
                row.first_folded.into(),
                row.last_folded.into(),
                row.email.into(),
                row.phone_number.into(),
                row.birth_month.into(),
                row.birth_day.into(),
                row.birth_year.into(),
                row.note.into(),
                row.created_at.into(),
                Expr::value(row.updated_at),
            ])
            .map_err(Error::internal)?;
    }
    Ok(insert)
}

/// Creates a contact.
///
/// # Errors
/// A conflict if the user has a contact with this e-mail; [`Error::TooMany`] if the quota is used up.
pub async fn create(db: &impl ConnectionTrait, auth: &Auth, actor: &Actor, new: NewContact) -> Result<Model> {
    quota::consume(db, auth, Quota::Contacts, actor.user_id).await?;
    let row = row(Uuid::now_v7(), actor.user_id, None, new, auth.clock.now());
    db.execute(&insert([row.clone()])?).await?;
    Ok(row)
}

/// Gets a contact.
///
/// # Errors
/// [`Error::NotFound`] unless it is a contact of the actor.
pub async fn get(db: &impl ConnectionTrait, actor: &Actor, id: Uuid) -> Result<Model> {
    static QUERY: QueryText = QueryText::new();
    let build = || owned_by(Uuid::nil()).filter(Column::Id.eq(Uuid::nil()));
    QUERY.find(db, [actor.user_id.into(), id.into()], build).await?.ok_or(Error::NotFound)
}

/// A page of the contacts of a user by id, an order that does not change if names do.
///
/// # Errors
/// Database errors.
pub(in crate::domain) async fn all(db: &impl ConnectionTrait, user_id: Uuid, page: Page) -> Result<Slice<Model>> {
    let contacts = owned_by(user_id)
        .apply_if(page.after, |contacts, after| contacts.filter(Column::Id.gt(after)))
        .order_by_asc(Column::Id)
        .limit(page.rows())
        .all(db)
        .await?;
    Ok(page.slice(contacts, |contact| contact.id))
}

/// Updates a contact.
///
/// # Errors
/// [`Error::NotFound`]; a conflict if the user has another contact with this e-mail; a violation if the resulting birthday
/// does not exist or is in the future.
pub async fn update(
    db: &impl Transact,
    clock: &Clock,
    caller: &Caller,
    id: Uuid,
    changes: ContactChanges,
) -> Result<Model> {
    let (actor, now) = (&caller.actor, clock.now());
    let folded = |name: &Option<NamePart>| name.as_ref().map(|name| Expr::value(search::fold(name.as_str())));
    let part = |patch: &Patch<i16>| patch.clone().into_change();
    let parts = [part(&changes.birth_year), part(&changes.birth_month), part(&changes.birth_day)];
    let latest = latest_birth_date();
    let is_past = parts.iter().any(Option::is_some).then(|| is_past(parts, latest));
    let has_new_name = changes.first_name.is_some() || changes.last_name.is_some();
    let changed_in_patient = Changed { name: has_new_name, birthday: is_past.is_some() };
    let text = |patch: Patch<String>| patch.into_change().map(Expr::value);
    let [year, month, day] = parts.map(|part| part.map(Expr::value));
    let changed = [
        (Column::FirstFolded, folded(&changes.first_name)),
        (Column::LastFolded, folded(&changes.last_name)),
        (Column::FirstName, changes.first_name.map(|name| Expr::value(name.into_string()))),
        (Column::LastName, changes.last_name.map(|name| Expr::value(name.into_string()))),
        (Column::Email, text(changes.email.map(|email| email.as_str().to_owned()))),
        (Column::PhoneNumber, text(changes.phone_number.map(ContactNumber::into_string))),
        (Column::BirthYear, year),
        (Column::BirthMonth, month),
        (Column::BirthDay, day),
        (Column::Note, text(changes.note.map(Note::into_string))),
    ];
    let mut update = Entity::update_many()
        .filter(Column::Id.eq(id))
        .filter(Column::UserId.eq(actor.user_id))
        .apply_if(is_past, |update, is_past| update.filter(is_past));
    for (column, value) in changed {
        update = update.apply_if(value, |update, value| update.col_expr(column, value));
    }
    let update = update.col_expr(Column::UpdatedAt, Expr::value(now));
    let updated = if changed_in_patient.name || changed_in_patient.birthday {
        update_with_patient(db, caller, update, changed_in_patient).await?
    } else {
        update.exec_with_returning(db).await?.into_iter().next()
    };
    match updated {
        Some(contact) => Ok(contact),
        None => {
            get(db, actor, id).await?;
            Err(birthday::out_of_range(latest).into())
        }
    }
}

/// Updates a contact and its patient, if there is one.
async fn update_with_patient(
    db: &impl Transact,
    caller: &Caller,
    update: UpdateMany<Entity>,
    changed: Changed,
) -> Result<Option<Model>> {
    let user_id = caller.actor.user_id;
    let transaction = db.begin().await?;
    accounts::hold(&transaction, user_id).await?;
    let updated = update.exec_with_returning(&transaction).await?.into_iter().next();
    if let Some(contact) = &updated
        && let Some(patient) = dependants::follow(&transaction, contact, changed).await?
    {
        let event = Event::own(AuditAction::PatientChanged, user_id, &caller.client).on(patient);
        event.record(&transaction, contact.updated_at).await?;
    }
    transaction.commit().await?;
    Ok(updated)
}

/// The condition that a birthday with changed parts is not in the future. Whether the day exists is checked by a CHECK.
fn is_past([year, month, day]: [Option<Option<i16>>; 3], latest: NaiveDate) -> Expr {
    let part = |column, new: Option<Option<i16>>| new.map_or_else(|| Expr::col(column), Expr::value);
    let year = part(Column::BirthYear, year);
    let (month, day) = (part(Column::BirthMonth, month), part(Column::BirthDay, day));
    let is_partial = year.clone().is_null().or(month.clone().is_null()).or(day.clone().is_null());
    let in_month = month.clone().eq(latest.month()).and(day.lte(latest.day()));
    let in_year = year.clone().eq(latest.year()).and(month.lt(latest.month()).or(in_month));
    is_partial.or(year.lt(latest.year())).or(in_year)
}

/// Deletes all contacts of a user, none of whom may have an open vaccine request, in batches.
pub(in crate::domain) async fn delete_all(db: &impl ConnectionTrait, user_id: Uuid) -> Result<u64> {
    let mut deleted = 0;
    loop {
        let part = owned_by(user_id).select_only().column(Column::Id).limit(DELETE_BATCH).into_query();
        let part = Entity::delete_many().filter(Column::UserId.eq(user_id)).filter(Column::Id.in_subquery(part));
        let rows = part.exec(db).await?.rows_affected;
        deleted += rows;
        if rows < DELETE_BATCH {
            return Ok(deleted);
        }
    }
}

/// Deletes a contact.
///
/// # Errors
/// [`Error::NotFound`]; a conflict if the contact has an open vaccine request.
pub async fn delete(db: &impl Transact, clock: &Clock, actor: &Actor, id: Uuid) -> Result<()> {
    let transaction = db.begin().await?;
    accounts::hold(&transaction, actor.user_id).await?;
    let own = Column::Id.eq(id).and(Column::UserId.eq(actor.user_id));
    dependants::forget(&transaction, actor.user_id, own.clone(), clock.now()).await?;
    let own = Entity::delete_many().filter(own);
    if own.exec(&transaction).await.map_err(refused)?.rows_affected == 0 {
        return Err(Error::NotFound);
    }
    Ok(transaction.commit().await?)
}

/// The error of a deletion that a CHECK refuses: the patient of a contact would lose it while a request is open.
pub(super) fn refused(error: DbErr) -> Error {
    match violated_constraint(&error).as_deref() {
        Some("patients_open_requests_check") => Conflict::ContactInUse.into(),
        _ => error.into(),
    }
}
