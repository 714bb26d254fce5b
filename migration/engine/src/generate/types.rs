//! Column types: from their name in the database to sea-query and Rust.

use sea_orm::DbBackend;
use sea_orm::sea_query::{
    ColumnDef, ColumnType, IntoIden as _, PostgresQueryBuilder, SqliteQueryBuilder, StringLen, Table,
};

use crate::schema::Schema;
use crate::schema::ddl::canonical_type;
use crate::schema::entities::Declared;

/// The type of a column: as the entities declare it if that is the same type in the database,
/// otherwise as the database has it.
pub(crate) fn column_type(
    declared: &Declared,
    table: &str,
    column: &str,
    kind: &str,
    backend: DbBackend,
) -> ColumnType {
    let declared = declared.get(&(table.to_owned(), column.to_owned()));
    match declared.filter(|declared| written(declared, backend).as_deref() == Some(kind)) {
        Some(declared) => declared.clone(),
        None => from_database(kind, backend),
    }
}

/// The types of all columns of a schema.
pub(crate) fn of_schema(schema: &Schema, backend: DbBackend) -> Declared {
    let columns = schema.tables.values().flat_map(|table| table.columns.iter().map(move |column| (table, column)));
    let kind = |kind: &str| match schema.enums.get_key_value(kind) {
        Some((name, values)) => ColumnType::Enum {
            name: name.clone().into_iden(),
            variants: values.iter().map(|value| value.clone().into_iden()).collect(),
        },
        None => from_database(kind, backend),
    };
    columns.map(|(table, column)| ((table.name.clone(), column.name.clone()), kind(&column.kind))).collect()
}

/// The type for a type name of the database; a custom type if sea-query has none.
pub(crate) fn from_database(kind: &str, backend: DbBackend) -> ColumnType {
    if let Some(element) = kind.strip_suffix("[]") {
        return ColumnType::Array(from_database(element, backend).into());
    }
    let numbers: Vec<u32> =
        kind.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect();
    let candidates = candidates(&numbers, backend);
    let found = candidates.into_iter().find(|candidate| written(candidate, backend).as_deref() == Some(kind));
    found.unwrap_or_else(|| ColumnType::custom(kind.to_owned()))
}

fn candidates(numbers: &[u32], backend: DbBackend) -> Vec<ColumnType> {
    let mut candidates = vec![
        ColumnType::Text,
        ColumnType::Uuid,
        ColumnType::Boolean,
        ColumnType::SmallInteger,
        ColumnType::Integer,
        ColumnType::BigInteger,
        ColumnType::TinyInteger,
        ColumnType::TimestampWithTimeZone,
        ColumnType::DateTime,
        ColumnType::Timestamp,
        ColumnType::Date,
        ColumnType::Time,
        ColumnType::Float,
        ColumnType::Double,
        ColumnType::Json,
        ColumnType::JsonBinary,
        ColumnType::Decimal(None),
        ColumnType::String(StringLen::None),
        ColumnType::Char(None),
        ColumnType::Blob,
        ColumnType::VarBinary(StringLen::None),
        ColumnType::Money(None),
    ];
    if let Some(length) = numbers.first() {
        candidates.extend([
            ColumnType::String(StringLen::N(*length)),
            ColumnType::Char(Some(*length)),
            ColumnType::Binary(*length),
            ColumnType::VarBinary(StringLen::N(*length)),
        ]);
    }
    if let [precision, scale] = numbers {
        candidates
            .extend([ColumnType::Decimal(Some((*precision, *scale))), ColumnType::Money(Some((*precision, *scale)))]);
    }
    if backend == DbBackend::Postgres {
        candidates.extend([
            ColumnType::Inet,
            ColumnType::Cidr,
            ColumnType::MacAddr,
            ColumnType::LTree,
            ColumnType::Interval(None, None),
        ]);
        candidates.extend(numbers.first().map(|length| ColumnType::VarBit(*length)));
        candidates.push(ColumnType::Bit(numbers.first().copied()));
    }
    candidates
}

/// The type name in the database. None if the database has no such type.
pub(crate) fn written(kind: &ColumnType, backend: DbBackend) -> Option<String> {
    let is_only_postgres = matches!(
        kind,
        ColumnType::Interval(..)
            | ColumnType::Array(_)
            | ColumnType::Vector(_)
            | ColumnType::Cidr
            | ColumnType::Inet
            | ColumnType::MacAddr
            | ColumnType::Bit(_)
            | ColumnType::VarBit(_)
            | ColumnType::LTree
    );
    if matches!(kind, ColumnType::Year) || is_only_postgres && backend != DbBackend::Postgres {
        return None;
    }
    let mut column = ColumnDef::new_with_type("c", kind.clone());
    let mut statement = Table::alter();
    let statement = statement.table("t").add_column(&mut column);
    let sql = match backend {
        DbBackend::Sqlite => statement.to_string(SqliteQueryBuilder),
        _ => statement.to_string(PostgresQueryBuilder),
    };
    sql.split_once("\"c\" ").map(|(_, kind)| canonical_type(kind, backend))
}

/// Whether `ColumnDef` has a method for the type.
pub(crate) fn has_method(kind: &ColumnType) -> bool {
    !matches!(kind, ColumnType::VarBinary(StringLen::None | StringLen::Max))
}

/// The method of `ColumnDef` for the type.
pub(crate) fn method(kind: &ColumnType) -> String {
    match kind {
        ColumnType::Char(None) => "char()".into(),
        ColumnType::Char(Some(length)) => format!("char_len({length})"),
        ColumnType::String(StringLen::N(length)) => format!("string_len({length})"),
        ColumnType::String(_) => "string()".into(),
        ColumnType::Text => "text()".into(),
        ColumnType::Blob => "blob()".into(),
        ColumnType::TinyInteger => "tiny_integer()".into(),
        ColumnType::SmallInteger => "small_integer()".into(),
        ColumnType::Integer => "integer()".into(),
        ColumnType::BigInteger => "big_integer()".into(),
        ColumnType::TinyUnsigned => "tiny_unsigned()".into(),
        ColumnType::SmallUnsigned => "small_unsigned()".into(),
        ColumnType::Unsigned => "unsigned()".into(),
        ColumnType::BigUnsigned => "big_unsigned()".into(),
        ColumnType::Float => "float()".into(),
        ColumnType::Double => "double()".into(),
        ColumnType::Decimal(None) => "decimal()".into(),
        ColumnType::Decimal(Some((precision, scale))) => format!("decimal_len({precision}, {scale})"),
        ColumnType::DateTime => "date_time()".into(),
        ColumnType::Timestamp => "timestamp()".into(),
        ColumnType::TimestampWithTimeZone => "timestamp_with_time_zone()".into(),
        ColumnType::Time => "time()".into(),
        ColumnType::Date => "date()".into(),
        ColumnType::Interval(..) => "interval(None, None)".into(),
        ColumnType::Binary(length) => format!("binary_len({length})"),
        ColumnType::VarBinary(StringLen::N(length)) => format!("var_binary({length})"),
        ColumnType::Bit(length) => format!("bit({length:?})"),
        ColumnType::VarBit(length) => format!("varbit({length})"),
        ColumnType::Boolean => "boolean()".into(),
        ColumnType::Money(None) => "money()".into(),
        ColumnType::Money(Some((precision, scale))) => format!("money_len({precision}, {scale})"),
        ColumnType::Json => "json()".into(),
        ColumnType::JsonBinary => "json_binary()".into(),
        ColumnType::Uuid => "uuid()".into(),
        ColumnType::Array(element) => format!("array({})", value(element)),
        ColumnType::Cidr => "cidr()".into(),
        ColumnType::Inet => "inet()".into(),
        ColumnType::MacAddr => "mac_address()".into(),
        ColumnType::LTree => "ltree()".into(),
        ColumnType::Custom(name) => format!("custom({:?})", name.to_string()),
        ColumnType::Enum { name, variants } => {
            let variants: Vec<_> = variants.iter().map(ToString::to_string).collect();
            format!("enumeration({:?}, {variants:?})", name.to_string())
        }
        other => format!("custom({:?})", written(other, DbBackend::Postgres).unwrap_or_default()),
    }
}

/// The type as Rust code, a value of `ColumnType`.
pub(crate) fn value(kind: &ColumnType) -> String {
    match kind {
        ColumnType::Custom(name) => format!("ColumnType::custom({:?})", name.to_string()),
        ColumnType::String(length) => format!("ColumnType::String(StringLen::{length:?})"),
        ColumnType::VarBinary(length) => format!("ColumnType::VarBinary(StringLen::{length:?})"),
        ColumnType::Enum { name, .. } => format!("ColumnType::custom({:?})", name.to_string()),
        ColumnType::Array(element) => format!("ColumnType::Array(std::sync::Arc::new({}))", value(element)),
        other => format!("ColumnType::{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_recognized_by_its_name_in_the_database() {
        for kind in [
            ColumnType::Uuid,
            ColumnType::String(StringLen::N(16)),
            ColumnType::String(StringLen::None),
            ColumnType::Char(Some(3)),
            ColumnType::Text,
            ColumnType::SmallInteger,
            ColumnType::Integer,
            ColumnType::Double,
            ColumnType::Float,
            ColumnType::Decimal(Some((10, 2))),
            ColumnType::Boolean,
            ColumnType::TimestampWithTimeZone,
            ColumnType::DateTime,
            ColumnType::Date,
            ColumnType::Time,
            ColumnType::Json,
            ColumnType::JsonBinary,
            ColumnType::Blob,
        ] {
            for backend in [DbBackend::Sqlite, DbBackend::Postgres] {
                let text = written(&kind, backend).unwrap();
                assert_eq!(from_database(&text, backend), kind, "{text} on {backend:?}");
            }
        }
        assert_eq!(from_database("bigint", DbBackend::Postgres), ColumnType::BigInteger);
        assert_eq!(method(&from_database("integer[]", DbBackend::Postgres)), "array(ColumnType::Integer)");
        assert_eq!(method(&from_database("tsvector", DbBackend::Postgres)), "custom(\"tsvector\")");
    }
}
