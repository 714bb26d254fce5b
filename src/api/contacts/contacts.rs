//! Contacts, one by one and as lists. Files of them are in `contact_exports` and `contact_imports`, birthdays in
//! `birthdays`.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};
use chrono::{DateTime, Utc};
use entity::contacts as table;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::{Validate, ValidationError};

use crate::api::http::extract::{CurrentUser, Id, Query, Valid};
use crate::api::http::paging::{self, PageReply, Position};
use crate::api::http::problem::Problem;
use crate::domain::contacts::contacts::{self, Changes, Filter, NewContact};
use crate::domain::values::birthday::Birthday;
use crate::domain::values::email::Email;
use crate::domain::values::patch::{Patch, not_null};
use crate::domain::values::rules::{self, patched};
use crate::error::Error;
use crate::state::AppState;

/// Somebody whom a user keeps.
#[derive(Serialize, ToSchema)]
pub struct ContactReply {
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    id: Uuid,
    #[schema(example = "Byron")]
    first_name: String,
    #[schema(example = "King")]
    last_name: String,
    #[schema(required = true, example = "byron@example.org")]
    email: Option<String>,
    #[schema(required = true, example = "+44 20 7946 0018")]
    phone_number: Option<String>,
    #[schema(required = true, example = 5, minimum = 1, maximum = 12)]
    birth_month: Option<i16>,
    #[schema(required = true, example = 12, minimum = 1, maximum = 31)]
    birth_day: Option<i16>,
    /// Null when only the day is known.
    #[schema(required = true, example = 2019)]
    birth_year: Option<i16>,
    #[schema(required = true, example = "Allergic to eggs.")]
    note: Option<String>,
    /// The import that it came with.
    #[schema(required = true, example = json!(null))]
    import_id: Option<Uuid>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<table::Model> for ContactReply {
    fn from(contact: table::Model) -> Self {
        Self {
            id: contact.id,
            first_name: contact.first_name,
            last_name: contact.last_name,
            email: contact.email,
            phone_number: contact.phone_number,
            birth_month: contact.birth_month,
            birth_day: contact.birth_day,
            birth_year: contact.birth_year,
            note: contact.note,
            import_id: contact.import_id,
            created_at: contact.created_at,
            updated_at: contact.updated_at,
        }
    }
}

/// Somebody to be kept. A birthday is a month and a day; the year may be unknown.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = birthday_of, skip_on_field_errors = false))]
pub struct AddContact {
    /// Given name or names.
    #[serde(default)]
    #[validate(length(max = 100), custom(function = rules::line))]
    #[schema(required = true, min_length = 1, max_length = 100, example = "Byron")]
    first_name: String,
    /// Family name.
    #[serde(default)]
    #[validate(length(max = 100), custom(function = rules::line))]
    #[schema(required = true, min_length = 1, max_length = 100, example = "King")]
    last_name: String,
    /// Unique among one's contacts.
    #[validate(custom(function = rules::email))]
    #[schema(format = Email, max_length = 254, example = "byron@example.org")]
    email: Option<String>,
    #[validate(length(max = 32), custom(function = rules::contact_number))]
    #[schema(min_length = 2, max_length = 32, example = "+44 20 7946 0018")]
    phone_number: Option<String>,
    #[schema(minimum = 1, maximum = 12, example = 5)]
    birth_month: Option<i16>,
    #[schema(minimum = 1, maximum = 31, example = 12)]
    birth_day: Option<i16>,
    /// From 1900 to this year.
    #[schema(minimum = 1900, example = 2019)]
    birth_year: Option<i16>,
    #[validate(length(max = 2000), custom(function = rules::text))]
    #[schema(min_length = 1, max_length = 2000, example = "Allergic to eggs.")]
    note: Option<String>,
}

fn birthday_of(body: &AddContact) -> Result<(), ValidationError> {
    rules::birthday(body.birth_month, body.birth_day, body.birth_year)
}

impl TryFrom<AddContact> for NewContact {
    type Error = Error;

    fn try_from(body: AddContact) -> Result<Self, Error> {
        let latest = rules::latest_birth_date();
        Ok(Self {
            first_name: body.first_name.trim().to_owned(),
            last_name: body.last_name.trim().to_owned(),
            email: body.email.as_deref().map(Email::parse).transpose()?,
            phone_number: body.phone_number.map(|number| number.trim().to_owned()),
            birthday: Birthday::parse(body.birth_month, body.birth_day, body.birth_year, latest)?,
            note: body.note.map(|note| rules::normal_lines(note.trim())),
        })
    }
}

/// A JSON merge patch (RFC 7396): absent members stay, null clears.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeContact {
    /// Given name or names.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(length(max = 100), custom(function = rules::line))]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 100, example = "Byron")]
    first_name: Option<String>,
    /// Family name.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(length(max = 100), custom(function = rules::line))]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 100, example = "King-Noel")]
    last_name: Option<String>,
    /// Unique among one's contacts.
    #[serde(default)]
    #[validate(custom(function = patched_email))]
    #[schema(value_type = Option<String>, max_length = 254, example = "byron@example.org")]
    email: Patch<String>,
    #[serde(default)]
    #[validate(custom(function = patched_phone_number))]
    #[schema(value_type = Option<String>, min_length = 2, max_length = 32, example = "+44 20 7946 0018")]
    phone_number: Patch<String>,
    #[serde(default)]
    #[validate(custom(function = patched_month))]
    #[schema(value_type = Option<i16>, minimum = 1, maximum = 12, example = 5)]
    birth_month: Patch<i16>,
    #[serde(default)]
    #[validate(custom(function = patched_day))]
    #[schema(value_type = Option<i16>, minimum = 1, maximum = 31, example = 12)]
    birth_day: Patch<i16>,
    /// From 1900 to this year; null when it is unknown.
    #[serde(default)]
    #[validate(custom(function = patched_year))]
    #[schema(value_type = Option<i16>, minimum = 1900, example = 2019)]
    birth_year: Patch<i16>,
    #[serde(default)]
    #[validate(custom(function = patched_note))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 2000, example = "Allergic to eggs.")]
    note: Patch<String>,
}

fn patched_email(email: &Patch<String>) -> Result<(), ValidationError> {
    patched(email, |email| rules::email(email))
}

fn patched_phone_number(number: &Patch<String>) -> Result<(), ValidationError> {
    patched(number, |number| rules::at_most(number, 32).and_then(|()| rules::contact_number(number)))
}

fn patched_month(month: &Patch<i16>) -> Result<(), ValidationError> {
    patched(month, |month| rules::within((*month).into(), 1, 12))
}

fn patched_day(day: &Patch<i16>) -> Result<(), ValidationError> {
    patched(day, |day| rules::within((*day).into(), 1, 31))
}

fn patched_year(year: &Patch<i16>) -> Result<(), ValidationError> {
    patched(year, |year| rules::birth_year((*year).into()))
}

fn patched_note(note: &Patch<String>) -> Result<(), ValidationError> {
    patched(note, |note| rules::at_most(note, 2000).and_then(|()| rules::text(note)))
}

impl TryFrom<ChangeContact> for Changes {
    type Error = Error;

    fn try_from(body: ChangeContact) -> Result<Self, Error> {
        let trimmed = |text: String| text.trim().to_owned();
        Ok(Self {
            first_name: body.first_name.map(trimmed),
            last_name: body.last_name.map(trimmed),
            email: match body.email {
                Patch::Set(email) => Patch::Set(Email::parse(&email)?),
                Patch::Clear => Patch::Clear,
                Patch::Keep => Patch::Keep,
            },
            phone_number: body.phone_number.map(trimmed),
            birth_month: body.birth_month,
            birth_day: body.birth_day,
            birth_year: body.birth_year,
            note: body.note.map(|note| rules::normal_lines(note.trim())),
        })
    }
}

/// Which contacts, and which page of them. Letter case never matters, in any script, and every character means itself.
#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListContacts {
    /// Only contacts with each of these words, ten at most, somewhere in the first name, the last name or the e-mail.
    #[validate(length(max = 200), custom(function = rules::words))]
    #[param(min_length = 1, max_length = 200, example = "byr")]
    q: Option<String>,
    /// Only contacts whose first name contains this.
    #[validate(length(max = 100), custom(function = rules::line))]
    #[param(min_length = 1, max_length = 100, example = "byron")]
    first_name: Option<String>,
    /// Only contacts whose last name contains this.
    #[validate(length(max = 100), custom(function = rules::line))]
    #[param(min_length = 1, max_length = 100, example = "king")]
    last_name: Option<String>,
    /// Only contacts whose e-mail contains this.
    #[validate(length(max = 254), custom(function = rules::line))]
    #[param(min_length = 1, max_length = 254, example = "@example.org")]
    email: Option<String>,
    /// Items on a page; 20 by default.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, example = 20)]
    limit: Option<u64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Keeps somebody as a contact, whom nobody else can see.
///
/// **Open to:** anyone signed in, for themselves.
#[utoipa::path(
    operation_id = "add_contact", tag = "contacts", security(("oauth2" = []), ("token" = [])),
    request_body = AddContact,
    responses(
        (status = 201, body = ContactReply, headers(("Location" = String, description = "Path of the contact"))),
        (status = 409, description = "One of the caller's contacts has this e-mail"),
        (status = 429, description = "The caller has added very many in the last hour"),
    )
)]
#[post("")]
pub async fn add(
    state: web::Data<AppState>,
    user: CurrentUser,
    Valid(body): Valid<AddContact>,
) -> Result<HttpResponse, Problem> {
    let contact = contacts::add(&state.db, &state.auth, &user, body.try_into()?).await?;
    let location = format!("/api/v1/contacts/{}", contact.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(ContactReply::from(contact)))
}

/// Contacts, by last name, then first name.
///
/// **Open to:** anyone signed in, who sees their own.
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
    Query(query): Query<ListContacts>,
) -> Result<HttpResponse, Problem> {
    let page = paging::page(query.limit.map(Into::into), query.cursor.as_deref())?;
    let filter =
        Filter { search: query.q, first_name: query.first_name, last_name: query.last_name, email: query.email };
    let found = contacts::list(&state.db, &user, &filter, page).await?;
    Ok(paging::reply(&request, found, ContactReply::from))
}

/// One contact.
///
/// **Open to:** whoever keeps it; nobody else, staff and admins neither.
#[utoipa::path(
    operation_id = "get_contact", tag = "contacts", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 200, body = ContactReply))
)]
#[get("/{id}")]
pub async fn get(state: web::Data<AppState>, user: CurrentUser, id: Id) -> Result<web::Json<ContactReply>, Problem> {
    Ok(web::Json(contacts::get(&state.db, &user, id.0).await?.into()))
}

/// Changes a contact.
///
/// **Open to:** whoever keeps it.
#[utoipa::path(
    operation_id = "change_contact", tag = "contacts", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    request_body(content((ChangeContact = "application/merge-patch+json"), (ChangeContact = "application/json"))),
    responses(
        (status = 200, body = ContactReply),
        (status = 409, description = "Another of the caller's contacts has this e-mail"),
    )
)]
#[patch("/{id}")]
pub async fn change(
    state: web::Data<AppState>,
    user: CurrentUser,
    id: Id,
    Valid(body): Valid<ChangeContact>,
) -> Result<web::Json<ContactReply>, Problem> {
    let contact = contacts::change(&state.db, &state.auth, &user, id.0, body.try_into()?).await?;
    Ok(web::Json(contact.into()))
}

/// Removes a contact. Closed vaccine requests for them stay, without a name.
///
/// **Open to:** whoever keeps it.
#[utoipa::path(
    operation_id = "remove_contact", tag = "contacts", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses(
        (status = 204),
        (status = 409, description = "A vaccine request for them is open"),
    )
)]
#[delete("/{id}")]
pub async fn remove(state: web::Data<AppState>, user: CurrentUser, id: Id) -> Result<HttpResponse, Problem> {
    contacts::remove(&state.db, &user, id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The id, then the names on a line each.
impl Position for contacts::Position {
    fn to_bytes(&self) -> Vec<u8> {
        [self.id.as_bytes(), self.last_name.as_bytes(), b"\n", self.first_name.as_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (id, names) = bytes.split_first_chunk::<16>()?;
        let (last_name, first_name) = std::str::from_utf8(names).ok()?.split_once('\n')?;
        // Names have none, and PostgreSQL would stumble over a NUL.
        let is_line = !last_name.contains(char::is_control) && !first_name.contains(char::is_control);
        let (last_name, first_name) = (last_name.to_owned(), first_name.to_owned());
        is_line.then(|| Self { last_name, first_name, id: Uuid::from_bytes(*id) })
    }
}
