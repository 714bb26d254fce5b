//! The document of a schedule, for OpenAPI: the rules of a course in the words of CDC's clinical decision support (CDSi). The
//! domain parses it, and reports what is wrong with JSON Pointers. See `docs/schedules.md`.
#![expect(dead_code, reason = "documents a body")]

use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// The rules of a course: series of doses, conflicts, a window of days, and questions. See `docs/schedules.md`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "series": [{ "name": "2 doses", "doses": [
        { "age": { "absolute_minimum": "12 months - 4 days", "minimum": "12 months" } },
        { "intervals": [{ "from": "previous", "absolute_minimum": "24 days", "minimum": "28 days" }] },
    ] }],
}))]
pub struct ScheduleDocument {
    /// Ways to complete the course. The first is the default.
    #[schema(min_items = 1, max_items = 20)]
    series: Vec<ScheduleSeries>,
    /// Vaccines that must not be given shortly before.
    #[serde(default)]
    conflicts: Vec<ScheduleConflict>,
    /// Days in which doses are given at all.
    #[schema(required = false)]
    window: Option<ScheduleWindow>,
    /// Questions to ask at the centre.
    #[serde(default)]
    questions: Vec<ScheduleQuestion>,
}

/// A series of doses that completes a course.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleSeries {
    #[schema(min_length = 1, example = "2 doses")]
    name: String,
    /// Age at the first dose of the course; without doses, age on the day that is asked for.
    #[schema(required = false)]
    start: Option<ScheduleAgeRange>,
    /// Doses, in their order.
    #[schema(min_items = 1, max_items = 20)]
    doses: Vec<ScheduleDose>,
}

/// A range of ages.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleAgeRange {
    /// First age.
    #[schema(
        pattern = "^[0-9]{1,4} (years?|months?|weeks?|days?)( [+-] [0-9]{1,4} (years?|months?|weeks?|days?))*$",
        example = "12 months"
    )]
    from: Option<String>,
    /// Age at which it ends.
    #[schema(
        pattern = "^[0-9]{1,4} (years?|months?|weeks?|days?)( [+-] [0-9]{1,4} (years?|months?|weeks?|days?))*$",
        example = "19 years"
    )]
    before: Option<String>,
}

/// The rules of a dose.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleDose {
    #[schema(required = false)]
    age: Option<ScheduleAges>,
    /// Intervals, all of which must have passed.
    #[serde(default)]
    intervals: Vec<ScheduleInterval>,
    /// Intervals that make a dose that was given count as well, if all of them have passed. They are never planned.
    #[serde(default)]
    or_intervals: Vec<ScheduleInterval>,
    /// Products of which one must be used; any if there are none.
    #[serde(default)]
    products: Vec<ScheduleProduct>,
    #[schema(required = false)]
    not_needed_from: Option<ScheduleNotNeeded>,
}

/// Ages for a dose. A missing minimum is the absolute minimum, and the other way round.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleAges {
    /// Age from which on a dose that was given counts.
    #[schema(
        pattern = "^[0-9]{1,4} (years?|months?|weeks?|days?)( [+-] [0-9]{1,4} (years?|months?|weeks?|days?))*$",
        example = "12 months - 4 days"
    )]
    absolute_minimum: Option<String>,
    /// Age from which on a dose is planned.
    #[schema(
        pattern = "^[0-9]{1,4} (years?|months?|weeks?|days?)( [+-] [0-9]{1,4} (years?|months?|weeks?|days?))*$",
        example = "12 months"
    )]
    minimum: Option<String>,
    /// Age that is recommended.
    #[schema(
        pattern = "^[0-9]{1,4} (years?|months?|weeks?|days?)( [+-] [0-9]{1,4} (years?|months?|weeks?|days?))*$",
        example = "15 months"
    )]
    recommended: Option<String>,
    /// Age at which the dose is neither planned nor counts.
    #[schema(
        pattern = "^[0-9]{1,4} (years?|months?|weeks?|days?)( [+-] [0-9]{1,4} (years?|months?|weeks?|days?))*$",
        example = "19 years"
    )]
    maximum: Option<String>,
}

/// A time that must have passed since another dose.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleInterval {
    from: ScheduleOrigin,
    /// Interval from which on a dose that was given counts.
    #[schema(
        pattern = "^[0-9]{1,4} (years?|months?|weeks?|days?)( [+-] [0-9]{1,4} (years?|months?|weeks?|days?))*$",
        example = "24 days"
    )]
    absolute_minimum: Option<String>,
    /// Interval from which on a dose is planned.
    #[schema(
        pattern = "^[0-9]{1,4} (years?|months?|weeks?|days?)( [+-] [0-9]{1,4} (years?|months?|weeks?|days?))*$",
        example = "28 days"
    )]
    minimum: Option<String>,
    /// Interval that is recommended.
    #[schema(
        pattern = "^[0-9]{1,4} (years?|months?|weeks?|days?)( [+-] [0-9]{1,4} (years?|months?|weeks?|days?))*$",
        example = "2 months"
    )]
    recommended: Option<String>,
    /// Only for doses given on this day or later.
    #[schema(required = false)]
    given_since: Option<NaiveDate>,
    /// Only for doses given on this day or earlier.
    #[schema(required = false)]
    given_until: Option<NaiveDate>,
}

/// The dose from which an interval is counted: the last one of the course, whether it counts or not (`previous`); the one that
/// counts for a number; or the last one of some products.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ScheduleOrigin {
    /// The last dose of the course.
    Previous(SchedulePrevious),
    /// The dose that counts as this number.
    Dose(u32),
    /// The last dose of one of these products.
    MostRecent(ScheduleMostRecent),
}

/// The last dose of the course.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SchedulePrevious {
    /// The last dose of the course.
    Previous,
}

/// Products of which the last dose counts.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleMostRecent {
    /// CVX codes.
    #[schema(min_items = 1, example = json!(["21", "94"]))]
    most_recent: Vec<String>,
}

/// A product: by its CVX code, its manufacturer, as a vaccine of the catalogue, or several of these.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleProduct {
    /// CVX code.
    #[schema(required = false, pattern = "^[0-9]{2,3}$", example = "83")]
    cvx: Option<String>,
    /// Manufacturer, where products of several have the same code.
    #[schema(required = false, example = "Meridian Biologics")]
    manufacturer: Option<String>,
    /// A vaccine of the catalogue.
    #[schema(required = false)]
    vaccine_id: Option<Uuid>,
    /// Whether it counts if it was given, but is not planned.
    #[serde(default)]
    given_only: bool,
    /// First age.
    #[schema(
        pattern = "^[0-9]{1,4} (years?|months?|weeks?|days?)( [+-] [0-9]{1,4} (years?|months?|weeks?|days?))*$",
        example = "12 months"
    )]
    from: Option<String>,
    /// Age at which it is no longer used.
    #[schema(
        pattern = "^[0-9]{1,4} (years?|months?|weeks?|days?)( [+-] [0-9]{1,4} (years?|months?|weeks?|days?))*$",
        example = "19 years"
    )]
    before: Option<String>,
}

/// Ages from which on a dose is not needed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleNotNeeded {
    /// Age at a dose that was given: it counts as the next one.
    #[schema(
        pattern = "^[0-9]{1,4} (years?|months?|weeks?|days?)( [+-] [0-9]{1,4} (years?|months?|weeks?|days?))*$",
        example = "16 years - 4 days"
    )]
    given: Option<String>,
    /// Age on the day for which a dose is planned.
    #[schema(
        pattern = "^[0-9]{1,4} (years?|months?|weeks?|days?)( [+-] [0-9]{1,4} (years?|months?|weeks?|days?))*$",
        example = "16 years"
    )]
    planned: Option<String>,
}

/// Vaccines that must not be given shortly before a dose, as live vaccines.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleConflict {
    /// CVX codes of the doses of this course; all if there are none.
    #[serde(default)]
    #[schema(example = json!([]))]
    products: Vec<String>,
    /// Codes of the courses of the other doses.
    #[serde(default)]
    #[schema(example = json!(["MMR", "VAR"]))]
    with: Vec<String>,
    /// CVX codes of the other doses.
    #[serde(default)]
    #[schema(example = json!([]))]
    with_products: Vec<String>,
    /// Interval from which on a dose that was given after one that counts, counts.
    #[schema(
        pattern = "^[0-9]{1,4} (years?|months?|weeks?|days?)( [+-] [0-9]{1,4} (years?|months?|weeks?|days?))*$",
        example = "24 days"
    )]
    absolute: Option<String>,
    /// Interval from which on a dose is planned, or counts after one that does not.
    #[schema(
        pattern = "^[0-9]{1,4} (years?|months?|weeks?|days?)( [+-] [0-9]{1,4} (years?|months?|weeks?|days?))*$",
        example = "28 days"
    )]
    minimum: Option<String>,
}

/// Days in which doses are given.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleWindow {
    /// First day.
    from: NaiveDate,
    /// Last day.
    until: NaiveDate,
}

/// A question to ask at the centre.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleQuestion {
    /// Id in answers.
    #[schema(min_length = 1, example = "pregnant")]
    id: String,
    #[schema(min_length = 1, example = "Are you pregnant?")]
    text: String,
    yes: ScheduleYes,
}

/// What follows from the answer yes.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleYes {
    /// Staff decide.
    AskStaff,
    /// The dose is not given.
    NotEligible,
}
