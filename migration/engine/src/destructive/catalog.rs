//! Tables of a database with their columns, in all schemas.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

/// Name of a table in a schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TableName {
    pub schema: String,
    pub name: String,
}

/// The tables of a database before a run.
#[derive(Clone, Debug)]
pub(crate) struct Catalog {
    pub(super) backend: DbBackend,
    /// Schema of names without a schema.
    pub(super) current_schema: String,
    /// Names and types of the columns, in their order.
    pub(super) tables: BTreeMap<TableName, Vec<(String, String)>>,
    /// Functions and procedures that may change data.
    pub(super) routines: Vec<String>,
}

impl Catalog {
    /// Reads the tables.
    pub(crate) async fn read(db: &impl ConnectionTrait) -> Result<Self, DbErr> {
        let backend = db.get_database_backend();
        let (tables, current) = match backend {
            DbBackend::Sqlite => (SQLITE_COLUMNS, "SELECT 'main'"),
            _ => (POSTGRES_COLUMNS, "SELECT coalesce(current_schema(), 'public')::text"),
        };
        let current = db.query_one_raw(Statement::from_string(backend, current)).await?;
        let current_schema = current.map_or(Ok(String::new()), |row| row.try_get_by_index(0))?;
        let mut catalog = Self { backend, current_schema, tables: BTreeMap::new(), routines: Vec::new() };
        if backend == DbBackend::Postgres {
            for row in db.query_all_raw(Statement::from_string(backend, POSTGRES_ROUTINES)).await? {
                catalog.routines.push(row.try_get_by_index(0)?);
            }
        }
        for row in db.query_all_raw(Statement::from_string(backend, tables)).await? {
            let name = TableName { schema: row.try_get_by_index(0)?, name: row.try_get_by_index(1)? };
            let columns = catalog.tables.entry(name).or_default();
            if let Some(column) = row.try_get_by_index::<Option<String>>(2)? {
                columns.push((column, row.try_get_by_index(3)?));
            }
        }
        Ok(catalog)
    }

    /// Whether there is nothing to lose: no table besides the history.
    pub(crate) fn is_empty(&self) -> bool {
        self.tables.keys().all(|table| table.name == "seaql_migrations")
    }

    /// The names of the tables of the current schema.
    #[cfg(feature = "cli")]
    pub(crate) fn own_tables(&self) -> impl Iterator<Item = &str> {
        let own = self.tables.keys().filter(|table| table.schema == self.current_schema);
        own.map(|table| table.name.as_str())
    }
}

/// Names are in lower case: SQLite does not distinguish them.
const SQLITE_COLUMNS: &str = "SELECT 'main', lower(t.name), lower(c.name), lower(c.type) \
    FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY t.name, c.cid";

/// Triggers call their functions themselves, and are not followed.
const POSTGRES_ROUTINES: &str = "SELECT DISTINCT p.proname::text FROM pg_proc p \
    JOIN pg_namespace n ON n.oid = p.pronamespace \
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND p.provolatile = 'v' AND p.prokind IN ('f', 'p') \
        AND p.prorettype <> 'trigger'::regtype \
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')";

const POSTGRES_COLUMNS: &str = "SELECT n.nspname::text, c.relname::text, a.attname::text, \
        format_type(a.atttypid, a.atttypmod) \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' \
    WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema') \
        AND n.nspname NOT LIKE 'pg\\_toast%' \
    ORDER BY n.nspname, c.relname, a.attnum";
