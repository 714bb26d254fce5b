//! Replies that problem documents have, too: slots, and the outcome of the rules.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::vaccination::eligibility::{Eligibility, Outcome, PastDose, Rule, Verdict};
use crate::domain::vaccination::slots::Slot;

/// A slot of a centre.
#[derive(Serialize, ToSchema)]
pub struct SlotReply {
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    id: Uuid,
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    centre_id: Uuid,
    #[schema(example = "01900000-0000-7000-8000-000000000009")]
    vaccine_id: Uuid,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    /// Start on the clock of the centre (RFC 3339, with the offset from UTC).
    #[schema(example = "2026-12-01T09:00:00+01:00", format = DateTime)]
    local_start: String,
    /// Number of places.
    #[schema(example = 10, minimum = 0)]
    capacity: i32,
    /// Number of free places.
    #[schema(example = 4, minimum = 0)]
    free: i32,
    /// Whether booking needs an invitation.
    invited_only: bool,
    /// When it was closed; null while it is open.
    #[schema(required = true)]
    closed_at: Option<DateTime<Utc>>,
    /// Reason for closing.
    #[schema(required = true, example = json!(null))]
    closed_reason: Option<String>,
}

impl From<Slot> for SlotReply {
    fn from(Slot { slot, zone }: Slot) -> Self {
        Self {
            id: slot.id,
            centre_id: slot.centre_id,
            vaccine_id: slot.vaccine_id,
            starts_at: slot.starts_at,
            ends_at: slot.ends_at,
            local_start: zone.local_with_offset(slot.starts_at).to_rfc3339(),
            capacity: slot.capacity,
            free: if slot.closed_at.is_some() { 0 } else { slot.capacity - slot.booked - slot.held },
            invited_only: slot.invited_only,
            closed_at: slot.closed_at,
            closed_reason: slot.closed_reason,
        }
    }
}

/// Whether a patient may have a dose on a day, and why.
#[derive(Serialize, ToSchema)]
pub struct EligibilityReply {
    /// `eligible`, `not_eligible`, or `unknown` if something is not known, such as the birth date.
    #[schema(example = "eligible")]
    verdict: &'static str,
    /// Number of the dose in its course.
    #[schema(example = 1, minimum = 1)]
    dose_number: i32,
    /// The day.
    on: NaiveDate,
    /// First day on which all rules pass, which may be past; null if they pass on no day from `on` on.
    #[schema(required = true)]
    earliest_on: Option<NaiveDate>,
    /// Day that the schedule recommends; null without `earliest_on`.
    #[schema(required = true)]
    recommended_on: Option<NaiveDate>,
    /// Last day on which all rules pass; null if there is none.
    #[schema(required = true)]
    latest_on: Option<NaiveDate>,
    /// Code of the course.
    #[schema(example = "MMR")]
    course: String,
    /// Version of the schedule that was applied; null if it follows from the vaccine.
    #[schema(required = true, example = 3, minimum = 1)]
    schedule_version: Option<i32>,
    /// Name of the series that was chosen; null if none fits.
    #[schema(required = true, example = "2 doses")]
    series: Option<String>,
    /// Doses of the course by date.
    history: Vec<PastDoseReply>,
    rules: Vec<RuleReply>,
}

/// A dose that was given, and whether it counts.
#[derive(Serialize, ToSchema)]
pub struct PastDoseReply {
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    immunization_id: Uuid,
    administered_on: NaiveDate,
    counts: bool,
    /// Number in the course; null if it does not count.
    #[schema(required = true, example = 1, minimum = 1)]
    dose_number: Option<i32>,
    /// The rule that it breaks; null if there is none. A dose within the grace period of a minimum counts, and breaks it.
    #[schema(required = true, example = json!(null))]
    rule: Option<&'static str>,
}

/// A rule and its outcome.
#[derive(Serialize, ToSchema)]
pub struct RuleReply {
    /// Name of the rule.
    #[schema(example = "age_minimum")]
    rule: &'static str,
    /// `passed`, `failed`, `grace` (a dose on that day counts, but is not planned), `unknown` or `not_applicable`.
    #[schema(example = "passed")]
    outcome: &'static str,
    /// The rule with its figures.
    #[schema(example = "The minimum age is 9 months.")]
    message: String,
    /// First day on which it passes, if that depends on the day.
    #[schema(required = true)]
    earliest_on: Option<NaiveDate>,
}

impl From<Eligibility> for EligibilityReply {
    fn from(judged: Eligibility) -> Self {
        Self {
            verdict: match judged.verdict {
                Verdict::Eligible => "eligible",
                Verdict::NotEligible => "not_eligible",
                Verdict::Unknown => "unknown",
            },
            dose_number: judged.dose_number,
            on: judged.on,
            earliest_on: judged.earliest_on,
            recommended_on: judged.recommended_on,
            latest_on: judged.latest_on,
            course: judged.course,
            schedule_version: judged.schedule_version,
            series: judged.series,
            history: judged.history.into_iter().map(PastDoseReply::from).collect(),
            rules: judged.rules.into_iter().map(RuleReply::from).collect(),
        }
    }
}

impl From<PastDose> for PastDoseReply {
    fn from(dose: PastDose) -> Self {
        Self {
            immunization_id: dose.immunization_id,
            administered_on: dose.on,
            counts: dose.dose_number.is_some(),
            dose_number: dose.dose_number,
            rule: dose.rule,
        }
    }
}

impl From<Rule> for RuleReply {
    fn from(rule: Rule) -> Self {
        Self {
            rule: rule.rule,
            outcome: match rule.outcome {
                Outcome::Passed => "passed",
                Outcome::Failed => "failed",
                Outcome::Grace => "grace",
                Outcome::Unknown => "unknown",
                Outcome::NotApplicable => "not_applicable",
            },
            message: rule.message,
            earliest_on: rule.earliest_on,
        }
    }
}
