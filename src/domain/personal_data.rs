//! Personal data: export and erasure of everything that is stored about a user.

use entity::{
    AuditAction, MailKind, account_codes, audit_events, calendar_feeds, centre_staff, contact_imports, contacts,
    outbox, patients, refresh_tokens, users, vaccine_requests,
};
use futures_util::Stream;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, TransactionSession as _,
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
use crate::domain::records::outbox as mails;
use crate::domain::vaccination::erasure;
use crate::domain::vaccination::request_list::Request;
use crate::domain::values::caller::Caller;
use crate::domain::values::client::Client;
use crate::domain::values::clock::Clock;
use crate::domain::values::page::pages;
use crate::error::{Conflict, Error, Result};

/// Rows of a page of an export.
const EXPORT_PAGE: u64 = 500;

/// The personal data of a user without secrets. Contacts and activity, of which there may be many, are streamed.
#[derive(Clone, Debug)]
pub struct PersonalData {
    /// Id of the account.
    pub user: users::Model,
    /// Sessions, including ended ones that are not deleted yet.
    pub sessions: Vec<refresh_tokens::Model>,
    /// Patients of the account.
    pub patients: Vec<patients::Model>,
    /// Centres in which the user acts.
    pub centres: Vec<Uuid>,
    /// Vaccine requests of the user.
    pub vaccine_requests: Vec<Request>,
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
pub async fn export(db: &impl ConnectionTrait, clock: &Clock, caller: &Caller) -> Result<PersonalData> {
    let user = accounts::get_own(db, &caller.actor).await?;
    Event::own(AuditAction::DataExported, user.id, &caller.client).record(db, clock.now()).await?;
    read(db, user).await
}

/// As [`export`], of the account of someone who cannot log in.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn export_of(db: &impl Transact, auth: &Auth, by: &Administrator, id: Uuid) -> Result<PersonalData> {
    let transaction = db.begin().await?;
    by.lock_admins(&transaction, auth).await?;
    let user = users::Entity::find_by_id(id).one(&transaction).await?.ok_or(Error::NotFound)?;
    by.event(AuditAction::DataExported, id).record(&transaction, auth.clock.now()).await?;
    let data = read(&transaction, user).await?;
    transaction.commit().await?;
    Ok(data)
}

async fn read(db: &impl ConnectionTrait, user: users::Model) -> Result<PersonalData> {
    let id = user.id;
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
        vaccine_requests: crate::domain::vaccination::request_list::all_of(db, id).await?,
        imports: crate::domain::contacts::contact_imports::all_of(db, id).await?,
        feed: calendar_feeds::Entity::find_by_id(id).one(db).await?,
        reviewed: vaccine_requests::Entity::find()
            .select_only()
            .column(vaccine_requests::Column::Id)
            .filter(vaccine_requests::Column::ReviewedBy.eq(id))
            .into_tuple()
            .all(db)
            .await?,
        mails: mails::list_all(db, id, &user.email).await?,
        codes: account_codes::Entity::find().filter(account_codes::Column::UserId.eq(id)).all(db).await?,
        user,
    })
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
}

/// Deletes the account of the actor, and erases or anonymises its data. A mail confirms it.
///
/// # Errors
/// A violation in `password`; a conflict if no admin would be left; [`Error::TooMany`], [`Error::Busy`].
pub async fn erase(db: &impl Transact, auth: &Auth, caller: &Caller, password: Password) -> Result<Erasure> {
    credentials::confirm(db, auth, caller, password, "password").await?;
    let id = caller.actor.user_id;
    // Without the client, which is personal data.
    let client = Client::default();
    let own = Event::own(AuditAction::AccountDeleted, id, &client);
    erase_account(db, auth, id, &Administrator::operator(), own).await.map_err(|error| match error {
        Error::NotFound => Error::InvalidToken,
        error => error,
    })
}

/// As [`erase`], of the account of someone who cannot log in.
///
/// # Errors
/// [`Error::NotFound`]; a conflict if no admin would be left.
pub async fn erase_of(db: &impl Transact, auth: &Auth, by: &Administrator, id: Uuid) -> Result<Erasure> {
    erase_account(db, auth, id, by, by.event(AuditAction::AccountDeleted, id)).await
}

async fn erase_account(
    db: &impl Transact,
    auth: &Auth,
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
    let erasure = erase_traces(&transaction, &user).await?;
    mails::add(&transaction, MailKind::AccountDeleted, &user.email, None, now).await?;
    users::Entity::delete_by_id(id).exec(&transaction).await?;
    transaction.commit().await?;
    auth.revocations.add(ended, now);
    if let Err(error) = db.purge_log().await {
        // The erasure is committed; the clean-up does this again.
        log::warn!("cannot remove erased data from the write-ahead log yet: {error}");
    }
    Ok(erasure)
}

async fn erase_traces(transaction: &impl ConnectionTrait, user: &users::Model) -> Result<Erasure> {
    let id = user.id;
    let codes = account_codes::Entity::delete_many().filter(account_codes::Column::UserId.eq(id));
    let reviews = vaccine_requests::Entity::update_many()
        .col_expr(vaccine_requests::Column::ReviewedBy, Expr::value(Option::<Uuid>::None))
        .filter(vaccine_requests::Column::ReviewedBy.eq(id));
    Ok(Erasure {
        vaccine_requests: erasure::erase_patients(transaction, id).await?,
        contacts: crate::domain::contacts::contacts::delete_all(transaction, id).await?,
        codes: codes.exec(transaction).await?.rows_affected,
        mails: mails::delete_all(transaction, id, &user.email).await?,
        sessions: sessions::erase_clients(transaction, id).await?,
        activity: audit::erase_clients(transaction, id).await?,
        reviews: reviews.exec(transaction).await?.rows_affected,
    })
}
