//! Courses: what several doses belong to. Anyone can read them; admins write them.

use entity::Role;
use entity::courses::{ActiveModel, Column, Entity, Model};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set,
};
use uuid::Uuid;

use crate::domain::vaccination::vaccines::{VaccineCode, VaccineName};
use crate::domain::values::actor::Actor;
use crate::domain::values::page::{Page, Slice};
use crate::error::{Error, Result};

/// Lists courses in the order of their creation.
///
/// # Errors
/// Database errors.
pub async fn list(db: &impl ConnectionTrait, page: Page) -> Result<Slice<Model>> {
    let courses = Entity::find()
        .apply_if(page.after, |courses, after| courses.filter(Column::Id.gt(after)))
        .order_by_asc(Column::Id)
        .limit(page.rows())
        .all(db)
        .await?;
    Ok(page.slice(courses, |course| course.id))
}

/// Gets a course.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(db: &impl ConnectionTrait, id: Uuid) -> Result<Model> {
    Entity::find_by_id(id).one(db).await?.ok_or(Error::NotFound)
}

/// Creates a course.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor is an admin; a conflict if the code is taken.
pub async fn create(db: &impl ConnectionTrait, actor: &Actor, code: VaccineCode, name: VaccineName) -> Result<Model> {
    actor.require(Role::Admin)?;
    let course = ActiveModel {
        id: Set(Uuid::now_v7()),
        code: Set(code.into_string()),
        name: Set(name.into_string()),
        schedule_version: Set(0),
    };
    Ok(course.insert(db).await?)
}
