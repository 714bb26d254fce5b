//! Places of slots: taken and given back by guarded statements, and the reason if there is none.

use chrono::{DateTime, Utc};
use entity::slots::{Column, Entity as Slots, Model};
use entity::{invitations, vaccine_requests, vaccines};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement, UpdateStatement};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait};
use uuid::Uuid;

use crate::db::QueryText;
use crate::domain::vaccination::slots;
use crate::error::{Conflict, Error, Result, Violation};

/// Places of a slot, by the counter that counts them.
#[derive(Clone, Copy, Debug)]
pub(super) enum Taken {
    /// Booked places.
    Booked(i32),
    /// Places that are held for offers.
    Held(i32),
}

/// Takes a place, if the slot has one for the request and starts after `from`.
pub(super) async fn take(
    transaction: &impl ConnectionTrait,
    request: &vaccine_requests::Model,
    slot_id: Uuid,
    from: DateTime<Utc>,
) -> Result<bool> {
    static UPDATE: QueryText = QueryText::new();
    let values =
        [1.into(), slot_id.into(), false.into(), request.invitation_id.into(), from.into(), request.course_id.into()];
    let taken = transaction.execute_raw(UPDATE.statement(transaction, values, take_one)).await?;
    Ok(taken.rows_affected() == 1)
}

fn take_one() -> UpdateStatement {
    let of_course = vaccines::Entity::find()
        .select_only()
        .column(vaccines::Column::Id)
        .filter(vaccines::Column::CourseId.eq(Uuid::nil()));
    Slots::update_many()
        .col_expr(Column::Booked, Expr::col(Column::Booked).add(1))
        .filter(Column::Id.eq(Uuid::nil()))
        .filter(Expr::col(Column::Booked).add(Expr::col(Column::Held)).lt(Expr::col(Column::Capacity)))
        .filter(Column::ClosedAt.is_null())
        .filter(Column::InvitedOnly.eq(false).or(Expr::exists(invitation(Some(Uuid::nil())))))
        .filter(Column::StartsAt.gt(DateTime::<Utc>::UNIX_EPOCH))
        .filter(Column::VaccineId.in_subquery(of_course.into_query()))
        .into_query()
}

/// An invitation, if it was not revoked and counts in the centre of the slot.
fn invitation(id: Option<Uuid>) -> SelectStatement {
    let column = |column| Expr::col((invitations::Entity, column));
    let centre = column(invitations::Column::CentreId);
    Query::select()
        .expr(Expr::cust("1"))
        .from(invitations::Entity)
        .and_where(column(invitations::Column::Id).eq(id))
        .and_where(column(invitations::Column::RevokedAt).is_null())
        .and_where(centre.clone().is_null().or(centre.eq(Expr::col((Slots, Column::CentreId)))))
        .to_owned()
}

/// Books a place that is held, unless the slot was closed or has begun. If another place is held, the entry of the offer
/// decides.
pub(super) async fn book_held(transaction: &impl ConnectionTrait, slot_id: Uuid, now: DateTime<Utc>) -> Result<bool> {
    let booked = Slots::update_many()
        .col_expr(Column::Held, Expr::col(Column::Held).sub(1))
        .col_expr(Column::Booked, Expr::col(Column::Booked).add(1))
        .filter(Column::Id.eq(slot_id))
        .filter(Column::Held.gt(0))
        .filter(Column::ClosedAt.is_null())
        .filter(Column::StartsAt.gt(now))
        .exec(transaction)
        .await?;
    Ok(booked.rows_affected == 1)
}

/// Gives places back. They are free then: [`offers`](super::offers) offers them to the people in line.
pub(super) async fn give_back(transaction: &impl ConnectionTrait, slot_id: Uuid, taken: Taken) -> Result<Model> {
    let (column, places) = match taken {
        Taken::Booked(places) => (Column::Booked, places),
        Taken::Held(places) => (Column::Held, places),
    };
    let less = Slots::update_many().col_expr(column, Expr::col(column).sub(places)).filter(Column::Id.eq(slot_id));
    let slots = less.exec_with_returning(transaction).await?;
    slots.into_iter().next().ok_or_else(|| Error::internal("a booking or an offer has no slot"))
}

/// The reason why a slot has no place for a request.
pub(super) async fn refusal(
    db: &impl ConnectionTrait,
    request: &vaccine_requests::Model,
    slot_id: Uuid,
    from: DateTime<Utc>,
) -> Result<Error> {
    let slot = Slots::find_by_id(slot_id).one(db).await?;
    let Some(slot) = slot else { return Ok(Violation::new("slot_id", "unknown", "is not a slot").into()) };
    if slot.closed_at.is_some() {
        return Ok(Conflict::SlotClosed.into());
    }
    if slot.starts_at <= from {
        return Ok(Conflict::SlotOver.into());
    }
    if slot.invited_only {
        let invited = Slots::find_by_id(slot_id).filter(Expr::exists(invitation(request.invitation_id)));
        if invited.one(db).await?.is_none() {
            return Ok(Conflict::InvitationRequired.into());
        }
    }
    Ok(Error::SlotFull { alternatives: slots::alternatives(db, &slot, from).await? })
}
