//! Personal data: export and erasure of everything that is stored about a user.

use chrono::{DateTime, Utc};
use entity::{
    AuditAction, MailKind, account_codes, audit_events, calendar_feeds, centre_staff, contact_imports, contacts,
    immunizations, invitation_uses, invitations, outbox, patients, refresh_tokens, slots, users, vaccine_requests,
    waitlist_entries,
};
use futures_util::Stream;
use sea_orm::sea_query::{Expr, SelectStatement};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    TransactionSession as _,
};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::accounts::administration::Administrator;
use crate::domain::accounts::credentials;
use crate::domain::accounts::users as accounts;
use crate::domain::auth::context::Auth;
use crate::domain::auth::password::Password;
use crate::domain::auth::sessions;
use crate::domain::records::audit::{self, Event};
use crate::domain::records::notices;
use crate::domain::records::outbox as mails;
use crate::domain::vaccination::bound_invitations;
use crate::domain::vaccination::context::Vaccination;
use crate::domain::vaccination::course_rules::Schedules;
use crate::domain::vaccination::dose_history;
use crate::domain::vaccination::erasure;
use crate::domain::vaccination::offers;
use crate::domain::vaccination::operation::retried;
use crate::domain::vaccination::request_list::Request;
use crate::domain::values::caller::Caller;
use crate::domain::values::client::Client;
use crate::domain::values::page::pages;
use crate::error::{Conflict, Error, Result};

/// Rows of a page of an export.
const EXPORT_PAGE: u64 = 500;

/// The personal data of a user without secrets. Contacts and activity, of which there may be many, are streamed.
#[derive(Clone, Debug)]
pub struct PersonalData {
    /// The account.
    pub user: users::Model,
    /// Sessions, including ended ones that are not deleted yet.
    pub sessions: Vec<refresh_tokens::Model>,
    /// Patients of the account.
    pub patients: Vec<patients::Model>,
    /// Centres in which the user acts.
    pub centres: Vec<Uuid>,
    /// Vaccine requests of the user.
    pub vaccine_requests: Vec<Request>,
    /// Doses of the patients of the account.
    pub immunizations: Vec<immunizations::Model>,
    /// Ids of the doses that the user gave.
    pub given_doses: Vec<Uuid>,
    /// Ids of the doses that the user reported.
    pub reported_doses: Vec<Uuid>,
    /// Entries of the waitlist, also former ones.
    pub waitlist_entries: Vec<waitlist_entries::Model>,
    /// Invitations that name the user, or that they used.
    pub invitations: Vec<invitations::Model>,
    /// Ids of the invitations that the user created.
    pub created_invitations: Vec<Uuid>,
    /// Uses of invitations by patients of the account.
    pub invitation_uses: Vec<invitation_uses::Model>,
    /// Imports of contacts.
    pub imports: Vec<contact_imports::Model>,
    /// The birthday feed.
    pub feed: Option<calendar_feeds::Model>,
    /// Ids of the requests that the user reviewed.
    pub reviewed: Vec<Uuid>,
    /// Mails in the outbox.
    pub mails: Vec<outbox::Model>,
    /// Codes that were not used yet.
    pub codes: Vec<account_codes::Model>,
}

/// Reads the personal data of the actor, and records the export in the audit trail.
///
/// # Errors
/// [`Error::InvalidToken`] if the account is gone.
pub async fn export(db: &impl ConnectionTrait, context: &Vaccination, caller: &Caller) -> Result<PersonalData> {
    let (user, now) = (accounts::get_own(db, &caller.actor).await?, context.clock.now());
    Event::own(AuditAction::DataExported, user.id, &caller.client).record(db, now).await?;
    read(db, &context.schedules, user, now).await
}

/// As [`export`], of the account of someone who cannot log in.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn export_of(
    db: &impl Transact,
    auth: &Auth,
    schedules: &Schedules,
    by: &Administrator,
    id: Uuid,
) -> Result<PersonalData> {
    let transaction = db.begin().await?;
    by.lock_admins(&transaction, auth).await?;
    let user = users::Entity::find_by_id(id).one(&transaction).await?.ok_or(Error::NotFound)?;
    let now = auth.clock.now();
    by.event(AuditAction::DataExported, id).record(&transaction, now).await?;
    let data = read(&transaction, schedules, user, now).await?;
    transaction.commit().await?;
    Ok(data)
}

async fn read(
    db: &impl ConnectionTrait,
    schedules: &Schedules,
    user: users::Model,
    now: DateTime<Utc>,
) -> Result<PersonalData> {
    let id = user.id;
    let doses = immunizations::Entity::find()
        .filter(immunizations::Column::PatientId.in_subquery(own_patients(id)))
        .order_by_asc(immunizations::Column::PatientId)
        .order_by_asc(immunizations::Column::Id)
        .all(db)
        .await?;
    let vaccine_requests = crate::domain::vaccination::request_list::all_of(db, id).await?;
    let requests: Vec<Uuid> = vaccine_requests.iter().map(|request| request.request.id).collect();
    let mut mails = mails::list_all(db, id, &user.email).await?;
    mails.extend(notices::list_about(db, &requests).await?);
    mails.extend(bound_invitations::mails_of(db, &user).await?);
    mails.sort_by_key(|mail| mail.id);
    Ok(PersonalData {
        sessions: refresh_tokens::Entity::find()
            .filter(refresh_tokens::Column::UserId.eq(id))
            .order_by_asc(refresh_tokens::Column::Id)
            .all(db)
            .await?,
        patients: patients::Entity::find()
            .filter(patients::Column::UserId.eq(id))
            .order_by_asc(patients::Column::Id)
            .all(db)
            .await?,
        centres: centre_staff::Entity::find()
            .select_only()
            .column(centre_staff::Column::CentreId)
            .filter(centre_staff::Column::UserId.eq(id))
            .into_tuple()
            .all(db)
            .await?,
        vaccine_requests,
        immunizations: dose_history::judged(db, schedules, doses, now.date_naive()).await?,
        given_doses: doses_by(db, immunizations::Column::PerformerId, id).await?,
        reported_doses: doses_by(db, immunizations::Column::ReportedBy, id).await?,
        waitlist_entries: waitlist_entries::Entity::find()
            .filter(waitlist_entries::Column::RequestId.in_subquery(own_requests(id)))
            .order_by_asc(waitlist_entries::Column::RequestId)
            .order_by_asc(waitlist_entries::Column::Id)
            .all(db)
            .await?,
        invitation_uses: invitation_uses::Entity::find()
            .filter(invitation_uses::Column::RequestId.in_subquery(own_requests(id)))
            .all(db)
            .await?,
        created_invitations: bound_invitations::created_by(db, id).await?,
        invitations: bound_invitations::of_user(db, &user).await?,
        imports: crate::domain::contacts::contact_imports::all_of(db, id).await?,
        feed: calendar_feeds::Entity::find_by_id(id).one(db).await?,
        reviewed: vaccine_requests::Entity::find()
            .select_only()
            .column(vaccine_requests::Column::Id)
            .filter(vaccine_requests::Column::ReviewedBy.eq(id))
            .into_tuple()
            .all(db)
            .await?,
        mails,
        codes: account_codes::Entity::find().filter(account_codes::Column::UserId.eq(id)).all(db).await?,
        user,
    })
}

/// The ids of doses that a user gave or reported.
async fn doses_by(db: &impl ConnectionTrait, column: immunizations::Column, user_id: Uuid) -> Result<Vec<Uuid>> {
    let doses = immunizations::Entity::find().select_only().column(immunizations::Column::Id);
    Ok(doses.filter(column.eq(user_id)).into_tuple().all(db).await?)
}

fn own_patients(user_id: Uuid) -> SelectStatement {
    let own = patients::Entity::find().select_only().column(patients::Column::Id);
    own.filter(patients::Column::UserId.eq(user_id)).into_query()
}

fn own_requests(user_id: Uuid) -> SelectStatement {
    let own = vaccine_requests::Entity::find().select_only().column(vaccine_requests::Column::Id);
    own.filter(vaccine_requests::Column::UserId.eq(user_id)).into_query()
}

/// The contacts of a user, as a stream of pages.
pub fn contacts(
    db: impl ConnectionTrait + Clone + 'static,
    user_id: Uuid,
) -> impl Stream<Item = Result<Vec<contacts::Model>>> {
    pages(EXPORT_PAGE, move |page| {
        let db = db.clone();
        async move {
            let slice = crate::domain::contacts::contacts::all(&db, user_id, page).await?;
            Ok((slice.items, slice.next))
        }
    })
}

/// Operations by a user and on their account, newest first, as a stream of pages.
pub fn activity(
    db: impl ConnectionTrait + Clone + 'static,
    user_id: Uuid,
) -> impl Stream<Item = Result<Vec<audit_events::Model>>> {
    pages(EXPORT_PAGE, move |page| {
        let db = db.clone();
        async move {
            let slice = audit::list_own(&db, user_id, page).await?;
            Ok((slice.items, slice.next))
        }
    })
}

/// The result of an erasure, in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Deleted vaccine requests.
    pub vaccine_requests: u64,
    /// Deleted doses.
    pub immunizations: u64,
    /// Patients who were given a dose here: kept without names.
    pub kept_patients: u64,
    /// Requests of doses that were given here: kept without what names somebody.
    pub kept_requests: u64,
    /// Doses of the patients that are kept.
    pub kept_immunizations: u64,
    /// Deleted entries of the waitlist.
    pub waitlist_entries: u64,
    /// Deleted contacts; the imports and the birthday feed are deleted with them.
    pub contacts: u64,
    /// Deleted codes.
    pub codes: u64,
    /// Deleted mails of the outbox.
    pub mails: u64,
    /// Anonymised sessions: ids and times remain until they are deleted.
    pub sessions: u64,
    /// Anonymised audit events: user agent and address are deleted, and their ids refer to no account any more.
    pub activity: u64,
    /// Reviewed requests, which now have no reviewer.
    pub reviews: u64,
    /// Doses that the user gave, which now have no performer.
    pub given_doses: u64,
    /// Invitations of the account, which now name nobody.
    pub invitations: u64,
}

/// Deletes the account of the actor, and erases or anonymises its data. A mail confirms it.
///
/// # Errors
/// A violation in `password`; a conflict if no admin would be left; [`Error::TooMany`], [`Error::Busy`].
pub async fn erase(
    db: &impl Transact,
    auth: &Auth,
    vaccination: &Vaccination,
    caller: &Caller,
    password: Password,
) -> Result<Erasure> {
    credentials::confirm(db, auth, caller, password, "password").await?;
    let id = caller.actor.user_id;
    // Without the client, which is personal data.
    let client = Client::default();
    let own = Event::own(AuditAction::AccountDeleted, id, &client);
    erase_account(db, auth, vaccination, id, &Administrator::operator(), own).await.map_err(|error| match error {
        Error::NotFound => Error::InvalidToken,
        error => error,
    })
}

/// As [`erase`], of the account of someone who cannot log in.
///
/// # Errors
/// [`Error::NotFound`]; a conflict if no admin would be left.
pub async fn erase_of(
    db: &impl Transact,
    auth: &Auth,
    vaccination: &Vaccination,
    by: &Administrator,
    id: Uuid,
) -> Result<Erasure> {
    erase_account(db, auth, vaccination, id, by, by.event(AuditAction::AccountDeleted, id)).await
}

async fn erase_account(
    db: &impl Transact,
    auth: &Auth,
    vaccination: &Vaccination,
    id: Uuid,
    by: &Administrator,
    event: Event<'_>,
) -> Result<Erasure> {
    // A place may be offered to the account meanwhile.
    retried(async || try_to_erase(db, auth, vaccination, id, by, event).await).await
}

async fn try_to_erase(
    db: &impl Transact,
    auth: &Auth,
    vaccination: &Vaccination,
    id: Uuid,
    by: &Administrator,
    event: Event<'_>,
) -> Result<Erasure> {
    let now = auth.clock.now();
    let transaction = db.begin().await?;
    if by.lock_admins(&transaction, auth).await? == [id] {
        return Err(Conflict::LastAdmin.into());
    }
    // The account is locked first, so that no session can be opened meanwhile.
    let user = accounts::lock(&transaction, id).await?.ok_or(Error::NotFound)?;
    let ended = sessions::end_all(&transaction, id, None, now).await?;
    event.record(&transaction, now).await?;
    let (erasure, given_back) = erase_traces(&transaction, vaccination, &user).await?;
    mails::add(&transaction, MailKind::AccountDeleted, &user.email, None, now).await?;
    users::Entity::delete_by_id(id).exec(&transaction).await?;
    offers::commit(db, vaccination, transaction, &given_back, None).await?;
    auth.revocations.add(ended, now);
    if let Err(error) = db.purge_log().await {
        // The erasure is committed; the clean-up does this again.
        log::warn!("cannot remove erased data from the write-ahead log yet: {error}");
    }
    Ok(erasure)
}

/// Erases what is stored about a user. Returns the slots in which places were given back, too.
async fn erase_traces(
    transaction: &impl ConnectionTrait,
    vaccination: &Vaccination,
    user: &users::Model,
) -> Result<(Erasure, Vec<slots::Model>)> {
    let id = user.id;
    let codes = account_codes::Entity::delete_many().filter(account_codes::Column::UserId.eq(id));
    let reviews = vaccine_requests::Entity::update_many()
        .col_expr(vaccine_requests::Column::ReviewedBy, Expr::value(Option::<Uuid>::None))
        .filter(vaccine_requests::Column::ReviewedBy.eq(id));
    let invitations = bound_invitations::erase(transaction, user, vaccination.clock.now()).await?;
    let patients = erasure::erase_patients(transaction, vaccination, id).await?;
    let erasure = Erasure {
        vaccine_requests: patients.requests,
        immunizations: patients.immunizations,
        kept_patients: u64::try_from(patients.kept.patients.len()).unwrap_or(u64::MAX),
        kept_requests: patients.kept.requests,
        kept_immunizations: patients.kept.immunizations,
        waitlist_entries: patients.waitlist_entries,
        contacts: crate::domain::contacts::contacts::delete_all(transaction, id).await?,
        codes: codes.exec(transaction).await?.rows_affected,
        mails: patients.mails + invitations.mails + mails::delete_all(transaction, id, &user.email).await?,
        sessions: sessions::erase_clients(transaction, id).await?,
        activity: audit::erase_clients(transaction, id).await?,
        reviews: reviews.exec(transaction).await?.rows_affected,
        given_doses: patients.given_doses,
        invitations: invitations.bound,
    };
    Ok((erasure, patients.given_back))
}
