//! Schema facts: the schema of a live database as lines of text, so that two schemas can be compared.
//!
//! This code reads both sides of a comparison, so it needs no table of equivalent types.

use std::collections::BTreeSet;

use sea_orm_migration::prelude::DbErr;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, Statement};

/// Facts about one schema, such as `users.email character varying(254) not null`.
pub type SchemaFacts = BTreeSet<String>;

/// Reads all tables, columns, keys, CHECKs and indexes of the current schema, without the history
/// table.
pub async fn describe(db: &impl ConnectionTrait) -> Result<SchemaFacts, DbErr> {
    match db.get_database_backend() {
        DbBackend::Sqlite => {
            let mut facts = facts(db, SQLITE_FACTS).await?;
            for row in db.query_all_raw(Statement::from_string(DbBackend::Sqlite, SQLITE_TABLES)).await? {
                let (table, sql): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
                facts.extend(checks(&sql).into_iter().map(|check| format!("{table} {check}")));
            }
            Ok(facts)
        }
        _ => facts(db, POSTGRES_FACTS).await,
    }
}

/// Returns the differences: facts of `left` only, marked `-`, and facts of `right` only, marked `+`.
#[must_use]
pub fn difference(left: &SchemaFacts, right: &SchemaFacts) -> Vec<String> {
    let removed = left.difference(right).map(|fact| format!("- {fact}"));
    let added = right.difference(left).map(|fact| format!("+ {fact}"));
    removed.chain(added).collect()
}

async fn facts(db: &impl ConnectionTrait, sql: &str) -> Result<SchemaFacts, DbErr> {
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// Parses the CHECKs of a `CREATE TABLE` statement, because SQLite has no catalogue of them. Quotes
/// and white space are removed, because they have no meaning.
fn checks(create_table: &str) -> Vec<String> {
    let sql = create_table.replace('"', "");
    let mut found = Vec::new();
    for (start, _) in sql.match_indices("CHECK") {
        let name = sql
            .get(..start)
            .unwrap_or_default()
            .trim_end()
            .rsplit_once("CONSTRAINT ")
            .map_or("", |(_, name)| if name.contains([' ', ',']) { "" } else { name });
        let mut depth = 0_usize;
        let body: String = sql
            .get(start + "CHECK".len()..)
            .unwrap_or_default()
            .chars()
            .skip_while(|c| *c != '(')
            .take_while(|c| {
                match c {
                    '(' => depth += 1,
                    ')' => depth -= 1,
                    _ => {}
                }
                depth > 0
            })
            .filter(|c| !c.is_whitespace())
            .collect();
        found.push(format!("{name} check {body})"));
    }
    found
}

const SQLITE_TABLES: &str = "
SELECT name, sql FROM sqlite_master
WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> 'seaql_migrations'";

const SQLITE_FACTS: &str = "
WITH tables AS (
    SELECT name FROM sqlite_master
    WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> 'seaql_migrations'
)
SELECT t.name || '.' || c.name || ' ' || c.type || iif(c.\"notnull\", ' not null', '')
    || ifnull(' default ' || c.dflt_value, '') || iif(c.pk, ' primary key ' || c.pk, '')
FROM tables t, pragma_table_xinfo(t.name) c
UNION ALL
SELECT t.name || ' references ' || f.\"table\" || ' (' || f.\"from\" || ' -> ' || f.\"to\" || ') on update '
    || f.on_update || ' on delete ' || f.on_delete
FROM tables t, pragma_foreign_key_list(t.name) f
UNION ALL
SELECT t.name || iif(i.\"unique\", ' unique (', ' index (')
    || (SELECT group_concat(ifnull(name, 'expression'), ', ') FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno)) || ')'
    || iif(i.origin = 'c', ' ' || (SELECT replace(sql, '\"', '') FROM sqlite_master m WHERE m.name = i.name), '')
FROM tables t, pragma_index_list(t.name) i WHERE i.origin <> 'pk'
UNION ALL
SELECT t.name || ' without rowid' FROM tables t JOIN pragma_table_list l ON l.name = t.name WHERE l.wr";

const POSTGRES_FACTS: &str = "
WITH tables AS (
    SELECT c.oid, c.relname AS name FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname <> 'seaql_migrations'
)
SELECT t.name || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
    || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
    || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
    || CASE WHEN a.attcollation <> y.typcollation THEN ' collate ' || a.attcollation::regcollation ELSE '' END
FROM tables t
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type y ON y.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum
UNION ALL
SELECT t.name || ' ' || k.conname || ' ' || CASE k.contype
    -- PostgreSQL casts anew when a type changes.
    WHEN 'c' THEN regexp_replace(pg_get_constraintdef(k.oid), '::(character varying|text)(\\[\\])?|[()]', '', 'g')
    ELSE pg_get_constraintdef(k.oid) END
FROM tables t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype IN ('p', 'u', 'f', 'c')
UNION ALL
SELECT t.name || ' ' || replace(pg_get_indexdef(i.indexrelid), ' ON ' || current_schema() || '.', ' ON ')
FROM tables t JOIN pg_index i ON i.indrelid = t.oid
WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_found_with_quoted_and_unquoted_names() {
        let table = r#"CREATE TABLE "t" ( "a" int CONSTRAINT a_check CHECK ("a" >= 1), CONSTRAINT "b" CHECK (x IN ('y', 'z')) )"#;
        assert_eq!(checks(table), ["a_check check (a>=1)", "b check (xIN('y','z'))"]);
    }

    #[test]
    fn a_difference_lists_removed_and_added_facts() {
        let facts = |names: &[&str]| names.iter().map(ToString::to_string).collect::<SchemaFacts>();
        assert_eq!(difference(&facts(&["a", "b"]), &facts(&["b", "c"])), ["- a", "+ c"]);
    }
}
