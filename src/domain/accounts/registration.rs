//! Registration of user accounts, by people themselves or by an operator.

use entity::{AuditAction, MailKind, Role, users};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, EntityTrait, IdenStatic as _, QueryTrait, Set, TransactionSession as _,
};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::accounts::own_patient;
use crate::domain::accounts::user_words::{self, Searchable};
use crate::domain::auth::context::Auth;
use crate::domain::auth::grants::{self, Cause};
use crate::domain::auth::password::Password;
use crate::domain::auth::throttle::{Action, Attempt};
use crate::domain::records::audit::Event;
use crate::domain::records::outbox;
use crate::domain::values::client::Client;
use crate::domain::values::email::Email;
use crate::domain::values::person::{BirthDate, FullName, NationalId, PhoneNumber, PostalAddress};
use crate::error::{Error, Result, Violation};

/// Account to be created.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Full name.
    pub name: FullName,
    /// E-mail address, unique among all accounts.
    pub email: Email,
    /// Password.
    pub password: Password,
    /// National id: a claim until staff verify it.
    pub nid: Option<NationalId>,
    /// Telephone number.
    pub phone_number: Option<PhoneNumber>,
    /// Postal address.
    pub address: Option<PostalAddress>,
    /// Date of birth, for the age limits of vaccines.
    pub birth_date: Option<BirthDate>,
}

/// Registers an account with the role `patient`. A verification code is mailed to its address.
///
/// # Errors
/// Returns [`Error::RegistrationClosed`], a violation in `email` or `password`, a conflict if the e-mail address is taken,
/// [`Error::TooMany`], or [`Error::Busy`].
pub async fn register(db: &impl Transact, auth: &Auth, new: NewUser, client: &Client) -> Result<users::Model> {
    check_policy(auth, &new.email)?;
    Attempt::new(auth, Action::Register, None, client).count_and_check(db).await?;
    let user = hashed(auth, new, Role::Patient).await?;
    let transaction = db.begin().await?;
    let user = user.insert(&transaction).await?;
    registered(&transaction, &user, client).await?;
    transaction.commit().await?;
    Ok(user)
}

/// As [`register`], but does not reveal whether the e-mail address is taken. The owner of the address is notified by mail.
///
/// An address that was not verified is registered anew: password and profile are replaced and all grants revoked,
/// because whoever registered it first need not be its owner. Only codes that reset the password are kept.
///
/// # Errors
/// Returns [`Error::TooMany`] or [`Error::Busy`].
pub async fn register_silently(db: &impl Transact, auth: &Auth, new: NewUser, client: &Client) -> Result<()> {
    check_policy(auth, &new.email)?;
    Attempt::new(auth, Action::Register, None, client).count_and_check(db).await?;
    let user = hashed(auth, new, Role::Patient).await?;
    let (email, now) = (user.email.clone().take().unwrap_or_default(), auth.clock.now());
    let name = user.name.clone().take().unwrap_or_default();
    let phone_number = user.phone_number.clone().take().flatten();
    let birth_date = user.birth_date.clone().take().flatten();
    let transaction = db.begin().await?;
    let registered = insert_or_replace_unverified(&transaction, user).await?;
    // The same number of statements in every case, so that the response time reveals nothing.
    let searchable = Searchable { name: &name, email: &email, phone_number: phone_number.as_deref() };
    user_words::replace(&transaction, registered.unwrap_or_default(), searchable).await?;
    own_patient::replace(&transaction, registered.unwrap_or_default(), &name, birth_date, now).await?;
    let ended = grants::revoke(&transaction, registered.unwrap_or_default(), Cause::Registration, now).await?;
    let (mail, event) = match registered {
        Some(id) => (MailKind::VerifyEmail, Event::own(AuditAction::Registered, id, client)),
        None => (MailKind::AlreadyRegistered, Event::new(AuditAction::Registered, client).detail("refused")),
    };
    outbox::add(&transaction, mail, &email, registered, now).await?;
    event.record(&transaction, now).await?;
    transaction.commit().await?;
    auth.revocations.add(ended, now);
    Ok(())
}

/// Inserts an account, or replaces password and profile of the one with its address if that was not verified. Returns
/// the id of the account; none if the address is verified.
async fn insert_or_replace_unverified(
    transaction: &impl ConnectionTrait,
    user: users::ActiveModel,
) -> Result<Option<Uuid>> {
    use users::Column;
    let replaced = [
        Column::Name,
        Column::PasswordHash,
        Column::Nid,
        Column::NidKey,
        Column::NidVerifiedAt,
        Column::PhoneNumber,
        Column::Address,
        Column::BirthDate,
        Column::TimeZone,
        Column::UpdatedAt,
    ];
    let on_conflict = OnConflict::column(Column::Email)
        .update_columns(replaced)
        .action_and_where(Expr::col((users::Entity, Column::EmailVerifiedAt)).is_null())
        .to_owned();
    let mut upsert = users::Entity::insert(user).on_conflict(on_conflict).into_query();
    upsert.returning_col(Column::Id);
    match transaction.query_all(&upsert).await?.first() {
        Some(row) => Ok(Some(row.try_get("", Column::Id.as_str())?)),
        None => Ok(None),
    }
}

/// Creates an account on the command line. Its address counts as verified.
///
/// # Errors
/// Returns a conflict if the e-mail address is taken, or [`Error::Busy`].
pub async fn create(db: &impl Transact, auth: &Auth, new: NewUser, role: Role) -> Result<users::Model> {
    let mut user = hashed(auth, new, role).await?;
    let now = auth.clock.now();
    user.email_verified_at = Set(Some(now));
    let transaction = db.begin().await?;
    let user = user.insert(&transaction).await?;
    user_words::replace(&transaction, user.id, Searchable::of(&user)).await?;
    let operator = Client::default();
    let event = Event::new(AuditAction::Registered, &operator).to(user.id).detail(role.as_str());
    event.record(&transaction, now).await?;
    transaction.commit().await?;
    Ok(user)
}

/// Checks that registration is open for an address, before anything depends on whether the address has an account.
fn check_policy(auth: &Auth, email: &Email) -> Result<()> {
    let policy = &auth.registration;
    if !policy.is_open {
        return Err(Error::RegistrationClosed);
    }
    if !policy.allowed_domains.is_empty() && !policy.allowed_domains.iter().any(|domain| domain == email.domain()) {
        return Err(Violation::new("email", "domain", "must be an address of an allowed domain").into());
    }
    Ok(())
}

async fn registered(transaction: &impl ConnectionTrait, user: &users::Model, client: &Client) -> Result<()> {
    user_words::replace(transaction, user.id, Searchable::of(user)).await?;
    outbox::add(transaction, MailKind::VerifyEmail, &user.email, Some(user.id), user.created_at).await?;
    Event::own(AuditAction::Registered, user.id, client).record(transaction, user.created_at).await
}

async fn hashed(auth: &Auth, new: NewUser, role: Role) -> Result<users::ActiveModel> {
    new.email.check_new()?;
    let context = new.password.check_context(new.email.as_str(), new.name.as_str());
    context.map_err(|violation| violation.in_field("password"))?;
    let password_hash = auth.hasher.permit().await?.hash(new.password).await?;
    let now = auth.clock.now();
    Ok(users::ActiveModel {
        id: Set(Uuid::now_v7()),
        name: Set(new.name.into_string()),
        email: Set(new.email.as_str().to_owned()),
        password_hash: Set(password_hash),
        role: Set(role),
        nid_key: Set(new.nid.as_ref().map(|nid| nid.key().to_owned())),
        nid: Set(new.nid.map(|nid| nid.written().to_owned())),
        nid_verified_at: Set(None),
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
