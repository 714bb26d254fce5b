//! What a schema is made of, whatever it was read from: a live database or entities.

pub(crate) mod ddl;
pub(crate) mod entities;
pub(crate) mod expression;
mod postgres;
pub(crate) mod replay;
mod sqlite;

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DbBackend};

use crate::Failure;

/// Tables that are not the project's.
pub(crate) const HISTORY: &str = "seaql_migrations";

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Schema {
    pub(crate) tables: BTreeMap<String, Table>,
    /// Tables that cannot be understood, and why. They are no concern unless entities are about them.
    pub(crate) unreadable: BTreeMap<String, String>,
    /// What entities cannot describe, such as triggers and views, and whatever a catalogue says word by word: by kind and
    /// name.
    pub(crate) others: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) primary_key: Option<Key>,
    /// Unique constraints too.
    pub(crate) indexes: Vec<Index>,
    pub(crate) foreign_keys: Vec<ForeignKey>,
    pub(crate) checks: Vec<Check>,
    /// SQLite: rows lie in the order of the primary key.
    pub(crate) without_rowid: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// As the database calls it.
    pub(crate) kind: String,
    pub(crate) not_null: bool,
    pub(crate) default: Option<String>,
    pub(crate) collation: Option<String>,
    /// Gets its values from a counter.
    pub(crate) is_counter: bool,
    /// The expression of a generated column.
    pub(crate) generated: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// SQLite keeps keys without names.
    pub(crate) name: Option<String>,
    pub(crate) columns: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) name: Option<String>,
    /// Columns or expressions, with their order when it is not ascending.
    pub(crate) columns: Vec<String>,
    pub(crate) is_unique: bool,
    /// It is a UNIQUE constraint of the table.
    pub(crate) is_constraint: bool,
    pub(crate) predicate: Option<String>,
    /// PostgreSQL: when it is not a B-tree.
    pub(crate) method: Option<String>,
    /// PostgreSQL: columns that are only carried along.
    pub(crate) include: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ForeignKey {
    pub(crate) name: Option<String>,
    pub(crate) columns: Vec<String>,
    pub(crate) table: String,
    /// Empty: those of the primary key.
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
    /// Reads the schema of a database; only rights to read its catalogue are needed.
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

    /// The columns of text, limited or not.
    pub(crate) fn text_columns(&self) -> Vec<String> {
        let is_text = |column: &&Column| column.kind == "text" || column.kind.starts_with("character");
        self.columns.iter().filter(is_text).map(|column| column.name.clone()).collect()
    }

    /// Whether each of its rows has at most one row with these values in these columns.
    pub(crate) fn is_key(&self, columns: &[String]) -> bool {
        let is_same = |key: &[String]| key.len() == columns.len() && key.iter().all(|column| columns.contains(column));
        self.primary_key.as_ref().is_some_and(|key| is_same(&key.columns))
            || self.indexes.iter().any(|index| index.is_unique && index.predicate.is_none() && is_same(&index.columns))
    }
}

impl Action {
    /// As SQL has it.
    pub(crate) fn sql(self) -> &'static str {
        match self {
            Self::NoAction => "NO ACTION",
            Self::Restrict => "RESTRICT",
            Self::Cascade => "CASCADE",
            Self::SetNull => "SET NULL",
            Self::SetDefault => "SET DEFAULT",
        }
    }

    /// As sea-query's `ForeignKeyAction` and an entity's attribute have it.
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
    /// NULL is the default of what has none.
    pub(crate) fn default_value(&self) -> Option<&str> {
        self.default.as_deref().filter(|default| !expression::portable(default).eq_ignore_ascii_case("NULL"))
    }
}
