//! The patient who is the owner of an account. When the account gets another owner, the patient gets their name.

use chrono::{Datelike, NaiveDate};
use entity::{patient_words, patients};
use sea_orm::sea_query::{Expr, ExprTrait, Query, UnionType};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait};
use uuid::Uuid;

use crate::domain::values::search;
use crate::error::{Error, Result};

/// Replaces name and birth date of the patient who is the owner of an account. Three statements, also if there is no such
/// patient or account: a response time must not reveal that.
pub(super) async fn replace(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    name: &str,
    birth_date: Option<NaiveDate>,
) -> Result<()> {
    use patients::Column;
    let part = |part: Option<u32>| part.and_then(|part| i16::try_from(part).ok());
    let is_own = || Column::UserId.eq(user_id).and(Column::Relation.eq("self"));
    let none = || Expr::value(Option::<String>::None);
    patients::Entity::update_many()
        .col_expr(Column::Name, Expr::value(name))
        .col_expr(Column::GivenName, none())
        .col_expr(Column::FamilyName, none())
        .col_expr(Column::BirthYear, Expr::value(birth_date.and_then(|date| i16::try_from(date.year()).ok())))
        .col_expr(Column::BirthMonth, Expr::value(part(birth_date.map(|date| date.month()))))
        .col_expr(Column::BirthDay, Expr::value(part(birth_date.map(|date| date.day()))))
        .filter(is_own())
        .exec(db)
        .await?;
    let own = patients::Entity::find().select_only().column(Column::Id).filter(is_own()).into_query();
    patient_words::Entity::delete_many().filter(patient_words::Column::PatientId.in_subquery(own)).exec(db).await?;
    let row = |word: String| {
        Query::select().expr(Expr::value(word)).column(Column::Id).from(patients::Entity).and_where(is_own()).to_owned()
    };
    let mut rows = search::words(name).into_iter().map(row);
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
