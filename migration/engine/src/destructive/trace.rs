//! Trace: follows tables and columns through statements, and collects what is lost.

use std::collections::BTreeMap;

use sea_orm::DbBackend;

use super::catalog::{Catalog, TableName};
use super::cursor::{Cursor, WrittenName};
use super::statements::{Tokens, is, is_routine, split};

/// Tables and columns as the statements so far leave them.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    pub(super) backend: DbBackend,
    pub(super) current_schema: String,
    pub(super) tables: BTreeMap<TableName, Table>,
    /// What the functions and procedures that were created would lose, by name.
    pub(super) routines: BTreeMap<String, Vec<String>>,
    pub(super) losses: Vec<String>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    /// Its name before the run; none if the run has created it.
    pub original: Option<String>,
    pub columns: Vec<Column>,
    /// The table whose rows it has got, while that is rebuilt.
    pub copy_of: Option<TableName>,
}

#[derive(Clone, Debug)]
pub(super) struct Column {
    pub name: String,
    pub kind: String,
    /// Its table and name before the run; none if the run has created it.
    pub original: Option<String>,
}

impl Trace {
    /// Begins with the tables of a database.
    pub(crate) fn new(catalog: &Catalog) -> Self {
        let mut trace = Self {
            backend: catalog.backend,
            current_schema: catalog.current_schema.clone(),
            tables: BTreeMap::new(),
            routines: BTreeMap::new(),
            losses: Vec::new(),
        };
        for name in &catalog.routines {
            trace.routines.insert(name.clone(), vec![format!("call function {name}, which cannot be checked")]);
        }
        for (name, columns) in &catalog.tables {
            let table = trace.display(name);
            let column = |(column, kind): &(String, String)| Column {
                name: column.clone(),
                kind: kind.clone(),
                original: Some(format!("{table}.{column}")),
            };
            let columns = columns.iter().map(column).collect();
            trace.tables.insert(name.clone(), Table { original: Some(table.clone()), columns, copy_of: None });
        }
        trace
    }

    /// Follows the statements of a migration. Returns what it loses, such as `drop column users.nid`.
    pub(crate) fn losses(&mut self, statements: &[String]) -> Vec<String> {
        for statement in statements.iter().flat_map(|text| split(text)) {
            self.follow(&statement);
        }
        let mut losses = std::mem::take(&mut self.losses);
        let mut seen = Vec::new();
        losses.retain(|loss| {
            let is_new = !seen.contains(loss);
            seen.push(loss.clone());
            is_new
        });
        losses
    }

    /// Follows one statement.
    pub(super) fn follow(&mut self, statement: &Tokens<'_>) {
        // The end of a comment within a comment, which only PostgreSQL knows.
        let end =
            statement.windows(2).position(|words| matches!(words, [star, slash] if *star == "*" && *slash == "/"));
        if let Some(rest) = end.and_then(|end| statement.get(end + 2..)).filter(|rest| !rest.is_empty()) {
            return self.follow(&rest.to_vec());
        }
        let mut cursor = Cursor::new(statement, self.backend);
        if is_routine(statement) {
            return self.create_routine(statement);
        }
        // These name a function, and do not call it.
        let names_only = ["DROP", "COMMENT", "GRANT", "REVOKE", "ALTER"];
        if !statement.first().is_some_and(|first| names_only.iter().any(|word| is(first, word))) {
            self.call_routines(statement);
        }
        if cursor.skip(&["CREATE"]) {
            self.create_table(cursor, statement);
        } else if cursor.skip(&["ALTER"]) {
            self.alter(cursor);
        } else if cursor.skip(&["DROP"]) {
            self.drop(cursor);
        } else if cursor.skip(&["TRUNCATE"]) {
            self.truncate(cursor);
        } else if cursor.skip(&["DO"]) {
            self.execute_block(cursor);
        } else if cursor.skip(&["CALL"]) {
            let name = cursor.name().map(|name| name.name).unwrap_or_default();
            if !self.routines.contains_key(&name) {
                self.losses.push(format!("call procedure {name}, which cannot be checked"));
            }
        } else if cursor.skip(&["PRAGMA", "writable_schema"]) && !cursor.rest.iter().any(|word| is_off(word)) {
            self.losses.push("write to the schema table".into());
        } else {
            self.change_rows(statement);
        }
    }

    /// The table that a name means. A name without a schema is first a temporary table, then one of the current schema, then
    /// one of another, which may be in the search path.
    pub(super) fn resolve(&self, name: &WrittenName) -> Option<TableName> {
        let in_schema = |schema: &str| {
            let name = TableName { schema: schema.to_owned(), name: name.name.clone() };
            self.tables.contains_key(&name).then_some(name)
        };
        if let Some(schema) = &name.schema {
            return in_schema(schema_key(schema));
        }
        let elsewhere = || self.tables.keys().find(|table| table.name == name.name).cloned();
        in_schema(TEMPORARY).or_else(|| in_schema(&self.current_schema)).or_else(elsewhere)
    }

    /// A name with its schema, if that is not the current one.
    pub(super) fn display(&self, name: &TableName) -> String {
        if name.schema == self.current_schema { name.name.clone() } else { format!("{}.{}", name.schema, name.name) }
    }

    /// A table with the name that it had before the run.
    pub(super) fn described(&self, name: &TableName) -> String {
        let now = self.display(name);
        match self.tables.get(name).and_then(|table| table.original.as_ref()) {
            Some(original) if *original != now => format!("{now}, which was {original}"),
            _ => now,
        }
    }
}

impl Table {
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    pub fn column_mut(&mut self, name: &str) -> Option<&mut Column> {
        self.columns.iter_mut().find(|column| column.name == name)
    }
}

/// The schema of temporary tables, which are found first.
pub(super) const TEMPORARY: &str = "pg_temp";

/// The name of a schema, that of temporary tables on both databases the same.
pub(super) fn schema_key(schema: &str) -> &str {
    if schema == "temp" { TEMPORARY } else { schema }
}

fn is_off(word: &str) -> bool {
    ["0", "OFF", "FALSE", "NO", "RESET"].iter().any(|off| is(word, off))
}
