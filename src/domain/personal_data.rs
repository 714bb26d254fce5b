//! What is stored about somebody: all of it for them to take along, and its end.

use entity::{
    AuditAction, MailKind, account_codes, audit_events, calendar_feeds, contact_imports, contacts, outbox,
    refresh_tokens, users, vaccine_requests,
};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, TransactionSession as _,
};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::accounts::administration;
use crate::domain::accounts::credentials;
use crate::domain::accounts::users as accounts;
use crate::domain::auth::context::Auth;
use crate::domain::auth::password::Password;
use crate::domain::auth::sessions;
use crate::domain::records::audit::{self, Event};
use crate::domain::vaccination::vaccine_requests::Request;
use crate::domain::values::actor::Actor;
use crate::domain::values::client::Client;
use crate::error::{Conflict, Error, Result};

/// Everything stored about one user, secrets aside.
#[derive(Clone, Debug)]
pub struct PersonalData {
    /// The account.
    pub user: users::Model,
    /// Sessions, those that are over included until they are swept.
    pub sessions: Vec<refresh_tokens::Model>,
    /// What they asked for.
    pub vaccine_requests: Vec<Request>,
    /// Whom they keep.
    pub contacts: Vec<contacts::Model>,
    /// Files that their contacts came from.
    pub imports: Vec<contact_imports::Model>,
    /// The secret address of their calendar, if they have one.
    pub feed: Option<calendar_feeds::Model>,
    /// The requests of others that they decided on.
    pub reviewed: Vec<Uuid>,
    /// What they did, and what was done to their account.
    pub activity: Vec<audit_events::Model>,
    /// Mails that wait to be sent to them.
    pub mails: Vec<outbox::Model>,
    /// Codes under way.
    pub codes: Vec<account_codes::Model>,
}

/// Gathers everything stored about the actor, and writes down that it was given out.
///
/// # Errors
/// [`Error::InvalidToken`] when the account is gone.
pub async fn export(db: &impl ConnectionTrait, auth: &Auth, actor: &Actor, client: &Client) -> Result<PersonalData> {
    let id = actor.user_id;
    let user = accounts::own(db, actor).await?;
    Event::own(AuditAction::DataExported, id).record(db, client, auth.clock.now()).await?;
    Ok(PersonalData {
        sessions: refresh_tokens::Entity::find()
            .filter(refresh_tokens::Column::UserId.eq(id))
            .order_by_asc(refresh_tokens::Column::Id)
            .all(db)
            .await?,
        vaccine_requests: crate::domain::vaccination::vaccine_requests::all_of(db, id).await?,
        contacts: crate::domain::contacts::contacts::all_of(db, id).await?,
        imports: crate::domain::contacts::contact_imports::all_of(db, id).await?,
        feed: calendar_feeds::Entity::find_by_id(id).one(db).await?,
        reviewed: vaccine_requests::Entity::find()
            .select_only()
            .column(vaccine_requests::Column::Id)
            .filter(vaccine_requests::Column::ReviewedBy.eq(id))
            .into_tuple()
            .all(db)
            .await?,
        mails: crate::domain::records::outbox::of(db, id, &user.email).await?,
        codes: account_codes::Entity::find().filter(account_codes::Column::UserId.eq(id)).all(db).await?,
        activity: audit::all_of(db, id).await?,
        user,
    })
}

/// What became of the traces of an account, in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Requests, erased.
    pub vaccine_requests: u64,
    /// Contacts, erased; with them the files' records and the calendar's secret.
    pub contacts: u64,
    /// Codes under way, erased.
    pub codes: u64,
    /// Mails that had not been sent, erased.
    pub mails: u64,
    /// Sessions, of which only ids and times are left until they are swept.
    pub sessions: u64,
    /// Events, of which the address and the browser were wiped; the ids in them lead to nobody any more.
    pub activity: u64,
    /// Decisions on the requests of others, which now name nobody.
    pub reviews: u64,
}

/// Deletes the actor's account and erases or anonymises every trace of it. A mail says that it is done.
///
/// # Errors
/// A violation in `password`; a conflict when no admin would be left; [`Error::TooMany`], [`Error::Busy`].
pub async fn erase(
    db: &impl Transact,
    auth: &Auth,
    actor: &Actor,
    client: &Client,
    password: Password,
) -> Result<Erasure> {
    credentials::confirm(db, auth, actor, client, password, "password").await?;
    let (id, now) = (actor.user_id, auth.clock.now());
    let transaction = db.begin().await?;
    if administration::lock_admins(&transaction, auth).await? == [id] {
        return Err(Conflict::LastAdmin.into());
    }
    // The account first, so that no session can be opened behind the back of what follows.
    let user = accounts::lock(&transaction, id).await?.ok_or(Error::InvalidToken)?;
    let ended = sessions::end_all(&transaction, id, None, now).await?;
    Event::own(AuditAction::AccountDeleted, id).record(&transaction, &Client::default(), now).await?;
    let erasure = erase_traces(&transaction, &user).await?;
    crate::domain::records::outbox::add(&transaction, MailKind::AccountDeleted, &user.email, None, now).await?;
    users::Entity::delete_by_id(id).exec(&transaction).await?;
    transaction.commit().await?;
    auth.revocations.add(ended, now);
    Ok(erasure)
}

async fn erase_traces(transaction: &impl ConnectionTrait, user: &users::Model) -> Result<Erasure> {
    let id = user.id;
    let requests = vaccine_requests::Entity::delete_many().filter(vaccine_requests::Column::UserId.eq(id));
    let codes = account_codes::Entity::delete_many().filter(account_codes::Column::UserId.eq(id));
    let reviews = vaccine_requests::Entity::update_many()
        .col_expr(vaccine_requests::Column::ReviewedBy, Expr::value(Option::<Uuid>::None))
        .filter(vaccine_requests::Column::ReviewedBy.eq(id));
    Ok(Erasure {
        vaccine_requests: requests.exec(transaction).await?.rows_affected,
        contacts: crate::domain::contacts::contacts::delete_all(transaction, id).await?,
        codes: codes.exec(transaction).await?.rows_affected,
        mails: crate::domain::records::outbox::withdraw(transaction, id, &user.email).await?,
        sessions: sessions::forget_clients(transaction, id).await?,
        activity: audit::forget_clients(transaction, id).await?,
        reviews: reviews.exec(transaction).await?.rows_affected,
    })
}
