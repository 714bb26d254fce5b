//! Invitations: create, list, get, revoke, by staff. Their codes are derived in [`invitation_codes`], and used in
//! [`invitation_uses`].

use std::collections::HashMap;

use chrono::{DateTime, Days, Utc};
use entity::invitations::{ActiveModel, Column, Entity, Model};
use entity::{AuditAction, Role, centres as centres_table, courses, invitation_uses as uses};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select, Set, TransactionSession as _,
};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::accounts::users as accounts;
use crate::domain::auth::context::Auth;
use crate::domain::auth::keys::Keyring;
use crate::domain::records::audit::Event;
use crate::domain::vaccination::invitation_codes::{self, InvitationCode};
use crate::domain::vaccination::{centres, invitation_uses, mails};
use crate::domain::values::actor::Actor;
use crate::domain::values::caller::Caller;
use crate::domain::values::clock::Clock;
use crate::domain::values::email::Email;
use crate::domain::values::number::Number;
use crate::domain::values::page::{Page, Slice};
use crate::domain::values::person::NationalId;
use crate::domain::values::text::Line;
use crate::error::{Error, Result, Violation};

/// A note of staff about an invitation.
pub type Label = Line<100>;

/// Number of patients who can use an invitation.
pub type MaxUses = Number<1, 100_000>;

/// How far in the future an invitation may end.
const MAX_AHEAD: Days = Days::new(800);

/// What invitations are for, and when they can be used.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Course.
    pub course_id: Uuid,
    /// The only centre in whose slots it counts; none for all.
    pub centre_id: Option<Uuid>,
    /// Begin; none for now.
    pub valid_from: Option<DateTime<Utc>>,
    /// End, exclusive.
    pub valid_until: DateTime<Utc>,
    /// Note of staff.
    pub label: Option<Label>,
}

/// An invitation to be created.
#[derive(Clone, Debug)]
pub struct NewInvitation {
    /// What it is for, and when it can be used.
    pub terms: Terms,
    /// Number of patients who can use it.
    pub max_uses: MaxUses,
    /// The only verified e-mail address whose account can use it.
    pub email: Option<Email>,
    /// The only verified national id whose owner can use it.
    pub nid: Option<NationalId>,
    /// Whether the code is mailed to the address.
    pub send_mail: bool,
}

/// An invitation with its latest uses.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// The row.
    pub invitation: Model,
    /// At most [`SHOWN`](invitation_uses::SHOWN), latest first.
    pub uses: Vec<uses::Model>,
}

/// Filter of a list of invitations. Each condition narrows it.
#[derive(Clone, Debug, Default)]
pub struct InvitationFilter {
    /// Course.
    pub course_id: Option<Uuid>,
    /// Centre.
    pub centre_id: Option<Uuid>,
    /// E-mail address to which it is bound.
    pub email: Option<Email>,
}

impl Terms {
    /// Checks the times.
    ///
    /// # Errors
    /// A violation in `valid_until`.
    pub(super) fn check(&self, now: DateTime<Utc>) -> std::result::Result<(), Violation> {
        let refused = |code, message: &'static str| Err(Violation::new("valid_until", code, message));
        if self.valid_until <= now {
            return refused("past", "must be in the future");
        }
        if self.valid_from.is_some_and(|from| from >= self.valid_until) {
            return refused("order", "must be after valid_from");
        }
        if self.valid_until > now + MAX_AHEAD {
            return refused("range", "must be within 800 days");
        }
        Ok(())
    }

    /// Checks that there is such a course, and a centre in which the actor acts.
    ///
    /// # Errors
    /// A violation in `course_id` or `centre_id`.
    async fn check_references(&self, db: &impl ConnectionTrait, actor: &Actor) -> Result<()> {
        // Courses and centres are never deleted.
        let course = courses::Entity::find_by_id(self.course_id).one(db).await?;
        course.ok_or_else(no_course)?;
        check_centre(db, actor, self.centre_id).await
    }

    /// The row of an invitation with this id, and its code.
    pub(super) fn row(
        &self,
        id: Uuid,
        keys: &Keyring,
        actor: &Actor,
        (email, nid_key): (Option<&str>, Option<&str>),
        max_uses: MaxUses,
        now: DateTime<Utc>,
    ) -> (ActiveModel, InvitationCode) {
        let (code, code_hash) = invitation_codes::new(keys, id);
        let row = ActiveModel {
            id: Set(id),
            code_hash: Set(code_hash),
            label: Set(self.label.clone().map(Label::into_string)),
            email: Set(email.map(str::to_owned)),
            nid_key: Set(nid_key.map(str::to_owned)),
            course_id: Set(self.course_id),
            centre_id: Set(self.centre_id),
            valid_from: Set(self.valid_from.unwrap_or(now)),
            valid_until: Set(self.valid_until),
            max_uses: Set(max_uses.get()),
            used: Set(0),
            revoked_at: Set(None),
            created_by: Set(Some(actor.user_id)),
            created_at: Set(now),
        };
        (row, code)
    }
}

impl NewInvitation {
    /// Checks what does not depend on other rows.
    fn check(&self, now: DateTime<Utc>) -> Result<()> {
        let is_bound = self.email.is_some() || self.nid.is_some();
        let violations = [
            self.email.as_ref().and_then(|email| email.check_new().err()),
            (self.send_mail && self.email.is_none())
                .then(|| Violation::new("email", "required", "is required for a mail")),
            (is_bound && self.max_uses != MaxUses::MINIMUM)
                .then(|| Violation::new("max_uses", "bound", "must be 1 with email or nid")),
            self.terms.check(now).err(),
        ];
        let violations: Vec<_> = violations.into_iter().flatten().collect();
        if violations.is_empty() { Ok(()) } else { Err(Error::Invalid(violations)) }
    }
}

pub(super) fn no_course() -> Violation {
    Violation::new("course_id", "unknown", "is not a course")
}

/// Checks that the actor acts in a centre, if there is one.
pub(super) async fn check_centre(db: &impl ConnectionTrait, actor: &Actor, id: Option<Uuid>) -> Result<()> {
    let Some(id) = id else { return Ok(()) };
    let centre = centres_table::Entity::find_by_id(id)
        .select_only()
        .column(centres_table::Column::Id)
        .filter(centres::acts_in(actor, Expr::col((centres_table::Entity, centres_table::Column::Id))));
    if db.query_one(&centre.into_query()).await?.is_none() {
        return Err(Violation::new("centre_id", "unknown", "is not a centre in which you act").into());
    }
    Ok(())
}

/// The condition that staff may see an invitation: those of no centre, and those of centres in which they act.
fn is_visible_to(actor: &Actor) -> Expr {
    Column::CentreId.is_null().or(centres::acts_in(actor, Expr::col((Entity, Column::CentreId))))
}

fn visible_to(actor: &Actor) -> Result<Select<Entity>> {
    actor.require(Role::Staff)?;
    Ok(Entity::find().filter(is_visible_to(actor)))
}

fn event(action: AuditAction, caller: &Caller) -> Event<'_> {
    Event::new(action, &caller.client).by(Some(caller.actor.user_id))
}

/// Creates an invitation. Its code is not stored, and not returned again.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor is staff; violations.
pub async fn create(
    db: &impl Transact,
    auth: &Auth,
    caller: &Caller,
    new: NewInvitation,
) -> Result<(Invitation, InvitationCode)> {
    let actor = &caller.actor;
    actor.require(Role::Staff)?;
    let now = auth.clock.now();
    new.check(now)?;
    let transaction = db.begin().await?;
    accounts::hold(&transaction, actor.user_id).await?;
    new.terms.check_references(&transaction, actor).await?;
    let bound_to = (new.email.as_ref().map(Email::as_str), new.nid.as_ref().map(NationalId::key));
    let (row, code) = new.terms.row(Uuid::now_v7(), auth.tokens.keys(), actor, bound_to, new.max_uses, now);
    let invitation = row.insert(&transaction).await?;
    if let Some(email) = invitation.email.clone().filter(|_| new.send_mail) {
        mails::add_invitations(&transaction, &[(invitation.id, email)], now).await?;
    }
    event(AuditAction::InvitationCreated, caller).on(invitation.id).record(&transaction, now).await?;
    transaction.commit().await?;
    Ok((Invitation { invitation, uses: Vec::new() }, code))
}

/// Lists the invitations that the actor may see, newest first.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor is staff.
pub async fn list(
    db: &impl ConnectionTrait,
    actor: &Actor,
    filter: &InvitationFilter,
    page: Page,
) -> Result<Slice<Invitation>> {
    let invitations = visible_to(actor)?
        .apply_if(filter.course_id, |all, id| all.filter(Column::CourseId.eq(id)))
        .apply_if(filter.centre_id, |all, id| all.filter(Column::CentreId.eq(id)))
        .apply_if(filter.email.as_ref(), |all, email| all.filter(Column::Email.eq(email.as_str())))
        .apply_if(page.after, |all, after| all.filter(Column::Id.lt(after)))
        .order_by_desc(Column::Id)
        .limit(page.rows())
        .all(db)
        .await?;
    let Slice { items, next } = page.slice(invitations, |invitation| invitation.id);
    Ok(Slice { items: with_uses(db, items).await?, next })
}

/// Gets an invitation.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor is staff; [`Error::NotFound`] if they may not see it.
pub async fn get(db: &impl ConnectionTrait, actor: &Actor, id: Uuid) -> Result<Invitation> {
    let invitation = visible_to(actor)?.filter(Column::Id.eq(id)).all(db).await?;
    with_uses(db, invitation).await?.into_iter().next().ok_or(Error::NotFound)
}

async fn with_uses(db: &impl ConnectionTrait, invitations: Vec<Model>) -> Result<Vec<Invitation>> {
    let used = invitations.iter().filter(|invitation| invitation.used > 0).map(|invitation| invitation.id);
    let mut of: HashMap<Uuid, Vec<uses::Model>> = HashMap::new();
    for one in invitation_uses::latest(db, used).await? {
        of.entry(one.invitation_id).or_default().push(one);
    }
    let invitations = invitations.into_iter().map(|invitation| {
        let uses = of.remove(&invitation.id).unwrap_or_default();
        Invitation { invitation, uses }
    });
    Ok(invitations.collect())
}

/// Lists all uses of an invitation, by patient.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor is staff; [`Error::NotFound`] if they may not see it.
pub async fn list_uses(db: &impl ConnectionTrait, actor: &Actor, id: Uuid, page: Page) -> Result<Slice<uses::Model>> {
    visible_to(actor)?.filter(Column::Id.eq(id)).one(db).await?.ok_or(Error::NotFound)?;
    let uses = uses::Entity::find()
        .filter(uses::Column::InvitationId.eq(id))
        .apply_if(page.after, |all, after| all.filter(uses::Column::PatientId.gt(after)))
        .order_by_asc(uses::Column::PatientId)
        .limit(page.rows())
        .all(db)
        .await?;
    Ok(page.slice(uses, |one| one.patient_id))
}

/// Revokes an invitation: nobody can use it any more. Nothing changes if it was revoked before.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor is staff; [`Error::NotFound`] if they may not see it.
pub async fn revoke(db: &impl Transact, clock: &Clock, caller: &Caller, id: Uuid) -> Result<()> {
    let own = visible_to(&caller.actor)?.filter(Column::Id.eq(id));
    let now = clock.now();
    let transaction = db.begin().await?;
    let revoked = Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::RevokedAt.is_null())
        .filter(is_visible_to(&caller.actor))
        .exec(&transaction)
        .await?;
    if revoked.rows_affected == 0 {
        return own.one(&transaction).await?.map(drop).ok_or(Error::NotFound);
    }
    event(AuditAction::InvitationRevoked, caller).on(id).record(&transaction, now).await?;
    Ok(transaction.commit().await?)
}
