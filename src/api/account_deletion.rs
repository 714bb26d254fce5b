//! Account deletion: erases the account and the personal data of the current user, or of others by admins.

use actix_web::{post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::api::http::extract::{Id, Valid};
use crate::api::http::field::Field;
use crate::api::http::problem::Problem;
use crate::domain::accounts::administration::Administrator;
use crate::domain::auth::password::PresentedPassword;
use crate::domain::personal_data::{self, Erasure};
use crate::domain::values::caller::Caller;
use crate::state::AppState;

/// Confirmation of an account deletion, which cannot be undone.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "password": "a long sentence" }))]
pub struct DeleteAccount {
    /// The current password.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    password: Field<PresentedPassword>,
}

/// What is kept of patients who were given a dose here.
const KEPT: [&str; 3] = [
    "immunizations: vaccine, lot, site, route, day, centre, performer, and whether each dose counts",
    "vaccine_requests: vaccine, slot, times and status of the requests of these doses",
    "patients: year of birth",
];

/// Result of an account deletion: numbers of rows.
#[derive(Serialize, ToSchema)]
pub struct ErasureReply {
    erased: Erased,
    anonymised: Anonymised,
    /// What is kept of patients who were given a dose in a centre of this service, without their names; empty if there are
    /// none.
    #[schema(example = json!(KEPT))]
    kept: Vec<&'static str>,
}

/// Numbers of deleted rows.
#[derive(Serialize, ToSchema)]
pub struct Erased {
    /// The account itself.
    #[schema(example = 1)]
    account: u64,
    #[schema(example = 2)]
    vaccine_requests: u64,
    /// Doses of patients who were given none in a centre of this service.
    #[schema(example = 1)]
    immunizations: u64,
    /// Places on the waitlist.
    #[schema(example = 0)]
    waitlist_entries: u64,
    /// Contacts, imports of contacts, and the birthday feed.
    #[schema(example = 40)]
    contacts: u64,
    /// Codes that had not been used.
    #[schema(example = 0)]
    codes: u64,
    /// Mails that had not been sent.
    #[schema(example = 0)]
    mails: u64,
}

/// Numbers of anonymised rows.
#[derive(Serialize, ToSchema)]
pub struct Anonymised {
    /// Sessions. Their ids and times are kept until the clean-up deletes them.
    #[schema(example = 3)]
    sessions: u64,
    /// Audit events. Action and time are kept, IP address and user agent are erased; the ids no longer identify anyone.
    #[schema(example = 9)]
    activity: u64,
    /// Reviews of other users' vaccine requests.
    #[schema(example = 0)]
    reviews: u64,
    /// Doses that the user gave to others.
    #[schema(example = 0)]
    given_doses: u64,
    /// Patients who were given a dose in a centre of this service. Their names are erased, and the birth date is cut to the
    /// year.
    #[schema(example = 1)]
    patients: u64,
    /// Requests of these doses. Account, note, reason, code and answers are erased.
    #[schema(example = 1)]
    vaccine_requests: u64,
    /// Doses of these patients.
    #[schema(example = 2)]
    immunizations: u64,
    /// Invitations that were bound to the e-mail or national id. They name nobody now; unused ones are revoked.
    #[schema(example = 0)]
    invitations: u64,
}

impl From<Erasure> for ErasureReply {
    fn from(rows: Erasure) -> Self {
        Self {
            erased: Erased {
                account: 1,
                vaccine_requests: rows.vaccine_requests,
                immunizations: rows.immunizations,
                waitlist_entries: rows.waitlist_entries,
                contacts: rows.contacts,
                codes: rows.codes,
                mails: rows.mails,
            },
            anonymised: Anonymised {
                sessions: rows.sessions,
                activity: rows.activity,
                reviews: rows.reviews,
                given_doses: rows.given_doses,
                patients: rows.kept_patients,
                vaccine_requests: rows.kept_requests,
                immunizations: rows.kept_immunizations,
                invitations: rows.invitations,
            },
            kept: if rows.kept_patients > 0 { KEPT.to_vec() } else { Vec::new() },
        }
    }
}

/// Delete the account of the current user
///
/// Deletes the account and erases or anonymises its data. The response has the numbers of rows. A last mail notifies
/// the owner; then the address is erased too.
///
/// **Open to:** anyone signed in.
#[utoipa::path(
    operation_id = "delete_account", tag = "account", security(("oauth2" = []), ("token" = [])),
    request_body = DeleteAccount,
    responses(
        (status = 200, body = ErasureReply),
        (status = 409, description = "It is the last admin who can log in"),
        (status = 429, description = "Too many wrong passwords"),
    )
)]
#[post("/me/deletion")]
pub async fn delete(
    state: web::Data<AppState>,
    caller: Caller,
    Valid(body): Valid<DeleteAccount>,
) -> Result<web::Json<ErasureReply>, Problem> {
    let password = body.password.value()?.0;
    let erasure = personal_data::erase(&state.db, &state.auth, &state.vaccination, &caller, password).await?;
    Ok(web::Json(erasure.into()))
}

/// Delete the account of a user
///
/// For someone who has lost access to the account. As `POST /users/me/deletion` otherwise; the audit trail keeps the id
/// of the admin.
///
/// **Open to:** admins.
#[utoipa::path(
    operation_id = "delete_user", tag = "users", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = ErasureReply),
        (status = 403, description = "Needs the role admin"),
        (status = 409, description = "It is the last admin who can log in"),
    )
)]
#[post("/{id}/deletion")]
pub async fn delete_user(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
) -> Result<web::Json<ErasureReply>, Problem> {
    let admin = Administrator::admin(&caller)?;
    Ok(web::Json(personal_data::erase_of(&state.db, &state.auth, &state.vaccination, &admin, id.0).await?.into()))
}
