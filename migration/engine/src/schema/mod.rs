//! Schema: tables, columns, keys and indexes, read from a database or from entities.

pub(crate) mod ddl;
pub(crate) mod entities;
pub(crate) mod expression;
mod postgres;
pub(crate) mod replay;
mod sqlite;

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DbBackend};

use crate::Failure;

/// Tables that do not belong to the project.
pub(crate) const HISTORY: &str = "seaql_migrations";

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Schema {
    pub(crate) tables: BTreeMap<String, Table>,
    /// Tables that cannot be parsed, with the reason. They matter only if an entity describes them.
    pub(crate) unreadable: BTreeMap<String, String>,
    /// Objects that entities cannot describe, such as triggers and views, and constraints in the words of the
    /// catalogue; by kind and name.
    pub(crate) others: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) primary_key: Option<Key>,
    /// Including UNIQUE constraints.
    pub(crate) indexes: Vec<Index>,
    pub(crate) foreign_keys: Vec<ForeignKey>,
    pub(crate) checks: Vec<Check>,
    /// SQLite: WITHOUT ROWID.
    pub(crate) without_rowid: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// The type, in the words of the database.
    pub(crate) kind: String,
    pub(crate) not_null: bool,
    pub(crate) default: Option<String>,
    pub(crate) collation: Option<String>,
    /// Whether its values come from a counter.
    pub(crate) is_counter: bool,
    /// The expression of a generated column.
    pub(crate) generated: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// None on SQLite if the key has no name.
    pub(crate) name: Option<String>,
    pub(crate) columns: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) name: Option<String>,
    /// Columns or expressions, with their order if it is descending.
    pub(crate) columns: Vec<String>,
    pub(crate) is_unique: bool,
    /// Whether it is a UNIQUE constraint.
    pub(crate) is_constraint: bool,
    pub(crate) predicate: Option<String>,
    /// PostgreSQL: the method, unless it is a B-tree.
    pub(crate) method: Option<String>,
    /// PostgreSQL: columns of INCLUDE.
    pub(crate) include: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ForeignKey {
    pub(crate) name: Option<String>,
    pub(crate) columns: Vec<String>,
    pub(crate) table: String,
    /// Empty for those of the primary key.
    pub(crate) references: Vec<String>,
    pub(crate) on_update: Action,
    pub(crate) on_delete: Action,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "SQL's words")]
pub(crate) enum Action {
    #[default]
    NoAction,
    Restrict,
    Cascade,
    SetNull,
    SetDefault,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Check {
    pub(crate) name: Option<String>,
    pub(crate) expression: String,
}

impl Schema {
    /// Reads the schema of a database. Needs only rights to read its catalogue.
    pub(crate) async fn read(db: &impl ConnectionTrait) -> Result<Self, Failure> {
        match db.get_database_backend() {
            DbBackend::Sqlite => sqlite::read(db).await,
            _ => postgres::read(db).await,
        }
    }
}

impl Table {
    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The columns of text, of any length.
    pub(crate) fn text_columns(&self) -> Vec<String> {
        let is_text = |column: &&Column| column.kind == "text" || column.kind.starts_with("character");
        self.columns.iter().filter(is_text).map(|column| column.name.clone()).collect()
    }

    /// Whether at most one row has the same values in these columns.
    pub(crate) fn is_key(&self, columns: &[String]) -> bool {
        let is_same = |key: &[String]| key.len() == columns.len() && key.iter().all(|column| columns.contains(column));
        self.primary_key.as_ref().is_some_and(|key| is_same(&key.columns))
            || self.indexes.iter().any(|index| index.is_unique && index.predicate.is_none() && is_same(&index.columns))
    }
}

impl Action {
    /// The words of SQL.
    pub(crate) fn sql(self) -> &'static str {
        match self {
            Self::NoAction => "NO ACTION",
            Self::Restrict => "RESTRICT",
            Self::Cascade => "CASCADE",
            Self::SetNull => "SET NULL",
            Self::SetDefault => "SET DEFAULT",
        }
    }

    /// The variant of sea-query's `ForeignKeyAction`, which is also the word of an entity's attribute.
    pub(crate) fn rust(self) -> &'static str {
        match self {
            Self::NoAction => "NoAction",
            Self::Restrict => "Restrict",
            Self::Cascade => "Cascade",
            Self::SetNull => "SetNull",
            Self::SetDefault => "SetDefault",
        }
    }
}

impl Column {
    /// The default. NULL counts as none.
    pub(crate) fn default_value(&self) -> Option<&str> {
        self.default.as_deref().filter(|default| !expression::portable(default).eq_ignore_ascii_case("NULL"))
    }
}
