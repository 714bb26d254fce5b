//! Replies about vaccine requests: the request with its patient and its booked slot, and counts.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use chrono::{DateTime, NaiveDate, Utc};
use entity::{PatientRelation, RequestStatus, WaitlistStatus};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::http::once;
use crate::api::vaccination::patients::PatientReply;
use crate::domain::records::idempotency::Response;
use crate::domain::vaccination::request_list::{BookedSlot, ContactName, Request, WaitlistPlace};
use crate::domain::values::time_zone::TimeZone;
use crate::error::Error;

/// A vaccine request.
#[derive(Serialize, ToSchema)]
pub struct VaccineRequestReply {
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    id: Uuid,
    /// The account that made the request.
    #[schema(required = true, example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    user_id: Option<Uuid>,
    /// Whether the request is for a contact, not for the owner of the account.
    for_contact: bool,
    /// The contact; null if the request is for the owner, or the contact has been deleted.
    #[schema(required = true, example = json!(null))]
    contact_id: Option<Uuid>,
    /// Name and birthday of the contact.
    #[schema(required = true)]
    contact: Option<PersonReply>,
    /// The person who is vaccinated.
    patient: RequestPatientReply,
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    vaccine_id: Uuid,
    /// The course of the vaccine.
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    course_id: Uuid,
    /// Number of the dose in its course.
    #[schema(example = 1, minimum = 1)]
    dose_number: i32,
    status: RequestStatus,
    /// Note to staff.
    #[schema(required = true, example = "I am free on Mondays.")]
    note: Option<String>,
    /// Reason of a rejection.
    #[schema(required = true, example = json!(null))]
    reason: Option<String>,
    /// The account that approved or rejected it.
    #[schema(required = true, example = json!(null))]
    reviewer_id: Option<Uuid>,
    /// The booked slot.
    #[schema(required = true)]
    slot: Option<BookedSlotReply>,
    /// Code to show at the centre.
    #[schema(required = true, example = "7KX2M9QD")]
    code: Option<String>,
    /// How often the booking was moved.
    #[schema(example = 0, minimum = 0)]
    moves: i32,
    /// The invitation that was used for it.
    #[schema(required = true, example = json!(null))]
    invitation_id: Option<Uuid>,
    /// When the patient came to a centre.
    #[schema(required = true)]
    checked_in_at: Option<DateTime<Utc>>,
    /// The centre to which the patient came.
    #[schema(required = true, example = json!(null))]
    checked_in_centre_id: Option<Uuid>,
    /// How the patient was identified.
    #[schema(required = true, example = "passport")]
    identified_by: Option<String>,
    /// Answers to the questions of the course: whether it is yes, by the id of the question; null if nothing was asked.
    #[schema(required = true, example = json!({ "pregnant": false }))]
    answers: Option<BTreeMap<String, bool>>,
    /// The place on the waitlist, also after it ended; null if the request never was on it.
    #[schema(required = true)]
    waitlist: Option<WaitlistReply>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// Name and birthday of the contact that a request is for.
#[derive(Serialize, ToSchema)]
pub struct PersonReply {
    #[schema(required = true, example = "Byron")]
    first_name: Option<String>,
    #[schema(required = true, example = "King")]
    last_name: Option<String>,
    #[schema(required = true, example = 5, minimum = 1, maximum = 12)]
    birth_month: Option<i16>,
    #[schema(required = true, example = 12, minimum = 1, maximum = 31)]
    birth_day: Option<i16>,
    #[schema(required = true, example = 2019)]
    birth_year: Option<i16>,
}

/// The person who is vaccinated.
#[derive(Serialize, ToSchema)]
pub struct RequestPatientReply {
    #[serde(flatten)]
    patient: PatientReply,
    /// National id of the account; null for others than its owner.
    #[schema(required = true, example = "19121815-AL")]
    nid: Option<String>,
    /// When staff verified the national id; null while it is a claim.
    #[schema(required = true)]
    nid_verified_at: Option<DateTime<Utc>>,
}

/// A place on the waitlist.
#[derive(Serialize, ToSchema)]
pub struct WaitlistReply {
    status: WaitlistStatus,
    /// The only centre that fits; null for any.
    #[schema(required = true, example = json!(null))]
    centre_id: Option<Uuid>,
    /// First day that fits, on the calendar of the centre.
    from_date: NaiveDate,
    /// Last day that fits.
    #[schema(required = true)]
    to_date: Option<NaiveDate>,
    /// Number of requests before this one, counted to 1,000, while it waits: a number of 1,000 may be greater in fact.
    #[schema(required = true, example = 3, minimum = 0, maximum = 1000)]
    ahead: Option<i64>,
    /// The place that is held for the request.
    #[schema(required = true)]
    offer: Option<OfferReply>,
}

/// A place that is held for a request.
#[derive(Serialize, ToSchema)]
pub struct OfferReply {
    slot: BookedSlotReply,
    /// From this time on, the offer cannot be accepted.
    expires_at: DateTime<Utc>,
}

impl From<WaitlistPlace> for WaitlistReply {
    fn from(WaitlistPlace { entry, ahead, offered }: WaitlistPlace) -> Self {
        let offer = offered.zip(entry.offer_expires_at);
        Self {
            status: entry.status,
            centre_id: entry.centre_id,
            from_date: entry.from_date,
            to_date: entry.to_date,
            ahead,
            offer: offer.map(|(slot, expires_at)| OfferReply { slot: slot.into(), expires_at }),
        }
    }
}

/// A slot that is booked or offered.
#[derive(Serialize, ToSchema)]
pub struct BookedSlotReply {
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    id: Uuid,
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    centre_id: Uuid,
    #[schema(example = "Town hall")]
    centre_name: String,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    /// Start on the clock of the centre (RFC 3339, with the offset from UTC).
    #[schema(example = "2026-12-01T09:00:00+01:00", format = DateTime)]
    local_start: String,
    /// IANA time zone of the centre.
    #[schema(example = "Europe/London")]
    time_zone: String,
}

impl From<BookedSlot> for BookedSlotReply {
    fn from(booked: BookedSlot) -> Self {
        let zone = TimeZone::parse(&booked.time_zone).unwrap_or(TimeZone::UTC);
        Self {
            id: booked.slot.id,
            centre_id: booked.slot.centre_id,
            centre_name: booked.centre_name,
            starts_at: booked.slot.starts_at,
            ends_at: booked.slot.ends_at,
            local_start: zone.local_with_offset(booked.slot.starts_at).to_rfc3339(),
            time_zone: booked.time_zone,
        }
    }
}

impl From<ContactName> for PersonReply {
    fn from(contact: ContactName) -> Self {
        Self {
            first_name: contact.first_name,
            last_name: contact.last_name,
            birth_month: contact.birth_month,
            birth_day: contact.birth_day,
            birth_year: contact.birth_year,
        }
    }
}

impl From<Request> for VaccineRequestReply {
    fn from(Request { request, patient, nid, nid_verified_at, contact, slot, waitlist }: Request) -> Self {
        Self {
            id: request.id,
            user_id: request.user_id,
            for_contact: patient.relation != PatientRelation::Own && patient.user_id.is_some(),
            contact_id: patient.contact_id,
            contact: contact.map(Into::into),
            patient: RequestPatientReply { patient: patient.into(), nid, nid_verified_at },
            vaccine_id: request.vaccine_id,
            course_id: request.course_id,
            dose_number: request.dose_number,
            status: request.status,
            note: request.note,
            reason: request.reason,
            reviewer_id: request.reviewed_by,
            slot: slot.map(Into::into),
            code: request.code,
            moves: request.moves,
            invitation_id: request.invitation_id,
            checked_in_at: request.checked_in_at,
            checked_in_centre_id: request.centre_id,
            identified_by: request.identified_by,
            // Stored as this service has written it.
            answers: request.answers.and_then(|answers| serde_json::from_str(&answers).ok()),
            waitlist: waitlist.map(Into::into),
            created_at: request.created_at,
            updated_at: request.updated_at,
        }
    }
}

/// The response to an operation on a request.
pub fn render(request: &Request) -> Result<Response, Error> {
    once::render(StatusCode::OK, None, &VaccineRequestReply::from(request.clone()))
}

/// The response to a new request.
pub fn render_created(request: &Request) -> Result<Response, Error> {
    let location = format!("/api/v1/vaccine-requests/{}", request.request.id);
    once::render(StatusCode::CREATED, Some(location), &VaccineRequestReply::from(request.clone()))
}

/// Number of vaccine requests of each status.
#[derive(Serialize, ToSchema)]
pub struct RequestCountsReply {
    /// Requests of one status that are counted at most: a number that equals it may be greater in fact.
    #[schema(example = 10000, minimum = 1)]
    pub limit: u64,
    #[schema(example = 12, minimum = 0, maximum = 10000)]
    pub pending: u64,
    #[schema(example = 30, minimum = 0, maximum = 10000)]
    pub approved: u64,
    #[schema(example = 2, minimum = 0, maximum = 10000)]
    pub rejected: u64,
    #[schema(example = 25, minimum = 0, maximum = 10000)]
    pub booked: u64,
    #[schema(example = 400, minimum = 0, maximum = 10000)]
    pub administered: u64,
    #[schema(example = 3, minimum = 0, maximum = 10000)]
    pub missed: u64,
    #[schema(example = 9, minimum = 0, maximum = 10000)]
    pub cancelled: u64,
}
