//! The subject of a question about eligibility: the person with doses and open requests, the vaccine or the vaccines of a
//! course, and the course, read by one statement.

use chrono::NaiveDate;
use entity::{contacts, courses, patients, users, vaccine_requests as requests, vaccines};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DbBackend, QueryResult};
use uuid::Uuid;

use crate::db::QueryText;
use crate::domain::vaccination::dose_json;
use crate::domain::vaccination::eligibility::check::{Person, Wanted};
use crate::domain::vaccination::eligibility::date_of_parts;
use crate::domain::values::actor::Actor;
use crate::domain::values::time_zone::TimeZone;
use crate::error::{Error, Result, Violation};

/// What a question is about.
pub(super) struct Subject {
    /// Time zone of the account that asks.
    pub zone: TimeZone,
    /// Id of the patient and of their account; none for somebody who never made a request.
    pub patient: Option<(Uuid, Option<Uuid>)>,
    /// Birth date, if its day, month and year are known.
    pub born: Option<NaiveDate>,
    /// The course.
    pub course: courses::Model,
    /// The vaccine, or those of the course by id.
    pub vaccines: Vec<vaccines::Model>,
    /// Doses of the patient, as [`dose_json::read_for`] reads them.
    pub doses: String,
    /// Dose numbers of the open requests of the patient for the course.
    pub open_requests: Vec<i32>,
}

impl Subject {
    /// Reads the subject of a question.
    ///
    /// # Errors
    /// A violation if there is no such vaccine or course, or the actor has no such contact or patient;
    /// [`Error::InvalidToken`] if the account has just been deleted.
    pub async fn read(db: &impl ConnectionTrait, actor: &Actor, wanted: Wanted, person: Person) -> Result<Self> {
        static TEXTS: [[QueryText; 3]; 2] = [const { [const { QueryText::new() }; 3] }; 2];
        let [by_vaccine, by_course] = &TEXTS;
        let (texts, wanted_id) = match wanted {
            Wanted::Vaccine(id) => (by_vaccine, id),
            Wanted::Course(id) => (by_course, id),
        };
        let [own, contact, patient] = texts;
        let (text, person_id) = match person {
            Person::Own => (own, None),
            Person::Contact(id) => (contact, Some(id)),
            Person::Patient(id) => (patient, Some(id)),
        };
        // In the order of the text: the contact, the patient, the vaccine or the course, the account.
        let person_id =
            person_id.map_or(Vec::new(), |id| vec![id; if matches!(person, Person::Contact(_)) { 2 } else { 1 }]);
        let values = person_id.into_iter().chain([wanted_id, actor.user_id]).map(Into::into);
        let rows =
            db.query_all_raw(text.statement(db, values, || query(db.get_database_backend(), wanted, person))).await?;
        let first = rows.first().ok_or(Error::InvalidToken)?;
        let mut subject = Self::of(first, actor, wanted, person)?;
        for row in &rows {
            subject.vaccines.extend(vaccine(row)?);
        }
        Ok(subject)
    }

    fn of(row: &QueryResult, actor: &Actor, wanted: Wanted, person: Person) -> Result<Self> {
        let zone: Option<String> = row.try_get_by_index(0)?;
        let patient: Option<Uuid> = row.try_get_by_index(1)?;
        let patient = patient.map(|id| Ok::<_, Error>((id, row.try_get_by_index(2)?))).transpose()?;
        let is_visible = |(_, user_id): &(Uuid, Option<Uuid>)| actor.is_staff() || *user_id == Some(actor.user_id);
        let patient = patient.filter(is_visible);
        let born = match (patient, person) {
            (Some(_), _) => {
                date_of_parts([row.try_get_by_index(3)?, row.try_get_by_index(4)?, row.try_get_by_index(5)?])
            }
            (None, Person::Own) => row.try_get_by_index(6)?,
            (None, Person::Contact(_)) if row.try_get_by_index::<Option<Uuid>>(7)?.is_some() => {
                date_of_parts([row.try_get_by_index(8)?, row.try_get_by_index(9)?, row.try_get_by_index(10)?])
            }
            (None, Person::Contact(_)) => {
                return Err(Violation::new("contact_id", "unknown", "is not one of your contacts").into());
            }
            (None, Person::Patient(_)) => {
                return Err(Violation::new("patient_id", "unknown", "is not a patient whom you may see").into());
            }
        };
        let course: Option<Uuid> = row.try_get_by_index(11)?;
        let Some(id) = course else {
            return Err(match wanted {
                Wanted::Vaccine(_) => Violation::new("vaccine_id", "unknown", "is not a vaccine").into(),
                Wanted::Course(_) => Self::unknown_course("is not a course").into(),
            });
        };
        Ok(Self {
            zone: zone.as_deref().map_or(Ok(TimeZone::UTC), TimeZone::parse).unwrap_or(TimeZone::UTC),
            patient,
            born,
            course: courses::Model {
                id,
                code: row.try_get_by_index(12)?,
                name: row.try_get_by_index(13)?,
                schedule_version: row.try_get_by_index(14)?,
            },
            vaccines: Vec::new(),
            doses: row.try_get_by_index(27)?,
            open_requests: serde_json::from_str(&row.try_get_by_index::<String>(28)?).map_err(Error::internal)?,
        })
    }

    /// A violation by a course.
    pub fn unknown_course(message: &'static str) -> Violation {
        Violation::new("course_id", "unknown", message)
    }
}

/// The vaccine of a row, if there is one.
fn vaccine(row: &QueryResult) -> Result<Option<vaccines::Model>> {
    let Some(id) = row.try_get_by_index(15)? else { return Ok(None) };
    Ok(Some(vaccines::Model {
        id,
        code: row.try_get_by_index(16)?,
        name: row.try_get_by_index(17)?,
        manufacturer: row.try_get_by_index(18)?,
        doses: row.try_get_by_index(19)?,
        min_interval_days: row.try_get_by_index(20)?,
        min_age_months: row.try_get_by_index(21)?,
        max_age_months: row.try_get_by_index(22)?,
        active: row.try_get_by_index(23)?,
        course_id: row.try_get_by_index(24)?,
        cvx_code: row.try_get_by_index(25)?,
        also_counts_for: row.try_get_by_index(26)?,
    }))
}

/// The statement, with the columns in the order in which they are read.
fn query(backend: DbBackend, wanted: Wanted, person: Person) -> SelectStatement {
    let of_user = |column| Expr::col((users::Entity, column));
    let of_patient = |column| Expr::col((patients::Entity, column));
    let of_contact = |column| Expr::col((contacts::Entity, column));
    let of_vaccine = |column| Expr::col((vaccines::Entity, column));
    let of_course = |column| Expr::col((courses::Entity, column));
    let mut query = Query::select();
    query
        .expr(of_user(users::Column::TimeZone))
        .exprs([patients::Column::Id, patients::Column::UserId].map(of_patient))
        .exprs([patients::Column::BirthYear, patients::Column::BirthMonth, patients::Column::BirthDay].map(of_patient))
        .expr(of_user(users::Column::BirthDate));
    let is_own = of_patient(patients::Column::UserId).eq(of_user(users::Column::Id));
    let is_patient = match person {
        Person::Own => is_own.and(Expr::cust("patients.relation = 'self'")),
        Person::Contact(_) => is_own.and(of_patient(patients::Column::ContactId).eq(Uuid::nil())),
        Person::Patient(_) => of_patient(patients::Column::Id).eq(Uuid::nil()),
    };
    if matches!(person, Person::Contact(_)) {
        query.expr(of_contact(contacts::Column::Id)).exprs(
            [contacts::Column::BirthYear, contacts::Column::BirthMonth, contacts::Column::BirthDay].map(of_contact),
        );
    } else {
        query.exprs([Expr::cust("NULL"), Expr::cust("NULL"), Expr::cust("NULL"), Expr::cust("NULL")]);
    }
    query
        .exprs([courses::Column::Id, courses::Column::Code, courses::Column::Name].map(of_course))
        .expr(of_course(courses::Column::ScheduleVersion));
    for column in VACCINE {
        query.expr(of_vaccine(column));
    }
    query.expr(dose_json::of_row(backend)).expr(open_requests(backend)).from(users::Entity);
    if matches!(person, Person::Contact(_)) {
        let is_contact = of_contact(contacts::Column::Id)
            .eq(Uuid::nil())
            .and(of_contact(contacts::Column::UserId).eq(of_user(users::Column::Id)));
        query.left_join(contacts::Entity, is_contact);
    }
    query.left_join(patients::Entity, is_patient);
    let of_its_course = of_vaccine(vaccines::Column::CourseId).eq(of_course(courses::Column::Id));
    match wanted {
        Wanted::Vaccine(_) => query
            .left_join(vaccines::Entity, of_vaccine(vaccines::Column::Id).eq(Uuid::nil()))
            .left_join(courses::Entity, of_its_course),
        Wanted::Course(_) => query
            .left_join(courses::Entity, of_course(courses::Column::Id).eq(Uuid::nil()))
            .left_join(vaccines::Entity, of_its_course)
            .order_by((vaccines::Entity, vaccines::Column::Id), sea_orm::Order::Asc),
    };
    query.and_where(of_user(users::Column::Id).eq(Uuid::nil())).to_owned()
}

/// The dose numbers of the open requests of the patient for the course, as a JSON array.
fn open_requests(backend: DbBackend) -> Expr {
    let numbers = match backend {
        DbBackend::Sqlite => "json_group_array(vaccine_requests.dose_number)",
        _ => "CAST(COALESCE(json_agg(vaccine_requests.dose_number), '[]') AS text)",
    };
    let of_request = |column| Expr::col((requests::Entity, column));
    let open = Query::select()
        .expr(Expr::cust(numbers))
        .from(requests::Entity)
        .and_where(of_request(requests::Column::PatientId).eq(Expr::col((patients::Entity, patients::Column::Id))))
        .and_where(of_request(requests::Column::CourseId).eq(Expr::col((courses::Entity, courses::Column::Id))))
        // Not a parameter: otherwise SQLite does not use the partial index.
        .and_where(Expr::cust("vaccine_requests.status IN ('pending', 'approved', 'booked')"))
        .to_owned();
    Expr::SubQuery(None, Box::new(open.into()))
}

/// Columns of a vaccine, in the order in which they are read.
const VACCINE: [vaccines::Column; 12] = [
    vaccines::Column::Id,
    vaccines::Column::Code,
    vaccines::Column::Name,
    vaccines::Column::Manufacturer,
    vaccines::Column::Doses,
    vaccines::Column::MinIntervalDays,
    vaccines::Column::MinAgeMonths,
    vaccines::Column::MaxAgeMonths,
    vaccines::Column::Active,
    vaccines::Column::CourseId,
    vaccines::Column::CvxCode,
    vaccines::Column::AlsoCountsFor,
];
