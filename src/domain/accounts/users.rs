//! User accounts: lookup, and the profile.

use chrono::{DateTime, NaiveDate, Utc};
use entity::{AuditAction, PasswordHash, Role, users};
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, LockType};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    TransactionSession as _, UpdateMany,
};
use uuid::Uuid;

use crate::db::{QueryText, Transact};
use crate::domain::accounts::own_patient;
use crate::domain::accounts::user_words::{self, Searchable};
use crate::domain::records::audit::{self, Event};
use crate::domain::values::actor::Actor;
use crate::domain::values::caller::Caller;
use crate::domain::values::clock::Clock;
use crate::domain::values::email::Email;
use crate::domain::values::page::{Page, Slice};
use crate::domain::values::patch::Patch;
use crate::domain::values::person::{BirthDate, FullName, NationalId, PhoneNumber, PostalAddress};
use crate::domain::values::search::SearchText;
use crate::domain::values::time_zone::TimeZone;
use crate::error::{Error, Result};

/// Changes of a profile.
#[derive(Clone, Debug, Default)]
pub struct ProfileChanges {
    /// Full name.
    pub name: Option<FullName>,
    /// National id.
    pub nid: Patch<NationalId>,
    /// Telephone number.
    pub phone_number: Patch<PhoneNumber>,
    /// Postal address.
    pub address: Patch<PostalAddress>,
    /// Date of birth.
    pub birth_date: Patch<BirthDate>,
    /// IANA time zone.
    pub time_zone: Patch<TimeZone>,
}

impl ProfileChanges {
    /// Members whose change is recorded: those that identify a person.
    fn audited(&self) -> Vec<&'static str> {
        let members = [
            ("name", self.name.is_some()),
            ("nid", !matches!(self.nid, Patch::Keep)),
            ("birth_date", !matches!(self.birth_date, Patch::Keep)),
        ];
        members.into_iter().filter_map(|(name, is_changed)| is_changed.then_some(name)).collect()
    }
}

/// Accounts that the actor may see: their own; an admin sees all accounts.
fn visible_to(actor: &Actor) -> sea_orm::Select<users::Entity> {
    let sees_all = actor.role == Role::Admin;
    users::Entity::find()
        .apply_if((!sees_all).then_some(actor.user_id), |users, own| users.filter(users::Column::Id.eq(own)))
}

/// Filter of the list of accounts. An account must meet all conditions.
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    /// For each of these words, a word of the name or the e-mail address begins with it. Letter case does not matter.
    pub search: Option<SearchText>,
    /// E-mail address.
    pub email: Option<Email>,
    /// Role.
    pub role: Option<Role>,
    /// Whether the account is disabled.
    pub is_disabled: Option<bool>,
}

/// UPDATE that marks the address of an account as verified.
pub(super) fn set_verified(user: &users::Model, now: DateTime<Utc>) -> UpdateMany<users::Entity> {
    users::Entity::update_many()
        .col_expr(users::Column::EmailVerifiedAt, Expr::value(now))
        .col_expr(users::Column::UpdatedAt, Expr::value(now))
        .filter(users::Column::Id.eq(user.id))
}

/// Adds to an UPDATE that the password becomes void and the profile is cleared.
pub(super) fn without_owner(update: UpdateMany<users::Entity>, user: &users::Model) -> UpdateMany<users::Entity> {
    without_profile(without_password(update), user)
}

/// Adds to an UPDATE that the password becomes void.
pub(super) fn without_password(update: UpdateMany<users::Entity>) -> UpdateMany<users::Entity> {
    update.col_expr(users::Column::PasswordHash, Expr::value(PasswordHash::void()))
}

/// Adds to an UPDATE that the profile is cleared. The name becomes the local part of the address, until the owner sets
/// another.
pub(super) fn without_profile(update: UpdateMany<users::Entity>, user: &users::Model) -> UpdateMany<users::Entity> {
    use users::Column;
    let name = local_part(&user.email);
    let update = update
        .col_expr(Column::Name, Expr::value(name))
        .col_expr(Column::NidVerifiedAt, Expr::value(Option::<DateTime<Utc>>::None))
        .col_expr(Column::BirthDate, Expr::value(Option::<NaiveDate>::None));
    [Column::Nid, Column::NidKey, Column::PhoneNumber, Column::Address, Column::TimeZone]
        .into_iter()
        .fold(update, |update, column| update.col_expr(column, Expr::value(Option::<String>::None)))
}

/// The part of an e-mail address before the `@`.
pub(super) fn local_part(email: &str) -> &str {
    email.rsplit_once('@').map_or(email, |(local_part, _)| local_part)
}

/// Gets an account. If it is not that of the actor, this is recorded in the audit trail.
///
/// # Errors
/// Returns [`Error::NotFound`] if the actor may not see it.
pub async fn get(db: &impl ConnectionTrait, clock: &Clock, caller: &Caller, id: Uuid) -> Result<users::Model> {
    let actor = &caller.actor;
    let user = visible_to(actor).filter(users::Column::Id.eq(id)).one(db).await?.ok_or(Error::NotFound)?;
    if id != actor.user_id {
        account_read(caller, id).record(db, clock.now()).await?;
    }
    Ok(user)
}

/// Locks an account until the transaction ends, and returns it. A transaction that changes an account and its other
/// rows locks the account first, so that two of them cannot deadlock.
pub(in crate::domain) async fn lock(transaction: &impl ConnectionTrait, id: Uuid) -> Result<Option<users::Model>> {
    Ok(users::Entity::find_by_id(id).lock_exclusive().one(transaction).await?)
}

/// Locks an account against its erasure until the transaction ends, and returns it. A transaction that locks rows of the
/// account takes this lock first, because erasing the account locks all of them.
pub(in crate::domain) async fn hold(transaction: &impl ConnectionTrait, id: Uuid) -> Result<users::Model> {
    let user = users::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(transaction).await?;
    user.ok_or(Error::InvalidToken)
}

/// Time zone of a user; UTC if it is not known.
pub(in crate::domain) fn time_zone(user: &users::Model) -> TimeZone {
    user.time_zone.as_deref().and_then(|name| TimeZone::parse(name).ok()).unwrap_or(TimeZone::UTC)
}

/// The date on the calendar of a user, or in UTC if there is no such account.
pub(in crate::domain) async fn local_date(
    db: &impl ConnectionTrait,
    user_id: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<NaiveDate> {
    let user = match user_id {
        Some(id) => users::Entity::find_by_id(id).one(db).await?,
        None => None,
    };
    Ok(user.as_ref().map_or(TimeZone::UTC, time_zone).date(now))
}

/// Gets the account of the actor.
///
/// # Errors
/// Returns [`Error::InvalidToken`] if another instance has just deleted the account.
pub async fn get_own(db: &impl ConnectionTrait, actor: &Actor) -> Result<users::Model> {
    static QUERY: QueryText = QueryText::new();
    let user = QUERY.find(db, [actor.user_id.into()], || users::Entity::find_by_id(Uuid::nil())).await?;
    user.ok_or(Error::InvalidToken)
}

/// Lists accounts, newest first. Each account in the page is recorded as read.
///
/// # Errors
/// Returns [`Error::Forbidden`] unless the actor is an admin.
pub async fn list(
    db: &impl ConnectionTrait,
    clock: &Clock,
    caller: &Caller,
    filter: &UserFilter,
    page: Page,
) -> Result<Slice<users::Model>> {
    use users::Column;
    let actor = &caller.actor;
    actor.require(Role::Admin)?;
    let mut found = Condition::all();
    if let Some(text) = &filter.search {
        let id = Expr::col((users::Entity, Column::Id));
        let Some(matching) = user_words::words().matching(db, text, id).await? else {
            return Ok(page.slice(Vec::new(), |user: &users::Model| user.id));
        };
        found = found.add(matching.condition);
    }
    let users = visible_to(actor)
        .filter(found)
        .apply_if(filter.email.as_ref(), |users, email| users.filter(Column::Email.eq(email.as_str())))
        .apply_if(filter.role, |users, role| users.filter(Column::Role.eq(role)))
        .apply_if(filter.is_disabled, |users, is_disabled| {
            let at = Column::DisabledAt;
            users.filter(if is_disabled { at.is_not_null() } else { at.is_null() })
        })
        .apply_if(page.after, |users, after| users.filter(Column::Id.lt(after)))
        .order_by_desc(Column::Id)
        .limit(page.rows())
        .all(db)
        .await?;
    let page = page.slice(users, |user| user.id);
    let read = page.items.iter().filter(|user| user.id != actor.user_id).map(|user| account_read(caller, user.id));
    audit::record_all(db, read, clock.now()).await?;
    Ok(page)
}

/// Event of staff or an admin who reads the account of someone else.
pub(super) fn account_read(caller: &Caller, user_id: Uuid) -> Event<'_> {
    Event::new(AuditAction::AccountRead, &caller.client).by(Some(caller.actor.user_id)).to(user_id)
}

/// Updates the profile of the actor.
///
/// # Errors
/// Returns [`Error::InvalidToken`] if the account no longer exists.
pub async fn update(
    db: &impl Transact,
    clock: &Clock,
    caller: &Caller,
    changes: ProfileChanges,
) -> Result<users::Model> {
    use users::Column;
    let (id, now) = (caller.actor.user_id, clock.now());
    let audited = changes.audited();
    let is_searchable = changes.name.is_some() || !matches!(changes.phone_number, Patch::Keep);
    let (has_new_name, has_new_birth_date) = (changes.name.is_some(), !matches!(changes.birth_date, Patch::Keep));
    let nid = changes.nid.into_change();
    let nid_key = nid.as_ref().map(|nid| nid.as_ref().map(|nid| nid.key().to_owned()));
    // Another spelling of the same id stays verified.
    let nid_verified_at = nid_key.clone().map(|key| {
        CaseStatement::new()
            .case(Expr::col(Column::NidKey).eq(key), Expr::col(Column::NidVerifiedAt))
            .finally(Expr::value(Option::<DateTime<Utc>>::None))
    });
    let phone_number = changes.phone_number.map(PhoneNumber::into_string).into_change();
    let address = changes.address.map(PostalAddress::into_string).into_change();
    let birth_date = changes.birth_date.map(BirthDate::date).into_change();
    let time_zone = changes.time_zone.map(|zone| zone.name().to_owned()).into_change();
    let changed = [
        changes.name.map(|name| (Column::Name, Expr::value(name.into_string()))),
        nid.map(|nid| (Column::Nid, Expr::value(nid.map(|nid| nid.written().to_owned())))),
        nid_key.map(|key| (Column::NidKey, Expr::value(key))),
        nid_verified_at.map(|at| (Column::NidVerifiedAt, at.into())),
        phone_number.map(|number| (Column::PhoneNumber, Expr::value(number))),
        address.map(|address| (Column::Address, Expr::value(address))),
        birth_date.map(|date| (Column::BirthDate, Expr::value(date))),
        time_zone.map(|zone| (Column::TimeZone, Expr::value(zone))),
    ];
    let mut update = users::Entity::update_many().filter(Column::Id.eq(id));
    for (column, value) in changed.into_iter().flatten() {
        update = update.col_expr(column, value);
    }
    let update = update.col_expr(Column::UpdatedAt, Expr::value(now));
    let updated = if audited.is_empty() && !is_searchable {
        update.exec_with_returning(db).await?
    } else {
        let transaction = db.begin().await?;
        let updated = update.exec_with_returning(&transaction).await?;
        if let Some(user) = updated.first().filter(|_| is_searchable) {
            user_words::replace(&transaction, id, Searchable::of(user)).await?;
        }
        if let Some(user) = updated.first().filter(|_| has_new_name || has_new_birth_date) {
            own_patient::follow(&transaction, user, has_new_name, has_new_birth_date).await?;
        }
        if !audited.is_empty() {
            let event = Event::own(AuditAction::ProfileChanged, id, &caller.client);
            event.detail(&audited.join(", ")).record(&transaction, now).await?;
        }
        transaction.commit().await?;
        updated
    };
    updated.into_iter().next().ok_or(Error::InvalidToken)
}
