//! Verification of national ids by staff.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use chrono::{DateTime, NaiveDate, Utc};
use entity::users as table;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::api::accounts::users::UserReply;
use crate::api::http::extract::{Id, Query, ValidOrEmpty};
use crate::api::http::field::{Field, Optional as _};
use crate::api::http::paging::{self, PageQuery, PageReply};
use crate::api::http::problem::Problem;
use crate::domain::accounts::national_ids;
use crate::domain::values::caller::Caller;
use crate::domain::values::person::NationalId;
use crate::state::AppState;

/// The national id on the document of a person.
#[derive(Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "nid": "19121815-AL" }))]
pub struct VerifyNid {
    /// National id on the document. If it is given, and the account has another one by now, nothing is verified.
    #[validate(nested)]
    #[schema(inline)]
    nid: Option<Field<NationalId>>,
}

/// Account that claims a national id.
#[derive(Serialize, ToSchema)]
pub struct NidClaimReply {
    /// Id of the account.
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    user_id: Uuid,
    #[schema(example = "Ada Lovelace")]
    name: String,
    #[schema(required = true, example = "1985-12-10")]
    birth_date: Option<NaiveDate>,
    /// National id as its owner wrote it.
    #[schema(required = true, example = "19121815 al")]
    nid: Option<String>,
    /// When staff verified it.
    #[schema(required = true)]
    nid_verified_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl From<table::Model> for NidClaimReply {
    fn from(user: table::Model) -> Self {
        Self {
            user_id: user.id,
            name: user.name,
            birth_date: user.birth_date,
            nid: user.nid,
            nid_verified_at: user.nid_verified_at,
            created_at: user.created_at,
        }
    }
}

/// Verify the national id of an account
///
/// Do it after checking a document. The verification lasts until the owner changes the id. If it is verified already,
/// nothing changes.
///
/// **Open to:** staff.
#[utoipa::path(
    operation_id = "verify_nid", tag = "users", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    request_body = Option<VerifyNid>,
    responses(
        (status = 200, body = UserReply),
        (status = 403, description = "Needs the role staff"),
        (status = 409, description = "The id is verified for another account, or the account has none"),
    )
)]
#[post("/{id}/verify-nid")]
pub async fn verify(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
    ValidOrEmpty(body): ValidOrEmpty<VerifyNid>,
) -> Result<web::Json<UserReply>, Problem> {
    let seen = body.nid.value()?;
    let account = national_ids::verify(&state.db, &state.auth, &caller, id.0, seen.as_ref()).await?;
    Ok(web::Json(account.into()))
}

/// List other accounts with the same national id
///
/// Newest first. At most one of all accounts with an id is verified.
///
/// **Open to:** staff.
#[utoipa::path(
    operation_id = "list_nid_claims", tag = "users", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path), PageQuery),
    responses(
        (status = 200, body = PageReply<NidClaimReply>, headers(("Link" = String, description = "The next page"))),
        (status = 403, description = "Needs the role staff"),
    )
)]
#[get("/{id}/nid-claims")]
pub async fn list_claims(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    id: Id,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let claims = national_ids::list_claims(&state.db, &state.auth.clock, &caller, id.0, query.page()?).await?;
    Ok(paging::reply(&request, claims, NidClaimReply::from))
}
