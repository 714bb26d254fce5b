//! Eligibility of a person for a dose, before it is requested.

use chrono::NaiveDate;
use entity::{patients, users, vaccine_requests as requests, vaccines};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, TryIntoModel as _};
use uuid::Uuid;

use crate::domain::accounts::users as accounts;
use crate::domain::vaccination::eligibility::{self, Eligibility, Facts};
use crate::domain::vaccination::patients as people;
use crate::domain::vaccination::vaccines::Doses;
use crate::domain::values::actor::Actor;
use crate::domain::values::clock::Clock;
use crate::error::{Error, Result, Violation};

/// A dose of a person on a day.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// The vaccine.
    pub vaccine_id: Uuid,
    /// A contact of the actor; none for the actor.
    pub contact_id: Option<Uuid>,
    /// Number of the dose in its course, from 1.
    pub dose_number: Doses,
    /// The day; none for today.
    pub on: Option<NaiveDate>,
}

/// Applies the rules to a dose of a person.
///
/// # Errors
/// A violation if there is no such vaccine, or the actor has no such contact.
pub async fn check(
    db: &impl ConnectionTrait,
    clock: &Clock,
    actor: &Actor,
    question: &Question,
) -> Result<Eligibility> {
    let user = accounts::get_own(db, actor).await?;
    let zone = accounts::time_zone(&user);
    let unknown = || Violation::new("vaccine_id", "unknown", "is not a vaccine");
    let vaccine = vaccines::Entity::find_by_id(question.vaccine_id).one(db).await?.ok_or_else(unknown)?;
    let patient = person(db, clock, actor, user, question.contact_id).await?;
    let dose_number = question.dose_number.get();
    let open = requests::Entity::find()
        .filter(requests::Column::PatientId.eq(patient.id))
        .filter(requests::Column::CourseId.eq(vaccine.course_id))
        .filter(requests::Column::DoseNumber.eq(dose_number))
        .filter(Expr::cust("status IN ('pending', 'approved', 'booked')"));
    let facts = Facts {
        patient: &patient,
        vaccine: &vaccine,
        dose_number,
        has_open_request: open.one(db).await?.is_some(),
        has_overlapping_booking: false,
    };
    Ok(eligibility::judge(&facts, question.on.unwrap_or_else(|| zone.date(clock.now()))))
}

/// The patient, or what a first request would make of the account or the contact.
async fn person(
    db: &impl ConnectionTrait,
    clock: &Clock,
    actor: &Actor,
    user: users::Model,
    contact_id: Option<Uuid>,
) -> Result<patients::Model> {
    let known = patients::Entity::find().filter(patients::Column::UserId.eq(actor.user_id));
    let known = match contact_id {
        Some(id) => known.filter(patients::Column::ContactId.eq(id)),
        None => known.filter(patients::Column::Relation.eq("self")),
    };
    if let Some(patient) = known.one(db).await? {
        return Ok(patient);
    }
    let row = match contact_id {
        None => people::from_account(user, clock.now()),
        Some(id) => {
            let unknown = || Violation::new("contact_id", "unknown", "is not one of your contacts");
            let contact = match crate::domain::contacts::contacts::get(db, actor, id).await {
                Err(Error::NotFound) => return Err(unknown().into()),
                contact => contact?,
            };
            people::from_contact(contact, clock.now())
        }
    };
    Ok(row.try_into_model()?)
}
