//! Steps as Rust. The text is laid out by rustfmt afterwards.

use std::fmt::Write as _;

use sea_orm::DbBackend;

use super::idens::Idens;
use super::names::function;
use super::plan::{Part, Step};
use super::text::{bare, check_name, comment, constant, constant_name, create_index, house_name, literal};
use super::{Ends, Heading, types};
use crate::schema::expression::{portable, words};
use crate::schema::{Action, Column, ForeignKey, Index, Key, Table};

/// Where a statement of `up` and `down` finds the backend.
const HERE: &str = "manager.get_database_backend()";

/// What still fits into a line, with what stands around it.
const LONGEST_TEXT: usize = 70;

/// The whole file.
pub(super) fn file(heading: &Heading, up: &[Step], down: &[Step], ends: Option<Ends<'_>>) -> String {
    let idens = Idens::of(ends.iter().flat_map(|ends| [ends.from, ends.to]));
    let mut writer =
        Writer { ends, idens, constants: Vec::new(), before: String::new(), tables: Vec::new(), uses_backend: false };
    let up = writer.body(up);
    let down = writer.body(down);
    let all = format!("{up}{down}{}", writer.tables.concat());
    let mut file = String::new();
    let sentence = heading.message.trim_end_matches('.');
    let parent = heading.parent.as_deref().unwrap_or("none");
    let _ =
        write!(file, "//! {}.\n//!\n//! Parent: {parent}. Date: {}.\n\n", sentence.replace('\n', " "), heading.date);
    if all.contains("Reshape::table") {
        file.push_str("use revisions::Reshape;\n");
    }
    file.push_str("use sea_orm_migration::prelude::*;\n");
    if writer.uses_backend {
        file.push_str("use sea_orm_migration::sea_orm::DbBackend;\n");
    }
    for (place, text) in writer.constants.iter().enumerate() {
        file.push_str(&constant(place, text));
    }
    let _ = write!(
        file,
        "\n#[derive(DeriveMigrationName)]\npub(crate) struct Migration;\n\n#[async_trait::async_trait]\n\
         impl MigrationTrait for Migration {{\n\
         fn use_transaction(&self) -> Option<bool> {{ Some(true) }}\n\n\
         async fn up(&self, {0}: &SchemaManager) -> Result<(), DbErr> {{ {up} }}\n\n\
         async fn down(&self, {1}: &SchemaManager) -> Result<(), DbErr> {{ {down} }}\n}}\n",
        manager(&up),
        manager(&down),
    );
    file.extend(writer.tables.iter().cloned());
    file.push_str(&writer.idens.text());
    file
}

fn manager(body: &str) -> &'static str {
    if body.contains("manager") { "manager" } else { "_manager" }
}

struct Writer<'a> {
    ends: Option<Ends<'a>>,
    idens: Idens,
    /// Texts that would make a line too long.
    constants: Vec<String>,
    /// What has to be said before the statement that is being written.
    before: String,
    /// Functions that each describe a new table.
    tables: Vec<String>,
    uses_backend: bool,
}

impl Writer<'_> {
    fn body(&mut self, steps: &[Step]) -> String {
        let mut body = String::new();
        for step in steps {
            let text = self.step(step);
            body.push_str(&std::mem::take(&mut self.before));
            body.push_str(&text);
        }
        body.push_str("Ok(())");
        body
    }

    fn step(&mut self, step: &Step) -> String {
        match step {
            Step::Note(note) => comment(note),
            Step::CreateTable(table) => self.create_table(table),
            Step::DropTable(table) => {
                let table = self.table(table);
                format!("manager.drop_table(Table::drop().table({table}).to_owned()).await?;\n")
            }
            Step::AddColumn { table, column } => {
                let (definition, name) = (self.sorted_column(table, column, false, HERE), self.table(table));
                format!(
                    "manager.alter_table(Table::alter().table({name}).add_column({definition}).to_owned()).await?;\n"
                )
            }
            Step::DropColumn { table, column } => {
                let (name, column) = (self.table(table), self.iden(table, column));
                format!("manager.alter_table(Table::alter().table({name}).drop_column({column}).to_owned()).await?;\n")
            }
            Step::Reshape { table, parts } => {
                let mut text = format!("Reshape::table({})", self.table(table));
                for part in parts {
                    text.push_str(&self.part(table, part));
                }
                text + ".apply(manager).await?;\n"
            }
            Step::Fill { table, column, default } => {
                let (name, column) = (self.table(table), self.iden(table, column));
                format!(
                    "let filled = Query::update().table({name}).value({column}, {})\
                     .and_where(Expr::col({column}).is_null()).to_owned();\nmanager.execute(filled).await?;\n",
                    literal(default)
                )
            }
            Step::CreateIndex { table, index }
                if index.columns.iter().any(|column| !self.is_column(table, bare(column))) =>
            {
                format!("manager.get_connection().execute_unprepared({:?}).await?;\n", create_index(table, index))
            }
            Step::CreateIndex { table, index } => {
                let name = self.table(table);
                let index = self.index(table, index, &format!(".table({name})"));
                format!("let index = {index}.to_owned();\nmanager.create_index(index).await?;\n")
            }
            Step::DropIndex { index } => {
                format!("manager.drop_index(Index::drop().name({index:?}).to_owned()).await?;\n")
            }
        }
    }

    fn part(&mut self, table: &str, part: &Part) -> String {
        match part {
            Part::AddColumn(column) => {
                format!(".add_column({})", self.sorted_column(table, column, column.is_counter, HERE))
            }
            Part::AlterColumn { column, inline_key, using: None } => {
                format!(".alter_column({})", self.sorted_column(table, column, *inline_key, HERE))
            }
            Part::AlterColumn { column, inline_key, using: Some(using) } => {
                format!(".alter_column_using({}, {using:?})", self.sorted_column(table, column, *inline_key, HERE))
            }
            Part::DropUnique(index) => {
                let name = index.name.clone().unwrap_or_else(|| house_name(table, &index.columns, "key"));
                format!(".drop_unique({name:?}, [{}])", self.idens(table, &index.columns))
            }
            Part::DropColumn(column) => format!(".drop_column({})", self.iden(table, column)),
            Part::DropConstraint(name) => format!(".drop_constraint({name:?})"),
            Part::DropPrimaryKey(name) => format!(".drop_primary_key({name:?})"),
            Part::DropForeignKey(key) => {
                let name = key.name.clone().unwrap_or_else(|| house_name(table, &key.columns, "fkey"));
                format!(".drop_foreign_key({name:?}, [{}])", self.idens(table, &key.columns))
            }
            Part::AddPrimaryKey(key) => {
                let name = key.name.clone().unwrap_or_else(|| format!("{table}_pkey"));
                format!(".add_primary_key({name:?}, [{}])", self.idens(table, &key.columns))
            }
            Part::AddUnique(index) => {
                let name = index.name.clone().unwrap_or_else(|| house_name(table, &index.columns, "key"));
                format!(".add_unique({name:?}, [{}])", self.idens(table, &index.columns))
            }
            Part::AddCheck(check) => {
                let name = check_name(table, check);
                format!(".add_check({name:?}, {})", self.expression(table, &check.expression))
            }
            Part::AddForeignKey(key) => format!(".add_foreign_key({})", self.foreign_key(table, key)),
        }
    }

    fn create_table(&mut self, table: &Table) -> String {
        let name = &table.name;
        let only = self.ends.map(|ends| ends.only.clone()).unwrap_or_default();
        let is_clustered = table.without_rowid || only.without_rowid.contains(name);
        let inline_key = table.columns.iter().find(|column| column.is_counter).map(|column| column.name.clone());
        let mut text = format!("Table::create().table({})", self.table(name));
        let mut depends_on_backend = is_clustered;
        for column in &table.columns {
            let is_inline = inline_key.as_ref() == Some(&column.name);
            let definition = self.sorted_column(name, column, is_inline, "backend");
            depends_on_backend |= definition.starts_with("&mut ");
            let _ = write!(text, ".col({definition})");
        }
        let before = std::mem::take(&mut self.before);
        if let (Some(key), None) = (&table.primary_key, &inline_key) {
            let _ = write!(text, ".primary_key({})", self.primary_key(name, key));
        }
        for index in &table.indexes {
            let _ = write!(text, ".index({})", self.index(name, index, ""));
        }
        for key in &table.foreign_keys {
            let _ = write!(text, ".foreign_key({})", self.foreign_key(name, key));
        }
        for check in &table.checks {
            let _ = write!(
                text,
                ".check(Check::named({:?}, {}))",
                check_name(name, check),
                self.expression(name, &check.expression)
            );
        }
        let variable = self.function(name);
        let mut body = format!("{before}{text}.to_owned()");
        if is_clustered {
            body = format!(
                "{before}let mut table = {text}.to_owned();\nif backend == DbBackend::Sqlite {{ \
                 table.extra(\"WITHOUT ROWID\"); }}\ntable"
            );
        }
        let (parameter, argument) = match depends_on_backend {
            true => ("backend: DbBackend", "manager.get_database_backend()"),
            false => ("", ""),
        };
        self.uses_backend |= depends_on_backend;
        self.tables.push(format!("\nfn {variable}({parameter}) -> TableCreateStatement {{ {body} }}\n"));
        format!("manager.create_table({variable}({argument})).await?;\n")
    }

    /// A function's name that is not taken yet: a table may be made by going up, and another time by going down.
    fn function(&self, table: &str) -> String {
        let name = function(table);
        let is_taken = |name: &str| self.tables.iter().any(|text| text.starts_with(&format!("\nfn {name}(")));
        if is_taken(&name) { format!("old_{name}") } else { name }
    }

    fn column(&mut self, table: &str, column: &Column, inline_key: bool) -> String {
        let kind = match self.ends {
            Some(ends) => types::column_type(ends.declared, table, &column.name, &column.kind, ends.backend),
            None => types::from_database(&column.kind, DbBackend::Postgres),
        };
        let mut text = format!("ColumnDef::new({}).{}", self.iden(table, &column.name), types::method(&kind));
        if column.not_null {
            text.push_str(".not_null()");
        }
        if column.is_counter {
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

    /// A column that is sorted in its own way on one backend, of which something has to be said before.
    fn sorted_column(&mut self, table: &str, column: &Column, inline_key: bool, backend: &str) -> String {
        let definition = self.column(table, column, inline_key);
        let Some(ends) = self.ends else { return definition };
        let own = column.collation.clone().map(|collation| (collation, ends.backend));
        // PostgreSQL itself knows how it sorts; on SQLite the entities are asked.
        let key = (table.to_owned(), column.name.clone());
        let asked = ends.only.collations.get(&key).filter(|_| ends.backend == DbBackend::Sqlite);
        let other = asked.map(|collation| (collation.clone(), DbBackend::Postgres));
        let Some((collation, on)) = own.or(other) else { return definition };
        let variable = function(&column.name);
        let _ = write!(
            self.before,
            "let mut {variable} = {definition}.to_owned();\nif {backend} == DbBackend::{on:?} {{ {variable}.extra({:?}); }}\n",
            format!("COLLATE \"{collation}\"")
        );
        self.uses_backend = true;
        format!("&mut {variable}")
    }

    fn primary_key(&mut self, table: &str, key: &Key) -> String {
        let name = key.name.clone().unwrap_or_else(|| format!("{table}_pkey"));
        let mut text = format!("Index::create().name({name:?})");
        for column in &key.columns {
            let _ = write!(text, ".col({})", self.iden(table, column));
        }
        text
    }

    fn index(&mut self, table: &str, index: &Index, on: &str) -> String {
        let suffix = if index.is_unique { "key" } else { "idx" };
        let name = index.name.clone().unwrap_or_else(|| house_name(table, &index.columns, suffix));
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

    fn is_column(&self, table: &str, column: &str) -> bool {
        let Some(ends) = self.ends else { return true };
        [ends.from, ends.to]
            .iter()
            .any(|schema| schema.tables.get(table).is_some_and(|table| table.column(column).is_some()))
    }

    fn foreign_key(&mut self, table: &str, key: &ForeignKey) -> String {
        let name = key.name.clone().unwrap_or_else(|| house_name(table, &key.columns, "fkey"));
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
            if action != Action::NoAction {
                let _ = write!(text, ".{method}(ForeignKeyAction::{})", action.rust());
            }
        }
        text
    }

    fn references(&self, key: &ForeignKey) -> Vec<String> {
        if !key.references.is_empty() {
            return key.references.clone();
        }
        let table =
            self.ends.and_then(|ends| ends.to.tables.get(&key.table).or_else(|| ends.from.tables.get(&key.table)));
        let primary_key = table.and_then(|table| table.primary_key.as_ref());
        primary_key.map(|key| key.columns.clone()).unwrap_or_default()
    }

    /// An expression: a closed set of words with its column, anything else as it is written.
    fn expression(&mut self, table: &str, sql: &str) -> String {
        match words(sql) {
            Some((column, words)) if self.is_column(table, &column) => {
                format!("Expr::col({}).is_in({words:?})", self.iden(table, &column))
            }
            _ => format!("Expr::cust({})", self.text_of(&portable(sql))),
        }
    }

    /// A text where it stands, or the name of a constant with it: rustfmt does not lay out a line that a long text is in.
    fn text_of(&mut self, text: &str) -> String {
        if text.len() <= LONGEST_TEXT {
            return format!("{text:?}");
        }
        let known = self.constants.iter().position(|constant| *constant == text);
        let place = known.unwrap_or_else(|| {
            self.constants.push(text.to_owned());
            self.constants.len() - 1
        });
        constant_name(place)
    }

    fn table(&mut self, table: &str) -> String {
        self.idens.table(table)
    }

    fn iden(&mut self, table: &str, column: &str) -> String {
        self.idens.column(table, column)
    }

    fn idens(&mut self, table: &str, columns: &[String]) -> String {
        columns.iter().map(|column| self.iden(table, column)).collect::<Vec<_>>().join(", ")
    }
}
