//! The Rust type and the `column_type` of a field.

use sea_orm::DbBackend;
use sea_orm::sea_query::{ColumnType, StringLen};

use super::attribute::{Attributes, Choice};
use super::context::Context;
use super::source::RustType;
use crate::generate::types::{from_database, written};

/// The Rust type of a field, and the decision about its `column_type`.
#[derive(Debug)]
pub(super) struct TypeChoice {
    pub(super) rust: String,
    pub(super) column_type: Choice,
    /// No Rust type is known for the column.
    pub(super) is_unknown: bool,
}

/// Chooses the type of a field. An existing type stays if it has the same type in the database.
/// `enum_name` is the enum with the values of the column.
pub(super) fn choose(
    context: &Context<'_>,
    kind: &str,
    enum_name: Option<&str>,
    known: Option<(&RustType, &Attributes)>,
) -> TypeChoice {
    let is_same = |declared: &ColumnType| written(declared, context.backend).as_deref() == Some(kind);
    let declared_by = |rust: &str| implied(rust).or_else(|| context.plan.enums.get(rust).cloned().flatten());
    let expected = from_database(kind, context.backend);
    let column_type_for = |rust: &str| match declared_by(rust) {
        Some(declared) if is_same(&declared) => Choice::Drop,
        _ => Choice::Set(format!("column_type = {:?}", attribute_text(&expected))),
    };
    let keep = |rust: &str| TypeChoice { rust: rust.to_owned(), column_type: Choice::Keep, is_unknown: false };
    let replace = |rust: String, is_unknown: bool| TypeChoice { column_type: column_type_for(&rust), rust, is_unknown };
    if let Some(enum_name) = enum_name.filter(|enum_name| known.is_none_or(|(rust, _)| rust.name != *enum_name)) {
        return replace(enum_name.to_owned(), false);
    }
    let Some((rust, existing)) = known else {
        let rust = rust_name(&expected).or_else(|| stored_as(kind, context.backend));
        return replace(rust.unwrap_or("String").to_owned(), rust.is_none());
    };
    // A type that is not understood is assumed to be right: types of the project declare their
    // column type themselves.
    let declared = match existing.get("column_type") {
        Some(_) => existing.text("column_type").and_then(read),
        None => declared_by(&rust.name),
    };
    if declared.as_ref().is_none_or(is_same) {
        return keep(&rust.name);
    }
    let stays = match implied(&rust.name) {
        None => true,
        Some(implied) => family(&implied).is_some_and(|family_of| family(&expected) == Some(family_of)),
    };
    match rust_name(&expected).or_else(|| stored_as(kind, context.backend)) {
        Some(name) if !stays => replace(name.to_owned(), false),
        _ => replace(rust.name.clone(), false),
    }
}

pub(super) fn is_text(kind: &ColumnType) -> bool {
    family(kind) == Some("text")
}

/// Groups of column types that one Rust type can hold.
fn family(kind: &ColumnType) -> Option<&'static str> {
    match kind {
        ColumnType::Char(_) | ColumnType::String(_) | ColumnType::Text => Some("text"),
        ColumnType::Json | ColumnType::JsonBinary => Some("json"),
        ColumnType::Blob | ColumnType::Binary(_) | ColumnType::VarBinary(_) => Some("bytes"),
        ColumnType::Decimal(_) | ColumnType::Money(_) => Some("decimal"),
        ColumnType::DateTime | ColumnType::Timestamp => Some("time"),
        _ => None,
    }
}

/// The column type that SeaORM derives from a Rust type. None for types of the project.
fn implied(rust: &str) -> Option<ColumnType> {
    Some(match rust {
        "bool" => ColumnType::Boolean,
        "i8" => ColumnType::TinyInteger,
        "i16" => ColumnType::SmallInteger,
        "i32" => ColumnType::Integer,
        "i64" => ColumnType::BigInteger,
        "u8" => ColumnType::TinyUnsigned,
        "u16" => ColumnType::SmallUnsigned,
        "u32" => ColumnType::Unsigned,
        "u64" => ColumnType::BigUnsigned,
        "f32" => ColumnType::Float,
        "f64" => ColumnType::Double,
        "char" => ColumnType::Char(None),
        "String" => ColumnType::String(StringLen::None),
        "Vec<u8>" => ColumnType::VarBinary(StringLen::None),
        "Uuid" => ColumnType::Uuid,
        "Json" => ColumnType::Json,
        "Date" | "ChronoDate" | "TimeDate" => ColumnType::Date,
        "Time" | "ChronoTime" | "TimeTime" => ColumnType::Time,
        "DateTime" | "ChronoDateTime" | "TimeDateTime" => ColumnType::DateTime,
        "DateTimeUtc"
        | "DateTimeLocal"
        | "DateTimeWithTimeZone"
        | "ChronoDateTimeUtc"
        | "ChronoDateTimeLocal"
        | "ChronoDateTimeWithTimeZone"
        | "TimeDateTimeWithTimeZone" => ColumnType::TimestampWithTimeZone,
        "Decimal" | "BigDecimal" => ColumnType::Decimal(None),
        _ => return None,
    })
}

/// The Rust type for a type name that SQLite does not define, by its rules in "Determination Of
/// Column Affinity".
fn stored_as(kind: &str, backend: DbBackend) -> Option<&'static str> {
    if backend != DbBackend::Sqlite {
        return None;
    }
    let name = kind.split('(').next().unwrap_or(kind).trim();
    let everyday = match name {
        "datetime" | "timestamp" => Some("DateTime"),
        "timestamp with time zone" | "timestamptz" => Some("DateTimeUtc"),
        "date" => Some("Date"),
        "time" => Some("Time"),
        "numeric" | "decimal" | "money" => Some("Decimal"),
        "bool" | "boolean" => Some("bool"),
        "uuid" | "guid" => Some("Uuid"),
        "json" | "jsonb" => Some("Json"),
        _ => None,
    };
    let holds = |parts: &[&str]| parts.iter().any(|part| kind.contains(part));
    match kind {
        _ if everyday.is_some() => everyday,
        _ if holds(&["int"]) => Some("i64"),
        _ if holds(&["char", "clob", "text"]) => Some("String"),
        _ if holds(&["blob"]) => Some("Vec<u8>"),
        _ if holds(&["real", "floa", "doub"]) => Some("f64"),
        _ => None,
    }
}

/// The Rust type for a new field.
fn rust_name(kind: &ColumnType) -> Option<&'static str> {
    Some(match kind {
        ColumnType::Char(_) | ColumnType::String(_) | ColumnType::Text => "String",
        ColumnType::TinyInteger => "i8",
        ColumnType::SmallInteger => "i16",
        ColumnType::Integer => "i32",
        ColumnType::BigInteger => "i64",
        ColumnType::Boolean => "bool",
        ColumnType::Float => "f32",
        ColumnType::Double => "f64",
        ColumnType::Decimal(_) => "Decimal",
        ColumnType::Uuid => "Uuid",
        ColumnType::Date => "Date",
        ColumnType::Time => "Time",
        ColumnType::DateTime | ColumnType::Timestamp => "DateTime",
        ColumnType::TimestampWithTimeZone => "DateTimeUtc",
        ColumnType::Json | ColumnType::JsonBinary => "Json",
        ColumnType::Blob | ColumnType::Binary(_) | ColumnType::VarBinary(_) => "Vec<u8>",
        ColumnType::Array(element) => match element.as_ref() {
            ColumnType::Char(_) | ColumnType::String(_) | ColumnType::Text => "Vec<String>",
            ColumnType::SmallInteger => "Vec<i16>",
            ColumnType::Integer => "Vec<i32>",
            ColumnType::BigInteger => "Vec<i64>",
            ColumnType::Boolean => "Vec<bool>",
            ColumnType::Uuid => "Vec<Uuid>",
            _ => return None,
        },
        _ => return None,
    })
}

/// Parses the value of `column_type` or `db_type`. None if it is not understood.
pub(super) fn read(text: &str) -> Option<ColumnType> {
    let (name, rest) = text.split_at(text.find('(').unwrap_or(text.len()));
    let numbers: Vec<u32> =
        rest.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect();
    let first = numbers.first().copied();
    let pair = match numbers.as_slice() {
        [precision, scale] => Some((*precision, *scale)),
        _ => None,
    };
    let length = || match (rest.contains("N("), first) {
        (true, Some(length)) => Some(StringLen::N(length)),
        (true, None) => None,
        (false, _) if rest.contains("Max") => Some(StringLen::Max),
        (false, _) => Some(StringLen::None),
    };
    Some(match name.trim() {
        "Char" => ColumnType::Char(first),
        "String" => ColumnType::String(length()?),
        "Binary" => ColumnType::Binary(first?),
        "VarBinary" => ColumnType::VarBinary(length()?),
        "Decimal" => ColumnType::Decimal(pair),
        "Money" => ColumnType::Money(pair),
        "Bit" => ColumnType::Bit(first),
        "VarBit" => ColumnType::VarBit(first?),
        "Interval" => ColumnType::Interval(None, None),
        "custom" => ColumnType::custom(text.split('"').nth(1)?.to_owned()),
        plain => plain_type(plain)?,
    })
}

fn plain_type(name: &str) -> Option<ColumnType> {
    Some(match name {
        "Text" => ColumnType::Text,
        "Blob" => ColumnType::Blob,
        "TinyInteger" => ColumnType::TinyInteger,
        "SmallInteger" => ColumnType::SmallInteger,
        "Integer" => ColumnType::Integer,
        "BigInteger" => ColumnType::BigInteger,
        "TinyUnsigned" => ColumnType::TinyUnsigned,
        "SmallUnsigned" => ColumnType::SmallUnsigned,
        "Unsigned" => ColumnType::Unsigned,
        "BigUnsigned" => ColumnType::BigUnsigned,
        "Float" => ColumnType::Float,
        "Double" => ColumnType::Double,
        "DateTime" => ColumnType::DateTime,
        "Timestamp" => ColumnType::Timestamp,
        "TimestampWithTimeZone" => ColumnType::TimestampWithTimeZone,
        "Date" => ColumnType::Date,
        "Time" => ColumnType::Time,
        "Boolean" => ColumnType::Boolean,
        "Json" => ColumnType::Json,
        "JsonBinary" => ColumnType::JsonBinary,
        "Uuid" => ColumnType::Uuid,
        "Cidr" => ColumnType::Cidr,
        "Inet" => ColumnType::Inet,
        "MacAddr" => ColumnType::MacAddr,
        "LTree" => ColumnType::LTree,
        _ => return None,
    })
}

/// The value of `column_type` or `db_type` for a type.
pub(super) fn attribute_text(kind: &ColumnType) -> String {
    let length = |length: &StringLen| match length {
        StringLen::N(length) => format!("StringLen::N({length})"),
        StringLen::Max => "StringLen::Max".to_owned(),
        StringLen::None => "StringLen::None".to_owned(),
    };
    match kind {
        ColumnType::String(len) => format!("String({})", length(len)),
        ColumnType::VarBinary(len) => format!("VarBinary({})", length(len)),
        ColumnType::Interval(..) => "Interval(None, None)".into(),
        ColumnType::Custom(name) => format!("custom({:?})", name.to_string()),
        ColumnType::Array(element) => format!("Array(RcOrArc::new(ColumnType::{}))", attribute_text(element)),
        // The `Debug` form is Rust code: `Decimal(Some((10, 2)))`.
        other => format!("{other:?}"),
    }
}
