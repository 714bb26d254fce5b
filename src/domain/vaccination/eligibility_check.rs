//! Eligibility of a person for a dose, before it is requested.

use chrono::NaiveDate;
use entity::{patients, users, vaccine_requests as requests, vaccines};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder as _, QuerySelect as _, TryIntoModel as _,
};
use uuid::Uuid;

use crate::domain::accounts::users as accounts;
use crate::domain::contacts::contacts;
use crate::domain::vaccination::context::Vaccination;
use crate::domain::vaccination::eligibility::{self, Eligibility, Facts, Verdict};
use crate::domain::vaccination::immunizations;
use crate::domain::vaccination::patients as people;
use crate::domain::vaccination::vaccines::Doses;
use crate::domain::values::caller::Caller;
use crate::domain::values::clock::Clock;
use crate::error::{Error, Result, Violation};

/// A dose of a person on a day.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// What the dose is of.
    pub wanted: Wanted,
    /// Who would have it.
    pub person: Person,
    /// Number of the dose in its course, from 1; none for the next one.
    pub dose_number: Option<Doses>,
    /// The day; none for today.
    pub on: Option<NaiveDate>,
}

/// What a dose is of.
#[derive(Clone, Copy, Debug)]
pub enum Wanted {
    /// A vaccine.
    Vaccine(Uuid),
    /// Any vaccine of a course.
    Course(Uuid),
}

/// Who would have a dose.
#[derive(Clone, Copy, Debug)]
pub enum Person {
    /// The actor.
    Own,
    /// A contact of the actor.
    Contact(Uuid),
    /// A patient of the actor; for staff, any patient.
    Patient(Uuid),
}

/// Applies the rules to a dose of a person. For a course without a schedule, the answer is that of the vaccine that fits best.
/// If staff ask about a patient of somebody else, this is recorded.
///
/// # Errors
/// A violation if there is no such vaccine or course, or the actor has no such contact or patient.
pub async fn check(
    db: &impl ConnectionTrait,
    context: &Vaccination,
    caller: &Caller,
    question: &Question,
) -> Result<Eligibility> {
    let clock = &context.clock;
    let user = accounts::get_own(db, &caller.actor).await?;
    let on = question.on.unwrap_or_else(|| accounts::time_zone(&user).date(clock.now()));
    let (course_id, vaccines) = wanted(db, context, question.wanted).await?;
    let course = context.schedules.rules(db, course_id).await?;
    let patient = person(db, clock, caller, user, question.person).await?;
    let doses = immunizations::of_patient(db, patient.id).await?;
    let open: Vec<i32> = requests::Entity::find()
        .select_only()
        .column(requests::Column::DoseNumber)
        .filter(requests::Column::PatientId.eq(patient.id))
        .filter(requests::Column::CourseId.eq(course_id))
        .filter(Expr::cust("status IN ('pending', 'approved', 'booked')"))
        .into_tuple()
        .all(db)
        .await?;
    let judged = vaccines.iter().map(|vaccine| {
        let facts = Facts {
            patient: &patient,
            course: &course,
            vaccine: vaccine.as_ref(),
            doses: &doses,
            dose_number: question.dose_number.map(Doses::get),
            open_requests: &open,
            has_overlapping_booking: false,
        };
        eligibility::judge(&facts, on)
    });
    judged.min_by_key(preference).ok_or(Error::NotFound)
}

/// Order of the answers for the vaccines of a course: the best first.
fn preference(judged: &Eligibility) -> (Verdict, NaiveDate) {
    (judged.verdict, judged.earliest_on.unwrap_or(NaiveDate::MAX))
}

/// The course, and the vaccines of which one will do; none for any product of the schedule.
async fn wanted(
    db: &impl ConnectionTrait,
    context: &Vaccination,
    wanted: Wanted,
) -> Result<(Uuid, Vec<Option<vaccines::Model>>)> {
    match wanted {
        Wanted::Vaccine(id) => {
            let vaccine = vaccines::Entity::find_by_id(id).one(db).await?;
            let vaccine = vaccine.ok_or_else(|| Violation::new("vaccine_id", "unknown", "is not a vaccine"))?;
            Ok((vaccine.course_id, vec![Some(vaccine)]))
        }
        Wanted::Course(id) => {
            let course = known_or(context.schedules.rules(db, id).await, "course_id", "is not a course")?;
            if course.schedule.is_some() {
                return Ok((id, vec![None]));
            }
            let of_course = vaccines::Entity::find().filter(vaccines::Column::CourseId.eq(id));
            let vaccines = of_course.order_by_asc(vaccines::Column::Id).all(db).await?;
            if vaccines.is_empty() {
                return Err(Violation::new("course_id", "unknown", "has neither a schedule nor a vaccine").into());
            }
            Ok((id, vaccines.into_iter().map(Some).collect()))
        }
    }
}

/// The patient, or what a first request would make of the account or the contact.
async fn person(
    db: &impl ConnectionTrait,
    clock: &Clock,
    caller: &Caller,
    user: users::Model,
    person: Person,
) -> Result<patients::Model> {
    let known = patients::Entity::find().filter(patients::Column::UserId.eq(user.id));
    let row = match person {
        Person::Patient(id) => {
            return known_or(
                people::get(db, clock, caller, id).await,
                "patient_id",
                "is not a patient whom you may see",
            );
        }
        Person::Own => match known.filter(patients::Column::Relation.eq("self")).one(db).await? {
            Some(patient) => return Ok(patient),
            None => people::from_account(user, clock.now()),
        },
        Person::Contact(id) => match known.filter(patients::Column::ContactId.eq(id)).one(db).await? {
            Some(patient) => return Ok(patient),
            None => {
                let contact =
                    known_or(contacts::get(db, &caller.actor, id).await, "contact_id", "is not one of your contacts")?;
                people::from_contact(contact, clock.now())
            }
        },
    };
    Ok(row.try_into_model()?)
}

/// Reports an unknown id as a violation of a member.
fn known_or<T>(found: Result<T>, field: &'static str, message: &'static str) -> Result<T> {
    match found {
        Err(Error::NotFound) => Err(Violation::new(field, "unknown", message).into()),
        found => found,
    }
}
