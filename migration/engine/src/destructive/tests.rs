//! Statements, and what they lose of a database with the tables users, audit.logs and old.users.

use std::collections::BTreeMap;

use sea_orm::DbBackend;

use super::catalog::{Catalog, TableName};
use super::trace::Trace;

fn catalog(backend: DbBackend) -> Catalog {
    let current_schema = if backend == DbBackend::Sqlite { "main" } else { "public" };
    let columns = [("id", "uuid"), ("name", "varchar(200)"), ("age", "integer")];
    let columns: Vec<_> = columns.map(|(name, kind)| (name.to_owned(), kind.to_owned())).into();
    let table = |schema: &str, name: &str| (TableName { schema: schema.into(), name: name.into() }, columns.clone());
    let mut tables = BTreeMap::from([table(current_schema, "users")]);
    if backend == DbBackend::Postgres {
        tables.extend([table("audit", "logs"), table("old", "users")]);
    }
    Catalog { backend, current_schema: current_schema.into(), tables, routines: vec!["purge".into()] }
}

fn losses_on(backend: DbBackend, statements: &[&str]) -> Vec<String> {
    Trace::new(&catalog(backend)).losses(&statements.iter().map(ToString::to_string).collect::<Vec<_>>())
}

/// On both databases.
fn losses(statements: &[&str]) -> Vec<String> {
    let (one, other) = (losses_on(DbBackend::Sqlite, statements), losses_on(DbBackend::Postgres, statements));
    assert_eq!(one, other, "{statements:?}");
    one
}

#[test]
fn tables_and_columns_are_lost() {
    for (statement, loss) in [
        ("DROP TABLE \"users\"", "drop table users"),
        ("drop table if exists users cascade", "drop table users"),
        ("DROP TABLE others, Users;", "drop table users"),
        ("ALTER TABLE \"users\" DROP COLUMN \"age\"", "drop column users.age"),
        ("ALTER TABLE IF EXISTS ONLY users DROP IF EXISTS age", "drop column users.age"),
        ("ALTER TABLE users ADD x int, DROP CONSTRAINT c, DROP age CASCADE", "drop column users.age"),
        ("ALTER TABLE users ALTER age SET DATA TYPE smallint", "narrow users.age from integer to smallint"),
        ("ALTER TABLE users ALTER COLUMN name TYPE varchar(10)", "narrow users.name from varchar(200) to varchar(10)"),
        (
            "ALTER TABLE users ALTER COLUMN \"age\" TYPE smallint USING \"age\"::smallint",
            "narrow users.age from integer to smallint",
        ),
        ("ALTER TABLE users ALTER name TYPE text USING left(name, 3)", "change values of users.name"),
        ("ALTER TABLE users ALTER name TYPE text USING name::varchar(3)", "change values of users.name"),
        ("ALTER TABLE users ALTER age TYPE bigint USING age::bigint * 0", "change values of users.age"),
        ("ALTER TABLE users SET UNLOGGED", "make users unlogged"),
        ("DROP SCHEMA IF EXISTS x CASCADE", "drop schema x"),
        ("DROP TYPE mood CASCADE", "drop type mood"),
        ("DROP EXTENSION citext CASCADE", "drop extension citext"),
        ("ALTER TYPE address DROP ATTRIBUTE street CASCADE", "drop attribute address.street"),
        ("DROP OWNED BY somebody", "drop all objects of a role"),
        (
            "SELECT 1; /* ; */ CREATE TRIGGER t BEFORE INSERT ON users BEGIN SELECT 1; END; DROP TABLE users",
            "drop table users",
        ),
        ("CREATE TABLE IF NOT EXISTS users (id int); DROP TABLE users", "drop table users"),
    ] {
        assert_eq!(losses(&[statement]), [loss], "{statement}");
    }
}

#[test]
fn rows_and_values_are_lost() {
    for (statement, loss) in [
        ("DELETE FROM \"users\" WHERE \"age\" > 3", "delete rows of users"),
        ("WITH old AS (SELECT 1) DELETE FROM users", "delete rows of users"),
        ("CREATE TABLE x AS WITH d AS (DELETE FROM users RETURNING *) SELECT * FROM d", "delete rows of users"),
        ("EXPLAIN ANALYZE DELETE FROM users", "delete rows of users"),
        ("TRUNCATE TABLE others, users", "delete rows of others, delete rows of users"),
        ("DELETE FROM some_view", "delete rows of some_view"),
        ("INSERT OR REPLACE INTO users (id) VALUES (1)", "replace rows of users"),
        ("REPLACE INTO users (id) VALUES (1)", "replace rows of users"),
        ("INSERT INTO users (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET name = 'x'", "change values of users.name"),
        (
            "UPDATE users SET name = 'x', age = 3 WHERE id = 1",
            "change values of users.name, change values of users.age",
        ),
        (
            "UPDATE users AS u SET (name, age) = (SELECT 'x', 3)",
            "change values of users.name, change values of users.age",
        ),
        ("UPDATE users SET name = 'x', age = 3 WHERE name IS NULL", "change values of users.age"),
        ("UPDATE users SET name = 'x' WHERE name IS NULL OR age = 1", "change values of users.name"),
        ("MERGE INTO users u USING x ON true WHEN MATCHED THEN DELETE", "delete rows of users"),
        ("DO $$ BEGIN IF true THEN DELETE FROM users; END IF; END $$", "delete rows of users"),
        ("DO $$ BEGIN EXECUTE 'DROP TABLE users'; END $$", "run code that cannot be checked"),
        (
            "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ DELETE FROM users $$; SELECT f()",
            "delete rows of users",
        ),
        ("CALL clean_up()", "call procedure clean_up, which cannot be checked"),
        ("SELECT purge()", "call function purge, which cannot be checked"),
        ("DO $$ DECLARE n int; BEGIN n := purge(); END $$", "call function purge, which cannot be checked"),
        ("DO E'BEGIN DELETE FROM users; END'", "delete rows of users"),
        (
            "CREATE FUNCTION f() RETURNS void LANGUAGE sql BEGIN ATOMIC DELETE FROM users; END; SELECT f()",
            "delete rows of users",
        ),
        ("SELECT ARRAY['a]']; DELETE FROM users", "delete rows of users"),
        ("UPDATE users SET address.street = ''", "change values of users.street"),
        ("PRAGMA writable_schema = ON", "write to the schema table"),
    ] {
        assert_eq!(losses(&[statement]).join(", "), loss, "{statement}");
    }
}

#[test]
fn names_are_followed() {
    for (statements, loss) in [
        (
            &[
                "ALTER TABLE users RENAME TO users_old",
                "CREATE TABLE users (id uuid)",
                "INSERT INTO users SELECT id FROM users_old",
                "DROP TABLE users_old",
            ][..],
            "drop table users_old, which was users",
        ),
        (
            &["ALTER TABLE users RENAME COLUMN age TO years", "ALTER TABLE users DROP COLUMN years"],
            "drop column users.years, which was users.age",
        ),
        (
            &[
                "ALTER TABLE users RENAME age TO years; ALTER TABLE users RENAME TO people",
                "ALTER TABLE people DROP years",
            ],
            "drop column people.years, which was users.age",
        ),
        (&["ALTER TABLE users RENAME TO people", "DELETE FROM people"], "delete rows of people, which was users"),
        (
            &["ALTER TABLE users ADD COLUMN x int", "ALTER TABLE users RENAME x TO y", "ALTER TABLE users DROP age"],
            "drop column users.age",
        ),
        (
            &[
                "CREATE TABLE users_new (id uuid)",
                "INSERT INTO users_new SELECT id FROM users",
                "DROP TABLE users",
                "ALTER TABLE users_new RENAME TO users",
            ],
            "drop table users",
        ),
        // Only a rebuild of all rows keeps them.
        (
            &[
                "CREATE TABLE _reshaped_users (id uuid, name varchar(200), age integer)",
                "DROP TABLE users",
                "ALTER TABLE _reshaped_users RENAME TO users",
            ],
            "drop table users",
        ),
        (
            &[
                "CREATE TABLE _reshaped_users (id uuid)",
                "INSERT INTO _reshaped_users (id) SELECT id FROM users WHERE age > 1",
                "DROP TABLE users",
            ],
            "drop table users",
        ),
    ] {
        assert_eq!(losses(statements).join(", "), loss, "{statements:?}");
    }
    let rebuild = [
        "CREATE TABLE \"_reshaped_users\" ( \"id\" uuid NOT NULL, \"name\" varchar(100) )",
        "INSERT INTO \"_reshaped_users\" (\"id\", \"name\") SELECT \"id\", \"name\" FROM \"users\"",
        "DROP TABLE \"users\"",
        "ALTER TABLE \"_reshaped_users\" RENAME TO \"users\"",
    ];
    let expected = ["narrow users.name from varchar(200) to varchar(100)", "drop column users.age"];
    assert_eq!(losses_on(DbBackend::Sqlite, &rebuild), expected);
    let twice = [&rebuild[..], &["DROP TABLE users"]].concat();
    assert_eq!(losses_on(DbBackend::Sqlite, &twice)[2], "drop table users");
}

#[test]
fn other_schemas_are_followed() {
    for (statement, loss) in [
        ("DROP TABLE audit.logs", "drop table audit.logs"),
        ("DROP TABLE old.users", "drop table old.users"),
        // It may be in the search path.
        ("SET search_path = audit; DROP TABLE logs", "drop table audit.logs"),
        ("ALTER TABLE users SET SCHEMA old2; DROP TABLE old2.users", "drop table old2.users, which was users"),
        (
            "ALTER SCHEMA audit RENAME TO log; ALTER TABLE log.logs DROP age",
            "drop column log.logs.age, which was audit.logs.age",
        ),
        ("CREATE TEMP TABLE users (id int); DROP TABLE users; DROP TABLE users", "drop table users"),
    ] {
        assert_eq!(losses_on(DbBackend::Postgres, &[statement]).join(", "), loss, "{statement}");
    }
    for statements in [
        "DO $$ BEGIN ALTER TABLE users RENAME TO people; END $$; DROP TABLE people",
        "DO $$ BEGIN IF true THEN ALTER TABLE users RENAME age TO years; END IF; END $$; ALTER TABLE users DROP years",
        "/* a /* b */ c */ DROP TABLE users",
    ] {
        assert_eq!(losses_on(DbBackend::Postgres, &[statements]).len(), 1, "{statements}");
    }
    assert_eq!(losses_on(DbBackend::Sqlite, &["DROP TABLE 'users'"]), ["drop table users"]);
    assert_eq!(losses_on(DbBackend::Postgres, &["DROP TABLE \"Users\""]), Vec::<String>::new());
    assert_eq!(losses_on(DbBackend::Sqlite, &["DROP TABLE \"Users\""]), ["drop table users"]);
    assert_eq!(losses_on(DbBackend::Sqlite, &["ATTACH 'x.db' AS x", "DROP TABLE x.t"]), ["drop table t"]);
}

#[test]
fn what_the_run_creates_and_what_keeps_data_loses_nothing() {
    for statement in [
        "DROP TABLE others",
        "ALTER TABLE users ALTER COLUMN name TYPE varchar(300), ALTER COLUMN age TYPE bigint",
        "ALTER TABLE users ALTER COLUMN name TYPE text",
        "ALTER TABLE users ALTER COLUMN age TYPE bigint USING CAST(\"age\" AS bigint)",
        "ALTER TABLE users ALTER age TYPE bigint USING (age::bigint), ALTER name TYPE citext",
        "DO $$ BEGIN CREATE TEMP TABLE x (id int); DELETE FROM x; ALTER TABLE users ADD CONSTRAINT f FOREIGN KEY (age) \
         REFERENCES x ON UPDATE CASCADE ON DELETE SET NULL; CREATE TRIGGER t BEFORE UPDATE OR DELETE ON users FOR EACH ROW \
         EXECUTE FUNCTION touch(); END $$",
        "UPDATE users SET name = '' WHERE name IS NULL AND age > 3",
        "ALTER TABLE users ADD COLUMN x text; UPDATE users SET x = name; ALTER TABLE users DROP COLUMN x",
        "INSERT INTO users VALUES ('DROP TABLE users')",
        "ALTER TABLE users DROP CONSTRAINT users_age_check",
        "UPDATE users SET name = '' WHERE \"users\".\"name\" IS NULL",
        "CREATE TRIGGER t BEFORE INSERT ON users BEGIN DELETE FROM users; END",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM users; END $$",
        "CREATE TABLE x (id int REFERENCES users ON DELETE CASCADE ON UPDATE SET NULL); DELETE FROM x; DROP TABLE x",
        "DROP FUNCTION purge(); GRANT EXECUTE ON FUNCTION purge() TO x; ALTER FUNCTION purge() OWNER TO x",
        "SELECT * FROM users FOR UPDATE",
        "DROP INDEX users_name_idx; DROP VIEW v; DROP TYPE mood",
        "UPDATE sqlite_sequence SET seq = 3 WHERE name = 'x'",
    ] {
        assert_eq!(losses(&[statement]), Vec::<String>::new(), "{statement}");
    }
}
