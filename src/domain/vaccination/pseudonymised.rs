//! Pseudonymised doses: what is kept of patients who were given a dose here when their account is erased. Names, contact and
//! account go, and the birth date is cut to the year; what was given when, and from which lot, stays.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use entity::{immunizations, invitation_uses, patient_words, patients, vaccine_requests as requests};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::domain::records::idempotency;
use crate::error::Result;

/// What is kept of the patients of an account.
#[derive(Clone, Debug, Default)]
pub(in crate::domain) struct KeptDoses {
    /// Patients.
    pub patients: BTreeSet<Uuid>,
    /// Number of requests.
    pub requests: u64,
    /// Number of doses.
    pub immunizations: u64,
}

/// Removes what names the locked patients of an account who were given a dose here.
pub(super) async fn keep_doses(
    transaction: &impl ConnectionTrait,
    patients: &[Uuid],
    user_id: Uuid,
    now: DateTime<Utc>,
) -> Result<KeptDoses> {
    if patients.is_empty() {
        return Ok(KeptDoses::default());
    }
    let given: Vec<(Uuid, Option<Uuid>)> = immunizations::Entity::find()
        .select_only()
        .columns([immunizations::Column::PatientId, immunizations::Column::RequestId])
        .filter(immunizations::Column::PatientId.is_in(patients.iter().copied()))
        .filter(Expr::cust("immunizations.status = 'completed' AND immunizations.source = 'given_here'"))
        .into_tuple()
        .all(transaction)
        .await?;
    let kept: BTreeSet<Uuid> = given.iter().map(|(patient, _)| *patient).collect();
    if kept.is_empty() {
        return Ok(KeptDoses::default());
    }
    // Doses that were undone name a request, too; they are not kept.
    let undone = immunizations::Entity::delete_many()
        .filter(immunizations::Column::PatientId.is_in(kept.iter().copied()))
        .filter(Expr::cust("immunizations.status = 'entered_in_error'"));
    undone.exec(transaction).await?;
    let of_doses: Vec<Uuid> = given.iter().filter_map(|(_, request)| *request).collect();
    let requests = keep_requests(transaction, &of_doses, user_id).await?;
    remove_names(transaction, &kept, now).await?;
    let doses = immunizations::Entity::update_many()
        .col_expr(immunizations::Column::OverrideReason, Expr::value(Option::<String>::None))
        .filter(immunizations::Column::PatientId.is_in(kept.iter().copied()))
        .exec(transaction)
        .await?;
    Ok(KeptDoses { patients: kept, requests, immunizations: doses.rows_affected })
}

/// Removes from the requests of doses what names somebody.
async fn keep_requests(transaction: &impl ConnectionTrait, ids: &[Uuid], user_id: Uuid) -> Result<u64> {
    let own = requests::Column::Id.is_in(ids.iter().copied()).and(requests::Column::UserId.eq(user_id));
    let text = [
        requests::Column::Note,
        requests::Column::Reason,
        requests::Column::Code,
        requests::Column::IdentifiedBy,
        requests::Column::Answers,
        requests::Column::UserId,
        requests::Column::InvitationId,
    ];
    let update = text
        .into_iter()
        .fold(requests::Entity::update_many(), |update, column| update.col_expr(column, Expr::cust("NULL")));
    Ok(update.filter(own).exec(transaction).await?.rows_affected)
}

async fn remove_names(transaction: &impl ConnectionTrait, kept: &BTreeSet<Uuid>, now: DateTime<Utc>) -> Result<()> {
    use patients::Column;
    let ids = || kept.iter().copied();
    let named = [
        Column::UserId,
        Column::ContactId,
        Column::Name,
        Column::GivenName,
        Column::FamilyName,
        Column::BirthMonth,
        Column::BirthDay,
    ];
    let update = named
        .into_iter()
        .fold(patients::Entity::update_many(), |update, column| update.col_expr(column, Expr::cust("NULL")));
    let update = update.col_expr(Column::OpenRequests, Expr::value(0)).col_expr(Column::UpdatedAt, Expr::value(now));
    update.filter(Column::Id.is_in(ids())).exec(transaction).await?;
    patient_words::Entity::delete_many()
        .filter(patient_words::Column::PatientId.is_in(ids()))
        .exec(transaction)
        .await?;
    // Stored responses have the name of the patient.
    idempotency::delete_about(transaction, &ids().collect::<Vec<_>>()).await?;
    invitation_uses::Entity::delete_many()
        .filter(invitation_uses::Column::PatientId.is_in(ids()))
        .exec(transaction)
        .await?;
    Ok(())
}
