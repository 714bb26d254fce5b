//! Data loss: which data a migration would delete or truncate, found from its SQL and the columns
//! of the database.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use crate::alter_table::{TEMPORARY_PREFIX, TableDefinition, bare, tokens};

/// The type of each column, in lower case, by table and column.
pub(crate) type Types = BTreeMap<String, BTreeMap<String, String>>;

/// Reads the types of all columns of the database.
pub(crate) async fn types(db: &impl ConnectionTrait) -> Result<Types, DbErr> {
    let sql = match db.get_database_backend() {
        DbBackend::Sqlite => {
            "SELECT t.name, c.name, lower(c.type) FROM sqlite_master t, pragma_table_xinfo(t.name) c WHERE t.type = 'table'"
        }
        _ => {
            "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod) \
             FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
             WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace"
        }
    };
    let mut types = Types::new();
    for row in db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await? {
        let (table, column): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        types.entry(table).or_default().insert(column, row.try_get_by_index(2)?);
    }
    Ok(types)
}

/// The data losses of some statements, such as `drop column users.nid`. Tables and columns that do
/// not exist yet have no data.
pub(crate) fn losses(statements: &[String], types: &Types) -> Vec<String> {
    let statements_apart: Vec<_> = statements.iter().flat_map(|statement| split(statement)).collect();
    let rebuilt: Vec<_> = statements_apart.iter().filter_map(|tokens| rebuilt_table(tokens)).collect();
    let mut losses: Vec<_> = statements_apart.iter().flat_map(|tokens| losses_of(tokens, types, &rebuilt)).collect();
    losses.dedup();
    losses
}

/// The tokens of each statement in a text. The bodies of triggers and functions are left out: they
/// are not executed now.
fn split(text: &str) -> Vec<Vec<&str>> {
    let tokens: Vec<_> = tokens(text).into_iter().map(|token| &text[token]).collect();
    let is_body = tokens.first().is_some_and(|first| is(first, "CREATE"))
        && tokens.iter().take(6).any(|token| ["TRIGGER", "FUNCTION", "PROCEDURE"].iter().any(|kind| is(token, kind)));
    match is_body {
        true => Vec::new(),
        false => tokens.split(|token| *token == ";").map(<[_]>::to_vec).filter(|tokens| !tokens.is_empty()).collect(),
    }
}

fn losses_of(tokens: &[&str], types: &Types, rebuilt: &[String]) -> Vec<String> {
    let known = |name: &[&str]| table_named(name).filter(|name| types.contains_key(name));
    let mut losses = Vec::new();
    match tokens {
        [drop, kind, rest @ ..] if is(drop, "DROP") && is(kind, "TABLE") => {
            let names = rest.split(|token| *token == ",").filter_map(|name| known(skip(name, &["IF", "EXISTS"])));
            losses.extend(names.filter(|name| !rebuilt.contains(name)).map(|name| format!("drop table {name}")));
        }
        [drop, kind, rest @ ..]
            if is(drop, "DROP") && (is(kind, "SCHEMA") || is(kind, "DATABASE") || is(kind, "TYPE")) =>
        {
            let name = skip(rest, &["IF", "EXISTS"]).first().map(|name| bare(name)).unwrap_or_default();
            losses.push(format!("drop {} {name}", kind.to_lowercase()));
        }
        [alter, kind, rest @ ..] if is(alter, "ALTER") && is(kind, "TABLE") => {
            let rest = skip(rest, &["IF", "EXISTS", "ONLY"]);
            let changes = rest.get(if rest.get(1) == Some(&".") { 3 } else { 1 }..).unwrap_or_default();
            if let Some((table, columns)) = known(rest).and_then(|table| Some((table.clone(), types.get(&table)?))) {
                losses.extend(altered(&table, changes, columns));
            }
        }
        [create, kind, name, ..] if is(create, "CREATE") && is(kind, "TABLE") => {
            if let Some(name) = bare(name).strip_prefix(TEMPORARY_PREFIX) {
                losses.extend(
                    types.get(name).iter().flat_map(|columns| losses_of_rebuild(name, &tokens.join(" "), columns)),
                );
            }
        }
        _ => {}
    }
    // At any position, for `WITH … DELETE`.
    for (position, token) in tokens.iter().enumerate() {
        let rest = tokens.get(position + 1..).unwrap_or_default();
        let table = match rest {
            [from, table @ ..] if is(token, "DELETE") && is(from, "FROM") => known(skip(table, &["ONLY"])),
            table if position == 0 && is(token, "TRUNCATE") => known(skip(table, &["TABLE", "ONLY"])),
            _ => None,
        };
        losses.extend(table.map(|table| format!("delete rows of {table}")));
    }
    losses
}

fn is(token: &str, keyword: &str) -> bool {
    token.eq_ignore_ascii_case(keyword)
}

fn skip<'a, 'b>(tokens: &'a [&'b str], keywords: &[&str]) -> &'a [&'b str] {
    let count = tokens.iter().take_while(|token| keywords.iter().any(|keyword| is(token, keyword))).count();
    tokens.get(count..).unwrap_or_default()
}

/// The name of a table without its schema. Without quotes it is in lower case.
fn table_named(tokens: &[&str]) -> Option<String> {
    let name = match tokens {
        [_, dot, name, ..] if *dot == "." => name,
        [name, ..] => name,
        [] => return None,
    };
    Some(if name.starts_with(['"', '`', '[']) { bare(name) } else { name.to_lowercase() })
}

/// The name of the table, if the statement is the last step of a rebuild (`RENAME TO`).
fn rebuilt_table(tokens: &[&str]) -> Option<String> {
    match tokens {
        [alter, table, from, rename, to, name, ..]
            if is(alter, "ALTER") && is(table, "TABLE") && is(rename, "RENAME") && is(to, "TO") =>
        {
            bare(from).starts_with(TEMPORARY_PREFIX).then(|| bare(name))
        }
        _ => None,
    }
}

fn altered(table: &str, changes: &[&str], columns: &BTreeMap<String, String>) -> Vec<String> {
    let mut losses = Vec::new();
    for (position, token) in changes.iter().enumerate() {
        let rest = changes.get(position + 1..).unwrap_or_default();
        if is(token, "DROP") {
            let name = table_named(skip(rest, &["COLUMN", "IF", "EXISTS"])).filter(|name| columns.contains_key(name));
            losses.extend(name.map(|name| format!("drop column {table}.{name}")));
        } else if is(token, "ALTER") {
            let rest = skip(rest, &["COLUMN"]);
            let (Some(name), rest) = (table_named(rest), rest.get(1..).unwrap_or_default()) else { continue };
            let kind = match rest {
                [kind, new @ ..] if is(kind, "TYPE") => new,
                [set, data, kind, new @ ..] if is(set, "SET") && is(data, "DATA") && is(kind, "TYPE") => new,
                _ => continue,
            };
            losses.extend(columns.get(&name).and_then(|old| narrowed(table, &name, old, &new_type(kind))));
        }
    }
    losses
}

/// The tokens of a type, up to the next clause.
fn new_type(tokens: &[&str]) -> String {
    let mut depth = 0;
    let tokens = tokens.iter().take_while(|token| {
        depth += i32::from(**token == "(") - i32::from(**token == ")");
        !(is(token, "USING") || is(token, "COLLATE") || **token == "," && depth == 0)
    });
    let text = tokens.copied().collect::<Vec<_>>().join(" ").to_ascii_lowercase();
    text.replace(" ( ", "(").replace(" )", ")").replace(" , ", ", ").replace("( ", "(").replace(" (", "(")
}

fn losses_of_rebuild(table: &str, statement: &str, columns: &BTreeMap<String, String>) -> Vec<String> {
    let new = TableDefinition::parse(statement);
    let new: BTreeMap<_, _> = new.types().map(|(name, kind)| (name.to_owned(), kind)).collect();
    columns
        .iter()
        .filter_map(|(name, old)| match new.get(name) {
            Some(kind) => {
                let tokens: Vec<_> = tokens(kind).into_iter().map(|token| &kind[token]).collect();
                narrowed(table, name, old, &new_type(&tokens))
            }
            None => Some(format!("drop column {table}.{name}")),
        })
        .collect()
}

fn narrowed(table: &str, column: &str, old: &str, new: &str) -> Option<String> {
    is_narrower(old, new).then(|| format!("narrow {table}.{column} from {old} to {new}"))
}

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
        "char" | "varchar" => &["text", "varchar"],
        "date" => &["timestamp", "timestamptz", "text"],
        "timestamp" => &["timestamptz", "text"],
        "json" => &["jsonb", "text"],
        "text" => &[],
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
    use super::*;

    fn types() -> Types {
        let columns = [("id", "uuid"), ("name", "varchar(200)"), ("age", "integer")];
        let columns = columns.map(|(name, kind)| (name.to_owned(), kind.to_owned()));
        BTreeMap::from([("users".to_owned(), BTreeMap::from(columns))])
    }

    fn losses_of(statements: &[&str]) -> Vec<String> {
        losses(&statements.iter().map(ToString::to_string).collect::<Vec<_>>(), &types())
    }

    #[test]
    fn data_losses_are_found() {
        for (statement, loss) in [
            ("DROP TABLE \"users\"", "drop table users"),
            ("drop table if exists users cascade", "drop table users"),
            ("ALTER TABLE \"users\" DROP COLUMN \"age\"", "drop column users.age"),
            ("DELETE FROM \"users\" WHERE \"age\" > 3", "delete rows of users"),
            ("SELECT 1; DROP TABLE others, public.Users;", "drop table users"),
            ("ALTER TABLE IF EXISTS ONLY users DROP IF EXISTS age", "drop column users.age"),
            ("ALTER TABLE users ALTER age SET DATA TYPE smallint", "narrow users.age from integer to smallint"),
            ("WITH old AS (SELECT 1) DELETE FROM users", "delete rows of users"),
            ("DROP SCHEMA IF EXISTS x CASCADE", "drop schema x"),
            ("TRUNCATE TABLE users", "delete rows of users"),
            (
                "ALTER TABLE users ALTER COLUMN name TYPE varchar(10)",
                "narrow users.name from varchar(200) to varchar(10)",
            ),
            (
                "ALTER TABLE users ALTER COLUMN \"age\" TYPE smallint USING \"age\"::smallint",
                "narrow users.age from integer to smallint",
            ),
        ] {
            assert_eq!(losses_of(&[statement]), [loss], "{statement}");
        }
        let rebuild = [
            "CREATE TABLE \"_reshaped_users\" ( \"id\" uuid_text NOT NULL, \"name\" varchar(100) )",
            "DROP TABLE \"users\"",
            "ALTER TABLE \"_reshaped_users\" RENAME TO \"users\"",
        ];
        assert_eq!(
            losses_of(&rebuild),
            ["drop column users.age", "narrow users.name from varchar(200) to varchar(100)"]
        );
    }

    #[test]
    fn widening_and_missing_tables_lose_nothing() {
        for statement in [
            "DROP TABLE others",
            "ALTER TABLE users ALTER COLUMN name TYPE varchar(300), ALTER COLUMN age TYPE bigint",
            "ALTER TABLE users ALTER COLUMN name TYPE text",
            "ALTER TABLE users ADD COLUMN x text",
            "INSERT INTO users VALUES ('DROP TABLE users')",
            "ALTER TABLE users DROP CONSTRAINT users_age_check",
            "CREATE TRIGGER t BEFORE INSERT ON users BEGIN DELETE FROM users; END",
            "CREATE TABLE _reshaped_users (id uuid_text, name varchar(200), age integer)",
        ] {
            assert_eq!(losses_of(&[statement]), Vec::<String>::new(), "{statement}");
        }
        assert!(is_narrower("numeric(10, 2)", "numeric(10, 4)") && !is_narrower("numeric(10, 2)", "numeric(12, 4)"));
        assert!(is_narrower("timestamp with time zone", "date") && !is_narrower("date", "timestamp without time zone"));
    }
}
