//! Contacts: people that a user keeps, whom nobody else can see.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use entity::contacts::{Column, Entity, Model};
use sea_orm::sea_query::{Expr, ExprTrait, InsertStatement, LikeExpr, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select,
};
use uuid::Uuid;

use crate::domain::auth::context::Auth;
use crate::domain::auth::quota::{self, Quota};
use crate::domain::values::actor::Actor;
use crate::domain::values::birthday::{self, Birthday};
use crate::domain::values::email::Email;
use crate::domain::values::page::{Page, Slice};
use crate::domain::values::patch::Patch;
use crate::domain::values::rules;
use crate::domain::values::search;
use crate::error::{Error, Result};

/// Characters of a first or last name.
pub const NAME_CHARACTERS: usize = 100;

/// Characters of a telephone number.
pub const PHONE_CHARACTERS: usize = 32;

/// Characters of notes.
pub const NOTES_CHARACTERS: usize = 2000;

/// Contacts that one statement removes.
const REMOVED_AT_ONCE: u64 = 10_000;

/// What a list calls the contacts that are on it.
const FOUND: &str = "found";

/// Somebody to be kept.
#[derive(Clone, Debug)]
pub struct NewContact {
    /// Given name or names.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// Unique among the contacts of a user.
    pub email: Option<Email>,
    /// In any form that people write.
    pub phone_number: Option<String>,
    /// With or without a year.
    pub birthday: Option<Birthday>,
    /// Anything else.
    pub note: Option<String>,
}

/// Changes to a contact.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Given name or names.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Unique among the contacts of a user.
    pub email: Patch<Email>,
    /// In any form that people write.
    pub phone_number: Patch<String>,
    /// From 1.
    pub birth_month: Patch<i16>,
    /// From 1.
    pub birth_day: Patch<i16>,
    /// Unknown when absent.
    pub birth_year: Patch<i16>,
    /// Anything else.
    pub note: Patch<String>,
}

/// Which contacts a list holds. Every condition narrows it, and letter case never matters.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Each of these words is somewhere in the first name, the last name or the e-mail.
    pub search: Option<String>,
    /// The first name contains this.
    pub first_name: Option<String>,
    /// The last name contains this.
    pub last_name: Option<String>,
    /// The e-mail contains this.
    pub email: Option<String>,
}

/// Where a contact stands in a list: sorted by last name, first name, id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The folded last name.
    pub last_name: String,
    /// The folded first name.
    pub first_name: String,
    /// Tells people of one name apart.
    pub id: Uuid,
}

impl Position {
    fn of(contact: &Model) -> Self {
        Self { last_name: contact.last_folded.clone(), first_name: contact.first_folded.clone(), id: contact.id }
    }
}

/// The contacts an actor may see: their own.
pub(in crate::domain) fn owned_by(user_id: Uuid) -> Select<Entity> {
    Entity::find().filter(Column::UserId.eq(user_id))
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
        first_folded: search::fold(&new.first_name),
        last_folded: search::fold(&new.last_name),
        first_name: new.first_name,
        last_name: new.last_name,
        email: new.email.map(|email| email.as_str().to_owned()),
        phone_number: new.phone_number,
        birth_month,
        birth_day,
        birth_year,
        note: new.note,
        created_at: now,
        updated_at: now,
    }
}

/// One statement that adds many rows.
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

/// Keeps somebody.
///
/// # Errors
/// A conflict when the user has a contact with this e-mail; [`Error::TooMany`].
pub async fn add(db: &impl ConnectionTrait, auth: &Auth, actor: &Actor, new: NewContact) -> Result<Model> {
    quota::admit(db, auth, Quota::Contacts, actor.user_id).await?;
    let row = row(Uuid::now_v7(), actor.user_id, None, new, auth.clock.now());
    db.execute(&insert([row.clone()])?).await?;
    Ok(row)
}

/// One contact.
///
/// # Errors
/// [`Error::NotFound`] unless it is the actor's.
pub async fn get(db: &impl ConnectionTrait, actor: &Actor, id: Uuid) -> Result<Model> {
    owned_by(actor.user_id).filter(Column::Id.eq(id)).one(db).await?.ok_or(Error::NotFound)
}

/// Contacts by name.
///
/// # Errors
/// Fails when the database does.
pub async fn list(
    db: &impl ConnectionTrait,
    actor: &Actor,
    filter: &Filter,
    page: Page<Position>,
) -> Result<Slice<Model, Position>> {
    let order = [Column::LastFolded, Column::FirstFolded, Column::Id];
    let contains = |column: Column, text: &str| column.like(LikeExpr::new(search::anywhere(text)).escape('\\'));
    let mut found = owned_by(actor.user_id).select_only().columns(order);
    for word in filter.search.iter().flat_map(|text| text.split_whitespace()) {
        let somewhere = [Column::FirstFolded, Column::LastFolded, Column::Email];
        let any = somewhere.into_iter().fold(Condition::any(), |any, column| any.add(contains(column, word)));
        found = found.filter(any);
    }
    let found = found
        .apply_if(filter.first_name.as_deref(), |found, text| found.filter(contains(Column::FirstFolded, text)))
        .apply_if(filter.last_name.as_deref(), |found, text| found.filter(contains(Column::LastFolded, text)))
        .apply_if(filter.email.as_deref(), |found, text| found.filter(contains(Column::Email, text)))
        .apply_if(page.after.as_ref(), |found, after| {
            let position = [after.last_name.as_str().into(), after.first_name.as_str().into(), Expr::value(after.id)];
            found.filter(Expr::tuple(order.map(Expr::col)).gt(Expr::tuple(position)))
        });
    let found = order.into_iter().fold(found, QueryOrder::order_by_asc).limit(page.rows());
    // What is looked through is in the index of the list; only the rows of the page are read themselves.
    let mut contacts = owned_by(actor.user_id);
    let its = |column: Column| Expr::col((FOUND, column));
    let is_found = Expr::col((Entity, Column::Id)).eq(its(Column::Id));
    QuerySelect::query(&mut contacts).join_subquery(JoinType::InnerJoin, found.into_query(), FOUND, is_found);
    let contacts = order.into_iter().fold(contacts, |contacts, column| contacts.order_by_asc(its(column)));
    let contacts = contacts.all(db).await?;
    Ok(page.slice(contacts, Position::of))
}

/// Contacts as they lie in the database: in the order of their ids, which does not change when names do.
///
/// # Errors
/// Fails when the database does.
pub(in crate::domain) async fn all(db: &impl ConnectionTrait, user_id: Uuid, page: Page) -> Result<Slice<Model>> {
    let contacts = owned_by(user_id)
        .apply_if(page.after, |contacts, after| contacts.filter(Column::Id.gt(after)))
        .order_by_asc(Column::Id)
        .limit(page.rows())
        .all(db)
        .await?;
    Ok(page.slice(contacts, |contact| contact.id))
}

/// Everybody whom a user keeps.
pub(in crate::domain) async fn all_of(db: &impl ConnectionTrait, user_id: Uuid) -> Result<Vec<Model>> {
    Ok(owned_by(user_id).all(db).await?)
}

/// Changes a contact.
///
/// # Errors
/// [`Error::NotFound`]; a conflict when the user has another contact with this e-mail; a violation when the birthday that
/// results is none.
pub async fn change(
    db: &impl ConnectionTrait,
    auth: &Auth,
    actor: &Actor,
    id: Uuid,
    changes: Changes,
) -> Result<Model> {
    let folded = |name: &Option<String>| name.as_deref().map(|name| Expr::value(search::fold(name)));
    let part = |patch: &Patch<i16>| patch.clone().into_change();
    let parts = [part(&changes.birth_year), part(&changes.birth_month), part(&changes.birth_day)];
    let latest = rules::latest_birth_date();
    let is_past = parts.iter().any(Option::is_some).then(|| is_past(parts, latest));
    let text = |patch: Patch<String>| patch.into_change().map(Expr::value);
    let [year, month, day] = parts.map(|part| part.map(Expr::value));
    let changed = [
        (Column::FirstFolded, folded(&changes.first_name)),
        (Column::LastFolded, folded(&changes.last_name)),
        (Column::FirstName, changes.first_name.map(Expr::value)),
        (Column::LastName, changes.last_name.map(Expr::value)),
        (Column::Email, text(changes.email.map(|email| email.as_str().to_owned()))),
        (Column::PhoneNumber, text(changes.phone_number)),
        (Column::BirthYear, year),
        (Column::BirthMonth, month),
        (Column::BirthDay, day),
        (Column::Note, text(changes.note)),
    ];
    let mut update = Entity::update_many()
        .filter(Column::Id.eq(id))
        .filter(Column::UserId.eq(actor.user_id))
        .apply_if(is_past, |update, is_past| update.filter(is_past));
    for (column, value) in changed {
        update = update.apply_if(value, |update, value| update.col_expr(column, value));
    }
    let updated = update.col_expr(Column::UpdatedAt, Expr::value(auth.clock.now())).exec_with_returning(db).await?;
    if let Some(contact) = updated.into_iter().next() {
        return Ok(contact);
    }
    get(db, actor, id).await?;
    Err(birthday::future_or_ancient(latest).into())
}

/// Whether a birthday, once its year, month and day have changed, does not lie in the future. Which days there are at all
/// is for a CHECK to say.
fn is_past([year, month, day]: [Option<Option<i16>>; 3], latest: NaiveDate) -> Expr {
    let part = |column, new: Option<Option<i16>>| new.map_or_else(|| Expr::col(column), Expr::value);
    let year = part(Column::BirthYear, year);
    let (month, day) = (part(Column::BirthMonth, month), part(Column::BirthDay, day));
    let is_partial = year.clone().is_null().or(month.clone().is_null()).or(day.clone().is_null());
    let in_month = month.clone().eq(latest.month()).and(day.lte(latest.day()));
    let in_year = year.clone().eq(latest.year()).and(month.lt(latest.month()).or(in_month));
    is_partial.or(year.lt(latest.year())).or(in_year)
}

/// Removes all contacts of a user, of whom no vaccine request may be open any more: a part at a time, so that no statement
/// takes long.
pub(in crate::domain) async fn remove_all(db: &impl ConnectionTrait, user_id: Uuid) -> Result<u64> {
    let mut removed = 0;
    loop {
        let part = owned_by(user_id).select_only().column(Column::Id).limit(REMOVED_AT_ONCE).into_query();
        let part = Entity::delete_many().filter(Column::UserId.eq(user_id)).filter(Column::Id.in_subquery(part));
        let rows = part.exec(db).await?.rows_affected;
        removed += rows;
        if rows < REMOVED_AT_ONCE {
            return Ok(removed);
        }
    }
}

/// Removes a contact.
///
/// # Errors
/// [`Error::NotFound`]; a conflict when an open vaccine request is for them.
pub async fn remove(db: &impl ConnectionTrait, actor: &Actor, id: Uuid) -> Result<()> {
    let own = Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::UserId.eq(actor.user_id));
    if own.exec(db).await?.rows_affected == 0 {
        return Err(Error::NotFound);
    }
    Ok(())
}
