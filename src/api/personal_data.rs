//! Export of the personal data of the current user, and of others by admins.

use actix_web::http::header::{self, ContentType};
use actix_web::{HttpResponse, get, web};
use chrono::{DateTime, NaiveDate, Utc};
use entity::{CodePurpose, MailKind, WaitlistStatus, account_codes, invitations, outbox, waitlist_entries};
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
use crate::api::vaccination::immunizations::ImmunizationReply;
use crate::api::vaccination::invitations::InvitationUseReply;
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
    /// Doses of the patients, also those that do not count.
    immunizations: Vec<ImmunizationReply>,
    /// Places on the waitlist, also former ones.
    waitlist_entries: Vec<WaitlistEntryReply>,
    /// Invitations that name the user, or that they used.
    invitations: Vec<OwnInvitationReply>,
    /// Ids of the invitations that the user created.
    #[schema(value_type = BTreeSet<Uuid>)]
    created_invitations: Vec<Uuid>,
    /// Uses of invitations by patients of the user.
    invitation_uses: Vec<InvitationUseReply>,
    /// Imports of contacts.
    contact_imports: Vec<ImportReply>,
    /// The birthday feed.
    #[schema(required = true)]
    birthday_feed: Option<FeedReply>,
    /// Ids of the doses that the user gave.
    #[schema(value_type = BTreeSet<Uuid>)]
    given_doses: Vec<Uuid>,
    /// Ids of the doses that the user reported.
    #[schema(value_type = BTreeSet<Uuid>)]
    reported_doses: Vec<Uuid>,
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

/// A place on the waitlist.
#[derive(Serialize, ToSchema)]
pub struct WaitlistEntryReply {
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    id: Uuid,
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    request_id: Uuid,
    #[schema(example = "01900000-0000-7000-8000-000000000009")]
    course_id: Uuid,
    status: WaitlistStatus,
    /// The lowest comes first.
    #[schema(example = 0)]
    priority: i16,
    #[schema(required = true, example = json!(null))]
    centre_id: Option<Uuid>,
    from_date: NaiveDate,
    #[schema(required = true)]
    to_date: Option<NaiveDate>,
    /// The slot of the latest offer.
    #[schema(required = true, example = json!(null))]
    slot_id: Option<Uuid>,
    #[schema(required = true)]
    offer_expires_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<waitlist_entries::Model> for WaitlistEntryReply {
    fn from(entry: waitlist_entries::Model) -> Self {
        Self {
            id: entry.id,
            request_id: entry.request_id,
            course_id: entry.course_id,
            status: entry.status,
            priority: entry.priority,
            centre_id: entry.centre_id,
            from_date: entry.from_date,
            to_date: entry.to_date,
            slot_id: entry.slot_id,
            offer_expires_at: entry.offer_expires_at,
            created_at: entry.created_at,
            updated_at: entry.updated_at,
        }
    }
}

/// An invitation that names the user, or that they used.
#[derive(Serialize, ToSchema)]
pub struct OwnInvitationReply {
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    id: Uuid,
    /// Note of staff.
    #[schema(required = true, example = "Health workers")]
    label: Option<String>,
    /// The e-mail to which it is bound.
    #[schema(required = true, example = "ada@example.org")]
    email: Option<String>,
    /// The national id to which it is bound.
    #[schema(required = true, example = json!(null))]
    nid: Option<String>,
    #[schema(example = "01900000-0000-7000-8000-000000000009")]
    course_id: Uuid,
    #[schema(required = true, example = json!(null))]
    centre_id: Option<Uuid>,
    valid_from: DateTime<Utc>,
    valid_until: DateTime<Utc>,
    #[schema(required = true)]
    revoked_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl From<invitations::Model> for OwnInvitationReply {
    fn from(invitation: invitations::Model) -> Self {
        Self {
            id: invitation.id,
            label: invitation.label,
            email: invitation.email,
            nid: invitation.nid_key,
            course_id: invitation.course_id,
            centre_id: invitation.centre_id,
            valid_from: invitation.valid_from,
            valid_until: invitation.valid_until,
            revoked_at: invitation.revoked_at,
            created_at: invitation.created_at,
        }
    }
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
            immunizations: data.immunizations.into_iter().map(Into::into).collect(),
            waitlist_entries: data.waitlist_entries.into_iter().map(Into::into).collect(),
            invitations: data.invitations.into_iter().map(Into::into).collect(),
            created_invitations: data.created_invitations,
            invitation_uses: data.invitation_uses.into_iter().map(Into::into).collect(),
            contact_imports: data.imports.into_iter().map(Into::into).collect(),
            birthday_feed: data.feed.map(Into::into),
            given_doses: data.given_doses,
            reported_doses: data.reported_doses,
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
    let data = personal_data::export(&state.db, &state.vaccination, &caller).await?;
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
    let data = personal_data::export_of(&state.db, &state.auth, &state.vaccination.schedules, &admin, id.0).await?;
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
            immunizations: Vec::new(),
            waitlist_entries: Vec::new(),
            invitations: Vec::new(),
            created_invitations: Vec::new(),
            invitation_uses: Vec::new(),
            imports: Vec::new(),
            feed: None,
            given_doses: Vec::new(),
            reported_doses: Vec::new(),
            reviewed: Vec::new(),
            mails: Vec::new(),
            codes: Vec::new(),
        };
        let reply = serde_json::to_string(&PersonalDataReply::new(data, None, Utc::now())).unwrap();
        assert!(reply.ends_with(EMPTY_LISTS), "{reply}");
    }
}
