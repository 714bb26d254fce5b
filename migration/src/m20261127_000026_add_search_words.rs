//! More words for searching: those with accents also without them, and the parts of e-mail addresses before the `@`.
//!
//! Parent: m20261127_000025_audit_bookings. Date: 2026-11-27.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// Characters between words, as in the application, in quotes.
const SEPARATORS: [&str; 8] = ["'-'", "'.'", "','", "''''", "'\u{2019}'", "'('", "')'", "'/'"];

/// Combining diacritical marks.
const ACCENTS: std::ops::RangeInclusive<char> = '\u{300}'..='\u{36f}';

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let (backend, db) = (manager.get_database_backend(), manager.get_connection());
        db.execute_unprepared(&add_local_parts(backend)).await?;
        for (table, column) in [("user_words", "user_id"), ("patient_words", "patient_id")] {
            db.execute_unprepared(&add_without_accents(backend, table, column)).await?;
        }
        Ok(())
    }

    /// The words stay: with them, the search of the older release finds more, and nothing wrong.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}

/// Statement that splits the parts of e-mail addresses before the `@` into words.
fn add_local_parts(backend: DbBackend) -> String {
    let position = if backend == DbBackend::Sqlite { "instr(email, '@')" } else { "strpos(email, '@')" };
    let part = SEPARATORS.iter().fold(format!("substr(email, 1, {position} - 1)"), |part, separator| {
        format!("replace({part}, {separator}, ' ')")
    });
    match backend {
        DbBackend::Sqlite => format!(
            "INSERT INTO user_words (word, user_id) WITH RECURSIVE split (id, word, rest) AS \
             (SELECT id, '', {part} || ' ' FROM users UNION ALL \
             SELECT id, substr(rest, 1, instr(rest, ' ') - 1), substr(rest, instr(rest, ' ') + 1) FROM split \
             WHERE rest <> '') SELECT DISTINCT word, id FROM split WHERE word <> '' ON CONFLICT DO NOTHING"
        ),
        _ => format!(
            "INSERT INTO user_words (word, user_id) SELECT DISTINCT word, id FROM users, \
             regexp_split_to_table({part}, ' +') AS word WHERE word <> '' ON CONFLICT DO NOTHING"
        ),
    }
}

/// Statement that adds words without their accents. The words are decomposed (Unicode NFD).
fn add_without_accents(backend: DbBackend, table: &str, column: &str) -> String {
    let plain = match backend {
        DbBackend::Sqlite => {
            ACCENTS.fold("word".to_owned(), |word, accent| format!("replace({word}, char({}), '')", u32::from(accent)))
        }
        _ => format!("regexp_replace(word, '[{}-{}]', '', 'g')", ACCENTS.start(), ACCENTS.end()),
    };
    // A whole e-mail address stays as it is.
    format!(
        "INSERT INTO {table} (word, {column}) SELECT DISTINCT plain, {column} \
         FROM (SELECT {plain} AS plain, word, {column} FROM {table} WHERE word NOT LIKE '%@%') AS words \
         WHERE plain <> word AND plain <> '' ON CONFLICT DO NOTHING"
    )
}
