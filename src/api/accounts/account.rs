//! Account of the current user: get it, update its profile.

use actix_web::{get, patch, web};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::api::accounts::users::UserReply;
use crate::api::http::extract::{CurrentUser, Valid};
use crate::api::http::field::{Field, Optional as _, Patched as _};
use crate::api::http::problem::Problem;
use crate::domain::accounts::users::{self, ProfileChanges};
use crate::domain::values::caller::Caller;
use crate::domain::values::patch::{Patch, not_null};
use crate::domain::values::person::{BirthDate, FullName, NationalId, PhoneNumber, PostalAddress};
use crate::domain::values::time_zone::TimeZone;
use crate::error::Error;
use crate::state::AppState;

/// A JSON merge patch (RFC 7396) of the profile: an absent member keeps its value, null clears it.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "phone_number": "+44 20 7946 0018", "time_zone": "Europe/London" }))]
pub struct UpdateProfile {
    /// Full name.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(inline, value_type = Field<FullName>, required = false)]
    name: Option<Field<FullName>>,
    /// National id. It is a claim until staff verify it; several accounts may have the same one.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, value_type = Option<Field<NationalId>>)]
    nid: Patch<Field<NationalId>>,
    /// Telephone number, for staff.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, value_type = Option<Field<PhoneNumber>>)]
    phone_number: Patch<Field<PhoneNumber>>,
    /// Postal address.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, value_type = Option<Field<PostalAddress>>)]
    address: Patch<Field<PostalAddress>>,
    /// Date of birth, from 1900 to today.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, value_type = Option<Field<BirthDate>>)]
    birth_date: Patch<Field<BirthDate>>,
    /// IANA time zone; decides which day is today in lists of birthdays.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, value_type = Option<Field<TimeZone>>)]
    time_zone: Patch<Field<TimeZone>>,
}

impl TryFrom<UpdateProfile> for ProfileChanges {
    type Error = Error;

    fn try_from(body: UpdateProfile) -> Result<Self, Error> {
        Ok(Self {
            name: body.name.value()?,
            nid: body.nid.value()?,
            phone_number: body.phone_number.value()?,
            address: body.address.value()?,
            birth_date: body.birth_date.value()?,
            time_zone: body.time_zone.value()?,
        })
    }
}

/// Get the current user
///
/// **Open to:** anyone signed in.
#[utoipa::path(
    operation_id = "get_current_user", tag = "account", security(("oauth2" = []), ("token" = [])),
    responses((status = 200, body = UserReply))
)]
#[get("/me")]
pub async fn get(state: web::Data<AppState>, user: CurrentUser) -> Result<web::Json<UserReply>, Problem> {
    let account = users::get_own(&state.db, &user).await?;
    Ok(web::Json(account.into()))
}

/// Update the profile of the current user
///
/// **Open to:** anyone signed in.
#[utoipa::path(
    operation_id = "update_current_user", tag = "account", security(("oauth2" = []), ("token" = [])),
    request_body(content = UpdateProfile, content_type = "application/merge-patch+json"),
    responses((status = 200, body = UserReply))
)]
#[patch("/me")]
pub async fn update(
    state: web::Data<AppState>,
    caller: Caller,
    Valid(body): Valid<UpdateProfile>,
) -> Result<web::Json<UserReply>, Problem> {
    let account = users::update(&state.db, &state.auth.clock, &caller, body.try_into()?).await?;
    Ok(web::Json(account.into()))
}
