//! Changes of contacts, with which a client keeps a copy of them.

use actix_web::{get, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::api::contacts::contacts::ContactReply;
use crate::api::http::extract::{CurrentUser, Query};
use crate::api::http::field::Field;
use crate::api::http::paging::{self, Limit, Position};
use crate::api::http::problem::Problem;
use crate::domain::contacts::contact_changes::{self, ChangePosition, Changes, Deleted};
use crate::state::AppState;

/// Position and size of a list of changes.
#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListContactChanges {
    /// The `token` of the previous reply; without it, all contacts are listed.
    since: Option<String>,
    /// Changes per reply; 20 by default.
    #[validate(nested)]
    #[param(inline, example = 100)]
    limit: Option<Field<Limit>>,
}

/// Changes of contacts.
#[derive(Serialize, ToSchema)]
pub struct ContactChangesReply {
    /// Contacts that were created or updated, as they are now.
    updated: Vec<ContactReply>,
    /// Contacts that were deleted.
    deleted: Vec<DeletedContactReply>,
    /// Value of `since` for the changes after these.
    #[schema(example = "AAAAAAAAAAf_____________________", pattern = "^[A-Za-z0-9_-]+$")]
    token: String,
    /// Whether there are more changes now.
    has_more: bool,
}

/// A contact that was deleted.
#[derive(Serialize, ToSchema)]
pub struct DeletedContactReply {
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    id: Uuid,
    deleted_at: DateTime<Utc>,
}

impl From<Deleted> for DeletedContactReply {
    fn from(contact: Deleted) -> Self {
        Self { id: contact.id, deleted_at: contact.deleted_at }
    }
}

impl From<Changes> for ContactChangesReply {
    fn from(changes: Changes) -> Self {
        Self {
            updated: changes.updated.into_iter().map(Into::into).collect(),
            deleted: changes.deleted.into_iter().map(Into::into).collect(),
            token: paging::encode_cursor(&changes.position),
            has_more: changes.has_more,
        }
    }
}

/// List changes of contacts
///
/// For a client that keeps a copy: the first reply has no `since` and lists all contacts. While `has_more` is true, ask again with
/// its `token`; later, with the last `token`, for what has changed since. A contact that has changed several times is listed
/// once, as it is now. Apply `updated` and `deleted` of each reply; their order does not matter.
///
/// **Open to:** anyone signed in, for their own contacts.
#[utoipa::path(
    operation_id = "list_contact_changes", tag = "contacts", security(("oauth2" = []), ("token" = [])),
    params(ListContactChanges),
    responses((status = 200, body = ContactChangesReply))
)]
#[get("/changes")]
pub async fn list(
    state: web::Data<AppState>,
    user: CurrentUser,
    Query(query): Query<ListContactChanges>,
) -> Result<web::Json<ContactChangesReply>, Problem> {
    let page = paging::page_after(query.limit, query.since.as_deref(), "since")?;
    Ok(web::Json(contact_changes::list(&state.db, &user, page).await?.into()))
}

/// Bytes: the number of the change, and the id of the contact.
impl Position for ChangePosition {
    fn to_bytes(&self) -> Vec<u8> {
        [self.number.to_be_bytes().as_slice(), self.id.as_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (number, id) = bytes.split_first_chunk::<8>()?;
        let number = i64::from_be_bytes(*number);
        Some(Self { number, id: Uuid::from_slice(id).ok()? }).filter(|position| position.number >= 0)
    }
}
