//! Mail messages with the codes of invitations. A code is derived only when it is sent, so that it is in no queue. A mail about
//! an invitation that can no longer be used is dropped.

use chrono::{DateTime, Utc};
use entity::{centres, courses, invitations, outbox};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ConnectionTrait, FromQueryResult as _};
use uuid::Uuid;

use crate::domain::accounts::mail_messages::{Message, Outcome};
use crate::domain::auth::context::Auth;
use crate::domain::vaccination::invitation_codes;
use crate::domain::vaccination::mail_messages::place;
use crate::domain::vaccination::request_rows::add_columns;
use crate::domain::values::time_zone::TimeZone;
use crate::error::Result;

/// The invitation in a mail.
#[derive(Clone)]
pub struct Invitation {
    /// Name of the course.
    pub course: String,
    /// The only centre in whose slots it counts.
    pub centre: Option<centres::Model>,
    /// Time zone of the centre, or UTC.
    pub time_zone: TimeZone,
    /// The code, in groups.
    pub code: String,
    /// Time from which it can be used, if that is still to come.
    pub valid_from: Option<DateTime<Utc>>,
    /// Time until which it can be used.
    pub valid_until: DateTime<Utc>,
}

impl Invitation {
    /// Name and address of the centre, in one line.
    #[must_use]
    pub fn place(&self) -> Option<String> {
        self.centre.as_ref().map(place)
    }
}

/// The code stays out of logs.
impl std::fmt::Debug for Invitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Invitation(…)")
    }
}

/// Prepares a mail with the code of an invitation. Only staff cause such mails, so their number is not limited.
///
/// # Errors
/// Database errors.
pub async fn prepare(db: &impl ConnectionTrait, auth: &Auth, mail: &outbox::Model) -> Result<Outcome<Box<Invitation>>> {
    let now = auth.clock.now();
    let Some(id) = mail.object_id else { return Ok(Outcome::Skip) };
    let Some(row) = db.query_one(&query(id)).await? else { return Ok(Outcome::Skip) };
    let invitation = invitations::Model::from_query_result(&row, "i_")?;
    if !is_usable(&invitation, now) {
        return Ok(Outcome::Skip);
    }
    let Some(code) = invitation_codes::of(auth.tokens.keys(), &invitation) else {
        log::error!("mail.id" = mail.id.to_string(); "an invitation cannot be mailed: its signing key is gone");
        return Ok(Outcome::Skip);
    };
    let Some(recipient) = invitation.email else { return Ok(Outcome::Skip) };
    let centre = match invitation.centre_id {
        Some(_) => Some(centres::Model::from_query_result(&row, "c_")?),
        None => None,
    };
    let time_zone = match &centre {
        Some(centre) => TimeZone::parse(&centre.time_zone)?,
        None => TimeZone::UTC,
    };
    let content = Box::new(Invitation {
        course: row.try_get("", "course")?,
        centre,
        time_zone,
        code,
        valid_from: Some(invitation.valid_from).filter(|from| *from > now),
        valid_until: invitation.valid_until,
    });
    // The address may be that of a stranger.
    Ok(Outcome::Send(Message { kind: mail.kind, recipient, name: None, content }))
}

fn is_usable(invitation: &invitations::Model, now: DateTime<Utc>) -> bool {
    invitation.revoked_at.is_none() && invitation.used < invitation.max_uses && invitation.valid_until > now
}

/// The statement that reads an invitation with its course and centre.
fn query(id: Uuid) -> SelectStatement {
    let of_invitation = |column| Expr::col((invitations::Entity, column));
    let mut query = Query::select();
    add_columns::<invitations::Entity>(&mut query, "i_");
    add_columns::<centres::Entity>(&mut query, "c_");
    query
        .expr_as(Expr::col((courses::Entity, courses::Column::Name)), "course")
        .from(invitations::Entity)
        .inner_join(
            courses::Entity,
            Expr::col((courses::Entity, courses::Column::Id)).eq(of_invitation(invitations::Column::CourseId)),
        )
        .left_join(
            centres::Entity,
            Expr::col((centres::Entity, centres::Column::Id)).eq(of_invitation(invitations::Column::CentreId)),
        )
        .and_where(of_invitation(invitations::Column::Id).eq(id));
    query
}
