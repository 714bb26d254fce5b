//! Imports: files of contacts that are read into the contacts of a user, and can be undone.
//!
//! A file is read on a thread of its own, which sends the rows in batches; all of them are written in one transaction.
//! A failure therefore leaves nothing behind, a dry run is a real import that is rolled back, and the use of memory
//! does not depend on the size of the file.

use std::collections::HashSet;
use std::fs::File;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::contact_imports::{ActiveModel, Column, Entity, Model};
use entity::{AuditAction, ContactFormat, contacts as table};
use sea_orm::sea_query::{ExprTrait as _, OnConflict};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select, Set, TransactionSession as _,
};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::accounts::users as accounts;
use crate::domain::contacts::address_book::{self, Row};
use crate::domain::contacts::import_limiter::ImportLimiter;
use crate::domain::contacts::{contacts, dependants};
use crate::domain::records::audit::Event;
use crate::domain::values::actor::Actor;
use crate::domain::values::caller::Caller;
use crate::domain::values::clock::Clock;
use crate::domain::values::page::{Page, Slice};
use crate::error::{Conflict, Error, Result, Violation};

/// The most rows of one statement. The rest of a file is written in statements of half as many rows, and so on, so that
/// the database has few different statements to prepare.
const BATCH: usize = 256;

/// Batches in the queue for writing.
const QUEUED_BATCHES: usize = 4;

/// A file to be imported.
#[derive(Debug)]
pub struct Import {
    /// The file, at its beginning.
    pub file: File,
    /// The format of the file.
    pub format: ContactFormat,
    /// Whether to only report, and to change nothing.
    pub is_dry_run: bool,
}

/// The result of an import.
#[derive(Clone, Debug)]
pub struct Report {
    /// The import, unless it was a dry run.
    pub import: Option<Model>,
    /// The number of contacts that were created.
    pub imported: u64,
    /// The rows that were skipped.
    pub rejected: Vec<Rejected>,
}

/// A skipped row: its line, and all its violations.
pub type Rejected = (u64, Vec<Violation>);

/// The imports that a user may see: their own.
fn owned_by(user_id: Uuid) -> Select<Entity> {
    Entity::find().filter(Column::UserId.eq(user_id))
}

/// Imports the contacts of a file. Rows that break a rule, or repeat an e-mail, are skipped and reported.
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
    let user_id = caller.actor.user_id;
    let permit = Arc::new(limiter.write().await?);
    let Import { file, format, is_dry_run } = import;
    let max_rows = limiter.max_rows;
    let (batches, received) = mpsc::channel(QUEUED_BATCHES);
    // The thread holds the permit too: it runs on for a while after the client has disconnected.
    let shared = Arc::clone(&permit);
    let reader = tokio::task::spawn_blocking(move || {
        let _shared = shared;
        read(file, format, max_rows, &batches)
    });
    let transaction = db.begin().await?;
    let id = Uuid::now_v7();
    let row = ActiveModel {
        id: Set(id),
        user_id: Set(user_id),
        format: Set(format),
        imported: Set(0),
        rejected: Set(0),
        created_at: Set(clock.now()),
    };
    row.insert(&transaction).await?;
    let outcome = write(&transaction, user_id, id, received, clock.now()).await;
    reader.await.map_err(Error::internal)??;
    let (imported, rejected) = outcome?;
    if is_dry_run {
        transaction.rollback().await?;
        return Ok(Report { import: None, imported, rejected });
    }
    let count = |rows: u64| Set(i32::try_from(rows).unwrap_or(i32::MAX));
    let row = ActiveModel {
        id: Set(id),
        imported: count(imported),
        rejected: count(u64::try_from(rejected.len()).unwrap_or(u64::MAX)),
        ..Default::default()
    };
    let import = row.update(&transaction).await?;
    let event = Event::own(AuditAction::ContactsImported, user_id, &caller.client).on(id);
    event.record(&transaction, clock.now()).await?;
    transaction.commit().await?;
    Ok(Report { import: Some(import), imported, rejected })
}

/// Reads the file to its end, or until the receiver of its rows is closed.
fn read(file: File, format: ContactFormat, max_rows: u64, batches: &mpsc::Sender<Vec<Row>>) -> Result<()> {
    let mut batch = Vec::with_capacity(BATCH);
    let mut rows = 0;
    let mut is_open = true;
    address_book::read(format, file, |row| {
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
    Ok(())
}

/// Writes the rows as they arrive, and collects those that are skipped.
async fn write(
    transaction: &impl ConnectionTrait,
    user_id: Uuid,
    import_id: Uuid,
    mut batches: mpsc::Receiver<Vec<Row>>,
    now: DateTime<Utc>,
) -> Result<(u64, Vec<Rejected>)> {
    let (mut imported, mut rejected, mut waiting) = (0, Vec::new(), Vec::new());
    loop {
        let batch = batches.recv().await;
        let is_over = batch.is_none();
        for Row { line, contact } in batch.into_iter().flatten() {
            match contact {
                Ok(contact) => {
                    let row = contacts::row(Uuid::now_v7(), user_id, Some(import_id), contact, now);
                    waiting.push((line, row));
                }
                Err(violations) => rejected.push((line, violations)),
            }
        }
        while waiting.len() >= BATCH || (is_over && !waiting.is_empty()) {
            let size = 1 << Ord::min(waiting.len(), BATCH).ilog2();
            imported += write_batch(transaction, waiting.drain(..size), &mut rejected).await?;
        }
        if is_over {
            rejected.sort_by_key(|(line, _)| *line);
            return Ok((imported, rejected));
        }
    }
}

/// Writes a batch, except rows whose e-mail is taken. Returns the number of rows.
async fn write_batch(
    transaction: &impl ConnectionTrait,
    rows: impl Iterator<Item = (u64, table::Model)>,
    rejected: &mut Vec<Rejected>,
) -> Result<u64> {
    let (lines, rows): (Vec<_>, Vec<_>) = rows.map(|(line, row)| ((row.id, line), row)).unzip();
    let mut insert = contacts::insert(rows)?;
    insert.on_conflict(OnConflict::new().do_nothing().to_owned()).returning_col(table::Column::Id);
    let inserted = transaction.query_all(&insert).await?;
    let inserted: HashSet<Uuid> =
        inserted.iter().map(|row| row.try_get_by_index(0)).collect::<std::result::Result<_, _>>()?;
    let repeated = lines.into_iter().filter(|(id, _)| !inserted.contains(id));
    let taken = || vec![Violation::new("email", "taken", "is the e-mail of another of your contacts")];
    rejected.extend(repeated.map(|(_, line)| (line, taken())));
    Ok(u64::try_from(inserted.len()).unwrap_or(u64::MAX))
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

/// Undoes an import: deletes the contacts that it created, with all later changes of them.
///
/// # Errors
/// [`Error::NotFound`]; a conflict if one of the contacts has an open vaccine request: then none is deleted.
pub async fn undo(db: &impl Transact, clock: &Clock, caller: &Caller, id: Uuid) -> Result<()> {
    let user_id = caller.actor.user_id;
    let transaction = db.begin().await?;
    accounts::hold(&transaction, user_id).await?;
    let created = entity::contacts::Column::ImportId.eq(id).and(entity::contacts::Column::UserId.eq(user_id));
    dependants::forget(&transaction, user_id, created, clock.now()).await?;
    let own = Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::UserId.eq(user_id));
    let deleted = own.exec(&transaction).await.map_err(|error| match contacts::refused(error) {
        Error::Conflict(Conflict::ContactInUse) => Conflict::ImportInUse.into(),
        error => error,
    })?;
    if deleted.rows_affected == 0 {
        return Err(Error::NotFound);
    }
    let event = Event::own(AuditAction::ImportUndone, user_id, &caller.client).on(id);
    event.record(&transaction, clock.now()).await?;
    Ok(transaction.commit().await?)
}
