//! Reads the schema of an SQLite database, which stores it as SQL.

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::ddl;
use super::model::{HISTORY, Schema};
use crate::Failure;

pub(super) async fn read(db: &impl ConnectionTrait) -> Result<Schema, Failure> {
    let mut schema = Schema::default();
    for row in db.query_all_raw(Statement::from_string(DbBackend::Sqlite, OBJECTS)).await? {
        let (kind, name): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let (table, sql): (String, String) = (row.try_get_by_index(2)?, row.try_get_by_index(3)?);
        if table == HISTORY {
            continue;
        }
        match kind.as_str() {
            "table" if !sql.to_uppercase().starts_with("CREATE VIRTUAL") => {
                match ddl::table(&sql, &name, DbBackend::Sqlite) {
                    Ok(table) => drop(schema.tables.insert(name, table)),
                    Err(failure) => drop(schema.unreadable.insert(name, failure.to_string())),
                }
            }
            "index" => match (schema.tables.get_mut(&table), ddl::index(&sql, DbBackend::Sqlite)) {
                (Some(table), Ok((_, index))) => table.indexes.push(index),
                (Some(_), Err(failure)) => drop(schema.unreadable.insert(table, failure.to_string())),
                (None, _) => {}
            },
            _ => {
                let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
                schema.others.insert(format!("{kind} {name}"), sql);
            }
        }
    }
    Ok(schema)
}

/// Tables first. Internal objects have no SQL or a reserved name; virtual tables have shadow
/// tables.
const OBJECTS: &str = "SELECT type, name, tbl_name, sql FROM sqlite_master m \
    WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
    AND NOT EXISTS (SELECT 1 FROM pragma_table_list l WHERE l.name = m.name AND l.type = 'shadow') \
    ORDER BY type <> 'table', name";
