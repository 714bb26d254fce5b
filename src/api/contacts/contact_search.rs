//! Contacts: list and search.

use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;
use validator::Validate;

use crate::api::contacts::contacts::ContactReply;
use crate::api::http::extract::{CurrentUser, Query};
use crate::api::http::field::{Field, Optional as _};
use crate::api::http::paging::{self, Limit, PageReply, Position};
use crate::api::http::problem::Problem;
use crate::domain::contacts::contact_search::{self, ContactFilter, EmailPart};
use crate::domain::values::person::NamePart;
use crate::domain::values::search::SearchText;
use crate::error::Error;
use crate::state::AppState;

/// Filter and page of a list of contacts. The filters are case-insensitive in every script, and have no wildcards.
#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListContacts {
    /// Only contacts with each of these words (at most ten) in the first name, the last name, the organization or an e-mail.
    #[validate(nested)]
    #[param(inline)]
    q: Option<Field<SearchText>>,
    /// Only contacts with this text in the first name.
    #[validate(nested)]
    #[param(inline)]
    first_name: Option<Field<NamePart>>,
    /// Only contacts with this text in the last name.
    #[validate(nested)]
    #[param(inline)]
    last_name: Option<Field<NamePart>>,
    /// Only contacts with this text in an e-mail.
    #[validate(nested)]
    #[param(inline)]
    email: Option<Field<EmailPart>>,
    /// Items per page; 20 by default.
    #[validate(nested)]
    #[param(inline, example = 20)]
    limit: Option<Field<Limit>>,
    /// The `next_cursor` of the previous page.
    cursor: Option<String>,
}

impl ListContacts {
    fn filter(self) -> Result<ContactFilter, Error> {
        Ok(ContactFilter {
            search: self.q.value()?,
            first_name: self.first_name.value()?,
            last_name: self.last_name.value()?,
            email: self.email.value()?,
        })
    }
}

/// List and search contacts
///
/// Sorted by last name, or without one by first name, or else by organization; then by first name.
///
/// **Open to:** anyone signed in, for their own contacts.
#[utoipa::path(
    operation_id = "list_contacts", tag = "contacts", security(("oauth2" = []), ("token" = [])),
    params(ListContacts),
    responses(
        (status = 200, body = PageReply<ContactReply>, headers(("Link" = String, description = "The next page"))),
    )
)]
#[get("")]
pub async fn list(
    state: web::Data<AppState>,
    user: CurrentUser,
    request: HttpRequest,
    Query(mut query): Query<ListContacts>,
) -> Result<HttpResponse, Problem> {
    let page = paging::page(query.limit.take(), query.cursor.as_deref())?;
    let contacts = contact_search::list(&state.db, &user, &query.filter()?, page).await?;
    Ok(paging::reply(&request, contacts, ContactReply::from))
}

/// Bytes: the id, the name that the contact is sorted by, a line break, the first name.
impl Position for contact_search::Position {
    fn to_bytes(&self) -> Vec<u8> {
        [self.id.as_bytes(), self.sort_name.as_bytes(), b"\n", self.first_name.as_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (id, names) = bytes.split_first_chunk::<16>()?;
        let (sort_name, first_name) = std::str::from_utf8(names).ok()?.split_once('\n')?;
        // Names contain no control characters, and PostgreSQL rejects NUL.
        let is_valid = !sort_name.contains(char::is_control) && !first_name.contains(char::is_control);
        let (sort_name, first_name) = (sort_name.to_owned(), first_name.to_owned());
        is_valid.then(|| Self { sort_name, first_name, id: Uuid::from_bytes(*id) })
    }
}
