//! Failures: each has one sentence and an exit code of its own.

use std::fmt;

use sea_orm::{DbErr, RuntimeErr};

/// The reason why a command failed.
#[derive(Debug)]
pub enum Failure {
    /// A check found differences, which are printed.
    Differences,
    /// Invalid arguments, such as a range that ends before it begins.
    Usage(String),
    /// There is no revision with this name.
    UnknownRevision(String),
    /// Several revisions have this prefix.
    AmbiguousRevision(String),
    /// The database has revisions that are newer than this program.
    DatabaseAhead(String),
    /// The database has a revision whose file is missing.
    MissingFile(String),
    /// The database is not reachable.
    NoConnection(String),
    /// The database user lacks a privilege.
    NoRights(String),
    /// Timeout of waiting for the lock of another migrator or program.
    Locked(String),
    /// The migration would lose data, which was not allowed.
    Destructive(String),
    /// A statement of a migration failed.
    Refused(String),
    /// The database has pending migrations.
    NotUpToDate(String),
    /// A file cannot be read or written, or is invalid.
    File(String),
}

impl Failure {
    /// The exit code of the program. 2 is also the code of an invalid command line.
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
        match kind(&error) {
            Kind::NoRights => Self::NoRights(format!("the database does not allow it: {}", sentence(&error))),
            Kind::Locked => Self::Locked(format!("the database is locked: {}", sentence(&error))),
            Kind::NoConnection => Self::NoConnection(sentence(&error)),
            Kind::Other => Self::Refused(sentence(&error)),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::File(error.to_string())
    }
}

/// A failure to open the database.
pub(crate) fn no_connection(error: DbErr) -> Failure {
    match kind(&error) {
        Kind::NoRights | Kind::Locked => error.into(),
        _ => Failure::NoConnection(sentence(&error)),
    }
}

/// Kinds of errors that any statement can have.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    NoRights,
    Locked,
    NoConnection,
    Other,
}

/// The kind of an error, by SQLSTATE on PostgreSQL and by result code on SQLite.
pub(crate) fn kind(error: &DbErr) -> Kind {
    if matches!(error, DbErr::ConnectionAcquire(_)) {
        return Kind::NoConnection;
    }
    let (DbErr::Conn(RuntimeErr::SqlxError(cause))
    | DbErr::Exec(RuntimeErr::SqlxError(cause))
    | DbErr::Query(RuntimeErr::SqlxError(cause))) = error
    else {
        return Kind::Other;
    };
    let sqlx::Error::Database(cause) = cause.as_ref() else {
        return match cause.as_ref() {
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut => Kind::NoConnection,
            _ => Kind::Other,
        };
    };
    // The lowest byte of an extended code of SQLite is the primary code.
    let primary = cause.code().and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff);
    match (cause.code().as_deref(), primary) {
        (Some("42501" | "25006"), _) => Kind::NoRights,
        (Some("55P03"), _) => Kind::Locked,
        (Some(code), _) if code.starts_with("08") || code.starts_with("57P") => Kind::NoConnection,
        (Some(code), Some(3 | 8 | 23)) if code.len() < 5 => Kind::NoRights,
        (Some(code), Some(5 | 6)) if code.len() < 5 => Kind::Locked,
        (Some(code), Some(14 | 26)) if code.len() < 5 => Kind::NoConnection,
        _ => Kind::Other,
    }
}

/// The message of the database on one line, without the wrappers of the libraries.
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
