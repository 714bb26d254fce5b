//! Contacts: people whom a user keeps. Only their owner can see them.

use chrono::{DateTime, Utc};
use entity::AuditAction;
use entity::contacts::{Column, Entity, Model};
use sea_orm::sea_query::{Expr, ExprTrait, InsertStatement, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    TransactionSession as _,
};
use uuid::Uuid;

use crate::db::{QueryText, Transact, violated_constraint};
use crate::domain::accounts::users as accounts;
use crate::domain::auth::context::Auth;
use crate::domain::auth::quota::{self, Quota};
use crate::domain::contacts::contact_changes;
use crate::domain::contacts::contact_points::{self, ContactPoint, PointsChange, StoredPoint};
use crate::domain::contacts::contact_search;
use crate::domain::contacts::contact_snapshots::Snapshot;
use crate::domain::contacts::dependants::{self, Changed};
use crate::domain::contacts::names::{self, Names, OrganizationName};
use crate::domain::contacts::uids::{self, Uid};
use crate::domain::records::audit::Event;
use crate::domain::values::actor::Actor;
use crate::domain::values::birthday::{self, Birthday};
use crate::domain::values::caller::Caller;
use crate::domain::values::clock::Clock;
use crate::domain::values::email::Email;
use crate::domain::values::page::{Page, Slice};
use crate::domain::values::patch::Patch;
use crate::domain::values::person::{ContactNumber, NamePart, latest_birth_date};
use crate::domain::values::text::Text;
use crate::error::{Conflict, Error, Result};

/// A note about a contact.
pub type Note = Text<2000>;

/// Contacts that one statement deletes.
const DELETE_BATCH: u64 = 10_000;

/// A contact to be created.
#[derive(Clone, Debug)]
pub struct NewContact {
    /// UID that it came with in a file; none for one that is made up here.
    pub uid: Option<Uid>,
    /// Names.
    pub names: Names,
    /// E-mail addresses, the main one first.
    pub emails: Vec<ContactPoint<Email>>,
    /// Telephone numbers, the main one first.
    pub phone_numbers: Vec<ContactPoint<ContactNumber>>,
    /// Birthday, with or without a year.
    pub birthday: Option<Birthday>,
    /// Note.
    pub note: Option<Note>,
}

/// Changes of a contact.
#[derive(Clone, Debug, Default)]
pub struct ContactChanges {
    /// First name or names.
    pub first_name: Patch<NamePart>,
    /// Last name.
    pub last_name: Patch<NamePart>,
    /// Organization.
    pub organization: Patch<OrganizationName>,
    /// E-mail addresses.
    pub emails: PointsChange<Email>,
    /// Telephone numbers.
    pub phone_numbers: PointsChange<ContactNumber>,
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

/// The row of a new contact, of a change with a number.
///
/// # Errors
/// None in practice: texts can be written as JSON.
pub fn row(
    id: Uuid,
    user_id: Uuid,
    import_id: Option<Uuid>,
    new: NewContact,
    (change_number, now): (i64, DateTime<Utc>),
) -> Result<Model> {
    let (birth_month, birth_day, birth_year) = match new.birthday.map(|birthday| birthday.parts()) {
        Some((month, day, year)) => (Some(month), Some(day), year),
        None => (None, None, None),
    };
    let names = new.names.stored();
    let emails: Vec<StoredPoint> = new.emails.into_iter().map(Into::into).collect();
    let search_folded = contact_search::search_folded(names.organization.as_deref(), &emails);
    let (email, emails) = contact_points::columns(emails)?;
    let numbers = new.phone_numbers.into_iter().map(Into::into).collect();
    let (phone_number, phone_numbers) = contact_points::columns(numbers)?;
    Ok(Model {
        id,
        user_id,
        import_id,
        uid: new.uid.map(Uid::into_string).filter(|uid| uids::contact_id(uid) != Some(id)),
        first_name: names.first_name,
        last_name: names.last_name,
        organization: names.organization,
        sort_folded: names.sort_folded,
        first_folded: names.first_folded,
        search_folded,
        email,
        emails,
        phone_number,
        phone_numbers,
        birth_month,
        birth_day,
        birth_year,
        note: new.note.map(Note::into_string),
        change_number,
        created_at: now,
        updated_at: now,
    })
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
        Column::Uid,
        Column::FirstName,
        Column::LastName,
        Column::Organization,
        Column::SortFolded,
        Column::FirstFolded,
        Column::SearchFolded,
        Column::Email,
        Column::Emails,
        Column::PhoneNumber,
        Column::PhoneNumbers,
        Column::BirthMonth,
        Column::BirthDay,
        Column::BirthYear,
        Column::Note,
        Column::ChangeNumber,
        Column::CreatedAt,
        Column::UpdatedAt,
    ]);
    for row in rows {
        insert
            .values([
                row.id.into(),
                row.user_id.into(),
                row.import_id.into(),
                row.uid.into(),
                row.first_name.into(),
                row.last_name.into(),
                row.organization.into(),
                row.sort_folded.into(),
                row.first_folded.into(),
                row.search_folded.into(),
                row.email.into(),
                row.emails.into(),
                row.phone_number.into(),
                row.phone_numbers.into(),
                row.birth_month.into(),
                row.birth_day.into(),
                row.birth_year.into(),
                row.note.into(),
                row.change_number.into(),
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
/// [`Error::TooMany`] if the quota is used up.
pub async fn create(db: &impl Transact, auth: &Auth, actor: &Actor, new: NewContact) -> Result<Model> {
    quota::consume(db, auth, Quota::Contacts, actor.user_id).await?;
    let transaction = db.begin().await?;
    let number = contact_changes::next_number(&transaction, actor.user_id, auth.clock.now()).await?;
    let row = row(Uuid::now_v7(), actor.user_id, None, new, (number, auth.clock.now()))?;
    transaction.execute(&insert([row.clone()])?).await?;
    transaction.commit().await?;
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

/// Updates a contact, and its patient, if there is one.
///
/// # Errors
/// [`Error::NotFound`]; a violation if no name is left, or the resulting birthday does not exist or is in the future.
pub async fn update(
    db: &impl Transact,
    clock: &Clock,
    caller: &Caller,
    id: Uuid,
    changes: ContactChanges,
) -> Result<Model> {
    let (user_id, now) = (caller.actor.user_id, clock.now());
    let transaction = db.begin().await?;
    accounts::hold(&transaction, user_id).await?;
    // From here on, no other change of the contacts of the user runs.
    let number = contact_changes::next_number(&transaction, user_id, now).await?;
    let contact = get(&transaction, &caller.actor, id).await?;
    let changed_in_patient = changes.in_patient();
    let changed = Model { change_number: number, updated_at: now, ..changes.apply(&contact)? };
    save(&transaction, &changed).await?;
    if (changed_in_patient.name || changed_in_patient.birthday)
        && let Some(patient) = dependants::follow(&transaction, &changed, changed_in_patient).await?
    {
        let event = Event::own(AuditAction::PatientChanged, user_id, &caller.client).on(patient);
        event.record(&transaction, now).await?;
    }
    transaction.commit().await?;
    Ok(changed)
}

impl ContactChanges {
    fn in_patient(&self) -> Changed {
        let are_changed = |parts: &[&Patch<i16>]| parts.iter().any(|part| **part != Patch::Keep);
        Changed {
            name: self.first_name != Patch::Keep || self.last_name != Patch::Keep || self.organization != Patch::Keep,
            birthday: are_changed(&[&self.birth_year, &self.birth_month, &self.birth_day]),
        }
    }

    fn apply(self, contact: &Model) -> Result<Model> {
        let old = Snapshot::of(contact);
        let new = Snapshot {
            first_name: self.first_name.map(NamePart::into_string).apply(old.first_name),
            last_name: self.last_name.map(NamePart::into_string).apply(old.last_name),
            organization: self.organization.map(OrganizationName::into_string).apply(old.organization),
            emails: self.emails.apply(old.emails),
            phone_numbers: self.phone_numbers.apply(old.phone_numbers),
            birth_month: self.birth_month.apply(old.birth_month),
            birth_day: self.birth_day.apply(old.birth_day),
            birth_year: self.birth_year.apply(old.birth_year),
            note: self.note.map(Note::into_string).apply(old.note),
        };
        names::check(new.first_name.as_deref(), new.last_name.as_deref(), new.organization.as_deref())?;
        check_birthday([new.birth_month, new.birth_day, new.birth_year])?;
        new.applied(contact)
    }
}

/// Checks a birthday of which parts were changed. A part that is missing now is no day of the others.
fn check_birthday([month, day, year]: [Option<i16>; 3]) -> Result<()> {
    match Birthday::try_from_parts(month, day, year, latest_birth_date()) {
        Ok(_) => Ok(()),
        Err(missing) if missing.code == "required" => Err(birthday::no_such_day().into()),
        Err(violation) => Err(violation.into()),
    }
}

/// Stores all values of a contact that can change.
pub(super) async fn save(transaction: &impl ConnectionTrait, contact: &Model) -> Result<()> {
    let row = contact.clone();
    let values = [
        (Column::FirstName, Expr::value(row.first_name)),
        (Column::LastName, Expr::value(row.last_name)),
        (Column::Organization, Expr::value(row.organization)),
        (Column::SortFolded, Expr::value(row.sort_folded)),
        (Column::FirstFolded, Expr::value(row.first_folded)),
        (Column::SearchFolded, Expr::value(row.search_folded)),
        (Column::Email, Expr::value(row.email)),
        (Column::Emails, Expr::value(row.emails)),
        (Column::PhoneNumber, Expr::value(row.phone_number)),
        (Column::PhoneNumbers, Expr::value(row.phone_numbers)),
        (Column::BirthYear, Expr::value(row.birth_year)),
        (Column::BirthMonth, Expr::value(row.birth_month)),
        (Column::BirthDay, Expr::value(row.birth_day)),
        (Column::Note, Expr::value(row.note)),
        (Column::ChangeNumber, Expr::value(row.change_number)),
        (Column::UpdatedAt, Expr::value(row.updated_at)),
    ];
    let own = Entity::update_many().filter(Column::UserId.eq(row.user_id)).filter(Column::Id.eq(row.id));
    let update = values.into_iter().fold(own, |update, (column, value)| update.col_expr(column, value));
    update.exec(transaction).await?;
    Ok(())
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
    let number = contact_changes::next_number(&transaction, actor.user_id, clock.now()).await?;
    let own = Column::Id.eq(id).and(Column::UserId.eq(actor.user_id));
    dependants::forget(&transaction, actor.user_id, own.clone(), clock.now()).await?;
    contact_changes::record_deletions(&transaction, own.clone(), (number, clock.now())).await?;
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
