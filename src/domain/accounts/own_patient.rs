//! The patient who is the owner of an account: name and birth date follow those of the account, also when the account gets
//! another owner.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use entity::{immunizations, patient_words, patients, users, vaccine_requests};
use sea_orm::sea_query::{Expr, ExprTrait, LockType, Query, UnionType};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, UpdateMany};
use uuid::Uuid;

use crate::domain::records::word_search::Words;
use crate::domain::values::search;
use crate::error::{Error, Result};

/// The words of patients.
pub(in crate::domain) fn words() -> Words {
    Words::new(patient_words::Entity, patient_words::Column::Word, patient_words::Column::PatientId)
}

/// The condition that a patient was not given a dose in a centre of this service. From then on, only staff correct the patient.
pub(in crate::domain) fn has_no_dose() -> Expr {
    let given = Query::select()
        .expr(Expr::cust("1"))
        .from(immunizations::Entity)
        .and_where(
            Expr::col((immunizations::Entity, immunizations::Column::PatientId))
                .eq(Expr::col((patients::Entity, patients::Column::Id))),
        )
        // Not a parameter: otherwise SQLite does not use a partial index.
        .and_where(Expr::cust("immunizations.status = 'completed' AND immunizations.source = 'given_here'"))
        .to_owned();
    Expr::exists(given).not()
}

/// Carries changes of the name or the birth date of an account over to its patient, if there is one, and they were not
/// given a dose.
pub(super) async fn follow(
    db: &impl ConnectionTrait,
    user: &users::Model,
    has_new_name: bool,
    has_new_birth_date: bool,
) -> Result<()> {
    use patients::Column;
    // Locked first: a dose that is given meanwhile must be seen by the condition.
    let own = patients::Entity::find().filter(Column::UserId.eq(user.id)).filter(Column::Relation.eq("self"));
    if own.lock(LockType::NoKeyUpdate).one(db).await?.is_none() {
        return Ok(());
    }
    let mut update = patients::Entity::update_many()
        .col_expr(Column::UpdatedAt, Expr::value(user.updated_at))
        .filter(Column::UserId.eq(user.id))
        .filter(Column::Relation.eq("self"))
        .filter(has_no_dose());
    if has_new_name {
        update = with_name(update, &user.name);
    }
    if has_new_birth_date {
        update = with_birth_date(update, user.birth_date);
    }
    let updated = update.exec_with_returning(db).await?;
    if let Some(patient) = updated.first().filter(|_| has_new_name) {
        words().replace(db, patient.id, search::index_words(&user.name)).await?;
    }
    Ok(())
}

fn with_name(update: UpdateMany<patients::Entity>, name: &str) -> UpdateMany<patients::Entity> {
    use patients::Column;
    let none = || Expr::value(Option::<String>::None);
    update
        .col_expr(Column::Name, Expr::value(name))
        .col_expr(Column::GivenName, none())
        .col_expr(Column::FamilyName, none())
}

fn with_birth_date(update: UpdateMany<patients::Entity>, date: Option<NaiveDate>) -> UpdateMany<patients::Entity> {
    use patients::Column;
    let part = |part: Option<u32>| part.and_then(|part| i16::try_from(part).ok());
    update
        .col_expr(Column::BirthYear, Expr::value(date.and_then(|date| i16::try_from(date.year()).ok())))
        .col_expr(Column::BirthMonth, Expr::value(part(date.map(|date| date.month()))))
        .col_expr(Column::BirthDay, Expr::value(part(date.map(|date| date.day()))))
}

/// Replaces name and birth date of the patient who is the owner of an account, and deletes the doses that the former owner
/// reported. If the former owner was given a dose in a centre of this service, the patient and their requests leave the
/// account. Six statements, also if there is no such patient or account: a response time must not reveal that.
pub(super) async fn replace(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    name: &str,
    birth_date: Option<NaiveDate>,
    now: DateTime<Utc>,
) -> Result<()> {
    use patients::Column;
    let is_own = || Column::UserId.eq(user_id).and(Column::Relation.eq("self"));
    let vaccinated = patients::Entity::find().select_only().column(Column::Id).filter(is_own());
    let vaccinated = vaccinated.filter(has_no_dose().not()).into_query();
    vaccine_requests::Entity::update_many()
        .col_expr(vaccine_requests::Column::UserId, Expr::value(Option::<Uuid>::None))
        .filter(vaccine_requests::Column::PatientId.in_subquery(vaccinated))
        .exec(db)
        .await?;
    patients::Entity::update_many()
        .col_expr(Column::UserId, Expr::value(Option::<Uuid>::None))
        .col_expr(Column::Relation, Expr::value("walk_in"))
        .filter(is_own())
        .filter(has_no_dose().not())
        .exec(db)
        .await?;
    let update = with_birth_date(with_name(patients::Entity::update_many(), name), birth_date);
    update.col_expr(Column::UpdatedAt, Expr::value(now)).filter(is_own()).exec(db).await?;
    let own = patients::Entity::find().select_only().column(Column::Id).filter(is_own()).into_query();
    patient_words::Entity::delete_many()
        .filter(patient_words::Column::PatientId.in_subquery(own.clone()))
        .exec(db)
        .await?;
    immunizations::Entity::delete_many()
        .filter(immunizations::Column::PatientId.in_subquery(own))
        .filter(Expr::cust("source = 'reported' AND verified_at IS NULL"))
        .exec(db)
        .await?;
    let row = |word: String| {
        Query::select().expr(Expr::value(word)).column(Column::Id).from(patients::Entity).and_where(is_own()).to_owned()
    };
    let mut rows = search::index_words(name).into_iter().map(row);
    let Some(mut all) = rows.next() else { return Ok(()) };
    for row in rows {
        all.union(UnionType::All, row);
    }
    let mut insert = Query::insert();
    insert
        .into_table(patient_words::Entity)
        .columns([patient_words::Column::Word, patient_words::Column::PatientId])
        .select_from(all)
        .map_err(Error::internal)?;
    db.execute(&insert).await?;
    Ok(())
}
