//! Parser for `CREATE TABLE` and `CREATE INDEX`. All schemas are read through it, so that both
//! sides of a comparison have the same form.

use sea_orm::DbBackend;
use sqlparser::ast::{
    ColumnOption, CreateTable, Expr, ForeignKeyConstraint, GeneratedAs, Ident, IndexColumn, ObjectName,
    ReferentialAction, Statement, TableConstraint,
};
use sqlparser::dialect::{Dialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;

use super::expression::without_casts_of;
use super::model::{Check, Column, ForeignKey, ForeignKeyAction, Index, Key, Table};
use crate::Failure;
use crate::alter_table::{TableDefinition, quoted};

/// A table from its `CREATE TABLE` statement.
///
/// sqlparser does not know all types, least of all SQLite's. So they are parsed before, and
/// replaced by `int` for it.
pub(crate) fn table(sql: &str, name: &str, backend: DbBackend) -> Result<Table, Failure> {
    let definition = TableDefinition::parse(sql);
    let kinds: Vec<_> = definition.types().map(|(_, kind)| canonical_type(&kind, backend)).collect();
    let parsed = parse(&definition.plain("int").create(name), backend)
        .map_err(|error| Failure::Refused(format!("the definition of table {name} cannot be read: {error}")))?;
    let Statement::CreateTable(parsed) = parsed else {
        return Err(Failure::Refused(format!("the definition of table {name} is not a CREATE TABLE")));
    };
    let mut table = from_statement(parsed, name, kinds);
    table.without_rowid = definition.is_without_rowid();
    if backend == DbBackend::Postgres {
        // PostgreSQL stores comparisons of varchar columns with casts to text.
        let columns = table.text_columns();
        for check in &mut table.checks {
            check.expression = without_casts_of(&check.expression, &columns);
        }
    }
    Ok(table)
}

fn from_statement(parsed: CreateTable, name: &str, kinds: Vec<String>) -> Table {
    let mut table = Table { name: name.to_owned(), ..Table::default() };
    for (column, kind) in parsed.columns.into_iter().zip(kinds) {
        let mut read = Column { name: text(&column.name), kind, ..Column::default() };
        for option in column.options {
            let option_name = option.name.as_ref().map(text);
            read_option(&mut table, &mut read, option_name, option.option);
        }
        table.columns.push(read);
    }
    for constraint in parsed.constraints {
        read_constraint(&mut table, constraint);
    }
    // Their order has no meaning, and catalogues have none.
    table.foreign_keys.sort_by(|left, right| left.columns.cmp(&right.columns));
    table.checks.sort_by(|left, right| left.name.cmp(&right.name));
    table
}

fn read_option(table: &mut Table, column: &mut Column, name: Option<String>, option: ColumnOption) {
    let own = vec![column.name.clone()];
    match option {
        ColumnOption::NotNull => column.not_null = true,
        ColumnOption::Default(default) => column.default = Some(default.to_string()),
        ColumnOption::Collation(collation) => column.collation = Some(last(&collation)),
        ColumnOption::PrimaryKey(key) => {
            let name = name.or_else(|| key.name.as_ref().map(text));
            table.primary_key = Some(Key { name, columns: own });
        }
        ColumnOption::Unique(key) => {
            let name = name.or_else(|| key.name.as_ref().map(text));
            table.indexes.push(unique(name, own));
        }
        ColumnOption::ForeignKey(mut key) => {
            key.name = key.name.or_else(|| name.map(Ident::new));
            let mut key = foreign_key(key);
            key.columns = own;
            table.foreign_keys.push(key);
        }
        ColumnOption::Check(check) => {
            let name = name.or_else(|| check.name.as_ref().map(text));
            table.checks.push(Check { name, expression: check.expr.to_string() });
        }
        ColumnOption::Generated { generation_expr: Some(expression), .. } => {
            column.generated = Some(expression.to_string());
        }
        ColumnOption::Generated { generated_as: GeneratedAs::Always | GeneratedAs::ByDefault, .. } => {
            column.is_counter = true;
        }
        ColumnOption::DialectSpecific(tokens) => {
            let is_counter = tokens.iter().any(|token| token.to_string().eq_ignore_ascii_case("AUTOINCREMENT"));
            column.is_counter |= is_counter;
        }
        _ => {}
    }
}

fn read_constraint(table: &mut Table, constraint: TableConstraint) {
    match constraint {
        TableConstraint::PrimaryKey(key) => {
            table.primary_key = Some(Key { name: key.name.as_ref().map(text), columns: columns(&key.columns) });
        }
        TableConstraint::Unique(key) => {
            table.indexes.push(unique(key.name.as_ref().map(text), columns(&key.columns)));
        }
        TableConstraint::ForeignKey(key) => table.foreign_keys.push(foreign_key(key)),
        TableConstraint::Check(check) => {
            table.checks.push(Check { name: check.name.as_ref().map(text), expression: check.expr.to_string() });
        }
        _ => {}
    }
}

fn unique(name: Option<String>, columns: Vec<String>) -> Index {
    Index { name, columns, is_unique: true, is_constraint: true, predicate: None, method: None, include: Vec::new() }
}

fn foreign_key(key: ForeignKeyConstraint) -> ForeignKey {
    ForeignKey {
        name: key.name.as_ref().map(text),
        columns: key.columns.iter().map(text).collect(),
        table: last(&key.foreign_table),
        references: key.referred_columns.iter().map(text).collect(),
        on_update: action(key.on_update),
        on_delete: action(key.on_delete),
    }
}

fn action(action: Option<ReferentialAction>) -> ForeignKeyAction {
    match action {
        None | Some(ReferentialAction::NoAction) => ForeignKeyAction::NoAction,
        Some(ReferentialAction::Restrict) => ForeignKeyAction::Restrict,
        Some(ReferentialAction::Cascade) => ForeignKeyAction::Cascade,
        Some(ReferentialAction::SetNull) => ForeignKeyAction::SetNull,
        Some(ReferentialAction::SetDefault) => ForeignKeyAction::SetDefault,
    }
}

/// An index from its `CREATE INDEX` statement, with the name of its table.
pub(crate) fn index(sql: &str, backend: DbBackend) -> Result<(String, Index), Failure> {
    let refused = |why: &str| Failure::Refused(format!("an index cannot be read, {why}: {sql}"));
    let parsed = parse(sql, backend).map_err(|error| refused(&error))?;
    let Statement::CreateIndex(parsed) = parsed else { return Err(refused("it is not a CREATE INDEX")) };
    let method = parsed.using.map(|method| method.to_string().to_lowercase()).filter(|method| method != "btree");
    let index = Index {
        name: parsed.name.as_ref().map(last),
        columns: columns(&parsed.columns),
        is_unique: parsed.unique,
        is_constraint: false,
        predicate: parsed.predicate.map(|predicate| predicate.to_string()),
        method,
        include: parsed.include.iter().map(text).collect(),
    };
    Ok((last(&parsed.table_name), index))
}

/// Columns by name, expressions as text. Ascending order is the default and left out.
fn columns(columns: &[IndexColumn]) -> Vec<String> {
    let column = |column: &IndexColumn| {
        let mut written = match &column.column.expr {
            Expr::Identifier(name) => text(name),
            other => other.to_string(),
        };
        if column.column.options.to_string().to_uppercase().contains("DESC") {
            written.push_str(" DESC");
        }
        written
    };
    columns.iter().map(column).collect()
}

fn parse(sql: &str, backend: DbBackend) -> Result<Statement, String> {
    let dialect: &dyn Dialect = match backend {
        DbBackend::Sqlite => &SQLiteDialect {},
        _ => &PostgreSqlDialect {},
    };
    let mut statements = Parser::parse_sql(dialect, sql).map_err(|error| error.to_string())?;
    statements.pop().ok_or_else(|| "it is empty".to_owned())
}

fn text(name: &Ident) -> String {
    name.value.clone()
}

fn last(name: &ObjectName) -> String {
    name.0.last().and_then(|part| part.as_ident()).map(text).unwrap_or_default()
}

/// The canonical name of a type. SQLite ignores most of a type, but the declared type determines
/// how values are read.
pub(crate) fn canonical_type(kind: &str, backend: DbBackend) -> String {
    let kind = kind.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    let kind = kind.replace(", ", ",").replace(" (", "(").replace("( ", "(").replace(" )", ")");
    // A simple name needs no quotes, and the catalogue has none.
    let is_simple = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let kind = match kind.strip_prefix('"').and_then(|kind| kind.split_once('"')) {
        Some((name, rest)) if is_simple(name) => format!("{name}{rest}"),
        _ => kind,
    };
    if backend == DbBackend::Sqlite {
        return kind;
    }
    let (element, array) = kind.split_at(kind.find('[').unwrap_or(kind.len()));
    let (name, rest) = element.split_at(element.find('(').unwrap_or(element.len()));
    let (size, rest_of_type) = rest.split_at(rest.find(')').map_or(0, |end| end + 1));
    let canonical = match (name.trim(), size, rest_of_type) {
        ("varchar", ..) => format!("character varying{size}"),
        ("char" | "character" | "bpchar", "", _) => "character(1)".into(),
        ("char", ..) => format!("character{size}"),
        ("bit", "", _) => "bit(1)".into(),
        ("bool", ..) => "boolean".into(),
        ("decimal", ..) => format!("numeric{size}"),
        ("int" | "int4", ..) => "integer".into(),
        ("int8", ..) => "bigint".into(),
        ("int2", ..) => "smallint".into(),
        ("float4", ..) => "real".into(),
        ("float8" | "float" | "double", ..) => "double precision".into(),
        ("timestamptz", ..) => format!("timestamp{size} with time zone"),
        ("timestamp", _, "") => format!("timestamp{size} without time zone"),
        ("timetz", ..) => format!("time{size} with time zone"),
        ("time", _, "") => format!("time{size} without time zone"),
        ("varbit", ..) => format!("bit varying{size}"),
        _ => element.to_owned(),
    };
    // `numeric(10,0)` and `numeric(10)` are the same type.
    canonical.replace(",0)", if canonical.starts_with("numeric") { ",0)" } else { ")" }) + array
}

/// A `CREATE TABLE` statement from its parts.
pub(crate) fn create_table(name: &str, items: &[String]) -> String {
    format!("CREATE TABLE {} ( {} )", quoted(name), items.join(", "))
}
