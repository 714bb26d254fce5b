//! The patient of a contact: name and birthday follow those of the contact, and are deleted with it. The account is held.

use chrono::{DateTime, Utc};
use entity::{AuditAction, contacts, patient_words, patients};
use sea_orm::sea_query::{Expr, ExprTrait, LockType, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use uuid::Uuid;

use crate::domain::accounts::own_patient::{has_no_dose, words};
use crate::domain::contacts::names::display_name;
use crate::domain::records::audit::Event;
use crate::domain::records::idempotency;
use crate::domain::values::client::Client;
use crate::domain::values::search;
use crate::error::Result;

/// What has changed in a contact.
#[derive(Clone, Copy, Debug)]
pub(super) struct Changed {
    pub name: bool,
    pub birthday: bool,
}

/// Carries changes of a contact over to its patient, unless they were given a dose: from then on, staff correct the
/// patient. Returns the patient, if there is one.
pub(super) async fn follow(
    transaction: &impl ConnectionTrait,
    contact: &contacts::Model,
    changed: Changed,
) -> Result<Option<Uuid>> {
    use patients::Column;
    let name = display_name(contact);
    // Locked first: a dose that is given meanwhile must be seen by the condition.
    let its = patients::Entity::find().filter(Column::ContactId.eq(contact.id));
    if its.lock(LockType::NoKeyUpdate).one(transaction).await?.is_none() {
        return Ok(None);
    }
    let update = patients::Entity::update_many()
        .col_expr(Column::UpdatedAt, Expr::value(contact.updated_at))
        .filter(Column::ContactId.eq(contact.id))
        .filter(has_no_dose())
        .apply_if(changed.name.then_some(&name), |update, name| {
            update
                .col_expr(Column::Name, Expr::value(name.as_str()))
                .col_expr(Column::GivenName, Expr::value(contact.first_name.as_deref()))
                .col_expr(Column::FamilyName, Expr::value(contact.last_name.as_deref()))
        })
        .apply_if(changed.birthday.then_some(contact), |update, contact| {
            update
                .col_expr(Column::BirthYear, Expr::value(contact.birth_year))
                .col_expr(Column::BirthMonth, Expr::value(contact.birth_month))
                .col_expr(Column::BirthDay, Expr::value(contact.birth_day))
        });
    let patient = update.exec_with_returning(transaction).await?.into_iter().next();
    if let Some(patient) = patient.as_ref().filter(|_| changed.name) {
        words().replace(transaction, patient.id, search::index_words(&name)).await?;
    }
    Ok(patient.map(|patient| patient.id))
}

/// Carries over what an import has changed in a contact, and records it.
pub(super) async fn follow_import(
    transaction: &impl ConnectionTrait,
    client: &Client,
    before: &contacts::Model,
    contact: &contacts::Model,
) -> Result<()> {
    let birthday = |contact: &contacts::Model| (contact.birth_year, contact.birth_month, contact.birth_day);
    let name =
        |contact: &contacts::Model| (contact.first_name.clone(), contact.last_name.clone(), display_name(contact));
    let changed = Changed { name: name(before) != name(contact), birthday: birthday(before) != birthday(contact) };
    if !changed.name && !changed.birthday {
        return Ok(());
    }
    if let Some(patient) = follow(transaction, contact, changed).await? {
        let event = Event::own(AuditAction::PatientChanged, contact.user_id, client).on(patient);
        event.record(transaction, contact.updated_at).await?;
    }
    Ok(())
}

/// Clears name and birthday of the patients of contacts that are about to be deleted, unless they were given a dose, and
/// deletes stored responses about them.
pub(super) async fn forget(
    transaction: &impl ConnectionTrait,
    user_id: Uuid,
    contacts: Expr,
    now: DateTime<Utc>,
) -> Result<()> {
    use patients::Column;
    let locked = lock(transaction, user_id, contacts).await?;
    if locked.is_empty() {
        return Ok(());
    }
    let mut update = patients::Entity::update_many()
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.is_in(locked))
        .filter(has_no_dose());
    for column in [Column::Name, Column::GivenName, Column::FamilyName] {
        update = update.col_expr(column, Expr::value(Option::<String>::None));
    }
    for column in [Column::BirthYear, Column::BirthMonth, Column::BirthDay] {
        update = update.col_expr(column, Expr::value(Option::<i16>::None));
    }
    let forgotten = update.exec_with_returning(transaction).await?;
    let forgotten: Vec<Uuid> = forgotten.into_iter().map(|patient| patient.id).collect();
    let of_them = patient_words::Column::PatientId.is_in(forgotten.iter().copied());
    patient_words::Entity::delete_many().filter(of_them).exec(transaction).await?;
    idempotency::delete_about(transaction, &forgotten).await
}

/// Locks the patients of contacts: before the contacts, whose deletion changes them (decision 13).
pub(super) async fn lock(transaction: &impl ConnectionTrait, user_id: Uuid, contacts: Expr) -> Result<Vec<Uuid>> {
    use patients::Column;
    let contact = Query::select()
        .expr(Expr::cust("1"))
        .from(contacts::Entity)
        .and_where(
            Expr::col((contacts::Entity, contacts::Column::Id)).eq(Expr::col((patients::Entity, Column::ContactId))),
        )
        .and_where(contacts)
        .to_owned();
    let patients = patients::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::UserId.eq(user_id))
        .filter(Expr::exists(contact))
        .order_by_asc(Column::Id);
    Ok(patients.lock(LockType::NoKeyUpdate).into_tuple().all(transaction).await?)
}
