//! Reads the schema of an SQLite database, which keeps it as SQL.

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::{HISTORY, Schema, ddl};
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
                schema.tables.insert(name.clone(), ddl::table(&sql, &name, DbBackend::Sqlite)?);
            }
            "index" => {
                let (_, index) = ddl::index(&sql, DbBackend::Sqlite)?;
                if let Some(table) = schema.tables.get_mut(&table) {
                    table.indexes.push(index);
                }
            }
            _ => {
                let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
                schema.others.insert(format!("{kind} {name}"), sql);
            }
        }
    }
    Ok(schema)
}

/// Tables first. What SQLite makes for itself has no SQL, or a name of its own.
const OBJECTS: &str = "SELECT type, name, tbl_name, sql FROM sqlite_master \
    WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type <> 'table', name";
