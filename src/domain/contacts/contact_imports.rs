//! Files of contacts: reading one into a user's contacts, and taking it back.
//!
//! A file is read on a thread of its own, which hands over the rows in batches; all of them are written in one
//! transaction. So a fault leaves nothing behind, a dry run is a real one that is undone, and memory does not depend on
//! the size of the file.

use std::collections::HashSet;
use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use entity::contact_imports::{ActiveModel, Column, Entity, Model};
use entity::{ContactFormat, contacts as table};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select, Set, TransactionSession as _,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::contacts::address_book::{self, Row};
use crate::domain::contacts::contacts;
use crate::domain::values::actor::Actor;
use crate::domain::values::clock::Clock;
use crate::domain::values::page::{Page, Slice};
use crate::error::{Conflict, Error, Result, Violation};

/// Rows of one statement, at most. What is left of a file is written in statements of half as many, and so on, so that
/// there are few different ones for the database to know.
const BATCH: usize = 256;

/// Batches that wait to be written.
const BATCHES: usize = 4;

/// How long a file that has arrived waits for its turn.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// Files that may be on their way in at once.
const PLACES: usize = 32;

/// How large files may be, and how many are taken at once: one of each user, so many in all.
#[derive(Debug)]
pub struct Desk {
    /// The most bytes of a file.
    pub most_bytes: u64,
    /// The most contacts of a file.
    pub most_rows: u64,
    taken: Mutex<HashSet<Uuid>>,
    turns: Arc<Semaphore>,
}

/// A user's place at the desk, until it is dropped.
#[derive(Debug)]
pub struct Place<'a> {
    desk: &'a Desk,
    user_id: Uuid,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.desk.taken().remove(&self.user_id);
    }
}

impl Desk {
    /// Takes files of so many bytes and contacts, and writes `at_once` of them at a time.
    #[must_use]
    pub fn new(most_bytes: u64, most_rows: u64, at_once: usize) -> Self {
        Self { most_bytes, most_rows, taken: Mutex::default(), turns: Arc::new(Semaphore::new(at_once)) }
    }

    /// A place for a user's file, from its first byte to the answer.
    ///
    /// # Errors
    /// [`Error::Busy`] when the user has one already, or all are taken.
    pub fn place(&self, user_id: Uuid) -> Result<Place<'_>> {
        let mut taken = self.taken();
        if taken.len() >= PLACES || !taken.insert(user_id) {
            return Err(Error::Busy);
        }
        Ok(Place { desk: self, user_id })
    }

    fn taken(&self) -> MutexGuard<'_, HashSet<Uuid>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit> {
        let turn = Arc::clone(&self.turns).acquire_owned();
        let turn = tokio::time::timeout(PATIENCE, turn).await.map_err(|_| Error::Busy)?;
        turn.map_err(Error::internal)
    }
}

/// What to make of a file.
#[derive(Debug)]
pub struct Import {
    /// The file, from its beginning.
    pub file: File,
    /// What it is written in.
    pub format: ContactFormat,
    /// Whether to tell what would happen, and to change nothing.
    pub is_dry_run: bool,
}

/// What became of a file.
#[derive(Clone, Debug)]
pub struct Report {
    /// The import, unless it was a dry run.
    pub import: Option<Model>,
    /// Contacts that were added.
    pub imported: u64,
    /// Rows that were not.
    pub rejected: Vec<Rejected>,
}

/// The line of a row that was left out, and all that is wrong with it.
pub type Rejected = (u64, Vec<Violation>);

/// The imports an actor may see: their own.
fn owned_by(user_id: Uuid) -> Select<Entity> {
    Entity::find().filter(Column::UserId.eq(user_id))
}

/// Adds the contacts of a file to the actor's. Rows that break a rule, or repeat an e-mail, are left out and told.
///
/// # Errors
/// A violation when it is no such file, or has too many rows; [`Error::Busy`].
pub async fn add(db: &impl Transact, clock: &Clock, desk: &Desk, actor: &Actor, import: Import) -> Result<Report> {
    let turn = Arc::new(desk.turn().await?);
    let Import { file, format, is_dry_run } = import;
    let most_rows = desk.most_rows;
    let (batches, received) = mpsc::channel(BATCHES);
    // The thread has a part in the turn: it goes on for a while when whoever asked has gone.
    let part = Arc::clone(&turn);
    let reader = tokio::task::spawn_blocking(move || {
        let _part = part;
        read(file, format, most_rows, &batches)
    });
    let transaction = db.begin().await?;
    let id = Uuid::now_v7();
    let row = ActiveModel {
        id: Set(id),
        user_id: Set(actor.user_id),
        format: Set(format),
        imported: Set(0),
        rejected: Set(0),
        created_at: Set(clock.now()),
    };
    row.insert(&transaction).await?;
    let outcome = write(&transaction, actor.user_id, id, received, clock.now()).await;
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
    transaction.commit().await?;
    Ok(Report { import: Some(import), imported, rejected })
}

/// Reads the file to its end, or until nobody takes its rows any more.
fn read(file: File, format: ContactFormat, most_rows: u64, batches: &mpsc::Sender<Vec<Row>>) -> Result<()> {
    let mut batch = Vec::with_capacity(BATCH);
    let mut rows = 0;
    let mut is_taken = true;
    address_book::read(format, file, |row| {
        rows += 1;
        batch.push(row);
        if batch.len() == BATCH {
            is_taken = batches.blocking_send(std::mem::replace(&mut batch, Vec::with_capacity(BATCH))).is_ok();
        }
        is_taken && rows <= most_rows
    })?;
    if rows > most_rows {
        return Err(Violation::new(".", "rows", format!("the file has more than {most_rows} contacts")).into());
    }
    if !batch.is_empty() {
        // Whoever does not take it has failed, and says so.
        drop(batches.blocking_send(batch));
    }
    Ok(())
}

/// Writes the rows as they come, and gathers those that cannot be.
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

/// Writes rows but those whose e-mail is taken, and returns how many.
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

/// The actor's imports, newest first.
///
/// # Errors
/// Fails when the database does.
pub async fn list(db: &impl ConnectionTrait, actor: &Actor, page: Page) -> Result<Slice<Model>> {
    let imports = owned_by(actor.user_id)
        .apply_if(page.after, |imports, after| imports.filter(Column::Id.lt(after)))
        .order_by_desc(Column::Id)
        .limit(page.rows())
        .all(db)
        .await?;
    Ok(page.slice(imports, |import| import.id))
}

/// Every import of a user.
pub(in crate::domain) async fn all_of(db: &impl ConnectionTrait, user_id: Uuid) -> Result<Vec<Model>> {
    Ok(owned_by(user_id).all(db).await?)
}

/// One import.
///
/// # Errors
/// [`Error::NotFound`] unless it is the actor's.
pub async fn get(db: &impl ConnectionTrait, actor: &Actor, id: Uuid) -> Result<Model> {
    owned_by(actor.user_id).filter(Column::Id.eq(id)).one(db).await?.ok_or(Error::NotFound)
}

/// Takes an import back: the contacts that it added go with it, whatever has been changed in them since.
///
/// # Errors
/// [`Error::NotFound`]; a conflict when an open vaccine request is for one of them: then all of them stay.
pub async fn remove(db: &impl ConnectionTrait, actor: &Actor, id: Uuid) -> Result<()> {
    let own = Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::UserId.eq(actor.user_id));
    match own.exec(db).await {
        Ok(result) if result.rows_affected == 0 => Err(Error::NotFound),
        Ok(_) => Ok(()),
        Err(error) => Err(match Error::from(error) {
            Error::Conflict(Conflict::ContactInUse) => Conflict::ImportInUse.into(),
            error => error,
        }),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::Desk;
    use super::PLACES;
    use crate::error::Error;

    #[tokio::test]
    async fn so_many_files_are_taken_and_the_next_one_is_told_to_come_back() {
        let desk = Desk::new(1, 1, 1);
        let mut places: Vec<_> = (0..PLACES).map(|_| desk.place(Uuid::now_v7()).unwrap()).collect();
        assert!(matches!(desk.place(Uuid::nil()), Err(Error::Busy)));
        places.pop();
        let place = desk.place(Uuid::nil()).unwrap();
        places.pop();
        assert!(matches!(desk.place(Uuid::nil()), Err(Error::Busy)), "one of each user");
        drop(place);
        desk.place(Uuid::nil()).unwrap();
        let turn = desk.turn().await.unwrap();
        tokio::time::timeout(std::time::Duration::ZERO, desk.turn()).await.unwrap_err();
        drop(turn);
        drop(desk.turn().await.unwrap());
    }
}
