//! Eligibility of a person for a dose, before it is requested.

use chrono::NaiveDate;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::domain::vaccination::context::Vaccination;
use crate::domain::vaccination::dose_json;
use crate::domain::vaccination::eligibility::subject::Subject;
use crate::domain::vaccination::eligibility::{self, Answers, Eligibility, Facts, Verdict};
use crate::domain::vaccination::patients;
use crate::domain::vaccination::vaccines::Doses;
use crate::domain::values::caller::Caller;
use crate::error::Result;

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
/// One statement reads all that the rules need to know.
///
/// # Errors
/// A violation if there is no such vaccine or course, or the actor has no such contact or patient.
pub async fn check(
    db: &impl ConnectionTrait,
    context: &Vaccination,
    caller: &Caller,
    question: &Question,
) -> Result<Eligibility> {
    let subject = Subject::read(db, &caller.actor, question.wanted, question.person).await?;
    let now = context.clock.now();
    let on = question.on.unwrap_or_else(|| subject.zone.date(now));
    let course = context.schedules.of(db, &subject.course).await?;
    let doses = dose_json::read_for(&subject.doses, &course)?;
    if let (Some(patient), Person::Patient(_)) = (subject.patient, question.person) {
        patients::record_read(db, &context.clock, caller, [patient].into_iter(), None).await?;
    }
    // With a schedule, any of its products will do, unless a vaccine was asked for.
    let is_any = course.schedule.is_some() && matches!(question.wanted, Wanted::Course(_));
    let vaccines = if is_any { vec![None] } else { subject.vaccines.iter().map(Some).collect() };
    let judged = vaccines.into_iter().map(|vaccine| {
        let facts = Facts {
            born: subject.born,
            course: &course,
            vaccine,
            doses: &doses,
            dose_number: question.dose_number.map(Doses::get),
            open_requests: &subject.open_requests,
            has_overlapping_booking: false,
            answers: Answers::NotAsked,
        };
        eligibility::judge(&facts, on)
    });
    judged.min_by_key(preference).ok_or_else(|| Subject::unknown_course("has neither a schedule nor a vaccine").into())
}

/// Order of the answers for the vaccines of a course: the best first.
fn preference(judged: &Eligibility) -> (Verdict, NaiveDate) {
    (judged.verdict, judged.earliest_on.unwrap_or(NaiveDate::MAX))
}
