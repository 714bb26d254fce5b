//! Statements as Rust code, not formatted yet.

use std::fmt::Write as _;

use super::heading::Heading;
use super::idens::Idens;
use super::names::function;
use super::schema_pair::SchemaPair;
use super::statement::{MigrationStatement, TableAction};
use super::text::{bare, check_name, comment, constant, conventional_name, create_index, literal};
use crate::schema::{Column, Table};

/// The backend, as code in `up` and `down`.
const MANAGER_BACKEND: &str = "manager.get_database_backend()";

/// The source of the file.
pub(super) fn file(
    heading: &Heading,
    up: &[MigrationStatement],
    down: &[MigrationStatement],
    pair: Option<SchemaPair<'_>>,
) -> String {
    let idens = Idens::of(pair.iter().flat_map(|pair| [pair.from, pair.to]));
    let mut writer =
        Writer { pair, idens, constants: Vec::new(), preamble: String::new(), tables: Vec::new(), uses_backend: false };
    let up = writer.body(up);
    let down = writer.body(down);
    let all = format!("{up}{down}{}", writer.tables.concat());
    let mut file = String::new();
    let sentence = heading.message.trim_end_matches('.');
    let parent = heading.parent.as_deref().unwrap_or("none");
    let _ =
        write!(file, "//! {}.\n//!\n//! Parent: {parent}. Date: {}.\n\n", sentence.replace('\n', " "), heading.date);
    if all.contains("AlterTable::table") {
        file.push_str("use revisions::AlterTable;\n");
    }
    file.push_str("use sea_orm_migration::prelude::*;\n");
    if writer.uses_backend {
        file.push_str("use sea_orm_migration::sea_orm::DbBackend;\n");
    }
    for (position, text) in writer.constants.iter().enumerate() {
        file.push_str(&constant(position, text));
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

/// Writer of one file.
pub(super) struct Writer<'a> {
    pub(super) pair: Option<SchemaPair<'a>>,
    pub(super) idens: Idens,
    /// Texts that are too long for a line.
    pub(super) constants: Vec<String>,
    /// Code in front of the current statement.
    pub(super) preamble: String,
    /// Functions that return the definitions of new tables.
    pub(super) tables: Vec<String>,
    pub(super) uses_backend: bool,
}

impl Writer<'_> {
    fn body(&mut self, statements: &[MigrationStatement]) -> String {
        let mut body = String::new();
        for statement in statements {
            let text = self.statement(statement);
            body.push_str(&std::mem::take(&mut self.preamble));
            body.push_str(&text);
        }
        body.push_str("Ok(())");
        body
    }

    fn statement(&mut self, statement: &MigrationStatement) -> String {
        match statement {
            MigrationStatement::Note(note) => comment(note),
            MigrationStatement::CreateTable(table) => self.create_table(table),
            MigrationStatement::OnPostgres(statements) => {
                self.uses_backend = true;
                let statements = statements
                    .iter()
                    .map(|sql| format!("manager.get_connection().execute_unprepared({}).await?;\n", self.text_of(sql)));
                format!("if {MANAGER_BACKEND} == DbBackend::Postgres {{\n{}}}\n", statements.collect::<String>())
            }
            MigrationStatement::DropTable(table) => {
                let table = self.table(table);
                format!("manager.drop_table(Table::drop().table({table}).to_owned()).await?;\n")
            }
            MigrationStatement::AddColumn { table, column } => {
                let (definition, name) = (self.sorted_column(table, column, false, MANAGER_BACKEND), self.table(table));
                format!(
                    "manager.alter_table(Table::alter().table({name}).add_column({definition}).to_owned()).await?;\n"
                )
            }
            MigrationStatement::DropColumn { table, column } => {
                let (name, column) = (self.table(table), self.iden(table, column));
                format!("manager.alter_table(Table::alter().table({name}).drop_column({column}).to_owned()).await?;\n")
            }
            MigrationStatement::RenameColumn { table, old, new } => {
                let (name, old, new) = (self.table(table), self.iden(table, old), self.iden(table, new));
                format!(
                    "manager.alter_table(Table::alter().table({name}).rename_column({old}, {new}).to_owned()).await?;\n"
                )
            }
            MigrationStatement::AlterTable { table, actions } => {
                let mut text = format!("AlterTable::table({})", self.table(table));
                for action in actions {
                    text.push_str(&self.action(table, action));
                }
                text + ".apply(manager).await?;\n"
            }
            MigrationStatement::Fill { table, column, default } => {
                let (name, column) = (self.table(table), self.iden(table, column));
                format!(
                    "let filled = Query::update().table({name}).value({column}, {})\
                     .and_where(Expr::col({column}).is_null()).to_owned();\nmanager.execute(filled).await?;\n",
                    literal(default)
                )
            }
            MigrationStatement::CreateIndex { table, index } if index.method.is_some() => {
                // SQLite has no methods, and so not the index.
                self.uses_backend = true;
                let is_expression = index.columns.iter().any(|column| !self.is_column(table, bare(column)));
                let create = match is_expression {
                    true => format!(
                        "manager.get_connection().execute_unprepared({:?}).await?;\n",
                        create_index(table, index)
                    ),
                    false => {
                        let name = self.table(table);
                        let index = self.index(table, index, &format!(".table({name})"));
                        format!("let index = {index}.to_owned();\nmanager.create_index(index).await?;\n")
                    }
                };
                format!("if {MANAGER_BACKEND} == DbBackend::Postgres {{\n{create}}}\n")
            }
            MigrationStatement::CreateIndex { table, index }
                if index.columns.iter().any(|column| !self.is_column(table, bare(column))) =>
            {
                format!("manager.get_connection().execute_unprepared({:?}).await?;\n", create_index(table, index))
            }
            MigrationStatement::CreateIndex { table, index } => {
                let name = self.table(table);
                let index = self.index(table, index, &format!(".table({name})"));
                format!("let index = {index}.to_owned();\nmanager.create_index(index).await?;\n")
            }
            MigrationStatement::DropIndex { index, only_postgres } => {
                let drop = format!("manager.drop_index(Index::drop().name({index:?}).to_owned()).await?;\n");
                self.uses_backend |= only_postgres;
                match only_postgres {
                    true => format!("if {MANAGER_BACKEND} == DbBackend::Postgres {{\n{drop}}}\n"),
                    false => drop,
                }
            }
        }
    }

    fn action(&mut self, table: &str, action: &TableAction) -> String {
        match action {
            TableAction::AddColumn(column) => {
                let inline_key = column.is_counter && self.is_only_key(table, &column.name);
                format!(".add_column({})", self.sorted_column(table, column, inline_key, MANAGER_BACKEND))
            }
            TableAction::AlterColumn { column, inline_key, using: None } => {
                format!(".alter_column({})", self.sorted_column(table, column, *inline_key, MANAGER_BACKEND))
            }
            TableAction::AlterColumn { column, inline_key, using: Some(using) } => {
                format!(
                    ".alter_column_using({}, {using:?})",
                    self.sorted_column(table, column, *inline_key, MANAGER_BACKEND)
                )
            }
            TableAction::AlterType { column, using } => {
                let definition = self.sorted_column(table, column, false, MANAGER_BACKEND);
                match using {
                    None => format!(".alter_type({definition})"),
                    Some(using) => format!(".alter_type_using({definition}, {using:?})"),
                }
            }
            TableAction::RenameConstraint { old, new } => format!(".rename_constraint({old:?}, {new:?})"),
            TableAction::RenameIndex { old, new } => format!(".rename_index({old:?}, {new:?})"),
            TableAction::SetNotNull(column) => format!(".set_not_null({})", self.iden(table, column)),
            TableAction::DropNotNull(column) => format!(".drop_not_null({})", self.iden(table, column)),
            TableAction::SetDefault { column, default } => {
                format!(".set_default({}, {})", self.iden(table, column), literal(default))
            }
            TableAction::DropDefault(column) => format!(".drop_default({})", self.iden(table, column)),
            TableAction::DropUnique(index) => {
                let name = index.name.clone().unwrap_or_else(|| conventional_name(table, &index.columns, "key"));
                format!(".drop_unique({name:?}, [{}])", self.idens(table, &index.columns))
            }
            TableAction::DropColumn(column) => format!(".drop_column({})", self.iden(table, column)),
            TableAction::DropConstraint(name) => format!(".drop_constraint({name:?})"),
            TableAction::DropPrimaryKey(name) => format!(".drop_primary_key({name:?})"),
            TableAction::DropForeignKey(key) => {
                let name = key.name.clone().unwrap_or_else(|| conventional_name(table, &key.columns, "fkey"));
                format!(".drop_foreign_key({name:?}, [{}])", self.idens(table, &key.columns))
            }
            TableAction::AddPrimaryKey(key) => {
                let name = key.name.clone().unwrap_or_else(|| format!("{table}_pkey"));
                format!(".add_primary_key({name:?}, [{}])", self.idens(table, &key.columns))
            }
            TableAction::AddUnique(index) => {
                let name = index.name.clone().unwrap_or_else(|| conventional_name(table, &index.columns, "key"));
                format!(".add_unique({name:?}, [{}])", self.idens(table, &index.columns))
            }
            TableAction::AddCheck(check) => {
                let name = check_name(table, check);
                format!(".add_check({name:?}, {})", self.expression(table, &check.expression))
            }
            TableAction::AddForeignKey(key) => format!(".add_foreign_key({})", self.foreign_key(table, key)),
        }
    }

    fn create_table(&mut self, table: &Table) -> String {
        let name = &table.name;
        let backend_specific = self.pair.map(|pair| pair.backend_specific.clone()).unwrap_or_default();
        let is_without_rowid = table.without_rowid || backend_specific.without_rowid.contains(name);
        let is_key =
            |column: &&Column| table.primary_key.as_ref().is_some_and(|key| key.columns == [column.name.as_str()]);
        let inline_key = table.columns.iter().filter(|column| column.is_counter).find(is_key);
        let inline_key = inline_key.map(|column| column.name.clone());
        let mut text = format!("Table::create().table({})", self.table(name));
        let mut depends_on_backend = is_without_rowid;
        for column in &table.columns {
            let is_inline = inline_key.as_ref() == Some(&column.name);
            let definition = self.sorted_column(name, column, is_inline, "backend");
            depends_on_backend |= definition.starts_with("&mut ");
            let _ = write!(text, ".col({definition})");
        }
        let preamble = std::mem::take(&mut self.preamble);
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
        let mut body = format!("{preamble}{text}.to_owned()");
        if is_without_rowid {
            body = format!(
                "{preamble}let mut table = {text}.to_owned();\nif backend == DbBackend::Sqlite {{ \
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

    /// An unused function name: `up` and `down` may both create a table of this name.
    fn function(&self, table: &str) -> String {
        let name = function(table);
        let is_used = |name: &str| self.tables.iter().any(|text| text.starts_with(&format!("\nfn {name}(")));
        if is_used(&name) { format!("old_{name}") } else { name }
    }
}
