//! Tables and columns that statements create, rename, change and drop.

use super::catalog::TableName;
use super::cursor::{Cursor, WrittenName};
use super::narrowing::is_narrower;
use super::statements::{Tokens, is, items};
use super::trace::{Column, TEMPORARY, Table, Trace, schema_key};
use crate::alter_table::TableDefinition;

impl Trace {
    /// CREATE TABLE: a table without data. With IF NOT EXISTS, one that is there stays.
    pub(super) fn create_table(&mut self, mut cursor: Cursor<'_>, statement: &Tokens<'_>) {
        let mut is_temporary = false;
        while !cursor.skip(&["TABLE"]) {
            is_temporary |= cursor.rest.first().is_some_and(|word| is(word, "TEMP") || is(word, "TEMPORARY"));
            if !cursor.skip_any(&["TEMP", "TEMPORARY", "GLOBAL", "LOCAL", "UNLOGGED", "FOREIGN"]) {
                // A view, an index, a type.
                return self.change_rows(statement);
            }
        }
        cursor.skip(&["IF", "NOT", "EXISTS"]);
        let Some(written) = cursor.name() else { return };
        let schema = if is_temporary { TEMPORARY.to_owned() } else { self.schema_of(&written) };
        let name = TableName { schema, name: written.name };
        let like = cursor.skip(&["(", "LIKE"]).then(|| cursor.name()).flatten().and_then(|name| self.resolve(&name));
        let columns = match like.and_then(|like| self.tables.get(&like)) {
            Some(like) => like.columns.iter().map(|column| Column { original: None, ..column.clone() }).collect(),
            None => columns_of(statement, self.backend),
        };
        self.tables.entry(name).or_insert(Table { original: None, columns, copy_of: None });
        self.change_rows(statement);
    }

    /// ALTER TABLE, ALTER SCHEMA and ALTER TYPE.
    pub(super) fn alter(&mut self, mut cursor: Cursor<'_>) {
        if cursor.skip(&["SCHEMA"]) {
            let (old, renamed, new) = (cursor.word(), cursor.skip(&["RENAME", "TO"]), cursor.word());
            if let (Some(old), true, Some(new)) = (old, renamed, new) {
                self.rename_schema(&old, &new);
            }
        } else if cursor.skip(&["TYPE"]) {
            let name = cursor.name().map(|name| name.name).unwrap_or_default();
            for action in items(cursor.rest) {
                let mut action = cursor.at(action);
                if action.skip(&["DROP", "ATTRIBUTE"]) {
                    action.skip(&["IF", "EXISTS"]);
                    self.losses.push(format!("drop attribute {name}.{}", action.word().unwrap_or_default()));
                }
            }
        } else if cursor.skip(&["TABLE"]) {
            cursor.skip(&["IF", "EXISTS"]);
            cursor.skip(&["ONLY"]);
            let Some(written) = cursor.name() else { return };
            cursor.skip(&["*"]);
            let rest = cursor.rest;
            for action in items(rest) {
                let action = cursor.at(action);
                self.alter_table(&written, action);
            }
        }
    }

    fn alter_table(&mut self, written: &WrittenName, mut action: Cursor<'_>) {
        let Some(name) = self.resolve(written) else { return };
        if action.skip(&["RENAME", "TO"]) {
            let Some(new) = action.word() else { return };
            self.rename_table(&name, TableName { name: new, ..name.clone() });
        } else if action.skip(&["SET", "SCHEMA"]) {
            let Some(schema) = action.word() else { return };
            self.rename_table(&name, TableName { schema, ..name.clone() });
        } else if action.skip(&["RENAME", "CONSTRAINT"]) || action.skip(&["DROP", "CONSTRAINT"]) {
        } else if action.skip(&["RENAME"]) {
            action.skip(&["COLUMN"]);
            let (old, _, new) = (action.word(), action.skip(&["TO"]), action.word());
            let column = old.and_then(|old| self.tables.get_mut(&name)?.column_mut(&old));
            if let (Some(column), Some(new)) = (column, new) {
                column.name = new;
            }
        } else if action.skip(&["DROP"]) {
            action.skip(&["COLUMN"]);
            action.skip(&["IF", "EXISTS"]);
            self.drop_column(&name, &action.word().unwrap_or_default());
        } else if action.skip(&["ADD"]) {
            self.add_column(&name, action);
        } else if action.skip(&["ALTER"]) {
            action.skip(&["COLUMN"]);
            let column = action.word().unwrap_or_default();
            if action.skip(&["TYPE"]) || action.skip(&["SET", "DATA", "TYPE"]) {
                self.change_type(&name, &column, action.rest);
            }
        } else if action.skip(&["SET", "UNLOGGED"]) && self.has_data(&name) {
            self.losses.push(format!("make {} unlogged", self.described(&name)));
        }
    }

    fn add_column(&mut self, name: &TableName, mut action: Cursor<'_>) {
        let is_constraint = ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "EXCLUDE"];
        if action.skip_any(&is_constraint) {
            return;
        }
        action.skip(&["COLUMN"]);
        action.skip(&["IF", "NOT", "EXISTS"]);
        let (Some(column), Some(table)) = (action.word(), self.tables.get_mut(name)) else { return };
        if table.column(&column).is_none() {
            table.columns.push(Column { name: column, kind: type_of(action.rest), original: None });
        }
    }

    fn drop_column(&mut self, name: &TableName, column: &str) {
        let described = self.described_column(name, column);
        let Some(table) = self.tables.get_mut(name) else { return };
        let Some(position) = table.columns.iter().position(|known| known.name == column) else { return };
        if table.columns.remove(position).original.is_some() {
            self.losses.push(format!("drop column {described}"));
        }
    }

    fn change_type(&mut self, name: &TableName, column: &str, kind: &[&str]) {
        let described = self.described_column(name, column);
        let using = kind.iter().position(|token| is(token, "USING")).and_then(|using| kind.get(using + 1..));
        let kind = type_of(kind);
        let Some(known) = self.tables.get_mut(name).and_then(|table| table.column_mut(column)) else { return };
        let old = std::mem::replace(&mut known.kind, kind.clone());
        if known.original.is_none() {
            return;
        }
        if is_narrower(&old, &kind) {
            self.losses.push(format!("narrow {described} from {old} to {kind}"));
        } else if using.is_some_and(|value| !is_cast(value, column, &kind, self.backend)) {
            self.losses.push(format!("change values of {described}"));
        }
    }

    /// DROP of a table, or of something that tables go with.
    pub(super) fn drop(&mut self, mut cursor: Cursor<'_>) {
        let is_cascade = cursor.rest.iter().any(|word| is(word, "CASCADE"));
        if cursor.skip(&["TABLE"]) {
            cursor.skip(&["IF", "EXISTS"]);
            for item in items(cursor.rest) {
                let Some(written) = cursor.at(item).name() else { continue };
                self.drop_table(&written);
            }
        } else if cursor.skip(&["OWNED"]) {
            self.losses.push("drop all objects of a role".into());
        } else if let Some(kind) = cursor.rest.first().map(|kind| kind.to_lowercase()) {
            let takes_columns = ["schema", "type", "domain", "extension", "collation"].contains(&kind.as_str());
            if kind == "database" || takes_columns && is_cascade {
                cursor.word();
                cursor.skip(&["IF", "EXISTS"]);
                let names: Vec<String> =
                    items(cursor.rest).filter_map(|item| Some(cursor.at(item).name()?.name)).collect();
                self.losses.extend(names.into_iter().map(|name| format!("drop {kind} {name}")));
            }
        }
    }

    fn drop_table(&mut self, written: &WrittenName) {
        let Some(name) = self.resolve(written) else {
            // All tables of the schemas are known, except of other files that SQLite has attached.
            if written.schema.as_ref().is_some_and(|schema| self.is_attached(schema)) {
                self.losses.push(format!("drop table {}", written.name));
            }
            return;
        };
        let described = self.described(&name);
        let Some(table) = self.tables.remove(&name) else { return };
        if table.original.is_none() {
            return;
        }
        match self.tables.values().find(|copy| copy.copy_of.as_ref() == Some(&name)) {
            Some(copy) => {
                let kept: Vec<_> = copy.columns.iter().filter_map(|column| column.original.as_ref()).collect();
                let dropped = table.columns.iter().filter_map(|column| column.original.as_ref());
                let dropped = dropped.filter(|column| !kept.contains(column));
                let losses: Vec<_> = dropped.map(|column| format!("drop column {column}")).collect();
                self.losses.extend(losses);
            }
            None => self.losses.push(format!("drop table {described}")),
        }
    }

    fn rename_table(&mut self, old: &TableName, new: TableName) {
        if let Some(mut table) = self.tables.remove(old) {
            // A table that was rebuilt is the same table again.
            let rebuilt = table.copy_of.take().is_some_and(|of| !self.tables.contains_key(&of));
            if rebuilt {
                table.original = Some(self.display(&new));
            }
            self.tables.insert(new, table);
        }
    }

    fn rename_schema(&mut self, old: &str, new: &str) {
        let tables = std::mem::take(&mut self.tables).into_iter();
        let renamed = tables.map(|(name, table)| {
            let schema = if name.schema == old { new.to_owned() } else { name.schema };
            (TableName { schema, name: name.name }, table)
        });
        self.tables = renamed.collect();
        if self.current_schema == old {
            new.clone_into(&mut self.current_schema);
        }
    }

    /// Whether a table, or one of its columns, was there before the run.
    pub(super) fn has_data(&self, name: &TableName) -> bool {
        let table = self.tables.get(name);
        table.is_some_and(|table| table.original.is_some() || table.columns.iter().any(|one| one.original.is_some()))
    }

    /// A column with the name that it had before the run.
    pub(super) fn described_column(&self, name: &TableName, column: &str) -> String {
        let now = format!("{}.{column}", self.display(name));
        let known = self.tables.get(name).and_then(|table| table.column(column));
        match known.and_then(|known| known.original.as_ref()) {
            Some(original) if *original != now => format!("{now}, which was {original}"),
            _ => now,
        }
    }

    fn schema_of(&self, name: &WrittenName) -> String {
        name.schema.as_deref().map_or_else(|| self.current_schema.clone(), |schema| schema_key(schema).to_owned())
    }

    /// Whether a schema is another file of SQLite.
    fn is_attached(&self, schema: &str) -> bool {
        self.backend == sea_orm::DbBackend::Sqlite && !["main", "temp"].contains(&schema)
    }
}

/// The columns of a CREATE TABLE.
fn columns_of(statement: &[&str], backend: sea_orm::DbBackend) -> Vec<Column> {
    let definition = TableDefinition::parse(&statement.join(" "));
    let column = |(name, kind): (&str, String)| {
        let name = if backend == sea_orm::DbBackend::Sqlite { name.to_ascii_lowercase() } else { name.to_owned() };
        let tokens: Vec<_> =
            crate::alter_table::tokens(&kind).into_iter().filter_map(|token| kind.get(token)).collect();
        Column { name, kind: type_of(&tokens), original: None }
    };
    definition.types().map(column).collect()
}

/// The type at the beginning of some tokens, up to the next clause.
fn type_of(tokens: &[&str]) -> String {
    let mut depth = 0;
    let clauses = [
        "USING",
        "COLLATE",
        "NOT",
        "NULL",
        "DEFAULT",
        "CONSTRAINT",
        "CHECK",
        "PRIMARY",
        "UNIQUE",
        "REFERENCES",
        "GENERATED",
    ];
    let tokens = tokens.iter().take_while(|token| {
        depth += i32::from(**token == "(") - i32::from(**token == ")");
        !(clauses.iter().any(|clause| is(token, clause)) || **token == "," && depth == 0)
    });
    let text = tokens.copied().collect::<Vec<_>>().join(" ").to_ascii_lowercase();
    text.replace(" []", "[]")
        .replace(" ( ", "(")
        .replace(" )", ")")
        .replace(" , ", ", ")
        .replace("( ", "(")
        .replace(" (", "(")
}

/// Whether an expression is a column, or the cast of it to its new type, so that the types tell what is lost.
fn is_cast(value: &[&str], column: &str, kind: &str, backend: sea_orm::DbBackend) -> bool {
    let is_column = |token: &str| super::cursor::folded(token, backend) == column;
    match value {
        [open, inner @ .., close] if *open == "(" && *close == ")" => is_cast(inner, column, kind, backend),
        [token] => is_column(token),
        // Another name for a time zone changes no value.
        [token, at, time, zone, _] if is(at, "AT") && is(time, "TIME") && is(zone, "ZONE") => is_column(token),
        [token, colon, other, rest @ ..] if *colon == ":" && *other == ":" => is_column(token) && type_of(rest) == kind,
        [cast, open, token, keyword, rest @ .., close] if is(cast, "CAST") && is(keyword, "AS") => {
            *open == "(" && *close == ")" && is_column(token) && type_of(rest) == kind
        }
        _ => false,
    }
}
