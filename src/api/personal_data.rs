//! Export of the personal data of the current user, and of others by admins.

use actix_web::http::header::{self, ContentType};
use actix_web::{HttpResponse, get, web};
use chrono::{DateTime, Utc};
use entity::{CodePurpose, MailKind, account_codes, outbox};
use futures_util::{Stream, StreamExt as _, stream};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::accounts::users::UserReply;
use crate::api::auth::sessions::SessionReply;
use crate::api::contacts::calendar_feeds::FeedReply;
use crate::api::contacts::contact_imports::ImportReply;
use crate::api::contacts::contacts::ContactReply;
use crate::api::http::extract::Id;
use crate::api::http::problem::Problem;
use crate::api::http::streaming::{json_items, prefetched};
use crate::api::records::audit::AuditEventReply;
use crate::api::vaccination::patients::PatientReply;
use crate::api::vaccination::request_replies::VaccineRequestReply;
use crate::domain::accounts::administration::Administrator;
use crate::domain::personal_data::{self, PersonalData};
use crate::domain::values::caller::Caller;
use crate::error::{Error, Result as DomainResult};
use crate::state::AppState;

/// Stored data that is not exported.
const WITHHELD: [&str; 3] = [
    "password_hash, code_hash, secret_hash: secrets",
    "throttles, quotas: counters under HMACs, which cannot be traced back to anybody and are deleted soon",
    "idempotency_keys, user_words, patient_words: copies of other members",
];

/// End of the document, with empty lists of contacts and activity.
const EMPTY_LISTS: &str = "\"contacts\":[],\"activity\":[]}";

/// The personal data of a user.
#[derive(Serialize, ToSchema)]
pub struct PersonalDataReply {
    exported_at: DateTime<Utc>,
    account: UserReply,
    /// Sessions, including ended ones that are not deleted yet.
    sessions: Vec<SessionReply>,
    /// The people for whom the user has requested vaccines.
    patients: Vec<PatientReply>,
    /// Ids of the centres in which the user acts.
    #[schema(value_type = BTreeSet<Uuid>)]
    centres: Vec<Uuid>,
    vaccine_requests: Vec<VaccineRequestReply>,
    /// Imports of contacts.
    contact_imports: Vec<ImportReply>,
    /// The birthday feed.
    #[schema(required = true)]
    birthday_feed: Option<FeedReply>,
    /// Ids of the vaccine requests that the user reviewed.
    #[schema(value_type = BTreeSet<Uuid>)]
    reviewed_vaccine_requests: Vec<Uuid>,
    /// Mails that have not been sent yet.
    mails: Vec<MailReply>,
    /// Codes that have not been used yet.
    codes: Vec<CodeReply>,
    /// Stored data that is not exported, and why.
    #[schema(value_type = BTreeSet<String>, example = json!(["password_hash: a secret"]))]
    withheld: Vec<&'static str>,
    contacts: Vec<ContactReply>,
    /// Operations by the user and on their account, newest first.
    activity: Vec<AuditEventReply>,
}

/// A mail that has not been sent yet.
#[derive(Serialize, ToSchema)]
pub struct MailReply {
    kind: MailKind,
    #[schema(example = "ada@example.org")]
    recipient: String,
    created_at: DateTime<Utc>,
}

/// A code that has not been used yet.
#[derive(Serialize, ToSchema)]
pub struct CodeReply {
    purpose: CodePurpose,
    /// The address that it verifies.
    #[schema(example = "ada@example.org")]
    email: String,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl PersonalDataReply {
    fn new(data: PersonalData, session_id: Option<Uuid>, now: DateTime<Utc>) -> Self {
        let session = |session| SessionReply::new(session, session_id);
        Self {
            exported_at: now,
            account: data.user.into(),
            sessions: data.sessions.into_iter().map(session).collect(),
            patients: data.patients.into_iter().map(Into::into).collect(),
            centres: data.centres,
            vaccine_requests: data.vaccine_requests.into_iter().map(Into::into).collect(),
            contact_imports: data.imports.into_iter().map(Into::into).collect(),
            birthday_feed: data.feed.map(Into::into),
            reviewed_vaccine_requests: data.reviewed,
            mails: data.mails.into_iter().map(MailReply::from).collect(),
            codes: data.codes.into_iter().map(CodeReply::from).collect(),
            withheld: WITHHELD.to_vec(),
            contacts: Vec::new(),
            activity: Vec::new(),
        }
    }
}

impl From<outbox::Model> for MailReply {
    fn from(mail: outbox::Model) -> Self {
        Self { kind: mail.kind, recipient: mail.recipient, created_at: mail.created_at }
    }
}

impl From<account_codes::Model> for CodeReply {
    fn from(code: account_codes::Model) -> Self {
        Self { purpose: code.purpose, email: code.email, created_at: code.created_at, expires_at: code.expires_at }
    }
}

/// Export the personal data of the current user
///
/// Returns everything that is stored about the user, as one JSON document. A response that ends before its closing
/// brace is incomplete.
///
/// **Open to:** anyone signed in.
#[utoipa::path(
    operation_id = "export_personal_data", tag = "account", security(("oauth2" = []), ("token" = [])),
    responses((status = 200, body = PersonalDataReply))
)]
#[get("/me/export")]
pub async fn export(state: web::Data<AppState>, caller: Caller) -> Result<HttpResponse, Problem> {
    let data = personal_data::export(&state.db, &state.auth.clock, &caller).await?;
    response(document(&state, data, Some(caller.actor.session_id))?).await
}

/// Export the personal data of an account
///
/// For someone who has lost access to the account. The document is that of `GET /users/me/export`.
///
/// **Open to:** admins.
#[utoipa::path(
    operation_id = "export_personal_data_of_user", tag = "users", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 200, body = PersonalDataReply), (status = 403, description = "Needs the role admin"))
)]
#[get("/{id}/export")]
pub async fn export_of(state: web::Data<AppState>, caller: Caller, id: Id) -> Result<HttpResponse, Problem> {
    let admin = Administrator::admin(&caller)?;
    let data = personal_data::export_of(&state.db, &state.auth, &admin, id.0).await?;
    response(document(&state, data, None)?).await
}

async fn response(body: impl Stream<Item = DomainResult<Vec<u8>>> + 'static) -> Result<HttpResponse, Problem> {
    let name = (header::CONTENT_DISPOSITION, "attachment; filename=\"care4u.json\"");
    Ok(HttpResponse::Ok().insert_header(name).content_type(ContentType::json()).streaming(prefetched(body).await?))
}

/// The JSON document in chunks: memory holds one page of contacts or events at a time.
///
/// # Errors
/// An internal error.
pub fn document(
    state: &AppState,
    data: PersonalData,
    session_id: Option<Uuid>,
) -> DomainResult<impl Stream<Item = DomainResult<Vec<u8>>> + use<>> {
    let user_id = data.user.id;
    let reply = PersonalDataReply::new(data, session_id, state.auth.clock.now());
    let mut head = serde_json::to_vec(&reply).map_err(Error::internal)?;
    // The two lists are the last members, and empty: the items go between their brackets.
    head.truncate(head.len().saturating_sub(EMPTY_LISTS.len()));
    head.extend(b"\"contacts\":[");
    let contacts = json_items(personal_data::contacts(state.db.clone(), user_id), ContactReply::from);
    let activity = json_items(personal_data::activity(state.db.clone(), user_id), AuditEventReply::from);
    let text = |text: Vec<u8>| stream::iter([Ok(text)]);
    Ok(text(head).chain(contacts).chain(text(b"],\"activity\":[".to_vec())).chain(activity).chain(text(b"]}".to_vec())))
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use entity::{Role, users};
    use uuid::Uuid;

    use super::{EMPTY_LISTS, PersonalDataReply};
    use crate::domain::personal_data::PersonalData;

    #[test]
    fn the_lists_that_are_streamed_are_the_last_members() {
        let user = users::Model {
            id: Uuid::nil(),
            name: String::new(),
            email: String::new(),
            password_hash: entity::PasswordHash(String::new()),
            role: Role::Patient,
            nid: None,
            nid_key: None,
            nid_verified_at: None,
            phone_number: None,
            address: None,
            birth_date: None,
            email_verified_at: None,
            disabled_at: None,
            time_zone: None,
            created_at: Utc::now(),
            updated_at: Utc::now(),
        };
        let data = PersonalData {
            user,
            sessions: Vec::new(),
            patients: Vec::new(),
            centres: Vec::new(),
            vaccine_requests: Vec::new(),
            imports: Vec::new(),
            feed: None,
            reviewed: Vec::new(),
            mails: Vec::new(),
            codes: Vec::new(),
        };
        let reply = serde_json::to_string(&PersonalDataReply::new(data, None, Utc::now())).unwrap();
        assert!(reply.ends_with(EMPTY_LISTS), "{reply}");
    }
}
