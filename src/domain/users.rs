//! Accounts: registering, the profile, the password, the role, and leaving.

use chrono::NaiveDate;
use entity::{Role, users};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set,
};
use uuid::Uuid;

use super::actor::Actor;
use super::email::Email;
use super::page::{Page, Slice};
use super::password::{Password, Verdict};
use super::patch::Patch;
use super::sessions::{self, Auth};
use crate::db::{Db, QueryText};
use crate::error::{Error, Result, Violation};

/// What somebody who registers tells of themselves.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Full name.
    pub name: String,
    /// Unique among all accounts.
    pub email: Email,
    /// To sign in with.
    pub password: Password,
    /// National id, unique when present.
    pub nid: Option<String>,
    /// For staff to call.
    pub phone_number: Option<String>,
    /// Postal address.
    pub address: Option<String>,
    /// For staff to compare with the age limits of vaccines.
    pub birth_date: Option<NaiveDate>,
}

/// Changes to a profile.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Full name.
    pub name: Option<String>,
    /// National id.
    pub nid: Patch<String>,
    /// For staff to call.
    pub phone_number: Patch<String>,
    /// Postal address.
    pub address: Patch<String>,
    /// Date of birth.
    pub birth_date: Patch<NaiveDate>,
}

/// The accounts an actor may see: their own, and for admins every one.
fn visible_to(actor: &Actor) -> sea_orm::Select<users::Entity> {
    let everybody = actor.role == Role::Admin;
    users::Entity::find()
        .apply_if((!everybody).then_some(actor.user_id), |users, own| users.filter(users::Column::Id.eq(own)))
}

/// Registers a patient, or with `role` an account made by an operator.
///
/// # Errors
/// A conflict when the e-mail or national id is taken; [`Error::Busy`].
pub async fn register(db: &impl ConnectionTrait, auth: &Auth, new: NewUser, role: Role) -> Result<users::Model> {
    let password_hash = auth.hasher.hash(new.password).await?;
    let now = auth.clock.now();
    let user = users::ActiveModel {
        id: Set(Uuid::now_v7()),
        name: Set(new.name),
        email: Set(new.email.as_str().to_owned()),
        password_hash: Set(password_hash),
        role: Set(role),
        nid: Set(new.nid),
        phone_number: Set(new.phone_number),
        address: Set(new.address),
        birth_date: Set(new.birth_date),
        email_verified_at: Set(None),
        disabled_at: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
    };
    Ok(user.insert(db).await?)
}

/// One account.
///
/// # Errors
/// [`Error::NotFound`] when the actor may not see it.
pub async fn get(db: &impl ConnectionTrait, actor: &Actor, id: Uuid) -> Result<users::Model> {
    visible_to(actor).filter(users::Column::Id.eq(id)).one(db).await?.ok_or(Error::NotFound)
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

/// Accounts, newest first, of one e-mail when it is given.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor is an admin.
pub async fn list(
    db: &impl ConnectionTrait,
    actor: &Actor,
    email: Option<&Email>,
    page: Page,
) -> Result<Slice<users::Model>> {
    actor.require(Role::Admin)?;
    let users = visible_to(actor)
        .apply_if(email, |users, email| users.filter(users::Column::Email.eq(email.as_str())))
        .apply_if(page.after, |users, after| users.filter(users::Column::Id.lt(after)))
        .order_by_desc(users::Column::Id)
        .limit(page.rows())
        .all(db)
        .await?;
    Ok(page.slice(users, |user| user.id))
}

/// Changes the actor's own profile.
///
/// # Errors
/// A conflict when the national id is taken; [`Error::InvalidToken`] when the account is gone.
pub async fn change(db: &impl ConnectionTrait, auth: &Auth, actor: &Actor, changes: Changes) -> Result<users::Model> {
    use users::Column;
    let set = |column, value: Option<Option<String>>| value.map(|value| (column, Expr::value(value)));
    let changed = [
        changes.name.map(|name| (Column::Name, Expr::value(name))),
        set(Column::Nid, changes.nid.into_change()),
        set(Column::PhoneNumber, changes.phone_number.into_change()),
        set(Column::Address, changes.address.into_change()),
        changes.birth_date.into_change().map(|date| (Column::BirthDate, Expr::value(date))),
    ];
    let mut update = users::Entity::update_many().filter(Column::Id.eq(actor.user_id));
    for (column, value) in changed.into_iter().flatten() {
        update = update.col_expr(column, value);
    }
    let updated = update.col_expr(Column::UpdatedAt, Expr::value(auth.clock.now())).exec_with_returning(db).await?;
    updated.into_iter().next().ok_or(Error::InvalidToken)
}

/// Changes the actor's password and ends their other sessions.
///
/// # Errors
/// A violation in `current_password` when that is not the password; [`Error::Busy`].
pub async fn change_password(db: &Db, auth: &Auth, actor: &Actor, current: Password, new: Password) -> Result<()> {
    let user = own(db, actor).await?;
    let wrong = || Violation::new("current_password", "wrong", "is not your password");
    if let Verdict::Wrong = auth.hasher.verify(current, Some(user.password_hash.clone())).await? {
        return Err(wrong().into());
    }
    let hash = auth.hasher.hash(new).await?;
    let now = auth.clock.now();
    let transaction = db.begin().await?;
    let changed = users::Entity::update_many()
        .col_expr(users::Column::PasswordHash, Expr::value(hash))
        .col_expr(users::Column::UpdatedAt, Expr::value(now))
        .filter(users::Column::Id.eq(actor.user_id))
        // Of two changes at once the second finds that its current password is no longer the current one.
        .filter(users::Column::PasswordHash.eq(user.password_hash))
        .exec(&transaction)
        .await?;
    if changed.rows_affected == 0 {
        return Err(wrong().into());
    }
    let ended = sessions::end_all(&transaction, actor.user_id, Some(actor.session_id), now).await?;
    transaction.commit().await?;
    auth.revocations.add(ended, now);
    Ok(())
}

/// Gives an account another role and ends its sessions, whose tokens still speak of the old one.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor is an admin; [`Error::NotFound`].
pub async fn set_role(db: &Db, auth: &Auth, actor: &Actor, id: Uuid, role: Role) -> Result<users::Model> {
    actor.require(Role::Admin)?;
    let now = auth.clock.now();
    let transaction = db.begin().await?;
    let changed = users::Entity::update_many()
        .col_expr(users::Column::Role, Expr::value(role))
        .col_expr(users::Column::UpdatedAt, Expr::value(now))
        .filter(users::Column::Id.eq(id))
        .filter(users::Column::Role.ne(role))
        .exec_with_returning(&transaction)
        .await?;
    let Some(user) = changed.into_iter().next() else {
        drop(transaction);
        return get(db, actor, id).await;
    };
    let ended = sessions::end_all(&transaction, id, None, now).await?;
    transaction.commit().await?;
    auth.revocations.add(ended, now);
    Ok(user)
}

/// Deletes the actor's account with its requests, and ends its sessions.
///
/// # Errors
/// [`Error::InvalidToken`] when the account is gone already.
pub async fn delete(db: &Db, auth: &Auth, actor: &Actor) -> Result<()> {
    let now = auth.clock.now();
    let transaction = db.begin().await?;
    // The account first, so that no session can be opened behind the back of what follows.
    let account = users::Entity::find_by_id(actor.user_id).lock_exclusive().one(&transaction).await?;
    account.ok_or(Error::InvalidToken)?;
    let ended = sessions::end_all(&transaction, actor.user_id, None, now).await?;
    sessions::forget_clients(&transaction, actor.user_id).await?;
    users::Entity::delete_by_id(actor.user_id).exec(&transaction).await?;
    transaction.commit().await?;
    auth.revocations.add(ended, now);
    Ok(())
}
