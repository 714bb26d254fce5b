//! Invitations: create, list, get, revoke; and their use for a request that was made already.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, delete, get, post, put, web};
use chrono::{DateTime, Utc};
use entity::invitation_uses as table;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::api::http::extract::{CurrentUser, Id, Query, Valid};
use crate::api::http::field::{Field, Optional as _};
use crate::api::http::paging::{self, Limit, PageQuery, PageReply};
use crate::api::http::problem::Problem;
use crate::api::vaccination::request_replies::VaccineRequestReply;
use crate::domain::vaccination::catalogue::EXAMPLE_ID;
use crate::domain::vaccination::invitation_codes::InvitationCode;
use crate::domain::vaccination::invitation_uses;
use crate::domain::vaccination::invitations::{
    self, Invitation, InvitationFilter, Label, MaxUses, NewInvitation, Terms,
};
use crate::domain::values::caller::Caller;
use crate::domain::values::email::Email;
use crate::domain::values::instant::Instant;
use crate::domain::values::person::NationalId;
use crate::error::Error;
use crate::state::AppState;

/// An invitation.
#[derive(Serialize, ToSchema)]
pub struct InvitationReply {
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    id: Uuid,
    /// Note of staff.
    #[schema(required = true, example = "Health workers")]
    label: Option<String>,
    /// The only e-mail whose account can use it, if it is verified.
    #[schema(required = true, example = json!(null))]
    email: Option<String>,
    /// The only national id whose owner can use it, if it is verified; in upper case and without separators.
    #[schema(required = true, example = json!(null))]
    nid: Option<String>,
    #[schema(example = "01900000-0000-7000-8000-000000000009")]
    course_id: Uuid,
    /// The only centre in whose slots it counts; null for all centres.
    #[schema(required = true, example = json!(null))]
    centre_id: Option<Uuid>,
    valid_from: DateTime<Utc>,
    /// End, exclusive.
    valid_until: DateTime<Utc>,
    /// Number of people who can use it.
    #[schema(example = 50, minimum = 1)]
    max_uses: i32,
    /// Number of people who have used it.
    #[schema(example = 1, minimum = 0)]
    used: i32,
    /// When it was revoked; null while it is not.
    #[schema(required = true)]
    revoked_at: Option<DateTime<Utc>>,
    /// The account that created it; null if it has been deleted.
    #[schema(required = true, example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    creator_id: Option<Uuid>,
    created_at: DateTime<Utc>,
    /// The latest uses, latest first; at most 20. Those by people whose data was erased are not shown, but counted.
    uses: Vec<InvitationUseReply>,
}

/// A use of an invitation.
#[derive(Serialize, ToSchema)]
pub struct InvitationUseReply {
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    patient_id: Uuid,
    /// The latest request of the patient with this invitation.
    #[schema(example = "01939d3e-8c5c-7c52-a0a3-5c1d3b2b7a10")]
    request_id: Uuid,
    /// When the patient used it first.
    used_at: DateTime<Utc>,
}

/// A new invitation with its code.
#[derive(Serialize, ToSchema)]
pub struct CreatedInvitationReply {
    #[serde(flatten)]
    invitation: InvitationReply,
    /// The code, which is not returned again.
    #[schema(example = "7KX2-M9QD-4VTB")]
    code: String,
}

impl From<Invitation> for InvitationReply {
    fn from(Invitation { invitation, uses }: Invitation) -> Self {
        Self {
            id: invitation.id,
            label: invitation.label,
            email: invitation.email,
            nid: invitation.nid_key,
            course_id: invitation.course_id,
            centre_id: invitation.centre_id,
            valid_from: invitation.valid_from,
            valid_until: invitation.valid_until,
            max_uses: invitation.max_uses,
            used: invitation.used,
            revoked_at: invitation.revoked_at,
            creator_id: invitation.created_by,
            created_at: invitation.created_at,
            uses: uses.into_iter().map(InvitationUseReply::from).collect(),
        }
    }
}

impl From<table::Model> for InvitationUseReply {
    fn from(one: table::Model) -> Self {
        Self { patient_id: one.patient_id, request_id: one.request_id, used_at: one.used_at }
    }
}

/// A new invitation.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "course_id": EXAMPLE_ID,
    "valid_until": "2028-12-31T23:00:00Z",
    "max_uses": 50,
    "label": "Health workers",
}))]
pub struct CreateInvitation {
    /// The course for which it can be used.
    #[serde(default)]
    #[validate(nested)]
    #[schema(value_type = Uuid, required = true)]
    course_id: Field<Uuid>,
    /// The only centre in whose slots it counts, one in which the actor acts; null or absent for all centres.
    #[validate(nested)]
    #[schema(value_type = Option<Uuid>)]
    centre_id: Option<Field<Uuid>>,
    /// Begin (RFC 3339); now by default.
    #[validate(nested)]
    #[schema(inline)]
    valid_from: Option<Field<Instant>>,
    /// End, exclusive (RFC 3339); at most 800 days from now.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    valid_until: Field<Instant>,
    /// Number of people who can use it; 1 by default, and always with `email` or `nid`.
    #[validate(nested)]
    #[schema(inline)]
    max_uses: Option<Field<MaxUses>>,
    /// The only e-mail whose account can use it, after it was verified.
    #[validate(nested)]
    #[schema(inline)]
    email: Option<Field<Email>>,
    /// The only national id whose owner can use it for themselves, after staff verified it.
    #[validate(nested)]
    #[schema(inline)]
    nid: Option<Field<NationalId>>,
    /// Note of staff.
    #[validate(nested)]
    #[schema(inline)]
    label: Option<Field<Label>>,
    /// Whether the code is mailed to `email`; false by default.
    #[validate(nested)]
    #[schema(inline)]
    send_mail: Option<Field<bool>>,
}

impl TryFrom<CreateInvitation> for NewInvitation {
    type Error = Error;

    fn try_from(body: CreateInvitation) -> Result<Self, Error> {
        Ok(Self {
            terms: Terms {
                course_id: body.course_id.value()?,
                centre_id: body.centre_id.value()?,
                valid_from: body.valid_from.value()?.map(Instant::time),
                valid_until: body.valid_until.value()?.time(),
                label: body.label.value()?,
            },
            max_uses: body.max_uses.value()?.unwrap_or(MaxUses::MINIMUM),
            email: body.email.value()?,
            nid: body.nid.value()?,
            send_mail: body.send_mail.value()?.unwrap_or(false),
        })
    }
}

/// Create an invitation
///
/// With `email` or `nid` it is bound to a person. The response has its code, which is not returned again.
///
/// **Open to:** staff; with a centre, the staff of the centre and admins.
#[utoipa::path(
    operation_id = "create_invitation", tag = "invitations", security(("oauth2" = []), ("token" = [])),
    request_body = CreateInvitation,
    responses(
        (
            status = 201, body = CreatedInvitationReply,
            headers(("Location" = String, description = "Path of the invitation"))
        ),
        (status = 403, description = "Needs the role staff"),
    )
)]
#[post("")]
pub async fn create(
    state: web::Data<AppState>,
    caller: Caller,
    Valid(body): Valid<CreateInvitation>,
) -> Result<HttpResponse, Problem> {
    let (invitation, code) = invitations::create(&state.db, &state.auth, &caller, body.try_into()?).await?;
    let reply = CreatedInvitationReply { invitation: invitation.into(), code: code.grouped() };
    let location = format!("/api/v1/invitations/{}", reply.invitation.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(reply))
}

/// Filter and page of a list of invitations.
#[derive(Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListInvitations {
    /// Only invitations for this course.
    #[validate(nested)]
    #[param(value_type = Option<Uuid>)]
    course_id: Option<Field<Uuid>>,
    /// Only invitations that count in this centre alone.
    #[validate(nested)]
    #[param(value_type = Option<Uuid>)]
    centre_id: Option<Field<Uuid>>,
    /// Only invitations that are bound to this e-mail.
    #[validate(nested)]
    #[param(inline)]
    email: Option<Field<Email>>,
    /// Items per page; 20 by default.
    #[validate(nested)]
    #[param(inline, example = 20)]
    limit: Option<Field<Limit>>,
    /// The `next_cursor` of the previous page.
    cursor: Option<String>,
}

/// List invitations
///
/// Newest first.
///
/// **Open to:** staff, for invitations without a centre and those of their centres; admins see all.
#[utoipa::path(
    operation_id = "list_invitations", tag = "invitations", security(("oauth2" = []), ("token" = [])),
    params(ListInvitations),
    responses(
        (status = 200, body = PageReply<InvitationReply>, headers(("Link" = String, description = "The next page"))),
        (status = 403, description = "Needs the role staff"),
    )
)]
#[get("")]
pub async fn list(
    state: web::Data<AppState>,
    user: CurrentUser,
    request: HttpRequest,
    Query(query): Query<ListInvitations>,
) -> Result<HttpResponse, Problem> {
    let page = paging::page(query.limit, query.cursor.as_deref())?;
    let filter = InvitationFilter {
        course_id: query.course_id.value()?,
        centre_id: query.centre_id.value()?,
        email: query.email.value()?,
    };
    let invitations = invitations::list(&state.db, &user, &filter, page).await?;
    Ok(paging::reply(&request, invitations, InvitationReply::from))
}

/// Get an invitation
///
/// **Open to:** staff, for invitations without a centre and those of their centres; admins see all.
#[utoipa::path(
    operation_id = "get_invitation", tag = "invitations", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 200, body = InvitationReply), (status = 403, description = "Needs the role staff"))
)]
#[get("/{id}")]
pub async fn get(state: web::Data<AppState>, user: CurrentUser, id: Id) -> Result<web::Json<InvitationReply>, Problem> {
    Ok(web::Json(invitations::get(&state.db, &user, id.0).await?.into()))
}

/// List the uses of an invitation
///
/// All of them, by patient; the invitation itself shows the latest 20.
///
/// **Open to:** staff, for invitations without a centre and those of their centres; admins see all.
#[utoipa::path(
    operation_id = "list_invitation_uses", tag = "invitations", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path), PageQuery),
    responses(
        (status = 200, body = PageReply<InvitationUseReply>,
            headers(("Link" = String, description = "The next page"))),
        (status = 403, description = "Needs the role staff"),
    )
)]
#[get("/{id}/uses")]
pub async fn list_uses(
    state: web::Data<AppState>,
    user: CurrentUser,
    request: HttpRequest,
    id: Id,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let page = query.page()?;
    let uses = invitations::list_uses(&state.db, &user, id.0, page).await?;
    Ok(paging::reply(&request, uses, InvitationUseReply::from))
}

/// Revoke an invitation
///
/// Nobody can use it any more. Nothing changes if it was revoked before.
///
/// **Open to:** staff, for invitations without a centre and those of their centres; admins for all.
#[utoipa::path(
    operation_id = "revoke_invitation", tag = "invitations", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 204), (status = 403, description = "Needs the role staff"))
)]
#[delete("/{id}")]
pub async fn revoke(state: web::Data<AppState>, caller: Caller, id: Id) -> Result<HttpResponse, Problem> {
    invitations::revoke(&state.db, &state.auth.clock, &caller, id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The use of an invitation.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "invitation_code": "7KX2-M9QD-4VTB" }))]
pub struct UseInvitation {
    /// Code of an invitation for the course of the request; letter case, spaces and hyphens do not matter.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    invitation_code: Field<InvitationCode>,
}

/// Use an invitation for a vaccine request
///
/// For people who made the request before they were invited. The request must be pending or approved. All invitations
/// that cannot be used get the same response.
///
/// **Open to:** the user who made the request.
#[utoipa::path(
    operation_id = "use_invitation", tag = "vaccine-requests", security(("oauth2" = []), ("token" = [])),
    params(("id" = Uuid, Path)),
    request_body = UseInvitation,
    responses(
        (status = 200, body = VaccineRequestReply),
        (status = 409, description = "The request is neither pending nor approved"),
        (status = 429, description = "Too many wrong invitation codes"),
    )
)]
#[put("/{id}/invitation")]
pub async fn attach(
    state: web::Data<AppState>,
    caller: Caller,
    id: Id,
    Valid(body): Valid<UseInvitation>,
) -> Result<web::Json<VaccineRequestReply>, Problem> {
    let code = body.invitation_code.value()?;
    Ok(web::Json(invitation_uses::attach(&state.db, &state.auth, &caller, id.0, &code).await?.into()))
}
