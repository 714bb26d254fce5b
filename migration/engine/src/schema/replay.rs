//! Replay: the schema that PostgreSQL would have after some statements, without PostgreSQL. So
//! differences on PostgreSQL are also reported to developers who use SQLite.

use sea_orm::DbBackend;
use sqlparser::ast::{
    AlterColumnOperation, AlterIndexOperation, AlterTable, AlterTableOperation, ObjectName, ObjectType, Statement,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::expression::mentions;
use super::model::{Column, HISTORY, Schema, Table};
use super::{ddl, enums};
use crate::Failure;
use crate::alter_table::tokens;
use crate::renames::rename_column;

const BACKEND: DbBackend = DbBackend::Postgres;

/// Replays statements on an empty schema. Statements that do not change tables are ignored.
pub(crate) fn replay<'a>(statements: impl Iterator<Item = &'a String>) -> Result<Schema, Failure> {
    let mut schema = Schema::default();
    for statement in statements.flat_map(|text| split(text)) {
        let statement = statement.as_str();
        if enums::carry_out(&mut schema, statement) {
            continue;
        }
        let parsed = match Parser::parse_sql(&PostgreSqlDialect {}, statement) {
            Ok(parsed) => parsed,
            // The body of a function may be in another language than SQL.
            Err(_) if statement.to_uppercase().contains("FUNCTION") || statement.to_uppercase().contains("TRIGGER") => {
                continue;
            }
            Err(error) => return Err(unknown(&error.to_string())),
        };
        for parsed in parsed {
            carry_out(&mut schema, statement, parsed)?;
        }
    }
    schema.tables.remove(HISTORY);
    for table in schema.tables.values_mut() {
        // As in the catalogue.
        table.indexes.sort_by_key(|index| (!index.is_constraint, index.name.clone()));
    }
    Ok(schema)
}

/// The statements of a text. A function of the standard's form has semicolons inside, and stays whole.
fn split(text: &str) -> Vec<String> {
    let upper = text.to_uppercase();
    if upper.contains("FUNCTION") || upper.contains("TRIGGER") || upper.contains("PROCEDURE") {
        return vec![text.to_owned()];
    }
    let mut statements = Vec::new();
    let mut start = 0;
    let ends = tokens(text).into_iter().filter(|token| text.get(token.clone()) == Some(";"));
    for end in ends.map(|token| token.start).chain([text.len()]) {
        let statement = text.get(start..end).unwrap_or_default().trim();
        statements.extend((!statement.is_empty()).then(|| statement.to_owned()));
        start = end + 1;
    }
    statements
}

fn carry_out(schema: &mut Schema, statement: &str, parsed: Statement) -> Result<(), Failure> {
    match parsed {
        Statement::CreateTable(table) => {
            let name = last(&table.name);
            schema.tables.insert(name.clone(), ddl::table(statement, &name, BACKEND)?);
        }
        Statement::CreateIndex(_) => {
            let (table, index) = ddl::index(statement, BACKEND)?;
            if let Some(table) = schema.tables.get_mut(&table) {
                table.indexes.push(index);
            }
        }
        Statement::AlterTable(AlterTable { name, operations, .. }) => {
            let name = last(&name);
            for operation in operations {
                alter(schema, &name, operation)?;
            }
        }
        Statement::Drop { object_type: ObjectType::Table, names, .. } => {
            names.iter().for_each(|name| drop(schema.tables.remove(&last(name))));
        }
        Statement::Drop { object_type: ObjectType::Index, names, .. } => {
            let names: Vec<_> = names.iter().map(last).collect();
            for table in schema.tables.values_mut() {
                table.indexes.retain(|index| !index.name.as_ref().is_some_and(|name| names.contains(name)));
            }
        }
        Statement::AlterIndex { name, operation: AlterIndexOperation::RenameIndex { index_name } } => {
            let (old, new) = (Some(last(&name)), last(&index_name));
            let indexes = schema.tables.values_mut().flat_map(|table| &mut table.indexes);
            indexes.filter(|index| index.name == old).for_each(|index| index.name = Some(new.clone()));
        }
        _ => {}
    }
    Ok(())
}

fn alter(schema: &mut Schema, name: &str, operation: AlterTableOperation) -> Result<(), Failure> {
    if let AlterTableOperation::RenameTable { table_name } = &operation {
        if let Some(mut table) = schema.tables.remove(name) {
            let new = table_name.to_string();
            table.name = new.trim_start_matches("TO ").trim_start_matches("AS ").trim_matches('"').to_owned();
            schema.tables.insert(table.name.clone(), table);
        }
        return Ok(());
    }
    if let AlterTableOperation::RenameColumn { old_column_name, new_column_name } = &operation {
        rename_column(schema, name, &old_column_name.value, &new_column_name.value);
        return Ok(());
    }
    let Some(table) = schema.tables.get_mut(name) else { return Ok(()) };
    match operation {
        AlterTableOperation::AddColumn { column_def, .. } => add(table, &column_def.to_string())?,
        AlterTableOperation::AddConstraint { constraint, .. } => {
            // In a `CREATE TABLE`, a constraint needs a column before it.
            add(table, &format!("_ int, {constraint}"))?;
            table.columns.retain(|column| column.name != "_");
        }
        AlterTableOperation::DropConstraint { name, .. } => drop_constraint(table, &name.value),
        AlterTableOperation::DropColumn { column_names, .. } => {
            for column in column_names {
                drop_column(table, &column.value);
            }
        }
        AlterTableOperation::AlterColumn { column_name, op } => {
            if let Some(column) = table.columns.iter_mut().find(|column| column.name == column_name.value) {
                alter_column(column, op);
            }
        }
        AlterTableOperation::RenameConstraint { old_name, new_name } => {
            let names = table.indexes.iter_mut().map(|index| &mut index.name);
            let names = names.chain(table.foreign_keys.iter_mut().map(|key| &mut key.name));
            let names = names.chain(table.primary_key.iter_mut().map(|key| &mut key.name));
            let names = names.chain(table.checks.iter_mut().map(|check| &mut check.name)).flatten();
            names.filter(|name| **name == old_name.value).for_each(|name| new_name.value.clone_into(name));
        }
        // Storage parameters, such as `fillfactor`.
        AlterTableOperation::SetOptionsParens { .. } => {}
        other => return Err(unknown(&other.to_string())),
    }
    Ok(())
}

/// Unsupported statement: fail instead of guessing the schema.
fn unknown(what: &str) -> Failure {
    Failure::Refused(format!("unsupported statement: {what}"))
}

fn add(table: &mut Table, item: &str) -> Result<(), Failure> {
    let sql = ddl::create_table(&table.name, &[item.to_owned()]);
    let mut new = ddl::table(&sql, &table.name, BACKEND)?;
    table.columns.append(&mut new.columns);
    table.indexes.append(&mut new.indexes);
    table.foreign_keys.append(&mut new.foreign_keys);
    table.checks.append(&mut new.checks);
    table.primary_key = new.primary_key.or(table.primary_key.take());
    Ok(())
}

fn alter_column(column: &mut Column, operation: AlterColumnOperation) {
    match operation {
        AlterColumnOperation::SetNotNull => column.not_null = true,
        AlterColumnOperation::DropNotNull => column.not_null = false,
        AlterColumnOperation::SetDefault { value } => column.default = Some(value.to_string()),
        AlterColumnOperation::DropDefault => column.default = None,
        AlterColumnOperation::SetDataType { data_type, .. } => {
            column.kind = ddl::canonical_type(&data_type.to_string(), BACKEND);
        }
        AlterColumnOperation::AddGenerated { .. } => column.is_counter = true,
    }
}

fn drop_constraint(table: &mut Table, name: &str) {
    let is = |known: &Option<String>| known.as_deref() == Some(name);
    table.indexes.retain(|index| !(index.is_constraint && is(&index.name)));
    table.foreign_keys.retain(|key| !is(&key.name));
    table.checks.retain(|check| !is(&check.name));
    table.primary_key = table.primary_key.take().filter(|key| !is(&key.name));
}

/// Drops a column, and what depends on it.
fn drop_column(table: &mut Table, name: &str) {
    let is_in = |columns: &[String]| columns.iter().any(|column| column == name);
    table.columns.retain(|column| column.name != name);
    table.indexes.retain(|index| !is_in(&index.columns));
    table.foreign_keys.retain(|key| !is_in(&key.columns));
    table.checks.retain(|check| !mentions(&check.expression, name));
    table.primary_key = table.primary_key.take().filter(|key| !is_in(&key.columns));
}

fn last(name: &ObjectName) -> String {
    name.0.last().and_then(|part| part.as_ident()).map(|name| name.value.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema_after(statements: &[&str]) -> Schema {
        let statements: Vec<_> = statements.iter().map(ToString::to_string).collect();
        replay(statements.iter()).unwrap()
    }

    #[test]
    fn altered_tables_have_the_same_schema_as_created_ones() {
        let altered = schema_after(&[
            "CREATE TABLE \"a\" ( \"id\" uuid NOT NULL, \"old\" varchar(10), \"gone\" int, CONSTRAINT \"a_pkey\" PRIMARY KEY (\"id\") )",
            "CREATE TABLE b (id uuid)",
            "CREATE INDEX a_old_idx ON a (old)",
            "ALTER TABLE a ADD COLUMN \"n\" bigint NOT NULL DEFAULT 3",
            "ALTER TABLE a ADD CONSTRAINT a_n_check CHECK (n > 0), ADD CONSTRAINT a_gone_check CHECK (gone > 0)",
            "ALTER TABLE a DROP COLUMN gone",
            "ALTER TABLE a RENAME COLUMN old TO new",
            "ALTER TABLE a ALTER COLUMN new TYPE varchar(20), ALTER COLUMN new SET NOT NULL, ALTER COLUMN n DROP DEFAULT",
            "INSERT INTO a VALUES (1)",
            "ALTER TABLE a SET (fillfactor = 70)",
            "CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
            "DROP TABLE b",
            "ALTER TABLE a RENAME TO c",
        ]);
        let created = schema_after(&[
            "CREATE TABLE c (id uuid NOT NULL, new varchar(20) NOT NULL, n bigint NOT NULL, CONSTRAINT a_pkey PRIMARY KEY (id), \
             CONSTRAINT a_n_check CHECK (n > 0))",
            "CREATE INDEX a_old_idx ON c (new)",
        ]);
        assert_eq!(altered, created);
    }
}
