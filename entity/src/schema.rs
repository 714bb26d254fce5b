//! The schema that the entities describe, as statements for an empty database.
//!
//! SeaORM derives columns, defaults and CHECKs. Added here is what a derive cannot say: the names of keys and indexes
//! (`<table>_<columns>_{pkey,key,fkey,idx}`), and indexes over several columns or over some of the rows.

use sea_orm::sea_query::{
    ColumnDef, Expr, ExprTrait, ForeignKeyCreateStatement, Index, IndexCreateStatement, Table, TableCreateStatement,
};
use sea_orm::{
    ActiveEnum, ColumnTrait, ConditionalStatement, DbBackend, EntityTrait, IdenStatic, Iterable, PrimaryKeyToColumn,
    RelationDef, RelationTrait, Schema, Statement,
};

use crate::{
    RequestStatus, account_codes, audit_events, calendar_feeds, contact_imports, contacts, outbox, refresh_tokens,
    throttles, users, vaccine_requests, vaccines,
};

/// Text that is sorted byte by byte on both databases. SQLite does so by itself.
const BYTEWISE: [(&str, &str); 2] = [("contacts", "first_folded"), ("contacts", "last_folded")];

/// Tables whose rows SQLite keeps in the order of the primary key.
const CLUSTERED: [&str; 1] = ["contacts"];

/// Every table and index, in an order in which they can be created.
#[must_use]
pub fn statements(backend: DbBackend) -> Vec<Statement> {
    let mut statements = Vec::new();
    add(&mut statements, backend, users::Entity);
    add(&mut statements, backend, refresh_tokens::Entity);
    add(&mut statements, backend, vaccines::Entity);
    add(&mut statements, backend, contact_imports::Entity);
    add(&mut statements, backend, contacts::Entity);
    add(&mut statements, backend, vaccine_requests::Entity);
    add(&mut statements, backend, account_codes::Entity);
    add(&mut statements, backend, outbox::Entity);
    add(&mut statements, backend, audit_events::Entity);
    add(&mut statements, backend, throttles::Entity);
    add(&mut statements, backend, calendar_feeds::Entity);
    statements.extend(wider_indexes().iter().map(|index| backend.build(index)));
    statements
}

/// Indexes over several columns.
fn wider_indexes() -> Vec<IndexCreateStatement> {
    let open = [RequestStatus::Pending, RequestStatus::Approved, RequestStatus::Booked];
    let one_open = |person| {
        index(vaccine_requests::Entity, &[person, "vaccine_id", "dose_number"], "key")
            .unique()
            .and_where(Expr::col("status").is_in(open.map(|status| status.to_value())))
            .to_owned()
    };
    vec![
        one_open("user_id").and_where(Expr::col("contact_id").is_null()).to_owned(),
        one_open("contact_id"),
        index(vaccine_requests::Entity, &["contact_id", "id"], "idx"),
        index(contact_imports::Entity, &["user_id", "id"], "idx"),
        index(contacts::Entity, &["user_id", "email"], "key")
            .unique()
            .and_where(Expr::col("email").is_not_null())
            .to_owned(),
        index(contacts::Entity, &["user_id", "last_folded", "first_folded", "id", "email"], "idx"),
        index(contacts::Entity, &["user_id", "birth_month", "birth_day", "id"], "idx"),
        index(vaccine_requests::Entity, &["user_id", "id"], "idx"),
        index(vaccine_requests::Entity, &["status", "id"], "idx"),
        index(vaccine_requests::Entity, &["vaccine_id", "id"], "idx"),
        index(users::Entity, &["role", "id"], "idx"),
        index(refresh_tokens::Entity, &["user_id", "id"], "idx"),
        index(refresh_tokens::Entity, &["revoked_at", "id"], "idx"),
        index(outbox::Entity, &["due_at", "id"], "idx"),
        index(audit_events::Entity, &["subject_id", "id"], "idx"),
        index(audit_events::Entity, &["actor_id", "id"], "idx"),
        index(audit_events::Entity, &["action", "id"], "idx"),
    ]
}

fn add<E: EntityTrait>(statements: &mut Vec<Statement>, backend: DbBackend, entity: E) {
    statements.push(backend.build(&table(backend, entity)));
    for derived in Schema::new(backend).create_index_from_entity(entity) {
        let columns = derived.get_index_spec().get_column_names();
        statements.push(backend.build(&index(entity, &columns, "idx")));
    }
}

fn table<E: EntityTrait>(backend: DbBackend, entity: E) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(entity);
    if CLUSTERED.contains(&entity.table_name()) && backend == DbBackend::Sqlite {
        table.extra("WITHOUT ROWID");
    }
    for column in Schema::new(backend).create_table_from_entity(entity).get_columns() {
        let mut column = without_keys(column);
        let is_bytewise = BYTEWISE.contains(&(entity.table_name(), column.get_column_name().as_str()));
        if is_bytewise && backend == DbBackend::Postgres {
            column.extra("COLLATE \"C\"");
        }
        table.col(column);
    }
    let mut primary_key = Index::create();
    primary_key.name(format!("{}_pkey", entity.table_name()));
    for column in E::PrimaryKey::iter() {
        primary_key.col(column.into_column());
    }
    table.primary_key(&mut primary_key);
    for column in E::Column::iter().filter(|column| column.def().is_unique()) {
        table.index(index(entity, &[column.as_str()], "key").unique());
    }
    for relation in E::Relation::iter().map(|relation| relation.def()).filter(|relation| !relation.is_owner) {
        table.foreign_key(&mut foreign_key(entity.table_name(), relation));
    }
    table
}

/// The column as SeaORM derives it, less the keys inside it, which would be nameless.
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
