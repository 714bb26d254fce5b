//! Test schemas: the tables that entities would describe, in a form that is easy to change.

use revisions::Entities;
use sea_orm_migration::prelude::*;

#[derive(Clone, Debug, Default)]
pub struct Shape {
    pub name: &'static str,
    pub columns: Vec<ColumnDef>,
    pub key: Vec<&'static str>,
    /// Unique constraints.
    pub unique: Vec<Vec<&'static str>>,
    pub references: Vec<Reference>,
    /// CHECK constraints: name and condition.
    pub checks: Vec<(&'static str, Expr)>,
    pub indexes: Vec<IndexCreateStatement>,
    pub is_without_rowid: bool,
    /// PostgreSQL: columns with the collation "C".
    pub collate_c: Vec<&'static str>,
}

#[derive(Clone, Debug)]
pub struct Reference {
    pub columns: Vec<&'static str>,
    pub table: &'static str,
    pub to: Vec<&'static str>,
    pub on_update: ForeignKeyAction,
    pub on_delete: ForeignKeyAction,
}

/// Schema: its tables.
#[derive(Clone, Debug, Default)]
pub struct Shapes(pub Vec<Shape>);

pub fn reference(columns: &[&'static str], table: &'static str, to: &[&'static str]) -> Reference {
    let (columns, to) = (columns.to_vec(), to.to_vec());
    let (on_update, on_delete) = (ForeignKeyAction::NoAction, ForeignKeyAction::NoAction);
    Reference { columns, table, to, on_update, on_delete }
}

pub fn column(name: &'static str) -> ColumnDef {
    ColumnDef::new(name)
}

impl Shapes {
    /// The base schema: people and their pets.
    pub fn base() -> Self {
        let statuses = ["active", "asleep", "gone"];
        let people = Shape {
            name: "people",
            columns: vec![
                column("id").uuid().not_null().take(),
                column("name").string_len(100).not_null().take(),
                column("email").string_len(254).take(),
                column("age").integer().take(),
                column("weight").float().take(),
                column("balance").decimal_len(10, 2).take(),
                column("born").date().take(),
                column("status").string_len(16).not_null().default("active").take(),
                column("created_at").timestamp_with_time_zone().not_null().take(),
            ],
            key: vec!["id"],
            checks: vec![("people_status_check", Expr::col("status").is_in(statuses))],
            ..Shape::default()
        };
        let pets = Shape {
            name: "pets",
            columns: vec![
                column("id").uuid().not_null().take(),
                column("owner_id").uuid().not_null().take(),
                column("name").string_len(50).not_null().take(),
                column("legs").small_integer().not_null().default(4).take(),
            ],
            key: vec!["id"],
            references: vec![Reference {
                on_delete: ForeignKeyAction::Cascade,
                ..reference(&["owner_id"], "people", &["id"])
            }],
            checks: vec![("pets_legs_check", Expr::cust("legs >= 0"))],
            indexes: vec![index("pets", &["owner_id"])],
            ..Shape::default()
        };
        Self(vec![people, pets])
    }

    pub fn table(&mut self, name: &str) -> &mut Shape {
        self.0.iter_mut().find(|shape| shape.name == name).expect("the table exists")
    }

    pub fn people(&mut self) -> &mut Shape {
        self.table("people")
    }

    pub fn pets(&mut self) -> &mut Shape {
        self.table("pets")
    }

    pub fn entities(&self, backend: sea_orm_migration::sea_orm::DbBackend) -> Entities {
        Entities::from_statements(
            self.0.iter().map(|shape| shape.create(backend)).collect(),
            self.0.iter().flat_map(|shape| shape.indexes.clone()).collect(),
        )
    }
}

impl Shape {
    pub fn add(&mut self, column: &mut ColumnDef) -> &mut Self {
        self.columns.push(column.take());
        self
    }

    /// Replaces the column of the same name.
    pub fn change(&mut self, column: &mut ColumnDef) -> &mut Self {
        let existing = self.columns.iter_mut().find(|existing| existing.get_column_name() == column.get_column_name());
        *existing.expect("the column exists") = column.take();
        self
    }

    pub fn remove(&mut self, name: &str) -> &mut Self {
        self.columns.retain(|column| column.get_column_name() != name);
        self
    }

    pub fn has(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column.get_column_name() == name)
    }

    pub fn create(&self, backend: sea_orm_migration::sea_orm::DbBackend) -> TableCreateStatement {
        let is_postgres = backend == sea_orm_migration::sea_orm::DbBackend::Postgres;
        let mut table = Table::create();
        table.table(self.name);
        let mut has_auto_increment = false;
        for column in &self.columns {
            let mut column = column.clone();
            if column.get_column_spec().auto_increment {
                has_auto_increment = true;
                column.primary_key();
            }
            if is_postgres && self.collate_c.iter().any(|name| *name == column.get_column_name()) {
                column.extra("COLLATE \"C\"");
            }
            table.col(column);
        }
        if self.is_without_rowid && !is_postgres {
            table.extra("WITHOUT ROWID");
        }
        if !has_auto_increment {
            let mut key = Index::create();
            key.name(format!("{}_pkey", self.name));
            for column in &self.key {
                key.col(*column);
            }
            table.primary_key(&mut key);
        }
        for columns in &self.unique {
            let mut key = Index::create();
            key.unique().name(format!("{}_{}_key", self.name, columns.join("_")));
            for column in columns {
                key.col(*column);
            }
            table.index(&mut key);
        }
        for reference in &self.references {
            let mut key = ForeignKey::create();
            key.name(format!("{}_{}_fkey", self.name, reference.columns.join("_")));
            key.from_tbl(self.name).to_tbl(reference.table);
            for column in &reference.columns {
                key.from_col(*column);
            }
            for column in &reference.to {
                key.to_col(*column);
            }
            if !matches!(reference.on_update, ForeignKeyAction::NoAction) {
                key.on_update(reference.on_update);
            }
            if !matches!(reference.on_delete, ForeignKeyAction::NoAction) {
                key.on_delete(reference.on_delete);
            }
            table.foreign_key(&mut key);
        }
        for (name, condition) in &self.checks {
            table.check(Check::named(*name, condition.clone()));
        }
        table
    }
}

/// An index with the conventional name.
pub fn index(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(format!("{table}_{}_idx", columns.join("_"))).table(table);
    for column in columns {
        index.col(*column);
    }
    index
}
