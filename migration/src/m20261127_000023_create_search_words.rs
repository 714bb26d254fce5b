//! Words of names and e-mail addresses, for searching by the beginning of a word. They replace `users.search_text`, which
//! could only be searched by reading all rows.
//!
//! Parent: m20261127_000022_create_patients. Date: 2026-11-27.

use revisions::AlterTable;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// Characters between words besides white space, as in the application, in quotes.
const SEPARATORS: [&str; 9] = ["'\n'", "'-'", "'.'", "','", "''''", "'\u{2019}'", "'('", "')'", "'/'"];

/// Folded names of accounts: the search text without the e-mail address at its end.
const USER_NAMES: &str = "SELECT id, CASE WHEN search_text = '' THEN lower(name) \
    ELSE substr(search_text, 1, length(search_text) - length(email)) END AS name FROM users";

const PATIENT_NAMES: &str = "SELECT p.id, CASE WHEN u.search_text = '' THEN lower(u.name) \
    ELSE substr(u.search_text, 1, length(u.search_text) - length(u.email)) END AS name \
    FROM patients AS p JOIN users AS u ON u.id = p.user_id WHERE p.relation = 'self' UNION ALL \
    SELECT p.id, c.first_folded || ' ' || c.last_folded AS name \
    FROM patients AS p JOIN contacts AS c ON c.id = p.contact_id";

const ADD_EMAILS: &str = "INSERT INTO user_words (word, user_id) SELECT email, id FROM users";

/// The lower case of the database is sufficient until the profile is next updated, which stores the folded text.
const FILL_SEARCH_TEXT: &str = "UPDATE users SET search_text = lower(name) || '\n' || email";

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let (backend, db) = (manager.get_database_backend(), manager.get_connection());
        for (table, column, referred, names) in
            [("user_words", "user_id", "users", USER_NAMES), ("patient_words", "patient_id", "patients", PATIENT_NAMES)]
        {
            manager.create_table(words(backend, table, column, referred)).await?;
            let index = Index::create().name(format!("{table}_{column}_idx")).table(table).col(column).to_owned();
            manager.create_index(index).await?;
            db.execute_unprepared(&fill(backend, table, column, names)).await?;
        }
        // An e-mail address is one word. No word of a name has its sign.
        db.execute_unprepared(ADD_EMAILS).await?;
        db.execute_unprepared(&add_phone_numbers(backend)).await?;
        AlterTable::table("users").drop_column("search_text").apply(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        AlterTable::table("users")
            .add_column(ColumnDef::new("search_text").text().not_null().default(""))
            .apply(manager)
            .await?;
        manager.get_connection().execute_unprepared(FILL_SEARCH_TEXT).await?;
        for table in ["patient_words", "user_words"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

fn words(
    backend: DbBackend,
    table: &'static str,
    column: &'static str,
    referred: &'static str,
) -> TableCreateStatement {
    let mut word = ColumnDef::new("word");
    word.text().not_null();
    if backend == DbBackend::Postgres {
        word.extra("COLLATE \"C\"");
    }
    let mut key = ForeignKey::create();
    key.name(format!("{table}_{column}_fkey")).from(table, column).to(referred, "id");
    let mut words = Table::create();
    words
        .table(table)
        .col(word)
        .col(ColumnDef::new(column).uuid().not_null())
        .primary_key(Index::create().name(format!("{table}_pkey")).col("word").col(column))
        .foreign_key(key.on_delete(ForeignKeyAction::Cascade));
    if backend == DbBackend::Sqlite {
        words.extra("WITHOUT ROWID");
    }
    words
}

/// Statement that adds the digits of telephone numbers, after a character that no name has.
fn add_phone_numbers(backend: DbBackend) -> String {
    let function = if backend == DbBackend::Sqlite { "char" } else { "chr" };
    let digits = ["'+'", "' '", "'('", "')'", "'-'", "'.'", "'/'"]
        .iter()
        .fold("phone_number".to_owned(), |number, separator| format!("replace({number}, {separator}, '')"));
    format!(
        "INSERT INTO user_words (word, user_id) SELECT {function}(1) || {digits}, id FROM users \
         WHERE phone_number IS NOT NULL"
    )
}

/// Statement that splits names into words.
fn fill(backend: DbBackend, table: &str, column: &str, names: &str) -> String {
    let name =
        SEPARATORS.iter().fold("name".to_owned(), |name, separator| format!("replace({name}, {separator}, ' ')"));
    match backend {
        DbBackend::Sqlite => format!(
            "INSERT INTO {table} (word, {column}) WITH RECURSIVE split (id, word, rest) AS \
             (SELECT id, '', {name} || ' ' FROM ({names}) UNION ALL \
             SELECT id, substr(rest, 1, instr(rest, ' ') - 1), substr(rest, instr(rest, ' ') + 1) FROM split \
             WHERE rest <> '') SELECT DISTINCT word, id FROM split WHERE word <> ''"
        ),
        _ => format!(
            "INSERT INTO {table} (word, {column}) SELECT DISTINCT word, id FROM ({names}) AS names, \
             regexp_split_to_table({name}, '\\s+') AS word WHERE word <> ''"
        ),
    }
}
