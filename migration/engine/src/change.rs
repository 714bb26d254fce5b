//! A schema change: its kind, and its text for users.

use std::fmt;

use serde_json::{Value, json};

use crate::equivalences::Equivalences;
use crate::schema::expression::string_list;
use crate::schema::{Check, Column, ForeignKey, Index, Key, Table};

/// A schema change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    AddTable(Table),
    RemoveTable(Table),
    AddColumn {
        table: String,
        column: Column,
    },
    RemoveColumn {
        table: String,
        column: Column,
    },
    ModifyColumn {
        table: String,
        old: Column,
        new: Column,
    },
    ModifyPrimaryKey {
        table: String,
        old: Option<Key>,
        new: Option<Key>,
    },
    AddIndex {
        table: String,
        index: Index,
    },
    RemoveIndex {
        table: String,
        index: Index,
    },
    AddForeignKey {
        table: String,
        key: ForeignKey,
    },
    RemoveForeignKey {
        table: String,
        key: ForeignKey,
    },
    AddCheck {
        table: String,
        check: Check,
    },
    RemoveCheck {
        table: String,
        check: Check,
    },
    ModifyCheck {
        table: String,
        old: Check,
        new: Check,
    },
    RenameColumn {
        table: String,
        old: String,
        new: String,
    },
    /// A key, an index or a CHECK with another name.
    Rename {
        table: String,
        what: Named,
        old: String,
        new: String,
    },
    /// PostgreSQL: a native enum.
    AddEnum {
        name: String,
        values: Vec<String>,
    },
    RemoveEnum {
        name: String,
        values: Vec<String>,
    },
    ModifyEnum {
        name: String,
        old: Vec<String>,
        new: Vec<String>,
    },
    /// SQLite: the table becomes WITHOUT ROWID, or a rowid table.
    ModifyStorage {
        table: String,
        without_rowid: bool,
    },
}

/// What has a name of its own besides a table and a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Constraint,
    Index,
}

impl Change {
    /// The kinds of the change, in Alembic's terms. A column can change in several ways at once.
    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        match self {
            Self::AddTable(_) => vec!["add_table"],
            Self::RemoveTable(_) => vec!["remove_table"],
            Self::AddColumn { .. } => vec!["add_column"],
            Self::RemoveColumn { .. } => vec!["remove_column"],
            Self::ModifyColumn { old, new, .. } => {
                let parts = [
                    ("modify_type", old.kind != new.kind),
                    ("modify_nullable", old.not_null != new.not_null),
                    (
                        "modify_default",
                        !Equivalences::default().are_same_if_any(old.default_value(), new.default_value()),
                    ),
                    ("modify_collation", old.collation != new.collation),
                    ("modify_counter", old.is_counter != new.is_counter),
                    ("modify_generated", old.generated != new.generated),
                ];
                parts.into_iter().filter(|(_, is_true)| *is_true).map(|(kind, _)| kind).collect()
            }
            Self::ModifyPrimaryKey { .. } => vec!["modify_primary_key"],
            Self::AddIndex { index, .. } if index.is_constraint => vec!["add_constraint"],
            Self::RemoveIndex { index, .. } if index.is_constraint => vec!["remove_constraint"],
            Self::AddIndex { .. } => vec!["add_index"],
            Self::RemoveIndex { .. } => vec!["remove_index"],
            Self::AddForeignKey { .. } => vec!["add_fk"],
            Self::RemoveForeignKey { .. } => vec!["remove_fk"],
            Self::AddCheck { .. } => vec!["add_check"],
            Self::RemoveCheck { .. } => vec!["remove_check"],
            Self::ModifyCheck { .. } => vec!["modify_check"],
            Self::RenameColumn { .. } => vec!["rename_column"],
            Self::Rename { what: Named::Constraint, .. } => vec!["rename_constraint"],
            Self::Rename { what: Named::Index, .. } => vec!["rename_index"],
            Self::AddEnum { .. } => vec!["add_enum"],
            Self::RemoveEnum { .. } => vec!["remove_enum"],
            Self::ModifyEnum { .. } => vec!["modify_enum"],
            Self::ModifyStorage { .. } => vec!["modify_storage"],
        }
    }

    pub(crate) fn table(&self) -> &str {
        match self {
            Self::AddTable(table) | Self::RemoveTable(table) => &table.name,
            // No table has the name of a type.
            Self::AddEnum { name, .. } | Self::RemoveEnum { name, .. } | Self::ModifyEnum { name, .. } => name,
            Self::AddColumn { table, .. }
            | Self::RemoveColumn { table, .. }
            | Self::ModifyColumn { table, .. }
            | Self::ModifyPrimaryKey { table, .. }
            | Self::AddIndex { table, .. }
            | Self::RemoveIndex { table, .. }
            | Self::AddForeignKey { table, .. }
            | Self::RemoveForeignKey { table, .. }
            | Self::AddCheck { table, .. }
            | Self::RemoveCheck { table, .. }
            | Self::ModifyCheck { table, .. }
            | Self::RenameColumn { table, .. }
            | Self::Rename { table, .. }
            | Self::ModifyStorage { table, .. } => table,
        }
    }

    /// Whether the changed object has a name.
    pub(crate) fn is_about(&self, name: &str) -> bool {
        self.name() == Some(name)
    }

    /// The name of the changed column, key, index or CHECK.
    fn name(&self) -> Option<&str> {
        match self {
            Self::AddTable(_) | Self::RemoveTable(_) | Self::ModifyStorage { .. } => None,
            Self::AddEnum { name, .. } | Self::RemoveEnum { name, .. } | Self::ModifyEnum { name, .. } => Some(name),
            Self::AddColumn { column, .. } | Self::RemoveColumn { column, .. } => Some(&column.name),
            Self::RenameColumn { new, .. } | Self::Rename { new, .. } => Some(new),
            Self::ModifyColumn { new, .. } => Some(&new.name),
            Self::ModifyPrimaryKey { old, new, .. } => new.as_ref().or(old.as_ref())?.name.as_deref(),
            Self::AddIndex { index, .. } | Self::RemoveIndex { index, .. } => index.name.as_deref(),
            Self::AddForeignKey { key, .. } | Self::RemoveForeignKey { key, .. } => key.name.as_deref(),
            Self::AddCheck { check, .. } | Self::RemoveCheck { check, .. } => check.name.as_deref(),
            Self::ModifyCheck { new, .. } => new.name.as_deref(),
        }
    }

    /// Whether this change includes the other one: same object, and all of its kinds. Used for
    /// changes on different databases, where definitions differ.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let kinds = self.kinds();
        std::mem::discriminant(self) == std::mem::discriminant(other)
            && (self.table(), self.subject()) == (other.table(), other.subject())
            && other.kinds().iter().all(|kind| kinds.contains(kind))
    }

    /// Identifies the changed object, even if it has no name.
    fn subject(&self) -> Vec<&str> {
        match self {
            Self::AddForeignKey { key, .. } | Self::RemoveForeignKey { key, .. } => {
                key.columns.iter().map(String::as_str).collect()
            }
            Self::ModifyPrimaryKey { .. } => Vec::new(),
            _ => self.name().into_iter().collect(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        let (old, new) = match self {
            Self::ModifyColumn { old, new, .. } => (Some(old.description()), Some(new.description())),
            Self::ModifyCheck { old, new, .. } => (Some(old.expression.clone()), Some(new.expression.clone())),
            Self::RenameColumn { old, new, .. } | Self::Rename { old, new, .. } => {
                (Some(old.clone()), Some(new.clone()))
            }
            Self::AddColumn { column, .. } => (None, Some(column.description())),
            Self::RemoveColumn { column, .. } => (Some(column.description()), None),
            _ => (None, None),
        };
        json!({
            "kinds": self.kinds(), "table": self.table(), "name": self.name(), "old": old, "new": new, "text": self.to_string(),
        })
    }
}

/// One line: `+` for added, `-` for removed, `~` for modified.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddTable(table) => write!(f, "+ table {} ({})", table.name, names(&table.columns)),
            Self::RemoveTable(table) => write!(f, "- table {} ({})", table.name, names(&table.columns)),
            Self::AddColumn { table, column } => write!(f, "+ column {table}.{column}"),
            Self::RemoveColumn { table, column } => write!(f, "- column {table}.{column}"),
            Self::ModifyColumn { table, old, new } => write!(f, "~ column {table}.{old} -> {}", new.description()),
            Self::ModifyPrimaryKey { table, old, new } => {
                let text = |key: &Option<Key>| {
                    key.as_ref().map_or("none".into(), |key| format!("({})", key.columns.join(", ")))
                };
                write!(f, "~ primary key of {table}: {} -> {}", text(old), text(new))
            }
            Self::AddIndex { table, index } => write!(f, "+ {index} on {table}"),
            Self::RemoveIndex { table, index } => write!(f, "- {index} on {table}"),
            Self::AddForeignKey { table, key } => write!(f, "+ {key} on {table}"),
            Self::RemoveForeignKey { table, key } => write!(f, "- {key} on {table}"),
            Self::AddCheck { table, check } => write!(f, "+ {check} on {table}"),
            Self::RemoveCheck { table, check } => write!(f, "- {check} on {table}"),
            Self::ModifyCheck { table, old, new } => modified_check(f, table, old, new),
            Self::RenameColumn { table, old, new } => write!(f, "~ column {table}.{old} is renamed to {new}"),
            Self::Rename { table, what, old, new } => {
                let what = if *what == Named::Index { "index" } else { "constraint" };
                write!(f, "~ {what} {old} on {table} is renamed to {new}")
            }
            Self::AddEnum { name, values } => write!(f, "+ enum {name} ({})", values.join(", ")),
            Self::RemoveEnum { name, values } => write!(f, "- enum {name} ({})", values.join(", ")),
            Self::ModifyEnum { name, old, new } => {
                write!(f, "~ enum {name}: ({}) -> ({})", old.join(", "), new.join(", "))
            }
            Self::ModifyStorage { table, without_rowid: true } => write!(f, "~ table {table} becomes WITHOUT ROWID"),
            Self::ModifyStorage { table, .. } => write!(f, "~ table {table} becomes a rowid table"),
        }
    }
}

fn modified_check(f: &mut fmt::Formatter<'_>, table: &str, old: &Check, new: &Check) -> fmt::Result {
    let name = new.name.as_deref().unwrap_or_default();
    match (string_list(&old.expression), string_list(&new.expression)) {
        (Some((column, before)), Some((_, after))) => {
            write!(f, "~ values of {table}.{column} ({name}):")?;
            before.iter().filter(|word| !after.contains(word)).try_for_each(|word| write!(f, " -'{word}'"))?;
            after.iter().filter(|word| !before.contains(word)).try_for_each(|word| write!(f, " +'{word}'"))
        }
        _ => write!(f, "~ check {name} on {table}: {} -> {}", old.expression, new.expression),
    }
}

fn names(columns: &[Column]) -> String {
    columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
}

impl Column {
    fn description(&self) -> String {
        let mut text = self.kind.clone();
        if let Some(collation) = &self.collation {
            text.push_str(&format!(" collate {collation}"));
        }
        if self.not_null {
            text.push_str(" not null");
        }
        if let Some(default) = &self.default {
            text.push_str(&format!(" default {default}"));
        }
        if self.is_counter {
            text.push_str(" auto-increment");
        }
        if let Some(expression) = &self.generated {
            text.push_str(&format!(" generated as ({expression})"));
        }
        text
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.description())
    }
}

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match (self.is_constraint, self.is_unique) {
            (true, _) => "unique",
            (_, true) => "unique index",
            _ => "index",
        };
        write!(f, "{kind} {} ({})", self.name.as_deref().unwrap_or("without a name"), self.columns.join(", "))?;
        self.predicate.iter().try_for_each(|predicate| write!(f, " where {predicate}"))
    }
}

impl fmt::Display for ForeignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.as_deref().unwrap_or("without a name");
        write!(
            f,
            "foreign key {name} ({}) -> {} ({})",
            self.columns.join(", "),
            self.table,
            self.references.join(", ")
        )?;
        write!(f, " on update {} on delete {}", self.on_update.sql(), self.on_delete.sql())
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "check {} ({})", self.name.as_deref().unwrap_or("without a name"), self.expression)
    }
}
