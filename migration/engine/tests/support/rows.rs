//! Test rows, which a round trip must keep.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use super::shapes::Shapes;

static READS: AtomicUsize = AtomicUsize::new(0);

const PEOPLE: [&str; 3] = [
    "00000000-0000-7000-8000-000000000001",
    "00000000-0000-7000-8000-000000000002",
    "00000000-0000-7000-8000-000000000003",
];

/// Inserts rows into the tables of the base schema, with the columns that exist.
pub async fn insert(db: &DatabaseConnection, shapes: &Shapes) {
    for (number, id) in PEOPLE.iter().enumerate() {
        let values = [
            ("id", format!("'{id}'")),
            ("name", format!("'Person {number}'")),
            ("email", format!("'p{number}@example.org'")),
            // One row has no age.
            ("age", if number == 0 { "NULL".into() } else { format!("{}", 30 + number) }),
            ("weight", "70.5".into()),
            ("balance", "12.25".into()),
            ("born", "'1990-01-02'".into()),
            ("status", "'active'".into()),
            ("created_at", "'2026-01-02 03:04:05+00:00'".into()),
        ];
        insert_row(db, shapes, "people", &values).await;
        let values = [
            ("id", format!("'{id}'")),
            ("owner_id", format!("'{id}'")),
            ("name", "'Rex'".into()),
            ("legs", "4".into()),
        ];
        insert_row(db, shapes, "pets", &values).await;
    }
}

async fn insert_row(db: &DatabaseConnection, shapes: &Shapes, table: &str, values: &[(&str, String)]) {
    let Some(shape) = shapes.0.iter().find(|shape| shape.name == table) else { return };
    let is_required = |name: &str| {
        shape
            .columns
            .iter()
            .any(|column| column.get_column_name() == name && column.get_column_spec().nullable == Some(false))
    };
    let present: Vec<_> =
        values.iter().filter(|(name, value)| shape.has(name) && !(value == "NULL" && is_required(name))).collect();
    let columns: Vec<_> = present.iter().map(|(name, _)| *name).collect();
    let values: Vec<_> = present.iter().map(|(_, value)| value.as_str()).collect();
    let sql = format!("INSERT INTO {table} ({}) VALUES ({})", columns.join(", "), values.join(", "));
    db.execute_unprepared(&sql).await.unwrap();
}

/// Rows of all tables: the values of each column as text, ordered by id.
#[derive(Debug)]
pub struct Rows(BTreeMap<(String, String), Vec<Option<String>>>);

impl Rows {
    pub async fn read(db: &DatabaseConnection, lossy: &[&str]) -> Self {
        let backend = db.get_database_backend();
        let columns = match backend {
            DbBackend::Sqlite => {
                "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name IN ('people', 'pets')"
            }
            _ => {
                "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = current_schema() AND table_name IN ('people', 'pets')"
            }
        };
        let mut rows = BTreeMap::new();
        for row in db.query_all_raw(Statement::from_string(backend, columns)).await.unwrap() {
            let (table, column): (String, String) =
                (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap());
            if lossy.contains(&column.as_str()) {
                continue;
            }
            // The SQL is different each time: a cached prepared statement would still have the
            // columns from before the change.
            let number = READS.fetch_add(1, Ordering::Relaxed);
            let sql = format!("SELECT CAST(\"{column}\" AS text) FROM {table} ORDER BY id -- {number}");
            let values = db.query_all_raw(Statement::from_string(backend, sql)).await.unwrap();
            rows.insert((table, column), values.iter().map(|row| row.try_get_by_index(0).unwrap()).collect());
        }
        Self(rows)
    }

    /// Asserts that the values are the same later, in all columns that still exist.
    pub fn assert_kept(&self, later: &Self, name: &str) {
        for (column, values) in &self.0 {
            if let Some(found) = later.0.get(column) {
                assert_eq!(found, values, "{name}: {column:?}");
            }
        }
    }

    /// Asserts that the revert restored the columns, the number of rows of every table that always
    /// existed, and the values of the columns that always existed.
    pub fn assert_restored(&self, upgraded: &Self, later: &Self, name: &str) {
        let always_present = self.0.iter().filter(|(column, _)| upgraded.0.contains_key(*column));
        Self(always_present.map(|(column, values)| (column.clone(), values.clone())).collect())
            .assert_kept(later, name);
        assert_eq!(self.0.keys().collect::<Vec<_>>(), later.0.keys().collect::<Vec<_>>(), "{name}: columns");
        for (column, values) in
            self.0.iter().filter(|((table, _), _)| upgraded.0.keys().any(|(other, _)| other == table))
        {
            assert_eq!(later.0.get(column).map(Vec::len), Some(values.len()), "{name}: rows of {column:?}");
        }
    }
}
