//! Vaccines: the catalogue. Anyone can read it; admins write it.

use entity::{Role, vaccines};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set,
};
use uuid::Uuid;

use crate::db::QueryText;
use crate::domain::values::actor::Actor;
use crate::domain::values::number::Number;
use crate::domain::values::page::{Page, Slice};
use crate::domain::values::patch::Patch;
use crate::domain::values::text::Line;
use crate::error::{Error, Result};

/// The code of a vaccine.
pub type VaccineCode = Line<32>;

/// The name of a vaccine, or of its manufacturer.
pub type VaccineName = Line<200>;

/// The number of doses of a course.
pub type Doses = Number<1, 20>;

/// Days between two doses: up to a hundred years.
pub type IntervalDays = Number<0, 36_500>;

/// An age in months: up to 150 years.
pub type AgeMonths = Number<0, 1800>;

/// A vaccine to be created.
#[derive(Clone, Debug)]
pub struct NewVaccine {
    /// Short unique code, such as `MMR`.
    pub code: VaccineCode,
    /// Name.
    pub name: VaccineName,
    /// Manufacturer.
    pub manufacturer: VaccineName,
    /// Doses of a full course.
    pub doses: Doses,
    /// Minimum days between two doses.
    pub min_interval_days: IntervalDays,
    /// Minimum age in months.
    pub min_age_months: Option<AgeMonths>,
    /// Maximum age in months.
    pub max_age_months: Option<AgeMonths>,
}

/// Changes of a vaccine. Its code cannot change: other records may refer to it.
#[derive(Clone, Debug, Default)]
pub struct VaccineChanges {
    /// Name.
    pub name: Option<VaccineName>,
    /// Manufacturer.
    pub manufacturer: Option<VaccineName>,
    /// Doses of a full course.
    pub doses: Option<Doses>,
    /// Minimum days between two doses.
    pub min_interval_days: Option<IntervalDays>,
    /// Minimum age in months.
    pub min_age_months: Patch<AgeMonths>,
    /// Maximum age in months.
    pub max_age_months: Patch<AgeMonths>,
    /// Whether it can be requested.
    pub active: Option<bool>,
}

/// Lists vaccines in the order of their creation.
///
/// # Errors
/// Database errors.
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

/// Gets a vaccine.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(db: &impl ConnectionTrait, id: Uuid) -> Result<vaccines::Model> {
    static QUERY: QueryText = QueryText::new();
    let vaccine = QUERY.find(db, [id.into()], || vaccines::Entity::find_by_id(Uuid::nil())).await?;
    vaccine.ok_or(Error::NotFound)
}

/// Creates a vaccine.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor is an admin; a conflict if the code is taken.
pub async fn create(db: &impl ConnectionTrait, actor: &Actor, new: NewVaccine) -> Result<vaccines::Model> {
    actor.require(Role::Admin)?;
    Ok(row(Uuid::now_v7(), new).insert(db).await?)
}

/// Creates the vaccines whose code is new. Returns their number.
///
/// # Errors
/// Database errors.
pub async fn create_missing(db: &impl ConnectionTrait, catalogue: Vec<(Uuid, NewVaccine)>) -> Result<u64> {
    // Code or id is taken.
    let is_known = OnConflict::new().do_nothing().to_owned();
    let rows = catalogue.into_iter().map(|(id, new)| row(id, new));
    Ok(vaccines::Entity::insert_many(rows).on_conflict(is_known).exec_without_returning(db).await?)
}

/// Updates a vaccine.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor is an admin; [`Error::NotFound`].
pub async fn update(
    db: &impl ConnectionTrait,
    actor: &Actor,
    id: Uuid,
    changes: VaccineChanges,
) -> Result<vaccines::Model> {
    use vaccines::Column;
    actor.require(Role::Admin)?;
    let number = |column, value: Option<Option<i32>>| value.map(|value| (column, Expr::value(value)));
    let changed: Vec<_> = [
        changes.name.map(|name| (Column::Name, Expr::value(name.into_string()))),
        changes.manufacturer.map(|manufacturer| (Column::Manufacturer, Expr::value(manufacturer.into_string()))),
        number(Column::Doses, changes.doses.map(|doses| Some(doses.get()))),
        number(Column::MinIntervalDays, changes.min_interval_days.map(|days| Some(days.get()))),
        number(Column::MinAgeMonths, changes.min_age_months.map(AgeMonths::get).into_change()),
        number(Column::MaxAgeMonths, changes.max_age_months.map(AgeMonths::get).into_change()),
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

fn row(id: Uuid, new: NewVaccine) -> vaccines::ActiveModel {
    vaccines::ActiveModel {
        id: Set(id),
        code: Set(new.code.into_string()),
        name: Set(new.name.into_string()),
        manufacturer: Set(new.manufacturer.into_string()),
        doses: Set(new.doses.get()),
        min_interval_days: Set(new.min_interval_days.get()),
        min_age_months: Set(new.min_age_months.map(AgeMonths::get)),
        max_age_months: Set(new.max_age_months.map(AgeMonths::get)),
        active: Set(true),
    }
}
