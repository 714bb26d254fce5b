//! Walk-ins: people who come to a centre without a booking.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, post, web};
use chrono::Datelike as _;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::api::http::extract::Id;
use crate::api::http::field::{Field, Optional as _};
use crate::api::http::once::{self, IdempotencyHeader, Keyed};
use crate::api::http::problem::Problem;
use crate::api::vaccination::request_replies::{VaccineRequestReply, render_created};
use crate::domain::records::idempotency::Once;
use crate::domain::vaccination::catalogue::EXAMPLE_ID;
use crate::domain::vaccination::door::check_in::{CheckIn, IdentifiedBy, OverrideReason};
use crate::domain::vaccination::door::walk_ins::{self, WalkIn, WalkInPerson};
use crate::domain::vaccination::patients::NewWalkIn;
use crate::domain::vaccination::vaccines::Doses;
use crate::domain::values::caller::Caller;
use crate::domain::values::person::{BirthDate, BirthYear, NamePart};
use crate::error::{Error, Violation};
use crate::state::AppState;

/// A person who is not known yet.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "given_name": "Ada", "family_name": "Lovelace", "birth_date": "1985-12-10" }))]
pub struct NewPerson {
    /// Given name.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    given_name: Field<NamePart>,
    /// Family name.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    family_name: Field<NamePart>,
    /// Date of birth, if it is known.
    #[validate(nested)]
    #[schema(inline)]
    birth_date: Option<Field<BirthDate>>,
    /// Year of birth, if no more is known; not with `birth_date`.
    #[validate(nested)]
    #[schema(inline)]
    birth_year: Option<Field<BirthYear>>,
}

impl TryFrom<NewPerson> for NewWalkIn {
    type Error = Error;

    fn try_from(body: NewPerson) -> Result<Self, Error> {
        let part = |part: u32| i16::try_from(part).map_err(Error::internal);
        let birth = match (body.birth_date.value()?, body.birth_year.value()?) {
            (Some(_), Some(_)) => {
                return Err(Violation::new("person.birth_year", "both", "cannot be combined with birth_date").into());
            }
            (Some(date), None) => {
                let date = date.date();
                let year = i16::try_from(date.year()).map_err(Error::internal)?;
                Some((year, Some((part(date.month())?, part(date.day())?))))
            }
            (None, Some(year)) => Some((year.get(), None)),
            (None, None) => None,
        };
        Ok(Self { given_name: body.given_name.value()?, family_name: body.family_name.value()?, birth })
    }
}

/// A patient who comes without a booking.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "person": { "given_name": "Ada", "family_name": "Lovelace", "birth_date": "1985-12-10" },
    "vaccine_id": EXAMPLE_ID,
    "identified_by": "passport",
}))]
pub struct CreateWalkIn {
    /// A patient who is known; this or `person`.
    #[validate(nested)]
    #[schema(value_type = Option<Uuid>)]
    patient_id: Option<Field<Uuid>>,
    /// A person who is not known yet.
    #[validate(nested)]
    #[schema(value_type = NewPerson, required = false)]
    person: Option<NewPerson>,
    /// A vaccine of the catalogue.
    #[serde(default)]
    #[validate(nested)]
    #[schema(value_type = Uuid, required = true)]
    vaccine_id: Field<Uuid>,
    /// Number of the dose in its course; the next one by default.
    #[validate(nested)]
    #[schema(inline)]
    dose_number: Option<Field<Doses>>,
    /// A slot of the centre that is not over, of which a place is taken; without it, none is.
    #[validate(nested)]
    #[schema(value_type = Option<Uuid>)]
    slot_id: Option<Field<Uuid>>,
    /// How the patient was identified; absent or null without a document.
    #[validate(nested)]
    #[schema(inline)]
    identified_by: Option<Field<IdentifiedBy>>,
    /// Answers to the questions of the course: whether it is yes, by the id of the question. Without them, the patient must be
    /// checked in with answers before the dose.
    #[schema(value_type = BTreeMap<String, bool>, required = false)]
    answers: Option<BTreeMap<String, bool>>,
    /// Why the patient is received although a rule asks to wait. The rule is recorded in the audit trail, the reason is not; it
    /// is needed again when the dose is given.
    #[validate(nested)]
    #[schema(inline)]
    override_reason: Option<Field<OverrideReason>>,
}

impl TryFrom<CreateWalkIn> for WalkIn {
    type Error = Error;

    fn try_from(body: CreateWalkIn) -> Result<Self, Error> {
        let person = match (body.patient_id.value()?, body.person) {
            (Some(id), None) => WalkInPerson::Patient(id),
            (None, Some(person)) => WalkInPerson::New(person.try_into()?),
            (None, None) => return Err(Violation::new("patient_id", "required", "is required, or person").into()),
            (Some(_), Some(_)) => {
                return Err(Violation::new("person", "both", "cannot be combined with patient_id").into());
            }
        };
        Ok(Self {
            person,
            vaccine_id: body.vaccine_id.value()?,
            dose_number: body.dose_number.value()?,
            slot_id: body.slot_id.value()?,
            check_in: CheckIn {
                identified_by: body.identified_by.value()?,
                answers: body.answers.unwrap_or_default(),
                override_reason: body.override_reason.value()?,
            },
        })
    }
}

/// Check in a walk-in
///
/// Their open request for the dose, which is approved thereby, or a new one. It is given as any other: with
/// `POST /vaccine-requests/{id}/administer`.
///
/// **Open to:** the staff of the centre, and admins.
#[utoipa::path(
    operation_id = "create_walk_in", tag = "door", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path), IdempotencyHeader),
    request_body = CreateWalkIn,
    responses(
        (status = 201, body = VaccineRequestReply, headers(("Location" = String, description = "Path of the request"))),
        (status = 403, description = "Needs the role staff"),
        (
            status = 409,
            description = "The rules do not allow the dose today, a place is booked for it, or the slot has none"
        ),
    )
)]
#[post("/{id}/walk-ins")]
pub async fn create(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
    Keyed { body, key }: Keyed<CreateWalkIn>,
) -> Result<HttpResponse, Problem> {
    let once = Once { key: key.as_ref(), render: render_created };
    let new = body.try_into()?;
    Ok(once::respond(walk_ins::create(&state.db, &state.vaccination, &caller, once, id.0, &new).await?))
}
