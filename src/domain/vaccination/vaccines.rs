//! Vaccines: the catalogue. Anyone can read it; admins write it.

use entity::{Role, courses, vaccines};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set,
    TransactionSession as _,
};
use uuid::Uuid;

use crate::db::{QueryText, Transact};
use crate::domain::values::actor::Actor;
use crate::domain::values::cvx::CvxCode;
use crate::domain::values::number::Number;
use crate::domain::values::page::{Page, Slice};
use crate::domain::values::patch::Patch;
use crate::domain::values::text::Line;
use crate::error::{Conflict, Error, Result, Violation};

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
    /// Course of which it is a product; none for a course of its own.
    pub course_id: Option<Uuid>,
    /// CVX code.
    pub cvx_code: Option<CvxCode>,
    /// Codes of the other courses for which a dose counts.
    pub also_counts_for: Vec<VaccineCode>,
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
/// [`Error::Forbidden`] unless the actor is an admin; a conflict if the code is taken; a violation if there is no such
/// course.
pub async fn create(db: &impl Transact, actor: &Actor, new: NewVaccine) -> Result<vaccines::Model> {
    actor.require(Role::Admin)?;
    let id = Uuid::now_v7();
    let transaction = db.begin().await?;
    check_courses(&transaction, &new.also_counts_for).await?;
    let course_id = match new.course_id {
        None => match course(id, &new).insert(&transaction).await.map_err(Error::from) {
            Ok(course) => course.id,
            Err(Error::Conflict(Conflict::CourseCodeTaken)) => {
                transaction.rollback().await?;
                return Err(taken(db, &new.code).await?.into());
            }
            Err(error) => return Err(error),
        },
        Some(id) => {
            let course = courses::Entity::find_by_id(id).one(&transaction).await?;
            course.ok_or_else(|| Violation::new("course_id", "unknown", "is not a course"))?.id
        }
    };
    let vaccine = row(id, course_id, new).insert(&transaction).await?;
    transaction.commit().await?;
    Ok(vaccine)
}

/// Creates the vaccines whose code is new. Returns their number.
///
/// # Errors
/// Database errors.
pub async fn create_missing(db: &impl Transact, catalogue: Vec<(Uuid, NewVaccine)>) -> Result<u64> {
    // Code or id is taken.
    let is_known = OnConflict::new().do_nothing().to_owned();
    let transaction = db.begin().await?;
    let known: Vec<String> =
        vaccines::Entity::find().select_only().column(vaccines::Column::Code).into_tuple().all(&transaction).await?;
    let missing: Vec<_> =
        catalogue.into_iter().filter(|(_, new)| !known.iter().any(|code| code == new.code.as_str())).collect();
    if missing.is_empty() {
        return Ok(0);
    }
    let courses = missing.iter().map(|(id, new)| course(*id, new));
    courses::Entity::insert_many(courses).on_conflict(is_known.clone()).exec_without_returning(&transaction).await?;
    // A course with the same code may exist already.
    let known: Vec<(String, Uuid)> = courses::Entity::find()
        .select_only()
        .columns([courses::Column::Code, courses::Column::Id])
        .into_tuple()
        .all(&transaction)
        .await?;
    let rows = missing.into_iter().filter_map(|(id, new)| {
        let course_id = known.iter().find(|(code, _)| code == new.code.as_str())?.1;
        Some(row(id, course_id, new))
    });
    let added = vaccines::Entity::insert_many(rows).on_conflict(is_known).exec_without_returning(&transaction).await?;
    transaction.commit().await?;
    Ok(added)
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

/// Whether a vaccine has a code, or only a course.
async fn taken(db: &impl ConnectionTrait, code: &VaccineCode) -> Result<Conflict> {
    let vaccine = vaccines::Entity::find().filter(vaccines::Column::Code.eq(code.as_str())).one(db).await?;
    Ok(if vaccine.is_some() { Conflict::VaccineCodeTaken } else { Conflict::CourseCodeTaken })
}

/// The course of a vaccine that has a course of its own.
fn course(id: Uuid, new: &NewVaccine) -> courses::ActiveModel {
    courses::ActiveModel {
        id: Set(id),
        code: Set(new.code.as_str().to_owned()),
        name: Set(new.name.as_str().to_owned()),
        schedule_version: Set(0),
    }
}

fn row(id: Uuid, course_id: Uuid, new: NewVaccine) -> vaccines::ActiveModel {
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
        course_id: Set(course_id),
        cvx_code: Set(new.cvx_code.map(CvxCode::into_string)),
        also_counts_for: Set(codes(new.also_counts_for)),
    }
}

/// Codes as a JSON array.
fn codes(codes: Vec<VaccineCode>) -> String {
    let codes: Vec<String> = codes.into_iter().map(VaccineCode::into_string).collect();
    serde_json::Value::from(codes).to_string()
}

/// Checks that there are courses with these codes.
async fn check_courses(db: &impl ConnectionTrait, codes: &[VaccineCode]) -> Result<()> {
    for (index, code) in codes.iter().enumerate() {
        if courses::Entity::find().filter(courses::Column::Code.eq(code.as_str())).one(db).await?.is_none() {
            let field = format!("also_counts_for[{index}]");
            return Err(Violation::new(field, "unknown", "is not the code of a course").into());
        }
    }
    Ok(())
}
