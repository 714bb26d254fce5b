//! The text of a `CREATE TABLE`, taken apart into columns and constraints and put together again. What is not touched
//! stays as it was written.

use std::ops::Range;

use sea_orm::DbErr;
use sea_orm::sea_query::{ColumnDef, SqliteQueryBuilder, Table};

use super::tokens::{bare, tokens};

/// A table as SQLite keeps it: the text of its definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Definition {
    columns: Vec<Column>,
    constraints: Vec<Constraint>,
    /// What stands behind the closing parenthesis, such as `WITHOUT ROWID`.
    options: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Column {
    name: String,
    /// Type, nullability, default and all that has no name.
    text: String,
    constraints: Vec<Constraint>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Constraint {
    /// Absent when it has none.
    name: Option<String>,
    text: String,
}

impl Constraint {
    /// What it says, without its name.
    fn body(&self) -> String {
        let words = tokens(&self.text);
        let start = words.get(if self.name.is_some() { 2 } else { 0 }).map_or(0, |token| token.start);
        self.text.get(start..).unwrap_or_default().to_ascii_uppercase()
    }
}

impl Definition {
    pub(crate) fn parse(sql: &str) -> Self {
        let tokens = tokens(sql);
        let open = tokens.iter().position(|token| &sql[token.clone()] == "(").unwrap_or(tokens.len());
        let mut depth = 0_usize;
        let (mut items, mut item, mut end) = (Vec::new(), Vec::new(), tokens.len());
        for (place, token) in tokens.iter().enumerate().skip(open) {
            let text = &sql[token.clone()];
            depth = match text {
                "(" => depth + 1,
                ")" => depth.saturating_sub(1),
                _ => depth,
            };
            match (text, depth) {
                (")", 0) => {
                    end = place;
                    break;
                }
                (",", 1) => items.push(std::mem::take(&mut item)),
                ("(", 1) => {}
                _ => item.push(token.clone()),
            }
        }
        items.push(item);
        let options = tokens.get(end + 1).map_or("", |token| &sql[token.start..]).trim().to_owned();
        let mut table = Self { columns: Vec::new(), constraints: Vec::new(), options };
        for item in &items {
            let Some(first) = item.first().map(|token| &sql[token.clone()]) else { continue };
            let is_constraint = ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"]
                .iter()
                .any(|keyword| keyword.eq_ignore_ascii_case(first));
            if is_constraint {
                table.constraints.push(constraint(sql, item));
            } else {
                table.columns.push(column(sql, item));
            }
        }
        table
    }

    /// The statement that makes such a table under another name.
    pub(crate) fn create(&self, name: &str) -> String {
        let columns = self.columns.iter().map(|column| {
            let mut text = format!("{} {}", super::quoted(&column.name), column.text);
            for constraint in &column.constraints {
                text.push(' ');
                text.push_str(&constraint.text);
            }
            text
        });
        let items: Vec<_> = columns.chain(self.constraints.iter().map(|constraint| constraint.text.clone())).collect();
        let statement = format!("CREATE TABLE {} ( {} ) {}", super::quoted(name), items.join(", "), self.options);
        statement.trim_end().to_owned()
    }

    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// The declared type of each column, in lower case.
    pub(crate) fn types(&self) -> impl Iterator<Item = (&str, String)> {
        self.columns.iter().map(|column| (column.name.as_str(), declared_type(&column.text)))
    }

    /// The same table with every column of one type.
    #[cfg(feature = "cli")]
    pub(crate) fn with_type(&self, kind: &str) -> Self {
        let mut table = self.clone();
        for column in &mut table.columns {
            let declared = declared_type(&column.text).len();
            column.text = format!("{kind}{}", column.text.get(declared..).unwrap_or_default());
        }
        table
    }

    /// Whether ids are given out from a counter.
    pub(crate) fn counts_up(&self) -> bool {
        self.columns.iter().any(|column| column.text.to_ascii_uppercase().contains("AUTOINCREMENT"))
    }

    pub(crate) fn add_column(&mut self, column: &ColumnDef) {
        self.columns.push(written(column));
    }

    pub(crate) fn alter_column(&mut self, column: &ColumnDef) -> Result<(), DbErr> {
        let new = written(column);
        let place = self.columns.iter_mut().find(|known| known.name == new.name);
        let place = place.ok_or_else(|| DbErr::Migration(format!("there is no column {}", new.name)))?;
        place.text = new.text;
        place.constraints.retain(|old| !new.constraints.iter().any(|constraint| constraint.name == old.name));
        place.constraints.extend(new.constraints);
        Ok(())
    }

    pub(crate) fn drop_column(&mut self, name: &str) -> Result<(), DbErr> {
        let place = self.columns.iter().position(|column| column.name == name);
        let place = place.ok_or_else(|| DbErr::Migration(format!("there is no column {name}")))?;
        let gone = self.columns.remove(place);
        // Constraints move with the column that they happen to stand in only when they are about it alone.
        let others: Vec<_> = self.columns.iter().map(|column| column.name.clone()).collect();
        self.constraints.extend(gone.constraints.into_iter().filter(|constraint| {
            let words: Vec<_> =
                tokens(&constraint.text).into_iter().map(|token| bare(&constraint.text[token])).collect();
            !words.iter().any(|word| *word == name) && words.iter().any(|word| others.contains(word))
        }));
        Ok(())
    }

    /// Adds a constraint as it stands in a table, name and all.
    pub(crate) fn add_constraint(&mut self, text: &str) {
        self.constraints.push(constraint(text, &tokens(text)));
    }

    /// The last constraint of the table itself, as text.
    pub(crate) fn into_constraint(mut self) -> Option<String> {
        self.constraints.pop().map(|constraint| constraint.text)
    }

    /// Drops a foreign key by its name, or one without a name by its columns.
    pub(crate) fn drop_foreign_key(&mut self, name: &str, columns: &[String]) -> Result<(), DbErr> {
        if self.drop_constraint(name).is_ok() {
            return Ok(());
        }
        let place = self.constraints.iter().position(|constraint| {
            let words: Vec<_> = tokens(&constraint.text).into_iter().map(|token| &constraint.text[token]).collect();
            let own = words.iter().skip(3).take_while(|word| **word != ")").filter(|word| **word != ",");
            constraint.name.is_none()
                && constraint.body().starts_with("FOREIGN")
                && own.map(|word| bare(word)).eq(columns.iter().cloned())
        });
        let place = place.ok_or_else(|| DbErr::Migration(format!("there is no foreign key {name}")))?;
        self.constraints.remove(place);
        Ok(())
    }

    /// Drops the primary key wherever it stands.
    pub(crate) fn drop_primary_key(&mut self) {
        let is_other = |constraint: &Constraint| !constraint.body().starts_with("PRIMARY");
        self.constraints.retain(is_other);
        for column in &mut self.columns {
            column.constraints.retain(is_other);
            let words = tokens(&column.text);
            let is = |token: &Range<usize>, word: &str| column.text[token.clone()].eq_ignore_ascii_case(word);
            if let Some(place) = words.iter().position(|token| is(token, "PRIMARY")) {
                let ends =
                    |token: &Range<usize>| ["KEY", "ASC", "DESC", "AUTOINCREMENT"].iter().any(|word| is(token, word));
                let last = words.iter().skip(place + 1).take_while(|token| ends(token)).last();
                let end = last.map_or(column.text.len(), |token| token.end);
                let start = words.get(place).map_or(end, |token| token.start);
                column.text.replace_range(start..end, "");
            }
        }
    }

    pub(crate) fn drop_constraint(&mut self, name: &str) -> Result<(), DbErr> {
        let is_other = |constraint: &Constraint| constraint.name.as_deref() != Some(name);
        let count = |table: &Self| {
            table.constraints.len() + table.columns.iter().map(|column| column.constraints.len()).sum::<usize>()
        };
        let before = count(self);
        self.constraints.retain(is_other);
        for column in &mut self.columns {
            column.constraints.retain(is_other);
        }
        if count(self) == before {
            return Err(DbErr::Migration(format!("there is no constraint {name}")));
        }
        Ok(())
    }
}

/// A column as sea-query writes it.
fn written(column: &ColumnDef) -> Column {
    let sql = Table::create().table("t").col(column.clone()).to_string(SqliteQueryBuilder);
    let mut table = Definition::parse(&sql);
    table.columns.pop().unwrap_or_else(|| Column {
        name: column.get_column_name(),
        text: String::new(),
        constraints: Vec::new(),
    })
}

fn column(sql: &str, item: &[Range<usize>]) -> Column {
    let is_keyword = |token: &Range<usize>| sql[token.clone()].eq_ignore_ascii_case("CONSTRAINT");
    let mut depth = 0_usize;
    let mut starts = Vec::new();
    for (place, token) in item.iter().enumerate() {
        match &sql[token.clone()] {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ if depth == 0 && is_keyword(token) => starts.push(place),
            _ => {}
        }
    }
    let end = starts.first().copied().unwrap_or(item.len());
    let pieces = starts.iter().enumerate().map(|(number, start)| {
        let end = starts.get(number + 1).copied().unwrap_or(item.len());
        constraint(sql, item.get(*start..end).unwrap_or_default())
    });
    Column {
        name: item.first().map(|token| bare(&sql[token.clone()])).unwrap_or_default(),
        text: text(sql, item.get(1..end).unwrap_or_default()).to_owned(),
        constraints: pieces.collect(),
    }
}

fn constraint(sql: &str, item: &[Range<usize>]) -> Constraint {
    let is_named = item.first().is_some_and(|token| sql[token.clone()].eq_ignore_ascii_case("CONSTRAINT"));
    let name = item.get(1).filter(|_| is_named).map(|token| bare(&sql[token.clone()]));
    Constraint { name, text: text(sql, item).to_owned() }
}

fn text<'a>(sql: &'a str, item: &[Range<usize>]) -> &'a str {
    match (item.first(), item.last()) {
        (Some(first), Some(last)) => &sql[first.start..last.end],
        _ => "",
    }
}

/// The words before the first that says something else than the type.
fn declared_type(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let end = tokens(&lower).into_iter().find(|token| {
        let others =
            ["not", "null", "default", "primary", "unique", "check", "references", "collate", "generated", "as"];
        others.contains(&&lower[token.clone()])
    });
    lower[..end.map_or(lower.len(), |token| token.start)].trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = "CREATE TABLE \"users\" ( \"id\" uuid_text NOT NULL, -- the, key\n \
        role varchar(16) NOT NULL DEFAULT 'it''s, (' CONSTRAINT users_role_check CHECK (role IN ('a', 'b')), \
        [at] text, CONSTRAINT \"users_pkey\" PRIMARY KEY (\"id\"), CHECK (id <> ')'), \"late\" int ) WITHOUT ROWID, STRICT";

    #[test]
    fn a_table_is_taken_apart_and_put_together_again() {
        let table = Definition::parse(USERS);
        assert_eq!(table.columns().collect::<Vec<_>>(), ["id", "role", "at", "late"]);
        assert_eq!(
            table.create("t"),
            "CREATE TABLE \"t\" ( \"id\" uuid_text NOT NULL, \
             \"role\" varchar(16) NOT NULL DEFAULT 'it''s, (' CONSTRAINT users_role_check CHECK (role IN ('a', 'b')), \
             \"at\" text, \"late\" int, CONSTRAINT \"users_pkey\" PRIMARY KEY (\"id\"), CHECK (id <> ')') ) \
             WITHOUT ROWID, STRICT"
        );
        assert_eq!(Definition::parse(&table.create("t")), table);
        assert_eq!(
            table.types().map(|(_, kind)| kind).collect::<Vec<_>>(),
            ["uuid_text", "varchar(16)", "text", "int"]
        );
    }

    #[test]
    fn a_column_is_altered_and_keeps_its_named_constraints() {
        let mut table = Definition::parse(USERS);
        table.alter_column(ColumnDef::new("role").string_len(20)).unwrap();
        let sql = table.create("t");
        assert!(sql.contains("\"role\" varchar(20) CONSTRAINT users_role_check CHECK (role IN ('a', 'b')),"), "{sql}");
        table.drop_constraint("users_role_check").unwrap();
        assert!(table.drop_constraint("users_role_check").is_err());
        table.drop_column("late").unwrap();
        table.add_constraint("CONSTRAINT \"users_id_key\" UNIQUE (\"id\")");
        let sql = table.create("t");
        assert!(
            sql.contains("\"role\" varchar(20),") && sql.contains(", CONSTRAINT \"users_id_key\" UNIQUE (\"id\") )")
        );
        assert!(!sql.contains("late") && table.drop_column("late").is_err());
    }
}
