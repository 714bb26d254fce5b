//! Arrivals: a booking is looked up by the code that the patient shows. Wrong codes are throttled, because a code tells who is
//! vaccinated.

use entity::{AuditAction, Role, centres as centres_table, slots, vaccine_requests as requests, vaccines};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait as _};
use uuid::Uuid;

use crate::db::{Transact, not_indexed};
use crate::domain::auth::context::Auth;
use crate::domain::auth::throttle::{Action, Attempt};
use crate::domain::records::audit::Event;
use crate::domain::vaccination::booking_codes::BookingCode;
use crate::domain::vaccination::context::Vaccination;
use crate::domain::vaccination::door::visit::answers_of_day;
use crate::domain::vaccination::eligibility::{self, Answers, Eligibility, Facts};
use crate::domain::vaccination::request_list::{self, Request};
use crate::domain::vaccination::schedule::Question;
use crate::domain::vaccination::{centres, dose_history};
use crate::domain::values::caller::Caller;
use crate::domain::values::time_zone::TimeZone;
use crate::error::{Error, Result};

/// A booking of somebody who has come.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The request.
    pub request: Request,
    /// Whether the patient may have the dose today.
    pub eligibility: Eligibility,
    /// Questions to ask.
    pub questions: Vec<Question>,
}

/// Finds the booking with a code at a centre. The look-up is recorded.
///
/// # Errors
/// [`Error::Forbidden`] unless the caller is staff; [`Error::NotFound`] if they act elsewhere, or the centre has no booking
/// with this code; [`Error::TooMany`] after wrong codes.
pub async fn find(
    db: &impl Transact,
    auth: &Auth,
    context: &Vaccination,
    caller: &Caller,
    centre_id: Uuid,
    code: &BookingCode,
) -> Result<Arrival> {
    caller.actor.require(Role::Staff)?;
    let centre = centres::get_own(db, &caller.actor, centre_id).await?;
    let account = caller.actor.user_id.to_string();
    let attempt = Attempt::new(auth, Action::FindArrival, Some(&account), &caller.client);
    let state = attempt.state(db).await?;
    state.check()?;
    let Some(id) = with_code(db, &centre, code).await? else {
        attempt.count(db, &state).await?;
        return Err(Error::NotFound);
    };
    let request = request_list::by_id(db, id).await?;
    let event = Event::new(AuditAction::ArrivalRead, &caller.client).by(Some(caller.actor.user_id));
    event.to(request.patient.user_id).on(id).record(db, context.clock.now()).await?;
    arrival(db, context, &centre, request).await
}

/// The request with a code that is booked at a centre, or of which the patient checked in there.
async fn with_code(
    db: &impl ConnectionTrait,
    centre: &centres_table::Model,
    code: &BookingCode,
) -> Result<Option<Uuid>> {
    let in_centre = slots::Entity::find()
        .select_only()
        .expr(Expr::cust("1"))
        .filter(Expr::cust("slots.id = vaccine_requests.slot_id"))
        .filter(slots::Column::CentreId.eq(centre.id));
    let request = requests::Entity::find()
        .select_only()
        .column(requests::Column::Id)
        .filter(requests::Column::Code.eq(code.as_str()))
        .filter(not_indexed(requests::Column::CentreId.eq(centre.id)).or(Expr::exists(in_centre.into_query())));
    Ok(request.into_tuple().one(db).await?)
}

async fn arrival(
    db: &impl ConnectionTrait,
    context: &Vaccination,
    centre: &centres_table::Model,
    request: Request,
) -> Result<Arrival> {
    let vaccine_id = request.slot.as_ref().map_or(request.request.vaccine_id, |booked| booked.slot.vaccine_id);
    let vaccine = vaccines::Entity::find_by_id(vaccine_id).one(db).await?.ok_or(Error::NotFound)?;
    let course = context.schedules.rules(db, request.request.course_id).await?;
    let doses = dose_history::of_patient(db, request.patient.id).await?;
    let number = Some(request.request.dose_number);
    let zone = TimeZone::parse(&centre.time_zone)?;
    let today = zone.date(context.clock.now());
    let answers = answers_of_day(&request.request, &zone, today)?;
    let facts = Facts {
        answers: answers.as_ref().map_or(Answers::NotAsked, Answers::Given),
        ..Facts::of_dose(&request.patient, &course, &vaccine, &doses, number)
    };
    Ok(Arrival {
        eligibility: eligibility::judge(&facts, today),
        questions: course.schedule.as_ref().map(|schedule| schedule.questions.clone()).unwrap_or_default(),
        request,
    })
}
