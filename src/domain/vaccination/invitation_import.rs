//! Import of invitations from a file of e-mail addresses: one invitation for each address, bound to it, and a mail with
//! its code. The rows of a file are checked first, and then written in one transaction.

use std::collections::{HashMap, HashSet};
use std::fs::File;

use chrono::{DateTime, Utc};
use entity::invitations::{Column, Entity};
use entity::{AuditAction, Role, courses};
use sea_orm::sea_query::LockType;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, TransactionSession as _};
use uuid::Uuid;

use crate::db::Transact;
use crate::domain::accounts::users as accounts;
use crate::domain::auth::context::Auth;
use crate::domain::auth::keys::Keyring;
use crate::domain::contacts::address_book;
use crate::domain::contacts::address_book::csv::{Record, Records, normalize_name};
use crate::domain::records::audit::Event;
use crate::domain::vaccination::invitations::{self, MaxUses, Terms};
use crate::domain::vaccination::mails;
use crate::domain::values::actor::Actor;
use crate::domain::values::caller::Caller;
use crate::domain::values::email::Email;
use crate::error::{Error, Result, Violation};

/// Maximum number of bytes of a file.
pub const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Maximum number of rows of a file.
pub const MAX_ROWS: usize = 10_000;

/// Rows of one statement.
const BATCH: usize = 500;

/// Names of the column with the addresses.
const COLUMN_NAMES: [&str; 4] = ["email", "e_mail", "email_address", "e_mail_address"];

/// A file to be imported.
#[derive(Debug)]
pub struct Import {
    /// The file, at its beginning.
    pub file: File,
    /// What the invitations are for, and when they can be used.
    pub terms: Terms,
    /// Whether to only report, and to change nothing.
    pub is_dry_run: bool,
}

/// The result of an import.
pub struct Report {
    /// Whether it was a dry run.
    pub is_dry_run: bool,
    /// The rows, in the order of the file.
    pub rows: Vec<Row>,
}

/// A row of a file.
pub struct Row {
    /// Line on which it begins, from 1.
    pub line: u64,
    /// The address; as it is in the file if it is not valid, and none if it cannot be read.
    pub email: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a row.
pub enum Outcome {
    /// An invitation was created; in a dry run it has no id.
    Created(Option<Uuid>),
    /// The address has this invitation for the course and the centre, which was not used yet.
    Existing(Uuid),
    /// It was rejected.
    Rejected(Violation),
}

impl Row {
    fn is_new(&self) -> bool {
        matches!(self.outcome, Outcome::Created(_))
    }

    /// The address, if an invitation is created for it.
    fn new_email(&self) -> Option<&str> {
        self.email.as_deref().filter(|_| self.is_new())
    }

    fn read(record: &Record, column: usize) -> Self {
        let line = record.line;
        let rejected = |email, violation| Self { line, email, outcome: Outcome::Rejected(violation) };
        if let Err(violation) = record.check() {
            return rejected(None, violation);
        }
        let Ok(text) = std::str::from_utf8(record.field(column)) else {
            return rejected(None, Violation::new(".", "encoding", "is not encoded in UTF-8"));
        };
        let email = Email::parse(text).and_then(|email| email.check_new().map(|()| email));
        match email {
            Ok(email) => Self { line, email: Some(email.as_str().to_owned()), outcome: Outcome::Created(None) },
            Err(violation) => rejected(Some(text.trim().chars().take(Email::MAX_BYTES).collect()), violation),
        }
    }
}

/// Creates an invitation for each address of a file, and mails its code. An address that has one already gets no other.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor is staff; violations, also if the file has no addresses, or too many rows.
pub async fn import(db: &impl Transact, auth: &Auth, caller: &Caller, import: Import) -> Result<Report> {
    let Import { file, terms, is_dry_run } = import;
    let (actor, now) = (&caller.actor, auth.clock.now());
    actor.require(Role::Staff)?;
    terms.check(now)?;
    let mut rows = tokio::task::spawn_blocking(move || read(file)).await.map_err(Error::internal)??;
    reject_repeated(&mut rows);
    let transaction = db.begin().await?;
    accounts::hold(&transaction, actor.user_id).await?;
    // One import of a course at a time: the next one finds the invitations of this one.
    let course = courses::Entity::find_by_id(terms.course_id).lock(LockType::NoKeyUpdate);
    course.one(&transaction).await?.ok_or_else(invitations::no_course)?;
    invitations::check_centre(&transaction, actor, terms.centre_id).await?;
    for batch in rows.chunks_mut(BATCH) {
        find_existing(&transaction, &terms, batch, now).await?;
        if !is_dry_run {
            write(&transaction, auth.tokens.keys(), actor, &terms, batch, now).await?;
        }
    }
    let created = rows.iter().filter(|row| row.is_new()).count();
    if is_dry_run || created == 0 {
        transaction.rollback().await?;
        return Ok(Report { is_dry_run, rows });
    }
    let event = Event::new(AuditAction::InvitationsImported, &caller.client).by(Some(actor.user_id));
    let detail = format!("{created} invitations");
    event.on(terms.course_id).detail(&detail).record(&transaction, now).await?;
    transaction.commit().await?;
    Ok(Report { is_dry_run, rows })
}

/// Reads the rows of a file.
fn read(file: File) -> Result<Vec<Row>> {
    let mut records = Records::open(address_book::open_text(file)?)?;
    let mut rows = Vec::new();
    let first = records.next()?.ok_or_else(|| Violation::new(".", "empty", "the file is empty"))?;
    let column = match email_column(first)? {
        Some(column) => column,
        None => {
            rows.push(Row::read(first, 0));
            0
        }
    };
    records.find_line_end()?;
    while let Some(record) = records.next()? {
        if rows.len() == MAX_ROWS {
            return Err(Violation::new(".", "rows", format!("the file has more than {MAX_ROWS} rows")).into());
        }
        rows.push(Row::read(record, column));
    }
    Ok(rows)
}

/// The column with the addresses, by the header line. None if the file has no header line, and begins with an address.
fn email_column(first: &Record) -> Result<Option<usize>> {
    first.check().map_err(Error::from)?;
    let names: Vec<String> = (0..first.len()).map(|column| normalize_name(first.field(column))).collect();
    let column = COLUMN_NAMES.iter().find_map(|known| names.iter().position(|name| name == known));
    let is_address = std::str::from_utf8(first.field(0)).is_ok_and(|text| Email::parse(text).is_ok());
    if column.is_none() && !is_address {
        return Err(Violation::new("email", "column", "the file has no column email").into());
    }
    Ok(column)
}

/// Rejects rows whose address was in an earlier row.
fn reject_repeated(rows: &mut [Row]) {
    let mut seen = HashSet::new();
    for row in rows.iter_mut() {
        if let Some(email) = row.new_email()
            && !seen.insert(email.to_owned())
        {
            row.outcome = Outcome::Rejected(Violation::new("email", "duplicate", "is in the file already"));
        }
    }
}

/// Marks the rows whose address has an invitation of the course and the centre that can still be used.
async fn find_existing(
    transaction: &impl ConnectionTrait,
    terms: &Terms,
    rows: &mut [Row],
    now: DateTime<Utc>,
) -> Result<()> {
    let of_centre = match terms.centre_id {
        Some(id) => Column::CentreId.eq(id),
        None => Column::CentreId.is_null(),
    };
    let open: Vec<(String, Uuid)> = Entity::find()
        .select_only()
        .columns([Column::Email, Column::Id])
        .filter(Column::Email.is_in(rows.iter().filter_map(Row::new_email)))
        .filter(Column::CourseId.eq(terms.course_id))
        .filter(of_centre)
        .filter(Column::Used.eq(0))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ValidUntil.gt(now))
        .into_tuple()
        .all(transaction)
        .await?;
    let open: HashMap<String, Uuid> = open.into_iter().collect();
    for row in rows {
        if let Some(id) = row.new_email().and_then(|email| open.get(email)) {
            row.outcome = Outcome::Existing(*id);
        }
    }
    Ok(())
}

/// Writes the invitations of new rows, and their mails.
async fn write(
    transaction: &impl ConnectionTrait,
    keys: &Keyring,
    actor: &Actor,
    terms: &Terms,
    rows: &mut [Row],
    now: DateTime<Utc>,
) -> Result<()> {
    let (mut invitations, mut recipients) = (Vec::new(), Vec::new());
    for row in rows {
        let Some(email) = row.new_email().map(str::to_owned) else { continue };
        let id = Uuid::now_v7();
        let (invitation, _) = terms.row(id, keys, actor, (Some(&email), None), MaxUses::MINIMUM, now);
        invitations.push(invitation);
        recipients.push((id, email));
        row.outcome = Outcome::Created(Some(id));
    }
    if invitations.is_empty() {
        return Ok(());
    }
    Entity::insert_many(invitations).exec_without_returning(transaction).await?;
    mails::add_invitations(transaction, &recipients, now).await
}
