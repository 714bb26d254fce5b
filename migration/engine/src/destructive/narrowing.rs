//! Types of columns: whether values of one fit into another, on both databases.

/// Whether values of the old type may not fit the new one.
pub(crate) fn is_narrower(old: &str, new: &str) -> bool {
    let ((old, old_size), (new, new_size)) = (family(old), family(new));
    if old == new {
        return match (old_size.as_slice(), new_size.as_slice()) {
            (_, []) => false,
            ([], _) => true,
            ([length], [other]) => other < length,
            ([precision, scale], [other, other_scale]) => {
                other_scale < scale || other.saturating_sub(*other_scale) < precision.saturating_sub(*scale)
            }
            _ => true,
        };
    }
    let wider: &[&str] = match old.as_str() {
        "tinyint" => &["smallint", "integer", "bigint", "numeric", "double", "float", "text"],
        "smallint" => &["integer", "bigint", "numeric", "double", "float", "text"],
        "integer" => &["bigint", "numeric", "double", "text"],
        "bigint" => &["numeric", "text"],
        "float" => &["double", "text"],
        "char" | "varchar" => &["text", "varchar", "citext"],
        "date" => &["timestamp", "timestamptz", "text"],
        "timestamp" => &["timestamptz", "text"],
        "json" => &["jsonb", "text"],
        "text" => &["citext"],
        "citext" => &["text", "varchar"],
        _ => &["text"],
    };
    let fits = new_size.is_empty() || (matches!(old.as_str(), "char") && new_size >= old_size);
    let unlimited_text = old == "text" && new == "varchar" && new_size.is_empty();
    !(unlimited_text || fits && wider.contains(&new.as_str()))
}

/// The type under one name for both databases, such as `varchar(16)`.
#[cfg(feature = "cli")]
pub(crate) fn common_name(kind: &str) -> String {
    let (name, size) = family(kind);
    let size: Vec<_> = size.iter().map(ToString::to_string).collect();
    if size.is_empty() { name } else { format!("{name}({})", size.join(", ")) }
}

/// Whether PostgreSQL converts one type to the other implicitly when the type of a column changes.
#[cfg(feature = "cli")]
pub(crate) fn is_converted(old: &str, new: &str) -> bool {
    let (old, new) = (family(old).0, family(new).0);
    let text = ["varchar", "char", "text"];
    let groups: [&[&str]; 4] = [
        &["smallint", "integer", "bigint", "numeric", "float", "double"],
        &["date", "timestamp", "timestamptz"],
        &["json", "jsonb"],
        &["inet", "cidr"],
    ];
    old == new
        || text.contains(&new.as_str())
        || groups.iter().any(|group| group.contains(&old.as_str()) && group.contains(&new.as_str()))
}

/// The name of a type without its size, the same for both databases, and the size.
fn family(kind: &str) -> (String, Vec<u32>) {
    let kind = kind.to_ascii_lowercase();
    let (name, size) = kind.split_once('(').unwrap_or((&kind, ""));
    let (size, rest) = size.split_once(')').unwrap_or((size, ""));
    let size: Vec<u32> = size.split(',').filter_map(|number| number.trim().parse().ok()).collect();
    let name = format!("{}{rest}", name.trim());
    let family = match name.as_str() {
        "character varying" => "varchar",
        "character" | "bpchar" => "char",
        "int" | "int4" | "serial" => "integer",
        "int8" | "bigserial" => "bigint",
        "int2" => "smallint",
        // Decimals of SQLite.
        "real" if size.len() == 2 => "numeric",
        "real" | "float4" => "float",
        "double precision" | "float8" => "double",
        "decimal" | "real_decimal" => "numeric",
        "bool" => "boolean",
        "date_text" => "date",
        "timestamp_with_timezone_text" | "timestamp with time zone" => "timestamptz",
        "timestamp without time zone" | "timestamp_text" | "datetime_text" => "timestamp",
        "uuid_text" => "uuid",
        "json_text" => "json",
        "jsonb_text" => "jsonb",
        other => other,
    };
    (family.to_owned(), size)
}

#[cfg(test)]
mod tests {
    use super::is_narrower;

    #[test]
    fn sizes_of_types_are_compared() {
        assert!(is_narrower("numeric(10, 2)", "numeric(10, 4)") && !is_narrower("numeric(10, 2)", "numeric(12, 4)"));
        assert!(is_narrower("timestamp with time zone", "date") && !is_narrower("date", "timestamp without time zone"));
        assert!(is_narrower("varchar(200)", "varchar(10)") && !is_narrower("varchar(200)", "text"));
    }
}
