//! Row locks, in the one order that all transactions keep, so that no two wait for each other (decision 13): accounts
//! (`accounts::users::hold`), patient, invitation, requests by ascending id, slots by ascending id, entries of the waitlist, the
//! lot, doses.
//! SQLite has one writer and needs none.

use entity::{patients, slots, vaccine_requests};
use sea_orm::sea_query::LockType;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use uuid::Uuid;

use crate::db::QueryText;
use crate::error::Result;

/// Locks the patient of a request, if there is such a request.
pub(super) async fn patient_of(
    transaction: &impl ConnectionTrait,
    request_id: Uuid,
) -> Result<Option<patients::Model>> {
    static QUERY: QueryText = QueryText::new();
    let build = || {
        let its = vaccine_requests::Entity::find_by_id(Uuid::nil())
            .select_only()
            .column(vaccine_requests::Column::PatientId)
            .into_query();
        let patient = patients::Entity::find().filter(patients::Column::Id.in_subquery(its));
        patient.lock(LockType::NoKeyUpdate)
    };
    Ok(QUERY.find(transaction, [request_id.into()], build).await?)
}

/// Locks slots, and returns them by id.
pub(super) async fn slots(
    transaction: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<slots::Model>> {
    let ids: Vec<Uuid> = ids.into_iter().collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let slots = slots::Entity::find().filter(slots::Column::Id.is_in(ids)).order_by_asc(slots::Column::Id);
    Ok(slots.lock(LockType::NoKeyUpdate).all(transaction).await?)
}
