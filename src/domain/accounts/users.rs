//! User accounts: registration, lookup, and the profile.

use entity::{AuditAction, MailKind, Role, users};
use sea_orm::sea_query::{BinOper, Expr, ExprTrait, LikeExpr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set,
    TransactionSession as _, TryIntoModel as _,
};
use uuid::Uuid;

use crate::db::{QueryText, Transact};
use crate::domain::auth::context::Auth;
use crate::domain::auth::password::Password;
use crate::domain::auth::throttle::{Action, Attempt};
use crate::domain::records::audit::Event;
use crate::domain::records::outbox;
use crate::domain::values::actor::Actor;
use crate::domain::values::client::Client;
use crate::domain::values::clock::Clock;
use crate::domain::values::email::Email;
use crate::domain::values::page::{Page, Slice};
use crate::domain::values::patch::Patch;
use crate::domain::values::person::{BirthDate, FullName, NationalId, PhoneNumber, PostalAddress};
use crate::domain::values::search;
use crate::domain::values::text::Line;
use crate::domain::values::time_zone::TimeZone;
use crate::error::{Error, Result};

/// Account to be created.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Full name.
    pub name: FullName,
    /// E-mail address, unique among all accounts.
    pub email: Email,
    /// Password.
    pub password: Password,
    /// National id, unique among all accounts.
    pub nid: Option<NationalId>,
    /// Telephone number.
    pub phone_number: Option<PhoneNumber>,
    /// Postal address.
    pub address: Option<PostalAddress>,
    /// Date of birth, for the age limits of vaccines.
    pub birth_date: Option<BirthDate>,
}

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

/// Accounts that the actor may see: their own; an admin sees all accounts.
fn visible_to(actor: &Actor) -> sea_orm::Select<users::Entity> {
    let everybody = actor.role == Role::Admin;
    users::Entity::find()
        .apply_if((!everybody).then_some(actor.user_id), |users, own| users.filter(users::Column::Id.eq(own)))
}

/// Search text.
pub type UserSearch = Line<200>;

/// Filter of the list of accounts. An account must meet all conditions.
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    /// Part of the name or e-mail address. Letter case does not matter.
    pub search: Option<UserSearch>,
    /// E-mail address.
    pub email: Option<Email>,
    /// Role.
    pub role: Option<Role>,
    /// Whether the account is disabled.
    pub is_disabled: Option<bool>,
}

/// Registers an account with the role `patient`. A verification code is mailed to its address.
///
/// # Errors
/// Returns a conflict if the e-mail address or the national id is taken, [`Error::TooMany`], or [`Error::Busy`].
pub async fn register(db: &impl Transact, auth: &Auth, new: NewUser, client: &Client) -> Result<users::Model> {
    Attempt::new(auth, Action::Register, None, client).count_and_check(db).await?;
    let user = hashed(auth, new, Role::Patient).await?;
    let transaction = db.begin().await?;
    let user = user.insert(&transaction).await?;
    registered(&transaction, &user, client).await?;
    transaction.commit().await?;
    Ok(user)
}

/// As [`register`], but does not reveal whether the e-mail address or the national id is taken. The owner of the
/// address is told by mail.
///
/// # Errors
/// Returns [`Error::TooMany`] or [`Error::Busy`].
pub async fn register_silently(db: &impl Transact, auth: &Auth, new: NewUser, client: &Client) -> Result<()> {
    Attempt::new(auth, Action::Register, None, client).count_and_check(db).await?;
    let user = hashed(auth, new, Role::Patient).await?;
    let transaction = db.begin().await?;
    let insert = users::Entity::insert(user.clone()).on_conflict(OnConflict::new().do_nothing().to_owned());
    if transaction.execute(&insert.into_query()).await?.rows_affected() > 0 {
        registered(&transaction, &user.try_into_model()?, client).await?;
    } else {
        let user: users::Model = user.try_into_model()?;
        // The same number of statements as for a new account, so that the response time reveals nothing.
        outbox::add(&transaction, MailKind::AlreadyRegistered, &user.email, None, user.created_at).await?;
        Event::new(AuditAction::Registered, client).detail("refused").record(&transaction, user.created_at).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Creates an account on the command line. Its address counts as verified.
///
/// # Errors
/// Returns a conflict if the e-mail address or the national id is taken, or [`Error::Busy`].
pub async fn create(db: &impl Transact, auth: &Auth, new: NewUser, role: Role) -> Result<users::Model> {
    let mut user = hashed(auth, new, role).await?;
    let now = auth.clock.now();
    user.email_verified_at = Set(Some(now));
    let transaction = db.begin().await?;
    let user = user.insert(&transaction).await?;
    let operator = Client::default();
    let event = Event::new(AuditAction::Registered, &operator).to(user.id).detail(role.as_str());
    event.record(&transaction, now).await?;
    transaction.commit().await?;
    Ok(user)
}

async fn registered(transaction: &impl ConnectionTrait, user: &users::Model, client: &Client) -> Result<()> {
    outbox::add(transaction, MailKind::VerifyEmail, &user.email, Some(user.id), user.created_at).await?;
    Event::own(AuditAction::Registered, user.id, client).record(transaction, user.created_at).await
}

async fn hashed(auth: &Auth, new: NewUser, role: Role) -> Result<users::ActiveModel> {
    let password_hash = auth.hasher.permit().await?.hash(new.password).await?;
    let now = auth.clock.now();
    Ok(users::ActiveModel {
        id: Set(Uuid::now_v7()),
        search_text: Set(search_text(new.name.as_str(), new.email.as_str())),
        name: Set(new.name.into_string()),
        email: Set(new.email.as_str().to_owned()),
        password_hash: Set(password_hash),
        role: Set(role),
        nid: Set(new.nid.map(NationalId::into_string)),
        phone_number: Set(new.phone_number.map(PhoneNumber::into_string)),
        address: Set(new.address.map(PostalAddress::into_string)),
        birth_date: Set(new.birth_date.map(BirthDate::date)),
        email_verified_at: Set(None),
        disabled_at: Set(None),
        time_zone: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
    })
}

/// Searchable text of an account: its folded name and its e-mail address.
#[must_use]
pub fn search_text(name: &str, email: &str) -> String {
    format!("{}\n{email}", search::fold(name))
}

/// Gets an account.
///
/// # Errors
/// Returns [`Error::NotFound`] if the actor may not see it.
pub async fn get(db: &impl ConnectionTrait, actor: &Actor, id: Uuid) -> Result<users::Model> {
    visible_to(actor).filter(users::Column::Id.eq(id)).one(db).await?.ok_or(Error::NotFound)
}

/// Locks an account until the transaction ends, and returns it. A transaction that changes an account and its other
/// rows locks the account first, so that two of them cannot deadlock.
pub(in crate::domain) async fn lock(transaction: &impl ConnectionTrait, id: Uuid) -> Result<Option<users::Model>> {
    Ok(users::Entity::find_by_id(id).lock_exclusive().one(transaction).await?)
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

/// Lists accounts, newest first.
///
/// # Errors
/// Returns [`Error::Forbidden`] unless the actor is an admin.
pub async fn list(
    db: &impl ConnectionTrait,
    actor: &Actor,
    filter: &UserFilter,
    page: Page,
) -> Result<Slice<users::Model>> {
    use users::Column;
    actor.require(Role::Admin)?;
    let users = visible_to(actor)
        .apply_if(filter.search.as_ref(), |users, text| {
            let pattern = LikeExpr::new(search::contains_pattern(text.as_str())).escape('\\');
            users.filter(Column::SearchText.like(pattern))
        })
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
    Ok(page.slice(users, |user| user.id))
}

/// Updates the profile of the actor.
///
/// # Errors
/// Returns a conflict if the national id is taken, or [`Error::InvalidToken`] if the account no longer exists.
pub async fn update(
    db: &impl ConnectionTrait,
    clock: &Clock,
    actor: &Actor,
    changes: ProfileChanges,
) -> Result<users::Model> {
    use users::Column;
    let search_text = changes.name.as_ref().map(|name| {
        let name = Expr::value(search::fold(name.as_str()) + "\n");
        (Column::SearchText, name.binary(BinOper::Custom("||"), Expr::col(Column::Email)))
    });
    let nid = changes.nid.map(NationalId::into_string).into_change();
    let phone_number = changes.phone_number.map(PhoneNumber::into_string).into_change();
    let address = changes.address.map(PostalAddress::into_string).into_change();
    let birth_date = changes.birth_date.map(BirthDate::date).into_change();
    let time_zone = changes.time_zone.map(|zone| zone.name().to_owned()).into_change();
    let changed = [
        search_text,
        changes.name.map(|name| (Column::Name, Expr::value(name.into_string()))),
        nid.map(|nid| (Column::Nid, Expr::value(nid))),
        phone_number.map(|number| (Column::PhoneNumber, Expr::value(number))),
        address.map(|address| (Column::Address, Expr::value(address))),
        birth_date.map(|date| (Column::BirthDate, Expr::value(date))),
        time_zone.map(|zone| (Column::TimeZone, Expr::value(zone))),
    ];
    let mut update = users::Entity::update_many().filter(Column::Id.eq(actor.user_id));
    for (column, value) in changed.into_iter().flatten() {
        update = update.col_expr(column, value);
    }
    let updated = update.col_expr(Column::UpdatedAt, Expr::value(clock.now())).exec_with_returning(db).await?;
    updated.into_iter().next().ok_or(Error::InvalidToken)
}
