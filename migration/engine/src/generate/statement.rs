//! Statements of a generated migration, before they are written as Rust.

use crate::schema::{Check, Column, ForeignKey, Index, Key, Table};

/// One statement of a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MigrationStatement {
    /// A comment for the developer, before the next statement.
    Note(String),
    CreateTable(Table),
    DropTable(String),
    AddColumn {
        table: String,
        column: Column,
    },
    DropColumn {
        table: String,
        column: String,
    },
    RenameColumn {
        table: String,
        old: String,
        new: String,
    },
    AlterTable {
        table: String,
        actions: Vec<TableAction>,
    },
    /// An UPDATE that sets the default where a row has no value.
    Fill {
        table: String,
        column: String,
        default: String,
    },
    /// SQL for PostgreSQL only.
    OnPostgres(Vec<String>),
    CreateIndex {
        table: String,
        index: Index,
    },
    DropIndex {
        index: String,
        /// Whether only PostgreSQL has it: SQLite has no methods.
        only_postgres: bool,
    },
}

/// One action of an `AlterTable`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TableAction {
    AddColumn(Column),
    AlterColumn {
        column: Column,
        inline_key: bool,
        /// The USING expression on PostgreSQL, if it does not convert the type implicitly.
        using: Option<String>,
    },
    /// The type, with its collation; nullability and default are those of other actions.
    AlterType {
        column: Column,
        using: Option<String>,
    },
    SetNotNull(String),
    DropNotNull(String),
    SetDefault {
        column: String,
        default: String,
    },
    DropDefault(String),
    DropColumn(String),
    RenameConstraint {
        old: String,
        new: String,
    },
    RenameIndex {
        old: String,
        new: String,
    },
    DropConstraint(String),
    DropPrimaryKey(String),
    DropForeignKey(ForeignKey),
    DropUnique(Index),
    AddPrimaryKey(Key),
    AddUnique(Index),
    AddCheck(Check),
    AddForeignKey(ForeignKey),
}
