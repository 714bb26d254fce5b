//! Contacts: create, get, update, delete.

use actix_web::http::header;
use actix_web::{HttpResponse, delete, get, patch, post, web};
use chrono::{DateTime, Utc};
use entity::contacts as table;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

use crate::api::contacts::contact_points::{ContactPointReply, EmailBody, PhoneNumberBody, Points, all, change};
use crate::api::http::extract::{CurrentUser, Id, Valid};
use crate::api::http::field::{self, Field, Optional as _, Patched as _};
use crate::api::http::problem::Problem;
use crate::domain::contacts::contact_points::{self, StoredPoint};
use crate::domain::contacts::contacts::{self, ContactChanges, NewContact, Note};
use crate::domain::contacts::names::{Names, OrganizationName, display_name};
use crate::domain::contacts::uids;
use crate::domain::values::birthday::{BirthDay, BirthMonth, Birthday};
use crate::domain::values::caller::Caller;
use crate::domain::values::email::Email;
use crate::domain::values::patch::Patch;
use crate::domain::values::person::{BirthYear, ContactNumber, NamePart, latest_birth_date};
use crate::error::{Error, Violation};
use crate::state::AppState;

/// A contact.
#[derive(Serialize, ToSchema)]
pub struct ContactReply {
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    id: Uuid,
    /// UID of the vCard: the one that it came with, or the id as a URN.
    #[schema(example = "urn:uuid:01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    uid: String,
    /// The name by which it is shown: first and last name, or else the organization.
    #[schema(example = "Byron King")]
    name: String,
    #[schema(required = true, example = "Byron")]
    first_name: Option<String>,
    #[schema(required = true, example = "King")]
    last_name: Option<String>,
    #[schema(required = true, example = "Ockham School")]
    organization: Option<String>,
    /// The main e-mail address.
    #[schema(required = true, example = "byron@example.org")]
    email: Option<String>,
    /// All e-mail addresses, the main one first.
    emails: Vec<ContactPointReply>,
    /// The main telephone number.
    #[schema(required = true, example = "+44 20 7946 0018")]
    phone_number: Option<String>,
    /// All telephone numbers, the main one first.
    phone_numbers: Vec<ContactPointReply>,
    #[schema(required = true, example = 5, minimum = 1, maximum = 12)]
    birth_month: Option<i16>,
    #[schema(required = true, example = 12, minimum = 1, maximum = 31)]
    birth_day: Option<i16>,
    /// Null if the year is unknown.
    #[schema(required = true, example = 2019)]
    birth_year: Option<i16>,
    #[schema(required = true, example = "Allergic to eggs.")]
    note: Option<String>,
    /// The import that created it.
    #[schema(required = true, example = json!(null))]
    import_id: Option<Uuid>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<table::Model> for ContactReply {
    fn from(contact: table::Model) -> Self {
        let replies = |points: Vec<StoredPoint>| points.into_iter().map(ContactPointReply::from).collect();
        Self {
            id: contact.id,
            uid: uids::of(&contact).into_owned(),
            name: display_name(&contact),
            emails: replies(contact_points::emails(&contact)),
            phone_numbers: replies(contact_points::phone_numbers(&contact)),
            first_name: contact.first_name,
            last_name: contact.last_name,
            organization: contact.organization,
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

/// A new contact. It has a first name, a last name or an organization. A birthday is a month and a day; the year may be unknown.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = birthday_exists, skip_on_field_errors = false))]
#[validate(schema(function = has_name, skip_on_field_errors = false))]
#[schema(example = json!({
    "first_name": "Byron",
    "last_name": "King",
    "email": "byron@example.org",
    "phone_number": "+44 20 7946 0018",
    "birth_month": 5,
    "birth_day": 12,
    "birth_year": 2019,
    "note": "Allergic to eggs.",
}))]
pub struct CreateContact {
    /// First name or names.
    #[validate(nested)]
    #[schema(inline)]
    first_name: Option<Field<NamePart>>,
    /// Last name.
    #[validate(nested)]
    #[schema(inline)]
    last_name: Option<Field<NamePart>>,
    /// Organization, such as a school.
    #[validate(nested)]
    #[schema(inline)]
    organization: Option<Field<OrganizationName>>,
    /// The only e-mail address; this or `emails`.
    #[validate(nested)]
    #[schema(inline)]
    email: Option<Field<Email>>,
    /// E-mail addresses, the main one first.
    #[validate(nested)]
    #[schema(value_type = Option<Vec<EmailBody>>, max_items = 20)]
    emails: Option<Points<EmailBody>>,
    /// The only telephone number; this or `phone_numbers`.
    #[validate(nested)]
    #[schema(inline)]
    phone_number: Option<Field<ContactNumber>>,
    /// Telephone numbers, the main one first.
    #[validate(nested)]
    #[schema(value_type = Option<Vec<PhoneNumberBody>>, max_items = 20)]
    phone_numbers: Option<Points<PhoneNumberBody>>,
    /// Month of birth.
    #[validate(nested)]
    #[schema(inline)]
    birth_month: Option<Field<BirthMonth>>,
    /// Day of birth.
    #[validate(nested)]
    #[schema(inline)]
    birth_day: Option<Field<BirthDay>>,
    /// Year of birth, from 1900 to this year.
    #[validate(nested)]
    #[schema(inline)]
    birth_year: Option<Field<BirthYear>>,
    /// Note.
    #[validate(nested)]
    #[schema(inline)]
    note: Option<Field<Note>>,
}

impl CreateContact {
    fn birthday(&self) -> Result<Option<Birthday>, Violation> {
        let month = self.birth_month.as_ref().and_then(Field::as_valid).map(|month| month.to_i16());
        let day = self.birth_day.as_ref().and_then(Field::as_valid).map(|day| day.to_i16());
        let year = self.birth_year.as_ref().and_then(Field::as_valid).map(|year| year.get());
        Birthday::try_from_parts(month, day, year, latest_birth_date())
    }
}

/// Checks that the parts of the birthday are an existing day. Parts that are invalid on their own are reported already.
fn birthday_exists(body: &CreateContact) -> Result<(), ValidationError> {
    let is_invalid = field::is_invalid(body.birth_month.as_ref())
        || field::is_invalid(body.birth_day.as_ref())
        || field::is_invalid(body.birth_year.as_ref());
    if is_invalid {
        return Ok(());
    }
    body.birthday().map(drop).map_err(|violation| field::validation_error(&violation))
}

/// Checks that there is a name. One that is invalid on its own is reported already.
fn has_name(body: &CreateContact) -> Result<(), ValidationError> {
    if body.first_name.is_some() || body.last_name.is_some() || body.organization.is_some() {
        return Ok(());
    }
    Names::new(None, None, None).map(drop).map_err(|violation| field::validation_error(&violation))
}

impl TryFrom<CreateContact> for NewContact {
    type Error = Error;

    fn try_from(body: CreateContact) -> Result<Self, Error> {
        Ok(Self {
            uid: None,
            birthday: body.birthday()?,
            names: Names::new(body.first_name.value()?, body.last_name.value()?, body.organization.value()?)?,
            emails: all("emails", body.email.value()?, body.emails)?,
            phone_numbers: all("phone_numbers", body.phone_number.value()?, body.phone_numbers)?,
            note: body.note.value()?,
        })
    }
}

/// A JSON merge patch (RFC 7396) of a contact: an absent member keeps its value, null clears it.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "last_name": "King-Noel", "birth_year": null }))]
pub struct UpdateContact {
    /// First name or names.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, value_type = Option<Field<NamePart>>)]
    first_name: Patch<Field<NamePart>>,
    /// Last name.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, value_type = Option<Field<NamePart>>)]
    last_name: Patch<Field<NamePart>>,
    /// Organization. One of the three names must be left.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, value_type = Option<Field<OrganizationName>>)]
    organization: Patch<Field<OrganizationName>>,
    /// The main e-mail address, instead of the one before; null removes all.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, value_type = Option<Field<Email>>)]
    email: Patch<Field<Email>>,
    /// All e-mail addresses, the main one first.
    #[serde(default)]
    #[validate(nested)]
    #[schema(value_type = Option<Vec<EmailBody>>, max_items = 20)]
    emails: Patch<Points<EmailBody>>,
    /// The main telephone number, instead of the one before; null removes all.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, value_type = Option<Field<ContactNumber>>)]
    phone_number: Patch<Field<ContactNumber>>,
    /// All telephone numbers, the main one first.
    #[serde(default)]
    #[validate(nested)]
    #[schema(value_type = Option<Vec<PhoneNumberBody>>, max_items = 20)]
    phone_numbers: Patch<Points<PhoneNumberBody>>,
    /// Month of birth.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, value_type = Option<Field<BirthMonth>>)]
    birth_month: Patch<Field<BirthMonth>>,
    /// Day of birth.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, value_type = Option<Field<BirthDay>>)]
    birth_day: Patch<Field<BirthDay>>,
    /// Year of birth, from 1900 to this year; null if it is unknown.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, value_type = Option<Field<BirthYear>>)]
    birth_year: Patch<Field<BirthYear>>,
    /// Note.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, value_type = Option<Field<Note>>)]
    note: Patch<Field<Note>>,
}

impl TryFrom<UpdateContact> for ContactChanges {
    type Error = Error;

    fn try_from(body: UpdateContact) -> Result<Self, Error> {
        Ok(Self {
            first_name: body.first_name.value()?,
            last_name: body.last_name.value()?,
            organization: body.organization.value()?,
            emails: change("emails", body.email.value()?, body.emails)?,
            phone_numbers: change("phone_numbers", body.phone_number.value()?, body.phone_numbers)?,
            birth_month: body.birth_month.value()?.map(|month| month.to_i16()),
            birth_day: body.birth_day.value()?.map(|day| day.to_i16()),
            birth_year: body.birth_year.value()?.map(BirthYear::get),
            note: body.note.value()?,
        })
    }
}

/// Create a contact
///
/// Only its owner can see it.
///
/// **Open to:** anyone signed in, for themselves.
#[utoipa::path(
    operation_id = "create_contact", tag = "contacts", security(("oauth2" = []), ("token" = [])),
    request_body = CreateContact,
    responses(
        (status = 201, body = ContactReply, headers(("Location" = String, description = "Path of the contact"))),
        (status = 429, description = "The quota of contacts per hour is used up"),
    )
)]
#[post("")]
pub async fn create(
    state: web::Data<AppState>,
    user: CurrentUser,
    Valid(body): Valid<CreateContact>,
) -> Result<HttpResponse, Problem> {
    let contact = contacts::create(&state.db, &state.auth, &user, body.try_into()?).await?;
    let location = format!("/api/v1/contacts/{}", contact.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(ContactReply::from(contact)))
}

/// Get a contact
///
/// **Open to:** its owner; not to staff or admins.
#[utoipa::path(
    operation_id = "get_contact", tag = "contacts", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 200, body = ContactReply))
)]
#[get("/{id}")]
pub async fn get(state: web::Data<AppState>, user: CurrentUser, id: Id) -> Result<web::Json<ContactReply>, Problem> {
    Ok(web::Json(contacts::get(&state.db, &user, id.0).await?.into()))
}

/// Update a contact
///
/// A change of the name or the birthday is carried over to the patient of the contact, until they are given a dose.
///
/// **Open to:** its owner.
#[utoipa::path(
    operation_id = "update_contact", tag = "contacts", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    request_body(content = UpdateContact, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, body = ContactReply),
    )
)]
#[patch("/{id}")]
pub async fn update(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
    Valid(body): Valid<UpdateContact>,
) -> Result<web::Json<ContactReply>, Problem> {
    let contact = contacts::update(&state.db, &state.auth.clock, &caller, id.0, body.try_into()?).await?;
    Ok(web::Json(contact.into()))
}

/// Delete a contact
///
/// Closed vaccine requests for the contact are kept. Without a dose, they no longer have its name and birthday.
///
/// **Open to:** its owner.
#[utoipa::path(
    operation_id = "delete_contact", tag = "contacts", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses(
        (status = 204),
        (status = 409, description = "The contact has an open vaccine request"),
    )
)]
#[delete("/{id}")]
pub async fn delete(state: web::Data<AppState>, user: CurrentUser, id: Id) -> Result<HttpResponse, Problem> {
    contacts::delete(&state.db, &state.auth.clock, &user, id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
