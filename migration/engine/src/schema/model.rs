//! The parts of a schema: tables, columns, keys, indexes and CHECKs.

use std::collections::BTreeMap;

use super::expression::portable;

/// The history table, which is not part of the project's schema.
pub(crate) const HISTORY: &str = "seaql_migrations";

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Schema {
    pub(crate) tables: BTreeMap<String, Table>,
    /// Native enums of PostgreSQL with their values.
    pub(crate) enums: BTreeMap<String, Vec<String>>,
    /// Of entities: the former name of a column, by table and name.
    pub(crate) renamed: BTreeMap<(String, String), String>,
    /// Tables that cannot be parsed, with the reason. They are ignored, unless they have an entity.
    pub(crate) unreadable: BTreeMap<String, String>,
    /// Properties of tables that an entity does not have, by table.
    pub(crate) remarks: BTreeMap<String, Vec<String>>,
    /// Objects that entities cannot describe, such as triggers and views, and complete definitions
    /// from the catalogue, by kind and name.
    pub(crate) others: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) primary_key: Option<Key>,
    /// Includes unique constraints.
    pub(crate) indexes: Vec<Index>,
    pub(crate) foreign_keys: Vec<ForeignKey>,
    pub(crate) checks: Vec<Check>,
    /// SQLite: the table is WITHOUT ROWID.
    pub(crate) without_rowid: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// The type name in the database.
    pub(crate) kind: String,
    pub(crate) not_null: bool,
    pub(crate) default: Option<String>,
    pub(crate) collation: Option<String>,
    /// AUTOINCREMENT, identity or serial.
    pub(crate) is_counter: bool,
    /// The expression of a generated column.
    pub(crate) generated: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// SQLite allows keys without a name.
    pub(crate) name: Option<String>,
    pub(crate) columns: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) name: Option<String>,
    /// Columns or expressions, with `DESC` if the order is descending.
    pub(crate) columns: Vec<String>,
    pub(crate) is_unique: bool,
    /// Whether it is a UNIQUE constraint.
    pub(crate) is_constraint: bool,
    pub(crate) predicate: Option<String>,
    /// PostgreSQL: the index method, unless it is a B-tree.
    pub(crate) method: Option<String>,
    /// PostgreSQL: the columns of INCLUDE.
    pub(crate) include: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ForeignKey {
    pub(crate) name: Option<String>,
    pub(crate) columns: Vec<String>,
    pub(crate) table: String,
    /// Empty for the primary key of the referenced table.
    pub(crate) references: Vec<String>,
    pub(crate) on_update: ForeignKeyAction,
    pub(crate) on_delete: ForeignKeyAction,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ForeignKeyAction {
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

impl Table {
    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The columns of text types.
    pub(crate) fn text_columns(&self) -> Vec<String> {
        let is_text = |column: &&Column| column.kind == "text" || column.kind.starts_with("character");
        self.columns.iter().filter(is_text).map(|column| column.name.clone()).collect()
    }

    /// Whether these columns are a key: the primary key, or a unique index on all rows.
    pub(crate) fn is_key(&self, columns: &[String]) -> bool {
        let is_same = |key: &[String]| key.len() == columns.len() && key.iter().all(|column| columns.contains(column));
        self.primary_key.as_ref().is_some_and(|key| is_same(&key.columns))
            || self.indexes.iter().any(|index| index.is_unique && index.predicate.is_none() && is_same(&index.columns))
    }
}

impl ForeignKeyAction {
    /// The action in SQL.
    pub(crate) fn sql(self) -> &'static str {
        match self {
            Self::NoAction => "NO ACTION",
            Self::Restrict => "RESTRICT",
            Self::Cascade => "CASCADE",
            Self::SetNull => "SET NULL",
            Self::SetDefault => "SET DEFAULT",
        }
    }

    /// The variant of sea-query's `ForeignKeyAction`, which entities use, too.
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
    /// The default; NULL counts as none.
    pub(crate) fn default_value(&self) -> Option<&str> {
        self.default.as_deref().filter(|default| !portable(default).eq_ignore_ascii_case("NULL"))
    }
}
