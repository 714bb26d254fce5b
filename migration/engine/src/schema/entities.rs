//! The schema of the entities, read from the statements that would create it.

use std::collections::BTreeMap;

use sea_orm::DbBackend;
use sea_orm::sea_query::{ColumnType, IndexCreateStatement, TableCreateStatement, TableRef};

use super::ddl;
use super::model::{Index, Schema, Table};
use crate::{Entities, Failure};

/// PostgreSQL truncates longer names.
const LONGEST_NAME: usize = 63;

/// The column types that the entities declare, by table and column.
pub(crate) type Declared = BTreeMap<(String, String), ColumnType>;

/// Reads the entities as a schema.
pub(crate) fn read(entities: &Entities, backend: DbBackend) -> Result<Schema, Failure> {
    let mut schema = Schema::default();
    for table in &entities.tables {
        let name = self::name(table);
        schema.tables.insert(name.clone(), ddl::table(&backend.build(table).sql, &name, backend)?);
    }
    for index in &entities.indexes {
        let (table, index) = read_index(index, backend)?;
        if let Some(table) = schema.tables.get_mut(&table) {
            table.indexes.push(index);
        }
    }
    if backend == DbBackend::Postgres {
        schema.tables.values_mut().for_each(shorten_names);
    }
    Ok(schema)
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

fn shorten_names(table: &mut Table) {
    let names = table
        .indexes
        .iter_mut()
        .map(|index| &mut index.name)
        .chain(table.foreign_keys.iter_mut().map(|key| &mut key.name))
        .chain(table.checks.iter_mut().map(|check| &mut check.name))
        .chain(table.primary_key.iter_mut().map(|key| &mut key.name));
    for name in names.flatten() {
        let end = (0..=LONGEST_NAME).rev().find(|end| name.is_char_boundary(*end)).unwrap_or_default();
        name.truncate(end);
    }
}
