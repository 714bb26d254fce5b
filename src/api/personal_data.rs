//! Everything stored about the caller, for them to take along.

use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use chrono::{DateTime, Utc};
use entity::{CodePurpose, MailKind};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::accounts::users::UserReply;
use crate::api::auth::sessions::SessionReply;
use crate::api::contacts::calendar_feeds::FeedReply;
use crate::api::contacts::contact_imports::ImportReply;
use crate::api::contacts::contacts::ContactReply;
use crate::api::http::extract::CurrentUser;
use crate::api::http::problem::Problem;
use crate::api::records::audit::AuditEventReply;
use crate::api::vaccination::vaccine_requests::VaccineRequestReply;
use crate::domain::personal_data;
use crate::domain::values::client::Client;
use crate::state::AppState;

/// Everything stored about one user.
#[derive(Serialize, ToSchema)]
pub struct PersonalDataReply {
    exported_at: DateTime<Utc>,
    account: UserReply,
    /// Those that are over included, until they are removed.
    sessions: Vec<SessionReply>,
    vaccine_requests: Vec<VaccineRequestReply>,
    contacts: Vec<ContactReply>,
    /// Files that contacts came from.
    contact_imports: Vec<ImportReply>,
    /// The secret address of the calendar of birthdays, if one is open.
    #[schema(required = true)]
    birthday_feed: Option<FeedReply>,
    /// The ids of the requests of others that the user decided on.
    reviewed_vaccine_requests: Vec<Uuid>,
    /// What the user did, and what was done to the account.
    activity: Vec<AuditEventReply>,
    /// Mails that wait to be sent.
    mails: Vec<MailReply>,
    /// Codes under way.
    codes: Vec<CodeReply>,
    /// What is stored but not given out, and why.
    #[schema(example = json!(["password_hash: a secret"]))]
    withheld: Vec<&'static str>,
}

/// A mail that waits to be sent.
#[derive(Serialize, ToSchema)]
pub struct MailReply {
    kind: MailKind,
    #[schema(example = "ada@example.org")]
    recipient: String,
    created_at: DateTime<Utc>,
}

/// A code under way.
#[derive(Serialize, ToSchema)]
pub struct CodeReply {
    purpose: CodePurpose,
    /// The address that it proves.
    #[schema(example = "ada@example.org")]
    email: String,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

/// Everything stored about the caller, as one document.
///
/// **Open to:** anyone signed in.
#[utoipa::path(
    operation_id = "export_my_data", tag = "account", security(("oauth2" = []), ("token" = [])),
    responses((status = 200, body = PersonalDataReply))
)]
#[get("/me/export")]
pub async fn export(state: web::Data<AppState>, user: CurrentUser, client: Client) -> Result<HttpResponse, Problem> {
    let data = personal_data::export(&state.db, &state.auth, &user, &client).await?;
    let reply = PersonalDataReply {
        exported_at: state.auth.clock.now(),
        account: data.user.into(),
        sessions: data.sessions.into_iter().map(|session| SessionReply::new(session, user.session_id)).collect(),
        vaccine_requests: data.vaccine_requests.into_iter().map(Into::into).collect(),
        contacts: data.contacts.into_iter().map(Into::into).collect(),
        contact_imports: data.imports.into_iter().map(Into::into).collect(),
        birthday_feed: data.feed.map(Into::into),
        reviewed_vaccine_requests: data.reviewed,
        activity: data.activity.into_iter().map(Into::into).collect(),
        mails: data
            .mails
            .into_iter()
            .map(|mail| MailReply { kind: mail.kind, recipient: mail.recipient, created_at: mail.created_at })
            .collect(),
        codes: data
            .codes
            .into_iter()
            .map(|code| CodeReply {
                purpose: code.purpose,
                email: code.email,
                created_at: code.created_at,
                expires_at: code.expires_at,
            })
            .collect(),
        withheld: vec![
            "password_hash, code_hash, secret_hash: secrets",
            "throttles: counters under keyed hashes, which cannot be traced back to anybody and are soon swept",
        ],
    };
    let name = (header::CONTENT_DISPOSITION, "attachment; filename=\"care4u.json\"");
    Ok(HttpResponse::Ok().insert_header(name).json(reply))
}
