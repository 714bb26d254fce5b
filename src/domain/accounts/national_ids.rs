//! Verification of national ids by staff. Until then an id is a claim, which several accounts may make; of the accounts
//! with the same id, the database allows one that is verified.

use entity::users::{Column, Entity, Model};
use entity::{AuditAction, Role};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    TransactionSession as _,
};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::accounts::users as accounts;
use crate::domain::auth::context::Auth;
use crate::domain::records::audit::Event;
use crate::domain::values::caller::Caller;
use crate::domain::values::clock::Clock;
use crate::domain::values::page::{Page, Slice};
use crate::domain::values::person::NationalId;
use crate::error::{Conflict, Error, Result, Violation};

/// Marks the national id of an account as verified. `seen` is the id on the document of the person: if the account has
/// another one by now, nothing is verified.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor is staff; [`Error::NotFound`]; a conflict if the account has no id, or if the
/// id is verified for another account; a violation in `nid` if `seen` is another id.
pub async fn verify(
    db: &impl Transact,
    auth: &Auth,
    caller: &Caller,
    id: Uuid,
    seen: Option<&NationalId>,
) -> Result<Model> {
    caller.actor.require(Role::Staff)?;
    let now = auth.clock.now();
    let transaction = db.begin().await?;
    let verified = Entity::update_many()
        .col_expr(Column::NidVerifiedAt, Expr::value(now))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::NidKey.is_not_null())
        .filter(Column::NidVerifiedAt.is_null())
        .apply_if(seen, |update, seen| update.filter(Column::NidKey.eq(seen.key())))
        .exec_with_returning(&transaction)
        .await?;
    if let Some(user) = verified.into_iter().next() {
        let event = Event::new(AuditAction::NidVerified, &caller.client).by(Some(caller.actor.user_id)).to(id);
        event.record(&transaction, now).await?;
        transaction.commit().await?;
        return Ok(user);
    }
    let user = Entity::find_by_id(id).one(&transaction).await?.ok_or(Error::NotFound)?;
    let Some(key) = &user.nid_key else { return Err(Conflict::NidMissing.into()) };
    // Without `seen`, the owner may just have entered another id.
    if seen.is_some_and(|seen| seen.key() != key) || user.nid_verified_at.is_none() {
        return Err(Violation::new("nid", "changed", "is not the national id of the account").into());
    }
    accounts::account_read(caller, id).detail("national id").record(&transaction, now).await?;
    transaction.commit().await?;
    Ok(user)
}

/// Lists the other accounts with the national id of an account, verified or not, newest first, and records that.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor is staff; [`Error::NotFound`].
pub async fn list_claims(
    db: &impl ConnectionTrait,
    clock: &Clock,
    caller: &Caller,
    id: Uuid,
    page: Page,
) -> Result<Slice<Model>> {
    caller.actor.require(Role::Staff)?;
    let user = Entity::find_by_id(id).one(db).await?.ok_or(Error::NotFound)?;
    let Some(key) = user.nid_key else { return Ok(page.slice(Vec::new(), |user: &Model| user.id)) };
    let others = Entity::find()
        .filter(Column::NidKey.eq(key))
        .filter(Column::Id.ne(id))
        .apply_if(page.after, |users, after| users.filter(Column::Id.lt(after)))
        .order_by_desc(Column::Id)
        .limit(page.rows())
        .all(db)
        .await?;
    accounts::account_read(caller, id).detail("claims of the national id").record(db, clock.now()).await?;
    Ok(page.slice(others, |user| user.id))
}
