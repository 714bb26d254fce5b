//! The schema of the entities, read from the statements that would create it.

use std::collections::BTreeMap;

use sea_orm::DbBackend;
use sea_orm::sea_query::{ColumnType, IndexCreateStatement, PostgresQueryBuilder, TableCreateStatement, TableRef};

use super::model::{Index, Schema, Table};
use super::{ddl, enums};
use crate::entities::{LONGEST_NAME, cut_off};
use crate::generate::types;
use crate::{Entities, Failure};

/// The column types that the entities declare, by table and column.
pub(crate) type Declared = BTreeMap<(String, String), ColumnType>;

/// Reads the entities as a schema.
pub(crate) fn read(entities: &Entities, backend: DbBackend) -> Result<Schema, Failure> {
    let mut schema = Schema::default();
    for table in &entities.tables {
        let name = self::name(table);
        refuse_types(table, &name, backend)?;
        schema.tables.insert(name.clone(), ddl::table(&backend.build(table).sql, &name, backend)?);
    }
    for (table, new, old) in &entities.renamed {
        schema.renamed.insert((table.clone(), new.clone()), old.clone());
    }
    for created in entities.types.iter().filter(|_| backend == DbBackend::Postgres) {
        let sql = created.to_string(PostgresQueryBuilder);
        let name = enums::created(&sql).unwrap_or_default();
        if !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
            return Err(Failure::Refused(format!(
                "the enum {name} needs a name of lower-case letters, digits and underscores: SeaORM writes it without quotes"
            )));
        }
        schema.enums.insert(name, enums::values(&sql));
    }
    let statements = entities.indexes.iter().map(|index| read_index(index, backend));
    let expressions = entities.expression_indexes.iter().map(|index| ddl::index(index, backend));
    for index in statements.chain(expressions) {
        let (table, index) = index?;
        if let Some(table) = schema.tables.get_mut(&table) {
            if let Some(known) = table.indexes.iter().find(|known| known.name.is_some() && known.name == index.name) {
                let name = known.name.as_deref().unwrap_or_default();
                return Err(Failure::Refused(format!(
                    "two indexes of table {} have the name {name}; give one another name with `CompositeIndex::named`",
                    table.name
                )));
            }
            table.indexes.push(index);
        }
    }
    if backend == DbBackend::Postgres {
        schema.tables.values_mut().try_for_each(shorten_names)?;
        let names = schema
            .tables
            .values()
            .flat_map(|table| std::iter::once(&table.name).chain(table.columns.iter().map(|column| &column.name)));
        if let Some(name) = names.into_iter().find(|name| name.len() > LONGEST_NAME) {
            return Err(Failure::Refused(format!(
                "{name} is longer than {LONGEST_NAME} bytes, and PostgreSQL would cut it off"
            )));
        }
    }
    Ok(schema)
}

/// Fails if a column has a type that the database does not have: sea-query would panic.
fn refuse_types(table: &TableCreateStatement, name: &str, backend: DbBackend) -> Result<(), Failure> {
    for column in table.get_columns() {
        let Some(kind) = column.get_column_type() else { continue };
        if types::written(kind, backend).is_none() {
            let on_postgres = types::written(kind, DbBackend::Postgres).unwrap_or_else(|| format!("{kind:?}"));
            return Err(Failure::Refused(format!(
                "column {name}.{} has the type {on_postgres}, which {} does not have; store it as JSON or text, or leave \
                 this database out of `backends`",
                column.get_column_name(),
                if backend == DbBackend::Sqlite { "SQLite" } else { "PostgreSQL" }
            )));
        }
    }
    Ok(())
}

fn read_index(index: &IndexCreateStatement, backend: DbBackend) -> Result<(String, Index), Failure> {
    // With values instead of parameters: a schema has no parameters.
    ddl::index(&backend.build(index).to_string(), backend)
}

/// The declared types of all columns.
pub(crate) fn declared(entities: &Entities) -> Declared {
    let mut declared = Declared::new();
    for table in &entities.tables {
        let name = self::name(table);
        for column in table.get_columns() {
            if let Some(kind) = column.get_column_type() {
                declared.insert((name.clone(), column.get_column_name()), kind.clone());
            }
        }
    }
    declared
}

/// The name of the table that a statement creates.
pub(crate) fn name(table: &TableCreateStatement) -> String {
    match table.get_table_name() {
        Some(TableRef::Table(name, _)) => name.1.to_string(),
        _ => String::new(),
    }
}

/// The schema of the table, if its entity names one.
pub(crate) fn schema_name(table: &TableCreateStatement) -> Option<String> {
    match table.get_table_name()? {
        TableRef::Table(name, _) => name.0.as_ref().map(|schema| schema.1.to_string()),
        _ => None,
    }
}

/// Cuts names off as PostgreSQL does. Fails if two of them become the same.
fn shorten_names(table: &mut Table) -> Result<(), Failure> {
    let names = table
        .indexes
        .iter_mut()
        .map(|index| &mut index.name)
        .chain(table.foreign_keys.iter_mut().map(|key| &mut key.name))
        .chain(table.checks.iter_mut().map(|check| &mut check.name))
        .chain(table.primary_key.iter_mut().map(|key| &mut key.name));
    let mut seen: Vec<String> = Vec::new();
    for name in names.flatten().filter(|name| name.len() > LONGEST_NAME) {
        let short = cut_off(name).to_owned();
        if seen.contains(&short) {
            return Err(Failure::Refused(format!(
                "two names of table {} are longer than {LONGEST_NAME} bytes, and begin with the same: {name}",
                table.name
            )));
        }
        seen.push(short.clone());
        *name = short;
    }
    Ok(())
}
