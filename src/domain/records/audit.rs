//! The audit trail: who did what to whom, when, and from where. Rows are added, in the transaction of what they tell of,
//! and never changed; when an account is deleted, where its owner acted from is wiped.

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

/// Something to write down.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    action: AuditAction,
    actor_id: Option<Uuid>,
    subject_id: Option<Uuid>,
    object_id: Option<Uuid>,
    detail: Option<&'a str>,
}

impl<'a> Event<'a> {
    /// Something of which nobody can say whose account did it: a stranger's guess, also at the password of a session that is
    /// open, or an operator's command.
    #[must_use]
    pub fn new(action: AuditAction) -> Self {
        Self { action, actor_id: None, subject_id: None, object_id: None, detail: None }
    }

    /// Something that the owner of an account did to that account.
    #[must_use]
    pub fn own(action: AuditAction, user_id: Uuid) -> Self {
        Self::new(action).by(Some(user_id)).to(user_id)
    }

    /// Whose account did it.
    #[must_use]
    pub fn by(self, actor_id: Option<Uuid>) -> Self {
        Self { actor_id, ..self }
    }

    /// Whose account it was done to.
    #[must_use]
    pub fn to(self, subject_id: impl Into<Option<Uuid>>) -> Self {
        Self { subject_id: subject_id.into(), ..self }
    }

    /// What else it was done to.
    #[must_use]
    pub fn on(self, object_id: Uuid) -> Self {
        Self { object_id: Some(object_id), ..self }
    }

    /// A word more, of no more than 100 characters.
    #[must_use]
    pub fn detail(self, detail: &'a str) -> Self {
        Self { detail: Some(detail), ..self }
    }

    /// Writes it down.
    ///
    /// # Errors
    /// Fails when the database does.
    pub async fn record(self, db: &impl ConnectionTrait, client: &Client, now: DateTime<Utc>) -> Result<()> {
        let event = audit_events::ActiveModel {
            id: Set(Uuid::now_v7()),
            action: Set(self.action),
            actor_id: Set(self.actor_id),
            subject_id: Set(self.subject_id),
            object_id: Set(self.object_id),
            detail: Set(self.detail.map(str::to_owned)),
            ip: Set(client.ip()),
            user_agent: Set(client.user_agent.clone()),
            occurred_at: Set(now),
        };
        audit_events::Entity::insert(event).exec_without_returning(db).await?;
        Ok(())
    }
}

/// Which events a list holds. Every condition narrows it.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// What was done.
    pub action: Option<AuditAction>,
    /// Whose account did it.
    pub actor_id: Option<Uuid>,
    /// Whose account it was done to.
    pub subject_id: Option<Uuid>,
    /// At this time or later.
    pub occurred_from: Option<DateTime<Utc>>,
    /// Before this time.
    pub occurred_before: Option<DateTime<Utc>>,
}

/// Everybody's events, newest first.
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

/// What the actor did and what was done to their account, newest first.
///
/// # Errors
/// Fails when the database does.
pub async fn own(db: &impl ConnectionTrait, actor: &Actor, page: Page) -> Result<Slice<Model>> {
    let mut events = Vec::new();
    for part in parts_of(actor.user_id) {
        events.extend(newest(db, part, page).await?);
    }
    Ok(page.slice(shown_to(actor.user_id, events), |event| event.id))
}

/// What was done to a user, and what they did to others. Two queries, because each then goes by its index.
fn parts_of(user_id: Uuid) -> [Select<audit_events::Entity>; 2] {
    let to_others = Column::SubjectId.is_null().or(Column::SubjectId.ne(user_id));
    [
        audit_events::Entity::find().filter(Column::SubjectId.eq(user_id)),
        audit_events::Entity::find().filter(Column::ActorId.eq(user_id)).filter(to_others),
    ]
}

/// Puts events in order, and takes out where other users acted from: staff have a private life too. Where a stranger tried
/// to sign in from stays.
fn shown_to(user_id: Uuid, mut events: Vec<Model>) -> Vec<Model> {
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

/// Wipes where the owner of an account acted from, as part of the transaction that deletes the account.
///
/// # Errors
/// Fails when the database does.
pub async fn forget_clients(transaction: &impl ConnectionTrait, user_id: Uuid) -> Result<u64> {
    let mut forgotten = 0;
    // One column at a time, so that each goes by its index. What others did to the account came from elsewhere.
    for theirs in [
        Expr::col(Column::ActorId).eq(user_id),
        Expr::col(Column::SubjectId).eq(user_id).and(Expr::col(Column::ActorId).is_null()),
    ] {
        let wipe = Query::update()
            .table(audit_events::Entity)
            .values([
                (Column::Ip, Expr::value(Option::<String>::None)),
                (Column::UserAgent, Expr::value(Option::<String>::None)),
            ])
            .and_where(theirs)
            .to_owned();
        forgotten += transaction.execute(&wipe).await?.rows_affected();
    }
    Ok(forgotten)
}
