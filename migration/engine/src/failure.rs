//! Failures: each is one sentence, and each kind has an exit code of its own.

use std::fmt;

use sea_orm::{DbErr, RuntimeErr};

/// Why a command failed.
#[derive(Debug)]
pub enum Failure {
    /// A check found differences, which have been printed.
    Differences,
    /// Invalid arguments, such as a range that ends before it begins.
    Usage(String),
    /// There is no revision with this name.
    UnknownRevision(String),
    /// Several revisions have that prefix.
    AmbiguousRevision(String),
    /// The database has newer revisions than this program.
    DatabaseAhead(String),
    /// An applied revision no longer exists in the sources.
    MissingFile(String),
    /// The database is not reachable.
    NoConnection(String),
    /// The database user lacks a privilege.
    NoRights(String),
    /// The lock of another migration process or program was not released in time.
    Locked(String),
    /// The migration would lose data, which is not allowed.
    Destructive(String),
    /// A statement failed in the database.
    Refused(String),
    /// The database has pending migrations.
    NotUpToDate(String),
    /// A file cannot be read or written, or has unexpected content.
    File(String),
}

impl Failure {
    /// The exit code. 2 is also that of arguments that cannot be parsed.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Differences => 1,
            Self::Usage(_) => 2,
            Self::UnknownRevision(_) => 3,
            Self::AmbiguousRevision(_) => 4,
            Self::DatabaseAhead(_) => 5,
            Self::MissingFile(_) => 6,
            Self::NoConnection(_) => 7,
            Self::NoRights(_) => 8,
            Self::Locked(_) => 9,
            Self::Destructive(_) => 10,
            Self::Refused(_) => 11,
            Self::File(_) => 12,
            Self::NotUpToDate(_) => 13,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Differences => f.write_str("there are differences"),
            Self::Usage(why)
            | Self::UnknownRevision(why)
            | Self::AmbiguousRevision(why)
            | Self::DatabaseAhead(why)
            | Self::MissingFile(why)
            | Self::NoRights(why)
            | Self::Locked(why)
            | Self::Destructive(why)
            | Self::Refused(why)
            | Self::NotUpToDate(why)
            | Self::File(why) => f.write_str(why),
            Self::NoConnection(why) => write!(f, "cannot reach the database: {why}"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<DbErr> for Failure {
    fn from(error: DbErr) -> Self {
        match error_kind(&error) {
            ErrorKind::NoRights => Self::NoRights(format!("the database does not allow it: {}", sentence(&error))),
            ErrorKind::Locked => Self::Locked(format!("the database is locked: {}", sentence(&error))),
            ErrorKind::NoConnection => Self::NoConnection(sentence(&error)),
            ErrorKind::Other => Self::Refused(sentence(&error)),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::File(error.to_string())
    }
}

/// The failure of opening a database.
#[cfg(feature = "cli")]
pub(crate) fn no_connection(error: DbErr) -> Failure {
    match error_kind(&error) {
        ErrorKind::NoRights | ErrorKind::Locked => error.into(),
        _ => Failure::NoConnection(sentence(&error)),
    }
}

/// Kinds of errors that any statement can return.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    NoRights,
    Locked,
    NoConnection,
    Other,
}

/// Classifies an error, by SQLSTATE on PostgreSQL and by result code on SQLite.
pub(crate) fn error_kind(error: &DbErr) -> ErrorKind {
    if matches!(error, DbErr::ConnectionAcquire(_)) {
        return ErrorKind::NoConnection;
    }
    let (DbErr::Conn(RuntimeErr::SqlxError(cause))
    | DbErr::Exec(RuntimeErr::SqlxError(cause))
    | DbErr::Query(RuntimeErr::SqlxError(cause))) = error
    else {
        return ErrorKind::Other;
    };
    let sqlx::Error::Database(cause) = cause.as_ref() else {
        return match cause.as_ref() {
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut => ErrorKind::NoConnection,
            _ => ErrorKind::Other,
        };
    };
    // The lowest byte of SQLite's extended result codes is the primary result code.
    let primary = cause.code().and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff);
    match (cause.code().as_deref(), primary) {
        (Some("42501" | "25006"), _) => ErrorKind::NoRights,
        (Some("55P03"), _) => ErrorKind::Locked,
        (Some(code), _) if code.starts_with("08") || code.starts_with("57P") => ErrorKind::NoConnection,
        (Some(code), Some(3 | 8 | 23)) if code.len() < 5 => ErrorKind::NoRights,
        (Some(code), Some(5 | 6)) if code.len() < 5 => ErrorKind::Locked,
        (Some(code), Some(14 | 26)) if code.len() < 5 => ErrorKind::NoConnection,
        _ => ErrorKind::Other,
    }
}

/// The message of the database, on one line, without the texts of the layers above.
pub(crate) fn sentence(error: &DbErr) -> String {
    let (DbErr::Conn(RuntimeErr::SqlxError(cause))
    | DbErr::Exec(RuntimeErr::SqlxError(cause))
    | DbErr::Query(RuntimeErr::SqlxError(cause))) = error
    else {
        return match error {
            DbErr::Custom(why) | DbErr::Migration(why) => one_line(why),
            other => one_line(&other.to_string()),
        };
    };
    match cause.as_ref() {
        sqlx::Error::Database(cause) => one_line(cause.message()),
        other => one_line(&other.to_string()),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
