//! Imports: files of contacts that are read into the contacts of a user, and can be undone.
//!
//! A file is read on a thread of its own, which sends the rows in batches; all of them are written in one transaction.
//! A failure therefore leaves nothing behind, a dry run is a real import that is rolled back, and the use of memory
//! does not depend on the size of the file.

use std::fs::File;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::contact_imports::{ActiveModel, Column, Entity, Model};
use entity::{AuditAction, ContactFormat, contact_import_updates as updates, contacts as table};
use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel as _, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Select, Set, TransactionSession as _,
};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::accounts::users as accounts;
use crate::domain::contacts::address_book::{self, ReadOptions, Row, UnusedPart};
use crate::domain::contacts::contact_keys::ContactKeys;
use crate::domain::contacts::contact_snapshots::Snapshot;
use crate::domain::contacts::import_limiter::ImportLimiter;
use crate::domain::contacts::import_writer::{BATCH, Counts, Writer};
pub use crate::domain::contacts::import_writer::{LineWarning, OnDuplicate};
use crate::domain::contacts::{contact_changes, contacts, dependants};
use crate::domain::records::audit::Event;
use crate::domain::values::actor::Actor;
use crate::domain::values::caller::Caller;
use crate::domain::values::clock::Clock;
use crate::domain::values::page::{Page, Slice};
use crate::error::{Conflict, Error, Result, Violation};

/// The most warnings that a report lists.
const MAX_WARNINGS: usize = 10_000;

/// Contacts that are brought back at a time.
const RESTORED_AT_ONCE: u64 = 500;

/// Batches in the queue for writing.
const QUEUED_BATCHES: usize = 4;

/// A file to be imported.
#[derive(Debug)]
pub struct Import {
    /// The file, at its beginning.
    pub file: File,
    /// The format of the file.
    pub format: ContactFormat,
    /// How the file is read.
    pub options: ReadOptions,
    /// What becomes of contacts that are there already.
    pub on_duplicate: OnDuplicate,
    /// Whether to only report, and to change nothing.
    pub is_dry_run: bool,
}

/// The result of an import.
#[derive(Clone, Debug)]
pub struct Report {
    /// The import, unless it was a dry run.
    pub import: Option<Model>,
    /// The number of contacts that were created.
    pub created: u64,
    /// The number of contacts that were updated.
    pub updated: u64,
    /// The number of rows of contacts that are there already.
    pub skipped: u64,
    /// The rows that were refused.
    pub rejected: Vec<Rejected>,
    /// Parts of rows that were left out.
    pub warnings: Vec<LineWarning>,
    /// The number of warnings that are not listed.
    pub more_warnings: u64,
    /// Columns or properties that were not used.
    pub unused: Vec<UnusedPart>,
}

/// A refused row: its line, and all its violations.
pub type Rejected = (u64, Vec<Violation>);

/// The imports that a user may see: their own.
fn owned_by(user_id: Uuid) -> Select<Entity> {
    Entity::find().filter(Column::UserId.eq(user_id))
}

/// Imports the contacts of a file. Rows without a name are refused, and parts that break a rule are left out, and reported.
///
/// # Errors
/// A violation if the file has another format, or too many rows; [`Error::Busy`].
pub async fn create(
    db: &impl Transact,
    clock: &Clock,
    limiter: &ImportLimiter,
    caller: &Caller,
    import: Import,
) -> Result<Report> {
    let (user_id, now) = (caller.actor.user_id, clock.now());
    let permit = Arc::new(limiter.write().await?);
    let Import { file, format, options, on_duplicate, is_dry_run } = import;
    let max_rows = limiter.max_rows;
    let (batches, received) = mpsc::channel(QUEUED_BATCHES);
    // The thread holds the permit too: it runs on for a while after the client has disconnected.
    let shared = Arc::clone(&permit);
    let reader = tokio::task::spawn_blocking(move || {
        let _shared = shared;
        read(file, format, options, max_rows, &batches)
    });
    // The file was read once to find the order of dates, before anything is locked.
    let mut received = received;
    let first = received.recv().await;
    let transaction = db.begin().await?;
    if on_duplicate == OnDuplicate::Update {
        accounts::hold(&transaction, user_id).await?;
    }
    let id = Uuid::now_v7();
    let number = contact_changes::next_number(&transaction, user_id, now).await?;
    insert(
        &transaction,
        Model { id, user_id, format, imported: 0, updated: 0, skipped: 0, rejected: 0, created_at: now },
    )
    .await?;
    let counts = Counts::default();
    let client = caller.client.clone();
    let keys = ContactKeys::read(&transaction, user_id).await?;
    let mut writer = Writer { user_id, import_id: id, on_duplicate, number, now, client, keys, counts };
    writer.lock(&transaction).await?;
    let outcome = write(&transaction, &mut writer, first, received).await;
    let unused = reader.await.map_err(Error::internal)??;
    let Reported { rejected, warnings, more_warnings } = outcome?;
    let Counts { created, updated, skipped } = writer.counts;
    let report = Report { import: None, created, updated, skipped, rejected, warnings, more_warnings, unused };
    if is_dry_run {
        transaction.rollback().await?;
        return Ok(report);
    }
    let count = |rows: u64| Set(i32::try_from(rows).unwrap_or(i32::MAX));
    let row = ActiveModel {
        id: Set(id),
        imported: count(created),
        updated: count(updated),
        skipped: count(skipped),
        rejected: count(u64::try_from(report.rejected.len()).unwrap_or(u64::MAX)),
        ..Default::default()
    };
    let import = row.update(&transaction).await?;
    let event = Event::own(AuditAction::ContactsImported, user_id, &caller.client).on(id);
    event.record(&transaction, now).await?;
    transaction.commit().await?;
    Ok(Report { import: Some(import), ..report })
}

async fn insert(transaction: &impl ConnectionTrait, import: Model) -> Result<()> {
    import.into_active_model().insert(transaction).await?;
    Ok(())
}

/// Reads the file to its end, or until the receiver of its rows is closed. Returns what was not used.
fn read(
    file: File,
    format: ContactFormat,
    options: ReadOptions,
    max_rows: u64,
    batches: &mpsc::Sender<Vec<Row>>,
) -> Result<Vec<UnusedPart>> {
    let mut batch = Vec::with_capacity(BATCH);
    let mut rows = 0;
    let mut is_open = true;
    let unused = address_book::read(format, file, options, |row| {
        rows += 1;
        batch.push(row);
        if batch.len() == BATCH {
            is_open = batches.blocking_send(std::mem::replace(&mut batch, Vec::with_capacity(BATCH))).is_ok();
        }
        is_open && rows <= max_rows
    })?;
    if rows > max_rows {
        return Err(Violation::new(".", "rows", format!("the file has more than {max_rows} contacts")).into());
    }
    if !batch.is_empty() {
        // The receiver is closed only after an error, which it returns itself.
        drop(batches.blocking_send(batch));
    }
    Ok(unused)
}

/// Writes the rows as they arrive, and collects those that are refused, and what was left out.
async fn write(
    transaction: &impl ConnectionTrait,
    writer: &mut Writer,
    first: Option<Vec<Row>>,
    mut batches: mpsc::Receiver<Vec<Row>>,
) -> Result<Reported> {
    let mut reported = Reported::default();
    let mut next = first;
    while let Some(batch) = next {
        let mut new = Vec::with_capacity(batch.len());
        for row in batch {
            reported.warn(row.warnings.into_iter().map(|warning| (row.line, warning)));
            match row.contact {
                Ok(contact) => new.push((row.line, contact)),
                Err(violations) => reported.rejected.push((row.line, violations)),
            }
        }
        reported.warn(writer.write(transaction, new).await?);
        next = batches.recv().await;
    }
    Ok(reported)
}

/// What an import reports of rows.
#[derive(Default)]
struct Reported {
    rejected: Vec<Rejected>,
    warnings: Vec<LineWarning>,
    more_warnings: u64,
}

impl Reported {
    fn warn(&mut self, warnings: impl IntoIterator<Item = LineWarning>) {
        for warning in warnings {
            if self.warnings.len() < MAX_WARNINGS {
                self.warnings.push(warning);
            } else {
                self.more_warnings += 1;
            }
        }
    }
}

/// Lists the imports of the actor, newest first.
///
/// # Errors
/// Database errors.
pub async fn list(db: &impl ConnectionTrait, actor: &Actor, page: Page) -> Result<Slice<Model>> {
    let imports = owned_by(actor.user_id)
        .apply_if(page.after, |imports, after| imports.filter(Column::Id.lt(after)))
        .order_by_desc(Column::Id)
        .limit(page.rows())
        .all(db)
        .await?;
    Ok(page.slice(imports, |import| import.id))
}

/// All imports of a user.
pub(in crate::domain) async fn all_of(db: &impl ConnectionTrait, user_id: Uuid) -> Result<Vec<Model>> {
    Ok(owned_by(user_id).all(db).await?)
}

/// Gets an import.
///
/// # Errors
/// [`Error::NotFound`] unless it is an import of the actor.
pub async fn get(db: &impl ConnectionTrait, actor: &Actor, id: Uuid) -> Result<Model> {
    owned_by(actor.user_id).filter(Column::Id.eq(id)).one(db).await?.ok_or(Error::NotFound)
}

/// Undoes an import: deletes the contacts that it created, with all later changes of them, and brings back those that it updated
/// as they were before.
///
/// # Errors
/// [`Error::NotFound`]; a conflict if one of the created contacts has an open vaccine request: then nothing is undone.
pub async fn undo(db: &impl Transact, clock: &Clock, caller: &Caller, id: Uuid) -> Result<()> {
    let (user_id, now) = (caller.actor.user_id, clock.now());
    let transaction = db.begin().await?;
    accounts::hold(&transaction, user_id).await?;
    let number = contact_changes::next_number(&transaction, user_id, now).await?;
    let created = entity::contacts::Column::ImportId.eq(id).and(entity::contacts::Column::UserId.eq(user_id));
    let updated = Query::select()
        .column(updates::Column::ContactId)
        .from(updates::Entity)
        .and_where(updates::Column::ImportId.eq(id))
        .to_owned();
    let changed = created.clone().or(table::Column::Id.in_subquery(updated));
    dependants::lock(&transaction, user_id, changed.and(table::Column::UserId.eq(user_id))).await?;
    dependants::forget(&transaction, user_id, created.clone(), now).await?;
    contact_changes::record_deletions(&transaction, created, (number, now)).await?;
    restore(&transaction, caller, id, (number, now)).await?;
    let own = Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::UserId.eq(user_id));
    let deleted = own.exec(&transaction).await.map_err(|error| match contacts::refused(error) {
        Error::Conflict(Conflict::ContactInUse) => Conflict::ImportInUse.into(),
        error => error,
    })?;
    if deleted.rows_affected == 0 {
        return Err(Error::NotFound);
    }
    let event = Event::own(AuditAction::ImportUndone, user_id, &caller.client).on(id);
    event.record(&transaction, now).await?;
    Ok(transaction.commit().await?)
}

/// Brings back the contacts that an import has updated, in batches.
async fn restore(
    transaction: &impl ConnectionTrait,
    caller: &Caller,
    import_id: Uuid,
    (change_number, updated_at): (i64, DateTime<Utc>),
) -> Result<()> {
    let mut after = Uuid::nil();
    loop {
        let updated = updates::Entity::find()
            .filter(updates::Column::ImportId.eq(import_id))
            .filter(updates::Column::ContactId.gt(after))
            .order_by_asc(updates::Column::ContactId)
            .limit(RESTORED_AT_ONCE);
        let updated = updated.all(transaction).await?;
        let Some(last) = updated.last() else { return Ok(()) };
        after = last.contact_id;
        for update in updated {
            let contact = contacts::owned_by(caller.actor.user_id).filter(table::Column::Id.eq(update.contact_id));
            let Some(before) = contact.one(transaction).await? else { continue };
            let current = Snapshot::of(&before);
            let restored = without(transaction, &update, current.clone()).await?;
            if restored != current {
                let contact = table::Model { change_number, updated_at, ..restored.applied(&before)? };
                contacts::save(transaction, &contact).await?;
                dependants::follow_import(transaction, &caller.client, &before, &contact).await?;
            }
        }
    }
}

/// The values of a contact without those of one import. If later imports have updated it as well, their values stay, and what is
/// kept for undoing them loses those of this one.
async fn without(transaction: &impl ConnectionTrait, update: &updates::Model, current: Snapshot) -> Result<Snapshot> {
    let snapshot = |json: &str| serde_json::from_str::<Snapshot>(json).map_err(Error::internal);
    let previous = snapshot(&update.previous)?;
    let later = updates::Entity::find()
        .filter(updates::Column::ContactId.eq(update.contact_id))
        .filter(updates::Column::ImportId.gt(update.import_id))
        .order_by_asc(updates::Column::ImportId);
    let later = later.all(transaction).await?;
    let Some(next) = later.first() else { return Ok(previous) };
    let given = snapshot(&next.previous)?;
    for later in &later {
        let rebased = snapshot(&later.previous)?.rebased(&given, &previous);
        updates::Entity::update_many()
            .col_expr(updates::Column::Previous, Expr::value(serde_json::to_string(&rebased).map_err(Error::internal)?))
            .filter(updates::Column::ContactId.eq(later.contact_id))
            .filter(updates::Column::ImportId.eq(later.import_id))
            .exec(transaction)
            .await?;
    }
    Ok(current.rebased(&given, &previous))
}
