//! Clauses of statements as Rust code: columns, keys, indexes, foreign keys and conditions.

use std::fmt::Write as _;

use sea_orm::DbBackend;

use super::names::function;
use super::rust::Writer;
use super::text::{constant_name, conventional_name, literal};
use super::types;
use crate::schema::expression::{portable, string_list};
use crate::schema::{Column, ForeignKey, ForeignKeyAction, Index, Key};

/// Length of the longest text that fits into a line.
const LONGEST_TEXT: usize = 70;

impl Writer<'_> {
    pub(super) fn column(&mut self, table: &str, column: &Column, inline_key: bool) -> String {
        let kind = match self.pair {
            Some(pair) => types::column_type(pair.declared, table, &column.name, &column.kind, pair.backend),
            None => types::from_database(&column.kind, DbBackend::Postgres),
        };
        let name = self.iden(table, &column.name);
        let mut text = match types::has_method(&kind) {
            true => format!("ColumnDef::new({name}).{}", types::method(&kind)),
            false => format!("ColumnDef::new_with_type({name}, {})", types::value(&kind)),
        };
        if column.not_null {
            text.push_str(".not_null()");
        }
        if column.is_counter && inline_key {
            text.push_str(".auto_increment()");
        }
        if inline_key {
            text.push_str(".primary_key()");
        }
        if let Some(default) = &column.default {
            let _ = write!(text, ".default({})", literal(default));
        }
        if let Some(expression) = &column.generated {
            let _ = write!(text, ".generated(Expr::cust({:?}), true)", portable(expression));
        }
        text
    }

    /// A column, with its collation if it has one on one backend only; that needs a statement in
    /// front.
    pub(super) fn sorted_column(&mut self, table: &str, column: &Column, inline_key: bool, backend: &str) -> String {
        let definition = self.column(table, column, inline_key);
        let Some(pair) = self.pair else { return definition };
        let own = column.collation.clone().map(|collation| (collation, pair.backend));
        // On SQLite the collation of PostgreSQL is taken from the entities.
        let key = (table.to_owned(), column.name.clone());
        let asked = pair.backend_specific.collations.get(&key).filter(|_| pair.backend == DbBackend::Sqlite);
        let other = asked.map(|collation| (collation.clone(), DbBackend::Postgres));
        // Not one of the names that the code uses.
        let variable = match function(&column.name) {
            name if ["manager", "backend", "table", "index", "filled"].contains(&name.as_str()) => {
                format!("{name}_column")
            }
            name => name,
        };
        if column.is_counter && !inline_key {
            // SQLite counts in the primary key only.
            let _ = write!(
                self.preamble,
                "let mut {variable} = {definition}.to_owned();\nif {backend} == DbBackend::Postgres {{ {variable}.auto_increment(); }}\n"
            );
            self.uses_backend = true;
            return format!("&mut {variable}");
        }
        let Some((collation, on)) = own.or(other) else { return definition };
        let _ = write!(
            self.preamble,
            "let mut {variable} = {definition}.to_owned();\nif {backend} == DbBackend::{on:?} {{ {variable}.extra({:?}); }}\n",
            format!("COLLATE \"{collation}\"")
        );
        self.uses_backend = true;
        format!("&mut {variable}")
    }

    pub(super) fn primary_key(&mut self, table: &str, key: &Key) -> String {
        let name = key.name.clone().unwrap_or_else(|| format!("{table}_pkey"));
        let mut text = format!("Index::create().name({name:?})");
        for column in &key.columns {
            let _ = write!(text, ".col({})", self.iden(table, column));
        }
        text
    }

    pub(super) fn index(&mut self, table: &str, index: &Index, on: &str) -> String {
        let suffix = if index.is_unique { "key" } else { "idx" };
        let name = index.name.clone().unwrap_or_else(|| conventional_name(table, &index.columns, suffix));
        let mut text = "Index::create()".to_owned();
        if index.is_unique {
            text.push_str(".unique()");
        }
        let _ = write!(text, ".name({name:?}){on}");
        for column in &index.columns {
            let (column, is_descending) = match column.strip_suffix(" DESC") {
                Some(column) => (column, true),
                None => (column.as_str(), false),
            };
            let is_column = self.is_column(table, column);
            let column =
                if is_column { self.iden(table, column) } else { format!("Expr::cust({:?})", portable(column)) };
            match is_descending {
                true => write!(text, ".col(({column}, IndexOrder::Desc))"),
                false => write!(text, ".col({column})"),
            }
            .ok();
        }
        for column in &index.include {
            let _ = write!(text, ".include({})", self.iden(table, column));
        }
        if let Some(method) = &index.method {
            let _ = write!(text, ".index_type(IndexType::Custom({method:?}.into_iden()))");
        }
        if let Some(predicate) = &index.predicate {
            let _ = write!(text, ".and_where({})", self.expression(table, predicate));
        }
        text
    }

    pub(super) fn is_column(&self, table: &str, column: &str) -> bool {
        let Some(pair) = self.pair else { return true };
        [pair.from, pair.to]
            .iter()
            .any(|schema| schema.tables.get(table).is_some_and(|table| table.column(column).is_some()))
    }

    /// Whether a column is the primary key of a table in one of the schemas.
    pub(super) fn is_only_key(&self, table: &str, column: &str) -> bool {
        let schemas = self.pair.iter().flat_map(|pair| [pair.to, pair.from]);
        let keys = schemas.filter_map(|schema| schema.tables.get(table)?.primary_key.as_ref());
        keys.into_iter().any(|key| key.columns == [column])
    }

    pub(super) fn foreign_key(&mut self, table: &str, key: &ForeignKey) -> String {
        let name = key.name.clone().unwrap_or_else(|| conventional_name(table, &key.columns, "fkey"));
        let mut text = format!("ForeignKey::create().name({name:?})");
        let references = self.references(key);
        match (key.columns.as_slice(), references.as_slice()) {
            ([column], [referred]) => {
                let (from, to) = (self.table(table), self.table(&key.table));
                let (column, referred) = (self.iden(table, column), self.iden(&key.table, referred));
                let _ = write!(text, ".from({from}, {column}).to({to}, {referred})");
            }
            (columns, references) => {
                let (from, to) = (self.table(table), self.table(&key.table));
                let _ = write!(text, ".from_tbl({from})");
                for column in columns {
                    let _ = write!(text, ".from_col({})", self.iden(table, column));
                }
                let _ = write!(text, ".to_tbl({to})");
                for column in references {
                    let _ = write!(text, ".to_col({})", self.iden(&key.table, column));
                }
            }
        }
        for (method, action) in [("on_update", key.on_update), ("on_delete", key.on_delete)] {
            if action != ForeignKeyAction::NoAction {
                let _ = write!(text, ".{method}(ForeignKeyAction::{})", action.rust());
            }
        }
        text
    }

    pub(super) fn references(&self, key: &ForeignKey) -> Vec<String> {
        if !key.references.is_empty() {
            return key.references.clone();
        }
        let table =
            self.pair.and_then(|pair| pair.to.tables.get(&key.table).or_else(|| pair.from.tables.get(&key.table)));
        let primary_key = table.and_then(|table| table.primary_key.as_ref());
        primary_key.map(|key| key.columns.clone()).unwrap_or_default()
    }

    /// An expression: a list of strings as `is_in`, everything else as SQL.
    pub(super) fn expression(&mut self, table: &str, sql: &str) -> String {
        match string_list(sql) {
            Some((column, words)) if self.is_column(table, &column) => {
                format!("Expr::col({}).is_in({words:?})", self.iden(table, &column))
            }
            _ => format!("Expr::cust({})", self.text_of(&portable(sql))),
        }
    }

    /// A string literal, or the name of a constant for a long text: rustfmt does not format lines
    /// that contain one.
    pub(super) fn text_of(&mut self, text: &str) -> String {
        if text.len() <= LONGEST_TEXT {
            return format!("{text:?}");
        }
        let known = self.constants.iter().position(|constant| *constant == text);
        let position = known.unwrap_or_else(|| {
            self.constants.push(text.to_owned());
            self.constants.len() - 1
        });
        constant_name(position)
    }

    pub(super) fn table(&mut self, table: &str) -> String {
        self.idens.table(table)
    }

    pub(super) fn iden(&mut self, table: &str, column: &str) -> String {
        self.idens.column(table, column)
    }

    pub(super) fn idens(&mut self, table: &str, columns: &[String]) -> String {
        columns.iter().map(|column| self.iden(table, column)).collect::<Vec<_>>().join(", ")
    }
}
