//! Administration of accounts: role, disabling, password reset; by admins, and by operators on the command line.

use entity::{AuditAction, Role, users};
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, TransactionSession as _,
};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::accounts::credentials;
use crate::domain::accounts::users as accounts;
use crate::domain::auth::context::Auth;
use crate::domain::auth::password::Password;
use crate::domain::auth::sessions;
use crate::domain::records::audit::Event;
use crate::domain::values::caller::Caller;
use crate::domain::values::client::Client;
use crate::domain::values::email::Email;
use crate::error::{Conflict, Error, Result};

/// Changes of an account.
#[derive(Clone, Copy, Debug, Default)]
pub struct AccountChanges {
    /// Role.
    pub role: Option<Role>,
    /// Whether logging in is refused.
    pub is_disabled: Option<bool>,
}

/// Updates an account and ends its sessions, whose tokens have the old role.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor is an admin; [`Error::NotFound`]; a conflict if no admin would be left.
pub async fn update(
    db: &impl Transact,
    auth: &Auth,
    caller: &Caller,
    id: Uuid,
    changes: AccountChanges,
) -> Result<users::Model> {
    caller.actor.require(Role::Admin)?;
    apply(db, auth, Some(caller), id, changes).await
}

/// As [`update`], on the command line.
///
/// # Errors
/// [`Error::NotFound`]; a conflict if no admin would be left.
pub async fn update_as_operator(
    db: &impl Transact,
    auth: &Auth,
    email: &Email,
    changes: AccountChanges,
) -> Result<users::Model> {
    let id = find(db, email).await?.id;
    apply(db, auth, None, id, changes).await
}

/// Sets the password of an account, ends its sessions, and notifies its owner by mail.
///
/// # Errors
/// Returns [`Error::NotFound`], or [`Error::Busy`] if the queue for password hashing is full.
pub async fn reset_password(db: &impl Transact, auth: &Auth, email: &Email, new: Password) -> Result<users::Model> {
    let user = find(db, email).await?;
    credentials::check_new(&new, &user)?;
    let hash = auth.hasher.permit().await?.hash(new).await?;
    let transaction = db.begin().await?;
    let operator = Client::default();
    let event = Event::new(AuditAction::PasswordReset, &operator).to(user.id);
    let ended = credentials::reset(&transaction, auth, &user, hash, event).await?;
    transaction.commit().await?;
    auth.revocations.add(ended, auth.clock.now());
    Ok(user)
}

async fn find(db: &impl ConnectionTrait, email: &Email) -> Result<users::Model> {
    let user = users::Entity::find().filter(users::Column::Email.eq(email.as_str())).one(db).await?;
    user.ok_or(Error::NotFound)
}

/// Updates an account. Without a caller, the operator of the command line does it.
async fn apply(
    db: &impl Transact,
    auth: &Auth,
    caller: Option<&Caller>,
    id: Uuid,
    changes: AccountChanges,
) -> Result<users::Model> {
    let now = auth.clock.now();
    let transaction = db.begin().await?;
    let admins = lock_admins(&transaction, auth).await?;
    // The actor may have lost the role since the token was made.
    if caller.is_some_and(|caller| !admins.contains(&caller.actor.user_id)) {
        return Err(Error::Forbidden(Role::Admin));
    }
    let user = accounts::lock(&transaction, id).await?.ok_or(Error::NotFound)?;
    let role = changes.role.unwrap_or(user.role);
    let is_disabled = changes.is_disabled.unwrap_or(user.disabled_at.is_some());
    let (new_role, new_state) = (role != user.role, is_disabled != user.disabled_at.is_some());
    if !new_role && !new_state {
        return Ok(user);
    }
    if (role != Role::Admin || is_disabled) && admins == [id] {
        return Err(Conflict::LastAdmin.into());
    }
    let changed = users::Entity::update_many()
        .col_expr(users::Column::Role, Expr::value(role))
        .col_expr(users::Column::DisabledAt, Expr::value(is_disabled.then(|| user.disabled_at.unwrap_or(now))))
        .col_expr(users::Column::UpdatedAt, Expr::value(now))
        .filter(users::Column::Id.eq(id))
        .exec_with_returning(&transaction)
        .await?;
    let client = caller.map(|caller| caller.client.clone()).unwrap_or_default();
    let event = |action| Event::new(action, &client).by(caller.map(|caller| caller.actor.user_id)).to(id);
    if new_role {
        event(AuditAction::RoleChanged).detail(role.as_str()).record(&transaction, now).await?;
    }
    if new_state {
        let action = if is_disabled { AuditAction::UserDisabled } else { AuditAction::UserEnabled };
        event(action).record(&transaction, now).await?;
    }
    let ended = sessions::end_all(&transaction, id, None, now).await?;
    transaction.commit().await?;
    auth.revocations.add(ended, now);
    changed.into_iter().next().ok_or(Error::NotFound)
}

/// The admins who can log in. They are locked: of two admins who demote each other, one is refused.
///
/// # Errors
/// Database errors.
pub async fn lock_admins(transaction: &impl ConnectionTrait, auth: &Auth) -> Result<Vec<Uuid>> {
    let admins = users::Entity::find()
        .filter(users::Column::Role.eq(Role::Admin))
        .filter(sessions::may_log_in(auth))
        .order_by_asc(users::Column::Id)
        // Weaker than an exclusive lock: inserting rows that refer to an admin need not wait.
        .lock(LockType::NoKeyUpdate)
        .all(transaction)
        .await?;
    Ok(admins.into_iter().map(|admin| admin.id).collect())
}
