//! Places of slots: taken and given back by guarded statements, and the reason if there is none.

use chrono::{DateTime, Utc};
use entity::slots::{Column, Entity as Slots};
use entity::{vaccine_requests, vaccines};
use sea_orm::sea_query::{Expr, ExprTrait, UpdateStatement};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait};
use uuid::Uuid;

use crate::db::QueryText;
use crate::domain::vaccination::slots;
use crate::error::{Conflict, Error, Result, Violation};

/// Takes a place, if the slot has one for the request and starts after `from`.
pub(super) async fn take(
    transaction: &impl ConnectionTrait,
    request: &vaccine_requests::Model,
    slot_id: Uuid,
    from: DateTime<Utc>,
) -> Result<bool> {
    static UPDATE: QueryText = QueryText::new();
    let values = [1.into(), slot_id.into(), false.into(), from.into(), request.course_id.into()];
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
        .filter(Column::InvitedOnly.eq(false))
        .filter(Column::StartsAt.gt(DateTime::<Utc>::UNIX_EPOCH))
        .filter(Column::VaccineId.in_subquery(of_course.into_query()))
        .into_query()
}

/// Gives a place back.
pub(super) async fn give_back(transaction: &impl ConnectionTrait, slot_id: Uuid) -> Result<()> {
    let one_less =
        Slots::update_many().col_expr(Column::Booked, Expr::col(Column::Booked).sub(1)).filter(Column::Id.eq(slot_id));
    one_less.exec(transaction).await?;
    Ok(())
}

/// The reason why a slot has no place.
pub(super) async fn refusal(db: &impl ConnectionTrait, slot_id: Uuid, from: DateTime<Utc>) -> Result<Error> {
    let slot = Slots::find_by_id(slot_id).one(db).await?;
    let Some(slot) = slot else { return Ok(Violation::new("slot_id", "unknown", "is not a slot").into()) };
    if slot.closed_at.is_some() {
        return Ok(Conflict::SlotClosed.into());
    }
    if slot.starts_at <= from {
        return Ok(Conflict::SlotOver.into());
    }
    if slot.invited_only {
        return Ok(Conflict::InvitationRequired.into());
    }
    Ok(Error::SlotFull { alternatives: slots::alternatives(db, &slot, from).await? })
}
