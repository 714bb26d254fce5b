//! Eligibility: whether a person may have a dose, before it is requested.

use actix_web::{post, web};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::api::http::booking_replies::EligibilityReply;
use crate::api::http::extract::{CurrentUser, Valid};
use crate::api::http::field::{Field, Optional as _};
use crate::api::http::problem::Problem;
use crate::domain::vaccination::catalogue::EXAMPLE_ID;
use crate::domain::vaccination::eligibility_check::{self, Question};
use crate::domain::vaccination::vaccines::Doses;
use crate::domain::values::local_time::LocalDate;
use crate::state::AppState;

/// A dose of a person on a day.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "vaccine_id": EXAMPLE_ID, "dose_number": 1 }))]
pub struct CheckEligibility {
    /// A vaccine of the catalogue.
    #[serde(default)]
    #[validate(nested)]
    #[schema(value_type = Uuid, required = true)]
    vaccine_id: Field<Uuid>,
    /// A contact of the user; null or absent for the user themselves.
    #[validate(nested)]
    #[schema(value_type = Option<Uuid>)]
    contact_id: Option<Field<Uuid>>,
    /// Number of the dose in its course; 1 by default.
    #[validate(nested)]
    #[schema(inline)]
    dose_number: Option<Field<Doses>>,
    /// Day; today by default.
    #[validate(nested)]
    #[schema(inline)]
    on: Option<Field<LocalDate>>,
}

/// Check eligibility
///
/// Applies the rules to a dose of a person on a day. Nothing is stored.
///
/// **Open to:** anyone signed in, for themselves and for their contacts.
#[utoipa::path(
    operation_id = "check_eligibility", tag = "vaccine-requests", security(("oauth2" = []), ("token" = [])),
    request_body = CheckEligibility,
    responses((status = 200, body = EligibilityReply))
)]
#[post("/eligibility")]
pub async fn check(
    state: web::Data<AppState>,
    user: CurrentUser,
    Valid(body): Valid<CheckEligibility>,
) -> Result<web::Json<EligibilityReply>, Problem> {
    let question = Question {
        vaccine_id: body.vaccine_id.value()?,
        contact_id: body.contact_id.value()?,
        dose_number: body.dose_number.value()?.unwrap_or(Doses::MINIMUM),
        on: body.on.value()?.map(LocalDate::date),
    };
    Ok(web::Json(eligibility_check::check(&state.db, &state.auth.clock, &user, &question).await?.into()))
}
