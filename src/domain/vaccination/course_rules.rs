//! Rules of courses: the schedule of a course, kept in memory by its version, which never changes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use entity::{course_schedules, courses, vaccines};
use sea_orm::{ConnectionTrait, EntityTrait};
use uuid::Uuid;

use crate::db::QueryText;
use crate::domain::vaccination::schedule::Schedule;
use crate::error::{Error, Result};

/// The rules of a course.
#[derive(Clone, Debug)]
pub struct CourseRules {
    /// Code of the course.
    pub code: String,
    /// Version of the schedule; 0 if the course has none.
    pub version: i32,
    /// The schedule; none if it follows from each vaccine.
    pub schedule: Option<Arc<Schedule>>,
}

impl CourseRules {
    /// The schedule for a vaccine of the course, or for any.
    #[must_use]
    pub fn schedule_for(&self, vaccine: Option<&vaccines::Model>) -> Cow<'_, Schedule> {
        match (&self.schedule, vaccine) {
            (Some(schedule), _) => Cow::Borrowed(schedule.as_ref()),
            (None, Some(vaccine)) => Cow::Owned(Schedule::of_vaccine(vaccine)),
            (None, None) => Cow::Owned(Schedule::default()),
        }
    }
}

/// The schedules that were read: of each course the last version.
#[derive(Debug, Default)]
pub struct Schedules(Mutex<HashMap<Uuid, (i32, Arc<Schedule>)>>);

impl Schedules {
    /// Reads the rules of a course.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such course.
    pub async fn rules(&self, db: &impl ConnectionTrait, course_id: Uuid) -> Result<CourseRules> {
        static QUERY: QueryText = QueryText::new();
        let course = QUERY.find(db, [course_id.into()], || courses::Entity::find_by_id(Uuid::nil())).await?;
        self.of(db, &course.ok_or(Error::NotFound)?).await
    }

    /// The rules of a course that was read.
    pub(super) async fn of(&self, db: &impl ConnectionTrait, course: &courses::Model) -> Result<CourseRules> {
        self.version(db, course.id, &course.code, course.schedule_version).await
    }

    /// The rules of a course with a version of its schedule; 0 if it has none.
    pub(super) async fn version(
        &self,
        db: &impl ConnectionTrait,
        course_id: Uuid,
        code: &str,
        version: i32,
    ) -> Result<CourseRules> {
        let schedule = if version > 0 { Some(self.schedule(db, course_id, version).await?) } else { None };
        Ok(CourseRules { code: code.to_owned(), version, schedule })
    }

    async fn schedule(&self, db: &impl ConnectionTrait, course_id: Uuid, version: i32) -> Result<Arc<Schedule>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&course_id).cloned();
        if let Some((kept_version, schedule)) = kept
            && kept_version == version
        {
            return Ok(schedule);
        }
        let row = course_schedules::Entity::find_by_id((course_id, version)).one(db).await?;
        let row = row.ok_or_else(|| Error::internal("a course has no schedule of its version"))?;
        let schedule: Arc<Schedule> = Arc::new(serde_json::from_str(&row.document).map_err(Error::internal)?);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(course_id, (version, Arc::clone(&schedule)));
        Ok(schedule)
    }
}
