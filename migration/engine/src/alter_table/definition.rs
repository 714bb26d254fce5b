//! Parser and writer of a `CREATE TABLE` statement. What is not changed keeps its original text.

use sea_orm::DbErr;
use sea_orm::sea_query::{ColumnDef, SqliteQueryBuilder, Table};

use super::clause::{Clause, ColumnDefinition, clause, column, is_any};
use super::tokens::{quoted, tokens};

/// The definition of a table, as SQLite stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableDefinition {
    columns: Vec<ColumnDefinition>,
    constraints: Vec<Clause>,
    /// The text after the closing parenthesis, such as `WITHOUT ROWID`.
    options: String,
}

impl TableDefinition {
    pub(crate) fn parse(sql: &str) -> Self {
        let tokens = tokens(sql);
        let open = tokens.iter().position(|token| &sql[token.clone()] == "(").unwrap_or(tokens.len());
        let mut depth = 0_usize;
        let (mut items, mut item, mut end) = (Vec::new(), Vec::new(), tokens.len());
        for (position, token) in tokens.iter().enumerate().skip(open) {
            let text = &sql[token.clone()];
            depth = match text {
                "(" => depth + 1,
                ")" => depth.saturating_sub(1),
                _ => depth,
            };
            match (text, depth) {
                (")", 0) => {
                    end = position;
                    break;
                }
                (",", 1) => items.push(std::mem::take(&mut item)),
                ("(", 1) if position == open => {}
                _ => item.push(token.clone()),
            }
        }
        items.push(item);
        let options = tokens.get(end + 1).map_or("", |token| &sql[token.start..]).trim().to_owned();
        let mut table = Self { columns: Vec::new(), constraints: Vec::new(), options };
        for item in &items {
            let Some(first) = item.first().map(|token| &sql[token.clone()]) else { continue };
            if is_any(first, &["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"]) {
                table.constraints.push(clause(sql, item));
            } else {
                table.columns.push(column(sql, item));
            }
        }
        table
    }

    /// The `CREATE TABLE` statement for this definition, with another table name.
    pub(crate) fn create(&self, name: &str) -> String {
        let columns = self.columns.iter().map(|column| {
            let parts =
                std::iter::once(column.kind.as_str()).chain(column.clauses.iter().map(|clause| clause.text.as_str()));
            let parts: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
            format!("{} {}", quoted(&column.name), parts.join(" ")).trim_end().to_owned()
        });
        let items: Vec<_> = columns.chain(self.constraints.iter().map(|constraint| constraint.text.clone())).collect();
        let statement = format!("CREATE TABLE {} ( {} ) {}", quoted(name), items.join(", "), self.options);
        statement.trim_end().to_owned()
    }

    /// The columns that store data; generated columns are left out.
    pub(crate) fn stored_columns(&self) -> impl Iterator<Item = &str> {
        let is_generated = |column: &&ColumnDefinition| {
            column.clauses.iter().any(|clause| is_any(&clause.keyword, &["GENERATED", "AS"]))
        };
        self.columns.iter().filter(move |column| !is_generated(column)).map(|column| column.name.as_str())
    }

    /// The declared type of each column, in lower case.
    pub(crate) fn types(&self) -> impl Iterator<Item = (&str, String)> {
        self.columns.iter().map(|column| (column.name.as_str(), column.kind.to_ascii_lowercase()))
    }

    /// The same table with one type for all columns, and without table options.
    #[cfg(feature = "cli")]
    pub(crate) fn plain(&self, kind: &str) -> Self {
        let mut table = self.clone();
        table.columns.iter_mut().for_each(|column| kind.clone_into(&mut column.kind));
        table.options.clear();
        table
    }

    #[cfg(feature = "cli")]
    pub(crate) fn is_without_rowid(&self) -> bool {
        self.options.to_ascii_uppercase().contains("WITHOUT ROWID")
    }

    /// Whether a column is AUTOINCREMENT.
    pub(crate) fn counts_up(&self) -> bool {
        let mut clauses = self.columns.iter().flat_map(|column| &column.clauses);
        clauses.any(|clause| clause.text.to_ascii_uppercase().contains("AUTOINCREMENT"))
    }

    pub(crate) fn add_column(&mut self, column: &ColumnDef) {
        self.columns.push(written(column));
    }

    /// Replaces type, nullability, default and collation. Keys, references and CHECKs stay, unless
    /// the new column has such a clause itself.
    pub(crate) fn alter_column(&mut self, column: &ColumnDef) -> Result<(), DbErr> {
        let new = written(column);
        let position = self.columns.iter_mut().find(|known| known.name == new.name);
        let position = position.ok_or_else(|| DbErr::Migration(format!("there is no column {}", new.name)))?;
        position.kind = new.kind;
        position.clauses.retain(|old| {
            let is_told = new.clauses.iter().any(|clause| match &old.name {
                Some(_) => clause.name == old.name,
                None => clause.keyword == old.keyword,
            });
            !is_any(&old.keyword, &["NOT", "NULL", "DEFAULT", "COLLATE"]) && !is_told
        });
        position.clauses.splice(0..0, new.clauses);
        Ok(())
    }

    /// Replaces clauses of some kinds by those of another definition, and the type as well if asked.
    pub(crate) fn replace_clauses(
        &mut self,
        column: &ColumnDef,
        keywords: &[&str],
        replaces_type: bool,
    ) -> Result<(), DbErr> {
        let new = written(column);
        let known = self.columns.iter_mut().find(|known| known.name == new.name);
        let known = known.ok_or_else(|| DbErr::Migration(format!("there is no column {}", new.name)))?;
        if replaces_type {
            known.kind = new.kind;
        }
        known.clauses.retain(|clause| !is_any(&clause.keyword, keywords));
        known.clauses.splice(0..0, new.clauses.into_iter().filter(|clause| is_any(&clause.keyword, keywords)));
        Ok(())
    }

    pub(crate) fn drop_column(&mut self, name: &str) -> Result<(), DbErr> {
        let position = self.columns.iter().position(|column| column.name == name);
        let position = position.ok_or_else(|| DbErr::Migration(format!("there is no column {name}")))?;
        let removed = self.columns.remove(position);
        // A CHECK clause of this column may be about other columns only; then it becomes a table
        // constraint.
        let others: Vec<_> = self.columns.iter().map(|column| column.name.clone()).collect();
        self.constraints.extend(removed.clauses.into_iter().filter(|clause| {
            let words = clause.words();
            clause.keyword == "CHECK"
                && !words.iter().any(|word| word == name)
                && words.iter().any(|word| others.contains(word))
        }));
        Ok(())
    }

    /// Adds a table constraint from its text, which may contain a name.
    pub(crate) fn add_constraint(&mut self, text: &str) {
        self.constraints.push(clause(text, &tokens(text)));
    }

    /// The text of the last table constraint.
    pub(crate) fn into_constraint(mut self) -> Option<String> {
        self.constraints.pop().map(|constraint| constraint.text)
    }

    /// Drops a foreign key by name, or an unnamed one by its columns.
    pub(crate) fn drop_foreign_key(&mut self, name: &str, columns: &[String]) -> Result<(), DbErr> {
        self.drop_named_or("foreign key", name, columns, |keyword| is_any(keyword, &["FOREIGN", "REFERENCES"]))
    }

    /// Drops a UNIQUE constraint by name, or an unnamed one by its columns.
    pub(crate) fn drop_unique(&mut self, name: &str, columns: &[String]) -> Result<(), DbErr> {
        self.drop_named_or("unique constraint", name, columns, |keyword| keyword == "UNIQUE")
    }

    fn drop_named_or(
        &mut self,
        what: &str,
        name: &str,
        columns: &[String],
        is: impl Fn(&str) -> bool,
    ) -> Result<(), DbErr> {
        if self.drop_constraint(name).is_ok() {
            return Ok(());
        }
        let is_unnamed_match = |clause: &Clause| clause.name.is_none() && is(&clause.keyword);
        if let Some(position) = self
            .constraints
            .iter()
            .position(|constraint| is_unnamed_match(constraint) && constraint.columns() == columns)
        {
            self.constraints.remove(position);
            return Ok(());
        }
        let in_column = self.columns.iter_mut().find(|column| columns == [column.name.as_str()]);
        let clauses = in_column.map(|column| &mut column.clauses);
        match clauses.and_then(|clauses| Some((clauses.iter().position(is_unnamed_match)?, clauses))) {
            Some((position, clauses)) => drop(clauses.remove(position)),
            None => return Err(DbErr::Migration(format!("there is no {what} {name}"))),
        }
        Ok(())
    }

    /// Drops the primary key, whether it is a table constraint or a clause of a column.
    pub(crate) fn drop_primary_key(&mut self) {
        let is_other = |clause: &Clause| clause.keyword != "PRIMARY";
        self.constraints.retain(is_other);
        self.columns.iter_mut().for_each(|column| column.clauses.retain(is_other));
    }

    /// Renames a constraint. One without a name stays as it is.
    pub(crate) fn rename_constraint(&mut self, old: &str, new: &str) {
        let clauses = self.columns.iter_mut().flat_map(|column| &mut column.clauses).chain(&mut self.constraints);
        let found = clauses.into_iter().find(|clause| clause.name.as_deref() == Some(old));
        let Some(found) = found else { return };
        let text = found.text.clone();
        let name = tokens(&text).into_iter().nth(1).unwrap_or_default();
        let (before, after) = (text.get(..name.start), text.get(name.end..));
        found.text = [before.unwrap_or_default(), &quoted(new), after.unwrap_or_default()].concat();
        found.name = Some(new.to_owned());
    }

    pub(crate) fn drop_constraint(&mut self, name: &str) -> Result<(), DbErr> {
        let is_other = |clause: &Clause| clause.name.as_deref() != Some(name);
        let count = |table: &Self| {
            table.constraints.len() + table.columns.iter().map(|column| column.clauses.len()).sum::<usize>()
        };
        let before = count(self);
        self.constraints.retain(is_other);
        self.columns.iter_mut().for_each(|column| column.clauses.retain(is_other));
        if count(self) == before {
            return Err(DbErr::Migration(format!("there is no constraint {name}")));
        }
        Ok(())
    }
}

/// A column, parsed from what sea-query generates for it.
fn written(column: &ColumnDef) -> ColumnDefinition {
    let sql = Table::create().table("t").col(column.clone()).to_string(SqliteQueryBuilder);
    let none = ColumnDefinition { name: column.get_column_name(), kind: String::new(), clauses: Vec::new() };
    TableDefinition::parse(&sql).columns.pop().unwrap_or(none)
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = "CREATE TABLE \"users\" ( \"id\" uuid_text NOT NULL, -- the, key\n \
        role varchar(16) NOT NULL DEFAULT 'it''s, (' CONSTRAINT users_role_check CHECK (role IN ('a', 'b')), \
        [at] text, CONSTRAINT \"users_pkey\" PRIMARY KEY (\"id\"), CHECK (id <> ')'), \"late\" int ) WITHOUT ROWID, STRICT";

    #[test]
    fn a_definition_is_parsed_and_rendered() {
        let table = TableDefinition::parse(USERS);
        assert_eq!(table.stored_columns().collect::<Vec<_>>(), ["id", "role", "at", "late"]);
        assert_eq!(
            table.create("t"),
            "CREATE TABLE \"t\" ( \"id\" uuid_text NOT NULL, \
             \"role\" varchar(16) NOT NULL DEFAULT 'it''s, (' CONSTRAINT users_role_check CHECK (role IN ('a', 'b')), \
             \"at\" text, \"late\" int, CONSTRAINT \"users_pkey\" PRIMARY KEY (\"id\"), CHECK (id <> ')') ) \
             WITHOUT ROWID, STRICT"
        );
        assert_eq!(TableDefinition::parse(&table.create("t")), table);
        assert_eq!(
            table.types().map(|(_, kind)| kind).collect::<Vec<_>>(),
            ["uuid_text", "varchar(16)", "text", "int"]
        );
    }

    #[test]
    fn unnamed_clauses_of_columns_can_be_changed_and_dropped() {
        let sql = "CREATE TABLE t (id integer PRIMARY KEY AUTOINCREMENT, nid varchar(60) COLLATE NOCASE UNIQUE NOT NULL DEFAULT '', \
                   a REFERENCES t ON DELETE SET NULL CHECK (a > 0), b int CONSTRAINT b_check CHECK (b > 0) NOT NULL DEFAULT 3, \
                   c int GENERATED ALWAYS AS (b + 1) STORED, UNIQUE (a, b))";
        let mut table = TableDefinition::parse(sql);
        assert_eq!(
            table.types().map(|(_, kind)| kind).collect::<Vec<_>>(),
            ["integer", "varchar(60)", "", "int", "int"]
        );
        assert_eq!(table.stored_columns().collect::<Vec<_>>(), ["id", "nid", "a", "b"]);
        table.alter_column(ColumnDef::new("nid").string_len(64)).unwrap();
        table.alter_column(ColumnDef::new("b").big_integer().not_null()).unwrap();
        let sql = table.create("t");
        assert!(sql.contains("\"nid\" varchar(64) UNIQUE, "), "{sql}");
        assert!(sql.contains("\"b\" integer NOT NULL CONSTRAINT b_check CHECK (b > 0), "), "{sql}");
        table.drop_unique("t_nid_key", &["nid".into()]).unwrap();
        table.drop_unique("t_a_b_key", &["a".into(), "b".into()]).unwrap();
        table.drop_foreign_key("t_a_fkey", &["a".into()]).unwrap();
        table.drop_primary_key();
        assert!(table.drop_unique("t_nid_key", &["nid".into()]).is_err());
        assert!(
            table
                .create("t")
                .starts_with("CREATE TABLE \"t\" ( \"id\" integer, \"nid\" varchar(64), \"a\" CHECK (a > 0), "),
            "{}",
            table.create("t")
        );
    }

    #[test]
    fn a_column_is_altered_and_keeps_its_named_constraints() {
        let mut table = TableDefinition::parse(USERS);
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
