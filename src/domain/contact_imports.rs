//! Files of contacts: reading one into a user's contacts, and taking it back.
//!
//! A file is read on a thread of its own, which hands over the rows in batches; all of them are written in one
//! transaction. So a fault leaves nothing behind, a dry run is a real one that is undone, and memory does not depend on
//! the size of the file.

use std::collections::HashSet;
use std::fs::File;

use chrono::{DateTime, Utc};
use entity::contact_imports::{ActiveModel, Column, Entity, Model};
use entity::{ContactFormat, contacts};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select, Set, TransactionSession as _,
};
use tokio::sync::{Semaphore, mpsc};
use uuid::Uuid;

use super::actor::Actor;
use super::address_book::{self, Row};
use super::clock::Clock;
use super::page::{Page, Slice};
use crate::db::Transact;
use crate::error::{Conflict, Error, Result, Violation};

/// Rows of one statement.
const BATCH: usize = 250;

/// Batches that wait to be written.
const BATCHES: usize = 4;

/// Files that are read at once. Further ones are told to come back.
pub const AT_ONCE: usize = 4;

/// What to make of a file.
#[derive(Debug)]
pub struct Import {
    /// The file, from its beginning.
    pub file: File,
    /// What it is written in.
    pub format: ContactFormat,
    /// Whether to tell what would happen, and to change nothing.
    pub is_dry_run: bool,
    /// The most rows it may have.
    pub most_rows: u64,
}

/// What became of a file.
#[derive(Clone, Debug)]
pub struct Report {
    /// The import, unless it was a dry run.
    pub import: Option<Model>,
    /// Contacts that were added.
    pub imported: u64,
    /// Rows that were not, each with its line.
    pub rejected: Vec<(u64, Vec<Violation>)>,
}

/// The imports an actor may see: their own.
fn owned_by(user_id: Uuid) -> Select<Entity> {
    Entity::find().filter(Column::UserId.eq(user_id))
}

/// Adds the contacts of a file to the actor's. Rows that break a rule, or repeat an e-mail, are left out and told.
///
/// # Errors
/// A violation when it is no such file, or has too many rows; [`Error::Busy`].
pub async fn add(
    db: &impl Transact,
    clock: &Clock,
    turns: &Semaphore,
    actor: &Actor,
    import: Import,
) -> Result<Report> {
    let _turn = turns.try_acquire().map_err(|_| Error::Busy)?;
    let Import { file, format, is_dry_run, most_rows } = import;
    let (batches, received) = mpsc::channel(BATCHES);
    let reader = tokio::task::spawn_blocking(move || read(file, format, most_rows, &batches));
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
) -> Result<(u64, Vec<(u64, Vec<Violation>)>)> {
    let (mut imported, mut rejected) = (0, Vec::new());
    while let Some(batch) = batches.recv().await {
        let (mut lines, mut rows) = (Vec::new(), Vec::new());
        for Row { line, contact } in batch {
            match contact {
                Ok(contact) => {
                    let id = Uuid::now_v7();
                    lines.push((id, line));
                    rows.push(super::contacts::row(id, user_id, Some(import_id), contact, now));
                }
                Err(violations) => rejected.push((line, violations)),
            }
        }
        if rows.is_empty() {
            continue;
        }
        let mut insert = super::contacts::insert(rows)?;
        insert.on_conflict(OnConflict::new().do_nothing().to_owned()).returning_col(contacts::Column::Id);
        let inserted = transaction.query_all(&insert).await?;
        let inserted: HashSet<Uuid> =
            inserted.iter().map(|row| row.try_get_by_index(0)).collect::<std::result::Result<_, _>>()?;
        imported += u64::try_from(inserted.len()).unwrap_or(u64::MAX);
        let repeated = lines.into_iter().filter(|(id, _)| !inserted.contains(id));
        let taken = || vec![Violation::new("email", "taken", "is the e-mail of another of your contacts")];
        rejected.extend(repeated.map(|(_, line)| (line, taken())));
    }
    rejected.sort_by_key(|(line, _)| *line);
    Ok((imported, rejected))
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
pub(super) async fn all_of(db: &impl ConnectionTrait, user_id: Uuid) -> Result<Vec<Model>> {
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
