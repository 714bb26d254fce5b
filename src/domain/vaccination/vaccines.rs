//! The catalogue of vaccines: anyone reads, admins write.

use entity::{Role, vaccines};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set,
};
use uuid::Uuid;

use crate::domain::values::actor::Actor;
use crate::domain::values::page::{Page, Slice};
use crate::domain::values::patch::Patch;
use crate::error::{Error, Result};

/// A vaccine to be added to the catalogue.
#[derive(Clone, Debug)]
pub struct NewVaccine {
    /// Short, unique, such as `MMR`.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// Who makes it.
    pub manufacturer: String,
    /// Doses in a full course.
    pub doses: i32,
    /// Days between two doses, at least.
    pub min_interval_days: i32,
    /// The youngest age.
    pub min_age_months: Option<i32>,
    /// The oldest age.
    pub max_age_months: Option<i32>,
}

/// Changes to a vaccine. Its code stays: records elsewhere may name it.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// What people call it.
    pub name: Option<String>,
    /// Who makes it.
    pub manufacturer: Option<String>,
    /// Doses in a full course.
    pub doses: Option<i32>,
    /// Days between two doses, at least.
    pub min_interval_days: Option<i32>,
    /// The youngest age.
    pub min_age_months: Patch<i32>,
    /// The oldest age.
    pub max_age_months: Patch<i32>,
    /// Whether it can be asked for.
    pub active: Option<bool>,
}

/// The catalogue, in the order in which it was written.
///
/// # Errors
/// Fails when the database does.
pub async fn list(db: &impl ConnectionTrait, active: Option<bool>, page: Page) -> Result<Slice<vaccines::Model>> {
    let vaccines = vaccines::Entity::find()
        .apply_if(active, |vaccines, active| vaccines.filter(vaccines::Column::Active.eq(active)))
        .apply_if(page.after, |vaccines, after| vaccines.filter(vaccines::Column::Id.gt(after)))
        .order_by_asc(vaccines::Column::Id)
        .limit(page.rows())
        .all(db)
        .await?;
    Ok(page.slice(vaccines, |vaccine| vaccine.id))
}

/// One vaccine.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(db: &impl ConnectionTrait, id: Uuid) -> Result<vaccines::Model> {
    vaccines::Entity::find_by_id(id).one(db).await?.ok_or(Error::NotFound)
}

/// Adds a vaccine.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor is an admin; a conflict when the code is taken.
pub async fn add(db: &impl ConnectionTrait, actor: &Actor, new: NewVaccine) -> Result<vaccines::Model> {
    actor.require(Role::Admin)?;
    Ok(row(new).insert(db).await?)
}

/// Adds those vaccines whose code is new, and returns how many that were.
///
/// # Errors
/// Fails when the database does.
pub async fn add_missing(db: &impl ConnectionTrait, catalogue: Vec<NewVaccine>) -> Result<u64> {
    let code_taken = OnConflict::column(vaccines::Column::Code).do_nothing().to_owned();
    let rows = catalogue.into_iter().map(row);
    Ok(vaccines::Entity::insert_many(rows).on_conflict(code_taken).exec_without_returning(db).await?)
}

/// Changes a vaccine.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor is an admin; [`Error::NotFound`].
pub async fn change(db: &impl ConnectionTrait, actor: &Actor, id: Uuid, changes: Changes) -> Result<vaccines::Model> {
    use vaccines::Column;
    actor.require(Role::Admin)?;
    let number = |column, value: Option<Option<i32>>| value.map(|value| (column, Expr::value(value)));
    let changed: Vec<_> = [
        changes.name.map(|name| (Column::Name, Expr::value(name))),
        changes.manufacturer.map(|manufacturer| (Column::Manufacturer, Expr::value(manufacturer))),
        number(Column::Doses, changes.doses.map(Some)),
        number(Column::MinIntervalDays, changes.min_interval_days.map(Some)),
        number(Column::MinAgeMonths, changes.min_age_months.into_change()),
        number(Column::MaxAgeMonths, changes.max_age_months.into_change()),
        changes.active.map(|active| (Column::Active, Expr::value(active))),
    ]
    .into_iter()
    .flatten()
    .collect();
    if changed.is_empty() {
        return get(db, id).await;
    }
    let mut update = vaccines::Entity::update_many().filter(Column::Id.eq(id));
    for (column, value) in changed {
        update = update.col_expr(column, value);
    }
    update.exec_with_returning(db).await?.into_iter().next().ok_or(Error::NotFound)
}

fn row(new: NewVaccine) -> vaccines::ActiveModel {
    vaccines::ActiveModel {
        id: Set(Uuid::now_v7()),
        code: Set(new.code),
        name: Set(new.name),
        manufacturer: Set(new.manufacturer),
        doses: Set(new.doses),
        min_interval_days: Set(new.min_interval_days),
        min_age_months: Set(new.min_age_months),
        max_age_months: Set(new.max_age_months),
        active: Set(true),
    }
}
