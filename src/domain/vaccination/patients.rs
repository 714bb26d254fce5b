//! Patients: the people who are vaccinated. A patient is created with their first request or reported dose, from the account
//! or from a contact of the user, or when somebody without an account comes to a centre.

use chrono::{DateTime, Datelike, Utc};
use entity::patients::{ActiveModel, Column, Entity, Model};
use entity::{AuditAction, PatientRelation, Role, contacts, patient_words, users};
use sea_orm::sea_query::{Expr, ExprTrait, LockType, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Select, Set, TransactionSession as _,
};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::accounts::own_patient::{has_no_dose, words};
use crate::domain::contacts::names::display_name;
use crate::domain::records::audit::{self, Event};
use crate::domain::vaccination::context::Vaccination;
use crate::domain::vaccination::dose_history;
use crate::domain::vaccination::eligibility::check::Person;
use crate::domain::vaccination::people::PeopleFilter;
use crate::domain::vaccination::rules::BookingRules;
use crate::domain::values::actor::Actor;
use crate::domain::values::caller::Caller;
use crate::domain::values::clock::Clock;
use crate::domain::values::page::{Page, Slice};
use crate::domain::values::patch::Patch;
use crate::domain::values::person::{FullName, NamePart, latest_birth_date};
use crate::domain::values::search::index_words;
use crate::error::{Conflict, Error, Result, Violation};

/// Changes of a patient.
#[derive(Clone, Debug, Default)]
pub struct PatientChanges {
    /// Name.
    pub name: Option<FullName>,
    /// Year of birth.
    pub birth_year: Patch<i16>,
    /// Month of birth, from 1.
    pub birth_month: Patch<i16>,
    /// Day of birth, from 1.
    pub birth_day: Patch<i16>,
}

/// The patients that an actor may see: those of their account; staff see all.
fn visible_to(actor: &Actor) -> Select<Entity> {
    Entity::find().apply_if((!actor.is_staff()).then_some(actor.user_id), |all, own| all.filter(Column::UserId.eq(own)))
}

/// Opens a request of a patient: locks the patient and counts the request. The patient is created if this is their first.
/// The account is locked, so that two first requests create one patient, and the number of patients stays in bounds.
///
/// # Errors
/// A violation if the actor has no such contact; a conflict if the account has too many patients.
pub(super) async fn open_request(
    transaction: &impl ConnectionTrait,
    rules: &BookingRules,
    actor: &Actor,
    user: users::Model,
    contact_id: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<Model> {
    if let Some(patient) = count_request(transaction, actor, contact_id).await? {
        return Ok(patient);
    }
    create(transaction, rules, actor, user, contact_id, (1, now)).await
}

/// Locks the patient for a person. The patient is created if the person is not known yet. The account is locked.
///
/// # Errors
/// A violation if the actor has no such contact or patient; a conflict if the account has too many patients.
pub(super) async fn of_person(
    transaction: &impl ConnectionTrait,
    rules: &BookingRules,
    actor: &Actor,
    user: users::Model,
    person: Person,
    now: DateTime<Utc>,
) -> Result<Model> {
    let (known, contact_id) = match person {
        Person::Own => (Column::UserId.eq(actor.user_id).and(Column::Relation.eq("self")), None),
        Person::Contact(id) => (Column::UserId.eq(actor.user_id).and(Column::ContactId.eq(id)), Some(id)),
        Person::Patient(id) => {
            let patient = visible_to(actor).filter(Column::Id.eq(id)).lock(LockType::NoKeyUpdate);
            let unknown = || Violation::new("patient_id", "unknown", "is not a patient whom you may see").into();
            let patient = patient.one(transaction).await?;
            return patient.filter(|patient| !is_pseudonymised(patient)).ok_or_else(unknown);
        }
    };
    match Entity::find().filter(known).lock(LockType::NoKeyUpdate).one(transaction).await? {
        Some(patient) => Ok(patient),
        None => create(transaction, rules, actor, user, contact_id, (0, now)).await,
    }
}

/// Creates the patient of an account or a contact, with a number of open requests.
async fn create(
    transaction: &impl ConnectionTrait,
    rules: &BookingRules,
    actor: &Actor,
    user: users::Model,
    contact_id: Option<Uuid>,
    (open_requests, now): (i32, DateTime<Utc>),
) -> Result<Model> {
    let of_account =
        Column::UserId.eq(actor.user_id).and(Column::Relation.eq("self").or(Column::ContactId.is_not_null()));
    if Entity::find().filter(of_account).count(transaction).await? >= rules.patients_per_account {
        return Err(Conflict::TooManyPatients.into());
    }
    let mut patient = match contact_id {
        None => from_account(user, now),
        Some(id) => {
            let contact = crate::domain::contacts::contacts::owned_by(actor.user_id)
                .filter(contacts::Column::Id.eq(id))
                .one(transaction)
                .await?;
            let unknown = || Violation::new("contact_id", "unknown", "is not one of your contacts");
            from_contact(contact.ok_or_else(unknown)?, now)
        }
    };
    patient.open_requests = Set(open_requests);
    let patient = patient.insert(transaction).await?;
    insert_words(transaction, [(patient.id, patient.name.as_deref().unwrap_or_default())].into_iter()).await?;
    Ok(patient)
}

async fn count_request(
    transaction: &impl ConnectionTrait,
    actor: &Actor,
    contact_id: Option<Uuid>,
) -> Result<Option<Model>> {
    let one_more = Entity::update_many()
        .col_expr(Column::OpenRequests, Expr::col(Column::OpenRequests).add(1))
        .filter(Column::UserId.eq(actor.user_id));
    let one_more = match contact_id {
        Some(id) => one_more.filter(Column::ContactId.eq(id)),
        None => one_more.filter(Column::Relation.eq("self")),
    };
    Ok(one_more.exec_with_returning(transaction).await?.into_iter().next())
}

/// A person who comes to a centre without an account.
#[derive(Clone, Debug)]
pub struct NewWalkIn {
    /// Given name.
    pub given_name: NamePart,
    /// Family name.
    pub family_name: NamePart,
    /// Year, month and day of birth, as far as they are known.
    pub birth: Option<BirthParts>,
}

/// Year, month and day of a birth; the year alone may be known.
pub type BirthParts = (i16, Option<(i16, i16)>);

/// Creates and locks a patient who comes without an account.
pub(super) async fn create_walk_in(
    transaction: &impl ConnectionTrait,
    person: &NewWalkIn,
    now: DateTime<Utc>,
) -> Result<Model> {
    let (given, family) = (person.given_name.as_str(), person.family_name.as_str());
    let day = person.birth.and_then(|(_, day)| day);
    let row = ActiveModel {
        id: Set(Uuid::now_v7()),
        user_id: Set(None),
        contact_id: Set(None),
        relation: Set(PatientRelation::WalkIn),
        name: Set(Some(format!("{given} {family}"))),
        given_name: Set(Some(given.to_owned())),
        family_name: Set(Some(family.to_owned())),
        birth_year: Set(person.birth.map(|(year, _)| year)),
        birth_month: Set(day.map(|(month, _)| month)),
        birth_day: Set(day.map(|(_, day)| day)),
        open_requests: Set(0),
        created_at: Set(now),
        updated_at: Set(now),
    };
    let patient = row.insert(transaction).await?;
    check_birth_date(&patient)?;
    insert_words(transaction, [(patient.id, patient.name.as_deref().unwrap_or_default())].into_iter()).await?;
    Ok(patient)
}

/// Locks a patient, for staff.
///
/// # Errors
/// A violation if there is no such patient.
pub(super) async fn lock(transaction: &impl ConnectionTrait, id: Uuid) -> Result<Model> {
    let unknown = || Violation::new("patient_id", "unknown", "is not a patient").into();
    Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(transaction).await?.ok_or_else(unknown)
}

/// Whether the account of a patient was erased: only what was given to them, and the year of birth, is kept.
pub(super) fn is_pseudonymised(patient: &Model) -> bool {
    patient.user_id.is_none() && patient.name.is_none()
}

/// Counts one open request more of a locked patient, at a centre. A dependant whose contact was deleted comes without one.
pub(super) async fn reopen_request(transaction: &impl ConnectionTrait, id: Uuid) -> Result<()> {
    let relation = "CASE WHEN relation = 'dependant' AND contact_id IS NULL THEN 'walk_in' ELSE relation END";
    let one_more = Entity::update_many()
        .col_expr(Column::OpenRequests, Expr::col(Column::OpenRequests).add(1))
        .col_expr(Column::Relation, Expr::cust(relation))
        .filter(Column::Id.eq(id));
    one_more.exec(transaction).await?;
    Ok(())
}

/// Counts one open request less of a locked patient.
pub(super) async fn close_request(transaction: &impl ConnectionTrait, id: Uuid) -> Result<()> {
    let one_less = Entity::update_many()
        .col_expr(Column::OpenRequests, Expr::col(Column::OpenRequests).sub(1))
        .filter(Column::Id.eq(id));
    one_less.exec(transaction).await?;
    Ok(())
}

/// The row of the owner of an account, with one open request.
pub fn from_account(user: users::Model, now: DateTime<Utc>) -> ActiveModel {
    let part = |part: Option<u32>| part.and_then(|part| i16::try_from(part).ok());
    ActiveModel {
        id: Set(Uuid::now_v7()),
        user_id: Set(Some(user.id)),
        contact_id: Set(None),
        relation: Set(PatientRelation::Own),
        birth_year: Set(user.birth_date.and_then(|date| i16::try_from(date.year()).ok())),
        birth_month: Set(part(user.birth_date.map(|date| date.month()))),
        birth_day: Set(part(user.birth_date.map(|date| date.day()))),
        name: Set(Some(user.name)),
        given_name: Set(None),
        family_name: Set(None),
        open_requests: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
    }
}

/// The row of a contact, with one open request.
pub fn from_contact(contact: contacts::Model, now: DateTime<Utc>) -> ActiveModel {
    ActiveModel {
        id: Set(Uuid::now_v7()),
        user_id: Set(Some(contact.user_id)),
        contact_id: Set(Some(contact.id)),
        relation: Set(PatientRelation::Dependant),
        name: Set(Some(display_name(&contact))),
        given_name: Set(contact.first_name),
        family_name: Set(contact.last_name),
        birth_year: Set(contact.birth_year),
        birth_month: Set(contact.birth_month),
        birth_day: Set(contact.birth_day),
        open_requests: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
    }
}

/// Inserts the words of new patients.
///
/// # Errors
/// Database errors.
pub async fn insert_words<'a>(
    db: &impl ConnectionTrait,
    patients: impl Iterator<Item = (Uuid, &'a str)>,
) -> Result<()> {
    let rows = patients.flat_map(|(patient_id, name)| {
        let row = move |word| patient_words::ActiveModel { word: Set(word), patient_id: Set(patient_id) };
        index_words(name).into_iter().map(row)
    });
    let rows: Vec<_> = rows.collect();
    if !rows.is_empty() {
        let is_known = OnConflict::new().do_nothing().to_owned();
        patient_words::Entity::insert_many(rows).on_conflict(is_known).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Lists the patients of the account of the actor, newest first.
///
/// # Errors
/// Database errors.
pub async fn list_own(db: &impl ConnectionTrait, actor: &Actor, page: Page) -> Result<Slice<Model>> {
    listed(db, Condition::all().add(Column::UserId.eq(actor.user_id)), page).await
}

/// Searches all patients, newest first. This is recorded, with its purpose.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor is staff; a violation if nothing is searched, or no purpose is named.
pub async fn search(
    db: &impl ConnectionTrait,
    clock: &Clock,
    caller: &Caller,
    people: &PeopleFilter,
    purpose: Option<&str>,
    page: Page,
) -> Result<Slice<Model>> {
    caller.actor.require(Role::Staff)?;
    if people.is_empty() {
        return Err(Violation::new("q", "required", "is required with purpose, or email, phone_number or nid").into());
    }
    let purpose = purpose.ok_or_else(|| Violation::new("purpose", "required", "is required for a search"))?;
    let [id, user_id] = [Column::Id, Column::UserId].map(|column| Expr::col((Entity, column)));
    let page = match people.condition(db, &caller.actor, id, user_id).await? {
        Some(found) => listed(db, found.condition, page).await?,
        None => page.slice(Vec::new(), |patient: &Model| patient.id),
    };
    if page.items.is_empty() {
        record_empty_search(db, clock, caller, Some(purpose)).await?;
    }
    let found = page.items.iter().map(|patient| (patient.id, patient.user_id));
    record_read(db, clock, caller, found, Some(purpose)).await?;
    Ok(page)
}

async fn listed(db: &impl ConnectionTrait, condition: Condition, page: Page) -> Result<Slice<Model>> {
    let patients = Entity::find()
        .filter(condition)
        .apply_if(page.after, |all, after| all.filter(Column::Id.lt(after)))
        .order_by_desc(Column::Id)
        .limit(page.rows())
        .all(db)
        .await?;
    Ok(page.slice(patients, |patient| patient.id))
}

/// Records that staff searched, and found nobody.
pub(super) async fn record_empty_search(
    db: &impl ConnectionTrait,
    clock: &Clock,
    caller: &Caller,
    purpose: Option<&str>,
) -> Result<()> {
    if !caller.actor.is_staff() {
        return Ok(());
    }
    let event = Event::new(AuditAction::PatientRead, &caller.client).by(Some(caller.actor.user_id));
    event.detail(purpose.unwrap_or("nobody found")).record(db, clock.now()).await
}

/// Records that staff read the data of patients, except of their own account.
pub(super) async fn record_read(
    db: &impl ConnectionTrait,
    clock: &Clock,
    caller: &Caller,
    patients: impl Iterator<Item = (Uuid, Option<Uuid>)>,
    purpose: Option<&str>,
) -> Result<()> {
    let own = Some(caller.actor.user_id);
    let mut others: Vec<_> = patients.filter(|(_, user_id)| *user_id != own).collect();
    others.sort_unstable();
    others.dedup();
    let events = others.into_iter().map(|(id, user_id)| {
        let event = Event::new(AuditAction::PatientRead, &caller.client).by(own).to(user_id).on(id);
        purpose.map_or(event, |purpose| event.detail(purpose))
    });
    audit::record_all(db, events, clock.now()).await
}

/// Gets a patient. If staff read one who is not of their account, this is recorded.
///
/// # Errors
/// [`Error::NotFound`] if the actor may not see them.
pub async fn get(db: &impl ConnectionTrait, clock: &Clock, caller: &Caller, id: Uuid) -> Result<Model> {
    let patient = visible_to(&caller.actor).filter(Column::Id.eq(id)).one(db).await?.ok_or(Error::NotFound)?;
    record_read(db, clock, caller, [(patient.id, patient.user_id)].into_iter(), None).await?;
    Ok(patient)
}

/// Updates a patient, and judges their doses anew. The change is recorded, also if the owner made it: a place was booked for this person.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Forbidden`] unless the actor is staff, if the patient was given a dose in a centre of this
/// service; a violation if the resulting birth date does not exist or is in the future.
pub async fn update(
    db: &impl Transact,
    context: &Vaccination,
    caller: &Caller,
    id: Uuid,
    changes: PatientChanges,
) -> Result<Model> {
    let (actor, now) = (&caller.actor, context.clock.now());
    let name = changes.name.map(FullName::into_string);
    let transaction = db.begin().await?;
    let parts = [
        (Column::BirthYear, changes.birth_year.into_change()),
        (Column::BirthMonth, changes.birth_month.into_change()),
        (Column::BirthDay, changes.birth_day.into_change()),
    ];
    // Locked first: a dose that is given meanwhile must be seen by the condition.
    let locked = visible_to(actor).filter(Column::Id.eq(id)).lock(LockType::NoKeyUpdate).one(&transaction).await?;
    // What is kept of an erased account stays as it is.
    locked.filter(|patient| !is_pseudonymised(patient)).ok_or(Error::NotFound)?;
    let mut update = Entity::update_many()
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .apply_if((!actor.is_staff()).then_some(actor.user_id), |update, own| {
            update.filter(Column::UserId.eq(own)).filter(has_no_dose())
        })
        .apply_if(name.clone(), |update, name| {
            let none = || Expr::value(Option::<String>::None);
            update
                .col_expr(Column::Name, Expr::value(name))
                .col_expr(Column::GivenName, none())
                .col_expr(Column::FamilyName, none())
        });
    for (column, part) in parts {
        update = update.apply_if(part, |update, part| update.col_expr(column, Expr::value(part)));
    }
    let changed = update.exec_with_returning(&transaction).await?;
    let Some(patient) = changed.into_iter().next() else {
        // The patient of the actor was given a dose.
        let visible = visible_to(actor).filter(Column::Id.eq(id)).one(&transaction).await?;
        return Err(if visible.is_some() { Error::Forbidden(Role::Staff) } else { Error::NotFound });
    };
    check_birth_date(&patient)?;
    dose_history::judge_anew(&transaction, &context.schedules, &patient, now.date_naive(), now).await?;
    if let Some(name) = &name {
        words().replace(&transaction, id, index_words(name)).await?;
    }
    let event = Event::new(AuditAction::PatientChanged, &caller.client).by(Some(actor.user_id));
    event.to(patient.user_id).on(id).record(&transaction, now).await?;
    transaction.commit().await?;
    Ok(patient)
}

/// Checks that a birth date is not in the future. Whether the day exists is checked by a CHECK.
fn check_birth_date(patient: &Model) -> Result<()> {
    let latest = latest_birth_date();
    let part = |part: Option<i16>| part.and_then(|part| u32::try_from(part).ok()).unwrap_or(1);
    let Some(year) = patient.birth_year else { return Ok(()) };
    let first = chrono::NaiveDate::from_ymd_opt(year.into(), part(patient.birth_month), part(patient.birth_day));
    if first.is_some_and(|date| date > latest) {
        return Err(crate::domain::values::birthday::out_of_range(latest).into());
    }
    Ok(())
}
