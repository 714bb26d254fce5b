//! What has to change so that one schema becomes another.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Value, json};

use crate::schema::expression::{normal, words};
use crate::schema::{Check, Column, ForeignKey, Index, Key, Schema, Table};

/// One change to a schema.
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
    /// SQLite: whether rows lie in the order of the key.
    ModifyStorage {
        table: String,
        without_rowid: bool,
    },
}

/// Pairs of expressions that the database says are the same, though they are written differently.
#[derive(Clone, Debug, Default)]
pub(crate) struct Synonyms(pub(crate) BTreeSet<(String, String)>);

impl Synonyms {
    pub(crate) fn are_same(&self, left: &str, right: &str) -> bool {
        let (left, right) = (normal(left), normal(right));
        left == right || self.0.contains(&(left.clone(), right.clone())) || self.0.contains(&(right, left))
    }

    fn are_same_if_any(&self, left: Option<&str>, right: Option<&str>) -> bool {
        match (left, right) {
            (Some(left), Some(right)) => self.are_same(left, right),
            (None, None) => true,
            _ => false,
        }
    }
}

/// Every change from one schema to another, table by table.
pub(crate) fn compare(from: &Schema, to: &Schema, synonyms: &Synonyms) -> Vec<Change> {
    let mut changes = Vec::new();
    for (name, table) in &to.tables {
        match from.tables.get(name) {
            Some(old) => compare_tables(&mut changes, (from, old), (to, table), synonyms),
            None => changes.push(Change::AddTable(table.clone())),
        }
    }
    let gone = from.tables.values().filter(|table| !to.tables.contains_key(&table.name));
    changes.extend(gone.cloned().map(Change::RemoveTable));
    changes
}

fn compare_tables(changes: &mut Vec<Change>, from: (&Schema, &Table), to: (&Schema, &Table), synonyms: &Synonyms) {
    let (old, new) = (from.1, to.1);
    let table = new.name.clone();
    if old.without_rowid != new.without_rowid {
        changes.push(Change::ModifyStorage { table: table.clone(), without_rowid: new.without_rowid });
    }
    for column in &new.columns {
        match old.column(&column.name) {
            None => changes.push(Change::AddColumn { table: table.clone(), column: column.clone() }),
            Some(known) if !is_same_column(known, column, synonyms) => {
                changes.push(Change::ModifyColumn { table: table.clone(), old: known.clone(), new: column.clone() });
            }
            Some(_) => {}
        }
    }
    for column in old.columns.iter().filter(|column| new.column(&column.name).is_none()) {
        changes.push(Change::RemoveColumn { table: table.clone(), column: column.clone() });
    }
    if !is_same_key(old.primary_key.as_ref(), new.primary_key.as_ref()) {
        let (old, new) = (old.primary_key.clone(), new.primary_key.clone());
        changes.push(Change::ModifyPrimaryKey { table: table.clone(), old, new });
    }
    let is_same_index = |left: &Index, right: &Index| {
        is_same_name(left.name.as_ref(), right.name.as_ref())
            && left.columns.len() == right.columns.len()
            && left
                .columns
                .iter()
                .zip(&right.columns)
                .all(|(left, right)| left == right || synonyms.are_same(left, right))
            && (left.is_unique, &left.method, &left.include) == (right.is_unique, &right.method, &right.include)
            && synonyms.are_same_if_any(left.predicate.as_deref(), right.predicate.as_deref())
    };
    let (gone, come) = unmatched(&old.indexes, &new.indexes, is_same_index);
    changes.extend(gone.map(|index| Change::RemoveIndex { table: table.clone(), index }));
    changes.extend(come.map(|index| Change::AddIndex { table: table.clone(), index }));
    let is_same_reference = |left: &ForeignKey, right: &ForeignKey| {
        is_same_name(left.name.as_ref(), right.name.as_ref())
            && (&left.columns, &left.table, left.on_update, left.on_delete)
                == (&right.columns, &right.table, right.on_update, right.on_delete)
            && referred(left, from.0) == referred(right, to.0)
    };
    let (gone, come) = unmatched(&old.foreign_keys, &new.foreign_keys, is_same_reference);
    changes.extend(gone.map(|key| Change::RemoveForeignKey { table: table.clone(), key }));
    changes.extend(come.map(|key| Change::AddForeignKey { table: table.clone(), key }));
    compare_checks(changes, old, new, synonyms);
}

fn compare_checks(changes: &mut Vec<Change>, old: &Table, new: &Table, synonyms: &Synonyms) {
    let table = &new.name;
    let is_same = |left: &Check, right: &Check| {
        is_same_name(left.name.as_ref(), right.name.as_ref()) && synonyms.are_same(&left.expression, &right.expression)
    };
    let (gone, come) = unmatched(&old.checks, &new.checks, is_same);
    let mut come: Vec<_> = come.collect();
    for check in gone {
        match come.iter().position(|new| new.name.is_some() && new.name == check.name) {
            Some(place) => {
                let new = come.remove(place);
                changes.push(Change::ModifyCheck { table: table.clone(), old: check, new });
            }
            None => changes.push(Change::RemoveCheck { table: table.clone(), check }),
        }
    }
    changes.extend(come.into_iter().map(|check| Change::AddCheck { table: table.clone(), check }));
}

/// What only the left has, and what only the right has.
fn unmatched<T: Clone>(
    left: &[T],
    right: &[T],
    is_same: impl Fn(&T, &T) -> bool,
) -> (impl Iterator<Item = T>, impl Iterator<Item = T>) {
    let gone: Vec<_> = left.iter().filter(|item| !right.iter().any(|other| is_same(item, other))).cloned().collect();
    let come: Vec<_> = right.iter().filter(|item| !left.iter().any(|other| is_same(other, item))).cloned().collect();
    (gone.into_iter(), come.into_iter())
}

/// SQLite lets things go without a name.
fn is_same_name(left: Option<&String>, right: Option<&String>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => left == right,
        _ => true,
    }
}

fn is_same_key(left: Option<&Key>, right: Option<&Key>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => {
            is_same_name(left.name.as_ref(), right.name.as_ref()) && left.columns == right.columns
        }
        (None, None) => true,
        _ => false,
    }
}

fn is_same_column(left: &Column, right: &Column, synonyms: &Synonyms) -> bool {
    (&left.kind, left.not_null, left.is_counter) == (&right.kind, right.not_null, right.is_counter)
        && left
            .collation
            .as_deref()
            .unwrap_or("BINARY")
            .eq_ignore_ascii_case(right.collation.as_deref().unwrap_or("BINARY"))
        && synonyms.are_same_if_any(default_of(left), default_of(right))
        && synonyms.are_same_if_any(left.generated.as_deref(), right.generated.as_deref())
}

/// NULL is the default of what has none.
fn default_of(column: &Column) -> Option<&str> {
    column.default.as_deref().filter(|default| !default.to_ascii_uppercase().starts_with("NULL"))
}

/// The columns that a foreign key refers to, even when it does not say so.
fn referred(key: &ForeignKey, schema: &Schema) -> Vec<String> {
    if !key.references.is_empty() {
        return key.references.clone();
    }
    let primary_key = schema.tables.get(&key.table).and_then(|table| table.primary_key.as_ref());
    primary_key.map(|key| key.columns.clone()).unwrap_or_default()
}

/// Expressions that stand for the same thing on both sides and are not written alike, with the table they are about.
pub(crate) fn doubtful(from: &Schema, to: &Schema) -> Vec<(String, String, String)> {
    let mut pairs = Vec::new();
    for (old, new) in to.tables.values().filter_map(|new| Some((from.tables.get(&new.name)?, new))) {
        let mut pair = |left: &str, right: &str| {
            if normal(left) != normal(right) {
                pairs.push((new.name.clone(), left.to_owned(), right.to_owned()));
            }
        };
        for (left, right) in new.columns.iter().filter_map(|right| Some((old.column(&right.name)?, right))) {
            if let (Some(left), Some(right)) = (default_of(left), default_of(right)) {
                pair(left, right);
            }
        }
        for right in &new.checks {
            for left in old.checks.iter().filter(|left| left.name.is_some() && left.name == right.name) {
                pair(&left.expression, &right.expression);
            }
        }
        for right in &new.indexes {
            for left in old.indexes.iter().filter(|left| left.name.is_some() && left.name == right.name) {
                if let (Some(left), Some(right)) = (&left.predicate, &right.predicate) {
                    pair(left, right);
                }
                for (left, right) in left.columns.iter().zip(&right.columns) {
                    pair(left, right);
                }
            }
        }
    }
    pairs
}

impl Change {
    /// What kinds of change it is: a column can change in several ways at once. The words are Alembic's.
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
                    ("modify_default", !Synonyms::default().are_same_if_any(default_of(old), default_of(new))),
                    ("modify_collation", old.collation != new.collation),
                    ("modify_counter", old.is_counter != new.is_counter),
                    ("modify_generated", old.generated != new.generated),
                ];
                parts.into_iter().filter(|(_, is_so)| *is_so).map(|(kind, _)| kind).collect()
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
            Self::ModifyStorage { .. } => vec!["modify_storage"],
        }
    }

    pub(crate) fn table(&self) -> &str {
        match self {
            Self::AddTable(table) | Self::RemoveTable(table) => &table.name,
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
            | Self::ModifyStorage { table, .. } => table,
        }
    }

    /// The name of what changes in the table.
    fn name(&self) -> Option<&str> {
        match self {
            Self::AddTable(_) | Self::RemoveTable(_) | Self::ModifyStorage { .. } => None,
            Self::AddColumn { column, .. } | Self::RemoveColumn { column, .. } => Some(&column.name),
            Self::ModifyColumn { new, .. } => Some(&new.name),
            Self::ModifyPrimaryKey { old, new, .. } => new.as_ref().or(old.as_ref())?.name.as_deref(),
            Self::AddIndex { index, .. } | Self::RemoveIndex { index, .. } => index.name.as_deref(),
            Self::AddForeignKey { key, .. } | Self::RemoveForeignKey { key, .. } => key.name.as_deref(),
            Self::AddCheck { check, .. } | Self::RemoveCheck { check, .. } => check.name.as_deref(),
            Self::ModifyCheck { new, .. } => new.name.as_deref(),
        }
    }

    /// Whether it is the same change, though another database writes it differently.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        (self.kinds(), self.table(), self.subject()) == (other.kinds(), other.table(), other.subject())
    }

    /// What it is about, whether or not that has a name.
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
        json!({ "kinds": self.kinds(), "table": self.table(), "name": self.name(), "text": self.to_string() })
    }
}

/// A line: `+` comes, `-` goes, `~` changes.
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
            Self::ModifyStorage { table, without_rowid: true } => write!(f, "~ table {table} becomes WITHOUT ROWID"),
            Self::ModifyStorage { table, .. } => write!(f, "~ table {table} gets rowids"),
        }
    }
}

fn modified_check(f: &mut fmt::Formatter<'_>, table: &str, old: &Check, new: &Check) -> fmt::Result {
    let name = new.name.as_deref().unwrap_or_default();
    match (words(&old.expression), words(&new.expression)) {
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
            text.push_str(" counting up");
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
