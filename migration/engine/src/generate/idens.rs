//! `DeriveIden` enums for the names of tables and columns.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::names::{derived_name, iden_variant};
use crate::schema::Schema;

/// The names of all tables and columns in Rust, and which of them are used.
#[derive(Debug, Default)]
pub(super) struct Idens {
    names: BTreeMap<String, Names>,
    used: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Debug, Default)]
struct Names {
    table: String,
    columns: BTreeMap<String, String>,
}

impl Idens {
    /// Gives each name a distinct Rust name, even if they only differ in characters that Rust does
    /// not allow.
    pub(super) fn of<'a>(schemas: impl IntoIterator<Item = &'a Schema>) -> Self {
        let mut columns: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for table in schemas.into_iter().flat_map(|schema| schema.tables.values()) {
            let known = columns.entry(table.name.clone()).or_default();
            known.extend(table.columns.iter().map(|column| column.name.clone()));
        }
        let mut taken: BTreeSet<String> = BTreeSet::new();
        let mut names = BTreeMap::new();
        for (table, columns) in columns {
            // `Table` is the variant for the table itself.
            let mut variants = BTreeSet::from(["Table".to_owned()]);
            let name = iden_variant(&table);
            // Otherwise the enum would hide a name that the file uses.
            let name = if is_reserved(&name) { format!("{name}Table") } else { name };
            let name = unused_name(name, &mut taken);
            let columns =
                columns.into_iter().map(|column| (column.clone(), unused_name(iden_variant(&column), &mut variants)));
            names.insert(table, Names { table: name, columns: columns.collect() });
        }
        Self { names, used: BTreeMap::new() }
    }

    pub(super) fn table(&mut self, table: &str) -> String {
        self.used.entry(table.to_owned()).or_default();
        format!("{}::Table", self.enum_of(table))
    }

    pub(super) fn column(&mut self, table: &str, column: &str) -> String {
        self.used.entry(table.to_owned()).or_default().insert(column.to_owned());
        format!("{}::{}", self.enum_of(table), self.variant_of(table, column))
    }

    fn enum_of(&self, table: &str) -> String {
        self.names.get(table).map_or_else(|| iden_variant(table), |names| names.table.clone())
    }

    fn variant_of(&self, table: &str, column: &str) -> String {
        let known = self.names.get(table).and_then(|names| names.columns.get(column));
        known.cloned().unwrap_or_else(|| iden_variant(column))
    }

    /// The source of the enums that are used.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (table, columns) in &self.used {
            let name = self.enum_of(table);
            let is_prefix = |column: &String| {
                let variant = self.variant_of(table, column);
                variant.starts_with(&name) || variant.ends_with(&name)
            };
            let allow = match columns.iter().any(is_prefix) {
                true => "#[allow(clippy::enum_variant_names, reason = \"the names of the columns\")]\n",
                false => "",
            };
            let _ = write!(text, "\n#[derive(DeriveIden)]\n{allow}enum {name} {{\n");
            if derived_name(&name) != *table {
                let _ = writeln!(text, "#[sea_orm(iden = {table:?})]");
            }
            text.push_str("Table,\n");
            for column in columns {
                let variant = self.variant_of(table, column);
                if derived_name(&variant) != *column {
                    let _ = writeln!(text, "#[sea_orm(iden = {column:?})]");
                }
                let _ = writeln!(text, "{variant},");
            }
            text.push_str("}\n");
        }
        text
    }
}

/// Whether a name is one of Rust's prelude, or of sea-query's.
fn is_reserved(name: &str) -> bool {
    const RESERVED: [&str; 44] = [
        "Option",
        "Some",
        "None",
        "Result",
        "Ok",
        "Err",
        "Box",
        "String",
        "Vec",
        "ToString",
        "Default",
        "Drop",
        "Send",
        "Sync",
        "Sized",
        "Clone",
        "Copy",
        "From",
        "Into",
        "Iterator",
        "Table",
        "Index",
        "IndexOrder",
        "IndexType",
        "Column",
        "ColumnDef",
        "ColumnType",
        "StringLen",
        "ForeignKey",
        "ForeignKeyAction",
        "Check",
        "Expr",
        "Func",
        "Query",
        "Value",
        "Values",
        "Iden",
        "Alias",
        "DbErr",
        "DbBackend",
        "Migration",
        "MigrationTrait",
        "AlterTable",
        "SchemaManager",
    ];
    RESERVED.contains(&name) || name == "TableCreateStatement"
}

/// The name, with a number appended if it is used already.
fn unused_name(name: String, taken: &mut BTreeSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{name}Number{number}"));
    let unused_name =
        std::iter::once(name.clone()).chain(numbered).find(|name| !taken.contains(name)).unwrap_or(name.clone());
    taken.insert(unused_name.clone());
    unused_name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colliding_rust_names_get_a_number() {
        let table = |name: &str, columns: &str| {
            let sql = format!("CREATE TABLE \"{name}\" ({columns})");
            (name.to_owned(), crate::schema::ddl::table(&sql, name, sea_orm::DbBackend::Postgres).unwrap())
        };
        let tables = [table("users", "\"a b\" int, a_b int, \"table\" int"), table("Users", "id int")].into();
        let schema = Schema { tables, ..Schema::default() };
        let mut idens = Idens::of([&schema]);
        let named = [
            idens.table("Users"),
            idens.column("users", "a b"),
            idens.column("users", "a_b"),
            idens.column("users", "table"),
        ];
        assert_eq!(
            named,
            ["Users::Table", "UsersNumber2::AB", "UsersNumber2::ABNumber2", "UsersNumber2::TableNumber2"]
        );
        assert!(
            idens.text().contains("#[sea_orm(iden = \"a b\")]\nAB,\n#[sea_orm(iden = \"a_b\")]\nABNumber2,"),
            "{}",
            idens.text()
        );
    }
}
