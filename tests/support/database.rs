//! Private database for each test, cloned from a migrated template.

use std::path::PathBuf;
use std::sync::Mutex;

use sea_orm::ConnectionTrait;
use tempfile::TempDir;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::postgres;

/// Database system of a test program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// Private database, which is deleted with the test.
pub enum Database {
    Sqlite { folder: TempDir },
    Postgres { name: String },
}

static SQLITE_TEMPLATE: OnceCell<(TempDir, PathBuf)> = OnceCell::const_new();
static POSTGRES_TEMPLATE: OnceCell<String> = OnceCell::const_new();

/// Databases of finished tests. The next test that starts deletes them.
static DONE: Mutex<Vec<String>> = Mutex::new(Vec::new());

impl Database {
    /// Creates a migrated database. Without PostgreSQL, a program that needs it prints a message and ends.
    pub async fn new(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => {
                let (_, template) = SQLITE_TEMPLATE.get_or_init(sqlite_template).await;
                let folder = tempfile::tempdir().expect("a folder can be made");
                std::fs::copy(template, folder.path().join("care4u.db")).expect("the template can be copied");
                Self::Sqlite { folder }
            }
            Backend::Postgres => {
                let template = POSTGRES_TEMPLATE.get_or_init(postgres_template).await;
                let name = format!("test_{}", Uuid::now_v7().simple());
                let done: Vec<_> = DONE.lock().expect("no test panics here").drain(..).collect();
                let mut statements: Vec<_> =
                    done.iter().map(|name| format!("DROP DATABASE {name} WITH (FORCE)")).collect();
                statements.push(format!("CREATE DATABASE {name} TEMPLATE {template}"));
                administer(&statements).await;
                Self::Postgres { name }
            }
        }
    }

    pub fn url(&self) -> String {
        match self {
            Self::Sqlite { folder } => format!("sqlite://{}", folder.path().join("care4u.db").display()),
            Self::Postgres { name } => postgres::database_url(name).expect("the server is there"),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Self::Postgres { name } = self {
            DONE.lock().expect("no test panics here").push(std::mem::take(name));
        }
    }
}

async fn sqlite_template() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("template.db");
    migrate(&format!("sqlite://{}?mode=rwc", file.display())).await;
    (folder, file)
}

async fn postgres_template() -> String {
    if postgres::server_url().is_none() {
        postgres::skipped("every test of this program");
        std::process::exit(0);
    }
    let name = format!("template_{}", std::process::id());
    administer(&[format!("CREATE DATABASE {name}")]).await;
    migrate(&postgres::database_url(&name).expect("the server is there")).await;
    name
}

async fn migrate(url: &str) {
    let db = migration::connect(url, None).await.expect("the new database responds");
    migration::up(&db).await.expect("all migrations apply");
    db.close().await.expect("the database can be closed");
}

async fn administer(statements: &[String]) {
    let server = migration::connect(postgres::server_url().expect("the server is there"), None).await;
    let server = server.expect("the server responds");
    for statement in statements {
        server.execute_unprepared(statement).await.expect("an administrator may do that");
    }
    server.close().await.expect("the server lets go");
}
