//! The migration command line; `--help` lists its commands. Only this program depends on both migrations and entities.

use std::path::PathBuf;
use std::process::ExitCode;

use revisions::{Entities, Project};
use sea_orm_migration::sea_orm::DbBackend;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut project = Project { entities: Some(entities), ..migration::project() };
    // `cargo run` sets it, so that the command works in any folder of the checkout.
    if let Some(migration_dir) = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from) {
        project.entity_dir = migration_dir.with_file_name("entity");
        project.migration_dir = migration_dir;
    }
    revisions::run(project).await
}

fn entities(backend: DbBackend) -> Entities {
    Entities { tables: entity::schema::tables(backend), indexes: entity::schema::indexes(backend) }
}
