//! The table and the indexes of an entity: what SeaORM derives, with names by a convention, and what is declared beside it.

use sea_orm::sea_query::extension::postgres::{Type, TypeCreateStatement};
use sea_orm::sea_query::{
    Check, ColumnDef, ColumnType, Expr, ExprTrait, ForeignKeyCreateStatement, Index, IndexCreateStatement, IndexType,
    IntoIden, PostgresQueryBuilder, Table, TableCreateStatement, TableRef,
};
use sea_orm::{
    ColumnTrait, ConditionalStatement, DbBackend, EntityTrait, IdenStatic, Iterable, PrimaryKeyArity,
    PrimaryKeyToColumn, PrimaryKeyTrait, RelationDef, RelationTrait, Schema,
};

use super::extras::{CompositeIndex, TableExtras};
use super::naming::{Kind, Naming, identifier};
use crate::alter_table::quoted;

/// What is declared beside the attributes of an entity.
#[derive(Clone, Debug, Default)]
pub(super) struct Extras {
    indexes: &'static [CompositeIndex],
    is_without_rowid: bool,
    collate_c: &'static [&'static str],
    enum_values: Vec<(String, Vec<String>)>,
}

impl Extras {
    pub(super) fn of<E: TableExtras>() -> Self {
        let enum_values = E::enum_values().into_iter().map(|(column, values)| (column.as_str().to_owned(), values));
        Self {
            indexes: E::INDEXES,
            is_without_rowid: E::WITHOUT_ROWID,
            collate_c: E::COLLATE_C,
            enum_values: enum_values.collect(),
        }
    }
}

/// Whether two statements create the same type.
pub(super) fn is_same_type(one: &TypeCreateStatement, other: &TypeCreateStatement) -> bool {
    one.to_string(PostgresQueryBuilder) == other.to_string(PostgresQueryBuilder)
}

/// The native enums of columns, and of the elements of arrays.
pub(super) fn types<E: EntityTrait>(backend: DbBackend, entity: E) -> Vec<TypeCreateStatement> {
    let mut types = Schema::new(backend).create_enum_from_entity(entity);
    if backend == DbBackend::Postgres {
        types.extend(E::Column::iter().filter_map(|column| match column.def().get_column_type() {
            ColumnType::Array(element) => match element.as_ref() {
                ColumnType::Enum { name, variants } => {
                    Some(Type::create().as_enum(name.clone()).values(variants.clone()).to_owned())
                }
                _ => None,
            },
            _ => None,
        }));
    }
    types
}

/// Columns with `renamed_from`, which SeaORM writes into their comment: table, new and old name.
pub(super) fn renamed<E: EntityTrait>(backend: DbBackend, entity: E) -> Vec<(String, String, String)> {
    let table = Schema::new(backend).create_table_from_entity(entity);
    let renamed = table.get_columns().iter().filter_map(|column| {
        let comment = column.get_column_spec().comment.as_deref()?;
        let old = comment.rsplit_once("renamed_from \"")?.1.strip_suffix('"')?;
        Some((entity.table_name().to_owned(), column.get_column_name(), old.to_owned()))
    });
    renamed.collect()
}

/// The indexes besides those of the keys.
pub(super) fn indexes<E: EntityTrait>(
    backend: DbBackend,
    naming: Naming,
    entity: E,
    extras: &Extras,
) -> Vec<IndexCreateStatement> {
    let derived = Schema::new(backend).create_index_from_entity(entity);
    let derived = derived.iter().map(|derived| {
        let columns = derived.get_index_spec().get_column_names();
        let kind = if derived.is_unique_key() { Kind::Unique } else { Kind::Index };
        let mut index = index(naming, entity, &columns, kind);
        if let (Naming::SeaOrm, Some(name)) = (naming, derived.get_index_spec().get_name()) {
            index.name(identifier(name));
        }
        index
    });
    let composite = known(backend, extras).filter(|composite| !has_expression::<E>(composite)).map(|composite| {
        let kind = if composite.is_unique { Kind::Unique } else { Kind::Index };
        let mut index = index(naming, entity, &strings(composite), kind);
        if let Some(name) = composite.name {
            index.name(name);
        }
        if let Some(condition) = composite.filter {
            index.and_where(Expr::cust(condition));
        }
        if let Some(method) = composite.method {
            index.index_type(IndexType::Custom(method.into_iden()));
        }
        index
    });
    derived.chain(composite).collect()
}

/// The indexes with expressions, as SQL: sea-query writes none for SQLite.
pub(super) fn expression_indexes<E: EntityTrait>(
    backend: DbBackend,
    naming: Naming,
    entity: E,
    extras: &Extras,
) -> Vec<String> {
    let indexes = known(backend, extras).filter(|composite| has_expression::<E>(composite)).map(|composite| {
        let (unique, kind) = if composite.is_unique { ("UNIQUE ", Kind::Unique) } else { ("", Kind::Index) };
        // An expression has no place in a name.
        let names: Vec<String> = strings(composite).iter().map(|column| words(column)).collect();
        let by_convention = || naming.name(kind, entity.table_name(), &names);
        let name = quoted(&composite.name.map_or_else(by_convention, ToOwned::to_owned));
        let item = |column: &&str| match (is_column::<E>(column), column.strip_suffix(" DESC")) {
            (true, _) => quoted(column),
            (false, Some(column)) if is_column::<E>(column) => format!("{} DESC", quoted(column)),
            (false, Some(column)) => format!("({column}) DESC"),
            (false, None) => format!("({column})"),
        };
        let items: Vec<String> = composite.columns.iter().map(item).collect();
        let method = composite.method.map(|method| format!(" USING {method}")).unwrap_or_default();
        let condition = composite.filter.map(|condition| format!(" WHERE {condition}")).unwrap_or_default();
        let table = quoted(entity.table_name());
        format!("CREATE {unique}INDEX {name} ON {table}{method} ({}){condition}", items.join(", "))
    });
    indexes.collect()
}

/// The indexes that the database can have.
fn known(backend: DbBackend, extras: &Extras) -> impl Iterator<Item = &CompositeIndex> {
    extras.indexes.iter().filter(move |index| index.method.is_none() || backend == DbBackend::Postgres)
}

fn strings(index: &CompositeIndex) -> Vec<String> {
    index.columns.iter().map(ToString::to_string).collect()
}

fn is_column<E: EntityTrait>(name: &str) -> bool {
    E::Column::iter().any(|column| column.as_str() == name)
}

fn has_expression<E: EntityTrait>(index: &CompositeIndex) -> bool {
    !index.columns.iter().all(|name| is_column::<E>(name))
}

/// The letters and digits of an expression.
fn words(text: &str) -> String {
    let words = text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_")
}

fn index<E: EntityTrait>(naming: Naming, entity: E, columns: &[String], kind: Kind) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(naming.name(kind, entity.table_name(), columns)).table(entity.table_name().into_iden());
    if kind == Kind::Unique {
        index.unique();
    }
    for column in columns {
        index.col(column.clone());
    }
    index
}

/// The table with its keys, foreign keys and CHECKs.
pub(super) fn table<E: EntityTrait>(
    backend: DbBackend,
    naming: Naming,
    entity: E,
    extras: &Extras,
) -> TableCreateStatement {
    let name = entity.table_name();
    let mut table = Table::create();
    table.table(entity.table_ref());
    if backend == DbBackend::Sqlite {
        // SQLite has no schemas.
        table.table(name.into_iden());
        if extras.is_without_rowid {
            table.extra("WITHOUT ROWID");
        }
    }
    let is_only_key = <<E::PrimaryKey as PrimaryKeyTrait>::ValueType as PrimaryKeyArity>::ARITY == 1;
    let mut has_inline_key = false;
    for derived in Schema::new(backend).create_table_from_entity(entity).get_columns() {
        let is_counter = derived.get_column_spec().auto_increment;
        let mut column = without_keys(derived);
        let declared = E::Column::iter().find(|known| known.as_str() == derived.get_column_name());
        if let Some(kind) = declared.map(|known| known.def().get_column_type().clone()).filter(is_enum) {
            // SeaORM gives its name only for PostgreSQL, which would be the type on SQLite, too.
            column = retyped(&column, kind);
        }
        if is_counter && (is_only_key || backend == DbBackend::Postgres) {
            column.auto_increment();
        }
        if is_counter && is_only_key {
            // SQLite has AUTOINCREMENT only for a PRIMARY KEY in the column definition.
            column.primary_key();
            has_inline_key = true;
        }
        if extras.collate_c.contains(&column.get_column_name().as_str()) && backend == DbBackend::Postgres {
            column.extra("COLLATE \"C\"");
        }
        table.col(column);
    }
    let keys: Vec<String> = E::PrimaryKey::iter().map(|key| key.into_column().as_str().to_owned()).collect();
    if !has_inline_key && !keys.is_empty() {
        let mut primary_key = Index::create();
        if naming == Naming::Postgres || keys.len() > 1 {
            primary_key.name(naming.name(Kind::PrimaryKey, name, &keys));
        }
        for key in &keys {
            primary_key.col(key.clone());
        }
        table.primary_key(&mut primary_key);
    }
    for column in E::Column::iter().filter(|column| column.def().is_unique()) {
        let columns = [column.as_str().to_owned()];
        let mut unique = Index::create().col(column.as_str().into_iden()).unique().to_owned();
        if naming == Naming::Postgres {
            unique.name(naming.name(Kind::Unique, name, &columns));
        }
        table.index(&mut unique);
    }
    let owned =
        E::Relation::iter().map(|relation| relation.def()).filter(|relation| !relation.is_owner && !relation.skip_fk);
    for relation in owned {
        table.foreign_key(&mut foreign_key(backend, naming, name, relation));
    }
    for (column, values) in &extras.enum_values {
        let is_value = Expr::col(column.clone()).is_in(values.clone());
        let name = naming.name(Kind::Check, name, std::slice::from_ref(column));
        table.check(Check::named(name, is_value));
    }
    table
}

fn is_enum(kind: &ColumnType) -> bool {
    matches!(kind, ColumnType::Enum { .. })
}

/// Copies a derived column without its keys, which would have no names.
fn without_keys(derived: &ColumnDef) -> ColumnDef {
    match derived.get_column_type() {
        Some(kind) => retyped(derived, kind.clone()),
        None => with_spec(ColumnDef::new(derived.get_column_name()), derived),
    }
}

fn retyped(derived: &ColumnDef, kind: ColumnType) -> ColumnDef {
    with_spec(ColumnDef::new_with_type(derived.get_column_name(), kind), derived)
}

fn with_spec(mut column: ColumnDef, derived: &ColumnDef) -> ColumnDef {
    let spec = derived.get_column_spec();
    if spec.nullable == Some(false) {
        column.not_null();
    }
    if let Some(default) = &spec.default {
        column.default(default.clone());
    }
    if let Some(generated) = &spec.generated {
        column.generated(generated.expr.clone(), generated.stored);
    }
    if let Some(extra) = &spec.extra {
        column.extra(extra);
    }
    column
}

fn foreign_key(backend: DbBackend, naming: Naming, table: &str, relation: RelationDef) -> ForeignKeyCreateStatement {
    let columns: Vec<_> = relation.from_col.iter().map(|column| column.to_string()).collect();
    let name = relation.fk_name.clone().map(|name| identifier(&name));
    let referred = match &relation.to_tbl {
        TableRef::Table(referred, _) if backend == DbBackend::Sqlite => Some(referred.1.clone()),
        _ => None,
    };
    let mut key: ForeignKeyCreateStatement = relation.into();
    if let Some(referred) = referred {
        // SQLite has no schemas.
        key.from_tbl(table.to_owned()).to_tbl(referred);
    }
    key.name(name.unwrap_or_else(|| naming.name(Kind::ForeignKey, table, &columns)));
    key
}
