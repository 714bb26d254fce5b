//! Uses of invitations: one guarded statement counts a use, for a request of a locked patient. A code that is refused,
//! for whatever reason, takes the same statements and gets the same response.

use entity::invitation_uses::{self as uses, Entity as Uses};
use entity::invitations::{Column, Entity as Invitations};
use entity::{PatientRelation, RequestStatus, patients, users, vaccine_requests as requests};
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait, Query, SelectStatement, UnionType};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult as _, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Set, TransactionSession as _,
};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::accounts::users as accounts;
use crate::domain::auth::context::Auth;
use crate::domain::auth::throttle::{Action, Attempt};
use crate::domain::vaccination::invitation_codes::{self, InvitationCode};
use crate::domain::vaccination::locks;
use crate::domain::vaccination::request_list::{self, Request};
use crate::domain::values::caller::Caller;
use crate::error::{Conflict, Error, Result, Violation};

/// Uses of an invitation that are shown.
pub const SHOWN: u64 = 20;

/// Name of the subquery with these uses.
const LATEST: &str = "latest";

/// Uses the invitation with a code for an open request of the actor.
///
/// # Errors
/// [`Error::NotFound`] unless it is a request of the actor; a conflict if it is neither pending nor approved; a violation
/// in `invitation_code`, which does not tell why the code is not valid; [`Error::TooMany`].
pub async fn attach(
    db: &impl Transact,
    auth: &Auth,
    caller: &Caller,
    request_id: Uuid,
    code: &InvitationCode,
) -> Result<Request> {
    let presented = Presented::new(auth, caller, code);
    let transaction = db.begin().await?;
    let user = accounts::hold(&transaction, caller.actor.user_id).await?;
    let patient = locks::patient_of(&transaction, request_id).await?.ok_or(Error::NotFound)?;
    let own = requests::Entity::find_by_id(request_id).filter(requests::Column::UserId.eq(user.id));
    let request = own.one(&transaction).await?.ok_or(Error::NotFound)?;
    if !matches!(request.status, RequestStatus::Pending | RequestStatus::Approved) {
        return Err(Conflict::RequestStatus(request.status).into());
    }
    if !presented.redeem(&transaction, &user, &patient, request.course_id, request_id).await? {
        transaction.rollback().await?;
        return Err(presented.refuse(db).await?);
    }
    let request = request_list::by_id(&transaction, request_id).await?;
    transaction.commit().await?;
    Ok(request)
}

/// A code that a user presents. The throttle counts wrong ones, of all invitations together.
pub(super) struct Presented<'a> {
    hashes: Vec<String>,
    attempt: Attempt<'a>,
}

impl<'a> Presented<'a> {
    pub fn new(auth: &'a Auth, caller: &Caller, code: &InvitationCode) -> Self {
        let account = caller.actor.user_id.to_string();
        Self {
            hashes: invitation_codes::hashes(auth.tokens.keys(), code),
            attempt: Attempt::new(auth, Action::UseInvitation, Some(&account), &caller.client),
        }
    }

    /// Uses the invitation for an open request of a locked patient, of this course. The same patient can use it again
    /// for another request, without being counted. False if there is no such invitation that the patient can use; then
    /// the transaction must be rolled back, and the code [refused](Self::refuse).
    ///
    /// # Errors
    /// [`Error::TooMany`] if the throttle imposes a wait.
    pub async fn redeem(
        &self,
        transaction: &impl ConnectionTrait,
        user: &users::Model,
        patient: &patients::Model,
        course_id: Uuid,
        request_id: Uuid,
    ) -> Result<bool> {
        self.attempt.state(transaction).await?.check()?;
        // In the order of all locks: the invitation, then the request.
        let counted = self.count(transaction, user, patient, course_id).await?;
        let id = match counted {
            Some(id) => id,
            None => match self.use_again(transaction, patient, course_id, request_id).await? {
                Some(id) => id,
                None => return Ok(false),
            },
        };
        let attached = requests::Entity::update_many()
            .col_expr(requests::Column::InvitationId, Expr::value(id))
            .col_expr(requests::Column::UpdatedAt, Expr::value(self.attempt.time()))
            .filter(requests::Column::Id.eq(request_id))
            .filter(requests::Column::Status.is_in([RequestStatus::Pending, RequestStatus::Approved]))
            .exec(transaction)
            .await?;
        if attached.rows_affected == 0 {
            return Err(Error::Busy);
        }
        if counted.is_some() {
            let row = uses::ActiveModel {
                invitation_id: Set(id),
                patient_id: Set(patient.id),
                request_id: Set(request_id),
                used_at: Set(self.attempt.time()),
            };
            Uses::insert(row).exec_without_returning(transaction).await?;
        }
        Ok(true)
    }

    /// Counts the first use by a patient, if the invitation is for them and not used up.
    async fn count(
        &self,
        transaction: &impl ConnectionTrait,
        user: &users::Model,
        patient: &patients::Model,
        course_id: Uuid,
    ) -> Result<Option<Uuid>> {
        let email = user.email_verified_at.map(|_| user.email.as_str());
        let is_owner = patient.relation == PatientRelation::Own;
        let nid_key = user.nid_verified_at.filter(|_| is_owner).and(user.nid_key.as_deref());
        let use_of_patient = Query::select()
            .expr(Expr::value(1))
            .from(Uses)
            .and_where(Expr::col((Uses, uses::Column::InvitationId)).eq(Expr::col((Invitations, Column::Id))))
            .and_where(Expr::col((Uses, uses::Column::PatientId)).eq(patient.id))
            .to_owned();
        let counted = Invitations::update_many()
            .col_expr(Column::Used, Expr::col(Column::Used).add(1))
            .filter(self.is_valid(course_id))
            .filter(Expr::col(Column::Used).lt(Expr::col(Column::MaxUses)))
            .filter(is_free_or_of(Column::Email, email))
            .filter(is_free_or_of(Column::NidKey, nid_key))
            .filter(Expr::exists(use_of_patient).not())
            .exec_with_returning(transaction)
            .await?;
        Ok(counted.first().map(|invitation| invitation.id))
    }

    /// Moves the earlier use of a patient to another request.
    async fn use_again(
        &self,
        transaction: &impl ConnectionTrait,
        patient: &patients::Model,
        course_id: Uuid,
        request_id: Uuid,
    ) -> Result<Option<Uuid>> {
        let valid = Query::select()
            .column((Invitations, Column::Id))
            .from(Invitations)
            .and_where(self.is_valid(course_id))
            .to_owned();
        let moved = Uses::update_many()
            .col_expr(uses::Column::RequestId, Expr::value(request_id))
            .filter(uses::Column::PatientId.eq(patient.id))
            .filter(uses::Column::InvitationId.in_subquery(valid))
            .exec_with_returning(transaction)
            .await?;
        Ok(moved.first().map(|moved| moved.invitation_id))
    }

    /// The condition that an invitation has this code and is valid now, for this course.
    fn is_valid(&self, course_id: Uuid) -> Expr {
        let now = self.attempt.time();
        Column::CodeHash
            .is_in(self.hashes.iter().map(String::as_str))
            .and(Column::CourseId.eq(course_id))
            .and(Column::RevokedAt.is_null())
            .and(Column::ValidFrom.lte(now))
            .and(Column::ValidUntil.gt(now))
    }

    /// Counts the wrong code, outside of the transaction that is rolled back. Returns the refusal. A right code does not
    /// reset the counter: somebody who has an invitation could guess others.
    pub async fn refuse(&self, db: &impl ConnectionTrait) -> Result<Error> {
        let state = self.attempt.state(db).await?;
        self.attempt.count(db, &state).await?;
        Ok(Violation::new("invitation_code", "unknown", "is not a valid invitation").into())
    }
}

/// The condition that an invitation is not bound by a column, or bound to this value.
fn is_free_or_of(column: Column, value: Option<&str>) -> Expr {
    match value {
        Some(value) => column.is_null().or(column.eq(value)),
        None => column.is_null(),
    }
}

/// The latest uses of each invitation, latest first, by one statement.
pub(super) async fn latest(
    db: &impl ConnectionTrait,
    invitations: impl Iterator<Item = Uuid>,
) -> Result<Vec<uses::Model>> {
    let mut each = invitations.map(latest_of);
    let Some(mut all) = each.next() else { return Ok(Vec::new()) };
    for one in each {
        all.union(UnionType::All, one);
    }
    let rows = db.query_all(&all).await?;
    let uses = rows.iter().map(|row| uses::Model::from_query_result(row, ""));
    let mut uses = uses.collect::<std::result::Result<Vec<_>, _>>()?;
    uses.sort_by_key(|one| std::cmp::Reverse((one.used_at, one.patient_id)));
    Ok(uses)
}

fn latest_of(invitation_id: Uuid) -> SelectStatement {
    // A subquery, because SQLite allows no LIMIT in a part of a UNION.
    let latest = Uses::find()
        .filter(uses::Column::InvitationId.eq(invitation_id))
        .order_by_desc(uses::Column::UsedAt)
        .limit(SHOWN)
        .into_query();
    Query::select().column((LATEST, Asterisk)).from_subquery(latest, LATEST).to_owned()
}
