//! Administration of accounts: role, disabling, password reset; by admins, and by operators on the command line.

use entity::{AuditAction, MailKind, Role, centre_staff, users};
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, TransactionSession as _,
};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::accounts::credentials;
use crate::domain::accounts::own_patient;
use crate::domain::accounts::user_words::{self, Searchable};
use crate::domain::accounts::users as accounts;
use crate::domain::auth::context::Auth;
use crate::domain::auth::grants::{self, Cause};
use crate::domain::auth::password::Password;
use crate::domain::auth::sessions::{self, Session};
use crate::domain::records::audit::Event;
use crate::domain::records::outbox;
use crate::domain::values::actor::Actor;
use crate::domain::values::caller::Caller;
use crate::domain::values::client::Client;
use crate::domain::values::email::Email;
use crate::domain::values::page::{Page, Slice};
use crate::error::{Conflict, Error, Result, Violation};

/// Who administers an account: an admin, or an operator on the command line.
#[derive(Clone, Debug, Default)]
pub struct Administrator {
    admin: Option<Actor>,
    client: Client,
}

impl Administrator {
    /// The caller, who must be an admin.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn admin(caller: &Caller) -> Result<Self> {
        caller.actor.require(Role::Admin)?;
        Ok(Self { admin: Some(caller.actor), client: caller.client.clone() })
    }

    /// An operator, who has no account.
    #[must_use]
    pub fn operator() -> Self {
        Self::default()
    }

    /// An event in the account of a user.
    #[must_use]
    pub fn event(&self, action: AuditAction, user_id: Uuid) -> Event<'_> {
        Event::new(action, &self.client).by(self.admin.map(|admin| admin.user_id)).to(user_id)
    }

    /// Locks and returns the admins who can log in. The caller must still be one of them, with an active session: another
    /// instance may accept an access token for a second after its session was ended.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::InvalidToken`].
    pub async fn lock_admins(&self, transaction: &impl ConnectionTrait, auth: &Auth) -> Result<Vec<Uuid>> {
        let admins = lock_admins(transaction, auth).await?;
        let Some(admin) = &self.admin else { return Ok(admins) };
        if !admins.contains(&admin.user_id) {
            return Err(Error::Forbidden(Role::Admin));
        }
        if !sessions::is_active(transaction, admin.user_id, admin.session_id, auth.clock.now()).await? {
            return Err(Error::InvalidToken);
        }
        Ok(admins)
    }
}

/// Changes of an account.
#[derive(Clone, Copy, Debug, Default)]
pub struct AccountChanges {
    /// Role.
    pub role: Option<Role>,
    /// Whether logging in is refused.
    pub is_disabled: Option<bool>,
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

/// Sets the e-mail address of an account whose owner has no access to it any more, and revokes the password, all sessions
/// and other [grants]. The new address counts as verified, the old one is notified; the owner sets a new password with
/// "forgot password".
///
/// # Errors
/// [`Error::NotFound`]; a conflict if another account has the address.
pub async fn set_email(
    db: &impl Transact,
    auth: &Auth,
    by: &Administrator,
    id: Uuid,
    email: &Email,
) -> Result<users::Model> {
    email.check_new()?;
    let now = auth.clock.now();
    let transaction = db.begin().await?;
    by.lock_admins(&transaction, auth).await?;
    let old = accounts::lock(&transaction, id).await?.ok_or(Error::NotFound)?;
    if old.email == email.as_str() {
        return Err(Violation::new("email", "same", "is the address of the account already").into());
    }
    // The previous user of the account may know the password, and wrote the profile of an unverified account.
    let verified = accounts::set_verified(&old, now);
    let update = if old.email_verified_at.is_some() {
        accounts::without_password(verified)
    } else {
        accounts::without_owner(verified, &users::Model { email: email.as_str().to_owned(), ..old.clone() })
    };
    let changed =
        update.col_expr(users::Column::Email, Expr::value(email.as_str())).exec_with_returning(&transaction).await?;
    let changed = changed.into_iter().next().ok_or(Error::NotFound)?;
    user_words::replace(&transaction, id, Searchable::of(&changed)).await?;
    if old.email_verified_at.is_none() {
        own_patient::replace(&transaction, id, &changed.name, None, now).await?;
    }
    let ended = grants::revoke(&transaction, id, Cause::Recovery, now).await?;
    outbox::add(&transaction, MailKind::EmailChanged, &old.email, Some(id), now).await?;
    by.event(AuditAction::EmailChanged, id).record(&transaction, now).await?;
    transaction.commit().await?;
    auth.revocations.add(ended, now);
    Ok(changed)
}

/// Lists the active sessions of an account, newest first, and records that.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn list_sessions(
    db: &impl Transact,
    auth: &Auth,
    by: &Administrator,
    id: Uuid,
    page: Page,
) -> Result<Slice<Session>> {
    let transaction = db.begin().await?;
    by.lock_admins(&transaction, auth).await?;
    users::Entity::find_by_id(id).one(&transaction).await?.ok_or(Error::NotFound)?;
    let sessions = sessions::list(&transaction, &auth.clock, id, page).await?;
    by.event(AuditAction::AccountRead, id).detail("sessions").record(&transaction, auth.clock.now()).await?;
    transaction.commit().await?;
    Ok(sessions)
}

/// Ends the sessions of an account, or only one of them. Returns their number.
///
/// # Errors
/// [`Error::NotFound`] if there is no such account or active session.
pub async fn end_sessions(
    db: &impl Transact,
    auth: &Auth,
    by: &Administrator,
    id: Uuid,
    session_id: Option<Uuid>,
) -> Result<usize> {
    let now = auth.clock.now();
    let transaction = db.begin().await?;
    by.lock_admins(&transaction, auth).await?;
    accounts::lock(&transaction, id).await?.ok_or(Error::NotFound)?;
    let ended = match session_id {
        Some(session_id) => sessions::end_of_account(&transaction, id, session_id, now).await?,
        None => sessions::end_all(&transaction, id, None, now).await?,
    };
    if ended.is_empty() && session_id.is_some() {
        return Err(Error::NotFound);
    }
    let event = by.event(AuditAction::SessionEnded, id);
    let event = session_id.map_or_else(|| event.detail("all"), |session_id| event.on(session_id));
    event.record(&transaction, now).await?;
    transaction.commit().await?;
    let count = ended.len();
    auth.revocations.add(ended, now);
    Ok(count)
}

/// Finds an account by its e-mail address.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(db: &impl ConnectionTrait, email: &Email) -> Result<users::Model> {
    let user = users::Entity::find().filter(users::Column::Email.eq(email.as_str())).one(db).await?;
    user.ok_or(Error::NotFound)
}

/// Updates an account and ends its sessions, whose tokens have the old role. If nothing changes, the account was read.
///
/// # Errors
/// [`Error::Forbidden`]; [`Error::NotFound`]; a conflict if no admin would be left.
pub async fn update(
    db: &impl Transact,
    auth: &Auth,
    by: &Administrator,
    id: Uuid,
    changes: AccountChanges,
) -> Result<users::Model> {
    let now = auth.clock.now();
    let transaction = db.begin().await?;
    let admins = by.lock_admins(&transaction, auth).await?;
    let user = accounts::lock(&transaction, id).await?.ok_or(Error::NotFound)?;
    let role = changes.role.unwrap_or(user.role);
    let is_disabled = changes.is_disabled.unwrap_or(user.disabled_at.is_some());
    let (new_role, new_state) = (role != user.role, is_disabled != user.disabled_at.is_some());
    if !new_role && !new_state {
        by.event(AuditAction::AccountRead, id).record(&transaction, now).await?;
        transaction.commit().await?;
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
    if role < Role::Staff {
        centre_staff::Entity::delete_many().filter(centre_staff::Column::UserId.eq(id)).exec(&transaction).await?;
    }
    if new_role {
        by.event(AuditAction::RoleChanged, id).detail(role.as_str()).record(&transaction, now).await?;
    }
    if new_state {
        let action = if is_disabled { AuditAction::UserDisabled } else { AuditAction::UserEnabled };
        by.event(action, id).record(&transaction, now).await?;
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
async fn lock_admins(transaction: &impl ConnectionTrait, auth: &Auth) -> Result<Vec<Uuid>> {
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
