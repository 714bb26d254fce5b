//! Audit log: who did what to whom, when, and from which client. Events are inserted in the transaction
//! of the operation that they record, and are append-only. The exception: when an account is deleted,
//! the IP addresses and user agents of its owner are removed.

use chrono::{DateTime, Utc};
use entity::audit_events::{self, Column, Model};
use entity::{AuditAction, Role};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select, Set,
};
use uuid::Uuid;

use crate::domain::values::actor::Actor;
use crate::domain::values::client::Client;
use crate::domain::values::page::{Page, Slice, first_id_at, last_id_before};
use crate::error::Result;

/// Audit event to be recorded.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    action: AuditAction,
    actor_id: Option<Uuid>,
    subject_id: Option<Uuid>,
    object_id: Option<Uuid>,
    detail: Option<&'a str>,
    client: &'a Client,
}

impl<'a> Event<'a> {
    /// Creates an event whose actor is unknown: a failed guess, even at the password of the account of
    /// an active session, or a command of an operator.
    #[must_use]
    pub fn new(action: AuditAction, client: &'a Client) -> Self {
        Self { action, actor_id: None, subject_id: None, object_id: None, detail: None, client }
    }

    /// Creates an event that the owner of an account caused in that account.
    #[must_use]
    pub fn own(action: AuditAction, user_id: Uuid, client: &'a Client) -> Self {
        Self::new(action, client).by(Some(user_id)).to(user_id)
    }

    /// Sets the actor.
    #[must_use]
    pub fn by(self, actor_id: Option<Uuid>) -> Self {
        Self { actor_id, ..self }
    }

    /// Sets the subject: the account that is affected.
    #[must_use]
    pub fn to(self, subject_id: impl Into<Option<Uuid>>) -> Self {
        Self { subject_id: subject_id.into(), ..self }
    }

    /// Sets the object that is affected besides the account, such as a session.
    #[must_use]
    pub fn on(self, object_id: Uuid) -> Self {
        Self { object_id: Some(object_id), ..self }
    }

    /// Sets the detail, a text of at most 100 characters.
    #[must_use]
    pub fn detail(self, detail: &'a str) -> Self {
        Self { detail: Some(detail), ..self }
    }

    /// Inserts the event.
    ///
    /// # Errors
    /// Database errors.
    pub async fn record(self, db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<()> {
        audit_events::Entity::insert(self.row(now)).exec_without_returning(db).await?;
        Ok(())
    }

    fn row(self, now: DateTime<Utc>) -> audit_events::ActiveModel {
        audit_events::ActiveModel {
            id: Set(Uuid::now_v7()),
            action: Set(self.action),
            actor_id: Set(self.actor_id),
            subject_id: Set(self.subject_id),
            object_id: Set(self.object_id),
            detail: Set(self.detail.map(str::to_owned)),
            ip: Set(self.client.ip()),
            user_agent: Set(self.client.user_agent.clone()),
            occurred_at: Set(now),
        }
    }
}

/// Inserts events by one statement, if there are any.
///
/// # Errors
/// Database errors.
pub async fn record_all<'a>(
    db: &impl ConnectionTrait,
    events: impl Iterator<Item = Event<'a>>,
    now: DateTime<Utc>,
) -> Result<()> {
    let rows: Vec<_> = events.map(|event| event.row(now)).collect();
    if !rows.is_empty() {
        audit_events::Entity::insert_many(rows).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Filter of the list of audit events. An event must meet all conditions.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// What was done.
    pub action: Option<AuditAction>,
    /// Account that acted.
    pub actor_id: Option<Uuid>,
    /// Account that was affected.
    pub subject_id: Option<Uuid>,
    /// Earliest time, inclusive.
    pub occurred_from: Option<DateTime<Utc>>,
    /// Latest time, exclusive.
    pub occurred_before: Option<DateTime<Utc>>,
}

/// Lists the audit events of all users, newest first.
///
/// # Errors
/// [`Error::Forbidden`](crate::error::Error::Forbidden) unless the actor is an admin.
pub async fn list(db: &impl ConnectionTrait, actor: &Actor, filter: &AuditFilter, page: Page) -> Result<Slice<Model>> {
    actor.require(Role::Admin)?;
    let events = audit_events::Entity::find()
        .apply_if(filter.action, |events, action| events.filter(Column::Action.eq(action)))
        .apply_if(filter.actor_id, |events, actor| events.filter(Column::ActorId.eq(actor)))
        .apply_if(filter.subject_id, |events, subject| events.filter(Column::SubjectId.eq(subject)))
        .apply_if(filter.occurred_from, |events, from| {
            events.filter(Column::Id.gte(first_id_at(from))).filter(Column::OccurredAt.gte(from))
        })
        .apply_if(filter.occurred_before, |events, before| {
            events.filter(Column::Id.lt(last_id_before(before))).filter(Column::OccurredAt.lt(before))
        });
    Ok(page.slice(newest(db, events, page).await?, |event| event.id))
}

/// Lists the audit events of a user, as actor or as subject, as they may see them, newest first.
///
/// # Errors
/// Database errors.
pub async fn list_own(db: &impl ConnectionTrait, user_id: Uuid, page: Page) -> Result<Slice<Model>> {
    let mut events = Vec::new();
    for query in queries_of(user_id) {
        events.extend(newest(db, query, page).await?);
    }
    Ok(page.slice(redacted_for(user_id, events), |event| event.id))
}

/// Events with the user as subject, and events with the user as actor only. Two queries, so that each uses an index.
fn queries_of(user_id: Uuid) -> [Select<audit_events::Entity>; 2] {
    let has_other_subject = Column::SubjectId.is_null().or(Column::SubjectId.ne(user_id));
    [
        audit_events::Entity::find().filter(Column::SubjectId.eq(user_id)),
        audit_events::Entity::find().filter(Column::ActorId.eq(user_id)).filter(has_other_subject),
    ]
}

/// Sorts events, newest first, and removes the IP address and user agent of other users, to protect the
/// privacy of staff. Events without an actor, such as failed logins, keep theirs.
fn redacted_for(user_id: Uuid, mut events: Vec<Model>) -> Vec<Model> {
    events.sort_by_key(|event| std::cmp::Reverse(event.id));
    for event in &mut events {
        if event.actor_id.is_some_and(|actor| actor != user_id) {
            (event.ip, event.user_agent) = (None, None);
        }
    }
    events
}

async fn newest(db: &impl ConnectionTrait, events: Select<audit_events::Entity>, page: Page) -> Result<Vec<Model>> {
    let events = events
        .apply_if(page.after, |events, after| events.filter(Column::Id.lt(after)))
        .order_by_desc(Column::Id)
        .limit(page.rows());
    Ok(events.all(db).await?)
}

/// Removes the IP addresses and user agents of the owner from the audit events of an account: of those
/// that the owner caused, and of those about the account that have no actor. Part of the transaction
/// that deletes the account.
///
/// # Errors
/// Database errors.
pub async fn erase_clients(transaction: &impl ConnectionTrait, user_id: Uuid) -> Result<u64> {
    let mut cleared = 0;
    // One condition per statement, so that each can use its index. Events that other users caused keep
    // their addresses, which are not those of the owner.
    for condition in [
        Expr::col(Column::ActorId).eq(user_id),
        Expr::col(Column::SubjectId).eq(user_id).and(Expr::col(Column::ActorId).is_null()),
    ] {
        let update = Query::update()
            .table(audit_events::Entity)
            .values([
                (Column::Ip, Expr::value(Option::<String>::None)),
                (Column::UserAgent, Expr::value(Option::<String>::None)),
            ])
            .and_where(condition)
            .to_owned();
        cleared += transaction.execute(&update).await?.rows_affected();
    }
    Ok(cleared)
}
