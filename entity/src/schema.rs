//! Schema of the entities, as CREATE statements for an empty database.
//!
//! SeaORM derives columns, defaults and the content of `extra`. Added here are the names of keys and indexes
//! (`<table>_<columns>_{pkey,key,fkey,check,idx}`) and the [`TableExtras`] of each entity, which attributes cannot express.

use sea_orm::sea_query::{
    Check, ColumnDef, Expr, ExprTrait, ForeignKeyCreateStatement, Index, IndexCreateStatement, Table,
    TableCreateStatement,
};
use sea_orm::{
    ActiveEnum, ColumnTrait, ConditionalStatement, DbBackend, EntityTrait, IdenStatic, Iterable, PrimaryKeyToColumn,
    RelationDef, RelationTrait, Schema,
};

use crate::{
    account_codes, audit_events, calendar_feeds, centre_staff, centres, contact_books, contact_import_updates,
    contact_imports, contacts, course_schedules, courses, deleted_contacts, idempotency_keys, immunizations,
    invitation_uses, invitations, lots, outbox, patient_words, patients, quotas, refresh_tokens, slots, throttles,
    user_words, users, vaccine_requests, vaccines, waitlist_entries,
};

/// Properties of a table that attributes of its model cannot express.
pub trait TableExtras: EntityTrait {
    /// Composite and partial indexes.
    const INDEXES: &'static [CompositeIndex] = &[];
    /// Whether the table is WITHOUT ROWID on SQLite: its rows are stored in the order of the primary key.
    const WITHOUT_ROWID: bool = false;
    /// Text columns that are sorted byte by byte: with `COLLATE "C"` on PostgreSQL; SQLite always does.
    const COLLATE_C: &'static [&'static str] = &[];

    /// Enum columns and their values, for a CHECK constraint.
    #[must_use]
    fn enum_values() -> Vec<(Self::Column, Vec<String>)> {
        Vec::new()
    }
}

/// Composite or partial index.
#[derive(Clone, Copy, Debug)]
pub struct CompositeIndex {
    columns: &'static [&'static str],
    is_unique: bool,
    filter: Option<&'static str>,
}

impl CompositeIndex {
    /// Creates an index over columns.
    #[must_use]
    pub const fn on(columns: &'static [&'static str]) -> Self {
        Self { columns, is_unique: false, filter: None }
    }

    /// Creates a unique index over columns.
    #[must_use]
    pub const fn unique(columns: &'static [&'static str]) -> Self {
        Self { columns, is_unique: true, filter: None }
    }

    /// Limits the index to the rows that match a condition (partial index).
    #[must_use]
    pub const fn filter(self, condition: &'static str) -> Self {
        Self { filter: Some(condition), ..self }
    }
}

/// Returns the values of an enum, as stored in the database.
#[must_use]
pub fn enum_values<T: ActiveEnum<Value = String>>() -> Vec<String> {
    T::iter().map(|word| word.to_value()).collect()
}

/// Returns all tables, in an order in which they can be created.
#[must_use]
pub fn tables(backend: DbBackend) -> Vec<TableCreateStatement> {
    definitions(backend).into_iter().map(|(table, _)| table).collect()
}

/// Returns all indexes except those of primary keys and unique constraints.
#[must_use]
pub fn indexes(backend: DbBackend) -> Vec<IndexCreateStatement> {
    definitions(backend).into_iter().flat_map(|(_, indexes)| indexes).collect()
}

fn definitions(backend: DbBackend) -> Vec<(TableCreateStatement, Vec<IndexCreateStatement>)> {
    vec![
        describe(backend, users::Entity),
        describe(backend, refresh_tokens::Entity),
        describe(backend, courses::Entity),
        describe(backend, course_schedules::Entity),
        describe(backend, vaccines::Entity),
        describe(backend, contact_imports::Entity),
        describe(backend, contacts::Entity),
        describe(backend, contact_books::Entity),
        describe(backend, contact_import_updates::Entity),
        describe(backend, deleted_contacts::Entity),
        describe(backend, patients::Entity),
        describe(backend, centres::Entity),
        describe(backend, slots::Entity),
        describe(backend, invitations::Entity),
        describe(backend, lots::Entity),
        describe(backend, vaccine_requests::Entity),
        describe(backend, immunizations::Entity),
        describe(backend, waitlist_entries::Entity),
        describe(backend, invitation_uses::Entity),
        describe(backend, account_codes::Entity),
        describe(backend, outbox::Entity),
        describe(backend, audit_events::Entity),
        describe(backend, throttles::Entity),
        describe(backend, calendar_feeds::Entity),
        describe(backend, quotas::Entity),
        describe(backend, centre_staff::Entity),
        describe(backend, idempotency_keys::Entity),
        describe(backend, patient_words::Entity),
        describe(backend, user_words::Entity),
    ]
}

fn describe<E: TableExtras>(backend: DbBackend, entity: E) -> (TableCreateStatement, Vec<IndexCreateStatement>) {
    let derived = Schema::new(backend).create_index_from_entity(entity);
    let derived = derived.iter().map(|derived| {
        let columns = derived.get_index_spec().get_column_names();
        match derived.is_unique_key() {
            true => index(entity, &columns, "key").unique().to_owned(),
            false => index(entity, &columns, "idx"),
        }
    });
    let composite = E::INDEXES.iter().map(|composite| {
        let mut index = index(entity, composite.columns, if composite.is_unique { "key" } else { "idx" });
        if composite.is_unique {
            index.unique();
        }
        if let Some(condition) = composite.filter {
            index.and_where(Expr::cust(condition));
        }
        index
    });
    (table(backend, entity), derived.chain(composite).collect())
}

fn table<E: TableExtras>(backend: DbBackend, entity: E) -> TableCreateStatement {
    let name = entity.table_name();
    let mut table = Table::create();
    table.table(entity);
    if E::WITHOUT_ROWID && backend == DbBackend::Sqlite {
        table.extra("WITHOUT ROWID");
    }
    let mut has_auto_increment = false;
    for column in Schema::new(backend).create_table_from_entity(entity).get_columns() {
        let is_auto_increment = column.get_column_spec().auto_increment;
        let mut column = without_keys(column);
        if is_auto_increment {
            // SQLite has AUTOINCREMENT only for a PRIMARY KEY in the column definition.
            column.auto_increment().primary_key();
            has_auto_increment = true;
        }
        if E::COLLATE_C.contains(&column.get_column_name().as_str()) && backend == DbBackend::Postgres {
            column.extra("COLLATE \"C\"");
        }
        table.col(column);
    }
    if !has_auto_increment {
        let mut primary_key = Index::create();
        primary_key.name(format!("{name}_pkey"));
        for column in E::PrimaryKey::iter() {
            primary_key.col(column.into_column());
        }
        table.primary_key(&mut primary_key);
    }
    for column in E::Column::iter().filter(|column| column.def().is_unique()) {
        table.index(index(entity, &[column.as_str()], "key").unique());
    }
    for relation in E::Relation::iter().map(|relation| relation.def()).filter(|relation| !relation.is_owner) {
        table.foreign_key(&mut foreign_key(name, relation));
    }
    for (column, words) in E::enum_values() {
        let is_word = Expr::col(column.as_str()).is_in(words);
        table.check(Check::named(format!("{name}_{}_check", column.as_str()), is_word));
    }
    table
}

/// Copies a derived column without its keys, which would have no names.
fn without_keys(derived: &ColumnDef) -> ColumnDef {
    let mut column = ColumnDef::new(derived.get_column_name());
    if let Some(kind) = derived.get_column_type() {
        column = ColumnDef::new_with_type(derived.get_column_name(), kind.clone());
    }
    let spec = derived.get_column_spec();
    if spec.nullable == Some(false) {
        column.not_null();
    }
    if let Some(default) = &spec.default {
        column.default(default.clone());
    }
    if let Some(extra) = &spec.extra {
        column.extra(extra);
    }
    column
}

fn foreign_key(table: &str, relation: RelationDef) -> ForeignKeyCreateStatement {
    let columns: Vec<_> = relation.from_col.iter().map(|column| column.to_string()).collect();
    let mut key: ForeignKeyCreateStatement = relation.into();
    key.name(format!("{table}_{}_fkey", columns.join("_")));
    key
}

fn index<E: EntityTrait>(entity: E, columns: &[impl ToString], suffix: &str) -> IndexCreateStatement {
    let columns: Vec<_> = columns.iter().map(ToString::to_string).collect();
    let mut index = Index::create();
    index.name(format!("{}_{}_{suffix}", entity.table_name(), columns.join("_"))).table(entity);
    for column in columns {
        index.col(column);
    }
    index
}
