//! Defaults of columns: `default_value` and `default_expr`.

use syn::Expr;

use super::attribute::{Attributes, Choice, Value, value};
use super::check::is_same_expression;
use crate::schema::expression::{normal, portable, text_literal};

/// Decision about the default of a field.
#[derive(Debug)]
pub(super) struct DefaultChoice {
    pub(super) choice: Choice,
    /// The existing default could not be parsed, so it could not be compared.
    pub(super) is_unreadable: bool,
}

enum DeclaredDefault {
    Nothing,
    Sql(String),
    Unreadable,
}

pub(super) fn choose(existing: &Attributes, wanted: Option<&str>, is_flag: bool) -> DefaultChoice {
    // NULL is the default of columns without a default.
    let wanted = wanted.filter(|wanted| !wanted.to_ascii_uppercase().starts_with("NULL"));
    let (choice, is_unreadable) = match (read(existing), wanted) {
        (_, None) => (Choice::Drop, false),
        (DeclaredDefault::Unreadable, Some(_)) => (Choice::Keep, true),
        (DeclaredDefault::Sql(sql), Some(wanted)) if is_same(&sql, wanted, is_flag) => (Choice::Keep, false),
        (_, Some(wanted)) => (Choice::Set(write(wanted, is_flag)), false),
    };
    DefaultChoice { choice, is_unreadable }
}

fn read(existing: &Attributes) -> DeclaredDefault {
    let sql = match (existing.get("default_value"), existing.get("default_expr")) {
        (Some(argument), _) => sql(&argument.value),
        (None, Some(_)) => existing.text("default_expr").and_then(expression),
        (None, None) => return DeclaredDefault::Nothing,
    };
    sql.map_or(DeclaredDefault::Unreadable, DeclaredDefault::Sql)
}

fn sql(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(format!("'{}'", text.replace('\'', "''"))),
        Value::Number(number) => Some(number.clone()),
        Value::Flag(flag) => Some(flag.to_string()),
        Value::None | Value::Other => None,
    }
}

/// The SQL of common default expressions.
fn expression(text: &str) -> Option<String> {
    let Expr::Call(call) = syn::parse_str::<Expr>(text).ok()? else { return None };
    let Expr::Path(function) = &*call.func else { return None };
    match function.path.segments.last()?.ident.to_string().as_str() {
        "current_timestamp" => Some("CURRENT_TIMESTAMP".into()),
        "current_date" => Some("CURRENT_DATE".into()),
        "current_time" => Some("CURRENT_TIME".into()),
        "cust" => match value(call.args.first()?) {
            Value::Text(text) => Some(text),
            _ => None,
        },
        "val" | "value" => sql(&value(call.args.first()?)),
        _ => None,
    }
}

fn is_same(existing: &str, wanted: &str, is_flag: bool) -> bool {
    let number = |sql: &str| normal(sql).parse::<f64>().ok();
    is_same_expression(existing, wanted)
        || number(existing).is_some_and(|existing| number(wanted) == Some(existing))
        || is_flag && flag(existing).is_some() && flag(existing) == flag(wanted)
}

/// A boolean literal; SQLite also uses 1 and 0.
fn flag(sql: &str) -> Option<bool> {
    match normal(sql).as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// The argument for a default.
fn write(wanted: &str, is_flag: bool) -> String {
    if let Some(flag) = flag(wanted).filter(|_| is_flag) {
        return format!("default_value = {flag}");
    }
    if let Some(text) = text_literal(wanted) {
        return format!("default_value = {text:?}");
    }
    let plain = portable(wanted);
    let digits = plain.strip_prefix('-').unwrap_or(&plain);
    let is_number = digits.chars().all(|c| c.is_ascii_digit() || c == '.') && plain.parse::<f64>().is_ok();
    match plain.to_ascii_uppercase().as_str() {
        _ if is_number && !plain.contains('.') && plain.parse::<i32>().is_err() => {
            format!("default_value = {plain}i64")
        }
        _ if is_number => format!("default_value = {plain}"),
        "TRUE" => "default_value = true".into(),
        "FALSE" => "default_value = false".into(),
        "CURRENT_TIMESTAMP" => "default_expr = \"Expr::current_timestamp()\"".into(),
        "CURRENT_DATE" => "default_expr = \"Expr::current_date()\"".into(),
        "CURRENT_TIME" => "default_expr = \"Expr::current_time()\"".into(),
        _ => format!("default_expr = {:?}", format!("Expr::cust({plain:?})")),
    }
}
