//! Accounts: registering, looking them up, and the profile.

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

/// What somebody who registers tells of themselves.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Full name.
    pub name: FullName,
    /// Unique among all accounts.
    pub email: Email,
    /// To sign in with.
    pub password: Password,
    /// National id, unique when present.
    pub nid: Option<NationalId>,
    /// For staff to call.
    pub phone_number: Option<PhoneNumber>,
    /// Postal address.
    pub address: Option<PostalAddress>,
    /// For staff to compare with the age limits of vaccines.
    pub birth_date: Option<BirthDate>,
}

/// Changes to a profile.
#[derive(Clone, Debug, Default)]
pub struct ProfileChanges {
    /// Full name.
    pub name: Option<FullName>,
    /// National id.
    pub nid: Patch<NationalId>,
    /// For staff to call.
    pub phone_number: Patch<PhoneNumber>,
    /// Postal address.
    pub address: Patch<PostalAddress>,
    /// Date of birth.
    pub birth_date: Patch<BirthDate>,
    /// Where their day begins: an IANA zone.
    pub time_zone: Patch<TimeZone>,
}

/// The accounts an actor may see: their own, and for admins every one.
fn visible_to(actor: &Actor) -> sea_orm::Select<users::Entity> {
    let everybody = actor.role == Role::Admin;
    users::Entity::find()
        .apply_if((!everybody).then_some(actor.user_id), |users, own| users.filter(users::Column::Id.eq(own)))
}

/// Text to search accounts for.
pub type UserSearch = Line<200>;

/// Filter of a list of accounts. Each condition narrows it.
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    /// Whose name or e-mail contains this, whatever the letter case.
    pub search: Option<UserSearch>,
    /// With this e-mail.
    pub email: Option<Email>,
    /// With this role.
    pub role: Option<Role>,
    /// Disabled, or not.
    pub is_disabled: Option<bool>,
}

/// Registers a patient and has a code mailed to the address.
///
/// # Errors
/// A conflict when the e-mail or national id is taken; [`Error::TooMany`], [`Error::Busy`].
pub async fn register(db: &impl Transact, auth: &Auth, new: NewUser, client: &Client) -> Result<users::Model> {
    Attempt::new(auth, Action::Register, None, client).count_and_check(db).await?;
    let user = hashed(auth, new, Role::Patient).await?;
    let transaction = db.begin().await?;
    let user = user.insert(&transaction).await?;
    registered(&transaction, &user, client).await?;
    transaction.commit().await?;
    Ok(user)
}

/// Registers a patient without telling whether the e-mail or national id is taken: whoever reads the mails to that
/// address learns it.
///
/// # Errors
/// [`Error::TooMany`], [`Error::Busy`].
pub async fn register_silently(db: &impl Transact, auth: &Auth, new: NewUser, client: &Client) -> Result<()> {
    Attempt::new(auth, Action::Register, None, client).count_and_check(db).await?;
    let user = hashed(auth, new, Role::Patient).await?;
    let transaction = db.begin().await?;
    let insert = users::Entity::insert(user.clone()).on_conflict(OnConflict::new().do_nothing().to_owned());
    if transaction.execute(&insert.into_query()).await?.rows_affected() > 0 {
        registered(&transaction, &user.try_into_model()?, client).await?;
    } else {
        let user: users::Model = user.try_into_model()?;
        // As many statements as for a new account.
        outbox::add(&transaction, MailKind::AlreadyRegistered, &user.email, None, user.created_at).await?;
        Event::new(AuditAction::Registered).detail("refused").record(&transaction, client, user.created_at).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Makes an account on the command line. The operator vouches for the address.
///
/// # Errors
/// A conflict when the e-mail or national id is taken; [`Error::Busy`].
pub async fn create(db: &impl Transact, auth: &Auth, new: NewUser, role: Role) -> Result<users::Model> {
    let mut user = hashed(auth, new, role).await?;
    let now = auth.clock.now();
    user.email_verified_at = Set(Some(now));
    let transaction = db.begin().await?;
    let user = user.insert(&transaction).await?;
    let event = Event::new(AuditAction::Registered).to(user.id).detail(role.as_str());
    event.record(&transaction, &Client::default(), now).await?;
    transaction.commit().await?;
    Ok(user)
}

async fn registered(transaction: &impl ConnectionTrait, user: &users::Model, client: &Client) -> Result<()> {
    outbox::add(transaction, MailKind::VerifyEmail, &user.email, Some(user.id), user.created_at).await?;
    Event::own(AuditAction::Registered, user.id).record(transaction, client, user.created_at).await
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

/// What a search looks through.
#[must_use]
pub fn search_text(name: &str, email: &str) -> String {
    format!("{}\n{email}", search::fold(name))
}

/// One account.
///
/// # Errors
/// [`Error::NotFound`] when the actor may not see it.
pub async fn get(db: &impl ConnectionTrait, actor: &Actor, id: Uuid) -> Result<users::Model> {
    visible_to(actor).filter(users::Column::Id.eq(id)).one(db).await?.ok_or(Error::NotFound)
}

/// An account, locked until the transaction ends. Whoever changes an account and what belongs to it locks it first.
pub(in crate::domain) async fn lock(transaction: &impl ConnectionTrait, id: Uuid) -> Result<Option<users::Model>> {
    Ok(users::Entity::find_by_id(id).lock_exclusive().one(transaction).await?)
}

/// The actor's own account. It is gone when another instance has just deleted it: then so is the session.
///
/// # Errors
/// [`Error::InvalidToken`] when it is gone.
pub async fn own(db: &impl ConnectionTrait, actor: &Actor) -> Result<users::Model> {
    // Clients ask this more often than anything else, and building the text takes a tenth of the time of an answer.
    static TEXT: QueryText = QueryText::new();
    let statement = TEXT.fill(db, [actor.user_id.into()], || users::Entity::find_by_id(Uuid::nil()));
    users::Entity::find().from_raw_sql(statement).one(db).await?.ok_or(Error::InvalidToken)
}

/// Accounts, newest first.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor is an admin.
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
            let pattern = LikeExpr::new(search::anywhere(text.as_str())).escape('\\');
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

/// Updates the actor's own profile.
///
/// # Errors
/// A conflict if the national id is taken; [`Error::InvalidToken`] if the account is gone.
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
