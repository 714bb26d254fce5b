//! `AlterTable`: schema changes that SQLite's `ALTER TABLE` does not support, with one interface
//! for both databases.

mod clause;
mod definition;
mod tokens;

pub(crate) use definition::TableDefinition;
pub(crate) use tokens::{bare, quoted, tokens};

use sea_orm::sea_query::{
    ColumnDef, Expr, ForeignKeyCreateStatement, IntoIden, PostgresQueryBuilder, SqliteQueryBuilder, Table,
};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use sea_orm_migration::SchemaManager;

/// Prefix of the name that a table has while it is rebuilt.
pub(crate) const TEMPORARY_PREFIX: &str = "_reshaped_";

/// Error text: with foreign keys enforced, dropping the old table would delete or change the rows
/// that refer to it.
pub(crate) const KEYS_ENFORCED: &str = "cannot be rebuilt while foreign keys are enforced";

/// Schema changes of one table, executed together. On PostgreSQL they are `ALTER TABLE` statements; on SQLite
/// the table is rebuilt from its present definition, with its rows, indexes and triggers.
///
/// ```
/// # use revisions::AlterTable;
/// # use sea_orm_migration::prelude::*;
/// # async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
/// AlterTable::table("users")
///     .alter_type(ColumnDef::new("name").string_len(300))
///     .set_not_null("name")
///     .drop_constraint("users_age_check")
///     .apply(manager)
///     .await
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing happens until it is applied"]
pub struct AlterTable {
    table: String,
    actions: Vec<Action>,
}

#[derive(Clone, Debug)]
enum Action {
    AddColumn(ColumnDef),
    AlterColumn(ColumnDef, Option<String>),
    AlterType(ColumnDef, Option<String>),
    SetNotNull(String),
    DropNotNull(String),
    SetDefault(ColumnDef),
    DropDefault(String),
    DropColumn(String),
    AddConstraint(String),
    DropConstraint(String),
    DropPrimaryKey(String),
    DropForeignKey(String, Vec<String>),
    DropUnique(String, Vec<String>),
    RenameConstraint(String, String),
    RenameIndex(String, String),
}

impl AlterTable {
    /// Starts a list of changes to an existing table.
    pub fn table(table: impl IntoIden) -> Self {
        Self { table: table.into_iden().to_string(), actions: Vec::new() }
    }

    /// Adds a column after the existing ones.
    pub fn add_column(self, column: &mut ColumnDef) -> Self {
        self.with(Action::AddColumn(column.clone()))
    }

    /// Changes type and collation of a column to those given. Nullability and default stay. On PostgreSQL the table may be
    /// rewritten, and views that use the column forbid it.
    pub fn alter_type(self, column: &mut ColumnDef) -> Self {
        self.with(Action::AlterType(column.clone(), None))
    }

    /// Like [`alter_type`](Self::alter_type), with a USING expression for PostgreSQL, which is needed if it does not convert the
    /// type implicitly. SQLite converts by type affinity, and keeps values that cannot be converted.
    pub fn alter_type_using(self, column: &mut ColumnDef, value: impl Into<String>) -> Self {
        self.with(Action::AlterType(column.clone(), Some(value.into())))
    }

    /// Makes a column required. Fails if a row has no value. PostgreSQL reads the whole table meanwhile, unless a CHECK says that
    /// there is a value.
    pub fn set_not_null(self, column: impl IntoIden) -> Self {
        self.with(Action::SetNotNull(column.into_iden().to_string()))
    }

    /// Makes a column optional.
    pub fn drop_not_null(self, column: impl IntoIden) -> Self {
        self.with(Action::DropNotNull(column.into_iden().to_string()))
    }

    /// Sets the default of a column, for rows to come.
    pub fn set_default(self, column: impl IntoIden, value: impl Into<Expr>) -> Self {
        self.with(Action::SetDefault(ColumnDef::new(column).default(value).to_owned()))
    }

    /// Drops the default of a column.
    pub fn drop_default(self, column: impl IntoIden) -> Self {
        self.with(Action::DropDefault(column.into_iden().to_string()))
    }

    /// Changes type, default and nullability of a column to those given, in one. Named constraints of the column stay.
    pub fn alter_column(self, column: &mut ColumnDef) -> Self {
        self.with(Action::AlterColumn(column.clone(), None))
    }

    /// Like [`alter_column`](Self::alter_column), with a USING expression for PostgreSQL, which is
    /// needed if it does not convert the type implicitly. SQLite converts by type affinity, and
    /// keeps values that cannot be converted.
    pub fn alter_column_using(self, column: &mut ColumnDef, value: impl Into<String>) -> Self {
        self.with(Action::AlterColumn(column.clone(), Some(value.into())))
    }

    /// Drops a column with its data.
    pub fn drop_column(self, column: impl IntoIden) -> Self {
        self.with(Action::DropColumn(column.into_iden().to_string()))
    }

    /// Adds a CHECK constraint.
    pub fn add_check(self, name: &str, expression: Expr) -> Self {
        // sea-query renders an expression only as part of a query.
        let mut query = sea_orm::sea_query::Query::select();
        let text = query.expr(expression).to_string(SqliteQueryBuilder);
        let text = text.strip_prefix("SELECT ").unwrap_or(&text);
        self.with(Action::AddConstraint(format!("CONSTRAINT {} CHECK ({text})", quoted(name))))
    }

    /// Adds a UNIQUE constraint. A unique index has the same effect and needs no rebuild of the
    /// table.
    pub fn add_unique<I: IntoIden>(self, name: &str, columns: impl IntoIterator<Item = I>) -> Self {
        self.with(Action::AddConstraint(format!("CONSTRAINT {} UNIQUE ({})", quoted(name), quoted_list(columns))))
    }

    /// Drops the primary key: on PostgreSQL by its name, on SQLite whatever its name is.
    pub fn drop_primary_key(self, name: &str) -> Self {
        self.with(Action::DropPrimaryKey(name.into()))
    }

    /// Adds a primary key. An existing one must be dropped before.
    pub fn add_primary_key<I: IntoIden>(self, name: &str, columns: impl IntoIterator<Item = I>) -> Self {
        self.with(Action::AddConstraint(format!("CONSTRAINT {} PRIMARY KEY ({})", quoted(name), quoted_list(columns))))
    }

    /// Adds a foreign key, which must have a name.
    pub fn add_foreign_key(self, key: &mut ForeignKeyCreateStatement) -> Self {
        // Rendered for PostgreSQL: for SQLite sea-query omits the name, although SQLite supports
        // it.
        let table = Table::create().table("t").foreign_key(key).to_string(PostgresQueryBuilder);
        match TableDefinition::parse(&table).into_constraint() {
            Some(text) => self.with(Action::AddConstraint(text)),
            None => self,
        }
    }

    /// Drops a foreign key by its name. On SQLite, where sea-query creates foreign keys without
    /// names, an unnamed one is found by its columns.
    pub fn drop_foreign_key<I: IntoIden>(self, name: &str, columns: impl IntoIterator<Item = I>) -> Self {
        let columns = columns.into_iter().map(|column| column.into_iden().to_string()).collect();
        self.with(Action::DropForeignKey(name.into(), columns))
    }

    /// Drops a UNIQUE constraint by its name. On SQLite an unnamed one is found by its columns.
    pub fn drop_unique<I: IntoIden>(self, name: &str, columns: impl IntoIterator<Item = I>) -> Self {
        let columns = columns.into_iter().map(|column| column.into_iden().to_string()).collect();
        self.with(Action::DropUnique(name.into(), columns))
    }

    /// Drops a constraint of any kind by its name.
    pub fn drop_constraint(self, name: &str) -> Self {
        self.with(Action::DropConstraint(name.into()))
    }

    /// Gives a constraint another name.
    pub fn rename_constraint(self, old: &str, new: &str) -> Self {
        self.with(Action::RenameConstraint(old.into(), new.into()))
    }

    /// Gives an index another name. SQLite makes it again.
    pub fn rename_index(self, old: &str, new: &str) -> Self {
        self.with(Action::RenameIndex(old.into(), new.into()))
    }

    fn with(mut self, action: Action) -> Self {
        self.actions.push(action);
        self
    }

    /// Executes the changes.
    pub async fn apply(self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let db = manager.get_connection();
        match db.get_database_backend() {
            DbBackend::Sqlite => {
                self.rename_indexes(db).await?;
                let is_rebuilt = self.actions.iter().any(|action| !matches!(action, Action::RenameIndex(..)));
                if is_rebuilt { self.rebuild(db).await } else { Ok(()) }
            }
            _ => {
                for statement in self.alterations() {
                    db.execute_unprepared(&statement).await?;
                }
                Ok(())
            }
        }
    }

    /// The statements for PostgreSQL. Constraints are dropped first, so that their names can be
    /// used again.
    fn alterations(&self) -> Vec<String> {
        let table = quoted(&self.table);
        let alter = |what: String| format!("ALTER TABLE {table} {what}");
        let is_drop = |action: &&Action| {
            matches!(
                action,
                Action::DropConstraint(_)
                    | Action::DropPrimaryKey(_)
                    | Action::DropForeignKey(..)
                    | Action::DropUnique(..)
            )
        };
        let (dropped, rest): (Vec<_>, Vec<_>) = self.actions.iter().partition(is_drop);
        let (constraints, columns): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|action| matches!(action, Action::AddConstraint(_)));
        let mut statements = Vec::new();
        for action in dropped.into_iter().chain(columns).chain(constraints) {
            match action {
                Action::AddColumn(column) => {
                    let mut statement = Table::alter();
                    let statement = statement.table(self.table.clone()).add_column(column.clone());
                    statements.push(statement.to_string(PostgresQueryBuilder));
                }
                Action::AlterColumn(column, value) => {
                    statements.extend(alter_column(column, value.as_deref()).map(alter))
                }
                Action::AlterType(column, value) => statements.extend(alter_type(column, value.as_deref()).map(alter)),
                Action::SetNotNull(column) => {
                    statements.push(alter(format!("ALTER COLUMN {} SET NOT NULL", quoted(column))));
                }
                Action::DropNotNull(column) => {
                    statements.push(alter(format!("ALTER COLUMN {} DROP NOT NULL", quoted(column))));
                }
                Action::SetDefault(column) => statements.extend(set_default(column).map(alter)),
                Action::DropDefault(column) => {
                    statements.push(alter(format!("ALTER COLUMN {} DROP DEFAULT", quoted(column))));
                }
                Action::DropColumn(column) => statements.push(alter(format!("DROP COLUMN {}", quoted(column)))),
                Action::AddConstraint(text) => statements.push(alter(format!("ADD {text}"))),
                Action::RenameConstraint(old, new) => {
                    statements.push(alter(format!("RENAME CONSTRAINT {} TO {}", quoted(old), quoted(new))));
                }
                Action::RenameIndex(old, new) => {
                    statements.push(format!("ALTER INDEX {} RENAME TO {}", quoted(old), quoted(new)));
                }
                Action::DropConstraint(name)
                | Action::DropPrimaryKey(name)
                | Action::DropForeignKey(name, _)
                | Action::DropUnique(name, _) => {
                    statements.push(alter(format!("DROP CONSTRAINT {}", quoted(name))));
                }
            }
        }
        statements
    }

    /// SQLite cannot rename an index: it is made again from its definition.
    async fn rename_indexes(&self, db: &impl ConnectionTrait) -> Result<(), DbErr> {
        for action in &self.actions {
            let Action::RenameIndex(old, new) = action else { continue };
            let sql =
                Statement::from_sql_and_values(DbBackend::Sqlite, INDEX, [old.as_str().into(), (&*self.table).into()]);
            let found = db.query_one_raw(sql).await?;
            // An index with a method exists on PostgreSQL only.
            let Some(found) = found else { continue };
            let definition: String = found.try_get_by_index(0)?;
            let words = tokens(&definition);
            let name =
                words.iter().find(|token| definition.get((*token).clone()).is_some_and(|text| bare(text) == *old));
            let name = name.ok_or_else(|| DbErr::Migration(format!("the definition of {old} cannot be read")))?;
            let (before, after) = (definition.get(..name.start), definition.get(name.end..));
            let renamed = [before.unwrap_or_default(), &quoted(new), after.unwrap_or_default()].concat();
            db.execute_unprepared(&format!("DROP INDEX {}", quoted(old))).await?;
            db.execute_unprepared(&renamed).await?;
        }
        Ok(())
    }

    /// Rebuilds the table on SQLite, as described in "Making Other Kinds Of Table Schema Changes"
    /// of its manual.
    async fn rebuild(self, db: &impl ConnectionTrait) -> Result<(), DbErr> {
        let backend = DbBackend::Sqlite;
        let rows = |sql: &str, table: &str| Statement::from_sql_and_values(backend, sql, [table.into()]);
        let found = db.query_one_raw(rows(TABLE, &self.table)).await?;
        let found = found.ok_or_else(|| DbErr::Migration(format!("there is no table {}", self.table)))?;
        let old = TableDefinition::parse(&found.try_get_by_index::<String>(0)?);
        // With foreign keys enforced, dropping the old table would delete the rows of other tables
        // that refer to it.
        if found.try_get_by_index::<i32>(1)? != 0 {
            return Err(DbErr::Migration(format!(
                "table {} {KEYS_ENFORCED}; the migration must run in a transaction",
                self.table
            )));
        }
        let temporary = format!("{TEMPORARY_PREFIX}{}", self.table);
        let (new, values) = self.rebuilt(old)?;
        let indexes_and_triggers: Vec<String> = db
            .query_all_raw(rows(INDEXES_AND_TRIGGERS, &self.table))
            .await?
            .iter()
            .map(|row| row.try_get_by_index(0))
            .collect::<Result<_, _>>()?;
        let (into, from): (Vec<_>, Vec<_>) = values.into_iter().unzip();
        let (old, new_name) = (quoted(&self.table), quoted(&temporary));
        let mut statements = vec![
            new.create(&temporary),
            format!("INSERT INTO {new_name} ({}) SELECT {} FROM {old}", into.join(", "), from.join(", ")),
        ];
        if new.counts_up() {
            // Keeps the AUTOINCREMENT counter, so that no id is used twice.
            statements.push(format!(
                "UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = '{}') WHERE name = '{}'",
                self.table.replace('\'', "''"),
                temporary.replace('\'', "''")
            ));
        }
        statements.push(format!("DROP TABLE {old}"));
        // Otherwise the rename would check, and rewrite, views and triggers that mention the table.
        statements.push("PRAGMA legacy_alter_table = ON".into());
        statements.push(format!("ALTER TABLE {new_name} RENAME TO {old}"));
        statements.push("PRAGMA legacy_alter_table = OFF".into());
        for statement in statements.into_iter().chain(indexes_and_triggers) {
            db.execute_unprepared(&statement).await?;
        }
        Ok(())
    }

    /// The new definition, and for each column that keeps its data its name and the expression of
    /// its values.
    fn rebuilt(&self, mut table: TableDefinition) -> Result<(TableDefinition, Vec<(String, String)>), DbErr> {
        let mut values: Vec<(String, String)> =
            table.stored_columns().map(|column| (quoted(column), quoted(column))).collect();
        for action in &self.actions {
            match action {
                Action::AddColumn(column) => table.add_column(column),
                Action::AlterColumn(column, _) => table.alter_column(column)?,
                Action::AlterType(column, _) => table.replace_clauses(column, &["COLLATE"], true)?,
                Action::SetNotNull(column) => {
                    table.replace_clauses(ColumnDef::new(column.clone()).not_null(), &["NOT", "NULL"], false)?;
                }
                Action::DropNotNull(column) => {
                    table.replace_clauses(&ColumnDef::new(column.clone()), &["NOT", "NULL"], false)?;
                }
                Action::SetDefault(column) => table.replace_clauses(column, &["DEFAULT"], false)?,
                Action::DropDefault(column) => {
                    table.replace_clauses(&ColumnDef::new(column.clone()), &["DEFAULT"], false)?;
                }
                Action::DropColumn(column) => {
                    table.drop_column(column)?;
                    values.retain(|(into, _)| *into != quoted(column));
                }
                Action::AddConstraint(text) => table.add_constraint(text),
                Action::DropConstraint(name) => table.drop_constraint(name)?,
                Action::DropPrimaryKey(_) => table.drop_primary_key(),
                Action::DropForeignKey(name, columns) => table.drop_foreign_key(name, columns)?,
                Action::DropUnique(name, columns) => table.drop_unique(name, columns)?,
                // sea-query creates foreign keys without names on SQLite.
                Action::RenameConstraint(old, new) => table.rename_constraint(old, new),
                // Before the rebuild.
                Action::RenameIndex(..) => {}
            }
        }
        Ok((table, values))
    }
}

/// Query for the definition of a table, and whether foreign keys are enforced.
const TABLE: &str = "SELECT sql, (SELECT foreign_keys FROM pragma_foreign_keys) FROM sqlite_master \
    WHERE type = 'table' AND name = ?";

const INDEX: &str =
    "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND name = ? AND tbl_name = ?";

const INDEXES_AND_TRIGGERS: &str = "SELECT sql FROM sqlite_master \
    WHERE tbl_name = ? AND type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY type, name";

/// The actions of PostgreSQL's `ALTER TABLE` that change a column. The default is dropped and set
/// again, because the old one may not fit the new type. Identity and generated columns have no
/// default.
fn alter_column(column: &ColumnDef, value: Option<&str>) -> impl Iterator<Item = String> {
    let name = quoted(&column.get_column_name());
    let spec = column.get_column_spec();
    let has_default = !spec.auto_increment && spec.generated.is_none();
    let mut parts = Vec::new();
    if has_default {
        parts.push(format!("ALTER COLUMN {name} DROP DEFAULT"));
    }
    parts.extend(alter_type(column, value));
    let nullability = if spec.nullable == Some(false) { "SET" } else { "DROP" };
    parts.push(format!("ALTER COLUMN {name} {nullability} NOT NULL"));
    parts.extend(set_default(column).filter(|_| has_default));
    parts.into_iter()
}

fn alter_type(column: &ColumnDef, value: Option<&str>) -> Option<String> {
    let kind = added(&mut ColumnDef::new_with_type("c", column.get_column_type()?.clone()));
    let extra = column.get_column_spec().extra.as_deref();
    let collation = extra.filter(|extra| extra.trim_start().starts_with("COLLATE ")).unwrap_or_default();
    let using = value.map(|value| format!(" USING {value}")).unwrap_or_default();
    let name = quoted(&column.get_column_name());
    Some(format!("ALTER COLUMN {name} TYPE {} {collation}", kind.trim()).trim_end().to_owned() + &using)
}

fn set_default(column: &ColumnDef) -> Option<String> {
    let text = added(ColumnDef::new("c").default(column.get_column_spec().default.clone()?));
    Some(format!("ALTER COLUMN {} SET {}", quoted(&column.get_column_name()), text.trim()))
}

/// The text after the column name in PostgreSQL's `ADD COLUMN`.
fn added(column: &mut ColumnDef) -> String {
    let text = Table::alter().table("t").add_column(column).to_string(PostgresQueryBuilder);
    text.split_once("\"c\"").map_or(String::new(), |(_, rest)| rest.to_owned())
}

fn quoted_list<I: IntoIden>(names: impl IntoIterator<Item = I>) -> String {
    names.into_iter().map(|name| quoted(&name.into_iden().to_string())).collect::<Vec<_>>().join(", ")
}
