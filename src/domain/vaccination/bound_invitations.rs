//! Invitations of an account, for the export and the erasure of its data.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};
use entity::invitations::{Column, Entity, Model};
use entity::{invitation_uses as uses, outbox, patients, users};
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, LockBehavior, LockType, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, UpdateMany};
use uuid::Uuid;

use crate::domain::records::notices;
use crate::error::Result;

/// Invitations that one statement locks or changes.
const BATCH: usize = 500;

/// The conditions that an invitation is bound to an account. What the account only claims may be somebody else's.
fn bound_to(user: &users::Model) -> impl Iterator<Item = Expr> {
    let email = user.email_verified_at.map(|_| Column::Email.eq(user.email.as_str()));
    let nid_key = user.nid_verified_at.and(user.nid_key.as_deref()).map(|key| Column::NidKey.eq(key));
    email.into_iter().chain(nid_key)
}

/// What was erased of the invitations of an account.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::domain) struct ErasedInvitations {
    /// Number of invitations that were bound to it.
    pub bound: u64,
    /// Number of unsent mails with their codes.
    pub mails: u64,
}

/// Erases an account from invitations, in the transaction that deletes it: from those that are bound to it, of which unused
/// ones are revoked, and as the creator. The account is locked already; invitations are locked before requests.
///
/// # Errors
/// Database errors.
pub(in crate::domain) async fn erase(
    transaction: &impl ConnectionTrait,
    user: &users::Model,
    now: DateTime<Utc>,
) -> Result<ErasedInvitations> {
    // One query for each condition, so that each uses an index.
    let bound = ids(transaction, bound_to(user)).await?;
    let created = ids(transaction, [Column::CreatedBy.eq(user.id)].into_iter()).await?;
    let all: Vec<Uuid> = bound.union(&created).copied().collect();
    if all.is_empty() {
        return Ok(ErasedInvitations::default());
    }
    for ids in all.chunks(BATCH) {
        let lock = Entity::find().select_only().column(Column::Id).filter(Column::Id.is_in(ids.iter().copied()));
        let lock = lock.order_by_asc(Column::Id).lock(LockType::NoKeyUpdate);
        lock.into_tuple::<Uuid>().all(transaction).await?;
    }
    Entity::update_many()
        .col_expr(Column::CreatedBy, Expr::value(Option::<Uuid>::None))
        .filter(Column::CreatedBy.eq(user.id))
        .exec(transaction)
        .await?;
    let is_unused = Expr::col(Column::Used).eq(0).and(Expr::col(Column::RevokedAt).is_null());
    let revoked_at = CaseStatement::new().case(is_unused, Expr::value(now)).finally(Expr::col(Column::RevokedAt));
    let bound: Vec<Uuid> = bound.into_iter().collect();
    let mut erased = 0;
    for ids in bound.chunks(BATCH) {
        let erase = without_person(Entity::update_many()).col_expr(Column::RevokedAt, revoked_at.clone().into());
        erased += erase.filter(Column::Id.is_in(ids.iter().copied())).exec(transaction).await?.rows_affected;
    }
    let mails = notices::delete_about(transaction, &bound).await?;
    Ok(ErasedInvitations { bound: erased, mails })
}

async fn ids(db: &impl ConnectionTrait, conditions: impl Iterator<Item = Expr>) -> Result<BTreeSet<Uuid>> {
    let mut found = BTreeSet::new();
    for condition in conditions {
        let ids = Entity::find().select_only().column(Column::Id).filter(condition);
        found.extend(ids.into_tuple::<Uuid>().all(db).await?);
    }
    Ok(found)
}

fn without_person(update: UpdateMany<Entity>) -> UpdateMany<Entity> {
    let none = || Expr::value(Option::<String>::None);
    update.col_expr(Column::Email, none()).col_expr(Column::NidKey, none()).col_expr(Column::Label, none())
}

/// How long expired invitations name the person to whom they are bound.
const RETENTION: Duration = Duration::days(30);

/// Clears the person in bound invitations that expired some time ago. Returns their number. Those that another transaction
/// has locked are left to the next clean-up, so that this one waits for no lock.
///
/// # Errors
/// Database errors.
pub async fn forget_expired(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u64> {
    let mut forgotten = 0;
    for is_bound in [Column::Email.is_not_null(), Column::NidKey.is_not_null()] {
        let expired = Query::select()
            .column(Column::Id)
            .from(Entity)
            .and_where(is_bound)
            .and_where(Column::ValidUntil.lt(now - RETENTION))
            .lock_with_behavior(LockType::NoKeyUpdate, LockBehavior::SkipLocked)
            .to_owned();
        let forget = without_person(Entity::update_many()).filter(Column::Id.in_subquery(expired));
        forgotten += forget.exec(db).await?.rows_affected;
    }
    Ok(forgotten)
}

/// The unsent mails with the codes of invitations that are bound to an account.
///
/// # Errors
/// Database errors.
pub(in crate::domain) async fn mails_of(db: &impl ConnectionTrait, user: &users::Model) -> Result<Vec<outbox::Model>> {
    let bound: Vec<Uuid> = ids(db, bound_to(user)).await?.into_iter().collect();
    notices::list_about(db, &bound).await
}

/// Ids of the invitations that an account has created.
///
/// # Errors
/// Database errors.
pub(in crate::domain) async fn created_by(db: &impl ConnectionTrait, user_id: Uuid) -> Result<Vec<Uuid>> {
    Ok(ids(db, [Column::CreatedBy.eq(user_id)].into_iter()).await?.into_iter().collect())
}

/// The invitations that are bound to an account, or were used by its patients, oldest first.
///
/// # Errors
/// Database errors.
pub(in crate::domain) async fn of_user(db: &impl ConnectionTrait, user: &users::Model) -> Result<Vec<Model>> {
    let patients = Query::select()
        .column((patients::Entity, patients::Column::Id))
        .from(patients::Entity)
        .and_where(patients::Column::UserId.eq(user.id))
        .to_owned();
    let used = Query::select()
        .column((uses::Entity, uses::Column::InvitationId))
        .from(uses::Entity)
        .and_where(uses::Column::PatientId.in_subquery(patients))
        .to_owned();
    let mut found = BTreeMap::new();
    for condition in bound_to(user).chain([Column::Id.in_subquery(used)]) {
        let invitations = Entity::find().filter(condition).all(db).await?;
        found.extend(invitations.into_iter().map(|invitation| (invitation.id, invitation)));
    }
    Ok(found.into_values().collect())
}
