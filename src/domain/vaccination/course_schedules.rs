//! Schedules of courses: get, and put a new version. Anyone can read them; admins write them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use entity::course_schedules::{ActiveModel, Entity, Model};
use entity::{AuditAction, Role, courses, vaccines};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Set, TransactionSession as _,
};
use serde_json::Value;
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::accounts::users as accounts;
use crate::domain::records::audit::Event;
use crate::domain::vaccination::schedule::{self, Known, Schedule};
use crate::domain::values::caller::Caller;
use crate::domain::values::clock::Clock;
use crate::error::{Error, Result};

/// Gets the schedule of a course; none if it follows from the vaccines.
///
/// # Errors
/// [`Error::NotFound`] if there is no such course.
pub async fn get(db: &impl ConnectionTrait, course_id: Uuid) -> Result<Option<Model>> {
    let course = courses::Entity::find_by_id(course_id).one(db).await?.ok_or(Error::NotFound)?;
    Ok(Entity::find_by_id((course_id, course.schedule_version)).one(db).await?)
}

/// Puts a schedule, as the next version after the one that the caller has read.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor is an admin; [`Error::NotFound`]; violations, each with a JSON Pointer;
/// [`Error::PreconditionFailed`] if another version was put since.
pub async fn put(
    db: &impl Transact,
    clock: &Clock,
    caller: &Caller,
    course_id: Uuid,
    version: i32,
    document: &Value,
) -> Result<Model> {
    let (actor, now) = (&caller.actor, clock.now());
    actor.require(Role::Admin)?;
    let transaction = db.begin().await?;
    accounts::hold(&transaction, actor.user_id).await?;
    let schedule = schedule::parse(document, &known(&transaction).await?).map_err(Error::Invalid)?;
    if version == i32::MAX {
        return Err(Error::PreconditionFailed);
    }
    let row = add_version(&transaction, course_id, version, &schedule, (Some(actor.user_id), now)).await?;
    let Some(row) = row else {
        let course = courses::Entity::find_by_id(course_id).one(&transaction).await?;
        return Err(if course.is_some() { Error::PreconditionFailed } else { Error::NotFound });
    };
    let detail = format!("version {}", row.version);
    let event = Event::new(AuditAction::SchedulePut, &caller.client).by(Some(actor.user_id));
    event.on(course_id).detail(&detail).record(&transaction, now).await?;
    transaction.commit().await?;
    Ok(row)
}

/// Puts schedules, by the code of the course, for courses that have none. Returns their number.
///
/// # Errors
/// Violations if a document is not valid; database errors.
pub async fn put_missing(db: &impl Transact, clock: &Clock, documents: &BTreeMap<String, Value>) -> Result<u64> {
    let transaction = db.begin().await?;
    let known = known(&transaction).await?;
    let without = courses::Entity::find()
        .filter(courses::Column::Code.is_in(documents.keys().map(String::as_str)))
        .filter(courses::Column::ScheduleVersion.eq(0));
    let mut added = 0;
    for course in without.all(&transaction).await? {
        let Some(document) = documents.get(&course.code) else { continue };
        let schedule = schedule::parse(document, &known).map_err(Error::Invalid)?;
        let row = add_version(&transaction, course.id, 0, &schedule, (None, clock.now())).await?;
        added += u64::from(row.is_some());
    }
    transaction.commit().await?;
    Ok(added)
}

/// Adds the version after one. None if there is no such course, or it has another version.
async fn add_version(
    transaction: &impl ConnectionTrait,
    course_id: Uuid,
    version: i32,
    schedule: &Schedule,
    (created_by, now): (Option<Uuid>, DateTime<Utc>),
) -> Result<Option<Model>> {
    let next = courses::Entity::update_many()
        .col_expr(courses::Column::ScheduleVersion, Expr::value(version + 1))
        .filter(courses::Column::Id.eq(course_id))
        .filter(courses::Column::ScheduleVersion.eq(version));
    if next.exec(transaction).await?.rows_affected == 0 {
        return Ok(None);
    }
    let row = ActiveModel {
        course_id: Set(course_id),
        version: Set(version + 1),
        document: Set(serde_json::to_string(schedule).map_err(Error::internal)?),
        created_by: Set(created_by),
        created_at: Set(now),
    };
    Ok(Some(row.insert(transaction).await?))
}

/// The courses and vaccines to which a document can refer.
async fn known(db: &impl ConnectionTrait) -> Result<Known> {
    let codes: Vec<String> =
        courses::Entity::find().select_only().column(courses::Column::Code).into_tuple().all(db).await?;
    let vaccines: Vec<Uuid> =
        vaccines::Entity::find().select_only().column(vaccines::Column::Id).into_tuple().all(db).await?;
    Ok(Known { courses: codes.into_iter().collect(), vaccines: vaccines.into_iter().collect() })
}
