//! Deletion of the own account.

use actix_web::{post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::api::http::extract::Valid;
use crate::api::http::field::Field;
use crate::api::http::problem::Problem;
use crate::domain::auth::password::PresentedPassword;
use crate::domain::personal_data::{self, Erasure};
use crate::domain::values::caller::Caller;
use crate::state::AppState;

/// The password, because a deletion cannot be undone.
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

/// What became of every trace of the account, in rows.
#[derive(Serialize, ToSchema)]
pub struct ErasureReply {
    erased: Erased,
    anonymised: Anonymised,
    /// What a dose record must keep. This version stores no dose records, so nothing is kept.
    #[schema(example = json!([]))]
    kept: Vec<&'static str>,
}

/// What is gone.
#[derive(Serialize, ToSchema)]
pub struct Erased {
    /// The account itself.
    #[schema(example = 1)]
    account: u64,
    #[schema(example = 2)]
    vaccine_requests: u64,
    /// Contacts, with the records of the files they came from and the secret of the calendar.
    #[schema(example = 40)]
    contacts: u64,
    /// Codes under way.
    #[schema(example = 0)]
    codes: u64,
    /// Mails that had not been sent.
    #[schema(example = 0)]
    mails: u64,
}

/// What names nobody any more.
#[derive(Serialize, ToSchema)]
pub struct Anonymised {
    /// Sessions: ids and times, until they are swept.
    #[schema(example = 3)]
    sessions: u64,
    /// The audit trail: what was done and when, without address and browser; its ids lead to nobody.
    #[schema(example = 9)]
    activity: u64,
    /// Decisions on the requests of others.
    #[schema(example = 0)]
    reviews: u64,
}

impl From<Erasure> for ErasureReply {
    fn from(rows: Erasure) -> Self {
        Self {
            erased: Erased {
                account: 1,
                vaccine_requests: rows.vaccine_requests,
                contacts: rows.contacts,
                codes: rows.codes,
                mails: rows.mails,
            },
            anonymised: Anonymised { sessions: rows.sessions, activity: rows.activity, reviews: rows.reviews },
            kept: Vec::new(),
        }
    }
}

/// Delete the own account
///
/// Erases or anonymises all its data; the response counts the rows. A last mail goes to the address, which is forgotten
/// afterwards.
///
/// **Open to:** anyone signed in.
#[utoipa::path(
    operation_id = "delete_account", tag = "account", security(("oauth2" = []), ("token" = [])),
    request_body = DeleteAccount,
    responses(
        (status = 200, body = ErasureReply),
        (status = 409, description = "No administrator would be left"),
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
    let erasure = personal_data::erase(&state.db, &state.auth, &caller, password).await?;
    Ok(web::Json(erasure.into()))
}
