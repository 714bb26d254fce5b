//! A visit: a request of a patient at a centre, read for staff who act there, with the doses and rules that decide.

use chrono::NaiveDate;
use entity::{
    RequestStatus, Role, centres as centres_table, slots as slots_table, vaccine_requests as requests, vaccines,
};
use sea_orm::{ConnectionTrait, EntityTrait};

use crate::domain::vaccination::course_rules::CourseRules;
use crate::domain::vaccination::dose_history;
use crate::domain::vaccination::eligibility::{self, Answers, Eligibility, Facts, GivenAnswers};
use crate::domain::vaccination::operation::{Locked, Operation};
use crate::domain::vaccination::schedule::GivenDose;
use crate::domain::values::text::Text;
use crate::domain::values::time_zone::TimeZone;
use crate::error::{Conflict, Error, Result, Violation};

/// Why staff give a dose although a rule asks to wait.
pub type OverrideReason = Text<500>;

/// A request of a locked patient at a centre in which the caller acts.
pub(super) struct Visit {
    pub locked: Locked,
    pub centre: centres_table::Model,
    pub slot: Option<slots_table::Model>,
    pub course: CourseRules,
    /// Doses of the patient by date, of all courses.
    pub doses: Vec<GivenDose>,
    /// Time zone of the centre.
    zone: TimeZone,
    /// The date, on the calendar of the centre.
    pub today: NaiveDate,
}

impl Visit {
    /// Locks the patient, and reads the request.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is staff; [`Error::NotFound`] if there is no such request, or it is at a
    /// centre in which they do not act; a conflict if it is at no centre.
    pub async fn open(transaction: &impl ConnectionTrait, operation: &Operation<'_>) -> Result<Self> {
        operation.actor().require(Role::Staff)?;
        Self::of(transaction, operation, operation.lock(transaction).await?).await
    }

    async fn of(transaction: &impl ConnectionTrait, operation: &Operation<'_>, locked: Locked) -> Result<Self> {
        let slot = match locked.request.slot_id {
            Some(id) => slots_table::Entity::find_by_id(id).one(transaction).await?,
            None => None,
        };
        let centre_id = slot.as_ref().map(|slot| slot.centre_id).or(locked.request.centre_id);
        let Some(centre_id) = centre_id else {
            return Err(Conflict::RequestStatus(locked.request.status).into());
        };
        if !operation.acts_in(transaction, centre_id).await? {
            return Err(Error::NotFound);
        }
        let centre = centres_table::Entity::find_by_id(centre_id).one(transaction).await?.ok_or(Error::NotFound)?;
        let zone = TimeZone::parse(&centre.time_zone)?;
        Ok(Self {
            course: operation.context.schedules.rules(transaction, locked.request.course_id).await?,
            doses: dose_history::of_patient(transaction, locked.patient.id).await?,
            today: zone.date(operation.now()),
            zone,
            locked,
            centre,
            slot,
        })
    }

    /// Checks that the patient can be vaccinated in this visit: the request is booked, or they have come without a booking.
    ///
    /// # Errors
    /// A conflict.
    pub fn check_open(&self) -> Result<()> {
        let request = &self.locked.request;
        match request.status {
            RequestStatus::Booked => Ok(()),
            RequestStatus::Approved if self.is_checked_in_today() => Ok(()),
            RequestStatus::Administered => Err(Conflict::DoseRecorded.into()),
            status => Err(Conflict::RequestStatus(status).into()),
        }
    }

    /// Whether the patient has come today, on the calendar of the centre.
    fn is_checked_in_today(&self) -> bool {
        is_checked_in(&self.locked.request, &self.zone, self.today)
    }

    /// The answers to the questions of the course that the patient gave today.
    pub fn answers_of_today(&self) -> Result<GivenAnswers> {
        Ok(answers_of_day(&self.locked.request, &self.zone, self.today)?.unwrap_or_default())
    }

    /// Applies the rules to a dose of a vaccine today.
    pub fn judge(&self, vaccine: &vaccines::Model, answers: Answers<'_>) -> Eligibility {
        let number = Some(self.locked.request.dose_number);
        let facts = Facts::of_dose(&self.locked.patient, &self.course, vaccine, &self.doses, number);
        eligibility::judge(&Facts { answers, ..facts }, self.today)
    }
}

fn is_checked_in(request: &requests::Model, zone: &TimeZone, day: NaiveDate) -> bool {
    request.checked_in_at.is_some_and(|time| zone.date(time) == day)
}

/// The answers to the questions of the course that a patient gave on a day, on the calendar of the centre; none if they did
/// not come.
pub(super) fn answers_of_day(
    request: &requests::Model,
    zone: &TimeZone,
    day: NaiveDate,
) -> Result<Option<GivenAnswers>> {
    if !is_checked_in(request, zone, day) {
        return Ok(None);
    }
    let answers = request.answers.as_deref().map(serde_json::from_str).transpose().map_err(Error::internal)?;
    Ok(Some(answers.unwrap_or_default()))
}

/// Checks that each question of a course has an answer.
///
/// # Errors
/// A violation in `answers`.
pub(super) fn check_answers(course: &CourseRules, answers: &GivenAnswers) -> Result<()> {
    let questions = course.schedule.as_ref().map_or(&[][..], |schedule| &schedule.questions);
    if answers.keys().any(|id| questions.iter().all(|question| question.id != *id)) {
        return Err(
            Violation::new("answers", "unknown", "has an answer to a question that the course does not have").into()
        );
    }
    let open: Vec<&str> =
        questions.iter().map(|question| question.id.as_str()).filter(|id| !answers.contains_key(*id)).collect();
    if open.is_empty() {
        return Ok(());
    }
    let message = format!("must answer the questions of the course: {}", open.join(", "));
    Err(Violation::new("answers", "required", message).into())
}

/// Refuses a patient whom the rules ask to wait, unless staff have a reason. What an answer leaves to staff is decided when
/// the dose is given. Returns the names of the rules that staff have set aside, for the audit trail.
///
/// # Errors
/// [`Error::NotEligible`].
pub(super) fn check_rules(judged: &Eligibility, reason: Option<&OverrideReason>) -> Result<String> {
    let mut rules = judged.rules_to_override().map_err(Error::NotEligible)?;
    rules.retain(|rule| *rule != eligibility::QUESTION);
    if reason.is_none() && !rules.is_empty() {
        return Err(Error::NotEligible(Box::new(judged.clone())));
    }
    Ok(rules.join(", "))
}
